"""Headline and region facts: right figures, right denominators, whole sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from invented_release import TABLES, people_rows, protected_answer

from ctdhub.core.i18n import language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.facts import press_sheet
from ctdhub.report.sentences import (
    corridor,
    headline_sentence,
    place_sentences,
    reach_sentence,
    whom,
)
from ctdhub.schema import countries
from ctdhub.schema.model import DESTINATION
from ctdhub.stats.answers import Answers
from ctdhub.stats.tables import headline, place_facts

EUROPE = set(countries.members("europe"))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("releases")
    return open_release(write_release(protected_answer(), folder, "2026.1", ""))


def test_headline_counts_people_and_says_at_least(release: Release) -> None:
    first = headline(Answers(release))
    assert (first.people.value, first.people.low, first.people.high) == (4000, 3992, 4008)
    assert (first.nationalities.value, first.countries.value) == (4, 4)
    assert first.contributors.value == 2
    with language("en"):
        assert "4,000 people" in headline_sentence(first)
        assert "between 3,992 and 4,008" in headline_sentence(first)
        assert reach_sentence(first).count("at least 4") == 2


def test_the_headline_claims_no_zero_and_says_the_second_interval(release: Release) -> None:
    first = headline(Answers(release))
    few = replace(first.people, value=None, low=0, high=30, state="protected")
    twice = replace(first.people, once=(3100, 4030))
    with language("en"):
        told = headline_sentence(replace(first, people=few))
        assert told == "Not shown: below the reporting threshold; this is not zero."
        told = headline_sentence(replace(first, people=twice))
        assert told.startswith("Between 3,100 and 4,030 people were identified")
        assert told.endswith("4,000 people are recorded, of whom up to 892 may be the same person "
                             "as another.")  # fmt: skip
        more = headline_sentence(replace(first, people=twice, even_more=True))
        assert more.endswith("this interval may not hold the number of people.")
        assert "was not estimated: there may be fewer people" in headline_sentence(first)


def test_all_years_count_people_without_a_year_and_say_so(release: Release) -> None:
    answers, note = Answers(release), "People whose year is not recorded are counted too."
    with language("en"):
        assert note in reach_sentence(headline(answers))
        assert note not in reach_sentence(headline(answers, (2016, 2017)))
        assert note in place_sentences(place_facts(answers, "europe"))[0]
        assert note not in place_sentences(place_facts(answers, "europe", (2016, 2017)))[0]
        assert note in press_sheet(answers).sections[0].sentences[0]
        assert note not in press_sheet(answers, years=(2016, 2017)).sections[0].sentences[0]


def test_only_releases_have_facts(release: Release) -> None:
    with pytest.raises(TypeError):
        Answers(release.protected)  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        place_facts(Answers(release), "atlantis")


@pytest.mark.parametrize("years", [None, (2016, 2017)])
def test_place_facts_are_those_of_the_records(
    release: Release, years: tuple[int, int] | None
) -> None:
    facts = place_facts(Answers(release), "europe", years)
    rows = [
        r
        for r in people_rows()
        if years is None or years[0] <= int(r["year_of_registration"] or 0) <= years[1]
    ]
    for side, variable in (
        (facts.citizens, "citizenship"),
        (facts.exploited, "country_of_exploitation"),
    ):
        inside = [r for r in rows if r[variable] in EUROPE]
        assert side.people.value == len(inside)
        if years is not None:
            assert side.women.state == "not_measured"
            continue
        known = [r for r in inside if r["gender"]]
        assert side.women.denominator == len(known)
        women = sum(r["gender"] == "female" for r in known) / len(known)
        assert side.women.value == pytest.approx(women)
        some = [r for r in inside if r["any_exploitation"]]
        for flag, share in side.exploitation:
            assert share.denominator == len(some)
            assert share.value == pytest.approx(sum(bool(r[flag]) for r in some) / len(some))
        assert [c.value for *_, c in side.corridors] == sorted(
            (c.value for *_, c in side.corridors), reverse=True
        )


def test_english_names_have_their_article_inside_a_sentence() -> None:
    """Not at the beginning of a label, and not in a language that says it otherwise."""
    with language("en"):
        assert corridor("USA", "NLD") == "United States to the Netherlands"
        assert corridor("USA", "USA") == "United States, inside the country"
        assert whom(DESTINATION, "COD").endswith("in the Democratic Republic of the Congo")
        assert whom(DESTINATION, "ITA").endswith("in Italy")
    with language("es"):
        assert corridor("MEX", "USA") == "México a Estados Unidos"


def test_corridors_lie_on_their_side(release: Release) -> None:
    facts = place_facts(Answers(release))
    assert all(origin in EUROPE for origin, _, _ in facts.citizens.corridors)
    assert all(place in EUROPE for _, place, _ in facts.exploited.corridors)
    assert facts.citizens.corridors[0][:2] == ("UKR", "POL")


def test_sentences_carry_their_intervals(release: Release) -> None:
    with language("en"):
        sentences = place_sentences(place_facts(Answers(release), "europe", (2015, 2019)))
    assert len(sentences) == 6
    assert sentences[0].startswith("Between 2015 and 2019, ")
    assert all("%" in s or "(between" in s for s in sentences)


def test_what_was_not_measured_is_not_said(tmp_path: Path) -> None:
    tables = [t for t in TABLES if "citizenship" not in t]
    release = open_release(write_release(protected_answer(tables=tables), tmp_path, "2026.1", ""))
    assert headline(Answers(release)).nationalities.state == "not_measured"
    assert (
        reach_sentence(headline(Answers(release)))
        == "People whose year is not recorded are counted too."
    )
    facts = place_facts(Answers(release))
    assert facts.citizens.people.state == "not_measured"
    with language("en"):
        assert not any("citizenship of a country" in s for s in place_sentences(facts))
