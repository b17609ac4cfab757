"""A place that somebody asks about, and what a country owes a person by citizenship."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from babel.lists import format_list

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.i18n import LANGUAGES, Text, current, joined
from ctdhub.schema import countries

# --------------------------------------------------------------------------------------------------
# A place that somebody asks about: a country, a region, a union, a named set, or a list.

Kind = Literal["country", "region", "union", "set", "list"]
CountryOf = Callable[[str], str | None]
"""The alpha-3 code that a text stands for, None where it stands for no country."""

_NEAR, _LONGEST = 3, 2000
_ALIASES = {"coe": "council_of_europe"}


@dataclass(frozen=True)
class Place:
    """Countries that are asked about together.

    Attributes:
        key: an alpha-3 code, a key of :func:`ctdhub.schema.countries.members`, or for a list such
            keys joined with "+".
        kind: what it is.
        members: alpha-3 codes, sorted.
        title: what a list is called; "" where its parts are its name.
    """

    key: str
    kind: Kind
    members: tuple[str, ...]
    title: str = ""

    def name(self, lang: str) -> str:
        """The place in words."""
        if self.title:
            return self.title
        if self.kind == "list":
            names = [place_of(part).name(lang) for part in self.key.split("+")]
            return str(format_list(names, locale=lang))
        named = countries.name if self.kind == "country" else countries.region_name
        return named(self.key, lang)


def place_of(key: str) -> Place:
    """The place with that key.

    Raises:
        KeyError: no such place.

    >>> place_of("CIV").kind, len(place_of("eu").members)
    ('country', 27)
    """
    if key in countries.ALPHA3:
        return Place(key, "country", (key,))
    if "+" in key:
        inside = {code for part in key.split("+") for code in place_of(part).members}
        return Place(key, "list", tuple(sorted(inside)))
    kind: Kind = "region"
    if key in countries.unions():
        kind = "union"
    elif key in countries.place_sets():
        kind = "set"
    return Place(key, kind, countries.members(key))


def find_place(text: str, country_of: CountryOf | None = None, title: str = "") -> Place:
    """The place that a text stands for: a name in any offered language, a code, or a list.

    Args:
        text: a region of UN M49 (name, key or three digits), "EU", "Council of Europe", a named
            set of places ("Western Balkans"), a country (name, ISO 3166 code), or several of these
            with commas between them.
        country_of: knows more names of countries than the schema does.
        title: what to call the place; its own name by default.

    Raises:
        QuestionError: nothing is called that; the error names what is spelt alike.

    >>> find_place("150").key, find_place("EU").key, find_place("civ,GIN, Mali").members
    ('europe', 'eu', ('CIV', 'GIN', 'MLI'))
    >>> find_place("ITA, Italy").kind, find_place("Europe, CIV").name("en")
    ('country', 'Europe and Côte d’Ivoire')
    """
    text = text.strip()[:_LONGEST]
    found = _one(text, country_of)
    if found is None:
        parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
        if len(parts) < 2:
            raise _unknown(text)
        found = _together([_known(part, country_of) for part in parts])
    title = printable(title.strip())
    return Place(found.key, "list" if title else found.kind, found.members, title)


def _together(places: Sequence[Place]) -> Place:
    """Places as one, each counted once; countries alone in the order of their codes."""
    keys = list(dict.fromkeys(place.key for place in places))
    if all(place.kind == "country" for place in places):
        keys.sort()
    return place_of("+".join(keys))


def _known(text: str, country_of: CountryOf | None) -> Place:
    found = _one(text, country_of)
    if found is None:
        raise _unknown(text)
    return found


def _one(text: str, country_of: CountryOf | None) -> Place | None:
    """The single place of that name or code."""
    key = _names().get(countries.fold_name(text))
    if key is None and country_of is not None:
        key = country_of(text)
    return None if key is None else place_of(key)


def _unknown(text: str) -> HubError:
    known = _names()
    alike = difflib.get_close_matches(countries.fold_name(text), list(known), n=6, cutoff=0.6)
    near = dict.fromkeys(place_of(known[name]).name(current()) for name in alike)
    if near:
        names = joined(list(near)[:_NEAR], Text("; "))
        return error("no-such-place/near", name=printable(text), names=names)
    return error("no-such-place", name=printable(text))


@cache
def _names() -> dict[str, str]:
    """Key of a place by each of its folded names; regions stand above countries."""
    found: dict[str, str] = {}
    for code in countries.ALPHA3:
        texts = [code, countries.ALPHA3_TO_ALPHA2[code], countries.m49(code)]
        texts += [countries.name(code, lang) for lang in LANGUAGES]
        found |= dict.fromkeys(map(countries.fold_name, texts), code)
    plain = (*countries.regions(), *countries.subregions(), *countries.composites())
    for key in (*plain, *countries.unions(), *countries.place_sets()):
        texts = [key, *(countries.region_name(key, lang) for lang in LANGUAGES)]
        if key in plain:
            texts.append(countries.region_code(key))
        found |= dict.fromkeys(map(countries.fold_name, texts), key)
    return found | _ALIASES


# --------------------------------------------------------------------------------------------------
# Whom the country of exploitation owes what: its nationals, citizens of the EU, everybody else.
#
# The groups are those by which the law of the European Union and the reports of its members tell
# victims apart (Directive 2011/36/EU; Eurostat, crim_thb).  The EU means its members of today
# (:func:`ctdhub.schema.countries.members`), for every year: a group then means one list of
# countries.

NATIONAL, OTHER_EU, THIRD_COUNTRY = "national", "other_eu", "third_country"
GROUPS = (NATIONAL, OTHER_EU, THIRD_COUNTRY)


def group_codes(citizenship: Sequence[str], country: Sequence[str]) -> npt.NDArray[np.uint16]:
    """The group of every pair of two public domains of countries, as codes.

    Returns:
        (1 + citizenships) x (1 + countries), "not recorded" first on both axes: 0 is "not
        recorded", k the k-th of :data:`GROUPS`.

    >>> group_codes(("FRA", "PHL"), ("FRA", "ITA")).tolist()
    [[0, 0, 0], [0, 1, 2], [0, 3, 3]]
    """
    origins, places = np.array(["", *citizenship]), np.array(["", *country])
    union = countries.members("eu")
    inside = np.isin(origins, union)[:, None] & np.isin(places, union)[None, :]
    codes = np.where(origins[:, None] == places[None, :], 1, np.where(inside, 2, 3))
    codes[0, :] = codes[:, 0] = 0
    return codes.astype(np.uint16)
