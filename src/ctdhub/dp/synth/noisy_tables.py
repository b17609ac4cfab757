"""The noisy tables, as the fit knows them."""

from __future__ import annotations

from dataclasses import dataclass

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns
from ctdhub.dp.pooling import Estimated
from ctdhub.dp.workload import Workload


@dataclass(frozen=True)
class NoisyTables:
    """What the fit knows.

    Attributes:
        noisy: tables as they were measured.
        variance: of their cells.
        pooled: what all tables together say of columns and pairs.
    """

    noisy: Counts
    variance: dict[Columns, float]
    pooled: dict[Columns, Estimated]

    @classmethod
    def of(
        cls, noisy: Counts, questions: Workload, pooled: dict[Columns, Estimated]
    ) -> NoisyTables:
        """From the tables of a workload."""
        return cls(noisy, {q.columns: float(q.sigma2) for q in questions}, pooled)

    def alone(self, table: Columns) -> Estimated:
        """A table as it was measured: whole numbers, for a copy of all tables takes much memory."""
        return Estimated(self.noisy[table], self.variance[table])  # type: ignore[arg-type]
