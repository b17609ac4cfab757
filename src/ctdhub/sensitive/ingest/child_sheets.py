"""Sheets of a workbook that hold the child rows of another sheet.

A child table that the mapping names by its sheet is tied by its key, as any table is.  One that it
names by the path of a list, as JSON has it, is the sheet that KoboToolbox and ODK make of the same
list: it has the list's name, at most 31 characters of it, and says in ``_parent_index`` which
``_index`` of its parent sheet a row belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from ctdhub.core.error_catalogue import error
from ctdhub.core.tabular import ROW
from ctdhub.sensitive.ingest import headers
from ctdhub.sensitive.ingest.drop_non_records import is_tag_row
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.own_form import by_names, repeat_titles
from ctdhub.sensitive.ingest.raw import ReaderResult
from ctdhub.sensitive.ingest.rejects import Reject
from ctdhub.sensitive.ingest.shape.children import tied
from ctdhub.sensitive.ingest.shape.options import Child

if TYPE_CHECKING:
    from ctdhub.sensitive.ingest.workbook import Book

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
    for name, sheet in places(book, options).items():
        rows = _table(book, sheet, options)
        if options.children[name].sheet is None:
            by_index = Child(sheet=sheet, key=INDEX, parent=PARENT)
            records = _as_table(main, book.file)
            rows, lost = tied(name, rows, records, by_index, book.file)
            rejects += lost
            rows = rows.drop_columns([c for c in (INDEX, PARENT) if c in rows.column_names])
        found[name] = rows
    return found, rejects


def places(book: Book, options: ReadOptions) -> dict[str, str]:
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
    named: dict[str, pa.ChunkedArray] = {}
    for place, (name, column) in enumerate(zip(cells.names, cells.columns, strict=True)):
        if name:
            named[name] = column
        elif column.null_count < len(column):
            raise headers.unnamed(place, file, cells.header_row)
    if PARENT in named:
        copies = [n for n in named if n == PARENT_TABLE or n.startswith(SUBMISSION)]
        for name in copies:
            del named[name]
    short = list(named)
    if PARENT in named:
        short = headers.without_groups(short, True)
    table = pa.table([*named.values(), pa.array(cells.rows, pa.int64())], names=[*short, ROW])
    return table.slice(int(is_tag_row(list(named.values()))))
