"""People counted by the set of lists that know them: exact, and never published as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.roles import CONTRIBUTOR, PERIOD


def people_by_lists(
    records: pa.Table, persons: pa.Array, lists: Sequence[str], years: tuple[int, int]
) -> Counter[tuple[str, ...]]:
    """People by the lists that know them, ids in order.

    Args:
        records: ``reporting_entity``, ``year_of_registration``.
        persons: whose each record is.
        lists: ids of contributors.
        years: a list knows a person where it has a record of her from these years.
    """
    names = records[CONTRIBUTOR].combine_chunks().cast(pa.string())
    which = pc.index_in(names, value_set=pa.array(lists, pa.string()))
    year = records[PERIOD].combine_chunks()
    inside = pc.and_(pc.greater_equal(year, years[0]), pc.less_equal(year, years[1]))
    known = pa.table({"person": persons, "list": which})
    known = known.filter(pc.and_(inside, which.is_valid()))
    once = known.group_by(["person", "list"]).aggregate([])
    bits = pc.shift_left(pa.scalar(1, pa.int32()), once["list"])
    sets = once.append_column("bits", bits).group_by("person").aggregate([("bits", "sum")])
    return Counter(
        {
            tuple(name for i, name in enumerate(lists) if row["values"] >> i & 1): row["counts"]
            for row in pc.value_counts(sets["bits_sum"]).to_pylist()
        }
    )
