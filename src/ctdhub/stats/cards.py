"""The number card: a number with its interval, what it counts, and how precise it is; no
published figure stands alone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Literal

from ctdhub.release.open import Release
from ctdhub.schema.model import ORIGIN, load_schema
from ctdhub.stats.query import Query, Where

# --------------------------------------------------------------------------------------------------
# An estimate with its interval, and what two of them make: a share, and people outside.


class Ends:
    """What has a value and an interval, or none of them."""

    value: float | None
    low: float | None
    high: float | None

    @property
    def half_width(self) -> float:
        """The larger distance from the value to an end of the interval, 0 without a value."""
        if self.value is None or self.low is None or self.high is None:
            return 0.0
        return max(self.high - self.value, self.value - self.low)

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return (self.low or 0.0) > 0 or (self.high or 0.0) < 0


@dataclass(frozen=True)
class Interval(Ends):
    """An estimate with its interval; all None where no measured table answers the question.

    ``width`` is how wide the interval of a share was before it was clipped to 0..1, None for
    other numbers.
    """

    value: float | None
    low: float | None
    high: float | None
    width: float | None = field(default=None, compare=False, repr=False)


NOT_MEASURED = Interval(None, None, None)


def fieller(part: Interval, whole: Interval, correlation: float = 0.0) -> Interval:
    """Interval of ``part / whole``, clipped to 0..1, from the half-widths of the two and the
    correlation of their errors, in -1..1.

    ``width`` is the width before clipping, endless where the share may be anything.

    Where the whole is not clearly above zero the share may be anything.

    >>> share = fieller(Interval(50, 40, 60), Interval(100, 90, 110))
    >>> share.value, round(share.low, 2), round(share.high, 2)
    (0.5, 0.39, 0.62)
    >>> fieller(Interval(1, 0, 9), Interval(2, 0, 10))
    Interval(value=0.0, low=0.0, high=1.0)
    """
    x, y = part.value or 0.0, whole.value or 0.0
    dx, dy = part.half_width, whole.half_width
    a, b, c = y * y - dy * dy, x * y - correlation * dx * dy, x * x - dx * dx
    if a <= 0 or x > y + dx + dy:
        return Interval(0.0, 0.0, 1.0, math.inf)
    value = min(1.0, x / y)
    root = math.sqrt(max(0.0, b * b - a * c))
    low, high = max(0.0, (b - root) / a), min(1.0, (b + root) / a)
    return Interval(value, min(low, value), max(high, value), 2 * root / a)


def ratio(part: Interval, whole: Interval, correlation: float = 0.0) -> Interval:
    """:func:`fieller`, or nothing where one of the two was not measured."""
    if part.value is None or whole.value is None:
        return NOT_MEASURED
    return fieller(part, whole, correlation)


def outside(part: Interval, whole: Interval) -> Interval:
    """People of ``whole`` outside ``part``; the errors of the two add in quadrature."""
    if part.value is None or whole.value is None:
        return NOT_MEASURED
    value = max(0.0, whole.value - part.value)
    spread = round((whole.half_width**2 + part.half_width**2) ** 0.5)
    return Interval(value, max(0.0, value - spread), value + spread)


# --------------------------------------------------------------------------------------------------
# Which figures are precise enough to be printed as one number.
#
# Rule.  A share is printed as a point only where its interval at the level of the release is at
# most ``POINT`` wide, and stands in a headline only where it is at most ``HEADLINE`` wide.  The
# width is taken before the interval is clipped to 0..1: near a bound clipping makes an interval
# look narrow that says next to nothing.  A number of people, or a rate of them, is printed as a
# point where its interval is at most ``RELATIVE`` times the number.  Anything else is printed as
# its interval alone. Cells that a release publishes are not asked: the choice of cells to publish
# has decided there.
#
# Sources.  30 points: J. D. Parker et al., 2017, Vital Health Stat. 2(175), the standard of the US
# National Center for Health Statistics for proportions; its second rule, on relative width, is
# about small proportions, which are not shown here where their interval reaches zero.  160 %: the
# standard of the same office for rates.  20 points: the width beyond which the US National Survey
# of Children's Health asks for a warning of poor reliability.


POINT, HEADLINE, RELATIVE = 0.30, 0.20, 1.6
COUNTED = ("people", "case_records", "per_100000")
"""Units of numbers that have an interval of noise, apart from shares."""


def is_precise(answer: Interval, unit: str) -> bool:
    """Whether an answer may be printed as a point.

    Args:
        answer: measured, with ends around its value.
        unit: of the card.

    >>> is_precise(Interval(0.9, 0.75, 1.0, width=0.31), "share")
    False
    >>> is_precise(Interval(143, 32, 254), "people"), is_precise(Interval(20, 3, 37), "people")
    (True, False)
    """
    if answer.value is None or answer.low is None or answer.high is None:
        return False
    if unit == "share":
        return _width(answer) <= POINT
    return unit not in COUNTED or answer.high - answer.low <= RELATIVE * answer.value


def in_headline(card: Interval | NumberCard) -> bool:
    """Whether a share is shown and precise enough for a headline."""
    if card.value is None or card.low is None or card.high is None:
        return False
    return _width(card) <= HEADLINE


def _width(share: Interval | NumberCard) -> float:
    if share.width is not None:
        return share.width
    return (share.high or 0) - (share.low or 0)


# --------------------------------------------------------------------------------------------------
# The second interval of a number or share of people: if everybody is counted once.

Unit = Literal[
    "people",
    "case_records",
    "share",
    "nationalities",
    "countries",
    "contributors",
    "per_100000",
]


def once(
    release: Release, answer: Interval, unit: Unit, query: Query | None, whole: int | None
) -> tuple[float, float] | None:
    """The second interval of an answer; None where there is none.

    Args:
        answer: with its interval of noise, in the unit.
        unit: of the answer; only numbers, shares and rates of people have a second interval.
        query: the question.
        whole: the people that a share refers to, or the population of a rate.
    """
    errors = release.link_errors
    if errors is None or query is None or answer.low is None or answer.high is None:
        return None
    of = (query.of or query).where.get(ORIGIN)  # citizenships that all these people have
    if unit == "people":
        return errors.once(answer.low, answer.high, of)
    if unit == "share" and whole is not None:
        return errors.share_once(answer.low, answer.high, whole, of)
    if unit == "per_100000" and whole:
        each = whole / 100_000
        low, high = errors.once(answer.low * each, answer.high * each, of)
        return min(answer.low, low / each), max(answer.high, high / each)
    return None


def wider(
    release: Release, ends: tuple[float, float], whole: float, where: Where
) -> tuple[float, float]:
    """An interval of a share, as wide as doubles and shared rows may make it.

    Args:
        ends: in 0..1, of whatever level.
        whole: the people that the share is of.
        where: conditions that these meet.
    """
    errors = release.link_errors
    return ends if errors is None else errors.share_once(*ends, whole, where.get(ORIGIN))


# --------------------------------------------------------------------------------------------------
# The number card: no published figure stands alone.

State = Literal["shown", "imprecise", "protected", "not_measured"]


@dataclass(frozen=True)
class NumberCard(Ends):
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
            :mod:`ctdhub.stats.cards`: only its ends are given); "protected" (too few to show
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
    whose interval is too wide (:func:`ctdhub.stats.cards.is_precise`) is imprecise.

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


# --------------------------------------------------------------------------------------------------
# The shape of a table: rows of number cards, and the people that they refer to.

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
        recorded" is left out.  None where no row stands out, a rival was not measured, or the rows
        are ranges that differ in width.
        """
        shown, schema = self._shown_rows(), load_schema()
        if any(schema.has(name) and schema.variable(name).ranges for name in self.variables):
            return None
        if not shown or _ends(shown[0])[0] <= self._highest(without=shown[:1]):
            return None
        return shown[0]

    @property
    def shows_people(self) -> bool:
        """Whether a number of people is shown in any row but "not recorded"."""
        return bool(self._shown_rows())

    def top(self, most: int) -> Table:
        """The rows that are shown and have the most people, and "not recorded"."""
        kept = self._shown_rows()[:most]
        unknown = [r for r in self.rows if r.kind == "not_recorded"]
        return replace(self, rows=(*kept, *unknown), rival=self._highest(without=kept))

    def _shown_rows(self) -> list[Row]:
        shown = [r for r in self.rows if r.kind == "value" and r.people.value is not None]
        return sorted(shown, key=lambda r: -(r.people.value or 0))

    def _highest(self, without: Collection[Row]) -> float:
        """Highest upper end of all but some rows; endless where one was not measured."""
        rest = [_ends(r)[1] for r in self.rows if r.kind == "value" and r not in without]
        return max([self.rival, *rest])


