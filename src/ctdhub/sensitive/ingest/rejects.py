"""Rows that could not be used, with the reason."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from ctdhub.core.i18n import Text, in_english

REJECTS = pa.schema(
    [
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_row", pa.int64(), nullable=False),
        pa.field("column", pa.string()),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("fields", pa.string(), nullable=False),
    ]
)
"""One row per fault.  ``source_row`` is the row a spreadsheet shows; ``column`` is null where the
fault concerns the whole row; ``reason`` is English and never holds a value of the row; ``fields``
is the same as JSON, of which :func:`reason_of` makes a text for any language."""


@dataclass(frozen=True)
class Reject:
    """One fault of one row; see :data:`REJECTS`."""

    row: int
    rule: str
    reason: Text
    column: str | None = None


def reject_table(file: str, rejects: Iterable[Reject]) -> pa.Table:
    """The faults as a table with the schema :data:`REJECTS`.

    >>> reject_table("a.csv", [Reject(3, "cell-count", Text("A row of 3 cells."))]).num_rows
    1
    """
    rows = list(rejects)
    return pa.table(
        [
            pa.array([file] * len(rows), pa.string()),
            pa.array([r.row for r in rows], pa.int64()),
            pa.array([r.column for r in rows], pa.string()),
            pa.array([r.rule for r in rows], pa.string()),
            pa.array([in_english(r.reason) for r in rows], pa.string()),
            pa.array([as_fields(r.reason) for r in rows], pa.string()),
        ],
        schema=REJECTS,
    )


def as_fields(reason: Text) -> str:
    """A reason as the column ``fields`` has it."""
    return json.dumps(reason.as_json(), ensure_ascii=False)


def reason_of(fields: str) -> Text:
    """The reason that :func:`as_fields` gave.

    >>> reason_of(as_fields(Text("row {row}", row=3))).fields
    {'row': 3}
    """
    return Text.from_json(json.loads(fields))
