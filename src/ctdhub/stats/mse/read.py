"""From a file's cells to lists: every fault is named, none is corrected silently.

The table has a column of 0 and 1 for each list and the number of people as its last column.
Columns that are named as strata hold any text, an empty cell included.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from ctdhub.core.errors import error, printable
from ctdhub.core.i18n import Numeral, Several, Text, many
from ctdhub.stats.mse.estimate import Label
from ctdhub.stats.mse.lists import MOST_LISTS, Lists

_MOST_PEOPLE = 10**9
_OUT_AND_IN = {"0": False, "1": True}
_SHOWN_ROWS = 5
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]+)?")
_WHOLE = re.compile(r"^([0-9]+)\.0$")
"""A spreadsheet's whole number, which some readers write with a decimal."""


def lists_of(
    names: Sequence[str],
    rows: Sequence[tuple[int, Sequence[str | None]]],
    file: str,
    strata: Sequence[str] = (),
) -> tuple[Lists, dict[Label, Lists], tuple[Text, ...]]:
    """Check a table of lists.

    Args:
        names: of the columns; the last one counts people.
        rows: the place of each row in the file, and its cells as text; None is an empty cell.
        file: its name, for errors.
        strata: columns that are no lists: people are also counted within each of their values.

    Returns:
        The lists, the same within strata ({} where no columns are named), and warnings.

    Raises:
        HubError: a column of strata is not in the table, or is the last one.
        UnreadableFile: too few or too many lists; a list without a name, or two of one name; a
            cell that is not 0 or 1; a count that is missing, negative, fractional or no number;
            a row on no list; no people; nobody on two lists.
    """
    columns = [name.strip() for name in names[:-1]]
    for name in strata:
        if columns.count(name) != 1:
            raise error("strata-column", file=file, names=Several(tuple(map(printable, columns))))
    indices = [k for k, name in enumerate(columns) if name not in strata]
    apart = [columns.index(name) for name in strata]
    lists = [columns[k] for k in indices]
    _check_lists(lists, file)
    cells: dict[Label, dict[tuple[bool, ...], float]] = {}
    places: dict[tuple[Label, tuple[bool, ...]], list[int]] = {}
    for place, row in rows:
        padded = [*row, *[None] * (len(names) - len(row))]
        on = tuple(_on(padded[k], place, columns[k], file) for k in indices)
        people = _count(padded[len(names) - 1], place, names[-1], file)
        if not any(on):
            raise error("lists-none", file=file, row=place)
        label = tuple((padded[k] or "").strip() for k in apart)
        part = cells.setdefault(label, {})
        part[on] = part.get(on, 0.0) + people
        places.setdefault((label, on), []).append(place)
    tables = {label: Lists.of(lists, part) for label, part in cells.items()}
    whole = Lists.of(lists, {})
    whole = whole.replace(np.sum([whole.y, *(t.y for t in tables.values())], axis=0))
    if whole.people <= 0:
        raise error("lists-empty", file=file)
    if whole.overlapping <= 0:
        raise error("lists-overlap", file=file)
    return whole, tables if strata else {}, tuple(_warnings(whole, places.values()))


def _check_lists(lists: list[str], file: str) -> None:
    if len(lists) < 2:
        raise error("lists-few", file=file)
    if len(lists) > MOST_LISTS:
        raise error("lists-many", file=file, n=Numeral(len(lists)), most=Numeral(MOST_LISTS))
    for name in lists:
        if not name or lists.count(name) > 1:
            raise error("lists-names", file=file, column=name or None)


def _on(cell: str | None, place: int, name: str, file: str) -> bool:
    text = _WHOLE.sub(r"\1", (cell or "").strip())
    if text not in _OUT_AND_IN:
        raise error("lists-cell", file=file, row=place, column=name)
    return _OUT_AND_IN[text]


def _count(cell: str | None, place: int, name: str, file: str) -> int:
    text = _WHOLE.sub(r"\1", (cell or "").strip())
    if not _NUMBER.fullmatch(text):
        raise error("lists-count/missing", file=file, row=place, column=name)
    value = float(text)
    if value < 0:
        raise error("lists-count/negative", file=file, row=place, column=name)
    if value != int(value):
        raise error("lists-count/fraction", file=file, row=place, column=name)
    if value > _MOST_PEOPLE:
        raise error("lists-count/large", file=file, row=place, column=name)
    return int(value)


def _warnings(table: Lists, places: Iterable[list[int]]) -> list[Text]:
    warnings = []
    twice = sorted(rows for rows in places if len(rows) > 1)
    if twice:
        shown = Several(tuple(Several(tuple(map(Numeral, r))) for r in twice[:_SHOWN_ROWS]))
        warnings.append(
            many(
                "Several rows are the same combination of lists (rows {rows}); their people were "
                "added up. If a row was written twice, delete one.",
                "{n} combinations of lists are in several rows each (rows {rows}); their "
                "people were added up. If a row was written twice, delete one.",
                len(twice),
                rows=shown,
            )
        )
    warnings += [
        Text("Nobody is on the list {name}.", name=printable(name))
        for name, people in table.sizes.items()
        if people <= 0
    ]
    return warnings
