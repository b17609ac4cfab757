"""People by year for a page: a line with its interval as a band, and the contributors' timeline.

Places are in per cent of the plot, so a style sheet alone decides its proportions (2:1, or 16:10 on
a phone) while text, dots and lines keep their size.  Right to left the years begin at the right.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from markupsafe import Markup

from ctdhub.document.document import Years
from ctdhub.document.svg import MIRRORED, Anchor, Canvas, Drawing, Scale, element

HIGH = 400
"""Pixels of a drawing where no style sheet says how high it is."""
FRAME = {"start": 52, "end": 104, "above": 40, "below": 26}
"""Pixels around the plot: axis, label of the last point, numbers of turns, years."""
PRINTED = 480
"""Units of a drawing for a document, across."""
DIAMOND = "M0-6L6 0L0 6L-6 0Z"
"""The mark of the same contributors, around its place."""
_UNITS = 1000
"""Units of the plot, both ways, in which line and band are drawn before they are stretched."""
SPARKS = 4
"""Years with a number that a line without axis needs."""
_LABELS = 6
"""Years that are written below a panel, at most."""
_NEAR_ZERO = 0.12
"""Part of the height below which the label of the last point moves up, off the years."""
_NEAR_EDGE = 0.28
"""Part of the width in which a label above a point begins, or ends, at the point."""


def draw(chart: Years, id_: str, *, rtl: bool = False) -> Markup:
    """The line in an ``<svg>`` that is named by the elements ``<id>-t`` and ``<id>-s``."""
    return Drawing(_drawn(chart, rtl=rtl).marks, HIGH, "chart years").chart(id_)


def body(chart: Years, *, rtl: bool, wide: int) -> Drawing:
    """What stands inside an ``<svg>`` that no style sheet of the site reaches.

    Args:
        wide: pixels that it has; the drawing is half as high.
    """
    inner = wide - FRAME["start"] - FRAME["end"]
    high = wide // 2 - FRAME["above"] - FRAME["below"]
    plot = element(
        "svg",
        _drawn(chart, rtl=rtl).marks,
        x=FRAME["end" if rtl else "start"],
        y=FRAME["above"],
        width=inner,
        height=high,
        overflow="visible",
    )
    return Drawing(plot, wide // 2)


def printed(chart: Years, *, rtl: bool) -> Markup:
    """The line for a document, whose page scales it as a whole; the table beside it says the same
    in text."""
    drawing = body(chart, rtl=rtl, wide=PRINTED)
    size = f"0 0 {PRINTED} {drawing.height}"
    return element("svg", drawing.marks, kind="years", viewBox=size, aria_hidden="true")


def spark(chart: Years, *, rtl: bool = False) -> Markup:
    """The line with its band alone, to be put next to the sentence that says its numbers; empty
    where fewer than :data:`SPARKS` years are shown."""
    if sum(point.state == "shown" for point in chart.points) < SPARKS:
        return Markup("")
    plot = _Plot(chart, rtl=rtl)
    plot.line("grid", 0, 0, 1, 0)
    plot.lines()
    return plot.canvas.svg(kind="chart spark", aria_hidden="true", width=128, height=32)


def draw_span(years: Sequence[int], covered: tuple[int, int], *, rtl: bool = False) -> Markup:
    """The years that a contributor covers, on the axis of the panels."""
    inside = [k for k, y in enumerate(years) if covered[0] <= y <= covered[1]]
    canvas = Canvas(rtl=rtl)
    canvas.across("grid", 6)
    if inside:
        canvas.rect("bar", 100 * inside[0] / len(years), 2, 100 * len(inside) / len(years), 8)
    return canvas.svg(kind="chart span", aria_hidden="true", width="100%", height=12)


def _drawn(chart: Years, *, rtl: bool) -> Canvas:
    plot = _Plot(chart, rtl=rtl)
    for at, words in zip((0.0, 0.5, 1.0), chart.axis, strict=True):
        if words:
            plot.line("grid", 0, at, 1, at)
            plot.text(words, 0, at, None, "end", dx=-6, dy=5)
    n = len(chart.points)
    for mark, k in enumerate(chart.turns, 1):
        plot.line("turn", k / n, 0, k / n, 1)
        plot.text(str(mark), k / n, 1, "mark", "middle", dx=0, dy=-26)
    for k in range(0, n, math.ceil(n / _LABELS) if n else 1):
        plot.text(chart.points[k].year, plot.x(k), 0, None, "middle", dx=0, dy=20)
    plot.blanks()
    plot.lines()
    for k in range(n):
        plot.mark(k)
    last = max((k for k, p in enumerate(chart.points) if p.state == "shown"), default=-1)
    for k in chart.marked:
        plot.last(k) if k == last else plot.peak(k)
    return plot.canvas


class _Plot:
    """Marks at parts of the plot: across from where reading starts, upwards from zero."""

    def __init__(self, chart: Years, *, rtl: bool) -> None:
        self.chart, self.rtl, self.canvas = chart, rtl, Canvas()
        self.scale = Scale(chart.top)

    def x(self, k: int) -> float:
        """Where a year lies, in 0..1."""
        return (k + 0.5) / len(self.chart.points)

    def y(self, people: float) -> float:
        """Where a number lies, in 0..1."""
        return self.scale.part(people)

    def line(self, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """A line between two places."""
        a, b = self._place(x1, y1), self._place(x2, y2)
        self.canvas.put("line", kind=kind, x1=a[0], y1=a[1], x2=b[0], y2=b[1])

    def text(
        self, text: str, x: float, y: float, kind: str | None, anchor: Anchor, *, dx: int, dy: int
    ) -> None:
        """Words at a place, moved by pixels: ``dx`` the way that reading goes, ``dy`` down."""
        at = self._place(x, y)
        self.canvas.put(
            "text",
            text,
            kind=kind,
            x=at[0],
            y=at[1],
            dx=-dx if self.rtl else dx,
            dy=dy,
            text_anchor=MIRRORED[anchor] if self.rtl else anchor,
        )

    def blanks(self) -> None:
        """Bands where nobody reports, dashed lines up to the most people that are not shown."""
        n = len(self.chart.points)
        for k, point in enumerate(self.chart.points):
            if point.state == "nobody":
                left, _top = self._place((k + 1) / n if self.rtl else k / n, 1)
                self.canvas.put(
                    "rect", kind="nobody", x=left, y="0%", width=f"{100 / n:.2f}%", height="100%"
                )
            elif point.state == "protected":
                self.line("veiled", self.x(k), 0, self.x(k), self.y(point.high))

    def lines(self) -> None:
        """Interval and line of neighbouring years that are shown, stretched with the plot."""
        inside = Canvas()
        for run in self._runs():
            points = [self.chart.points[k] for k in run]
            upper = [(self.x(k), self.y(p.high)) for k, p in zip(run, points, strict=True)]
            lower = [(self.x(k), self.y(p.low)) for k, p in zip(run, points, strict=True)]
            value = [(self.x(k), self.y(p.value)) for k, p in zip(run, points, strict=True)]
            inside.put("polygon", kind="band", points=self._path([*upper, *reversed(lower)]))
            inside.put("polyline", kind="join", points=self._path(value))
        same = [(k, p.same) for k, p in enumerate(self.chart.points) if p.same is not None]
        if same:
            places = [(self.x(k), self.y(s.value)) for k, s in same]
            inside.put("polyline", kind="same dashed", points=self._path(places))
        self.canvas.put(
            "svg",
            inside.marks,
            viewBox=f"0 0 {_UNITS} {_UNITS}",
            width="100%",
            height="100%",
            preserveAspectRatio="none",
            overflow="visible",
        )

    def mark(self, k: int) -> None:
        """The point of a year; its interval where it has no neighbour to make a band with."""
        point = self.chart.points[k]
        if point.same is not None:
            x, y = self._place(self.x(k), self.y(point.same.value))
            self.line("same", self.x(k), self.y(point.same.low), self.x(k), self.y(point.same.high))
            diamond = element("path", kind="same", d=DIAMOND)
            self.canvas.put("svg", diamond, x=x, y=y, overflow="visible")
        if point.state != "shown":
            return
        around = self.chart.points[max(0, k - 1) : k] + self.chart.points[k + 1 : k + 2]
        if not any(other.state == "shown" for other in around):
            at = self.x(k)
            self.line("whisker", at, self.y(point.low), at, self.y(point.high))
        x, y = self._place(self.x(k), self.y(point.value))
        self.canvas.put("circle", kind="bar", cx=x, cy=y, r=3.5)

    def last(self, k: int) -> None:
        """Year and number at the side of the last point, where no line is."""
        point = self.chart.points[k]
        at = self.x(k), self.y(point.value)
        first = -11 if at[1] > _NEAR_ZERO else -27
        for row, (words, kind) in enumerate(
            ((point.year, "ends"), (point.number or point.text, "number"), (point.ends, "ends"))
        ):
            if words:
                self.text(words, *at, kind, "start", dx=8, dy=first + 16 * row)

    def peak(self, k: int) -> None:
        """Year and number above a point."""
        point, x = self.chart.points[k], self.x(k)
        anchor: Anchor = "start" if x < _NEAR_EDGE else "end" if x > 1 - _NEAR_EDGE else "middle"
        self.text(point.label, x, self.y(point.high), "number", anchor, dx=0, dy=-9)

    def _runs(self) -> Iterator[list[int]]:
        run: list[int] = []
        for k, point in enumerate(self.chart.points):
            if point.state == "shown":
                run.append(k)
            elif run:
                yield run
                run = []
        if run:
            yield run

    def _path(self, places: Sequence[tuple[float, float]]) -> str:
        return " ".join(
            f"{_UNITS * (1 - x if self.rtl else x):.1f},{_UNITS * (1 - y):.1f}" for x, y in places
        )

    def _place(self, x: float, y: float) -> tuple[str, str]:
        across = 1 - x if self.rtl else x
        return f"{100 * across:.2f}%", f"{100 * (1 - y):.2f}%"


# --------------------------------------------------------------------------------------------------
# Keys of legends: what a mark of a chart means stands beside a small one of its kind.

Sign = Literal["point", "veiled", "turn", "same", "nobody", "bar", "unknown"]


def key(sign: Sign) -> Markup:
    """A sign of a chart of years or of bars ("bar", "unknown"), for its legend."""
    wide, high = (28, 20) if sign in ("bar", "unknown") else (20, 28)
    canvas = Canvas(wide, "px")
    if sign == "bar":
        canvas.rect("bar", 0, 2, 18, 16)
        canvas.across("whisker", 10, 12, 26)
    elif sign == "unknown":
        canvas.rect("bar unknown", 1, 2, 26, 16)
    elif sign == "nobody":
        canvas.rect("nobody", 2, 3, 16, 22)
    else:
        canvas.upright("whisker" if sign == "point" else sign, 10, 3, 25)
    if sign == "point":
        canvas.dot("bar", 10, 14, 3.5)
    elif sign == "same":
        diamond = element("path", kind="same", d=DIAMOND)
        canvas.put("svg", diamond, x=10, y=14, overflow="visible")
    return canvas.svg(kind="chart key", width=wide, height=high, aria_hidden="true")
