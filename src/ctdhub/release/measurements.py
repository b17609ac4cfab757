"""Noisy measurements among the files of a release: counts by year, contributors, overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.border import (
    BIRTH,
    CAPTURES,
    DOUBLES,
    LIST_JOIN,
    LISTS,
    MEASUREMENTS,
    POSSIBLE,
    UNKEYED,
    Protected,
    Sources,
)
from ctdhub.release.facts import PublicFacts
from ctdhub.release.manifest import Manifest
from ctdhub.schema.roles import CONTRIBUTOR, DESTINATION_REGION, ORIGIN_REGION, PERIOD

NOT_RECORDED = "not_recorded"
MEASURED, SOURCES = "measurements", "sources"
MEASUREMENT_FILES = tuple(f"{MEASURED}.{kind}" for kind in ("csv", "parquet"))
"""In every release of a hub, whether any group is shown or not."""
SOURCE_FILES = tuple(f"{SOURCES}.{kind}" for kind in ("csv", "parquet"))
"""In every release where the policy gives sources a share."""
SOURCE_COLUMNS = frozenset(
    {
        CONTRIBUTOR,
        LISTS,
        DOUBLES,
        UNKEYED,
        POSSIBLE,
        BIRTH,
        CAPTURES,
        ORIGIN_REGION,
        DESTINATION_REGION,
    }
)
"""Columns that measurements by contributor may have beside the public variables of people."""


@dataclass(frozen=True)
class YearCounts:
    """Noisy counts of the people of a group by year.

    Attributes:
        of: values by variable, in the order of the table.
        table: key of its noise in ``sigma``.
        noisy: people by year; "" where the year is not recorded.
    """

    of: tuple[tuple[str, str], ...]
    table: str
    noisy: dict[str, float]


Groups = dict[frozenset[tuple[str, str]], YearCounts]


def tables(protected: Protected) -> dict[str, pa.Table]:
    """The tables of noisy measurements by the name of their files."""
    found = {MEASURED: protected.measurements}
    if protected.sources:
        found[SOURCES] = protected.sources.measurements
    return found


def expected(manifest: Manifest) -> tuple[set[str], set[str]]:
    """Files of measurements that a release must have, and those that it must not have."""
    if manifest.sources:
        return {*MEASUREMENT_FILES, *SOURCE_FILES}, set()
    return {*MEASUREMENT_FILES}, {*SOURCE_FILES}


def columns(table: pa.Table) -> set[str]:
    """The variables that measurements are about."""
    return set(pc.unique(pc.list_flatten(table["columns"])).to_pylist())


def read_measurements(folder: Path, manifest: Manifest) -> pa.Table:
    """Noisy counts by year as the manifest states them, else a ValueError."""
    table = _read(folder / f"{MEASURED}.parquet", manifest.measurements.rows, manifest.sigma)
    told = _values(table, PERIOD).to_pylist()
    years = _measured_years(told, manifest)
    if len(told) != table.num_rows or told != years * (len(told) // len(years)):
        raise ValueError
    return table


def read_sources(folder: Path, manifest: Manifest) -> Sources | None:
    """Measurements by contributor as the manifest states them, else a ValueError."""
    stated = manifest.sources
    if stated is None:
        return None
    table = _read(folder / f"{SOURCES}.parquet", stated.rows, stated.sigma)
    contributors, lists = (set(_values(table, of).to_pylist()) for of in (CONTRIBUTOR, LISTS))
    listed = {name for value in lists for name in value.split(LIST_JOIN)}
    years = set(_measured_years(_values(table, PERIOD).to_pylist(), manifest))
    if (
        not contributors <= {"", *stated.contributors}
        or not listed <= set(stated.lists)
        or any(set(group.noisy) != years for group in by_year(table).values())
    ):
        raise ValueError
    return Sources(
        stated.contributors,
        stated.lists,
        table,
        dict(stated.sigma),
        stated.share,
        stated.list_years,
        stated.tokens,
        stated.found,
        stated.merged,
    )


def _read(path: Path, rows: int, sigma: Mapping[str, float]) -> pa.Table:
    table = pq.read_table(path)
    if table.schema.names != MEASUREMENTS.names or table.num_rows != rows:
        raise ValueError
    table = table.cast(MEASUREMENTS)
    lengths = (pc.list_value_length(table[name]) for name in ("columns", "values"))
    tests = (pc.equal(*lengths), pc.is_finite(table["noisy"]))
    if any(table[name].null_count for name in MEASUREMENTS.names) or not all(
        pc.all(test, min_count=0).as_py() for test in tests
    ):
        raise ValueError
    joined = pc.unique(pc.binary_join(table["columns"], "*"))
    if not set(joined.to_pylist()) <= set(sigma):
        raise ValueError
    return table


def _values(table: pa.Table, column: str) -> pa.ChunkedArray:
    """Values of one variable, of the rows that have it."""
    names, values = (pc.list_flatten(table[part]) for part in ("columns", "values"))
    return values.filter(pc.equal(names, column))


def _measured_years(told: list[str], manifest: Manifest) -> list[str]:
    """Those of a release's years that a table names, in order, and "" for not recorded."""
    first, last = PublicFacts.of(manifest.facts).years
    return [*(y for y in map(str, range(first, last + 1)) if y in {*told}), ""]


