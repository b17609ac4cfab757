"""The mechanism: exact tables in, noise, then everything that is published made of noisy tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from ctdhub.border import Estimate
from ctdhub.core.i18n import Text
from ctdhub.dp import published
from ctdhub.dp.count import Codes, Counts, count
from ctdhub.dp.noise import Bits
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.published import by_year, counts_table, published_cells
from ctdhub.dp.reconcile import (
    Estimated,
    cell_variances,
    least_squares,
    most_pooled,
    pool,
    sum_variance,
)
from ctdhub.dp.synth.fit import fit, imputed
from ctdhub.dp.synth.records import contradicted, settled, to_table
from ctdhub.dp.synth.wide import NoisyTables
from ctdhub.dp.workload import Workload, measure, workload
from ctdhub.schema.model import DELIVERIES

Progress = Callable[[Text, float], None]


@dataclass(frozen=True)
class MechanismOutput:
    """What the mechanism gives: records, counts, totals, noisy counts as in :class:`Protected`.

    Attributes:
        sigma, drawn: by table the standard deviation of a published cell, and of the noise that was
            drawn; as in ``Guarantee``.
        rho: the cost, at most what was asked.
        not_fitted: tables that the records were not fitted to; as in ``Guarantee.not_fitted``.
        imputations: as in :class:`Protected`.
    """

    records: pa.Table
    counts: pa.Table
    people: Estimate
    case_records: Estimate
    measurements: pa.Table
    sigma: dict[str, float]
    drawn: dict[str, float]
    rho: float
    not_fitted: tuple[str, ...] = ()
    imputations: tuple[pa.Table, ...] = ()


def answer(
    people: Codes,
    plan: Plan,
    rho: float,
    source: Bits = os.urandom,
    progress: Progress | None = None,
) -> MechanismOutput:
    """Count people and answer; see :func:`answer_of`.

    Args:
        people: people by the plan's domains.
    """
    if progress:
        progress(Text("counting"), 0.05)
    tables = [q.columns for q in workload(plan, rho)]
    return answer_of(count(people, tables), plan, rho, source, progress)


def answer_of(
    exact: Counts,
    plan: Plan,
    rho: float,
    source: Bits = os.urandom,
    progress: Progress | None = None,
) -> MechanismOutput:
    """The mechanism alone, without ledger: for ``protect_table``, attacks and rehearsals.

    Whoever calls it owes the ledger a charge of ``rho`` unless the people are fictitious.

    Args:
        exact: every table of the plan's workload; emptied as soon as its noise is drawn.
        rho: the most that it may cost.
        source: random bits of everything that is drawn, noise first, then orders and ties of the
            fit, then the sets for inference; the operating system's in the product.

    Raises:
        PolicyError: ``rho`` is too small for the plan's tables.
    """
    tell = progress or (lambda message, share: None)
    questions = workload(plan, rho)
    tell(Text("drawing noise"), 0.1)
    noisy = measure(exact, questions, source)
    exact.clear()
    return answer_to(noisy, questions, plan, rho, source, tell)


def answer_to(
    noisy: Counts, questions: Workload, plan: Plan, rho: float, source: Bits, tell: Progress
) -> MechanismOutput:
    """All that is made of noisy tables; nothing here sees exact counts.

    Args:
        noisy: every table of the questions; emptied as soon as it has served.
        rho: what they cost.
    """
    pooled = pool(noisy, questions, most_pooled(questions))
    total = published.total_people(pooled, plan.level)
    compared: set[Columns] = set()
    alone = 0.75 / (1 + 2 * plan.imputations)  # a closer fit takes about twice as long
    records = fit(
        NoisyTables.of(noisy, questions, {t: e for t, e in pooled.items() if len(t) <= 2}),
        plan,
        total.value,
        progress=lambda s: tell(Text("fitting"), 0.15 + alone * s),
        source=source,
        compared=compared,
    )
    kept: dict[Columns, Estimated] = {}
    variance = cell_variances(questions)
    found = _keeping(kept, plan, least_squares(noisy, questions, pooled, variance))
    shown = published.shown_cells(
        found, questions, total, plan.level, plan.false_share, plan.domains, plan.followers
    )
    del pooled
    if not plan.imputations:
        noisy.clear()  # as large as the tables of the records to come
    sums = contradicted(records, kept, shown, plan, sum_variance(questions))
    records = settled(records, shown, plan, total.value, source, sums)
    del sums
    tell(Text("publishing"), 0.9)
    made = count(Codes(dict(records), plan.sizes, total.value), [q.columns for q in questions])
    cells = published_cells(made, questions, total, shown, plan.level, plan.false_share)
    del made
    counts = counts_table(cells, questions, plan.domains, total)
    measurements = by_year(kept, questions, plan, cells)
    case_records = published.case_records(kept, total, plan.level)
    sets = imputed(
        noisy,
        questions,
        plan,
        source,
        lambda s: tell(Text("fitting"), 0.15 + alone + (0.75 - alone) * s),
    )
    noisy.clear()
    return MechanismOutput(
        records=to_table(records, plan.domains),
        counts=counts,
        people=total,
        case_records=case_records,
        measurements=measurements,
        sigma={"*".join(t): of_cell**0.5 for t, of_cell in variance.items()},
        drawn={"*".join(q.columns): q.sigma for q in questions},
        rho=rho,
        not_fitted=tuple(
            "*".join(q.columns)
            for q in questions
            if len(q.columns) > 1 and total.value and q.columns not in compared
        ),
        imputations=sets,
    )


def _keeping(
    kept: dict[Columns, Estimated], plan: Plan, found: Iterable[tuple[Columns, Estimated]]
) -> Iterator[tuple[Columns, Estimated]]:
    """The tables, of which those that are used whole later on are kept."""
    for t, estimated in found:
        if t in ((), (DELIVERIES,)) or plan.year in t:
            kept[t] = replace(estimated, value=estimated.value.copy())
        yield t, estimated
