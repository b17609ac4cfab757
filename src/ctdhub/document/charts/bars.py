"""Bars with whiskers and direct labels for a page, mirrored right to left.

Widths are in per cent and heights in pixels, so text keeps its size on a phone.  People whose
answer is not recorded never set the scale: they are a strip below the axis, which is broken where
the scale ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from ctdhub.document.document import Bar, scale_end
from ctdhub.document.svg import Canvas, Drawing

WIDEST, WIDEST_BESIDE = 58.0, 46.0
"""Per cent of the width that the highest upper end takes at most; the rest is for numbers."""
LONGEST_LABEL = 54
_BESIDE, _ABOVE, _APART = 28, 52, 12
_LETTER, _GAP, _MOST = 8, 10, 80
"""Pixels: an average letter, the gap behind a label, the widest label that stands beside a bar."""
_DIGIT, _PHONE, _LEAST = 7.6, 344, 20.0
"""Pixels of an average sign of a number, and of a phone; per cent of the shortest scale."""
_BREAK = (0.78, 0.82)
"""Where the strip of a number beyond the scale is broken, as parts of the scale."""


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
    known = [b for b in bars if not b.missing]
    indent = _room(known)
    indent = indent if indent <= _MOST else 0
    end = top or scale_end(bars)
    widest = min(WIDEST_BESIDE if indent else WIDEST, _fitting(bars, end, indent))
    canvas, y = Canvas(rtl=rtl), 0
    for bar in (*known, *(b for b in bars if b.missing)):
        if bar.missing and y:
            canvas.across("axis", y + _APART / 2)
            y += _APART
        beside = _room([bar]) <= indent
        shift = indent if beside or bar.size is not None else 0
        _text(canvas, bar.label, 0, 0, y + 18, "label")
        marks = _marks(bar, widest, end, rtl=rtl)
        canvas.frame(marks, shift, y + (5 if beside else 24), "100%", 18)
        y += _BESIDE if beside else _ABOVE
    return canvas, y + 4


def _fitting(bars: Sequence[Bar], end: float, indent: int) -> float:
    """Per cent of the width for the scale, so that each number stays inside a phone's window."""
    room = []
    for bar in bars:
        part = min(1.0, (bar.high or 0) / end) if bar.size is not None else 0.0
        if part:
            words = _DIGIT * min(len(bar.text), LONGEST_LABEL) + _GAP
            room.append(100 * (_PHONE - indent - words) / _PHONE / part)
    return max(_LEAST, min(room, default=100.0))


def _room(bars: Iterable[Bar]) -> int:
    """Pixels that the longest label takes with the gap behind it."""
    return _LETTER * max((len(b.label) for b in bars), default=0) + _GAP


def _marks(bar: Bar, widest: float, end: float, *, rtl: bool) -> Markup:
    """Bar, whisker and number, in a frame 18 pixels high."""
    canvas = Canvas(rtl=rtl)
    if bar.size is None or bar.low is None or bar.high is None:
        _text(canvas, bar.text, 0, 0, 14, "why")
        return canvas.marks
    if bar.missing and bar.high > end:
        _broken(canvas, widest)
        _text(canvas, bar.text, widest, 8, 14, "number")
        return canvas.marks
    size, low, high = (widest / end * x for x in (bar.size, bar.low, bar.high))
    canvas.rect("bar unknown" if bar.missing else "bar", 0, 1, size, 16)
    canvas.whisker(low, high, 9, 4)
    _text(canvas, bar.text, high, 8, 14, "number")
    return canvas.marks


def _broken(canvas: Canvas, widest: float) -> None:
    """A strip as wide as the scale, cut where it would be much longer."""
    first, second = (widest * part for part in _BREAK)
    canvas.rect("unknown", 0, 1, first, 16)
    canvas.rect("unknown", second, 1, widest - second, 16)
    for at in (first, second):
        canvas.line("cut", at - 0.7, 18, at + 0.7, 0)


def _text(canvas: Canvas, text: str, at: float, gap: int, y: int, kind: str) -> None:
    shown = text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"
    canvas.text(shown, at, y, kind, gap=gap)