def fields(manifest: Manifest, years: tuple[int, int]) -> dict[str, dict[str, tuple[str, str]]]:
    """Type and meaning of each column of the CSV files that the manifest states, by their name.

    Args:
        years: first and last year of the release.
    """
    columns = ("string", 'Variables of the group, joined with "*"; empty: everybody.')
    values = ("string", 'Their values in the same order, joined with "|"; empty: not recorded.')
    unbiased = "noisy, unbiased, may be negative; not to be read by itself"
    sigma = "Standard deviation of the noise of each number of the row, in people."
    found = {
        MEASURED: {
            "columns": columns,
            "values": values,
            "sigma": ("number", sigma),
            **{
                str(year): ("number", f"People of {year}: {unbiased}.")
                for year in range(years[0], years[1] + 1)
            },
            NOT_RECORDED: ("number", f"People whose year is not recorded: {unbiased}."),
        }
    }
    if manifest.sources:
        found[SOURCES] = {
            "columns": columns,
            "values": values,
            "noisy": ("number", f"People of the cell: {unbiased}."),
        }
    return found


def by_year(table: pa.Table) -> Groups:
    """Noisy counts by year of each group of a table; rows that name no year are left out."""
    found: Groups = {}
    columns, values = (table[name].combine_chunks() for name in ("columns", "values"))
    keys = pc.binary_join(columns, "*").dictionary_encode()
    tables, ends = keys.dictionary.to_pylist(), values.offsets.to_pylist()
    texts, noisy = values.values.to_pylist(), table["noisy"].to_pylist()
    for row, which in enumerate(keys.indices.to_pylist()):
        cell = dict(zip(tables[which].split("*"), texts[ends[row] : ends[row + 1]], strict=True))
        if (year := cell.pop(PERIOD, None)) is not None:
            of = tuple(cell.items())
            group = found.setdefault(frozenset(of), YearCounts(of, tables[which], {}))
            group.noisy[year] = noisy[row]
    return found


def wide(table: pa.Table, sigma: Mapping[str, float], years: tuple[int, int]) -> pa.Table:
    """Counts by year as people read them: a row per group, its noise, then a column per year.

    Args:
        sigma: standard deviation of the noise by table.
        years: first and last year of the release; one that nobody reports on stays empty.
    """
    groups = list(by_year(table).values())
    of = [list(zip(*g.of, strict=True)) or [(), ()] for g in groups]
    columns = {
        "columns": pa.array([names for names, _values in of], pa.list_(pa.string())),
        "values": pa.array([values for _names, values in of], pa.list_(pa.string())),
        "sigma": pa.array([round(sigma[g.table], 3) for g in groups], pa.float64()),
    }
    for year in (*map(str, range(years[0], years[1] + 1)), ""):
        cells = pa.array([g.noisy.get(year) for g in groups], pa.float64())
        columns[year or NOT_RECORDED] = cells
    return pa.table(columns)
