"""From what a user types to the subject of a brief: names of places, corridors and days."""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import DocumentError, QuestionError, printable
from ctdhub.core.format import day as in_words
from ctdhub.core.i18n import LANGUAGES, current
from ctdhub.report.brief.observances import OBSERVANCES, observance
from ctdhub.report.brief.subjects import BriefPlace, Corridor, Day
from ctdhub.report.events.calendar import Calendar, Event, read_calendar
from ctdhub.schema import countries
from ctdhub.schema.country_names import resolve
from ctdhub.schema.places import Place as Meant
from ctdhub.schema.places import find_place


def country(text: str) -> str:
    """The code of a country from its code or from its name in any language the hub knows.

    Raises:
        DocumentError: no such country; the nearest name is told.

    >>> country("ITA"), country("Côte d'Ivoire"), country("ita")
    ('ITA', 'CIV', 'ITA')
    """
    if text.strip().upper() in countries.ALPHA3:
        return text.strip().upper()
    found = resolve(text)
    if found.alpha3:
        return found.alpha3
    if found.nearest:
        near = countries.name(found.nearest, current())
        raise error("country/near", name=printable(text), near=near, code=found.nearest)
    if found.several:
        raise error("country/several", name=printable(text))
    raise error("country", name=printable(text))


def region(text: str) -> str:
    """The key of a region or union, from its key or its name.

    Raises:
        DocumentError: no such region; near ones are told.

    >>> region("Europe"), region("South-Eastern Asia"), region("EU"), region("150")
    ('europe', 'south_eastern_asia', 'eu', 'europe')
    """
    found = _meant(text)
    if found is not None and found.kind in ("region", "union", "set"):
        return found.key
    if found is not None and found.kind == "country":
        raise error("region/country", name=found.name(current()), code=found.key)
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


def _meant(text: str) -> Meant | None:
    """The place of that name or code, if there is one."""
    try:
        return find_place(text, lambda name: resolve(name).alpha3)
    except QuestionError:
        return None


def _folded(text: str) -> str:
    return "_".join(text.casefold().replace("-", " ").replace("_", " ").split())


def corridor(text: str) -> Corridor:
    """A corridor from ``CIV-ITA`` or ``Côte d'Ivoire to Italy``.

    Raises:
        DocumentError: it does not name two countries.

    >>> corridor("CIV-ITA") == corridor("Côte d'Ivoire > Italy") == corridor("civ to ita")
    True
    """
    nearly: DocumentError | None = None
    for sign in (" to ", "→", ">", ":", " - ", "-", "–"):
        for cut in _cuts(text, sign):
            found = [_country_or_fault(part) for part in cut if part.strip()]
            known = [one for one in found if isinstance(one, str)]
            if len(known) == 2:
                return Corridor(*known)
            if len(known) == 1 and len(found) == 2:
                nearly = next(one for one in found if not isinstance(one, str))
    if nearly is not None:
        raise nearly
    raise error("corridor", name=printable(text))


def _country_or_fault(text: str) -> str | DocumentError:
    try:
        return country(text)
    except DocumentError as fault:
        return fault


def _cuts(text: str, sign: str) -> list[tuple[str, str]]:
    """Every way to cut a text in two at a sign: names may hold hyphens."""
    parts = text.split(sign)
    return [(sign.join(parts[:k]), sign.join(parts[k:])) for k in range(1, len(parts))]


def day(text: str, hub: Path | None) -> Day:
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
    known = observance(when)
    events = _on(calendar, when)
    if known is None and not events:
        days = ", ".join(f"{when.year}-{o.month:02}-{o.day:02}" for o in OBSERVANCES)
        raise error("day/nothing-known", day=in_words(when), days=days)
    return Day(when, known, events)


def _on(calendar: Calendar | None, when: date) -> tuple[Event, ...]:
    if calendar is None:
        return ()
    return tuple(e for e in calendar.events if e.first_day <= when <= e.last_day)


def place(text: str, *, is_region: bool) -> BriefPlace:
    """A country or a region.

    Raises:
        DocumentError: see :func:`country` and :func:`region`.
    """
    return BriefPlace(region(text) if is_region else country(text))
