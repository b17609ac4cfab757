"""Parts of a change: a bar from zero to more or fewer, its interval across the end.

Bars that stand together share a scale; beside each stands its number as text.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ctdhub.document.document import Change
from ctdhub.document.svg import Canvas

_HIGH = 14
"""Pixels of a bar with its whisker."""


def draw(changes: Sequence[Change], *, rtl: bool) -> tuple[Markup, ...]:
    """An ``<svg>`` for each change, all on one scale that holds zero."""
    low = min(0.0, *(c.low for c in changes))
    high = max(0.0, *(c.high for c in changes))
    return tuple(_bar(change, low, max(1.0, high - low), rtl=rtl) for change in changes)


def _bar(change: Change, least: float, width: float, *, rtl: bool) -> Markup:
    """A line marks zero."""
    canvas = Canvas(rtl=rtl)
    zero, end, low, high = (
        100 * (people - least) / width for people in (0, change.value, change.low, change.high)
    )
    kind = "bar rest" if change.rest else "bar"
    canvas.rect(kind, min(zero, end), 3, abs(end - zero), _HIGH - 6)
    canvas.upright("zero", zero, 0, _HIGH)
    canvas.across("ends", _HIGH / 2, low, high)
    return canvas.svg(kind="chart balance", aria_hidden="true", width="100%", height=_HIGH)
