"""What records of one person say differently, and which of it the person's row keeps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.model import PERSON, Schema
from ctdhub.schema.roles import CONTRIBUTOR, CONTRIBUTOR_KIND, DESTINATION_RULE, PERIOD
from ctdhub.sensitive.linkage.codes import Coded
from ctdhub.sensitive.linkage.merge_rules import Together

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

_MOST = np.iinfo(np.int32).max


def conflicts(
    together: Together,
    persons: pa.Array,
    ids: pa.ChunkedArray,
    said: Mapping[str, Coded],
    people: Mapping[str, Coded],
    schema: Schema,
) -> pa.Table:
    """Where records of one person differ, schema :data:`CONFLICTS`, sorted.

    Args:
        together: the records by person.
        persons: what each person is called, ascending.
        ids: ids of the records, each once.
        said: what the records say, by variable.
        people: what was merged of them.
        schema: the hub's schema.
    """
    if not len(together.several):
        return CONFLICTS.empty_table()
    of_people = {v.name for v in schema.table("people")} - _OF_THE_RECORD
    names = sorted(v.name for v in schema.records if v.name in of_people)
    ends = np.append(together.starts[1:], len(together.several))
    whose = np.repeat(together.of_several, ends - together.starts)
    by_id = np.empty(len(whose), np.int64)
    by_id[pc.sort_indices(ids.take(pa.array(together.several))).to_numpy()] = np.arange(len(whose))
    rows = together.several[np.lexsort((by_id, whose))]
    places, keys, values, kept = [], [], [], []
    for number, name in enumerate(names):
        codes = said[name].codes[rows]
        least = np.minimum.reduceat(np.where(codes < 0, _MOST, codes), together.starts)
        differ = np.maximum.reduceat(codes, together.starts) > least
        at = np.flatnonzero(np.repeat(differ, ends - together.starts) & (codes >= 0))
        places.append(rows[at])
        keys.append(whose[at].astype(np.int64) * len(names) + number)
        values.append(said[name].values.take(pa.array(codes[at])))
        kept.append(codes[at] == people[name].codes[whose[at]])
    key = np.concatenate(keys)
    order = np.argsort(key, kind="stable")
    person, variable = np.divmod(key[order], len(names))
    row = np.concatenate(places)[order]
    contributor = said[CONTRIBUTOR]
    codes = contributor.codes[row]
    columns = [
        persons.take(pa.array(person)),
        pa.array(names).take(pa.array(variable)),
        ids.take(pa.array(row)),
        contributor.values.take(pa.array(codes, mask=codes < 0)),
        pa.concat_arrays(values).take(pa.array(order)),
        pa.array(np.concatenate(kept)[order]),
    ]
    return pa.table(columns, schema=CONFLICTS)
