"""Draw the methods that estimate the hidden population side by side: points with whiskers.

Points, not bars: no method is the headline, and a bar from zero would look like a count.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from ctdhub.core.errors import printable
from ctdhub.core.format import number, share
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.charts.years import scale
from ctdhub.report import mse as words
from ctdhub.report.picture import sheet
from ctdhub.stats.mse.estimate import Method, Result

_ROW, _AXIS = 66, 26
"""Pixels of a method (name, numbers, whisker) and of the axis below."""
_EDGE = 1.0
"""Per cent that stay free at both sides, so that no mark is cut."""


def draw_methods(result: Result, id_: str) -> Markup:
    """The methods in an ``<svg>`` that is named by the elements ``<id>-t`` and ``<id>-s``."""
    marks, height = methods_body(result)
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{id}-t {id}-s" width="100%" '
        'height="{h}">{marks}</svg>'
    ).format(id=id_, h=height, marks=marks)


def methods_body(result: Result) -> tuple[Markup, int]:
    """What stands inside the ``<svg>``, and its height in pixels."""
    rtl = current() in RIGHT_TO_LEFT
    top = scale(result.reach[1] if result.reach else 1.0)
    high = _ROW * len(result.methods)
    values = (0.0, top / 2, float(top))
    parts = [_grid(v, k * _ROW, top, rtl) for v in values for k in range(len(result.methods))]
    parts += [_tick(value, top, high, rtl) for value in values]
    parts += [_row(m, k * _ROW, top, rtl) for k, m in enumerate(result.methods)]
    return Markup("").join(parts), high + _AXIS


def chart_file(result: Result, names: Mapping[str, str], source: str, first: str = "") -> str:
    """The chart as an SVG file that stands alone, in the language in force.

    Args:
        names: how lists are shown, by their names in the table.
        source: where the table came from.
        first: a warning that stands before all others.
    """
    notes = [words.seen(result), *words.warnings(result, names), *words.always()]
    notes.append(_("Source: {source}.").format(source=printable(source)))
    if result.gate.refused:
        return sheet(title(), words.refusal(result.gate), (Markup(""), 0), notes)
    subtitle = f"{first} {words.spread(result)} {note(result)}".strip()
    return sheet(title(), subtitle, methods_body(result), notes)


def title() -> str:
    """The question."""
    return _("How many people are not seen?")


def note(result: Result) -> str:
    """How to read a row."""
    return _(
        "Each point is the estimate of one method, people seen and unseen together; the line is "
        "its {level} interval."
    ).format(level=share(result.level))


def ranged(method: Method) -> str:
    """Estimate and interval, or a dash."""
    if method.value is None or method.low is None or method.high is None:
        return "–"
    return _("{people} ({low} to {high})").format(
        people=number(method.value), low=number(method.low), high=number(method.high)
    )


def _row(method: Method, y: int, top: int, rtl: bool) -> Markup:
    name = _text(words.method_name(method.name), y + 18, rtl, "label")
    if method.value is None or method.low is None or method.high is None:
        return name + _text(_("no number; the table says why"), y + 37, rtl, "why")
    line = Markup('<line class="whisker" x1="{a:.2f}%" y1="{p}" x2="{b:.2f}%" y2="{q}"/>')
    low, middle, high = (_x(v, top, rtl) for v in (method.low, method.value, method.high))
    at = y + 52
    whisker = line.format(a=low, b=high, p=at, q=at)
    caps = Markup("").join(line.format(a=x, b=x, p=at - 5, q=at + 5) for x in (low, high))
    point = Markup('<circle class="bar" cx="{x:.2f}%" cy="{y}" r="6"/>').format(x=middle, y=at)
    return name + _text(ranged(method), y + 37, rtl, "number") + whisker + caps + point


def _tick(value: float, top: int, high: int, rtl: bool) -> Markup:
    x = _x(value, top, rtl)
    anchor = "middle"
    if value in (0.0, float(top)):
        anchor = "start" if (value == 0.0) != rtl else "end"
    return Markup('<text x="{x:.2f}%" y="{t}" text-anchor="{anchor}">{n}</text>').format(
        x=x, t=high + 18, anchor=anchor, n=number(value)
    )


def _grid(value: float, y: int, top: int, rtl: bool) -> Markup:
    """A short line beside the whisker of a row only, so that none crosses words."""
    return Markup('<line class="grid" x1="{x:.2f}%" x2="{x:.2f}%" y1="{a}" y2="{b}"/>').format(
        x=_x(value, top, rtl), a=y + 42, b=y + 62
    )


def _x(value: float, top: int, rtl: bool) -> float:
    x = _EDGE + (100 - 2 * _EDGE) * min(1.0, max(0.0, value / top))
    return 100 - x if rtl else x


def _text(text: str, y: int, rtl: bool, kind: str) -> Markup:
    return Markup(
        '<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
    ).format(kind=kind, x="100%" if rtl else "0", y=y, anchor="end" if rtl else "start", text=text)
