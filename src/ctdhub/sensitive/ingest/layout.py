"""How a file is laid out, looked at before a mapping says so: which sheet, which row of names.

Only drafts look.  What is found is written into the mapping, and a build reads what is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctdhub.core.errors import error, printable
from ctdhub.core.tables import fold, trim
from ctdhub.sensitive.ingest import readers
from ctdhub.sensitive.ingest import sheets as child_layout
from ctdhub.sensitive.ingest.formats import Purpose
from ctdhub.sensitive.ingest.options import Child, Limits, ReadOptions
from ctdhub.sensitive.ingest.readers import translated
from ctdhub.sensitive.ingest.shape.recognise import recognise_long
from ctdhub.sensitive.ingest.sheets import ALIKE, INDEX, PARENT, names
from ctdhub.sensitive.ingest.tidy import SheetView, find, is_form, is_typed

FEW = 3
"""Columns up to which a sheet beside a wider one is a list of codes or a text to read."""


@dataclass(frozen=True)
class SheetSize:
    """A sheet of a workbook that may hold records: its name, rows below the names, the names."""

    name: str
    rows: int
    header: tuple[str, ...]


@dataclass(frozen=True)
class _SheetTable:
    view: SheetView
    options: ReadOptions
    names: frozenset[str]

    @property
    def rows(self) -> int:
        return self.view.length - self.options.header_row

    @property
    def size(self) -> int:
        return len(self.names) * self.rows


def look(path: Path, given: ReadOptions | None = None) -> ReadOptions:
    """What is to be stated about a file so that its records are read.

    Args:
        path: the file.
        given: what its steward states; that is never changed.

    Raises:
        UnreadableFile: several sheets may hold the records (``sheets/several``), or the file
            cannot be read.
        HostileFile: see the readers.
    """
    given = given or ReadOptions()
    shaped: ReadOptions | None = _seen(path, "shape", given)
    if shaped is not None:
        return shaped
    views: list[SheetView] = _seen(path, "views", given) or []
    if any(map(_is_form, views)):
        raise error("xlsform", file=path)
    tables = _tables(views, given)
    if given.sheet is not None or given.sheets is not None:
        return next((t.options for t in tables if given.sheet in (None, t.view.name)), given)
    if not tables:
        return given
    main = max(tables, key=lambda table: table.size)
    rest = [table for table in tables if table is not main]
    if alike := [t for t in rest if t.names == main.names]:
        if all(t.options == main.options for t in alike) and not _unclear(rest, main, alike):
            return main.options.model_copy(update={"sheets": "all"})
    elif forms := _forms(tables, views):
        return forms
    elif not _unclear(rest, main, ()):
        tied = INDEX in main.names
        return _of(main, views, child_layout.repeats(views, main.view.name) if tied else {})
    raise error("sheets/several", file=path, n=len(tables))


def _forms(tables: Sequence[_SheetTable], views: Sequence[SheetView]) -> ReadOptions | None:
    """The widest sheet of cases with those of their other forms, which share no name but ID."""
    cases = [t for t in tables if child_layout.ids_are_unique(t.view)]
    main = max(cases, key=lambda table: len(table.names), default=None)
    if main is None or any(len(t.names & main.names) > 1 for t in tables if t is not main):
        return None
    tied = child_layout.child_forms([t.view for t in tables], main.view.name)
    return _of(main, views, tied) if tied else None


def _of(main: _SheetTable, views: Sequence[SheetView], children: dict[str, Child]) -> ReadOptions:
    """The options for one sheet and its child tables."""
    update: dict[str, object] = {"children": children} if children else {}
    if main.view.name != views[0].name:
        update["sheet"] = main.view.name
    return main.options.model_copy(update=update)


def sheets(path: Path) -> tuple[SheetSize, ...]:
    """The sheets of a workbook that may hold records, for their steward to choose from."""
    found = _tables(_seen(path, "views", ReadOptions()) or [], ReadOptions())
    return tuple(
        SheetSize(t.view.name, t.rows, tuple(filter(None, _header(t.view, t.options))))
        for t in found
    )


def _header(view: SheetView, options: ReadOptions) -> list[str]:
    rows = view.rows[options.header_row - 1 : options.header_row]
    return [trim(cell or "") for row in rows for cell in row]


def _seen(path: Path, purpose: Purpose, given: ReadOptions) -> Any:
    """What a format's own look says, None for a format that has none for the purpose."""
    file, limits = printable(path.name), Limits()
    with translated(file):
        data = readers.load(path, file, limits)
        look_at = readers.kind(data, file).function(purpose)
        return look_at and look_at(data, file, given, limits)


def _tables(views: Sequence[SheetView], given: ReadOptions) -> list[_SheetTable]:
    tables = []
    for view in views:
        options = find(view.rows, given)
        said = names(view, options.header_row)
        if given.long is None and (long := recognise_long(_header(view, options))):
            options = options.model_copy(update={"long": long})
        table = _SheetTable(view, options, said)
        if table.names and table.rows > 0 and PARENT not in table.names:
            tables.append(table)
    return tables


def _is_form(view: SheetView) -> bool:
    head, *rows = view.rows or ((),)
    if "type" not in head:
        return False
    place = head.index("type")
    return is_form(head, [row[place] for row in rows if len(row) > place])


def _unclear(
    rest: Sequence[_SheetTable], main: _SheetTable, alike: Sequence[_SheetTable]
) -> list[_SheetTable]:
    """Sheets beside the main one that may hold records too."""
    return [t for t in rest if t not in alike and not _beside(t, main)]


def _beside(table: _SheetTable, main: _SheetTable) -> bool:
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
