"""Whose reports began or ended in the years that are compared."""

from __future__ import annotations

from dataclasses import dataclass

from ctdhub.release.facts import Contributor
from ctdhub.release.open import Release


@dataclass(frozen=True)
class CoverageChange:
    """A kind of source whose set of contributors changed.

    Attributes:
        kind: code of ``source_type``; "" where the facts do not name it.
        ids, names: of the contributors that joined or left, in the order of the release.
        mixed: whether others of the same kind report, and did not change.
    """

    kind: str
    ids: tuple[str, ...]
    names: tuple[str, ...]
    mixed: bool


def changed(release: Release, first: int, last: int) -> tuple[CoverageChange, ...]:
    """Kinds of source of which some contributor joined or left between two years.

    Args:
        first, last: the compared years; who begins with the first did not join in between, and who
            ends with the last did not leave.
    """
    kinds: dict[str, list[Contributor]] = {}
    for one in release.facts.contributors:
        kinds.setdefault(one.kind, []).append(one)
    found = []
    for kind, members in kinds.items():
        moved = [c for c in members if _moved(c, first, last)]
        if moved:
            steady = [c for c in members if c not in moved and _reports(c, first, last)]
            ids, names = tuple(c.id for c in moved), tuple(c.name for c in moved)
            found.append(CoverageChange(kind, ids, names, bool(steady)))
    return tuple(found)


def reporting(release: Release, year: int, kinds: frozenset[str]) -> tuple[Contributor, ...]:
    """Contributors of some kinds that report on a year."""
    return tuple(
        c for c in release.facts.contributors if c.kind in kinds and _reports(c, year, year)
    )


def _moved(one: Contributor, first: int, last: int) -> bool:
    if one.years is None:
        return False
    begins, ends = one.years
    return begins <= ends and (first < begins <= last or first <= ends < last)


def _reports(one: Contributor, first: int, last: int) -> bool:
    return one.years is None or (one.years[0] <= last and one.years[1] >= first)
