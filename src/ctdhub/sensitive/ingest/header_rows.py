"""Where the column names of a sheet are: a title may stand above them, labels or tags below.

Only a draft looks for them (``suggest``); what it finds is written into the mapping as
``header_row``, ``skip_rows`` and ``skip_if``, so that a person reads it and nothing moves unseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ctdhub.core.text import fold, trim
from ctdhub.sensitive.ingest.options import ReadOptions

LAST = 10
"""The last row in which column names are looked for."""

LOOKED_AT = 60
"""Rows of a sheet that are looked at."""

LEAST = 3
"""Distinct texts of a row of names, in a table of as many columns or more."""

ENOUGH = 0.9
"""Share of the columns with values below that a row of names must name."""

ALIKE_ROWS = 10
"""Rows below names under a row of groups, from which on records are known by what they share."""

_NUMBER = re.compile(r"[-+]?[\d٠-٩۰-۹][\d٠-٩۰-۹\s.,:/%-]*(?:T[\d:.+Z-]+)?")
_TRUTH = frozenset(("true", "false"))

Rows = Sequence[Sequence[str | None]]


@dataclass(frozen=True)
class SheetView:
    """What is seen of a sheet: its name, its first rows as texts, its number of rows.

    A text file is one sheet without a name.
    """

    name: str
    rows: tuple[tuple[str, ...], ...]
    length: int


def find(rows: Rows, options: ReadOptions) -> ReadOptions:
    """What is to be stated about a sheet so that its names are read as names.

    Args:
        rows: the first rows of the sheet as texts, at most :data:`LOOKED_AT`.
        options: what is known already; a ``header_row`` that is stated is left as it is.

    Returns:
        The options with ``header_row``, ``skip_rows`` and ``skip_if`` where they are needed.

    >>> title = [["Cases 2024", None, None], [None], ["sex", "age", "year"], ["F", "20", "2024"]]
    >>> find(title, ReadOptions()).header_row
    3
    """
    if options.model_fields_set & {"header_row", "skip_rows"}:
        return options
    place = _names(rows)
    if place is None:
        return options
    found: dict[str, Any] = {} if place == 0 else {"header_row": place + 1}
    label = _label_below(rows[place:])
    if label is not None:
        found |= {"skip_rows": (place + 2,), "skip_if": label}
    return options.model_copy(update=found)


def _names(rows: Rows) -> int | None:
    """The first row of distinct texts that names the columns which hold values below it.

    Below a row that names half of the columns a record could be taken for names, so there a row
    must have a text where all rows below it have numbers or dates, or be unlike all of them.
    """
    dense = False
    for place, row in enumerate(rows[:LAST]):
        names = {column: fold(cell) for column, cell in _filled(row)}
        below = [dict(_filled(later)) for later in rows[place + 1 :]]
        used = set().union(*below) if below else set()
        texts = {name for name in names.values() if not is_typed(name)}
        named = len(used & set(names)) / max(len(used), 1) if used else 1.0
        if (
            len(texts) >= min(LEAST, max(len(used), 1))
            and len(texts) >= ENOUGH * len(names)
            and len(set(names.values())) == len(names)
            and named >= ENOUGH
            and (not dense or _above_typed(names, below) or _unlike(names, below))
        ):
            return place
        dense = dense or named >= 0.5
    return None


def _above_typed(texts: Mapping[int, str], below: Sequence[Mapping[int, str]]) -> bool:
    """Whether a text stands above a column of numbers or dates."""
    for column, text in texts.items():
        cells = [row[column] for row in below if column in row]
        if len(cells) >= LEAST and all(map(is_typed, cells)) and not is_typed(text):
            return True
    return False


def _unlike(texts: Mapping[int, str], below: Sequence[Mapping[int, str]]) -> bool:
    """Whether no text of a row stands again below it, in a table of texts that do.

    A record shares its sex or its country with others; names below a row of groups do not.
    """
    if len(below) < ALIKE_ROWS:
        return False
    repeated = 0
    for column, text in texts.items():
        cells = [fold(row[column]) for row in below if column in row]
        if text in cells:
            return False
        repeated += len(cells) >= LEAST and 2 * len(set(cells)) <= len(cells)
    return repeated >= max(LEAST, len(texts) / 2)


def _label_below(rows: Rows) -> dict[str, str] | None:
    """A name and its label where the row below the names holds labels, no record.

    A row of labels has a text in nearly every column, no text twice, no text that stands again
    below it in its column, and a text where all other rows have numbers or dates.
    """
    if len(rows) < 2 + LEAST:
        return None
    names = {column: trim(cell) for column, cell in _filled(rows[0])}
    labels = dict(_filled(rows[1]))
    texts = [fold(cell) for cell in labels.values()]
    if len(labels) < ENOUGH * len(names) or len(set(texts)) < len(texts):
        return None
    below = [dict(_filled(row)) for row in rows[2:]]
    for column, label in labels.items():
        if is_typed(label) or fold(label) in {fold(row[column]) for row in below if column in row}:
            return None
    if not _above_typed(labels, below):
        return None
    differ = (c for c in labels if c in names and fold(labels[c]) != fold(names[c]))
    return {names[c]: trim(labels[c]) for c in islice(differ, 1)} or None


def is_typed(text: str) -> bool:
    """Whether a text is a number, a date or a truth value: no name of a column.

    >>> [is_typed(t) for t in ("2024-05-01", "1,5", "TRUE", "٢٠٢٤", "age 2", "q1")]
    [True, True, True, True, False, False]
    """
    plain = trim(text)
    return _NUMBER.fullmatch(plain) is not None or plain.lower() in _TRUTH


def _filled(row: Sequence[str | None]) -> list[tuple[int, str]]:
    return [(column, cell) for column, cell in enumerate(row) if cell and trim(cell)]
