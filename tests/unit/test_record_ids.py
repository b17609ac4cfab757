"""A record that is delivered again is the same record, whatever else its file holds."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from operator import itemgetter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.schema.model import load_schema
from ctdhub.sensitive.consent.register import Filed, InForce, Withdrawal, left_out, mark
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.linkage.people import Linking, by_person, each_once, link, persons_of
from ctdhub.sensitive.mapping.identifiers import no_number
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise, record_ids

SCHEMA, KEY = load_schema(), bytes(range(32))
Row = tuple[str | None, ...]
NAMES = ("number", "sex", "year", "offenders")
RULES = """
version: 1
identifiers: {number: %s}
columns:
  gender: {from: sex, map: {F: female, M: male}}
  year_of_registration: {from: year, year: true}
perpetrators:
  split: ";"
  columns:
    perpetrator_gender: {from: offenders, map: {f: female, m: male}}
"""


def delivered(rows: list[Row], decision: str = "hash", contributor: str = "ngo") -> Harmonised:
    """A file of these rows, harmonised."""
    columns = {n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(NAMES)}
    table = pa.table({**columns, "_row": pa.array(range(2, 2 + len(rows)), pa.int64())})
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    raw = RawTable(f"{digest[:8]}.csv", digest, table, REJECTS.empty_table(), len(rows))
    mapping = parse_mapping(RULES % decision, "m.yaml")
    return harmonise(raw, mapping, contributor, (2002, 2025), KEY)


def released(*files: Harmonised) -> tuple[Counter[Row], Counter[Row]]:
    """The rows of people with those of each one's perpetrators, and the rows of people."""
    records = pa.concat_tables([f.records for f in files])
    linked = link(records, SCHEMA)
    mentioned = pa.concat_tables([f.perpetrators for f in files])
    of: dict[str, list[object]] = {}
    for row in each_once(by_person(mentioned, records, SCHEMA, Linking())).to_pylist():
        of.setdefault(row["person"], []).append(row["perpetrator_gender"])
    people = [tuple(row.values()) for row in linked.people.to_pylist()]
    called = sorted(set(persons_of(records).to_pylist()))  # the order of people
    with_theirs = Counter(
        (*row, repr(of.get(name))) for name, row in zip(called, people, strict=True)
    )
    return with_theirs, Counter(people)


def apart(one: Counter[Row], other: Counter[Row]) -> tuple[int, int]:
    return (one - other).total(), (other - one).total()


numbers = st.sampled_from([None, "A1", "A2", "A3", "A4"])
rows = st.tuples(
    numbers, st.sampled_from(["F", "M"]), st.sampled_from(["2019", "2020", None]),
    st.sampled_from([None, "f", "m", "m;f"]),
)  # fmt: skip
files = st.lists(st.lists(rows, max_size=8), min_size=2, max_size=3)
decisions = st.sampled_from(["hash", "case", "strip"])


@settings(max_examples=12, deadline=None)
@given(files, decisions, st.data())
def test_a_file_that_comes_again_changes_nothing(
    given_: list[list[Row]], decision: str, data: st.DataObject
) -> None:
    once = [delivered(rows, decision) for rows in given_]
    again = delivered(data.draw(st.sampled_from(given_))[::-1], decision)
    assert released(*once, again) == released(*once)


@settings(max_examples=12, deadline=None)
@given(files, decisions, st.data())
def test_the_records_of_one_person_change_one_row(
    given_: list[list[Row]], decision: str, data: st.DataObject
) -> None:
    """With a key all records of a person leave; without one, a record of each file at most."""
    at = data.draw(st.integers(0, len(given_) - 1))
    if not given_[at]:
        return
    person = data.draw(st.sampled_from(given_[at]))
    left = []
    for held in given_:
        if decision == "hash" and person[0] is not None:
            left.append([row for row in held if row[0] != person[0]])
        else:
            first = held.index(person) if person in held else len(held)
            left.append(held[:first] + held[first + 1 :])
    before = released(*(delivered(rows, decision) for rows in given_))
    after = released(*(delivered(rows, decision) for rows in left))
    for one, other in zip(before, after, strict=True):
        gone, new = apart(one, other)
        assert new == 0
        assert gone <= 1


