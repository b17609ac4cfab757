"""Records become people: rows are not people (law 9), one person changes one row."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from invented_people import citizenship_group

from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage.people import link

SCHEMA = load_schema()


def table(rows: list[dict[str, object]]) -> pa.Table:
    """Records with the given values, everything else not recorded."""
    columns: dict[str, pa.Array] = {
        "record_id": pa.array(
            [r.get("record_id", f"r{i:04d}") for i, r in enumerate(rows)], pa.string()
        ),
        "person_key": pa.array([r.get("person_key") for r in rows], pa.string()),
    }
    for v in SCHEMA.records:
        kind = pa.int16() if v.kind == "year" else pa.string()
        columns[v.name] = pa.array([r.get(v.name) for r in rows], kind)
    return pa.table(columns)


def test_rows_are_not_people() -> None:
    records = table(
        [
            {"person_key": "a", "reporting_entity": "x", "year_of_registration": 2020},
            {"person_key": "a", "reporting_entity": "y", "year_of_registration": 2018},
            {"reporting_entity": "x"},
        ]
    )
    linked = link(records, SCHEMA)
    assert (linked.totals.records, linked.people.num_rows) == (3, 2)
    assert sorted(linked.people["records_per_person"].to_pylist()) == ["1", "2"]


def test_merging_rules() -> None:
    records = table(
        [
            {
                "person_key": "a", "year_of_registration": 2020, "gender": "male",
                "means_threats": "no", "assistance_medical": "received",
            },
            {
                "person_key": "a", "year_of_registration": 2018, "citizenship": "NAM",
                "means_threats": "yes", "assistance_medical": "needed",
            },
            {"person_key": "a", "gender": "female", "citizenship": "FRA", "means_other": "no"},
        ]
    )  # fmt: skip
    (person,) = link(records, SCHEMA).people.to_pylist()
    assert person["year_of_registration"] == 2018
    assert (person["gender"], person["citizenship"]) == ("male", "NAM")
    assert (person["means_threats"], person["means_other"]) == ("yes", "no")
    assert person["assistance_medical"] == "received"
    assert person["labour_other"] is None
    assert (person["any_means"], person["any_labour"]) == ("yes", "no")


@pytest.mark.parametrize(
    ("statuses", "some"),
    [
        ({}, None),
        ({"assistance_medical": "received"}, "yes"),
        ({"assistance_medical": "declined"}, None),
        ({"assistance_medical": "declined", "assistance_skills": "received"}, "yes"),
        (dict.fromkeys(SCHEMA.members("assistance"), "offered"), "no"),
        (dict.fromkeys(SCHEMA.members("assistance")[1:], "offered"), None),
    ],
)
def test_assistance_was_not_received_only_where_every_kind_is_recorded(
    statuses: dict[str, str], some: str | None
) -> None:
    (person,) = link(table([{"person_key": "a", **statuses}]), SCHEMA).people.to_pylist()
    assert person["any_assistance"] == some
    assert person["any_means"] == "no"


def test_denominators_of_a_group_of_flags() -> None:
    """field.md section 5, trap 1: an empty flag is "no" only where some flag of the group is."""
    flags = ("exploitation_forced_labour", "exploitation_sexual", "exploitation_other")
    sets = [{0}, {1}, {2}, set(), {0, 1}]
    rows = [{flags[i]: "yes" for i in s} for s in sets]
    people = link(table(rows), SCHEMA).people.to_pylist()
    denominator = sum(p["any_exploitation"] == "yes" for p in people)
    shares = [100 * sum(p[f] == "yes" for p in people) / denominator for f in flags]
    assert shares == [50, 50, 25]


NAMES = ("year_of_registration", "gender", "citizenship", "country_of_exploitation",
         "means_threats", "assistance_medical")  # fmt: skip

keys = st.sampled_from([None, "a", "b", "c"])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "person_key": keys,
            "year_of_registration": st.sampled_from([None, 2015, 2020]),
            "gender": st.sampled_from([None, "female", "male"]),
            "means_threats": st.sampled_from([None, "yes", "no"]),
        }
    ),
    max_size=8,
)
BATCH, EXAMPLES = 8, 16
"""So many inputs are told apart by their contributor and linked together: 128 in each law."""


def many(inputs: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[list[Any]]]:
    return st.lists(inputs, min_size=BATCH, max_size=BATCH)


def told_apart(inputs: list[list[Any]]) -> list[Any]:
    """The rows of all inputs, as if each were a hub of its own."""
    return [
        {**r, "reporting_entity": f"{i:03}",
         "person_key": r["person_key"] and f"{i:03}/{r['person_key']}"}
        for i, own in enumerate(inputs) for r in own
    ]  # fmt: skip


def record(key: str | None, year: int | None = None, **more: object) -> dict[str, object]:
    """A row as the strategies draw it."""
    empty = dict.fromkeys((*NAMES, "person_key"))
    return {**empty, "person_key": key, "year_of_registration": year, **more}


HARD = [
    [record("a", 2020, gender="male"), record("a", 2015, gender="female")],
    [record("a", None, gender="male"), record("a", 2015)],
    [record("a", means_threats="no"), record("a", means_threats="yes"), record("b")],
    [record("a", 2020, gender="male"), record("a", 2020, gender="female")],
    [record("a"), record("a"), record("a"), record("a"), record("a")],
]
"""The earlier record comes last; it says nothing; flags differ; records of one year differ; equal
records."""
UNKEYED = [[record(None, 2020), record(None, 2020)], [record(None), record("a")]]


@settings(max_examples=EXAMPLES, deadline=None)
@given(many(rows), st.randoms(use_true_random=False))
@example([*HARD, *UNKEYED], Random(1))
def test_order_of_keyed_people_does_not_matter(inputs: list[list[dict]], random) -> None:
    """Equal records give equal tables: their ids are made of what they say."""
    distinct = {
        (r["reporting_entity"], r["person_key"], r["year_of_registration"]): {
            **r, "record_id": str(r)
        }
        for r in told_apart(inputs)
    }  # fmt: skip
    shuffled = list(distinct.values())
    random.shuffle(shuffled)
    one = link(table(list(distinct.values())), SCHEMA).people
    other = link(table(shuffled), SCHEMA).people
    assert one.equals(other)


@settings(max_examples=EXAMPLES, deadline=None)
@given(many(rows))
@example([*HARD, *UNKEYED])
def test_one_person_changes_one_row(inputs: list[list[dict]]) -> None:
    """Add-or-remove one person: all her records together are one row of the people table."""
    whole = people_by_input(inputs)
    without = people_by_input([[r for r in own if r["person_key"] != "a"] for own in inputs])
    for own, rows_, left in zip(inputs, whole, without, strict=True):
        assert not left - rows_, own
        assert (rows_ - left).total() == any(r["person_key"] == "a" for r in own), own


def people_by_input(inputs: list[list[Any]]) -> list[Counter[str]]:
    """The rows of people of each input, as texts."""
    found = [Counter[str]() for _own in inputs]
    for row in link(table(told_apart(inputs)), SCHEMA).people.to_pylist():
        found[int(row["reporting_entity"])][str(row)] += 1
    return found


def test_no_records_no_people() -> None:
    assert link(table([]), SCHEMA).people.num_rows == 0


def test_a_file_that_is_delivered_twice_adds_nobody() -> None:
    records = table([{"gender": "male"}, {"person_key": "a", "gender": "female"}, {}])
    once, twice = link(records, SCHEMA), link(pa.concat_tables([records, records]), SCHEMA)
    assert twice.people.equals(once.people)


def test_one_person_never_decides_how_another_is_merged() -> None:
    """``record_id`` says nothing about a record, so it may not decide which one comes first."""
    one = {"year_of_registration": 2020, "gender": "female", "citizenship": "NAM"}
    other = {"year_of_registration": 2020, "gender": "male", "citizenship": "FRA"}
    given_ = [{"person_key": f"p{i}", **said} for i in range(20) for said in (one, other)]
    records = table(given_)
    names = pa.array([f"r{hash((i, 7)) % 10**12}" for i in range(len(given_))], pa.string())
    renamed = records.set_column(0, "record_id", names)
    people = link(records, SCHEMA).people
    assert link(renamed, SCHEMA).people.equals(people)
    assert link(renamed.take(pa.array(range(39, -1, -1))), SCHEMA).people.equals(people)
    more = link(table([*given_, {"person_key": "new", "gender": "female"}]), SCHEMA).people
    left = people.to_pylist()
    added = [row for row in more.to_pylist() if row not in left]
    assert len(added) == 1
    assert more.num_rows == people.num_rows + 1


STATUSES = [None, "not_available", "needed", "offered", "declined", "received"]
said = st.lists(
    st.fixed_dictionaries(
        {
            "person_key": st.sampled_from(["a", "b", "é"]),
            "year_of_registration": st.sampled_from([None, 2015, 2020]),
            "gender": st.sampled_from([None, "female", "male"]),
            "citizenship": st.sampled_from([None, "FRA", "NAM", "ITA"]),
            "country_of_exploitation": st.sampled_from([None, "FRA", "NAM"]),
            "means_threats": st.sampled_from([None, "yes", "no"]),
            "assistance_medical": st.sampled_from(STATUSES),
        }
    ),
    max_size=9,
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(many(said))
@example(HARD)
def test_people_are_what_the_rules_say_in_plain_words(inputs: list[list[dict]]) -> None:
    expected, given_rows = [], told_apart(inputs)
    for key in sorted({row["person_key"] for row in given_rows}, key=str.encode):
        own = [row for row in given_rows if row["person_key"] == key]
        own.sort(key=lambda row: [(row[n] is None, row[n] or 0) for n in NAMES])
        first = {n: next((r[n] for r in own if r[n] is not None), None) for n in NAMES}
        threats = {row["means_threats"] for row in own}
        first["means_threats"] = next((a for a in ("yes", "no") if a in threats), None)
        first["any_means"] = "yes" if "yes" in threats else "no"
        first["assistance_medical"] = max(
            (r["assistance_medical"] for r in own), key=STATUSES.index
        )
        first["records_per_person"] = ["1", "2", "3", "4+"][min(len(own), 4) - 1]
        group = citizenship_group(first["citizenship"], first["country_of_exploitation"])
        first["citizenship_group"] = group or None
        expected.append(first)
    people = link(table(given_rows), SCHEMA).people.to_pylist()
    names = expected[0] if expected else ()
    assert [{n: person[n] for n in names} for person in people] == expected
    assert all(person[n] is None for person in people for n in ("labour_other", "age_band"))
