"""Versions of records: one person changes one row, in however many deliveries she stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.test_linkage import table

from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage.deliveries import (
    EXCLUDED,
    RECORD,
    REJECTED,
    ROWS,
    Succession,
    changes,
    dropped,
    missing,
    shared_keys,
)
from ctdhub.sensitive.linkage.people import link

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
    Succession,
    st.just(NUMBER),
    st.booleans(),
    st.frozensets(st.integers(1, NUMBER - 1)),
)


Case = tuple[list[Row], Succession]
BATCH, EXAMPLES = 8, 16
"""So many inputs of one way are told apart by a number and asked together, since a query costs more
than its rows: 128 in each law, and those that are named."""

CUMULATIVE, APART = Succession(NUMBER, cumulative=True), Succession(NUMBER)
KEEPING = Succession(NUMBER, cumulative=True, kept=frozenset({2}))
HARD: list[Case] = [
    ([(0, "a", "female", RECORD), (1, "a", "male", RECORD)], APART),
    ([(0, "a", "female", RECORD), (1, "a", "male", RECORD), (2, "a", "male", RECORD)], CUMULATIVE),
    ([(0, None, "female", RECORD), (2, None, "male", RECORD)], CUMULATIVE),
    ([(0, None, "female", RECORD), (2, None, "male", RECORD)], APART),
    ([(0, "a", "female", RECORD), (2, "a", "male", REJECTED)], CUMULATIVE),
    ([(0, "a", "female", RECORD), (2, "a", "male", EXCLUDED)], APART),
    ([(0, "a", "female", RECORD), (2, "b", "male", RECORD)], CUMULATIVE),
    ([(0, "a", "female", RECORD), (1, "a", "male", RECORD), (2, "b", "male", RECORD)], KEEPING),
]
"""Two deliveries with other texts; rows without a key in older deliveries, of both ways; the newest
rejects, excludes or lacks somebody; somebody who is missing stays."""


def many(*more: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Inputs of one way that are asked together, each with what else a law draws."""
    batch = st.lists(st.tuples(rows, *more), min_size=BATCH, max_size=BATCH)
    return st.builds(lambda way, all_: [(said, way, *rest) for said, *rest in all_], ways, batch)


def hard(*more: Any) -> list[Any]:
    """The named inputs, each with what else a law draws."""
    return [(*case, *more) for case in HARD]


def held(given_rows: list[Row], case: int = 0) -> pa.Table:
    """The rows of all deliveries, with ids made of what records say and of their number."""
    found, seen = [], Counter[tuple[Any, ...]]()
    for delivery, key, said, became in given_rows:
        number = seen[delivery, key, said]
        seen[delivery, key, said] += 1
        whose = None if key is None else f"{case}/{key}"
        if became == RECORD:
            found.append((f"{case}/{key}-{said}-{number}", whose, delivery, became))
        elif key is not None:
            found.append((None, whose, delivery, became))
    return pa.Table.from_pylist([dict(zip(ROWS.names, r, strict=True)) for r in found], ROWS)


def by_way(cases: Sequence[Case]) -> dict[Succession, list[int]]:
    found: dict[Succession, list[int]] = {}
    for i, (_rows, way) in enumerate(cases):
        found.setdefault(way, []).append(i)
    return found


def records_in_force(cases: Sequence[Case]) -> list[list[dict[str, Any]]]:
    """Of each input the records that count, each once for every delivery that holds it."""
    found: list[list[dict[str, Any]]] = [[] for _case in cases]
    for way, places in by_way(cases).items():
        every = pa.concat_tables([held(cases[i][0], i) for i in places])
        out = dropped(every, way)
        gone = pa.concat_arrays([out.replaced, out.left])
        assert len(gone.unique()) == len(gone)
        assert set(gone.to_pylist()) <= set(every["record_id"].to_pylist())
        left = every.filter(pc.invert(pc.is_in(every["record_id"], value_set=gone)))
        for row in left.filter(pc.is_valid(left["record_id"])).to_pylist():
            found[int(row["record_id"].partition("/")[0])].append(row)
    return found


def in_force(cases: Sequence[Case]) -> list[Counter[str]]:
    """Rows of people, made of the records in force; what a row is of is its contributor."""
    records = [
        {
            "record_id": row["record_id"],
            "person_key": row["person_key"],
            "gender": row["record_id"].split("-")[1],
            "reporting_entity": str(i),
        }
        for i, own in enumerate(records_in_force(cases))
        for row in own
    ]
    found = [Counter[str]() for _case in cases]
    for person in link(table(records), load_schema()).people.to_pylist():
        found[int(person["reporting_entity"])][str({**person, "reporting_entity": ""})] += 1
    return found


