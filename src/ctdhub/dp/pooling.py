"""What all noisy tables together say of one: their sums, weighed by how sure they are.

Every table is measured with noise of its own, so the margins of different tables are independent
estimates of the same counts: their mean weighed by inverse variance is the best linear one
(Gauss and Markov).  Its noise is a weighted sum of discrete Gaussians, hence sub-Gaussian with the
parameter that the variance states (Canonne, Kamath and Steinke 2020, corollary 17).
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns
from ctdhub.dp.workload import Workload

Floats = npt.NDArray[np.float64]
Axes = tuple[int, ...]


@dataclass(frozen=True)
class Estimated:
    """A table as all measurements together see it.

    Attributes:
        value: unbiased, not rounded, cells may be negative.
        variance: of each cell.
    """

    value: Floats
    variance: float

    @property
    def sd(self) -> float:
        """Standard deviation of each cell."""
        return float(self.variance**0.5)


def variances(questions: Workload, most: int = 2) -> dict[Columns, float]:
    """Variance of the cells of each estimate of :func:`pool`, and of larger tables as measured.

    It depends on the questions alone, so it is known before anything is counted.
    """
    sure: dict[Columns, float] = defaultdict(float)
    for q in questions:
        for kept, _of, _axes, cells in reversed(_route(q.shape, most)):
            sure[tuple([q.columns[a] for a in kept])] += 1 / (q.variance * cells)
    own = {q.columns: q.variance for q in questions if len(q.columns) > most}
    return {t: 1 / weight for t, weight in sure.items()} | own


def pool(noisy: Counts, questions: Workload, most: int = 2) -> dict[Columns, Estimated]:
    """Estimates of every table of at most ``most`` columns that was measured, or is part of one."""
    variance = variances(questions, most)
    value: dict[Columns, Floats] = {}
    for q in questions:
        whole: npt.NDArray[np.integer] = noisy[q.columns]
        margins: dict[Axes, npt.NDArray[np.integer]] = {tuple(range(whole.ndim)): whole}
        for kept, of, axes, cells in _route(q.shape, most):
            part = tuple([q.columns[axis] for axis in kept])
            margins[kept] = found = margins[of].sum(axes) if axes else margins[of]
            margin = np.asarray(found * (1 / (q.variance * cells) * variance[part]))
            if part in value:
                value[part] += margin
            else:
                value[part] = margin
    return {t: Estimated(value[t], variance[t]) for t in value}


@cache
def _parts(columns: int, most: int) -> tuple[tuple[Axes, Axes], ...]:
    """Axes that are kept, and axes that are summed, of each part with at most ``most`` columns."""
    axes = range(columns)
    return tuple(
        (kept, tuple(axis for axis in axes if axis not in kept))
        for held in range(min(most, columns) + 1)
        for kept in combinations(axes, held)
    )


@cache
def _route(shape: tuple[int, ...], most: int) -> tuple[tuple[Axes, Axes, Axes, int], ...]:
    """How to sum a table: axes that a part keeps, the smallest margin before it that has these,
    the axes of that one to sum over, and how many cells of the table go into one of the part."""
    known = {tuple(range(len(shape))): math.prod(shape)}
    steps = []
    for kept, summed in reversed(_parts(len(shape), most)):
        of = min((axes for axes in known if {*kept} <= {*axes}), key=lambda axes: known[axes])
        known[kept] = math.prod(shape[a] for a in kept)
        axes = tuple(k for k, axis in enumerate(of) if axis not in kept)
        steps.append((kept, of, axes, math.prod(shape[a] for a in summed)))
    return tuple(steps)
