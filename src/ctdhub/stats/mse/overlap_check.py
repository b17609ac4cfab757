"""Whether the lists overlap enough for any number to be given.

All that is known about people on no list comes from people on several.  The relative standard error
of an estimate is about one over the root of their number (G. A. F. Seber, 1982, The Estimation of
Animal Abundance, chapter 3): a third at ten, so that twice the estimate and half of it are both
within reach.  D. S. Robson and H. A. Regier, 1964, Trans. Am. Fish. Soc. 93:215, ask for seven to
keep the bias small; ten leaves room for wrong links.  Where counts carry the noise of protection
the lower end of the interval of that number must reach ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from ctdhub.stats.mse.lists import Lists

LEAST_OVERLAP = 10
"""People on two or more lists."""

Rule = Literal["two-lists", "overlap"]


@dataclass(frozen=True)
class Gate:
    """What the gate found.

    Attributes:
        lists: what may be estimated from: lists that share people with another; None where refused.
        refused: the rule that refuses; None where a number may be given.
        overlapping: people on two or more lists.
        certain: the lower end of its interval where it carries noise, else the same.
        alone: lists that share nobody with any other; they are left out.
    """

    lists: Lists | None
    refused: Rule | None
    overlapping: float
    certain: float
    alone: tuple[str, ...]


def pass_gate(lists: Lists, level: float) -> Gate:
    """Leave out lists that share nobody, then ask for enough people on several lists."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    alone: list[str] = []
    while len(lists.names) > 1:
        noise = z * lists.sigma * (2 ** (len(lists.names) - 1) - 1) ** 0.5
        shared = {
            name: sum(float(y) for on, y in zip(lists.on, lists.y, strict=True)
                      if on[k] and on.sum() > 1)
            for k, name in enumerate(lists.names)
        }  # fmt: skip
        lonely = [name for name, people in shared.items() if people - noise <= 0]
        if not lonely:
            break
        if len(lonely) >= len(lists.names) - 1:  # nothing to compare with
            alone += lonely
            break
        worst = min(lonely, key=lambda name: (shared[name], name))
        alone.append(worst)
        lists = lists.without(worst)
    cells = int((lists.on.sum(axis=1) > 1).sum())
    overlapping = lists.overlapping
    certain = overlapping - z * lists.sigma * cells**0.5
    refused: Rule | None = None
    if len(lists.names) - len(set(alone) & set(lists.names)) < 2:
        refused = "two-lists"
    elif certain < LEAST_OVERLAP:
        refused = "overlap"
    return Gate(None if refused else lists, refused, overlapping, certain, tuple(sorted(alone)))
