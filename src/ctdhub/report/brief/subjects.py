"""What a brief can be about, and how a user names it: a place, a corridor, a day."""

import difflib
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Literal

from ctdhub.core.errors import DocumentError, QuestionError, error, printable
from ctdhub.core.format import day as in_words
from ctdhub.core.i18n import LANGUAGES, current
from ctdhub.report.calendar import Event, read_calendar
from ctdhub.report.sentences import corridor
from ctdhub.report.wording import paragraph
from ctdhub.schema import countries
from ctdhub.schema.countries import Place as Meant
from ctdhub.schema.countries import find_place, place_of, resolve
from ctdhub.schema.model import AGE, CHILD_BANDS, DESTINATION, FORCED_LABOUR, ORIGIN, SEX
from ctdhub.stats.query import Where

# --------------------------------------------------------------------------------------------------
# Days that the world keeps in mind, and which part of a hub's data each is about.
#
# Sources of the dates: 8 March, United Nations resolution 32/142; 12 June, International Labour
# Organization (2002); 30 July, 68/192; 18 October, European Commission (2007); 20 November, 836
# (IX); 25 November, 54/134; 2 December, the Convention of 1949 (317 (IV)); 10 December, 423 (V); 18
# December, 55/93.

Theme = Literal["all", "women", "children", "labour", "eu", "corridors"]


words_of = partial(paragraph, "brief.txt")
"""What a part of the template says, by the name of the part."""


@dataclass(frozen=True)
class Observance:
    """A day of the year: month, day, its theme."""

    month: int
    day: int
    theme: Theme

    def name(self) -> str:
        """What it is called in the language in force."""
        return words_of("observance", (self.month, self.day))


OBSERVANCES = tuple(
    Observance(*day)
    for day in (
        (3, 8, "women"), (6, 12, "children"), (7, 30, "all"), (10, 18, "eu"), (11, 20, "children"),
        (11, 25, "women"), (12, 2, "labour"), (12, 10, "all"), (12, 18, "corridors"),
    )
)  # fmt: skip


def observance(when: date) -> Observance | None:
    """What a day is for, None where it is none of those listed."""
    return next((o for o in OBSERVANCES if (o.month, o.day) == (when.month, when.day)), None)


def among(theme: Theme) -> Where:
    """The people that a theme is about; no condition for all."""
    conditions: dict[Theme, Where] = {
        "women": {SEX: ["female"]},
        "children": {AGE: list(CHILD_BANDS)},
        "labour": {FORCED_LABOUR: ["yes"]},
        "eu": {DESTINATION: countries.members("eu")},
    }
    return conditions.get(theme, {})


# --------------------------------------------------------------------------------------------------
# What a brief can be about: a place, a corridor, a day.


@dataclass(frozen=True)
class BriefPlace:
    """A country (ISO 3166 alpha-3) or a region (a key that ``schema.countries.members`` takes)."""

    key: str

    @property
    def is_country(self) -> bool:
        """Whether it is a single country."""
        return self.key in countries.ALPHA3

    @property
    def name(self) -> str:
        """Its name in the language in force."""
        return place_of(self.key).name(current())

    @property
    def slug(self) -> str:
        """Its name in files."""
        return self.key.lower()


@dataclass(frozen=True)
class Corridor:
    """A country of citizenship and a country of exploitation (ISO 3166 alpha-3)."""

    origin: str
    destination: str

    @property
    def name(self) -> str:
        """Its name in the language in force."""
        return corridor(self.origin, self.destination)

    @property
    def slug(self) -> str:
        """Its name in files."""
        return f"{self.origin}-{self.destination}".lower()

    @property
    def where(self) -> Where:
        """The people on it."""
        return {ORIGIN: [self.origin], DESTINATION: [self.destination]}


@dataclass(frozen=True)
class Day:
    """A day: what it is for, if it is a known one, and the hub's events on it."""

    when: date
    observance: Observance | None
    events: tuple[Event, ...] = ()

    @property
    def theme(self) -> Theme:
        """What its documents are about."""
        return self.observance.theme if self.observance else "all"

    @property
    def name(self) -> str:
        """What the day is called, else the date."""
        return self.observance.name() if self.observance else in_words(self.when)

    @property
    def slug(self) -> str:
        """Its name in files."""
        return f"day-{self.when.isoformat()}"


Subject = BriefPlace | Corridor | Day


