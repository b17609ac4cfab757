"""Countries: ISO 3166-1 codes, their names in the offered languages, regions and unions; a place
that somebody asks about.

Sources: ISO 3166-1 (pycountry), names of the Unicode CLDR (Babel), regions of the United Nations
M49 standard (``data/regions.yaml``, which says how TWN and ATA are handled).
"""

import difflib
import gettext
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pycountry
from babel import Locale
from babel.languages import get_official_languages
from babel.lists import format_list
from babel.localedata import exists
from pydantic import BeforeValidator

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import LANGUAGES, Text, current, joined, read_shipped

ALPHA3: tuple[str, ...] = tuple(sorted(c.alpha_3 for c in pycountry.countries))
"""The 249 alpha-3 codes of ISO 3166-1, sorted: the public domain of every country variable."""

ALPHA2_TO_ALPHA3: dict[str, str] = {c.alpha_2: c.alpha_3 for c in pycountry.countries}
ALPHA3_TO_ALPHA2: dict[str, str] = {b: a for a, b in ALPHA2_TO_ALPHA3.items()}

_NUMERIC: dict[str, str] = {c.alpha_3: c.numeric for c in pycountry.countries}

NO_REGION = "none"
"""Region and subregion of what lies outside every region of M49 (ATA, Antarctica)."""


_Words = Annotated[tuple[str, ...], BeforeValidator(str.split)]
"""Keys or codes with blanks between."""


class _Subregion(FrozenModel):
    region: str
    members: _Words


class _Regions(FrozenModel):
    """The content of ``data/regions.yaml``; every country but ATA is in one subregion."""

    subregions: dict[str, _Subregion]
    unions: dict[str, _Words]
    sets: dict[str, _Words]
    composites: dict[str, _Words]
    codes: dict[str, str]
    names: dict[str, dict[str, str]]
    inside: dict[str, str]


@cache
def _data() -> _Regions:
    file = resources.files("ctdhub.schema") / "data" / "regions.yaml"
    return _Regions.model_validate(read_shipped(file))


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
    return tuple(dict.fromkeys(sub.region for sub in _data().subregions.values()))


def subregions(region_key: str | None = None) -> tuple[str, ...]:
    """Keys of the subregions, all or those of one region.

    >>> subregions("oceania")
    ('australia_and_new_zealand', 'melanesia', 'micronesia', 'polynesia')
    """
    items = _data().subregions.items()
    return tuple(key for key, sub in items if region_key in (None, sub.region))


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


# --------------------------------------------------------------------------------------------------
# Any written form of a country to its ISO 3166-1 alpha-3 code, or an honest "unknown".
#
# Names come from CLDR (through Babel), ISO 3166 and its translations (through pycountry); aliases,
# lossy arrows and ambiguous texts from ``data/country_aliases.yaml``.

LONGEST = 80
"""Longer texts are no country names."""


@dataclass(frozen=True)
class Resolution:
    """What a text stands for.

    Attributes:
        alpha3: the code, None where the text is unknown or stands for several countries.
        nearest: for an unknown text the code whose name is spelt most alike, if any is close.
        lossy: the text names something that is counted under another country.
        several: the text stands for several countries, so it was not guessed.
    """

    alpha3: str | None = None
    nearest: str | None = None
    lossy: bool = False
    several: bool = False


@dataclass(frozen=True)
class _Table:
    codes: dict[str, str]
    lossy: frozenset[str]
    several: frozenset[str]
    dotted: frozenset[str]
    capitals: frozenset[str]
    named: frozenset[str]
    names: dict[str, str]


def fold_name(text: str) -> str:
    """The form in which country names are compared: letters and digits alone.

    Modifier letters (Unicode Lm) go too: the apostrophe U+02BC and the Arabic tatweel are such.

    >>> fold_name("Côte d’Ivoire") == fold_name("COTE D'IVOIRE")
    True
    >>> fold_name("الأُرْدُنّ") == fold_name("الاردن")
    True
    """
    marks_apart = unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold()
    same = marks_apart.translate(_SAME_LETTER)
    return "".join(c for c in same if c.isalnum() and unicodedata.category(c) != "Lm")


def sort_key(name: str) -> str:
    """The form of a name by which an index lists it: without accents and the Arabic article.

    "Germany" in Arabic begins with a hamza, so its first two letters are no article.

    >>> sort_key("Åland Islands"), sort_key("الأردن"), sort_key("ألمانيا")
    ('alandislands', 'اردن', 'المانيا')
    """
    return fold_name(re.sub(r"^ال(?=..)", "", name))


