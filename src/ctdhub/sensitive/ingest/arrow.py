"""Tables in memory as text: whatever speaks Arrow's C stream (pandas, polars, DuckDB, pyarrow)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.error_catalogue import error
from ctdhub.core.tabular import ROW
from ctdhub.sensitive.ingest.options import Limits
from ctdhub.sensitive.ingest.raw import RawTable, too_many_rows
from ctdhub.sensitive.ingest.rejects import reject_table

STREAM = "__arrow_c_stream__"
"""The method of the Arrow PyCapsule interface."""


def read_arrow(frame: Any, name: str = "table", limits: Limits | None = None) -> RawTable:
    """A table in memory as a RawTable; every cell becomes text, the empty text null.

    Numbers are written without a trailing ".0", dates as ISO 8601.  ``_row`` counts rows from 1.

    Args:
        frame: anything with the method ``__arrow_c_stream__``.
        name: stands for the file in errors.

    Raises:
        UnreadableFile: it is no such table (``content``); a column is nested (``nested``), or bears
            a name that is empty, reserved or used twice (``duplicate-header``).
        HostileFile: it has more rows than are allowed (``rows``).
    """
    limits = limits or Limits()
    try:
        if not hasattr(frame, STREAM):
            raise TypeError
        table = pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError):
        raise error("content/arrow", file=name) from None
    if table.num_rows > limits.rows:
        raise too_many_rows(name, limits)
    check_names(table.column_names, name)
    texts = {}
    for field in table.schema:
        check_single_values(field, name)
        try:
            texts[field.name] = as_text(table[field.name])
        except pa.ArrowException:
            raise error("content/arrow-type", file=name, column=field.name) from None
    rows = pa.array(np.arange(1, table.num_rows + 1))
    return RawTable(
        file=name,
        sha256="",
        table=pa.table({**texts, ROW: rows}),
        rejects=reject_table(name, []),
        rows_read=table.num_rows,
    )


def check_names(names: list[str], file: str) -> None:
    """Refuse names that do not tell columns apart.

    Raises:
        UnreadableFile: one is empty, reserved or used twice (``duplicate-header``).
    """
    used = Counter(names)
    if not all(names) or max(used.values(), default=0) > 1 or ROW in used:
        raise error("duplicate-header/parquet", file=file)


def check_single_values(field: pa.Field, file: str) -> None:
    """Refuse a column of lists or records.

    Raises:
        UnreadableFile: it is one (``nested``).
    """
    if pa.types.is_nested(field.type):
        raise error("nested", file=file, column=field.name)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Every cell as text, the empty text null.

    Raises:
        ArrowException: the type has no text.

    >>> as_text(pa.chunked_array([[1.0, 2.5, None]])).to_pylist()
    ['1', '2.5', None]
    """
    if pa.types.is_dictionary(column.type):  # its values may be of a type that is not taken from
        plain = pa.dictionary(column.type.index_type, pa.string())
        column = pa.chunked_array(
            [
                pa.DictionaryArray.from_arrays(c.indices, c.dictionary.cast(pa.string()))
                for c in column.chunks
            ],
            plain,
        )
    text = column.cast(pa.string())
    blank = pa.scalar(None, pa.string())  # for a plain None pyarrow loads pandas
    return pc.if_else(pc.equal(text, ""), blank, text)
