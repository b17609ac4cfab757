"""Comma, semicolon, tab and bar separated text.

A text whose quotation marks are regular is scanned for its rows, rows with a wrong number of cells
are set aside, and what is left is parsed by Arrow.  A text with loose quotation marks
(``5" nail``) goes through the csv module in strict mode, row by row.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest import footers, formulas, headers
from ctdhub.sensitive.ingest.csv_index import RowIndex, scan
from ctdhub.sensitive.ingest.encodings import to_utf8
from ctdhub.sensitive.ingest.header_rows import LOOKED_AT, SheetView
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import ReaderResult, cell_too_long, gather, too_many_rows
from ctdhub.sensitive.ingest.rejects import Reject

DELIMITERS = ",;\t|"
_SAMPLE = 128 * 2**10
_SAMPLE_ROWS = 200


def read(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    """Names, columns, row numbers and rejects of a delimited text.

    Raises:
        HostileFile: a limit is passed, a cell is a formula.
        UnreadableFile: the text cannot be split into rows and cells.
    """
    text, encoding = to_utf8(data, options.encoding, file)
    delimiter = options.delimiter or sniff(text, options.header_row)
    footer = 0
    if options.footer != "none":
        text, footer = footers.cut(text, delimiter)
    layout = scan(text, delimiter)
    if layout.control is not None:
        raise _not_text(text[layout.control], layout.row_at(layout.control), file)
    if len(layout.ends) > limits.rows + options.header_row + len(options.skip_rows):
        raise too_many_rows(file, limits)
    names = _names(text, layout, delimiter, file, options, limits)
    columns, rows, rejects = (
        _fast(text, layout, delimiter, len(names), options)
        if layout.strict
        else _careful(text, delimiter, len(names), file, options, limits)
    )
    if rejects and not len(rows):
        raise error("cell-count", file=file, row=rejects[0].row)
    formulas.refuse(names, columns, rows, file, options.header_row)
    made = ReaderResult(names, columns, rows, rejects, options.header_row, encoding, delimiter)
    if footer:
        made.notes.append(footers.note(footer))
    return made


def views(data: bytes, file: str, options: ReadOptions, _limits: Limits) -> list[SheetView]:
    """The first rows as they are, whatever their number of cells, for a draft.

    The delimiter is the one that most rows have in one number, two cells or more.

    Raises:
        UnreadableFile: the text is not valid in its encoding.
    """
    text, _encoding = to_utf8(data, options.encoding, file)
    sample = text[:_SAMPLE].decode("utf-8", "ignore")
    delimiter, best = options.delimiter or DELIMITERS[0], (0.0, 0)
    for candidate in "" if options.delimiter else DELIMITERS:
        found = Counter(width for width in _widths(sample, candidate) if width > 1)
        if found and (most := (found.most_common(1)[0][1], max(found))) > best:
            delimiter, best = candidate, most
    rows: list[tuple[str, ...]] = []
    with suppress(csv.Error):  # the part before the fault is enough to find names
        for cells in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            rows.append(tuple(cells))
            if len(rows) == LOOKED_AT:
                break
    return [SheetView("", tuple(rows), len(rows))]


def sniff(text: bytes, header_row: int = 1) -> str:
    r"""The delimiter that splits the first rows most evenly into more than one cell.

    >>> sniff(b"a;b,c;d\n1,5;2;3\n")
    ';'
    """
    sample = text[:_SAMPLE].decode("utf-8", "ignore")
    best, result = (0.0, 0), DELIMITERS[0]
    for delimiter in DELIMITERS:
        widths = _widths(sample, delimiter)[header_row - 1 :]
        width = widths[0] if widths else 0
        if width < 2:
            continue
        score = (widths.count(width) / len(widths), width)
        if score > best:
            best, result = score, delimiter
    return result


def _widths(sample: str, delimiter: str) -> list[int]:
    widths: list[int] = []
    try:
        for cells in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            widths.append(len(cells) or 1)
            if len(widths) > _SAMPLE_ROWS:
                break
    except csv.Error:  # the part before the fault is enough to compare delimiters
        return widths
    return widths[:-1] if len(widths) > 1 and len(sample) >= _SAMPLE - 4 else widths


def _names(
    text: bytes, layout: RowIndex, delimiter: str, file: str, options: ReadOptions, limits: Limits
) -> list[str]:
    row = options.header_row
    if row > len(layout.ends):
        raise error("no-header", file=file, row=row)
    if layout.strict:
        line = text[int(layout.starts[row - 1]) : int(layout.ends[row - 1])]
        found = _parse(line, delimiter, file, row, limits)
    else:
        found = islice(_parse(text, delimiter, file, 1, limits), row - 1, None)
    cells = next(found, (row, []))[1]
    return headers.clean(cells, file, row, limits)


def _fast(
    text: bytes, layout: RowIndex, delimiter: str, width: int, options: ReadOptions
) -> tuple[list[pa.ChunkedArray], NDArray[np.int64], list[Reject]]:
    is_row = ~layout.blank
    is_row[: options.header_row] = False
    is_row[[r - 1 for r in options.unseen if r <= len(is_row)]] = False
    good = is_row & (layout.cells == width)
    wrong = np.flatnonzero(is_row & ~good)
    rejects = [_wrong(int(i) + 1, int(layout.cells[i]), width) for i in wrong]
    rows = np.flatnonzero(good) + 1
    if not len(rows):
        return [pa.chunked_array([], pa.string())] * width, rows, rejects
    keys = [str(i) for i in range(width)]
    starts = layout.starts
    longest = int((layout.ends - starts)[good].max())
    table = arrow_csv.read_csv(
        pa.BufferReader(_only(text, starts, layout.ends, good)),
        read_options=arrow_csv.ReadOptions(
            column_names=keys, block_size=max(4 * 2**20, 2 * longest + 16), use_threads=False
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if layout.quoted else False,
            newlines_in_values=layout.multiline,
            ignore_empty_lines=False,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(keys, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
            check_utf8=False,
        ),
    )
    if table.num_rows != len(rows):
        raise pa.ArrowInvalid("rows found and rows parsed differ")
    return table.columns, rows, rejects


def _only(
    text: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], good: NDArray[np.bool_]
) -> pa.Buffer:
    """The good rows alone, copied only where bad rows lie between them."""
    edges = np.flatnonzero(np.diff(good.astype(np.int8), prepend=0, append=0))
    view = memoryview(text)
    runs = [view[starts[a] : ends[b - 1]] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return pa.py_buffer(runs[0] if len(runs) == 1 else b"".join(runs))


def _careful(
    text: bytes, delimiter: str, width: int, file: str, options: ReadOptions, limits: Limits
) -> tuple[list[pa.ChunkedArray], NDArray[np.int64], list[Reject]]:
    rejects: list[Reject] = []
    skipped = options.unseen

    def good() -> Iterator[tuple[int, Sequence[str]]]:
        for row, cells in _parse(text, delimiter, file, 1, limits):
            if row <= options.header_row or row in skipped or not cells:
                continue
            if len(cells) == width:
                yield row, cells
            else:
                rejects.append(_wrong(row, len(cells), width))

    columns, rows = gather(good(), width)
    return columns, rows, rejects


def _parse(
    text: bytes, delimiter: str, file: str, first: int, limits: Limits
) -> Iterator[tuple[int, list[str]]]:
    stream = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")
    row = first - 1
    try:
        for cells in csv.reader(stream, delimiter=delimiter, strict=True):
            row += 1
            yield row, cells
    except csv.Error as cause:
        if "field larger" in str(cause):
            raise cell_too_long(file, row + 1, None, limits) from None
        raise error("quotes", file=file, row=row + 1) from None


def _wrong(row: int, found: int, width: int) -> Reject:
    reason = Text("The row has {found} cells; the header has {width}.", found=found, width=width)
    return Reject(row, "cell-count", reason)


def _not_text(byte: int, row: int, file: str) -> HubError:
    return error("nul/file" if byte == 0 else "binary", file=file, row=row)
