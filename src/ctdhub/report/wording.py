"""A number card in the words of one language: its size, its range, and what stands beside it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal

from ctdhub.core.format import interval, isolated, number, share
from ctdhub.core.i18n import _, formula
from ctdhub.release.open import Release
from ctdhub.report.errata_words import citation_mark
from ctdhub.stats.cards import NumberCard

Kind = Literal["value", "not_recorded", "protected", "nobody_reports", "not_measured"]

FINE = 0.02
"""Half-widths of shares below this are written with one decimal."""


def caveat() -> str:
    """The sentence that stands beside every figure."""
    return _("Identified cases, not prevalence.")


def citation(release: Release) -> str:
    """How to cite a figure of a release: its version, and whether it was corrected or withdrawn."""
    text = _("{hub} ({year}). Protected trafficking case data, release {version}.").format(
        hub=isolated(release.facts.hub), year=release.year, version=release.version
    )
    practice = _("Practice data: invented.") if release.facts.invented else ""
    return " ".join(part for part in (text, practice, citation_mark(release)) if part)


def card_data(card: NumberCard, release: Release) -> dict[str, Any]:
    """Every attribute of a card but its query, ready for JSON, and what must stand beside it."""
    data = {f.name: getattr(card, f.name) for f in fields(card) if f.name != "query"}
    data["contributors"] = list(card.contributors)
    return data | {"caveat": caveat(), "citation": citation(release)}


def state_words(kind: Kind) -> str:
    """Why there is no number, in words."""
    words = {
        "protected": _("too few to show reliably"),
        "nobody_reports": _("nobody reports here"),
        "not_measured": _("not measured in this release"),
        "not_recorded": _("not recorded"),
    }
    return words.get(kind, "")


def sized(card: NumberCard) -> str:
    """Value and half-width, which is never rounded down, or why there is no number."""
    if card.value is None:
        return _silent(card)
    if card.unit != "share":
        return formula(f"{number(card.value)} ± {number(card.half_width)}")
    _low, wide = interval(0, card.half_width, fine=_fine(card))
    return formula(f"{share(card.value, fine=_fine(card))} ± {wide}")


def ranged(card: NumberCard) -> str:
    """Value and interval, rounded outwards, or why there is no number."""
    if card.value is None:
        return _silent(card)
    if card.unit != "share":
        return _("{people} ({low} to {high})").format(
            people=number(card.value), low=number(card.low or 0), high=number(card.high or 0)
        )
    low, high = interval(card.low or 0, card.high or 0, fine=_fine(card))
    value = share(card.value, fine=_fine(card))
    return _("{share} ({low} to {high})").format(share=value, low=low, high=high)


def _silent(card: NumberCard) -> str:
    return state_words("protected" if card.low is not None else "not_measured")


def _fine(card: NumberCard) -> bool:
    """Whether a share is written with a decimal: where its interval is that narrow."""
    return card.half_width < FINE