def country_of(subject: Subject) -> str:
    """The country whose helplines a document names, "" for none; of a corridor, where people were
    exploited."""
    if isinstance(subject, Corridor):
        return subject.destination
    return subject.key if isinstance(subject, BriefPlace) and subject.is_country else ""


# --------------------------------------------------------------------------------------------------
# From what a user types to the subject of a brief: names of places, corridors and days.


def named_country(text: str) -> str:
    """The code of a country from its code or from its name in any language the hub knows.

    Raises:
        DocumentError: no such country; the nearest name is told.

    >>> named_country("ITA"), named_country("Côte d'Ivoire"), named_country("ita")
    ('ITA', 'CIV', 'ITA')
    """
    if text.strip().upper() in countries.ALPHA3:
        return text.strip().upper()
    match = resolve(text)
    if match.alpha3:
        return match.alpha3
    if match.nearest:
        near = countries.name(match.nearest, current())
        raise error("country/near", name=printable(text), near=near, code=match.nearest)
    if match.several:
        raise error("country/several", name=printable(text))
    raise error("country", name=printable(text))


def region(text: str) -> str:
    """The key of a region or union, from its key or its name.

    Raises:
        DocumentError: no such region; near ones are told.

    >>> region("Europe"), region("South-Eastern Asia"), region("EU"), region("150")
    ('europe', 'south_eastern_asia', 'eu', 'europe')
    """
    place = _place_of(text)
    if place is not None and place.kind in ("region", "union", "set"):
        return place.key
    if place is not None and place.kind == "country":
        raise error("region/country", name=place.name(current()), code=place.key)
    keys = (
        *countries.regions(),
        *countries.subregions(),
        *countries.unions(),
        *countries.place_sets(),
    )
    named = {_folded(countries.region_name(k, lang)): k for lang in LANGUAGES for k in keys}
    named |= {_folded(key): key for key in keys}
    near = difflib.get_close_matches(_folded(text), named, n=3, cutoff=0.6)
    raise error(
        "region",
        name=printable(text),
        values=", ".join(dict.fromkeys(named[n] for n in near)) or ", ".join(keys),
    )


def _place_of(text: str) -> Meant | None:
    """The place of that name or code, if there is one."""
    try:
        return find_place(text, lambda name: resolve(name).alpha3)
    except QuestionError:
        return None


def _folded(text: str) -> str:
    return "_".join(text.casefold().replace("-", " ").replace("_", " ").split())


def named_corridor(text: str) -> Corridor:
    """A corridor from ``CIV-ITA`` or ``Côte d'Ivoire to Italy``.

    Raises:
        DocumentError: it does not name two countries.

    >>> named_corridor("CIV-ITA") == named_corridor("Côte d'Ivoire > Italy")
    True
    >>> named_corridor("CIV-ITA") == named_corridor("civ to ita")
    True
    """
    nearly: DocumentError | None = None
    for sign in (" to ", "→", ">", ":", " - ", "-", "–"):
        parts = text.split(sign)
        for k in range(1, len(parts)):  # every way to cut in two: names may hold hyphens
            known, faults = list[str](), list[DocumentError]()
            for part in filter(str.strip, (sign.join(parts[:k]), sign.join(parts[k:]))):
                try:
                    known.append(named_country(part))
                except DocumentError as fault:
                    faults.append(fault)
            if len(known) == 2:
                return Corridor(*known)
            if known and faults:
                nearly = faults[0]
    raise nearly or error("corridor", name=printable(text))


def named_day(text: str, hub: Path | None) -> Day:
    """A day of the year, written 2026-10-18: a known one, or one with events of the hub.

    Raises:
        DocumentError: it is no date, or neither known nor in the hub's calendar.
        PolicyError: the hub's calendar has faults.
    """
    try:
        when = date.fromisoformat(text)
    except ValueError:
        raise error("day", name=printable(text)) from None
    calendar = read_calendar(hub) if hub is not None else None
    entries, known = calendar.events if calendar else (), observance(when)
    events = tuple(e for e in entries if e.first_day <= when <= e.last_day)
    if known is None and not events:
        days = ", ".join(f"{when.year}-{o.month:02}-{o.day:02}" for o in OBSERVANCES)
        raise error("day/nothing-known", day=in_words(when), days=days)
    return Day(when, known, events)


def named_place(text: str, *, is_region: bool) -> BriefPlace:
    """A country or a region.

    Raises:
        DocumentError: see :func:`named_country` and :func:`region`.
    """
    return BriefPlace(region(text) if is_region else named_country(text))
