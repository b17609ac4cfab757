"""Delimited text: its encoding, its rows and cells, formulas in it, and archives of several
tables.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text, many
from ctdhub.core.tables import ROW
from ctdhub.sensitive.ingest import tidy
from ctdhub.sensitive.ingest.options import Child, Limits, ReadOptions
from ctdhub.sensitive.ingest.preflight import Archive
from ctdhub.sensitive.ingest.raw import ReaderResult, buffers, gather, has_byte, named_columns
from ctdhub.sensitive.ingest.rejects import Reject
from ctdhub.sensitive.ingest.tidy import LOOKED_AT, SheetView, column_letter

# --------------------------------------------------------------------------------------------------
# Where the rows and cells of a delimited text are, found from its bytes without parsing it.
#
# A text that follows RFC 4180 strictly has a useful property: a quotation mark with an even number
# of marks before it opens a cell (or is the second of a doubled pair), one with an odd number
# closes it.  So the parity of the marks tells which line ends and delimiters are inside quotes.

_QUOTE, _CR, _LF = 34, 13, 10


class RowIndex(NamedTuple):
    """Rows of a delimited text.

    Attributes:
        starts, ends: byte offset of each row and behind it, its line end included; rows lie back
            to back.
        cells: number of cells of each row; 1 for a blank row.
        blank: whether a row is a line end and nothing else.
        strict: whether the quotation marks follow RFC 4180, so that the rest can be trusted.
        quoted: whether the text holds any quotation mark.
        multiline: whether any line end may lie inside of a cell.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    cells: NDArray[np.int64]
    blank: NDArray[np.bool_]
    strict: bool
    quoted: bool
    multiline: bool


def scan(text: bytes, delimiter: str) -> RowIndex:
    r"""Find the rows of a text in an encoding that extends ASCII.

    >>> layout = scan(b'a;b\r\n"x;\n y";2\n\n3', ";")
    >>> layout.cells.tolist(), layout.blank.tolist(), layout.strict
    ([2, 2, 1, 1], [False, False, True, False], True)
    """
    data = np.frombuffer(text, np.uint8)
    mark, end, separator = data == _QUOTE, data == _CR, data == ord(delimiter)
    end[:-1] &= data[1:] != _LF  # a line ends behind the last of its marks
    end |= data == _LF
    quoted, strict, multiline = bool(mark.any()), True, False
    if quoted:
        # Only parity matters, so eight bits may overflow.
        inside = (np.cumsum(mark, dtype=np.uint8) & 1).view(bool)
        apart = ~(mark | end | separator | (data == _CR))  # marks open and close cells
        opens = ((mark & inside)[1:] & apart[:-1]).any()
        closes = ((mark & ~inside)[:-1] & apart[1:]).any()
        del apart
        strict = not (inside[-1] or opens or closes)
        multiline = bool((end & inside).any())
        end &= ~inside
        separator &= ~inside
    ends = np.flatnonzero(end) + 1
    if len(data) and not end[-1]:
        ends = np.append(ends, len(data))
    starts = np.concatenate([[0], ends[:-1]])[: len(ends)].astype(np.int64)
    cells = np.diff(np.searchsorted(np.flatnonzero(separator), ends), prepend=0) + 1
    blank = np.isin(data[starts], (_CR, _LF))
    return RowIndex(starts, ends, cells, blank, strict, quoted, multiline)


# --------------------------------------------------------------------------------------------------
# From bytes of an unknown encoding to UTF-8, or a clear refusal.

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 64 * 2**10
_ASCII = re.compile(rb"[!-~]")
_UTF8_PAIR = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def to_utf8(data: bytes, declared: str | None, file: str) -> tuple[bytes, str]:
    r"""The text as UTF-8 without byte order mark, and the encoding it came in.

    Without a mark or a statement, UTF-16 is known by the side its zero bytes lie on, UTF-8 by
    being valid, and anything else is Windows-1252 unless it also holds UTF-8 sequences: another
    code page is stated, in a draft by :func:`code_page`.

    Args:
        data: the bytes of the file.
        declared: an encoding of ``ReadOptions``, or None.
        file: name of the file, for errors.

    Raises:
        UnreadableFile: the bytes are not text in the stated or found encoding, or mix several.

    >>> to_utf8("é;1".encode("cp1252"), None, "a.csv")
    (b'\xc3\xa9;1', 'cp1252')
    """
    body, encoding = _without_mark(data, declared)
    if encoding is None:
        encoding = _utf16_side(body) or "utf-8"
        if encoding == "utf-8":
            bad = _first_invalid_utf8(body)
            if bad is None:
                return body, "utf-8"
            if _UTF8_PAIR.search(body):
                raise error("mixed-encoding", file=file, row=_row(body[:bad]))
            encoding = "cp1252"
    if encoding in ("utf-8", "ascii"):
        bad = _first_invalid_utf8(body)
        if bad is None and (encoding == "utf-8" or body.isascii()):
            return body, encoding
    return _transcode(body, encoding, file), encoding


