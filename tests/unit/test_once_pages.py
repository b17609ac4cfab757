"""Pages and files that compare groups take the second interval, or say that there is none."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from invented_release import OFTEN, counted_twice, people_rows, protected_answer
from jsonschema import Draft202012Validator

from ctdhub.cli.hub import show_figures
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.hub.folder import Hub
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release, verify
from ctdhub.report.brief.make import closing
from ctdhub.report.brief.sections import Notebook
from ctdhub.report.release_changes import text as message_text
from ctdhub.report.sentences import headline_of, once_printed, recorded_people
from ctdhub.site import explorer
from ctdhub.site.api import schema, write_api
from ctdhub.site.edition import PLAIN, Content, Edition
from ctdhub.site.pages import map, methods
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Query


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    hub = tmp_path_factory.mktemp("hub")
    (hub / "hub.yaml").touch()
    return counted_twice(hub / "releases")


def test_a_release_says_who_may_be_counted_twice(release: Release) -> None:
    assert verify(release.path) == []
    text = (release.path / "README.md").read_text("utf-8")
    assert "Compare groups by the second interval" in text
    once = release.manifest.people_once
    assert once is not None
    assert once.counted_twice is not None
    assert 40 < once.counted_twice < 120
    assert release.manifest.people.low - once.low == once.counted_twice


def test_pages_and_briefs_say_it(release: Release) -> None:
    page = methods.page(release)
    assert any("is at most" in line for line in page.values["twice"])
    answers = Answers(release)
    reading = str(closing(answers, Notebook()))
    assert "second interval, if everybody is counted once" in reading
    for row in map.page(answers).values["charts"][0]["rows"]:
        assert len(row.people.once) == 2


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_door_says_the_headline(release: Release, code: str, capfd: Any) -> None:
    """The closing words of a build, the message about a release and the first page say one
    sentence; the explorer shows the same interval and the same recorded people."""
    answers = Answers(release)
    people = answers.card(Query())
    with language(code):
        headline = headline_of(release)
        show_figures(Hub(release.path.parents[1]), release.version)
        assert " ".join(headline.split()) in " ".join(capfd.readouterr().out.split())
        assert headline in message_text(answers, ())
        shown = explorer.page(Content(answers, Edition())).values["total"]
        assert recorded_people(people) in shown
        assert all(end in shown for end in once_printed(people))


def test_programs_get_it(release: Release, tmp_path: Path) -> None:
    write_api(Answers(release), tmp_path, ["en"])
    index = json.loads((tmp_path / "api/index.json").read_text("utf-8"))
    faults = Draft202012Validator(json.loads(schema("index"))).iter_errors(index)
    assert [e.message for e in faults] == []
    with (tmp_path / "api/tables/citizenship.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file) if not row["by"]}
    lost = {of: int(row["low"]) - int(row["once_low"]) for of, row in rows.items() if of}
    assert lost[OFTEN] == max(lost.values()) > 2 * min(lost.values())


def test_cards_tables_and_the_largest_group_take_it(release: Release) -> None:
    answers, bare = Answers(release), protected_answer(people_rows(400))
    card = answers.card(Query({"gender": ["female"]}))
    assert card.once is not None
    assert card.once[0] < (card.low or 0) < (card.high or 0) < card.once[1] + 1
    assert card.ends == card.once
    table = answers.table(Query(by=("gender",)))
    assert all(row.share is None or row.share.once is not None for row in table.rows)
    assert bare.sources is None


def test_without_it_nothing_appears_and_that_is_said(tmp_path: Path) -> None:
    plain = open_release(
        write_release(protected_answer(people_rows(200)), tmp_path, "2026.1", "First.")
    )
    assert plain.link_errors is None
    card = Answers(plain).card(Query({"gender": ["female"]}))
    assert (card.once, card.ends) == (None, (card.low, card.high))
    assert "does not measure how many people" in methods.page(plain).values["twice"][0]
    assert "comparisons of groups do not allow for it" in str(closing(Answers(plain), Notebook()))
    shown = render(explorer.page(Content(Answers(plain), PLAIN)), plain, ["en"])
    assert shown.count("there may be fewer people than these numbers say") == 1 + 1, "beside, about"
    framed = explorer.card(Content(Answers(plain), PLAIN)).html()
    assert "there may be fewer people than these numbers say" in framed
