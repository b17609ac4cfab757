"""How many people a count holds if everybody is counted once: the second interval.

Records of one person may be several rows, and one row may hold two people.  For a count with the
interval of noise [low, high] the second interval is [low - D, high + F]: D is the most people of
the count who are another one of its people, F the most people of it who share a row.

D.  A release counts *possible doubles*, through noise: persons whom tokens find that leave out one
fact each of what makes a person (own name, family name, year or day of birth), and all that have
too little for any token.  What two differing facts hide is estimated by capture and recapture.
With s people shared by two contributors or more, whose rows agree in all facts, and n_i found
although fact i differs, facts that differ independently give s times the product of all 1 + n_i / s
shared people in all, so that D is what was found over

    share found = (sum of n_i) / (s (1 + n_1 / s) (1 + n_2 / s) … - s)

times :data:`SHORT`, for facts that differ together.  All numbers are taken at the end of their
interval of noise that makes D larger.  Where the policy states the share found after a clerical
review, it takes the place of the estimate.

F.  People who agree on both names and on a part of the birth, but not on the whole of it, are for
the most part different people.  Those who agree on the whole by chance, and share a row for it, are
at most :data:`CHANCE` of them.

SHORT and CHANCE are what fictitious people of twelve cultures show (``benchmarks/cultures.py``,
decision 63).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import NormalDist

from ctdhub.border import (
    BIRTH,
    BIRTHS,
    CAPTURE_CELLS,
    CAPTURES,
    POSSIBLE,
    Protected,
    Sources,
)
from ctdhub.schema.roles import ORIGIN

SHORT = 0.7
"""The estimate finds at least this share of all doubles, where names are of one script or known."""

CHANCE = 0.1
"""The most of those who agree on all but a part of the birth who agree on that too by chance."""

LEAST = 0.05
"""No share found is taken to be less."""

HIDDEN = 0.002
"""Share of people who share a row, at most, where nothing was counted and no review told."""


@dataclass(frozen=True)
class LinkErrors:
    """What links of a release miss and merge wrongly, at most.

    Attributes:
        doubles: the most people of the release who are another one of them.
        middle: about how many.
        merged: the most people who share a row with another one.
        found: share of all doubles that is found, at least.
        reviewed: whether a clerical review gave that share.
        by_citizenship: noisy possible doubles by citizenship ("" where not recorded); {} where
            they were not counted.
        spread: half-width of the interval of one of these.
    """

    doubles: int
    middle: int
    merged: int
    found: float
    reviewed: bool
    by_citizenship: Mapping[str, float]
    spread: float

    @classmethod
    def of(cls, protected: Protected) -> LinkErrors | None:
        """What a release says of its links; None where the second interval does not exist."""
        sources, level = protected.sources, protected.guarantee.level
        if sources is None:
            return None
        z = NormalDist().inv_cdf((1 + level) / 2)
        births = sources.cells(POSSIBLE, BIRTH)
        if not births:
            told = sources.doubles(level)
            if told is None or sources.found is None:
                return None
            found, all_, most = sources.found, float(told.value), float(told.high)
            merged: float = HIDDEN * protected.people.high
            alone = 0.0, 0.0
        else:
            found = _found(sources, z) if sources.found is None else sources.found
            sigma = z * sources.sigma[f"{POSSIBLE}*{BIRTH}"]
            *some, nobody = (births[name] for name in BIRTHS)
            all_, most = max(0.0, sum(some)), sum(some) + sigma * math.sqrt(len(some))
            alone = max(0.0, nobody), max(0.0, nobody + sigma)
            merged = CHANCE * _ends(sources, z)[CAPTURE_CELLS[0]][1]
        if sources.merged is not None:
            merged = sources.merged * protected.people.high
        return cls(
            doubles=math.ceil(max(0.0, most) / found + alone[1]),
            middle=round(all_ / found + alone[0]),
            merged=math.ceil(merged),
            found=found,
            reviewed=sources.found is not None,
            by_citizenship=sources.cells(POSSIBLE, ORIGIN),
            spread=z * sources.sigma.get(f"{POSSIBLE}*{ORIGIN}", 0.0),
        )

    def most(self, citizenships: Collection[str] | None = None) -> int:
        """The most doubles among people of some citizenships; of all where that is not known."""
        if citizenships is None or not self.by_citizenship:
            return self.doubles
        held = [self.by_citizenship[c] for c in citizenships if c in self.by_citizenship]
        high = max(0.0, sum(held) + self.spread * math.sqrt(len(held)))
        return min(self.doubles, math.ceil(high / self.found))

    def once(
        self, low: float, high: float, citizenships: Collection[str] | None = None
    ) -> tuple[float, float]:
        """The second interval of a number of people.

        Args:
            low, high: the interval of noise.
            citizenships: that all of them have; None where any.
        """
        return max(0.0, low - self.most(citizenships)), high + self.merged

    def share_once(
        self, low: float, high: float, whole: float, citizenships: Collection[str] | None = None
    ) -> tuple[float, float]:
        """The second interval of a share: all doubles may be in the part, or all outside of it.

        Args:
            low, high: the interval of noise, in 0..1.
            whole: the people that the share is of.
            citizenships: that these have; None where any.
        """
        doubles = self.most(citizenships)
        if whole <= doubles:
            return 0.0, 1.0
        least = max(0.0, low * whole - doubles) / (whole - doubles + self.merged)
        most = (high * whole + self.merged) / (whole - doubles + self.merged)
        return min(low, least), max(high, min(1.0, most))


def _ends(sources: Sources, z: float) -> dict[str, tuple[float, float]]:
    """Lower and upper end of each capture."""
    half = z * sources.sigma[CAPTURES]
    return {
        name: (max(0.0, x - half), max(0.0, x + half))
        for name, x in sources.cells(CAPTURES).items()
    }


def _found(sources: Sources, z: float) -> float:
    """The share of doubles that is found, see the head."""
    *cells, shared = (_ends(sources, z)[name] for name in CAPTURE_CELLS)
    one_differs, agree = [high for _low, high in cells], shared[0]
    if not sum(one_differs):
        return SHORT
    if agree < 1:
        return LEAST
    every = agree * math.prod(1 + n / agree for n in one_differs) - agree
    return max(LEAST, SHORT * sum(one_differs) / every)
