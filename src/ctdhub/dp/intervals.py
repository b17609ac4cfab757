"""Intervals of the published counts, and which counts can be shown.

The value that the least-squares fit to all tables gives a cell (``reconcile``) is unbiased before
the choice of what is shown.  Choosing only counts that stand out from the noise would spoil
ordinary 95 % intervals: among thousands of empty cells some pass by chance.  So cells are chosen as
Benjamini and Hochberg (1995) do, at the policy's ``false_share``, and the intervals of the R chosen
of m cells have level 1 - R (1 - level) / m: then the expected share of intervals that miss, among
those published of a table, is at most 1 - level (Benjamini and Yekutieli 2005, false
coverage-statement rate, for independent noise), and the interval of a chosen cell is above zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from ctdhub.border import Estimate
from ctdhub.dp.dependent_columns import Followers
from ctdhub.dp.plan import Columns
from ctdhub.dp.policy import Domains
from ctdhub.dp.pooling import Estimated
from ctdhub.dp.workload import Measurement, Workload
from ctdhub.schema.roles import DELIVERIES

NO_FOLLOWERS = Followers({}, {})


@lru_cache(maxsize=256)
def tail(variance: Fraction | float) -> npt.NDArray[np.float64]:
    """P(|N| > r) for r = 0, 1, 2, … until it is below 1e-30.

    Args:
        variance: a fraction is sigma squared of one measurement, whose noise is discrete Gaussian;
            a float is the variance of a fitted estimate, normal but for its rounding.

    >>> t = tail(Fraction(100))
    >>> int(np.argmax(t <= 0.05))  # least radius that covers 95 %
    20
    """
    s2 = float(variance)
    last = math.ceil(math.sqrt(2 * s2 * 75)) + 2
    result: npt.NDArray[np.float64]
    if isinstance(variance, Fraction):
        weight = np.exp(-np.square(np.arange(last + 1, dtype=float)) / (2 * s2))
        beyond = np.cumsum(weight[::-1])[::-1]  # from the small to the large
        result = 2 * np.append(beyond[1:], 0.0) / (2 * beyond[0] - 1)
    else:
        # The rounded estimate is off by more than r where the estimate is off by r + 1/2 or more.
        result = np.array([math.erfc((r + 0.5) / math.sqrt(2 * s2)) for r in range(last + 1)])
        result[-1] = 0.0
    return result


def radius(variance: Fraction | float, alpha: float) -> int:
    """The least r with P(|N| > r) <= alpha."""
    return int(np.argmax(tail(variance) <= alpha))


@dataclass(frozen=True)
class ChosenCells:
    """Cells of a table that can be shown: flat places and the radius of their intervals."""

    cells: npt.NDArray[np.intp]
    radius: int


@dataclass(frozen=True)
class Shown(ChosenCells):
    """The same, with what the fit says of these cells: all of a table that is used later on.

    Attributes:
        value: of each cell, see ``Estimated``.
        variance: of a cell.
    """

    value: npt.NDArray[np.floating]
    variance: float

    @property
    def sd(self) -> float:
        """Standard deviation of each cell."""
        return float(self.variance**0.5)


def choose(
    noisy: npt.NDArray[np.integer], variance: Fraction | float, level: float, share: float
) -> ChosenCells:
    """Choose the cells to show and the radius of their intervals; a function of noisy counts.

    Args:
        noisy: a noisy table.
        variance: see :func:`tail`.
        level: coverage among the shown cells.
        share: expected share of empty cells among the shown; at most 1 - level.
    """
    m, chance = noisy.size, tail(variance)
    flat = noisy.ravel()
    # For each threshold t >= 1: how many cells reach it; a cell with y >= t has p <= chance[t-1].
    capped = np.clip(flat, 0, chance.size)
    reach = np.cumsum(np.bincount(capped, minlength=chance.size + 1)[::-1])[::-1][1:]
    passing = np.flatnonzero((chance * m <= reach * share) & (reach > 0))
    if not passing.size:
        return ChosenCells(np.zeros(0, dtype=np.intp), 0)
    threshold = int(passing[0]) + 1
    cells = np.flatnonzero(flat >= threshold)
    return ChosenCells(cells, radius(variance, (1 - level) * cells.size / m))


def shown_cells(
    found: Iterable[tuple[Columns, Estimated]],
    questions: Workload,
    people: Estimate,
    level: float,
    share: float,
    domains: Domains,
    followers: Followers = NO_FOLLOWERS,
) -> dict[Columns, Shown]:
    """The cells of each table that stand out; () is the number of people, shown or not.

    A cell that nobody can be in, by what is public about its columns, is never shown.

    Args:
        found: every table as the least-squares fit sees it (``reconcile``), one after another.
    """
    asked = {q.columns: q for q in questions}
    shown: dict[Columns, Shown] = {}
    for t, estimated in found:
        flat = estimated.value.ravel()
        if not t:
            whole = np.array([0] if people.low > 0 else [], dtype=np.intp)
            chosen = ChosenCells(whole, people.high - people.value)
        else:
            table = np.rint(estimated.value).astype(np.int64)
            possible = followers.possible(t, domains)
            open_ = table if possible is None else np.where(possible, table, 0)
            chosen = choose(open_, published(asked[t], estimated.variance), level, share)
        shown[t] = Shown(chosen.cells, chosen.radius, flat[chosen.cells], estimated.variance)
    return {t: shown[t] for t in dict.fromkeys([(), *asked])}


def published(q: Measurement, variance: float) -> Fraction | float:
    """The noise of a published table as :func:`tail` wants it: its own, or that after the fit."""
    return q.sigma2 if variance >= float(q.sigma2) else variance


def total_people(found: dict[Columns, Estimated], level: float) -> Estimate:
    """The number of people: what the people question and the sums of all tables say together.

    Each draw is sub-Gaussian with parameter sigma, hence so is their combination, and its interval
    is the normal one, rounded outwards.
    """
    return _estimate(float(found[()].value), found[()].sd, level)


def case_records(found: Mapping[Columns, Estimated], people: Estimate, level: float) -> Estimate:
    """The number of case records: people, one more for "2", two for "3", three for "4+".

    "4+" counts as 4 and "not recorded" as 1, so this is at least so many records: the interval
    holds the statistic so defined.  Without the column ``records_per_person`` it is the number of
    people.  The two errors may depend on each other, so their standard deviations are added.
    """
    table = found.get((DELIVERIES,))
    if table is None:
        return people
    extra = np.maximum(np.arange(table.value.size) - 1, 0)
    more = float(extra @ table.value)
    sd = found[()].sd + table.sd * float(np.sqrt(np.sum(extra**2)))
    seen = _estimate(people.value + more, sd, level)
    value = min(max(seen.value, people.value), (table.value.size - 1) * people.value)
    return Estimate(value, min(max(seen.low, people.low), value), max(seen.high, value))


def _estimate(value: float, sd: float, level: float) -> Estimate:
    reach = NormalDist().inv_cdf(0.5 + level / 2) * sd
    rounded = max(0, round(value))
    low, high = math.floor(value - reach), math.ceil(value + reach)
    return Estimate(rounded, min(max(0, low), rounded), max(high, rounded))
