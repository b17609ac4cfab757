"""What approvers are shown and readers are told: a second release, a changed file, a cheat."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import PolicyError, ReleaseError
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, language
from ctdhub.dp.quote import up_to
from ctdhub.hub import pipeline
from ctdhub.hub.folder import Hub, read_journal
from ctdhub.hub.review import file_of, read_review
from ctdhub.hub.stages import publish as approve_stage
from ctdhub.release.approvals import Approvals
from ctdhub.release.changes import CHANGELOG, newest_changes
from ctdhub.release.open import verify
from tests.conftest import Once
from tests.fixtures.hubs import copied, make_real, set_languages, sign


def typed(verb: str, *words: str, input: str | None = None) -> str:
    """What the command prints."""
    return CliRunner().invoke(command(verb), [verb, *words], input=input).output


def another_delivery(hub: Hub, contributor: str, date: str) -> Path:
    """The contributor's file comes again under another date, one row shorter."""
    last = [c for c in hub.received() if c.contributor == contributor][-1].file
    target = hub.root / "contributions" / contributor / date / last.name
    target.parent.mkdir(parents=True)
    target.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[:-1]))
    return target


def first_column(mapping: Path) -> str:
    return next(iter(yaml.safe_load(mapping.read_text("utf-8"))["columns"]))


@pytest.fixture(scope="module")
def two(built: Hub, once: Once) -> Hub:
    """A real hub with a release and a second candidate, made after a delivery and a rewritten
    mapping; do not change it."""

    def make(folder: Path) -> None:
        hub = copied(built, folder)
        make_real(hub)
        set_languages(hub, *LANGUAGES)
        csv = next(c.contributor for c in hub.received() if c.file.suffix == ".csv")
        another_delivery(hub, csv, "2026-06-15")
        mapping = hub.mapping(csv)
        text = mapping.read_text("utf-8")
        rules = yaml.safe_load(text)
        del rules["columns"][first_column(mapping)], rules["tests"]
        mapping.write_text(yaml.safe_dump(rules, allow_unicode=True, sort_keys=False), "utf-8")
        pipeline.build(hub, pay=up_to(1000))

    return Hub(once("hub-of-two-deliveries", make))


@pytest.fixture
def second(two: Hub, tmp_path: Path) -> Hub:
    """A copy of it to change."""
    return copied(two, tmp_path / "hub")


def test_the_changelog_tells_of_the_delivery_in_four_languages_without_a_number_of_people(
    second: Hub,
) -> None:
    text = (approve_stage.waiting(second) / CHANGELOG).read_text("utf-8")
    for code in LANGUAGES:
        told = newest_changes(text, code)
        assert f"### {NATIVE_NAMES[code]}" in text
        assert "2026-06-15" in told
        numbers = set(re.findall(r"\d+", told.replace("2026-06-15", "")))
        assert not numbers, f"{code}: {told}"
    english = newest_changes(text, "en")
    assert "were added" in english
    assert "rewritten for" not in text, "what a row holds may force that"


def test_the_approver_sees_note_changes_and_rejects(second: Hub) -> None:
    candidate = approve_stage.waiting(second)
    with language("en"):
        shown = typed(
            "approve", str(second.root), "--role", "steward",
            "--key", str(second.practice_key("steward")), input="n\n",
        )  # fmt: skip
    flat = re.sub(r"[\s│]+", " ", shown)
    assert "What readers will see" in flat
    assert "2026-06-15" in flat
    assert "Rows that were not used" in flat
    assert "the rules that read its files were rewritten for" in flat
    found = read_review(second, candidate.name)
    assert found is not None
    assert any(rejected for rejected, _rows in found[0].rejected.values())
    assert found[1][:20] in shown.replace("\n", "")


def test_both_sign_the_review_and_it_stays_in_the_hub(second: Hub) -> None:
    candidate = approve_stage.waiting(second)
    sign(second, "steward")
    release = sign(second, "privacy_officer")
    assert release is not None
    statements = [a.statement for a in Approvals.read(release).approvals]
    seen = read_review(second, candidate.name)
    assert seen is not None
    assert {s.review for s in statements} == {seen[1]}
    assert {s.kind for s in statements} == {"ctdhub-approval-3"}
    assert verify(release, second.settings.approvers) == []
    assert not list(release.rglob("*review*"))
    assert file_of(second, release.name).stat().st_mode & 0o77 == 0