def _ends(row: Row) -> tuple[float, float]:
    """The interval by which a row is compared; anything where it was not measured."""
    return row.people.ends or (0, math.inf)


# --------------------------------------------------------------------------------------------------
# Whether two numbers of people, or two shares, differ beyond the noise.
#
# Rule.  Each number has a normal error whose quantile z at the release's level gives its interval.
# Where K pairs of one chart are compared at once, every half-width is made wider by z(K) / z, with
# z(K) the quantile at level ``1 - (1 - level)/K`` (Bonferroni).  Two numbers differ where the wider
# intervals have no point in common.  The standard deviation of a difference is at most the sum of
# the two standard deviations, whatever the correlation; counts of one release were fitted together,
# so that their errors may have any.  With independent errors the rule is stricter than a test of
# the difference (N. Schenker and J. F. Gentleman, 2001, The American Statistician 55:182): what it
# calls different is, and what it does not may still be.  What links may have missed or merged is
# added to the ends as it is (``release.manifest``): it is a bound and no noise.


def widening(level: float, compared: float) -> float:
    """How much wider intervals are taken where so many pairs are compared at once.

    Args:
        level: of the intervals, in 0..1.
        compared: pairs; of several that are chosen among many, so many for each.

    >>> round(widening(0.95, 1), 2), round(widening(0.95, 20), 2)
    (1.0, 1.54)
    """
    quantile = NormalDist().inv_cdf
    return quantile(1 - (1 - level) / 2 / max(1, compared)) / quantile((1 + level) / 2)


# --------------------------------------------------------------------------------------------------
# Numbers that are rounded together, so that they still add up.


def whole(values: Sequence[float]) -> list[int]:
    """Whole numbers near the values whose sum is the rounded sum of the values.

    The largest remainders are rounded up.

    >>> whole([0.4, 0.4, 0.4]), whole([-1.5, 2.6])
    ([1, 0, 0], [-2, 3])
    """
    floors = [math.floor(v) for v in values]
    missing = round(math.fsum(values)) - sum(floors)
    order = sorted(range(len(values)), key=lambda i: (floors[i] - values[i], i))
    for i in order[:missing]:
        floors[i] += 1
    return floors


# --------------------------------------------------------------------------------------------------
# What a guarantee means for one person.


def sure_afterwards(epsilon: float, before: float) -> float:
    """How sure a suspicion can become, rounded up; odds grow by e^epsilon at most (Bayes' rule).

    Args:
        before: how sure somebody was, in 0..1 without the ends.

    >>> sure_afterwards(1.0, 0.1)
    0.232
    """
    odds = math.exp(min(epsilon, 700.0)) * before / (1 - before)
    return math.ceil(1000 * odds / (1 + odds)) / 1000
