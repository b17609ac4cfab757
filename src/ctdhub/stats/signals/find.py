"""Find the series of a panel that differ from their own past."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from statistics import NormalDist
from typing import Literal

import numpy as np

from ctdhub.schema.model import LEVEL
from ctdhub.stats.signals import statistics
from ctdhub.stats.signals.chances import Floats, at_least
from ctdhub.stats.signals.panel import IN_A_CYCLE, Period, SeriesPanel, past_for, window_for

# --------------------------------------------------------------------------------------------------
# What a test of a series is called: a break, in line with its trend, or as usual; and its size.

Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
Way = Literal["rise", "fall"]
Verdict = Literal["break", "level", "trend", "usual", ""]
"""Beyond what the past leads to expect; away from its level, but at one that may have begun before
the window, in line with its trend, or as such series move by themselves; none of these."""
IN_LINE = 0.5
"""Part of a movement that a trend leads to expect, to be in line with it."""


@dataclass(frozen=True)
class Judged:
    """Of every series, shape (n,): two-sided chances, with the models of the null and with a level
    alone, which are rises, ratios with their interval, size, weight; nan where not tested."""

    tested: statistics.Tested
    p: Floats
    p_level: Floats
    rises: np.ndarray
    ratio: tuple[Floats, Floats, Floats]
    size: Floats
    weight: Floats
    q: Floats
    q_level: Floats

    def way(self, row: int, rate: float) -> Way:
        """Beyond what is expected or, where that is believed by nobody, away from the level."""
        if self.verdict(row, rate) in ("level", "trend", "usual"):
            return "rise" if self.tested.seen[row] > self.tested.level[row] else "fall"
        return "rise" if self.rises[row] else "fall"

    def verdict(self, row: int, rate: float) -> Verdict:
        """What to call the movement of a series."""
        if self.q[row] <= rate:
            return "break"
        if not self.q_level[row] <= rate:
            return ""
        t = self.tested
        if t.since[row] > 0:
            return "level"
        moved, led = t.seen[row] - t.level[row], t.expected[row] - t.level[row]
        return "trend" if moved and led / moved >= IN_LINE else "usual"


def judged_by(
    tested: statistics.Tested, size: Floats, least: float, there: np.ndarray, weight: Floats
) -> Judged:
    """What the tests of a kind say.

    Args:
        size: what turns ``seen`` and ``expected`` into people, shape (n,).
        least: a rise needs so many people in the window, a fall so many expected there.
        there: which series are tested, shape (n,).
        weight: of each test (``weights``), shape (n,).

    Too few people make the p-value 1: the test still counts among all, so that small series are
    not chosen because they happened to be large."""
    rises = tested.p_rise <= tested.p_fall
    people = np.where(rises, tested.seen, tested.expected) * size
    enough = people >= least
    p, p_level = (
        np.where(there, np.where(enough, np.minimum(1.0, 2 * np.minimum(up, down)), 1.0), np.nan)
        for up, down in (
            (tested.p_rise, tested.p_fall),
            (tested.level_rise, tested.level_fall),
        )
    )
    error = np.hypot(tested.error_seen, tested.error_expected)
    away = np.maximum(0.0, np.abs(tested.seen - tested.expected) - Z * error) * size
    empty = np.full(p.size, np.nan)
    return Judged(
        tested, p, p_level, rises, _ratio(tested, error), away, weight, empty.copy(), empty.copy()
    )


def _ratio(tested: statistics.Tested, error: Floats) -> tuple[Floats, Floats, Floats]:
    """Seen over expected with an interval on the scale of logarithms; where nothing is left of what
    was expected, from 0 to the upper end of what was seen."""
    expected = np.maximum(tested.expected, 1e-9)
    value = np.maximum(tested.seen, 0.0) / expected
    safe = np.maximum(tested.seen, 1e-9)
    relative = np.sqrt(
        (tested.error_expected / expected) ** 2
        + (tested.error_seen**2) / (expected * np.minimum(safe, expected))
    )
    low, high = (value * np.exp(sign * np.minimum(Z * relative, 50)) for sign in (-1, 1))
    gone = value <= 0
    return value, np.where(gone, 0.0, low), np.where(gone, Z * error / expected, high)


# --------------------------------------------------------------------------------------------------
# How much each test counts before looking: more where a doubling could be found and need not be.
#
# A hub publishes hundreds of series whose noise is larger than what they count.  Each of them takes
# its part of the false discovery rate, and none could be found.  So p-values are divided by weights
# with the mean 1 (C. R. Genovese, K. Roeder and L. Wasserman 2006, Biometrika 93:509), which keeps
# the rate as long as weights do not rest on what is tested: these rest on the past, the noise and,
# of shares, the wholes of the window.  A test whose statistic a doubling moves by μ standard errors
# gets the weight that finds the most doublings,
#
#     w = Φ(-(μ/2 + c/μ)) / EACH,
#
# c such that the mean is 1 (K. Roeder and L. Wasserman 2009, Stat. Sci. 24:398).

EACH = 0.01
"""Chance at which a test is usually believed: the rate times the part of the tests that are."""
LEAST = 0.1
"""No weight is less: a change may be larger than a doubling."""
_ROUNDS = 60


def weights(tested: statistics.Tested, there: np.ndarray) -> Floats:
    """Weights of tests, shape (series,), with the mean 1 over those that are ``there``.  A series
    with too many zeros has the weight 1: how many periods of its window are tested is known from
    the window alone."""
    from scipy.special import ndtr

    weight = np.ones(there.size)
    there = there & ~(tested.zeros > 0)
    if not there.any():
        return weight
    errors = np.maximum(tested.doubled[there], 0.05)
    low, high = -50.0, 400.0
    for _round in range(_ROUNDS):
        middle = (low + high) / 2
        raised = ndtr(-(errors / 2 + middle / errors)).mean() > EACH
        low, high = (middle, high) if raised else (low, middle)
    best = ndtr(-(errors / 2 + high / errors)) / EACH
    weight[there] = LEAST + (1 - LEAST) * best
    return weight


# --------------------------------------------------------------------------------------------------
# The false discovery rate: which of many tests to believe.


def q_values(p: Floats, weights: Floats | None = None) -> Floats:
    """Adjusted p-values of Y. Benjamini and Y. Hochberg (1995), J. R. Stat. Soc. B 57:289.

    All tests with a q-value of at most ``rate`` are believed; of these the share that is false is
    expected to be at most ``rate`` where the tests are independent or positively dependent.

    Args:
        p: p-values, any shape; nan where there was no test.
        weights: same shape, positive; p-values are divided by them, after they are scaled to the
            mean 1 over all tests (C. R. Genovese, K. Roeder and L. Wasserman 2006, Biometrika
            93:509).  They may not depend on what is tested.

    Returns:
        The same shape; nan where there was no test.

    >>> q_values(np.array([0.01, 0.04, 0.03, np.nan])).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    flat = p.ravel()
    q = np.full(flat.shape, np.nan)
    (tested,) = np.nonzero(~np.isnan(flat))
    if weights is not None and tested.size:
        flat = flat * (weights.ravel()[tested].mean() / weights.ravel())
    order = tested[np.argsort(flat[tested], kind="stable")]
    ranks = np.arange(1, order.size + 1)
    scaled = flat[order] * order.size / ranks
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return q.reshape(p.shape)


