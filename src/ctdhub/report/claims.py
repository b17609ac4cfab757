"""Which words a number allows: "at least N", "more than N", "about two in three", "most", "mainly".

One rule holds for all of them: the whole interval lies inside the claim, so the claim is as sure as
the interval; and no number is rounded upwards.

- "at least N": N is the lower end, rounded down to ``DIGITS`` significant digits.
- "more than N": N is the largest such number strictly below the lower end.
- "about two in three": a half, thirds, quarters, fifths or tenths, where the share is at most
  ``NEAR`` away from the fraction and its interval nowhere more than ``AROUND``.  Where the interval
  lies wholly above the fraction the words are "more than two in three", where it lies wholly below
  them "nearly two in three".
- "more than half", "most", "mainly": the lower end is above a half.
- Where a release measured how many people count twice, "the interval" is the second one, if
  everybody is counted once (``NumberCard.ends``): who is counted twice is not two people.
- Anything else is said in digits; a share that is not precise enough, as a range.
"""

from __future__ import annotations

import math
from fractions import Fraction

from ctdhub.core.format import number
from ctdhub.core.i18n import _
from ctdhub.report.wording import ranged
from ctdhub.stats.cards import NumberCard

DIGITS, NEAR, AROUND = 2, 0.03, 0.07
HALF, MOST = 0.5, 0.65
"""A majority below ``MOST`` is called "more than half", from there on "most"."""
_EXACT = 1e-9


def at_least(low: float) -> int:
    """The lower end of an interval of people, rounded down to two significant digits.

    >>> at_least(9789), at_least(9799.9), at_least(62), at_least(7.9), at_least(0.4)
    (9700, 9700, 62, 7, 0)
    """
    whole = math.floor(low + _EXACT)
    step = int(10 ** max(0, len(str(whole)) - DIGITS))
    return whole // step * step


def more_than(low: float) -> int | None:
    """The largest number of two significant digits strictly below the lower end, None below 1.

    >>> more_than(9789), more_than(9700), more_than(100), more_than(10.5), more_than(1)
    (9700, 9600, 99, 10, None)
    """
    below = math.ceil(low - _EXACT) - 1
    return at_least(below) if below >= 1 else None


def surely(card: NumberCard) -> int:
    """The number of people of which a card is sure, rounded down; 0 where it is printed nowhere."""
    return at_least(card.ends[0]) if card.has_range and card.ends else 0


def least_claim(card: NumberCard) -> str:
    """A number of people as "at least 9,700"; empty where not even one is sure."""
    sure = surely(card)
    return _("at least {n}").format(n=number(sure)) if sure else ""


def people_claim(card: NumberCard) -> str:
    """A number of people as a claim: "more than 9,700", "at least 7"; empty where none is sure."""
    most = more_than(card.ends[0]) if card.has_range and card.ends else None
    if most is None or most < 10:
        return least_claim(card)
    return _("more than {n}").format(n=number(most))


def fraction_claim(card: NumberCard) -> str:
    """A share as a fraction: "about two in three"; empty where no fraction is near enough."""
    if card.value is None or card.ends is None:
        return ""
    low, high = card.ends
    words = _fractions()
    near = min(words, key=lambda f: (abs(card.value - f), f.denominator))  # type: ignore[operator]
    at = float(near)
    if abs(card.value - at) > NEAR + _EXACT:
        return ""
    if low < at - AROUND - _EXACT or high > at + AROUND + _EXACT:
        return ""
    if low > at:
        return _("more than {fraction}").format(fraction=words[near])
    if high < at:
        return _("nearly {fraction}").format(fraction=words[near])
    return _("about {fraction}").format(fraction=words[near])


def is_majority(card: NumberCard) -> bool:
    """Whether "more than half", "most" and "mainly" are true of a share: all of its interval."""
    return card.has_range and card.ends is not None and card.ends[0] > HALF


def share_words(card: NumberCard) -> str:
    """A share in words: a fraction, "more than half" or "most"; empty where none is sure."""
    if words := fraction_claim(card):
        return words
    if card.value is None or not is_majority(card):
        return ""
    return _("most") if card.value >= MOST else _("more than half")


def share_claim(card: NumberCard) -> str:
    """:func:`share_words`, else digits or a range; empty where the share is not printed at all."""
    return share_words(card) or (ranged(card) if card.has_range else "")


def _fractions() -> dict[Fraction, str]:
    return {
        Fraction(1, 2): _("half"),
        Fraction(1, 3): _("one in three"),
        Fraction(2, 3): _("two in three"),
        Fraction(1, 4): _("one in four"),
        Fraction(3, 4): _("three in four"),
        Fraction(1, 5): _("one in five"),
        Fraction(2, 5): _("two in five"),
        Fraction(3, 5): _("three in five"),
        Fraction(4, 5): _("four in five"),
        Fraction(1, 10): _("one in ten"),
        Fraction(3, 10): _("three in ten"),
        Fraction(7, 10): _("seven in ten"),
        Fraction(9, 10): _("nine in ten"),
    }
