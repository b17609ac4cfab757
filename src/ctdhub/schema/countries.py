"""Countries: ISO 3166-1 codes, their names in the offered languages, regions and unions.

Sources: ISO 3166-1 (pycountry), names of the Unicode CLDR (Babel), regions of the United Nations
M49 standard (``data/regions.yaml``, which says how TWN and ATA are handled).
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import pycountry
import yaml
from babel import Locale
from pydantic import field_validator, model_validator

from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import LANGUAGES

ALPHA3: tuple[str, ...] = tuple(sorted(c.alpha_3 for c in pycountry.countries))
"""The 249 alpha-3 codes of ISO 3166-1, sorted: the public domain of every country variable."""

ALPHA2_TO_ALPHA3: dict[str, str] = {c.alpha_2: c.alpha_3 for c in pycountry.countries}
ALPHA3_TO_ALPHA2: dict[str, str] = {b: a for a, b in ALPHA2_TO_ALPHA3.items()}

_NUMERIC: dict[str, str] = {c.alpha_3: c.numeric for c in pycountry.countries}

NO_REGION = "none"
"""Region and subregion of what lies outside every region of M49 (ATA, Antarctica)."""


class _Subregion(FrozenModel):
    region: str
    members: tuple[str, ...]

    @field_validator("members", mode="before")
    @classmethod
    def _split(cls, text: str) -> list[str]:
        return text.split()


class _Regions(FrozenModel):
    """The content of ``data/regions.yaml``, checked: every country is in one subregion."""

    subregions: dict[str, _Subregion]
    unions: dict[str, tuple[str, ...]]
    sets: dict[str, tuple[str, ...]]
    composites: dict[str, tuple[str, ...]]
    codes: dict[str, str]
    names: dict[str, dict[str, str]]

    @field_validator("unions", "sets", "composites", mode="before")
    @classmethod
    def _split(cls, unions: dict[str, str]) -> dict[str, list[str]]:
        return {key: text.split() for key, text in unions.items()}

    @model_validator(mode="after")
    def _check(self) -> _Regions:
        placed = [code for sub in self.subregions.values() for code in sub.members]
        if sorted([*placed, "ATA"]) != list(ALPHA3):
            raise ValueError("every country but ATA belongs to exactly one subregion")
        joined = (*self.unions.values(), *self.sets.values())
        if not {code for countries in joined for code in countries} <= set(ALPHA3):
            raise ValueError("a union or set has a member that is no country")
        if not {key for parts in self.composites.values() for key in parts} <= set(self.subregions):
            raise ValueError("a composite has a part that is no subregion")
        coded = {*self.regions, *self.subregions, *self.composites}
        if set(self.codes) != coded or len(set(self.codes.values())) != len(coded):
            raise ValueError("every region of M49 has one code of its own")
        keys = {*coded, *self.unions, *self.sets, NO_REGION}
        if set(self.names) != keys or any(set(n) != set(LANGUAGES) for n in self.names.values()):
            raise ValueError("every region, union and set has one name in each language")
        return self

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sub.region for sub in self.subregions.values()))


@cache
def _data() -> _Regions:
    text = (resources.files("ctdhub.schema") / "data" / "regions.yaml").read_text("utf-8")
    return _Regions.model_validate(yaml.safe_load(text))


@cache
def _subregion_of() -> dict[str, str]:
    placed = {c: key for key, sub in _data().subregions.items() for c in sub.members}
    return {code: placed.get(code, NO_REGION) for code in ALPHA3}


@cache
def _territories(lang: str) -> dict[str, str]:
    return dict(Locale.parse(lang).territories)


def name(alpha3: str, lang: str) -> str:
    """The country's name in a language, as the Unicode CLDR gives it.

    Args:
        alpha3: one of :data:`ALPHA3`.
        lang: a language that CLDR knows; the offered ones are ``ctdhub.core.i18n.LANGUAGES``.

    Raises:
        KeyError: no such country.

    >>> name("CIV", "en"), name("DEU", "es")
    ('Côte d’Ivoire', 'Alemania')
    """
    return _territories(lang)[ALPHA3_TO_ALPHA2[alpha3]]


def m49(alpha3: str) -> str:
    """The three-digit numeric code of the country (ISO 3166-1 numeric, UN M49).

    Raises:
        KeyError: no such country.

    >>> m49("AFG")
    '004'
    """
    return _NUMERIC[alpha3]


def subregion(alpha3: str) -> str:
    """Key of the UN M49 subregion, :data:`NO_REGION` for Antarctica.

    Raises:
        KeyError: no such country.

    >>> subregion("KHM")
    'south_eastern_asia'
    """
    return _subregion_of()[alpha3]


def region(alpha3: str) -> str:
    """Key of the UN M49 region, :data:`NO_REGION` for Antarctica.

    Raises:
        KeyError: no such country.

    >>> region("KHM"), region("ATA")
    ('asia', 'none')
    """
    key = subregion(alpha3)
    return NO_REGION if key == NO_REGION else _data().subregions[key].region


def regions() -> tuple[str, ...]:
    """Keys of the five regions, in the order of M49."""
    return _data().regions


def subregions(region_key: str | None = None) -> tuple[str, ...]:
    """Keys of the subregions, all or those of one region.

    >>> subregions("oceania")
    ('australia_and_new_zealand', 'melanesia', 'micronesia', 'polynesia')
    """
    found = _data().subregions.items()
    return tuple(key for key, sub in found if region_key in (None, sub.region))


def composites() -> tuple[str, ...]:
    """Keys of the M49 subregions that join several of :func:`subregions`."""
    return tuple(_data().composites)


def region_code(region_key: str) -> str:
    """The three-digit M49 code of a region, subregion or composite.

    Raises:
        KeyError: no such key; unions and sets have no code.

    >>> region_code("europe"), region_code("western_africa")
    ('150', '011')
    """
    return _data().codes[region_key]


def unions() -> tuple[str, ...]:
    """Keys of the unions of states: ``eu`` and ``council_of_europe``."""
    return tuple(_data().unions)


def place_sets() -> tuple[str, ...]:
    """Keys of the named sets of places, which are asked about together; none is a route.

    >>> place_sets()[0], members("western_balkans")
    ('central_mediterranean', ('ALB', 'BIH', 'MKD', 'MNE', 'SRB'))
    """
    return tuple(_data().sets)


@cache
def members(region_key: str) -> tuple[str, ...]:
    """Alpha-3 codes of a region, subregion, composite, union or set of places, sorted.

    Raises:
        KeyError: no such region, subregion, composite, union or set.

    >>> len(members("eu")), len(members("council_of_europe"))
    (27, 46)
    """
    joined = _data().unions | _data().sets
    if region_key in joined:
        return tuple(sorted(joined[region_key]))
    if region_key in _data().composites:
        parts = _data().composites[region_key]
        return tuple(c for c in ALPHA3 if subregion(c) in parts)
    if region_key not in _data().names:
        raise KeyError(region_key)
    return tuple(c for c in ALPHA3 if region_key in (region(c), subregion(c)))


def region_name(region_key: str, lang: str) -> str:
    """Name of a region, subregion, union or set in one of the offered languages.

    Raises:
        KeyError: no such key or language.

    >>> region_name("south_eastern_asia", "fr")
    'Asie du Sud-Est'
    """
    return _data().names[region_key][lang]
