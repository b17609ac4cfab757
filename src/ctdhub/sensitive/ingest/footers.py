"""The footer of a Salesforce report: lines below the records that name the report and its user.

A detail report ends with blank lines, its title, a line of copyright, a line on confidentiality,
who made it and the organisation.  They are no records, and the user's name is shown nowhere.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from ctdhub.core.i18n import Text, many

LONGEST = 20
"""Rows from the end in which a footer is looked for."""

_TAIL = 16 * 2**10
_COPYRIGHT = re.compile(r"copyright\s+\(c\)\s+\d{4}-\d{4}\s+salesforce\.com", re.IGNORECASE)


def start(rows: Sequence[Sequence[str]]) -> int | None:
    """Where the footer begins in the last rows of a table, None where there is none.

    The line of copyright is looked for from the end.  Below it, and above it up to a blank row,
    every row must have one filled cell at most, or these are no lines of a footer.

    Args:
        rows: the last rows, at most :data:`LONGEST`; cells as text, the empty text where empty.

    >>> start([["a", "b"], ["", ""], ["Report"], ["Copyright (c) 2000-2024 salesforce.com, inc."]])
    1
    """
    filled = [[cell for cell in row if cell.strip()] for row in rows]
    marks = [i for i, cells in enumerate(filled) if len(cells) == 1 and _marks(cells[0])]
    if not marks or any(len(cells) > 1 for cells in filled[marks[-1] :]):
        return None
    first = marks[-1]
    while first and len(filled[first - 1]) == 1:
        first -= 1
    if first and filled[first - 1]:
        first = marks[-1]  # no blank row above: only what cannot be a record
    while first and not filled[first - 1]:
        first -= 1
    return first


def cut(text: bytes, delimiter: str) -> tuple[bytes, int]:
    """A delimited text without its footer, and how many lines that was.

    Args:
        text: UTF-8.
    """
    begin = max(len(text) - _TAIL, 0)
    lines = text[begin:].splitlines(keepends=True)[-LONGEST:]
    rows = [_cells(line, delimiter) for line in lines]
    first = start(rows)
    if first is None:
        return text, 0
    return text[: len(text) - sum(map(len, lines[first:]))], len(lines) - first


def _cells(line: bytes, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8", "replace")], delimiter=delimiter), [])
    except csv.Error:
        return ["?", "?"]  # no line of a footer


def _marks(cell: str) -> bool:
    return _COPYRIGHT.match(cell.strip()) is not None


def note(rows: int) -> Text:
    """What is said of the rows that were left out."""
    return many(
        "{n} row at the end is the footer of a Salesforce report; it is not a record.",
        "{n} rows at the end are the footer of a Salesforce report; they are not records.",
        rows,
        n=rows,
    )
