"""A dry run on fictitious people: what a policy would show, and what a further table would cost."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import NormalDist, fmean, median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.border import Protected
from ctdhub.dp import noise
from ctdhub.dp.accounting import epsilon_of, rho_of, split
from ctdhub.dp.count import Codes, Counts, count, encode
from ctdhub.dp.mechanism import MechanismOutput, Progress, answer
from ctdhub.dp.plan import Columns, Kind, Plan
from ctdhub.dp.published import cell_variances, published, radius
from ctdhub.dp.sources import SourceTables
from ctdhub.dp.workload import Measurement, Workload, cost, workload

# --------------------------------------------------------------------------------------------------
# A dry run on fictitious people: what a policy would show, before anything is paid.
#
# Noise depends on public settings only, so that sigma, half-widths and the smallest counts shown
# are exact.  How many cells are shown and how close the records come depends on the data: those
# figures come from the stand-in, and real data will differ.

BLANK_SHARE = 0.2
"""Share of blanks among the stand-in cells of an average column (the practice files have as many);
a column's own share is drawn between none and twice that."""


@dataclass(frozen=True)
class Range:
    """A figure that depends on how many cells of the table are shown: the more, the smaller.

    Attributes:
        all: where every cell is shown.
        lone: where one cell alone is shown.
    """

    all: int
    lone: int


@dataclass(frozen=True)
class Figures:
    """One table, or the tables of a kind, at one epsilon.

    Attributes:
        kind: see :data:`ctdhub.dp.plan.Kind`.
        columns: of the table; empty for the tables of a kind, and for the number of people.
        tables: how many tables these are; of several, sigma, half_width and shown_from are
            medians, cells is a total, and shown and tv are means.
        cells: cells of the public domain.
        sigma: standard deviation of the noise, in people.
        half_width: half the width of an interval, in people.
        shown_from: the smallest count that is shown.
        shown: share of the stand-in's non-empty cells that were shown, 0 to 1; None without any.
        tv: total variation distance between records and stand-in, 0 (equal) to 1.
    """

    kind: Kind
    columns: Columns
    tables: int
    cells: int
    sigma: float
    half_width: Range
    shown_from: Range
    shown: float | None
    tv: float


@dataclass(frozen=True)
class Rehearsal:
    """What one epsilon would give.

    Attributes:
        kinds: one entry for each kind of table that the plan has.
        named: tables that readers know by name: people, core columns, corridors, core pairs and
            triples, groups.
        sources: standard deviation of the noise of measurements by contributor and of the overlap
            of lists, in people, by table; empty where the release has none.
        sets: sets of records for inference; they cost no epsilon.
        set_bytes: about how many each takes in the release.
        answer: what would be published of the fictitious people, without facts.
    """

    epsilon: float
    delta: float
    kinds: tuple[Figures, ...]
    named: tuple[Figures, ...]
    sources: dict[str, float] = field(default_factory=dict)
    sets: int = 0
    set_bytes: int = 0
    answer: Protected | None = None

    def as_dict(self) -> dict[str, Any]:
        """The figures, ready for JSON."""
        figures = asdict(replace(self, answer=None))
        del figures["answer"]
        return figures


