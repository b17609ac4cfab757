"""Estimates of the hidden population: all methods on one table, side by side, with the intervals
of the bootstrap; there is no headline among them.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from ctdhub.core.i18n import Text
from ctdhub.schema.model import LEVEL
from ctdhub.stats.mse.lists import Bools, Floats, Gate, Lists, members, pair_places, pass_gate
from ctdhub.stats.mse.loglinear import Columns, select

# --------------------------------------------------------------------------------------------------
# Intervals of the bootstrap: plain quantiles, and the corrected ones that other software prints.
#
# What is shown are quantiles at (1 - level) / 2 and (1 + level) / 2.  The bias-corrected and
# accelerated interval (B. Efron, 1987, J. Am. Stat. Assoc. 82:171; the jackknife leaves out one
# person of each cell and weighs by the people in it, as in Chan, Silverman and Vincent 2021) is
# kept next to it for comparison.  It takes for bias that the selection of pairs differs from table
# to table: on sparse lists an end then maps to the few smallest replicates or to their middle, and
# of intervals of 95 % fewer hold a known population (``benchmarks/estimate.py``).


@dataclass(frozen=True)
class BootstrapInterval:
    """An interval as other software makes it, and how it came about.

    Attributes:
        corrected: its ends, in people: bias-corrected and accelerated.
        z0: bias correction; 0 where half of the replicates lie below the estimate.
        acceleration: how fast the standard error changes with the estimate.
        mapped: the two shares of replicates that the corrected ends are quantiles at.
        replicates: how many.
    """

    corrected: tuple[float, float]
    z0: float
    acceleration: float
    mapped: tuple[float, float]
    replicates: int


def bootstrap_interval(
    estimate: float, replicates: Floats, left_out: Floats, weights: Floats, level: float
) -> BootstrapInterval:
    """The corrected interval.

    Args:
        estimate: in people.
        replicates: estimates of the tables of the bootstrap; infinite ones are allowed.
        left_out: estimates with one person less in each cell that has people.
        weights: people in those cells.
        level: in 0..1.
    """
    normal, n = NormalDist(), len(replicates)
    ordered = np.sort(replicates)
    below = (replicates < estimate).sum() + (replicates == estimate).sum() / 2
    z0 = normal.inv_cdf(min(max(below / n, 0.5 / n), 1 - 0.5 / n))
    whole = np.isfinite(left_out)
    mean = float(np.average(left_out[whole], weights=weights[whole])) if whole.any() else 0.0
    off = np.where(whole, mean - left_out, 0.0)
    squares = float((weights * off**2).sum())
    a = float((weights * off**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    first, last = (
        _mapped(normal, z0, a, normal.inv_cdf(end)) for end in ((1 - level) / 2, (1 + level) / 2)
    )
    corrected = _quantile(ordered, first), _quantile(ordered, last)
    return BootstrapInterval(corrected, z0, a, (first, last), n)


def plain(replicates: Floats, level: float) -> tuple[float, float]:
    """Quantiles at (1 - level) / 2 and (1 + level) / 2."""
    ordered = np.sort(replicates)
    return _quantile(ordered, (1 - level) / 2), _quantile(ordered, (1 + level) / 2)


def _mapped(normal: NormalDist, z0: float, a: float, z: float) -> float:
    slope = 1 - a * (z0 + z)
    if slope <= 0:  # beyond the pole: as far out as there are replicates
        return 1.0 if z > 0 else 0.0
    return normal.cdf(z0 + (z0 + z) / slope)


def _quantile(ordered: Floats, p: float) -> float:
    """Linear between replicates; infinite ones are allowed."""
    place = p * (len(ordered) - 1)
    k = int(place)
    low, high = float(ordered[k]), float(ordered[min(k + 1, len(ordered) - 1)])
    return low if low == high or place == k else low + (place - k) * (high - low)


# --------------------------------------------------------------------------------------------------
# Random bits that belong to a table: the same table always gives the same intervals.
#
# A reader must be able to cite an interval and to find it again, so the bits are not fresh: they
# are the output of SHAKE-256 (an extendable-output hash, FIPS 202) over the table itself.  Nobody
# can choose them, as one can choose a seed until a result pleases, and nobody needs to store them.
# No secret hangs on them: all they are used on is either published already or belongs to the user.

Source = Callable[[int], bytes]
"""Gives that many random bytes; each call gives new ones.  :func:`os.urandom` is one."""

_BLOCK = 2**20


def bits_of(lists: Lists, purpose: str) -> Source:
    """The random bits of a table for one purpose; purposes are independent of each other.

    >>> lists = Lists(("a", "b"), (5.0, 6.0, 2.0))
    >>> bits_of(lists, "x")(3) == bits_of(lists, "x")(3) != bits_of(lists, "y")(3)
    True
    """
    content = json.dumps(["ctdhub estimate 1", purpose, lists.names, lists.counts, lists.sigma])
    key = hashlib.sha256(content.encode()).digest()
    rest, block = b"", 0

    def source(size: int) -> bytes:
        nonlocal rest, block
        parts, have = [rest], len(rest)
        while have < size:
            parts.append(hashlib.shake_256(key + block.to_bytes(8, "big")).digest(_BLOCK))
            have, block = have + _BLOCK, block + 1
        joined = b"".join(parts)
        rest = joined[size:]
        return joined[:size]

    return source


# --------------------------------------------------------------------------------------------------
# What is drawn at random: tables of the bootstrap.

Words = npt.NDArray[np.uint64]


def words(size: int, source: Source) -> Words:
    """Random 64-bit words."""
    return np.frombuffer(source(8 * size), dtype=np.uint64)


def uniform(shape: tuple[int, ...], source: Source) -> Floats:
    """Uniform numbers in (0, 1)."""
    drawn = words(int(np.prod(shape)), source) >> np.uint64(11)
    return ((drawn.astype(np.float64) + 0.5) * 2.0**-53).reshape(shape)


def normal(shape: tuple[int, ...], source: Source) -> Floats:
    """Standard normal numbers."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniform(shape, source)), dtype=np.float64)