@pytest.mark.parametrize("decision", ["hash", "strip"])
def test_a_yearly_delivery_that_holds_last_years_records(decision: str) -> None:
    """Thousands of records come again with one new among them: one row more, nobody else."""
    last: list[Row] = [
        (f"N{i}", "FM"[i % 2], str(2003 + i % 17), (None, "m")[i % 3 == 0]) for i in range(3_000)
    ]
    this = [*last[:1_000], ("new", "F", "2024", "f;m"), *last[1_000:]]
    before, after = released(delivered(last, decision)), released(
        delivered(last, decision), delivered(this, decision)
    )  # fmt: skip
    assert after[1].total() == 3_001
    assert apart(before[0], after[0]) == (0, 1)
    assert apart(before[1], after[1]) == (0, 1)
    columns = [v.name for v in SCHEMA.table("people")]
    assert {row[columns.index("records_per_person")] for row in after[1]} == {"1"}


@settings(max_examples=15, deadline=None)
@given(st.lists(rows, max_size=8), st.lists(rows, max_size=4))
def test_ids_do_not_depend_on_other_records(held: list[Row], others: list[Row]) -> None:
    others = [row for row in others if row not in held]
    alone = delivered(held).records["record_id"].to_pylist()
    among = delivered([*others, *held]).records["record_id"].to_pylist()
    assert among[len(others) :] == alone
    assert len(set(among)) == len(among)


def test_what_makes_an_id() -> None:
    said: Row = ("A1", "F", "2020", "m")

    def of(row: Row, decision: str = "case", contributor: str = "ngo") -> str:
        return str(delivered([row], decision, contributor).records["record_id"][0])

    changed = [
        (*said[:i], other, *said[i + 1 :]) for i, other in enumerate(["A2", "M", "2019", "f"])
    ]
    ids = {of(said), *(of(row) for row in changed), of((*said[:3], "m;m")), of((*said[:3], None))}
    assert len(ids) == 7
    assert of(said, contributor="other") not in ids
    assert of(said) == of(said)
    assert all(len(i) == 20 and int(i, 16) >= 0 for i in ids)


def test_whoever_withdraws_takes_no_equal_record_along() -> None:
    """Cases tell equal records apart, in whatever order files hold them."""
    one, other = ("A1", "F", "2020", None), ("A2", "F", "2020", None)
    held = [delivered(list(rows), "case") for rows in ((one, other), (other, one))]
    files = [Filed("ngo", f.records.select(["record_id", "person_key"]), f.cases) for f in held]
    case = held[0].cases["case"][0].as_py()
    entry = Withdrawal("withdrawal", "person", "ngo", mark(KEY, case), "", "asked", ())
    gone = left_out(files, InForce((entry,), {}), KEY).to_pylist()
    assert gone == [held[0].records["record_id"][0].as_py()]
    assert gone == [held[1].records["record_id"][1].as_py()]


texts = st.none() | st.sampled_from(["a", "é", '"', "\\", "null", "", "1,2", "\n", "\x7f"])


@given(st.lists(st.tuples(texts, texts, st.none() | st.integers(2002, 2004), texts), max_size=12),
       st.lists(st.tuples(st.integers(0, 11), texts, texts), max_size=8))  # fmt: skip
def test_an_id_is_the_hash_of_a_line_and_its_number(
    said: list[tuple[str | None, str | None, int | None, str | None]],
    mentioned: list[tuple[int, str | None, str | None]],
) -> None:
    n = len(said)
    here = sorted((m for m in mentioned if m[0] < n), key=itemgetter(0))
    types = (pa.string(), pa.string(), pa.int16(), pa.string())
    columns = [pa.array([r[i] for r in said], t) for i, t in enumerate(types)]
    records = pa.table({"record_id": [""] * n, "a": columns[0], "b": columns[1], "c": columns[2]})
    children = pa.table({"p": pa.array([c[1] for c in here], pa.string()),
                         "q": pa.array([c[2] for c in here], pa.string())})  # fmt: skip
    of = pa.array([c[0] for c in here], pa.int32())
    found = record_ids(records, [columns[3]], children, of, "ngo", KEY).to_pylist()

    secret, seen = hmac.digest(KEY, b"\0record\0ngo", hashlib.sha256), Counter[str]()
    for row, (*cells, last) in enumerate(said):
        lines = [[str(c) if isinstance(c, int) else c for c in (*cells, last)]]
        lines += [list(c[1:]) for c in here if c[0] == row]
        text = "\n".join(",".join(map(json.dumps, line)) for line in lines)
        line = f"{seen[text]}\n{text}".encode()
        assert found[row] == hashlib.blake2b(line, digest_size=10, key=secret).hexdigest()
        seen[text] += 1


def test_no_word_for_no_number_has_a_digit() -> None:
    assert len(no_number()) > 20
    assert not [word for word in no_number() if any(c.isdigit() for c in word)]
