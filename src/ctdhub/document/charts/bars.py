"""Bars with whiskers and direct labels for a page, mirrored right to left.

Widths are in per cent and heights in pixels, so text keeps its size on a phone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from ctdhub.document.document import Bar
from ctdhub.document.svg import Canvas, Drawing

WIDEST, WIDEST_BESIDE = 58.0, 46.0
"""Per cent of the width that the highest upper end takes; the rest is for numbers."""
LONGEST_LABEL = 54
_BESIDE, _ABOVE = 28, 52
_LETTER, _GAP, _MOST = 8, 10, 80
"""Pixels: an average letter, the gap behind a label, the widest label that stands beside a bar."""


def draw(
    bars: Sequence[Bar], id_: str, *, rtl: bool, wide: int | None = None, top: float | None = None
) -> Markup:
    """The bars as an ``<svg>``; the table beside it says the same in text.

    Short labels stand beside their bars, longer ones above.

    Args:
        id_: the elements ``<id>-t`` and ``<id>-s`` name the drawing.
        wide: pixels; the drawing is laid out for them and grows as a whole with its frame.
        top: the end of the scale, for drawings that share one; else the highest upper end.
    """
    canvas, height = _drawn(bars, rtl=rtl, top=top)
    return canvas.svg(
        kind="chart",
        role="img",
        aria_labelledby=f"{id_}-t {id_}-s",
        width="100%",
        height=height,
        viewBox=f"0 0 {wide} {height}" if wide else None,
        preserveAspectRatio=("xMaxYMid" if rtl else "xMinYMid") if wide else None,
    )


def body(bars: Sequence[Bar], *, rtl: bool, top: float | None = None) -> Drawing:
    """What stands inside the ``<svg>``."""
    canvas, height = _drawn(bars, rtl=rtl, top=top)
    return canvas.drawing(height)


def _drawn(bars: Sequence[Bar], *, rtl: bool, top: float | None) -> tuple[Canvas, int]:
    indent = _room(b for b in bars if not b.missing)
    indent = indent if indent <= _MOST else 0
    widest = WIDEST_BESIDE if indent else WIDEST
    end = top or max((b.high or 0 for b in bars if b.size is not None), default=0) or 1.0
    canvas, y = Canvas(rtl=rtl), 0
    for bar in bars:
        beside = _room([bar]) <= indent
        shift = indent if beside or bar.size is not None else 0
        _text(canvas, bar.label, 0, 0, y + 18, "label")
        marks = _marks(bar, widest / end, rtl=rtl)
        canvas.frame(marks, shift, y + (5 if beside else 24), "100%", 18)
        y += _BESIDE if beside else _ABOVE
    return canvas, y + 4


def _room(bars: Iterable[Bar]) -> int:
    """Pixels that the longest label takes with the gap behind it."""
    return _LETTER * max((len(b.label) for b in bars), default=0) + _GAP


def _marks(bar: Bar, scale: float, *, rtl: bool) -> Markup:
    """Bar, whisker and number, in a frame 18 pixels high."""
    canvas = Canvas(rtl=rtl)
    if bar.size is None or bar.low is None or bar.high is None:
        _text(canvas, bar.text, 0, 0, 14, "why")
        return canvas.marks
    size, low, high = (scale * x for x in (bar.size, bar.low, bar.high))
    canvas.rect("bar unknown" if bar.missing else "bar", 0, 1, size, 16)
    canvas.whisker(low, high, 9, 4)
    _text(canvas, bar.text, high, 8, 14, "number")
    return canvas.marks


def _text(canvas: Canvas, text: str, at: float, gap: int, y: int, kind: str) -> None:
    shown = text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"
    canvas.text(shown, at, y, kind, gap=gap)
