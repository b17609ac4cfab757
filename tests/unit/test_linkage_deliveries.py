"""Versions of records: one person changes one row, in however many deliveries she stands."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.test_linkage import table

from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage.deliveries import (
    EXCLUDED,
    HELD,
    RECORD,
    REJECTED,
    Kept,
    changes,
    dropped,
    missing,
)
from ctdhub.sensitive.linkage.merge import link
from ctdhub.sensitive.linkage.shared_keys import shared_keys

NUMBER = 3
Row = tuple[int, str | None, str, int]
"""Delivery, key, what the record says, what became of the row."""

rows = st.lists(
    st.tuples(
        st.integers(0, NUMBER - 1),
        st.sampled_from([None, "a", "b", "c"]),
        st.sampled_from(["female", "male"]),
        st.sampled_from([RECORD, RECORD, EXCLUDED, REJECTED]),
    ),
    max_size=14,
)
ways = st.builds(
    Kept,
    st.just(NUMBER),
    st.booleans(),
    st.frozensets(st.integers(1, NUMBER - 1)),
)


def held(given_rows: list[Row]) -> pa.Table:
    """The rows of all deliveries, with ids made of what records say and of their number."""
    found, seen = [], Counter[tuple[Any, ...]]()
    for delivery, key, said, became in given_rows:
        number = seen[delivery, key, said]
        seen[delivery, key, said] += 1
        if became == RECORD:
            found.append((f"{key}-{said}-{number}", key, delivery, became))
        elif key is not None:
            found.append((None, key, delivery, became))
    return pa.Table.from_pylist([dict(zip(HELD.names, r, strict=True)) for r in found], HELD)


def in_force(given_rows: list[Row], way: Kept) -> pa.Table:
    """Rows of people, made of the records in force."""
    every = held(given_rows)
    out = dropped(every, way)
    gone = pa.concat_arrays([out.replaced, out.left])
    ids = every["record_id"].drop_null()
    left = every.filter(
        pc.and_(
            pc.is_valid(every["record_id"]), pc.invert(pc.is_in(every["record_id"], value_set=gone))
        )
    )
    assert len(gone.unique()) == len(gone) <= len(ids)
    records = [
        {
            "record_id": r["record_id"],
            "person_key": r["person_key"],
            "gender": r["record_id"].split("-")[1],
        }
        for r in left.to_pylist()
    ]
    return link(table(records), load_schema()).people


@settings(max_examples=20, deadline=None)
@given(rows, ways, st.sampled_from(["a", "b", "c"]))
def test_one_person_changes_one_row(given_rows: list[Row], way: Kept, person: str) -> None:
    """Neighbouring inputs over several deliveries: without all rows of one person."""
    whole = Counter(map(str, in_force(given_rows, way).to_pylist()))
    left = Counter(map(str, in_force([r for r in given_rows if r[1] != person], way).to_pylist()))
    assert not left - whole
    assert sum((whole - left).values()) <= 1


@settings(max_examples=20, deadline=None)
@given(rows, ways, st.integers(0, 13))
def test_one_row_without_a_key_changes_one_row(given_rows: list[Row], way: Kept, at: int) -> None:
    """The same for a record that is a person of its own."""
    unkeyed = [i for i, r in enumerate(given_rows) if r[1] is None]
    if not unkeyed:
        return
    chosen = unkeyed[at % len(unkeyed)]
    neighbour = given_rows[:chosen] + given_rows[chosen + 1 :]
    whole = Counter(map(str, in_force(given_rows, way).to_pylist()))
    left = Counter(map(str, in_force(neighbour, way).to_pylist()))
    assert not left - whole
    assert sum((whole - left).values()) <= 1


def standing(given_rows: list[Row], way: Kept) -> dict[str, Counter[str]]:
    """The records in force by key, told again in plain Python."""
    found: dict[str, Counter[str]] = {}
    for key in {r[1] for r in given_rows} - {None}:
        own = [r for r in given_rows if r[1] == key]
        seen = max(r[0] for r in own)
        if way.cumulative and seen < way.newest and seen + 1 not in way.kept:
            continue
        read = [r for r in own if r[3] != REJECTED]
        newest = max((r[0] for r in read), default=-1)
        said = Counter(r[2] for r in read if r[0] == newest and r[3] == RECORD)
        if said:
            found[str(key)] = said
    return found


@settings(max_examples=25, deadline=None)
@given(rows, ways)
def test_of_one_key_the_newest_delivery_counts_whole(given_rows: list[Row], way: Kept) -> None:
    every, out = held(given_rows), dropped(held(given_rows), way)
    gone = set(out.replaced.to_pylist()) | set(out.left.to_pylist())
    found: dict[str, set[str]] = {}
    for row in every.to_pylist():
        if row["became"] == RECORD and row["person_key"] and row["record_id"] not in gone:
            found.setdefault(row["person_key"], set()).add(row["record_id"])
    wanted = standing(given_rows, way)
    assert {
        key: Counter(i.split("-")[1] for i in ids) for key, ids in found.items()
    }.keys() == wanted.keys()
    for key, said in wanted.items():
        assert {i.split("-")[1] for i in found[key]} == set(said)


@settings(max_examples=25, deadline=None)
@given(rows, ways)
def test_what_changed_adds_up_to_who_is_in_force(given_rows: list[Row], way: Kept) -> None:
    keyed = [r for r in given_rows if r[1] is not None]
    brought = changes(held(keyed), way)
    assert len(brought) == NUMBER
    assert sum(b.new for b in brought) - sum(b.left for b in brought) == len(standing(keyed, way))
    assert not any(min(b.people, b.changed, b.left, b.new) < 0 for b in brought)
    if not missing(held(keyed), way):
        newest = {r[1] for r in keyed if r[0] == way.newest}
        assert newest == {r[1] for r in keyed}


def test_keys_that_several_people_share() -> None:
    said = [
        ("two genders", "female", "21-23", 2024),
        ("two genders", "male", None, None),
        ("a child and an adult", "female", "9-17", 2024),
        ("a child and an adult", None, "48+", 2024),
        ("grown up meanwhile", "female", "9-17", 2014),
        ("grown up meanwhile", "female", "24-26", 2024),
        ("a year apart", "female", "21-23", 2024),
        ("a year apart", "female", "24-26", 2024),
        ("no dates", "female", "9-17", None),
        ("no dates", "female", "48+", None),
        ("not only two", "female", None, 2024),
        ("not only two", "transgender_nonconforming", None, 2024),
        ("births", "female", None, 2024),
        ("births", "female", None, 2024),
        (None, "female", None, 2024),
        (None, "male", None, 2024),
    ]
    rows_ = table(
        [
            dict(
                zip(("person_key", "gender", "age_band", "year_of_registration"), one, strict=True)
            )
            for one in said
        ]
    )
    rows_ = rows_.append_column("delivery", pa.array([0] * len(said), pa.int32()))
    births = pa.table(
        {
            "person_key": ["births", "of another delivery"],
            "delivery": pa.array([0, 1], pa.int32()),
        }
    )
    found = shared_keys(rows_, births).to_pylist()
    assert [(f["person_key"], f["genders"], f["births"]) for f in found] == [
        ("a child and an adult", False, True),
        ("births", False, True),
        ("two genders", True, False),
    ]


@settings(max_examples=20, deadline=None)
@given(rows)
def test_a_first_delivery_is_counted_as_one_of_several(given_rows: list[Row]) -> None:
    first = held([r for r in given_rows if r[0] == 0])
    assert changes(first, Kept(1)) == changes(first, Kept(2))[:1]
