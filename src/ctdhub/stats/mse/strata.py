"""Estimates within strata, such as gender or age, added up.

Where people differ in how easily they are found because of something that is recorded, lists that
depend on each other in the whole may be independent within strata (C. C. Sekar and W. E. Deming,
1949, J. Am. Stat. Assoc. 44:101).  Strata that overlap too little for a number of their own are
taken together; the bootstrap draws all strata at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ctdhub.stats.mse.bca import plain
from ctdhub.stats.mse.bootstrap import multinomial, normal, resampled
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
        tables: of the same lists; those that carry noise have it independently.
        level: of the intervals, in 0..1.
        replicates: tables of the bootstrap.
        source: random bits.
    """
    parts = _parts(dict(sorted(tables.items())), level)
    seen = tuple((labels, lists.seen) for labels, lists in parts)
    if len(parts) < 2:
        return Strata(seen, ())
    k = len(parts[0][1].names)
    found = [
        select(np.vstack([lists.y, drawn]), k, lists.sigma)
        for (_labels, lists), drawn in zip(parts, _drawn(parts, replicates, source), strict=True)
    ]
    chance = normal((replicates,), source)

    def row(name: Name, each: Sequence[Floats]) -> Method:
        """Added up; how many people were seen of each part is chance as well, which tables of as
        many people do not show: N (N - n) / n, for n of N are seen."""
        spread = sum(
            max(0.0, float(own[0]) * (float(own[0]) / max(lists.seen, 1.0) - 1))
            for own, (_labels, lists) in zip(each, parts, strict=True)
        )
        people = np.sum(each, axis=0)
        people[1:] += spread**0.5 * chance
        return _row(name, people, level)

    return Strata(
        seen,
        (
            row("independent_strata", [f.alone for f in found]),
            row("stepwise_strata", [f.people for f in found]),
        ),
    )


def _drawn(parts: Sequence[tuple[object, Lists]], rows: int, source: Source) -> list[Floats]:
    """Tables of each part as they might have come out: all people thrown at once where they were
    counted; with noise, each part by itself."""
    if any(lists.sigma for _labels, lists in parts):
        return [resampled(lists, rows, source) for _labels, lists in parts]
    y = np.concatenate([lists.y for _labels, lists in parts])
    drawn = multinomial(round(float(y.sum())), y, rows, source).astype(np.float64)
    return np.split(drawn, len(parts), axis=1)


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
    """Whether the gate opens for all lists with people; lists with nobody do no harm.

    Of lists that carry noise the overlap must be twice as large as the half-width of its interval:
    one over a smaller one is too large on average, and sometimes there is no finite estimate.
    """
    for name, people in lists.sizes.items():
        if people <= 0 and len(lists.names) > 1:
            lists = lists.without(name)
    gate = pass_gate(lists, level)
    sure = gate.certain >= gate.overlapping - gate.certain
    return gate.refused is None and not gate.alone and sure


def _together(tables: list[Lists]) -> Lists:
    counts = np.sum([lists.y for lists in tables], axis=0).tolist()
    return Lists(tables[0].names, tuple(counts), math.hypot(*(lists.sigma for lists in tables)))
