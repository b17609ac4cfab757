"""Cells of a text file that a spreadsheet program would run as formulas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.sensitive.ingest.headers import letter
from ctdhub.sensitive.ingest.raw import buffers, has_byte

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


def refuse(
    names: Sequence[str],
    columns: Sequence[pa.ChunkedArray],
    rows: object,
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
        raise formula(file, header_row, None)
    for position, column in enumerate(columns):
        begin = 0
        for chunk in column.chunks:
            place = _first(chunk)
            if place is not None:
                raise formula(file, int(rows[begin + place]), letter(position))  # type: ignore[index]
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


def formula(file: str, row: int | None, column: str | None) -> HubError:
    """The error for a formula."""
    return error("formula", file=file, row=row, column=column)


def _first(chunk: pa.StringArray) -> int | None:
    offsets, data = buffers(chunk)
    if not len(data) or not len(chunk):
        return None
    lead = data.take(offsets[:-1], mode="clip")  # an empty cell has that of another
    found = lead == _LEADS[0]
    for byte in _LEADS[1:]:
        found |= lead == byte
    suspects = np.flatnonzero(found)
    suspects = suspects[offsets[suspects + 1] > offsets[suspects]]
    if not len(suspects):
        return None
    coded = chunk.take(pa.array(suspects)).dictionary_encode()
    safe = pc.match_substring_regex(coded.dictionary, HARMLESS).to_numpy(zero_copy_only=False)
    hits = np.flatnonzero(~safe[coded.indices.to_numpy()])
    return int(suspects[hits[0]]) if len(hits) else None