_USUAL = {
    "cp1251": "оеаинтсрвлкмдпуяыьгі",
    "cp1253": "αοιετσνηυρκπμλςάίόέήώύ",
    "cp1256": "اليمونرتبةعدسفهحقكجأإ",
}
"""The usual small letters of code pages in whose languages no word has letters of ASCII."""

_SURE, _LETTERS, _WORD = 0.75, 20, 3
VIETNAMESE = "cp1258"
_OWN, _TONES, _FEW = "đơưĐƠƯ", "\u0300\u0301\u0303\u0309\u0323", 3


def code_page(data: bytes) -> str | None:
    """The code page of Windows that a text is in, for a draft that says so; None where not sure.

    Sure is: no line is UTF-8 beyond ASCII, its words of three letters or more are of one alphabet
    and end in small letters, and three in four of their letters are usual in that page alone.

    >>> code_page("Пол;женский;мужской;неизвестно".encode("cp1251"))
    'cp1251'
    >>> code_page("Âge;Été;Côte d’Ivoire;Sénégal;Guinée".encode("cp1252"))
    """
    sample = data[:_SAMPLE]
    if any(_is_utf8(line) for line in sample.splitlines() if not line.isascii()):
        return None
    sure = [page for page, usual in _USUAL.items() if _share(sample, page, usual) >= _SURE]
    sure += [VIETNAMESE] if _has_tones(sample) else []
    return sure[0] if len(sure) == 1 else None


def _has_tones(sample: bytes) -> bool:
    """Whether each sign of a tone stands behind a letter that takes it, as in Vietnamese alone."""
    text = sample.decode(VIETNAMESE, "replace")
    tones, own = (sum(c in signs for c in text) for signs in (_TONES, _OWN))
    left = set(unicodedata.normalize("NFC", text)) & {*_TONES, "\ufffd"}
    return min(tones, own) >= _FEW and not left


def _is_utf8(line: bytes) -> bool:
    try:
        return bool(line.decode())
    except UnicodeDecodeError:
        return False


def _share(sample: bytes, page: str, usual: str) -> float:
    """The share of letters that are usual, among words beyond ASCII of some length."""
    try:
        words = re.findall(r"[^\W\d_]+", sample.decode(page))
    except UnicodeDecodeError:
        return 0.0
    words = [word for word in words if not word.isascii() and len(word) >= _WORD]
    letters = [c for word in words for c in word[1:]]
    if len(letters) < _LETTERS:
        return 0.0
    return sum(c in usual for c in letters) / len(letters)


def _without_mark(data: bytes, declared: str | None) -> tuple[bytes, str | None]:
    for mark, encoding in _MARKS:
        family = encoding[:6].rstrip("-")
        if data.startswith(mark) and (declared is None or declared.startswith(family)):
            return data[len(mark) :], encoding
    if declared == "utf-8-sig":
        return data, "utf-8"
    return data, "utf-16-le" if declared == "utf-16" else declared


def _utf16_side(data: bytes) -> str | None:
    """UTF-16 without a mark, of a script that does not fill its upper halves (as Chinese does).

    One in ten upper halves at least is zero (digits, delimiters), no lower half is, and hardly
    any upper half looks like a letter or digit of ASCII.
    """
    sample = data[:_SAMPLE]
    for upper, lower, encoding in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        halves = sample[upper::2]
        zeros, ascii_like = halves.count(0), len(_ASCII.findall(halves))
        if zeros * 10 >= max(len(halves), 1) >= ascii_like * 20 and 0 not in sample[lower::2]:
            return encoding
    return None


def _first_invalid_utf8(data: bytes) -> int | None:
    try:
        str(data, "utf-8")
    except UnicodeDecodeError as cause:
        return cause.start
    return None


def _transcode(data: bytes, encoding: str, file: str) -> bytes:
    try:
        text = data.decode(encoding)  # tones of Vietnamese stand behind their letters
        return (unicodedata.normalize("NFC", text) if encoding == VIETNAMESE else text).encode()
    except UnicodeError as cause:
        start = cause.start if isinstance(cause, UnicodeDecodeError) else 0
        row = _row(data[:start].decode(encoding, "replace").encode("utf-8", "replace"))
        raise error("encoding", file=file, row=row, encoding=encoding) from None


