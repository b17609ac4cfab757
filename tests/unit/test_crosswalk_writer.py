"""Formats written from hub records and read back by the built-in mappings."""

from __future__ import annotations

import csv
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import FileError
from ctdhub.schema.crosswalk import arrows, load_crosswalk
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import TableName, load_schema
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.builtin import builtin, names
from ctdhub.sensitive.mapping.export import write_format
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

YEARS = (2002, 2030)
FORMATS = tuple(dict.fromkeys(walk for walk, _variant in names().values()))
FIRST = {"htcds-2": 3}
"""Row of the first record, where a second header row stands before it."""
ROWS = 250


def column(table: TableName, name: str, rows: int, rng: np.random.Generator) -> pa.Array:
    """Every code of the variable in turn from a random start, some cells empty."""
    variable = load_schema().variable(name)
    kind = arrow_schema(table).field(name).type
    if variable.kind == "entity":
        return pa.array(["entity-1"] * rows, kind)
    domain = load_schema().domain(name, YEARS)
    start, empty = rng.integers(len(domain)), rng.random(rows) < 0.3
    picked = [None if empty[i] else domain[(start + i) % len(domain)] for i in range(rows)]
    if variable.kind == "year":
        return pa.array([None if p is None else int(p) for p in picked], kind)
    return pa.array(rng.permutation(np.array(picked, object)).tolist(), kind)


def invented(seed: int, rows: int = ROWS) -> tuple[pa.Table, pa.Table]:
    """Records and perpetrators that use the whole domain of every variable."""
    rng, schema = np.random.default_rng(seed), load_schema()
    records = {v.name: column("records", v.name, rows, rng) for v in schema.records}
    records["record_id"] = pa.array([f"r{i}" for i in range(rows)])
    n = rows // 2
    children = {v.name: column("perpetrators", v.name, n, rng) for v in schema.perpetrators}
    children["record_id"] = pa.array([f"r{i}" for i in rng.integers(0, rows, n)])
    return pa.table(records), pa.table(children)


def read_back(path: Path, name: str) -> Harmonised:
    mapping = builtin(name)
    return harmonise(read_table(path, mapping.read), mapping, "someone", YEARS, b"k" * 16)


def in_place(found: Harmonised, name: str, rows: int) -> list[dict[str, object]]:
    """Records by position in the file; a row that held nothing is no record."""
    first = FIRST.get(name, 2)
    placed: list[dict[str, object]] = [{} for _row in range(rows)]
    for record in found.records.to_pylist():
        placed[record["source_row"] - first] = record
    return placed


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        delimiter = ";" if "ctdc-2021" in path.name else ","
        return list(csv.reader(file, delimiter=delimiter))


def exact(name: str) -> set[tuple[str, str]]:
    """Variable and code pairs that every arrow carries without loss; code "*" is every code."""
    ways = [a for a in arrows(name) if a.variable and a.code != "" and not a.derived]
    lossy = {(a.variable, a.code or "*") for a in ways if a.lossy_write}
    lossy |= {(a.variable, a.code or "*") for a in ways if a.lossy_read and a.way != "read"}
    both = {(a.variable, a.code or "*") for a in ways if a.way == "both"}
    return {p for p in both if p not in lossy and (p[0], "*") not in lossy}  # type: ignore[misc]


def may_appear(name: str) -> set[tuple[str, str]]:
    """Pairs that a lossy arrow can bring forth where the hub had something else or nothing."""
    ways = [a for a in arrows(name) if a.variable and a.reads and a.lossy_read]
    found = {(a.variable, a.code or "*") for a in ways}
    regions = {c.to: c for c in load_crosswalk(name).columns if c.region_of}
    return found | {(to, "*") for to in regions}  # type: ignore[misc]


@pytest.mark.parametrize("name", FORMATS)
@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_not_called_lossy_comes_back(name: str, seed: int, tmp_path: Path) -> None:
    records, perpetrators = invented(seed)
    path = tmp_path / f"{name}.csv"
    notes = write_format(records, name, path, perpetrators)
    found = read_back(path, name)
    assert found.rejects.num_rows == 0
    back = in_place(found, name, ROWS)
    kept, extra = exact(name), may_appear(name)
    lost = {(n.variable, n.code or "*") for n in notes}
    carried = 0
    for variable in load_schema().records:
        if variable.kind == "entity":  # the hub's own: whoever sends the file
            continue
        for before, record in zip(records[variable.name].to_pylist(), back, strict=True):
            after = record.get(variable.name)
            pairs = {(variable.name, str(before)), (variable.name, "*")}
            if before is not None and pairs & kept:
                assert after == before, (variable.name, before, after)
                carried += 1
            elif after is not None and after != before:
                assert {(variable.name, str(after)), (variable.name, "*")} & extra
            if before is not None and after != before:
                assert pairs & lost, (variable.name, before, after)
    assert carried > ROWS


