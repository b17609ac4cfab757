"""What a brief can be about: a place, a corridor, a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ctdhub.core.format import day as in_words
from ctdhub.core.i18n import current
from ctdhub.report.brief.observances import Observance
from ctdhub.report.events.calendar import Event
from ctdhub.report.sentences import corridor
from ctdhub.schema import countries
from ctdhub.schema.roles import DESTINATION, ORIGIN
from ctdhub.stats.query import Where


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
        named = countries.name if self.is_country else countries.region_name
        return named(self.key, current())

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
