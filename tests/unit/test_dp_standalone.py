"""Any table protected alone: neighbours look alike, no value gets out, repeats are free."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from ctdhub.api.protection import protect
from ctdhub.border import COUNTS
from ctdhub.cli.app import command as verb_app
from ctdhub.core.errors import HubError, Overspend, PolicyError, ReleaseError, UnreadableFile
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.standalone.domains import Scope
from ctdhub.dp.standalone.domains import scope_of as scope_in
from ctdhub.dp.standalone.table import bounded, coded, most_people, writing, written_charges
from ctdhub.sensitive.ingest.raw import read_as_is, read_table

FILES = ["counts.csv", "counts.parquet", "manifest.json", "records.csv", "records.parquet"]
MARKER = "Zq7MARKERq7Z"
DOMAINS = """
version: 1
columns:
  sex: [f, m]
  age: {values: [young, old], not_recorded: ["-99", ""]}
  home: [UKR, MDA, "=1+1"]
"""
ROWS = [("f", "young", "UKR"), ("m", "", "MDA"), ("f", "-99", ""), ("", "old", "UKR")]


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    return verb_app("protect")


def lay(folder: Path, rows: list[tuple[str, ...]], header: str = "sex,age,home") -> list[str]:
    """Write table and domains; the command without its output folder."""
    folder.mkdir(exist_ok=True)
    (folder / "t.csv").write_text("\n".join([header, *map(",".join, rows)]) + "\n", "utf-8")
    (folder / "d.yaml").write_text(DOMAINS, "utf-8")
    return ["protect", str(folder / "t.csv"), "--domains", str(folder / "d.yaml")]


def run(app: typer.Typer, command: list[str], out: Path, *more: str) -> Result:
    asked = [] if "--epsilon" in more else ["--epsilon", "1"]
    asked += [] if "--delta" in more else ["--delta", "1e-6"]
    asked += [] if "--budget" in more else ["--budget", "12"]
    asked += [] if "--max-people" in more else ["--max-people", "10000"]
    place = Path(more[more.index("--ledger") + 1]) if "--ledger" in more else out.parent / "ledger"
    asked += [] if "--ledger" in more else ["--ledger", str(place)]
    if not {"--new-ledger"} & set(more) and not (place / "population.json").exists():
        asked += ["--new-ledger", "fictitious people"]
    return CliRunner().invoke(app, [*command, "--out", str(out), *asked, *more])


def shape(out: Path) -> object:
    """All that is public before any noise, the charge's name aside."""
    found = json.loads((out / "manifest.json").read_text("utf-8"))
    for name in ("charge", "people"):
        del found[name]
    files = {n: f["columns"] for n, f in found.pop("files").items()}
    records, counts = (
        pq.read_schema(out / "records.parquet"),
        pq.read_schema(out / "counts.parquet"),
    )
    header = (out / "records.csv").read_text("utf-8").partition("\n")[0]
    return found, files, records, counts, header, sorted(p.name for p in out.iterdir())


