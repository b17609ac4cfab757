"""The same contributors in every year: a series that no contributor joins or leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ctdhub.release.open import Release
from ctdhub.stats.cards import NumberCard, card
from ctdhub.stats.decomposition.contributors import ContributorGroup
from ctdhub.stats.decomposition.counts import Counts
from ctdhub.stats.decomposition.errors import total
from ctdhub.stats.intervals import Interval


@dataclass(frozen=True)
class FixedPanel:
    """People by year, registered by contributors that report on all of these years.

    Attributes:
        names: the contributors.
        years: every year from the first to the last, with a card whose contributors are these.
    """

    names: tuple[str, ...]
    years: tuple[tuple[int, NumberCard], ...]

    @property
    def span(self) -> tuple[int, int]:
        """First and last year."""
        return self.years[0][0], self.years[-1][0]


def last_whole_year(release: Release) -> int:
    """The last covered year that was over when the release was made."""
    first, last = release.years
    return max(first, min(last, int(release.year) - 1))


def fixed_panel(
    release: Release, counts: Counts, span: tuple[int, int] | None = None
) -> FixedPanel | None:
    """The series of the contributors that report on all years of a span.

    Args:
        span: first and last year.  By default the last whole year is the last, and of all first
            years that one which the most groups of contributors have in common with it, of those
            the earliest.  It follows from public facts alone.

    Returns:
        None where no group reports on all of the years.
    """
    first, last = span or _widest(release, counts.groups)
    held = _steady(counts.groups, first, last)
    if not held or first >= last:
        return None
    names = tuple(name for g in held for name in g.reporting(last))
    years = []
    for year in range(first, last + 1):
        people = total(counts.cells[g.id, year].asked for g in held)
        half, value = counts.z * people.sd, max(0, round(people.value))
        low, high = math.floor(people.value - half), math.ceil(max(0.0, people.value) + half)
        answer = Interval(value, min(value, max(0, low)), max(value, high))
        years.append((year, replace(card(release, answer, "people", None), contributors=names)))
    return FixedPanel(names, tuple(years))


def _steady(groups: Sequence[ContributorGroup], first: int, last: int) -> list[ContributorGroup]:
    return [g for g in groups if g.is_steady(first, last)]


def _widest(release: Release, groups: Sequence[ContributorGroup]) -> tuple[int, int]:
    last = last_whole_year(release)
    years = range(release.years[0], last + 1)
    return max(years, key=lambda first: (len(_steady(groups, first, last)), -first)), last
