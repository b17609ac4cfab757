"""Birth dates as people write them, in the form that tokens are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache

from babel.dates import get_month_names

from ctdhub.sensitive.linkage.pprl.scripts import romanised

_LOCALES = ("en", "fr", "es", "pt", "it", "de", "ru", "uk", "el", "ar", "fa", "tr")
_NUMBERS = re.compile(r"\d+")
_YEAR_FIRST = re.compile(r"^\s*(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})(?:\D.*)?$", re.DOTALL)
_YEAR_LAST = re.compile(r"^\s*(\d{1,2})\D{1,2}(\d{1,2})\D{1,2}(\d{4})(?:\D.*)?$", re.DOTALL)
_PACKED = re.compile(r"^\s*(\d{4})(\d{2})(\d{2})\s*$")
_YEAR = re.compile(r"^\s*(\d{4})\s*$")
_WORDED = re.compile(r"^(?=.*[^\W\d_])[^\d]*\d{1,4}[^\d]+\d{1,4}[^\d]*$|^\D*\d{1,2}\D+\d{4}\D*$")
YEARS = (1900, 2100)


@dataclass(frozen=True)
class Birth:
    """When a person was born: year, and where they are known day and month, the smaller first.

    Day and month without their order: offices swap them.  The first of January is what many
    offices write for an unknown day, so it counts as unknown; ``first`` remembers it.
    """

    year: int
    day: tuple[int, int] | None
    first: bool = field(default=False, compare=False, repr=False)

    @property
    def full(self) -> str:
        """Year, day and month; empty where one is unknown."""
        return f"{self.year}{self.days}" if self.day else ""

    @property
    def days(self) -> str:
        """Day and month; empty where unknown."""
        return f"-{self.day[0]}-{self.day[1]}" if self.day else ""


@lru_cache(maxsize=200_000)
def read_birth(cell: str) -> Birth | None:
    """The birth date in a cell, None where it holds none that can be read for certain.

    Two-digit years are not read: nobody knows the century.

    >>> read_birth("1990-05-03") == read_birth("05/03/1990") == read_birth("٣ مايو ١٩٩٠")
    True
    >>> read_birth("3 mai 1990").full, read_birth("1990"), read_birth("31/31/1990")
    ('1990-3-5', Birth(year=1990, day=None), None)
    """
    if found := _YEAR.match(cell):
        return _made(int(found[1]), None)
    if found := _YEAR_FIRST.match(cell) or _PACKED.match(cell):
        return _made(int(found[1]), (int(found[2]), int(found[3])))
    if found := _YEAR_LAST.match(cell):
        return _made(int(found[3]), (int(found[1]), int(found[2])))
    if _WORDED.match(cell):
        numbers = [int(n) for n in _NUMBERS.findall(cell)]
        months = {_months().get(w) for w in romanised(_NUMBERS.sub(" ", cell)).split()} - {None}
        if len(numbers) == 2 and len(months) == 1:
            return _made(max(numbers), (min(numbers), months.pop() or 0))
    return None


def _made(year: int, day: tuple[int, int] | None) -> Birth | None:
    if not YEARS[0] <= year < YEARS[1]:
        return None
    if day is None or day == (1, 1):
        return Birth(year, None, day is not None)
    low, high = sorted(day)
    try:
        date(year, low, high)
    except ValueError:
        return None
    return Birth(year, (low, high))


@cache
def _months() -> dict[str, int]:
    """Romanised names of months; a name that means two months means none."""
    found: dict[str, set[int]] = {}
    for locale in _LOCALES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for month, name in get_month_names(width, context, locale).items():
                    for word in romanised(name).split():
                        found.setdefault(word, set()).add(month)
    return {name: months.copy().pop() for name, months in found.items() if len(months) == 1}