@pytest.mark.parametrize("n", [0, 1, 5])
def test_few_people(app: typer.Typer, tmp_path: Path, n: int) -> None:
    out = tmp_path / "out"
    result = run(app, lay(tmp_path, (ROWS * 2)[:n]), out)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in out.iterdir()) == FILES
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    records = pq.read_table(out / "records.parquet")
    assert records.column_names == ["sex", "age", "home"]
    assert records.num_rows == manifest["people"]["value"]
    assert pq.read_table(out / "counts.parquet").schema.equals(COUNTS)
    for name, file in manifest["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == file["sha256"]
        assert file["columns"]
    assert manifest["max_people"] == 10_000
    assert (tmp_path / "ledger" / "ledger.jsonl").is_file()


@pytest.mark.parametrize("n", [0, 1, 5, 400])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_one_column(app: typer.Typer, tmp_path: Path, n: int, kind: str) -> None:
    column = pa.array(([None, "a", "b"] * n)[:n], pa.string())
    path = tmp_path / f"t.{kind}"
    if kind == "csv":
        pa_csv.write_csv(pa.table({"c": column}), path)
    else:
        pq.write_table(pa.table({"c": column}), path)
    (tmp_path / "d.yaml").write_text("version: 1\ncolumns: {c: [a, b]}\n", "utf-8")
    command = ["protect", str(path), "--domains", str(tmp_path / "d.yaml")]
    result = run(app, command, tmp_path / "out", "--epsilon", "8")
    assert result.exit_code == 0, result.output
    records = pq.read_table(tmp_path / "out/records.parquet")
    lines = (tmp_path / "out/records.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1 + records.num_rows
    assert "" not in lines, "most programs pass over empty lines"


@settings(deadline=None, max_examples=6)
@given(place=st.integers(0, 4), data=st.data())
def test_neighbours_have_the_same_shape(
    tmp_path_factory: pytest.TempPathFactory, place: int, data: st.DataObject
) -> None:
    app, folder = verb_app("protect"), tmp_path_factory.mktemp("n")
    row = st.tuples(
        st.sampled_from("fm"), st.sampled_from(["young", "old", ""]), st.sampled_from(["UKR", ""])
    )
    rows = data.draw(st.lists(row, max_size=4))
    more = [*rows[:place], data.draw(row), *rows[place:]]
    shapes = []
    for name, table in (("a", rows), ("b", more)):
        result = run(app, lay(folder / name, table), folder / name / "out")
        assert result.exit_code == 0, result.output
        shapes.append(shape(folder / name / "out"))
        assert Ledger(folder / name / "ledger").spent() == Ledger(folder / "a/ledger").spent()
    assert shapes[0] == shapes[1]


def everything(folder: Path, result: Result) -> bytes:
    """All that a run left: what it printed, its error, and every file but what was given."""
    left = [p for p in folder.rglob("*") if p.is_file() and p.name not in ("t.csv", "d.yaml")]
    said = f"{result.output}{result.exception!s}{result.exception!r}".encode()
    return said + b"".join(p.name.encode() + p.read_bytes() for p in left)


@settings(deadline=None, max_examples=12)
@given(column=st.integers(0, 2), row=st.integers(0, 3), affix=st.sampled_from(["", " ", "é", "'"]))
def test_a_value_outside_its_domain_is_told_by_its_place_alone(
    tmp_path_factory: pytest.TempPathFactory, column: int, row: int, affix: str
) -> None:
    app, folder = verb_app("protect"), tmp_path_factory.mktemp("m")
    cells = [list(r) for r in ROWS]
    cells[row][column] = MARKER + affix
    result = run(app, lay(folder, [tuple(r) for r in cells]), folder / "out")
    error = result.exception
    assert isinstance(error, PolicyError)
    assert (error.file, error.row, error.rule) == ("t.csv", row + 2, "public-domain")
    assert error.column == ("sex", "age", "home")[column]
    assert MARKER.encode() not in everything(folder, result)
    assert not (folder / "out").exists()
    assert Ledger(folder / "ledger").entries() == ()


@settings(deadline=None, max_examples=12)
@given(
    fault=st.sampled_from(
        [
            "{m}\n{m},f,m,{m}\n",
            "sex,age,home\n{m},f\n",
            'sex,age,home\n"{m},f,m\n',
            "sex,age,home\n={m}(),old,UKR\n",
            "sex,age,home,extra\nf,old,UKR,{m}\n",
            "sex,age\n{m},old\n",
            "sex,age,home,sex\nf,old,UKR,{m}\n",
            "total {m}\n",
            "",
        ]
    )
)
def test_no_value_gets_out_of_a_strange_table(
    tmp_path_factory: pytest.TempPathFactory, fault: str
) -> None:
    app, folder = verb_app("protect"), tmp_path_factory.mktemp("s")
    command = lay(folder, ROWS)
    (folder / "t.csv").write_text(fault.format(m=MARKER), "utf-8")
    result = run(app, command, folder / "out")
    assert result.exception is None or isinstance(result.exception, HubError)
    assert MARKER.encode() not in everything(folder, result)


def test_a_column_without_domain_is_left_out_and_named(app: typer.Typer, tmp_path: Path) -> None:
    rows = [(MARKER, *row) for row in ROWS]
    result = run(app, lay(tmp_path, rows, "case,sex,age,home"), tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "case" in result.output
    assert "sex" not in result.output
    assert MARKER.encode() not in everything(tmp_path, result)


def test_the_same_again_is_free_and_anything_else_is_charged(
    app: typer.Typer, tmp_path: Path
) -> None:
    out, book = tmp_path / "out", Ledger(tmp_path / "ledger")
    first = run(app, lay(tmp_path, ROWS), out)
    kept = {name: (out / name).read_bytes() for name in FILES}
    (out / "records.csv").unlink()
    again = run(app, lay(tmp_path, ROWS[::-1]), out)
    assert again.exit_code == 0, again.output
    assert {name: (out / name).read_bytes() for name in FILES} == kept
    assert len(book.entries()) == 1
    assert len(again.output) > len(first.output), "it says that nothing was charged"

    assert run(app, lay(tmp_path, ROWS), tmp_path / "finer", "--epsilon", "2").exit_code == 0
    assert run(app, lay(tmp_path, ROWS), tmp_path / "wary", "--support", "cautious").exit_code == 0
    assert run(app, lay(tmp_path, ROWS[1:]), tmp_path / "fewer").exit_code == 0
    assert len(book.entries()) == 4


def test_the_budget_is_a_wall(app: typer.Typer, tmp_path: Path) -> None:
    command = lay(tmp_path, ROWS)
    assert run(app, command, tmp_path / "a", "--budget", "1").exit_code == 0
    result = run(app, command, tmp_path / "b", "--budget", "1", "--epsilon", "0.5")
    assert isinstance(result.exception, Overspend)
    assert "--budget" in result.exception.fix
    assert "policy.yaml" not in str(result.exception)
    assert not (tmp_path / "b").exists()
    again = run(app, command, tmp_path / "b", "--budget", "1")
    assert isinstance(again.exception, Overspend), "another folder is another version"
    assert run(app, command, tmp_path / "a", "--budget", "1").exit_code == 0, "the same is free"


def test_an_answer_lies_in_one_folder(app: typer.Typer, tmp_path: Path) -> None:
    """Two folders with one answer would say that nothing changed; a run cut off is repeated."""
    command, book = lay(tmp_path, ROWS), Ledger(tmp_path / "ledger")
    assert run(app, command, tmp_path / "a").exit_code == 0
    first = book.entries()[0].id
    mark = book.folder / "answers" / first / "written.json"
    assert json.loads(mark.read_text())["whole"] is True
    mark.write_text(json.dumps({"out": str(tmp_path / "a"), "whole": False}))
    shutil.rmtree(tmp_path / "a")  # as if the run had been cut off before the folder was there
    assert run(app, command, tmp_path / "a").exit_code == 0
    assert len(book.entries()) == 1
    shutil.rmtree(tmp_path / "a")  # handed on and deleted
    assert run(app, command, tmp_path / "a").exit_code == 0
    assert len(book.entries()) == 2


def test_two_runs_at_once_do_not_write_one_answer_twice(tmp_path: Path) -> None:
    """Both found the answer unwritten; whoever comes second is refused."""
    book = Ledger(tmp_path / "ledger")
    (book.folder / "answers" / "c").mkdir(parents=True)
    for _again in range(2):
        with writing(book, "c", tmp_path / "a"):
            pass
    with (
        pytest.raises(HubError, match="another folder"),
        writing(book, "c", tmp_path / "b"),
    ):
        pytest.fail("the block is not entered")
    (book.folder / "answers" / "c" / "written.json").write_text("{")
    with pytest.raises(HubError) as caught:
        written_charges(book)
    assert caught.value.rule == "ledger-answer"


def test_a_folder_of_something_else_is_never_written_over(app: typer.Typer, tmp_path: Path) -> None:
    command = lay(tmp_path, ROWS)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine", "utf-8")
    assert isinstance(run(app, command, mine).exception, ReleaseError)
    assert isinstance(run(app, command, mine / "thesis.txt").exception, ReleaseError)
    assert Ledger(tmp_path / "ledger").entries() == (), "refused before anything is paid"

    (tmp_path / ".writing-out-a_killed").mkdir()
    assert run(app, command, tmp_path / "out").exit_code == 0
    before = (tmp_path / "out/records.csv").read_bytes()
    other = run(app, command, tmp_path / "out", "--epsilon", "2")
    assert isinstance(other.exception, ReleaseError)
    assert (tmp_path / "out/records.csv").read_bytes() == before
    assert run(app, command, tmp_path / "new", "--epsilon", "2").exit_code == 0
    assert len(Ledger(tmp_path / "ledger").entries()) == 2
    assert not list(tmp_path.glob(".writing-*"))


def test_a_folder_with_another_answer_is_refused_before_the_charge(
    app: typer.Typer, tmp_path: Path
) -> None:
    command = lay(tmp_path, ROWS)
    assert run(app, command, tmp_path / "a").exit_code == 0
    spent = Ledger(tmp_path / "ledger").spent()
    refused = run(app, command, tmp_path / "a", "--epsilon", "0.25")
    assert isinstance(refused.exception, ReleaseError)
    assert refused.exception.rule == "out-folder"
    assert Ledger(tmp_path / "ledger").spent() == spent
    assert run(app, command, tmp_path / "b", "--epsilon", "0.25").exit_code == 0


def test_no_ledger_among_the_files_or_in_a_hub(app: typer.Typer, tmp_path: Path) -> None:
    command = lay(tmp_path, ROWS)
    for out, more in (
        (tmp_path / "ledger", []),
        (tmp_path / "out", ["--ledger", str(tmp_path / "out/book")]),
    ):
        assert isinstance(run(app, command, out, *more).exception, ReleaseError)
    hub = tmp_path / "hub"
    hub.mkdir()
    (hub / "hub.yaml").write_text("name: x\n", "utf-8")
    assert isinstance(run(app, command, hub / "out").exception, ReleaseError)
    assert sorted(p.name for p in hub.iterdir()) == ["hub.yaml"]
    apart = run(app, command, hub / "out", "--ledger", str(tmp_path / "book"))
    assert apart.exit_code == 0


@pytest.mark.parametrize(
    "more",
    [
        ["--delta", "1e-5"],
        ["--delta", "0"],
        ["--max-people", "10001"],
        ["--support", "5"],
        ["--support", "some"],
    ],
)
def test_settings_out_of_range_are_refused_before_the_table_is_read(
    app: typer.Typer, tmp_path: Path, more: list[str]
) -> None:
    result = run(app, lay(tmp_path, ROWS), tmp_path / "out", *more)
    assert isinstance(result.exception, PolicyError)
    assert not (tmp_path / "ledger").exists()


def test_more_people_than_the_bound_are_charged_and_end_with_a_fault(
    app: typer.Typer, tmp_path: Path
) -> None:
    """By the noisy number: a refusal before the charge would tell of the exact one."""
    command = lay(tmp_path, ROWS * 200)
    result = run(app, command, tmp_path / "out", "--max-people", "100")
    assert result.exit_code == 1, result.output
    assert "Do not publish" in result.output
    assert len(Ledger(tmp_path / "ledger").entries()) == 1
    manifest = json.loads((tmp_path / "out/manifest.json").read_text("utf-8"))
    assert manifest["faults"] == ["max-people"]


def test_delta_bounds_a_public_number_of_people() -> None:
    assert most_people(1e-6) == 10_000
    assert most_people(3e-7) == 33_333
    assert most_people(1e-300) == 10**10


def test_formulas_do_not_reach_a_spreadsheet(app: typer.Typer, tmp_path: Path) -> None:
    table = pa.table({"sex": ["f"] * 900, "age": ["old"] * 900, "home": ["=1+1"] * 900})
    pq.write_table(table, tmp_path / "t.parquet")
    command = lay(tmp_path, [])
    command[1] = str(tmp_path / "t.parquet")
    result = run(app, command, tmp_path / "out", "--epsilon", "8")
    assert result.exit_code == 0, result.output
    for name in ("records.csv", "counts.csv"):
        text = (tmp_path / "out" / name).read_text("utf-8")
        assert "'=1+1" in text
        assert ",=1+1" not in text
    assert "=1+1" in pq.read_table(tmp_path / "out/records.parquet")["home"].to_pylist()


def test_the_schema_as_domains(app: typer.Typer, tmp_path: Path) -> None:
    text = "gender,mine,citizenship\nfemale,x,UKR\n,y,MDA\n"
    (tmp_path / "t.csv").write_text(text, "utf-8")
    command = ["protect", str(tmp_path / "t.csv"), "--domains", "schema"]
    result = run(app, command, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "mine" in result.output
    assert pq.read_schema(tmp_path / "out/records.parquet").names == ["gender", "citizenship"]


def scope_of(folder: Path, text: str, header: list[str]) -> Scope:
    (folder / "d.yaml").write_text(text, "utf-8")
    return scope_in(folder / "d.yaml", header)


def test_a_column_of_years_has_counts_by_year_and_another_year_is_refused(tmp_path: Path) -> None:
    domains = tmp_path / "d.yaml"
    domains.write_text("version: 1\ncolumns: {sex: [f, m], when: {years: [2019, 2022]}}", "utf-8")
    frame = pa.table({"sex": ["f", "m"] * 200, "when": ["2019", "2020", "2021", "2022"] * 100})
    asked: dict[str, Any] = {
        "domains": domains,
        "epsilon": 4.0,
        "max_people": 1000,
        "ledger": tmp_path / "ledger",
    }
    found = protect(frame, **asked, new_ledger="fictitious people")._protected.measurements
    groups = {(*r["columns"], r["values"][0]) for r in found.to_pylist() if len(r["columns"]) == 2}
    assert groups == {("sex", "when", "f"), ("sex", "when", "m")}
    late = pa.table({"sex": ["f"], "when": ["2023"]})
    with pytest.raises(PolicyError, match="public-domain"):
        protect(late, **asked)


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": pa.array([1, 2, None], pa.int64()),
            "x": pa.array([1.0, 2.5, None]),
            "b": [True, False, None],
            "d": pa.array(["p", "", None], pa.string()).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("n,x,b,d\n1,1,true,p\n2,2.5,false,\n,,,\n", "utf-8")
    text = "version: 1\ncolumns: {n: [1, 2], x: [1, 2.5], b: [true, false], d: [p]}\n"
    scope = scope_of(tmp_path, text, table.column_names)
    columns = coded(read_as_is(tmp_path / "t.parquet"), scope)
    assert [c.cast(pa.string()).to_pylist() for c in columns.columns] == [
        ["1", "2", None],
        ["1", "2.5", None],
        ["true", "false", None],
        ["p", None, None],
    ]
    assert columns.slice(0, 2).equals(coded(read_as_is(tmp_path / "t.csv"), scope))


@pytest.mark.parametrize("content", [b"", b"PAR1 no", b"a,b\n1,2\n"])
def test_what_is_no_parquet_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(UnreadableFile):
        read_as_is(tmp_path / "t.parquet")


def test_lists_in_parquet_are_refused_by_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [["x"]], "b": ["y"]}), tmp_path / "t.parquet")
    with pytest.raises(UnreadableFile) as fault:
        read_as_is(tmp_path / "t.parquet")
    assert (fault.value.column, fault.value.rule) == ("a", "nested")


PERSONS = DOMAINS + "person: id\nrows: 2\n"


def test_rows_of_a_person_are_bounded_and_the_person_is_not_published(
    app: typer.Typer, tmp_path: Path
) -> None:
    rows = [(*row, f"{MARKER}{i % 3}") for i, row in enumerate(ROWS * 30)]
    command = lay(tmp_path, rows, "sex,age,home,id")
    (tmp_path / "d.yaml").write_text(PERSONS, "utf-8")
    result = run(app, command, tmp_path / "out", "--epsilon", "11")
    assert result.exit_code == 0, result.output
    assert MARKER.encode() not in everything(tmp_path, result)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text("utf-8"))
    assert manifest["rows_per_person"] == 2
    assert abs(manifest["people"]["value"] - 6) < 30, "of 120 rows at most six are kept"
    again = run(app, lay(tmp_path, rows[::-1], "sex,age,home,id"), tmp_path / "out")
    (tmp_path / "d.yaml").write_text(PERSONS, "utf-8")
    again = run(app, command, tmp_path / "out", "--epsilon", "11")
    assert again.exit_code == 0, again.output
    assert len(Ledger(tmp_path / "ledger").entries()) == 1, "what was refused was not charged"


