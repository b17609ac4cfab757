"""The events of a hub: ``events.yaml`` read into checked values, and as iCalendar."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import yaml
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ctdhub.core.errors import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text, joined, yaml_values
from ctdhub.report.helplines import Languages, WebAddress, checked, fault_words, one_line

# --------------------------------------------------------------------------------------------------
# The events of a hub: ``events.yaml`` read into checked values.

FILE = "events.yaml"
Kind = Literal["talk", "film", "exhibition", "training", "performance", "stand", "online", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST_NAME, LONGEST_TEXT = 200, 1500
"""Letters of a title, place or organiser, and of a description; what is longer is cut."""
YEARS = (2000, 2199)
"""First and last year in which an event may take place."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?")


class Event(FrozenModel):
    """One event; every text is cut and freed of control characters and line breaks.

    Attributes:
        id: its name in addresses, kept when the rest changes.
        title, organiser, description, accessibility: texts in the event's own language.
        place, region: where; the region is a canton, district or the like.
        kind: one of :data:`KINDS`.
        languages: codes such as "fr" that are spoken there.
        start, end: both days (the last one included), or both moments in ``time_zone``.
        time_zone: a name of the IANA data base, for example "Africa/Abidjan".
        url: an https address, or "".
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")
    title: str = Field(min_length=1)
    kind: Kind
    place: str = Field(min_length=1)
    region: str = ""
    start: datetime | date
    end: datetime | date
    time_zone: str = "UTC"
    languages: Languages = ()
    organiser: str = ""
    description: str = ""
    accessibility: str = ""
    url: WebAddress = Field(default="", max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _ends_when_it_starts(cls, entry: Any) -> Any:
        if isinstance(entry, Mapping) and "start" in entry:
            return {"end": entry["start"], **entry}
        return entry

    @field_validator("title", "place", "region", "organiser", mode="after")
    @classmethod
    def _name(cls, text: str) -> str:
        return one_line(text, LONGEST_NAME)

    @field_validator("description", "accessibility", mode="after")
    @classmethod
    def _text(cls, text: str) -> str:
        return one_line(text, LONGEST_TEXT)

    @field_validator("title", "place", mode="after")
    @classmethod
    def _required(cls, text: str) -> str:
        if not text:
            raise PydanticCustomError("missing", "empty")
        return text

    @field_validator("start", "end", mode="before")
    @classmethod
    def _when(cls, when: Any) -> Any:
        if isinstance(when, str) and _MOMENT.fullmatch(when):
            when = datetime.fromisoformat(when)
        if isinstance(when, str):
            when = date.fromisoformat(when)
        if not isinstance(when, date) or getattr(when, "tzinfo", None):
            raise ValueError("neither a day nor a moment without offset")
        if not YEARS[0] <= when.year <= YEARS[1]:
            raise ValueError("out of range")
        return when

    @field_validator("time_zone", mode="after")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise PydanticCustomError("time_zone", "no such zone") from None
        return name

    @model_validator(mode="after")
    def _in_order(self) -> Event:
        if self.timed != isinstance(self.end, datetime):
            raise PydanticCustomError("same_form", "day and moment")
        if self.end < self.start:
            raise PydanticCustomError("end", "end before start")
        return self

    @property
    def timed(self) -> bool:
        """Whether it has times, not only days."""
        return isinstance(self.start, datetime)

    @property
    def first_day(self) -> date:
        """The day on which it starts, where it takes place."""
        return self.start.date() if isinstance(self.start, datetime) else self.start

    @property
    def last_day(self) -> date:
        """The day on which it ends; an end at midnight belongs to the day before."""
        if not isinstance(self.end, datetime):
            return self.end
        last = self.end.date()
        midnight = self.end.time() == datetime.min.time() and last > self.first_day
        return last - timedelta(days=1) if midnight else last

    @property
    def days(self) -> range:
        """Its days, as ordinals of the calendar."""
        return range(self.first_day.toordinal(), self.last_day.toordinal() + 1)


@dataclass(frozen=True)
class Calendar:
    """The events of a hub in order of time, seen on one day.

    Attributes:
        events: by start, then id.
        today: the day on which the site is built, in UTC.
    """

    events: tuple[Event, ...]
    today: date

    def past(self, event: Event) -> bool:
        """Whether it was over before today."""
        return event.last_day < self.today


_KEYS = {"end": "end", "same_form": "end"}
"""The key that is named where a fault is one of several keys."""
_RULES = {"string_too_short": "missing"}
_FAULTS = {
    "literal_error": Text("the kind must be one of {kinds}", kinds=", ".join(KINDS)),
    "end": Text("the end must not come before the start"),
    "same_form": Text("start and end must both be days, or both have a time"),
    "same_id": Text("another event has this id; give each its own"),
    "time_zone": Text("the time zone must be a name such as Europe/Zurich"),
    "string_pattern_mismatch": Text("small letters, digits and hyphens only, 60 at most"),
    "value_error": Text("write a day as 2027-03-08, with a time as 2027-03-08 18:30"),
}


def read_calendar(hub: Path, today: date | None = None) -> Calendar | None:
    """The events of a hub folder; None where it has no ``events.yaml`` or the file lists none.

    Args:
        hub: the hub's root.
        today: the day on which it is read, in UTC; the real one by default.

    Raises:
        PolicyError: the file has faults; each is told with its entry, key and remedy.
    """
    path = hub / FILE
    if not path.is_file():
        return None
    entries = _entries(path)
    events, faults = checked(Event, entries)
    numbers: dict[str, int] = {}
    for n, entry in enumerate(entries, 1):
        name = entry.get("id")
        if isinstance(name, str) and numbers.setdefault(name, n) != n:
            faults.append((n, "id", "same_id"))
    if faults:
        named = [(n, _KEYS.get(kind, key), kind) for n, key, kind in faults]
        _n, key, kind = named[0]
        rule = f"events-{_RULES.get(kind, kind)}".replace("_", "-")
        words = joined([fault_words(fault, _FAULTS) for fault in named], Text("; "))
        raise error("events", file=path, column=key, rule=rule, faults=words)
    events.sort(key=lambda e: (e.start.isoformat(), e.id))
    return Calendar(tuple(events), today or datetime.now(UTC).date()) if events else None


def _entries(path: Path) -> list[dict[str, Any]]:
    """The entries as written, each with the time zone of the file unless it has its own."""
    try:
        content = yaml_values(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        raise error("events-yaml", file=path) from None
    content = content or {}
    known = isinstance(content, dict) and content.keys() <= {"time_zone", "events"}
    events = content.get("events") or [] if known else None
    if not isinstance(events, list) or not all(isinstance(e, dict) for e in events):
        raise error("events-list", file=path, column="events")
    shared = {"time_zone": content["time_zone"]} if "time_zone" in content else {}
    return [{**shared, **entry} for entry in events]


# --------------------------------------------------------------------------------------------------
# Events as iCalendar (RFC 5545), which every calendar program reads.
#
# Moments are written in UTC, so that no time zone has to be explained; days are written as days,
# with the day after the last one as their end.  An identifier depends on the hub's name and the
# event's id only, so a changed event replaces its older self in a calendar.

LONGEST_LINE = 75
"""Octets of a line; longer ones are folded (RFC 5545, 3.1)."""


def calendar_file(events: Iterable[Event], hub: str, today: date, note: str = "") -> bytes:
    """The events as a file ``.ics``.

    Args:
        hub: its name: of the calendar, and part of each identifier.
        today: stamped on every event as the day on which this file was made.
        note: stands before every description; "" for none.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//ctdhub//events//EN",
        f"X-WR-CALNAME:{text(hub)}",
    ]
    for event in events:
        lines += _event(event, hub, today, note)
    lines.append("END:VCALENDAR")
    return b"".join(fold(line) for line in lines)