def multinomial(n: int, chances: Floats, rows: int, source: Source) -> npt.NDArray[np.int64]:
    """Rows x cells: n people thrown into cells of these chances, independently in each row."""
    from ctdhub.stats.mse import kernels

    out = np.zeros((rows, len(chances)), dtype=np.int64)
    stock = words(8 * out.size + 4096, source)
    while True:
        at = np.zeros(1, dtype=np.int64)
        kernels.multinomials(n, chances / chances.sum(), out, stock, at)
        if at[0] <= len(stock):
            return out
        stock = np.concatenate([stock, words(len(stock), source)])


def resampled(lists: Lists, rows: int, source: Source) -> Floats:
    """Rows x cells: tables as they might have come out.

    Each is the table itself, plus a multinomial draw less its mean, plus the noise of protection
    drawn anew.  Without noise that is the multinomial bootstrap.
    """
    base = np.maximum(lists.y, 0.0)
    n = round(float(base.sum()))
    drawn = multinomial(n, base, rows, source) + (lists.y - base * (n / base.sum()))
    if lists.sigma:
        drawn = drawn + lists.sigma * normal(drawn.shape, source)
    return np.asarray(drawn, dtype=np.float64)


def with_chance_of_seen(people: Floats, seen: float, chance: Floats) -> Floats:
    """Estimates of resampled tables, spread by what tables of as many people do not show: that n of
    N people are seen is chance as well, with the variance N (N - n) / n of the estimate.

    Args:
        people: the estimate of the table, then those of the resampled ones.
        seen: how many people are on its lists.
        chance: a standard normal number for each of the resampled ones.
    """
    value = float(people[0])
    if not np.isfinite(value):
        return people
    spread = max(0.0, value * (value / max(seen, 1.0) - 1)) ** 0.5
    return np.append(value, people[1:] + spread * chance)


# --------------------------------------------------------------------------------------------------
# What one method found: a number with its interval, or why there is none.

Name = Literal[
    "independent", "stepwise", "halved", "doubled", "differ", "at_least",
    "independent_strata", "stepwise_strata",
]  # fmt: skip
Why = Literal["no_finite_estimate", "few_lists", "nobody_on_three", "too_wide"]


@dataclass(frozen=True)
class Method:
    """What one method found.

    Attributes:
        name: of the method.
        value, low, high: people in the population, seen and unseen, with the interval at the
            result's level; None where ``why`` says so.
        why: why there is no number; None where there is one.
        pairs: lists that depend on each other, by name, where the method names some.
        bootstrap: how the interval came about, where it is one of the bootstrap.
    """

    name: Name
    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: Why | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    bootstrap: BootstrapInterval | None = None


