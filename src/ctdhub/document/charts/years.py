"""People by year for a page: points with whiskers, and the contributors' timeline.

Years run from left to right in every language, as on the axis of a printed chart: nothing here is
mirrored.  Widths are in per cent and heights in pixels, as in ``bars``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from ctdhub.document.document import Years
from ctdhub.document.svg import Canvas, Scale

HIGH, ABOVE, BELOW = 130, 26, 22
"""Pixels of the plot, of the room above it for labels and below it for years."""
DIAMOND = "M0-6L6 0L0 6L-6 0Z"
"""The mark of the same contributors, around its place."""
BESIDE, RAISED = 8, 6
"""Pixels between a point and its label, and how far the label stands above the point."""
_LABELS = 6
"""Years that are written below a panel, at most."""


def draw(chart: Years, id_: str) -> Markup:
    """The points in an ``<svg>`` that is named by the elements ``<id>-t`` and ``<id>-s``."""
    canvas, points = Canvas(), chart.points
    n = len(points)
    for at, words in zip((0.0, 0.5, 1.0), chart.axis, strict=True):
        if words:
            _grid(canvas, at, words)
    for k in chart.turns:
        canvas.upright("turn", 100 * k / n, ABOVE - 8, ABOVE + HIGH)
    for k in range(0, n, math.ceil(n / _LABELS) if n else 1):
        canvas.text(points[k].year, _x(k, n), ABOVE + HIGH + BELOW - 4, anchor="middle")
    for k in range(n):
        _same(canvas, chart, k)
    for k in range(1, n):
        _join(canvas, chart, k)
    for k in range(n):
        _mark(canvas, chart, k)
    for k in chart.marked:
        _text(canvas, chart, k)
    return canvas.svg(
        kind="chart years",
        role="img",
        aria_labelledby=f"{id_}-t {id_}-s",
        width="100%",
        height=HIGH + ABOVE + BELOW,
    )


def draw_span(years: Sequence[int], covered: tuple[int, int]) -> Markup:
    """The years that a contributor covers, on the axis of the panels."""
    inside = [k for k, y in enumerate(years) if covered[0] <= y <= covered[1]]
    canvas = Canvas()
    canvas.across("grid", 6)
    if inside:
        canvas.rect("bar", 100 * inside[0] / len(years), 2, 100 * len(inside) / len(years), 8)
    return canvas.svg(kind="chart years", aria_hidden="true", width="100%", height=12)


def _x(k: int, n: int) -> float:
    return 100 * (k + 0.5) / n


def _y(chart: Years, people: float) -> float:
    return ABOVE + HIGH * (1 - Scale(chart.top).part(people))


def _grid(canvas: Canvas, at: float, words: str) -> None:
    y = ABOVE + HIGH * (1 - at)
    canvas.across("grid", y)
    canvas.text(words, "-6", y + 5, anchor="end")


def _join(canvas: Canvas, chart: Years, k: int) -> None:
    """A thin line between neighbours that are both shown."""
    before, point, n = chart.points[k - 1], chart.points[k], len(chart.points)
    if before.state == point.state == "shown":
        ends = _y(chart, before.value), _y(chart, point.value)
        canvas.line("join", _x(k - 1, n), ends[0], _x(k, n), ends[1])


def _same(canvas: Canvas, chart: Years, k: int) -> None:
    """A hollow diamond for the same contributors in every year, with its whisker and a join."""
    same, n = chart.points[k].same, len(chart.points)
    if same is None:
        return
    x, y = _x(k, n), _y(chart, same.value)
    canvas.line("same", x, _y(chart, same.low), x, _y(chart, same.high))
    before = chart.points[k - 1].same if k else None
    if before is not None:
        canvas.line("same dashed", _x(k - 1, n), _y(chart, before.value), x, y)
    diamond = Canvas()
    diamond.put("path", kind="same", d=DIAMOND)
    canvas.put("svg", diamond.marks, x=f"{x:.2f}%", y=y, overflow="visible")


def _mark(canvas: Canvas, chart: Years, k: int) -> None:
    """A point with its whisker; a dashed line where too few are shown; a band where nobody is."""
    point, n = chart.points[k], len(chart.points)
    x = _x(k, n)
    if point.state == "nobody":
        canvas.rect("nobody", 100 * k / n, ABOVE, 100 / n, HIGH)
    elif point.state == "protected":
        canvas.upright("veiled", x, _y(chart, 0), _y(chart, point.high))
    elif point.state == "shown":
        canvas.dot("bar", x, _y(chart, point.value), 3.5)
        canvas.upright("whisker", x, _y(chart, point.low), _y(chart, point.high))


def _text(canvas: Canvas, chart: Years, k: int) -> None:
    """Year and number of a point, beside it: at its right, or at its left where it is late."""
    n, point = len(chart.points), chart.points[k]
    late = 2 * k >= n
    canvas.text(
        point.label,
        _x(k, n),
        _y(chart, point.value) - RAISED,
        "number",
        "end" if late else "start",
        gap=-BESIDE if late else BESIDE,
    )