def test_a_row_without_person_is_refused_by_its_place(app: typer.Typer, tmp_path: Path) -> None:
    rows = [(*row, ident) for row, ident in zip(ROWS, ["a", "b", "", "c"], strict=True)]
    command = lay(tmp_path, rows, "sex,age,home,id")
    (tmp_path / "d.yaml").write_text(PERSONS, "utf-8")
    error = run(app, command, tmp_path / "out").exception
    assert isinstance(error, PolicyError)
    assert (error.row, error.column, error.rule) == (4, "id", "domains-person")


@settings(deadline=None, max_examples=60)
@given(
    ids=st.lists(st.sampled_from("abcde"), max_size=25),
    rows=st.integers(1, 4),
    seed=st.integers(0, 9),
)
def test_a_person_keeps_the_same_rows_whoever_else_is_there(
    ids: list[str], rows: int, seed: int
) -> None:
    values = np.random.default_rng(seed).integers(0, 6, len(ids))
    domain = pa.array(list("uvwxyz"))
    table = pa.table({"v": pa.DictionaryArray.from_arrays(pa.array(values, pa.int32()), domain)})
    kept = bounded(pa.array(ids, pa.string()), table, rows, b"k" * 32)
    for person in set(ids):
        mine = np.array([i == person for i in ids])
        assert kept[mine].sum() == min(rows, mine.sum())
        own = pa.table({"v": table["v"].filter(mine).combine_chunks()})
        alone = bounded(pa.array([person] * own.num_rows), own, rows, b"k" * 32)
        assert sorted(values[mine][alone]) == sorted(values[mine & kept])