def _row(before: bytes) -> int:
    """The 1-based row that follows this text (line ends inside quotes do not count)."""
    outside = b"".join(before.split(b'"')[::2])
    return outside.count(b"\n") + len(re.findall(rb"\r(?!\n)", outside)) + 1


# --------------------------------------------------------------------------------------------------
# Cells of a text file that a spreadsheet program would run as formulas.

_LEADS = b"=@+-\t\r\n"

HARMLESS = (
    r"^\s*([^=@+\-\s]|[+-][\d\s().,:/%'’+-]*([eE][+-]?\d+)?\s*$|[+-]+\s+[^=@|!(&\[]*$"
    r"|[+-]\d[\d.,]*\s*[;,|:\s][^=@!(&\[]*$|$)"
)
"""A text is no formula if it begins with anything but = @ + -, if it is + or - and then only
digits and the signs of numbers, telephone numbers, dates and ranges (-99, +39 02 …, -6%, --), if
the + or - are a bullet or a rule (a space follows: "- text", "--- end ---"), or if it stands before
a number that a separator ends, as in lists of codes (-99;Sexual); behind bullet and separator
nothing may stand that could call anything or refer to another program, sheet or file.  A bar alone
cannot: a call by DDE needs ! too.
The list of leading characters is that of the OWASP page on CSV injection."""

MADE_HARMLESS = r"^'([=+\-@%|])"
"""A text before which another program has put an apostrophe, so that no spreadsheet runs it."""


def refuse_formulas(
    names: Sequence[str],
    columns: Sequence[pa.ChunkedArray],
    rows: Sequence[int] | NDArray[np.int64],
    file: str,
    header_row: int,
) -> None:
    """Check names and cells of a text file.

    Args:
        rows: row number of each cell, indexable.

    Raises:
        HostileFile: the first formula found, column by column.
    """
    titles = pa.array(list(names), pa.string())
    bad = pc.invert(pc.match_substring_regex(titles, HARMLESS)).to_numpy(zero_copy_only=False)
    if bad.any():
        raise error("formula", file=file, row=header_row, column=None)
    for position, column in enumerate(columns):
        begin = 0
        for chunk in column.chunks:
            place = _first(chunk)
            if place is not None:
                row = int(rows[begin + place])
                raise error("formula", file=file, row=row, column=column_letter(position))
            begin += len(chunk)


def unescaped(table: pa.Table) -> pa.Table:
    """The table without the apostrophe by which another program has made a cell harmless.

    >>> unescaped(pa.table({"a": ["'-99", "'tis", "-99", None]}))["a"].to_pylist()
    ['-99', "'tis", '-99', None]
    """
    for position, field in enumerate(table.schema):
        if field.type == pa.string() and has_byte(table[position], "'"):
            plain = pc.replace_substring_regex(table[position], MADE_HARMLESS, r"\1")
            table = table.set_column(position, field, plain)
    return table


def _first(chunk: pa.StringArray) -> int | None:
    offsets, data = buffers(chunk)
    if not len(data) or not len(chunk):
        return None
    lead = data.take(offsets[:-1], mode="clip")  # an empty cell has that of another
    mask = lead == _LEADS[0]
    for byte in _LEADS[1:]:
        mask |= lead == byte
    suspects = np.flatnonzero(mask)
    suspects = suspects[offsets[suspects + 1] > offsets[suspects]]
    if not len(suspects):
        return None
    coded = chunk.take(pa.array(suspects)).dictionary_encode()
    safe = pc.match_substring_regex(coded.dictionary, HARMLESS).to_numpy(zero_copy_only=False)
    hits = np.flatnonzero(~safe[coded.indices.to_numpy()])
    return int(suspects[hits[0]]) if len(hits) else None


# --------------------------------------------------------------------------------------------------
# Comma, semicolon, tab and bar separated text.
#
# A text whose quotation marks are regular is scanned for its rows, rows with a wrong number of
# cells are set aside, and what is left is parsed by Arrow.  A text with loose quotation marks (``5"
# nail``) goes through the csv module in strict mode, row by row.

