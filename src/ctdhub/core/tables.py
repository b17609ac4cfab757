"""Tables: of texts as readers hand them on, and as files for programs, the one way to write CSV
and JSON rows.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    import pyarrow as pa


# --------------------------------------------------------------------------------------------------
# Tables that contributors send: how their names end.

ENDINGS = {
    "delimited": (".csv", ".tsv", ".tab", ".txt"),
    "workbook": (".xlsx", ".xlsm", ".ods"),
    "json": (".json", ".jsonl", ".ndjson"),
    "csv-archive": (".zip",),
    "stata": (".dta",),
    "spss": (".sav", ".zsav"),
}
"""By format of ``sensitive.ingest.formats``, the usual one first."""


def endings(*more: str) -> str:
    """Endings of the tables that contributors send, for texts, and ``more`` that are taken besides.

    >>> endings(".parquet")
    '.csv, .dta, .json, .ods, .parquet, .sav, .xlsx, .zip'
    """
    return ", ".join(sorted({*(known[0] for known in ENDINGS.values()), ".ods", *more}))


# --------------------------------------------------------------------------------------------------
# Files of data for programs, which people read too: the one way to write CSV and JSON rows.
#
# CSV is UTF-8 text with a comma.  A cell that a spreadsheet would run as a formula gets an
# apostrophe before it, as OWASP advises against CSV injection.

_BEGINS = "=+-@\t\r\n＝＋－＠"
_FIRST = frozenset(_BEGINS)
FORMULA = rf"^([{re.escape(_BEGINS)}])"
NUMBER = r"^[+\-]?[0-9]+(\.[0-9]+)?$"


def harmless(cell: object) -> object:
    """A cell of a CSV, made harmless if a spreadsheet would run it as a formula.

    >>> harmless("=1+1"), harmless("-1.5"), harmless(-2), harmless(None)
    ("'=1+1", '-1.5', -2, None)
    """
    if isinstance(cell, str) and cell and cell[0] in _BEGINS and not re.match(NUMBER, cell):
        return f"'{cell}"
    return cell


_LINE = "\r\n"


class _Lines:
    """Takes lines that end with both characters, so that a cell with either is quoted."""

    def __init__(self, file: TextIO, end: str) -> None:
        self._file, self._end = file, end

    def write(self, line: str) -> None:
        """Write a line with the end that the file has."""
        self._file.write(line.removesuffix(_LINE) + self._end)


def put_rows(
    file: TextIO,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    delimiter: str = ",",
    end: str = "\n",
    as_is: bool = False,
    quoted: bool = False,
) -> None:
    """Write a heading and rows into an open file; None is an empty cell.

    Args:
        file: opened with ``newline=""``.
        columns: of the heading; none is written where there are none.
        end: of each line.
        as_is: leave formulas as they are, for files that only programs read, such as exports in
            the format of another system.
        quoted: put every text into quotation marks, as the files of a release have it.
    """
    writer = csv.writer(
        _Lines(file, end),
        delimiter=delimiter,
        lineterminator=_LINE,
        quoting=csv.QUOTE_NONNUMERIC if quoted else csv.QUOTE_MINIMAL,
    )
    if columns:
        writer.writerow(columns)
    safe = (
        [harmless(c) if isinstance(c, str) and c[:1] in _FIRST else c for c in row] for row in rows
    )
    writer.writerows(rows if as_is else safe)


def as_csv(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    end: str = "\n",
    quoted: bool = False,
) -> str:
    """Heading and rows as CSV, formulas made harmless."""
    out = io.StringIO(newline="")
    put_rows(out, columns, rows, end=end, quoted=quoted)
    return out.getvalue()


def write_csv(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]], *, quoted: bool = False
) -> None:
    """Write heading and rows into a file, formulas made harmless; its folder is there."""
    path.write_bytes(as_csv(columns, rows, quoted=quoted).encode())


def as_json(value: object) -> str:
    """Indented JSON, every language readable in it.

    Raises:
        ValueError: a number is not finite, for which JSON has no word.
    """
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def canonical(value: object) -> bytes:
    r"""JSON in the one spelling that is signed and hashed: keys sorted, no spaces, ASCII only.

    >>> canonical({"b": 1.0, "a": "é"})
    b'{"a":"\\u00e9","b":1.0}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def counts_of(column: pa.ChunkedArray) -> dict[Any, int]:
    """How often each value of a column occurs, nulls too."""
    return {one["values"]: one["counts"] for one in column.value_counts().to_pylist()}


def write_json(path: Path, value: object) -> None:
    """Write :func:`as_json` into a file in UTF-8; its folder is there."""
    path.write_bytes(as_json(value).encode())


# --------------------------------------------------------------------------------------------------
# A table of texts that knows its file and its rows: what readers give and what the engine takes.
#
# A type for whoever needs no more than that: rooms which may not know how files are read take a
# :class:`Tabular`, and a reader's table is one.

ROW = "_row"
"""Name of the column that holds the row number; no file may use it."""

FILE_ROW = "row_in_file"
"""The column of a bundle that says which row of the contributor's own file each of its rows is."""


class Tabular(Protocol):
    """A table with its origin."""

    @property
    def file(self) -> str:
        """Name of the file, never its path, safe to show."""

    @property
    def table(self) -> pa.Table:
        """Text columns, null where a cell is empty, and :data:`ROW` (int64, from 1)."""


# --------------------------------------------------------------------------------------------------
# How texts of cells are compared: trimmed, whatever the blank, and without regard to case.

BLANKS = "\u00a0\u1680\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
"""Characters that count as a blank beside ASCII white space: no-break blanks, byte order mark."""

UNSEEN = "\u00ad\u061c" + "".join(map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F)]))
UNSEEN += "".join(map(chr, range(0x2060, 0x2070)))
"""Characters that nobody sees (marks of direction, zero-width joins, soft hyphens); they go."""

_TO_BLANK = str.maketrans(dict.fromkeys(BLANKS, " ") | dict.fromkeys(UNSEEN, ""))
_RUN = re.compile(r"[ \t]{2,}")
WHITE = " \t\n\r\v\f"


def trim(text: str) -> str:
    r"""The text without white space around it and without what nobody sees.

    Every kind of blank becomes a plain one, several become one, and a letter with its accent
    beside it becomes the one letter (Unicode NFC).

    >>> trim("\u00a0C\u00f4te\u00a0 d'Ivoire\u200f ")
    "Côte d'Ivoire"
    """
    if text.isascii():
        return _RUN.sub(" ", text.strip(WHITE))
    plain = unicodedata.normalize("NFC", text.translate(_TO_BLANK))
    return _RUN.sub(" ", plain.strip(WHITE))


def fold(text: str) -> str:
    """The form in which texts are compared.

    >>> fold(" Unknown ") == fold("UNKNOWN")
    True
    """
    return trim(text).lower()
