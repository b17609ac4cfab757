"""The ledger: adds up, refuses, and names the line that was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import LedgerTampered, Overspend
from ctdhub.core.format import exact
from ctdhub.core.i18n import LANGUAGES, language, said
from ctdhub.dp.accounting import epsilon_of, rho_of
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.file import purpose_text, written

DELTA = 1e-8


def charged(folder: Path, times: int, epsilon: float = 1.0, budget: float = 12.0) -> Ledger:
    ledger = Ledger(folder / "ledger")
    for i in range(times):
        with ledger.exclusive():
            rho = rho_of(epsilon, DELTA)
            ledger.charge(f"q{i}", rho, epsilon, DELTA, f"release {i}", budget=budget)
    return ledger


def test_an_unused_ledger_is_empty_and_makes_no_folder(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    assert (ledger.entries(), ledger.spent(), ledger.guarantee(DELTA)) == ((), 0.0, 0.0)
    assert ledger.left(12, DELTA) == pytest.approx(12)
    assert not ledger.folder.exists()


def test_entries_tell_what_was_spent(tmp_path: Path) -> None:
    ledger = charged(tmp_path, 3)
    entries = ledger.entries()
    assert [e.number for e in entries] == [1, 2, 3]
    assert [e.what for e in entries] == ["release 0", "release 1", "release 2"]
    assert all(e.time.endswith("+00:00") for e in entries)
    assert entries[1].previous == entries[0].hash
    assert len({e.id for e in entries}) == 3
    assert ledger.spent() == pytest.approx(3 * rho_of(1, DELTA))
    assert ledger.guarantee(DELTA) == pytest.approx(epsilon_of(3 * rho_of(1, DELTA), DELTA))
    assert ledger.guarantee(DELTA) < 3  # composition in zCDP beats adding epsilons


def test_overspend_tells_what_is_left_and_writes_nothing(tmp_path: Path) -> None:
    ledger = charged(tmp_path, 2, epsilon=2.0, budget=3.0)
    before = (ledger.folder / "ledger.jsonl").read_bytes()
    with ledger.exclusive(), pytest.raises(Overspend) as caught:
        ledger.charge("q", rho_of(2, DELTA), 2.0, DELTA, "one more", budget=3.0)
    left = ledger.left(3.0, DELTA)
    assert exact(left, 4) in caught.value.what
    assert "budget" in caught.value.fix
    assert (ledger.folder / "ledger.jsonl").read_bytes() == before


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(budget=st.floats(0.5, 12), parts=st.lists(st.floats(0.05, 4), min_size=1, max_size=6))
def test_the_total_never_passes_the_budget(
    tmp_path_factory: pytest.TempPathFactory, budget: float, parts: list[float]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("hub") / "ledger")
    for epsilon in parts:
        with ledger.exclusive():
            left = ledger.left(budget, DELTA)
            try:
                ledger.charge("q", rho_of(epsilon, DELTA), epsilon, DELTA, "r", budget=budget)
            except Overspend:
                assert epsilon > left * (1 - 1e-9)
            else:
                assert epsilon <= left * (1 + 1e-6)
        assert ledger.guarantee(DELTA) <= budget * (1 + 1e-12)


def test_a_greater_delta_does_not_stretch_the_budget(tmp_path: Path) -> None:
    """What was promised at a small delta is held when a later policy has a greater one."""
    ledger = charged(tmp_path, 1, epsilon=1.9, budget=2.0)
    more = 0.9 * (rho_of(2.0, 1e-6) - ledger.spent())
    assert more > rho_of(2.0, DELTA) - ledger.spent()
    with ledger.exclusive(), pytest.raises(Overspend):
        ledger.charge("q", more, epsilon_of(more, 1e-6), 1e-6, "greater delta", budget=2.0)
    assert ledger.left(2.0, 1e-6) == epsilon_of(rho_of(2.0, DELTA) - ledger.spent(), 1e-6)
    assert ledger.guarantee(DELTA) <= 2.0


def test_a_smaller_delta_counts_all_charges_at_it(tmp_path: Path) -> None:
    ledger = charged(tmp_path, 1, epsilon=1.9, budget=2.0)
    with ledger.exclusive(), pytest.raises(Overspend):
        ledger.charge("q", 1e-9, 1e-3, 1e-12, "smaller delta", budget=2.0)


def test_the_least_excess_is_refused(tmp_path: Path) -> None:
    limit = rho_of(2.0, DELTA)
    ledger = Ledger(tmp_path / "ledger")
    with ledger.exclusive():
        ledger.charge("q", limit, 2.0, DELTA, "all", budget=2.0)
        with pytest.raises(Overspend):
            ledger.charge("q", 1e-30, 1e-9, DELTA, "too small for a sum of floats", budget=2.0)
    assert len(ledger.entries()) == 1


Change = Callable[[list[str]], list[str]]


def edited(place: int, field: str, value: object) -> Change:
    def change(lines: list[str]) -> list[str]:
        entry = json.loads(lines[place])
        entry[field] = value
        return [*lines[:place], json.dumps(entry, sort_keys=True), *lines[place + 1 :]]

    return change


CHANGES: list[tuple[str, Change, int]] = [
    ("cheaper", edited(1, "rho", 1e-9), 2),
    ("reworded", edited(0, "what", "nothing"), 1),
    ("another hash", edited(2, "hash", "0" * 64), 3),
    ("another field", edited(2, "note", "x"), 3),
    ("first line gone", lambda lines: lines[1:], 1),
    ("middle line gone", lambda lines: [lines[0], *lines[2:]], 2),
    ("last line gone", lambda lines: lines[:-1], 4),
    ("two last lines gone", lambda lines: lines[:-2], 3),
    ("all lines gone", lambda lines: [], 1),
    ("swapped", lambda lines: [lines[0], lines[2], lines[1], lines[3]], 2),
    ("repeated", lambda lines: [*lines, lines[-1]], 5),
    ("blank line", lambda lines: [lines[0], "", *lines[1:]], 2),
    ("no JSON", lambda lines: [lines[0], "{", *lines[2:]], 2),
    ("a list", lambda lines: [lines[0], "[]", *lines[2:]], 2),
]


@pytest.mark.parametrize(("change", "row"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_changed_line_is_named_and_nothing_more_is_charged(
    tmp_path: Path, change: Change, row: int
) -> None:
    ledger = charged(tmp_path, 4)
    path = ledger.folder / "ledger.jsonl"
    lines = change(path.read_text().splitlines())
    path.write_text("".join(line + "\n" for line in lines))
    with pytest.raises(LedgerTampered) as caught:
        ledger.entries()
    assert caught.value.row == row
    with ledger.exclusive(), pytest.raises(LedgerTampered):
        ledger.charge("q", 0.01, 0.1, DELTA, "more", budget=12)


def test_a_consistent_forgery_of_the_end_is_found_by_the_head(tmp_path: Path) -> None:
    ledger = charged(tmp_path, 3)
    forged = charged(tmp_path / "other", 3, epsilon=0.1)
    (ledger.folder / "ledger.jsonl").write_bytes((forged.folder / "ledger.jsonl").read_bytes())
    with pytest.raises(LedgerTampered):
        ledger.spent()


def test_a_lost_head_is_found(tmp_path: Path) -> None:
    ledger = charged(tmp_path, 2)
    (ledger.folder / "head").unlink()
    with pytest.raises(LedgerTampered):
        ledger.entries()


def test_questions_are_keyed_per_ledger(tmp_path: Path) -> None:
    one, two = charged(tmp_path / "1", 1), charged(tmp_path / "2", 1)
    assert one.question(b"x") == one.question(b"x") != two.question(b"x")
    assert (one.folder / "secret").stat().st_mode & 0o077 == 0


PURPOSES = {
    "release of all public columns at epsilon 4, budget 12": ("4", "12"),
    "release of 9 columns at epsilon 0.5, budget 12": ("9", "0.5", "12"),
    "release of 9 columns at epsilon 4, budget 12; charged again, because charge 3 was cut off "
    "without an answer; charged again, because charge 5 was cut off without an answer":
        ("9", "4", "12", "3", "5"),
}  # fmt: skip


@pytest.mark.parametrize("what", PURPOSES)
@pytest.mark.parametrize("code", LANGUAGES)
def test_a_purpose_is_told_in_the_language_of_the_reader(what: str, code: str) -> None:
    with language(code):
        words = said(purpose_text(what))
    assert all(field in words for field in PURPOSES[what])
    assert (words == what) is (code == "en")


@pytest.mark.parametrize("code", LANGUAGES)
def test_words_of_the_ledger_are_english_and_unknown_ones_stay(code: str) -> None:
    with language(code):
        assert written("all", epsilon="4", budget="12") == next(iter(PURPOSES))
        assert written("again", purpose="asked", n=3).startswith("asked; charged again")
        for what in ("release of all public columns", "asked", "{purpose}; {n}", ""):
            assert said(purpose_text(what)) == what
