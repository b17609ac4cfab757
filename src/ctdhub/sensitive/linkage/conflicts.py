"""What records of one person say differently, and which of it the person's row keeps."""

from __future__ import annotations

import pyarrow as pa

from ctdhub.schema.model import PERSON, Schema
from ctdhub.schema.roles import CONTRIBUTOR, CONTRIBUTOR_KIND, DESTINATION_RULE, PERIOD
from ctdhub.sensitive.duck import run_whole

CONFLICTS = pa.schema(
    [
        pa.field(PERSON, pa.string(), nullable=False),
        pa.field("variable", pa.string(), nullable=False),
        pa.field("record_id", pa.string(), nullable=False),
        pa.field(CONTRIBUTOR, pa.string()),
        pa.field("value", pa.string(), nullable=False),
        pa.field("kept", pa.bool_(), nullable=False),
    ]
)
"""One row for each record that has a value where records of its person differ."""

_OF_THE_RECORD = {
    CONTRIBUTOR,
    CONTRIBUTOR_KIND,
    PERIOD,
    DESTINATION_RULE,
}
"""Variables about a record; that two records differ in them is no contradiction about a person."""

_UNPIVOTED = """
SELECT {ids}, unnest([{names}]) AS variable, unnest([{values}]) AS value
FROM {table} SEMI JOIN odd USING ({person})
"""

_FOUND = """
WITH odd AS (
    SELECT {person} FROM records GROUP BY 1 HAVING {any_differs}
), said AS ({said}), merged AS ({merged}), differ AS (
    SELECT {person}, variable FROM said WHERE value IS NOT NULL
    GROUP BY ALL HAVING count(DISTINCT value) > 1
)
SELECT s.{person}, s.variable, s.record_id, s.{contributor}, s.value,
    s.value IS NOT DISTINCT FROM m.value AS kept
FROM said s JOIN differ USING ({person}, variable) JOIN merged m USING ({person}, variable)
WHERE s.value IS NOT NULL
ORDER BY ALL
"""


def conflicts(records: pa.Table, people: pa.Table, schema: Schema) -> pa.Table:
    """Where records of one person differ, schema :data:`CONFLICTS`, sorted.

    Args:
        records: ``person``, ``record_id`` and ``Schema.table("records")``; each record once.
        people: ``person`` and what was merged of these records.
        schema: the hub's schema.
    """
    of_people = {v.name for v in schema.table("people")} - _OF_THE_RECORD
    names = [v.name for v in schema.records if v.name in of_people]
    return run_whole(
        _FOUND.format(
            person=PERSON,
            contributor=CONTRIBUTOR,
            any_differs=" OR ".join(f'min("{name}") <> max("{name}")' for name in names),
            said=_unpivoted("records", (PERSON, "record_id", CONTRIBUTOR), names),
            merged=_unpivoted("people", (PERSON,), names),
        ),
        records=records,
        people=people,
    ).cast(CONFLICTS)


def _unpivoted(table: str, ids: tuple[str, ...], names: list[str]) -> str:
    return _UNPIVOTED.format(
        table=table,
        person=PERSON,
        ids=", ".join(ids),
        names=", ".join(f"'{name}'" for name in names),
        values=", ".join(f'"{name}"::VARCHAR' for name in names),
    )
