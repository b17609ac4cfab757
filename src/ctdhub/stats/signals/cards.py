"""The figures of a signal in a release, as number cards.

Intervals are those of the protection noise, at the release's level; a figure whose interval
reaches zero is protected, not shown.  The signal itself rests on more: chance, and how much the
series varied before.  Shares of the answers to one question are rounded together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from ctdhub.release.open import Release
from ctdhub.schema.model import load_schema
from ctdhub.stats.cards import NumberCard, card
from ctdhub.stats.intervals import Interval, fieller
from ctdhub.stats.signals.added_up import added_up
from ctdhub.stats.signals.find import Finding, SignalFigure
from ctdhub.stats.signals.judging import LEVEL
from ctdhub.stats.signals.looked import PARTS
from ctdhub.stats.signals.of_release import ReleaseSignals

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
    release, names = result.release, behind(result, finding.row)
    parts = [_of_figure(release, f) for f in finding.part or finding.count]
    count = _pair([card(release, a, "people", None) for a in parts], names)
    if finding.whole is None:
        return Cards(count, None, None)
    wholes = [_of_figure(release, f) for f in finding.whole]
    answers = [
        other
        for other in (*(result.found.findings if result.found else ()), finding)
        if other.row != finding.row
        and other.part
        and other.whole == finding.whole
        and _excludes(result, finding.row, other.row)
    ]
    rows = (finding.row, *(other.row for other in answers))
    shares = [
        _share(
            result,
            rows,
            [parts[k], *(_of_figure(release, other.part[k]) for other in answers if other.part)],
            wholes[k],
        )
        for k in (0, 1)
    ]
    return Cards(
        count,
        _pair([card(release, a, "people", None) for a in wholes], names),
        _pair(shares, names),
    )


def behind(result: ReleaseSignals, row: int) -> tuple[str, ...]:
    """Names of the contributors whose people the figures of a series count."""
    every = result.release.facts.contributors
    held = result.compared[row] if result.compared else None
    if held is None or not held.is_less or any(e.finding.row == row for e in result.explained):
        return tuple(c.name for c in every)
    kinds = {one.kind for one in result.sources}
    moved = {name for one in result.sources for name in one.names}
    return tuple(
        c.name for c in every if (c.name not in moved if held.apart else c.kind not in kinds)
    )


def by_year(result: ReleaseSignals, finding: Finding) -> tuple[Year, ...]:
    """All years that were looked at, in order."""
    if result.found is None:
        return ()
    release, panel, row = result.release, result.found.panel, finding.row
    names = behind(result, row)
    found = []
    rows = [row]
    if finding.whole is not None:
        rows += [
            other
            for other in range(len(result.looked))
            if _excludes(result, row, other)
            and np.array_equal(panel.wholes[other], panel.wholes[row], equal_nan=True)
        ]
    for k, period in enumerate(panel.periods):
        covered = not np.isnan(panel.counts[row, k])
        people = _noisy(release, panel.counts[row, k], panel.noise[row, k])
        part = None
        if finding.whole is not None:
            whole = _noisy(release, panel.wholes[row, k], panel.noise_of_wholes[row, k])
            parts = [_noisy(release, panel.counts[r, k], panel.noise[r, k]) for r in rows]
            part = replace(_share(result, rows, parts, whole), contributors=names)
        counted = replace(card(release, people, "people", None), contributors=names)
        found.append(Year(period.place, covered, counted, part))
    return tuple(found)


def _excludes(result: ReleaseSignals, row: int, other: int) -> bool:
    """Whether two series count other answers to one question, of the people of one place."""
    one, two = result.looked[row], result.looked[other]
    if one.places != two.places or not one.part or not two.part or one.part == two.part:
        return False
    return one.part[0][0] == two.part[0][0] and one.part[0][0] in PARTS


def _share(
    result: ReleaseSignals, rows: Sequence[int], parts: Sequence[Interval], whole: Interval
) -> NumberCard:
    """The share of the first of these people, rounded together with that of the others; protected
    where its part or its whole is too small to be clear of zero.

    Args:
        rows, parts: the series, and its people, of answers that exclude each other.
    """
    variable = result.looked[rows[0]].part[0][0]
    codes = {result.looked[row].part[0][1] for row in rows}
    complete = variable in PARTS and codes >= set(load_schema().domain(variable))
    share, *_others = added_up([fieller(part, whole) for part in parts], complete=complete)
    return card(result.release, share, "share", None, denominator=round(whole.value or 0))


def _of_figure(release: Release, figure: SignalFigure) -> Interval:
    """A mean with the interval of its noise, at the release's level instead of its own."""
    deviation = (figure.high - figure.value) / NormalDist().inv_cdf((1 + LEVEL) / 2)
    return _noisy(release, figure.value, deviation)


def _noisy(release: Release, value: float, deviation: float) -> Interval:
    """A noisy number in whole people; nothing where it is missing."""
    if math.isnan(value):
        return Interval(None, None, None)
    half = NormalDist().inv_cdf((1 + release.protected.guarantee.level) / 2) * deviation
    middle = max(0, round(value))
    low, high = math.floor(value - half), math.ceil(value + half)
    return Interval(middle, min(middle, max(0, low)), max(middle, high))


def _pair(two: list[NumberCard], names: tuple[str, ...]) -> CardPair:
    before, now = (replace(one, contributors=names) for one in two)
    return before, now
