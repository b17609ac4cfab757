"""Charts of bars, points and whiskers for a page, mirrored right to left."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from markupsafe import Markup

from ctdhub.document.document import Bar, Change, Dots, scale_end
from ctdhub.document.svg import Anchor, Canvas, Drawing, Scale, element, round_top

# --------------------------------------------------------------------------------------------------
# Bars with whiskers and direct labels for a page, mirrored right to left.
#
# Widths are in per cent and heights in pixels, so text keeps its size on a phone.  People whose
# answer is not recorded never set the scale: they are a strip below the axis, which is broken where
# the scale ends.

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


def draw_bars(bars: Sequence[Bar], *, rtl: bool, top: float | None = None) -> Drawing:
    """The bars; the table beside them says the same in text.

    Short labels stand beside their bars, longer ones above.

    Args:
        top: the end of the scale, for drawings that share one; else the highest upper end.
    """
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
    return Drawing(canvas.marks, y + 4)


def draw_screen(bars: Sequence[Bar], id_: str, wide: int, *, rtl: bool) -> Markup:
    """The bars laid out for so many pixels, as a picture that grows as a whole with its frame."""
    drawn = draw_bars(bars, rtl=rtl)
    kept = "xMaxYMid" if rtl else "xMinYMid"
    return drawn.chart(id_, viewBox=f"0 0 {wide} {drawn.height}", preserveAspectRatio=kept)


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


# --------------------------------------------------------------------------------------------------
# Estimates side by side: points with whiskers, mirrored right to left.
#
# Points, not bars: no row is the headline, and a bar from zero would look like a count.

_ROW, _AXIS = 66, 26
"""Pixels of a row (name, numbers, whisker) and of the axis below."""
_ANCHORS: tuple[Anchor, ...] = ("start", "middle", "end")
_EDGE = 1.0
"""Per cent that stay free at both sides, so that no mark is cut."""


def draw_dots(chart: Dots, *, rtl: bool) -> Drawing:
    """The rows."""
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
    return Drawing(canvas.marks, high + _AXIS)


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


# --------------------------------------------------------------------------------------------------
# Shares of a few groups on one line: a mark of its own for each group, with its interval.
#
# Marks differ in shape and in colour; what each means, with its number, is written next to the
# picture (:func:`sign`).

MOST = 5
"""Groups that can be told from each other."""
_HIGH, _R, _LANE = 46, 6, 8


def draw_dumbbell(rows: Sequence[Bar], *, rtl: bool) -> Markup:
    """One line from 0 to 1; rows without a size are left out, at most :data:`MOST` drawn."""
    canvas = Canvas(rtl=rtl)
    shown = [(k, row) for k, row in enumerate(rows[:MOST]) if row.size is not None]
    canvas.across("grid", _HIGH / 2, 1.0, 99.0)
    for value in (0.0, 0.5, 1.0):
        canvas.upright("grid", _dumbbell_x(value), _HIGH / 2 - 5, _HIGH / 2 + 5)
    for k, row in shown:
        lane = _lane(k, len(rows))
        low, high = _dumbbell_x(row.low or 0), _dumbbell_x(row.high or 0)
        canvas.across(f"series{k + 1} reach", lane, low, high)
    for k, row in shown:
        _mark(canvas, k, _dumbbell_x(row.size or 0), _lane(k, len(rows)))
    return canvas.svg(kind="chart dumbbell", aria_hidden="true", width="100%", height=_HIGH)


def sign(k: int) -> Markup:
    """The mark of the group at place ``k``, for the words next to the picture."""
    canvas = Canvas(16, "px")
    canvas.add(shape(k, 8, 8, f"series{k + 1} mark"))
    return canvas.svg(kind="chart dumbbell key", width=16, height=16, aria_hidden="true")


def _mark(canvas: Canvas, k: int, at: float, lane: float) -> None:
    """The mark at a place of the line: a frame at that place, as shapes have no per cent."""
    left = 100 - at if canvas.rtl else at
    drawn = shape(k, 0, 0, f"series{k + 1} mark")
    canvas.put("svg", drawn, x=f"{left:.2f}%", y=round(lane), overflow="visible", width=1, height=1)


def shape(k: int, x: int, y: int, kind: str) -> Markup:
    """The shape of the mark at place ``k`` around a point, of this class."""
    r = _R
    if k == 0:
        return element("circle", kind=kind, cx=x, cy=y, r=r)
    if k == 2:
        side = 2 * r - 2
        return element("rect", kind=kind, x=x - r + 1, y=y - r + 1, width=side, height=side)
    paths = {
        1: f"M{x} {y - r - 1}L{x + r + 1} {y}L{x} {y + r + 1}L{x - r - 1} {y}Z",
        3: f"M{x} {y - r}L{x + r} {y + r - 1}L{x - r} {y + r - 1}Z",
    }
    down = f"M{x} {y + r}L{x + r} {y - r + 1}L{x - r} {y - r + 1}Z"
    return element("path", kind=kind, d=paths.get(k, down))


def _lane(k: int, groups: int) -> float:
    """Each group has a lane of its own, so that no mark hides another."""
    return _HIGH / 2 + (k - (min(groups, MOST) - 1) / 2) * _LANE


def _dumbbell_x(part: float) -> float:
    return 1 + 98 * min(1.0, max(0.0, part))


# --------------------------------------------------------------------------------------------------
# The largest of many numbers: points with whiskers on one scale, and brackets for their order.
#
# A bracket at the side joins neighbours whose order is uncertain, because their intervals overlap.

_RANKING_ROW, _SIDE, _BRACKET = 46, 3, 0.8
"""Pixels of a row (words, then the whisker); per cent of the width that the brackets take at
least, and that each lane of them takes."""


def draw_ranking(rows: Sequence[Bar], id_: str, *, rtl: bool) -> Markup:
    """The rows in an ``<svg>`` that is named by the elements ``<id>-t`` and ``<id>-s``.

    Args:
        rows: the largest first, each with size, low and high.
    """
    canvas, scale = Canvas(rtl=rtl), Scale(round_top(max((r.high or 0) for r in rows)))
    runs = brackets(rows)
    side = max(_SIDE, 0.6 + _BRACKET * (1 + max((lane for *_ends, lane in runs), default=0)))

    def x(value: float | None) -> float:
        return side + (99 - side) * scale.part(value or 0)

    for k, row in enumerate(rows):
        y = k * _RANKING_ROW
        canvas.text(f"{row.label}  {row.text}", side, y + 16, "label")
        canvas.upright("grid", x(0), y + 22, y + 40)
        canvas.whisker(x(row.low), x(row.high), y + 31, 5)
        canvas.dot("bar", x(row.size), y + 31, 6)
    for first, last, lane in runs:
        top, end = first * _RANKING_ROW + 8, last * _RANKING_ROW + 38
        canvas.upright("bracket", 0.4 + _BRACKET * lane, top, end)
    return Drawing(canvas.marks, _RANKING_ROW * len(rows) + 8, "chart ranking").chart(id_)


def brackets(rows: Sequence[Bar]) -> list[tuple[int, int, int]]:
    """Runs of rows of which the intervals of the first and the last overlap, each as long as it
    can be and inside no other: first row, last row, lane (from 0; runs of a lane do not touch).

    >>> rows = [Bar("a", "", 9, 8, 10), Bar("b", "", 8, 7, 9), Bar("c", "", 3, 2, 4)]
    >>> brackets(rows)
    [(0, 1, 0)]
    """
    runs: list[tuple[int, int, int]] = []
    ends: list[int] = []
    reached = -1
    for k, row in enumerate(rows):
        last = k
        for j in range(k + 1, len(rows)):
            if (rows[j].high or 0) >= (row.low or 0):
                last = j
        if last > k and last > reached:
            lane = next((n for n, end in enumerate(ends) if end < k), len(ends))
            if lane == len(ends):
                ends.append(last)
            ends[lane] = last
            runs.append((k, last, lane))
            reached = last
    return runs


# --------------------------------------------------------------------------------------------------
# Parts of a change as a waterfall: each part begins where the one before it ended.
#
# Bars that stand together share a scale; beside each stands its number as text.

_BALANCE_HIGH = 14
"""Pixels of a bar with its whisker."""


def draw_balance(changes: Sequence[Change], *, rtl: bool) -> tuple[Markup, ...]:
    """An ``<svg>`` for each change, all on one scale that holds zero.

    Args:
        changes: the whole change, which begins at zero, and its parts in the order of the fall.
    """
    parts = [change.value for change in changes[1:]]
    starts = [0.0, *accumulate(parts[:-1], initial=0.0)][: len(changes)]
    ends = [(start + c.low, start + c.high) for start, c in zip(starts, changes, strict=True)]
    low = min(0.0, *starts, *(end[0] for end in ends))
    high = max(0.0, *starts, *(end[1] for end in ends))
    width = max(1.0, high - low)
    return tuple(
        _bar(change, start, low, width, rtl=rtl)
        for change, start in zip(changes, starts, strict=True)
    )


def _bar(change: Change, start: float, least: float, width: float, *, rtl: bool) -> Markup:
    """A bar from where it starts; a line marks zero, a thin one its start."""
    canvas = Canvas(rtl=rtl)
    places = (0, start, start + change.value, start + change.low, start + change.high)
    zero, begin, end, low, high = (100 * (people - least) / width for people in places)
    kind = "bar rest" if change.rest else "bar"
    canvas.rect(kind, min(begin, end), 3, abs(end - begin), _BALANCE_HIGH - 6)
    canvas.upright("zero", zero, 0, _BALANCE_HIGH)
    if start:
        canvas.upright("grid", begin, 0, _BALANCE_HIGH)
    canvas.across("ends", _BALANCE_HIGH / 2, low, high)
    return canvas.svg(kind="chart balance", aria_hidden="true", width="100%", height=_BALANCE_HIGH)
