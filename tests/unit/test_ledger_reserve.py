"""A budget divided in advance: what readers are shown does not tell of drafts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctdhub.core.errors import Overspend
from ctdhub.dp.accounting import epsilon_of, rho_of
from ctdhub.dp.ledger.book import BudgetSplit, Ledger, drafts_bought, split_of, versions_bought

DELTA = 1e-8
ONE = rho_of(1.0, DELTA)


def ledger(folder: Path, charges: int) -> Ledger:
    """Charges of epsilon 1; their ids are a, b, c, …"""
    book = Ledger(folder / "ledger")
    with book.exclusive():
        for name in "abcdef"[:charges]:
            book.charge("q", ONE, 1.0, DELTA, "x", budget=90, id=name)
    return book


def split(book: Ledger, published: str, drafts: float = 0.25, budget: float = 3.0) -> BudgetSplit:
    return split_of(book, set(published), budget, drafts, DELTA)


def test_drafts_are_not_seen_while_they_fit(tmp_path: Path) -> None:
    one = split(ledger(tmp_path / "1", 3), "ac")
    none = split(ledger(tmp_path / "0", 2), "ab")
    assert one.drafts == pytest.approx(ONE)
    assert none.drafts == 0
    assert one.public_epsilon == none.public_epsilon >= epsilon_of(3 * ONE, DELTA)
    assert (one.versions, one.reserve) == (none.versions, none.reserve)


def test_where_drafts_took_more_the_whole_budget_is_shown(tmp_path: Path) -> None:
    held = split(ledger(tmp_path, 4), "a")
    assert held.drafts - held.waiting > held.reserve
    assert held.public_epsilon == pytest.approx(3.0)
    with pytest.raises(Overspend) as caught:
        held.check(ONE, 1.0)
    assert caught.value.rule == "budget"
    assert "not published" in caught.value.what


def test_what_waits_does_not_tell_that_drafts_were_thrown_away(tmp_path: Path) -> None:
    """One draft is in the reserve; with the one that waits there is more than the reserve."""
    first = split(ledger(tmp_path / "1", 2), "a")
    third = split(ledger(tmp_path / "2", 3), "a")
    assert third.drafts > third.reserve >= first.drafts
    assert first.public_epsilon == third.public_epsilon < 3.0


def test_versions_leave_the_reserve_alone(tmp_path: Path) -> None:
    """The budget of 3 buys five versions of epsilon 1 beside a quarter for drafts."""
    held = split(ledger(tmp_path, 5), "abcde")
    assert split(ledger(tmp_path / "4", 4), "abcd").more(ONE) == 1
    assert held.more(ONE) == 0
    with pytest.raises(Overspend, match="kept for drafts"):
        held.check(ONE, 1.0)
    split(ledger(tmp_path / "5", 5), "abcde", drafts=0).check(ONE, 1.0)


def test_what_a_budget_buys() -> None:
    assert [versions_bought(e, b, 0.25, DELTA) for e, b in ((1, 3), (2, 6), (4, 12))] == [5, 5, 5]
    assert [drafts_bought(e, b, 0.25, DELTA) for e, b in ((1, 3), (2, 6), (1, 2))] == [1, 1, 0]


def test_a_smaller_delta_of_a_draft_alone_is_not_seen(tmp_path: Path) -> None:
    book = ledger(tmp_path, 1)
    before = split(book, "a")
    with book.exclusive():
        book.charge("q", 1e-6, 0.01, 1e-12, "x", budget=90, id="z")
    assert split(book, "a").public_epsilon == before.public_epsilon
