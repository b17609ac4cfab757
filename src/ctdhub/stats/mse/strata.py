"""Estimates within strata, such as gender or age, added up.

Where people differ in how easily they are found because of something that is recorded, lists that
depend on each other in the whole may be independent within strata (C. C. Sekar and W. E. Deming,
1949, J. Am. Stat. Assoc. 44:101).  Strata that overlap too little for a number of their own are
taken together; the bootstrap draws all strata at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ctdhub.stats.mse.bca import plain
from ctdhub.stats.mse.bootstrap import multinomial
from ctdhub.stats.mse.lists import Floats, Lists
from ctdhub.stats.mse.methods import Method, Name
from ctdhub.stats.mse.overlap_check import pass_gate
from ctdhub.stats.mse.seeded_bits import Source
from ctdhub.stats.mse.stepwise import select

Label = tuple[str, ...]
"""Values of the columns that make the strata."""


@dataclass(frozen=True)
class Strata:
    """What comes out within strata.

    Attributes:
        parts: labels that were taken together, and the people seen of them; one label in most.
        rows: two methods, their estimates added up over the parts; () where fewer than two parts
            overlap enough.
    """

    parts: tuple[tuple[tuple[Label, ...], float], ...]
    rows: tuple[Method, ...]


def stratified(
    tables: Mapping[Label, Lists], level: float, replicates: int, source: Source
) -> Strata:
    """Estimate within strata and add up.

    Args:
        tables: of the same lists, counted without noise.
        level: of the intervals, in 0..1.
        replicates: tables of the bootstrap.
        source: random bits.
    """
    parts = _parts(dict(sorted(tables.items())), level)
    seen = tuple((labels, lists.seen) for labels, lists in parts)
    if len(parts) < 2:
        return Strata(seen, ())
    y = np.concatenate([lists.y for _labels, lists in parts])
    drawn = multinomial(round(float(y.sum())), y, replicates, source).astype(np.float64)
    both = np.vstack([y, drawn]).reshape(1 + replicates, len(parts), -1)
    k = len(parts[0][1].names)
    found = [select(both[:, i], k) for i in range(len(parts))]
    return Strata(
        seen,
        (
            _row("independent_strata", np.sum([f.alone for f in found], axis=0), level),
            _row("stepwise_strata", np.sum([f.people for f in found], axis=0), level),
        ),
    )


def _row(name: Name, people: Floats, level: float) -> Method:
    value, (low, high) = float(people[0]), plain(people[1:], level)
    if not np.isfinite(value) or not np.isfinite(high):
        return Method(name, why="no_finite_estimate")
    return Method(name, value, min(low, value), max(high, value))


def _parts(tables: dict[Label, Lists], level: float) -> list[tuple[tuple[Label, ...], Lists]]:
    """Strata that overlap enough, and the others together, or with the smallest of the first."""
    good: list[tuple[tuple[Label, ...], Lists]]
    good = [((label,), lists) for label, lists in tables.items() if _enough(lists, level)]
    poor = [(label, lists) for label, lists in tables.items() if not _enough(lists, level)]
    if not poor:
        return good
    labels: tuple[Label, ...] = tuple(label for label, _lists in poor)
    rest = _together([lists for _label, lists in poor])
    if not _enough(rest, level) and good:
        smallest = min(good, key=lambda part: part[1].seen)
        good.remove(smallest)
        labels, rest = (*smallest[0], *labels), _together([smallest[1], rest])
    return [*good, (labels, rest)]


def _enough(lists: Lists, level: float) -> bool:
    """Whether the gate opens for all lists with people; lists with nobody do no harm."""
    for name, people in lists.sizes.items():
        if people <= 0 and len(lists.names) > 1:
            lists = lists.without(name)
    gate = pass_gate(lists, level)
    return gate.refused is None and not gate.alone


def _together(tables: list[Lists]) -> Lists:
    return tables[0].replace(np.sum([lists.y for lists in tables], axis=0))
