"""Parts of a whole as one bar, each with its label, its number and a mark of its own below.

Below a boundary is a whisker where it is the interval of one part alone: the end of the first part,
and the beginning of the last one where nothing is left after it.  The interval of every part is in
its number.  What is left of the whole where a part is not shown is hatched, as all that is not
known.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ctdhub.document.charts.dumbbell import shape
from ctdhub.document.document import Bar
from ctdhub.document.svg import Canvas, element

MOST = 3
"""Parts that can be read on one bar; of more, the interval of a part is no boundary."""
_HIGH, _TOP, _STRIP = 28, 4, 12
_LINE, _TWO, _LONGEST = 26, 44, 42
"""Pixels of a row of one line and of two; signs that a phone has room for in one line."""
_NARROW = 6.0
"""Per cent of the width that a part needs to have its mark on it."""
_FULL = 99.5


def fits(bars: Sequence[Bar]) -> bool:
    """Whether the rows are parts of one whole that can stand on one bar: two or three, two of them
    with a number."""
    known = [bar for bar in bars if not bar.missing]
    return len(known) <= MOST and sum(bar.size is not None for bar in known) > 1


def draw(bars: Sequence[Bar], id_: str, *, rtl: bool, whole: float | None = None) -> Markup:
    """The bar as an ``<svg>``; the table next to it says the same in text.

    Args:
        bars: its parts, those without a size in words alone; the missing row is a strip below.
        id_: the elements ``<id>-t`` and ``<id>-s`` name the drawing.
        whole: the size of the whole, in the unit of the sizes; at least the sum of the parts.
    """
    known = [bar for bar in bars if not bar.missing]
    parts = [(k, bar) for k, bar in enumerate(known) if bar.size is not None]
    end = max(whole or 0.0, sum(bar.size or 0.0 for _k, bar in parts)) or 1.0
    canvas, at = Canvas(rtl=rtl), 0.0
    for k, bar in parts:
        size = 100 * (bar.size or 0.0) / end
        canvas.rect(f"series{k + 1} part", at, _TOP, size, _HIGH)
        if size > _NARROW:
            _mark(canvas, k, at + size / 2, 0, _TOP + _HIGH // 2, "on")
        at += size
    if at < _FULL:
        canvas.rect("bar unknown", at, _TOP, 100 - at, _HIGH)
    _intervals(canvas, [bar for _k, bar in parts], end, left=100 - at)
    y = _TOP + _HIGH + 14
    for k, bar in enumerate(known):
        if bar.size is not None:
            _mark(canvas, k, 0, 8, y + 13, f"series{k + 1} mark")
        y += _words(canvas, bar, 24, y)
    for bar in (bar for bar in bars if bar.missing):
        canvas.across("axis", y + _STRIP / 2)
        y += _STRIP + _words(canvas, bar, 0, y + _STRIP)
    return canvas.svg(
        kind="chart whole",
        role="img",
        aria_labelledby=f"{id_}-t {id_}-s",
        width="100%",
        height=y + 4,
    )


def _intervals(canvas: Canvas, parts: Sequence[Bar], end: float, *, left: float) -> None:
    """Whiskers of the first part and, where nothing is left of the whole, of the last one."""
    first, last = parts[0], parts[-1]
    y = _TOP + _HIGH + 7
    low, high = (100 * min(1.0, (x or 0.0) / end) for x in (first.low, first.high))
    canvas.whisker(low, high, y, 4)
    if left <= 100 - _FULL:
        low, high = (100 * min(1.0, (x or 0.0) / end) for x in (last.low, last.high))
        canvas.whisker(100 - high, 100 - low, y, 4)


def _mark(canvas: Canvas, k: int, at: float, px: int, y: int, kind: str) -> None:
    """The mark of a part, ``px`` pixels from a place of the width."""
    place, rtl = (f"{100 - at:.2f}%", True) if canvas.rtl else (f"{at:.2f}%", False)
    drawn = shape(k, -px if rtl else px, 0, kind)
    canvas.put("svg", drawn, x=place, y=y, width=1, height=1, overflow="visible")


def _words(canvas: Canvas, bar: Bar, indent: int, y: int) -> int:
    """Label and number, in one line where a phone has room for it; gives the height."""
    at, anchor = ("100%", "end") if canvas.rtl else ("0", "start")
    shift = -indent if canvas.rtl else indent
    kind = "label" if bar.size is not None else "why"
    number = element("tspan", bar.text, kind="number" if bar.size is not None else "why")
    if len(bar.label) + len(bar.text) <= _LONGEST:
        canvas.put(
            "text", f"{bar.label}: ", number, kind=kind, x=at, dx=shift, y=y + 18,
            text_anchor=anchor,
        )  # fmt: skip
        return _LINE
    for text, below in ((bar.label, 18), (number, 36)):
        canvas.put("text", text, kind=kind, x=at, dx=shift, y=y + below, text_anchor=anchor)
    return _TWO
