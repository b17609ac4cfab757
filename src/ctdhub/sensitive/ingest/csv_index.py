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
_QUOTE, _CR, _LF = 34, 13, 10


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
        multiline: whether any line end may lie inside of a cell.
    """

    ends: NDArray[np.int64]
    cells: NDArray[np.int64]
    blank: NDArray[np.bool_]
    strict: bool
    control: int | None
    quoted: bool
    multiline: bool

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
    data = np.frombuffer(text, np.uint8)
    size, separator = len(data), np.uint8(ord(delimiter))
    edges = (_QUOTE, _CR, _LF, separator)
    ends: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    marks = delimiters = 0
    strict, multiline, control = True, False, None
    for begin in range(0, size, _CHUNK):
        piece = data[begin : begin + _CHUNK]
        after = data[begin + 1 : begin + len(piece) + 1]  # shorter by one at the end of the text
        is_mark, is_cr = piece == _QUOTE, piece == _CR
        between = (piece == separator) | (piece == _LF)
        if is_cr.any():
            alone = is_cr.copy()
            alone[: len(after)] &= after != _LF
            between |= alone
        here = int(np.count_nonzero(is_mark))
        if here:
            # Only parity matters, so eight bits may overflow.
            inside = (np.cumsum(is_mark, dtype=np.uint8) + np.uint8(marks % 2)) & 1 == 1
            apart = ~(between | is_mark | is_cr)  # from cells, which marks must open and close
            opens, closes = is_mark & inside, is_mark & ~inside
            strict &= not (opens[1:] & apart[:-1]).any() and not (closes[:-1] & apart[1:]).any()
            strict &= not opens[0] or not begin or data[begin - 1] in edges
            strict &= not closes[-1] or len(after) < len(piece) or after[-1] in edges
            multiline |= bool((inside & between & (piece != separator)).any())
            between &= ~inside
            marks += here
        elif marks % 2:
            multiline, between[:] = True, False
        if control is None:
            no_text = (piece < 9) | (piece - np.uint8(14) < 18) | (piece == 127)
            if no_text.any():
                control = begin + int(no_text.argmax())
        at = np.flatnonzero(between)
        of_end = np.flatnonzero(piece[at] != separator)
        ends.append(at[of_end] + (begin + 1))
        counts.append(of_end - np.arange(len(of_end)) + delimiters)
        delimiters += len(at) - len(of_end)
    if size and (not ends or not len(ends[-1]) or ends[-1][-1] != size):
        ends.append(np.array([size], np.int64))
        counts.append(np.array([delimiters], np.int64))
    all_ends = np.concatenate(ends) if ends else np.zeros(0, np.int64)
    totals = np.concatenate(counts) if counts else np.zeros(0, np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), all_ends[:-1]])[: len(all_ends)]
    return RowIndex(
        ends=all_ends,
        cells=np.diff(totals, prepend=0) + 1,
        blank=np.isin(data[starts], (_CR, _LF)),
        strict=strict and marks % 2 == 0,
        control=control,
        quoted=marks > 0,
        multiline=multiline,
    )
