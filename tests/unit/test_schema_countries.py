"""Countries: every code has a number, names, one region; unions have their members."""

from __future__ import annotations

from collections import Counter

import pytest

from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema import countries


def test_codes_are_the_249_of_iso_3166() -> None:
    assert len(countries.ALPHA3) == len(set(countries.ALPHA3)) == 249
    assert "NAM" in countries.ALPHA3
    assert countries.ALPHA2_TO_ALPHA3["NA"] == "NAM"
    assert {countries.ALPHA3_TO_ALPHA2[c] for c in countries.ALPHA3} == set(
        countries.ALPHA2_TO_ALPHA3
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_are_there_and_distinct(lang: str) -> None:
    names = [countries.name(code, lang) for code in countries.ALPHA3]
    assert all(name.strip() for name in names)
    assert not [name for name, n in Counter(names).items() if n > 1]


def test_names_are_in_their_language() -> None:
    germany = {"en": "Germany", "fr": "Allemagne", "es": "Alemania", "ar": "ألمانيا"}
    assert {lang: countries.name("DEU", lang) for lang in germany} == germany
    arabic = [countries.name(code, "ar") for code in countries.ALPHA3]
    assert all(any("\u0600" <= c <= "\u06ff" for c in name) for name in arabic)


def test_numbers_are_three_digits_and_distinct() -> None:
    numbers = [countries.m49(code) for code in countries.ALPHA3]
    assert all(len(n) == 3 and n.isdecimal() for n in numbers)
    assert len(set(numbers)) == 249
    assert countries.m49("NAM") == "516"


def test_regions_share_the_world_out() -> None:
    assert countries.regions() == ("africa", "americas", "asia", "europe", "oceania")
    for keys in (countries.regions(), countries.subregions()):
        placed = [c for key in keys for c in countries.members(key)]
        assert sorted([*placed, "ATA"]) == list(countries.ALPHA3)
    for region in countries.regions():
        inside = [c for key in countries.subregions(region) for c in countries.members(key)]
        assert sorted(inside) == list(countries.members(region))


@pytest.mark.parametrize(
    ("code", "region", "subregion"),
    [
        ("CIV", "africa", "western_africa"),
        ("MEX", "americas", "central_america"),
        ("CYP", "asia", "western_asia"),
        ("TWN", "asia", "eastern_asia"),
        ("RUS", "europe", "eastern_europe"),
        ("SHN", "africa", "western_africa"),
        ("UMI", "oceania", "micronesia"),
        ("ATA", countries.NO_REGION, countries.NO_REGION),
    ],
)
def test_known_places(code: str, region: str, subregion: str) -> None:
    assert (countries.region(code), countries.subregion(code)) == (region, subregion)
    assert code in countries.members(region)
    assert code in countries.members(subregion)


def test_unions() -> None:
    eu, council = countries.members("eu"), countries.members("council_of_europe")
    assert (len(eu), len(council)) == (27, 46)
    assert set(eu) < set(council)
    assert not {"GBR", "CHE"} & set(eu)
    assert {"GBR", "TUR", "UKR"} <= set(council)
    assert not {"RUS", "BLR"} & set(council)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_region_names(lang: str) -> None:
    keys = (
        *countries.regions(),
        *countries.subregions(),
        *countries.unions(),
        countries.NO_REGION,
    )
    names = [countries.region_name(key, lang) for key in keys]
    assert all(names)
    assert len(set(names)) == len(keys)


def test_unknown_keys_are_refused() -> None:
    for call in (countries.m49, countries.region, countries.subregion, countries.members):
        with pytest.raises(KeyError):
            call("XXX")
    with pytest.raises(KeyError):
        countries.name("XXX", "en")
    with pytest.raises(KeyError):
        countries.region_name("europe", "de")


@pytest.mark.parametrize(
    ("lang", "names"),
    [
        ("en", ["Åland Islands", "Albania", "Côte d’Ivoire", "Cyprus", "Zambia"]),
        ("fr", ["Égypte", "Émirats arabes unis", "Espagne", "Îles Åland", "Italie"]),
        ("es", ["Alemania", "Bélgica", "Brasil", "Emiratos Árabes Unidos", "Suiza"]),
        ("ar", ["الأردن", "ألمانيا", "إيطاليا", "الصين", "مصر"]),
    ],
)
def test_an_index_is_in_the_order_of_a_dictionary(lang: str, names: list[str]) -> None:
    """Written down by hand: an accent or an Arabic article moves no name to another letter."""
    codes = {countries.name(code, lang): code for code in countries.ALPHA3}
    for start in range(len(names)):
        turned = [codes[name] for name in names[start:] + names[:start]]
        assert [countries.name(c, lang) for c in countries.by_name(turned, lang)] == names