def stand_in(
    plan: Plan, people: int, known: pa.Table | None = None, source: noise.Bits = os.urandom
) -> Codes:
    """Fictitious people by the plan's domains.

    Args:
        people: how many.
        known: columns of fictitious people that hang together; ``people`` rows.  Every other column
            is drawn by itself: its values, in random order, have shares that fall like 1 / rank.
        source: random bits.
    """
    columns: dict[str, Any] = {}
    for name, domain in plan.domains.items():
        if known is not None and name in known.column_names:
            texts = known.column(name).cast(pa.string())
            place = pc.index_in(texts, value_set=pa.array(domain, pa.string()))
            drawn = place.fill_null(-1).to_numpy().astype(np.int64) + 1
        else:
            shares = np.cumsum(1 / np.arange(1, len(domain) + 1))
            rank = np.searchsorted(shares, noise.uniform(people, source) * shares[-1], "right")
            drawn = noise.permutation(len(domain), source)[rank] + 1
        blank = 2 * BLANK_SHARE * noise.uniform(1, source)
        columns[name] = np.where(noise.uniform(people, source) < blank, 0, drawn)
    plan.indicators.repair(columns)
    columns |= plan.followers.codes(columns, plan.domains)
    plan.followers.repair(columns, plan.domains)
    small = {
        n: c.astype(np.uint8 if plan.sizes[n] <= 256 else np.uint16) for n, c in columns.items()
    }
    return Codes(small, plan.sizes, people)


def rehearse(
    plan: Plan,
    epsilon: float,
    delta: float,
    codes: Codes,
    source: noise.Bits = os.urandom,
    progress: Progress | None = None,
    perpetrators: float = 0.0,
    sources: SourceTables | None = None,
) -> Rehearsal:
    """Run the mechanism on fictitious people; nothing is charged, for nobody real is in it.

    Args:
        codes: see :func:`stand_in`; never real people.
        perpetrators: their share of rho, which the tables of people go without.
        sources: what is measured by contributor; its share likewise.

    Raises:
        PolicyError: epsilon is too small for the plan's tables.
    """
    whole = rho_of(epsilon, delta)
    rho, _theirs, part = split(whole, (perpetrators, sources.share if sources else 0.0))
    questions = workload(plan, rho)
    output = answer(codes, replace(plan, imputations=0), rho, source, progress)
    each = _each(plan, questions, codes, output)
    kinds = dict.fromkeys(f.kind for f in each)
    grouped = [[f for f in each if f.kind == kind] for kind in kinds]
    return Rehearsal(
        epsilon,
        delta,
        kinds=tuple(_together(group) for group in grouped),
        named=tuple(f for f in each if _is_named(f, plan)),
        sources=sources.sigma(part) if sources else {},
        sets=plan.imputations,
        set_bytes=_bytes(output.records) if plan.imputations else 0,
        answer=output.protected(plan, (epsilon, delta, whole), plan.unit, facts={}),
    )


def _bytes(records: pa.Table) -> int:
    """How many bytes records take as a file of a release."""
    out = pa.BufferOutputStream()
    pq.write_table(records, out, compression="zstd")
    return int(out.getvalue().size)


def _is_named(figures: Figures, plan: Plan) -> bool:
    core_column = figures.kind == "one_way" and figures.columns[0] in plan.core
    return core_column or figures.kind not in ("one_way", "pairs")


def _each(plan: Plan, questions: Workload, codes: Codes, output: MechanismOutput) -> list[Figures]:
    variance = cell_variances(questions)
    tables = [q.columns for q in questions]
    truth, made = count(codes, tables), count(encode(output.records, plan.domains), tables)
    shown = _rows_of(output.counts)
    return [_figures(q, variance[q.columns], plan, truth, made, shown) for q in questions]


def _figures(
    q: Measurement,
    variance: float,
    plan: Plan,
    truth: Counts,
    made: Counts,
    rows: Mapping[Columns, int],
) -> Figures:
    here, table = truth[q.columns], made[q.columns]
    half_width, shown_from = _reaches(q, variance, plan)
    filled = int(np.count_nonzero(here))
    shown = min(1.0, rows.get(q.columns, 0) / filled) if filled else None
    if not q.columns:  # estimated by all tables together, so that its noise is the engine's
        reach = math.ceil(NormalDist().inv_cdf(0.5 + plan.level / 2) * variance**0.5)
        half_width, shown_from = Range(reach, reach), Range(reach + 1, reach + 1)
        shown = float(table >= shown_from.all)
    off, sd = _variation(here, table), variance**0.5
    return Figures(q.kind, q.columns, 1, q.cells, sd, half_width, shown_from, shown, off)


