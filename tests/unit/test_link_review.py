"""The clerical review of links: what comes back is checked, is followed, and measures the links."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import FileError, HubError
from ctdhub.core.i18n import language
from ctdhub.practice.naming import write_names
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.linkage.identified.link_files import (
    BOOK_FILE,
    LEAVES,
    PAIRS,
    RUN,
    LinkFile,
    ReviewAsked,
    ShownRow,
    link_files,
    read_review_book,
    write_review_book,
)
from ctdhub.sensitive.linkage.identified.model import Scored, ScoredPairs
from ctdhub.sensitive.linkage.identified.pairs import (
    CellKey,
    DecidedPair,
    IdentifiedPersons,
    PairFrame,
    ReviewAccuracy,
    accuracy_json,
    check_decisions,
    resolve,
    reviewed_cells,
)
from ctdhub.sensitive.linkage.pprl.columns import plan, propose
from ctdhub.sensitive.linkage.pprl.derive import Tokeniser
from ctdhub.sensitive.linkage.settings import LinkageSettings

MAKER = Tokeniser(bytes(range(32)), "2026.1")
Book = Path
Cells = list[dict[str, Any]]


def frame_of_pairs(pairs: list[tuple[int, int]], run: str = "a" * 32) -> PairFrame:
    """Pairs of rows that are persons, none of them joined."""
    n = len(pairs)
    rows = np.array(pairs, np.int64).reshape(-1, 2)
    none = np.zeros(n, bool)
    return PairFrame(rows[:, 0], rows[:, 1], rows, np.full(n, 0.7), none, none, ["latin"] * n, run)


SHOWN = [
    ShownRow(f"{'abc'[i % 3]}.csv", i // 3 + 2, {"given": f"=Kerotu{i}", "family": "كيروتو"})
    for i in range(9)
]
CHAIN = frame_of_pairs([(0, 1), (1, 2), (0, 2), (3, 4)])


def written(path: Path, frame: PairFrame = CHAIN) -> Path:
    every = range(len(frame.one))
    write_review_book(path, frame, SHOWN, every, [0, 3], random.Random(1))
    return path


def edited(path: Path, change: Callable[[Any], None]) -> Path:
    """The workbook as a spreadsheet saves it after a change of its first sheet."""
    book = openpyxl.load_workbook(path)
    change(book[PAIRS])
    book.save(path)
    return path


def decide(path: Path, frame: PairFrame, said: dict[int, str]) -> Path:
    ids = {frame.id_of(at): word for at, word in said.items()}

    def fill(sheet: Any) -> None:
        for row in range(4, sheet.max_row + 1):
            sheet.cell(row, 2).value = ids.get(sheet.cell(row, 1).value)

    return edited(path, fill)


def moved(path: Path) -> Path:
    """Columns in another order, rows sorted by another column, an empty row between."""

    def turn(sheet: Any) -> None:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        order = list(range(len(rows[0])))
        random.Random(4).shuffle(order)
        body = sorted(rows[2:], key=lambda row: str(row[5]), reverse=True)
        made = [*rows[:2], *body[:1], [None] * len(order), *body[1:]]
        sheet.delete_rows(2, sheet.max_row)
        for y, row in enumerate(made, 2):
            for x, at in enumerate(order, 1):
                sheet.cell(y, x).value = row[at]

    return edited(path, turn)


def test_a_workbook_that_was_sorted_and_saved_says_the_same(tmp_path: Path) -> None:
    for code in ("en", "fr", "ar"):
        with language(code):
            path = written(tmp_path / f"{code}.xlsx")
        assert path.stat().st_mode & 0o777 == 0o600
        book = openpyxl.load_workbook(path)
        cells = [cell for row in book[PAIRS].iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f"], "a name is no formula"
        assert book[RUN].sheet_state == "hidden"
        said = {"en": ("yes", "no"), "fr": ("Oui", "non"), "ar": ("نعم", "لا")}[code]
        decide(path, CHAIN, {0: said[0], 2: said[1], 3: "unsure"})
        before = read_review_book(path, CHAIN, SHOWN)
        after = read_review_book(moved(path), CHAIN, SHOWN)
        assert before.drawn == after.drawn == {0, 3}
        assert {at: pair.same for at, pair in after.decided.items()} == {0: True, 2: False}
        assert before.decided.keys() == after.decided.keys()


def fault(path: Path, frame: PairFrame = CHAIN) -> HubError:
    with pytest.raises(FileError) as refused:
        read_review_book(path, frame, SHOWN)
    return refused.value


def test_what_is_no_decision_is_refused_by_row(tmp_path: Path) -> None:
    met = fault(decide(written(tmp_path / "a.xlsx"), CHAIN, {0: "yes", 1: "perhaps"}))
    assert (met.name, met.column) == ("review-book/decision", "same_person")
    assert met.row is not None
    assert met.row > 3


def test_a_pair_decided_twice_in_contradiction_is_refused(tmp_path: Path) -> None:
    def twice(word: str) -> Callable[[Any], None]:
        def add(sheet: Any) -> None:
            row = next(r for r in range(4, 9) if sheet.cell(r, 1).value == CHAIN.id_of(0))
            for x in range(1, sheet.max_column + 1):
                sheet.cell(12, x).value = sheet.cell(row, x).value
            sheet.cell(12, 2).value = word

        return add

    path = decide(written(tmp_path / "a.xlsx"), CHAIN, {0: "yes"})
    assert read_review_book(edited(path, twice("yes")), CHAIN, SHOWN).decided[0].same
    met = fault(edited(path, twice("no")))
    assert (met.name, met.row) == ("review-book/twice", 12)


def test_a_no_against_a_chain_of_yes_is_refused_and_names_all_rows(tmp_path: Path) -> None:
    path = decide(written(tmp_path / "a.xlsx"), CHAIN, {0: "yes", 1: "yes", 2: "no"})
    sheet = openpyxl.load_workbook(path)[PAIRS]
    row = {sheet.cell(r, 1).value: r for r in range(4, 8)}
    met = fault(path)
    assert (met.name, met.row) == ("review-book/contradiction", row[CHAIN.id_of(2)])
    both = sorted(row[CHAIN.id_of(at)] for at in (0, 1))
    assert f"{both[0]}, {both[1]}" in str(met)


def test_decisions_of_another_run_are_refused(tmp_path: Path) -> None:
    path = decide(written(tmp_path / "a.xlsx"), CHAIN, {0: "yes"})
    other = frame_of_pairs([(0, 1), (1, 2), (0, 2), (3, 4)], "b" * 32)
    assert fault(path, other).name == "review-book/other-run"


def test_columns_sorted_one_by_one_are_refused(tmp_path: Path) -> None:
    def one_column(sheet: Any) -> None:
        ids = [sheet.cell(r, 1).value for r in range(4, 8)]
        for r, value in zip(range(4, 8), [*ids[1:], ids[0]], strict=True):
            sheet.cell(r, 1).value = value

    assert fault(edited(written(tmp_path / "a.xlsx"), one_column)).name == "review-book/pair"


def test_another_workbook_and_changed_heads_are_refused(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "other.xlsx")
    assert fault(tmp_path / "other.xlsx").name == "review-book"
    (tmp_path / "text.xlsx").write_text("pair,same person\n")
    assert fault(tmp_path / "text.xlsx").name == "review-book"

    def swap_heads(sheet: Any) -> None:
        sheet.cell(3, 2).value, sheet.cell(3, 3).value = "remark", "same person"

    assert fault(edited(written(tmp_path / "a.xlsx"), swap_heads)).name == "review-book"


PAIR = st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda p: p[0] < p[1])


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(PAIR, st.integers(-9, 20), max_size=20),
    st.dictionaries(PAIR, st.booleans(), max_size=8),
)
def test_yes_joins_and_no_keeps_apart(
    pairs: dict[tuple[int, int], int], said: dict[tuple[int, int], bool]
) -> None:
    """Nine persons of three files: decisions hold, or no grouping could hold them."""
    decided = [DecidedPair(*pair, same, i) for i, (pair, same) in enumerate(said.items(), 4)]
    group = list(range(9))
    for (a, b), same in said.items():
        if same:
            group = [group[a] if g == group[b] else g for g in group]
    broken = any(not same and group[a] == group[b] for (a, b), same in said.items())
    if broken:
        with pytest.raises(FileError, match="two people"):
            check_decisions(decided, Path("a.xlsx"))
        return
    check_decisions(decided, Path("a.xlsx"))
    scored_pairs = {p: bits for p, bits in pairs.items() if p[0] // 3 != p[1] // 3}
    one, other = (np.array([p[i] for p in scored_pairs], np.int64) for i in (0, 1))
    bits = np.array(list(scored_pairs.values()), float)
    nine = np.arange(9)
    sex = ["female", "male", None] * 3
    persons = IdentifiedPersons(nine, nine, nine // 3, sex, [frozenset()] * 9, [])
    none = ScoredPairs(one[:0], other[:0], bits[:0])
    found = resolve(persons, Scored(one, other, bits, {}, {}, True, none), 0.9, 0.5, decided)
    for (a, b), same in said.items():
        assert (found.cluster[a] == found.cluster[b]) == same
    assert found.links == 9 - len(set(found.cluster.tolist()))
    shown = {(d.one, d.other) for d in found.review}
    assert not shown & said.keys(), "what is decided is not asked again"
    for (a, b), said_bits in scored_pairs.items():
        if said_bits > 4 and (a, b) not in said:
            assert found.cluster[a] == found.cluster[b] or (a, b) in shown


def test_a_rival_who_was_decided_to_be_another_is_none() -> None:
    """One person is as like two of another file: once one is ruled out, the other is joined."""
    one, other = np.array([0, 0]), np.array([1, 2])
    persons = IdentifiedPersons(
        np.arange(3), np.arange(3), np.array([0, 1, 1]), [None] * 3, [frozenset()] * 3, []
    )
    scored = Scored(
        one,
        other,
        np.array([9.0, 9.0]),
        {},
        {},
        True,
        ScoredPairs(one[:0], other[:0], one[:0] * 1.0),
    )
    assert resolve(persons, scored, 0.9, 0.5).links == 0
    found = resolve(persons, scored, 0.9, 0.5, [DecidedPair(0, 2, False, 4)])
    assert found.cluster.tolist() == [0, 0, 1]


CELLS = {
    CellKey(True, 0.99, "latin", False): (600, 0.995),
    CellKey(True, 0.9, "latin", False): (40, 0.9),
    CellKey(False, 0.5, "latin", False): (60, 0.6),
    CellKey(False, 0.1, "latin", True): (90, 0.3),
    CellKey(False, 0.0, "latin", False): (400, 0.02),
    CellKey(True, 0.99, "arabic + latin", False): (150, 0.97),
    CellKey(False, 0.5, "arabic + latin", False): (40, 0.7),
    CellKey(False, 0.0, "arabic + latin", False): (500, 0.03),
}
"""Pairs of a cell, and the share of them that is one person."""


Cell = dict[CellKey, tuple[int, float]]


def planted(rng: np.random.Generator, made: Cell = CELLS) -> tuple[PairFrame, np.ndarray]:
    n = sum(size for size, _p in made.values())
    keys = [key for key, (size, _p) in made.items() for _i in range(size)]
    truth = np.concatenate([rng.permutation(size) < round(size * p) for size, p in made.values()])
    rows = np.arange(2 * n).reshape(-1, 2)
    frame = PairFrame(
        rows[:, 0], rows[:, 1], rows,
        np.array([key.band + 0.001 for key in keys]),
        np.array([key.joined for key in keys]),
        np.array([key.by_tokens for key in keys]),
        [key.group for key in keys],
        "c" * 32,
    )  # fmt: skip
    return frame, truth


@pytest.mark.parametrize("wrong", [0.0, 0.05])
def test_intervals_hold_the_truth(
    wrong: float, record_property: Callable[[str, object], None]
) -> None:
    """A planted truth, repeated samples, and a reviewer who may be wrong once in twenty."""
    rng = np.random.default_rng(3)
    frame, truth = planted(rng)
    joined, latin = frame.joined, np.array(frame.group) == "latin"
    assert frame.cells.keys() == CELLS.keys()
    recall, false = truth[joined].sum() / truth.sum(), 1 - truth[joined].mean()
    times, held, widths = 100, defaultdict(int), []
    for i in range(times):
        drawn = frame.draw(250, random.Random(i))
        slips = rng.random(len(truth)) < wrong
        said = {at: bool(truth[at] ^ slips[at]) for at in drawn}
        cells = reviewed_cells(frame, drawn, said)
        every = ReviewAccuracy(cells, errors=wrong)
        some = ReviewAccuracy([c for c in cells if c.key.group == "latin"], errors=wrong)
        yes = np.zeros(len(truth), bool)
        yes[[at for at in drawn if said[at]]] = True
        left = truth & ~joined & ~yes
        for name, share, real in (
            ("recall", every.recall(after=False), recall),
            ("after", every.recall(after=True), (truth & (joined | yes)).sum() / truth.sum()),
            ("false", every.false(), false),
            ("found", every.token_recall(), left[frame.by_tokens].sum() / left.sum()),
            ("latin", some.recall(after=False), truth[joined & latin].sum() / truth[latin].sum()),
        ):
            held[name] += share.low <= real <= share.high
            if name == "recall":
                widths.append(share.high - share.low)
    rates = {name: n / times for name, n in held.items()}
    record_property(f"wrong {wrong}", f"held {rates}, width {np.mean(widths):.3f}")
    assert all(rate >= 0.95 for rate in rates.values()), rates
    assert np.mean(widths) < 0.2 + 3 * wrong


@pytest.mark.parametrize("wrong", [0.0, 0.05])
def test_many_small_groups_of_which_nearly_all_was_drawn(wrong: float) -> None:
    """A rare pair that was drawn counts for more than there are, and does so in many cells."""
    rng = np.random.default_rng(9)
    sides = (
        (True, 0.99, 0.97), (True, 0.9, 0.8), (False, 0.5, 0.6), (False, 0.1, 0.2), (False, 0, 0.03)
    )  # fmt: skip
    made = {
        CellKey(joined, band, f"g{g}", False): (int(rng.integers(1, 9 + 20 * (band > 0.9))), p)
        for g in range(8)
        for joined, band, p in sides
    }
    frame, truth = planted(rng, made)
    recall, held = truth[frame.joined].sum() / truth.sum(), 0
    for i in range(60):
        drawn = frame.draw(250, random.Random(i))
        said = {at: bool(truth[at] ^ (rng.random() < wrong)) for at in drawn}
        share = ReviewAccuracy(reviewed_cells(frame, drawn, said), errors=wrong).recall(after=False)
        held += share.low <= recall <= share.high
    assert held >= 57


def test_without_the_allowance_a_reviewer_who_errs_misleads() -> None:
    rng = np.random.default_rng(3)
    frame, truth = planted(rng)
    recall = truth[frame.joined].sum() / truth.sum()
    held = 0
    for i in range(40):
        drawn = frame.draw(600, random.Random(i))
        said = {at: bool(truth[at] ^ (rng.random() < 0.05)) for at in drawn}
        share = ReviewAccuracy(reviewed_cells(frame, drawn, said)).recall(after=False)
        held += share.low <= recall <= share.high
    assert held < 36


def test_what_is_undecided_widens_and_all_decided_is_exact() -> None:
    frame, truth = planted(np.random.default_rng(3))
    everything = {at: bool(same) for at, same in enumerate(truth)}
    recall = truth[frame.joined].sum() / truth.sum()
    exact = ReviewAccuracy(reviewed_cells(frame, range(len(truth)), everything))
    assert exact.recall(after=False).low == pytest.approx(recall)
    assert exact.recall(after=False).high == pytest.approx(recall)
    assert exact.recall(after=True).low == 1
    half = {at: same for at, same in everything.items() if at % 2}
    wide = ReviewAccuracy(reviewed_cells(frame, range(len(truth)), half)).recall(after=False)
    assert wide.low < recall - 0.1
    nothing = accuracy_json(reviewed_cells(frame, range(len(truth)), {}), 0.0, 0.05, 100)
    assert (nothing["recall"]["low"], nothing["recall"]["high"]) == (0, 1)
    assert nothing["recall"]["value"] is None
    assert (nothing["found"]["low"], nothing["found"]["high"]) == (0, 1)
    assert "policy" not in nothing, "no figure of a review is offered for what is published"


def rows_of(path: Path) -> Cells:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_round_is_reviewed_and_its_keys_follow(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Names in Latin and in Arabic script; the reviewer knows the truth."""
    pytest.importorskip("splink", reason="the extra splink is not installed")
    lists = write_names(tmp_path / "in", 400, 5)
    person = {row["case"]: row["person"] for row in rows_of(tmp_path / "in" / "truth.csv")}
    held = []
    for name in ("harbour", "manara"):
        raw = read_table(lists[name])
        held.append(LinkFile(raw, plan(raw, propose(raw))))

    def link(out: str, asked: ReviewAsked) -> dict[str, Any]:
        settled = LinkageSettings()
        return link_files(held, MAKER, tmp_path / out, settled, None, lambda *_s: None, asked)

    link("one", ReviewAsked(sample=90))
    path = tmp_path / "one" / BOOK_FILE
    case = {
        (file.raw.file, str(n)): number
        for file in held
        for n, number in enumerate(file.raw.table["case_number"].to_pylist(), 2)
    }
    said: dict[tuple[str, str], bool] = {}

    def review(sheet: Any) -> None:
        keys = {sheet.cell(2, x).value: x for x in range(1, sheet.max_column + 1)}
        for r in range(4, sheet.max_row + 1):
            places = [sheet.cell(r, keys[k]).value for k in ("file_a", "row_a", "file_b", "row_b")]
            one, other = case[places[0], places[1]], case[places[2], places[3]]
            said[one, other] = person[one] == person[other]
            sheet.cell(r, 2).value = "yes" if said[one, other] else "no"

    moved(edited(path, review))
    summary = link("two", ReviewAsked(decisions=path, errors=0.0))
    token: dict[str, str] = {}
    for file in held:
        copy = rows_of(tmp_path / "two" / LEAVES / f"{Path(file.raw.file).stem}.csv")
        numbers = file.raw.table["case_number"].to_pylist()
        token |= {c: row["link_token"] for c, row in zip(numbers, copy, strict=True)}
    assert len(said) >= 90
    assert {True, False} == set(said.values())
    for (one, other), same in said.items():
        assert (token[one] == token[other] != "") == same
    review_ = summary["review"]
    assert (review_["yes"], review_["no"]) == (sum(said.values()), len(said) - sum(said.values()))
    assert review_["undecided"] == 0
    assert "arabic + latin" in review_["groups"]
    real = [(a, b) for a, b in combinations(token, 2) if a[0] != b[0] and person[a] == person[b]]
    recall = sum(token[a] == token[b] for a, b in real) / len(real)
    record_property("round", f"recall {recall:.4f}, told {review_['recall_after']}, {review_}")
    assert review_["recall_after"]["low"] <= recall <= review_["recall_after"]["high"]
    assert not [c for c in case.values() if c in (tmp_path / "two" / "summary.json").read_text()]
    assert not (tmp_path / "two" / BOOK_FILE).exists()
    held[1], held[0] = held
    with pytest.raises(FileError) as refused:
        link("three", ReviewAsked(decisions=path))
    assert refused.value.name == "review-book/other-run"
    assert not (tmp_path / "three").exists()