# --------------------------------------------------------------------------------------------------
# How the estimate moves when lists are left out or merged, or links between records are wrong.
#
# Wrong links, the model.  A person on m lists has m records.  Each of them stands apart from the
# others, as if it were somebody else, with chance d, independently; d is such that a share e of the
# pairs of records are not linked: (1 - d)^2 = 1 - e.  That makes a matrix A from the table of
# people to the table that is counted.  If a share e of true links was missed, the true table is
# A^-1 times the counted one; cells that this makes negative are set to zero.  If a share f of the
# links that were made joins two different people, the true table is A(f) times the counted one.

RATES = (0.05, 0.1, 0.2)
MOST_RATE = 0.5
"""Shares of wrong links above this say that nothing is known of the links."""
Kind = Literal["without", "merged", "tied", "missed_links", "false_links"]
Knowledge = Literal["", "about", "most"]


@dataclass(frozen=True)
class WrongLinks:
    """What is known of the links behind a table, shares in 0..1.

    Attributes:
        missed: share of the true links between lists that were not made, about.
        missed_most: the same, at most.
        false_most: share of the links made that join different people, at most.
    """

    missed: float
    missed_most: float
    false_most: float

    @property
    def too_many(self) -> bool:
        """Whether so many may be wrong that no table behind them can be worked out."""
        return max(self.missed_most, self.false_most) > MOST_RATE


@dataclass(frozen=True)
class SensitivityChange:
    """One change and what comes out.

    Attributes:
        kind: what is changed.
        names: the list left out, the two that are merged, or the pair whose odds ratio is fixed.
        rate: share of links, in 0..1; of a pair its odds ratio.
        seen: people on any list after the change.
        stepwise, independent: estimates with chosen pairs, and with the lists alone; None where
            the lists then overlap too little, or no finite estimate exists, or the pair was
            chosen and its odds ratio is estimated.  Where links are wrong the pairs are those that
            were chosen on the table itself: a choice made anew may jump, and missed links would
            then seem to raise the estimate.
        anew: whether other pairs are chosen than on the table itself, among the lists in both.
        others: the estimate with these pairs where links are wrong and ``anew``; else None.
            Where a list is left out or merged ``stepwise`` is the estimate with them.
        known: "about" or "most" where the rate is what is known of these links, see
            :class:`WrongLinks`; "" where it is an example.
    """

    kind: Kind
    names: tuple[str, ...]
    rate: float | None
    seen: float
    stepwise: float | None
    independent: float | None
    anew: bool = False
    others: float | None = None
    known: Knowledge = ""


def changes(
    lists: Lists, level: float, links: WrongLinks | None = None
) -> tuple[SensitivityChange, ...]:
    """All changes: each list left out, each pair merged or tied, links missed and false.

    Args:
        level: of the gate's interval.
        links: what is known of the links; these rows come last.
    """
    chosen = select(lists.y[None], len(lists.names), lists.sigma).chosen[0]
    others = (_changed(*other, lists, chosen, level) for other in _others(lists, links))
    return (*_pairs(lists, chosen), *others)


def _pairs(lists: Lists, chosen: Bools) -> Iterator[SensitivityChange]:
    """Each pair of lists with an odds ratio of 1/2, and of 2."""
    for pair, (a, b), free in zip(lists.pairs, pair_places(len(lists.names)), chosen, strict=True):
        for odds in ODDS:
            offset = np.where(lists.on[:, a] & lists.on[:, b], math.log(odds), 0.0)
            fit = select(lists.y[None], len(lists.names), pairs=chosen, offset=offset)
            stepwise = None if free else _finite(fit.people)
            yield SensitivityChange("tied", pair, odds, lists.people, stepwise, _finite(fit.alone))


def _others(lists: Lists, links: WrongLinks | None) -> Iterator[tuple[SensitivityChange, Lists]]:
    """Each other change, without estimates yet, and the table after it."""

    def row(
        table: Lists,
        kind: Kind,
        names: tuple[str, ...],
        rate: float | None = None,
        known: Knowledge = "",
    ) -> tuple[SensitivityChange, Lists]:
        return SensitivityChange(kind, names, rate, table.people, None, None, known=known), table

    if len(lists.names) > 2:
        for name in lists.names:
            yield row(lists.without(name), "without", (name,))
        for pair in lists.pairs:
            yield row(lists.merged(*pair), "merged", pair)
    for rate in RATES:
        yield row(relinked(lists, rate), "missed_links", (), rate)
    for rate in RATES:
        yield row(unlinked(lists, rate), "false_links", (), rate)
    if links and not links.too_many:
        yield row(relinked(lists, links.missed), "missed_links", (), links.missed, "about")
        most = links.missed_most
        yield row(relinked(lists, most), "missed_links", (), most, "most")
        most = links.false_most
        yield row(unlinked(lists, most), "false_links", (), most, "most")


