"""Lines of totals among the rows of a table: a sum that would be counted as a person.

What is found is a reject until somebody decides: ``read: {totals: left_out}`` leaves the lines
out and counts them as an exclusion of that name, ``read: {totals: records}`` takes them for
records.  A row that only a word gives away, and that is filled like the others, may be a place or
a name ("Somme"): no answer of before decides about it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest.rejects import Reject

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
