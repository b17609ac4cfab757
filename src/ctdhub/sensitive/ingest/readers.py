"""Read any contributed table, or say in one error why not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.sensitive.ingest import sniff
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.parquet import read_parquet
from ctdhub.sensitive.ingest.raw import RawTable, finish


def read_table(
    path: Path, options: ReadOptions | None = None, limits: Limits | None = None
) -> RawTable:
    """Read one table of any of the ``formats.FORMATS``.

    The content decides what the file is.  Every cell is text; an empty cell is null; the text NA
    stays the text NA.  Rows with the wrong number of cells become rejects.

    Args:
        path: the file; only its name is kept, and that only to be shown.
        options: what the mapping states about the file.
        limits: what the file must not exceed.

    Raises:
        UnreadableFile: the bytes are not a table this can read.
        HostileFile: a limit is passed, or a cell or the container is active or unsafe.
    """
    options, limits = options or ReadOptions(), limits or Limits()
    file = printable(path.name)
    with translated(file):
        data = sniff.load(path, file, limits)
        found = sniff.kind(data, file)
        cells = found.read(data, file, options, limits)
        if note := sniff.mismatch(file, found):
            cells.notes.append(note)
        return finish(cells, file, hashlib.sha256(data).hexdigest(), options, limits)


def read_as_is(path: Path) -> RawTable:
    """Read a table whole: .parquet, or anything that :func:`read_table` reads; names as they are.

    Raises:
        UnreadableFile, HostileFile: see the readers; a row cannot be read.
    """
    if path.suffix.lower() == ".parquet":
        return read_parquet(path)
    return read_table(path, ReadOptions(kobo=False)).whole()


@contextmanager
def translated(file: str) -> Iterator[None]:
    """What any reader may meet becomes an error with a remedy and without a traceback."""
    try:
        yield
    except (pa.ArrowException, UnicodeError, RecursionError, OverflowError):
        raise error("content", file=file) from None
    except OSError:
        raise sniff.no_access(file) from None
    except MemoryError:
        raise error("memory", file=file) from None
