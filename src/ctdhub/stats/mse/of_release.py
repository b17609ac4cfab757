"""The hidden population behind the overlapping lists of a release."""

from __future__ import annotations

from ctdhub.release.open import Release
from ctdhub.stats.mse.estimate import REPLICATES, Result, remembered
from ctdhub.stats.mse.lists import Lists
from ctdhub.stats.series import overlap


def lists_in(release: Release) -> Lists | None:
    """The release's own table of overlaps; None where it was not measured."""
    found = overlap(release)
    return None if found is None else Lists.of(found.lists, found.cells, found.sigma)


def estimate_in(release: Release) -> Result | None:
    """Estimates at the level of the release; None where no overlaps were measured.

    The same release always gives the same numbers, in every language, at every build and by the
    command, which takes as many tables of the bootstrap by default.
    """
    lists = lists_in(release)
    level = release.protected.guarantee.level
    return None if lists is None else remembered(lists, level, REPLICATES)


def list_names(release: Release) -> dict[str, str]:
    """Names of contributors by the id that stands for their list."""
    return {c.id: c.name for c in release.facts.contributors if c.id}


def years_of(release: Release) -> dict[str, tuple[int, int]]:
    """First and last year of each list whose overlap was measured, by the id of its contributor."""
    sources, facts = release.protected.sources, release.facts
    wanted = sources.lists if sources else ()
    return {c.id: c.years or facts.years for c in facts.contributors if c.id in wanted}


def doubles(release: Release) -> tuple[int, int, int] | None:
    """How many people of a release are another one of them, with the interval at the level of the
    release, rounded outwards; None where nobody can tell."""
    protected = release.protected
    found = protected.sources.doubles(protected.guarantee.level) if protected.sources else None
    return (found.value, found.low, found.high) if found else None