def _changed(
    change: SensitivityChange, lists: Lists, before: Lists, chosen: Bools, level: float
) -> SensitivityChange:
    if pass_gate(lists, level).lists is None:
        return change
    y, k = lists.y[None], len(lists.names)
    anew = select(y, k, lists.sigma)
    both = set(before.names) & set(lists.names)
    same = _pair_names(before, chosen, both) == _pair_names(lists, anew.chosen[0], both)
    made, alone = _finite(anew.people), _finite(anew.alone)
    if same or change.rate is None:
        return replace(change, stepwise=made, independent=alone, anew=not same)
    people = _finite(select(y, k, pairs=chosen).people)
    return replace(change, stepwise=people, independent=alone, anew=True, others=made)


def _finite(people: Floats) -> float | None:
    return float(people[0]) if np.isfinite(people[0]) else None


def _pair_names(lists: Lists, chosen: Bools, among: set[str]) -> set[tuple[str, str]]:
    """Chosen pairs of these lists, by name."""
    named = zip(pair_places(len(lists.names)), chosen, strict=True)
    pairs = {(lists.names[a], lists.names[b]) for (a, b), entered in named if entered}
    return {pair for pair in pairs if among.issuperset(pair)}


def relinked(lists: Lists, rate: float) -> Lists:
    """The table if a share of the true links was missed."""
    table = np.linalg.solve(_parted(len(lists.names), rate), lists.y)
    return lists.replace(table if lists.sigma else np.maximum(table, 0.0))


def unlinked(lists: Lists, rate: float) -> Lists:
    """The table if a share of the links that were made is false."""
    return lists.replace(_parted(len(lists.names), rate) @ lists.y)


def _parted(lists: int, rate: float) -> Floats:
    """Cells x cells: people counted in each cell for each person of a cell, if a share of links
    is not made."""
    apart = 1 - (1 - rate) ** 0.5
    matrix = np.zeros((2**lists - 1, 2**lists - 1))
    for whole in range(1, 2**lists):
        m, part = whole.bit_count(), whole
        while part:  # the records that stay linked: every subset of the person's records
            left = m - part.bit_count()
            matrix[part - 1, whole - 1] += (1 - apart) ** (m - left) * apart**left
            part = part - 1 & whole
        for k in range(lists):
            if whole >> k & 1:
                matrix[(1 << k) - 1, whole - 1] += apart
    return matrix


# --------------------------------------------------------------------------------------------------
# If the lists are not independent: rows that allow for it, both ways, and a test of it.
#
# Where the chance to be on list j is a x p_j and a differs from person to person, every overlap is
# larger than independent lists would have it, and so it is where lists refer people to each other:
# what takes lists as independent is too low.  Where lists avoid each other's people it is too high.
#
# **Odds halved and doubled** (S. C. Gerritse, P. G. M. van der Heijden and B. F. M. Bakker, 2015,
# J. Off. Stat. 31:357): the log-linear model of independent lists with the odds ratio of each pair
# of lists fixed at 1/2, and at 2.  Of all models whose odds ratios are between these the two have
# the smallest and the largest estimate.  A factor a with the squared coefficient of variation CV2
# makes odds ratios of about 1 + CV2.
#
# **Common interaction** (J. N. Darroch, S. E. Fienberg, G. F. V. Glonek, B. W. Junker, 1993, J. Am.
# Stat. Assoc. 88:1137; S. Baillargeon and L.-P. Rivest, 2007, J. Stat. Softw. 19(5)): one more
# column, h(k) of the number k of lists of a cell.  With h = k^2 / 2 its coefficient is the log of
# an odds ratio that all pairs share; z is that over its standard error: people who differ, or are
# referred, make it positive, and lists that avoid each other negative.  A row has
# h = log a - log(a + k) with a = 0.5, in which more and more people are harder to find.  It is
# there for the upper end: of people who differ by more than doubled odds z does not see some
# (``benchmarks/estimate.py``).  Where its coefficient is negative it shows people who are alike,
# and the higher of the two upper ends.
#
# **Bound** (L.-P. Rivest and S. Baillargeon, 2007, Biometrics 63:999; A. Chao, 1987, Biometrics
# 43:783): free effects of three and more lists, so that only people on one list or two are
# compared.  It is a lower bound where people differ and lists do not avoid each other.
#
# Intervals take log(people on no list) as normal, with the variance of the intercept plus
# 1 / (people on no list), and what the noise of protection adds.