# --------------------------------------------------------------------------------------------------
# The smallest rise that would have been found, in at least half of the cases.

POWER = 0.5
"""The chance that is stated."""
REACHED = 0.8
"""The chance that the sum is large enough.  Of a rise more is asked, known only once it is there:
that it rather did not begin in the periods just before (``earlier``), and that its window does not
teach the past such a shift.  That loses about a fifth of rises, so that less is stated."""
MOST = 50.0
"""No rise beyond so many times what is expected is looked for."""
_ROUNDS_OF_RISE = 11
"""Halvings of a range of logarithms, which leave less than a hundredth of a sum or factor."""


def smallest_rises(tested: statistics.Tested, believed: Floats, least: float) -> Floats:
    """The least factor on what is expected with which a series would be believed to have risen.

    A sum is believed from the one on whose two-sided chance, by the tails of the test itself, is
    ``believed``: they are wider than the law of the sum (:func:`statistics.averaged`).  A factor is
    found with the chance :data:`POWER` if the sum reaches that with the chance :data:`REACHED`.

    Args:
        tested: counts.
        believed: the largest two-sided p-value that is believed, shape (series,), nan for
            a series that was not tested.
        least: people in the window without whom there is no rise.

    Returns:
        Shape (series,); nan where the series was not tested, where it has too many zeros (how many
        periods a rise would have is not known), or no factor up to :data:`MOST` does.
    """
    if np.isnan(tested.expected).all():
        return np.full(believed.size, np.nan)
    expected = np.maximum(tested.expected, max(least, 1.0) / MOST**2)
    low = np.maximum(expected, max(least, 1.0))
    widest = 2 * MOST * low + 20 * tested.noise
    bound = _solved(lambda x: statistics.chance_of_rise(tested.law, x) <= believed / 2, low, widest)

    def reached(times: Floats) -> np.ndarray:
        mean = expected * times
        variance = mean + tested.uneven * mean**2
        return at_least(bound, mean, variance, tested.noise, tested.drift) >= REACHED

    factors = _solved(reached, np.ones(low.size), np.full(low.size, MOST))
    unknown = np.isnan(believed) | (tested.zeros > 0) | (factors > 0.99 * MOST)
    return np.where(unknown, np.nan, factors)


