"""k-anonymity: k holds by two oracles, no record is dropped, the figures add up."""

from __future__ import annotations

import csv
import importlib
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import FileError, HostileFile, PolicyError, UnreadableFile
from ctdhub.kanon import table
from ctdhub.kanon.suppress import suppress
from ctdhub.kanon.table import Anonymised, anonymise, class_sizes, global_risk, inference

Codes = npt.NDArray[np.int32]
run = CliRunner()


@st.composite
def tables(draw: st.DrawFn) -> tuple[Codes, int]:
    """Codes of 1 to 6 columns, skewed so that large classes and lone rows occur, and a k."""
    columns = draw(st.integers(1, 6))
    n = draw(st.integers(2, 120))
    values = draw(st.lists(st.integers(1, 12), min_size=columns, max_size=columns))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    skewed = chance.beta(1, draw(st.sampled_from([1, 3, 12])), (n, columns))
    return (skewed * values).astype(np.int32), draw(st.integers(2, n))


def said(codes: Codes, masked: npt.NDArray[np.bool_]) -> Codes:
    return np.where(masked, -1, codes)


def classes(rows: Codes) -> Counter[tuple[int, ...]]:
    return Counter(map(tuple, rows.tolist()))


def text(codes: Codes) -> pa.Table:
    """Code 0 is "not recorded"."""
    return pa.table(
        {
            f"c{j}": pa.array([f"v{code}" if code else None for code in column], pa.string())
            for j, column in enumerate(codes.T.tolist())
        }
    )


@given(tables())
@settings(max_examples=150, deadline=None)
def test_k_holds_on_every_result(case: tuple[Codes, int]) -> None:
    codes, k = case
    assert min(classes(said(codes, suppress(codes, k))).values()) >= k


@given(tables())
@settings(max_examples=100, deadline=None)
def test_classes_of_k_stay_whole(case: tuple[Codes, int]) -> None:
    """A larger class may lend what it has beyond k, and no more; one is taken apart only where
    all smaller classes together cannot make one of k."""
    codes, k = case
    sizes = classes(codes).values()
    small = sum(size for size in sizes if size < k)
    assume(small == 0 or small + sum(size - k for size in sizes if size > k) >= k)
    after = classes(said(codes, suppress(codes, k)))
    for row, records in classes(codes).items():
        if records >= k:
            assert k <= after[row] <= records


@given(tables())
@settings(max_examples=60, deadline=None)
def test_only_cells_are_suppressed(case: tuple[Codes, int]) -> None:
    """Rows come out in another order: undone, every cell is that of the input or suppressed."""
    codes, k = case
    given_, order = text(codes), np.arange(len(codes))[::-1].copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "permutation", lambda size: order)
        done = anonymise(given_, k)
    for name in given_.column_names:
        before, after = given_[name].to_pylist(), done.table[name].take(order).to_pylist()
        assert all(b in (a, "suppressed") for a, b in zip(before, after, strict=True))
        assert done.account.lost[name] == after.count("suppressed")


@given(tables())
@settings(max_examples=60, deadline=None)
def test_figures_add_up(case: tuple[Codes, int]) -> None:
    codes, k = case
    done = anonymise(text(codes), k)
    rows = [tuple(row.values()) for row in done.table.to_pylist()]
    sizes = Counter(rows)
    account = done.account
    assert len(rows) == account.records == len(codes)
    assert account.dropped == 0
    assert (account.classes, account.smallest) == (len(sizes), min(sizes.values()))
    assert account.cells_lost == sum(row.count("suppressed") for row in rows)
    assert account.share_lost == pytest.approx(account.cells_lost / codes.size)
    assert account.whole == sum("suppressed" not in row for row in rows)
    assert account.risk_before == pytest.approx(risk(classes(codes)))
    assert account.risk_after == pytest.approx(risk(sizes))
    assert account.risk_after <= 1 / k + 1e-12


def risk(sizes: Counter[tuple[int, ...]] | Counter[tuple[str, ...]]) -> float:
    """The definition: the mean over records of 1 / class size."""
    chances = [1 / size for size in sizes.values() for _record in range(size)]
    return sum(chances) / len(chances)


def test_pycanon_agrees() -> None:
    try:
        canon = importlib.import_module("pycanon.anonymity")
    except ImportError:
        pytest.skip("pycanon is not installed: pip install --no-deps pycanon")
    pandas = pytest.importorskip("pandas")
    chance = np.random.default_rng(4)
    for k in (2, 5, 11):
        codes = (chance.beta(1, 6, (400, 5)) * 9).astype(np.int32)
        done = anonymise(text(codes), k)
        frame = pandas.DataFrame(done.table.to_pydict()).fillna("not recorded")
        names = list(frame.columns)
        assert canon.k_anonymity(frame, names) == done.account.smallest >= k
        before = pandas.DataFrame(text(codes).to_pydict()).fillna("not recorded")
        assert canon.k_anonymity(before, names) < k


