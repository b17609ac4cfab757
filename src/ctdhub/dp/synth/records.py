"""Synthetic records: settled on the reconciled tables, and as a table of text."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.dp import kernels, noise
from ctdhub.dp.count import Codes, Counts, Table, count
from ctdhub.dp.plan import Columns, Draft, Plan
from ctdhub.dp.policy import Domains
from ctdhub.dp.published import Shown, choose
from ctdhub.dp.synth.wide import Floats
from ctdhub.dp.workload import Estimated, Workload

# --------------------------------------------------------------------------------------------------
# Records settled on the reconciled tables, so that counting records gives the published counts.
#
# The fit changes single values of records, and values that hang together (a country and all pairs
# it is part of) hold each other in place: what it leaves over is far more than noise in tables of
# one column.  Here whole records are repeated or left out instead, each time where that lowers
#
#     sum over tables and cells of weight x (records - estimate)^2 / variance,
#
# a change of all tables at once that keeps every combination of values possible.  Only cells that
# stand out from the noise count, so that records do not follow noise where there is nobody.  A
# change must gain more than noise alone would offer, as in the fit.  All of it is made of noisy
# tables.

_MOST = 5
"""As often a record may count.  (3 tried: the busy years of a route that begins late then lack
people, and wide tables are the same.)"""

_LEAST = 0.5
"""What a change must gain (0.5, 1 and 2 were tried on the practice people)."""

_FIRST = 4.0
"""Weight of tables of one column and of the number of people; each further column halves it.  They
are few, and readers look at them first."""

_PASSES, _STILL = 6, 0.02
"""Passes over all records at most; they end when a smaller share of the records changed."""

_LOOKS = 1e8
"""Records times tables in a pass, at most; tables of few columns come first."""


@dataclass(frozen=True)
class Sums:
    """Cells, and sums of cells, that records are settled on; each cell is part of one at most.

    Attributes:
        codes: by axis of the table of cells, the code of each record.
        row: by cell the number of its sum, from 1 on; 0 where it is part of none.
        misfit: of each sum, from the first on, the records less what the least-squares fit says.
        weight: of each; one over the variance of a sum, for sums that count once.
    """

    codes: tuple[npt.NDArray[np.uint16], ...]
    row: npt.NDArray[np.integer]
    misfit: npt.NDArray[np.floating]
    weight: float


def settled(
    records: Draft,
    shown: Mapping[Columns, Shown],
    plan: Plan,
    people: int,
    source: noise.Bits = os.urandom,
    sums: Sequence[Sums] = (),
) -> Draft:
    """As many records in random order, some repeated and some left out.

    Args:
        records: ``people`` records, codes by column.
        shown: by table the cells that stand out, with what the least-squares fit says of them.
        source: random bits for orders; equal bits give equal records.
        sums: more that they are settled on, see :func:`contradicted`.
    """
    if not people:
        return records
    tables = [t for t in shown if t and shown[t].cells.size]
    tables.sort(key=lambda t: (len(t), shown[t].variance))
    tables = tables[: int(_LOOKS / people)]
    made = count(Codes(dict(records), plan.sizes, people), tables)
    targets = chain((_cells(t, shown[t], made.pop(t), records, plan) for t in tables), sums)
    cells = 1 + sum(math.prod(plan.shape(t)) for t in tables) + sum(s.row.size for s in sums)
    layout, misfit, weight = _laid_out(targets, cells, people)
    weight[0] = _FIRST / shown[()].variance
    times = np.ones(people, dtype=np.int64)
    for _ in range(_PASSES):
        order = noise.permutation(people, source)
        moved = kernels.settle(*layout, misfit, weight, times, order, _MOST, _LEAST)
        if moved < _STILL * people:
            break
    # The number of people is met exactly: the first records that may do so make up for the rest.
    order, many = noise.permutation(people, source), int(times.sum()) - people
    able = order[times[order] > 0] if many > 0 else order[times[order] < _MOST]
    times[able[: abs(many)]] -= np.sign(many)
    index = np.repeat(np.arange(people), times)[noise.permutation(people, source)]
    return {name: column[index] for name, column in records.items()}


def _cells(table: Columns, shown: Shown, made: Table, records: Draft, plan: Plan) -> Sums:
    """The cells of a table that stand out, each by itself."""
    row = np.zeros(plan.shape(table), dtype=np.int32)
    row.ravel()[shown.cells] = np.arange(1, shown.cells.size + 1)
    much = _FIRST / 2 ** (len(table) - 1)
    if plan.tables.get(table) == "corridor":
        much *= _CORRIDOR
    misfit = made.ravel()[shown.cells] - shown.value
    return Sums(tuple(records[n] for n in table), row, misfit, much / shown.variance)


def _laid_out(
    targets: Iterable[Sums], cells: int, people: int
) -> tuple[tuple[npt.NDArray[Any], ...], Floats, Floats]:
    """What ``kernels.settle`` reads of targets, their misfit, and their weights; the first is the
    number of people, whose weight is left open.

    Args:
        cells: of all of them, and one.
    """
    place = np.zeros(cells, dtype=np.int32)
    place[0] = 1
    residual = [np.zeros(2)]  # of cells that do not count, and of the number of people
    codes: dict[int, npt.NDArray[np.uint16]] = {}
    columns, strides, ends, starts, weight = list[int](), list[int](), [0], [0], [0.0]
    end, met = 1, 2
    for one in targets:
        flat = one.row.ravel()
        place[end : end + flat.size] = np.where(flat > 0, flat + (met - 1), 0)
        residual.append(np.asarray(one.misfit, np.float64))
        codes |= {id(c): c for c in one.codes}
        columns += [list(codes).index(id(c)) for c in one.codes]
        strides += np.cumprod((1, *one.row.shape[:0:-1]))[::-1].tolist()
        ends.append(len(columns))
        starts.append(end)
        weight.append(one.weight)
        end, met = end + flat.size, met + one.misfit.size
    several = [np.stack([*codes.values()], axis=1)] if codes else [np.zeros((people, 0), np.uint16)]
    layout = (*several, *(np.array(x, dtype=np.int64) for x in (columns, strides, ends, starts)))
    return (*layout, place), np.concatenate(residual), np.array(weight)


# --------------------------------------------------------------------------------------------------
# Sums of cells that records contradict.
#
# Only cells that stand out hold the records, so that the sum of many that do not, such as the years
# before a route was used, is held by nothing: records made hundreds of people there, and as many
# fewer in the years after.  Sums over years of groups that are shown say so clearly; where the
# records contradict one, all sums of that group join the targets.  Where they contradict none, none
# does, and records follow no noise.

_RUNS = (2, 4, 8, 16)
"""Years in a sum; sums of each length begin in the first year, and half a length before it."""

_DOUBT = 3.0
"""A group's sums are targets where one of them is off by so many standard deviations."""

