"""Whether the lists overlap enough for any number to be given.

All that is known about people on no list comes from people on several.  The relative standard error
of an estimate is about one over the root of their number (G. A. F. Seber, 1982, The Estimation of
Animal Abundance, chapter 3): a third at ten, so that twice the estimate and half of it are both
within reach.  D. S. Robson and H. A. Regier, 1964, Trans. Am. Fish. Soc. 93:215, ask for seven to
keep the bias small; ten leaves room for wrong links.  Where counts carry the noise of protection
the lower end of the interval of that number must reach ten.

People who are not on a list enter the error as the overlap does: with m people on both of two
lists and o1 and o2 on the other one only, o1 o2 / m are on none, with a relative variance of about
1 / m + 1 / o1 + 1 / o2.  So ten people must be off each list.  A list that receives everybody
from the others (a registry, the end of a referral system) says nothing about people on no list;
nor does one whose people are all on another list, though these hold far from everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from ctdhub.stats.mse.lists import Lists

LEAST_OVERLAP = 10
"""People on two or more lists, and people seen who are not on a list."""
SURPRISING = 0.02
"""Chance below which a list inside another is no coincidence."""

Rule = Literal["two-lists", "overlap", "nested-lists"]


@dataclass(frozen=True)
class Gate:
    """What the gate found.

    Attributes:
        lists: what may be estimated from: lists that share people with another; None where refused.
        refused: the rule that refuses; None where a number may be given.
        overlapping: people on two or more lists.
        certain: the lower end of its interval where it carries noise, else the same.
        alone: lists that share nobody with any other; they are left out.
        nested: where ``refused`` is nested-lists: the list that holds nearly everybody, or a list
            all of whose people are on another, and that other.
        outside: people seen who are not on the list that holds nearly everybody.
    """

    lists: Lists | None
    refused: Rule | None
    overlapping: float
    certain: float
    alone: tuple[str, ...]
    nested: tuple[str, ...] = ()
    outside: float = 0.0


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
    left = tuple(sorted(alone))
    if refused is None and (found := _nested(lists, z)):
        return Gate(None, "nested-lists", overlapping, certain, left, *found)
    return Gate(None if refused else lists, refused, overlapping, certain, left)


def _nested(lists: Lists, z: float) -> tuple[tuple[str, ...], float] | None:
    """A list that holds nearly everybody, or one inside another; None where there is none."""
    off = lists.y @ ~lists.on
    noise = z * lists.sigma * float((~lists.on[:, 0]).sum()) ** 0.5
    k = int(off.argmin())
    if off[k] - noise < LEAST_OVERLAP:
        return (lists.names[k],), float(off[k])
    for inner in range(len(lists.names)):
        for outer in range(len(lists.names)):
            if inner != outer and _inside(lists, inner, outer):
                return (lists.names[inner], lists.names[outer]), 0.0
    return None


def _inside(lists: Lists, inner: int, outer: int) -> bool:
    """Whether all people of a list are on another, and more surely than those of the others are."""
    on, y = lists.on, lists.y
    if float(y[on[:, inner] & ~on[:, outer]].sum()) > 0:
        return False
    rest = on[:, [k for k in range(len(lists.names)) if k not in (inner, outer)]].any(axis=1)
    rest &= ~on[:, inner]
    elsewhere, held = float(y[rest].sum()), float(y[rest & on[:, outer]].sum())
    share = min(max(held / elsewhere, 0.0), 1.0) if elsewhere > 0 else 1.0
    return bool(share ** max(float(y[on[:, inner]].sum()), 0.0) < SURPRISING)
