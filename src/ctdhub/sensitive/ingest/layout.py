"""Sheets of a workbook and how a file is laid out: which sheets are one table, hold child rows of
another or hold the records, and which row holds the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ctdhub.core.errors import error, printable
from ctdhub.core.i18n import Text, many
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.sensitive.ingest import raw, tidy
from ctdhub.sensitive.ingest.options import Child, Limits, ReadOptions
from ctdhub.sensitive.ingest.own_form import by_names, repeat_titles
from ctdhub.sensitive.ingest.raw import SHEET, ReaderResult, named_columns
from ctdhub.sensitive.ingest.shape.children import tied
from ctdhub.sensitive.ingest.shape.systems import recognise_long
from ctdhub.sensitive.ingest.tidy import SheetView, find, is_form, is_tag_row, is_typed, together

if TYPE_CHECKING:
    from ctdhub.sensitive.ingest.formats import Purpose
    from ctdhub.sensitive.ingest.rejects import Reject
    from ctdhub.sensitive.ingest.workbook import Book

# --------------------------------------------------------------------------------------------------
# Sheets of one workbook that have the same column names, read as one table.
#
# A sheet for each year or office is one table in pieces.  A sheet without a name in common is a
# list of codes or a text to read, and no data; a sheet that shares some names but not all is
# neither, and is asked about.

ALIKE = 0.5
"""Share of the names from which a sheet with other names may hold records too."""


def read_stacked(book: Book, options: ReadOptions) -> ReaderResult:
    """All sheets with the column names of the widest one, in their order.

    The column ``_sheet`` holds the sheet's name.  Rows of the first sheet have the numbers that a
    spreadsheet shows; those of the next ones begin at a further 1,000 (or 10,000 …) each.

    Raises:
        UnreadableFile: a sheet shares names with them and lacks others (``sheets/differ``).
        HostileFile: all sheets together pass a limit.
    """
    views = [v for name in book.visible() if (v := book.view(name)).rows]
    headings = {v.name: names(v, options) for v in views}
    widest = max(headings.values(), key=len, default=frozenset())
    read_all = [name for name, header in headings.items() if header == widest]
    for name, header in headings.items():
        if name not in read_all and len(header & widest) >= ALIKE * len(widest):
            place = book.visible().index(name) + 1
            raise error("sheets/differ", file=book.file, n=place)
    parts = [
        book.cells(options.model_copy(update={"sheet": name, "sheets": None})) for name in read_all
    ]
    if not parts:
        raise error("no-header/sheet", file=book.file, row=options.header_row)
    rows = sum(len(part.rows) for part in parts)
    if rows > book.limits.rows:
        raise error("rows", file=book.file, limit=book.limits.rows)
    step = _step(part.rows for part in parts)
    named = [name for name in parts[0].names if name]
    together_ = pa.concat_tables([_in_order(part, named, book.file) for part in parts])
    sheets = pa.chunked_array([pa.repeat(pa.scalar(p.sheet), len(p.rows)) for p in parts])
    numbers = [part.rows + place * step for place, part in enumerate(parts)]
    made = ReaderResult(
        [*named, SHEET], [*together_.columns, sheets], np.concatenate(numbers), [],
        options.header_row, sheet=parts[0].sheet,
        computed=together({place * step: part.computed for place, part in enumerate(parts)}),
    )  # fmt: skip
    stacked = Text(
        "{n} sheets have the same column names and were read as one table; the row numbers of "
        "each further sheet begin at a further {step}."
    )
    made.notes.append(stacked.holding(n=len(parts), step=step))
    if n := len(views) - len(parts):
        note = many("{n} sheet has other column names and was not read.",
                    "{n} sheets have other column names and were not read.", n, n=n)  # fmt: skip
        made.notes.append(note)
    return made


def agreeing_sheets(
    book: Book, others: Iterable[str], header: Sequence[str], options: ReadOptions
) -> list[str]:
    """Those of the other sheets that have the same column names, and rows."""
    wanted = frozenset(fold(name) for name in header if name)
    views = (view for view in map(book.view, others) if view.length > options.header_row)
    return [view.name for view in views if names(view, options) == wanted]


def names(view: SheetView, options: ReadOptions) -> frozenset[str]:
    """The column names of a sheet, as they are compared."""
    return frozenset(map(fold, view.header(options))) - {""}


def _in_order(part: ReaderResult, names: Sequence[str], file: str) -> pa.Table:
    """The columns of a sheet under those names, in their order."""
    own = {fold(name): column for name, column in named_columns(part, file).items()}
    if len(own) < len(list(filter(None, part.names))):
        raise error("duplicate-header", file=file, row=part.header_row)
    return pa.table([own[fold(name)] for name in names], names=list(names))


def _step(rows: Iterable[np.ndarray[tuple[int], np.dtype[np.int64]]]) -> int:
    last = max((int(numbers[-1]) for numbers in rows if len(numbers)), default=1)
    return int(10 ** max(3, len(str(last))))


# --------------------------------------------------------------------------------------------------
# Sheets of a workbook that hold the child rows of another sheet.
#
# A child table that the mapping names by its sheet is tied by its key, as any table is.  One that
# it names by the path of a list, as JSON has it, is the sheet that KoboToolbox and ODK make of the
# same list: it has the list's name, at most 31 characters of it, and says in ``_parent_index``
# which ``_index`` of its parent sheet a row belongs to.

INDEX, PARENT, PARENT_TABLE = "_index", "_parent_index", "_parent_table_name"
"""Columns by which KoboToolbox ties the sheets of repeats (read in its formpack)."""

TIES = {PARENT: INDEX, "number__0": "number"}
"""The column of a sheet of repeats that says to which row a row belongs, to the one that numbers
those rows: in KoboToolbox, and in exports of CommCare (read in its source)."""

SUBMISSION = "_submission_"
"""How columns of a sheet of repeats begin that copy what the server says of the submission."""

LONGEST = 31
"""Characters of a sheet's name (Excel)."""