def test_a_review_that_is_changed_between_two_signatures_stops_the_second(second: Hub) -> None:
    candidate = approve_stage.waiting(second)
    sign(second, "steward")
    path = file_of(second, candidate.name)
    kept = path.read_bytes()
    content = json.loads(kept)
    content["files"][0]["rejected"] = 0
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ReleaseError) as met:
        sign(second, "privacy_officer")
    assert met.value.rule == "review"
    path.write_text("{}", "utf-8")
    with pytest.raises(ReleaseError) as met:
        sign(second, "privacy_officer")
    assert met.value.rule == "review"
    path.unlink()
    with pytest.raises(ReleaseError) as met:
        sign(second, "privacy_officer")
    assert met.value.rule == "review"
    path.write_bytes(kept)
    assert sign(second, "privacy_officer") == second.releases / candidate.name


def test_a_changed_changelog_breaks_the_signature(second: Hub) -> None:
    candidate = approve_stage.waiting(second)
    sign(second, "steward")
    text = candidate / CHANGELOG
    text.chmod(0o644)
    text.write_text(text.read_text("utf-8").replace("2026-06-15", "2026-06-16"), "utf-8")
    with pytest.raises(ReleaseError):
        sign(second, "privacy_officer")


def test_a_repeat_of_the_same_review_has_another_hash(second: Hub) -> None:
    """Readers who guess what a review says cannot test the guess by the published hash."""
    version = approve_stage.waiting(second).name
    first = read_review(second, version)
    shutil.rmtree(approve_stage.waiting(second))
    pipeline.build(second, pay=up_to(1000))
    again = read_review(second, version)
    assert first is not None
    assert again is not None
    assert first[0].files == again[0].files
    assert first[1] != again[1]


def test_an_agreement_that_ended_stops_the_build_and_reads_nothing(hub: Hub) -> None:
    lists = yaml.safe_load(hub.policy_file.read_text("utf-8"))["sources"]["lists"]
    who = next(c.contributor for c in hub.received() if c.contributor not in lists)
    path = hub.root / "contributors" / f"{who}.yaml"
    agreement = yaml.safe_load(path.read_text("utf-8"))
    path.write_text(yaml.safe_dump(agreement | {"ends": "2020-01-31"}, allow_unicode=True), "utf-8")
    with pytest.raises(PolicyError) as met:
        pipeline.build(hub)
    assert met.value.name == "agreement/ended"
    line = read_journal(hub)[-1]
    assert line.what == "build"
    assert line.outcome != "done"
    typed(
        "withdraw", str(hub.root), "--contributor", who, "--all", "--reason", "agreement",
        input="y\n",
    )  # fmt: skip
    pipeline.build(hub, until="link")
    path.write_text(yaml.safe_dump(agreement | {"ends": "2999-01-31"}, allow_unicode=True), "utf-8")
    assert hub.check_terms() == ()


def test_the_journal_tells_who_built_and_who_approved(second: Hub) -> None:
    sign(second, "steward")
    shown = typed("journal", str(second.root), "--json")
    lines = json.loads(shown)
    assert [line["what"] for line in lines][-2:] == ["build", "approve"]
    assert lines[-2]["details"]["charged"] > 0
    assert lines[-1]["details"]["role"] == "steward"
    assert all(line["outcome"] == "done" for line in lines[-2:])
    (second.root / "journal" / "2026.jsonl").open("a").write('{"cut sho')
    assert len(read_journal(second)) >= len(lines) - 1


def test_a_note_that_tells_of_withdrawals_is_warned_about(hub: Hub) -> None:
    make_real(hub)
    shown = typed(
        "release", str(hub.root), "--note", "one person withdrew", "--version", "2026.9",
        "--spend", "1000",
    )  # fmt: skip
    assert "people withdrew" in re.sub(r"\s+", " ", shown)
