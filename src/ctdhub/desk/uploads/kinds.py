"""What a file may be called by its ending: all that is kept of its name."""

from __future__ import annotations

BUNDLE = "ctdbundle"
TABLES = (
    "csv", "tsv", "tab", "txt", "xlsx", "xlsm", "ods", "json", "jsonl", "ndjson", "zip",
    "dta", "sav", "zsav",
)  # fmt: skip
"""Endings of tables that ``sensitive.ingest`` reads; a test compares."""

KINDS = (BUNDLE, *TABLES)


def kind_of(name: str) -> str | None:
    r"""The kind of a file by its name or its ending; None where it is none that can be read.

    >>> kind_of("C:\\cases\\Liste 2026.XLSX"), kind_of("csv"), kind_of("../../etc/passwd")
    ('xlsx', 'csv', None)
    """
    ending = name.rpartition(".")[2].strip().lower()
    return ending if ending in KINDS else None
