r"""Events as iCalendar (RFC 5545), which every calendar program reads.

Moments are written in UTC, so that no time zone has to be explained; days are written as days, with
the day after the last one as their end.  An identifier depends on the hub's name and the event's id
only, so a changed event replaces its older self in a calendar.

>>> text("a;b\nc,d")
'a\\;b\\nc\\,d'
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ctdhub.report.events.calendar import Event

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
    told = " ".join(t for t in (note, event.description, event.accessibility) if t)
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
    if told:
        lines.append(f"DESCRIPTION:{text(told)}")
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
