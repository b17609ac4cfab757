"""The figures of a signal in a release, as number cards.

Tests read unbiased series; what is printed of the same people is what the release answers when
asked for them (``Answers``), so that a signal says no other number than a table does.  Where
reports were taken away from a series there is nothing to ask: its numbers are printed as intervals,
without a point.

A figure whose interval reaches zero is protected, not shown.  The signal itself rests on more:
chance, and how much the series varied before.  Shares of the answers to one question are rounded
together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from ctdhub.core.format import FINE
from ctdhub.schema.model import PERIOD, load_schema
from ctdhub.stats.cards import NOT_MEASURED, Interval, NumberCard, card, fieller, is_precise, whole
from ctdhub.stats.signals.events import PARTS
from ctdhub.stats.signals.find import Finding, Search
from ctdhub.stats.signals.of_release import ReleaseSignals
from ctdhub.stats.trend import covering

# --------------------------------------------------------------------------------------------------
# Shares of the answers to one question: they add up to the whole, and so do their roundings.

COARSE, DECIMAL = 100, 1000
"""Steps in 1 of shares that are written as whole per cent, and with one decimal."""


def added_up(shares: Sequence[Interval], *, complete: bool) -> tuple[Interval, ...]:
    """Shares rounded together, by largest remainder, to the steps in which they are written.

    Noise may make shares of one whole exceed it: then, and where they are all answers that there
    are, each is divided by their sum.  What the shares that may be printed leave of the whole is
    rounded with them.  They have one decimal only where all of them are that precise.  A share too
    small or too precise for the step keeps its value.  Intervals grow where a rounded value lies
    outside.

    Args:
        shares: values and intervals in 0..1, of answers that exclude each other.
        complete: whether these are all answers to the question.

    >>> halves = [Interval(0.465, 0.4, 0.5), Interval(0.535, 0.5, 0.6)]
    >>> [one.value for one in added_up(halves, complete=True)]
    [0.47, 0.53]
    """
    total = math.fsum(one.value or 0.0 for one in shares)
    over = total if total > 1 or (complete and total > 0) else 1.0
    scaled = [_with_value(one, (one.value or 0.0) / over) for one in shares]
    values = [one.value or 0.0 for one in scaled]
    shown = [k for k, one in enumerate(scaled) if (one.low or 0) > 0 and is_precise(one, "share")]
    wide = {k: scaled[k].half_width for k in shown}
    fine = all(half + 1 / DECIMAL < FINE for half in wide.values())
    steps = DECIMAL if fine else COARSE
    together = [
        k for k in shown if values[k] * steps >= 1 and (fine or wide[k] * steps >= 1 - 1e-9)
    ]
    rest = 1 - math.fsum(values[k] for k in together)
    rounded = whole([*(values[k] * steps for k in together), rest * steps])
    for k, value in zip(together, rounded, strict=False):  # the last one is the rest
        values[k] = value / steps
    return tuple(_with_value(one, value) for one, value in zip(scaled, values, strict=True))


def _with_value(share: Interval, value: float) -> Interval:
    if share.value is None or share.low is None or share.high is None:
        return share
    return Interval(value, min(share.low, value), max(share.high, value), share.width)


CardPair = tuple[NumberCard, NumberCard]
"""Before, and in the window."""


@dataclass(frozen=True)
class Cards:
    """Mean numbers of people by year, and shares; the last two are None without a whole."""

    count: CardPair
    whole: CardPair | None
    share: CardPair | None


@dataclass(frozen=True)
class Year:
    """A year of the chart: people, and their share; ``covered`` says whether anybody reports."""

    year: int
    covered: bool
    people: NumberCard
    share: NumberCard | None


def cards(result: ReleaseSignals, finding: Finding) -> Cards:
    """The figures of a finding as number cards."""
    figures, search = _Figures(result, finding), _search(result)
    past, now = (
        [
            k
            for k in range(first, last + 1)
            if covering(result.release, search.panel.periods[k].place)
        ]
        for first, last in (search.past, search.window)
    )
    count = figures.people(past), figures.people(now)
    if finding.whole is None:
        return Cards(count, None, None)
    whole = figures.people(past, whole=True), figures.people(now, whole=True)
    return Cards(count, whole, (figures.share(past), figures.share(now)))


def by_year(result: ReleaseSignals, finding: Finding) -> tuple[Year, ...]:
    """All years that were looked at, in order."""
    if result.search is None:
        return ()
    figures, panel = _Figures(result, finding), result.search.panel
    years = []
    for k, period in enumerate(panel.periods):
        covered = not np.isnan(panel.counts[finding.row, k])
        at = [k] if covered else []
        people = figures.people(at, published=covered and not figures.is_less(finding.row))
        share = None if finding.whole is None else figures.share(at)
        years.append(Year(period.place, covered, people, share))
    return tuple(years)


def behind(result: ReleaseSignals, row: int) -> tuple[str, ...]:
    """Names of the contributors whose people the figures of a series count."""
    every = result.release.facts.contributors
    compared = result.compared[row] if result.compared else None
    if (
        compared is None
        or not compared.is_less
        or any(e.finding.row == row for e in result.explained)
    ):
        return tuple(c.name for c in every)
    kinds = {one.kind for one in result.sources}
    moved = {key for one in result.sources for key in zip(one.ids, one.names, strict=True)}
    if compared.apart:
        return tuple(c.name for c in every if (c.id, c.name) not in moved)
    return tuple(c.name for c in every if c.kind not in kinds)


def _search(result: ReleaseSignals) -> Search:
    assert result.search is not None  # there is a finding
    return result.search


class _Figures:
    """The people of a finding and their share, on some periods together.

    Attributes:
        names: of the contributors whose people these are.
        rows: the series, and those that count other answers to its question, of one whole.
    """

    def __init__(self, result: ReleaseSignals, finding: Finding) -> None:
        self.result, self.panel = result, _search(result).panel
        self.names = behind(result, finding.row)
        self.explained = any(e.finding is finding for e in result.explained)
        self.rows, wholes = [finding.row], self.panel.wholes
        if finding.whole is not None:
            self.rows += [
                other
                for other in range(len(result.looked))
                if _excludes(result, finding.row, other)
                and np.array_equal(wholes[other], wholes[finding.row], equal_nan=True)
            ]

    def is_less(self, row: int) -> bool:
        """Whether the figures of a series are those of a remainder."""
        return self.result.is_less(row) and not self.explained

    def people(
        self, periods: Sequence[int], *, whole: bool = False, published: bool = False
    ) -> NumberCard:
        """The mean number by period; that of a remainder is given by its ends alone.

        Args:
            whole: of the people that the series is a part of.
            published: whether it is a cell of a measured table.
        """
        answer = self._mean(self.rows[0], periods, whole=whole)
        people = card(self.result.release, answer, "people", None, published=published)
        if people.state == "shown" and self.is_less(self.rows[0]):
            people = replace(people, value=None, state="imprecise")
        return replace(people, contributors=self.names)

    def share(self, periods: Sequence[int]) -> NumberCard:
        """The share, rounded together with those of the other rows; protected where its part or
        its whole is too small to be clear of zero."""
        whole = self._mean(self.rows[0], periods, whole=True)
        parts = [fieller(self._mean(row, periods), whole) for row in self.rows]
        answers = [self.result.looked[row].part[0] for row in self.rows]
        variable = answers[0][0]
        codes = {code for _variable, code in answers}
        complete = variable in PARTS and codes >= set(load_schema().domain(variable))
        share, *_others = added_up(parts, complete=complete)
        denominator = round(whole.value or 0)
        figure = card(self.result.release, share, "share", None, denominator=denominator)
        return replace(figure, contributors=self.names)

    def _mean(self, row: int, periods: Sequence[int], *, whole: bool = False) -> Interval:
        """The people of a series, or of its whole: what the release answers; of a remainder the
        mean of the series, with the interval of its noise at the release's level."""
        if periods and not self.is_less(row):
            return self._asked(row, periods, whole=whole)
        panel, level = self.panel, self.result.release.protected.guarantee.level
        values, noise = panel.counts[row], panel.noise[row]
        if whole:
            values, noise = panel.wholes[row], panel.noise_of_wholes[row]
        known = [k for k in periods if not np.isnan(values[k])]
        if not known:
            return NOT_MEASURED
        value = float(values[known].mean())
        deviation = math.sqrt(float((noise[known] ** 2).sum())) / len(known)
        half = NormalDist().inv_cdf((1 + level) / 2) * deviation
        return _whole_people(max(0, round(value)), max(0.0, value - half), value + half)

    def _asked(self, row: int, periods: Sequence[int], *, whole: bool) -> Interval:
        looked, release = self.result.looked[row], self.result.release
        where = looked.whole_where(release.years) if whole else looked.where
        years = tuple(str(self.panel.periods[k].place) for k in periods)
        answer = self.result.answers.count({**where, PERIOD: years})
        if answer.value is None or answer.low is None or answer.high is None:
            return NOT_MEASURED
        n = len(years)
        return _whole_people(round(answer.value / n), answer.low / n, answer.high / n)


def _whole_people(value: int, low: float, high: float) -> Interval:
    return Interval(value, min(math.floor(low), value), max(math.ceil(high), value))


def _excludes(result: ReleaseSignals, row: int, other: int) -> bool:
    """Whether two series count other answers to one question, of the people of one place."""
    one, two = result.looked[row], result.looked[other]
    if one.places != two.places or not one.part or not two.part or one.part == two.part:
        return False
    return one.part[0][0] == two.part[0][0] and one.part[0][0] in PARTS
