"""Keys of legends: what a mark of a chart means stands beside a small one of its kind."""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup

from ctdhub.document.charts.years import DIAMOND
from ctdhub.document.svg import Canvas

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
        diamond = Canvas(wide, "px")
        diamond.put("path", kind="same", d=DIAMOND)
        canvas.put("svg", diamond.marks, x=10, y=14, overflow="visible")
    return canvas.svg(kind="chart key", width=wide, height=high, aria_hidden="true")
