"""People counted by the set of lists that know them: exact, and never published as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.roles import CONTRIBUTOR, PERIOD
from ctdhub.sensitive.linkage.codes import Coded

ByStratum = Counter[tuple[str, str, tuple[str, ...]]]
"""People by variable, value ("" where not recorded) and the lists that know them."""


def people_by_lists(
    records: pa.Table, persons: pa.Array, lists: Sequence[str], years: tuple[int, int]
) -> Counter[tuple[str, ...]]:
    """People by the lists that know them, ids in order; see :func:`lists_of_people`."""
    sets = lists_of_people(records, persons, lists, years)
    return Counter(
        {
            _named(row["values"], lists): row["counts"]
            for row in pc.value_counts(sets["bits_sum"]).to_pylist()
        }
    )


def people_by_strata(
    sets: pa.Table, people: pa.Array, said: Mapping[str, Coded], lists: Sequence[str]
) -> ByStratum:
    """People by the lists that know them and by what their rows say.

    A person on lists may have several rows: she has the first value that one of them records, in
    the order of ``people``, which depends on nobody else's rows.

    Args:
        sets: see :func:`lists_of_people`.
        people: the person on lists whom each row of people is about, rows by their names.
        said: variables that are asked for, row by row of people.
        lists: ids of contributors.
    """
    found: ByStratum = Counter()
    for name, column in said.items():
        rows = pa.table({"person": people, "value": column.decoded().cast(pa.string())})
        rows = rows.filter(rows["value"].is_valid())
        firsts = rows.group_by("person", use_threads=False).aggregate([("value", "first")])
        joined = sets.join(firsts, "person").group_by(["bits_sum", "value_first"])
        for row in joined.aggregate([([], "count_all")]).to_pylist():
            on = _named(row["bits_sum"], lists)
            found[name, row["value_first"] or "", on] += row["count_all"]
    return found


def _named(bits: int, lists: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for i, name in enumerate(lists) if bits >> i & 1)


def lists_of_people(
    records: pa.Table, persons: pa.Array, lists: Sequence[str], years: tuple[int, int]
) -> pa.Table:
    """``person`` and ``bits_sum``, the lists that know her as bits; who is on none has no row.

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
    return once.append_column("bits", bits).group_by("person").aggregate([("bits", "sum")])
