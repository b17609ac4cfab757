"""A contributed table as text, the steps every reader ends with, and its lines of totals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import Text, many
from ctdhub.core.tables import ROW
from ctdhub.sensitive.ingest import tidy
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.own_form import by_names, taken_apart
from ctdhub.sensitive.ingest.rejects import REJECTS, Reject, reason_of, reject_table
from ctdhub.sensitive.ingest.shape.children import pivoted, with_children
from ctdhub.sensitive.ingest.tidy import Computed, is_form, is_label_row, is_tag_row

# --------------------------------------------------------------------------------------------------
# Lines of totals among the rows of a table: a sum that would be counted as a person.
#
# What is found is a reject until somebody decides: ``read: {totals: left_out}`` leaves the lines
# out and counts them as an exclusion of that name, ``read: {totals: records}`` takes them for
# records.  A row that only a word gives away, and that is filled like the others, may be a place or
# a name ("Somme"): no answer of before decides about it.

INK = r"[^\s\x0b\x{85}\pZ\p{Cf}]"
"""What a cell with content has: a character that is no white space and no mark nobody sees."""

RULE = "totals-row"
"""The reject, and the exclusion once the mapping leaves such lines out."""

LIKE_A_RECORD = Text(
    "The row begins with a word for a total but is filled like a record. If it is a total, remove "
    "it from the file; if it is a record, write `totals: records` and leave totals out by a rule."
)
"""Why a row is asked about although the mapping leaves lines of totals out."""

_BEFORE = r"(?i)^[\s\pZ\p{Cf}*=]*"
_AFTER = r"[\s\pZ\p{Cf}:.=*]*$"
_LATIN = (
    r"(grand|gran|general|sub|sous|nombre|n[uú]mero|somme|suma|sum)?[\s\pZ.-]*"
    r"(total|totals|totaux|totales|totais|totale|totaal)"
)
_OTHERS = (
    "sum|somme|suma|soma|summe|gesamt(summe)?|Σ|toplam|genel toplam|jumla|kabuuan|итого|всего|разом"
)
_ARABIC = r"(ال)?(مجموع|[إا]جمال[يى])"
_ALONE = (
    rf"{_BEFORE}({_LATIN}([\s\pZ]+(g[eé]n[eé]rale?s?|geral))?|{_OTHERS}"
    rf"|{_ARABIC}([\s\pZ]+(الكلي|العام))?){_AFTER}"
)
"""A cell that says "total" and nothing else."""

_WORDS = rf"{_BEFORE}({_LATIN}\b.*|{_OTHERS}|{_ARABIC}([\s\pZ].*)?){_AFTER}"
"""How a line of totals begins."""

RARE = 10
"""Full rows that begin with such a word are lines of totals where others are so many times more."""

LEAST = 3
"""Numbers that a sum is made of, at least."""

_MOST = 5_000_000
"""Rows to look at for sums, at most; beyond it a row that a word gives away is asked about."""

_NUMBER = r"^[\s\pZ]*[0-9٠-٩۰-۹]+([.,][0-9]+)?[\s\pZ]*$"


def find_totals(
    columns: Sequence[pa.ChunkedArray], rows: pa.Array, sums: Collection[int]
) -> list[Reject]:
    """A reject for each line of totals.

    - a row whose formulas add up other rows;
    - a row whose first filled cell speaks of a total: where it is the last one and says nothing
      else, where at most half of it is filled, where one of its numbers is the sum or the count of
      those above, all or since the last total, or where such rows are few.  Elsewhere "total" may
      be a value like any other;
    - a last row of numbers alone, at most half filled, each the sum or the count of those above.

    Args:
        columns: the texts of each column.
        rows: the number of each row.
        sums: rows whose formulas add up other rows.
    """
    n = len(rows)
    if not n:
        return []
    speaks, numbers = _speaking(columns, n, _WORDS), rows.to_numpy()
    filled = sum((_written(column).astype(int) for column in columns), np.zeros(n, int))
    by_formula = np.isin(numbers, list(sums))
    found = by_formula | (speaks & (filled * 2 <= len(columns)))
    found[-1] |= _speaking([column.slice(n - 1) for column in columns], 1, _ALONE)[0]
    full = speaks & ~found
    if 0 < full.sum() * RARE <= n:
        found |= full
    for place in np.flatnonzero(full & ~found):
        found[place] = _sums_up(columns, int(place), found)
    if not found[-1] and 1 < filled[-1] * 2 <= len(columns):
        found[-1] = all(
            _adds_up(column, n - 1, found) for column in columns if _written(column.slice(n - 1))[0]
        )
    said = Text("The row begins with a word for a total; it is not a record.")
    summed = Text("The numbers of the row add up other rows; it is not a record.")
    alone = speaks & found & ~by_formula
    if not found.all():
        alone &= filled >= np.median(filled[~found])
    if alone.sum() * n <= _MOST:
        for place in np.flatnonzero(alone):
            alone[place] = not _sums_up(columns, int(place), found)
    return [
        Reject(
            int(numbers[place]),
            RULE,
            LIKE_A_RECORD if alone[place] else said if speaks[place] else summed,
        )
        for place in np.flatnonzero(found)
    ]


def _sums_up(columns: Sequence[pa.ChunkedArray], place: int, totals: NDArray[np.bool_]) -> bool:
    """Whether a number of a row is the sum or the count of all above, or since the last total."""
    before = np.flatnonzero(totals[:place])
    starts = {0, int(before[-1]) + 1 if len(before) else 0}
    return any(
        _adds_up(column.slice(start), place - start, totals[start:])
        for start in starts
        for column in columns
    )


def _speaking(columns: Sequence[pa.ChunkedArray], n: int, words: str) -> NDArray[np.bool_]:
    """Rows whose first filled cell begins with a word for a total."""
    found, before = np.zeros(n, bool), np.ones(n, bool)
    for column in columns:
        if not before.any():
            break
        speaks = pc.match_substring_regex(column, words).fill_null(False).to_numpy()
        found |= before & speaks
        before &= ~_written(column)
    return found


def _adds_up(column: pa.ChunkedArray, place: int, totals: NDArray[np.bool_]) -> bool:
    """Whether a number is the sum, or the count, of the cells above it that are no totals."""
    own = _number(column[place].as_py())
    if own is None:
        return False
    above = column.slice(0, place).filter(pa.array(~totals[:place])).drop_null()
    found = [number for text in above.to_pylist() if (number := _number(text)) is not None]
    if len(found) == len(above) and len(found) >= LEAST and sum(found) > 0:
        return abs(sum(found) - own) < 1e-6
    return len(above) >= RARE and own == len(above)


def _number(text: str | None) -> float | None:
    if text is None or not pc.match_substring_regex(pa.scalar(text), _NUMBER).as_py():
        return None
    return float(text.strip().replace(",", "."))


def _written(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Which cells hold anything that is seen."""
    there: NDArray[np.bool_] = (
        pc.match_substring_regex(column, INK).fill_null(False).to_numpy().astype(bool)
    )
    return there