def by_name(codes: Iterable[str], lang: str) -> list[str]:
    """Alpha-3 codes in the order of the countries' names in a language.

    >>> by_name(["ARE", "ESP", "EGY"], "en"), by_name(["ARE", "ESP", "EGY"], "fr")
    (['EGY', 'ESP', 'ARE'], ['EGY', 'ARE', 'ESP'])

    Raises:
        KeyError: no such country.
    """
    return sorted(codes, key=lambda code: (sort_key(name(code, lang)), code))


_SAME_LETTER = str.maketrans({"ى": "ي", "ة": "ه", "ı": "i", "ø": "o", "ł": "l", "đ": "d"})
_ARTICLE = re.compile(r"^(?:(?:the|la|le|les|el|los|las)\s+|l['’ʼ`´]\s*)(?=\S{3})", re.IGNORECASE)


@lru_cache(maxsize=50_000)
def resolve(text: str) -> Resolution:
    """The country that a text stands for, or the nearest.  ``NA`` is always Namibia.

    Looking for the nearest takes milliseconds; :func:`look_up` leaves it out.

    >>> resolve("RDC").alpha3, resolve("NA").alpha3, resolve("384").alpha3
    ('COD', 'NAM', 'CIV')
    >>> resolve("Kosovo")
    Resolution(alpha3='SRB', nearest=None, lossy=True, several=False)
    >>> resolve("Yugoslavia").several, resolve("Moroco").nearest
    (True, 'MAR')
    """
    resolution = look_up(text)
    key = fold_name(text[: LONGEST + 1])
    if resolution.alpha3 or resolution.several or not 4 <= len(key) <= LONGEST or key.isdigit():
        return resolution
    names = _table().names
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.75)
    return replace(resolution, nearest=names[near[0]]) if near else resolution


@lru_cache(maxsize=50_000)
def look_up(text: str) -> Resolution:
    """The country that a text stands for, without a nearest one.

    A bare code is taken only as codes are written: letters alone (N/A is not Namibia), in capitals
    where the word means something else (``na``, ``no``, ``si``), a number with its three digits.

    >>> [look_up(text).alpha3 for text in ("NA", "na", "N/A", "n.a.", "012", "12", "U.K.")]
    ['NAM', None, None, None, 'DZA', None, 'GBR']
    """
    table = _table()
    text = text.strip()[: LONGEST + 1]
    if text.casefold() in table.dotted:
        return Resolution(several=True)
    for form in (text, _ARTICLE.sub("", text)):
        key = fold_name(form)
        if key in table.capitals and form != key.upper():
            return Resolution()
        if len(key) <= 3 and len(form) > len(key) and key.isascii() and key not in table.named:
            return Resolution()
        if key in table.several:
            return Resolution(several=True)
        if code := table.codes.get(key):
            return Resolution(alpha3=code, lossy=key in table.lossy)
    return Resolution()


@cache
def spellings() -> dict[str, tuple[str, ...]]:
    """Every known text of each country, folded (:func:`fold_name`), the longest first; texts of
    what is counted under another country are left out.

    >>> "moldavie" in spellings()["MDA"], "kosovo" in spellings()["SRB"]
    (True, False)
    """
    texts: dict[str, list[str]] = {}
    for key, code in _table().codes.items():
        if key not in _table().lossy:
            texts.setdefault(code, []).append(key)
    return {code: tuple(sorted(keys, key=lambda k: (-len(k), k))) for code, keys in texts.items()}


@cache
def own_names(alpha3: str) -> tuple[str, ...]:
    """Names of a country in its official languages.

    >>> own_names("DEU"), own_names("GRC")
    (('Deutschland',), ('Ελλάδα',))
    """
    alpha2 = ALPHA3_TO_ALPHA2[alpha3]
    codes = get_official_languages(alpha2, regional=False, de_facto=True)
    spoken = (Locale.parse(code) for code in codes if exists(code))
    return tuple(dict.fromkeys(filter(None, (one.territories.get(alpha2) for one in spoken))))


@cache
def counted_under() -> dict[str, tuple[str, ...]]:
    """Names, as written, of what is counted under a country whose own name they are no part of, by
    that country.

    >>> counted_under()["SRB"][0], "COG" in counted_under()
    ('Kosovo', False)
    """
    path = resources.files("ctdhub.schema") / "data" / "country_aliases.yaml"
    lossy = read_shipped(path, texts=True)["lossy"]
    names = Locale(LANGUAGES[0]).territories
    return {
        code: tuple(t for t in texts if len(t) > 3)
        for code, texts in lossy.items()
        if texts[0] not in names[ALPHA3_TO_ALPHA2[code]]
    }


