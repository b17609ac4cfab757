"""The rows of a table of series as values, each checked by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ctdhub.core.error_catalogue import error
from ctdhub.stats.signals.periods import Period, read_period

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