# --------------------------------------------------------------------------------------------------
# A contributed table as text, and the steps every reader ends with.

_BATCH = 10_000


@dataclass(frozen=True)
class RawTable:
    """What a reader hands on.

    Attributes:
        file: name of the file (never its path), safe to show.
        sha256: hexadecimal hash of the file's bytes; empty where the table was in memory.
        table: one text column per named column, null where the cell is empty, and ``_row``
            (int64): the 1-based row that a spreadsheet shows.  In JSON, which has no header, it
            is the line or the position in the list.
        rejects: rows that could not be read, schema ``REJECTS``, one line per row.
        rows_read: rows of ``table`` and ``rejects`` and lines of ``totals`` together.  Rows without
            any value and the rows named in ``skip_rows`` are no rows.
        encoding, delimiter: of a text file, else None.
        sheet: of a workbook, else None.
        notes: what the reader decided on its own, for the contributor to see.
        children: child rows by the name of their table: text columns of which ``table`` has
            columns of the same names unless they were not to be folded, and ``_row``, the row of
            ``table`` that each belongs to.
        totals: lines of totals that were left out, as the mapping says.
    """

    file: str
    sha256: str
    table: pa.Table
    rejects: pa.Table
    rows_read: int
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    notes: tuple[Text, ...] = ()
    children: Mapping[str, pa.Table] = field(default_factory=dict)
    totals: int = 0

    def __post_init__(self) -> None:
        if self.rows_read != self.table.num_rows + self.rejects.num_rows + self.totals:
            raise ValueError("rows read must be those of the table, the rejects and the totals")
        if self.table.column_names[-1:] != [ROW] or not self.rejects.schema.equals(REJECTS):
            raise ValueError("a raw table ends with _row and its rejects have the schema REJECTS")

    def column_names(self) -> list[str]:
        """Columns of the table and of its child rows, each once."""
        own = [name for name in self.table.column_names if name != ROW]
        more = [c for rows in self.children.values() for c in rows.column_names if c != ROW]
        return list(dict.fromkeys([*own, *more]))

    def cells(self, name: str) -> pa.ChunkedArray:
        """The single cells of a column: those of child rows where it was folded from them."""
        for rows in self.children.values():
            if name in rows.column_names:
                return rows[name]
        return self.table[name]

    def without(self, names: Iterable[str]) -> RawTable:
        """The file without some columns, in child rows too."""
        gone = set(names)

        def rest(table: pa.Table) -> pa.Table:
            return table.drop_columns([c for c in table.column_names if c in gone])

        children = {name: rest(rows) for name, rows in self.children.items()}
        return replace(self, table=rest(self.table), children=children) if gone else self

    def whole(self) -> RawTable:
        """The table itself, for whoever can keep no rejects.

        Raises:
            UnreadableFile: a row could not be read; the first is named.
        """
        for first in self.rejects.slice(0, 1).to_pylist():
            raise error(
                "cell-count/reject",
                file=self.file,
                row=first["source_row"],
                rule=first["rule"],
                reason=reason_of(first["fields"]),
            )
        return self


