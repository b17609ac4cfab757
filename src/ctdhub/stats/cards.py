"""The number card: no published figure stands alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ctdhub.release.open import Release
from ctdhub.stats.intervals import Interval
from ctdhub.stats.query import Query

State = Literal["shown", "protected", "not_measured"]
Unit = Literal[
    "people",
    "case_records",
    "share",
    "nationalities",
    "countries",
    "contributors",
    "per_100000",
]


@dataclass(frozen=True)
class NumberCard:
    """One figure with all that a reader needs to use it rightly.

    Attributes:
        value: the estimate in ``unit`` (a share lies in 0..1); None unless ``state`` is "shown".
        low, high: its interval at ``level``; None where nothing was measured.
        level: coverage of the interval, in 0..1.
        unit: what is counted.
        denominator: the people that a share, or a rate per 100,000, refers to; None for a count.
        missing: share of people, in 0..1, for whom the answer is not recorded; None where the
            question has no such part.
        state: "shown"; "protected" (too few to show reliably, never zero); "not_measured" (this
            release holds no table that answers the question).
        contributors: names of the organisations behind the figure.
        query: the question, so that a reader can ask it again: of people their number, or, where
            the query has an ``of``, those of ``of`` outside ``where``; of a share that share; of
            nationalities and countries how many rows of the query's table are clear of zero; of a
            rate the people.  None where no single question gives the figure: a mean over years, a
            series of some contributors, a number of contributors.

    Raises:
        ValueError: the parts contradict each other.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    unit: Unit
    denominator: int | None
    missing: float | None
    state: State
    contributors: tuple[str, ...]
    query: Query | None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.state == "shown"):
            raise ValueError("a card has a value exactly where its state is shown")
        if (self.low is None or self.high is None) != (self.state == "not_measured"):
            raise ValueError("a card has an interval unless nothing was measured")
        if self.low is not None and self.high is not None:
            middle = self.low if self.value is None else self.value
            if not self.low <= middle <= self.high:
                raise ValueError("a card's value lies inside its interval")
        if not 0 < self.level < 1:
            raise ValueError("a card has a level between 0 and 1")

    @property
    def half_width(self) -> float:
        """The larger distance from the value to an end of the interval, 0 without a value."""
        if self.value is None or self.low is None or self.high is None:
            return 0.0
        return max(self.high - self.value, self.value - self.low)


def card(
    release: Release,
    answer: Interval,
    unit: Unit,
    query: Query | None,
    *,
    denominator: int | None = None,
    missing: float | None = None,
) -> NumberCard:
    """A card for an answer; a value whose interval reaches zero is protected, not shown.

    For what a query answers take :meth:`ctdhub.stats.answers.Answers.card`.
    """
    state: State = "shown" if answer.low is not None and answer.low > 0 else "protected"
    if answer.low is None:
        state = "not_measured"
    return NumberCard(
        value=answer.value if state == "shown" else None,
        low=answer.low,
        high=answer.high,
        level=release.protected.guarantee.level,
        unit=unit,
        denominator=denominator,
        missing=missing,
        state=state,
        contributors=tuple(c.name for c in release.facts.contributors),
        query=query,
    )