_GROUPS = 2**16 - 1
"""So many groups at most, those that are off most; a code has two bytes."""

_OF_RUNS = 8.0
"""How much more such a sum weighs than a cell of its table.  (16 tried: closer to the sums where
noise is small, and 3-way distances of wide tables 1 % larger.)"""

_CORRIDOR = 4.0
"""How much more a pair of countries weighs than another pair."""


Variance = Callable[[Mapping[str, int]], float]
"""Of a sum of cells, by how many values of each column are in it."""


@dataclass(frozen=True)
class _Grouping:
    """Groups of the cells of a table without years.

    Attributes:
        group: by flat cell its group, from 1 on; 0 where it is in none.
        many: by column the values that the largest group joins.
    """

    group: npt.NDArray[np.int64]
    many: dict[str, int]


def contradicted(
    records: Draft,
    fitted: Mapping[Columns, Estimated],
    shown: Mapping[Columns, Shown],
    plan: Plan,
    variance: Variance,
) -> list[Sums]:
    """Sums over years, of countries, corridors and regions, that records contradict.

    Args:
        fitted: tables with years, as the least-squares fit sees them.
        shown: by table the cells that stand out.
        variance: after the fit.
    """
    found, large = list[Sums](), plan.wide.union(plan.corridor or ())
    for t, estimated in fitted.items():
        rest = tuple(n for n in t if n != plan.year)
        if plan.year not in t or not rest or not large.issuperset(rest) or rest not in shown:
            continue
        value = np.moveaxis(estimated.value, t.index(plan.year), -1)
        value = value.reshape(-1, plan.sizes[plan.year])
        cell = np.ravel_multi_index([records[n] for n in rest], plan.shape(rest))
        for grouping in _groupings(rest, shown[rest].cells, value, plan, variance):
            found += _sums_of_runs(grouping, cell, records[plan.year], value, plan.year, variance)
    return found