@dataclass(frozen=True)
class ReaderResult:
    """What a format reader found: names, one text array per name, row numbers, rejects.

    ``children`` are child tables as :mod:`ctdhub.sensitive.ingest.shape.children` takes them.
    ``places`` say where a column stands, for errors; by default letters.
    ``computed`` says which cells formulas made.
    """

    names: list[str]
    columns: list[pa.ChunkedArray]
    rows: NDArray[np.int64]
    rejects: list[Reject]
    header_row: int = 0
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    notes: list[Text] = field(default_factory=list)
    children: Mapping[str, pa.Table] = field(default_factory=dict)
    places: list[str] | None = None
    computed: Computed = field(default_factory=Computed)


def gather(
    rows: Iterable[tuple[int, Sequence[str | None]]], width: int
) -> tuple[list[pa.ChunkedArray], NDArray[np.int64]]:
    """Columns from rows of ``width`` cells, a batch at a time; the empty text becomes null."""
    pieces: list[list[pa.Array]] = [[] for _column in range(width)]
    numbers: list[int] = []
    source: Iterator[tuple[int, Sequence[str | None]]] = iter(rows)
    while batch := list(islice(source, _BATCH)):
        numbers += [number for number, _cells in batch]
        for piece, column in zip(
            pieces, zip(*(cells for _n, cells in batch), strict=True), strict=True
        ):
            piece.append(pa.array([cell or None for cell in column], pa.string()))
    return [pa.chunked_array(p, pa.string()) for p in pieces], np.array(numbers, np.int64)


