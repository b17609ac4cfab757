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
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ctdhub.stats.mse.lists import Floats, Lists
from ctdhub.stats.mse.overlap_check import pass_gate
from ctdhub.stats.mse.stepwise import select

RATES = (0.05, 0.1, 0.2)
Kind = Literal["without", "merged", "missed_links", "false_links"]


@dataclass(frozen=True)
class SensitivityChange:
    """One change and what comes out.

    Attributes:
        kind: what is changed.
        names: the list left out, or the two that are merged.
        rate: share of links, in 0..1.
        seen: people on any list after the change.
        stepwise, independent: estimates with chosen pairs, and with the lists alone; None where
            the lists then overlap too little, or no finite estimate exists.
    """

    kind: Kind
    names: tuple[str, ...]
    rate: float | None
    seen: float
    stepwise: float | None
    independent: float | None


def changes(lists: Lists, level: float) -> tuple[SensitivityChange, ...]:
    """All changes: each list left out, each pair merged, links missed and false.

    Args:
        level: of the gate's interval.
    """
    return tuple(_changed(*other, level) for other in _others(lists))


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
    kind: Kind, names: tuple[str, ...], rate: float | None, lists: Lists, level: float
) -> SensitivityChange:
    if pass_gate(lists, level).lists is None:
        return SensitivityChange(kind, names, rate, lists.seen, None, None)
    y, k = lists.y[None], len(lists.names)
    values = [float(select(y, k, lists.sigma, most=most).people[0]) for most in (None, 0)]
    found = [v if np.isfinite(v) else None for v in values]
    return SensitivityChange(kind, names, rate, lists.seen, found[0], found[1])


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