DELIMITERS = ",;\t|"
_CONTROL = bytes([*range(9), *range(14, 32), 127])
"""Characters that no text file holds."""
_DELIMITED_SAMPLE = 128 * 2**10
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
        text, footer = tidy.cut_footer(text, delimiter)
    layout = scan(text, delimiter)
    holds = len(text.translate(None, _CONTROL)) < len(text)
    if control := re.search(b"[" + _CONTROL + b"]", text) if holds else None:
        row = int(np.searchsorted(layout.ends, control.start(), side="right")) + 1
        raise error("nul/file" if control[0] == b"\0" else "binary", file=file, row=row)
    if len(layout.ends) > limits.rows + options.header_row + len(options.skip_rows):
        raise error("rows", file=file, limit=limits.rows)
    if (row := options.header_row) > len(layout.ends):
        raise error("no-header", file=file, row=row)
    heads = islice(_parse(text, delimiter, file, limits), row - options.named_in, row)
    cells = tidy.joined_names([cells for _row, cells in heads])
    names = tidy.clean_headers(cells, file, row, limits)
    columns, rows, rejects = (
        _fast(text, layout, delimiter, len(names), options)
        if layout.strict
        else _careful(text, delimiter, len(names), file, options, limits)
    )
    if rejects and not len(rows):
        raise error("cell-count", file=file, row=rejects[0].row)
    refuse_formulas(names, columns, rows, file, options.header_row)
    made = ReaderResult(names, columns, rows, rejects, options.header_row, encoding, delimiter)
    if footer:
        made.notes.append(tidy.footer_note(footer))
    return made


def views(data: bytes, file: str, options: ReadOptions, _limits: Limits) -> list[SheetView]:
    """The first rows as they are, whatever their number of cells, for a draft.

    The delimiter is the one that most rows have in one number, two cells or more.

    Raises:
        UnreadableFile: the text is not valid in its encoding.
    """
    text, _encoding = to_utf8(data, options.encoding, file)
    sample = text[:_DELIMITED_SAMPLE].decode("utf-8", "ignore")
    delimiter, best = options.delimiter or DELIMITERS[0], (0.0, 0)
    for candidate in "" if options.delimiter else DELIMITERS:
        widths = Counter(width for width in _widths(sample, candidate) if width > 1)
        if widths and (most := (widths.most_common(1)[0][1], max(widths))) > best:
            delimiter, best = candidate, most
    rows = tuple(map(tuple, islice(_whole_rows(sample, delimiter), LOOKED_AT)))
    return [SheetView("", rows, len(rows))]


def sniff(text: bytes, header_row: int = 1) -> str:
    r"""The delimiter that splits the first rows most evenly into more than one cell.

    >>> sniff(b"a;b,c;d\n1,5;2;3\n")
    ';'
    """
    sample = text[:_DELIMITED_SAMPLE].decode("utf-8", "ignore")
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
    rows = islice(_whole_rows(sample, delimiter), _SAMPLE_ROWS + 1)
    widths = [len(cells) or 1 for cells in rows]
    return widths[:-1] if len(widths) > 1 and len(sample) >= _DELIMITED_SAMPLE - 4 else widths


