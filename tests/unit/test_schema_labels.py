"""Every variable, code and group has a label and a definition in every offered language."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT
from ctdhub.schema import labels
from ctdhub.schema.codebook import codes
from ctdhub.schema.model import load_schema

SCHEMA = load_schema()
VARIABLES = SCHEMA.table("people") + SCHEMA.table("perpetrators")


def words(lang: str) -> dict[str, tuple[str, str]]:
    """All labels and definitions of a language, by what they are of."""
    found = {
        v.name: (labels.label(v.name, lang), labels.definition(v.name, lang)) for v in VARIABLES
    }
    for g in SCHEMA.groups:
        found[f"group {g}"] = (labels.group_label(g, lang), labels.group_definition(g, lang))
    for t in ("records", "people", "perpetrators"):
        found[f"table {t}"] = (labels.table_label(t, lang), labels.table_definition(t, lang))
    for v in VARIABLES:
        for code in codes(v):
            found[f"{v.name} {code}"] = (
                labels.code_label(v.name, code, lang),
                labels.code_definition(v.name, code, lang),
            )
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_has_words(lang: str) -> None:
    found = words(lang)
    assert len(found) == len(VARIABLES) + len(SCHEMA.groups) + 3 + sum(
        len(codes(v)) for v in VARIABLES
    )
    for key, (name, meaning) in found.items():
        assert name == name.strip(), key
        assert name, key
        assert len(name) <= 70, key
        assert len(meaning) > 5, key
        assert meaning.endswith("."), key
        assert "{" not in name + meaning, key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_labels_tell_things_apart(lang: str) -> None:
    names = [labels.label(v.name, lang) for v in VARIABLES]
    assert len(set(names)) == len(names)
    meanings = [labels.definition(v.name, lang) for v in VARIABLES]
    assert len(set(meanings)) == len(meanings)
    for v in VARIABLES:
        shown = [labels.code_label(v.name, code, lang) for code in codes(v)]
        assert len(set(shown)) == len(shown), v.name


@pytest.mark.parametrize("lang", LANGUAGES[1:])
def test_definitions_are_translated(lang: str) -> None:
    english, other = words("en"), words(lang)
    assert set(english) == set(other)
    assert not [key for key, (_, meaning) in other.items() if meaning == english[key][1]]
    # Numbers of a definition are facts: they survive translation, save the age in words in Arabic.
    for key, (_, meaning) in other.items():
        if lang not in RIGHT_TO_LEFT:
            pattern = re.compile(r"\d+")
            assert sorted(pattern.findall(meaning)) == sorted(pattern.findall(english[key][1])), key


@pytest.mark.parametrize("lang", sorted(RIGHT_TO_LEFT))
def test_arabic_is_written_in_arabic(lang: str) -> None:
    for key, (name, meaning) in words(lang).items():
        letters = [c for c in name + meaning if c.isalpha()]
        assert sum("\u0600" <= c <= "\u06ff" for c in letters) > len(letters) / 2, key


def test_words_speak_of_people() -> None:
    for _name, meaning in words("en").values():
        assert not re.search(r"\b(subjects?|he|she|his|her|victims?)\b", meaning), meaning


def test_every_meaning_has_a_source() -> None:
    for name in [*(v.name for v in VARIABLES), *SCHEMA.groups]:
        assert labels.source(name)
    assert "art. 3" in labels.source("means")
    assert "section F" in labels.source("labour_construction")
    with pytest.raises(KeyError):
        labels.source("nothing")


def test_years_and_countries_come_from_patterns() -> None:
    assert labels.code_label("year_of_registration", "2019", "ar") == "2019"
    assert "2019" in labels.code_definition("year_of_registration", "2019", "fr")
    assert labels.code_label("country_of_exploitation", "NAM", "es") == "Namibia"
    assert "NAM" in labels.code_definition("country_of_exploitation", "NAM", "es")


@pytest.mark.parametrize(
    ("variable", "code", "lang"),
    [
        ("nothing", "yes", "en"),
        ("gender", "woman", "en"),
        ("gender", "female", "de"),
        ("citizenship", "NA", "en"),
        ("citizenship", "each", "en"),
        ("year_of_registration", "19", "en"),
        ("reporting_entity", "each", "en"),
    ],
)
def test_unknown_keys_are_refused(variable: str, code: str, lang: str) -> None:
    with pytest.raises(KeyError):
        labels.code_label(variable, code, lang)
    with pytest.raises(KeyError):
        labels.code_definition(variable, code, lang)


@given(st.text(min_size=3).filter(lambda t: t not in SCHEMA.codes["gender"]))
def test_an_unknown_code_is_not_repeated_in_the_error(code: str) -> None:
    with pytest.raises(KeyError) as caught:
        labels.code_label("gender", code, "en")
    assert caught.value.args == ("variable 'gender' has no such code",)
