"""What a mapping makes of the rows of a file: records, child rows, faults, rows left out, and texts
that no rule reads.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import Text, in_english
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.schema.countries import look_up, resolve
from ctdhub.schema.model import NOT_COUNTED, STANDING, load_schema
from ctdhub.sensitive.ingest.raw import RULE, SHEET, ColumnTexts, RawTable
from ctdhub.sensitive.ingest.rejects import as_fields
from ctdhub.sensitive.ingest.shape.children import BLANK
from ctdhub.sensitive.mapping.evaluation import (
    LOCAL,
    Answer,
    Bools,
    Elements,
    Evaluation,
    Numbers,
    Places,
    Reader,
    Taken,
    TextTable,
    narrow,
    rejects_at,
)
from ctdhub.sensitive.mapping.file_account import (
    ColumnContent,
    FileTexts,
    Outcome,
    UnknownText,
    nearest,
)
from ctdhub.sensitive.mapping.mapping import Mapping, Rule
from ctdhub.sensitive.mapping.parsers import OPENING, Header, elements_of

# --------------------------------------------------------------------------------------------------
# Is this row a person?  Totals, averages and notes among the rows would be counted as people.
#
# A total, an average, a number of women: a row whose key is a word for one, whatever else it
# says.  A source, a heading of a block, a signature with its date: a row in which the mapping
# finds no value, whose key or first text is unlike the others, with hardly a filled cell.  So is
# a row of a form that was numbered beforehand: a number that may name a case is all it has.  It
# is a reject until somebody decides: ``read: {notes: left_out}`` leaves such rows out and counts
# them as an exclusion, ``read: {notes: records}`` takes them for records.  A row with a text in a
# column that the mapping reads may be a record of which little is known, unless it speaks of a
# total: no answer of before decides about it, nor about a number alone.

LIKE_A_RECORD = Text(
    "The row is unlike the others and has hardly a filled cell: it may be an average, a note, an "
    "empty row with a number, or a record of which little is known. If it is no record, remove it "
    "from the file; if it is one, write `notes: records` under `read` and leave the others out by "
    "a rule."
)
"""Why a row is asked about although the mapping leaves notes out."""

A_NOTE = Text(
    "The row looks like a total or a note. Under `read`, write `notes: left_out` if it is one, or "
    "`notes: records` if it is a record."
)
"""Why a row is asked about until the mapping says what notes are."""

LEAST = 4
"""Cells of full rows from which a row with a number alone is asked about."""

WHOLE = r"^\p{Nd}+$"
"""A number that may be that of a row or of a case."""


class Notes(NamedTuple):
    """Which rows of a table are notes, by their place.

    Attributes:
        sure: those that speak of a total, and those of which every cell that the mapping reads is
            empty, or names no case.
        perhaps: those with a text in such a cell, or with a number that may be that of a case or
            of the row.
    """

    sure: Bools
    perhaps: Bools

    def left_out(self, mapping: Mapping) -> Bools:
        """Those that the mapping leaves out."""
        return self.sure if mapping.read.notes == "left_out" else np.zeros_like(self.sure)

    def rejected(self, mapping: Mapping) -> Bools:
        """Those that somebody is asked about."""
        return (self.sure | self.perhaps) & ~self.left_out(mapping)

    def rejects(self, rows: pa.Array, mapping: Mapping) -> pa.Table:
        """Those that somebody is asked about, with the schema ``evaluation.LOCAL``.

        Args:
            rows: the number of each row.
        """
        parts = [LOCAL.empty_table()]
        for reason, kind in ((A_NOTE, self.sure), (LIKE_A_RECORD, self.perhaps)):
            asked = rows.filter(pa.array(kind & self.rejected(mapping)))
            said = (None, None, RULE, in_english(reason), as_fields(reason))
            same = (pa.repeat(pa.scalar(one, pa.string()), len(asked)) for one in said)
            parts.append(pa.table([asked, *same], schema=LOCAL))
        return pa.concat_tables(parts)


def find_notes(
    raw: RawTable,
    codes: pa.Table,
    mapping: Mapping,
    excluded: Numbers,
    records: Bools,
    recorded: Callable[[str], Bools],
) -> Notes:
    """The rows that look like totals or notes, and that no rule leaves out.

    A total that the mapping leaves out is one before it is a row without consent, and so is a row
    that says nothing where a rule asks what it says ("unless"); the faults of a total, and those of
    rows whose label is in a column that no rule reads, are none.

    Args:
        raw: the file as read.
        codes: its table by ``evaluation.as_codes``, with the columns that the mapping strips.
        mapping: how the file is read.
        excluded: for each row the number of the exclusion that leaves it out, from 1.
        records: those of which records were made.
        recorded: for a variable, the rows for which it is recorded.
    """
    none = np.zeros(codes.num_rows, bool)
    if mapping.read.notes == "records":
        return Notes(none, none)
    header, names = Header(codes.column_names), [n for n in codes.column_names if n != SHEET]
    keys = [name for name in map(header.find, mapping.names_people()) if name]
    unlike = raw.unlike(keys, codes)
    kept, asking = excluded == 0, [n for n, e in enumerate(mapping.exclude, 1) if e.unless]
    sums = unlike.sums & (kept | (mapping.read.notes == "left_out"))  # before any other rule
    notes = (unlike.rows & (kept | np.isin(excluded, asking))) | sums
    bare = (unlike.filled * 3 <= unlike.typical) & (unlike.typical >= LEAST) & records
    if not (notes | bare).any():
        return Notes(none, none)
    cells = {name: ColumnTexts(codes[name]) for name in names if name != ROW}
    whole = {name: column.match(WHOLE) for name, column in cells.items()}
    named = [whole[name] | (c.written & (name in keys)) for name, c in cells.items()]
    alone = bare & ~unlike.rows & (np.sum(named, axis=0) == unlike.filled)
    counted = [c.number & (unlike.label == place) for place, c in enumerate(cells.values())]
    worded = ~np.logical_or.reduce([none, *counted])

    def text_in(columns: Iterable[str]) -> Bools:
        there = [cells[name].written for name in map(header.find, columns) if name in cells]
        return np.asarray(np.logical_or.reduce([none, *there]))

    read, labelled = np.sum([none, *whole.values()], axis=0) == unlike.filled, none
    for variable, rules in mapping.columns.items():
        columns = [column for rule in rules for column in rule.columns()]
        text = text_in(columns)
        label = np.isin(unlike.label, [names.index(n) for n in map(header.find, columns) if n])
        read, labelled = read | text, labelled | label
        if ((notes | alone) & text).any() and all(map(_knows, rules)):
            value = records & text & recorded(variable) & ~(unlike.words & ~(label & worded))
            notes, alone = notes & ~value | sums, alone & ~value
    for exclusion in mapping.exclude:
        read |= text_in(exclusion.columns())
    people = ~sums & (_has_child_rows(raw, codes[ROW]) | text_in(_of_others(mapping)))
    notes &= (records | sums | ~labelled) & ~people
    fuller = pa.array(records & (unlike.filled * 3 > unlike.typical))
    for name in keys:
        read |= cells[name].written & notes & _numbers(codes[name], codes[name].filter(fuller))
    return Notes(notes & (sums | ~read), (notes & kept & read & ~sums) | (alone & ~people))


def but_rows(table: pa.Table, rows: pa.Array) -> pa.Table:
    """A table without the rows of these numbers."""
    return table.filter(pc.invert(pc.is_in(table[ROW], value_set=rows)))


def _has_child_rows(raw: RawTable, rows: pa.ChunkedArray) -> Bools:
    """Which rows have rows of a child table; somebody said that much of them."""
    parents = [child[ROW].combine_chunks() for child in raw.children.values()]
    return np.isin(rows.to_numpy(), pa.concat_arrays([*parents, pa.array([], pa.int64())]))


def _of_others(mapping: Mapping) -> Iterable[str]:
    """The columns that say who did it."""
    return mapping.perpetrators.sources() if mapping.perpetrators else ()


def _knows(rule: Rule) -> bool:
    """Whether what the rule records tells that it knew the text that it read."""
    says_no = rule.unknown == "pass" and rule.absent
    return not says_no and (rule.value is None or bool(rule.when))


def _numbers(cells: pa.ChunkedArray, known: pa.ChunkedArray) -> Bools:
    """Which cells may name a case: no more words than those of records, a digit where most have."""
    cells, known = _plain(cells), _plain(known)
    known = known.filter(pc.not_equal(known, ""))
    words, most = (pc.count_substring_regex(one, r"[^\s\pZ]+") for one in (cells, known))
    short = pc.less_equal(words, pc.max(most).as_py() or 0)
    digit, digits = (pc.match_substring_regex(one, r"\p{Nd}") for one in (cells, known))
    fits = pc.or_(digit, (pc.mean(digits).as_py() or 0) <= 0.5)
    return np.asarray(pc.and_(short, fits).to_numpy(zero_copy_only=False), bool)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """The texts of a column, null as "", as they are compared."""
    texts = column.cast(pa.string()).combine_chunks().fill_null("")
    return pc.utf8_lower(pc.utf8_trim_whitespace(texts))


# --------------------------------------------------------------------------------------------------
# Child rows: elements of lists in the cells of a row, or rows of a child table.


def of_rows(children: pa.Table | None, rows: pa.Array) -> pa.Table:
    """The child rows of some rows, in the order of these.

    >>> t = pa.table({"a": ["x", "y", "z"], "_row": [3, 2, 9]})
    >>> of_rows(t, pa.array([2, 3])).to_pylist()
    [{'a': 'y', '_row': 2}, {'a': 'x', '_row': 3}]
    """
    if children is None:
        return pa.table({"_row": pa.array([], pa.int64())})
    place = pc.index_in(children["_row"].combine_chunks(), value_set=rows)
    kept = np.flatnonzero(place.is_valid().to_numpy(False))
    order = np.argsort(place.drop_null().to_numpy(), kind="stable")
    return children.take(pa.array(kept[order]))


def child_rows(
    texts: TextTable, columns: tuple[str, ...], split: str, aligned: bool
) -> tuple[pa.Table, dict[str, Places]]:
    """Child rows out of lists in the cells of each row.

    Lists that are aligned give one row per position of the longest; a shorter list gives null.
    Of others nobody knows which elements belong together: where every column has one element at
    most, these make one row; where one column has several, each of them makes a row without the
    other columns; where two have several, there is none.

    Args:
        texts: the table.
        columns: columns that hold lists; a missing one counts as empty.  Other columns are left
            out, so a condition on them never holds.
        split: separator of the lists.
        aligned: whether elements at one position belong together.

    Returns:
        ``_row`` of the parent and the columns, one element per cell; and by column how many values
        of each row are left out.

    >>> t = TextTable(pa.table({"_row": [2, 3], "a": ["x;y", "z"], "b": ["1", "2"]}))
    >>> child_rows(t, ("a", "b"), ";", aligned=True)[0]["b"].to_pylist()
    ['1', None, '2']
    >>> rows, lost = child_rows(t, ("a", "b"), ";", aligned=False)
    >>> rows["b"].to_pylist(), lost["b"].tolist()
    ([None, None, '2'], [1, 0])
    """
    lists, sizes = {}, {}
    for column in columns:
        if (name := texts.on(column)) is None:
            continue
        each = [elements_of(text, split) for text in texts.texts(name)]
        if not aligned:  # else the position of an empty one counts
            each = [[e for e in elements if e not in ("", BLANK)] for elements in each]
        size = np.array([*map(len, each), 0])
        said = [None if e == BLANK else e for elements in each for e in elements]
        lists[column] = pa.array(said, pa.string()), (np.cumsum(size) - size)[texts.codes(name)]
        sizes[column] = size[texts.codes(name)]
    lost: dict[str, Places] = {}
    if not aligned:
        several = sum(size > 1 for size in sizes.values())
        for column, size in sizes.items():
            lost[column] = size * np.where(size > 1, several > 1, several > 0)
            sizes[column] = size - lost[column]
    longest = np.max([np.zeros(texts.rows, np.intp), *sizes.values()], axis=0)
    of = np.repeat(np.arange(texts.rows), longest)
    position = np.arange(len(of)) - np.repeat(np.cumsum(longest) - longest, longest)
    children = {ROW: texts.numbers.take(pa.array(of))}
    for column, (said, first) in lists.items():
        missing = position >= sizes[column][of]
        children[column] = said.take(pa.array(first[of] + position, mask=missing))
    return pa.table(children), lost


NOT_COUNTED_RULE = "not-a-victim"
"""Name of the rule that leaves out rows whose status says so, in the account of rows."""

NEAREST = 200
"""Unknown texts, or names of countries, of a column for which the nearest one is looked up."""


@dataclass(frozen=True)
class _Children:
    """Child rows of a file.

    Attributes:
        texts: their table.
        answers: what the rules of perpetrators make of it.
        parents: the place of each one's row.
        lost: by column the values of each row that are tied to none of them.
        apart: whether they have a table of their own.
    """

    texts: TextTable
    answers: dict[str, Answer]
    parents: Places
    lost: dict[str, Places]
    apart: bool


# --------------------------------------------------------------------------------------------------
# What the rules make of a file.


@dataclass(frozen=True)
class MappingRun:
    """A mapping that is run; equal where a mapping says word by word the same.

    The text holds its keys in their order, and only those that are written: whether a rule names
    what holds anyway can make a difference (``Rule.refuses``).
    """

    text: str
    years: tuple[int, int]
    mapping: Mapping = field(compare=False)

    @classmethod
    def of(cls, mapping: Mapping, years: tuple[int, int]) -> MappingRun:
        """The mapping for these public bounds of years."""
        return cls(mapping.model_dump_json(exclude_unset=True), years, mapping)


class Transformed:
    """What the rules make of a file.

    Args:
        mapping: the rules.
        texts: the table.
        years: first and last year of the public bounds, both included.
        children: child tables of the file by name; without them a child row is a position in the
            lists of the table, as in a mapping's own tests.
        raw, codes: the file as read and its table as codes, of which notes are put aside; without
            them none are.

    Attributes:
        answers: what each variable is, behind faults too.
        numbered: columns of numbered days, with the day of each folded text.
        brackets: columns with cells in brackets that a rule cannot read, and these faults.
        excluded: for each row the number of the rule that leaves it out, in ``rules`` from 1.
        rules: those that the mapping names, ``not-a-victim``, and that of notes.
        notes: rows that look like totals or notes.
        aside: rows that were put aside, for they may be nobody.
        records: rows that became records.
        rejected: rows with a fault that no rule leaves out, and notes that are asked about.
    """

    def __init__(
        self, mapping: Mapping, texts: TextTable, years: tuple[int, int],
        children: Dictionary[str, pa.Table] | None = None,
        raw: RawTable | None = None, codes: pa.Table | None = None,
    ) -> None:  # fmt: skip
        self.mapping, self._texts = mapping, texts
        self._own = Evaluation(mapping, texts, years, mapping.columns)
        self.answers, self.numbered = self._own.answers, self._own.numbered
        self.rules = (*(e.rule for e in mapping.exclude), NOT_COUNTED_RULE, RULE)
        self.excluded: Numbers = self._own.excluded()
        if STANDING in self.answers:
            on, values, _faults = self.answers[STANDING]
            outside = np.isin(values, [*map(texts.number, NOT_COUNTED)])
            gone = texts.by_row(on, outside) & (self.excluded == 0)
            self.excluded[gone] = self.rules.index(NOT_COUNTED_RULE) + 1
        self.brackets = list(self._own.brackets())
        self.child = self._child_answers(years, children)
        kept = self.excluded == 0
        faulty = self._faulty() & kept
        none = np.zeros(texts.rows, bool)
        self.notes = Notes(none, none)
        if raw is not None and codes is not None:
            made = kept & ~faulty
            self.notes = find_notes(raw, codes, mapping, self.excluded, made, self.recorded)
        out, asked = self.notes.left_out(mapping), self.notes.rejected(mapping)
        self.aside: Bools = out | asked
        self.excluded[asked] = 0
        self.excluded[out] = self.rules.index(RULE) + 1
        self._at_fault: Bools = faulty & ~self.aside
        self.rejected: Bools = self._at_fault | asked
        self.records: Bools = (self.excluded == 0) & ~self.rejected

    def _faulty(self) -> Bools:
        rows = np.zeros(self._texts.rows, bool)
        for on, _values, faults in (*self.answers.values(), *(a for _c, a in self.brackets)):
            if faults.any():
                rows |= self._texts.by_row(on, faults != 0)
        if self.child:
            for on, _values, faults in self.child.answers.values():
                rows[self.child.parents[self.child.texts.by_row(on, faults != 0)]] = True
        return rows

    def recorded(self, variable: str) -> Bools:
        """The rows for which a variable is recorded."""
        on, values, _faults = self.answers[variable]
        return self._texts.by_row(on, values != 0)

    @property
    def left_out(self) -> dict[str, int]:
        """Rows left out by each rule that leaves out any."""
        counts = np.bincount(self.excluded, minlength=len(self.rules) + 1)[1:].tolist()
        return {rule: n for rule, n in zip(self.rules, counts, strict=True) if n}

    def numbers(self, rows: Bools) -> pa.Array:
        """The numbers of some rows."""
        return self._texts.numbers.filter(pa.array(rows))

    @cached_property
    def values(self) -> pa.Table:
        """``_row`` and the mapped hub variables of the records."""
        places = np.flatnonzero(self.records)
        columns = {n: _values(self._texts, n, a, places) for n, a in self.answers.items()}
        return pa.table({ROW: self.numbers(self.records), **columns})

    @cached_property
    def children(self) -> pa.Table | None:
        """The same for child rows of records."""
        if self.child is None:
            return None
        some = np.zeros(self.child.texts.rows, bool)
        for on, values, _faults in self.child.answers.values():
            some |= self.child.texts.by_row(on, values != 0)
        places = np.flatnonzero(some & self.records[self.child.parents])
        rows = self.child.texts.numbers.take(pa.array(places))
        answers = self.child.answers.items()
        columns = {name: _values(self.child.texts, name, a, places) for name, a in answers}
        return pa.table({ROW: rows, **columns})

    @cached_property
    def rejects(self) -> pa.Table:
        """One row per fault (``evaluation.LOCAL``), without the name of the file."""
        brackets = {column: self._at_fault & self._texts.by_row(a.on, a.faults != 0)
                    for column, a in self.brackets}  # fmt: skip
        parts = [LOCAL.empty_table()]
        for answer in self.answers.values():
            parts += _rejects(self._texts, answer, self._at_fault, brackets)
        for _column, answer in self.brackets:
            parts += _rejects(self._texts, answer, self._at_fault, {})
        if self.child:
            here = self._at_fault[self.child.parents]
            for answer in self.child.answers.values():
                parts += _rejects(self.child.texts, answer, here, {})
        return pa.concat_tables([*parts, self.notes.rejects(self._texts.numbers, self.mapping)])

    @cached_property
    def texts(self) -> FileTexts:
        """What the file's texts are, those that no rule can read one by one."""
        rows = RowFates(self._texts, self.records, self.rejected)
        if self.child is None or not self.child.apart:
            return _part(self._own, ("records", PERPETRATORS), rows, self.rejects)
        of = self.child.parents
        children = RowFates(self.child.texts, self.records[of], self.rejected[of])
        a = _part(self._own, ("records",), rows, self.rejects)
        b = _part(self._own, (PERPETRATORS,), children, self.rejects)
        return FileTexts(a.columns + b.columns, a.unknown + b.unknown, a.ignored | b.ignored)

    @property
    def untied(self) -> dict[str, int]:
        """Source columns of perpetrators, each with its values that are tied to none of them."""
        lost = self.child.lost if self.child else {}
        counts = {column: int(values[self.records].sum()) for column, values in lost.items()}
        return {column: n for column, n in counts.items() if n}

    @property
    def folded(self) -> frozenset[str]:
        """Source columns with names of countries that are published under another."""
        rules = [r for rules in self.mapping.columns.values() for r in rules if r.country]
        pairs = ((rule, column) for rule in rules for column in rule.source)
        return frozenset(column for rule, column in pairs if self._lossy(rule, column))

    def _lossy(self, rule: Rule, column: str) -> bool:
        texts = self._texts.column(self._texts.on(column))
        pieces = np.unique(texts.taken(self._own.taken(rule))).tolist()
        return any(look_up(texts.pieces[at]).lossy for at in pieces if at >= 0)

    def _child_answers(
        self, years: tuple[int, int], children: Dictionary[str, pa.Table] | None
    ) -> _Children | None:
        rule = self.mapping.perpetrators
        if rule is None:
            return None
        apart = rule.child is not None and children is not None
        mark, aligned = rule.split or self.mapping.read.mark, rule.aligned or bool(rule.child)

        def made() -> tuple[TextTable, dict[str, Places]]:
            if apart:
                rows = of_rows((children or {}).get(rule.child or ""), self._texts.numbers)
                return TextTable(rows), {}
            rows, lost = child_rows(self._texts, rule.sources(), mark, aligned)
            return TextTable(rows), lost

        key = (PERPETRATORS, rule.child, rule.sources(), mark, aligned, apart)
        texts, lost = self._texts.once(key, made)
        parents = pc.index_in(texts.numbers, value_set=self._texts.numbers)
        answers = Evaluation(self.mapping, texts, years, rule.columns).answers
        return _Children(texts, answers, parents.to_numpy(zero_copy_only=False), lost, apart)


