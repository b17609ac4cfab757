"""The number card: no published figure stands alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ctdhub.release.open import Release
from ctdhub.stats.deduplicated_interval import Unit, once
from ctdhub.stats.intervals import Interval
from ctdhub.stats.precision import is_precise
from ctdhub.stats.query import Query

State = Literal["shown", "imprecise", "protected", "not_measured"]


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
        state: "shown"; "imprecise" (the interval is too wide for a point, see
            :mod:`ctdhub.stats.precision`: only its ends are given); "protected" (too few to show
            reliably, never zero); "not_measured" (this release holds no table that answers the
            question).
        contributors: names of the organisations behind the figure.
        query: the question, so that a reader can ask it again: of people their number, or, where
            the query has an ``of``, those of ``of`` outside ``where``; of a share that share; of
            nationalities and countries how many rows of the query's table are clear of zero; of a
            rate the people.  None where no single question gives the figure: a mean over years, a
            series of some contributors, a number of contributors or of case records.
        width: of the interval of a share before it was clipped to 0..1; None for other figures.
        once: the second interval, if everybody is counted once, which holds ``low`` and ``high``;
            None where the release does not measure what links miss, or the figure is no number or
            share of people of one query.  Comparisons of groups take it, see :attr:`ends`.

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
    width: float | None = None
    once: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.state == "shown"):
            raise ValueError("a card has a value exactly where its state is shown")
        if (self.low is None or self.high is None) != (self.state == "not_measured"):
            raise ValueError("a card has an interval unless nothing was measured")
        if self.low is not None and self.high is not None:
            middle = self.low if self.value is None else self.value
            if not self.low <= middle <= self.high:
                raise ValueError("a card's value lies inside its interval")
        if self.once is not None and not (
            self.low is not None and self.once[0] <= self.low <= (self.high or 0) <= self.once[1]
        ):
            raise ValueError("a card's second interval holds its first one")
        if not 0 < self.level < 1:
            raise ValueError("a card has a level between 0 and 1")

    @property
    def has_range(self) -> bool:
        """Whether the figure is printed, as a point with its interval or as the interval alone."""
        return self.state in ("shown", "imprecise")

    @property
    def middle(self) -> float:
        """What orders figures by size: the value, or the middle of an imprecise interval; else 0.

        It is printed nowhere.
        """
        if self.value is not None:
            return self.value
        return ((self.low or 0) + (self.high or 0)) / 2 if self.state == "imprecise" else 0.0

    @property
    def ends(self) -> tuple[float, float] | None:
        """The interval by which the figure is compared with others: the second one where there is
        one, else that of noise; None where nothing was measured."""
        if self.once is not None or self.low is None or self.high is None:
            return self.once
        return self.low, self.high

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
    published: bool = False,
) -> NumberCard:
    """A card for an answer: a value whose interval reaches zero is protected, not shown, and one
    whose interval is too wide (:func:`ctdhub.stats.precision.is_precise`) is imprecise.

    For what a query answers take :meth:`ctdhub.stats.answers.Answers.card`.

    Args:
        published: the answer is a cell of a measured table, which the release publishes with its
            interval: the choice of cells to publish has decided that it is shown.
    """
    state: State = "shown" if answer.low is not None and answer.low > 0 else "protected"
    if answer.low is None:
        state = "not_measured"
    elif state == "shown" and not published and not is_precise(answer, unit):
        state = "imprecise"
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
        width=answer.width,
        once=once(release, answer, unit, query, denominator),
    )
