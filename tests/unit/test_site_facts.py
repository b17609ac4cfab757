"""The page of facts: every region that has something shown, its sentences, cards and files."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest
from invented_release import protected_answer
from trap_one import trap_one

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.facts import as_data, as_markdown, place_sheet
from ctdhub.schema import countries
from ctdhub.site.build import build_site
from ctdhub.site.frame import address
from ctdhub.site.pages import facts as facts_page
from ctdhub.site.pages.facts import sheet_keys
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.tables import place_facts

PAGE = "facts/eastern-europe.html"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    answer = protected_answer(facts={"languages": list(LANGUAGES)})
    folder = tmp_path_factory.mktemp("hub") / "releases"
    return open_release(write_release(answer, folder, "2026.1", "First."))


@pytest.fixture(scope="module")
def site(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "site"
    build_site(release, out, only=["facts", "home"])
    return out


def listed(text: str) -> set[str]:
    return {key.replace("-", "_") for key in re.findall(r'<li id="([a-z-]+)"', text)}


def test_every_region_with_people_is_there_and_no_other(release: Release, site: Path) -> None:
    text = (site / address("en", "facts.html")).read_text("utf-8")
    answers = Answers(release)
    expected = set()
    for key in sheet_keys():
        facts = place_facts(answers, key)
        if facts.citizens.people.value is not None or facts.exploited.people.value is not None:
            expected.add(key)
    assert listed(text) == expected
    assert {"eu", "council_of_europe", "europe", "western_africa"} <= expected
    assert "melanesia" not in expected


@pytest.mark.parametrize("code", LANGUAGES)
def test_sentences_cards_and_files_are_those_of_the_release(
    release: Release, site: Path, code: str
) -> None:
    text = unescape((site / address(code, PAGE)).read_text("utf-8"))
    answers = Answers(release)
    with language(code):
        sheet = place_sheet(place_facts(answers, "eastern_europe"), release)
        told, text_of = as_data(sheet), as_markdown(sheet)
    for section in sheet.sections:
        assert " ".join(section.sentences) in text
        for line in section.lines:
            assert f'<th scope="row">{line.label}</th>' in text
    folder = site / "r" / "2026.1" / "facts"
    held = json.loads((folder / f"{code}.json").read_text("utf-8"))
    assert held["eastern-europe"] == json.loads(json.dumps(told))
    assert (folder / code / "eastern-europe.md").read_text("utf-8") == text_of
    assert held.keys() == {"all", *(path.stem for path in (folder / code).iterdir())}
    for file in (f"{code}.json", f"{code}/eastern-europe.md"):
        assert f'href="../../r/2026.1/facts/{file}" download' in text


def test_every_link_to_a_file_leads_somewhere(site: Path) -> None:
    folder = (site / address("fr", "facts.html")).parent
    files = [
        (page, file)
        for page in (folder / "facts.html", *folder.glob("facts/*.html"))
        for file in re.findall(
            r'href="((?:\.\./)+r/2026\.1/facts/[^"]+\.(?:json|md))"', page.read_text("utf-8")
        )
    ]
    assert len(files) > 20
    for page, file in files:
        target = (page.parent / file).resolve()
        assert target.is_file()
        if target.suffix == ".json":
            held = json.loads(target.read_text("utf-8"))
            assert {sheet["release"] for sheet in held.values()} == {"2026.1"}


def test_the_first_page_and_the_menu_lead_there(site: Path) -> None:
    text = (site / address("en")).read_text("utf-8")
    assert 'href="facts.html"' in text
    other = (site / address("en", "facts.html")).read_text("utf-8")
    assert 'href="facts/europe.html"' in other


def test_trap_one_on_the_page(tmp_path: Path) -> None:
    release = trap_one(tmp_path)
    with language("en"):
        text = render(next(facts_page.pages(Answers(release))), release, ("en",))
    said = re.findall(r"forced labour \((\d+)(?:\.0)?%", text)
    assert said
    assert set(said) == {"50"}
    other = re.findall(r'<th scope="row">Other exploitation</th><td class="n">([^<]*)</td>', text)
    assert {cell for cell in other if "%" in cell} == {"25.0%"}


def test_regions_are_in_the_order_of_their_continents() -> None:
    keys = sheet_keys()
    assert keys[:2] == ("eu", "council_of_europe")
    assert (
        len(keys)
        == len(set(keys))
        == 2 + 5 + 22 + len(countries.composites()) + len(countries.place_sets())
    )
    assert keys.index("africa") < keys.index("sub_saharan_africa") < keys.index("americas")
