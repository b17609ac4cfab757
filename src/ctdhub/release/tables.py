"""Records and counts as files: Parquet for programs, CSV for everyone.

Belongs here: the two forms of the two tables.  Does not belong here: what they say about them.

The CSV files hold ASCII codes only, so they carry no byte order mark.  In ``counts.csv`` a
table's columns are joined with "*" and a cell's values with "|", in the same order; an empty
value means "not recorded".  Text that a spreadsheet would run as a formula gets a leading
apostrophe (OWASP, CSV injection).
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub.errors import ReleaseError
from ctdhub.i18n import _
from ctdhub.protect.border import COUNTS, SHOWN, Protected, restore
from ctdhub.release.manifest import Manifest
from ctdhub.schema import load_schema

RECORDS, COUNTS_NAME = "records", "counts"
COLUMN_JOIN, VALUE_JOIN = "*", "|"
_FORMULA = r"^([=+\-@\t\r\n＝＋－＠])"


def check_border(protected: object) -> Protected:
    """The argument itself, if it is a protected answer whose columns may be public.

    Raises:
        TypeError: it is not a Protected value.
        ReleaseError: a column is not a public variable of the schema, or is no text.
    """
    if not isinstance(protected, Protected):
        raise TypeError("a release is made of Protected values and of nothing else")
    public = {v.name for v in load_schema().table("people") if v.public}
    measured = pc.unique(pc.list_flatten(protected.counts["columns"])).to_pylist()
    strangers = sorted(
        {f.name for f in protected.records.schema if f.name not in public or f.type != pa.string()}
        | (set(measured) - public)
    )
    if strangers:
        what = _("These columns are not public variables of the schema: {names}.")
        fix = _("Remove them from the columns in policy.yaml, then build again.")
        raise ReleaseError(what.format(names=", ".join(strangers)), fix, rule="public-columns")
    return protected


def write_tables(protected: Protected, folder: Path) -> None:
    """Write records and counts as .parquet and .csv into a folder."""
    joined = pa.table(
        {
            "columns": pc.binary_join(protected.counts["columns"], COLUMN_JOIN),
            "values": pc.binary_join(protected.counts["values"], VALUE_JOIN),
            **{name: protected.counts[name] for name in ("count", "low", "high", "state")},
        }
    )
    pairs = (
        (RECORDS, protected.records, protected.records),
        (COUNTS_NAME, protected.counts, joined),
    )
    for name, table, flat in pairs:
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        pa_csv.write_csv(
            without_formulas(flat),
            folder / f"{name}.csv",
            pa_csv.WriteOptions(quoting_style="needed"),
        )


def read_protected(folder: Path, manifest: Manifest) -> Protected:
    """The protected answer of a release, from its Parquet files and its manifest.

    Raises:
        ReleaseError: the tables break their schema, disagree with the manifest, or hold columns
            that may not be public.
    """
    try:
        records = pq.read_table(folder / f"{RECORDS}.parquet")
        counts = pq.read_table(folder / f"{COUNTS_NAME}.parquet")
        if counts.schema.names != COUNTS.names or not _sound(counts):
            raise ValueError
        protected = restore(
            records=records,
            counts=counts.cast(COUNTS),
            people=manifest.people.estimate(),
            case_records=manifest.case_records.estimate(),
            guarantee=manifest.guarantee(),
            facts=manifest.facts,
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
        what = _("The tables break their schema, or disagree with the manifest.")
        fix = _("Restore the release from a copy.")
        raise ReleaseError(what, fix, file=folder, rule="content") from None
    return check_border(protected)


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
    """The table with every text that a spreadsheet would run made harmless.

    >>> without_formulas(pa.table({"a": ["=1+1", "9-17", None]}))["a"].to_pylist()
    ["'=1+1", '9-17', None]
    """
    for i, field in enumerate(table.schema):
        if field.type == pa.string():
            safe = pc.replace_substring_regex(table[i], pattern=_FORMULA, replacement=r"'\1")
            table = table.set_column(i, field.name, safe)
    return table
