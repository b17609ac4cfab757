"""Pairs of practice releases under fresh noise, and how many cells are wrongly called different."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from practice_releases import Practice

from ctdhub.schema.model import CONTRIBUTOR
from ctdhub.stats.answers import Answers
from ctdhub.stats.release_changes import CellChange, ReleaseChanges, compare

HOTLINE = "beacon-hotline"


@dataclass(frozen=True)
class ComparedDraw:
    """One comparison and the truth about it.

    Attributes:
        found: cells that were called different.
        false: those of them whose true number is the same.
        wrong_way: those that truly moved the other way.
        changed: compared cells whose true number changed.
        held: compared cells whose interval holds the true difference.
    """

    result: ReleaseChanges
    found: int
    false: int
    wrong_way: int
    changed: int
    held: int

    @property
    def false_share(self) -> float:
        return self.false / max(1, self.found)


def without(practice: Practice, contributor: str = "", citizenship: str = "") -> Practice:
    """The same people without those of a contributor, or without every other one of a country."""
    people = practice.people
    kept = pa.array([True] * people.num_rows)
    if contributor:
        kept = pc.not_equal(people[CONTRIBUTOR], contributor)
    if citizenship:
        inside, n, some = people["citizenship"].to_pylist(), 0, []
        for one in inside:
            n += one == citizenship
            some.append(one != citizenship or n % 2 == 0)
        kept = pa.array(some)
    folder = practice.folder / f"without-{contributor}{citizenship}"
    return Practice(folder, people.filter(kept), practice.facts)


def draw(before: Practice, now: Practice, seed: int) -> ComparedDraw:
    """Compare two releases whose noise follows from the seed."""
    old, new = Answers(before.release(2 * seed)), Answers(now.release(2 * seed + 1))
    result = compare(old, new)
    true = {cell: _people(now, cell) - _people(before, cell) for cell in result.cells}
    found = result.beyond
    return ComparedDraw(
        result,
        found=len(found),
        false=sum(not true[c] for c in found),
        wrong_way=sum(true[c] * (c.low + c.high) < 0 for c in found),
        changed=sum(map(bool, true.values())),
        held=sum(c.low <= true[c] <= c.high for c in result.cells),
    )


def _people(practice: Practice, cell: CellChange) -> int:
    """The true number of people in a cell."""
    if not hasattr(practice, "tallies"):
        practice.tallies = {}  # type: ignore[attr-defined]
    tallies: dict[tuple[str, ...], Counter[tuple[str, ...]]]
    tallies = practice.tallies  # type: ignore[attr-defined]
    if not cell.variables:
        return practice.people.num_rows
    if cell.variables not in tallies:
        columns = [
            practice.people[name].cast("string").fill_null("").to_pylist()
            for name in cell.variables
        ]
        tallies[cell.variables] = Counter(zip(*columns, strict=True))
    return tallies[cell.variables][cell.values]
