"""Any written form of a country to its ISO 3166-1 alpha-3 code, or an honest "unknown".

Names come from CLDR (through Babel), ISO 3166 and its translations (through pycountry); aliases,
lossy arrows and ambiguous texts from ``data/country_aliases.yaml``.
"""

from __future__ import annotations

import difflib
import gettext
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources

import pycountry
import yaml
from babel import Locale

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema.countries import ALPHA3, ALPHA3_TO_ALPHA2

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
    found = look_up(text)
    key = fold_name(text[: LONGEST + 1])
    if found.alpha3 or found.several or not 4 <= len(key) <= LONGEST or key.isdigit():
        return found
    names = _table().names
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.75)
    return replace(found, nearest=names[near[0]]) if near else found


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
    found: dict[str, list[str]] = {}
    for key, code in _table().codes.items():
        if key not in _table().lossy:
            found.setdefault(code, []).append(key)
    return {code: tuple(sorted(keys, key=lambda k: (-len(k), k))) for code, keys in found.items()}


@cache
def counted_under() -> dict[str, tuple[str, ...]]:
    """Names, as written, of what is counted under a country whose own name they are no part of, by
    that country.

    >>> counted_under()["SRB"][0], "COG" in counted_under()
    ('Kosovo', False)
    """
    path = resources.files("ctdhub.schema") / "data" / "country_aliases.yaml"
    lossy = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)["lossy"]  # noqa: S506
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
    own = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 (texts only)
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
    loose: dict[str, set[str]] = {}
    for name, code in _published():
        forms = {re.sub(r"\s*[(（].*?[)）]", "", name), re.sub(r"\bSt\.", "Saint", name)}
        if name.count(",") == 1:
            first, last = name.split(",")
            forms |= {first, f"{last} {first}"}
        for form in forms:
            loose.setdefault(fold_name(form), set()).add(code)
    for key, found in loose.items():
        if len(found) == 1 and len(key) > 3 and key not in several:
            codes.setdefault(key, found.pop())