def test_which_rows_are_kept_is_even(tmp_path: Path) -> None:
    """Over many people each of three rows is kept about as often."""
    ids = np.repeat(np.arange(3000), 3).astype(str)
    index = pa.array(np.tile([0, 1, 2], 3000).astype(np.int32))
    table = pa.table({"v": pa.DictionaryArray.from_arrays(index, pa.array(["u", "v", "w"]))})
    kept = bounded(pa.array(ids), table, 1, b"k" * 32)
    count = np.bincount(np.tile([0, 1, 2], 3000)[kept], minlength=3)
    assert count.sum() == 3000
    assert (np.abs(count - 1000) < 150).all()


def test_records_follow_the_table(app: typer.Typer, tmp_path: Path) -> None:
    """At a large epsilon the counts and the records come near to a large table."""
    rows = [("f", "young", "UKR")] * 1500 + [("m", "old", "")] * 500
    command = lay(tmp_path, rows)
    result = run(app, command, tmp_path / "out", "--epsilon", "10")
    assert result.exit_code == 0, result.output
    records = read_table(tmp_path / "out/records.csv").table
    women = (pa.compute.sum(pa.compute.equal(records["sex"], "f"))).as_py()
    assert abs(women - 1500) < 60
    assert abs(records["home"].null_count - 500) < 60
    counts = pq.read_table(tmp_path / "out/counts.parquet").to_pylist()
    cell = next(c for c in counts if c["columns"] == ["sex"] and c["values"] == ["f"])
    assert cell["low"] - 30 <= 1500 <= cell["high"] + 30
    flat = (tmp_path / "out/counts.csv").read_text("utf-8")
    assert "sex*home" in flat
    assert "f|UKR" in flat