@cache
def _table() -> _Table:
    """Every known text, checked: one folded text has one meaning.

    Raises:
        SchemaError: the sources give one text two meanings.
    """
    path = resources.files("ctdhub.schema") / "data" / "country_aliases.yaml"
    own = read_shipped(path, texts=True)
    several = {fold_name(t) for texts in own["several"].values() for t in texts}
    lossy = {fold_name(t) for texts in own["lossy"].values() for t in texts}
    codes: dict[str, str] = {}
    names: dict[str, str] = {}
    sure = ((text, code) for text, code in _published() if fold_name(text) not in several)
    for text, code in (*sure, *_listed(own["aliases"]), *_listed(own["lossy"])):
        key = fold_name(text)
        if code not in ALPHA3 or not key or codes.setdefault(key, code) != code or key in several:
            raise error("country-names", file="country_aliases.yaml", text=text)
        if len(key) > 3 and not key.isdigit():
            names[key] = code
    _add_loose_forms(codes, several)
    dotted = {t.casefold() for texts in own["dotted"].values() for t in texts}
    return _Table(
        codes,
        frozenset(lossy),
        frozenset(several),
        frozenset(dotted),
        frozenset(own["capitals"]),
        frozenset(fold_name(text) for text, _code in _listed(own["aliases"])),
        names,
    )