def _solved(enough: Callable[[Floats], np.ndarray], low: Floats, high: Floats) -> Floats:
    """The least value between two positive ends that is enough, by halving their ratio."""
    for _round in range(_ROUNDS_OF_RISE):
        middle = np.sqrt(low * high)
        there = enough(middle)
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return high


# --------------------------------------------------------------------------------------------------
# How often earlier windows missed what their own past led to expect: the null put to the test.

CHANCES = 0.05, 0.005
"""Two-sided chances from which on a window has missed, or has missed by far: series that jump now
and then, and lie still between, miss by far too often, and otherwise not."""
_FEWEST_SERIES, _MOST_SERIES, _WINDOWS = 20, 200, 4
_TIMES_WINDOW = 2
"""Times the window that the past of an earlier window must have."""


@dataclass(frozen=True)
class Missed:
    """``windows`` earlier windows, of which the part ``share`` missed at a ``chance``."""

    windows: int
    share: float
    chance: float

    @property
    def too_often(self) -> bool:
        """Whether the share lies two standard errors above one and a half times the chance."""
        error = math.sqrt(self.chance * (1 - self.chance) / self.windows)
        return self.share > 1.5 * self.chance + 2 * error


def missed(
    panel: SeriesPanel, begin: int, start: int, length: int, season: np.ndarray
) -> Missed | None:
    """Test the number of each series in the windows before the one that is looked at.

    Args:
        begin, start: first period of the past, and of the window.
        length: of the window.
        season: place of each period in its cycle.

    Returns:
        At the first of the chances at which windows missed too often, else at the first of all;
        None with fewer than 20 series, or too short a past.
    """
    at = np.arange(len(panel.periods))
    rows = np.unique(np.linspace(0, len(panel.names) - 1, _MOST_SERIES).round().astype(int))
    counts, noise = panel.counts[rows], panel.noise[rows]
    chances = []
    for k in range(1, _WINDOWS + 1):
        first = start - k * length
        if first - begin < max(4, _TIMES_WINDOW * length) or len(panel.names) < _FEWEST_SERIES:
            break
        past, window = (at >= begin) & (at < first), (at >= first) & (at < first + length)
        here = (~np.isnan(counts[:, past])).sum(axis=1) >= 4
        here &= (~np.isnan(counts[:, window])).sum(axis=1) >= math.ceil(length / 2)
        if here.any():
            tested = statistics.count_tests(counts[here], noise[here], past, window, season)
            chances.append(2 * np.minimum(tested.p_rise, tested.p_fall))
    if not chances:
        return None
    every = np.concatenate(chances)
    shares = [Missed(every.size, float((every < chance).mean()), chance) for chance in CHANCES]
    return next((missed for missed in shares if missed.too_often), shares[0])


