"""Intervals of the published counts, and which counts can be shown.

Belongs here: quantiles of the noise, the choice of cells to show, the COUNTS table, the estimates.
Does not belong here: noise itself (``noise``), protected records (``synthesise``).

A published count is a noisy measurement, so it is unbiased before the choice of what is shown.
Choosing only counts that stand out from the noise would spoil ordinary 95 % intervals: among
thousands of empty cells some pass by chance.  So cells are chosen as Benjamini and Hochberg (1995)
do, at the policy's ``false_share``, and the intervals of the R chosen of m cells have level
1 - R (1 - level) / m: then the expected share of intervals that miss, among those published of a
table, is at most 1 - level (Benjamini and Yekutieli 2005, false coverage-statement rate, for the
independent noise that we have), and "shown" implies that the interval's low end is above zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.protect.border import COUNTS, PROTECTED, SHOWN, Estimate
from ctdhub.protect.count import Counts
from ctdhub.protect.measure import Question, Workload
from ctdhub.protect.policy import Domains


@lru_cache(maxsize=256)
def tail(sigma2: Fraction) -> npt.NDArray[np.float64]:
    """P(|N| > r) for r = 0, 1, 2, … until it is below 1e-30, N discrete Gaussian.

    >>> t = tail(Fraction(100))
    >>> int(np.argmax(t <= 0.05))  # least radius that covers 95 %
    20
    """
    s2 = float(sigma2)
    last = math.ceil(math.sqrt(2 * s2 * 75)) + 2
    weight = np.exp(-np.square(np.arange(last + 1, dtype=float)) / (2 * s2))
    beyond = np.cumsum(weight[::-1])[::-1]  # from the small to the large
    result: npt.NDArray[np.float64] = 2 * np.append(beyond[1:], 0.0) / (2 * beyond[0] - 1)
    return result


def radius(sigma2: Fraction, alpha: float) -> int:
    """The least r with P(|N| > r) <= alpha."""
    return int(np.argmax(tail(sigma2) <= alpha))


@dataclass(frozen=True)
class Shown:
    """Cells of a table that can be shown: flat places and the radius of their intervals."""

    cells: npt.NDArray[np.intp]
    radius: int


def choose(noisy: npt.NDArray[np.int64], sigma2: Fraction, level: float, share: float) -> Shown:
    """Choose the cells to show and the radius of their intervals; a function of noisy counts.

    Args:
        noisy: a noisy table.
        level: coverage among the shown cells.
        share: expected share of empty cells among the shown; at most 1 - level.
    """
    m, chance = noisy.size, tail(sigma2)
    flat = noisy.ravel()
    # For each threshold t >= 1: how many cells reach it; a cell with y >= t has p <= chance[t-1].
    capped = np.clip(flat, 0, chance.size)
    reach = np.cumsum(np.bincount(capped, minlength=chance.size + 1)[::-1])[::-1][1:]
    passing = np.flatnonzero((chance * m <= reach * share) & (reach > 0))
    if not passing.size:
        return Shown(np.zeros(0, dtype=np.intp), 0)
    threshold = int(passing[0]) + 1
    cells = np.flatnonzero(flat >= threshold)
    return Shown(cells, radius(sigma2, (1 - level) * cells.size / m))


def counts_table(
    noisy: Counts,
    questions: Workload,
    domains: Domains,
    people: Estimate,
    level: float,
    share: float,
) -> pa.Table:
    """The published counts, see :data:`ctdhub.protect.border.COUNTS`.

    Columns are in the order of the schema.  The first row, without columns, is the number of
    people; it is always there.
    """
    state = SHOWN if people.low > 0 else PROTECTED
    total = {"columns": [], "values": [], "count": people.value}
    total |= {"low": people.low, "high": people.high, "state": state}
    parts = [pa.Table.from_pylist([total], schema=COUNTS)]
    for q in questions:
        if q.columns:
            shown = choose(noisy[q.columns], q.sigma2, level, share)
            if shown.cells.size:
                parts.append(_rows(noisy[q.columns], q, shown, domains))
    return pa.concat_tables(parts).combine_chunks()


def _rows(noisy: npt.NDArray[np.int64], q: Question, shown: Shown, domains: Domains) -> pa.Table:
    n, width = shown.cells.size, len(q.columns)
    places = np.unravel_index(shown.cells, q.shape)
    texts = [
        np.array(["", *domains[c]], dtype=object)[p] for c, p in zip(q.columns, places, strict=True)
    ]
    offsets = pa.array(np.arange(n + 1, dtype=np.int32) * width)
    count = noisy.ravel()[shown.cells]
    values = pa.array(np.column_stack(texts).ravel(), pa.string())
    columns = pa.array(list(q.columns) * n, pa.string())
    return pa.table(
        [
            pa.ListArray.from_arrays(offsets, columns),
            pa.ListArray.from_arrays(offsets, values),
            pa.array(count),
            pa.array(np.maximum(count - shown.radius, 0)),
            pa.array(count + shown.radius),
            pa.array([SHOWN] * n, pa.string()),
        ],
        schema=COUNTS,
    )


def total_people(noisy: Counts, questions: Workload, level: float) -> tuple[Estimate, float]:
    """The number of people and the standard deviation of its noise.

    The people question and the sum of each table estimate it without bias; they are combined by
    inverse variance.  Each draw is sub-Gaussian with parameter sigma, hence so is the combination,
    and its interval is the normal one, rounded outwards.
    """
    weights = [1 / (q.cells * float(q.sigma2)) for q in questions]
    sums = [float(noisy[q.columns].sum()) for q in questions]
    value = sum(w * s for w, s in zip(weights, sums, strict=True)) / sum(weights)
    sd = sum(weights) ** -0.5
    return _estimate(value, sd, level), sd


def case_records(
    noisy: Counts, questions: Workload, people: Estimate, people_sd: float, level: float
) -> Estimate:
    """The number of case records: people, one more for "2", two for "3", three for "4+".

    "4+" counts as 4 and "not recorded" as 1, so this is at least so many records: the interval
    holds the statistic so defined.  Without the column ``records_per_person`` it is the number of
    people.  The two errors may depend on each other, so their standard deviations are added.
    """
    table = ("records_per_person",)
    q = next((q for q in questions if q.columns == table), None)
    if q is None:
        return people
    extra = np.maximum(np.arange(q.cells) - 1, 0)
    more = float(extra @ noisy[table])
    sd = people_sd + q.sigma * float(np.sqrt(np.sum(extra**2)))
    found = _estimate(people.value + more, sd, level)
    value = min(max(found.value, people.value), (q.cells - 1) * people.value)
    return Estimate(value, min(max(found.low, people.low), value), max(found.high, value))


def _estimate(value: float, sd: float, level: float) -> Estimate:
    reach = NormalDist().inv_cdf(0.5 + level / 2) * sd
    rounded = max(0, round(value))
    low, high = math.floor(value - reach), math.ceil(value + reach)
    return Estimate(rounded, min(max(0, low), rounded), max(high, rounded))
