"""Exact counts of one contributor's records: people, values, what is filled in, what was refused.

A profile holds counts by public value and by rule.  It holds no record, no identifier and no value
outside the schema's public domains.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from ctdhub.core.tables import counts_of
from ctdhub.schema.model import Schema
from ctdhub.sensitive.linkage.people import link

NOT_RECORDED, TEXT = "", pa.string()


@dataclass(frozen=True)
class Profile:
    """What one contributor sent.

    Attributes:
        rows: rows read in its files.
        records: records made of them.
        people: people whom these records are about, joined by the keys of its own records.
        refused: rows with a fault, by rule; a row with several rules counts under each.
        excluded: rows left out by each named rule of its mapping.
        values: people by value of each public variable; the empty text is "not recorded".
    """

    rows: int
    records: int
    people: int
    refused: Mapping[str, int]
    excluded: Mapping[str, int]
    values: Mapping[str, Mapping[str, int]]

    def recorded(self, variable: str) -> int:
        """People whose answer is recorded."""
        return self.people - self.values[variable].get(NOT_RECORDED, 0)


def profile(
    records: pa.Table, rejects: pa.Table, rows: int, excluded: Mapping[str, int], schema: Schema
) -> Profile:
    """Count the records of one contributor.

    Args:
        records: its records, as ``harmonise`` gives them, of all its files.
        rejects: its rejects, ``ctdhub.sensitive.ingest.rejects.REJECTS``.
        rows: rows read in its files.
        excluded: rows left out by rule.
    """
    people = link(records, schema).people
    faulty = {(r["source_file"], r["source_row"], r["rule"]) for r in rejects.to_pylist()}
    public = [v.name for v in schema.table("people") if v.public]
    return Profile(
        rows=rows,
        records=records.num_rows,
        people=people.num_rows,
        refused=dict(Counter(rule for _file, _row, rule in faulty)),
        excluded=dict(excluded),
        values={n: counts_of(people[n].cast(TEXT).fill_null(NOT_RECORDED)) for n in public},
    )
