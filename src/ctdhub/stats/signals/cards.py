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
from ctdhub.release.open import Release
from ctdhub.schema.model import PERIOD, load_schema
from ctdhub.stats.cards import NOT_MEASURED, Interval, NumberCard, card, fieller, is_precise, whole
from ctdhub.stats.signals.events import PARTS
from ctdhub.stats.signals.find import LEVEL, Finding, SignalFigure
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
    names, spans = behind(result, finding.row), _spans(result)
    figures = finding.part or finding.count
    parts = [_mean(result, finding, f, s) for f, s in zip(figures, spans, strict=True)]
    less = _is_less(result, finding)
    count = _pair([_counted(result, a, less) for a in parts], names)
    if finding.whole is None:
        return Cards(count, None, None)
    wholes = [
        _mean(result, finding, f, s, whole=True) for f, s in zip(finding.whole, spans, strict=True)
    ]
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
            [
                parts[k],
                *(_mean(result, o, o.part[k], spans[k]) for o in answers if o.part),
            ],
            wholes[k],
        )
        for k in (0, 1)
    ]
    return Cards(
        count,
        _pair([_counted(result, a, less) for a in wholes], names),
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
    panel, row = result.found.panel, finding.row
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
    less = _is_less(result, finding)
    for k, period in enumerate(panel.periods):
        covered = not np.isnan(panel.counts[row, k])

        asked = covered and not less
        part = None
        if finding.whole is not None:
            parts = [_of_period(result, r, k, asked=asked) for r in rows]
            whole = _of_period(result, row, k, asked=asked, whole=True)
            part = replace(_share(result, rows, parts, whole), contributors=names)
        people = _of_period(result, row, k, asked=asked)
        counted = replace(_counted(result, people, less, published=asked), contributors=names)
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


def _spans(result: ReleaseSignals) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Periods of the past and of the window on which somebody reports."""
    assert result.found is not None  # there is a finding
    found = result.found
    past, now = (
        tuple(
            k
            for k in range(first, last + 1)
            if covering(result.release, found.panel.periods[k].place)
        )
        for first, last in (found.past, found.window)
    )
    return past, now


def _is_less(result: ReleaseSignals, finding: Finding) -> bool:
    """Whether the figures of a finding are those of a remainder."""
    return result.is_less(finding.row) and all(e.finding is not finding for e in result.explained)


def _mean(
    result: ReleaseSignals,
    finding: Finding,
    figure: SignalFigure,
    span: tuple[int, ...],
    *,
    whole: bool = False,
) -> Interval:
    """A mean by year: what the release answers; of a remainder the mean of the series, with the
    interval of its noise at the release's level."""
    if not _is_less(result, finding):
        return _asked(result, finding.row, span, whole=whole)
    deviation = (figure.high - figure.value) / NormalDist().inv_cdf((1 + LEVEL) / 2)
    return _noisy(result.release, figure.value, deviation)


def _asked(result: ReleaseSignals, row: int, span: tuple[int, ...], *, whole: bool) -> Interval:
    """The people of a series, or of its whole, on these periods: a mean in whole people."""
    assert result.found is not None
    looked = result.looked[row]
    where = looked.whole_where(result.release.years) if whole else looked.where
    years = tuple(str(result.found.panel.periods[k].place) for k in span)
    found = result.answers.count({**where, PERIOD: years})
    if found.value is None or found.low is None or found.high is None or not years:
        return NOT_MEASURED
    middle = round(found.value / len(years))
    low, high = math.floor(found.low / len(years)), math.ceil(found.high / len(years))
    return Interval(middle, min(low, middle), max(high, middle))


def _of_period(
    result: ReleaseSignals, row: int, k: int, *, asked: bool, whole: bool = False
) -> Interval:
    """The people of a series, or of its whole, in one period: asked for, or as in the series."""
    assert result.found is not None
    if asked:
        return _asked(result, row, (k,), whole=whole)
    panel = result.found.panel
    values, noise = panel.counts, panel.noise
    if whole:
        values, noise = panel.wholes, panel.noise_of_wholes
    return _noisy(result.release, values[row, k], noise[row, k])


def _counted(
    result: ReleaseSignals, answer: Interval, less: bool, *, published: bool = False
) -> NumberCard:
    """A number of people; that of a remainder is given by its ends alone.

    Args:
        published: whether it is a cell of a measured table.
    """
    found = card(result.release, answer, "people", None, published=published)
    if less and found.state == "shown":
        return replace(found, value=None, state="imprecise")
    return found


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
