"""What a further table would cost a release, from public settings alone; no row is counted."""

from __future__ import annotations

from dataclasses import dataclass

from ctdhub.dp.accounting import epsilon_of, rho_of, split
from ctdhub.dp.intervals import published, radius
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.reconcile import cell_variances
from ctdhub.dp.simulate import Range
from ctdhub.dp.workload import cost, workload


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
    found = {q.columns: q for q in with_it}[after.ordered(table)]
    spread = published(found, cell_variances(with_it)[found.columns])
    miss, share = 1 - after.level, after.false_share
    return TablePrice(
        columns=found.columns,
        cells=found.cells,
        half_width=Range(radius(spread, miss), radius(spread, miss / found.cells)),
        shown_from=Range(radius(spread, share) + 1, radius(spread, share / found.cells) + 1),
        epsilon=epsilon_of(float(cost((found,))), delta),
        growth=growth,
        keep=epsilon_of(whole * growth**2, delta),
    )
