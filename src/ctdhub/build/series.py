"""What a series of releases tells of single contributors whose counts are not shown.

Each release gives, with noise, one total for each group of contributors that nobody can tell apart
in it: those that report and are not shown, in all, in each year and within each type of source
where these are released.  Whoever holds several releases can add and subtract such totals, and
counts that are shown.  What follows in this way is linear algebra: the count of a contributor
follows where its unit vector lies in the space that the totals span.

Belongs here: groups and what follows from them.  Not here: what is refused or said of it
(``build.stages.differencing``).  Everything here is public: no case data are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

Cell = tuple[str, int]
"""A type of source, "" for all of them, and a year, 0 for all of them."""

Group = frozenset[str]
"""Ids of contributors."""


@dataclass(frozen=True)
class Published:
    """Who is in a release, and in which cells its totals are given.

    Attributes:
        version: of the release.
        members: all contributors, by cell.
        agreed: those of them whose counts may be shown.
        shown: those whose counts the release gives, under their names.
        years: first and last one that people are counted by; none where they are not.
        by_kind: whether they are counted by type of source.
    """

    version: str
    members: Mapping[Cell, Group]
    agreed: Group
    shown: Group
    years: range
    by_kind: bool

    @classmethod
    def of(
        cls,
        version: str,
        contributors: Iterable[Mapping[str, Any]],
        years: tuple[int, int],
        *,
        by_year: bool,
        by_kind: bool,
        shown: Iterable[str] = (),
        known_as: Mapping[str, str] | None = None,
    ) -> Published:
        """From public facts.

        Args:
            version: of the release.
            contributors: ``id``, ``name``, ``kind``, ``years``, ``show_counts`` where false; an id
                may be missing where older software made the release.
            years: first and last year of the release.
            by_year, by_kind: whether people are counted by year, by type of source.
            shown: ids of those whose counts it gives.
            known_as: ids of old that mean a contributor of today.
        """
        names, members = known_as or {}, dict[Cell, set[str]]()
        given = range(years[0], years[1] + 1) if by_year else range(0)
        agreed: set[str] = set()
        for one in contributors:
            called = str(one.get("id") or one.get("name"))
            id_ = names.get(called, called)
            first, last = one.get("years") or years
            for kind in ("", str(one.get("kind", ""))) if by_kind else ("",):
                for year in (0, *(y for y in given if first <= y <= last)):
                    members.setdefault((kind, year), set()).add(id_)
            if one.get("show_counts", True):
                agreed.add(id_)
        cells = {cell: frozenset(ids) for cell, ids in members.items()}
        named = frozenset(names.get(id_, id_) for id_ in shown)
        return cls(version, cells, frozenset(agreed), named, given, by_kind)

    def gives(self, cell: Cell) -> bool:
        """Whether its total for a cell can be read from the release."""
        kind, year = cell
        return (not kind or self.by_kind) and (not year or year in self.years)

    def here(self, cell: Cell) -> Group:
        """All who report in a cell."""
        return self.members.get(cell, frozenset())

    def total(self, cell: Cell) -> Group:
        """Those of them whose counts are known together, and not one by one."""
        return self.here(cell) - self.shown


@dataclass(frozen=True)
class Told:
    """What one more release would tell of a contributor.

    Attributes:
        id: of the contributor.
        why: ``joins`` where it joins alone, ``follows`` where its counts follow because others
            join or agree to be shown, ``leaves`` where they follow because it, or another, leaves.
        years: those in which its counts would be told; none where its number in all would.
    """

    id: str
    why: str
    years: tuple[int, ...]


def told(before: Sequence[Published], now: Published) -> tuple[Told, ...]:
    """What a release tells that those before it did not, by comparison with them.

    Args:
        before: published releases, the oldest first; without any nothing is told.
        now: the one that is to follow.
    """
    found: dict[tuple[str, str], set[int]] = {}
    cells = {cell for release in (*before, now) for cell in release.members if now.gives(cell)}
    for cell in sorted(cells):
        earlier = [r for r in before if r.gives(cell)]
        for id_, why in _told_in(cell, earlier, now) if earlier else ():
            found.setdefault((id_, why), set()).add(cell[1])
    return tuple(
        Told(id_, why, tuple(sorted(years - {0}))) for (id_, why), years in sorted(found.items())
    )


def _told_in(cell: Cell, earlier: Sequence[Published], now: Published) -> Iterable[tuple[str, str]]:
    last = earlier[-1]
    totals = frozenset(r.total(cell) for r in earlier)
    known = frozenset(id_ for r in earlier for id_ in r.here(cell) & r.shown)
    already = following(totals, known)
    joining, leaving = now.total(cell) - last.here(cell), last.total(cell) - now.here(cell)
    lone = joining if len(joining) == 1 else frozenset()
    gone = leaving if len(leaving) == 1 else frozenset()
    newly = last.total(cell) & now.here(cell) & now.shown
    forced = gone | following(totals | {now.total(cell) - joining | newly}, known)
    every = following(totals | {now.total(cell)}, known | now.here(cell) & now.shown)
    agreed = frozenset[str]()
    for release in (*earlier, now):  # what each said last
        agreed = agreed - release.here(cell) | release.here(cell) & release.agreed
    yield from ((id_, "joins") for id_ in lone - agreed)
    yield from ((id_, "leaves") for id_ in forced - already - agreed)
    yield from ((id_, "follows") for id_ in every - forced - already - lone - agreed)


@cache
def following(totals: frozenset[Group], known: Group) -> Group:
    """Whose counts follow from totals of groups and known counts, by adding and subtracting.

    >>> sorted(following(frozenset({frozenset("ab"), frozenset("abc")}), frozenset()))
    ['c']
    """
    groups = sorted({group - known for group in totals} - {frozenset()}, key=sorted)
    alike: dict[tuple[bool, ...], list[str]] = {}
    for name in sorted(frozenset().union(*groups)):  # who is in the same groups is never told apart
        alike.setdefault(tuple(name in group for group in groups), []).append(name)
    names = [members[0] for members in alike.values()]
    single = {members[0] for members in alike.values() if len(members) == 1}
    rows = [[Fraction(name in group) for name in names] for group in groups]
    reduced: list[list[Fraction]] = []
    for place in range(len(names)):
        pivot = next((row for row in rows if row[place]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        unit = [value / pivot[place] for value in pivot]
        rows = [_without(row, unit, place) for row in rows]
        reduced = [*(_without(row, unit, place) for row in reduced), unit]
    alone = [row for row in reduced if sum(map(bool, row)) == 1]
    found = {name for row in alone for name, value in zip(names, row, strict=True) if value}
    return frozenset(found & single)


def _without(row: list[Fraction], unit: list[Fraction], place: int) -> list[Fraction]:
    """A row less the multiple of another that makes its value in a place zero."""
    factor = row[place]
    return [a - factor * b for a, b in zip(row, unit, strict=True)] if factor else row