def _values(texts: TextTable, name: str, answer: Answer, rows: Places) -> pa.Array:
    """A variable of some rows, texts as codes."""
    on, values, _faults = answer
    if on is None or on == ROW:
        values = np.broadcast_to(values, texts.rows)[rows]
    first = np.full(int(values.max(initial=0)) + 1, -1)
    first[values[::-1]] = np.arange(len(values))[::-1]
    used = [n for n in np.argsort(first, kind="stable").tolist() if n and first[n] >= 0]
    place = np.zeros(len(first), np.int32)
    place[used] = np.arange(len(used))
    codes = pa.array(place[values], mask=values == 0)
    named = pa.array([texts.value(n) for n in used], pa.string())
    at = None if on is None or on == ROW else pa.array(texts.codes(on)[rows])
    if load_schema().variable(name).kind == "year":
        years = named.cast(pa.int16()).take(codes)
        return years if at is None else years.take(at)
    coded = narrow(pa.DictionaryArray.from_arrays(codes, named))
    if at is None:
        return coded
    return pa.DictionaryArray.from_arrays(coded.indices.take(at), coded.dictionary, safe=False)


def _rejects(
    texts: TextTable, answer: Answer, here: Bools, others: Dictionary[str, Bools]
) -> Iterator[pa.Table]:
    """The rejects of a variable; cells that others reject already are left out."""
    on, _values, faults = answer
    if not faults.any():
        return
    numbers = np.where(here, texts.by_row(on, faults), 0)
    used, first = np.unique(numbers, return_index=True)
    for number in used[np.argsort(first)].tolist():
        if not number:
            continue
        fault = texts.faults[number - 1]
        rows = numbers == number
        if fault.column in others:
            rows = rows & ~others[fault.column]
        source = texts.numbers.filter(pa.array(rows))
        column = texts.on(fault.column)
        if fault.text is None or column is None:
            yield rejects_at(fault, source)
            continue
        cells = texts.column(column)
        pieces = pa.array(cells.taken(fault.text)[texts.codes(column)[rows]]).dictionary_encode()
        said = (fold(cells.pieces[at]) for at in pieces.dictionary.to_pylist())
        reasons = [fault.country_reason(text, search=i < NEAREST) for i, text in enumerate(said)]
        yield rejects_at(fault, source, reasons, pieces.indices)


