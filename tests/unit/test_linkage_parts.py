"""People of many files, part by part: as if all records had been in one table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctdhub.schema.model import PERSON, load_schema
from ctdhub.sensitive.linkage import people as partitions
from ctdhub.sensitive.linkage.people import (
    Linking,
    PartitionsPlaces,
    Totals,
    by_person,
    each_once,
    link,
    link_parts,
)
from ctdhub.sensitive.linkage.token_joins import JOINS

SCHEMA = load_schema()
Row = tuple[str | None, str | None, int | None, list[str | None]]
"""Person key, gender, year of registration, genders of perpetrators."""


def records(rows: list[Row]) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "record_id": pa.array([f"r{row!r}" for row in rows], pa.string()),
        "person_key": pa.array([row[0] for row in rows], pa.string()),
    }
    for v in SCHEMA.records:
        columns[v.name] = pa.nulls(len(rows), pa.int16() if v.kind == "year" else pa.string())
    columns["gender"] = pa.array([row[1] for row in rows], pa.string())
    columns["year_of_registration"] = pa.array([row[2] for row in rows], pa.int16())
    columns["reporting_entity"] = pa.array([f"c{(row[2] or 0) % 3}" for row in rows], pa.string())
    return pa.table(columns)


def mentioned(rows: list[Row]) -> pa.Table:
    flat = [(f"r{row!r}", said) for row in rows for said in row[3]]
    names = [v.name for v in SCHEMA.table("perpetrators")]
    columns = {name: pa.nulls(len(flat), pa.string()) for name in names}
    columns["perpetrator_gender"] = pa.array([said for _, said in flat], pa.string())
    return pa.table({"record_id": pa.array([r for r, _ in flat], pa.string()), **columns})


def pairs(*rows: tuple[str, str]) -> pa.Table:
    return pa.table([pa.array(part, pa.string()) for part in zip(*rows, strict=True)], JOINS)


LINKING = Linking(
    pairs(("b", "a")), pairs(("b", "a"), ("d", "a"), ("e", "c")), ("c0", "c2"), (2000, 2017)
)
"""Some rows are one person, more are one on lists."""
FILES = ("m.parquet", "p.parquet")


def places(folder: Path) -> PartitionsPlaces:
    return PartitionsPlaces(*(folder / f"{name}.parquet" for name in "pmc"))


def in_parts(folder: Path, files: list[list[Row]]) -> tuple[Totals, bytes, bytes]:
    folder.mkdir()
    rows = sum(map(len, files))
    given_ = ((records(file), mentioned(file)) for file in files)
    totals = link_parts(given_, rows, places(folder), LINKING, SCHEMA)
    assert sorted(path.name for path in folder.iterdir()) == ["c.parquet", *FILES]
    return totals, *((folder / name).read_bytes() for name in FILES)


def told(table: pa.Table) -> Counter[str]:
    return Counter(str(row) for row in table.to_pylist())


every_row = st.tuples(
    st.sampled_from([None, "a", "b", "c", "d", "e"]),
    st.sampled_from([None, "female", "male"]),
    st.sampled_from([None, 2015, 2020]),
    st.lists(st.sampled_from([None, "female", "male"]), max_size=2),
)


@settings(
    max_examples=7, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(every_row, max_size=12), st.data(), st.integers(2, 6))
def test_any_split_of_files_gives_the_people_of_one_table(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], data: st.DataObject, size: int
) -> None:
    folder = tmp_path_factory.mktemp("p")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    turned = data.draw(st.permutations(rows))
    files = [turned[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "PART_ROWS", size)
        one, other = in_parts(folder / "a", [rows]), in_parts(folder / "b", files)
    assert one[1:] == other[1:]
    whole = link(records(rows), SCHEMA, LINKING)
    people = pq.read_table(folder / "b" / "p.parquet")
    assert people.schema.equals(whole.people.schema)
    assert told(people) == told(whole.people)
    for totals in (one[0], other[0]):
        assert (totals.records, totals.people) == (len(rows), people.num_rows)
        assert totals == whole.totals
    differ = pq.read_table(folder / "b" / "c.parquet")
    assert told(differ) == told(whole.conflicts)
    children = pq.read_table(folder / "b" / "m.parquet")
    assert told(children) == told(
        each_once(by_person(mentioned(rows), records(rows), SCHEMA, LINKING))
    )
    persons = children[PERSON].to_pylist()
    runs = sum(a != b for a, b in zip([None, *persons], persons, strict=False))
    assert runs == len(set(persons))  # rows of a person stand together


def test_files_without_rows_and_hubs_without_records(tmp_path: Path) -> None:
    some: list[Row] = [("a", "male", 2020, ["male"]), (None, None, None, [])]
    assert in_parts(tmp_path / "a", [some, []])[1:] == in_parts(tmp_path / "b", [some])[1:]
    totals, _, _ = in_parts(tmp_path / "c", [[], []])
    assert totals == Totals()
    assert pq.read_table(tmp_path / "c" / "p.parquet").num_rows == 0


def test_a_perpetrator_of_no_record_is_a_fault(tmp_path: Path) -> None:
    some: list[Row] = [("a", "male", 2020, ["male"])]
    given_ = [(records(some[:0]), mentioned(some))]
    with pytest.raises(ValueError, match="no record"):
        link_parts(given_, 1, places(tmp_path), Linking(), SCHEMA)