def children(
    book: Book, main: ReaderResult, options: ReadOptions
) -> tuple[dict[str, pa.Table], list[Reject]]:
    """The child tables that the options name, and rejects for rows that belong to no record.

    Raises:
        UnreadableFile: there is no such sheet (``no-sheet/child``), or columns that tie it lack.
        HostileFile: see the reader.
    """
    tables: dict[str, pa.Table] = {}
    rejects: list[Reject] = []
    for name, sheet in child_places(book, options).items():
        rows = _table(book, sheet, options)
        if options.children[name].sheet is None:
            by_index = Child(sheet=sheet, key=INDEX, parent=PARENT)
            records = _as_table(main, book.file)
            rows, lost = tied(name, rows, records, by_index, book.file)
            rejects += lost
            rows = rows.drop_columns([c for c in (INDEX, PARENT) if c in rows.column_names])
        tables[name] = rows
    return tables, rejects


def child_places(book: Book, options: ReadOptions) -> dict[str, str]:
    """The sheet of each child table that the options name; a list of JSON may have none.

    Raises:
        UnreadableFile: there is no such sheet (``no-sheet/child``).
    """
    sheets = book.visible()
    places: dict[str, str] = {}
    for name, child in options.children.items():
        if child.sheet is not None:
            if child.sheet not in sheets:
                raise error("no-sheet/child", file=book.file, name=name)
            places[name] = child.sheet
        elif child.path is not None and (sheet := _of_path(child.path, sheets, options)):
            places[name] = sheet
    return places


def _of_path(path: str, sheets: list[str], options: ReadOptions) -> str | None:
    last = path.rpartition("/")[2].rpartition(".")[2]
    titles = (path, last, *(repeat_titles() if options.form else ()))
    return next((t[:LONGEST] for t in titles if t[:LONGEST] in sheets), None)


