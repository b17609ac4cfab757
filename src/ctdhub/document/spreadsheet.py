"""A spreadsheet file (Office Open XML) of plain sheets: texts stay texts, numbers are numbers.

A text is never read as a date or as a formula, whatever it looks like, and no list separator of a
country decides how the file opens.  The same sheets give the same bytes.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from ctdhub.document.html import templates

Cell = str | int | float | date | None

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": "types",
    "_rels/.rels": "root",
    "xl/workbook.xml": "workbook",
    "xl/_rels/workbook.xml.rels": "links",
    "xl/styles.xml": "styles",
}
"""The macro of ``workbook.xml`` for each part but the sheets."""
_DAY = (1980, 1, 1, 0, 0, 0)
_PANE = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
MOST_ROWS = 1_048_576
_EPOCH = date(1899, 12, 30).toordinal()
ROWS = 1000
"""Rows that are written together."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True)
class PlainSheet:
    """One sheet.

    Attributes:
        name: of its tab: at most 31 letters, none of ``[]:*?/\\``.
        widths: of the columns, in letters.
        rows: the heading first; a None is an empty cell.
        heading: whether the first row is a heading, which stays in view.
        placed: whether each cell says where it is and empty ones are left out, as offices' programs
            write it, and readers that trust nobody ask for; then cells may be days.
    """

    name: str
    widths: Sequence[int]
    rows: Iterable[Sequence[Cell]]
    heading: bool = True
    placed: bool = False


def write_spreadsheet(
    path: Path | IO[bytes], sheets: Sequence[PlainSheet], *, rtl: bool = False
) -> None:
    """Write a file with these sheets.

    Args:
        path: of the file, or a file that is open for bytes.
        rtl: columns run from right to left.

    Raises:
        ValueError: a name that no sheet may have, or more rows than a sheet holds.
    """
    for sheet in sheets:
        if not re.fullmatch(r"[^\[\]:*?/\\]{1,31}", sheet.name):
            raise ValueError(f"no name of a sheet: {sheet.name}")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for name, text in _frame(sheets):
            file.writestr(_entry(name), text)
        for n, sheet in enumerate(sheets, 1):
            with file.open(_entry(f"xl/worksheets/sheet{n}.xml"), "w", force_zip64=True) as part:
                texts = _sheet(sheet, rtl=rtl)
                while together := "".join(islice(texts, ROWS)):
                    part.write(together.encode())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DAY)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _frame(sheets: Sequence[PlainSheet]) -> Iterator[tuple[str, str]]:
    """All parts but the sheets."""
    written = templates().get_template("workbook.xml").module
    names = [escape(sheet.name, {'"': "&quot;"}) for sheet in sheets]
    days = any(sheet.placed for sheet in sheets)
    for part, macro in _PARTS.items():
        lines = str(getattr(written, macro)(names, days)).splitlines()
        yield part, "".join((_HEAD, *lines))


def _sheet(sheet: PlainSheet, *, rtl: bool) -> Iterator[str]:
    pane = _PANE if sheet.heading else ""
    turned = ' rightToLeft="1"' if rtl else ""
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>'
        for n, width in enumerate(sheet.widths, 1)
    )
    yield (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"{turned}>'
        f"{pane}</sheetView></sheetViews><cols>{widths}</cols><sheetData>"
    )
    for n, row in enumerate(sheet.rows):
        if n >= MOST_ROWS:
            raise ValueError("a sheet holds no more rows")
        bold = n == 0 and sheet.heading
        cells = [_cell(cell, bold) for cell in row]
        if sheet.placed:
            cells = [
                text.replace("<c", f'<c r="{_letters(k)}{n + 1}"', 1)
                for k, text in enumerate(cells)
                if text != "<c/>"
            ]
        yield f"<row>{''.join(cells)}</row>"
    yield "</sheetData></worksheet>"


@cache
def _letters(column: int) -> str:
    return chr(65 + column) if column < 26 else _letters(column // 26 - 1) + chr(65 + column % 26)


def _cell(cell: Cell, bold: bool) -> str:
    if isinstance(cell, str):
        return _text(cell, bold) if cell else "<c/>"
    if isinstance(cell, date):
        return f'<c s="3"><v>{cell.toordinal() - _EPOCH}</v></c>'
    return "<c/>" if cell is None else f'<c s="2"><v>{cell}</v></c>'


@lru_cache(maxsize=4096)
def _text(cell: str, bold: bool) -> str:
    """A cell of text; labels come again in many rows."""
    text = escape(_FORBIDDEN.sub("", cell))
    style = ' s="1"' if bold else ""
    return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{text}</t></is></c>'
