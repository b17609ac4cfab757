"""Parquet tables as text.

Contributors send spreadsheets and text; Parquet comes from statisticians who protect a table of
their own.  So ``read_table`` does not offer it, and the verbs for lone tables do.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.tabular import ROW
from ctdhub.sensitive.ingest import sniff
from ctdhub.sensitive.ingest.arrow import as_text, check_names, check_single_values
from ctdhub.sensitive.ingest.options import Limits
from ctdhub.sensitive.ingest.raw import RawTable, too_many_rows
from ctdhub.sensitive.ingest.rejects import reject_table


def read_parquet(path: Path, limits: Limits | None = None) -> RawTable:
    """Read a Parquet file; every cell becomes text, the empty text null.

    Numbers are written without a trailing ".0", dates as ISO 8601.  ``_row`` counts rows from 1.
    A row without any value is a row, because Parquet has no blank lines.

    Raises:
        UnreadableFile: it is no Parquet file; a column is nested or bears a name that is empty,
            reserved or used twice.
        HostileFile: a limit is passed.
    """
    limits, file = limits or Limits(), printable(path.name)
    data = sniff.load(path, file, limits)
    try:
        source = pq.ParquetFile(pa.BufferReader(data))
        if source.metadata.num_rows > limits.rows:
            raise too_many_rows(file, limits)
        check_names(source.schema_arrow.names, file)
        texts = {name: _text(source, name, file) for name in source.schema_arrow.names}
    except (pa.ArrowException, OSError, UnicodeError):
        raise error("content/parquet", file=file) from None
    rows = source.metadata.num_rows
    return RawTable(
        file=file,
        sha256=hashlib.sha256(data).hexdigest(),
        table=pa.table({**texts, ROW: pa.array(np.arange(1, rows + 1))}),
        rejects=reject_table(file, []),
        rows_read=rows,
    )


def _text(source: pq.ParquetFile, name: str, file: str) -> pa.ChunkedArray:
    check_single_values(source.schema_arrow.field(name), file)
    text = as_text(source.read(columns=[name], use_threads=False).column(0))
    pa.default_memory_pool().release_unused()
    return text
