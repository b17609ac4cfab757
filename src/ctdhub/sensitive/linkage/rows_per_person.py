"""The bound of an agreement on rows of one person, as far as files let it be enforced.

Where an agreement says how many rows one person may have, a case is one person: of the persons
(keys, or records without one) that carry the number of a case, no more than the bound count.
Which of them stay is decided by what they are called, a keyed hash (``mapping.record_ids``,
``Keying``) or a token: as good as chance, the same in each build, and a matter of that case alone.
So whoever takes a case away takes at most so many rows.
"""

from __future__ import annotations

import pyarrow as pa

from ctdhub.sensitive.duck import run_whole

BEYOND = "rows-per-person"
"""The rule by which rows beyond the bound count no more, in the account of rows."""

_BEYOND = """
WITH filed AS (
    SELECT DISTINCT record_id, coalesce(person_key, record_id) AS person, cases."case" AS one
    FROM records JOIN cases USING (record_id)
), surplus AS (
    SELECT one, person FROM (SELECT DISTINCT one, person FROM filed)
    QUALIFY row_number() OVER (PARTITION BY one ORDER BY person) > {most:d}
)
SELECT DISTINCT record_id FROM filed JOIN surplus USING (one, person) ORDER BY 1
"""


def beyond(records: pa.Table, cases: pa.Table, most: int) -> pa.Array:
    """Ids of records that count no more, so that no case has more than ``most`` persons.

    Args:
        records: those of one contributor that are in force: ``record_id``, ``person_key``.
        cases: ``record_id``, ``case`` of those that have the number of one.
        most: the bound of the agreement.
    """
    found = run_whole(_BEYOND.format(most=most), records=records, cases=cases)
    return found["record_id"].combine_chunks()
