"""Two groups of which one receives a kind of assistance less often, and how that is said."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ctdhub.core.format import decimal, share_ranged
from ctdhub.core.i18n import _, current
from ctdhub.schema.labels import code_label, label

DECIMALS = 3
"""Of percentage points, the most."""
EXACT = 1e-9
"""Below it a remainder comes of binary fractions alone and is not rounded away from."""

By = tuple[str, ...]
"""One grouping: the variable, or the two, that people are told apart by."""


@dataclass(frozen=True)
class Gap:
    """Two groups of which one receives less, beyond noise and chance.

    Attributes:
        kind: of assistance.
        by: the grouping.
        least, most: codes of the group that received it less often, and of the one beside it.  A
            group whose share is too small to be shown is not compared and may receive even less.
        shares: who received of those recorded, the smaller first, in 0..1.
        ends: of the intervals of the two, each at the level of the release.
        difference, low, high: of the two shares, in 0..1, with its simultaneous interval.
        pairs: how many pairs were compared at once.
    """

    kind: str
    by: By
    least: tuple[str, ...]
    most: tuple[str, ...]
    shares: tuple[float, float]
    ends: tuple[tuple[float, float], tuple[float, float]]
    difference: float
    low: float
    high: float
    pairs: int

    def sentence(self) -> str:
        """Who received it less often, beside whom and by how much, in the language in force."""
        return _(
            "{kind}. Among the groups that can be compared, {least} received it less often than "
            "{most}: {low_share} beside {high_share} of those recorded. The difference is {points} "
            "percentage points (between {low} and {high})."
        ).format(
            kind=label(self.kind, current()),
            least=_quoted(named(self.by, self.least)),
            most=_quoted(named(self.by, self.most)),
            low_share=share_ranged(self.shares[0], *self.ends[0]),
            high_share=share_ranged(self.shares[1], *self.ends[1]),
            **self._points(),
        )

    def _points(self) -> dict[str, str]:
        """The difference and its ends in percentage points, the ends rounded outwards.

        They are whole, or have up to three decimals where a clear gap would seem to begin at zero.
        """
        digits = next((d for d in range(DECIMALS) if 100 * self.low * 10**d >= 1), DECIMALS)
        steps, pattern = 10**digits, f"{0:.{digits}f}"
        return {
            "points": decimal(100 * self.difference, pattern),
            "low": decimal(math.floor(100 * self.low * steps + EXACT) / steps, pattern),
            "high": decimal(math.ceil(100 * self.high * steps - EXACT) / steps, pattern),
        }


def named(by: By, codes: tuple[str, ...]) -> str:
    """A group in words, in the language in force."""
    words = [
        code_label(v, code, current()) if code else _("not recorded")
        for v, code in zip(by, codes, strict=True)
    ]
    return " · ".join(words)


def _quoted(name: str) -> str:
    return _("“{name}”").format(name=name)
