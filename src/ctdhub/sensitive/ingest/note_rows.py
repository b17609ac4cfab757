"""Notes below or between the rows of a table: a text that would be counted as a person.

A source, a footnote, a heading of a block, a signature with its date: a row of hardly any cell,
none of which reads like its column.  What is found is a reject until somebody decides:
``read: {notes: left_out}`` leaves notes out and counts them as an exclusion of that name,
``read: {notes: records}`` takes them for records.  A row that may be a record of which little is
known (one country, one name) is a reject even then: no answer of before decides about it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest.rejects import Reject
from ctdhub.sensitive.ingest.totals import written

RULE = "note-row"
"""The reject, and the exclusion once the mapping leaves notes out."""

LIKE_A_RECORD = Text(
    "The row has hardly a filled cell: it may be a note, or a record of which little is known. If "
    "it is a note, remove it from the file; if it is a record, write `notes: records` and leave "
    "notes out by a rule."
)
"""Why a row is asked about although the mapping leaves notes out."""

A_NOTE = Text("The row holds a note and no record: hardly a cell is filled.")
"""Why a row is asked about that reads like a note."""

SPARSE = 4
"""A row is looked at where it has, of the cells that full rows have, one in so many at most."""

MOST = 3
"""Filled cells of a note, at most: a signature, its word and its date."""

_FULL = 10
"""One row in so many is as full as those that count as full, at least."""

_MARK = r"^[\s\pZ\p{Cf}]*([*†‡§※•°©¹²³⁴-⁹]|\([0-9*]{1,2}\)|\[[0-9*]{1,2}\])+[\s\pZ\p{Cf}]*\pL"
_COLON = r"\pL[\s\pZ\p{Cf}]*[:：]"
_WORD = r"\pL[^\s\pZ]*[\s\pZ].*"
_UNSPACED = r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Han}\p{Hiragana}\p{Katakana}]"
_MAY_BE = rf"(?s){_MARK}|{_COLON}|({_WORD}){{2}}\pL|{_UNSPACED}{{8}}"
"""A footnote mark, a colon after a word, three words (eight characters without spaces)."""

_IS = rf"(?s){_MARK}|{_COLON}|({_WORD}){{5}}\pL|{_UNSPACED}{{20}}"
"""The same with six words: names of countries have up to five."""


def find_notes(
    columns: Sequence[pa.ChunkedArray], rows: pa.Array, filled: NDArray[np.int64]
) -> list[Reject]:
    """A reject for each row that looks like a note.

    Looked at are rows of at most :data:`MOST` filled cells, and at most a quarter of what full
    rows have, but always those of one cell.  A cell is like its column where a fuller row of the
    column has the same text, or one with a digit that is built alike (the number of a case, an
    age, a date).  Of these rows are found

    - those that read like a note in a cell (a footnote mark, a colon, six words) of whose column
      no fuller row does;
    - where full rows have four cells or more: those without any cell that is like its column;
      with two or three cells: those of three words, of whose column no fuller row has as many;
    - rows of one cell below the last empty line where nothing else is below it.

    Args:
        columns: the texts of each column; none that the reader made.
        rows: the number of each row, rising.
        filled: filled cells of each row.
    """
    full = int(np.sort(filled)[-max(1, len(filled) // _FULL)]) if len(filled) else 0
    if full < 2:
        return []
    looked = (filled > 0) & (filled <= min(MOST, max(1, full // SPARSE)))
    if not looked.any():
        return []
    like, may_be, surely = (np.zeros(len(filled), bool) for _each in range(3))
    others = pa.array(~looked)
    for column in columns:
        at = np.flatnonzero(looked & written(column))
        if len(at):
            cells, fuller = column.take(pa.array(at)), column.filter(others)
            like[at] |= _like(cells, fuller)
            may_be[at] |= _reads(cells, fuller, _MAY_BE)
            surely[at] |= _reads(cells, fuller, _IS)
    found = looked & (surely | (may_be if full < SPARSE else ~like))
    numbers = rows.to_numpy()
    gaps = np.flatnonzero(np.diff(numbers) > 1)
    if len(gaps) and (looked & (filled == 1))[gaps[-1] + 1 :].all():
        found[gaps[-1] + 1 :] = True
    said = [A_NOTE if sure else LIKE_A_RECORD for sure in surely & ~like]
    return [Reject(int(numbers[at]), RULE, said[at]) for at in np.flatnonzero(found)]


def _like(cells: pa.ChunkedArray, fuller: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Which cells read like those of fuller rows of the column."""
    cells, fuller = _plain(cells), _plain(fuller)
    digit = pc.match_substring_regex(cells, r"\p{Nd}")
    found = pc.is_in(cells, value_set=fuller.combine_chunks())
    token = pc.invert(pc.match_substring_regex(cells, r"[\s\pZ]"))
    for pattern, instead, only in ((r"\p{Nd}+", "9", digit), (r"[\pL\p{Nd}]", "x", token)):
        built, known = (
            pc.replace_substring_regex(one, pattern, instead) for one in (cells, fuller)
        )
        alike = pc.is_in(built, value_set=known.unique())
        found = pc.or_(found, pc.and_(pc.and_(digit, only), alike))
    return np.asarray(found.to_numpy(), bool)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_lower(pc.utf8_trim_whitespace(column))


def _reads(cells: pa.ChunkedArray, fuller: pa.ChunkedArray, pattern: str) -> NDArray[np.bool_]:
    """Which cells read like a note, none where fuller rows of the column do, too."""
    found = np.asarray(pc.match_substring_regex(cells, pattern).to_numpy(), bool)
    if found.any() and pc.any(pc.match_substring_regex(fuller, pattern)).as_py():
        found[:] = False
    return found
