"""The rows of one sheet of a workbook as text: cells are put in, and nothing else is touched.

A workbook library rebuilds what it writes, and leaves out what it does not know.  Here only the
rows that get a cell are written anew; all else of the sheet stays byte for byte.
"""

from __future__ import annotations

import re
from datetime import date
from xml.sax.saxutils import escape

from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.datetime import to_excel

_DATA = re.compile(r"<sheetData\s*/>|<sheetData(?:\s[^>]*)?>(.*?)</sheetData>", re.S)
_ROW = re.compile(r"<row\b([^>]*?)(?:/>|>(.*?)</row>)", re.S)
_CELL = re.compile(r"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.S)
_AT = re.compile(r"""\br\s*=\s*["']([A-Za-z]{0,3})(\d+)["']""")
_STYLE = re.compile(r"""\bs\s*=\s*["'](\d+)["']""")
_DIMENSION = re.compile(r"<dimension\b[^>]*/>")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class SheetText:
    """The text of a sheet.

    Raises:
        ValueError: it is not written in the usual form, so that nothing can be put in safely.
    """

    def __init__(self, text: str) -> None:
        found = _DATA.search(text)
        if found is None or len(_DATA.findall(text)) != 1:
            raise ValueError("the rows of the sheet are not found")
        self._text, self._span = text, found.span()
        self._rows: dict[int, str] = {}
        self._cells: dict[int, dict[int, str]] = {}
        self._changed: set[int] = set()
        body = found[1] or ""
        if _ROW.sub("", body).strip():
            raise ValueError("the rows of the sheet are not all read")
        for row in _ROW.finditer(body):
            at = _AT.search(row[1])
            if at is None or at[1] or int(at[2]) in self._rows:
                raise ValueError("a row has no number of its own")
            self._rows[int(at[2])] = row[0]
            self._cells[int(at[2])] = self._read(row[2] or "")

    @staticmethod
    def _read(content: str) -> dict[int, str]:
        cells = {}
        for cell in _CELL.finditer(content):
            at = _AT.search(cell[1])
            if at is None or not at[1]:
                raise ValueError("a cell has no place of its own")
            cells[column_index_from_string(at[1].upper())] = cell[0]
        return cells

    def holds_formula(self, row: int, column: int) -> bool:
        """Whether a cell is computed."""
        return bool(re.search(r"<f[\s/>]", self._cells.get(row, {}).get(column, "")))

    def holds_text(self, row: int, column: int) -> bool:
        """Whether a cell has a value that is not computed."""
        cell = self._cells.get(row, {}).get(column, "")
        return bool(re.search(r"<(?:v|is)[\s>]", cell)) and not self.holds_formula(row, column)

    def style(self, row: int, column: int) -> str | None:
        """Number of a cell's style, None where it has none."""
        cell = _CELL.match(self._cells.get(row, {}).get(column, ""))
        found = _STYLE.search(cell[1]) if cell else None
        return found[1] if found else None

    def put(self, row: int, column: int, value: str | float | date, style: str | None) -> None:
        """Write a cell.

        Args:
            value: a text, a number, or a day, which is written as Excel numbers days.
            style: of the cell where it has none of its own.
        """
        style = self.style(row, column) or style
        shown = f' s="{style}"' if style else ""
        place = f"{get_column_letter(column)}{row}"
        if isinstance(value, str):
            text = escape(_UNWRITABLE.sub("", value))
            cell = (
                f'<c r="{place}"{shown} t="inlineStr"><is><t xml:space="preserve">{text}</t>'
                "</is></c>"
            )
        else:
            number = to_excel(value) if isinstance(value, date) else value
            cell = f'<c r="{place}"{shown}><v>{number:.15g}</v></c>'
        self._cells.setdefault(row, {})[column] = cell
        self._changed.add(row)

    def text(self) -> str:
        """The whole sheet."""
        rows = "".join(self._row(number) for number in sorted(self._cells))
        begin, end = self._span
        whole = f"{self._text[:begin]}<sheetData>{rows}</sheetData>{self._text[end:]}"
        # Where it is stated which cells are used, a reader may stop there.
        return _DIMENSION.sub("", whole, count=1) if self._changed else self._text

    def _row(self, number: int) -> str:
        whole = self._rows.get(number, "")
        if number not in self._changed:
            return whole
        found = _ROW.match(whole)
        attributes = found[1].rstrip() if found else f' r="{number}"'
        attributes = re.sub(r"""\s*\bspans\s*=\s*["'][^"']*["']""", "", attributes)
        cells = self._cells[number]
        return f"<row{attributes}>{''.join(cells[c] for c in sorted(cells))}</row>"