def identifier(hub: str, event: Event) -> str:
    """The event's identifier (UID), the same for as long as hub and id keep their names."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{hub}\n{event.id}"))


def _event(event: Event, hub: str, today: date, note: str) -> list[str]:
    description = " ".join(t for t in (note, event.description, event.accessibility) if t)
    place = ", ".join(t for t in (event.place, event.region) if t)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{identifier(hub, event)}",
        f"DTSTAMP:{today:%Y%m%d}T000000Z",
        *_when(event),
        f"SUMMARY:{text(event.title)}",
        f"LOCATION:{text(place)}",
        f"CATEGORIES:{event.kind.upper()}",
    ]
    if description:
        lines.append(f"DESCRIPTION:{text(description)}")
    if event.organiser:
        lines.append(f"CONTACT:{text(event.organiser)}")
    if event.url:
        lines.append(f"URL:{event.url}")
    return [*lines, "END:VEVENT"]


def _when(event: Event) -> list[str]:
    if isinstance(event.start, datetime) and isinstance(event.end, datetime):
        zone = ZoneInfo(event.time_zone)
        start, end = (m.replace(tzinfo=zone).astimezone(UTC) for m in (event.start, event.end))
        lines = [f"DTSTART:{start:%Y%m%dT%H%M%SZ}"]
        return [*lines, f"DTEND:{end:%Y%m%dT%H%M%SZ}"] if end > start else lines
    after = event.last_day + timedelta(days=1)
    return [f"DTSTART;VALUE=DATE:{event.first_day:%Y%m%d}", f"DTEND;VALUE=DATE:{after:%Y%m%d}"]


def text(value: str) -> str:
    """A value of type TEXT: no character in it can end the line (RFC 5545, 3.3.11)."""
    escaped = re.sub(r"([\\;,])", r"\\\1", value)
    escaped = re.sub(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", r"\\n", escaped)
    return re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", escaped)


def fold(line: str) -> bytes:
    """A line in UTF-8 with its ending, folded where it is too long, never inside a character.

    >>> fold("SUMMARY:" + "é" * 40).split(b"\\r\\n")[1:]
    [b' \\xc3\\xa9\\xc3\\xa9\\xc3\\xa9\\xc3\\xa9\\xc3\\xa9\\xc3\\xa9\\xc3\\xa9', b'']
    """
    pieces, piece = [], b""
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > LONGEST_LINE:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
