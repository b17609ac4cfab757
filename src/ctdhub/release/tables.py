"""Records and counts as files: Parquet for programs, CSV for everyone.

The CSV files hold ASCII codes only, so they carry no byte order mark.  In CSV files of counts a
table's columns are joined with "*" and a cell's values with "|", in the same order; an empty
value means "not recorded".  Text that a spreadsheet would run as a formula gets a leading
apostrophe (OWASP, CSV injection).
"""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub.border import COUNTS, SHOWN, Perpetrators, Protected, restore
from ctdhub.core.datafiles import FORMULA, NUMBER
from ctdhub.core.error_catalogue import error
from ctdhub.release import measurements
from ctdhub.release.facts import PublicFacts
from ctdhub.release.manifest import Manifest
from ctdhub.schema.model import TableName, load_schema

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


def check_border(protected: object) -> Protected:
    """The argument itself, if it is a protected answer whose columns may be public.

    Raises:
        TypeError: it is not a Protected value.
        ReleaseError: a column is not a public variable of the schema, or is no text.
    """
    if not isinstance(protected, Protected):
        raise TypeError("a release is made of Protected values and of nothing else")
    strangers = _strangers("people", protected.records, protected.counts)
    if found := protected.perpetrators:
        strangers |= _strangers("perpetrators", found.records, found.counts)
    public = _public("people")
    strangers |= measurements.columns(protected.measurements) - public
    if sources := protected.sources:
        strangers |= (
            measurements.columns(sources.measurements) - public - measurements.SOURCE_COLUMNS
        )
    if strangers:
        names = ", ".join(sorted(strangers))
        raise error("public-columns", names=names)
    return protected


def _strangers(table: TableName, records: pa.Table, counts: pa.Table) -> set[str]:
    """Columns that are no public variables of a table, or no text."""
    public = _public(table)
    told = {f.name for f in records.schema if f.name not in public or f.type != pa.string()}
    return told | (measurements.columns(counts) - public)


def _public(table: TableName) -> set[str]:
    return {v.name for v in load_schema().table(table) if v.public}


def write_tables(protected: Protected, folder: Path) -> None:
    """Write records and counts as .parquet and .csv into a folder."""
    _write_pair(folder, RECORDS, protected.records, COUNTS_NAME, protected.counts)
    if found := protected.perpetrators:
        _write_pair(folder, PERPETRATORS, found.records, PERPETRATOR_COUNTS, found.counts)


def set_names(sets: int) -> tuple[str, ...]:
    """Files of so many sets of records for inference, in order.

    >>> set_names(2)
    ('imputation-01.parquet', 'imputation-02.parquet')
    """
    return tuple(f"imputation-{k:02}.parquet" for k in range(1, sets + 1))


def write_sets(protected: Protected, folder: Path) -> None:
    """Write the sets of records for inference, for programs alone: each is as large as records."""
    names = set_names(len(protected.imputations))
    for name, table in zip(names, protected.imputations, strict=True):
        pq.write_table(table, folder / name, compression="zstd")


def sound_sets(folder: Path, manifest: Manifest) -> bool:
    """Whether every set has the columns of the records, read one after the other."""
    columns = pq.read_schema(folder / f"{RECORDS}.parquet")
    try:
        found = (pq.read_table(folder / name) for name in set_names(manifest.imputations))
        return all(table.schema.equals(columns) for table in found)
    except (pa.ArrowInvalid, OSError):
        return False


def write_measured(protected: Protected, folder: Path) -> None:
    """Write the noisy measurements of a release, see :mod:`ctdhub.release.measurements`.

    As text, counts by year have a row per group and a column per year.
    """
    for name, table in measurements.tables(protected).items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        if name == measurements.MEASURED:
            years = PublicFacts.of(protected.facts).years
            table = measurements.wide(table, protected.guarantee.sigma, years)
        write_csv(table, folder / f"{name}.csv")


def _write_pair(
    folder: Path, records_name: str, records: pa.Table, counts_name: str, counts: pa.Table
) -> None:
    for name, table in ((records_name, records), (counts_name, counts)):
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        write_csv(table, folder / f"{name}.csv")


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


def read_protected(folder: Path, manifest: Manifest) -> Protected:
    """The protected answer of a release, from its Parquet files and its manifest.

    Raises:
        ReleaseError: the tables break their schema, disagree with the manifest, or hold columns
            that may not be public.
    """
    try:
        protected = restore(
            records=pq.read_table(folder / f"{RECORDS}.parquet"),
            counts=_read_counts(folder / f"{COUNTS_NAME}.parquet"),
            perpetrators=_read_perpetrators(folder, manifest),
            measurements=measurements.read_measurements(folder, manifest),
            sources=measurements.read_sources(folder, manifest),
            people=manifest.people.estimate(),
            case_records=manifest.case_records.estimate(),
            guarantee=manifest.guarantee(),
            facts=manifest.facts,
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
        raise error("content/release", file=folder) from None
    return check_border(protected)


def _read_counts(path: Path) -> pa.Table:
    """Counts that keep their schema, else a ValueError."""
    counts = pq.read_table(path)
    if counts.schema.names != COUNTS.names or not _sound(counts):
        raise ValueError
    return counts.cast(COUNTS)


def _read_perpetrators(folder: Path, manifest: Manifest) -> Perpetrators | None:
    """Perpetrators that are as the manifest states them, else a ValueError."""
    stated = manifest.perpetrators
    if stated is None:
        return None
    found = Perpetrators(
        records=pq.read_table(folder / f"{PERPETRATORS}.parquet"),
        counts=_read_counts(folder / f"{PERPETRATOR_COUNTS}.parquet"),
        rows=stated.rows_per_person,
        sigma=dict(stated.sigma),
    )
    if found.total != stated.estimate():
        raise ValueError
    return found


def _sound(counts: pa.Table) -> bool:
    """Whether each count lies in its interval and is shown exactly where ``low`` is above 0."""
    count, low, high = counts["count"], counts["low"], counts["high"]
    lengths = (pc.list_value_length(counts[name]) for name in ("columns", "values"))
    tests = (
        pc.greater_equal(count, 0),
        pc.less_equal(low, count),
        pc.less_equal(count, high),
        pc.equal(*lengths),
        pc.equal(pc.equal(counts["state"], SHOWN), pc.greater(low, 0)),
    )
    return all(pc.all(test, min_count=0).as_py() for test in tests) and not any(
        counts[name].null_count for name in COUNTS.names
    )


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
