"""The verb facts: right shares, whole cards, every form and language, honest silence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from invented_release import TABLES, people_rows, protected_answer
from signs_of_numbers import astray
from trap_one import SHARES, trap_one

from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.bundle import write_release
from ctdhub.schema import countries

CARD = {
    "id", "label", "years", "value", "low", "high", "level", "unit", "denominator", "missing",
    "state", "contributors", "caveat", "citation", "once",
}  # fmt: skip
EUROPE = set(countries.members("europe"))
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def facts(ctdhub: Run) -> Run:
    """Run the verb: exit code, what it printed, what it complained."""
    return partial(ctdhub, "facts")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("invented")
    return write_release(protected_answer(), folder, "2026.1", "")


@pytest.mark.parametrize("region", [None, "Europe", "UKR", "Poland", "PL,UA"])
def test_trap_one_in_every_region(facts: Run, tmp_path: Path, region: str | None) -> None:
    folder = trap_one(tmp_path).path
    words = () if region is None else ("--region", region)
    code, out, _err = facts(folder, "--format", "json", *words)
    assert code == 0
    seen = 0
    for section in json.loads(out)["sections"]:
        cards = {card["id"]: card for card in section["cards"]}
        if cards["people"]["state"] != "shown":
            continue
        seen += 1
        for flag, share in SHARES.items():
            assert cards[flag]["value"] == pytest.approx(share, abs=1e-9)
            assert cards[flag]["denominator"] == 4000
            assert cards[flag]["missing"] == pytest.approx(0.2, abs=1e-3)
        told = " ".join(section["sentences"])
        assert re.search(r"\b50(\.0)?%", told)
        assert not re.search(r"\b40(\.0)?%", told)
    assert seen


def test_json_cards_are_complete_and_right(facts: Run, release: Path) -> None:
    code, out, _err = facts(release, "--region", 150, "--format", "json")
    assert code == 0
    data = json.loads(out)
    assert data["place"]["key"] == "europe"
    assert set(data["place"]["countries"]) == EUROPE
    rows = people_rows()
    sections = {s["id"]: s for s in data["sections"]}
    for name, variable in (("citizens", "citizenship"), ("exploited", "country_of_exploitation")):
        cards = {card["id"]: card for card in sections[name]["cards"]}
        assert all(set(card) == CARD for card in cards.values())
        inside = [r for r in rows if r[variable] in EUROPE]
        known = [r for r in inside if r["gender"]]
        assert cards["people"]["value"] == len(inside)
        assert cards["women"]["denominator"] == len(known)
        assert cards["women"]["missing"] == pytest.approx(1 - len(known) / len(inside))
        assert cards["people"]["missing"] == pytest.approx(
            sum(not r[variable] for r in rows) / len(rows), abs=0.01
        )
        corridors = [c for c in cards.values() if c["id"].startswith("corridor:")]
        assert corridors
        assert all(c["citation"].startswith("Practice hub") for c in corridors)


def test_what_was_not_measured_is_said(facts: Run, release: Path) -> None:
    """The fictitious release has no gender by year and country, and corridors of all years only."""
    code, out, _err = facts(release, "--region", "Europe", "--years", "2016-2017")
    assert code == 0
    assert out.count("Share of women and girls: not measured in this release.") == 2
    assert out.count("Main types of exploitation: not measured in this release.") == 2
    assert out.count("The largest corridors, in people, over all years:") == 2
    assert "Between 2016 and 2017" in out
    _code, text, _err = facts(
        release, "--region", "Europe", "--years", "2016-2017", "--format", "json"
    )
    cards = {c["id"]: c for c in json.loads(text)["sections"][0]["cards"]}
    assert cards["women"]["state"] == "not_measured"
    assert cards["women"]["value"] is cards["women"]["low"] is None
    assert cards["people"]["years"] == [2016, 2017]
    assert cards["corridor:UKR-POL"]["years"] == [2015, 2019]
    _code, text, _err = facts(
        release, "--region", "Europe", "--years", "2016-2017", "--format", "markdown"
    )
    assert "| Ukraine to Poland, all years |" in text


def test_corridors_of_the_years_asked_for(facts: Run, tmp_path: Path) -> None:
    tables = (*TABLES, "year_of_registration*citizenship*country_of_exploitation")
    folder = write_release(protected_answer(tables=tables), tmp_path, "2026.1", "")
    _code, out, _err = facts(folder, "--region", "UKR", "--years", "2016-2017", "--format", "json")
    cards = {c["id"]: c for c in json.loads(out)["sections"][0]["cards"]}
    exact = sum(
        (r["citizenship"], r["country_of_exploitation"]) == ("UKR", "POL")
        and r["year_of_registration"] in ("2016", "2017")
        for r in people_rows()
    )
    assert cards["corridor:UKR-POL"]["value"] == exact
    assert cards["corridor:UKR-POL"]["years"] == [2016, 2017]


def test_a_place_nobody_is_shown_of(facts: Run, release: Path) -> None:
    code, out, _err = facts(release, "--region", "Melanesia")
    assert code == 0
    assert out.count("Not shown: below the reporting threshold; this is not zero.") == 2
    assert " 0 people" not in out


def test_without_a_region_the_whole_release(facts: Run, release: Path) -> None:
    code, out, _err = facts(release)
    assert code == 0
    assert "4,000 people were identified as victims" in out
    assert "at least 4 nationalities" in out
    _code, out, _err = facts(release, "--years", "2016")
    assert "human trafficking in 2016 (between" in out


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_every_form_in_every_language(
    facts: Run, release: Path, tmp_path: Path, lang: str, form: str
) -> None:
    file = tmp_path / "facts"
    words = ("--region", "Western Africa", "--lang", lang, "--format", form, "--out", file)
    assert facts(release, *words)[0] == 0
    text = file.read_text("utf-8")
    assert countries.region_name("western_africa", lang) in text
    assert "{" not in text if form != "json" else json.loads(text)["language"] == lang


def test_a_list_has_the_name_it_is_given(facts: Run, release: Path) -> None:
    words = ("--region", "CIV,UKR", "--name", "Our | programme", "--format", "markdown")
    code, out, _err = facts(release, *words)
    assert code == 0
    assert r"Our \| programme, as recorded countries of citizenship" in out
    assert r"Our \| programme: Côte d’Ivoire and Ukraine." in out


def test_a_region_in_a_list_is_not_spelt_out(facts: Run, release: Path) -> None:
    wide = facts(release, "--region", "Europe,CIV,ITA")[1]
    assert wide.startswith("Europe, Côte d’Ivoire, and Italy, 2015\u00a0–\u00a02019\n")
    assert "Albania" not in wide
    named = facts(release, "--region", "Europe,CIV", "--name", "Our programme")[1]
    assert "Our programme: Europe and Côte d’Ivoire." in named
    data = [
        json.loads(facts(release, "--region", region, "--format", "json")[1])
        for region in ("Europe,ITA", "Europe")
    ]
    first, second = ([c["value"] for s in d["sections"] for c in s["cards"]] for d in data)
    assert first == second


def test_a_country_named_twice_is_a_country(facts: Run, release: Path) -> None:
    once, twice = (facts(release, "--region", text)[1] for text in ("UKR", "UKR,Ukraine"))
    assert once == twice
    assert "as recorded country of citizenship" in twice


def test_the_title_has_the_comma_of_its_language(facts: Run, release: Path) -> None:
    text = facts(release, "--region", "CIV", "--lang", "ar")[1]
    title = text.splitlines()[0]
    assert "، " in title
    assert "," not in title
    assert "%" in text
    assert not astray(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--region", "Western Afrika"], "Western Africa"),
        (["--region", ""], "no region or country"),
        (["--years", "2014-2016"], "does not cover"),
        (["--years", "2018-2016"], "later than the last"),
        (["--years", "soon"], "not years"),
        (["--out", "absent/facts.md"], "What to do"),
    ],
)
def test_wrong_words_give_no_number(
    facts: Run, release: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    code, out, err = facts(release, *words)
    assert code == 2
    assert out == ""
    assert said in err


def test_no_release_is_an_error(facts: Run, tmp_path: Path) -> None:
    code, _out, err = facts(tmp_path)
    assert code == 2
    assert "no release" in err