@pytest.mark.parametrize("name", FORMATS)
def test_writing_again_what_was_read_changes_nothing(name: str, tmp_path: Path) -> None:
    records, perpetrators = invented(5)
    paths = [tmp_path / f"{name}-{i}.csv" for i in range(3)]
    write_format(records, name, paths[0], perpetrators)
    for before, after in pairwise(paths):
        found = read_back(before, name)
        placed = in_place(found, name, ROWS)
        ids = [record.get("record_id", f"none-{i}") for i, record in enumerate(placed)]
        table = pa.Table.from_pylist(
            [dict(record, record_id=key) for record, key in zip(placed, ids, strict=True)],
            schema=found.records.schema,
        )
        write_format(table, name, after, found.perpetrators)
    first, second, third = map(rows_of, paths)
    assert second == third
    two_way = {(a.column, a.value) for a in arrows(name) if a.way == "both"}
    whole = {column for column, value in two_way if value is None}
    separators = {c.name: c.separators or (";",) for c in load_crosswalk(name).columns}
    children = {c.name for c in load_crosswalk(name).columns if c.is_child}
    checked = 0
    for one, two in zip(first[1:], second[1:], strict=True):
        for title, a, b in zip(first[0], one, two, strict=True):
            if title in children:  # sets, of which what nobody can tie to one person is left out
                assert {*b.split(";")} <= {*a.split(";"), ""}
                continue
            if title in whole:
                assert a == b, (title, a, b)
                checked += bool(a)
                continue
            mark = separators.get(title, (";",))[0]
            for text in a.split(mark):
                if (title, text) in two_way:
                    assert text in b.split(mark), (title, a, b)
                    checked += 1
    assert checked > ROWS


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_table_writes_a_header(name: str, tmp_path: Path) -> None:
    records, _perpetrators = invented(1)
    assert write_format(records.slice(0, 0), name, tmp_path / f"{name}.csv") == ()
    assert len(rows_of(tmp_path / f"{name}.csv")) == FIRST.get(name, 2) - 1


def test_the_2021_file_looks_like_the_published_one(tmp_path: Path) -> None:
    path = tmp_path / "ctdc-2021.csv"
    records = pa.table(
        {
            "year_of_registration": pa.array([2019], pa.int16()),
            "age_band": ["9-17"],
            "citizenship": ["NAM"],
            "exploitation_forced_labour": ["yes"],
            "exploitation_sexual": ["yes"],
            "exploitation_sex_and_labour": ["yes"],
            "means_uses_children": ["no"],
            "assistance_medical": ["received"],
        }
    )
    notes = write_format(records, "ctdc-2021", path)
    text = path.read_text("utf-8")
    assert text.startswith("By using this data you agree to the Terms of Use: https://")
    assert '"Forced labour;Sexual exploitation;Combined sexual and labour exploitation"' in text
    header, row = rows_of(path)
    cell = dict(zip(header, row, strict=True))
    assert len(header) == 64
    assert row[0] == ""
    assert (cell["ageBroad"], cell["citizenship"]) == ("9--17", "NA")
    assert [(n.variable, n.code, n.column, n.cells) for n in notes] == [
        ("means_uses_children", "no", "meansOfControlUsesChildren", 1),
        ("assistance_medical", None, None, 1),
    ]


def test_missing_values_follow_the_version(tmp_path: Path) -> None:
    records = pa.table({"gender": pa.array([None], pa.string())})
    for name, text in (("ctdc-2017", "-99"), ("ctdc-2024", "")):
        write_format(records, name, tmp_path / f"{name}.csv")
        header, row = rows_of(tmp_path / f"{name}.csv")
        assert row[header.index("gender")] == text


def test_merged_columns_and_regions(tmp_path: Path) -> None:
    records = pa.table(
        {
            "record_id": ["a", "b"],
            "means_uses_children": ["yes", "no"],
            "trafficking_duration": ["37+", "13-24"],
            "citizenship": ["FJI", "ATA"],
        }
    )
    perpetrators = pa.table(
        {
            "record_id": ["a", "a", "b"],
            "perpetrator_gender": ["male", "female", "male"],
            "perpetrator_exploiter": ["no", "yes", None],
        }
    )
    write_format(records, "ctdc-2024", tmp_path / "a.csv")
    header, one, two = rows_of(tmp_path / "a.csv")
    assert [r[header.index("meansThreats")] for r in (one, two)] == ["1", ""]
    assert one[header.index("traffickMonths")] == "25+ (2+ yrs)"
    notes = write_format(records, "ctdc-vp-2022", tmp_path / "b.csv", perpetrators)
    header, one, two = rows_of(tmp_path / "b.csv")
    assert [r[header.index("UN_COO_Region")] for r in (one, two)] == ["Americas/Oceania", ""]
    assert [r[header.index("IP_Gender")] for r in (one, two)] == ["Female;Male", "Male"]
    assert one[header.index("IP_Exploiter")] == "1"
    assert ("citizenship", 2) in {(n.variable, n.cells) for n in notes}


def test_a_workbook_is_read_back_like_a_text_file(tmp_path: Path) -> None:
    records, perpetrators = invented(3, 40)
    for name, suffix in product(("ctdc-2024", "htcds-2"), (".csv", ".xlsx")):
        write_format(records, name, tmp_path / f"{name}{suffix}", perpetrators)
    schema = load_schema()
    for name in ("ctdc-2024", "htcds-2"):
        plain = read_back(tmp_path / f"{name}.csv", name)
        book = read_back(tmp_path / f"{name}.xlsx", name)
        chosen = [v.name for v in schema.records]
        assert plain.records.select(chosen) == book.records.select(chosen)
    sheet = openpyxl.load_workbook(tmp_path / "htcds-2.xlsx").active
    assert [cell.value for cell in sheet["A"][:2]] == ["cas_CaseOwner", "Case Owner"]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    records = pa.table({"gender": ["=1+1"]})
    with pytest.raises(FileError) as error:
        write_format(records, "ctdc-2024", tmp_path / "a.csv")
    assert error.value.rule == "domain"
    assert "1+1" not in str(error.value)
    good = pa.table({"gender": ["female"]})
    with pytest.raises(FileError, match=r"\.csv"):
        write_format(good, "ctdc-2024", tmp_path / "a.txt")
    with pytest.raises(FileError, match="concepts"):
        write_format(good, "ic-tip", tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
