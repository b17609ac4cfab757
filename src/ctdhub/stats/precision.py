"""Which figures are precise enough to be printed as one number.

Rule.  A share is printed as a point only where its interval at the level of the release is at most
``POINT`` wide, and stands in a headline only where it is at most ``HEADLINE`` wide.  The width is
taken before the interval is clipped to 0..1: near a bound clipping makes an interval look narrow
that says next to nothing.  A number of people, or a rate of them, is printed as a point where its
interval is at most ``RELATIVE`` times the number.  Anything else is printed as its interval alone.
Cells that a release publishes are not asked: the choice of cells to publish has decided there.

Sources.  30 points: J. D. Parker et al., 2017, Vital Health Stat. 2(175), the standard of the US
National Center for Health Statistics for proportions; its second rule, on relative width, is about
small proportions, which are not shown here where their interval reaches zero.  160 %: the standard
of the same office for rates.  20 points: the width beyond which the US National Survey of
Children's Health asks for a warning of poor reliability.
"""

from __future__ import annotations

from typing import Protocol

from ctdhub.stats.intervals import Interval


class Measured(Protocol):
    """An answer or a card: a value and its interval, see :class:`Interval`."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def width(self) -> float | None: ...


POINT, HEADLINE, RELATIVE = 0.30, 0.20, 1.6
COUNTED = ("people", "case_records", "per_100000")
"""Units of numbers that have an interval of noise, apart from shares."""


def is_precise(answer: Interval, unit: str) -> bool:
    """Whether an answer may be printed as a point.

    Args:
        answer: measured, with ends around its value.
        unit: of the card.

    >>> is_precise(Interval(0.9, 0.75, 1.0, width=0.31), "share")
    False
    >>> is_precise(Interval(143, 32, 254), "people"), is_precise(Interval(20, 3, 37), "people")
    (True, False)
    """
    if answer.value is None or answer.low is None or answer.high is None:
        return False
    if unit == "share":
        return _width(answer) <= POINT
    return unit not in COUNTED or answer.high - answer.low <= RELATIVE * answer.value


def in_headline(card: Measured) -> bool:
    """Whether a share is shown and precise enough for a headline."""
    if card.value is None or card.low is None or card.high is None:
        return False
    return _width(card) <= HEADLINE


def _width(share: Measured) -> float:
    if share.width is not None:
        return share.width
    return (share.high or 0) - (share.low or 0)
