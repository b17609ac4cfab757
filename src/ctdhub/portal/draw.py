"""Draw a figure as inline SVG: bars with whiskers and direct labels, mirrored right to left.

Belongs here: geometry and marks.  Does not belong here: words, numbers, colours (``site.css``).

Widths are in per cent and heights in pixels, so text keeps its size on a phone.  The SVG itself
always runs left to right (text anchors flip otherwise); right-to-left pages get mirrored x.
"""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup, escape

from ctdhub.portal.figures import Bar, Figure

WIDEST = 58.0
"""Per cent of the width that the highest upper end takes; the rest is for numbers."""
SHORT_LABEL, LONGEST_LABEL = 7, 54
_COMPACT, _STACKED, _INDENT = 28, 50, 64


def draw(figure: Figure, *, rtl: bool) -> Markup:
    """The figure as an ``<svg>``; the table beside it says the same in text."""
    compact = max((len(b.label) for b in figure.bars if b.kind != "not_recorded"), default=0)
    row = _compact if compact <= SHORT_LABEL else _stacked
    height = _COMPACT if row is _compact else _STACKED
    top = max((b.high or 0 for b in figure.bars if b.size is not None), default=0) or 1.0
    marks = Markup("").join(row(b, i * height, top, rtl) for i, b in enumerate(figure.bars))
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{id}-t {id}-s" width="100%" '
        'height="{height}">{marks}</svg>'
    ).format(id=figure.id, height=height * len(figure.bars) + 4, marks=marks)


Row = Callable[[Bar, int, float, bool], Markup]


def _compact(bar: Bar, y: int, top: float, rtl: bool) -> Markup:
    """Label and bar on one line; the bar's own frame is shifted by the width of the labels."""
    frame = Markup('<svg x="{x}" y="{y}" width="100%" height="{h}" overflow="visible">{marks}</svg>')
    shift = -_INDENT if rtl else _INDENT
    if bar.kind == "not_recorded":
        shift = shift * 2
    marks = frame.format(x=shift, y=y + 5, h=18, marks=_marks(bar, top, rtl))
    return _text(bar.label, 0, 0, y + 19, rtl) + marks


def _stacked(bar: Bar, y: int, top: float, rtl: bool) -> Markup:
    """Label above its bar."""
    frame = Markup('<svg x="0" y="{y}" width="100%" height="18" overflow="visible">{marks}</svg>')
    return _text(bar.label, 0, 0, y + 15, rtl) + frame.format(y=y + 22, marks=_marks(bar, top, rtl))


def _marks(bar: Bar, top: float, rtl: bool) -> Markup:
    """Bar, whisker and number, in a frame 18 pixels high."""
    if bar.size is None or bar.low is None or bar.high is None:
        return _text(bar.text, 0, 0, 14, rtl, "why")
    size, low, high = (WIDEST * x / top for x in (bar.size, bar.low, bar.high))
    ends = [(100 - x if rtl else x) for x in (low, high)]
    kind = "bar unknown" if bar.kind == "not_recorded" else "bar"
    rect = Markup('<rect class="{c}" x="{x:.2f}%" y="1" width="{w:.2f}%" height="16"/>').format(
        c=kind, x=100 - size if rtl else 0, w=size
    )
    line = Markup('<line class="whisker" x1="{a:.2f}%" y1="{p}" x2="{b:.2f}%" y2="{q}"/>')
    whisker = line.format(a=ends[0], b=ends[1], p=9, q=9)
    caps = Markup("").join(line.format(a=e, b=e, p=5, q=13) for e in ends)
    return rect + whisker + caps + _text(bar.text, high, 8, 14, rtl, "number")


def _text(text: str, at: float, gap: int, y: int, rtl: bool, kind: str = "label") -> Markup:
    """Text that starts ``at`` per cent and ``gap`` pixels from the side where reading starts."""
    shown = text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"
    return Markup(
        '<text class="{kind}" x="{x:.2f}%" dx="{dx}" y="{y}" text-anchor="{anchor}">{text}</text>'
    ).format(
        kind=kind,
        x=100 - at if rtl else at,
        dx=-gap if rtl else gap,
        y=y,
        anchor="end" if rtl else "start",
        text=escape(shown),
    )
