"""Shares of a few groups on one line: a mark of its own for each group, with its interval.

Marks differ in shape and in colour; what each means, with its number, is written next to the
picture (:func:`sign`).
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ctdhub.document.document import Bar
from ctdhub.document.svg import Canvas

MOST = 5
"""Groups that can be told from each other."""
_HIGH, _R, _LANE = 46, 6, 8


def draw(rows: Sequence[Bar], *, rtl: bool, top: float = 1.0) -> Markup:
    """One line from 0 to ``top``; rows without a size are left out, at most :data:`MOST` drawn."""
    canvas = Canvas(rtl=rtl)
    shown = [(k, row) for k, row in enumerate(rows[:MOST]) if row.size is not None]
    canvas.across("grid", _HIGH / 2, 1.0, 99.0)
    for value in (0.0, 0.5, 1.0):
        canvas.upright("grid", _x(value), _HIGH / 2 - 5, _HIGH / 2 + 5)
    for k, row in shown:
        lane = _lane(k, len(rows))
        low, high = (row.low or 0) / top, (row.high or 0) / top
        canvas.across(f"series{k + 1} reach", lane, _x(low), _x(high))
    for k, row in shown:
        at = _x((row.size or 0) / top)
        canvas.add(_mark(k, canvas, at, _lane(k, len(rows))))
    return canvas.svg(kind="chart dumbbell", aria_hidden="true", width="100%", height=_HIGH)


def sign(k: int) -> Markup:
    """The mark of the group at place ``k``, for the words next to the picture."""
    canvas = Canvas(16, "px")
    canvas.add(shape(k, 8, 8, f"series{k + 1} mark"))
    return canvas.svg(kind="chart dumbbell key", width=16, height=16, aria_hidden="true")


def _mark(k: int, canvas: Canvas, at: float, lane: float) -> Markup:
    """The mark at a place of the line: a frame at that place, as shapes have no per cent."""
    left = 100 - at if canvas.rtl else at
    frame = Canvas(0, "px")
    frame.put(
        "svg", shape(k, 0, 0, f"series{k + 1} mark"), x=f"{left:.2f}%", y=round(lane),
        overflow="visible", width=1, height=1,
    )  # fmt: skip
    return frame.marks


def shape(k: int, x: int, y: int, kind: str) -> Markup:
    """The shape of the mark at place ``k`` around a point, of this class."""
    canvas = Canvas(0, "px")
    r = _R
    if k == 0:
        canvas.put("circle", kind=kind, cx=x, cy=y, r=r)
    elif k == 1:
        canvas.put(
            "path",
            kind=kind,
            d=f"M{x} {y - r - 1}L{x + r + 1} {y}L{x} {y + r + 1}L{x - r - 1} {y}Z",
        )
    elif k == 2:
        canvas.put("rect", kind=kind, x=x - r + 1, y=y - r + 1, width=2 * r - 2, height=2 * r - 2)
    elif k == 3:
        canvas.put("path", kind=kind, d=f"M{x} {y - r}L{x + r} {y + r - 1}L{x - r} {y + r - 1}Z")
    else:
        canvas.put("path", kind=kind, d=f"M{x} {y + r}L{x + r} {y - r + 1}L{x - r} {y - r + 1}Z")
    return canvas.marks


def _lane(k: int, groups: int) -> float:
    """Each group has a lane of its own, so that no mark hides another."""
    return _HIGH / 2 + (k - (min(groups, MOST) - 1) / 2) * _LANE


def _x(part: float) -> float:
    return 1 + 98 * min(1.0, max(0.0, part))
