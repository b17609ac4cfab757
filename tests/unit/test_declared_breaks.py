"""Breaks that contributors declare: checked, published, and said wherever figures cross them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from invented_release import protected_answer

import ctdhub
from ctdhub.core.errors import PolicyError
from ctdhub.core.i18n import LANGUAGES, language, said
from ctdhub.hub.folder import Agreement, read_settings
from ctdhub.release.bundle import write_release
from ctdhub.release.changes import changes
from ctdhub.release.open import Release, open_release
from ctdhub.report.wording import break_sentence
from ctdhub.site import api
from ctdhub.site.pages import trends as trends_page
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition import EVERYBODY, report
from ctdhub.stats.trend import DeclaredBreak, breaks_between, breaks_within

Run = Callable[..., tuple[int, str, str]]
OPERATOR = {"date": "2017-01-01", "kind": "operator", "note": "A new <b>operator</b>"}
FORM = {"date": "2018-05-01", "kind": "form", "variables": ["means", "gender"]}
HERE = "A break was declared here"


def contributor(id_: str, years: tuple[int, int], *breaks: dict[str, Any], name: str = "") -> Any:
    held = {"breaks": list(breaks)} if breaks else {}
    return {"id": id_, "name": name or id_, "kind": "hotline", "years": list(years), **held}


def opened(folder: Path, *contributors: Any) -> Release:
    answer = protected_answer(facts={"contributors": list(contributors)})
    return open_release(write_release(answer, folder / "releases", "2026.1", ""))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    one = contributor("one", (2015, 2019), OPERATOR, FORM)
    return opened(tmp_path_factory.mktemp("breaks"), one, contributor("two", (2015, 2019)))


def test_a_break_that_is_said_no_more_is_a_change(release: Release) -> None:
    before = release.facts
    assert not changes(before, before)
    one, two = before.contributors
    now = before.model_copy(
        update={"contributors": (one.model_copy(update={"breaks": one.breaks[:1]}), two)}
    )
    (text,) = map(said, changes(before, now))
    assert text.startswith("one: it is no longer said that figures from 2018-05-01 on")
    (text,) = map(said, changes(now, before))
    assert text.startswith("one: from 2018-05-01 on the figures are not comparable")


def test_a_break_that_is_worded_anew_still_stands(release: Release) -> None:
    one, two = release.facts.contributors
    form = one.breaks[1].model_copy(update={"note": "Form B"})
    one = one.model_copy(update={"breaks": (one.breaks[0], form)})
    now = release.facts.model_copy(update={"contributors": (one, two)})
    (text,) = map(said, changes(release.facts, now))
    assert text.startswith("one: from 2018-05-01 on the figures are not comparable")


def days(found: tuple[DeclaredBreak, ...]) -> list[str]:
    return [one.day for one in found]


@pytest.mark.parametrize(
    ("day", "series", "pairs"),
    [
        ("2015-01-01", False, ()),  # the first day of the first year: nothing lies before it
        ("2015-06-01", True, ((2015, 2016), (2015, 2019))),
        ("2017-01-01", True, ((2016, 2017), (2015, 2019))),
        ("2019-01-01", True, ((2018, 2019), (2015, 2019))),
        ("2019-12-31", True, ((2018, 2019), (2015, 2019))),
        ("2020-01-01", False, ()),  # after the contributor has left
    ],
)
def test_a_break_counts_where_figures_lie_before_and_after_it(
    tmp_path: Path, day: str, series: bool, pairs: tuple[tuple[int, int], ...]
) -> None:
    held = opened(tmp_path, contributor("one", (2015, 2019), {"date": day, "kind": "law"}))
    assert days(breaks_within(held, (), 2015, 2026)) == ([day] if series else [])
    every = [(a, b) for a in range(2015, 2020) for b in range(a + 1, 2020)]
    met = {pair for pair in every if breaks_between(held, (), *pair)}
    assert set(pairs) <= met
    if not pairs:
        assert not met
    if day == "2017-01-01":
        assert met == {(a, b) for a, b in every if a < 2017 <= b}


def test_a_contributor_of_one_of_the_years_breaks_no_comparison(tmp_path: Path) -> None:
    held = opened(
        tmp_path, contributor("gone", (2015, 2017), OPERATOR), contributor("two", (2015, 2019))
    )
    assert breaks_between(held, (), 2016, 2017)
    assert not breaks_between(held, (), 2016, 2018)


def test_a_form_concerns_its_variables_alone(release: Release) -> None:
    assert days(breaks_within(release, (), 2015, 2019)) == ["2017-01-01"]
    both = ["2017-01-01", "2018-05-01"]
    for name in ("gender", "means_debt_bondage", "any_means"):
        assert days(breaks_within(release, (name,), 2015, 2019)) == both
    assert days(breaks_within(release, ("citizenship",), 2015, 2019)) == ["2017-01-01"]
    assert days(breaks_within(release, None, 2015, 2019)) == both


def test_two_contributors_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """A service under two operators is two contributors; a break listed twice is said once."""
    name = "Helpline (fictitious)"
    held = opened(
        tmp_path,
        contributor("old", (2015, 2016), name=name),
        contributor("new", (2017, 2019), FORM, FORM, name=name),
    )
    found = report(Answers(held), EVERYBODY, (2016, 2017))
    assert found is not None
    (split,) = found.splits
    names = {name for part in split.parts for name in part.names}
    assert names == {f"{name} (old)", f"{name} (new)"}
    assert len(breaks_within(held, None, 2015, 2019)) == 1


def test_the_verb_says_it_in_every_form(ctdhub: Run, release: Release) -> None:
    years = ("--from", 2016, "--to", 2018)
    _code, text, _err = ctdhub("trends", release.path, *years)
    assert " ".join(text.split()).count(HERE) == 2  # under the series, and in the change
    assert "Part of the change may be due to a declared break." in text
    _code, text, _err = ctdhub("trends", release.path, "--from", 2017, "--to", 2018)
    assert HERE not in text
    _code, text, _err = ctdhub("trends", release.path, *years, "--format", "json")
    data = json.loads(text)
    assert [b["date"] for b in data["breaks"]] == ["2017-01-01"]
    assert [[b["kind"] for b in s["breaks"]] for s in data["yearly"]] == [["operator"], []]
    _code, text, _err = ctdhub("trends", release.path, *years, "--format", "csv")
    rows = [r for r in csv.DictReader(io.StringIO(text)) if r["row"] == "break"]
    assert [(r["to"], r["contributors"], r["state"]) for r in rows] == [
        ("2017-01-01", "one", "operator")
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("facts",),
        ("tables", "--for", "greta", "--years", "2016-2018"),
        ("brief", "--country", "POL", "--format", "html", "--out", "brief.html"),
    ],
)
def test_facts_tables_and_briefs_say_it(
    ctdhub: Run, release: Release, tmp_path: Path, words: tuple[str, ...]
) -> None:
    words = tuple(str(tmp_path / word) if word == "brief.html" else word for word in words)
    code, text, _err = ctdhub(words[0], release.path, *words[1:])
    assert code == 0
    if words[0] == "brief":
        text = Path(words[-1]).read_text("utf-8")
    assert HERE in " ".join(text.split())


def test_the_page_marks_the_year(release: Release) -> None:
    for code in LANGUAGES:
        with language(code):
            page = next(trends_page.pages(Answers(release)))
            text = render(page, release, LANGUAGES)
        total = text[text.index('<figure id="trends-total"') :]
        total = total[: total.index("</figure>")]
        assert 'class="turn"' in total
        assert "A new &lt;b&gt;operator&lt;/b&gt;" in text
        assert "<b>operator" not in text
        if code == "en":
            assert HERE in total


def test_programs_read_it(release: Release, tmp_path: Path) -> None:
    api.write_api(Answers(release), tmp_path, LANGUAGES)
    index = json.loads((tmp_path / "api" / "index.json").read_text("utf-8"))
    jsonschema.validate(index, json.loads(api.schema("index")))
    held = {c["name"]: c.get("breaks") for c in index["contributors"]}
    assert held["two"] is None
    assert [b["date"] for b in held["one"]] == ["2017-01-01", "2018-05-01"]
    assert "variables" not in held["one"][0]
    assert held["one"][1]["variables"] == ["means", "gender"]
    found = ctdhub.open_release(release.path).breaks
    assert [(b.name, b.day) for b in found] == [("one", "2017-01-01"), ("one", "2018-05-01")]


def test_every_language_has_a_sentence() -> None:
    told = set()
    for code in LANGUAGES:
        with language(code):
            for names in ((), ("means", "gender", "of_another_schema")):
                told.add(break_sentence(DeclaredBreak("2017-01-01", "One", "form", names)))
    assert len(told) == 2 * len(LANGUAGES)
    assert not any("{" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"date": "2023-01-01", "kind": "law"}, "outside the years"),
        ({"date": "2017-01-01", "variables": ["shoe_size"]}, "does not have"),
        ({"date": "2017-02-30"}, "wrong kind"),
        ({"date": "2017-01-01", "kind": "mood"}, "wrong kind"),
    ],
)
def test_an_agreement_declares_what_can_be(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    text = Path("src/ctdhub/practice/contributors/beacon-hotline.yaml").read_text("utf-8")
    path = tmp_path / "beacon-hotline.yaml"
    given = {**yaml.safe_load(text), "breaks": [change]}
    path.write_text(yaml.safe_dump(given), "utf-8")
    with pytest.raises(PolicyError) as caught:
        read_settings(path, Agreement)
    assert said in str(caught.value)
    good = {"date": "2017-01-01", "kind": "form", "variables": ["gender", "means"]}
    path.write_text(yaml.safe_dump({**given, "breaks": [good]}), "utf-8")
    (found,) = read_settings(path, Agreement).breaks
    assert found.as_facts()["variables"] == ["gender", "means"]
