"""The hidden population behind the overlapping lists of a release.

Belongs here: from a release to lists and back to names.  Does not belong here: methods.
"""

from __future__ import annotations

from ctdhub.insight.hidden.estimate import Result, remembered
from ctdhub.insight.hidden.table import Lists
from ctdhub.insight.series import overlap
from ctdhub.release import Release

REPLICATES = 500
"""Tables of the bootstrap for a site; the command takes more."""


def lists_in(release: Release) -> Lists | None:
    """The release's own table of overlaps; None where it was not measured."""
    found = overlap(release)
    return None if found is None else Lists.of(found.lists, found.cells, found.sigma)


def estimate_in(release: Release, replicates: int = REPLICATES) -> Result | None:
    """Estimates at the level of the release; None where no overlaps were measured.

    The same release always gives the same numbers, in every language and at every build.
    """
    lists = lists_in(release)
    level = release.protected.guarantee.level
    return None if lists is None else remembered(lists, level, replicates)


def list_names(release: Release) -> dict[str, str]:
    """Names of contributors by the id that stands for their list."""
    return {c.id: c.name for c in release.facts.contributors if c.id}