def _table(book: Book, sheet: str, options: ReadOptions) -> pa.Table:
    own: dict[str, object] = {"sheet": sheet, "sheets": None, "skip_rows": (), "skip_if": {}}
    cells = book.cells(options.model_copy(update=own))
    cells.computed.refuse(book.file)
    table = _as_table(cells, book.file)
    if not options.form:
        return table
    names, columns = by_names(table.column_names[:-1], table.columns[:-1])
    return pa.table([*columns, table[ROW]], names=[*names, ROW])


def _as_table(cells: ReaderResult, file: str) -> pa.Table:
    """Named columns and ``_row``; in a sheet of a repeat, names without the groups above it."""
    named = named_columns(cells, file)
    if PARENT in named:
        copies = [n for n in named if n == PARENT_TABLE or n.startswith(SUBMISSION)]
        for name in copies:
            del named[name]
    short = tidy.without_groups(list(named), PARENT in named)
    table = pa.table([*named.values(), pa.array(cells.rows, pa.int64())], names=[*short, ROW])
    return table.slice(int(is_tag_row(list(named.values()))))


# --------------------------------------------------------------------------------------------------
# Which sheets of a workbook belong to the rows of another, looked at before a mapping says so.
#
# KoboToolbox writes a sheet for each repeat, tied by ``_parent_index``; a repeat inside a repeat
# names the sheet of the outer one.  CommCare ties every repeat to the form.  Primero writes a sheet
# for each form and subform, each with the case's short id in its first column ``ID``.

ID = "ID"

SHORT_NAME = 30
"""Characters from which on the name of a sheet may be the beginning of a longer one."""

SUBFORM = " - "
"""What stands in the name of a sheet of Primero between a form and its subform."""


def repeats(views: Sequence[SheetView], main: str, tie: str) -> dict[str, Child]:
    """The sheets of repeats by the name of their child table, outer ones first."""
    parents: dict[str, str] = {}
    for view in views:
        head = [trim(cell) for cell in view.rows[0]] if view.rows else []
        if tie in head and view.name != main:
            parents[view.name] = _parent(view, head)
    sheets = {parent: _sheet_named(parent, [main, *parents]) for parent in parents.values()}
    if sum(bool(name) and not sheets[name] for name in sheets) > (main not in sheets.values()):
        return {}  # names of which one at most is the main sheet's: nothing is guessed
    parents = {sheet: sheets[parent] or main for sheet, parent in parents.items()}
    names = {sheet: _child_name(sheet) for sheet in parents}
    tables: dict[str, Child] = {}
    while parents:
        ready = [s for s, parent in parents.items() if parent not in parents]
        if not ready or len(set(names.values())) < len(names):
            return {}  # a circle, or two sheets of one name: nothing is guessed
        for sheet in ready:
            of = names.get(parents.pop(sheet))
            tables[names[sheet]] = Child(sheet=sheet, key=TIES[tie], of=of, parent=tie)
    return tables


def child_forms(views: Sequence[SheetView], main: str) -> dict[str, Child] | None:
    """The sheets of other forms of the same cases, None where a sheet is not tied by its ``ID``."""
    heads = {view.name: trim(view.rows[0][0]) for view in views if view.rows and view.rows[0]}
    own = heads.get(main, "")
    others = [name for name in heads if name != main]
    tied = fold(own) == fold(ID) and all(heads[name] == own for name in others)
    names = {name: _child_name(name) for name in others}
    if not others or not tied or len(set(names.values())) < len(names):
        return None
    return {names[name]: Child(sheet=name, key=own, parent=own) for name in others}


def ids_of(view: SheetView) -> frozenset[str]:
    """The texts of the first column of a sheet, as far as it was looked at."""
    return frozenset(fold(row[0]) for row in view.rows[1:] if row) - {""}


def ids_are_unique(view: SheetView) -> bool:
    """Whether the first column of a sheet names each row once, as far as it was looked at."""
    return len(ids_of(view)) == sum(bool(row and fold(row[0])) for row in view.rows[1:])