# --------------------------------------------------------------------------------------------------
# Which texts of a file no rule of its mapping can read, and what became of their rows.
#
# Both kinds count: an element of a list that no ``has`` rule knows, and a text of which a ``map``,
# a country, a band, a date or a year makes nothing.  A text that some rule of its column knows is
# unknown only where another rule rejected a row for it.

_UNREAD = ("unknown-code", "unknown-country", "unparsable-date", "broken-list", "several-values")
PERPETRATORS = "perpetrators"
"""The part of a mapping whose rules read child tables, where the file has them."""


class _Reads(NamedTuple):
    """A rule that makes something of a column's texts."""

    target: str
    rule: Rule
    children: str | None
    """Separator of the lists that become perpetrators."""
    aligned: bool
    """Whether their elements are paired by position."""


class RowFates(NamedTuple):
    """Rows of a table that became records, and those that were rejected."""

    table: TextTable
    kept: Bools
    rejected: Bools


def _part(own: Evaluation, parts: tuple[str, ...], rows: RowFates, rejects: pa.Table) -> FileTexts:
    """The texts of a table: of the file, or of child rows, of whom several may have one parent.

    Args:
        own: what the mapping makes of the file.
        parts: tables whose rules read it.
        rows: what became of its rows.
        rejects: ``source_row``, ``column`` and ``rule`` of each fault.
    """
    mapping, table = own.mapping, rows.table
    uses = _uses(mapping, table, parts)
    unread = rejects.filter(pc.is_in(rejects["rule"], value_set=pa.array(_UNREAD)))
    keyed, case = mapping.key_columns(), mapping.case_column()
    names = {fold(c) for c in (*(keyed[0] if keyed else ()), *([case] if case else []))}
    decided = {fold(c) for c in (*mapping.identifiers, *mapping.needed(), *mapping.optional)}
    columns: list[ColumnContent] = []
    unknown: list[UnknownText] = []
    ignored: dict[str, int] = {}
    for name in (n for n in table.table.column_names if n != ROW):
        spelt: Dictionary[str, Any] = _numbered(rows, name) if fold(name) in names else {}
        if name not in uses:
            columns.append(ColumnContent(name, read=False, decided=fold(name) in decided, **spelt))
            continue
        of = pc.equal(unread["column"], _spelt(mapping, name, unread))
        texts = _UnreadTexts(own, name, uses[name], rows, unread.filter(of)["source_row"])
        columns.append(replace(texts.content(), **spelt))
        unknown += texts.unknown()
        for spelling in {s for u in uses[name] if u.rule.has for s in u.rule.source}:
            if table.on(spelling) == name:
                ignored[spelling] = texts.ignored()
    return FileTexts(tuple(columns), tuple(unknown), ignored)


