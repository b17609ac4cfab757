"""Draw a figure as inline SVG: bars with whiskers and direct labels, mirrored right to left.

Widths are in per cent and heights in pixels, so text keeps its size on a phone.  The SVG itself
always runs left to right (text anchors flip otherwise); right-to-left pages get mirrored x.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from ctdhub.report.figures import Bar, Figure

WIDEST, WIDEST_BESIDE = 58.0, 46.0
"""Per cent of the width that the highest upper end takes; the rest is for numbers."""
LONGEST_LABEL = 54
_BESIDE, _ABOVE = 28, 52
_LETTER, _GAP, _MOST = 8, 10, 80
"""Pixels: an average letter, the gap behind a label, the widest label that stands beside a bar."""


def draw(figure: Figure, *, rtl: bool, wide: int | None = None, top: float | None = None) -> Markup:
    """The figure as an ``<svg>``; the table beside it says the same in text.

    Short labels stand beside their bars, longer ones above.

    Args:
        wide: pixels; the drawing is laid out for them and grows as a whole with its frame.
        top: the end of the scale, for drawings that share one; else the highest upper end.
    """
    rows, height = body(figure, rtl=rtl, top=top)
    box = Markup("")
    if wide:
        side = "xMaxYMid" if rtl else "xMinYMid"
        box = Markup(' viewBox="0 0 {wide} {high}" preserveAspectRatio="{side}"').format(
            wide=wide, high=height, side=side
        )
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{id}-t {id}-s" width="100%" '
        'height="{height}"{box}>{rows}</svg>'
    ).format(id=figure.id, height=height, rows=rows, box=box)


def body(figure: Figure, *, rtl: bool, top: float | None = None) -> tuple[Markup, int]:
    """What stands inside the ``<svg>``, and its height in pixels."""
    indent = _room(b for b in figure.bars if not b.missing)
    indent = indent if indent <= _MOST else 0
    widest = WIDEST_BESIDE if indent else WIDEST
    end = top or max((b.high or 0 for b in figure.bars if b.size is not None), default=0) or 1.0
    rows, y = [], 0
    for bar in figure.bars:
        marks = _marks(bar, widest / end, rtl)
        beside = _room([bar]) <= indent
        shift = indent if beside or bar.size is not None else 0
        rows.append(_row(bar.label, marks, y, -shift if rtl else shift, 5 if beside else 24, rtl))
        y += _BESIDE if beside else _ABOVE
    return Markup("").join(rows), y + 4


def _room(bars: Iterable[Bar]) -> int:
    """Pixels that the longest label takes with the gap behind it."""
    return _LETTER * max((len(b.label) for b in bars), default=0) + _GAP


def _row(label: str, marks: Markup, y: int, shift: int, drop: int, rtl: bool) -> Markup:
    """A label, and the marks in a frame of their own, ``shift`` to the side, ``drop`` below y."""
    frame = Markup('<svg x="{x}" y="{y}" width="100%" height="18" overflow="visible">{marks}</svg>')
    return _text(label, 0, 0, y + 18, rtl) + frame.format(x=shift, y=y + drop, marks=marks)


def _marks(bar: Bar, scale: float, rtl: bool) -> Markup:
    """Bar, whisker and number, in a frame 18 pixels high."""
    if bar.size is None or bar.low is None or bar.high is None:
        return _text(bar.text, 0, 0, 14, rtl, "why")
    size, low, high = (scale * x for x in (bar.size, bar.low, bar.high))
    ends = [(100 - x if rtl else x) for x in (low, high)]
    kind = "bar unknown" if bar.missing else "bar"
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
