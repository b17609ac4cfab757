"""The shape of a table: rows of number cards, and the people that they refer to."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from ctdhub.stats.cards import NumberCard
from ctdhub.stats.query import Query

NOT_RECORDED = ""
YES = "yes"

Kind = Literal["value", "not_recorded", "nobody_reports"]


@dataclass(frozen=True)
class Row:
    """One row: codes of its values, its kind, people, and their share of the denominator.

    The cards carry the row's question.  ``kind`` tells the blanks apart: "value"; "not_recorded"
    (people whose answer is not known); "nobody_reports" (no contributor covers it, so there can be
    no count).
    """

    codes: tuple[str, ...]
    kind: Kind
    people: NumberCard
    share: NumberCard | None = None


@dataclass(frozen=True)
class Table:
    """Rows of one question, the people they refer to, and the share whose answer is unknown.

    Attributes:
        variables: what the codes of a row are values of.
        rows: in order of the codes, or of size.
        base: the people that shares refer to.
        missing: share of people, in 0..1, whose answer is not recorded; None if unknown.
        rival: the highest upper end, in people, of what has no row here.
        query: the question; None where the rows answer questions of their own, such as flags.
    """

    variables: tuple[str, ...]
    rows: tuple[Row, ...]
    base: NumberCard
    missing: float | None
    rival: float = 0
    query: Query | None = None

    @property
    def largest(self) -> Row | None:
        """The row that has the most people beyond doubt: its interval overlaps no other one.

        Intervals are the second ones, if everybody is counted once, where there are such.  Rows
        that are too few to show, and what has no row, are rivals with their upper ends.  "Not
        recorded" is left out; None where no row stands out, or a rival was not measured.
        """
        shown = self._shown()
        if not shown or _ends(shown[0])[0] <= self._highest(without=shown[:1]):
            return None
        return shown[0]

    def top(self, most: int) -> Table:
        """The rows that are shown and have the most people, and "not recorded"."""
        kept = self._shown()[:most]
        unknown = [r for r in self.rows if r.kind == "not_recorded"]
        return replace(self, rows=(*kept, *unknown), rival=self._highest(without=kept))

    def _shown(self) -> list[Row]:
        shown = [r for r in self.rows if r.kind == "value" and r.people.value is not None]
        return sorted(shown, key=lambda r: -(r.people.value or 0))

    def _highest(self, without: Collection[Row]) -> float:
        """Highest upper end of all but some rows; endless where one was not measured."""
        rest = [_ends(r)[1] for r in self.rows if r.kind == "value" and r not in without]
        return max([self.rival, *rest])


def _ends(row: Row) -> tuple[float, float]:
    """The interval by which a row is compared; anything where it was not measured."""
    return row.people.ends or (0, math.inf)