def _parent(view: SheetView, head: list[str]) -> str:
    if PARENT_TABLE not in head:
        return ""
    place = head.index(PARENT_TABLE)
    cells = (row[place] for row in view.rows[1:] if len(row) > place)
    return next((trim(cell) for cell in cells if cell and not cell.startswith("#")), "")


def _sheet_named(name: str, sheets: Sequence[str]) -> str:
    """The sheet of that name, which Excel may have cut short; "" where it is none of them.

    >>> _sheet_named("the journeys of this household 2", ["the journeys of this household "])
    'the journeys of this household '
    """
    cut = [sheet for sheet in sheets if len(sheet) >= SHORT_NAME and name.startswith(sheet)]
    return name if name in sheets else cut[0] if len(cut) == 1 else ""


def _child_name(sheet: str) -> str:
    """A name for the child table of a sheet, as a mapping may have it.

    >>> _child_name("Services - Basic. Identity")
    'Services_-_Basic_Identity'
    """
    return re.sub(r"[\s.\[\]=]+", "_", sheet).strip("_") or "child"


# --------------------------------------------------------------------------------------------------
# How a file is laid out, looked at before a mapping says so: which sheet, which row of names.
#
# Only drafts look.  What is found is written into the mapping, and a build reads what is written.

FEW = 3
"""Columns up to which a sheet beside a wider one is a list of codes or a text to read."""


