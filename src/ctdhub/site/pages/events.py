"""Events: what takes place where and when, coming and past, and the same as files."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, get_timezone_location
from markupsafe import Markup

from ctdhub.core.format import clock, listed, region
from ctdhub.core.i18n import Text, _, current
from ctdhub.core.tables import write_json
from ctdhub.release.open import Release
from ctdhub.report.calendar import KINDS, Calendar, Event, calendar_file, identifier
from ctdhub.report.wording import called
from ctdhub.site.edition import LEARN, Content, MenuEntry, PageKind
from ctdhub.site.frame import Page

PATH, FEED, DATA, FOLDER = "events.html", "events.ics", "events.json", "events"
MOST_DAYS = 31
"""Spans of more days are shown by month in the overview."""

KIND = PageKind(
    "events",
    lambda content: map(partial(page, content.release), filter(None, [content.edition.calendar])),
    menu=MenuEntry(LEARN, PATH, Text("Events")),
    shown=lambda _release, edition: edition.calendar is not None,
    files=lambda folder, content: _write_files(folder, content),
    common=True,
    of_site=True,
    reads=("calendar",),
)


def page(release: Release, calendar: Calendar) -> Page:
    """The page of events."""
    events, today = calendar.events, calendar.today
    running = [e for e in events if e.first_day <= today and not calendar.past(e)]
    coming = [e for e in events if e.first_day > today]
    past = [e for e in reversed(events) if calendar.past(e)]
    return Page(
        path=PATH,
        title=_("Events"),
        description=_("Talks, films, exhibitions and other events, with a calendar to download."),
        css="events.css",
        values={
            "events": events,
            "span": _span(events),
            "today": today,
            "feed": FEED,
            "data": DATA,
            "kinds": {kind: kind_name(kind) for kind in KINDS},
            "counted": Counter(e.kind for e in events),
            "grid": _grid(events),
            "halves": [
                *([("now", _("Now"), running)] if running else []),
                ("coming", _("Coming events"), coming),
                ("past", _("Past events"), past),
            ],
            "by_day": partial(groupby, key=attrgetter("first_day")),
            "full": _day,
            "when": _when,
            "notes": _notes,
        },
    )


def write_files(folder: Path, release: Release, calendar: Calendar) -> None:
    """Write the calendar for programs: all events, each event, and all as JSON.

    Args:
        folder: gets ``events.ics``, ``events.json`` and ``events/<id>.ics``.
    """
    hub, today = called(release.facts), calendar.today
    note = "Practice event: invented." if release.facts.invented else ""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    (folder / FEED).write_bytes(calendar_file(calendar.events, hub, today, note))
    for event in calendar.events:
        single = calendar_file([event], hub, today, note)
        (folder / FOLDER / f"{event.id}.ics").write_bytes(single)
    document = {
        "hub": hub,
        "invented": release.facts.invented,
        "made_on": today.isoformat(),
        "events": [
            {**event.model_dump(mode="json"), "uid": identifier(hub, event)}
            for event in calendar.events
        ],
    }
    write_json(folder / DATA, document)


def _write_files(folder: Path, content: Content) -> None:
    if content.edition.calendar is not None:
        write_files(folder, content.release, content.edition.calendar)


def kind_name(kind: str) -> str:
    """A kind of event in words."""
    return {
        "talk": _("Talk"),
        "film": _("Film"),
        "exhibition": _("Exhibition"),
        "training": _("Training"),
        "performance": _("Performance"),
        "stand": _("Information stand"),
        "online": _("Online"),
        "other": _("Other event"),
    }[kind]


def _grid(events: tuple[Event, ...]) -> dict[str, Any]:
    """Regions by days: in each cell its events."""
    columns = _columns(events)
    rows = []
    for place in sorted({e.region for e in events}, key=lambda name: (not name, name)):
        inside = [e for e in events if e.region == place]
        cells = []
        for _words, span in columns:
            cell = [e for e in inside if e.days[0] <= span[-1] and e.days[-1] >= span[0]]
            cells.append(cell)
        rows.append({"name": place, "events": inside, "cells": cells})
    return {"columns": [words for words, _span in columns], "rows": rows}


def _columns(events: tuple[Event, ...]) -> list[tuple[str, range]]:
    """Days from the first to the last event, or months where there are many: words, ordinals."""
    first, last = _span(events)
    by_month = (last - first).days >= MOST_DAYS
    form = "MMM y" if by_month else "d MMM"
    key: Callable[[date], object] = (lambda d: (d.year, d.month)) if by_month else (lambda d: d)
    every = (date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))
    columns = []
    for _key, group in groupby(every, key):
        days = list(group)
        span = range(days[0].toordinal(), days[-1].toordinal() + 1)
        columns.append((format_date(days[0], form, region()), span))
    return columns


def _span(events: Iterable[Event]) -> tuple[date, date]:
    entries = list(events)
    return min(e.first_day for e in entries), max(e.last_day for e in entries)


def _notes(event: Event) -> Iterator[Markup]:
    """Languages, organiser, access, as far as they are known; names keep their direction."""
    names = Locale.parse(current()).languages
    spoken = listed([names.get(code, code) for code in event.languages])
    for text, value in (
        (_("Languages: {value}."), spoken),
        (_("Organiser: {value}."), event.organiser),
        (_("Access: {value}"), event.accessibility),
    ):
        if value:
            yield Markup(text).format(value=Markup("<bdi>{}</bdi>").format(value))  # noqa: S704


def _when(event: Event) -> str:
    """Times and last day, as far as the day that it stands under does not say so."""
    several = event.last_day > event.first_day
    if not isinstance(event.start, datetime) or not isinstance(event.end, datetime):
        return _("Until {day}").format(day=_day(event.last_day)) if several else _("All day")
    times = {"start": _time(event.start), "end": _time(event.end), "zone": _zone(event.time_zone)}
    if several:
        return _("{start} until {day}, {end} (time zone: {zone})").format(
            **times, day=_day(event.last_day)
        )
    if event.end == event.start:
        return _("{start} (time zone: {zone})").format(**times)
    return _("{start} to {end} (time zone: {zone})").format(**times)


def _zone(name: str) -> str:
    """The city that a time zone is named after; the name of one without a city."""
    if "/" not in name:
        return name
    return str(get_timezone_location(name, region(), return_city=True))


def _day(day: date) -> str:
    return str(format_date(day, "full", region()))


def _time(moment: datetime) -> str:
    return clock(f"{moment:%H:%M}")
