"""Estimates side by side: points with whiskers, mirrored right to left.

Points, not bars: no row is the headline, and a bar from zero would look like a count.
"""

from __future__ import annotations

from markupsafe import Markup

from ctdhub.document.document import Bar, Dots
from ctdhub.document.svg import Anchor, Canvas, Drawing, Scale

_ROW, _AXIS = 66, 26
"""Pixels of a row (name, numbers, whisker) and of the axis below."""
_ANCHORS: tuple[Anchor, ...] = ("start", "middle", "end")
_EDGE = 1.0
"""Per cent that stay free at both sides, so that no mark is cut."""


def draw(chart: Dots, id_: str, *, rtl: bool) -> Markup:
    """The rows in an ``<svg>`` that is named by the elements ``<id>-t`` and ``<id>-s``."""
    canvas, height = _drawn(chart, rtl=rtl)
    return canvas.svg(
        kind="chart", role="img", aria_labelledby=f"{id_}-t {id_}-s", width="100%", height=height
    )


def body(chart: Dots, *, rtl: bool) -> Drawing:
    """What stands inside the ``<svg>``."""
    canvas, height = _drawn(chart, rtl=rtl)
    return canvas.drawing(height)


def _drawn(chart: Dots, *, rtl: bool) -> tuple[Canvas, int]:
    canvas, high = Canvas(rtl=rtl), _ROW * len(chart.rows)
    values = (0.0, chart.top / 2, chart.top)
    for value in values:
        for k in range(len(chart.rows)):
            # A short line beside the whisker of a row only, so that none crosses words.
            canvas.upright("grid", _x(chart, value), k * _ROW + 42, k * _ROW + 62)
    for value, words, anchor in zip(values, chart.axis, _ANCHORS, strict=True):
        canvas.text(words, _x(chart, value), high + 18, anchor=anchor)
    for k, row in enumerate(chart.rows):
        _row(canvas, chart, row, k * _ROW)
    return canvas, high + _AXIS


def _row(canvas: Canvas, chart: Dots, row: Bar, y: int) -> None:
    canvas.text(row.label, None, y + 18, "label")
    if row.size is None or row.low is None or row.high is None:
        canvas.text(row.text, None, y + 37, "why")
        return
    canvas.text(row.text, None, y + 37, "number")
    canvas.whisker(_x(chart, row.low), _x(chart, row.high), y + 52, 5)
    canvas.dot("bar", _x(chart, row.size), y + 52, 6)


def _x(chart: Dots, value: float) -> float:
    return _EDGE + (100 - 2 * _EDGE) * Scale(chart.top).part(value)
