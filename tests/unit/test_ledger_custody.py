"""A ledger that is rewritten, copied, put back, deleted or moved is refused and forgets nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ctdhub.core.errors import HubError, as_json, error, from_json
from ctdhub.core.files import state_folder
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.ledger import custody as adoption
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.custody import begin, new_population, open_custody
from ctdhub.dp.ledger.file import FIRST, Charge, LedgerFile
from ctdhub.dp.standalone.table import ledger_of_table

DELTA, BUDGET = 1e-8, 100.0


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that knows nothing yet."""
    monkeypatch.setenv("CTDHUB_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def hub(folder: Path) -> Ledger:
    """The ledger of a hub in a folder; it begins where there is none."""
    ledger, key = folder / "ledger", folder / "keys" / "ledger.key"
    custody = open_custody(ledger, folder, key)
    return Ledger(
        ledger, custody=custody or begin(ledger, folder, new_population("a hub", "hub"), key)
    )


def adopt(folder: Path) -> adoption.Adopted:
    return adoption.adopt(folder / "ledger", folder, folder / "keys" / "ledger.key")


def spend(ledger: Ledger, what: str = "release") -> Charge:
    with ledger.exclusive():
        return ledger.charge(what, rho_of(1, DELTA), 1.0, DELTA, what, budget=BUDGET)


def rule(folder: Path) -> str:
    """As which rule a charge in a folder is refused, "" where it is made."""
    try:
        spend(hub(folder))
    except HubError as met:
        return met.rule
    return ""


def spent(folder: Path) -> list[str]:
    return [e.what for e in hub(folder).entries()]


def rewritten(ledger: Ledger, number: int, **changes: object) -> None:
    """Change a line, and make all hashes and the head anew, as whoever may write the folder can."""
    lines, before = [], FIRST
    for entry in ledger.entries():
        new = replace(entry, **(changes if entry.number == number else {}))
        lines.append(replace(new, previous=before, hash="").sealed())
        before = lines[-1].hash
    LedgerFile(ledger.folder).replace(lines)


def test_a_line_that_was_rewritten_with_all_hashes_is_named(tmp_path: Path) -> None:
    ledger = hub(tmp_path / "H")
    for _time in range(3):
        spend(ledger)
    rewritten(ledger, 2, rho=1e-9)
    assert len(Ledger(ledger.folder).entries()) == 3, "its own hashes are right"
    with pytest.raises(HubError) as caught:
        ledger.entries()
    assert (caught.value.rule, caught.value.row) == ("ledger-chain", 2)
    with pytest.raises(HubError, match="line"):
        adopt(tmp_path / "H")


def test_a_line_that_was_rewritten_with_its_key_is_not_adopted(tmp_path: Path) -> None:
    """The key lies in the hub; what the witness knows of a charge does not."""
    ledger = hub(tmp_path / "H")
    for _time in range(2):
        spend(ledger)
    rewritten(ledger, 1, rho=1e-9)
    assert ledger.custody is not None
    lines = [ledger.custody.sealed(entry) for entry in Ledger(ledger.folder).entries()]
    LedgerFile(ledger.folder).replace(lines)
    assert rule(tmp_path / "H") == "ledger-behind"
    with pytest.raises(HubError) as caught:
        adopt(tmp_path / "H")
    assert (caught.value.rule, caught.value.row) == ("ledger-chain", 1)
    assert rule(tmp_path / "H") == "ledger-behind"


def test_a_copy_is_refused_until_it_is_adopted_and_then_the_other_one(tmp_path: Path) -> None:
    """Two copies that charge in turn: each charge of the other counts, and both lists are equal."""
    one, two = tmp_path / "H", tmp_path / "G"
    spend(hub(one))
    shutil.copytree(one, two)
    assert rule(two) == "ledger-copy"
    adopt(two)
    spend(hub(two), "in the copy")
    assert rule(one) == "ledger-copy"
    found = adopt(one)
    assert [e.what for e in found.counted] == ["in the copy"]
    assert spent(one) == spent(two) == ["release", "in the copy"]


def test_only_who_works_on_the_computer_reads_where_the_ledger_is_charged(tmp_path: Path) -> None:
    """What a desk shows comes as JSON: the name of the other folder, and no folder above it."""
    one, two = tmp_path / "H", tmp_path / "G"
    spend(hub(one))
    shutil.copytree(one, two)
    with pytest.raises(HubError) as caught:
        spend(hub(two))
    assert str(one) in str(caught.value)
    elsewhere = json.dumps(as_json(caught.value))
    assert str(tmp_path) not in elsewhere
    assert "the ledger is charged in H." in str(from_json(json.loads(elsewhere)))


def test_copies_that_went_different_ways_are_added_up(tmp_path: Path) -> None:
    """What another machine charged meanwhile is told anew behind what was charged here."""
    one, two = tmp_path / "H", tmp_path / "G"
    spend(hub(one))
    shutil.copytree(one, two)
    spend(hub(one), "here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CTDHUB_STATE", str(tmp_path / "other machine"))
        assert rule(two) == "ledger-unknown"
        assert not adopt(two).known
        spend(hub(two), "there")
    found = adopt(two)
    assert [e.what for e in found.counted] == ["here"]
    assert spent(two)[:2] == ["release", "there"]
    assert "counted when this one was adopted" in spent(two)[2]
    assert len({e.id for e in hub(two).entries()}) == 3
    spend(hub(two))
    assert rule(one) == "ledger-copy"


def test_an_older_state_is_refused_and_what_it_lacks_counts(tmp_path: Path) -> None:
    place = tmp_path / "H"
    spend(hub(place))
    shutil.copytree(place, tmp_path / "backup")
    spend(hub(place), "forgotten?")
    hashes = [e.hash for e in hub(place).entries()]
    shutil.rmtree(place)
    shutil.copytree(tmp_path / "backup", place)
    assert rule(place) == "ledger-behind"
    adopt(place)
    assert [e.hash for e in hub(place).entries()] == hashes, "approvals know them by their hash"
    assert rule(place) == ""


@pytest.mark.parametrize(
    "gone", ["ledger", "ledger/population.json", "ledger/ledger.jsonl", "both ledger/ledger.jsonl"]
)
def test_a_ledger_that_was_deleted_comes_back_from_the_witness(tmp_path: Path, gone: str) -> None:
    place = tmp_path / "H"
    spend(hub(place))
    path = place / gone.removeprefix("both ")
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if gone.endswith("jsonl"):
        assert rule(place) in ("ledger-chain", "ledger-behind")
        if gone.startswith("both"):
            (place / "ledger" / "head").unlink()
            assert rule(place) == "ledger-behind"
    adopt(place)
    assert spent(place) == ["release"]
    assert rule(place) == ""


def test_lines_that_this_machine_never_saw_do_not_come_back(tmp_path: Path) -> None:
    """A head of a line that was charged elsewhere: without the lines nobody knows what it was."""
    place = tmp_path / "H"
    spend(hub(place))
    (place / "ledger" / "head").write_text(f"2 {'ab' * 32}\n", "utf-8")
    (place / "ledger" / "ledger.jsonl").unlink()
    with pytest.raises(HubError, match="changed"):
        adopt(place)


@pytest.mark.parametrize("content", ["", "{}", '{"id": "00"}'])
def test_a_damaged_population_comes_back_from_the_witness(tmp_path: Path, content: str) -> None:
    place = tmp_path / "H"
    spend(hub(place))
    (place / "ledger" / "population.json").write_text(content)
    assert rule(place) == "ledger-key"
    adopt(place)
    assert spent(place) == ["release"]
    assert rule(place) == ""


def test_a_lost_key_comes_back_and_no_other_key_does(tmp_path: Path) -> None:
    place = tmp_path / "H"
    spend(hub(place))
    key = place / "keys" / "ledger.key"
    key.unlink()
    assert rule(place) == "ledger-key"
    adopt(place)
    assert rule(place) == ""
    key.write_text("00" * 32)
    assert rule(place) == "ledger-key"


def test_killed_between_the_ledger_and_the_witness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is ahead by one charge: it counts, and no adoption is needed."""
    ledger = hub(tmp_path / "H")
    spend(ledger)
    kept = ledger.custody and ledger.custody.witness.folder / "ledger.jsonl"
    assert kept
    before = kept.read_bytes()
    spend(ledger)
    kept.write_bytes(before)
    assert rule(tmp_path / "H") == ""
    assert len(spent(tmp_path / "H")) == len(kept.read_bytes().splitlines()) == 3


@pytest.mark.parametrize("point", range(1, 14))
def test_an_adoption_that_is_cut_off_ends_the_same_when_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    place = tmp_path / "H"
    spend(hub(place))
    shutil.copytree(place, tmp_path / "backup")
    for what in ("second", "third"):
        spend(hub(place), what)
    shutil.rmtree(place)
    shutil.copytree(tmp_path / "backup", place)
    calls, real = 0, os.fsync

    def cut(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == point:
            raise InterruptedError
        real(handle)

    monkeypatch.setattr(os, "fsync", cut)
    with suppress(HubError, OSError):
        adopt(place)
    monkeypatch.setattr(os, "fsync", real)
    if rule(place):
        adopt(place)
        spend(hub(place))
    assert spent(place) == ["release", "second", "third", "release"]


def test_a_state_folder_in_what_it_guards_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also through a link: a copy would take the witness along."""
    (tmp_path / "H" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "H" / "inner")
    monkeypatch.setenv("CTDHUB_STATE", str(tmp_path / "link"))
    assert rule(tmp_path / "H") == "state-folder"


def test_no_home_and_a_home_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CTDHUB_STATE", str(tmp_path / "file" / "state"))
    assert rule(tmp_path / "H") == "state-folder"
    monkeypatch.delenv("CTDHUB_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert state_folder() == tmp_path / "home" / ".local/state/ctdhub"
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    with pytest.raises(HubError, match="no home"):
        state_folder()


def test_a_hub_made_anew_in_the_same_folder_is_another_population(tmp_path: Path) -> None:
    place = tmp_path / "H"
    spend(hub(place))
    shutil.copytree(place, tmp_path / "backup")
    shutil.rmtree(place)
    spend(hub(place))
    assert spent(place) == ["release"]
    shutil.rmtree(place)
    shutil.copytree(tmp_path / "backup", place)
    assert rule(place) == "ledger-copy"


def test_no_other_ledger_takes_the_place_of_one_that_was_charged(tmp_path: Path) -> None:
    """A fresh ledger with its key, put into a folder that has spent, would have spent nothing."""
    place, other = tmp_path / "H", tmp_path / "other"
    spend(hub(place))
    hub(other)
    kept = tmp_path / "kept"
    shutil.copytree(place, kept)
    shutil.copytree(other, place, dirs_exist_ok=True)
    (place / "ledger" / "ledger.jsonl").unlink()
    (place / "ledger" / "head").unlink()
    with pytest.raises(HubError) as met:
        adopt(place)
    assert met.value.rule == "ledger-other"
    assert rule(other) == "", "and its own folder goes on"
    shutil.rmtree(place)
    shutil.copytree(kept, place)
    assert rule(place) == ""


def test_what_cannot_be_the_ledger_takes_no_lease(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    spend(hub(one))
    shutil.copytree(one, two)

    def refuse(lines: Sequence[Charge]) -> None:
        assert len(lines) == 1
        raise error("ledger-releases", file=two, version="2026.1")

    with pytest.raises(HubError, match="does not know the charge"):
        adoption.adopt(two / "ledger", two, two / "keys" / "ledger.key", refuse)
    assert (rule(two), rule(one)) == ("ledger-copy", "")


def test_a_lone_ledger_is_named_and_begins_once(tmp_path: Path) -> None:
    place = tmp_path / "ledger"

    def met(folder: Path | None, new: str = "") -> str:
        try:
            ledger_of_table(folder, new)
        except HubError as error:
            return error.rule
        return ""

    assert met(None) == met(place) == "ledger-unnamed"
    assert not place.exists()
    assert met(place, "women of two shelters") == met(place) == ""
    assert met(place, "women of two shelters") == "", "nothing was charged yet"
    assert met(place, "others") == "ledger-begun"
    spend(ledger_of_table(place))
    assert met(place, "women of two shelters") == "ledger-begun"
    told = json.loads((place / "population.json").read_text("utf-8"))
    assert (told["name"], told["purpose"]) == ("women of two shelters", "table")
    shutil.copytree(place, tmp_path / "copy")
    with pytest.raises(HubError, match="copy"):
        spend(ledger_of_table(tmp_path / "copy"))
    shutil.rmtree(place)
    assert met(place, "women of two shelters") == "ledger-gone"
    adoption.adopt(place, place)
    assert len(ledger_of_table(place).entries()) == 1


def test_a_lone_ledger_without_a_population_is_refused_and_keeps_its_lines(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    spend(ledger)
    for new in ("", "women of two shelters"):
        with pytest.raises(HubError, match="does not know the ledger"):
            ledger_of_table(tmp_path / "ledger", new)
    with pytest.raises(HubError, match="gone"):
        adoption.adopt(tmp_path / "ledger", tmp_path / "ledger")
    assert len(ledger.entries()) == 1


def test_a_ledger_with_a_population_is_never_charged_without_its_custody(tmp_path: Path) -> None:
    hub(tmp_path / "H")
    with pytest.raises(ValueError, match="custody"):
        spend(Ledger(tmp_path / "H" / "ledger"))