def _whole_rows(sample: str, delimiter: str) -> Iterator[list[str]]:
    """The rows before a fault: enough to find names, and to compare delimiters."""
    with suppress(csv.Error):
        yield from csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)


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
    longest = int((layout.ends - layout.starts)[good].max())
    table = arrow_csv.read_csv(
        pa.BufferReader(_only(text, layout, good)),
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


def _only(text: bytes, layout: RowIndex, good: NDArray[np.bool_]) -> pa.Buffer:
    """The good rows alone, copied only where bad rows lie between them."""
    edges = np.flatnonzero(np.diff(good.astype(np.int8), prepend=0, append=0))
    starts, ends = layout.starts[edges[::2]], layout.ends[edges[1::2] - 1]
    runs = [memoryview(text)[a:b] for a, b in zip(starts, ends, strict=True)]
    return pa.py_buffer(runs[0] if len(runs) == 1 else b"".join(runs))


def _careful(
    text: bytes, delimiter: str, width: int, file: str, options: ReadOptions, limits: Limits
) -> tuple[list[pa.ChunkedArray], NDArray[np.int64], list[Reject]]:
    rejects: list[Reject] = []
    skipped = options.unseen

    def good() -> Iterator[tuple[int, Sequence[str]]]:
        for row, cells in _parse(text, delimiter, file, limits):
            if row <= options.header_row or row in skipped or not cells:
                continue
            if len(cells) == width:
                yield row, cells
            else:
                rejects.append(_wrong(row, len(cells), width))

    columns, rows = gather(good(), width)
    return columns, rows, rejects


def _parse(
    text: bytes, delimiter: str, file: str, limits: Limits
) -> Iterator[tuple[int, list[str]]]:
    stream = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")
    row = 0
    try:
        for row, cells in enumerate(csv.reader(stream, delimiter=delimiter, strict=True), 1):
            yield row, cells
    except csv.Error as cause:
        if "field larger" in str(cause):
            limit = limits.cell_characters
            raise error("cell-size", file=file, row=row + 1, column=None, limit=limit) from None
        raise error("quotes", file=file, row=row + 1) from None


def _wrong(row: int, cells: int, width: int) -> Reject:
    reason = Text("The row has {found} cells; the header has {width}.", found=cells, width=width)
    return Reject(row, "cell-count", reason)


# --------------------------------------------------------------------------------------------------
# A zip archive of text tables, one for the records and one for each repeat (ODK Central).
#
# ODK writes ``form.csv`` and, for each repeat, ``form-repeat.csv``.  A row of the first has its key
# in ``KEY``; a row of a repeat has its own there, and in ``PARENT_KEY`` that of the row it belongs
# to.  It sets a group off from its field by a hyphen (central-backend, ``lib/data/briefcase.js``),
# which other names may hold too: here a slash stands for it, as in other forms.

KEY, PARENT_KEY = "KEY", "PARENT_KEY"

TABLE = (".csv", ".tsv", ".txt")


def read_archive(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    """The table of the records, and the child tables that the options name by their files.

    Raises:
        UnreadableFile: the archive is damaged, a table is missing or cannot be read, or it is not
            clear which holds the records.
        HostileFile: a limit is passed.
    """
    archive = Archive(data, file, limits)
    tables = _tables(archive)
    main = _main(tables, options.sheet, file)
    made = _table(archive.read(main), file, options, limits)
    children = {}
    for name, child in options.children.items():
        if child.file is not None:
            if child.file not in tables:
                raise error("archive-table/child", file=file, name=child.file)
            children[name] = _as_child(archive.read(child.file), file, options, limits)
    used = {main, *(child.file for child in options.children.values())}
    if rest := [name for name in tables if name not in used]:
        left = many("{n} table of the archive is not read.",
                    "{n} tables of the archive are not read.", len(rest), n=len(rest))  # fmt: skip
        made.notes.append(left)
    return replace(made, children=children)


def archive_shape(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReadOptions:
    """The options with a child table for each repeat, for a draft; what is stated stays.

    Raises:
        HostileFile, UnreadableFile: see :func:`read_archive`.
    """
    if options.children:
        return options
    archive = Archive(data, file, limits)
    tables = _tables(archive)
    main = _main(tables, options.sheet, file)
    read_ = {name: _table(archive.read(name), file, options, limits) for name in tables}
    named = {t: _short(t, main) for t in tables if t != main and PARENT_KEY in read_[t].names}
    keys = {t: _texts(read_[t], KEY) for t in (main, *named)}
    children: dict[str, Child] = {}
    for table in sorted(named, key=len):
        parents = _texts(read_[table], PARENT_KEY)
        owner = next((t for t in keys if t != table and parents <= keys[t]), main)
        of = named.get(owner)
        child = Child(file=table, key=KEY, parent=PARENT_KEY, of=of)
        children[named[table]] = child
    order = sorted(children, key=lambda name: children[name].of is not None)
    return options.model_copy(update={"children": {name: children[name] for name in order}})


def _tables(archive: Archive) -> list[str]:
    """Text tables at the top of the archive; pictures and other files lie in folders."""
    return [n for n in archive.names if "/" not in n and n.lower().endswith(TABLE)]


def _main(tables: list[str], stated: str | None, file: str) -> str:
    """The table of the records: the one that is stated, or whose name all others begin with."""
    if stated is not None:
        if stated not in tables:
            raise error("archive-table/child", file=file, name=stated)
        return stated
    for table in tables:
        stem = PurePosixPath(table).stem
        if all(other == table or other.startswith(f"{stem}-") for other in tables):
            return table
    raise error("archive-table", file=file)


def _short(table: str, main: str) -> str:
    stem = PurePosixPath(table).stem.removeprefix(PurePosixPath(main).stem + "-")
    return re.sub(r"[\s.\[\]=~]+", "_", stem)


def _table(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    cells = read(data, file, options, limits)
    if KEY not in cells.names:
        return cells
    return replace(cells, names=[name.replace("-", "/") for name in cells.names])


def _as_child(data: bytes, file: str, options: ReadOptions, limits: Limits) -> pa.Table:
    cells = _table(data, file, options.model_copy(update={"skip_rows": ()}), limits)
    return pa.table({**named_columns(cells, file), ROW: pa.array(cells.rows, pa.int64())})


def _texts(cells: ReaderResult, column: str) -> frozenset[str]:
    place = cells.names.index(column) if column in cells.names else None
    return frozenset() if place is None else frozenset(cells.columns[place].drop_null().to_pylist())