def finish(  # noqa: C901
    cells: ReaderResult, file: str, sha256: str, options: ReadOptions, limits: Limits
) -> RawTable:
    """The raw table: nameless empty columns and empty rows dropped, every cell checked.

    Raises:
        HostileFile: too many rows, child rows or columns, too long a cell, a NUL character.
        UnreadableFile: a column with values and without a name; tables cannot be tied together.
    """
    if options.long:
        cells = _lengthwise(cells, options, file, limits)
    if len(cells.rows) + len(cells.rejects) > limits.rows:
        raise too_many_rows(file, limits)
    unseen = set(options.unseen)
    if (labels := is_label_row(cells.names, cells.columns, cells.rows, options)).any():
        unseen |= set(cells.rows[labels].tolist())
        rest = pa.array(~labels)
        columns = [column.filter(rest) for column in cells.columns]
        cells = replace(cells, columns=columns, rows=cells.rows[~labels])
    if len(cells.rows) and is_tag_row(cells.columns):
        columns = [column.slice(1) for column in cells.columns]
        cells = replace(cells, columns=columns, rows=cells.rows[1:])
        cells.notes.append(Text("The row below the names holds HXL tags; it is not a record."))
    names, letters, columns = _named(cells, file)
    if "type" in names and is_form(names, columns[names.index("type")].to_pylist()):
        raise error("xlsform", file=file)
    rows = pa.array(cells.rows, pa.int64())
    if len(rows):
        filled = _filled(columns, len(rows))
        for name, child in cells.children.items():
            if name not in options.children or options.children[name].path is not None:
                filled |= pc.is_in(rows, value_set=child[ROW].combine_chunks()).to_numpy(False)
        if not filled.all():
            keep = pa.array(filled)
            blank = int(len(rows) - filled.sum())
            cells.notes.append(
                many(
                    "{n} row holds no value in any column; it is not a record.",
                    "{n} rows hold no value in any column; they are not records.",
                    blank,
                    n=blank,
                )
            )
            columns = [column.filter(keep) for column in columns]
            rows = rows.filter(keep)
    notes = list(cells.notes)
    short = tidy.without_groups(names, options.kobo)
    if short != names:
        notes.append(Text("Group prefixes were taken off the column names of this Kobo export."))
    if cells.delimiter is not None and set(names) >= tidy.KOBO:
        notes.append(
            Text("A CSV of KoboToolbox lacks repeat groups; where the form has some, export xlsx.")
        )
    for place, column in zip(letters, columns, strict=True):
        _check(place, column, rows, file, limits)
    totals: list[Reject] = []
    sums = cells.computed.sums if options.totals != "records" else set()
    if options.totals != "records" and (totals := find_totals(columns, rows, sums)):
        keep = pc.invert(pc.is_in(rows, value_set=pa.array([r.row for r in totals], rows.type)))
        columns, rows = [column.filter(keep) for column in columns], rows.filter(keep)
    unseen |= sums | {one.row for one in totals}
    cells.computed.refuse(file, unseen)
    notes += [note] if (note := cells.computed.note()) else []
    found = totals
    if options.totals == "left_out":
        totals = [one for one in found if one.reason == LIKE_A_RECORD]
    if left_out := len(found) - len(totals):
        notes.append(
            many(
                "{n} line of totals was left out, as the mapping says.",
                "{n} lines of totals were left out, as the mapping says.",
                left_out,
                n=left_out,
            )
        )
    for name, child in cells.children.items():
        for column in child.column_names:
            if column != ROW:
                _check(f"{name}.{column}", child[column], child[ROW], file, limits)
    if options.form:
        short, columns = by_names(short, columns)
    columns = [
        taken_apart(column, options.choices[name], options.mark)
        if name in options.choices
        else column
        for name, column in zip(short, columns, strict=True)
    ]
    flat = pa.table([*columns, rows], names=[*short, ROW])
    shaped = with_children(flat, cells.children, options, limits.children, file)
    table = shaped.table
    if table.num_columns - 1 > limits.columns:
        row, n = cells.header_row, table.num_columns - 1
        raise error("columns", file=file, row=row, n=n, limit=limits.columns)
    roomy = limits.model_copy(update={"cell_characters": limits.list_characters})
    for name in sorted(shaped.folded):
        _check(name, table[name], table[ROW], file, roomy)
    if shaped.moved:
        notes.append(
            many(
                "{n} row is a child row of another; it is not a record.",
                "{n} rows are child rows of others; they are not records.",
                shaped.moved,
                n=shaped.moved,
            )
        )
    bad = [*cells.rejects, *totals, *shaped.rejects]
    rejects = reject_table(file, bad)
    return RawTable(
        file=file,
        sha256=sha256,
        table=table,
        rejects=rejects,
        rows_read=table.num_rows + rejects.num_rows + left_out,
        encoding=cells.encoding,
        delimiter=cells.delimiter,
        sheet=cells.sheet,
        notes=tuple(notes),
        children=shaped.children,
        totals=left_out,
    )


