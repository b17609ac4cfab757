"""Rows that could not be used, with the reason in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

REJECTS = pa.schema(
    [
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_row", pa.int64(), nullable=False),
        pa.field("column", pa.string()),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""One row per fault.  ``source_row`` is the row a spreadsheet shows; ``column`` is null where the
fault concerns the whole row; ``reason`` never holds a value of the row."""


@dataclass(frozen=True)
class Reject:
    """One fault of one row; see :data:`REJECTS`."""

    row: int
    rule: str
    reason: str
    column: str | None = None


def reject_table(file: str, rejects: Iterable[Reject]) -> pa.Table:
    """The faults as a table with the schema :data:`REJECTS`.

    >>> reject_table("a.csv", [Reject(3, "cell-count", "The row has 2 cells, not 3.")]).num_rows
    1
    """
    rows = list(rejects)
    return pa.table(
        [
            pa.array([file] * len(rows), pa.string()),
            pa.array([r.row for r in rows], pa.int64()),
            pa.array([r.column for r in rows], pa.string()),
            pa.array([r.rule for r in rows], pa.string()),
            pa.array([r.reason for r in rows], pa.string()),
        ],
        schema=REJECTS,
    )
