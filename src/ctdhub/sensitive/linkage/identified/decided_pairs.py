"""Pairs that a reviewer has decided: one person, or two; and when decisions contradict each other.

Not here: where decisions are read (``review_book``), and what follows for the rest (``resolve``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ctdhub.core.error_catalogue import error


class DecidedPair(NamedTuple):
    """Two persons, whether they are one, and the row of the workbook that says so."""

    one: int
    other: int
    same: bool
    row: int


def check_decisions(decided: Sequence[DecidedPair], file: Path) -> None:
    """Refuse decisions of which no grouping of persons can hold all.

    Raises:
        FileError: a pair is two people by one row and one person by a chain of others; all are
            named.
    """
    near: dict[int, list[tuple[int, int]]] = {}
    for pair in decided:
        if pair.same:
            near.setdefault(pair.one, []).append((pair.other, pair.row))
            near.setdefault(pair.other, []).append((pair.one, pair.row))
    for pair in decided:
        if not pair.same and (chain := _chain(near, pair.one, pair.other)):
            rows = ", ".join(map(str, sorted(chain)))
            raise error("review-book/contradiction", file=file, row=pair.row, lines=rows)


def _chain(near: dict[int, list[tuple[int, int]]], begin: int, end: int) -> list[int]:
    """Rows of a shortest chain of "yes" between two persons; empty without one."""
    came: dict[int, tuple[int, int]] = {begin: (begin, 0)}
    todo = deque([begin])
    while todo and end not in came:
        at = todo.popleft()
        for other, row in near.get(at, ()):
            if other not in came:
                came[other] = at, row
                todo.append(other)
    rows = []
    while end != begin and end in came:
        end, row = came[end]
        rows.append(row)
    return rows