@pytest.mark.parametrize("k", [2, 3, 11])
def test_one_column_of_many_values(k: int) -> None:
    codes = np.arange(500, dtype=np.int32)[:, None]
    codes[:20] = 0
    masked = suppress(codes, k)
    assert not masked[:20].all()
    assert masked[20:].all()


def test_every_class_is_full_and_one_record_is_left() -> None:
    """Nobody can lend: the nearest class is taken apart."""
    codes = np.array([[0, 0]] * 3 + [[1, 1]] * 3 + [[1, 2]], np.int32)
    masked = suppress(codes, 3)
    assert masked.tolist() == [[False, False]] * 3 + [[False, True]] * 4


def test_a_larger_class_lends() -> None:
    codes = np.array([[0, 0]] * 9 + [[0, 1]] * 3, np.int32)
    masked = suppress(codes, 4)
    assert masked[9:].tolist() == [[False, True]] * 3
    assert masked[:9].sum(0).tolist() == [0, 1]


def test_one_unlike_cell_costs_one_cell_each() -> None:
    """What a person would do by hand: eleven rows that differ in the year alone lose the year."""
    codes = np.zeros((11, 5), np.int32)
    codes[:, 2] = np.arange(11)
    assert suppress(codes, 11).sum(0).tolist() == [0, 0, 11, 0, 0]


def test_the_same_table_loses_the_same_cells() -> None:
    codes = (np.random.default_rng(1).beta(1, 4, (300, 6)) * 6).astype(np.int32)
    assert (suppress(codes, 7) == suppress(codes, 7)).all()


def test_rows_come_in_an_order_of_their_own() -> None:
    codes = np.repeat(np.arange(30, dtype=np.int32), 4)[:, None]
    made = anonymise(text(codes), 4).table
    assert not made.equals(text(codes))
    assert Counter(made["c0"].to_pylist()) == Counter(text(codes)["c0"].to_pylist())


def test_empty_and_null_are_both_not_recorded() -> None:
    made = anonymise(pa.table({"a": ["", None, "x", "x"]}), 2).table
    assert Counter(made["a"].to_pylist()) == {None: 2, "x": 2}


def test_no_records_are_k_anonymous() -> None:
    done = anonymise(pa.table({"a": pa.array([], pa.string())}), 11)
    assert (done.table.num_rows, done.account.risk_after, done.account.share_lost) == (0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        ("fewer-than-k", {"k": 5}),
        ("k", {"k": 1}),
        ("suppressed-text", {"k": 2, "suppressed": "A secret "}),
        ("suppressed-text", {"k": 2, "suppressed": " "}),
        ("suppressed-text", {"k": 2, "suppressed": "=1"}),
    ],
)
def test_refusals_name_the_rule_and_no_value(rule: str, arguments: dict[str, object]) -> None:
    with pytest.raises(PolicyError) as refusal:
        anonymise(pa.table({"a": ["a SECRET", "y", "y", "y"]}), **arguments)  # type: ignore[arg-type]
    assert refusal.value.rule == rule
    assert "SECRET" not in str(refusal.value)


def test_a_result_that_is_not_k_anonymous_is_never_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "suppress", lambda codes, *_: np.zeros(codes.shape, bool))
    with pytest.raises(ArithmeticError):
        anonymise(pa.table({"a": ["x", "y", "y"]}), 2)


def test_sizes_do_not_stumble_over_names() -> None:
    sizes = class_sizes(pa.table({"count_all": ["x", "x", None]}))
    assert sorted(sizes.tolist()) == [1, 2]
    assert global_risk(sizes) == pytest.approx(2 / 3)


# The verb


@pytest.fixture
def app() -> typer.Typer:
    return command("kanon")


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    rows = [["f", "2020", "x1"]] * 12 + [["f", "2021", "x2"]] * 4 + [["", "2022", "x3"]] * 8
    lines = "".join(",".join(row) + "\n" for row in [["sex", "year", "note"], *rows])
    path.write_text(lines, "utf-8")
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_verb_writes_a_file_and_says_what_it_means(app: typer.Typer, cases: Path) -> None:
    done = run.invoke(app, ["kanon", str(cases), "--k", "11", "--columns", "year,sex"])
    assert done.exit_code == 0, done.output
    rows = read(cases.with_name("cases.k11.csv"))
    assert list(rows[0]) == ["sex", "year"]
    assert len(rows) == 24
    assert min(Counter(map(lambda r: (r["sex"], r["year"]), rows)).values()) >= 11  # noqa: C417
    said = " ".join(done.output.split())
    for words in ("note", "does not compose", "minimality", "differential privacy is the default"):
        assert words in said
    assert "x1" not in said


