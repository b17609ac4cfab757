"""The least-squares estimate of all tables of a workload at once, for tests."""

from __future__ import annotations

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns
from ctdhub.dp.published import Estimated, cell_variances, least_squares, most_pooled, pool
from ctdhub.dp.workload import Workload


def reconciled(noisy: Counts, questions: Workload) -> dict[Columns, Estimated]:
    """By columns."""
    pooled = pool(noisy, questions, most_pooled(questions))
    return dict(least_squares(noisy, questions, pooled, cell_variances(questions)))
