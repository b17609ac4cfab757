"""Measuring each table of the workload once: shares of rho, questions, cost and noise."""

import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ctdhub.core.errors import error
from ctdhub.dp import noise
from ctdhub.dp.accounting import gaussian_rho, sigma2_for, split
from ctdhub.dp.count import Counts, Table
from ctdhub.dp.plan import Columns, Kind, Plan

_GROWTH = 0.5
"""Within a kind a table's share grows with cells^0.5, so that sigma falls with cells^-0.25
(0.3, 0.5 and 0.7 were tried on fictitious people; sizes of tables are public)."""


_LIMIT = 2**30

_AT_ONCE = 2**18
"""So many cells are drawn at once, at most, or one table."""


@dataclass(frozen=True)
class Measurement:
    """One table of the workload: its columns, shape, kind, noise, and how far one person reaches.

    ``reach`` is the squared L2 sensitivity: how much the squares of all changes of cells add up to
    when one person comes or goes.
    """

    columns: Columns
    shape: tuple[int, ...]
    kind: Kind
    sigma2: Fraction
    reach: int = 1

    @property
    def cells(self) -> int:
        """Number of cells of the public domain, "not recorded" counted as a value."""
        return math.prod(self.shape)

    @cached_property
    def variance(self) -> float:
        """Sigma squared as a number."""
        return float(self.sigma2)

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise (a bound of it: the discrete Gaussian's is smaller)."""
        return math.sqrt(self.sigma2)


Workload = tuple[Measurement, ...]


def workload(plan: Plan, rho: float) -> Workload:
    """All tables of a plan with their noise; they cost at most ``rho`` together.

    Raises:
        PolicyError: a table would get more noise than can be drawn; told before anything is paid.
    """
    weights = plan.weights.model_dump()
    kinds = {t: kind for t, kind in plan.tables.items() if weights[kind] > 0}
    left, _of_regions = split(rho, [_regions(plan)])
    return _divided(plan, kinds, {t: plan.shape(t) for t in kinds}, left)


def regional(plan: Plan, rho: float) -> Workload:
    """The tables of regions with their noise, which cost at most their part of ``rho``: what
    :func:`workload` leaves of it.

    Raises:
        PolicyError: as :func:`workload`.
    """
    kinds: dict[Columns, Kind] = dict.fromkeys(plan.regions, "regions")
    shapes = {t: plan.region_shape(t) for t in kinds}
    _left, of_regions = split(rho, [_regions(plan)])
    return _divided(plan, kinds, shapes, of_regions)


def in_regions(exact: Mapping[Columns, Table], plan: Plan) -> Counts:
    """The tables of regions, added up from those of single values."""
    tables: Counts = {}
    for t in plan.regions:
        shape = plan.region_shape(t)
        cells = np.ravel_multi_index(np.ix_(*(plan.region_codes(n) for n in t)), shape)
        people = np.bincount(cells.ravel(), exact[t].ravel(), math.prod(shape))
        tables[t] = people.astype(np.int32).reshape(shape)
    return tables


def _regions(plan: Plan) -> float:
    """Share of rho of the tables of regions."""
    weights = plan.weights.model_dump()
    others = sum(weights[kind] for kind in {*plan.tables.values()})
    return weights["regions"] / (others + weights["regions"]) if plan.regions else 0.0


def _divided(
    plan: Plan, kinds: Mapping[Columns, Kind], shapes: Mapping[Columns, tuple[int, ...]], rho: float
) -> Workload:
    weights = plan.weights.model_dump()
    weigh = {t: float(math.prod(shape)) ** _GROWTH for t, shape in shapes.items()}
    of_kind: dict[Kind, float] = defaultdict(float)
    for t, kind in kinds.items():
        of_kind[kind] += weigh[t]
    total = sum(weights[kind] for kind in of_kind)
    budget = Fraction(rho)
    sigma2: dict[tuple[Kind, float], Fraction] = {}  # thousands of tables, few sizes
    questions = []
    for t, kind in kinds.items():
        alike = kind, weigh[t]
        if alike not in sigma2:
            share = Fraction(weights[kind] / total) * Fraction(weigh[t] / of_kind[kind])
            # The shares are rounded numbers; a billionth less keeps their sum under the whole.
            part = budget * share * Fraction(10**9 - 1, 10**9)
            sigma2[alike] = question(t, shapes[t], kind, part, plan.reach).sigma2
        questions.append(Measurement(t, shapes[t], kind, sigma2[alike], plan.reach))
    if cost(tuple(questions)) > budget:
        raise ArithmeticError("the workload costs more than its budget")
    return tuple(questions)


def question(
    columns: Columns, shape: tuple[int, ...], kind: Kind, part: Fraction, reach: int = 1
) -> Measurement:
    """A table with the least noise that costs at most ``part``.

    Raises:
        PolicyError: it would get more noise than can be drawn.
    """
    return Measurement(columns, shape, kind, _affordable(part / reach), reach)


def _affordable(part: Fraction) -> Fraction:
    """Sigma squared of a table of sensitivity 1 that may cost ``part``."""
    if 2 * part * noise.MAX_SIGMA2 < 1:
        raise error("policy-noise", file="policy.yaml")
    return sigma2_for(part)


def cost(questions: Workload) -> Fraction:
    """Exact cost in rho of measuring each question once: reach / (2 sigma squared) of each."""
    alike = Counter((q.reach, q.sigma2) for q in questions)
    each = (n * reach * gaussian_rho(sigma2) for (reach, sigma2), n in alike.items())
    return sum(each, Fraction(0))


def measure(counts: Counts, questions: Workload, source: noise.Bits = os.urandom) -> Counts:
    """The noisy tables: each cell plus its own draw of N_Z(0, sigma squared)."""
    noisy: Counts = {}
    for alike in _runs(questions):
        exact = [counts[q.columns] for q in alike]
        if any(table.shape != q.shape for table, q in zip(exact, alike, strict=True)):
            raise ValueError("a table does not have the shape of its public domain")
        ends = np.cumsum([0, *(table.size for table in exact)])
        drawn = noise.sampler(alike[0].sigma2).draw(int(ends[-1]), source)
        drawn += np.concatenate([table.ravel() for table in exact])
        # Far outside what noise can reach; it only keeps 32 bits from overflowing.
        cells = np.clip(drawn, -_LIMIT, _LIMIT, out=drawn).astype(np.int32)
        for q, start, end in zip(alike, ends, ends[1:], strict=False):
            noisy[q.columns] = cells[start:end].reshape(q.shape)
    return noisy


def _runs(questions: Workload) -> Iterator[list[Measurement]]:
    """Neighbours with the same noise, which are drawn at once: the stream of bits is the same."""
    run: list[Measurement] = []
    size = 0
    for q in questions:
        cells = math.prod(q.shape)
        if run and (q.sigma2 != run[0].sigma2 or size + cells > _AT_ONCE):
            yield run
            run, size = [], 0
        run.append(q)
        size += cells
    if run:
        yield run
