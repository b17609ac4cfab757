"""Sheets of a workbook: stacked as one table, or holding the child rows of another sheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text, many
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.sensitive.ingest import tidy
from ctdhub.sensitive.ingest.options import Child, ReadOptions
from ctdhub.sensitive.ingest.own_form import by_names, repeat_titles
from ctdhub.sensitive.ingest.raw import SHEET, ReaderResult, named_columns
from ctdhub.sensitive.ingest.rejects import Reject
from ctdhub.sensitive.ingest.shape.children import tied
from ctdhub.sensitive.ingest.tidy import SheetView, is_tag_row, together

if TYPE_CHECKING:
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
    found = [v for name in book.visible() if (v := book.view(name)).rows]
    headings = {v.name: names(v, options.header_row) for v in found}
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
    columns = [pa.chunked_array(p, pa.string()) for p in _pieces(parts, named, book.file)]
    sheets = pa.chunked_array([pa.repeat(pa.scalar(p.sheet), len(p.rows)) for p in parts])
    numbers = [part.rows + place * step for place, part in enumerate(parts)]
    made = ReaderResult(
        [*named, SHEET],
        [*columns, sheets],
        np.concatenate(numbers),
        [],
        options.header_row,
        sheet=parts[0].sheet,
        computed=together({place * step: part.computed for place, part in enumerate(parts)}),
    )
    made.notes.append(
        Text(
            "{n} sheets have the same column names and were read as one table; the row numbers of "
            "each further sheet begin at a further {step}.",
            n=len(parts),
            step=step,
        )
    )
    if left := len(found) - len(parts):
        made.notes.append(
            many(
                "{n} sheet has other column names and was not read.",
                "{n} sheets have other column names and were not read.",
                left,
                n=left,
            )
        )
    return made


def agreeing_sheets(
    book: Book, others: Iterable[str], header: Sequence[str], row: int
) -> list[str]:
    """Those of the other sheets that have the same column names, and rows."""
    wanted = frozenset(fold(name) for name in header if name)
    views = map(book.view, others)
    return [v.name for v in views if names(v, row) == wanted and v.length > row]


def names(view: SheetView, row: int) -> frozenset[str]:
    """The column names that a sheet has in a row, as they are compared."""
    cells = view.rows[row - 1] if len(view.rows) >= row else ()
    return frozenset(fold(cell) for cell in cells) - {""}


def _pieces(
    parts: Sequence[ReaderResult], named: Sequence[str], file: str
) -> Iterator[list[pa.Array]]:
    """For each name the arrays of its column in all sheets."""
    places = []
    for part in parts:
        of = {fold(name): place for place, name in enumerate(part.names) if name}
        if len(of) < len(list(filter(None, part.names))):
            raise error("duplicate-header", file=file, row=part.header_row)
        named_columns(part, file)
        places.append(of)
    for name in named:
        yield [
            chunk
            for part, of in zip(parts, places, strict=True)
            for chunk in part.columns[of[fold(name)]].chunks
        ]


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
    found: dict[str, pa.Table] = {}
    rejects: list[Reject] = []
    for name, sheet in child_places(book, options).items():
        rows = _table(book, sheet, options)
        if options.children[name].sheet is None:
            by_index = Child(sheet=sheet, key=INDEX, parent=PARENT)
            records = _as_table(main, book.file)
            rows, lost = tied(name, rows, records, by_index, book.file)
            rejects += lost
            rows = rows.drop_columns([c for c in (INDEX, PARENT) if c in rows.column_names])
        found[name] = rows
    return found, rejects


def child_places(book: Book, options: ReadOptions) -> dict[str, str]:
    """The sheet of each child table that the options name; a list of JSON may have none.

    Raises:
        UnreadableFile: there is no such sheet (``no-sheet/child``).
    """
    sheets = book.visible()
    found: dict[str, str] = {}
    for name, child in options.children.items():
        if child.sheet is not None:
            if child.sheet not in sheets:
                raise error("no-sheet/child", file=book.file, name=name)
            found[name] = child.sheet
        elif child.path is not None and (sheet := _of_path(child.path, sheets, options)):
            found[name] = sheet
    return found


def _of_path(path: str, sheets: list[str], options: ReadOptions) -> str | None:
    last = path.rpartition("/")[2].rpartition(".")[2]
    titles = (path, last, *(repeat_titles() if options.form else ()))
    return next((t[:LONGEST] for t in titles if t[:LONGEST] in sheets), None)


def _table(book: Book, sheet: str, options: ReadOptions) -> pa.Table:
    own: dict[str, object] = {"sheet": sheet, "sheets": None, "skip_rows": (), "skip_if": {}}
    cells = book.cells(options.model_copy(update=own))
    cells.computed.refuse(book.file)
    found = _as_table(cells, book.file)
    if not options.form:
        return found
    names, columns = by_names(found.column_names[:-1], found.columns[:-1])
    return pa.table([*columns, found[ROW]], names=[*names, ROW])


def _as_table(cells: ReaderResult, file: str) -> pa.Table:
    """Named columns and ``_row``; in a sheet of a repeat, names without the groups above it."""
    named = named_columns(cells, file)
    if PARENT in named:
        copies = [n for n in named if n == PARENT_TABLE or n.startswith(SUBMISSION)]
        for name in copies:
            del named[name]
    short = list(named)
    if PARENT in named:
        short = tidy.without_groups(short, True)
    table = pa.table([*named.values(), pa.array(cells.rows, pa.int64())], names=[*short, ROW])
    return table.slice(int(is_tag_row(list(named.values()))))


# --------------------------------------------------------------------------------------------------
# Which sheets of a workbook belong to the rows of another, looked at before a mapping says so.
#
# KoboToolbox writes a sheet for each repeat, tied by ``_parent_index``; a repeat inside a repeat
# names the sheet of the outer one.  Primero writes a sheet for each form and subform, each with the
# case's short id in its first column ``ID``.

ID = "ID"


def repeats(views: Sequence[SheetView], main: str) -> dict[str, Child]:
    """The sheets of repeats by the name of their child table, outer ones first."""
    parents: dict[str, str] = {}
    for view in views:
        head = [trim(cell) for cell in view.rows[0]] if view.rows else []
        if PARENT in head and view.name != main:
            parents[view.name] = _parent(view, head) or main
    names = {sheet: _named(sheet) for sheet in parents}
    found: dict[str, Child] = {}
    while parents:
        ready = [s for s, parent in parents.items() if parent not in parents]
        if not ready or len(set(names.values())) < len(names):
            return {}  # a circle, or two sheets of one name: nothing is guessed
        for sheet in ready:
            of = names.get(parents.pop(sheet))
            found[names[sheet]] = Child(sheet=sheet, key=INDEX, of=of, parent=PARENT)
    return found


def child_forms(views: Sequence[SheetView], main: str) -> dict[str, Child] | None:
    """The sheets of other forms of the same cases, None where a sheet is not tied by its ``ID``."""
    heads = {view.name: trim(view.rows[0][0]) for view in views if view.rows and view.rows[0]}
    own = heads.get(main, "")
    others = [name for name in heads if name != main]
    tied = fold(own) == fold(ID) and all(heads[name] == own for name in others)
    names = {name: _named(name) for name in others}
    if not others or not tied or len(set(names.values())) < len(names):
        return None
    return {names[name]: Child(sheet=name, key=own, parent=own) for name in others}


def ids_are_unique(view: SheetView) -> bool:
    """Whether the first column of a sheet names each row once, as far as it was looked at."""
    cells = [fold(row[0]) for row in view.rows[1:] if row and fold(row[0])]
    return len(set(cells)) == len(cells)


def _parent(view: SheetView, head: list[str]) -> str:
    if PARENT_TABLE not in head:
        return ""
    place = head.index(PARENT_TABLE)
    cells = (row[place] for row in view.rows[1:] if len(row) > place)
    return next((trim(cell) for cell in cells if cell and not cell.startswith("#")), "")


def _named(sheet: str) -> str:
    """A name for the child table of a sheet, as a mapping may have it.

    >>> _named("Services - Basic. Identity")
    'Services_-_Basic_Identity'
    """
    return re.sub(r"[\s.\[\]=]+", "_", sheet).strip("_") or "child"
