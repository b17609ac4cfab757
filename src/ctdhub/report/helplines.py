"""Where to turn for help: ``helplines.yaml`` of a hub, read whenever a page or poster is made.

A number that is dead must not wait for a release, so nothing of this is part of one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

import yaml
from babel import Locale
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ctdhub.core.errors import error, printable
from ctdhub.core.format import clock, isolated, listed
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text, _, current, joined, yaml_values
from ctdhub.schema import countries

# --------------------------------------------------------------------------------------------------
# The lists that a hub writes for its site, of helplines and of events: what their entries share.

Entry = TypeVar("Entry", bound=FrozenModel)
Fault = tuple[int, str, str]
"""The number of an entry, the key that is wrong, and the kind of fault."""
_WORDS = {
    "missing": Text("this is missing"),
    "string_too_short": Text("this is missing"),
    "extra_forbidden": Text("there is no such key"),
    "languages": Text("languages must be codes such as fr or es"),
    "url": Text("the address must begin with https://"),
}


def _codes(codes: tuple[str, ...]) -> tuple[str, ...]:
    if not all(re.fullmatch(r"[a-z]{2,3}", code) for code in codes):
        raise PydanticCustomError("languages", "no codes")
    return codes


def _secure(url: str) -> str:
    if url and (not re.fullmatch(r"https://[^\s\"<>\\]+", url) or printable(url, len(url)) != url):
        raise PydanticCustomError("url", "not https")
    return url


Languages = Annotated[tuple[str, ...], AfterValidator(_codes)]
WebAddress = Annotated[str, AfterValidator(_secure)]


def one_line(text: str, longest: int) -> str:
    """A text without line breaks and control characters, cut where it is longer."""
    return printable(" ".join(text.split()), longest)


def checked(model: type[Entry], values: Sequence[object]) -> tuple[list[Entry], list[Fault]]:
    """The entries that hold what they must, and the faults of the others."""
    entries, faults = list[Entry](), list[Fault]()
    for n, entry in enumerate(values, 1):
        try:
            entries.append(model.model_validate(entry))
        except ValidationError as cause:
            places = ((printable(str((*e["loc"], "-")[0])), e["type"]) for e in cause.errors())
            faults += [(n, *place) for place in places]
    return entries, faults


def fault_words(fault: Fault, own: Mapping[str, Text]) -> Text:
    """A fault in words: those of the list, by kind, before those of all lists."""
    n, key, kind = fault
    usual = Text("the value is of the wrong kind or out of range")
    words = own.get(kind) or _WORDS.get(kind) or usual
    return Text("entry {n}, {key}: {fault}", n=n, key=key, fault=words)


# --------------------------------------------------------------------------------------------------
# When somebody answers: written once for all languages, said in that of the reader.
#
# The form is a small part of the ``opening_hours`` of OpenStreetMap.

ALWAYS = "24/7"
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY = f"(?:{'|'.join(DAYS)})"
_TIME = r"(?:[01]?\d|2[0-4]):[0-5]\d"
_DAYS, _TIMES = rf"{_DAY}(?:-{_DAY})?", f"{_TIME}-{_TIME}"
_PART = re.compile(rf"(?:({_DAYS}(?:, ?{_DAYS})*) )?({_TIMES}(?:, ?{_TIMES})*)")


def in_every_language(text: str) -> bool:
    """Whether hours have the form that :func:`hours_in_words` knows.

    >>> in_every_language("Mo-Fr 09:00-17:00; Sa 10:00-12:00"), in_every_language("9 to 17")
    (True, False)
    """
    return text == ALWAYS or all(_PART.fullmatch(part) for part in _parts(text))


def hours_in_words(text: str) -> str:
    """Hours in the language in force; other words as they are, isolated.

    Args:
        text: "24/7", or days and times such as "Mo-Fr 09:00-12:00, 14:00-17:00; Sa 10:00-12:00";
            times without days are those of every day.

    >>> hours_in_words("24/7"), hours_in_words("20:00-02:00")
    ('every day, day and night', 'every day from 20:00 to 02:00')
    >>> hours_in_words("Mo-Fr 09:00-17:00; Sa,Su 10:00-12:00")
    'Monday to Friday from 09:00 to 17:00; Saturday and Sunday from 10:00 to 12:00'
    """
    if text == ALWAYS:
        return _("every day, day and night")
    if not in_every_language(text):
        return isolated(text)
    return _("; ").join(_part_in_words(part) for part in _parts(text))


def _parts(text: str) -> list[str]:
    return re.split(r" ?; ?", text)


def _part_in_words(part: str) -> str:
    match = _PART.fullmatch(part)
    assert match is not None
    times = listed(
        [
            _("from {first} to {last}").format(first=clock(first), last=clock(last))
            for first, last in (span.split("-") for span in re.split(", ?", match[2]))
        ]
    )
    if not match[1]:
        return _("every day {times}").format(times=times)
    days = listed([_span(span) for span in re.split(", ?", match[1])])
    return _("{days} {times}").format(days=days, times=times)


def _span(span: str) -> str:
    names = Locale(current()).days["format"]["wide"]
    first, *last = (str(names[DAYS.index(day)]) for day in span.split("-"))
    return _("{day} to {other_day}").format(day=first, other_day=last[0]) if last else first


FILE = "helplines.yaml"
Kind = Literal["emergency", "trafficking", "children", "migrants", "police"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EMERGENCY: Kind = "emergency"
FRESH = timedelta(days=180)
"""How long a number that somebody has called counts as checked."""
LONGEST = 120
_NUMBER = r"^(\+?[0-9*#][0-9 ()./*#-]{1,29})?$"


class Helpline(FrozenModel):
    """One line or office; names are cut and freed of control characters.

    Attributes:
        country: alpha-3 code of the country that it serves.
        name: as people there know it.
        kind: one of :data:`KINDS`.
        number, text: what to dial, and where to send a text message.
        url: an https address.
        hours: when somebody answers there, by the clock of its country; see
            :func:`~ctdhub.report.helplines.hours_in_words`.
        languages: codes such as "fr" that are spoken there.
        free, confidential: said on pages only where the entry says so.
        checked_on: the day on which somebody last called.
    """

    country: str
    name: str = Field(min_length=1)
    kind: Kind
    number: str = Field(default="", pattern=_NUMBER)
    text: str = Field(default="", pattern=_NUMBER)
    url: WebAddress = Field(default="", max_length=300)
    hours: str = ""
    languages: Languages = ()
    free: bool = False
    confidential: bool = False
    checked_on: date

    @field_validator("number", "text", mode="before")
    @classmethod
    def _quoted(cls, value: object) -> object:
        """YAML reads 0800 as a number: without quotes zeros could be lost."""
        if isinstance(value, int | float):
            raise PydanticCustomError("unquoted", "a number without quotes")
        return value

    @field_validator("name", "hours")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return one_line(text, LONGEST)

    @field_validator("country")
    @classmethod
    def _country(cls, code: str) -> str:
        if code not in countries.ALPHA3:
            raise PydanticCustomError("country", "no such country")
        return code

    @model_validator(mode="after")
    def _reached(self) -> Helpline:
        if not (self.number or self.text or self.url):
            raise PydanticCustomError("reach", "no way to reach it")
        return self


@dataclass(frozen=True)
class Contact:
    """A line as a page prints it.

    Attributes:
        label: who answers, with the country where that is not said around it.
        reach: what to dial, or an address.
        note: what else is known: for whom, hours, languages, whether it is free and confidential.
        href: "tel:", "sms:" or "https:" address behind ``reach``; "" where there is none.
    """

    label: str
    reach: str
    note: str = ""
    href: str = ""


@dataclass(frozen=True)
class Help:
    """Where a hub sends people who need help.

    Attributes:
        lines: of ``helplines.yaml``, in the order of the file.
        text: ``helpline`` of hub.yaml, shown where the list has no line, or emergency numbers only.
    """

    lines: tuple[Helpline, ...] = ()
    text: str = ""

    def contacts(self, country: str = "", *, only: bool = False) -> tuple[Contact, ...]:
        """What to print, in the language in force; emergency numbers are no part of it.

        Lines of the chosen country come first, then those that speak the language in force.

        Args:
            country: alpha-3 code of the chosen country.
            only: leave out those of other countries, and say no country.
        """
        if lines := [line for line in self.lines if line.kind != EMERGENCY]:
            lines = [line for line in lines if line.country == country or not only]
            lines.sort(key=lambda line: (line.country != country, current() not in line.languages))
            return tuple(_contact(line, place=not only) for line in lines)
        text = printable(self.text.strip(), LONGEST)
        return (Contact(_("Helpline"), text),) if text and not only else ()

    def emergency(self, country: str) -> tuple[Contact, ...]:
        """Emergency numbers of a country, in the language in force."""
        lines = (x for x in self.lines if x.kind == EMERGENCY and x.country == country)
        return tuple(_contact(line, place=False) for line in lines)

    def countries(self) -> tuple[str, ...]:
        """Alpha-3 codes of countries with a line: those where one speaks the language in force
        first, then by name."""
        near = {line.country for line in self.lines if current() in line.languages}
        named = countries.by_name({line.country for line in self.lines}, current())
        return tuple(sorted(named, key=lambda code: code not in near))

    def unchecked(self, today: date | None = None) -> tuple[Helpline, ...]:
        """Lines that nobody has called for :data:`FRESH`.

        Args:
            today: the present day in UTC by default.
        """
        day = today or datetime.now(UTC).date()
        return tuple(line for line in self.lines if day - line.checked_on > FRESH)

    def in_one_language(self) -> tuple[Helpline, ...]:
        """Lines whose hours are words, which every page shows as they are."""
        return tuple(x for x in self.lines if x.hours and not in_every_language(x.hours))


_KEYS = {"reach": "number"}
"""The key that is named where a fault is one of several keys."""
_FAULTS = {
    "literal_error": Text("the kind must be one of {kinds}", kinds=", ".join(KINDS)),
    "country": Text("the country must be a code of three letters such as CIV"),
    "unquoted": Text("write the number between quotes, so that no zero is lost"),
    "reach": Text("give a number, a text or a url"),
}


def read_help(hub: Path, text: str = "") -> Help:
    """Where a hub sends people, as its folder says now.

    Args:
        hub: the hub's root.
        text: ``helpline`` of its hub.yaml.

    Raises:
        PolicyError: ``helplines.yaml`` has faults; each is told with its entry, key and remedy.
    """
    path = hub / FILE
    if not path.is_file():
        return Help((), text)
    try:
        entries = yaml_values(path.read_text("utf-8")) or []
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        raise error("helplines-yaml", file=path) from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise error("helplines-list", file=path)
    lines, faults = checked(Helpline, entries)
    if faults:
        words = [fault_words((n, _KEYS.get(kind, key), kind), _FAULTS) for n, key, kind in faults]
        raise error("helplines", file=path, faults=joined(words, Text("; ")))
    return Help(tuple(lines), text)


def _contact(line: Helpline, *, place: bool) -> Contact:
    label, name = line.name, countries.name(line.country, current())
    if place:
        label = _("{country}, {name}").format(country=name, name=line.name)
    text = _("text message to {number}").format(number=line.text) if line.text else ""
    reach = line.number or text or line.url
    more = [part for part in (text, line.url) if part and part != reach]
    promised = [_("free") if line.free else "", _("confidential") if line.confidential else ""]
    for_whom = {
        "children": _("for children"),
        "migrants": _("for migrants"),
        "police": _("police"),
    }.get(line.kind, "")
    parts = (
        for_whom,
        hours_in_words(line.hours) if line.hours else "",
        _spoken(line.languages),
        *promised,
        *more,
    )
    return Contact(label, reach, _(", ").join(p for p in parts if p), _href(line))


def _spoken(codes: tuple[str, ...]) -> str:
    """Languages by name, for example "in French and in Spanish"; "" where none is named."""
    names = Locale(current()).languages
    return listed([_("in {language}").format(language=names.get(c, c)) for c in codes])


def _href(line: Helpline) -> str:
    number = line.number or line.text
    dialled = re.sub(r"[ ()./-]", "", number)
    if not re.fullmatch(r"\+?[0-9]+", dialled):  # * and # mean other things on other telephones
        return "" if number else line.url
    return f"{'tel' if line.number else 'sms'}:{dialled}"
