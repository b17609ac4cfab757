"""Is this row a person?  Totals, averages and notes among the rows would be counted as people.

A total, an average, a number of women: a row whose key is a word for one, whatever else it says.  A
source, a heading of a block, a signature with its date: a row in which the mapping finds no value,
whose key or first text is unlike the others, with hardly a filled cell.  So is a row of a form that
was numbered beforehand: a number that may name a case is all it has.  It is a reject until somebody
decides: ``read: {notes: left_out}`` leaves such rows out and counts them as an exclusion,
``read: {notes: records}`` takes them for records.  A row with a text in a column that the mapping
reads may be a record of which little is known, unless it speaks of a total: no answer of before
decides about it, nor about a number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import Text, in_english
from ctdhub.core.tables import ROW
from ctdhub.sensitive.ingest.raw import RULE, SHEET, Bools, ColumnTexts, RawTable
from ctdhub.sensitive.ingest.rejects import as_fields
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.row_faults import LOCAL
from ctdhub.sensitive.mapping.rule import Rule

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
        """Those that somebody is asked about, with the schema ``row_faults.LOCAL``.

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
    kept: Bools,
    records: Bools,
    recorded: Callable[[str], Bools],
) -> Notes:
    """The rows that look like totals or notes, and that no rule leaves out.

    A total that the mapping leaves out is one before it is a row without consent; its faults, and
    those of rows whose label is in a column that no rule reads, are none.

    Args:
        raw: the file as read.
        codes: its table, as ``texts.as_codes`` gives it, with the columns that the mapping strips.
        mapping: how the file is read.
        kept: the rows that no rule leaves out, by their place in the table.
        records: those of which records were made.
        recorded: for a variable, the rows for which it is recorded.
    """
    none = np.zeros(codes.num_rows, bool)
    if mapping.read.notes == "records":
        return Notes(none, none)
    header, names = Header(codes.column_names), [n for n in codes.column_names if n != SHEET]
    keys = [name for name in map(header.find, mapping.names_people()) if name]
    unlike = raw.unlike(keys, codes)
    sums = unlike.sums & (kept | (mapping.read.notes == "left_out"))  # before any other rule
    found = (unlike.rows & kept) | sums
    bare = (unlike.filled * 3 <= unlike.typical) & (unlike.typical >= LEAST) & records
    if not (found | bare).any():
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
        if ((found | alone) & text).any() and all(map(_knows, rules)):
            value = records & text & recorded(variable) & ~(unlike.words & ~(label & worded))
            found, alone = found & ~value | sums, alone & ~value
    for exclusion in mapping.exclude:
        read |= text_in(exclusion.columns())
    people = ~sums & (_has_child_rows(raw, codes[ROW]) | text_in(_of_others(mapping)))
    found &= (records | sums | ~labelled) & ~people
    fuller = pa.array(records & (unlike.filled * 3 > unlike.typical))
    for name in keys:
        read |= cells[name].written & found & _numbers(codes[name], codes[name].filter(fuller))
    return Notes(found & (sums | ~read), (found & read & ~sums) | (alone & ~people))


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
    found = pc.or_(digit, (pc.mean(digits).as_py() or 0) <= 0.5)
    return np.asarray(pc.and_(short, found).to_numpy(zero_copy_only=False), bool)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """The texts of a column, null as "", as they are compared."""
    texts = column.cast(pa.string()).combine_chunks().fill_null("")
    return pc.utf8_lower(pc.utf8_trim_whitespace(texts))
