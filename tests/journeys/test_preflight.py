"""What no build begins with: what is no file, settings that nest, stories with faults."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import HostileFile, HubError, MappingError, StoryError
from ctdhub.hub import pipeline, preflight
from tests.journeys import small_hub


def test_a_day_that_is_a_link_reads_nobody_elses_files(tmp_path: Path) -> None:
    """Else the private report of a contributor would count, exactly, the rows of another."""
    hub = small_hub.new_hub(tmp_path / "hub")
    for contributor in ("one", "two"):
        small_hub.join(hub, contributor)
    sent = small_hub.send(hub, "one", "2026-01-01", "1,2020,F,25,1,NGA")
    (hub.root / "contributions" / "two").mkdir()
    (hub.root / "contributions" / "two" / "2026-01-01").symlink_to(sent.parent)
    with pytest.raises(HostileFile) as caught:
        hub.received()
    assert (caught.value.rule, caught.value.file) == ("not-a-file", "2026-01-01")


@pytest.mark.parametrize("header", ["Consent", "RGPD", "الموافقة"])
def test_a_build_counts_nobody_before_it_is_decided_who_consented(
    tmp_path: Path, header: str
) -> None:
    hub = small_hub.new_hub(tmp_path / "hub")
    small_hub.join(hub, "one")
    rows = ("1,2020,F,25,1,NGA,yes", "2,2019,M,19,0,GHA,no")
    small_hub.send(hub, "one", "2026-01-01", *rows, header=f"{small_hub.HEADER},{header}")
    with pytest.raises(MappingError) as caught:
        small_hub.people(hub)
    assert (caught.value.rule, caught.value.file) == ("who-counts", "a.csv")
    rule = f"exclude: [{{rule: no-consent, unless: {{{header}: ['yes']}}}}]"
    old = "exclude: [{rule: no-consent, when: {sexual: [never]}}]"
    small_hub.join(hub, "one", small_hub.MAPPING.replace(old, rule))
    assert small_hub.people(hub) == [(2020, "female", "24-26", "yes", "NGA")]


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "loop"])
def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path: Path, kind: str) -> None:
    hub = small_hub.new_hub(tmp_path / "hub")
    small_hub.join(hub, "one")
    place = hub.root / "contributions" / "one" / "2026-01-01"
    place.mkdir(parents=True)
    sent = place / "a.csv"
    if kind == "pipe":
        os.mkfifo(sent)
    elif kind == "folder":
        sent.mkdir()
    else:
        sent.symlink_to("a.csv" if kind == "loop" else tmp_path)
    for act in (lambda: pipeline.build(hub), lambda: pipeline.build(hub, dry=True)):
        with pytest.raises(HostileFile) as caught:
            act()
        assert (caught.value.rule, caught.value.file) == ("not-a-file", "a.csv")


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("[x](javascript:alert(1))", "story-link"),
        ("![x](a.png)", "story-picture"),
        ("{{ people", "story-number"),
        ("[x](//other.example/a.html)", "story-link"),
    ],
)
def test_a_faulty_story_stops_before_anything_is_paid(tmp_path: Path, body: str, rule: str) -> None:
    hub = small_hub.new_hub(tmp_path / "hub")
    head = "---\ntitle: A story\nsummary: It says something\ndate: 2026-01-01\n---\n"
    story = hub.stories / "bad.en.md"
    story.write_text(head + "[x](methods.html#a) [y](https://example.org)\n", "utf-8")
    preflight.check_shown(hub)
    story.write_text(head + body + "\n", "utf-8")
    for verb in (preflight.check_shown, pipeline.build):
        with pytest.raises(StoryError) as caught:
            verb(hub)
        assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("hub.yaml", "name:", 'name: "Good\\u202e hub"', "line 1: name"),
        ("contributors/one.yaml", "name:", "name: =cmd|'<script>alert(1)</script>'", "line"),
        ("contributors/one.yaml", "name:", 'name: "a\\u0007b"', "line"),
        ("events.yaml", "", "", "url"),
    ],
)
def test_what_the_site_would_show_is_refused_before_anything_is_paid(
    tmp_path: Path, file: str, old: str, new: str, words: str
) -> None:
    hub = small_hub.new_hub(tmp_path / "hub")
    small_hub.join(hub, "one")
    small_hub.send(hub, "one", "2026-01-01", "1,2020,F,25,1,NGA")
    path = hub.root / file
    if old:
        lines = path.read_text("utf-8").splitlines()
        path.write_text("\n".join(new if x.startswith(old) else x for x in lines) + "\n", "utf-8")
    else:
        event = (
            "{id: a, title: A, kind: talk, place: P, start: 2026-01-01, url: 'javascript:alert(1)'}"
        )
        path.write_text(f"events: [{event}]\n", "utf-8")
    for verb in ("check", "build"):
        made = CliRunner().invoke(command(), [verb, str(hub.root)])
        assert isinstance(made.exception, HubError)
        assert made.exception.exit_code == 2
        assert words in made.exception.what
    assert not list(hub.releases.glob("*"))
    assert not list(hub.ledger.glob("ledger.jsonl"))


def test_nested_settings_are_refused(tmp_path: Path) -> None:
    hub, deep = small_hub.new_hub(tmp_path / "hub"), "[" * 500
    small_hub.join(hub, "one")
    (hub.root / "stories").mkdir(exist_ok=True)
    for file in (
        "hub.yaml", "policy.yaml", "contributors/one.yaml", "mappings/one.yaml", "helplines.yaml",
        "events.yaml", "stories/a.md",
    ):  # fmt: skip
        path = hub.root / file
        before = path.read_text("utf-8") if path.exists() else None
        path.write_text(f"---\na: {deep}\n---\nx" if file.endswith("md") else f"a: {deep}", "utf-8")
        told = CliRunner().invoke(command(), ["check", str(hub.root)])
        assert isinstance(told.exception, HubError | SystemExit), file
        assert "SECRET" not in told.output
        path.unlink() if before is None else path.write_text(before, "utf-8")