def _reaches(q: Measurement, variance: float, plan: Plan) -> tuple[Range, Range]:
    """Half the width of an interval of a table, and the smallest count of it that is shown."""
    spread, miss, share = published(q, variance), 1 - plan.level, plan.false_share
    return (
        Range(radius(spread, miss), radius(spread, miss / q.cells)),
        Range(radius(spread, share) + 1, radius(spread, share / q.cells) + 1),
    )


def _variation(a: Any, b: Any) -> float:
    """Total variation distance of two tables as shares; 1 where only one is empty."""
    if not a.sum() or not b.sum():
        return float(bool(a.sum()) != bool(b.sum()))
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


def _rows_of(counts: pa.Table) -> dict[Columns, int]:
    """How many cells of each table are shown."""
    joined = pc.binary_join(counts["columns"], "*").combine_chunks().dictionary_encode()
    _which, first, size = np.unique(
        joined.indices.to_numpy(), return_index=True, return_counts=True
    )
    tables = counts["columns"].take(pa.array(first)).to_pylist()
    return {tuple(table): int(n) for table, n in zip(tables, size, strict=True)}


def _together(group: Sequence[Figures]) -> Figures:
    if len(group) == 1:
        return group[0]
    shares = [f.shown for f in group if f.shown is not None]
    return Figures(
        kind=group[0].kind,
        columns=(),
        tables=len(group),
        cells=sum(f.cells for f in group),
        sigma=median(f.sigma for f in group),
        half_width=_median([f.half_width for f in group]),
        shown_from=_median([f.shown_from for f in group]),
        shown=fmean(shares) if shares else None,
        tv=fmean(f.tv for f in group),
    )


def _median(ranges: Sequence[Range]) -> Range:
    return Range(round(median(r.all for r in ranges)), round(median(r.lone for r in ranges)))


# --------------------------------------------------------------------------------------------------
# What a further table would cost a release, from public settings alone; no row is counted.


@dataclass(frozen=True)
class TablePrice:
    """A table of a release: its error, and what it takes of the release's budget.

    Attributes:
        columns: of the table, in the order of the plan.
        cells: of its public domain, "not recorded" counted as a value.
        half_width: half the width of an interval, in people.
        shown_from: the smallest count that is shown.
        epsilon: of this table alone, at the release's delta.
        growth: noise of another table with this one in the release, as a multiple of its noise
            without; of the table that loses most.
        keep: epsilon of a release in which every other table has the noise that it has without.
    """

    columns: Columns
    cells: int
    half_width: Range
    shown_from: Range
    epsilon: float
    growth: float
    keep: float


def table_price(
    before: Plan, after: Plan, table: Columns, epsilon: float, delta: float, elsewhere: float
) -> TablePrice:
    """The price of a table.

    Args:
        before, after: plans of the release without and with it.
        table: its columns, a table of ``after``.
        epsilon, delta: of the release.
        elsewhere: share of the release's rho, in 0..1, that tables of people go without.

    Raises:
        PolicyError: epsilon is too small for these tables.
        KeyError: the policy gives tables of its kind no part of the budget.
    """
    whole = rho_of(epsilon, delta)
    (rho, _rest) = split(whole, (elsewhere,))
    with_it, without = workload(after, rho), workload(before, rho)
    old = {q.columns: q.sigma for q in without}
    growth = max([1.0, *(q.sigma / old[q.columns] for q in with_it if q.columns in old)])
    question = {q.columns: q for q in with_it}[after.ordered(table)]
    half_width, shown_from = _reaches(question, cell_variances(with_it)[question.columns], after)
    return TablePrice(
        columns=question.columns,
        cells=question.cells,
        half_width=half_width,
        shown_from=shown_from,
        epsilon=epsilon_of(float(cost((question,))), delta),
        growth=growth,
        keep=epsilon_of(whole * growth**2, delta),
    )
