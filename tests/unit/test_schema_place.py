"""Places are found by name, code and list; what is not a place is refused with what is near."""

from __future__ import annotations

import re

import messages
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctdhub.core.errors import QuestionError
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.report.brief.subjects import region as brief_region
from ctdhub.schema import countries
from ctdhub.schema.countries import find_place, place_of, resolve
from ctdhub.schema.model import load_schema
from ctdhub.stats.decomposition import ChangeSubject

KEYS = (
    *countries.regions(), *countries.subregions(), *countries.composites(), *countries.unions(),
    *countries.place_sets(),
)  # fmt: skip
UNCODED = {*countries.unions(), *countries.place_sets()}


@pytest.mark.parametrize("key", KEYS)
def test_a_region_is_found_by_each_of_its_names(key: str) -> None:
    texts = [key, *(countries.region_name(key, lang) for lang in LANGUAGES)]
    if key not in UNCODED:
        texts.append(countries.region_code(key))
    for text in texts:
        assert find_place(text) == find_place(text.upper()) == place_of(key)
    assert place_of(key).members == countries.members(key)


def test_codes_are_those_of_m49() -> None:
    known = {"150": "europe", "002": "africa", "011": "western_africa", "019": "americas",
             "202": "sub_saharan_africa", "419": "latin_america_and_the_caribbean"}  # fmt: skip
    assert {code: find_place(code).key for code in known} == known
    codes = [countries.region_code(key) for key in KEYS if key not in UNCODED]
    assert not {countries.m49(code) for code in countries.ALPHA3} & set(codes)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_country_is_found_by_name_and_code(lang: str) -> None:
    named = {find_place(name).key for name in map(countries.region_name, KEYS, [lang] * len(KEYS))}
    for code in countries.ALPHA3:
        for text in (code, countries.m49(code), countries.ALPHA3_TO_ALPHA2[code]):
            assert find_place(text).key == code
        assert find_place(countries.name(code, lang)).key in {code, *named}


def test_members_of_the_council_of_europe() -> None:
    council = find_place("Council of Europe").members
    assert len(council) == 46
    assert "RUS" not in council
    assert "BLR" not in council
    assert {"GBR", "TUR", "AZE", "UKR"} < set(council)
    assert find_place("CoE").members == council


def test_a_list_is_the_countries_it_names() -> None:
    found = find_place("CIV, Guinea,MLI")
    assert (found.kind, found.members) == ("list", ("CIV", "GIN", "MLI"))
    assert found.name("en") == "Côte d’Ivoire, Guinea, and Mali"
    assert found.name("fr") == "Côte d’Ivoire, Guinée et Mali"
    assert place_of(found.key) == found
    titled = find_place("CIV,GIN", title="Our programme")
    assert titled.name("ar") == "Our programme"
    assert find_place("Melanesia,FRA").members == (
        *sorted(["FRA", *countries.members("melanesia")]),
    )


def test_what_is_named_twice_counts_once() -> None:
    assert find_place("ITA, Italy;380") == place_of("ITA")
    assert find_place("Europe,150") == place_of("europe")
    wide = find_place("CIV,Europe,Italy")
    assert wide.members == tuple(sorted({"CIV", *countries.members("europe")}))


def test_a_list_with_regions_is_named_by_what_was_asked() -> None:
    found = find_place("Europe,CIV")
    assert found.name("en") == "Europe and Côte d’Ivoire"
    assert found.name("fr") == "Europe et Côte d’Ivoire"
    assert place_of(found.key) == found
    assert find_place("Europe,CIV", title="Our programme").name("fr") == "Our programme"


def test_more_names_of_countries_can_be_asked() -> None:
    with pytest.raises(QuestionError):
        find_place("Ivory Coast")
    assert find_place("Ivory Coast", lambda text: resolve(text).alpha3).key == "CIV"


def test_what_is_near_is_named() -> None:
    with language("en"), pytest.raises(QuestionError, match="Did you mean: Western Africa"):
        find_place("Western Afrika")
    with language("en"), pytest.raises(QuestionError, match="“Narnia”"):
        find_place("CIV,Narnia")


@given(st.text(max_size=40))
def test_any_text_is_a_place_or_a_question_error(text: str) -> None:
    try:
        found = find_place(text)
    except QuestionError:
        return
    assert found.members
    assert set(found.members) <= set(countries.ALPHA3)


ROUTE = {
    "en": r"\broutes?\b",
    "fr": r"\b(route|itinéraire)s?\b",
    "es": r"\brutas? (migratori|de (la )?trata)",
    "ar": r"\bطريق (الهجرة|العبور)",
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_set_of_places_is_called_places_and_never_a_route(lang: str) -> None:
    """Only the variable that a contributor records is a route."""
    with language(lang):
        for key in countries.place_sets():
            place = find_place(key)
            assert place.kind == "set"
            assert not re.search(ROUTE[lang], place.name(lang))
    assert load_schema().variable("route").on_request
    catalog = messages.template() if lang == "en" else messages.read(lang)
    texts = [m.id if lang == "en" else m.string for m in catalog if m.id]
    said = [one for text in texts for one in messages.as_tuple(text)]
    assert len(said) > 3_000
    assert [one for one in said if re.search(ROUTE[lang], one, re.I)] == []


def test_a_set_is_asked_like_a_region() -> None:
    assert find_place("Western Balkans").key == "western_balkans"
    joined = ("BFA", "CIV", "MLI", "MRT", "NER", "TCD")
    assert find_place("Countries of the Sahel, CIV").members == joined
    assert brief_region("horn of africa") == "horn_of_africa"
    assert ChangeSubject("citizenship", "mekong").where["citizenship"] == countries.members(
        "mekong"
    )