def _uses(mapping: Mapping, table: TextTable, parts: tuple[str, ...]) -> dict[str, list[_Reads]]:
    """Rules of some parts of a mapping by the column of the table that they read."""
    uses: dict[str, list[_Reads]] = {}
    for part, _place, target, rule in mapping.rules():
        child = mapping.perpetrators if part == PERPETRATORS else None
        lists = (child.split, child.aligned) if child else (None, False)
        for column in (*rule.source, *([rule.at] if rule.at else [])) if part in parts else ():
            if (name := table.on(column)) is not None:
                uses.setdefault(name, []).append(_Reads(target, rule, *lists))
    return uses


class _UnreadTexts:
    """The distinct texts of a column and what its rules leave unread.

    Args:
        own: what the mapping makes of the file.
        column: its name in the table.
        uses: the rules that read it.
        rows: what became of the rows.
        unread: the rows that were rejected because a rule could not read this column.
    """

    def __init__(
        self, own: Evaluation, column: str, uses: list[_Reads], rows: RowFates, unread: pa.Array
    ) -> None:
        self.column, self.uses = column, uses
        self._texts, codes = rows.table.column(column), rows.table.codes(column)
        cannot = rows.rejected & _in(rows.table.table, unread.unique().cast(pa.int64()))
        self._kept, rejected, self._cannot = (
            np.bincount(codes[some], minlength=self._texts.size)[:-1]
            for some in (rows.kept, rows.rejected, cannot)
        )
        self._all = self._kept + rejected
        self._nulls = frozenset({"", BLANK, *map(fold, own.mapping.empty)})
        self._spelt = own.known.in_brackets
        self._broken = self._texts.broken(self._spelt)
        self._days = own.numbered.get(column)
        pairs = (pair for u in uses for pair in own.readers(u.rule, u.target))
        self._readers = [*dict.fromkeys(r for c, r in pairs if rows.table.on(c) == column)]
        spellings = {s for u in uses for s in u.rule.columns() if fold(s) == fold(column)}
        self._known = {text for s in spellings for text in own.known.texts(s)} | _codes(uses)
        marks = dict.fromkeys(u.children or u.rule.split for u in uses if u.rule.has)
        self._lists = sorted(marks, key=lambda mark: mark is None)
        others = (u for u in uses if not u.rule.has)
        self._single = [*dict.fromkeys((u.children or u.rule.split, u.rule.take) for u in others)]
        self._left = self._left_over()

    def _way(self, split: str | None, *, kinds: bool = False) -> Elements:
        """A way to take the texts apart; one that begins like a list and is none stays whole."""
        if not self._broken.any():
            return self._texts.lists(split, self._spelt, kinds=kinds)
        return self._texts.elements(split, self._spelt, kinds=kinds, whole=self._broken)

    @cached_property
    def _cells(self) -> Elements:
        """What the rules that take one value see of a cell; a child row sees each element."""
        parts = []
        for split, take in self._single:
            way = self._way(split)
            filled = ~self._texts.among(self._nulls)[way.piece]
            of, piece = way.of[filled], way.piece[filled]
            if take:
                new = of[1:] != of[:-1]
                edge = [*new, True] if take == "last" else [True, *new]
                here = np.array(edge[: len(of)], bool)
                of, piece = of[here], piece[here]
            parts.append(Elements(of, piece))
        of, piece = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = np.argsort(of, kind="stable")
        return Elements(of[order], piece[order])

    def _reads(self, pieces: Iterable[int]) -> Bools:
        """Which pieces some rule reads, of those asked for."""
        known = self._texts.among(self._known)
        if self._days is not None:
            return np.ones_like(known)
        for piece in pieces if self._readers else ():
            if not known[piece]:
                known[piece] = any(self._texts.read(r, piece) is not None for r in self._readers)
        return known

    def _left_over(self) -> dict[int, list[int]]:
        """By text what no rule reads; of several ways to take it apart that which leaves least."""
        ways = [self._way(split, kinds=True) for split in self._lists]
        if self._single:
            ways.append(self._cells)
        open_ = (self._all > 0) & ~self._texts.among(self._known)[self._texts.cells[:-1]]
        read = self._reads(np.unique(np.concatenate([way.piece for way in ways])).tolist())
        unread = ~read & ~self._texts.among(self._nulls)
        left = []
        for way in ways:
            here = unread[way.piece]
            here[here] = open_[way.of[here]]
            left.append(Elements(way.of[here], way.piece[here]))
            open_ = open_ & (np.bincount(left[-1].of, minlength=len(open_)) > 0)
        rest: dict[int, list[int]] = {}
        for of, piece in left[: len(self._lists)] or left:
            ends = np.searchsorted(of, np.arange(len(open_) + 1))
            for text in np.flatnonzero(open_).tolist():
                some = piece[ends[text] : ends[text + 1]].tolist()
                if text not in rest or len(some) < len(rest[text]):
                    rest[text] = some if self._lists else [*dict.fromkeys(some)]
        return rest

    def ignored(self) -> int:
        """Unknown elements in the rows that became records."""
        return sum(len(left) * int(self._kept[text]) for text, left in self._left.items())

    def _cell(self, text: int) -> list[str]:
        """What the rules could not read of a text that another rule of the column knows."""
        cell = self._texts.pieces[self._texts.cells[text]]
        if cell.startswith(OPENING) or not self._single:
            return [cell] if cell.startswith(OPENING) else []
        of, piece = self._cells
        return [*dict.fromkeys(self._texts.pieces[at] for at in piece[of == text].tolist())]

    def unknown(self) -> list[UnknownText]:
        """Every unknown text of the column, those of most rows first."""
        rows: Counter[str] = Counter()
        spelt: dict[str, str] = {}
        rejected: set[str] = set()
        there = np.flatnonzero(self._all)
        for text in sorted(there.tolist(), key=lambda at: self._kept[at] == 0):
            if text not in self._left and not self._cannot[text]:
                continue
            n = self._all[text]
            left = [self._texts.pieces[at] for at in self._left.get(text, ())]
            if not left:
                left, n = self._cell(text), self._cannot[text]
            for key, element in {fold(e): e for e in left}.items():
                spelt.setdefault(key, element)
                rows[key] += int(n)
                if self._cannot[text]:
                    rejected.add(key)
        outcome = self._outcome()
        near = self._near()
        texts = []
        for i, (key, n) in enumerate(sorted(rows.items(), key=lambda item: (-item[1], item))):
            fate: Outcome = "rejected" if key in rejected else outcome
            like = near(spelt[key]) if i < NEAREST else ""
            texts.append(UnknownText(self.column, spelt[key], n, fate, like))
        return texts

    def _outcome(self) -> Outcome:
        rules = [u.rule for u in self.uses if u.rule.has]
        if any(rule.doubts for rule in rules):
            return "flags-unknown"
        return "passed-over" if any(rule.absent for rule in rules) else "not-recorded"

    def _near(self) -> Callable[[str], str]:
        """Finds what a text may mean."""
        known: dict[str, str] = {}
        for target, rule, *_child in self.uses:
            for text in rule.has:
                known.setdefault(fold(text), target)
            for text, code in (rule.map or {}).items():
                known.setdefault(fold(text), code or "")
            if not (rule.has or rule.country or rule.band or rule.year):
                known |= {fold(code): code for code in _domain(target)}
        if any(u.rule.country for u in self.uses):
            return lambda text: resolve(text).nearest or nearest(text, known) or ""
        return lambda text: nearest(text, known) or ""

    def content(self) -> ColumnContent:
        """What the column holds."""
        cells = np.where(self._texts.empty(self._nulls)[:-1], 0, self._all)
        dates = new_year = lists = sets = 0
        days = [replace(r, kind="date") for r in self._readers if r.kind in ("date", "year")]
        splits = {u.children for u in self.uses if u.children and u.aligned}
        single = self._texts.taken(Taken(frozenset(), self._spelt))
        for text in np.flatnonzero(cells).tolist() if days or splits else ():
            n, piece = int(cells[text]), int(self._texts.cells[text])
            if day := self._day(days, int(single[text])):
                dates += n
                new_year += n * day.endswith("-01-01")
            for split in splits:
                values = [fold(e) for e in elements_of(self._texts.pieces[piece], split)]
                if len(values) > 1:
                    lists += n
                    sets += n * (values == sorted(set(values)))
        filled = int(cells.sum())
        return ColumnContent(self.column, True, True, filled, dates, new_year, lists, sets)

    def _day(self, days: list[Reader], piece: int) -> str | None:
        """The day that a text names, by its number or as it is written."""
        if piece < 0:
            return None
        if self._days is not None:
            return self._days.get(fold(self._texts.pieces[piece]))
        read = (self._texts.read(reader, piece) for reader in days)
        return next((day for day in read if day), None)