def _groupings(
    rest: Columns, shown: npt.NDArray[np.intp], value: Floats, plan: Plan, variance: Variance
) -> Iterator[_Grouping]:
    """The cells that are shown, each by itself; then the sums over regions that stand out.

    Args:
        value: cells by years.
    """
    group = np.zeros(len(value), dtype=np.int64)
    group[shown] = np.arange(1, shown.size + 1)
    yield _Grouping(group, dict.fromkeys(rest, 1))
    whole = value.sum(axis=1)
    for levels in product(*((range(1, plan.sizes[n]), *plan.parents.get(n, ())) for n in rest)):
        codes = [np.unique((0, *(1 + k for k in up)), return_inverse=True)[1] for up in levels]
        shape = [int(c.max()) + 1 for c in codes]
        many = {n: int(np.bincount(c)[1:].max()) for n, c in zip(rest, codes, strict=True)}
        if max(many.values()) == 1:
            continue
        at = np.meshgrid(*codes, indexing="ij")
        recorded = np.min(at, axis=0).ravel() > 0
        flat = np.where(recorded, np.ravel_multi_index(at, shape).ravel(), 0)
        total = np.rint(np.bincount(flat, whole * recorded, math.prod(shape))).astype(np.int64)
        of_all = variance({**many, str(plan.year): value.shape[1]})
        large = choose(total, of_all, plan.level, plan.false_share).cells
        number = np.zeros(total.size, dtype=np.int64)
        number[large] = np.arange(1, large.size + 1)
        yield _Grouping(number[flat], many)


def _sums_of_runs(
    grouping: _Grouping,
    cell: npt.NDArray[np.int64],
    year: npt.NDArray[np.uint16],
    value: Floats,
    name: str,
    variance: Variance,
) -> list[Sums]:
    """Sums over runs of years of the groups that are contradicted.

    Args:
        cell: by record its cell of the table without years.
        value: cells by years, "not recorded" first.
        name: of the column of years.
    """
    group, years = grouping.group, value.shape[1]
    fit: Floats = np.zeros((group.max(initial=0) + 1, years))
    np.add.at(fit, group, value)
    made = np.bincount(group[cell] * years + year, minlength=fit.size).reshape(fit.shape)
    less = np.asarray(made - fit, dtype=np.float64)
    runs, off = _runs(years), np.zeros(len(fit))
    for run in runs:
        size = np.bincount(run)
        sd = np.array([variance({**grouping.many, name: int(n)}) for n in size[1:]]) ** 0.5
        off = np.maximum(off, np.abs(_added(less, run) / sd).max(axis=1))
    off[0] = 0
    flagged = np.argsort(-off, kind="stable")[: min(np.count_nonzero(off > _DOUBT), _GROUPS)]
    if not flagged.size:
        return []
    number = np.zeros(len(fit), dtype=np.uint16)
    number[flagged] = np.arange(1, flagged.size + 1)
    codes = number[group[cell]], year
    found = []
    for run in runs:
        most = run.max()
        row = np.where(run > 0, np.arange(-1, flagged.size)[:, None] * most + run, 0)
        row[0] = 0
        many = {**grouping.many, name: int(np.bincount(run)[1:].max())}
        weight = _OF_RUNS / 2 * _FIRST / 2 ** (len(many) - 1) / variance(many)
        found.append(Sums(codes, row.astype(np.int32), _added(less[flagged], run).ravel(), weight))
    return found


def _runs(years: int) -> list[npt.NDArray[np.int64]]:
    """By code of a year its run, from 1 on, "not recorded" in none; and all of them together."""
    which = np.arange(years - 1)
    return [
        np.ones(years, dtype=np.int64),
        *(
            np.append(0, 1 + (which + shift) // length)
            for length in _RUNS
            for shift in (0, length // 2)
            if length < years
        ),
    ]


def _added(values: Floats, run: npt.NDArray[np.int64]) -> Floats:
    """Groups by years, added up by run."""
    return np.asarray(values @ (run[:, None] == np.arange(1, run.max() + 1)))


# --------------------------------------------------------------------------------------------------
# Regions, which were measured by themselves: cells that stand out hold the records as a count does.

_REGION = 3.0
"""A cell of regions counts where it is so many standard deviations of its noise above zero."""


def region_sums(records: Draft, noisy: Counts, questions: Workload, plan: Plan) -> list[Sums]:
    """The cells of the tables of regions that stand out."""
    found = []
    for q in questions:
        table = noisy[q.columns]
        out = table >= _REGION * q.sigma
        row = np.where(out, np.cumsum(out).reshape(out.shape), 0).astype(np.int32)
        codes = tuple(plan.region_codes(n)[records[n]] for n in q.columns)
        made = np.bincount(row[codes], minlength=np.count_nonzero(out) + 1)[1:]
        found.append(Sums(codes, row, made - 1.0 * table[out], _FIRST / q.variance))
    return found


# --------------------------------------------------------------------------------------------------
# Protected records as a table of text.


def to_table(records: Draft, domains: Domains) -> pa.Table:
    """One text column per public column, null where not recorded; ``records`` are used up."""
    return pa.table(
        {
            name: pa.array([None, *domain], pa.string()).take(pa.array(records.pop(name)))
            for name, domain in domains.items()
        }
    )
