"""How the estimate moves when lists are left out or merged, or links between records are wrong.

Wrong links, the model.  A person on m lists has m records.  Each of them stands apart from the
others, as if it were somebody else, with chance d, independently; d is such that a share e of the
pairs of records are not linked: (1 - d)^2 = 1 - e.  That makes a matrix A from the table of people
to the table that is counted.  If a share e of true links was missed, the true table is A^-1 times
the counted one; cells that this makes negative are set to zero.  If a share f of the links that
were made joins two different people, the true table is A(f) times the counted one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ctdhub.stats.mse.lists import Bools, Floats, Lists, pair_places
from ctdhub.stats.mse.overlap_check import pass_gate
from ctdhub.stats.mse.stepwise import select

RATES = (0.05, 0.1, 0.2)
MOST_RATE = 0.5
"""Shares of wrong links above this say that nothing is known of the links."""
Kind = Literal["without", "merged", "missed_links", "false_links"]
Known = Literal["", "about", "most"]


@dataclass(frozen=True)
class WrongLinks:
    """What is known of the links behind a table, shares in 0..1.

    Attributes:
        missed: share of the true links between lists that were not made, about.
        missed_most: the same, at most.
        false_most: share of the links made that join different people, at most.
    """

    missed: float
    missed_most: float
    false_most: float

    @property
    def too_many(self) -> bool:
        """Whether so many may be wrong that no table behind them can be worked out."""
        return max(self.missed_most, self.false_most) > MOST_RATE


@dataclass(frozen=True)
class SensitivityChange:
    """One change and what comes out.

    Attributes:
        kind: what is changed.
        names: the list left out, or the two that are merged.
        rate: share of links, in 0..1.
        seen: people on any list after the change.
        stepwise, independent: estimates with chosen pairs, and with the lists alone; None where
            the lists then overlap too little, or no finite estimate exists.  Where links are
            wrong the pairs are those that were chosen on the table itself: a choice made anew
            may jump, and missed links would then seem to raise the estimate.
        anew: whether other pairs are chosen than on the table itself, among the lists in both.
        others: the estimate with these pairs where links are wrong and ``anew``; else None.
            Where a list is left out or merged ``stepwise`` is the estimate with them.
        known: "about" or "most" where the rate is what is known of these links, see
            :class:`WrongLinks`; "" where it is an example.
    """

    kind: Kind
    names: tuple[str, ...]
    rate: float | None
    seen: float
    stepwise: float | None
    independent: float | None
    anew: bool = False
    others: float | None = None
    known: Known = ""


def changes(
    lists: Lists, level: float, links: WrongLinks | None = None
) -> tuple[SensitivityChange, ...]:
    """All changes: each list left out, each pair merged, links missed and false.

    Args:
        level: of the gate's interval.
        links: what is known of the links; these rows come last.
    """
    chosen = select(lists.y[None], len(lists.names), lists.sigma).chosen[0]
    found = [_changed(*other, lists, chosen, level) for other in _others(lists)]
    for kind, rate, known in _known(links) if links and not links.too_many else ():
        table = relinked(lists, rate) if kind == "missed_links" else unlinked(lists, rate)
        change = _changed(kind, (), rate, table, lists, chosen, level)
        found.append(replace(change, known=known))
    return tuple(found)


def _known(links: WrongLinks) -> Iterator[tuple[Kind, float, Known]]:
    yield "missed_links", links.missed, "about"
    yield "missed_links", links.missed_most, "most"
    yield "false_links", links.false_most, "most"


def _others(lists: Lists) -> Iterator[tuple[Kind, tuple[str, ...], float | None, Lists]]:
    if len(lists.names) > 2:
        for name in lists.names:
            yield "without", (name,), None, lists.without(name)
        for pair in lists.pairs:
            yield "merged", pair, None, lists.merged(*pair)
    for rate in RATES:
        yield "missed_links", (), rate, relinked(lists, rate)
    for rate in RATES:
        yield "false_links", (), rate, unlinked(lists, rate)


def _changed(
    kind: Kind,
    names: tuple[str, ...],
    rate: float | None,
    lists: Lists,
    before: Lists,
    chosen: Bools,
    level: float,
) -> SensitivityChange:
    if pass_gate(lists, level).lists is None:
        return SensitivityChange(kind, names, rate, lists.seen, None, None)
    y, k = lists.y[None], len(lists.names)
    anew = select(y, k, lists.sigma)
    both = set(before.names) & set(lists.names)
    same = _named(before, chosen, both) == _named(lists, anew.chosen[0], both)
    made = _finite(anew.people)
    alone = _finite(anew.alone)
    if same or rate is None:
        return SensitivityChange(kind, names, rate, lists.seen, made, alone, not same)
    held = _finite(select(y, k, held=chosen).people)
    return SensitivityChange(kind, names, rate, lists.seen, held, alone, True, made)


def _finite(people: Floats) -> float | None:
    return float(people[0]) if np.isfinite(people[0]) else None


def _named(lists: Lists, chosen: Bools, among: set[str]) -> set[tuple[str, str]]:
    """Chosen pairs of these lists, by name."""
    named = zip(pair_places(len(lists.names)), chosen, strict=True)
    pairs = {(lists.names[a], lists.names[b]) for (a, b), entered in named if entered}
    return {pair for pair in pairs if among.issuperset(pair)}


def relinked(lists: Lists, rate: float) -> Lists:
    """The table if a share of the true links was missed."""
    table = np.linalg.solve(_parted(len(lists.names), rate), lists.y)
    return lists.replace(table if lists.sigma else np.maximum(table, 0.0))


def unlinked(lists: Lists, rate: float) -> Lists:
    """The table if a share of the links that were made is false."""
    return lists.replace(_parted(len(lists.names), rate) @ lists.y)


def _parted(lists: int, rate: float) -> Floats:
    """Cells x cells: people counted in each cell for each person of a cell, if a share of links
    is not made."""
    apart = 1 - (1 - rate) ** 0.5
    matrix = np.zeros((2**lists - 1, 2**lists - 1))
    for whole in range(1, 2**lists):
        m, part = whole.bit_count(), whole
        while part:  # the records that stay linked: every subset of the person's records
            left = m - part.bit_count()
            matrix[part - 1, whole - 1] += (1 - apart) ** (m - left) * apart**left
            part = part - 1 & whole
        for k in range(lists):
            if whole >> k & 1:
                matrix[(1 << k) - 1, whole - 1] += apart
    return matrix
