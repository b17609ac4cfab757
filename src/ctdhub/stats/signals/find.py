"""Find the series of a panel that differ from their own past."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Literal

import numpy as np

from ctdhub.stats.signals.discovery import q_values
from ctdhub.stats.signals.earlier_windows import Missed, missed
from ctdhub.stats.signals.judging import Judged, Verdict, Way, Z, judged_by
from ctdhub.stats.signals.panel import SeriesPanel
from ctdhub.stats.signals.periods import IN_A_CYCLE, past_for, window_for
from ctdhub.stats.signals.seasons import CYCLES
from ctdhub.stats.signals.shares import share_tests
from ctdhub.stats.signals.smallest import smallest_rises
from ctdhub.stats.signals.tails import Floats
from ctdhub.stats.signals.weights import of_counts, of_shares
from ctdhub.stats.signals.window_tests import Tested, count_tests

RATE, MIN_COUNT = 0.1, 10
FEWEST_COUNTS, FEWEST_SHARES = 3, 2
"""Known periods of the past without which a count, or a share, is not tested."""

What = Literal["count", "share"]


@dataclass(frozen=True)
class Settings:
    """How to look.

    Attributes:
        window: how many last periods are looked at; None: as suits the periods.
        past: how many periods before them are the past; None: as suits the periods.
        rate: the false discovery rate, in 0..1.
        min_count: a rise needs so many people in the window, a fall so many expected there.

    Raises:
        ValueError: out of range.
    """

    window: int | None = None
    past: int | None = None
    rate: float = RATE
    min_count: float = MIN_COUNT

    def __post_init__(self) -> None:
        if any(n is not None and n < 1 for n in (self.window, self.past)):
            raise ValueError("window and past have at least one period")
        if not 0 < self.rate < 1 or self.min_count < 0:
            raise ValueError("the rate lies in 0..1, the least count is not negative")


@dataclass(frozen=True)
class SignalFigure:
    """A mean by period, or a share in 0..1, with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Test:
    """One test of a series: what moved, which way, how likely by chance.

    ``p`` is two-sided; ``q`` is the share of false ones expected among the tests at least as
    clear: the larger one of all tests and of those of the same kind, so that many numbers that
    moved do not lend their weight to a share that did not.  ``weight`` is what p is divided by for
    that (``weights``).  ``ratio`` is what was seen over what
    was to be expected; ``size`` how many people of the window at least lie beyond that (the low end
    of the interval).
    """

    what: What
    way: Way
    p: float
    q: float
    verdict: Verdict
    ratio: SignalFigure
    size: float
    weight: float


@dataclass(frozen=True)
class Finding:
    """A series, its tests, and its figures before and in the window.

    ``count`` is a mean by period; ``whole``, ``part`` and ``share`` are None without a whole, and
    refer to the periods in which both are known.  Each is a pair: before, now.  The past of the
    count has ``known`` periods, that of the share ``known_shares``.  ``smallest`` is the least
    factor by which its number would have had to rise to be found in four of five cases, nan where
    that is unknown; ``zeros`` how many periods of the past are 0, where there are too many of them;
    ``empty`` how many of the window are 0 where the past leads to expect far fewer, else 0.
    """

    row: int
    name: str
    tests: tuple[Test, ...]
    count: tuple[SignalFigure, SignalFigure]
    part: tuple[SignalFigure, SignalFigure] | None
    whole: tuple[SignalFigure, SignalFigure] | None
    share: tuple[SignalFigure, SignalFigure] | None
    known: int
    known_shares: int
    smallest: float
    zeros: int
    empty: int

    def test(self, what: What) -> Test | None:
        """The test of the count or of the share, None where there was none."""
        return next((t for t in self.tests if t.what == what), None)

    def moved(self, rate: float) -> tuple[Test, ...]:
        """Tests that are believed at a false discovery rate."""
        return tuple(t for t in self.tests if t.q <= rate)

    def size(self, rate: float) -> float:
        """The largest number of people by which a believed test lies beyond its past."""
        return max((t.size for t in self.moved(rate)), default=0.0)

    def rests_on_zeros(self, rate: float) -> bool:
        """Whether it is a fall in which periods are 0: reports may be missing instead."""
        return self.empty > 0 and any(t.way == "fall" for t in self.moved(rate))

    @property
    def q(self) -> float:
        """Of its clearest test."""
        return min((t.q for t in self.tests), default=1.0)

    @property
    def p(self) -> float:
        """Of its clearest test."""
        return min((t.p for t in self.tests), default=1.0)


