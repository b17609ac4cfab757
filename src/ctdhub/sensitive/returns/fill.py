"""A publisher's empty workbook, filled from a contributor's own file by a mapping of its own."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from pathlib import Path
from typing import Annotated, Literal
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape

import openpyxl
from openpyxl import Workbook
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.datetime import to_excel
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import made_whole
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.sensitive.ingest.options import Limits, ReadOptions, Texts
from ctdhub.sensitive.ingest.preflight import Archive, xlsx_sheets
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping.dates import DateForm
from ctdhub.sensitive.mapping.mapping import MappingFault
from ctdhub.sensitive.mapping.mapping_file import checked, read_yaml, text_of
from ctdhub.sensitive.mapping.parsers import Header, number_of


class CellRule(FrozenModel):
    """What stands in a column of the workbook.

    Attributes:
        source: column of the file (``from``); of several the first that is not empty.
        value: a text that stands in every row, instead of a column.
        map: texts of the file and what is written for them; a text that is not listed is not
            written, and told.
        date: whether the column holds dates; one that cannot be read is not written, and told.
        number: whether it holds numbers; likewise.
    """

    model_config = ConfigDict(populate_by_name=True)

    source: Texts = Field(default=(), alias="from")
    value: str | None = None
    map: dict[str, str | None] = Field(default={})
    date: bool = False
    number: bool = False

    @model_validator(mode="after")
    def _check(self) -> CellRule:
        if bool(self.source) == (self.value is not None):
            raise MappingFault(Text("give exactly one of: from, value"))
        if bool(self.map) + self.date + self.number > (0 if self.value is not None else 1):
            raise MappingFault(Text("at most one of map, date and number may be used with from"))
        return self


def _day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


DayText = Annotated[date, BeforeValidator(_day)]


class DaysWithin(FrozenModel):
    """Rows whose date lies between two days, both included, such as those of a quarter.

    Attributes:
        source: column of the file with the date (``from``).
    """

    source: str = Field(alias="from")
    first: DayText
    last: DayText


class SheetRule(FrozenModel):
    """One sheet of the workbook.

    Attributes:
        header_row: 1-based row of its column names; by default the row that has most of them.
        first_row: 1-based row of the first record; by default the one below the names.
        period: which rows of the file belong into it; all by default.
        when: column of the file and the texts that a row must have, else it is left out.
        columns: by column name of the workbook.
    """

    header_row: int | None = Field(default=None, ge=1, le=1000)
    first_row: int | None = Field(default=None, ge=2, le=1001)
    period: DaysWithin | None = None
    when: dict[str, Texts] = Field(default={})
    columns: dict[str, CellRule] = Field(min_length=1)


class ReturnMapping(FrozenModel):
    """A whole mapping.

    Attributes:
        read: how to read the file.
        dates: how it writes dates.
        empty: texts that mean that nothing is recorded.
        sheets: by name of the workbook's sheet.
    """

    version: Literal["1"]
    read: ReadOptions = ReadOptions()
    dates: DateForm = DateForm()
    empty: Texts = ("",)
    sheets: dict[str, SheetRule] = Field(min_length=1)


def load_return_mapping(path: Path) -> ReturnMapping:
    """The mapping of a YAML file.

    Raises:
        MappingError: the file cannot be read, is no YAML, or something in it is wrong; the
            message names the places and the lines.
    """
    start = Text("a mapping of a report starts with version: 1 and sheets:")
    root, data = read_yaml(text_of(path), path.name, start)
    return checked(ReturnMapping, data, root, path.name)


# --------------------------------------------------------------------------------------------------
# A publisher's empty workbook, filled from a contributor's own file.
#
# Only cells of records are put in: formulas, lists, styles, macros and all other parts of the
# workbook stay as they are.


# --------------------------------------------------------------------------------------------------
# The rows of one sheet of a workbook as text: cells are put in, and nothing else is touched.
#
# A workbook library rebuilds what it writes, and leaves out what it does not know.  Here only the
# rows that get a cell are written anew; all else of the sheet stays byte for byte.

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
        match = _DATA.search(text)
        if match is None or len(_DATA.findall(text)) != 1:
            raise ValueError("the rows of the sheet are not found")
        self._text, self._span = text, match.span()
        self._rows: dict[int, str] = {}
        self._cells: dict[int, dict[int, str]] = {}
        self._changed: set[int] = set()
        body = match[1] or ""
        if _ROW.sub("", body).strip():
            raise ValueError("the rows of the sheet are not all read")
        for row in _ROW.finditer(body):
            at = _AT.search(row[1])
            if at is None or at[1] or int(at[2]) in self._rows:
                raise ValueError("a row has no number of its own")
            self._rows[int(at[2])] = row[0]
            cells = self._cells[int(at[2])] = {}
            for cell in _CELL.finditer(row[2] or ""):
                place = _AT.search(cell[1])
                if place is None or not place[1]:
                    raise ValueError("a cell has no place of its own")
                cells[column_index_from_string(place[1].upper())] = cell[0]

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
        match = _STYLE.search(cell[1]) if cell else None
        return match[1] if match else None

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
            inner, kind = f'<is><t xml:space="preserve">{text}</t></is>', ' t="inlineStr"'
        else:
            number = to_excel(value) if isinstance(value, date) else value
            inner, kind = f"<v>{number:.15g}</v>", ""
        cell = f'<c r="{place}"{shown}{kind}>{inner}</c>'
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
        match = _ROW.match(whole)
        attributes = match[1].rstrip() if match else f' r="{number}"'
        attributes = re.sub(r"""\s*\bspans\s*=\s*["'][^"']*["']""", "", attributes)
        cells = self._cells[number]
        return f"<row{attributes}>{''.join(cells[c] for c in sorted(cells))}</row>"


# --------------------------------------------------------------------------------------------------
# Lists that a publisher's workbook lets one choose from: only their texts may stand in a cell.

_RULE = re.compile(r"<(?:x14:)?dataValidation\b([^>]*)(?<!/)>(.*?)</(?:x14:)?dataValidation>", re.S)
_FORMULA = re.compile(
    r"<(?:x14:)?formula1>\s*(?:<xm:f>)?(.*?)(?:</xm:f>)?\s*</(?:x14:)?formula1>", re.S
)
_WHERE = re.compile(r"""\bsqref\s*=\s*["']([^"']*)["']|<xm:sqref>(.*?)</xm:sqref>""", re.S)
_RANGE = re.compile(
    r"^(?:'((?:[^']|'')+)'|([^'!]+))!(\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?)$"
)

Choices = dict[int, tuple[str, ...]]
"""Texts that a column lets one choose from, by number of the column."""


def choices(sheet: str, row: int, book: Workbook) -> tuple[Choices, frozenset[int]]:
    """The lists of a sheet's columns in one row, and columns whose list cannot be read here.

    Args:
        sheet: its XML.
        row: of the first record.
        book: where ranges of other sheets are read.
    """
    lists: Choices = {}
    unread = set[int]()
    for rule in _RULE.finditer(sheet):
        if not re.search(r"""\btype\s*=\s*["']list["']""", rule[1]):
            continue
        formula = _FORMULA.search(rule[2])
        texts = _texts(unescape(formula[1]), book) if formula else None
        for where in _WHERE.finditer(rule[0]):
            for part in (where[1] or where[2] or "").split():
                left, top, right, bottom = range_boundaries(part)
                if not (top or 1) <= row <= (bottom or row):
                    continue
                for column in range(left or 1, (right or left or 1) + 1):
                    if texts is None:
                        unread.add(column)
                    else:
                        lists[column] = texts
    return lists, frozenset(unread)


def _texts(formula: str, book: Workbook) -> tuple[str, ...] | None:
    if formula.startswith('"') and formula.endswith('"'):
        return tuple(part.strip() for part in formula[1:-1].replace('""', '"').split(","))
    match = _RANGE.match(formula.removeprefix("=").strip())
    if match is None:
        return None
    name = (match[1] or match[2]).replace("''", "'")
    if name not in book.sheetnames:
        return None
    left, top, right, bottom = range_boundaries(match[3].replace("$", ""))
    cells = book[name].iter_rows(top, bottom, left, right, values_only=True)
    return tuple(str(cell).strip() for line in cells for cell in line if cell is not None)


# --------------------------------------------------------------------------------------------------
# What a contributor's rows say in the words of a report; what is not understood is not written.

Written = str | float | date


@dataclass
class ColumnAccount:
    """What became of one column of a sheet.

    Attributes:
        filled: cells that were written.
        empty: rows in which the file says nothing.
        unread: rows of the file whose text is not understood; nothing is written for them.
        unlisted: cells whose text is not in the workbook's list of choices; nothing is written.
        kept: cells that hold a formula of the publisher's, which stays.
    """

    filled: int = 0
    empty: int = 0
    unread: list[int] = field(default_factory=list)
    unlisted: int = 0
    kept: int = 0


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


class ReturnRows:
    """Rows of a file for one sheet.

    Attributes:
        account: of the sheet.
    """

    def __init__(self, raw: RawTable, mapping: ReturnMapping, name: str) -> None:
        sheet = mapping.sheets[name]
        self._raw, self._mapping, self._sheet = raw, mapping, sheet
        self._header = Header(raw.table.column_names)
        self._empty = {fold(text) for text in mapping.empty}
        self.account = SheetAccount(name, columns={c: ColumnAccount() for c in sheet.columns})
        asked = [c for rule in sheet.columns.values() for c in rule.source] + list(sheet.when)
        asked += [sheet.period.source] if sheet.period else []
        missing = [c for c in dict.fromkeys(asked) if self._header.find(c) is None]
        if missing:
            raise error("missing-columns", file=raw.file, columns=", ".join(missing))

    def __iter__(self) -> Iterator[dict[str, Written]]:
        """What is written, by column of the workbook, row by row."""
        for row in self._raw.table.to_pylist():
            if not self._belongs(row):
                continue
            yield {
                name: value
                for name, rule in self._sheet.columns.items()
                if (value := self._value(row, name, rule)) is not None
            }

    def _cell(self, row: Mapping[str, object], column: str) -> str:
        text = trim(str(row[self._header.find(column) or column] or ""))
        return "" if fold(text) in self._empty else text

    def _belongs(self, row: Mapping[str, object]) -> bool:
        for column, texts in self._sheet.when.items():
            if fold(self._cell(row, column)) not in {fold(text) for text in texts}:
                self.account.outside += 1
                return False
        period = self._sheet.period
        if period is None:
            return True
        day = self._mapping.dates.date(fold(self._cell(row, period.source)))
        if day is None:
            self.account.undated += (_number(row),)
            return False
        inside = period.first <= date.fromisoformat(day) <= period.last
        self.account.outside += not inside
        return inside

    def _value(self, row: Mapping[str, object], name: str, rule: CellRule) -> Written | None:
        account = self.account.columns[name]
        if rule.value is not None:
            return rule.value
        text = next(filter(None, (self._cell(row, c) for c in rule.source)), "")
        if not text:
            account.empty += 1
            return None
        value: Written | None = text
        if rule.map:
            texts = {fold(t): to for t, to in rule.map.items()}
            value = texts.get(fold(text))
            if value is None and fold(text) in texts:
                account.empty += 1
                return None
        elif rule.date:
            day = self._mapping.dates.date(fold(text))
            value = date.fromisoformat(day) if day else None
        elif rule.number:
            value = number_of(text)
        if value is None:
            account.unread.append(_number(row))
        return value


def _number(row: Mapping[str, object]) -> int:
    return int(str(row[ROW]))


LOOKED_AT = 60
"""Rows in which column names are looked for."""
_BOOK = "xl/workbook.xml"


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
    accounts = []
    for name, rule in mapping.sheets.items():
        sheet = _Sheet(archive, book, name, rule, changed)
        accounts.append(sheet.fill(ReturnRows(raw, mapping, name)))
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
    return accounts


class _Sheet:
    """One sheet of the workbook, with the places of its columns."""

    def __init__(
        self, archive: Archive, book: Workbook, name: str, rule: SheetRule, changed: dict[str, str]
    ) -> None:
        self.name, self.file = name, archive.file
        try:
            self.part = xlsx_sheets(archive)[name].part
            whole = changed.get(self.part) or archive.read(self.part).decode("utf-8")
            self.text = SheetText(whole)
        except (HubError, KeyError) as cause:
            raise error("return-sheet", file=self.file, name=printable(name)) from cause
        except ValueError:
            raise error("return-workbook/form", file=self.file, name=printable(name)) from None
        cells = list(book[name].iter_rows(1, max(LOOKED_AT, rule.header_row or 0)))
        heads = [{_head(c.value) for c in line if c.value is not None} for line in cells]
        wanted = {_head(column) for column in rule.columns}
        best = max(range(len(heads)), key=lambda i: len(wanted & heads[i]), default=0)
        self.row = rule.header_row or best + 1
        line = cells[self.row - 1] if self.row <= len(cells) else ()
        self.heads = [(str(c.value), int(c.column)) for c in line if c.value is not None]
        self.places = self._places(rule)
        self.first = self._first(rule)
        self.lists, self.unread = choices(whole, self.first, book)
        at = next(book[name].iter_rows(self.first, self.first), ())
        self.dated = {c.column for c in at if is_date_format(getattr(c, "number_format", "") or "")}

    def _places(self, rule: SheetRule) -> dict[str, int]:
        columns = {_head(text): column for text, column in self.heads}
        counts, name = Counter(_head(text) for text, _column in self.heads), printable(self.name)
        missing = [printable(column) for column in rule.columns if not counts[_head(column)]]
        if missing:
            raise error("return-columns", file=self.file, name=name, columns=", ".join(missing))
        if twice := [printable(column) for column in rule.columns if counts[_head(column)] > 1]:
            shown = ", ".join(twice)
            raise error("return-columns/twice", file=self.file, name=name, columns=shown)
        return {column: columns[_head(column)] for column in rule.columns}

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
        account = rows.account
        styles = {c: self.text.style(self.first, c) for c in self.places.values()}
        for record in rows:
            row = self.first + account.rows
            if self._taken(row):
                raise error("return-occupied", file=self.file, row=row, name=printable(self.name))
            for name, column in self.places.items():
                if name in record:
                    self._put(row, column, record[name], account.columns[name], styles[column])
            account.rows += 1
        heads = {_head(name) for name in self.places}
        others = (text for text, _c in self.heads if _head(text) not in heads)
        account.unfilled = tuple(" ".join(text.split()) for text in others)
        account.unchecked = tuple(n for n, c in self.places.items() if c in self.unread)
        return account

    def _put(
        self, row: int, column: int, value: Written, account: ColumnAccount, style: str | None
    ) -> None:
        if self.text.holds_formula(row, column):
            account.kept += 1
            return
        if isinstance(value, date) and column not in self.dated:
            value = value.isoformat()
        if column in self.lists and isinstance(value, str):
            alike = [text for text in self.lists[column] if fold(text) == fold(value)]
            if not alike:
                account.unlisted += 1
                return
            value = alike[0]
        self.text.put(row, column, value, style)
        account.filled += 1


def _head(text: object) -> str:
    """A column name as names are compared: over line ends, too."""
    return fold(" ".join(str(text).split()))
