"""Parts of a change as a waterfall: each part begins where the one before it ended.

Bars that stand together share a scale; beside each stands its number as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from markupsafe import Markup

from ctdhub.document.document import Change
from ctdhub.document.svg import Canvas

_HIGH = 14
"""Pixels of a bar with its whisker."""


def draw(changes: Sequence[Change], *, rtl: bool) -> tuple[Markup, ...]:
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
    canvas.rect(kind, min(begin, end), 3, abs(end - begin), _HIGH - 6)
    canvas.upright("zero", zero, 0, _HIGH)
    if start:
        canvas.upright("grid", begin, 0, _HIGH)
    canvas.across("ends", _HIGH / 2, low, high)
    return canvas.svg(kind="chart balance", aria_hidden="true", width="100%", height=_HIGH)