@dataclass(frozen=True)
class RecordSheet:
    """A sheet that may hold records, and what is to be stated so that they are read."""

    view: SheetView
    options: ReadOptions

    @property
    def name(self) -> str:
        """Its name."""
        return self.view.name

    @property
    def header(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(filter(None, self.view.header(self.options)))

    @cached_property
    def names(self) -> frozenset[str]:
        """The same as they are compared."""
        return names(self.view, self.options)

    @property
    def rows(self) -> int:
        """Rows below the names."""
        return self.view.length - self.options.header_row

    @property
    def size(self) -> int:
        """Cells below the names."""
        return len(self.names) * self.rows


def look(path: Path, options: ReadOptions | None = None) -> ReadOptions:
    """What is to be stated about a file so that its records are read.

    Args:
        path: the file.
        options: what its steward states; that is never changed.

    Raises:
        UnreadableFile: several sheets may hold the records (``sheets/several``), or the file
            cannot be read.
        HostileFile: see the readers.
    """
    options = options or ReadOptions()
    shaped: ReadOptions | None = _own_look(path, "shape", options)
    if shaped is not None:
        return shaped
    views: list[SheetView] = _own_look(path, "views", options) or []
    if any(map(_is_form, views)):
        raise error("xlsform", file=path)
    tables = _tables(views, options)
    if options.sheet is not None or options.sheets is not None:
        return next((t.options for t in tables if options.sheet in (None, t.name)), options)
    if not tables:
        return options
    main = max(tables, key=lambda table: table.size)
    rest = [table for table in tables if table is not main]
    if alike := [t for t in rest if t.names == main.names]:
        if all(t.options == main.options for t in alike) and not _unclear(rest, main, alike):
            return main.options.model_copy(update={"sheets": "all"})
    elif forms := _forms(tables, views):
        return forms
    elif not _unclear(rest, main, ()):
        tie = next((tie for tie, number in TIES.items() if number in main.names), None)
        return _of(main, views, repeats(views, main.name, tie) if tie else {})
    raise error("sheets/several", file=path, n=len(tables))


def _forms(tables: Sequence[RecordSheet], views: Sequence[SheetView]) -> ReadOptions | None:
    """The sheet that names all cases, with those of their other forms, tied by equal IDs.

    Names that sheets share tie nothing: many forms have a status, and relatives an age.  A sheet
    of other cases, or of the same cases and mostly the same columns, is asked about, and so is one
    that shares a name where IDs only count: each list counts from 1.
    """
    ids = {table.name: ids_of(table.view) for table in tables}
    of_cases = [t for t in tables if ids_are_unique(t.view) and _names_all(ids, t.name)]
    forms = sorted(of_cases, key=lambda t: (SUBFORM in t.name, -len(t.names)))
    others = [table for table in forms[1:] if SUBFORM not in table.name]
    if not forms or any(_alike(table, forms[0]) for table in others):
        return None
    shared = any(len(t.names & forms[0].names) > 1 for t in tables if t is not forms[0])
    if shared and _only_count(ids[forms[0].name]):
        return None
    tied = child_forms([t.view for t in tables], forms[0].name)
    return _of(forms[0], views, tied) if tied else None


def _names_all(ids: Mapping[str, frozenset[str]], name: str) -> bool:
    return all(len(own & ids[name]) > len(own) / 2 for own in ids.values())


def _only_count(ids: frozenset[str]) -> bool:
    """Whether IDs are the numbers of the rows of a list, or nearly."""
    return all(map(str.isdecimal, ids)) and max(map(int, ids), default=0) <= 2 * len(ids)


def _alike(table: RecordSheet, main: RecordSheet) -> bool:
    shared = len(table.names & main.names) - 1
    return shared > 0 and shared >= ALIKE * (len(main.names) - 1)


def _of(main: RecordSheet, views: Sequence[SheetView], children: dict[str, Child]) -> ReadOptions:
    """The options for one sheet and its child tables."""
    update: dict[str, object] = {"children": children} if children else {}
    if main.name != views[0].name:
        update["sheet"] = main.name
    return main.options.model_copy(update=update)


CHOICE_RULES = ("sheets", "no-sheet", "no-header", "empty-header", "duplicate-header")
"""Rules of files that can be read once somebody says which sheet and row to read."""


def first_rows(path: Path, options: ReadOptions) -> SheetView | None:
    """The sheet that would be read, None of a format whose names stand in no row to be chosen."""
    views: list[SheetView] = _own_look(path, "views", options) or []
    return next((view for view in views if options.sheet in (None, view.name)), None)


def sheets(path: Path) -> list[RecordSheet]:
    """The sheets of a workbook that may hold records, for their steward to choose from."""
    return _tables(_own_look(path, "views", ReadOptions()) or [], ReadOptions())


def _own_look(path: Path, purpose: Purpose, options: ReadOptions) -> Any:
    """What a format's own look says, None for a format that has none for the purpose."""
    file, limits = printable(path.name), Limits()
    with raw.translated(file):
        data = raw.load(path, file, limits)
        look_at = raw.kind(data, file).function(purpose)
        return look_at and look_at(data, file, options, limits)


def _tables(views: Sequence[SheetView], options: ReadOptions) -> list[RecordSheet]:
    tables = []
    for view in views:
        own = find(view.rows, options, view.merged)
        if options.long is None and (long := recognise_long(view.header(own))):
            own = own.model_copy(update={"long": long})
        table = RecordSheet(view, own)
        if table.names and table.rows > 0 and not table.names & TIES.keys():
            tables.append(table)
    return tables


def _is_form(view: SheetView) -> bool:
    head, *rows = view.rows or ((),)
    if "type" not in head:
        return False
    place = head.index("type")
    return is_form(head, [row[place] for row in rows if len(row) > place])


def _unclear(
    rest: Sequence[RecordSheet], main: RecordSheet, alike: Sequence[RecordSheet]
) -> list[RecordSheet]:
    """Sheets beside the main one that may hold records too."""
    return [t for t in rest if t not in alike and not _beside(t, main)]


def _beside(table: RecordSheet, main: RecordSheet) -> bool:
    """Whether a sheet is a list of codes or a text to read beside a sheet of records."""
    if len(table.names & main.names) >= ALIKE * len(main.names):
        return False
    if len(table.names) <= FEW < len(main.names):
        return True
    columns: dict[int, list[str]] = {}
    for row in table.view.rows[table.options.header_row :]:
        for column, cell in enumerate(row):
            if fold(cell):
                columns.setdefault(column, []).append(fold(cell))
    return all(
        len(set(cells)) == len(cells) and not all(map(is_typed, cells))
        for cells in columns.values()
    )
