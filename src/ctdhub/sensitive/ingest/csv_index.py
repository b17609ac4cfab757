"""Where the rows and cells of a delimited text are, found from its bytes without parsing it.

A text that follows RFC 4180 strictly has a useful property: a quotation mark with an even number
of marks before it opens a cell (or is the second of a doubled pair), one with an odd number closes
it.  So the parity of the marks tells which line ends and delimiters are inside quotes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK = 256 * 2**10
_QUOTE, _DELIMITER, _CR, _LF, _CONTROL = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class RowIndex:
    """Rows of a delimited text.

    Attributes:
        ends: byte offset behind each row, its line end included; rows lie back to back.
        cells: number of cells of each row; 1 for a blank row.
        blank: whether a row is a line end and nothing else.
        strict: whether the quotation marks follow RFC 4180, so that the rest can be trusted.
        control: offset of the first control character that no text file holds, or None.
        quoted: whether the text holds any quotation mark.
    """

    ends: NDArray[np.int64]
    cells: NDArray[np.int64]
    blank: NDArray[np.bool_]
    strict: bool
    control: int | None
    quoted: bool

    @property
    def starts(self) -> NDArray[np.int64]:
        """Byte offset of each row."""
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1]])[: len(self.ends)]

    def row_at(self, offset: int) -> int:
        """The 1-based row that holds a byte."""
        return int(np.searchsorted(self.ends, offset, side="right")) + 1


def scan(text: bytes, delimiter: str) -> RowIndex:
    r"""Find the rows of a text in an encoding that extends ASCII.

    >>> layout = scan(b'a;b\r\n"x;\n y";2\n\n3', ";")
    >>> layout.cells.tolist(), layout.blank.tolist(), layout.strict
    ([2, 2, 1, 1], [False, False, True, False], True)
    """
    kinds_of = np.zeros(256, np.uint8)
    kinds_of[[*range(9), *range(14, 32), 127]] = _CONTROL
    for character, kind in ((13, _CR), (10, _LF), (34, _QUOTE), (ord(delimiter), _DELIMITER)):
        kinds_of[character] = kind
    data = np.frombuffer(text, np.uint8)
    size = len(data)
    ends: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    marks = delimiters = 0
    strict, control = True, None
    for begin in range(0, size, _CHUNK):
        kinds = kinds_of[data[begin : begin + _CHUNK]]
        where = np.flatnonzero(kinds != 0)
        kinds = kinds[where]
        at = where + begin
        after = data[np.minimum(at + 1, size - 1)]
        is_mark = kinds == _QUOTE
        inside = np.zeros(len(at), bool)
        if marks % 2 or is_mark.any():
            odd = np.cumsum(is_mark, dtype=np.uint8) - is_mark + np.uint8(marks % 2)
            inside = (odd & 1).view(bool)  # only parity matters, so eight bits may overflow
            marks += int(is_mark.sum())
            opens, closes = at[is_mark & ~inside], is_mark & inside
            before = np.where(opens > 0, data[opens - 1], 10)
            free = np.isin(kinds_of[before], (_QUOTE, _DELIMITER, _CR, _LF))
            ended = np.isin(kinds_of[after[closes]], (_QUOTE, _DELIMITER, _CR, _LF))
            strict &= bool(free.all()) and bool((ended | (at[closes] == size - 1)).all())
        if control is None and (kinds == _CONTROL).any():
            control = int(at[kinds == _CONTROL][0])
        pair = (kinds == _CR) & (after == 10) & (at + 1 < size)
        is_end = ~inside & (((kinds == _CR) & ~pair) | (kinds == _LF))
        so_far = delimiters + np.cumsum(~inside & (kinds == _DELIMITER), dtype=np.int64)
        ends.append(at[is_end] + 1)
        counts.append(so_far[is_end])
        delimiters = int(so_far[-1]) if len(so_far) else delimiters
    if size and (not ends or not len(ends[-1]) or ends[-1][-1] != size):
        ends.append(np.array([size], np.int64))
        counts.append(np.array([delimiters], np.int64))
    all_ends = np.concatenate(ends) if ends else np.zeros(0, np.int64)
    totals = np.concatenate(counts) if counts else np.zeros(0, np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), all_ends[:-1]])[: len(all_ends)]
    return RowIndex(
        ends=all_ends,
        cells=np.diff(totals, prepend=0) + 1,
        blank=np.isin(kinds_of[data[starts]], (_CR, _LF)),
        strict=strict and marks % 2 == 0,
        control=control,
        quoted=marks > 0,
    )