HINT, SIGN = 0.9, 1.645
"""z from which, up or down, the lists hint that they depend on each other (18 of 100 tables of
independent lists reach it one way) and from which they show it (5 of 100)."""
WIDEST = 10.0
"""Upper over lower end beyond which an interval says too little to be a number."""
ODDS = (0.5, 2.0)
"""Odds ratios of the sensitivity."""
_TIED: tuple[Name, Name] = ("halved", "doubled")

_FORMS: dict[str, Callable[[Floats], Floats]] = {
    "square": lambda k: k**2 / 2,
    "differ": lambda k: np.log(0.5) - np.log(0.5 + k),
}


@dataclass(frozen=True)
class Dependence:
    """What is said if the lists are not independent.

    Attributes:
        z: of the common interaction, h = k^2 / 2; None where it gave no number.
        rows: odds halved and doubled, people who differ, and the lower bound.
    """

    z: float | None
    rows: tuple[Method, ...]

    @property
    def hinted(self) -> int:
        """1 where the lists hint that people differ or are referred, -1 where they hint that lists
        avoid each other's people, else 0."""
        return 0 if self.z is None or abs(self.z) <= HINT else int(math.copysign(1, self.z))

    @property
    def is_clear(self) -> bool:
        """Whether the lists show it."""
        return self.z is not None and abs(self.z) > SIGN

    @property
    def is_complete(self) -> bool:
        """Whether the lists can be asked: every row gives a number."""
        return all(row.value is not None for row in self.rows)


def dependence(lists: Lists, level: float) -> Dependence:
    """All rows.

    Args:
        lists: as the gate let them through.
        level: of the intervals, in 0..1.
    """
    z, differ = _common(lists, level)
    return Dependence(z, (*(_tied(lists, level, o) for o in ODDS), differ, _bound(lists, level)))


def _tied(lists: Lists, level: float, odds: float) -> Method:
    """All pairs of lists with this odds ratio."""
    every, k = np.ones(len(lists.y), dtype=bool), lists.on.sum(axis=1)
    offset = math.log(odds) * k * (k - 1) / 2
    fit = _fitted(lists, level, _columns(len(lists.names), None), every, offset)
    name = _TIED[odds > 1]
    return Method(name, why="no_finite_estimate") if not fit else Method(name, *fit[0])


def _common(lists: Lists, level: float) -> tuple[float | None, Method]:
    """z of the common interaction, and the row of people who differ."""
    if len(lists.names) < 3:
        return None, Method("differ", why="few_lists")
    every = np.ones(len(lists.y), dtype=bool)
    three = lists.on.sum(axis=1) >= 3
    half = NormalDist().inv_cdf((1 + level) / 2) * lists.sigma * float(three.sum()) ** 0.5
    if float(lists.y[three].sum()) - half <= 0:
        return None, Method("differ", why="nobody_on_three")
    square, differ, alike = (
        _fitted(lists, level, _columns(len(lists.names), form), every)
        for form in ("square", "differ", None)
    )
    if square is None or differ is None or alike is None:
        return None, Method("differ", why="no_finite_estimate")
    people, slope = differ
    if slope < 0:  # the coefficient is at least 0: at 0 people are alike
        people = (alike[0][0], alike[0][1], max(people[2], alike[0][2]))
    return square[1], _row("differ", people)


def _bound(lists: Lists, level: float) -> Method:
    if len(lists.names) < 3:
        return Method("at_least", why="few_lists")
    columns = _columns(len(lists.names), None)
    fit = _fitted(lists, level, columns, lists.on.sum(axis=1) <= 2)
    return Method("at_least", why="no_finite_estimate") if not fit else _row("at_least", fit[0])


def _row(name: Name, people: tuple[float, float, float]) -> Method:
    _value, low, high = people
    return Method(name, *people) if high <= WIDEST * low else Method(name, why="too_wide")


