"""Rows below the header that are no records: blank ones, labels, a line of totals."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.rejects import Reject

INK = r"[^\s\x0b\x{85}\pZ\p{Cf}]"
"""What a cell with content has: a character that is no white space and no mark nobody sees."""

_TAG = re.compile(r"#[A-Za-z]\w*(\s*\+\s*[A-Za-z]\w*)*")

TOTALS = frozenset(
    ("total", "totals", "grand total", "subtotal", "sum", "totaux", "total général", "somme")
) | {"total general", "suma", "summe", "gesamt", "totale", "المجموع", "الإجمالي", "مجموع"}
"""Words that a line of totals begins with."""

_TOTAL = (
    r"(?i)^[\s\pZ\p{Cf}]*("
    + "|".join(sorted(TOTALS))
    + r"|(grand |sub|sub[- ]|sous-)?total\b.*|المجموع الفرعي|toplam|genel toplam|итого|всего)"
    + r"[\s\pZ\p{Cf}:.]*$"
)


def is_label_row(
    names: Sequence[str],
    columns: Sequence[pa.ChunkedArray],
    rows: NDArray[np.int64],
    options: ReadOptions,
) -> NDArray[np.bool_]:
    """Which rows are those of ``skip_rows`` and hold a text that ``skip_if`` names.

    >>> a = pa.chunked_array([["Gender", "F"]])
    >>> given = ReadOptions(skip_rows=(2,), skip_if={"sex": "Gender"})
    >>> is_label_row(["sex"], [a], np.array([2, 3]), given).tolist()
    [True, False]
    """
    found = np.zeros(len(rows), bool)
    for place in np.flatnonzero(np.isin(rows, list(options.skip_rows))):
        for name, column in zip(names, columns, strict=True):
            text = column[int(place)].as_py()
            if name in options.skip_if and text is not None:
                found[place] |= _plain(text) == _plain(options.skip_if[name])
    return found


def is_tag_row(columns: Sequence[pa.ChunkedArray]) -> bool:
    """Whether the first row holds HXL tags (``#adm1+name``), two or more and nothing else.

    Source: the HXL standard 1.1, which tools such as KoboToolbox write below the names.

    >>> is_tag_row([pa.chunked_array([["#adm1 +name"]]), pa.chunked_array([["#date"]])])
    True
    """
    first = [column[0].as_py() for column in columns if len(column)]
    cells = [cell for cell in first if cell and cell.strip()]
    return len(cells) > 1 and all(_TAG.fullmatch(cell.strip()) for cell in cells)


def total_at_the_end(columns: Sequence[pa.ChunkedArray], rows: pa.Array) -> Reject | None:
    """A reject for the last row if its first filled cell speaks of a total: it is no person."""
    if not len(rows):
        return None
    last = (column[len(rows) - 1].as_py() for column in columns)
    first = next((text for text in last if text is not None), "")
    if _plain(first).rstrip(" :.") not in TOTALS:
        return None
    reason = Text("The last row begins with a word for a total; it is no record.")
    return Reject(rows[-1].as_py(), "totals-row", reason)


def totals_between(columns: Sequence[pa.ChunkedArray], rows: pa.Array) -> list[Reject]:
    """A reject for each row whose first filled cell speaks of a total, and at most half is filled.

    A sum below each office or year would be a person otherwise.  A full row may be one of a table
    of counts, in which "total" is a value like any other.

    Args:
        columns: the texts of each column.
        rows: the number of each row.
    """
    found = np.zeros(len(rows), bool)
    before = np.ones(len(rows), bool)
    for column in columns:
        if not before.any():
            break
        speaks = pc.match_substring_regex(column, _TOTAL).fill_null(False).to_numpy()
        found |= before & speaks
        before &= ~_written(column)
    if not found.any():
        return []
    chosen = pa.array(found)
    filled = sum(_written(column.filter(chosen)).astype(int) for column in columns)
    sparse = np.asarray(filled) * 2 <= len(columns)
    reason = Text("The row begins with a word for a total and is half empty; it is not a record.")
    numbers = rows.filter(chosen).to_numpy()[sparse]
    return [Reject(int(number), "totals-row", reason) for number in numbers]


def _written(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Which cells hold anything that is seen."""
    there: NDArray[np.bool_] = (
        pc.match_substring_regex(column, INK).fill_null(False).to_numpy().astype(bool)
    )
    return there


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