@dataclass(frozen=True)
class Found:
    """All that was looked at.

    Attributes:
        findings: every series with at least one test; signals first, the largest of them first,
            then the others, the clearest first.
        window, past: indices of the periods of each, both ends included.
        rate: the false discovery rate.
        looked_at: number of series; ``tests`` number of tests.
        too_few_periods: names of the series that were not tested.
        seasons: whether periods of the year have expected counts of their own.
        missed: how often earlier windows missed what was expected of them; None without any.
        counted: the test of each series' number.
        believed: the largest p-value of a number that is believed, shape (series,); nan where it
            was not tested.
    """

    panel: SeriesPanel
    findings: tuple[Finding, ...]
    window: tuple[int, int]
    past: tuple[int, int]
    settings: Settings
    tests: int
    too_few_periods: tuple[str, ...]
    seasons: bool
    missed: Missed | None
    counted: Tested = field(repr=False)
    believed: Floats = field(repr=False)

    @property
    def signals(self) -> tuple[Finding, ...]:
        """The findings that are believed."""
        return tuple(f for f in self.findings if f.moved(self.settings.rate))

    @property
    def looked_at(self) -> int:
        """Number of series."""
        return len(self.panel.names)

    @property
    def smallest(self) -> tuple[float, float] | None:
        """The smallest rise that would have been found in half, and in nine of ten, of the
        series."""
        known = [f.smallest if f.smallest == f.smallest else math.inf for f in self.findings]
        if not known or not math.isfinite(min(known)):
            return None
        half, most = np.quantile(np.array(known), [0.5, 0.9], method="higher")
        return float(half), float(most)

    def rising(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """Findings of this result, each with the smallest rise of its number."""
        rows = np.array([f.row for f in findings], dtype=int)
        tested = Tested(*(getattr(self.counted, part.name)[rows] for part in fields(Tested)))
        least = smallest_rises(tested, self.believed[rows], self.settings.min_count)
        return tuple(replace(f, smallest=float(x)) for f, x in zip(findings, least, strict=True))

    def span(self, ends: tuple[int, int]) -> tuple[str, str]:
        """First and last period of the window or of the past, as written."""
        return str(self.panel.periods[ends[0]]), str(self.panel.periods[ends[1]])


def find(panel: SeriesPanel, settings: Settings | None = None, *, smallest: bool = True) -> Found:
    """Test every series of a panel.

    Where there are too few periods for any test the result says so, it has no findings.

    Args:
        smallest: whether findings say the smallest rise; else :meth:`Found.rising` says it.
    """
    settings = settings or Settings()
    kind, n = panel.periods[0].kind, len(panel.periods)
    length = min(settings.window or window_for(kind, n), n)
    longest = settings.past or past_for(kind, length)
    start = n - length
    begin = max(0, start - longest) if longest else 0
    at = np.arange(n)
    past, window = (at >= begin) & (at < start), at >= start
    season = np.array([p.in_cycle for p in panel.periods]) if IN_A_CYCLE[kind] > 1 else 0 * at
    counted = Tested(*_spread(panel))
    if past.sum() >= FEWEST_COUNTS:
        counted = count_tests(panel.counts, panel.noise, past, window, season)
    known = ~np.isnan(panel.counts)
    both = known & ~np.isnan(panel.wholes)
    enough = math.ceil(length / 2)
    shared = _shared(panel, past, window, both)
    testable = np.stack(
        [
            ((known & past).sum(axis=1) >= FEWEST_COUNTS)
            & ((known & window).sum(axis=1) >= enough),
            ((both & past).sum(axis=1) >= FEWEST_SHARES)
            & ((both & window).sum(axis=1) >= enough)
            & ~np.isnan(shared.p_rise),
        ]
    )
    in_window = np.where(both & window, panel.wholes, 0.0).sum(axis=1)
    judged = [
        judged_by(tested, size, settings.min_count, there, weights(tested, there))
        for tested, size, there, weights in zip(
            (counted, shared),
            (np.ones(len(known)), in_window),
            testable,
            (of_counts, of_shares),
            strict=True,
        )
    ]
    weight = np.stack([j.weight for j in judged])
    every = q_values(np.stack([j.p for j in judged]), weight)
    of_level = q_values(np.stack([j.p_level for j in judged]))
    for j, q, flat in zip(judged, every, of_level, strict=True):
        j.q[:] = np.maximum(q, q_values(j.p, j.weight))
        j.q_level[:] = np.maximum(flat, q_values(j.p_level))
    believed = [t for j in judged for t in (j.p / j.weight)[j.q <= settings.rate]]
    threshold = max(believed, default=settings.rate / max(1, int(testable.sum())))
    figures = _Figures(
        panel, known & past, known & window, both & past, both & window, shared,
        np.nan_to_num(counted.zeros), np.nan_to_num(counted.empty),
    )  # fmt: skip
    findings = [
        _finding(figures, int(row), judged, settings.rate)
        for row in np.flatnonzero(testable.any(axis=0))
    ]
    found = Found(
        panel=panel,
        findings=ordered(findings, settings.rate),
        window=(start, n - 1),
        past=(begin, max(begin, start - 1)),
        settings=settings,
        tests=int(testable.sum()),
        too_few_periods=tuple(panel.names[row] for row in np.flatnonzero(~testable.any(axis=0))),
        missed=missed(panel, begin, start, length, season),
        seasons=IN_A_CYCLE[kind] > 1 and bool(past.sum() >= CYCLES * IN_A_CYCLE[kind]),
        counted=counted,
        believed=np.where(testable[0], threshold * judged[0].weight, np.nan),
    )
    return replace(found, findings=found.rising(found.findings)) if smallest else found


def ordered(findings: Sequence[Finding], rate: float) -> tuple[Finding, ...]:
    """Signals first, the largest of them first; then the others, the clearest first."""
    return tuple(
        sorted(findings, key=lambda f: (not f.moved(rate), -f.size(rate), f.q, f.p, f.name))
    )


def _spread(panel: SeriesPanel) -> list[np.ndarray]:
    """The arrays of a test in which no series was tested."""
    return [np.full(len(panel.names), np.nan) for _field in fields(Tested)]


def _shared(panel: SeriesPanel, past: np.ndarray, window: np.ndarray, both: np.ndarray) -> Tested:
    """The test of shares, nan for series without a whole."""
    rows = np.flatnonzero(
        ((both & past).sum(axis=1) >= FEWEST_SHARES) & (both & window).any(axis=1)
    )
    spread = _spread(panel)
    if not rows.size:
        return Tested(*spread)
    found = share_tests(
        panel.counts[rows],
        panel.wholes[rows],
        panel.noise[rows],
        panel.noise_of_wholes[rows],
        past,
        window,
    )
    for part, values in zip(fields(Tested), spread, strict=True):
        values[rows] = getattr(found, part.name)
    return Tested(*spread)


@dataclass(frozen=True)
class _Figures:
    panel: SeriesPanel
    before: np.ndarray
    now: np.ndarray
    both_before: np.ndarray
    both_now: np.ndarray
    shared: Tested
    zeros: Floats
    empty: Floats

    def mean(self, values: Floats, noise: Floats, inside: np.ndarray) -> SignalFigure:
        """Mean by period with the interval that the noise justifies."""
        n = int(inside.sum())
        if not n:
            return SignalFigure(math.nan, math.nan, math.nan)
        value = float(values[inside].mean())
        half = Z * math.sqrt(float((noise[inside] ** 2).sum())) / n
        return SignalFigure(value, value - half, value + half)

    def means(
        self, row: int, values: Floats, noise: Floats, before: np.ndarray, now: np.ndarray
    ) -> tuple[SignalFigure, SignalFigure]:
        return (
            self.mean(values[row], noise[row], before[row]),
            self.mean(values[row], noise[row], now[row]),
        )

    def earlier(self, row: int) -> SignalFigure:
        """The share of all of the past together, with the interval of what is expected."""
        inside = self.both_before[row]
        whole = float(self.panel.wholes[row][inside].sum())
        value = float(self.panel.counts[row][inside].sum()) / whole if whole > 0 else math.nan
        middle, half = min(1.0, max(0.0, value)), Z * float(self.shared.error_expected[row])
        return SignalFigure(middle, max(0.0, middle - half), min(1.0, middle + half))

    def share(self, value: Floats, error: Floats, row: int) -> SignalFigure:
        """A share with an interval for chance, dispersion and noise."""
        middle, half = min(1.0, max(0.0, float(value[row]))), Z * float(error[row])
        return SignalFigure(middle, max(0.0, middle - half), min(1.0, middle + half))


def _finding(f: _Figures, row: int, judged: list[Judged], rate: float) -> Finding:
    whats: tuple[What, What] = ("count", "share")
    tests = tuple(
        Test(
            what,
            j.way(row, rate),
            float(j.p[row]),
            float(j.q[row]),
            j.verdict(row, rate),
            SignalFigure(*(float(end[row]) for end in j.ratio)),
            float(j.size[row]),
            float(j.weight[row]),
        )
        for what, j in zip(whats, judged, strict=True)
        if not np.isnan(j.p[row])
    )
    panel, s = f.panel, f.shared
    shared = any(t.what == "share" for t in tests)
    return Finding(
        row=row,
        name=panel.names[row],
        tests=tests,
        count=f.means(row, panel.counts, panel.noise, f.before, f.now),
        part=f.means(row, panel.counts, panel.noise, f.both_before, f.both_now) if shared else None,
        whole=f.means(row, panel.wholes, panel.noise_of_wholes, f.both_before, f.both_now)
        if shared
        else None,
        share=(f.earlier(row), f.share(s.seen, s.error_seen, row)) if shared else None,
        known=int(f.before[row].sum()),
        known_shares=int(f.both_before[row].sum()),
        smallest=math.nan,
        zeros=int(f.zeros[row]),
        empty=int(f.empty[row]),
    )
