"""The largest of many numbers: points with whiskers on one scale, and brackets for their order.

A bracket at the side joins neighbours whose order is uncertain, because their intervals overlap.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ctdhub.document.document import Bar
from ctdhub.document.svg import Canvas, Scale, round_top

_ROW, _SIDE = 46, 3
"""Pixels of a row (words, then the whisker); per cent of the width that the brackets take."""


def draw(rows: Sequence[Bar], id_: str, *, rtl: bool) -> Markup:
    """The rows in an ``<svg>`` that is named by the elements ``<id>-t`` and ``<id>-s``.

    Args:
        rows: the largest first, each with size, low and high.
    """
    canvas, scale = Canvas(rtl=rtl), Scale(round_top(max((r.high or 0) for r in rows)))
    for k, row in enumerate(rows):
        y = k * _ROW
        canvas.text(f"{row.label}  {row.text}", _SIDE, y + 16, "label")
        canvas.upright("grid", _x(scale, 0), y + 22, y + 40)
        canvas.whisker(_x(scale, row.low or 0), _x(scale, row.high or 0), y + 31, 5)
        canvas.dot("bar", _x(scale, row.size or 0), y + 31, 6)
    for first, last, lane in brackets(rows):
        x = 0.4 + 0.8 * lane
        top, end = first * _ROW + 8, last * _ROW + 38
        canvas.upright("bracket", x, top, end)
    return canvas.svg(
        kind="chart ranking",
        role="img",
        aria_labelledby=f"{id_}-t {id_}-s",
        width="100%",
        height=_ROW * len(rows) + 8,
    )


def brackets(rows: Sequence[Bar]) -> list[tuple[int, int, int]]:
    """Runs of rows of which the intervals of the first and the last overlap, each as long as it
    can be and inside no other: first row, last row, lane (0 to 2; runs of a lane do not touch).

    >>> rows = [Bar("a", "", 9, 8, 10), Bar("b", "", 8, 7, 9), Bar("c", "", 3, 2, 4)]
    >>> brackets(rows)
    [(0, 1, 0)]
    """
    found: list[tuple[int, int, int]] = []
    ends: list[int] = []
    reached = -1
    for k, row in enumerate(rows):
        last = k
        for j in range(k + 1, len(rows)):
            if (rows[j].high or 0) >= (row.low or 0):
                last = j
        if last > k and last > reached:
            lane = next((n for n, end in enumerate(ends) if end < k), len(ends))
            if lane == len(ends):
                ends.append(last)
            ends[lane] = last
            found.append((k, last, lane))
            reached = last
    return found


def _x(scale: Scale, value: float) -> float:
    return _SIDE + (99 - _SIDE) * scale.part(value)
