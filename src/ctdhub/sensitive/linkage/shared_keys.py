"""Person keys that several people share, by what their rows say: two genders, births far apart.

A number of a case that a whole report shares makes one person of several.  Rows of one delivery
that contradict each other in what does not change show it; that two rows say different things of
one person otherwise is common, and no contradiction.  Rows are never divided by what they say: then
one person's row would decide whether another's are one or two (decision 45).
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, PERIOD, SEX
from ctdhub.sensitive.duck import run_whole

TOLERANCE = 1
"""Years by which births may differ: an age is known to the year, a registration too."""

FACTS = (SEX, AGE, PERIOD)
READ = ("record_id", "person_key", *FACTS)
"""Columns of records that are looked at."""

SHARED = pa.schema(
    [
        pa.field("person_key", pa.string()),
        pa.field("delivery", pa.int32()),
        pa.field("genders", pa.bool_()),
        pa.field("births", pa.bool_()),
    ]
)
"""Keys that several people share, by delivery, and whether genders or births say so."""

_SHARED = f"""
WITH said AS (
    SELECT person_key, delivery, "{SEX}"::VARCHAR AS sex,
        "{PERIOD}" - high - 1 AS first, "{PERIOD}" - low AS last
    FROM rows_ LEFT JOIN bands ON bands.code = rows_."{AGE}"::VARCHAR
    WHERE person_key IS NOT NULL
), found AS (
    SELECT person_key, delivery,
        coalesce(bool_or(sex = 'female') AND bool_or(sex = 'male'), false) AS genders,
        coalesce(max(first) > min(last) + {TOLERANCE}, false)
            OR bool_or((person_key, delivery) IN (SELECT (person_key, delivery) FROM births))
            AS births
    FROM said GROUP BY ALL HAVING count(*) > 1
)
FROM found WHERE genders OR births ORDER BY ALL
"""


def shared_keys(rows: pa.Table, births: pa.Table) -> pa.Table:
    """Keys whose rows in one delivery cannot be about one person, schema :data:`SHARED`.

    Args:
        rows: :data:`READ` but for the id, and ``delivery``.
        births: ``person_key`` and ``delivery`` of keys with two different years of birth.
    """
    return run_whole(_SHARED, rows_=rows, bands=_bands(), births=births).cast(SHARED)


def _bands() -> pa.Table:
    """Youngest and oldest age of each band; one without an end ends nowhere."""
    codes = load_schema().domain(AGE)
    ends = [(code.rstrip("+").partition("-")[0], code.partition("-")[2]) for code in codes]
    return pa.table(
        {
            "code": pa.array(codes, pa.string()),
            "low": pa.array([int(low) for low, _high in ends], pa.int32()),
            "high": pa.array([int(high) if high else None for _low, high in ends], pa.int32()),
        }
    )


def shared_in_one(records: pa.Table, births: pa.Table) -> pa.Table:
    """The same of the records of one delivery, which need no number of it.

    Args:
        records: its records.
        births: ``person_key`` of those with two different years of birth.
    """
    return shared_keys(*(_first(t) for t in (records.select(["person_key", *FACTS]), births)))


def births_apart(records: pa.Table, births: pa.Table) -> int:
    """How many keys of one delivery have births too far apart for one person."""
    return pc.sum(shared_in_one(records, births)["births"]).as_py() or 0


def _first(table: pa.Table) -> pa.Table:
    return table.append_column("delivery", pa.repeat(pa.scalar(0, pa.int32()), table.num_rows))