def _fitted(
    lists: Lists, level: float, columns: Columns, cells: Bools, offset: Floats | float = 0.0
) -> tuple[tuple[float, float, float], float] | None:
    """People with their interval, and the last coefficient over its standard error; None where no
    finite estimate exists."""
    y, kept = lists.y[None] * cells, cells[None]
    finite = np.ones((1, columns.x.shape[1]), dtype=bool)
    if not columns.exists(y, finite, kept)[0]:
        return None
    b, means = columns.fit(y, finite, kept, offset=offset)
    inverse = columns.covariance(means, finite)[0]
    if lists.sigma:
        slopes = inverse @ columns.x.T * cells
        inverse = inverse + lists.sigma**2 * slopes @ slopes.T
    z = float(b[0, -1] / inverse[-1, -1] ** 0.5)
    hidden = float(np.exp(b[0, 0]))
    error = float(inverse[0, 0] + 1 / hidden) ** 0.5 if hidden > 0 else np.inf
    reach = float(np.exp(min(NormalDist().inv_cdf((1 + level) / 2) * error, 700.0)))
    seen = lists.people
    return (seen + hidden, seen + hidden / reach, seen + hidden * reach), z


@lru_cache(maxsize=32)
def _columns(lists: int, form: str | None) -> Columns:
    """Intercept, lists, and a form of the common interaction if one is named."""
    on = members(lists)
    parts: list[Floats] = [np.ones((len(on), 1)), on.astype(np.float64)]
    if form is not None:
        parts.append(_FORMS[form](on.sum(axis=1).astype(np.float64))[:, None])
    return Columns(np.hstack(parts))


# --------------------------------------------------------------------------------------------------
# Estimates within strata, such as gender or age, added up.
#
# Where people differ in how easily they are found because of something that is recorded, lists that
# depend on each other in the whole may be independent within strata (C. C. Sekar and W. E. Deming,
# 1949, J. Am. Stat. Assoc. 44:101).  Strata that overlap too little for a number of their own are
# taken together; the bootstrap draws all strata at once.

Label = tuple[str, ...]
"""Values of the columns that make the strata."""


@dataclass(frozen=True)
class Strata:
    """What comes out within strata.

    Attributes:
        parts: labels that were taken together, and the people seen of them; one label in most.
        rows: two methods, their estimates added up over the parts; () where fewer than two parts
            overlap enough.
    """

    parts: tuple[tuple[tuple[Label, ...], float], ...]
    rows: tuple[Method, ...]


def stratified(
    tables: Mapping[Label, Lists], level: float, replicates: int, source: Source
) -> Strata:
    """Estimate within strata and add up.

    Args:
        tables: of the same lists; those that carry noise have it independently.
        level: of the intervals, in 0..1.
        replicates: tables of the bootstrap.
        source: random bits.
    """
    parts = _parts(dict(sorted(tables.items())), level)
    seen = tuple((labels, lists.people) for labels, lists in parts)
    if len(parts) < 2:
        return Strata(seen, ())
    k = len(parts[0][1].names)
    fits = [
        select(np.vstack([lists.y, drawn]), k, lists.sigma)
        for (_labels, lists), drawn in zip(parts, _drawn(parts, replicates, source), strict=True)
    ]
    chance = normal((len(parts), replicates), source)

    def row(name: Name, each: Sequence[Floats]) -> Method:
        """Added up."""
        people = [
            with_chance_of_seen(own, lists.people, z)
            for own, (_labels, lists), z in zip(each, parts, chance, strict=True)
        ]
        return _ranged(name, np.sum(people, axis=0), level)

    return Strata(
        seen,
        (
            row("independent_strata", [f.alone for f in fits]),
            row("stepwise_strata", [f.people for f in fits]),
        ),
    )


def _drawn(parts: Sequence[tuple[object, Lists]], rows: int, source: Source) -> list[Floats]:
    """Tables of each part as they might have come out: all people thrown at once where they were
    counted; with noise, each part by itself."""
    if any(lists.sigma for _labels, lists in parts):
        return [resampled(lists, rows, source) for _labels, lists in parts]
    y = np.concatenate([lists.y for _labels, lists in parts])
    drawn = multinomial(round(float(y.sum())), y, rows, source).astype(np.float64)
    return np.split(drawn, len(parts), axis=1)


