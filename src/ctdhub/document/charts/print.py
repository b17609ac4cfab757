"""Bars and years as inline SVG for the page of a document.

The SVG runs left to right in every language; bars are mirrored by hand right to left, years not.
"""

from __future__ import annotations

import math

from markupsafe import Markup

from ctdhub.document.document import Bar, Point, Years

HIGH, ABOVE, BELOW, WIDE, AXIS = 110, 18, 18, 360, 48
"""Units of a drawing of years: the plot, above, below and beside it."""
_LABELS = 8


def bar(row: Bar, top: float, *, rtl: bool) -> Markup:
    """A bar with its whisker; ``top`` is the size that takes the whole width."""
    if row.size is None or row.low is None or row.high is None:
        return Markup("")
    size, low, high = (100 * x / top for x in (row.size, row.low, row.high))
    ends = [100 - x if rtl else x for x in (low, high)]
    line = Markup('<line class="whisker" x1="{a:.2f}%" x2="{b:.2f}%" y1="{p}" y2="{q}"/>')
    return Markup(
        '<svg width="100%" height="16" aria-hidden="true">'
        '<rect class="{c}" x="{x:.2f}%" y="1" width="{w:.2f}%" height="14"/>{marks}</svg>'
    ).format(
        c="missing" if row.missing else "bar",
        x=100 - size if rtl else 0,
        w=size,
        marks=line.format(a=ends[0], b=ends[1], p=8, q=8)
        + Markup("").join(line.format(a=e, b=e, p=4, q=12) for e in ends),
    )


def years(chart: Years) -> Markup:
    """Points with whiskers by year; the table beside it says the same in text."""
    n = len(chart.points)
    body = [_grid(chart, k) for k in (0, 1, 2) if chart.axis[k]]
    body += [_line("turn", _x(k - 0.5, n), ABOVE, ABOVE + HIGH) for k in chart.turns]
    body += [_mark(chart, k, point) for k, point in enumerate(chart.points)]
    body += [_number(chart, k) for k in chart.marked]
    return Markup(
        '<svg class="years" viewBox="0 0 {w} {h}" aria-hidden="true">{body}</svg>'
    ).format(w=WIDE, h=ABOVE + HIGH + BELOW, body=Markup("").join(body))


def _x(k: float, n: int) -> float:
    return AXIS + (WIDE - AXIS) * (k + 0.5) / n


def _y(people: float, top: float) -> float:
    return ABOVE + HIGH * (1 - min(1.0, people / top))


def _line(kind: str, x: float, a: float, b: float) -> Markup:
    return Markup('<line class="{c}" x1="{x:.1f}" x2="{x:.1f}" y1="{a:.1f}" y2="{b:.1f}"/>').format(
        c=kind, x=x, a=a, b=b
    )


def _grid(chart: Years, k: int) -> Markup:
    y = ABOVE + HIGH * (1 - k / 2)
    return Markup(
        '<line class="grid" x1="{a}" x2="{w}" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text x="{t}" y="{b:.1f}" text-anchor="end">{words}</text>'
    ).format(a=AXIS, w=WIDE, y=y, t=AXIS - 4, b=y + 3.5, words=chart.axis[k])


def _mark(chart: Years, k: int, point: Point) -> Markup:
    n = len(chart.points)
    x, made = _x(k, n), Markup("")
    if k % math.ceil(n / _LABELS) == 0:
        made += Markup('<text x="{x:.1f}" y="{y}" text-anchor="middle">{t}</text>').format(
            x=x, y=ABOVE + HIGH + 12, t=point.year
        )
    if point.state == "nobody":
        return made + Markup(
            '<rect class="nobody" x="{x:.1f}" y="{y}" width="{w:.1f}" height="{h}"/>'
        ).format(x=_x(k - 0.5, n), y=ABOVE, w=(WIDE - AXIS) / n, h=HIGH)
    if point.state == "protected":
        return made + _line("veiled", x, _y(0, chart.top), _y(point.high, chart.top))
    if point.state == "shown":
        made += _line("whisker", x, _y(point.low, chart.top), _y(point.high, chart.top))
        made += Markup('<circle class="bar" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>').format(
            x=x, y=_y(point.value, chart.top)
        )
    return made


def _number(chart: Years, k: int) -> Markup:
    point, n = chart.points[k], len(chart.points)
    late = 2 * k >= n
    return Markup(
        '<text class="number" x="{x:.1f}" y="{y:.1f}" text-anchor="{a}">{year}: {text}</text>'
    ).format(
        x=_x(k + 0.5 if late else k - 0.5, n),
        y=max(9.0, _y(point.high, chart.top) - 5),
        a="end" if late else "start",
        year=point.year,
        text=point.text,
    )