ADULT = Path(__file__).parents[3] / "shared" / "data" / "adult"


@pytest.mark.skipif(
    not ADULT.is_dir(), reason="a public data set is missing: lay adult into ../shared/data"
)
def test_a_table_of_50_000_people(app: typer.Typer, tmp_path: Path) -> None:
    sizes = json.loads((ADULT / "domain.json").read_text("utf-8"))
    some = {n: [str(i) for i in range(k)] for n, k in sizes.items() if k < 50}
    (tmp_path / "d.yaml").write_text(json.dumps({"version": 1, "columns": some}), "utf-8")
    command = ["protect", str(ADULT / "adult.csv"), "--domains", str(tmp_path / "d.yaml")]
    most = ["--max-people", "100000", "--delta", "1e-7"]
    result = run(app, command, tmp_path / "out", *most)
    assert result.exit_code == 0, result.output
    assert set(pq.read_schema(tmp_path / "out/records.parquet").names) == some.keys()
    people = json.loads((tmp_path / "out/manifest.json").read_text("utf-8"))["people"]
    assert abs(people["value"] - 48_842) < 300


def test_the_verb_drafts_once(app: typer.Typer, tmp_path: Path) -> None:
    lay(tmp_path, ROWS)
    command = ["domains", str(tmp_path / "t.csv"), "--out", str(tmp_path / "new.yaml")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "checked: true" in result.output
    assert "UKR" not in result.output
    assert "UKR" in (tmp_path / "new.yaml").read_text("utf-8")
    assert isinstance(CliRunner().invoke(app, command).exception, HubError)


def test_a_row_with_too_many_cells_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n1,2,3\n", "utf-8")
    with pytest.raises(UnreadableFile) as caught:
        read_as_is(tmp_path / "t.csv")
    assert (caught.value.row, caught.value.rule) == (3, "cell-count")
    assert "never skipped silently" in caught.value.fix
