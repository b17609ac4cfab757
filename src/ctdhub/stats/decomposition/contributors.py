"""Groups of contributors whose people were counted apart, and who of them reports in a year."""

from __future__ import annotations

from dataclasses import dataclass

from ctdhub.release.open import Release
from ctdhub.stats.trend import contributor_spans

POOLED, WHOLE = "", "*"
"""Ids of the group of all contributors without counts of their own, and of all together."""


@dataclass(frozen=True)
class ContributorGroup:
    """Contributors that have one count between them.

    Attributes:
        id: of the contributor; :data:`POOLED` or :data:`WHOLE` where there may be several.
        members: name, first and last year of each.
    """

    id: str
    members: tuple[tuple[str, int, int], ...]

    def reporting(self, year: int) -> tuple[str, ...]:
        """Names of the members that report on a year."""
        return tuple(name for name, first, last in self.members if first <= year <= last)

    def is_steady(self, first: int, last: int) -> bool:
        """Whether the same members, and some, report on every year from first to last."""
        held = {self.reporting(year) for year in range(first, last + 1)}
        return len(held) == 1 and () not in held


def groups(release: Release, ids: tuple[str, ...]) -> tuple[ContributorGroup, ...]:
    """Groups of a release.

    Args:
        ids: of contributors that have counts of their own; :data:`POOLED` is the others.  Empty:
            one group of all.
    """
    keys = [c.id or c.name for c in release.facts.contributors]
    spans = dict(zip(keys, contributor_spans(release), strict=True))
    if not ids:
        return (ContributorGroup(WHOLE, tuple(spans.values())),)
    found = [ContributorGroup(id_, (spans[id_],)) for id_ in ids if id_ in spans]
    others = tuple(span for id_, span in spans.items() if id_ not in ids)
    if others:
        found.append(ContributorGroup(POOLED, others))
    return tuple(found)
