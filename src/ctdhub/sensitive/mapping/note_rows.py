"""Notes below and between the rows of a table: a text that would be counted as a person.

A source, a footnote, a heading of a block, a signature with its date: a row of hardly any cell, in
which the mapping finds no value, and no cell of which is built like those of fuller rows.  So is a
row of a form that was numbered beforehand: a number that may name a case is all it has.  It is a
reject until somebody decides: ``read: {notes: left_out}`` leaves notes out and counts them as an
exclusion of that name, ``read: {notes: records}`` takes them for records.  A row with a text in a
column that the mapping reads may be a record of which little is known: no answer of before decides
about it, nor about a number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.i18n import Text, in_english
from ctdhub.core.tables import ROW
from ctdhub.sensitive.ingest.raw import INK, RawTable
from ctdhub.sensitive.ingest.rejects import as_fields
from ctdhub.sensitive.ingest.sheets import SHEET
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.row_faults import LOCAL
from ctdhub.sensitive.mapping.rule import Rule
from ctdhub.sensitive.mapping.transform import Transformed

RULE = "note-row"
"""The reject, and the exclusion once the mapping leaves notes out."""

LIKE_A_RECORD = Text(
    "The row has hardly a filled cell, and the mapping finds no value in it: it may be a note, an "
    "empty row with a number, or a record of which little is known. If it is no record, remove it "
    "from the file; if it is one, write `notes: records` under `read` and leave the others out by "
    "a rule."
)
"""Why a row is asked about although the mapping leaves notes out."""

A_NOTE = Text(
    "The row looks like a note: the columns that the mapping reads are empty. Under `read`, write "
    "`notes: left_out` if it is one, or `notes: records` if it is a record."
)
"""Why a row is asked about until the mapping says what notes are."""

MOST = 3
"""Filled cells of a note, at most: a signature, its word and its date."""

SPARSE = 4
"""A note has one in so many of the cells that full rows have, at most, or one cell."""

_FULL = 10
"""One row in so many is as full as those that count as full, at least."""

Bools = NDArray[np.bool_]


class Notes(NamedTuple):
    """Which rows of a table are notes, by their place.

    Attributes:
        sure: those of which every cell that the mapping reads is empty, or names no case.
        perhaps: those with a text in such a cell, of which the mapping makes no value, or with a
            number that may be that of a case or of the row.
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
    records: Bools,
    recorded: Callable[[str], Bools],
) -> Notes:
    """The rows that would be records and look like notes.

    Args:
        raw: the file as read.
        codes: its table, as ``texts.as_codes`` gives it, with the columns that the mapping strips.
        mapping: how the file is read.
        records: the rows of which records were made, by their place in the table.
        recorded: for a variable, the rows for which it is recorded.
    """
    none = np.zeros(codes.num_rows, bool)
    typed = raw.delimiter is not None or raw.sheet is not None
    if mapping.read.notes == "records" or mapping.read.long or raw.children or not typed:
        return Notes(none, none)
    names = [name for name in codes.column_names if name not in (ROW, SHEET)]
    written = {name: _written(codes[name].combine_chunks()) for name in names}
    filled = sum((one.astype(int) for one in written.values()), np.zeros(codes.num_rows, int))
    full = int(np.sort(filled)[-max(1, len(filled) // _FULL)]) if len(filled) else 0
    sparse = (filled > 0) & (filled <= min(MOST, max(1, full // SPARSE)))
    found = sparse & records
    if full < 2 or not found.any():
        return Notes(none, none)
    header, read = Header(codes.column_names), none.copy()

    def text_in(columns: Iterable[str]) -> Bools:
        there = [written[name] for name in map(header.find, columns) if name in written]
        found: Bools = np.logical_or.reduce([none, *there])
        return found

    for variable, rules in mapping.columns.items():
        text = text_in(column for rule in rules for column in rule.columns())
        read |= text
        if (found & text).any() and all(map(_knows, rules)):
            found &= ~(text & recorded(variable))
    for exclusion in mapping.exclude:
        read |= text_in(exclusion.columns())
    if mapping.perpetrators:
        found &= ~text_in(mapping.perpetrators.sources())
    fuller, known = pa.array(~sparse), pa.array(~sparse & records)
    numbers = {header.find(column) for column in mapping.names_people()}
    for name in names:
        column, at = codes[name], np.flatnonzero(found & written[name])
        if len(at):
            cells = column.take(pa.array(at))
            like = _like(cells, column.filter(fuller))
            alone = like & (_whole_number(cells) | (name in numbers)) & (full >= SPARSE)
            found[at[like & ~alone]] = False
            read[at[alone]] = True
            if name in numbers:
                read[at[_numbers(cells, column.filter(known))]] = True
    return Notes(found & ~read, found & read)


def without_notes(
    done: Transformed, raw: RawTable, codes: pa.Table, mapping: Mapping
) -> Transformed:
    """What the rules made of a file, notes among its rows put aside.

    Args:
        done: what they made.
        raw, codes, mapping: as :func:`find_notes` takes them.
    """
    rows = codes[ROW].combine_chunks()
    place = pc.index_in(rows, value_set=done.values[ROW].combine_chunks())
    records: Bools = np.asarray(place.is_valid())

    def recorded(variable: str) -> Bools:
        return np.asarray(done.values[variable].take(place).is_valid())

    notes = find_notes(raw, codes, mapping, records, recorded)
    out, asked = notes.left_out(mapping), notes.rejected(mapping)
    if not (out | asked).any():
        return done
    gone = rows.filter(pa.array(out | asked))
    excluded = pa.table(
        [rows.filter(pa.array(out)), pa.repeat(pa.scalar(RULE), int(out.sum()))],
        schema=done.excluded.schema,
    )
    rejects = pa.concat_tables([done.rejects, notes.rejects(rows, mapping)])
    return replace(
        done,
        values=but_rows(done.values, gone),
        children=None if done.children is None else but_rows(done.children, gone),
        rejects=rejects,
        rejected=done.rejected + int(asked.sum()),
        excluded=pa.concat_tables([done.excluded, excluded]),
    )


def note_rows(done: Transformed) -> pa.Array:
    """The numbers of the rows that were put aside as notes."""
    out = done.excluded.filter(pc.equal(done.excluded["rule"], RULE))[ROW]
    asked = done.rejects.filter(pc.equal(done.rejects["rule"], RULE))["source_row"]
    return pa.chunked_array([*out.chunks, *asked.chunks], pa.int64()).combine_chunks()


def but_rows(table: pa.Table, rows: pa.Array) -> pa.Table:
    """A table without the rows of these numbers."""
    return table.filter(pc.invert(pc.is_in(table[ROW], value_set=rows)))


def _knows(rule: Rule) -> bool:
    """Whether what the rule records tells that it knew the text that it read."""
    says_no = rule.unknown == "pass" and rule.absent
    return not says_no and (rule.value is None or bool(rule.when))


def _written(column: pa.DictionaryArray) -> Bools:
    """Which cells hold anything that is seen."""
    texts = pc.match_substring_regex(column.dictionary, INK)
    known = np.append(np.asarray(texts.to_numpy(zero_copy_only=False), bool), False)
    cells: Bools = known[column.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)]
    return cells


def _like(cells: pa.ChunkedArray, fuller: pa.ChunkedArray) -> Bools:
    """Which cells have a text of fuller rows, or one with a digit that is built like theirs."""
    cells, fuller = (_plain(one) for one in (cells, fuller))
    digit = pc.match_substring_regex(cells, r"\p{Nd}")
    found = pc.is_in(cells, value_set=fuller)
    token = pc.match_substring_regex(cells, r"^[^\s\pZ]*\pL[^\s\pZ]*$")
    for pattern, instead, only in ((r"\p{Nd}+", "9", digit), (r"[\pL\p{Nd}]", "x", token)):
        built, known = (
            pc.replace_substring_regex(one, pattern, instead) for one in (cells, fuller)
        )
        alike = pc.is_in(built, value_set=known.unique())
        found = pc.or_(found, pc.and_(pc.and_(digit, only), alike))
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def _whole_number(cells: pa.ChunkedArray) -> Bools:
    """Which cells hold nothing but digits."""
    digits = pc.match_substring_regex(_plain(cells), r"^\p{Nd}+$")
    return np.asarray(digits.to_numpy(zero_copy_only=False), bool)


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