def _lengthwise(
    cells: ReaderResult, options: ReadOptions, file: str, limits: Limits
) -> ReaderResult:
    """A long table as a wide one."""
    assert options.long is not None
    given = (cells.names, cells.columns, cells.rows)
    names, columns, rows, bad = pivoted(
        *given, options.long, options.names, options.mark, file, limits
    )
    rejects = [*cells.rejects, *bad]
    return replace(cells, names=names, columns=columns, rows=rows, rejects=rejects, places=names)


def too_many_rows(file: str, limits: Limits) -> HubError:
    """The error for a file with more rows than allowed."""
    return error("rows", file=file, limit=limits.rows)


def cell_too_long(file: str, row: int | None, column: str | None, limits: Limits) -> HubError:
    """The error for a cell with more characters than allowed."""
    return error("cell-size", file=file, row=row, column=column, limit=limits.cell_characters)


def buffers(chunk: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets (one more than cells) and bytes of a chunk of text, without a copy."""
    _valid, offsets, data = chunk.buffers()
    where = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return where, np.frombuffer(data if data is not None else b"", np.uint8)


def has_byte(column: pa.ChunkedArray, characters: str) -> bool:
    """Whether one of some ASCII characters stands anywhere in a column of texts, or of codes."""
    for piece in column.chunks:
        chunk = piece.dictionary if pa.types.is_dictionary(piece.type) else piece
        if len(chunk):
            offsets, data = buffers(chunk)
            text = data[offsets[0] : offsets[-1]]
            if any(bool((text == ord(character)).any()) for character in characters):
                return True
    return False


def _named(cells: ReaderResult, file: str) -> tuple[list[str], list[str], list[pa.ChunkedArray]]:
    """Names, letters and texts of the columns that have a name."""
    names, letters, columns = [], [], []
    for position, (name, column) in enumerate(zip(cells.names, cells.columns, strict=True)):
        if name:
            names.append(name)
            letters.append(cells.places[position] if cells.places else tidy.column_letter(position))
            columns.append(column)
        elif column.null_count < len(column):
            if not _counts_rows(column):
                raise tidy.unnamed(position, file, cells.header_row)
            cells.notes.append(
                Text(
                    "Column {column} has no name and only numbers the rows; it was left out.",
                    column=tidy.column_letter(position),
                )
            )
    return names, letters, columns


def _counts_rows(column: pa.ChunkedArray) -> bool:
    """Whether the values are 1, 2, 3 … in order: the margin of a paper form, not data."""
    first = column.drop_null().slice(0, 1)[0].as_py()
    if first not in ("0", "1"):
        return False
    values = column.drop_null()
    expected = np.arange(int(first), int(first) + len(values)).astype(str)
    return bool(pc.all(pc.equal(values.combine_chunks(), pa.array(expected))).as_py())


def _filled(columns: Sequence[pa.ChunkedArray], n: int) -> NDArray[np.bool_]:
    """Which rows hold any value; white space alone is none."""
    filled = np.zeros(n, bool)
    for column in columns:
        written = pc.match_substring_regex(column, INK)
        filled |= written.fill_null(False).to_numpy()
        if filled.all():
            break
    return filled


def _check(place: str, column: pa.ChunkedArray, rows: pa.Array, file: str, limits: Limits) -> None:
    begin = 0
    for chunk in column.chunks:
        offsets, data = buffers(chunk)
        text = data[offsets[0] : offsets[-1]] if len(chunk) else data[:0]
        if not text.all():
            nul = int(offsets[0] + np.flatnonzero(text == 0)[0])
            at = begin + int(np.searchsorted(offsets, nul, side="right")) - 1
            raise error("nul", file=file, row=rows[at].as_py(), column=place)
        for long in np.flatnonzero(np.diff(offsets) > limits.cell_characters):
            if len(chunk[int(long)].as_py()) > limits.cell_characters:
                raise cell_too_long(file, rows[begin + int(long)].as_py(), place, limits)
        begin += len(chunk)
