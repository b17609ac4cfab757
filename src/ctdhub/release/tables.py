"""Records, counts and noisy measurements of a release as files: Parquet for programs, CSV for
everyone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub import border
from ctdhub.core.errors import error
from ctdhub.core.tables import FORMULA, NUMBER
from ctdhub.release.manifest import OF_SOURCES, Manifest, PublicFacts
from ctdhub.schema import model

# --------------------------------------------------------------------------------------------------
# Noisy measurements among the files of a release: counts by year, contributors, overlap.

NOT_RECORDED = "not_recorded"
MEASURED, SOURCES = "measurements", "sources"
MEASUREMENT_FILES = tuple(f"{MEASURED}.{kind}" for kind in ("csv", "parquet"))
"""In every release of a hub, whether any group is shown or not."""
SOURCE_FILES = tuple(f"{SOURCES}.{kind}" for kind in ("csv", "parquet"))
"""In every release where the policy gives sources a share."""
SOURCE_COLUMNS = frozenset(
    {
        model.CONTRIBUTOR,
        border.LISTS,
        border.DOUBLES,
        border.UNKEYED,
        border.POSSIBLE,
        border.CAPTURES,
        model.ORIGIN_REGION,
        model.DESTINATION_REGION,
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


def measured_columns(table: pa.Table) -> set[str]:
    """The variables that measurements are about."""
    return set(pc.unique(pc.list_flatten(table["columns"])).to_pylist())


def read_measurements(folder: Path, manifest: Manifest) -> pa.Table:
    """Noisy counts by year, and of regions, as the manifest states them, else a ValueError."""
    known = manifest.sigma | manifest.regions
    table = _read(folder / f"{MEASURED}.parquet", manifest.measurements.rows, known)
    periods = _values(table, model.PERIOD).to_pylist()
    spans = len(_values(table, model.MERGED[model.PERIOD]))
    years = _measured_years({*periods}, manifest)
    if len(periods) + spans != table.num_rows or periods != years * (len(periods) // len(years)):
        raise ValueError
    return table


def read_sources(folder: Path, manifest: Manifest) -> border.Sources | None:
    """Measurements by contributor as the manifest states them, else a ValueError."""
    stated = manifest.sources
    if stated is None:
        return None
    table = _read(folder / f"{SOURCES}.parquet", stated.rows, stated.sigma)
    contributors, lists = (
        set(_values(table, of).to_pylist()) for of in (model.CONTRIBUTOR, border.LISTS)
    )
    listed = {name for value in lists for name in value.split(border.LIST_JOIN)}
    years = {*_measured_years({*_values(table, model.PERIOD).to_pylist()}, manifest)}
    if (
        not contributors <= {"", *stated.contributors}
        or not listed <= set(stated.lists)
        or any(set(group.noisy) != years for group in by_year(table).values())
    ):
        raise ValueError
    return border.Sources(
        measurements=table, **{name: getattr(stated, name) for name in OF_SOURCES}
    )


def _read(path: Path, rows: int, sigma: Mapping[str, float]) -> pa.Table:
    table = _cells(path, border.MEASUREMENTS).cast(border.MEASUREMENTS)
    if table.num_rows != rows or not _always(pc.is_finite(table["noisy"])):
        raise ValueError
    joined = pc.unique(pc.binary_join(table["columns"], "*"))
    if not set(joined.to_pylist()) <= set(sigma):
        raise ValueError
    return table


def _cells(path: Path, schema: pa.Schema) -> pa.Table:
    """Cells of tables that keep their schema, each with a value for each column, else a
    ValueError."""
    table = pq.read_table(path)
    if table.schema.names != schema.names or any(table[n].null_count for n in schema.names):
        raise ValueError
    if not _always(pc.equal(*(pc.list_value_length(table[n]) for n in ("columns", "values")))):
        raise ValueError
    return table


def _always(test: pa.ChunkedArray) -> bool:
    return bool(pc.all(test, min_count=0).as_py())


def _values(table: pa.Table, column: str) -> pa.ChunkedArray:
    """Values of one variable, of the rows that have it."""
    names, values = (pc.list_flatten(table[part]) for part in ("columns", "values"))
    return values.filter(pc.equal(names, column))


def _measured_years(periods: set[str], manifest: Manifest) -> list[str]:
    """Those of a release's years that a table names, in order, and "" for not recorded."""
    first, last = PublicFacts.of(manifest.facts).years
    return [*(y for y in map(str, range(first, last + 1)) if y in periods), ""]