def _codes(uses: list[_Reads]) -> set[str]:
    """Codes of the hub that rules take as they are."""
    codes: set[str] = set()
    for target, rule, *_child in uses:
        plain = not (rule.has or rule.country or rule.band or rule.year)
        if plain and (not rule.map or rule.unknown == "keep"):
            codes |= {fold(code) for code in _domain(target)}
    return codes


def _domain(target: str) -> tuple[str, ...]:
    schema = load_schema()
    variable = schema.variable(target)
    return () if variable.kind in ("entity", "year") else tuple(schema.recorded(target))


def _spelt(mapping: Mapping, name: str, faults: pa.Table) -> pa.Scalar:
    """A column of the file as the faults spell it, which is as the mapping does."""
    spellings = (s for s in mapping.needed() if fold(s) == fold(name))
    return pa.scalar(next(spellings, name), faults.schema.field("column").type)


_DIGITS = re.compile(r"[0-9]+")
_RUN, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_MOST_BUILT = 50
_DECIMAL = re.compile(r"[0-9]+\.0+|[0-9](\.[0-9]+)?[eE]\+?[0-9]+")


def _numbered(rows: RowFates, name: str) -> dict[str, Any]:
    """How numbers of people or cases are written in a column; see ``ColumnContent``."""
    counts: dict[str, Any] = dict.fromkeys(("digits", "padded", "decimals"), 0)
    built = set()
    texts = rows.table.texts(name)
    counted = np.bincount(rows.table.codes(name)[rows.kept], minlength=len(texts) + 1)
    for text, n in zip(texts, counted.tolist(), strict=False):
        if not n:
            continue
        cell = trim(text)
        if _DIGITS.fullmatch(cell):
            counts["digits"] += n
            counts["padded"] += n * (cell[0] == "0" and len(cell) > 1)
        elif _DECIMAL.fullmatch(cell):
            counts["decimals"] += n
        built.add(_LETTERS.sub("A", _RUN.sub(lambda run: "0"[: run[0][0] == "0"] + "9", cell)))
    return counts | {"built": tuple(sorted(built)[:_MOST_BUILT])}


def _in(table: pa.Table, rows: pa.Array) -> Bools:
    """Which rows of a table are among these."""
    return np.asarray(pc.is_in(table[ROW], value_set=rows), dtype=bool)
