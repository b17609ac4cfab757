"""A table of series, in long form, as a panel: one row for each series and period.

series, period, count                                   must be there
denominator, noise_sd, denominator_noise_sd             may be there
origin, destination                                     may be there, of corridors
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ctdhub.core.errors import error
from ctdhub.core.i18n import Numeral, Several, Text, many
from ctdhub.stats.signals.events import sides_of
from ctdhub.stats.signals.panel import Period, SeriesPanel, as_months, read_period

# --------------------------------------------------------------------------------------------------
# The rows of a table of series as values, each checked by itself.

LARGEST = 1e12
"""No count is larger than this."""


@dataclass(frozen=True)
class Given:
    """A table as text: ``columns`` by name, the ``rows`` as a spreadsheet shows them, the name of
    its file, the noise of counts without one of their own, and whether an absent row means 0."""

    columns: Mapping[str, Sequence[str | None]]
    rows: Sequence[int]
    file: str
    noise_sd: float = 0.0
    gaps_are_zero: bool = False


@dataclass(frozen=True)
class SeriesRows:
    """The columns as values, in the order of the rows."""

    names: list[str]
    periods: list[Period]
    counts: list[float]
    wholes: list[float]
    noise: list[float]
    noise_of_wholes: list[float]
    sides: dict[str, tuple[str, str]]
    """Origin and destination of each series; empty without these columns."""


def read_cells(given: Given, columns: Mapping[str, Sequence[str | None]]) -> SeriesRows:
    """All rows.

    Args:
        columns: those of ``given`` by their names in small letters.

    Raises:
        HubError: a row is wrong, with its number, column, rule and remedy.
    """
    empty: Sequence[str | None] = [None] * len(given.rows)
    cells = SeriesRows([], [], [], [], [], [], {})
    seen: dict[tuple[str, Period], int] = {}
    for k, row in enumerate(given.rows):
        name = (columns["series"][k] or "").strip()
        if not name:
            raise error("series", file=given.file, row=row, column="series")
        period = read_period(columns["period"][k] or "")
        if period is None:
            raise error("period", file=given.file, row=row, column="period")
        if (before := seen.setdefault((name, period), row)) != row:
            raise error("duplicate", file=given.file, row=row, column="period", first=before)
        if "origin" in columns and "destination" in columns:
            ends = ((columns[end][k] or "").strip() for end in ("origin", "destination"))
            origin, destination = ends
            cells.sides.setdefault(name, (origin or "?", destination or "?"))
        cells.names.append(name)
        cells.periods.append(period)
        _numbers(given, columns, empty, k, cells)
    return cells


def _numbers(
    given: Given,
    columns: Mapping[str, Sequence[str | None]],
    empty: Sequence[str | None],
    k: int,
    cells: SeriesRows,
) -> None:
    """The numbers of one row, checked against each other."""
    row = given.rows[k]

    def read(name: str) -> float:
        text = (columns.get(name, empty)[k] or "").strip()
        return _number(given, text, row, name) if text else math.nan

    count, whole = read("count"), read("denominator")
    noise, noise_of_whole = read("noise_sd"), read("denominator_noise_sd")
    noise = given.noise_sd if math.isnan(noise) else noise
    noise_of_whole = noise if math.isnan(noise_of_whole) else noise_of_whole
    for value, name in ((noise, "noise_sd"), (noise_of_whole, "denominator_noise_sd")):
        if value < 0:
            raise error("noise", file=given.file, row=row, column=name)
    for value, sd, name in ((count, noise, "count"), (whole, noise_of_whole, "denominator")):
        if value < 0 and sd == 0:
            raise error("negative", file=given.file, row=row, column=name)
    if noise == 0 and noise_of_whole == 0 and count > whole:
        raise error("part-of-whole", file=given.file, row=row, column="denominator")
    cells.counts.append(count)
    cells.wholes.append(whole)
    cells.noise.append(noise)
    cells.noise_of_wholes.append(noise_of_whole)


def _number(given: Given, text: str, row: int, column: str) -> float:
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if math.isnan(value) or abs(value) > LARGEST:
        raise error("number", file=given.file, row=row, column=column)
    return value


NEEDED, OPTIONAL = (
    ("series", "period", "count"),
    (
        "denominator",
        "noise_sd",
        "denominator_noise_sd",
        "origin",
        "destination",
    ),
)
MOST_PERIODS, MOST_CELLS = 10_000, 20_000_000
FEWEST_PERIODS = 4
"""Three of the past and one to look at."""


def panel_of_table(given: Given) -> tuple[SeriesPanel, tuple[Text, ...]]:
    """Read a table; the order of its rows does not matter.

    Returns:
        The panel, and warnings.

    Raises:
        HubError: with row, column, rule and remedy.
    """
    columns = _columns(given)
    cells = read_cells(given, columns)
    warnings = _strangers(columns)
    if months := as_months(set(cells.periods)):
        cells.periods[:] = [months[p] for p in cells.periods]
        warnings.append(Text("All days are the first of a month; they are read as months."))
    first, last = _span(given, cells.periods)
    names = sorted(set(cells.names))
    if len(names) * (last.place - first.place + 1) > MOST_CELLS:
        raise error("too-many", file=given.file)
    panel, absent = _filled(given, cells, names, first, last)
    if absent:
        warnings.append(_about_gaps(absent, given.gaps_are_zero))
    return panel, tuple(warnings)


def _columns(given: Given) -> dict[str, Sequence[str | None]]:
    """The columns by their names in small letters."""
    found: dict[str, Sequence[str | None]] = {}
    for name, column in given.columns.items():
        key = name.strip().lower()
        if key in found:
            raise error("columns/twice", file=given.file, column=name)
        found[key] = column
    if missing := [n for n in NEEDED if n not in found]:
        raise error("columns/missing", file=given.file, names=", ".join(missing))
    if not given.rows:
        raise error("empty", file=given.file)
    return found


def _strangers(columns: Mapping[str, object]) -> list[Text]:
    others = tuple(n for n in columns if n not in (*NEEDED, *OPTIONAL))
    return [Text("Columns that are not used: {names}.", names=Several(others, 300))] * bool(others)


def _span(given: Given, periods: list[Period]) -> tuple[Period, Period]:
    """First and last period, of one kind."""
    kinds = {p.kind for p in periods}
    if len(kinds) > 1:
        at = next(k for k, p in enumerate(periods) if p.kind != periods[0].kind)
        raise error("mixed-periods", file=given.file, row=given.rows[at], column="period")
    first, last = min(periods), max(periods)
    if last.place - first.place >= MOST_PERIODS:
        raise error("too-many/periods", file=given.file, column="period", n=Numeral(MOST_PERIODS))
    if last.place - first.place + 1 < FEWEST_PERIODS:
        raise error("too-few-periods/file", file=given.file, column="period")
    return first, last


def _filled(
    given: Given, cells: SeriesRows, names: list[str], first: Period, last: Period
) -> tuple[SeriesPanel, int]:
    """The panel, and how many of its cells have no row."""
    periods = tuple(Period(first.kind, p) for p in range(first.place, last.place + 1))
    place = {name: k for k, name in enumerate(names)}
    rows = np.array([place[name] for name in cells.names])
    at = np.array([p.place - first.place for p in cells.periods])
    shape = (len(names), len(periods))
    stated = np.zeros(shape, dtype=bool)
    stated[rows, at] = True
    absent = 0.0 if given.gaps_are_zero else math.nan
    counts = np.full(shape, absent)
    has_whole = np.zeros(len(names), dtype=bool)
    has_whole[rows[~np.isnan(cells.wholes)]] = True
    wholes = np.where(has_whole[:, None], absent, np.full(shape, math.nan))
    noise, noise_of_wholes = np.full(shape, given.noise_sd), np.full(shape, given.noise_sd)
    for array, values in (
        (counts, cells.counts),
        (wholes, cells.wholes),
        (noise, cells.noise),
        (noise_of_wholes, cells.noise_of_wholes),
    ):
        array[rows, at] = values
    sides = tuple(cells.sides[name] for name in names) if cells.sides else sides_of(names)
    panel = SeriesPanel(tuple(names), periods, counts, wholes, noise, noise_of_wholes, sides)
    return panel, int((~stated).sum())


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