def measured_fields(
    manifest: Manifest, years: tuple[int, int]
) -> dict[str, dict[str, tuple[str, str]]]:
    """Type and meaning of each column of the CSV files that the manifest states, by their name.

    Args:
        years: first and last year of the release.
    """
    columns = ("string", 'Variables of the group, joined with "*"; empty: everybody.')
    values = ("string", 'Their values in the same order, joined with "|"; empty: not recorded.')
    unbiased = "noisy, unbiased, may be negative; not to be read by itself"
    sigma = "Standard deviation of the noise of each number of the row, in people."
    files = {
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
        files[SOURCES] = {
            "columns": columns,
            "values": values,
            "noisy": ("number", f"People of the cell: {unbiased}."),
        }
    return files


def by_year(table: pa.Table) -> Groups:
    """Noisy counts by year of each group of a table; rows that name no year are left out."""
    groups: Groups = {}
    columns, values = (table[name].combine_chunks() for name in ("columns", "values"))
    keys = pc.binary_join(columns, "*").dictionary_encode()
    tables, ends = keys.dictionary.to_pylist(), values.offsets.to_pylist()
    texts, noisy = values.values.to_pylist(), table["noisy"].to_pylist()
    for row, which in enumerate(keys.indices.to_pylist()):
        cell = dict(zip(tables[which].split("*"), texts[ends[row] : ends[row + 1]], strict=True))
        if (year := cell.pop(model.PERIOD, None)) is not None:
            key = frozenset(of := tuple(cell.items()))
            group = groups.get(key) or groups.setdefault(key, YearCounts(of, tables[which], {}))
            group.noisy[year] = noisy[row]
    return groups


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


# --------------------------------------------------------------------------------------------------
# Records and counts as files: Parquet for programs, CSV for everyone.
#
# The CSV files hold ASCII codes only, so they carry no byte order mark.  In CSV files of counts a
# table's columns are joined with "*" and a cell's values with "|", in the same order; an empty
# value means "not recorded".  Text that a spreadsheet would run as a formula gets a leading
# apostrophe (OWASP, CSV injection).

RECORDS, COUNTS_NAME = "records", "counts"
SET = re.compile(r"imputation-\d+\.parquet")
"""Names of sets of records for inference."""
PERPETRATORS, PERPETRATOR_COUNTS = "perpetrators", "perpetrator_counts"
PERPETRATOR_FILES = tuple(
    f"{name}.{kind}" for name in (PERPETRATORS, PERPETRATOR_COUNTS) for kind in ("csv", "parquet")
)
"""In every release where the policy gives perpetrators a share, whether there are any or not."""
COLUMN_JOIN, VALUE_JOIN = "*", "|"
_ROWS_AT_ONCE = 2**14


def check_border(protected: object) -> border.Protected:
    """The argument itself, if it is a protected answer whose columns may be public.

    Raises:
        TypeError: it is not a Protected value.
        ReleaseError: a column is not a public variable of the schema, or is no text.
    """
    if not isinstance(protected, border.Protected):
        raise TypeError("a release is made of Protected values and of nothing else")
    strangers = _strangers("people", protected.records, protected.counts)
    if perpetrators := protected.perpetrators:
        strangers |= _strangers("perpetrators", perpetrators.records, perpetrators.counts)
    public = _public("people")
    regions = {name for key in protected.guarantee.regions for name in key.split(COLUMN_JOIN)}
    strangers |= (
        measured_columns(protected.measurements) - public - (regions & {*model.MERGED.values()})
    )
    if sources := protected.sources:
        strangers |= measured_columns(sources.measurements) - public - SOURCE_COLUMNS
    if strangers:
        names = ", ".join(sorted(strangers))
        raise error("public-columns", names=names)
    return protected


def _strangers(table: model.TableName, records: pa.Table, counts: pa.Table) -> set[str]:
    """Columns that are no public variables of a table, or no text."""
    public = _public(table)
    names = {f.name for f in records.schema if f.name not in public or f.type != pa.string()}
    return names | (measured_columns(counts) - public)


def _public(table: model.TableName) -> set[str]:
    return {v.name for v in model.load_schema().table(table) if v.public}


def write_tables(protected: border.Protected, folder: Path) -> None:
    """Write records and counts as .parquet and .csv into a folder."""
    tables = {RECORDS: protected.records, COUNTS_NAME: protected.counts}
    if perpetrators := protected.perpetrators:
        tables |= {PERPETRATORS: perpetrators.records, PERPETRATOR_COUNTS: perpetrators.counts}
    for name, table in tables.items():
        _write(folder, name, table, table)


def set_names(sets: int) -> tuple[str, ...]:
    """Files of so many sets of records for inference, in order.

    >>> set_names(2)
    ('imputation-01.parquet', 'imputation-02.parquet')
    """
    return tuple(f"imputation-{k:02}.parquet" for k in range(1, sets + 1))


def write_sets(sets: Iterable[pa.Table], folder: Path, names: Iterable[str]) -> None:
    """Write sets of records for inference, for programs alone: each is as large as records."""
    for name, table in zip(names, sets, strict=True):
        pq.write_table(table, folder / name, compression="zstd")


def sound_sets(folder: Path, manifest: Manifest) -> bool:
    """Whether every set has the columns of the records, read one after the other."""
    columns = pq.read_schema(folder / f"{RECORDS}.parquet")
    try:
        sets = (pq.read_table(folder / name) for name in set_names(manifest.imputations))
        return all(table.schema.equals(columns) for table in sets)
    except (pa.ArrowInvalid, OSError):
        return False


def write_measured(protected: border.Protected, folder: Path) -> None:
    """Write the noisy measurements of a release, see :mod:`ctdhub.release.tables`.

    As text, counts by year have a row per group and a column per year.
    """
    table, sources = protected.measurements, protected.sources
    years = PublicFacts.of(protected.facts).years
    _write(folder, MEASURED, table, wide(table, protected.guarantee.sigma, years))
    if sources:
        _write(folder, SOURCES, sources.measurements, sources.measurements)


def _write(folder: Path, name: str, table: pa.Table, as_text: pa.Table) -> None:
    pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    write_csv(as_text, folder / f"{name}.csv")


def write_csv(table: pa.Table, path: Path, style: str = "needed") -> None:
    """Write a table as CSV, lists joined and formulas made harmless, some rows at a time.

    Args:
        style: which cells are quoted, see ``pyarrow.csv.WriteOptions``.
    """
    options = pa_csv.WriteOptions(quoting_style=style)
    with pa_csv.CSVWriter(path, _flat(table.slice(0, 0)).schema, write_options=options) as out:
        for start in range(0, table.num_rows, _ROWS_AT_ONCE):
            out.write_table(_flat(table.slice(start, _ROWS_AT_ONCE)))


def _flat(table: pa.Table) -> pa.Table:
    joins = {"columns": COLUMN_JOIN, "values": VALUE_JOIN}
    for i, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            joined = pc.binary_join(table[i], joins[field.name])
            table = table.set_column(i, field.name, joined)
    return without_formulas(table)


def read_protected(folder: Path, manifest: Manifest) -> border.Protected:
    """The protected answer of a release, from its Parquet files and its manifest.

    Raises:
        ReleaseError: the tables break their schema, disagree with the manifest, or hold columns
            that may not be public.
    """
    try:
        protected = border.restore(
            records=pq.read_table(folder / f"{RECORDS}.parquet"),
            counts=_read_counts(folder / f"{COUNTS_NAME}.parquet"),
            perpetrators=_read_perpetrators(folder, manifest),
            measurements=read_measurements(folder, manifest),
            sources=read_sources(folder, manifest),
            people=manifest.people.estimate(),
            case_records=manifest.case_records.estimate(),
            guarantee=manifest.guarantee(),
            facts=manifest.facts,
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
        raise error("content/release", file=folder) from None
    return check_border(protected)


def _read_counts(path: Path) -> pa.Table:
    """Counts that lie in their intervals and are shown exactly where ``low`` is above 0, else a
    ValueError."""
    table = _cells(path, border.COUNTS)
    count, low, high = table["count"], table["low"], table["high"]
    tests = (
        pc.greater_equal(count, 0),
        pc.less_equal(low, count),
        pc.less_equal(count, high),
        pc.equal(pc.equal(table["state"], border.SHOWN), pc.greater(low, 0)),
    )
    if not all(map(_always, tests)):
        raise ValueError
    return table.cast(border.COUNTS)


def _read_perpetrators(folder: Path, manifest: Manifest) -> border.Perpetrators | None:
    """Perpetrators that are as the manifest states them, else a ValueError."""
    stated = manifest.perpetrators
    if stated is None:
        return None
    perpetrators = border.Perpetrators(
        records=pq.read_table(folder / f"{PERPETRATORS}.parquet"),
        counts=_read_counts(folder / f"{PERPETRATOR_COUNTS}.parquet"),
        rows=stated.rows_per_person,
        sigma=dict(stated.sigma),
    )
    if perpetrators.total != stated.estimate():
        raise ValueError
    return perpetrators


def without_formulas(table: pa.Table) -> pa.Table:
    """The table with every text that a spreadsheet would run made harmless; numbers are harmless.

    >>> without_formulas(pa.table({"a": ["=1+1", "9-17", "-1.5", None]}))["a"].to_pylist()
    ["'=1+1", '9-17', '-1.5', None]
    """
    for i, field in enumerate(table.schema):
        if field.type == pa.string():
            texts = pc.dictionary_encode(table[i].combine_chunks())  # few values, many rows
            risky = pc.replace_substring_regex(texts.dictionary, FORMULA, r"'\1")
            number = pc.match_substring_regex(texts.dictionary, NUMBER)
            safe = pc.if_else(number, texts.dictionary, risky)
            table = table.set_column(i, field.name, safe.take(texts.indices))
    return table
