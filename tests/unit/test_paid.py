"""Nothing is built, approved or published in a hub that holds what its ledger does not know."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.journeys.small_hub import new_hub

from ctdhub.core.errors import HubError
from ctdhub.core.files import state_folder
from ctdhub.dp.ledger.custody import POPULATION
from ctdhub.hub import pipeline
from ctdhub.hub.folder import Hub
from ctdhub.hub.paid import check_paid, ledger
from ctdhub.release.manifest import MANIFEST


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder that no test beside deletes or writes into."""
    monkeypatch.setenv("CTDHUB_STATE", str(tmp_path / "state"))


@pytest.mark.parametrize("place", ["releases", "candidates"])
def test_what_nobody_paid_for_stops_every_build(tmp_path: Path, place: str) -> None:
    """As where a release of another hub was laid into this one."""
    hub = new_hub(tmp_path / "hub")
    check_paid(hub)
    folder = hub.root / place / "2026.1"
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text('{"charge": "of-another-ledger"}', "utf-8")
    for refused in (check_paid, pipeline.build):
        with pytest.raises(HubError) as met:
            refused(hub)
        assert met.value.rule == "ledger-releases"


def rule(hub: Hub) -> str:
    with pytest.raises(HubError) as met:
        check_paid(hub)
    return met.value.rule


def without_population(hub: Hub) -> None:
    """As another version of the software left its ledger: lines alone, and no key of it."""
    for path in (hub.ledger / POPULATION, hub.ledger_key):
        path.unlink()
    shutil.rmtree(state_folder())


def test_a_hub_of_another_version_is_refused_and_keeps_its_lines(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    book = ledger(hub)
    with book.exclusive():
        book.charge("q", 0.01, 1.0, 1e-8, "first", budget=100.0)
    without_population(hub)
    lines = (hub.ledger / "ledger.jsonl").read_bytes()
    assert rule(hub) == "ledger-old"
    with pytest.raises(HubError):
        pipeline.build(hub)
    assert (hub.ledger / "ledger.jsonl").read_bytes() == lines


def test_what_was_sent_shows_that_there_was_a_ledger(tmp_path: Path) -> None:
    """A copy in which all but the contributions was deleted would begin a new budget."""
    hub = new_hub(tmp_path / "hub")
    without_population(hub)
    for path in hub.ledger.iterdir():
        path.unlink()
    assert rule(hub) == "ledger-old", "nothing shows that anything was charged"
    file = hub.root / "contributions" / "clinic" / "2026-01-15" / "a.csv"
    file.parent.mkdir(parents=True)
    file.write_text("Case,Sex\n", "utf-8")
    assert rule(hub) == "ledger-gone"


def test_a_lost_person_key_is_not_made_anew(tmp_path: Path) -> None:
    hub = new_hub(tmp_path / "hub")
    assert hub.person_key() == hub.person_key()
    with ledger(hub).exclusive():
        ledger(hub).charge("q", 0.01, 1.0, 1e-8, "first", budget=100.0)
    (hub.root / "keys" / "person.key").unlink()
    with pytest.raises(HubError, match="person key"):
        hub.person_key()
