"""A hub of software that knew no populations opens, keeps its spending, and goes there and back.

The files are such as commit 7f2c3c7 wrote, short and invented.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from ctdhub.build import upgrade as upgrading
from ctdhub.build.hub import Hub
from ctdhub.build.paid import check_paid, ledger, read_ledger
from ctdhub.build.rules import policy
from ctdhub.build.upgrade import KEPT, back, upgrade
from ctdhub.core.errors import HubError
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.policy import Policy

MAPPING = """\
# Our own form.
version: 1
identifiers: {Case: hash}
columns:
  gender: {from: Sex, map: {F: female, M: male}}

perpetrators:
  split: ";"
  columns:
    perpetrator_gender: {from: PerpGender, map: {F: female, M: male}}
tests: []
"""
FILES = {
    "hub.yaml": "name: An old hub (fictitious)\nlanguages: [en]  # for now\n",
    "policy.yaml": "version: 1\nyears: [2015, 2025]\n",
    "mappings/clinic.yaml": MAPPING,
    "mappings/shelter.yaml": "version: 1\ncolumns: {gender: {from: Sex}}\n",
}


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub with two charges."""
    monkeypatch.setenv("CTDHUB_STATE", str(tmp_path / "state"))
    for name, text in FILES.items():
        path = tmp_path / "hub" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    found = Hub(tmp_path / "hub")
    for what in ("first", "second"):
        spend(Ledger(found.ledger), what)
    return found


def spend(book: Ledger, what: str) -> None:
    with book.exclusive():
        book.charge(what, rho_of(1, 1e-8), 1.0, 1e-8, what, budget=100.0)


def content(hub: Hub) -> dict[str, bytes]:
    """All files but the journal, locks and work, which hold nothing of this."""
    made = ("journal", "work")
    return {
        str(path.relative_to(hub.root)): path.read_bytes()
        for path in sorted(hub.root.rglob("*"))
        if path.is_file()
        and path.name != "lock"
        and path.relative_to(hub.root).parts[0] not in made
    }


def rule(hub: Hub) -> str:
    try:
        check_paid(hub)
    except HubError as met:
        return met.rule
    return ""


def test_an_old_hub_opens_and_is_upgraded_and_set_back(old: Hub) -> None:
    before, hashes = content(old), [e.hash for e in read_ledger(old).entries()]
    assert rule(old) == "ledger-old"
    done = upgrade(old)
    assert (done.charges, rule(old)) == (2, "")
    assert [e.hash for e in ledger(old).entries()] == hashes, "approvals know them by their hash"
    rules = policy(old)
    assert (rules.epsilon, rules.budget.epsilon, rules.max_people) == (4.0, 12.0, 1_000_000)
    assert old.settings.schema_version == "1.1"
    assert "# for now" in (old.root / "hub.yaml").read_text("utf-8"), "what a steward wrote stays"
    mapping = (old.root / "mappings" / "clinic.yaml").read_text("utf-8")
    assert mapping == MAPPING.replace('  split: ";"\n', '  split: ";"\n  aligned: true\n')
    assert done.changed == ("hub.yaml", "mappings/clinic.yaml", "policy.yaml")
    with pytest.raises(HubError, match="lacks nothing"):
        upgrade(old)
    spend(ledger(old), "third")
    (old.root / "hub.yaml").write_text("name: Another\n", "utf-8")
    undone = back(old)
    assert (undone.charges, undone.edited) == (3, ("hub.yaml",))
    after = content(old)
    assert {n for n in before | after if before.get(n) != after.get(n)} == {
        "hub.yaml", "ledger/head", "ledger/ledger.jsonl",
    }  # fmt: skip
    assert after["ledger/ledger.jsonl"].startswith(before["ledger/ledger.jsonl"])
    assert b"mac" not in after["ledger/ledger.jsonl"]
    with pytest.raises(HubError, match="no upgrade to undo"):
        back(old)
    assert upgrade(old).charges == 3


@pytest.mark.parametrize("finish", [True, False])
@pytest.mark.parametrize("undoing", [True, False])
def test_cut_off_anywhere_it_is_finished_or_undone(
    old: Hub, monkeypatch: pytest.MonkeyPatch, undoing: bool, finish: bool
) -> None:
    before, real = content(old), os.fsync
    for point in range(1, 60):
        if undoing:
            upgrade(old)
        calls = 0

        def cut(handle: int, point: int = point) -> None:
            nonlocal calls
            calls += 1
            if calls == point:
                raise InterruptedError
            real(handle)

        monkeypatch.setattr(os, "fsync", cut)
        with suppress(HubError, OSError):
            back(old) if undoing else upgrade(old)
        monkeypatch.setattr(os, "fsync", real)
        assert len(read_ledger(old).entries()) == 2, point
        if finish and rule(old):
            assert rule(old) == "ledger-old", point
            upgrade(old)
        if finish:
            assert rule(old) == "", point
        if (old.root / KEPT / "upgrade.json").exists():
            back(old)
        elif (old.root / KEPT).exists():  # nothing but copies, or nothing but what is left of them
            upgrade(old)
            back(old)
        assert content(old) == before, point
        if calls < point:
            return
    raise AssertionError("it never ended")


def test_an_upgrade_forgets_no_ledger(old: Hub) -> None:
    """Deleting what the new ledger lies in, and upgrading again, would be a new budget."""
    upgrade(old)
    for path in (old.ledger / "population.json", old.ledger / "ledger.jsonl", old.ledger / "head"):
        path.unlink()
    old.ledger_key.unlink()
    assert rule(old) == "ledger-gone"
    with pytest.raises(HubError, match="gone"):
        upgrade(old)


def test_what_was_sent_shows_that_there_was_a_ledger(old: Hub) -> None:
    """A copy in which all but the contributions was deleted would begin a new budget."""
    file = old.root / "contributions" / "clinic" / "2026-01-15" / "a.csv"
    file.parent.mkdir(parents=True)
    file.write_text("Case,Sex\n", "utf-8")
    for path in old.ledger.iterdir():
        path.unlink()
    assert rule(old) == "ledger-gone"
    with pytest.raises(HubError, match="gone"):
        upgrade(old)
    file.unlink()
    assert upgrade(old).charges == 0


def test_a_lost_person_key_is_not_made_anew(old: Hub) -> None:
    with pytest.raises(HubError, match="person key"):
        old.person_key()
    for path in old.ledger.iterdir():
        path.unlink()
    assert old.person_key() == old.person_key()
    assert (old.root / "keys" / "person.key").stat().st_size == 32


def test_no_setting_within_another_one_had_another_default() -> None:
    """Where an old file sets one of them, an upgrade does not write the others down."""
    today = Policy().model_dump()
    inner = {n: v for n, v in upgrading._POLICY.items() if isinstance(v, dict)}
    differ = {(n, k) for n, v in inner.items() for k in v if today[n][k] != v[k]}
    assert differ == {("budget", "epsilon")}, "an old budget had no setting but this one"
