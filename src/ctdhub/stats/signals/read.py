"""A table of series, in long form, as a panel: one row for each series and period.

series, period, count                                   must be there
denominator, noise_sd, denominator_noise_sd             may be there
origin, destination                                     may be there, of corridors
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Numeral, Several, Text, many
from ctdhub.stats.signals.cells import Given, SeriesRows, read_cells
from ctdhub.stats.signals.corridor_totals import sides_of
from ctdhub.stats.signals.panel import SeriesPanel
from ctdhub.stats.signals.periods import Period, as_months

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
