"""A table of series, in long form, as a panel: one row for each series and period.

series, period, count                                   must be there
denominator, noise_sd, denominator_noise_sd             may be there
origin, destination                                     may be there, of corridors
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ctdhub.core.errors import error
from ctdhub.core.i18n import Numeral, Several, Text, many
from ctdhub.stats.signals.events import sides_of
from ctdhub.stats.signals.panel import Period, SeriesPanel, as_months, read_period

LARGEST = 1e12
"""No count is larger than this."""
NEEDED = ("series", "period", "count")
NUMBERS = ("count", "denominator", "noise_sd", "denominator_noise_sd")
ENDS = ("origin", "destination")
MOST_PERIODS, MOST_CELLS = 10_000, 20_000_000
FEWEST_PERIODS = 4
"""Three of the past and one to look at."""


@dataclass(frozen=True)
class SeriesFile:
    """A table as text: ``columns`` by name, the ``rows`` as a spreadsheet shows them, the name of
    its file, the noise of counts without one of their own, and whether an absent row means 0."""

    columns: Mapping[str, Sequence[str | None]]
    rows: Sequence[int]
    file: str
    noise_sd: float = 0.0
    gaps_are_zero: bool = False


class _Row(NamedTuple):
    """A row as values: the series, the period, its :data:`NUMBERS`, and the series' two ends."""

    name: str
    period: Period
    numbers: tuple[float, float, float, float]
    side: tuple[str, str]


def panel_of_table(file: SeriesFile) -> tuple[SeriesPanel, tuple[Text, ...]]:
    """Read a table; the order of its rows does not matter.

    Returns:
        The panel, and warnings.

    Raises:
        HubError: with row, column, rule and remedy.
    """
    columns = _columns(file)
    cells = list(_rows(file, columns))
    others = tuple(n for n in columns if n not in (*NEEDED, *NUMBERS, *ENDS))
    warnings = []
    if others:
        warnings.append(Text("Columns that are not used: {names}.", names=Several(others, 300)))
    periods = [row.period for row in cells]
    if months := as_months(set(periods)):
        periods = [months[p] for p in periods]
        warnings.append(Text("All days are the first of a month; they are read as months."))
    first, last = _span(file, periods)
    names = sorted({row.name for row in cells})
    shape = (len(names), last.place - first.place + 1)
    if shape[0] * shape[1] > MOST_CELLS:
        raise error("too-many", file=file.file)
    place = {name: k for k, name in enumerate(names)}
    rows = np.array([place[row.name] for row in cells])
    at = np.array([p.place - first.place for p in periods])
    numbers = np.array([row.numbers for row in cells]).T
    unsaid = 0.0 if file.gaps_are_zero else math.nan
    has_whole = np.zeros(len(names), dtype=bool)
    has_whole[rows[~np.isnan(numbers[1])]] = True
    wholes = np.where(has_whole[:, None], unsaid, np.full(shape, math.nan))
    noise, noise_of_wholes = np.full((2, *shape), file.noise_sd)
    counts = np.full(shape, unsaid)
    arrays = (counts, wholes, noise, noise_of_wholes)
    for array, values in zip(arrays, numbers, strict=True):
        array[rows, at] = values
    if set(ENDS) <= columns.keys():
        side_of = {row.name: row.side for row in reversed(cells)}
        sides = tuple(side_of[name] for name in names)
    else:
        sides = sides_of(names)
    every = tuple(Period(first.kind, p) for p in range(first.place, last.place + 1))
    if absent := shape[0] * shape[1] - len(cells):
        warnings.append(_about_gaps(absent, file.gaps_are_zero))
    panel = SeriesPanel(tuple(names), every, counts, wholes, noise, noise_of_wholes, sides)
    return panel, tuple(warnings)


def _columns(file: SeriesFile) -> dict[str, Sequence[str | None]]:
    """The columns by their names in small letters."""
    columns: dict[str, Sequence[str | None]] = {}
    for name, column in file.columns.items():
        key = name.strip().lower()
        if key in columns:
            raise error("columns/twice", file=file.file, column=name)
        columns[key] = column
    if missing := [n for n in NEEDED if n not in columns]:
        raise error("columns/missing", file=file.file, names=", ".join(missing))
    if not file.rows:
        raise error("empty", file=file.file)
    return columns


def _rows(file: SeriesFile, columns: Mapping[str, Sequence[str | None]]) -> Iterator[_Row]:
    """All rows, each checked by itself."""
    empty = [None] * len(file.rows)
    wanted = [columns.get(name, empty) for name in (*NEEDED[:2], *ENDS, *NUMBERS)]
    seen: dict[tuple[str, Period], int] = {}
    for row, *cells in zip(file.rows, *wanted, strict=True):
        name, when, origin, destination, *texts = ((cell or "").strip() for cell in cells)
        if not name:
            raise error("series", file=file.file, row=row, column="series")
        period = read_period(when)
        if period is None:
            raise error("period", file=file.file, row=row, column="period")
        if (before := seen.setdefault((name, period), row)) != row:
            raise error("duplicate", file=file.file, row=row, column="period", first=before)
        numbers = _checked(file, row, texts)
        yield _Row(name, period, numbers, (origin or "?", destination or "?"))


def _checked(file: SeriesFile, row: int, texts: Sequence[str]) -> tuple[float, float, float, float]:
    """The numbers of one row, checked against each other."""
    count, whole, noise, noise_of_whole = (
        _number(file, text, row, name) if text else math.nan
        for name, text in zip(NUMBERS, texts, strict=True)
    )
    noise = file.noise_sd if math.isnan(noise) else noise
    noise_of_whole = noise if math.isnan(noise_of_whole) else noise_of_whole
    for value, name in zip((noise, noise_of_whole), NUMBERS[2:], strict=True):
        if value < 0:
            raise error("noise", file=file.file, row=row, column=name)
    for value, sd, name in ((count, noise, "count"), (whole, noise_of_whole, "denominator")):
        if value < 0 and sd == 0:
            raise error("negative", file=file.file, row=row, column=name)
    if noise == 0 and noise_of_whole == 0 and count > whole:
        raise error("part-of-whole", file=file.file, row=row, column="denominator")
    return count, whole, noise, noise_of_whole


def _number(file: SeriesFile, text: str, row: int, column: str) -> float:
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if math.isnan(value) or abs(value) > LARGEST:
        raise error("number", file=file.file, row=row, column=column)
    return value


def _span(file: SeriesFile, periods: list[Period]) -> tuple[Period, Period]:
    """First and last period, of one kind."""
    kinds = {p.kind for p in periods}
    if len(kinds) > 1:
        at = next(k for k, p in enumerate(periods) if p.kind != periods[0].kind)
        raise error("mixed-periods", file=file.file, row=file.rows[at], column="period")
    first, last = min(periods), max(periods)
    if last.place - first.place >= MOST_PERIODS:
        raise error("too-many/periods", file=file.file, column="period", n=Numeral(MOST_PERIODS))
    if last.place - first.place + 1 < FEWEST_PERIODS:
        raise error("too-few-periods/file", file=file.file, column="period")
    return first, last


def _about_gaps(absent: int, zero: bool) -> Text:
    if zero:
        return many(
            "{n} period of a series has no row; it counts as zero, as you asked.",
            "{n} periods of series have no row; they count as zero, as you asked.",
            absent,
        )
    return many(
        "{n} period of a series has no row; it is missing, not zero (--gaps zero says otherwise).",
        "{n} periods of series have no row; they are missing, not zero (--gaps zero says "
        "otherwise).",
        absent,
    )