def _listed(block: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    for code, texts in block.items():
        yield from ((text, code) for text in texts)


def _published() -> Iterator[tuple[str, str]]:
    """Codes and names that CLDR and ISO 3166 publish, in the schema's languages."""
    for lang in LANGUAGES:
        territories = Locale(lang).territories
        translate = gettext.translation(
            "iso3166-1", pycountry.LOCALES_DIR, languages=[lang], fallback=True
        ).gettext
        for country in pycountry.countries:
            code = country.alpha_3
            yield territories[country.alpha_2], code
            for kind in ("name", "common_name", "official_name"):
                if name := getattr(country, kind, None):
                    yield name, code
                    yield translate(name), code
    for country in pycountry.countries:
        yield from (
            (c, country.alpha_3) for c in (country.alpha_2, country.alpha_3, country.numeric)
        )


def _add_loose_forms(codes: dict[str, str], several: set[str]) -> None:
    """Forms that follow from a published name, where they leave no doubt.

    "Iran, Islamic Republic of" also stands as "Islamic Republic of Iran"; what stands in brackets
    or after a comma may be missing; "St." is "Saint".
    """
    loose: list[tuple[str, str]] = []
    for name, code in _published():
        forms = {re.sub(r"\s*[(（].*?[)）]", "", name), re.sub(r"\bSt\.", "Saint", name)}
        if name.count(",") == 1:
            first, last = name.split(",")
            forms |= {first, f"{last} {first}"}
        loose += ((form, code) for form in forms)
    for key, code in _certain(loose).items():
        if len(key) > 3 and key not in several:
            codes.setdefault(key, code)


def _certain(said: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The code of each folded text that stands for one alone."""
    meanings: dict[str, set[str]] = {}
    for text, code in said:
        meanings.setdefault(fold_name(text), set()).add(code)
    return {key: codes.pop() for key, codes in meanings.items() if len(codes) == 1}


# --------------------------------------------------------------------------------------------------
# Countries as files say them beyond the names that every mapping reads: adjectives ("Nigerian",
# "nigériane") and names in languages that ctdhub does not speak.
#
# For drafts alone, which write them into the map of a rule: a steward reads each.

LANGUAGES_BESIDE = (
    "pt", "it", "de", "nl", "ro", "sq", "tr", "ru", "uk", "pl", "hu", "cs", "bg", "sr", "hr", "el",
    "sv", "fi", "da", "lt", "lv", "et", "sk", "sl", "id", "vi", "th", "sw", "fa", "ur", "hi", "bn",
    "ne", "am", "zh", "ja", "ko",
)  # fmt: skip
"""Languages of contributors' files whose names of countries CLDR has."""


def country_said(text: str) -> str | None:
    """The alpha-3 code of an adjective or of a name in another language, None where unsure.

    >>> country_said("nigériane"), country_said("Nigerien"), country_said("Moçambique")
    ('NGA', 'NER', 'MOZ')
    >>> country_said("Dominican") is None
    True
    """
    key = fold_name(text)
    if len(key) < 4 or look_up(text).several:
        return None
    codes = {table[key] for table in (_adjectives(), _foreign_names()) if key in table}
    return codes.pop() if len(codes) == 1 else None


@cache
def _adjectives() -> dict[str, str]:
    path = resources.files("ctdhub.schema") / "data" / "demonyms.yaml"
    own = read_shipped(path, texts=True)
    stems = ((code, *said.partition("/")) for code, words in own.items() for said in words)
    return _certain(
        (stem + ending, code)
        for code, stem, _mark, endings in stems
        for ending in endings.split("/")
    )


@cache
def _foreign_names() -> dict[str, str]:
    alpha3 = {country.alpha_2: country.alpha_3 for country in pycountry.countries}
    for code in Locale("en").territories.keys() - alpha3:  # Kosovo, as the tables of names have it
        if code.isalpha() and (iso3 := look_up(Locale("en").territories[code]).alpha3):
            alpha3[code] = iso3
    names = (Locale(language).territories.items() for language in LANGUAGES_BESIDE)
    return _certain((name, alpha3[code]) for each in names for code, name in each if code in alpha3)


# --------------------------------------------------------------------------------------------------
# A place that somebody asks about, and what a country owes a person by citizenship.


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
        named = name if self.kind == "country" else region_name
        return named(self.key, lang)

    def inside(self, lang: str) -> str:
        """The place inside a sentence, where English has an article before some names.

        >>> place_of("USA").inside("en"), place_of("USA").inside("fr")
        ('the United States', 'États-Unis')
        """
        return (lang == "en" and _data().inside.get(self.key)) or self.name(lang)


def place_of(key: str) -> Place:
    """The place with that key.

    Raises:
        KeyError: no such place.

    >>> place_of("CIV").kind, len(place_of("eu").members)
    ('country', 27)
    """
    if key in ALPHA3:
        return Place(key, "country", (key,))
    if "+" in key:
        inside = {code for part in key.split("+") for code in place_of(part).members}
        return Place(key, "list", tuple(sorted(inside)))
    kind: Kind = "region"
    if key in unions():
        kind = "union"
    elif key in place_sets():
        kind = "set"
    return Place(key, kind, members(key))


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
    place = _one(text, country_of)
    if place is None:
        parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
        if len(parts) < 2:
            raise _unknown(text)
        place = _together([_place(part, country_of) for part in parts])
    title = printable(title.strip())
    return Place(place.key, "list" if title else place.kind, place.members, title)


def _together(places: Sequence[Place]) -> Place:
    """Places as one, each counted once; countries alone in the order of their codes."""
    keys = list(dict.fromkeys(place.key for place in places))
    if all(place.kind == "country" for place in places):
        keys.sort()
    return place_of("+".join(keys))


def _place(text: str, country_of: CountryOf | None) -> Place:
    place = _one(text, country_of)
    if place is None:
        raise _unknown(text)
    return place


def _one(text: str, country_of: CountryOf | None) -> Place | None:
    """The single place of that name or code."""
    key = _names().get(fold_name(text))
    if key is None and country_of is not None:
        key = country_of(text)
    return None if key is None else place_of(key)


def _unknown(text: str) -> HubError:
    known = _names()
    alike = difflib.get_close_matches(fold_name(text), list(known), n=6, cutoff=0.6)
    near = dict.fromkeys(place_of(known[name]).name(current()) for name in alike)
    if near:
        names = joined(list(near)[:_NEAR], Text("; "))
        return error("no-such-place/near", name=printable(text), names=names)
    return error("no-such-place", name=printable(text))


@cache
def _names() -> dict[str, str]:
    """Key of a place by each of its folded names; regions stand above countries."""
    keys: dict[str, str] = {}
    for code in ALPHA3:
        texts = [code, ALPHA3_TO_ALPHA2[code], m49(code)]
        texts += [name(code, lang) for lang in LANGUAGES]
        keys |= dict.fromkeys(map(fold_name, texts), code)
    plain = (*regions(), *subregions(), *composites())
    for key in (*plain, *unions(), *place_sets()):
        texts = [key, *(region_name(key, lang) for lang in LANGUAGES)]
        if key in plain:
            texts.append(region_code(key))
        keys |= dict.fromkeys(map(fold_name, texts), key)
    return keys | _ALIASES


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
    union = members("eu")
    inside = np.isin(origins, union)[:, None] & np.isin(places, union)[None, :]
    codes = np.where(origins[:, None] == places[None, :], 1, np.where(inside, 2, 3))
    codes[0, :] = codes[:, 0] = 0
    return codes.astype(np.uint16)