RATE, MIN_COUNT = 0.1, 10
CAUTION = 1.02
"""By which q-values are larger than those of tests whose law is known: ours is learnt from the same
series, and "at most" is said of the rate, not "about"."""
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
    moved do not lend their weight to a share that did not; and at least the chance that its level
    moved before the window.  ``weight`` is what p is divided by for that (``weights``).  ``ratio``
    is what was seen over what was to be expected; ``size`` how many people of the window at least
    lie beyond that (the low end of the interval).  ``since`` is the period from which on it has
    another level, "" where it rather has not; ``unclear`` says that this is one of the window and
    that the level may also have moved before it.
    """

    what: What
    way: Way
    p: float
    q: float
    verdict: Verdict
    ratio: SignalFigure
    size: float
    weight: float
    since: str
    unclear: bool


@dataclass(frozen=True)
class Finding:
    """A series, its tests, and its figures before and in the window.

    ``count`` is a mean by period; ``whole``, ``part`` and ``share`` are None without a whole, and
    refer to the periods in which both are known.  Each is a pair: before, now.  The past of the
    count has ``known`` periods, that of the share ``known_shares``.  ``smallest`` is the least
    factor by which its number would have had to rise to be found in at least half of the cases, nan
    where that is unknown; ``zeros`` how many periods of the past are 0, if there are too many;
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
class Search:
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
        weights: of that test, shape (series,); nan where there was none.
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
    counted: statistics.Tested = field(repr=False)
    weights: Floats = field(repr=False)

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
        """The smallest rise that would have been found in half, and in nine of ten, of the series
        without too many zeros."""
        of_each = (f.smallest for f in self.findings if not f.zeros)
        known = [math.inf if math.isnan(x) else x for x in of_each]
        if not known or not math.isfinite(min(known)):
            return None
        half, most = np.quantile(np.array(known), [0.5, 0.9], method="higher")
        return float(half), float(most)

    def rising(
        self, findings: Sequence[Finding], among: Sequence[Finding] | None = None
    ) -> tuple[Finding, ...]:
        """Findings of this result, each with the smallest rise of its number that would be believed
        ``among`` findings, all of them where nothing is said."""
        rate, rows = self.settings.rate, np.array([f.row for f in findings], dtype=int)
        tests = [t for f in (self.findings if among is None else among) for t in f.tests]
        p = max((t.p / t.weight for t in tests if t.q <= rate), default=rate / max(1, len(tests)))
        tested = statistics.Tested(
            *(getattr(self.counted, part.name)[rows] for part in fields(statistics.Tested))
        )
        least = smallest_rises(tested, p * self.weights[rows], self.settings.min_count)
        return tuple(replace(f, smallest=float(x)) for f, x in zip(findings, least, strict=True))

    def span(self, ends: tuple[int, int]) -> tuple[str, str]:
        """First and last period of the window or of the past, as written."""
        return str(self.panel.periods[ends[0]]), str(self.panel.periods[ends[1]])