def _parts(tables: dict[Label, Lists], level: float) -> list[tuple[tuple[Label, ...], Lists]]:
    """Strata that overlap enough, and the others together, or with the smallest of the first."""
    good: list[tuple[tuple[Label, ...], Lists]]
    good = [((label,), lists) for label, lists in tables.items() if _enough(lists, level)]
    poor = [(label, lists) for label, lists in tables.items() if not _enough(lists, level)]
    if not poor:
        return good
    labels: tuple[Label, ...] = tuple(label for label, _lists in poor)
    rest = _together([lists for _label, lists in poor])
    if not _enough(rest, level) and good:
        smallest = min(good, key=lambda part: part[1].people)
        good.remove(smallest)
        labels, rest = (*smallest[0], *labels), _together([smallest[1], rest])
    return [*good, (labels, rest)]


def _enough(lists: Lists, level: float) -> bool:
    """Whether the gate opens for all lists with people; lists with nobody do no harm.

    Of lists that carry noise the overlap must be twice as large as the half-width of its interval:
    one over a smaller one is too large on average, and sometimes there is no finite estimate.
    """
    for name, people in lists.sizes.items():
        if people <= 0 and len(lists.names) > 1:
            lists = lists.without(name)
    gate = pass_gate(lists, level)
    sure = gate.certain >= gate.overlapping - gate.certain
    return gate.refused is None and not gate.alone and sure


def _together(tables: list[Lists]) -> Lists:
    counts = np.sum([lists.y for lists in tables], axis=0).tolist()
    return Lists(tables[0].names, tuple(counts), math.hypot(*(lists.sigma for lists in tables)))


# --------------------------------------------------------------------------------------------------
# All methods on one table, side by side; there is no headline among them.

Report = Callable[[Text, float], None]

REPLICATES = 1000
QUESTIONS = {"same_place": True, "refer": False, "one_register": False}
"""What only the organisations know, and the answer with which lists may be independent: do they
work in the same place; do they refer people to each other, or refuse each other's people; do they
share a register?"""