def differ_by_one_row(inputs: Sequence[Case], neighbours: Sequence[Case]) -> None:
    found = in_force([*inputs, *neighbours])
    halves = found[: len(inputs)], found[len(inputs) :]
    for case, whole, left in zip(inputs, *halves, strict=True):
        assert not left - whole, case
        assert sum((whole - left).values()) <= 1, case


@settings(max_examples=EXAMPLES, deadline=None)
@given(many(st.sampled_from(["a", "b", "c"])))
@example(hard("a"))
def test_one_person_changes_one_row(drawn: list[Any]) -> None:
    """Neighbouring inputs over several deliveries: without all rows of one person."""
    without = [([r for r in said if r[1] != person], way) for said, way, person in drawn]
    differ_by_one_row([(said, way) for said, way, _person in drawn], without)


@settings(max_examples=EXAMPLES, deadline=None)
@given(many(st.integers(0, 13)))
@example(hard(0))
def test_one_row_without_a_key_changes_one_row(drawn: list[Any]) -> None:
    """The same for a record that is a person of its own."""
    inputs, neighbours = [], []
    for said, way, at in drawn:
        if unkeyed := [i for i, r in enumerate(said) if r[1] is None]:
            chosen = unkeyed[at % len(unkeyed)]
            inputs.append((said, way))
            neighbours.append((said[:chosen] + said[chosen + 1 :], way))
    differ_by_one_row(inputs, neighbours)


def standing(given_rows: list[Row], way: Succession) -> dict[str, Counter[str]]:
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


@settings(max_examples=EXAMPLES, deadline=None)
@given(many())
@example(hard())
def test_of_one_key_the_newest_delivery_counts_whole(drawn: list[Case]) -> None:
    """And of rows without a key all, or those of the newest delivery where it holds everything."""
    for (said, way), records in zip(drawn, records_in_force(drawn), strict=True):
        found: dict[str, set[str]] = {}
        for row in records:
            key = (row["person_key"] or "").partition("/")[2]
            found.setdefault(key, set()).add(row["record_id"].partition("/")[2])
        unkeyed = found.pop("", set())
        wanted = standing(said, way)
        assert found.keys() == wanted.keys(), (said, way)
        for key, texts in wanted.items():
            assert {i.split("-")[1] for i in found[key]} == set(texts), (said, way)
        counting = [
            r[2] for r in said
            if r[1] is None and r[3] == RECORD and (r[0] == way.newest or not way.cumulative)
        ]  # fmt: skip
        assert {i.split("-")[1] for i in unkeyed} == set(counting), (said, way)


@settings(max_examples=EXAMPLES, deadline=None)
@given(many())
@example(hard())
def test_what_changed_adds_up_to_who_is_in_force(drawn: list[Case]) -> None:
    """Of all inputs of one way together."""
    for way, places in by_way(drawn).items():
        keyed = {i: [r for r in drawn[i][0] if r[1] is not None] for i in places}
        every = pa.concat_tables([held(said, i) for i, said in keyed.items()])
        brought = changes(every, way)
        assert len(brought) == NUMBER
        people = sum(len(standing(said, way)) for said in keyed.values())
        assert sum(b.new for b in brought) - sum(b.left for b in brought) == people, keyed
        assert not any(min(b.people, b.changed, b.left, b.new) < 0 for b in brought)
        seen: dict[tuple[int, str | None], int] = {}
        for i, said in keyed.items():
            for delivery, key, _said, became in said:
                if became == RECORD or key is not None:
                    seen[i, key] = max(delivery, seen.get((i, key), 0))
        assert missing(every, way) == sorted({d + 1 for d in seen.values() if d < way.newest})


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


@settings(max_examples=EXAMPLES, deadline=None)
@given(many())
@example(hard())
@example([([(0, "a", "female", RECORD), (0, "a", "male", REJECTED)], APART)])
def test_a_first_delivery_is_counted_as_one_of_several(drawn: list[Case]) -> None:
    first = pa.concat_tables(
        [held([r for r in said if r[0] == 0], i) for i, (said, _way) in enumerate(drawn)]
    )
    assert changes(first, Succession(1)) == changes(first, Succession(2))[:1]
