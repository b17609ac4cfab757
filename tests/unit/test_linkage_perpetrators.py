"""Perpetrators by person: nobody twice, nobody lost, one person's rows are hers alone."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.schema.model import PERSON, load_schema
from ctdhub.sensitive.linkage.people import Linking, each_once, link
from ctdhub.sensitive.linkage.people import by_person as of_persons

SCHEMA = load_schema()
NAMES = [v.name for v in SCHEMA.table("perpetrators")]
Given = list[tuple[str | None, str | None, list[str | None]]]
"""By record: person key, gender of the person, genders of perpetrators."""


def records(rows: Given) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "record_id": pa.array([f"r{i:03d}" for i in range(len(rows))], pa.string()),
        "person_key": pa.array([key for key, _, _ in rows], pa.string()),
    }
    for v in SCHEMA.records:
        kind = pa.int16() if v.kind == "year" else pa.string()
        columns[v.name] = pa.nulls(len(rows), kind)
    columns["gender"] = pa.array([gender for _, gender, _ in rows], pa.string())
    return pa.table(columns)


def mentioned(rows: Given) -> pa.Table:
    flat = [(f"r{i:03d}", said) for i, (_, _, all_) in enumerate(rows) for said in all_]
    columns = {name: pa.nulls(len(flat), pa.string()) for name in NAMES}
    columns["perpetrator_gender"] = pa.array([said for _, said in flat], pa.string())
    return pa.table({"record_id": pa.array([r for r, _ in flat], pa.string()), **columns})


def linked(rows: Given) -> tuple[pa.Table, pa.Table]:
    said = records(rows)
    return link(said, SCHEMA).people, each_once(
        of_persons(mentioned(rows), said, SCHEMA, Linking())
    )


def by_person(rows: Given) -> Counter[tuple[object, ...]]:
    """What is said of the perpetrators of each person, whatever she is called."""
    _people, perpetrators = linked(rows)
    said: dict[str, list[str]] = {}
    for r in perpetrators.to_pylist():
        said.setdefault(r[PERSON], []).append(str(r["perpetrator_gender"]))
    return Counter(tuple(sorted(genders)) for genders in said.values())


def test_child_rows_of_records_become_child_rows_of_people() -> None:
    rows: Given = [("a", "female", ["male", "male", None]), ("a", None, ["male", "female"])]
    _people, found = linked([*rows, (None, "male", [])])
    assert found.column_names == [PERSON, *NAMES]
    assert [(r[PERSON], r["perpetrator_gender"]) for r in found.to_pylist()] == [
        ("a", "female"), ("a", "male"), ("a", None),
    ]  # fmt: skip


def test_equal_people_keep_their_own_perpetrators() -> None:
    _, found = linked([("a", "male", ["male"]), ("b", "male", ["male"]), (None, "male", ["male"])])
    assert found[PERSON].to_pylist() == ["a", "b", "r002"]


def test_a_file_that_is_delivered_twice_adds_nobody() -> None:
    rows: Given = [("a", "male", ["male", None]), (None, None, ["female"])]
    twice = pa.concat_tables([records(rows)] * 2)
    again = each_once(of_persons(pa.concat_tables([mentioned(rows)] * 2), twice, SCHEMA, Linking()))
    assert again.equals(linked(rows)[1])


def test_without_perpetrators_the_table_has_its_columns() -> None:
    for rows in ([], [("a", None, [])]):
        people, found = linked(rows)
        assert (people.num_rows, found.num_rows) == (len(rows), 0)
        assert found.column_names == [PERSON, *NAMES]


def test_a_row_that_belongs_to_no_record_is_a_fault() -> None:
    strange = mentioned([("a", None, ["male"])]).set_column(0, "record_id", pa.array(["other"]))
    with pytest.raises(ValueError, match="no record"):
        of_persons(strange, records([("a", None, [])]), SCHEMA, Linking())


given_rows = st.lists(
    st.tuples(
        st.sampled_from([None, "a", "b", "c"]),
        st.sampled_from([None, "female", "male"]),
        st.lists(st.sampled_from([None, "female", "male"]), max_size=3),
    ),
    max_size=7,
)


@settings(max_examples=6, deadline=None)
@given(given_rows)
def test_removing_a_person_removes_her_perpetrators_and_no_other(rows: Given) -> None:
    whole, without = by_person(rows), by_person([row for row in rows if row[0] != "a"])
    assert without <= whole
    alone = by_person([row for row in rows if row[0] == "a"])
    assert whole - without == alone