@dataclass(frozen=True)
class Result:
    """All that is said about the population behind some lists.

    Attributes:
        lists: as they were given.
        gate: what may be estimated from; where it refuses there are no methods and no changes.
        level: of the intervals, in 0..1.
        methods: side by side, in a fixed order.
        changes: the sensitivity of the estimates.
        dependence: the rows if the lists are not independent; None where the gate refuses.
        strata: the estimates within strata; None where none were asked for.
        links: what is known of the links behind the lists; None where nothing is.
        answers: of the organisations to :data:`QUESTIONS`; one that is not there has no answer.
    """

    lists: Lists
    gate: Gate
    level: float
    methods: tuple[Method, ...]
    changes: tuple[SensitivityChange, ...]
    dependence: Dependence | None = None
    strata: Strata | None = None
    links: WrongLinks | None = None
    answers: Mapping[str, bool] = field(default_factory=dict)

    @property
    def estimates(self) -> tuple[Method, ...]:
        """The methods that gave a number."""
        return tuple(m for m in self.methods if m.value is not None)

    @property
    def spread(self) -> tuple[float, float] | None:
        """The smallest and the largest estimate; None where there is none."""
        values = [m.value for m in self.estimates if m.value is not None]
        return (min(values), max(values)) if values else None

    @property
    def intervals(self) -> tuple[float, float] | None:
        """The lowest and the highest end of the intervals of the methods."""
        return _ends(self.estimates)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Pairs of lists that were chosen, for they depend on each other."""
        return tuple(pair for m in self.methods for pair in m.pairs)

    @property
    def tied(self) -> tuple[float, float] | None:
        """The lowest and the highest end of the intervals if the odds ratio of each pair of lists
        is between 1/2 and 2; None where there is no number."""
        rows = [m for m in (self.dependence.rows if self.dependence else ()) if m.name in _TIED]
        return _ends((*self.estimates, *rows)) if rows and all(m.value for m in rows) else None

    @property
    def linked(self) -> tuple[float, float] | None:
        """The spread, moved by as much as wrong links that are known of may move estimates.

        None where nothing is known of the links, or so many may be wrong that there is no
        estimate.
        """
        if self.spread is None or self.links is None or self._moved is None:
            return None
        return self.spread[0] * self._moved[0], self.spread[1] * self._moved[1]

    @property
    def _moved(self) -> tuple[float, float] | None:
        """The least and the largest factor by which known wrong links move an estimate."""
        if self.links is None or self.links.too_many:
            return None
        values: dict[str, float | None] = {m.name: m.value for m in self.methods}
        times = [1.0]
        for change in (c for c in self.changes if c.known):
            for name, other in (("independent", change.independent), ("stepwise", change.stepwise)):
                own = values.get(name)
                if own is not None and other is None:
                    return None
                if own and other is not None:
                    times.append(other / own)
        return min(times), max(times)


def _ends(methods: Sequence[Method]) -> tuple[float, float] | None:
    ends = [(m.low, m.high) for m in methods if m.low is not None and m.high is not None]
    return (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else None


def estimate(
    lists: Lists,
    level: float = LEVEL,
    replicates: int = REPLICATES,
    source: Callable[[str], Source] | None = None,
    report: Report | None = None,
    strata: Mapping[Label, Lists] | None = None,
    links: WrongLinks | None = None,
    answers: Mapping[str, bool] | None = None,
) -> Result:
    """Estimate by all methods.

    Args:
        level: of the intervals, in 0..1.
        replicates: tables of the bootstrap.
        source: random bits for a purpose; by default those that belong to the table, so that
            the same table always gives the same numbers.
        report: told (message, fraction).
        strata: the same lists, counted within strata.
        links: what is known of the links behind the lists.
        answers: of the organisations to :data:`QUESTIONS`.
    """
    tell = report or (lambda message, fraction: None)
    gate = pass_gate(lists, level)
    answered = answers or {}
    if gate.lists is None:
        return Result(lists, gate, level, (), (), answers=answered)
    subset = gate.lists
    bits = source or (lambda purpose: bits_of(subset, purpose))
    tell(Text("Fitting models to resampled tables"), 0.0)
    chosen = _resampled(subset, level, replicates, bits("bootstrap"))
    parts = {label: _without(part, gate.alone) for label, part in (strata or {}).items()}
    within = stratified(parts, level, replicates, bits("strata")) if parts else None
    tell(Text("Leaving lists out"), 0.8)
    depends, changed = dependence(subset, level), changes(subset, level, links)
    return Result(lists, gate, level, tuple(chosen), changed, depends, within, links, answered)


def _without(lists: Lists, names: Sequence[str]) -> Lists:
    for name in names:
        lists = lists.without(name)
    return lists


@lru_cache(maxsize=8)
def remembered(
    lists: Lists,
    level: float,
    replicates: int,
    strata: tuple[tuple[Label, Lists], ...] = (),
    links: WrongLinks | None = None,
    answers: tuple[tuple[str, bool], ...] = (),
) -> Result:
    """The same, made once in a process: pages in several languages show one result."""
    return estimate(
        lists, level, replicates, strata=dict(strata), links=links, answers=dict(answers)
    )


def _resampled(lists: Lists, level: float, replicates: int, source: Source) -> list[Method]:
    """Log-linear models with a bootstrap that repeats the selection; the jackknife runs along."""
    k, y = len(lists.names), lists.y
    cells = np.flatnonzero(y >= 1)
    tables = np.vstack([y[None], y - np.eye(len(y))[cells], resampled(lists, replicates, source)])
    fit = select(tables, k, lists.sigma)
    places, n = pair_places(k), 1 + len(cells)
    pairs = tuple((lists.names[a], lists.names[b]) for a, b in (places[p] for p, _p in fit.order))

    chance = normal((replicates,), source)

    def method(name: Name, people: Floats, pairs: tuple[tuple[str, str], ...]) -> Method:
        spread = with_chance_of_seen(np.delete(people, slice(1, n)), lists.people, chance)
        made = _ranged(name, spread, level)
        if made.value is None:
            return made
        others = bootstrap_interval(made.value, people[n:], people[1:n], y[cells], level)
        return replace(made, pairs=pairs, bootstrap=others)

    return [method("independent", fit.alone, ()), method("stepwise", fit.people, pairs)]


def _ranged(name: Name, people: Floats, level: float) -> Method:
    """From the estimate of a table, and those of resampled ones."""
    value, (low, high) = float(people[0]), plain(people[1:], level)
    if not np.isfinite(value) or not np.isfinite(high):
        return Method(name, why="no_finite_estimate")
    return Method(name, value, min(low, value), max(high, value))
