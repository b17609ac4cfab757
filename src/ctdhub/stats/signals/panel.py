"""Many series on the same periods: what the tests read."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

import numpy as np

from ctdhub.stats.signals.chances import Floats

# --------------------------------------------------------------------------------------------------
# Periods of time as people write them: years, quarters, months, weeks, days.
#
# 2024         a year
# 2024-Q1      a quarter
# 2024-03      a month
# 2024-W09     a week (ISO 8601)
# 2024-03-01   a day; where all days of a file are the first of a month they stand for months

Kind = Literal["year", "quarter", "month", "week", "day"]

_FORMS: dict[Kind, re.Pattern[str]] = {
    "year": re.compile(r"(\d{4})", re.ASCII),
    "quarter": re.compile(r"(\d{4})-?[Qq]([1-4])", re.ASCII),
    "month": re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII),
    "week": re.compile(r"(\d{4})-?[Ww](0[1-9]|[1-4]\d|5[0-3])", re.ASCII),
    "day": re.compile(r"(\d{4})-(0[1-9]|1[0-2])-(\d{2})", re.ASCII),
}
IN_A_CYCLE: dict[Kind, int] = {"year": 1, "quarter": 4, "month": 12, "week": 52, "day": 7}
"""Periods of a cycle that may repeat itself: of a year, and of a week for days."""
_WINDOW: dict[Kind, int] = {"year": 3, "quarter": 2, "month": 6, "week": 6, "day": 28}
_LEAST_PAST = 2
"""Times the window that the past should have, where the number of periods decides."""
_LEAST_YEARS = 4
"""Years before the window that are its past, at least."""


@dataclass(frozen=True, order=True)
class Period:
    """One period: its kind and its place in the row of all periods of the kind.

    ``place`` counts years, quarters, months, weeks or days one by one, so neighbours differ by 1.
    """

    kind: Kind
    place: int

    def __str__(self) -> str:
        return _written(self)

    @property
    def in_cycle(self) -> int:
        """Place in its cycle, from 0; the 53rd week of a year counts as the 52nd."""
        if self.kind == "week":
            return min(date.fromordinal(7 * self.place + 1).isocalendar().week, 52) - 1
        return self.place % IN_A_CYCLE[self.kind]


@lru_cache(maxsize=20_000)
def read_period(text: str) -> Period | None:
    """The period that a text names; None where it names none.

    >>> str(read_period("2024-q1")), read_period("2024-Q2").place - read_period("2023-Q4").place
    ('2024-Q1', 2)
    >>> read_period("2024-13"), read_period("March")
    (None, None)
    """
    for kind, form in _FORMS.items():
        if m := form.fullmatch(text.strip()):
            return _read(kind, [int(g) for g in m.groups()])
    return None


def _read(kind: Kind, parts: list[int]) -> Period | None:
    try:
        if kind == "day":
            return Period(kind, date(*parts).toordinal())
        if kind == "week":
            return Period(kind, (date.fromisocalendar(parts[0], parts[1], 1).toordinal() - 1) // 7)
    except ValueError:
        return None
    if parts[0] < 1:
        return None
    return Period(kind, parts[0] * IN_A_CYCLE[kind] + (parts[1] - 1 if parts[1:] else 0))


def _written(period: Period) -> str:
    if period.kind == "day":
        return date.fromordinal(period.place).isoformat()
    if period.kind == "week":
        week = date.fromordinal(7 * period.place + 1).isocalendar()
        return f"{week.year:04d}-W{week.week:02d}"
    year, part = divmod(period.place, IN_A_CYCLE[period.kind])
    ends = {"year": "", "quarter": f"-Q{part + 1}", "month": f"-{part + 1:02d}"}
    return f"{year:04d}{ends[period.kind]}"


def as_months(periods: Collection[Period]) -> dict[Period, Period]:
    """Days that are all the first of a month, as the months that they stand for; else {}."""
    if len(periods) < 2 or any(p.kind != "day" for p in periods):
        return {}
    days = {p: date.fromordinal(p.place) for p in periods}
    if any(d.day != 1 for d in days.values()):
        return {}
    return {p: Period("month", d.year * 12 + d.month - 1) for p, d in days.items()}


def window_for(kind: Kind, periods: int) -> int:
    """How many last periods are compared with those before, by how many there are in all.

    Six months or weeks, two quarters, 28 days, three years; fewer where the past would be shorter
    than twice the window.

    >>> [window_for("year", n) for n in (4, 5, 6, 8, 9, 24)], window_for("month", 72)
    ([1, 1, 2, 2, 3, 3], 6)
    """
    return max(1, min(_WINDOW[kind], periods // (_LEAST_PAST + 1)))


def past_for(kind: Kind, window: int) -> int | None:
    """How many periods before the window are its past; None where all are.

    Of years it is twice the window, at least four: over many years it changes who reports and what
    is recorded, so that the distant past is no measure of what is usual.
    """
    return max(_LEAST_YEARS, _LEAST_PAST * window) if kind == "year" else None


Side = tuple[str, str]
"""Origin and destination of a corridor; one of them is empty for a total."""


@dataclass(frozen=True)
class SeriesPanel:
    """Counts of many series by period; the four arrays have the shape (series, periods).

    Attributes:
        names: of the series, all different.
        periods: of one kind, without gaps, in order.
        counts: nan where missing; may be negative only where there is noise.
        wholes: what each count is a part of; nan where missing or where there is none.
        noise, noise_of_wholes: standard deviations of the protection noise, 0 where there is none.
        sides: of each series, where the series are corridors; else ().

    Raises:
        ValueError: the parts contradict each other.
    """

    names: tuple[str, ...]
    periods: tuple[Period, ...]
    counts: Floats
    wholes: Floats
    noise: Floats
    noise_of_wholes: Floats
    sides: tuple[Side, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.names), len(self.periods))
        arrays = (self.counts, self.wholes, self.noise, self.noise_of_wholes)
        if any(a.shape != shape for a in arrays):
            raise ValueError("all arrays of a panel have the shape (series, periods)")
        if len(set(self.names)) < len(self.names):
            raise ValueError("names of series are unique")
        places = [p.place for p in self.periods]
        if places != list(range(places[0], places[0] + len(places))) if places else True:
            raise ValueError("periods follow each other, and there is at least one")
        if np.isinf(self.counts).any() or np.isinf(self.wholes).any():
            raise ValueError("counts are finite or missing")
        if not (np.isfinite(self.noise).all() and np.isfinite(self.noise_of_wholes).all()):
            raise ValueError("noise is finite")
        if (self.counts[(self.noise == 0) & ~np.isnan(self.counts)] < 0).any():
            raise ValueError("a count is negative though there is no noise")
