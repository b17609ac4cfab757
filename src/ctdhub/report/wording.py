"""A number card in the words of one language: its size, its range, and what stands beside it."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, Literal

from ctdhub.core.format import interval, isolated, number, share, share_parts, share_ranged
from ctdhub.core.i18n import Text, _, formula, said
from ctdhub.core.narrow import is_narrow
from ctdhub.release.open import Release
from ctdhub.report.called import called
from ctdhub.report.errata_words import citation_mark
from ctdhub.stats.cards import NumberCard

Kind = Literal["value", "not_recorded", "imprecise", "protected", "nobody_reports", "not_measured"]

_STATES: dict[Kind, Text] = {
    "imprecise": Text("not precise enough"),
    "protected": Text("not shown (below the reporting threshold)"),
    "nobody_reports": Text("nobody reports here"),
    "not_measured": Text("not measured in this release"),
    "not_recorded": Text("not recorded"),
}
UNSAID = ("query", "width")
"""Attributes of a card that :func:`card_data` leaves out."""


def caveat() -> str:
    """The sentence that stands beside every figure."""
    return _("Identified cases, not prevalence.")


def citation(release: Release) -> str:
    """How to cite a figure of a release: its version, and whether it was corrected or withdrawn."""
    text = _("{hub} ({year}). Protected trafficking case data, release {version}.").format(
        hub=isolated(called(release.facts)), year=release.year, version=release.version
    )
    practice = _("Practice data: fictitious.") if release.facts.invented else ""
    return " ".join(part for part in (text, practice, citation_mark(release)) if part)


def card_data(card: NumberCard, release: Release) -> dict[str, Any]:
    """Every attribute of a card but its query, ready for JSON, and what must stand beside it."""
    data = {f.name: getattr(card, f.name) for f in fields(card) if f.name not in UNSAID}
    data["contributors"] = list(card.contributors)
    return data | {"caveat": caveat(), "citation": citation(release)}


def state_words(kind: Kind) -> str:
    """Why there is no number, in words."""
    return said(_STATES[kind]) if kind in _STATES else ""


def sized(card: NumberCard) -> str:
    """Value and half-width, which is never rounded down, or why there is no number.

    Two ends stand instead of a half-width where they are not as far from the value, or where
    value ± half-width would leave what the figure can be (0 to 1 for a share).
    """
    if card.value is None:
        return _silent(card)
    if not _even(card):
        return ranged(card)
    if card.unit != "share":
        return formula(f"{number(card.value)} ± {number(card.half_width)}")
    _low, wide = interval(0, card.half_width, fine=is_fine(card))
    return formula(f"{share(card.value, fine=is_fine(card))} ± {wide}")


def ranged(card: NumberCard) -> str:
    """Value and interval, rounded outwards; the interval alone where it is too wide for a value;
    or why there is no number."""
    if card.value is None:
        return _silent(card)
    value, low, high = printed(card)
    if card.unit == "share":
        return share_ranged(card.value, card.low or 0, card.high or 0)
    return _("{people} ({low} to {high})").format(people=value, low=low, high=high)


def ends(card: NumberCard) -> tuple[str, str]:
    """The ends of a card that has an interval; those of a share are rounded outwards, to whole
    per cent or, where :func:`is_fine`, to one decimal: one card has one text everywhere."""
    low, high = card.low or 0, card.high or 0
    if card.unit == "share":
        return interval(low, high, fine=is_fine(card))
    return number(low), number(high)


def printed(card: NumberCard) -> tuple[str, ...]:
    """What is printed of a card: value and ends, the ends alone, or nothing."""
    if not card.has_range:
        return ()
    if card.value is None:
        return ends(card)
    if card.unit == "share":
        return share_parts(card.value, card.low or 0, card.high or 0)
    return (number(card.value), *ends(card))


def _silent(card: NumberCard) -> str:
    if card.state == "imprecise":
        low, high = ends(card)
        return _("between {low} and {high}").format(low=low, high=high)
    return state_words(card.state if card.state == "not_measured" else "protected")


def _even(card: NumberCard) -> bool:
    """Whether the value lies in the middle of its interval, as far as rounding lets see, and the
    half-width that is printed stays within what the figure can be."""
    value, low, high = card.value or 0, card.low or 0, card.high or 0
    if card.unit != "share":
        return abs((high - value) - (value - low)) <= 1 and low > 0
    steps = 1000 if is_fine(card) else 100
    wide = math.ceil(card.half_width * steps - 1e-9) / steps
    uneven = abs((high - value) - (value - low)) > 0.5 / steps
    return not uneven and value - wide >= 0 and value + wide <= 1


def is_fine(card: NumberCard) -> bool:
    """Whether a share is written with a decimal: where its interval is that narrow."""
    return card.value is not None and is_narrow(card.value, card.low or 0, card.high or 0)
