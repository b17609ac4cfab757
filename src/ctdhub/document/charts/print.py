"""Bars and years for the page of a document, to be printed; mirrored right to left."""

from __future__ import annotations

import math

from markupsafe import Markup

from ctdhub.document.document import Bar, Point, Years
from ctdhub.document.svg import Canvas, Scale

HIGH, ABOVE, BELOW, WIDE, AXIS = 110, 18, 18, 360, 48
"""Units of a drawing of years: the plot, above, below and beside it."""
_LABELS = 8


def bar(row: Bar, top: float, *, rtl: bool) -> Markup:
    """A bar with its whisker; ``top`` is the size that takes the whole width.  People whose answer
    is not recorded, where they are more than that, are a strip that is cut."""
    if row.size is None or row.low is None or row.high is None:
        return Markup("")
    if row.missing and row.high > top:
        return _cut(rtl=rtl)
    size, low, high = (100 * x / top for x in (row.size, row.low, row.high))
    canvas = Canvas(rtl=rtl)
    canvas.rect("missing" if row.missing else "bar", 0, 1, size, 14)
    canvas.across("whisker", 8, low, high)
    for end in (low, high):
        canvas.upright("whisker", end, 4, 12)
    return canvas.svg(width="100%", height=16, aria_hidden="true")


def _cut(*, rtl: bool) -> Markup:
    canvas = Canvas(rtl=rtl)
    canvas.rect("missing", 0, 1, 78, 14)
    canvas.rect("missing", 82, 1, 18, 14)
    for at in (78, 82):
        canvas.line("whisker", at - 1, 16, at + 1, 0)
    return canvas.svg(width="100%", height=16, aria_hidden="true")


def years(chart: Years, *, rtl: bool) -> Markup:
    """Points with whiskers by year; the table beside it says the same in text."""
    canvas, n = Canvas(WIDE, "px", rtl=rtl), len(chart.points)
    for k in (0, 1, 2):
        if chart.axis[k]:
            _grid(canvas, chart.axis[k], ABOVE + HIGH * (1 - k / 2))
    for k in chart.turns:
        canvas.upright("turn", _x(k - 0.5, n), float(ABOVE), float(ABOVE + HIGH))
    for k, point in enumerate(chart.points):
        _mark(canvas, chart, k, point)
    for k in chart.marked:
        _number(canvas, chart, k)
    return canvas.svg(
        kind="years", viewBox=f"0 0 {WIDE} {ABOVE + HIGH + BELOW}", aria_hidden="true"
    )


def _x(k: float, n: int) -> float:
    return AXIS + (WIDE - AXIS) * (k + 0.5) / n


def _y(chart: Years, people: float) -> float:
    return ABOVE + HIGH * (1 - Scale(chart.top).part(people))


def _grid(canvas: Canvas, words: str, y: float) -> None:
    canvas.across("grid", y, AXIS, WIDE)
    canvas.text(words, AXIS - 6, y + 2.5, anchor="end")


def _mark(canvas: Canvas, chart: Years, k: int, point: Point) -> None:
    n = len(chart.points)
    x = _x(k, n)
    if k % math.ceil(n / _LABELS) == 0:
        canvas.text(point.year, x, ABOVE + HIGH + 12, anchor="middle")
    if point.state == "nobody":
        canvas.rect("nobody", _x(k - 0.5, n), ABOVE, (WIDE - AXIS) / n, HIGH)
    elif point.state == "protected":
        canvas.upright("veiled", x, _y(chart, 0), _y(chart, point.high))
    elif point.state == "shown":
        canvas.upright("whisker", x, _y(chart, point.low), _y(chart, point.high))
        canvas.dot("bar", x, _y(chart, point.value), 2.6)


def _number(canvas: Canvas, chart: Years, k: int) -> None:
    point, n = chart.points[k], len(chart.points)
    late = 2 * k >= n
    canvas.text(
        f"{point.year}: {point.text}",
        _x(k + 0.5 if late else k - 0.5, n),
        max(9.0, _y(chart, point.high) - 5),
        "number",
        "end" if late else "start",
    )
