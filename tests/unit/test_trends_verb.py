"""The verb trends and what the page of trends says of it: the world, or the data?"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from invented_release import TABLES, protected_answer
from practice_releases import Practice
from tests.conftest import Once

from ctdhub.core.errors import QuestionError
from ctdhub.core.format import number
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release
from ctdhub.report.trends import csv_of
from ctdhub.site.edition import PLAIN, Content
from ctdhub.site.pages import trends as trends_page
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition import EVERYBODY, ChangeSubject, find_question, report
from ctdhub.stats.trend import covering

Run = Callable[..., tuple[int, str, str]]
BEACON = "Beacon Hotline (practice, fictitious)"
EVIL = "<script>alert(1)</script> & {change}"


@pytest.fixture(scope="module")
def practice(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    return Practice.made(once, tmp_path_factory.mktemp("practice"), 4000)


@pytest.fixture(scope="module")
def release(practice: Practice) -> Release:
    return practice.release(0)


@pytest.fixture
def trends(ctdhub: Run) -> Run:
    """Run the verb: exit code, what it printed, what it complained."""
    return partial(ctdhub, "trends")


def test_the_text_says_who_left(trends: Run, release: Release) -> None:
    code, out, _err = trends(release.path, "--from", 2021, "--to", 2023)
    assert code == 0
    assert f"because {BEACON} no longer reports." in out
    assert "best available indication of a real change" in out
    assert "under the one that registered that person first" in out
    assert not re.search(r"trafficking (rose|fell|increased|decreased|grew)", out)
    years = re.findall(r"^(\d{4})  ", out, re.MULTILINE)
    assert years == ["2021", "2022", "2023"]


@pytest.mark.parametrize(
    "of", ["", "gender=female", "exploitation_sexual", "citizenship=Europe", "any_exploitation=yes"]
)
def test_parts_of_the_json_add_up(trends: Run, release: Release, of: str) -> None:
    code, out, _err = trends(release.path, "--of", of, "--format", "json")
    assert code == 0
    data = json.loads(out)
    assert [(s["from"], s["to"]) for s in data["splits"]] == [(2024, 2025), (2020, 2025)]
    assert len(data["yearly"]) == 23
    for split in (*data["splits"], *data["yearly"]):
        assert sum(part["value"] for part in split["parts"]) == split["value"]
        assert len(split["sentences"]) == 1 + len(split["parts"])
        for part in (split, *split["parts"]):
            assert part["low"] <= part["value"] <= part["high"]
    (left,) = (p for p in data["splits"][1]["parts"] if p["kind"] == "left")
    assert left["contributors"] == [BEACON]
    assert data["panel"]["years"] == [2014, 2025]
    series = {row["year"]: row for row in data["series"]}
    assert series[2013]["same_contributors"] is None
    assert series[2022]["same_contributors"]["contributors"] == data["panel"]["contributors"]
    assert BEACON in series[2022]["reporting"]
    assert BEACON not in series[2023]["reporting"]


def test_a_split_adds_up_to_the_charts(release: Release) -> None:
    """All people, and people with one answer: the change is that of the numbers beside it."""
    answers, compared = Answers(release), 0
    europeans = ChangeSubject("citizenship", "europe")
    women, men = ChangeSubject("gender", "female"), ChangeSubject("gender", "male")
    for question in (EVERYBODY, women, men, europeans):
        found = report(answers, question)
        assert found is not None
        people = {row.codes[0]: row.people.value for row in found.rows}
        for split in (*found.splits, *found.yearly):
            before, after = people[str(split.earlier)], people[str(split.later)]
            if before is None or after is None:
                continue
            compared += 1
            assert split.value == round(after) - round(before)
            assert sum(part.value for part in split.parts) == split.value
        assert found.panel is not None
        for when, card in found.panel.years:
            if set(covering(release, when)) == set(found.panel.names):
                row = next(r for r in found.rows if r.codes[0] == str(when))
                assert (card.value, card.low, card.high) == (
                    row.people.value, row.people.low, row.people.high,
                )  # fmt: skip
    assert compared > 50


def test_the_csv_holds_the_same(trends: Run, release: Release) -> None:
    _code, text, _err = trends(release.path, "--format", "csv")
    _code, out, _err = trends(release.path, "--format", "json")
    rows, data = list(csv.DictReader(io.StringIO(text))), json.loads(out)
    parts = {(r["row"], r["from"], r["to"]): int(r["value"]) for r in rows if r["from"]}
    for split in (*data["splits"], *data["yearly"]):
        years = str(split["from"]), str(split["to"])
        assert parts["change", *years] == split["value"]
        for part in split["parts"]:
            assert parts[part["kind"], *years] == part["value"]
    counted = {r["to"]: r["value"] for r in rows if r["row"] == "all"}
    assert counted["2022"] == str(data["series"][20]["all"]["value"])
    assert len([r for r in rows if r["row"] == "same_contributors"]) == 12


def test_a_release_without_sources_says_what_cannot_be_split(trends: Run, tmp_path: Path) -> None:
    contributors = [
        {"id": "one", "name": "One", "kind": "hotline", "years": [2015, 2017]},
        {"id": "two", "name": "Two", "kind": "hotline", "years": [2015, 2019]},
    ]
    answer = protected_answer(facts={"contributors": contributors})
    folder = write_release(answer, tmp_path, "2026.1", "")
    code, out, _err = trends(folder, "--from", 2017, "--to", 2018)
    assert code == 0
    assert "cannot be split: the contributors of the two years differ (One and Two)" in out
    assert "so there is no series of the same contributors" in out
    code, out, _err = trends(folder, "--from", 2015, "--to", 2016)
    assert "cannot be split" not in out
    assert "The remaining change" in out


def test_contributors_that_are_counted_together_are_not_told_apart(
    practice: Practice, tmp_path: Path
) -> None:
    """Two contributors whose counts are not shown: one of them joined in 2014."""
    hidden = {"harbour-casework", "rivage-refuge"}
    named = [{**c, "show_counts": c["id"] not in hidden} for c in practice.facts["contributors"]]
    pooled = Practice(tmp_path, practice.people, {**practice.facts, "contributors": named})
    found = report(Answers(pooled.release(1)), EVERYBODY, (2013, 2015))
    assert found is not None
    (split,) = found.splits
    (together,) = split.of("undivided")
    assert len(together.names) == 2
    assert split.of("rest")
    assert split.value == sum(part.value for part in split.parts)


def test_those_counted_together_never_leave_or_join_under_a_name(
    practice: Practice, tmp_path: Path
) -> None:
    """In 2012 one of the two that are counted together begins, and the other has not yet."""
    hidden = {"beacon-hotline", "rivage-refuge"}
    named = [{**c, "show_counts": c["id"] not in hidden} for c in practice.facts["contributors"]]
    pooled = Practice(tmp_path, practice.people, {**practice.facts, "contributors": named})
    found = report(Answers(pooled.release(1)), EVERYBODY, (2010, 2012))
    assert found is not None
    (split,) = found.splits
    assert not split.of("left", "joined")
    assert split.of("undivided")
    assert split.value == sum(part.value for part in split.parts)


def test_a_name_that_begins_like_a_formula_is_harmless_in_a_table(
    practice: Practice, tmp_path: Path
) -> None:
    named = [
        {**c, "name": f"=HYPERLINK({i})"} for i, c in enumerate(practice.facts["contributors"])
    ]
    made = Practice(tmp_path, practice.people, {**practice.facts, "contributors": named})
    release = made.release(1)
    found = report(Answers(release), EVERYBODY, (2013, 2024))
    assert found is not None
    cells = [cell for row in csv.reader(io.StringIO(csv_of([found]))) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not any(cell.startswith("=") for cell in cells)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_speaks_every_language(
    trends: Run, release: Release, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setenv("CTDHUB_LANG", lang)
    code, out, _err = trends(release.path, "--of", "gender=female")
    assert code == 0
    assert BEACON in out
    assert "{" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--of", "shoe_size=44"], "no variable"),
        (["--of", "year_of_registration=2015"], "no variable"),
        (["--of", "gender=tall"], "female"),
        (["--of", "gender"], "no such value"),
        (["--of", "citizenship"], "citizenship=Europe"),
        (["--of", "citizenship=Atlantis"], "no region or country"),
        (["--from", "2024", "--to", "2021"], "cannot be compared"),
        (["--from", "2021", "--to", "2021"], "cannot be compared"),
        (["--from", "1999"], "2002"),
        (["--to", "2040"], "cannot be compared"),
    ],
)
def test_wrong_words_give_no_number(
    trends: Run, release: Release, words: list[str], said: str
) -> None:
    code, out, err = trends(release.path, *words)
    assert code == 2
    assert out == ""
    assert said in err


def test_people_who_were_not_counted_by_year(trends: Run, tmp_path: Path) -> None:
    tables = [t for t in TABLES if "year" not in t]
    folder = write_release(protected_answer(tables=tables), tmp_path, "2026.1", "")
    code, out, err = trends(folder)
    assert (code, out) == (2, "")
    assert "did not measure these people by year" in err


def shown(release: Release, code: str = "en") -> str:
    with language(code):
        pages = trends_page.pages(Answers(release))
        return "".join(render(page, release, LANGUAGES) for page in pages)


def figure(text: str, name: str) -> str:
    found = text[text.index(f'<figure id="{name}"') :]
    return found[: found.index("</figure>")]


def test_the_page_shows_both_series_and_the_split(release: Release) -> None:
    text = shown(release)
    part = figure(text, "trends-total")
    assert part.count('<svg x="') == 12  # years of the panel
    assert "The same contributors in every year, 2014 to 2025" in text
    assert "Did the world change or the data?" in part
    found = report(Answers(release), EVERYBODY)
    assert found is not None
    assert found.panel is not None
    for split in found.splits:
        for piece in (split, *split.parts):
            sign = "−" if piece.value < 0 else "+" if piece.value else ""
            assert f": {sign}{number(abs(piece.value))} (" in part
    head = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', part)
    assert "All people: same contributors" in head
    for year, card in found.panel.years:
        row = re.search(rf'<th scope="row">{year}</th>(.*?)</tr>', part)
        assert row is not None
        assert f"{number(card.value or 0)} ({number(card.low or 0)} to" in row[1]


def test_bars_start_at_zero_and_are_mirrored(release: Release) -> None:
    drawn: dict[str, list[tuple[float, ...]]] = {}
    for code in ("en", "ar"):
        part = figure(shown(release, code), "trends-total")
        bars = re.findall(
            r'<rect class="bar[^"]*" x="([\d.]+)%" y="3" width="([\d.]+)%" height="8"/>'
            r'<line class="zero" x1="([\d.]+)%"',
            part,
        )
        drawn[code] = [tuple(map(float, bar)) for bar in bars]
    assert drawn["en"]
    x, w, zero = drawn["en"][0]  # the whole change; each part begins where the one before it ended
    assert min(abs(x - zero), abs(x + w - zero)) < 0.02
    for (x, w, zero), (y, v, mirrored) in zip(drawn["en"], drawn["ar"], strict=True):
        assert w == v
        assert mirrored == pytest.approx(100 - zero, abs=0.02)
        assert y == pytest.approx(100 - x - w, abs=0.02)


def test_hostile_names_stay_text(practice: Practice, release: Release) -> None:
    contributors: list[dict[str, Any]] = [
        {**c, "name": EVIL} if c["id"] == "beacon-hotline" else c
        for c in practice.facts["contributors"]
    ]
    facts = {**practice.facts, "contributors": contributors}
    evil = replace(release, manifest=release.manifest.model_copy(update={"facts": facts}))
    text = shown(evil)
    assert "<script>alert" not in text
    assert "because &lt;script&gt;alert(1)&lt;/script&gt; &amp; {change} no longer reports" in text


def test_files_hold_every_change_of_a_chart(release: Release, tmp_path: Path) -> None:
    folder = tmp_path / "charts"
    with language("en"):
        trends_page.KIND.files(tmp_path, Content(Answers(release), PLAIN))
    data = json.loads((folder / "trends-gender-change.json").read_text("utf-8"))
    assert [d["of"]["value"] for d in data][:2] == ["female", "male"]
    text = (folder / "trends-gender-change.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {r["of"] for r in rows} >= {"gender=female", "gender=male"}
    women = next(d for d in data if d["of"]["value"] == "female")
    left = [r for r in rows if r["of"] == "gender=female" and r["row"] == "left"]
    parts = [str(p["value"]) for s in women["splits"] for p in s["parts"] if p["kind"] == "left"]
    assert [r["value"] for r in left][: len(parts)] == parts


def test_names_that_are_offered_are_taken(trends: Run, release: Release) -> None:
    with pytest.raises(QuestionError) as caught:
        find_question("nope", Answers(release))
    assert "year_of_registration" not in (caught.value.fix or "")
    with pytest.raises(QuestionError) as caught:
        find_question("citizenship", Answers(release))
    assert "“”" not in str(caught.value)
