"""A publisher's empty workbook, filled from a contributor's own file.

Only cells of records are put in (``sheet_xml``): formulas, lists, styles, macros and all other
parts of the workbook stay as they are.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.exceptions import InvalidFileException

from ctdhub.core.atomic import made_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError, printable
from ctdhub.core.text import fold
from ctdhub.sensitive.ingest.options import Limits
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.xlsx_preflight import find
from ctdhub.sensitive.ingest.zip_preflight import Archive
from ctdhub.sensitive.returns.cell_texts import ColumnAccount, ReturnRows, Written
from ctdhub.sensitive.returns.choices import Choices, choices
from ctdhub.sensitive.returns.return_mapping import ReturnMapping, SheetRule
from ctdhub.sensitive.returns.sheet_xml import SheetText

LOOKED_AT = 60
"""Rows in which column names are looked for."""
_BOOK = "xl/workbook.xml"


@dataclass
class SheetAccount:
    """What became of one sheet.

    Attributes:
        name: of the sheet.
        rows: records that were written.
        columns: by column name of the workbook that the mapping fills.
        unfilled: other column names of the sheet, which stay empty.
        unchecked: columns whose list of choices this program cannot read.
        outside: rows of the file that do not belong into the sheet.
        undated: rows of the file that are left out, for their date is not understood.
    """

    name: str
    rows: int = 0
    columns: dict[str, ColumnAccount] = field(default_factory=dict)
    unfilled: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    outside: int = 0
    undated: tuple[int, ...] = ()


def fill(raw: RawTable, mapping: ReturnMapping, workbook: Path, out: Path) -> list[SheetAccount]:
    """Fill a workbook.

    Args:
        raw: the contributor's file.
        workbook: the publisher's empty one, .xlsx or .xlsm; it is not changed.
        out: file to write, with the same ending; only its owner may read it.

    Raises:
        FileError: the file lacks columns; the workbook is no workbook, lacks a sheet or a column
            that the mapping names, has a name twice, or has texts where records belong.
    """
    if workbook.stat().st_size > Limits().file_bytes:
        raise error("return-workbook", file=workbook)
    if workbook.suffix.lower() not in (".xlsx", ".xlsm") or out.suffix != workbook.suffix:
        raise error("return-workbook/suffix", file=workbook)
    data = workbook.read_bytes()
    try:
        archive = Archive(data, printable(workbook.name), Limits())
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, ParseError, zlib.error):
        raise error("return-workbook", file=workbook) from None
    changed: dict[str, str] = {}
    told = []
    for name, rule in mapping.sheets.items():
        sheet = _Sheet(archive, book, name, rule, changed)
        told.append(sheet.fill(ReturnRows(raw, mapping, rule)))
        changed[sheet.part] = sheet.text.text()
    whole = archive.read(_BOOK).decode("utf-8")
    # Formulas of the workbook are computed when it is opened, not shown as they were when empty.
    changed[_BOOK] = re.sub(
        r"<calcPr\b(?![^>]*fullCalcOnLoad)", '<calcPr fullCalcOnLoad="1"', whole
    )
    with made_whole(out) as part:
        part.touch(0o600, exist_ok=False)
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(part, "w") as new:
            for info in old.infolist():
                text = changed.get(info.filename)
                new.writestr(info, old.read(info) if text is None else text.encode("utf-8"))
    return told


class _Sheet:
    """One sheet of the workbook, with the places of its columns."""

    def __init__(
        self,
        archive: Archive,
        book: openpyxl.Workbook,
        name: str,
        rule: SheetRule,
        changed: dict[str, str],
    ) -> None:
        self.name, self.file = name, archive.file
        try:
            self.part = find(archive, name).part
            whole = changed.get(self.part) or archive.read(self.part).decode("utf-8")
            self.text = SheetText(whole)
        except HubError as cause:
            raise error("return-sheet", file=self.file, name=printable(name)) from cause
        except ValueError:
            raise error("return-workbook/form", file=self.file, name=printable(name)) from None
        lines = book[name].iter_rows(1, max(LOOKED_AT, rule.header_row or 0))
        cells = list(lines)
        heads = [{_head(c.value) for c in line if c.value is not None} for line in cells]
        wanted = {_head(column) for column in rule.columns}
        best = max(range(len(heads)), key=lambda i: len(wanted & heads[i]), default=0)
        self.row = rule.header_row or best + 1
        line = cells[self.row - 1] if self.row <= len(cells) else ()
        self.heads = [(str(c.value), int(c.column)) for c in line if c.value is not None]
        self.places = self._places(rule)
        self.first = self._first(rule)
        self.lists, unread = choices(whole, self.first, book)
        self.unchecked = tuple(n for n, c in self.places.items() if c in unread)
        at = next(book[name].iter_rows(self.first, self.first), ())
        self.dated = {c.column for c in at if is_date_format(getattr(c, "number_format", "") or "")}

    def _places(self, rule: SheetRule) -> dict[str, int]:
        columns = {_head(text): column for text, column in self.heads}
        missing = [name for name in rule.columns if _head(name) not in columns]
        if missing:
            shown = ", ".join(map(printable, missing))
            raise error("return-columns", file=self.file, name=printable(self.name), columns=shown)
        counts = Counter(_head(text) for text, _column in self.heads)
        if twice := [name for name in rule.columns if counts[_head(name)] > 1]:
            shown = ", ".join(map(printable, twice))
            raise error(
                "return-columns/twice", file=self.file, name=printable(self.name), columns=shown
            )
        return {name: columns[_head(name)] for name in rule.columns}

    def _first(self, rule: SheetRule) -> int:
        """The first row for records: rows with the publisher's explanations are passed over."""
        row = rule.first_row or self.row + 1
        while rule.first_row is None and self._taken(row) and row < self.row + LOOKED_AT:
            row += 1
        return row

    def _taken(self, row: int) -> bool:
        return any(self.text.holds_text(row, column) for column in self.places.values())

    def fill(self, rows: ReturnRows) -> SheetAccount:
        """Put in all rows."""
        told = SheetAccount(self.name, columns=rows.accounts)
        styles = {c: self.text.style(self.first, c) for c in self.places.values()}
        for record in rows:
            row = self.first + told.rows
            if self._taken(row):
                raise error("return-occupied", file=self.file, row=row, name=printable(self.name))
            for name, column in self.places.items():
                if name in record:
                    self._put(row, column, record[name], rows.accounts[name], styles[column])
            told.rows += 1
        held = {_head(name) for name in self.places}
        others = (text for text, _c in self.heads if _head(text) not in held)
        told.unfilled = tuple(" ".join(text.split()) for text in others)
        told.unchecked = self.unchecked
        told.outside, told.undated = rows.outside, tuple(rows.undated)
        return told

    def _put(
        self, row: int, column: int, value: Written, account: ColumnAccount, style: str | None
    ) -> None:
        if self.text.holds_formula(row, column):
            account.kept += 1
            return
        if isinstance(value, date) and column not in self.dated:
            value = value.isoformat()
        if column in self.lists and isinstance(value, str):
            chosen = _chosen(value, column, self.lists)
            if chosen is None:
                account.unlisted += 1
                return
            value = chosen
        self.text.put(row, column, value, style)
        account.filled += 1


def _head(text: object) -> str:
    """A column name as names are compared: over line ends, too."""
    return fold(" ".join(str(text).split()))


def _chosen(value: str, column: int, lists: Choices) -> str | None:
    """The text of the workbook's list that says the same; None where none does."""
    return next((text for text in lists[column] if fold(text) == fold(value)), None)
