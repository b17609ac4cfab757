"""Which sheets of a workbook belong to the rows of another, looked at before a mapping says so.

KoboToolbox writes a sheet for each repeat, tied by ``_parent_index``; a repeat inside a repeat
names the sheet of the outer one.  Primero writes a sheet for each form and subform, each with the
case's short id in its first column ``ID``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctdhub.core.text import fold, trim
from ctdhub.sensitive.ingest.child_sheets import INDEX, PARENT, PARENT_TABLE
from ctdhub.sensitive.ingest.header_rows import SheetView
from ctdhub.sensitive.ingest.shape.options import Child

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


def forms(views: Sequence[SheetView], main: str) -> dict[str, Child] | None:
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