def test_a_small_k_is_refused_before_anything_is_read(app: typer.Typer, tmp_path: Path) -> None:
    refused = run.invoke(app, ["kanon", str(tmp_path / "not there.csv"), "--k", "4"])
    assert isinstance(refused.exception, PolicyError)
    assert "5 or more" in str(refused.exception)


def rare(n: int) -> pa.Table:
    """Eight yes/no columns, one in twenty yes, and a column of six codes."""
    draw = np.random.default_rng(5)
    flags = {f"f{i}": pa.array(np.where(draw.random(n) < 0.05, "y", "n")) for i in range(8)}
    return pa.table(flags | {"code": pa.array(draw.choice(list("abcdef"), n))})


def test_lift_is_what_counting_by_hand_gives() -> None:
    table = rare(2000)
    codes = np.stack(
        [c.combine_chunks().dictionary_encode().indices.to_numpy() for c in table.columns], 1
    )
    masked = suppress(codes.astype(np.int32), 5)
    found = inference(table.column_names, codes.astype(np.int32), masked, 5)
    for place, name in enumerate(table.column_names):
        values, total = np.unique(codes[:, place], return_counts=True)
        inside = codes[masked[:, place], place]
        ratios = [(inside == v).mean() / (codes[:, place] == v).mean() for v in values[total >= 5]]
        assert found.lift[name] == pytest.approx(max(ratios), abs=0.01)
    assert found.lift["f0"] > 4
    assert found.disclosures == found.narrow > 0


def test_suppression_beyond_need_tells_less_and_keeps_k() -> None:
    table = rare(2000)
    needed, more = anonymise(table, 5), anonymise(table, 5, extra=0.5)
    assert more.account.smallest >= 5
    flags = [f"f{i}" for i in range(8)]
    lifts = [np.mean([a.inference.lift[f] for f in flags]) for a in (needed, more)]
    assert lifts[1] < lifts[0] / 2


def test_nothing_is_replaced_without_force(app: typer.Typer, cases: Path) -> None:
    target = cases.with_name("cases.k5.csv")
    target.write_text("mine", "utf-8")
    command = ["kanon", str(cases), "--k", "5"]
    refused = run.invoke(app, command)
    assert isinstance(refused.exception, FileError)
    assert target.read_text("utf-8") == "mine"
    assert run.invoke(app, [*command, "--force"]).exit_code == 0
    assert len(read(target)) == 24
    onto_itself = run.invoke(app, [*command, "--out", str(cases), "--force"])
    assert isinstance(onto_itself.exception, FileError)
    assert "suppressed" not in cases.read_text("utf-8")


def test_parquet_stays_parquet_and_keeps_null_apart(app: typer.Typer, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"year": [2020] * 12 + [2021], "sex": [*"ffffff", *[None] * 7]}), path)
    command = ["kanon", str(path), "--k", "5", "--suppressed", "(hidden)"]
    assert run.invoke(app, command).exit_code == 0
    made = pq.read_table(tmp_path / "a.k5.parquet")
    assert min(Counter(map(str, made.to_pylist())).values()) >= 5
    assert {"(hidden)", None} <= set(made["sex"].to_pylist()) | set(made["year"].to_pylist())


def test_one_column_keeps_rows_without_a_value(app: typer.Typer, cases: Path) -> None:
    assert run.invoke(app, ["kanon", str(cases), "--k", "5", "--columns", "sex"]).exit_code == 0
    assert Counter(row["sex"] for row in read(cases.with_name("cases.k5.csv"))) == {"f": 16, "": 8}


@pytest.mark.parametrize(
    ("content", "options", "kind"),
    [
        ("a,b\n1,SECRET\n1,2,SECRET\n", ["--k", "5"], UnreadableFile),
        ("a,b\n1,SECRET\n", ["--k", "5"], PolicyError),
        ("a,b\n1,SECRET\n1,2\n", ["--k", "5", "--columns", "c"], PolicyError),
        ("a,b\n1,=SECRET\n1,2\n", ["--k", "5"], HostileFile),
        ("a,b\n1,SECRET\n1,2\n", ["--k", "5", "--out", "x.txt"], FileError),
    ],
)
def test_errors_never_show_a_value(
    app: typer.Typer, tmp_path: Path, content: str, options: list[str], kind: type[Exception]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, "utf-8")
    result = run.invoke(app, ["kanon", str(path), *options])
    assert isinstance(result.exception, kind)
    assert "SECRET" not in str(result.exception) + result.output
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_a_formula_from_parquet_does_not_reach_a_csv(app: typer.Typer, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": ["=SECRET"] * 3}), path)
    result = run.invoke(app, ["kanon", str(path), "--k", "5", "--out", str(tmp_path / "a.csv")])
    assert isinstance(result.exception, HostileFile)
    assert "SECRET" not in str(result.exception)


def test_the_account_is_part_of_the_answer() -> None:
    done = anonymise(pa.table({"a": ["x", "x", "y"]}), 2)
    assert isinstance(done, Anonymised)
    assert done.account.k == 2
