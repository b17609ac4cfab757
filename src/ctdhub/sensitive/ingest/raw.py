"""A contributed table as text: read by what its first bytes say it is, with the steps that every
reader ends with, and rows that may be nobody.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ctdhub.core.errors import error, printable
from ctdhub.core.i18n import Text, many
from ctdhub.core.tables import ENDINGS, ROW
from ctdhub.sensitive.ingest import tidy
from ctdhub.sensitive.ingest.formats import FORMATS, Format, format_of
from ctdhub.sensitive.ingest.options import Limits, LongTable, ReadOptions
from ctdhub.sensitive.ingest.own_form import by_names, taken_apart
from ctdhub.sensitive.ingest.rejects import REJECTS, Reject, reason_of, reject_table
from ctdhub.sensitive.ingest.shape.children import Shaped, list_cell, with_children
from ctdhub.sensitive.ingest.tidy import Computed, is_form, is_label_row, is_tag_row

# --------------------------------------------------------------------------------------------------
# Rows that may be nobody: a total, an average, a source, a heading would be counted as a person.
#
# What gives such a row away is the cell that says what it is, its key or its first text: a key that
# is a word for a total, an average or a group of people, which follows from the row alone, so that
# no row decides about another one; or a text that is unlike those of fuller rows, with hardly a
# cell next to it that is like its column, which counts only where the mapping finds no value in the
# row.  Nothing is decided here.

INK = r"[^\s\x0b\x{85}\pZ\p{Cf}]"
"""What a cell with content has: a character that is no white space and no mark nobody sees."""

_LATIN = (
    r"(grand|gran|general|sub|sous|nombre|n[uú]mero|somme|suma|sum)?[\s\pZ.-]*"
    r"(total|totals|totaux|totales|totais|totale|totaal)"
)
_OTHERS = "sum|som(me|a)|sum(a|me)|gesamt(summe)?|Σ|(genel )?toplam|jumla|kabuuan|итого|всего|разом"
_ARABIC, _ARABIC_AVERAGE = r"(ال)?(مجموع|[إا]جمال[يى])", r"(ال)?(متوسط|وسيط|نسبة|عدد)"
_AVERAGE = (
    r"average|avg|mean|m[eé]dian(es?|a)?|mode|(std|standard)\.?[\s\pZ]*dev(iation)?|count|ensemble|"
    r"(the )?(number|no\.|count|share|percentage|#|%) of|nombre de|n[uú]mero de|moyennes?|anzahl|"
    r"[âa]ge (moyen|m[eé]dian)|edad (media|promedio)|[eé]cart.type|effectif|m[aá]xim(o|um)|"
    r"m[ií]nim(o|um)|promedio|pou?rcent(age|aje|agem)|cantidad de|m[eé]dia|durchschnitt|mittelwert|"
    r"в среднем|средн[иеяй]+|медиана|количество|trung bình"
)
_PEOPLE = (
    r"(dont|of (which|whom)|de l[oa]s cuales|[%#])?[\s\pZ]*((fe)?male([\s\pZ]+victims)?|"
    r"(minors|adults|children|women|men|girls|boys|(fe)?males|mineure?s|adultes|enfants|femmes|"
    r"hommes|filles|gar[cç]ons|menores|adult[oa]s|mujeres|hombres|niñas|niños|crianças|mulheres|"
    r"homens|(ال)?(قاصرون|قاصرين|قصر|بالغون|بالغين|أطفال|نساء|رجال|فتيات|فتيان|[إا]ناث|ذكور))"
    r"([\s\pZ]+(de edad|((under|over|(de )?(moins|plus|menos|más) de) )?\p{Nd}+( ans| años)?))?)"
)
_BEFORE, _AFTER = r"(?i)^[\s\pZ\p{Cf}*=]*", r"[\s\pZ\p{Cf}:.=*]*$"
_TOTAL = rf"{_BEFORE}({_LATIN}\b.*|{_OTHERS}|{_ARABIC}([\s\pZ].*)?){_AFTER}"
"""How a line of totals begins."""

_WORD = (
    rf"{_BEFORE}(({_LATIN}|{_AVERAGE})\b.*|{_OTHERS}|{_PEOPLE}|"
    rf"({_ARABIC_AVERAGE}|{_ARABIC})([\s\pZ].*)?){_AFTER}"
)
"""How a line of totals, averages or groups begins."""

_NUMBER = r"^[\s\pZ]*\p{Nd}+([.,٫]\p{Nd}+)?[\s\pZ%]*$"
"""A cell of which a sum, a count or an average could be made."""

SHEET = "_sheet"
"""The column that says which sheet a row is from."""

_FULL = 10
"""One row in so many is as full as those that count as full, at least."""

_CODE = r"^[^\s\pZ]*\p{Nd}[^\s\pZ]*$"
"""One word with a digit, or a number."""

_ALIKE = 5
"""How many other rows say how one is built: after fewer, the next may well be of a new form."""

RULE = "note-row"
"""The reject of such a row, and the exclusion once the mapping leaves them out."""

Bools = NDArray[np.bool_]
Numbers = NDArray[np.intp]


class UnlikeRows(NamedTuple):
    """Rows that may be nobody, by their place.

    Attributes:
        rows: their label is unlike others, and beside it there is less than a third of what full
            rows have.  Where labels are codes, which a word is not, it is half at most, and a
            number counts only if it is one of the others: a sum is none.
        words: their label is a word for a total, an average or a group; that of a key whatever
            else the row says.
        label: the place of the column whose cell says what each row is.
        sums: those whose formulas add up others, or whose label is a word for a total, among codes
            or with numbers alone beside it.
        filled: the filled cells of each row.
        typical: those of most of the fuller rows.
    """

    rows: Bools
    words: Bools
    label: Numbers
    sums: Bools
    filled: Numbers
    typical: int


class ColumnTexts:
    """The texts of a column, each looked at once.

    Args:
        column: texts, or codes of texts.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        if not pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()).dictionary_encode()
        cells = column.unify_dictionaries().combine_chunks()
        self._texts = pc.utf8_lower(pc.utf8_trim_whitespace(cells.dictionary.cast(pa.string())))
        self._of_row = cells.indices.fill_null(len(self._texts)).to_numpy(zero_copy_only=False)
        self.written, self.number = self.match(INK), self.match(_NUMBER)

    def match(self, pattern: str) -> Bools:
        """The rows whose text matches."""
        hits = pc.match_substring_regex(self._texts, pattern).fill_null(False)
        texts = np.append(hits.to_numpy(zero_copy_only=False).astype(bool), False)
        return np.asarray(texts[self._of_row])

    def built(self, pattern: str, instead: str) -> Numbers:
        """Rows of one number have one text, once what matches is replaced."""
        forms = pc.replace_substring_regex(self._texts, pattern, instead).dictionary_encode()
        texts = np.append(forms.indices.to_numpy(zero_copy_only=False), len(forms))
        return np.asarray(texts[self._of_row])

    def met(self, fuller: Bools, pattern: str = "$^", instead: str = "") -> Bools:
        """Rows whose text is that of another, fuller row, once what matches is replaced."""
        texts, fuller = self.built(pattern, instead), fuller & self.written
        rows = np.bincount(texts[fuller], minlength=texts.max(initial=0) + 1)
        return np.asarray(rows[texts] > fuller)

    def like(self, fuller: Bools, *, key: bool) -> Bools:
        """Rows whose text is that of another, fuller row, or has a digit and is built like one.

        So is any code where hardly another row says how one is built.

        Args:
            fuller: the rows to be compared with.
            key: whether the column names people: among codes a word names none, while in another
                column a number is like others only where it is one of them.
        """
        digit, codes = self.match(r"\p{Nd}"), key and self.coded(fuller)
        built = self.met(fuller, r"\p{Nd}+", "9") & digit
        rows = self.met(fuller) & (digit | (not codes)) | (built if key else built & ~self.number)
        others = fuller & self.written
        rows |= self.match(_CODE) & (others.sum() - others < _ALIKE)
        if rows.all():
            return rows
        token = self.match(r"^[^\s\pZ]*\pL[^\s\pZ]*$")
        there = fuller & digit & token  # among codes in which digits stand anywhere, with a letter:
        mixed = codes and len(np.unique(self.built(r"\p{Nd}", "9")[there])) * 2 > there.sum()
        return rows | (self.met(there, r"[\pL\p{Nd}]", "x") & token & (digit | mixed))

    def coded(self, fuller: Bools) -> bool:
        """Whether most of the cells of the fuller rows have a digit."""
        there = self.match(r"\p{Nd}")[fuller & self.written]
        return bool(len(there) and there.mean() > 0.5)


