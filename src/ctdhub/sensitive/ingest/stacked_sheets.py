"""Sheets of one workbook that have the same column names, read as one table.

A sheet for each year or office is one table in pieces.  A sheet without a name in common is a list
of codes or a text to read, and no data; a sheet that shares some names but not all is neither, and
is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text, many
from ctdhub.core.text import fold
from ctdhub.sensitive.ingest import headers
from ctdhub.sensitive.ingest.computed import together
from ctdhub.sensitive.ingest.header_rows import SheetView
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import ReaderResult, too_many_rows

if TYPE_CHECKING:
    from ctdhub.sensitive.ingest.workbook import Book

SHEET = "_sheet"
"""The column that says which sheet a row is from."""

ALIKE = 0.5
"""Share of the names from which a sheet with other names may hold records too."""


def read(book: Book, options: ReadOptions) -> ReaderResult:
    """All sheets with the column names of the widest one, in their order.

    The column ``_sheet`` holds the sheet's name.  Rows of the first sheet have the numbers that a
    spreadsheet shows; those of the next ones begin at a further 1,000 (or 10,000 …) each.

    Raises:
        UnreadableFile: a sheet shares names with them and lacks others (``sheets/differ``).
        HostileFile: all sheets together pass a limit.
    """
    found = [v for name in book.visible() if (v := book.view(name)).rows]
    headings = {v.name: names(v, options.header_row) for v in found}
    widest = max(headings.values(), key=len, default=frozenset())
    read_all = [name for name, header in headings.items() if header == widest]
    for name, header in headings.items():
        if name not in read_all and len(header & widest) >= ALIKE * len(widest):
            place = book.visible().index(name) + 1
            raise error("sheets/differ", file=book.file, n=place)
    parts = [
        book.cells(options.model_copy(update={"sheet": name, "sheets": None})) for name in read_all
    ]
    if not parts:
        raise error("no-header/sheet", file=book.file, row=options.header_row)
    rows = sum(len(part.rows) for part in parts)
    if rows > book.limits.rows:
        raise too_many_rows(book.file, book.limits)
    step = _step(part.rows for part in parts)
    named = [name for name in parts[0].names if name]
    columns = [pa.chunked_array(p, pa.string()) for p in _pieces(parts, named, book.file)]
    sheets = pa.chunked_array([pa.repeat(pa.scalar(p.sheet), len(p.rows)) for p in parts])
    numbers = [part.rows + place * step for place, part in enumerate(parts)]
    made = ReaderResult(
        [*named, SHEET],
        [*columns, sheets],
        np.concatenate(numbers),
        [],
        options.header_row,
        sheet=parts[0].sheet,
        computed=together({place * step: part.computed for place, part in enumerate(parts)}),
    )
    made.notes.append(
        Text(
            "{n} sheets have the same column names and were read as one table; the row numbers of "
            "each further sheet begin at a further {step}.",
            n=len(parts),
            step=step,
        )
    )
    if left := len(found) - len(parts):
        made.notes.append(
            many(
                "{n} sheet has other column names and was not read.",
                "{n} sheets have other column names and were not read.",
                left,
                n=left,
            )
        )
    return made


def agreeing(book: Book, others: Iterable[str], header: Sequence[str], row: int) -> list[str]:
    """Those of the other sheets that have the same column names, and rows."""
    wanted = frozenset(fold(name) for name in header if name)
    views = map(book.view, others)
    return [v.name for v in views if names(v, row) == wanted and v.length > row]


def names(view: SheetView, row: int) -> frozenset[str]:
    """The column names that a sheet has in a row, as they are compared."""
    cells = view.rows[row - 1] if len(view.rows) >= row else ()
    return frozenset(fold(cell) for cell in cells) - {""}


def _pieces(
    parts: Sequence[ReaderResult], named: Sequence[str], file: str
) -> Iterator[list[pa.Array]]:
    """For each name the arrays of its column in all sheets."""
    places = []
    for part in parts:
        of = {fold(name): place for place, name in enumerate(part.names) if name}
        if len(of) < len(list(filter(None, part.names))):
            raise error("duplicate-header", file=file, row=part.header_row)
        for place, name in enumerate(part.names):
            if not name and part.columns[place].null_count < len(part.columns[place]):
                raise headers.unnamed(place, file, part.header_row)
        places.append(of)
    for name in named:
        yield [
            chunk
            for part, of in zip(parts, places, strict=True)
            for chunk in part.columns[of[fold(name)]].chunks
        ]


def _step(rows: Iterable[np.ndarray[tuple[int], np.dtype[np.int64]]]) -> int:
    last = max((int(numbers[-1]) for numbers in rows if len(numbers)), default=1)
    return int(10 ** max(3, len(str(last))))
