"""Open a release: verify first, then restore the protected answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ctdhub.border import Protected
from ctdhub.core.errors import error
from ctdhub.release.approvals import Approvers
from ctdhub.release.errata import Erratum, errata_of, status
from ctdhub.release.manifest import MANIFEST, VERSION_PATTERN, LinkErrors, Manifest, PublicFacts
from ctdhub.release.tables import Groups, by_year, check_border, read_protected
from ctdhub.release.verify import digest, examine


@dataclass(frozen=True)
class Release:
    """An opened release.

    Attributes:
        path: where it lies.
        version: its version.
        protected: its protected answer.
        manifest: its manifest.
        errata: notices about it that two people have signed, the first one first.
    """

    path: Path
    version: str
    protected: Protected
    manifest: Manifest
    errata: tuple[Erratum, ...] = ()

    def __post_init__(self) -> None:
        check_border(self.protected)

    @cached_property
    def facts(self) -> PublicFacts:
        """The public facts, checked and safe to show."""
        return PublicFacts.of(self.protected.facts)

    @cached_property
    def measured(self) -> Groups:
        """Noisy counts by year of each group, see :func:`ctdhub.release.tables.by_year`."""
        return by_year(self.protected.measurements)

    @cached_property
    def measured_sources(self) -> Groups:
        """The same of measurements by contributor, none of the overlap of lists."""
        sources = self.protected.sources
        return by_year(sources.measurements) if sources else {}

    @cached_property
    def link_errors(self) -> LinkErrors | None:
        """What its links miss and merge wrongly; None where that was not measured."""
        return LinkErrors.of(self.protected)

    @property
    def years(self) -> tuple[int, int]:
        """First and last year that some contributor reports on, none after the release itself."""
        return self.facts.covered(int(self.year))

    @property
    def withdrawn(self) -> bool:
        """Whether a notice says that its numbers must not be used."""
        return status(self.errata) == "withdrawn"

    @property
    def year(self) -> str:
        """The year in which the release was made, for citations."""
        return self.manifest.created[:4]


def open_releases(folder: Path, approvers: Approvers | None = None) -> tuple[Release, ...]:
    """All releases of a hub, verified and read, the newest first.

    Args:
        folder: of all releases; what is not named like a version is passed over.
        approvers: the hub's keys, with which notices about a release must be signed.

    Raises:
        ReleaseError: one of them was damaged or tampered with, or lost its manifest.
    """
    named = (p for p in folder.iterdir() if p.is_dir() and re.fullmatch(VERSION_PATTERN, p.name))
    found = sorted(named, key=lambda p: [int(part) for part in p.name.split(".")], reverse=True)
    for path in found:
        if not (path / MANIFEST).is_file():
            raise error("no-release/manifest", file=path, version=path.name)
    return tuple(open_release(path, approvers) for path in found)


def leading(releases: Sequence[Release]) -> tuple[Release, list[Release]]:
    """The newest release that was not withdrawn, the newest where all were; and all others.

    Args:
        releases: at least one, the newest first.
    """
    first = next((r for r in releases if not r.withdrawn), releases[0])
    return first, [r for r in releases if r is not first]


def open_release(path: Path, approvers: Approvers | None = None) -> Release:
    """Verify a release and read it, and the notices about it.

    Args:
        approvers: the hub's keys, where the hub is at hand: notices must be signed with them.

    Raises:
        ReleaseError: there is no release at ``path``; it, or a notice about it, was damaged or
            tampered with.
    """
    manifest, problems = examine(path)
    if manifest is None or problems:
        first = problems[0]
        raise error(
            "release-damaged",
            file=path,
            rule=first.kind,
            version=path.name,
            first=first.text,
            part=first.file,
            n=len(problems),
        )
    known = errata_of(path, digest(path), approvers)
    for name, text in known.faults:
        raise error("erratum-damaged", file=path, version=path.name, part=name, first=text)
    return Release(
        path=path,
        version=manifest.version,
        protected=read_protected(path, manifest),
        manifest=manifest,
        errata=known.given,
    )
