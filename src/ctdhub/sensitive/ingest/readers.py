"""Read any contributed table, by what its first bytes say it is, or say in one error why not."""

import hashlib
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.core.errors import error, printable
from ctdhub.core.i18n import Text
from ctdhub.core.tables import ROW
from ctdhub.sensitive.ingest.formats import FORMATS, Format, format_of
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable, finish
from ctdhub.sensitive.ingest.rejects import reject_table

# --------------------------------------------------------------------------------------------------
# What a file is, told by its first bytes; what its name says is only compared.

_BINARY = (
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"PAR1\x15", "Parquet"),
    (b"SQLite format 3\0", "SQLite"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh91AY&SY", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!\x1a", "RAR"),
    (b"(\xb5/\xfd", "Zstandard"),
    (b"\x7fELF", "ELF"),
    (b"{\\rtf", "RTF"),
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|\?xml|html|table|head|body|!--)", re.I)


def load(path: Path, file: str, limits: Limits) -> bytes:
    """The bytes of a regular file that is neither empty nor too large; links are not followed.

    Raises:
        UnreadableFile: there is no such file, it may not be read, or it is empty.
        HostileFile: it is a link, a folder or a device, or too large.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    try:
        if path.is_symlink():
            raise error("not-a-file", file=file)
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise error("no-file", file=file) from None
    except (OSError, ValueError):  # ValueError: a NUL in the path
        raise error("no-access", file=file) from None
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise error("not-a-file", file=file)
    with os.fdopen(descriptor, "rb") as stream:
        if facts.st_size > limits.file_bytes:
            raise error("file-size", file=file, limit=limits.file_bytes // 2**20)
        data = stream.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise error("file-size", file=file, limit=limits.file_bytes // 2**20)
    if not data:
        raise error("empty-file", file=file)
    return data


def kind(data: bytes, file: str) -> Format:
    """The format that the content belongs to.

    Raises:
        UnreadableFile: the content is of a kind that holds no table, or none this reads.
    """
    found = format_of(data[:4096])
    if found is not FORMATS[-1] and found.name != "json":
        return found  # a signature of its own
    if data.startswith(_OLE):
        secret = "EncryptedPackage".encode("utf-16-le") in data
        raise error("encrypted" if secret else "content/old-office", file=file)
    for signature, name in _BINARY:
        if data.startswith(signature):
            raise error("content/other-format", file=file, format=name)
    if _MARKUP.match(data[:4096]):
        raise error("content/markup", file=file)
    return found


def mismatch(file: str, found: Format) -> Text | None:
    """A note where the name promises another format than the content is; content decides."""
    suffix = Path(file).suffix.lower()
    if suffix in found.suffixes or not any(suffix in known.suffixes for known in FORMATS):
        return None
    return Text(
        "The name ends in {suffix} but the content is {content}; it was read as such.",
        suffix=suffix,
        content=found.content,
    )


# --------------------------------------------------------------------------------------------------
# Tables of columns as text: Parquet, and whatever speaks Arrow's C stream (pandas, polars, DuckDB).


def read_arrow(frame: Any, name: str = "table", limits: Limits | None = None) -> RawTable:
    """A table in memory as a RawTable; every cell becomes text, the empty text null.

    Numbers are written without a trailing ".0", dates as ISO 8601.  ``_row`` counts rows from 1.

    Args:
        frame: anything with the method ``__arrow_c_stream__`` of the Arrow PyCapsule interface.
        name: stands for the file in errors.

    Raises:
        UnreadableFile: it is no such table (``content``); a column is nested (``nested``), or bears
            a name that is empty, reserved or used twice (``duplicate-header``).
        HostileFile: it has more rows than are allowed (``rows``).
    """
    try:
        if not hasattr(frame, "__arrow_c_stream__"):
            raise TypeError
        table = pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError):
        raise error("content/arrow", file=name) from None
    return _of_columns(name, "", table.schema, table.num_rows, table.column, limits or Limits())


def read_parquet(path: Path, limits: Limits | None = None) -> RawTable:
    """A Parquet file in the same way.

    Contributors send spreadsheets and text; Parquet comes from statisticians who protect a table of
    their own.  So ``read_table`` does not offer it, and the verbs for lone tables do.  A row
    without any value is a row, because Parquet has no blank lines.

    Raises:
        UnreadableFile: it is no Parquet file; or see :func:`read_arrow`.
        HostileFile: a limit is passed.
    """
    limits, file = limits or Limits(), printable(path.name)
    data = load(path, file, limits)
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        source = pq.ParquetFile(pa.BufferReader(data))
        schema, rows = source.schema_arrow, source.metadata.num_rows

        def column(name: str) -> pa.ChunkedArray:
            return source.read(columns=[name], use_threads=False).column(0)

        return _of_columns(file, sha256, schema, rows, column, limits)
    except (pa.ArrowException, OSError, UnicodeError):
        raise error("content/parquet", file=file) from None


def _of_columns(
    file: str,
    sha256: str,
    schema: pa.Schema,
    rows: int,
    column: Callable[[str], pa.ChunkedArray],
    limits: Limits,
) -> RawTable:
    if rows > limits.rows:
        raise error("rows", file=file, limit=limits.rows)
    if not all(schema.names) or ROW in schema.names or len({*schema.names}) < len(schema):
        raise error("duplicate-header/parquet", file=file)
    texts = {}
    for field in schema:
        if pa.types.is_nested(field.type):
            raise error("nested", file=file, column=field.name)
        values = column(field.name)
        try:
            texts[field.name] = as_text(values)
        except pa.ArrowException:
            raise error("content/arrow-type", file=file, column=field.name) from None
        pa.default_memory_pool().release_unused()
    table = pa.table({**texts, ROW: pa.array(np.arange(1, rows + 1))})
    return RawTable(file, sha256, table, reject_table(file, []), rows)


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


# --------------------------------------------------------------------------------------------------
# Read any contributed table, or say in one error why not.


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
        data = load(path, file, limits)
        found = kind(data, file)
        read = found.function("read")
        assert read is not None
        cells = read(data, file, options, limits)
        if note := mismatch(file, found):
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
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise error("content", file=file) from None
    except OSError:
        raise error("no-access", file=file) from None
    except MemoryError:
        raise error("memory", file=file) from None
