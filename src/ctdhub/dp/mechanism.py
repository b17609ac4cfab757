"""The mechanism: exact tables in, noise, then everything that is published made of noisy tables."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from ctdhub.border import Estimate, Guarantee, Protected, mint
from ctdhub.core.i18n import Text
from ctdhub.dp import published
from ctdhub.dp import workload as measuring
from ctdhub.dp.count import Codes, Counts, count
from ctdhub.dp.noise import Bits
from ctdhub.dp.plan import Columns, Plan, epsilon_by_rows
from ctdhub.dp.published import by_region, by_year, counts_table, published_cells
from ctdhub.dp.synth.fit import fit, imputed
from ctdhub.dp.synth.records import NoisyTables, contradicted, region_sums, settled, to_table
from ctdhub.schema.model import DELIVERIES

Progress = Callable[[Text, float], None]
MECHANISM = "discrete Gaussian"


@dataclass(frozen=True)
class MechanismOutput:
    """What the mechanism gives: records, counts, totals, noisy counts as in :class:`Protected`.

    Attributes:
        sigma, drawn: by table the standard deviation of a published cell, and of the noise that was
            drawn; as in ``Guarantee``.
        not_fitted: tables that the records were not fitted to; as in ``Guarantee.not_fitted``.
        imputations: as in :class:`Protected`.
        regions: as in ``Guarantee.regions``.
    """

    records: pa.Table
    counts: pa.Table
    people: Estimate
    case_records: Estimate
    measurements: pa.Table
    sigma: dict[str, float]
    drawn: dict[str, float]
    not_fitted: tuple[str, ...] = ()
    imputations: tuple[pa.Table, ...] = ()
    regions: dict[str, float] = field(default_factory=dict)

    def protected(
        self,
        plan: Plan,
        promise: tuple[float, float, float],
        unit: str,
        charge: str = "",
        mechanism: str = MECHANISM,
        not_fitted: tuple[str, ...] = (),
        **parts: Any,
    ) -> Protected:
        """The answer with its guarantee.

        Args:
            promise: epsilon, delta and rho.
            unit: who is protected, in English words.
            charge: what paid for it.
            not_fitted: tables of its other parts that records were not fitted to.
            parts: of the answer, beside those of the people.
        """
        epsilon, delta, rho = promise
        guarantee = Guarantee(
            epsilon,
            delta,
            rho,
            unit,
            mechanism,
            plan.level,
            self.sigma,
            charge,
            plan.rows,
            epsilon_by_rows(rho, delta, plan.rows),
            self.not_fitted + not_fitted,
            self.drawn,
            plan.false_share,
            self.regions,
        )
        own = ("records", "counts", "people", "case_records", "measurements", "imputations")
        return mint(**{name: getattr(self, name) for name in own}, guarantee=guarantee, **parts)


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
    tables = [*(q.columns for q in measuring.workload(plan, rho)), *plan.regions]
    return answer_of(count(people, tables), plan, rho, source, progress)


def answer_of(
    exact: Counts,
    plan: Plan,
    rho: float,
    source: Bits = os.urandom,
    progress: Progress | None = None,
) -> MechanismOutput:
    """The mechanism alone, without ledger: for ``engine``, attacks and rehearsals.

    Whoever calls it owes the ledger a charge of ``rho`` unless the people are fictitious.

    Args:
        exact: every table of the plan's workload, and those that regions are added up from; emptied
            as soon as its noise is drawn.
        rho: the most that it may cost.
        source: random bits of everything that is drawn, noise first, then orders and ties of the
            fit, then the sets for inference; the operating system's in the product.

    Raises:
        PolicyError: ``rho`` is too small for the plan's tables.
    """
    tell = progress or (lambda message, share: None)
    questions = measuring.workload(plan, rho)
    tell(Text("drawing noise"), 0.1)
    noisy = measuring.measure(exact, questions, source)
    asked = measuring.regional(plan, rho)
    regions = measuring.measure(measuring.in_regions(exact, plan), asked, source), asked
    exact.clear()
    return answer_to(noisy, questions, plan, source, tell, regions)


def answer_to(
    noisy: Counts,
    questions: measuring.Workload,
    plan: Plan,
    source: Bits,
    tell: Progress,
    regions: tuple[Counts, measuring.Workload] = ({}, ()),
) -> MechanismOutput:
    """All that is made of noisy tables; nothing here sees exact counts.

    Args:
        noisy: every table of the questions; emptied as soon as it has served.
        regions: the noisy tables of regions, and their questions.
    """
    pooled = published.pool(noisy, questions, published.most_pooled(questions))
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
    kept: dict[Columns, published.Estimated] = {}
    variance = published.cell_variances(questions)
    estimates = _keeping(kept, plan, published.least_squares(noisy, questions, pooled, variance))
    shown = published.shown_cells(
        estimates, questions, total, plan.level, plan.false_share, plan.domains, plan.followers
    )
    del pooled
    if not plan.imputations:
        noisy.clear()  # as large as the tables of the records to come
    sums = contradicted(records, kept, shown, plan, published.sum_variance(questions))
    sums += region_sums(records, *regions, plan)
    records = settled(records, shown, plan, total.value, source, sums)
    del sums
    tell(Text("publishing"), 0.9)
    made = count(Codes(dict(records), plan.sizes, total.value), [q.columns for q in questions])
    cells = published_cells(made, questions, total, shown, plan.level, plan.false_share)
    del made
    counts = counts_table(cells, questions, plan.domains, total)
    rows = by_year(kept, questions, plan, cells), by_region(regions[0], plan)
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
        measurements=pa.concat_tables(rows).combine_chunks(),
        sigma={"*".join(t): of_cell**0.5 for t, of_cell in variance.items()},
        drawn={"*".join(q.columns): q.sigma for q in questions},
        not_fitted=tuple(
            "*".join(q.columns)
            for q in questions
            if len(q.columns) > 1 and total.value and q.columns not in compared
        ),
        imputations=sets,
        regions={plan.region_key(q.columns): q.sigma for q in regions[1]},
    )


def _keeping(
    kept: dict[Columns, published.Estimated],
    plan: Plan,
    estimates: Iterable[tuple[Columns, published.Estimated]],
) -> Iterator[tuple[Columns, published.Estimated]]:
    """The tables, of which those that are used whole later on are kept."""
    for t, estimated in estimates:
        if t in ((), (DELIVERIES,)) or plan.year in t:
            kept[t] = replace(estimated, value=estimated.value.copy())
        yield t, estimated