def unlike_rows(
    columns: Sequence[ColumnTexts], adding: Bools, keys: Collection[int] | None = None
) -> UnlikeRows:
    """The rows of a table that may be nobody.

    Args:
        columns: its columns.
        adding: rows whose formulas add up others.
        keys: the places of those columns by which a person or a case is known; where there are
            none, the first.  None where no mapping says so: then only a total is a word.
    """
    n = len(adding)
    filled = sum((one.written.astype(np.intp) for one in columns), np.zeros(n, np.intp))
    full = int(np.sort(filled)[-max(1, n // _FULL)]) if n else 0
    if full < 2:
        return UnlikeRows(adding, adding, np.zeros(n, np.intp), adding, filled, 0)
    fuller = (filled * 2 > full) & ~adding
    label, strange = np.full(n, -1, np.intp), np.ones(n, bool)
    words, totals, named, codes = (np.zeros(n, bool) for _each in range(4))
    pattern, of_mapping, keys = _WORD if keys is not None else _TOTAL, keys or (), keys or [0]
    for place in dict.fromkeys([*keys, *range(len(columns))]):
        column, key = columns[place], place in keys
        first = column.written & (label < 0)
        here = column.written & (first | key)
        if here.any():
            label[first], word = place, column.match(pattern)
            words, totals = words | (first & word), totals | (first & column.match(_TOTAL))
            named |= here & word & (place in of_mapping)
            codes |= first & column.coded(fuller)
            strange &= ~here | word | ~column.like(fuller, key=key)
    beside, texts = np.zeros(n, np.intp), np.zeros(n, np.intp)
    for place, column in enumerate(columns if strange.any() else ()):
        others = column.written & (label != place)
        texts += others & ~column.number
        met = column.met(fuller) | (~(words | codes) & column.met(fuller, r"\p{Nd}+", "9"))
        beside += others & (~column.number | met)
    typical = int(np.median(filled[fuller])) if fuller.any() else full
    few = np.where(words | codes, beside * 2 <= typical, beside * 3 < typical)
    words = named | (words & strange & few)
    rows = (strange & few & (filled > 0)) | words
    sums = adding | (words & totals & (codes | (texts == 0)))
    return UnlikeRows(rows | sums, words, label, sums, filled, typical)


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
        rows_read: rows of ``table`` and ``rejects`` together.  Rows without any value and the rows
            named in ``skip_rows`` are no rows.
        encoding, delimiter: of a text file, else None.
        sheet: of a workbook, else None.
        notes: what the reader decided on its own, for the contributor to see.
        children: child rows by the name of their table: text columns of which ``table`` has
            columns of the same names unless they were not to be folded, and ``_row``, the row of
            ``table`` that each belongs to.
        sums: the numbers of rows whose formulas add up others; None where the mapping says that
            all rows are records.
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
    sums: Sequence[int] | None = ()

    def __post_init__(self) -> None:
        if self.rows_read != self.table.num_rows + self.rejects.num_rows:
            raise ValueError("rows read must be those of the table and the rejects")
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
        sums = self.unlike().sums if self.sums is not None else np.zeros(self.table.num_rows, bool)
        for row in self.table[ROW].filter(pa.array(sums)).slice(0, 1).to_pylist():
            reason = Text("It is a total of other rows, and no record.")
            raise error("cell-count/reject", file=self.file, row=row, rule=RULE, reason=reason)
        return self

    def unlike(
        self, keys: Iterable[str] | None = None, table: pa.Table | None = None
    ) -> UnlikeRows:
        """The rows that may be nobody; what a program writes as JSON or for statistics has none.

        Args:
            keys: columns by which a person or a case is known, None where no mapping says so.
            table: the same table as codes.
        """
        table = self.table if table is None else table
        typed = self.delimiter is not None or self.sheet is not None
        names = [name for name in table.column_names if name not in (ROW, SHEET)]
        adding = np.isin(table[ROW].to_numpy(), list(self.sums or ()))
        columns = [ColumnTexts(table[name]) for name in names if typed]
        known = None if keys is None else [names.index(key) for key in keys]
        return unlike_rows(columns, adding, known)


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


def named_columns(cells: ReaderResult, file: str) -> dict[str, pa.ChunkedArray]:
    """Columns by their names.

    Raises:
        UnreadableFile: a column holds values and has no name (``empty-header``).
    """
    named = list(zip(cells.names, cells.columns, strict=True))
    for place, (name, column) in enumerate(named):
        if not name and column.null_count < len(column):
            letter = tidy.column_letter(place)
            raise error("empty-header", file=file, row=cells.header_row, column=letter)
    return {name: column for name, column in named if name}


class Tidying(NamedTuple):
    """What every step of tidying knows beside the table."""

    file: str
    options: ReadOptions
    limits: Limits


def finish(
    cells: ReaderResult, file: str, sha256: str, options: ReadOptions, limits: Limits
) -> RawTable:
    """The raw table: nameless empty columns and empty rows dropped, every cell checked.

    Raises:
        HostileFile: too many rows, child rows or columns, too long a cell, a NUL character.
        UnreadableFile: a column with values and without a name; tables cannot be tied together.
    """
    of = Tidying(file, options, limits)
    for step in STEPS:
        cells = step(cells, of)
    shaped = _with_children(cells, of)
    rejects = reject_table(file, [*cells.rejects, *shaped.rejects])
    return RawTable(
        file=file,
        sha256=sha256,
        table=shaped.table,
        rejects=rejects,
        rows_read=shaped.table.num_rows + rejects.num_rows,
        encoding=cells.encoding,
        delimiter=cells.delimiter,
        sheet=cells.sheet,
        notes=tuple(cells.notes),
        children=shaped.children,
        sums=None if options.notes == "records" else sorted(cells.computed.sums),
    )


def _lengthwise(cells: ReaderResult, of: Tidying) -> ReaderResult:
    """A long table as a wide one; no more rows than are allowed."""
    if of.options.long:
        cells = _widened(cells, of.options.long, of)
    if len(cells.rows) + len(cells.rejects) > of.limits.rows:
        raise error("rows", file=of.file, limit=of.limits.rows)
    return cells


def _widened(cells: ReaderResult, long: LongTable, of: Tidying) -> ReaderResult:
    """One row for each id, in the order of their first lines, and a column for each name.

    Other columns keep their text; where lines of one id differ the cell is a list.  So is the cell
    of a name that comes twice with different values.  A line that has no id, or a value without a
    name, is a reject.

    Raises:
        UnreadableFile: a column is missing (``long-column``), or a name is also that of another
            column (``duplicate-header/child``).
        HostileFile: too many columns or cells.
    """
    file, options, limits = of
    if missing := [c for c in (long.id, long.name, long.value) if c not in cells.names]:
        raise error("long-column", file=file, names=missing[0])
    texts = {n: column.to_pylist() for n, column in zip(cells.names, cells.columns, strict=True)}
    kept = [name for name in cells.names if name not in (long.name, long.value)]
    names, rejects = dict.fromkeys(kept), list(cells.rejects)
    records: dict[str, dict[str, list[str]]] = {}
    first: list[int] = []
    for line, row in enumerate(cells.rows.tolist()):
        said = {name: column[line] for name, column in texts.items()}
        who, name, value = said[long.id], said.pop(long.name), said.pop(long.value)
        if not who or (value and not name):
            reason = Text("The line has no id, or a value without a name.")
            rejects.append(Reject(row, "long-line", reason))
            continue
        if name:
            name = options.names.get(name, name)
            if name in kept:
                raise error("duplicate-header/child", file=file, column=name)
            names[name], said[name] = None, value
        if (n := len(names)) > limits.columns:
            raise error("columns", file=file, row=row, n=n, limit=limits.columns)
        if who not in records:
            records[who] = {}
            first.append(row)
        for column, text in said.items():
            own = records[who].setdefault(column, [])
            if text and text not in own:
                own.append(text)
    if len(names) * len(records) > limits.grid_cells:
        raise error("grid-size", file=file)
    columns = [
        [own[0] if len(own) == 1 else list_cell(own, options.mark) for own in column]
        for column in ([record.get(name, []) for record in records.values()] for name in names)
    ]
    return replace(
        cells,
        names=[*names],
        places=[*names],
        columns=[pa.chunked_array([column], pa.string()) for column in columns],
        rows=np.array(first, np.int64),
        rejects=rejects,
    )


def _without_labels(cells: ReaderResult, of: Tidying) -> ReaderResult:
    """Without the rows of labels that the mapping names."""
    labels = is_label_row(cells.names, cells.columns, cells.rows, of.options)
    gone = {*of.options.unseen, *cells.rows[labels].tolist()}
    return replace(_select_rows(cells, ~labels), computed=cells.computed.without(gone))


def _without_tags(cells: ReaderResult, _of: Tidying) -> ReaderResult:
    """Without the row of HXL tags below the names."""
    if not len(cells.rows) or not is_tag_row(cells.columns):
        return cells
    cells.notes.append(Text("The row below the names holds HXL tags; it is not a record."))
    return _select_rows(cells, np.arange(len(cells.rows)) > 0)


def _without_nameless(cells: ReaderResult, of: Tidying) -> ReaderResult:
    """The columns that have a name, of no form; one without may only number the rows."""
    names, places, columns = [], [], []
    for position, (name, column) in enumerate(zip(cells.names, cells.columns, strict=True)):
        letter = tidy.column_letter(position)
        if name:
            names.append(name)
            places.append(cells.places[position] if cells.places else letter)
            columns.append(column)
        elif column.null_count < len(column):
            if not _counts_rows(column):
                raise error("empty-header", file=of.file, row=cells.header_row, column=letter)
            note = Text("Column {column} has no name and only numbers the rows; it was left out.")
            cells.notes.append(note.holding(column=letter))
    if "type" in names and is_form(names, columns[names.index("type")].to_pylist()):
        raise error("xlsform", file=of.file)
    return replace(cells, names=names, columns=columns, places=places)


def _without_blank(cells: ReaderResult, of: Tidying) -> ReaderResult:
    """Without rows that hold no value, in child tables neither."""
    if not len(cells.rows):
        return cells
    filled, options = _filled(cells.columns, len(cells.rows)), of.options
    for name, child in cells.children.items():
        if name not in options.children or options.children[name].path is not None:
            parents = pc.is_in(pa.array(cells.rows), value_set=child[ROW].combine_chunks())
            filled |= parents.to_numpy(False)
    if blank := int((~filled).sum()):
        cells.notes.append(
            many(
                "{n} row holds no value in any column; it is not a record.",
                "{n} rows hold no value in any column; they are not records.",
                blank,
                n=blank,
            )
        )
    return _select_rows(cells, filled)


def _without_groups(cells: ReaderResult, of: Tidying) -> ReaderResult:
    """Names without the prefixes of groups."""
    short = tidy.without_groups(cells.names, of.options.kobo)
    if short != cells.names:
        cells.notes.append(
            Text("Group prefixes were taken off the column names of this Kobo export.")
        )
    if cells.delimiter is not None and set(cells.names) >= tidy.KOBO:
        cells.notes.append(
            Text("A CSV of KoboToolbox lacks repeat groups; where the form has some, export xlsx.")
        )
    return replace(cells, names=short)


def _checked(cells: ReaderResult, of: Tidying) -> ReaderResult:
    """Refuse cells that are too long, hold a NUL, or hold a formula without a value."""
    rows = pa.array(cells.rows, pa.int64())
    for place, column in zip(cells.places or (), cells.columns, strict=True):
        _check(place, column, rows, of.file, of.limits)
    sums = set[int]() if of.options.notes == "records" else cells.computed.sums
    cells.computed.without(sums).refuse(of.file)
    cells.notes.extend([note] if (note := cells.computed.note()) else [])
    for name, child in cells.children.items():
        for column in child.column_names:
            if column != ROW:
                _check(f"{name}.{column}", child[column], child[ROW], of.file, of.limits)
    return cells


def _by_form(cells: ReaderResult, of: Tidying) -> ReaderResult:
    """Columns by the names of the hub's own form, and answers of several choices taken apart."""
    names, columns, options = cells.names, cells.columns, of.options
    if options.form:
        names, columns = by_names(names, columns)
    columns = [
        taken_apart(column, options.choices[name], options.mark)
        if name in options.choices
        else column
        for name, column in zip(names, columns, strict=True)
    ]
    return replace(cells, names=names, columns=columns)


def _with_children(cells: ReaderResult, of: Tidying) -> Shaped:
    """Child tables tied to their records and folded into them."""
    flat = pa.table([*cells.columns, pa.array(cells.rows, pa.int64())], [*cells.names, ROW])
    shaped = with_children(flat, cells.children, of.options, of.limits.children, of.file)
    if (n := shaped.table.num_columns - 1) > of.limits.columns:
        row = cells.header_row
        raise error("columns", file=of.file, row=row, n=n, limit=of.limits.columns)
    roomy = of.limits.model_copy(update={"cell_characters": of.limits.list_characters})
    for name in sorted(shaped.folded):
        _check(name, shaped.table[name], shaped.table[ROW], of.file, roomy)
    if shaped.moved:
        cells.notes.append(
            many(
                "{n} row is a child row of another; it is not a record.",
                "{n} rows are child rows of others; they are not records.",
                shaped.moved,
                n=shaped.moved,
            )
        )
    return shaped


STEPS: tuple[Callable[[ReaderResult, Tidying], ReaderResult], ...] = (
    _lengthwise,
    _without_labels,
    _without_tags,
    _without_nameless,
    _without_blank,
    _without_groups,
    _checked,
    _by_form,
)
"""What is done to every table before its children are folded into it, in this order; each may add
notes and rejects, or refuse the table."""


def _select_rows(cells: ReaderResult, rows: NDArray[np.bool_]) -> ReaderResult:
    """Without the other rows."""
    if rows.all():
        return cells
    keep = pa.array(rows)
    columns = [column.filter(keep) for column in cells.columns]
    return replace(cells, columns=columns, rows=cells.rows[rows])


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
                row, limit = rows[begin + int(long)].as_py(), limits.cell_characters
                raise error("cell-size", file=file, row=row, column=place, limit=limit)
        begin += len(chunk)


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
    content = format_of(data[:4096])
    if content is not FORMATS[-1] and content.name != "json":
        return content  # a signature of its own
    if data.startswith(_OLE):
        secret = "EncryptedPackage".encode("utf-16-le") in data
        raise error("encrypted" if secret else "content/old-office", file=file)
    for signature, name in _BINARY:
        if data.startswith(signature):
            raise error("content/other-format", file=file, format=name)
    if _MARKUP.match(data[:4096]):
        raise error("content/markup", file=file)
    return content


def mismatch(file: str, content: Format) -> Text | None:
    """A note where the name promises another format than the content is; content decides."""
    suffix = Path(file).suffix.lower()
    if suffix in ENDINGS[content.name] or not any(suffix in known for known in ENDINGS.values()):
        return None
    return Text(
        "The name ends in {suffix} but the content is {content}; it was read as such.",
        suffix=suffix,
        content=content.content,
    )


# --------------------------------------------------------------------------------------------------
# Tables of columns as text: Parquet, and whatever speaks Arrow's C stream (pandas, polars, DuckDB).


def read_arrow(frame: Any) -> RawTable:
    """A table in memory as a RawTable; every cell becomes text, the empty text null.

    Numbers are written without a trailing ".0", dates as ISO 8601.  ``_row`` counts rows from 1.

    Args:
        frame: anything with the method ``__arrow_c_stream__`` of the Arrow PyCapsule interface.

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
        raise error("content/arrow", file="table") from None
    return _of_columns("table", "", table.schema, table.num_rows, table.column, Limits())


def read_parquet(path: Path) -> RawTable:
    """A Parquet file in the same way.

    Contributors send spreadsheets and text; Parquet comes from statisticians who protect a table of
    their own.  So ``read_table`` does not offer it, and the verbs for lone tables do.  A row
    without any value is a row, because Parquet has no blank lines.

    Raises:
        UnreadableFile: it is no Parquet file; or see :func:`read_arrow`.
        HostileFile: a limit is passed.
    """
    limits, file = Limits(), printable(path.name)
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
    for cells in schema:
        if pa.types.is_nested(cells.type):
            raise error("nested", file=file, column=cells.name)
        values = column(cells.name)
        try:
            texts[cells.name] = as_text(values)
        except pa.ArrowException:
            raise error("content/arrow-type", file=file, column=cells.name) from None
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
        content = kind(data, file)
        read = content.function("read")
        assert read is not None
        cells = read(data, file, options, limits)
        if note := mismatch(file, content):
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
