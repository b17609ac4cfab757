"""Two groups of which one receives a kind of assistance less often."""

from __future__ import annotations

from dataclasses import dataclass

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