def find(panel: SeriesPanel, settings: Settings | None = None, *, smallest: bool = True) -> Search:
    """Test every series of a panel.

    Where there are too few periods for any test the result says so, it has no findings.

    Args:
        smallest: whether findings say the smallest rise; else :meth:`Search.rising` says it.
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
    counted = statistics.Tested(*_spread(panel))
    if past.sum() >= FEWEST_COUNTS:
        counted = statistics.count_tests(panel.counts, panel.noise, past, window, season)
    known = ~np.isnan(panel.counts)
    both = known & ~np.isnan(panel.wholes)
    enough = math.ceil(length / 2)
    shared = _shared(panel, past if settings.past else at < start, window, both)
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
        for tested, size, there in zip(
            (counted, shared), (np.ones(len(known)), in_window), testable, strict=True
        )
    ]
    weight = np.stack([j.weight for j in judged])
    every = q_values(np.stack([j.p for j in judged]), weight)
    of_level = q_values(np.stack([j.p_level for j in judged]))
    for j, q, flat in zip(judged, every, of_level, strict=True):
        alike = CAUTION * np.maximum(q, q_values(j.p, j.weight))
        j.q[:] = np.minimum(1.0, np.maximum(alike, j.tested.earlier))
        j.q_level[:] = np.maximum(flat, q_values(j.p_level))
    findings = [
        _finding(panel, int(row), (past, window), judged, settings.rate)
        for row in np.flatnonzero(testable.any(axis=0))
    ]
    search = Search(
        panel=panel,
        findings=ordered(findings, settings.rate),
        window=(start, n - 1),
        past=(begin, max(begin, start - 1)),
        settings=settings,
        tests=int(testable.sum()),
        too_few_periods=tuple(panel.names[row] for row in np.flatnonzero(~testable.any(axis=0))),
        missed=missed(panel, begin, start, length, season),
        seasons=IN_A_CYCLE[kind] > 1 and bool(past.sum() >= statistics.CYCLES * IN_A_CYCLE[kind]),
        counted=counted,
        weights=np.where(testable[0], judged[0].weight, np.nan),
    )
    return replace(search, findings=search.rising(search.findings)) if smallest else search


def ordered(findings: Sequence[Finding], rate: float) -> tuple[Finding, ...]:
    """Signals first, the largest of them first; then the others, the clearest first."""
    return tuple(
        sorted(findings, key=lambda f: (not f.moved(rate), -f.size(rate), f.q, f.p, f.name))
    )


def _spread(panel: SeriesPanel) -> list[np.ndarray]:
    """The arrays of a test in which no series was tested."""
    return [np.full(len(panel.names), np.nan) for _field in fields(statistics.Tested)]


def _shared(
    panel: SeriesPanel, past: np.ndarray, window: np.ndarray, both: np.ndarray
) -> statistics.Tested:
    """The test of shares, nan for series without a whole."""
    rows = np.flatnonzero(
        ((both & past).sum(axis=1) >= FEWEST_SHARES) & (both & window).any(axis=1)
    )
    spread = _spread(panel)
    if not rows.size:
        return statistics.Tested(*spread)
    shares = statistics.share_tests(
        panel.counts[rows],
        panel.wholes[rows],
        panel.noise[rows],
        panel.noise_of_wholes[rows],
        past,
        window,
    )
    for part, values in zip(fields(statistics.Tested), spread, strict=True):
        values[rows] = getattr(shares, part.name)
    return statistics.Tested(*spread)


def _mean(values: Floats, noise: Floats, inside: np.ndarray) -> SignalFigure:
    """Mean by period with the interval that the noise justifies."""
    n = int(inside.sum())
    if not n:
        return SignalFigure(math.nan, math.nan, math.nan)
    value = float(values[inside].mean())
    half = Z * math.sqrt(float((noise[inside] ** 2).sum())) / n
    return SignalFigure(value, value - half, value + half)


def _share(value: float, error: float) -> SignalFigure:
    """A share with an interval for chance, dispersion and noise."""
    middle, half = min(1.0, max(0.0, value)), Z * error
    return SignalFigure(middle, max(0.0, middle - half), min(1.0, middle + half))


def _begun(
    panel: SeriesPanel, tested: statistics.Tested, row: int, window: np.ndarray, rate: float
) -> tuple[str, bool]:
    """Since when a series has another level, and whether that may have begun before the window."""
    if not tested.since[row] > 0:
        return "", False
    at = -int(tested.since[row])
    return str(panel.periods[at]), bool(window[at] and tested.earlier[row] > rate)


def _finding(
    panel: SeriesPanel,
    row: int,
    spans: tuple[np.ndarray, np.ndarray],
    judged: list[Judged],
    rate: float,
) -> Finding:
    """A series with its tests of a count and of a share; ``spans`` are past and window."""
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
            *_begun(panel, j.tested, row, spans[1], rate),
        )
        for what, j in zip(whats, judged, strict=True)
        if not np.isnan(j.p[row])
    )
    counted, shared = (j.tested for j in judged)
    counts, wholes = panel.counts[row], panel.wholes[row]
    before, now = (~np.isnan(counts) & span for span in spans)
    both_before, both_now = (known & ~np.isnan(wholes) for known in (before, now))
    noise, of_wholes = panel.noise[row], panel.noise_of_wholes[row]
    part = whole = share = None
    if any(t.what == "share" for t in tests):
        part = _mean(counts, noise, both_before), _mean(counts, noise, both_now)
        whole = _mean(wholes, of_wholes, both_before), _mean(wholes, of_wholes, both_now)
        people = float(wholes[both_before].sum())
        earlier = float(counts[both_before].sum()) / people if people > 0 else math.nan
        share = (
            _share(earlier, float(shared.error_expected[row])),
            _share(float(shared.seen[row]), float(shared.error_seen[row])),
        )
    return Finding(
        row=row,
        name=panel.names[row],
        tests=tests,
        count=(_mean(counts, noise, before), _mean(counts, noise, now)),
        part=part,
        whole=whole,
        share=share,
        known=int(before.sum()),
        known_shares=int(both_before.sum()),
        smallest=math.nan,
        zeros=int(np.nan_to_num(counted.zeros[row])),
        empty=int(np.nan_to_num(counted.empty[row])),
    )


# --------------------------------------------------------------------------------------------------
# Periods at the end of a file on which reports are still to come.
#
# A file does not say when its reports came, so all series together have to.  Late reports make the
# total lower the nearer to the end, while a true fall of everything stays where it fell to.  One
# that goes on falling to the last period looks the same, and is left out too, which is said.

UNLIKELY = 0.001
"""Reports are still to come if the total of the last period is as unlikely."""
MOST_PERIODS, FEW_LOW = 2 / 3, 3
"""And at most this part of what is expected, or the last of so many periods that are low."""
LOWER_STILL, _DEVIATIONS = 0.95, 2.0
"""And at most this part of the low period before, and below the two before beyond chance."""
_FEWEST = 6


def until(panel: SeriesPanel, last: Period) -> SeriesPanel | None:
    """The panel up to a period; None where that leaves nothing, or the kinds differ."""
    first = panel.periods[0]
    n = last.place - first.place + 1
    if last.kind != first.kind or n < 1:
        return None
    return _cut(panel, min(n, len(panel.periods)))


def finished(panel: SeriesPanel) -> tuple[SeriesPanel, tuple[Period, ...]]:
    """The panel without the last periods on which reports are still to come, and these periods."""
    n, kind = len(panel.periods), panel.periods[0].kind
    here = ~np.isnan(panel.counts[:, -1])
    if n < _FEWEST or not here.any():
        return panel, ()
    counts = panel.counts[here]
    known = ~np.isnan(counts)
    total = np.where(known, counts, np.nanmean(counts, axis=1, keepdims=True)).sum(axis=0)[None]
    noise = np.sqrt((np.where(known, panel.noise[here], 0.0) ** 2).sum(axis=0))[None]
    at, cycle = np.arange(n), IN_A_CYCLE[kind] > 1
    season = np.array([p.in_cycle for p in panel.periods]) if cycle else 0 * at
    begin, part, spread = n, np.ones(n), 0.0
    for first in range(n - 1, n - 1 - min(2 * window_for(kind, n), n // 3), -1):
        ratio = (total / statistics.rates(total, noise, at < first, season))[0]
        deviation = float(ratio[:first].std())
        if ratio[first] >= 1 - _DEVIATIONS * deviation:
            break
        begin, part, spread = first, ratio, deviation
    low = part[begin:]
    near = low[:-1] if low.size > 1 else np.ones(1)
    mean = float(near[-2:].mean())
    least = min(mean - _DEVIATIONS * spread * math.sqrt(mean), LOWER_STILL * near[-1])
    least = least if low.size >= FEW_LOW else min(least, MOST_PERIODS)
    if not low.size or low[-1] > least:
        return panel, ()
    if statistics.count_tests(total, noise, at < begin, at == n - 1, season).p_fall[0] >= UNLIKELY:
        return panel, ()
    over = begin + int(low.argmax())
    less, earlier = finished(_cut(panel, over))
    return less, (*earlier, *panel.periods[over:])


def _cut(panel: SeriesPanel, n: int) -> SeriesPanel:
    arrays = {
        name: getattr(panel, name)[:, :n]
        for name in ("counts", "wholes", "noise", "noise_of_wholes")
    }
    return replace(panel, periods=panel.periods[:n], **arrays)
