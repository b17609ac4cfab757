"""A steward's builds: nothing twice, only what changed, every row accounted for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ctdhub import pipeline, stages, start
from ctdhub.errors import HubFolderError, LedgerTampered, MappingError, Overspend, PolicyError
from ctdhub.hub import Hub
from ctdhub.protect import Ledger
from ctdhub.release import open_release, verify
from ctdhub.steps import hash_folder
from tests.journeys.conftest import set_policy


def ran(done: list[pipeline.Done]) -> list[str]:
    return [d.step.rsplit(" ", 1)[0] for d in done if d.reason]


def test_a_second_build_does_nothing(hub: Hub) -> None:
    before = hash_folder(hub.root)
    assert ran(pipeline.build(hub)) == []
    assert hash_folder(hub.root) == before


def test_deleted_work_is_rebuilt_without_spending(hub: Hub) -> None:
    """work/ can be deleted and rebuilt; the same question costs nothing (laws 4 and trap 5)."""

    spent = len(Ledger(hub.ledger).entries())
    shutil.rmtree(hub.work)
    steps = ran(pipeline.build(hub))
    assert "protect" in steps
    assert "link" in steps
    assert len(Ledger(hub.ledger).entries()) == spent
    assert [p.name for p in hub.releases.iterdir()] == [stages.released_version(hub)]


def test_a_changed_mapping_reruns_only_what_depends_on_it(hub: Hub) -> None:
    mapping = hub.mapping("rivage-refuge")
    mapping.write_text(mapping.read_text("utf-8") + "\n# read again\n", "utf-8")
    planned = pipeline.build(hub, dry=True)
    assert planned[-1].step == "site"
    assert ran(pipeline.build(hub)) == ["harmonise rivage-refuge 2026-01-15", "link"]


def test_a_changed_story_draws_the_site_again_and_spends_nothing(hub: Hub) -> None:
    pages = hub.site / "r" / str(stages.released_version(hub)) / "en" / "stories"
    story = hub.stories / "a-corridor-is-not-a-cause.en.md"
    assert (pages / "a-corridor-is-not-a-cause.html").is_file()
    entries = len(Ledger(hub.ledger).entries())
    story.write_text(story.read_text("utf-8") + "\nOne line more.\n", "utf-8")
    assert ran(pipeline.build(hub)) == ["site"]
    assert "One line more." in (pages / "a-corridor-is-not-a-cause.html").read_text("utf-8")
    assert len(Ledger(hub.ledger).entries()) == entries


def test_a_changed_policy_makes_a_new_release_and_pays_for_it(hub: Hub) -> None:
    first = stages.released_version(hub)
    entries = len(Ledger(hub.ledger).entries())
    set_policy(hub, epsilon=3.0)
    assert ran(pipeline.build(hub)) == ["protect", "candidate", "release", "site"]
    assert len(Ledger(hub.ledger).entries()) == entries + 1
    second = stages.released_version(hub)
    assert second != first
    for version in (first, second):
        assert verify(hub.releases / str(version)) == []


def test_a_new_name_makes_a_new_release_without_paying(hub: Hub) -> None:
    entries = len(Ledger(hub.ledger).entries())
    settings = hub.root / "hub.yaml"
    settings.write_text(settings.read_text("utf-8").replace("Practice hub", "Practice hub 2"))
    assert "release" in ran(pipeline.build(hub))
    assert len(Ledger(hub.ledger).entries()) == entries


def test_changed_events_make_the_site_anew_and_nothing_else(hub: Hub) -> None:
    events, page = hub.root / "events.yaml", hub.site / "latest" / "en" / "events.html"
    assert page.is_file()
    events.write_text(events.read_text("utf-8").replace("kind: film", "kind: party"), "utf-8")
    with pytest.raises(PolicyError):
        pipeline.build(hub)
    assert page.is_file()
    events.unlink()
    assert ran(pipeline.build(hub)) == ["site"]
    assert not page.exists()


def test_conservation_is_reported_for_every_file(hub: Hub) -> None:
    reports = stages.reports(hub)
    assert len(reports) == 4
    for report in reports:
        c = report["conservation"]
        assert c["rows_read"] == c["records"] + c["rejected"] + sum(c["excluded"].values())
        assert c["rejected"] > 0


def test_rows_are_not_people_in_the_release(hub: Hub) -> None:
    protected = open_release(hub.releases / str(stages.released_version(hub))).protected
    assert protected.people.value == protected.records.num_rows
    assert protected.case_records.value > protected.people.value


def test_an_overspend_is_refused_and_the_last_release_stays(hub: Hub) -> None:

    set_policy(hub, epsilon=4.0, level=0.9, budget={"epsilon": 4.5})
    with pytest.raises(Overspend):
        pipeline.build(hub)
    assert verify(hub.releases / str(stages.released_version(hub))) == []


def test_two_builds_at_once(hub: Hub) -> None:
    with hub.lock(), pytest.raises(HubFolderError, match="Another build"):
        pipeline.build(hub)


def test_missing_parts_name_the_remedy(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(HubFolderError, match="it has no hub"):
        Hub(tmp_path)
    hub.mapping("rivage-refuge").unlink()
    with pytest.raises(MappingError, match="ctdhub suggest"):
        pipeline.build(hub)
    (hub.root / "policy.yaml").unlink()
    with pytest.raises(PolicyError):
        pipeline.build(hub)


def test_no_case_value_right_of_the_border(hub: Hub) -> None:
    """Law 2: keys, identifiers and file names of contributors are nowhere in release or site."""
    markers = [b"PRACTICE-", b"Practice person", hub.person_key(), b"link_token"]
    markers += [c.file.name.encode() for c in hub.contributions()]
    for folder in (hub.releases, hub.site):
        for path in folder.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert not any(m in content for m in markers), path


def test_a_forgotten_ledger_is_noticed(hub: Hub) -> None:

    shutil.rmtree(hub.ledger)
    set_policy(hub, epsilon=2.0)
    with pytest.raises(LedgerTampered, match="does not know the charge"):
        pipeline.build(hub)


def test_a_practice_hub_keeps_its_size(built: Hub) -> None:
    assert start.practice_hub(built.root).root == built.root
    assert start.practice_hub(built.root, people=1_000).root == built.root
    with pytest.raises(HubFolderError, match="another size"):
        start.practice_hub(built.root, people=2_000)
