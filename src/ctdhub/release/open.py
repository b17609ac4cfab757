"""Open a release: verify first, trusting nothing that the manifest says, then restore the protected
answer.
"""

import hashlib
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ctdhub.border import Protected
from ctdhub.core.errors import ReleaseError, error, printable
from ctdhub.core.i18n import Text
from ctdhub.release import tables
from ctdhub.release.approvals import APPROVALS, CANDIDATES, Approvals, Approvers
from ctdhub.release.errata import ERRATA_JSON, ERRATA_MD, Erratum, errata_of, status
from ctdhub.release.manifest import (
    MANIFEST,
    SUMS,
    VERSION_PATTERN,
    LinkErrors,
    Manifest,
    PublicFacts,
)
from ctdhub.release.tables import Groups, by_year, check_border, read_protected

Kind = Literal[
    "missing", "extra", "changed", "unsafe-name", "manifest", "content", "approval", "erratum"
]
REQUIRED = ("records.parquet", "counts.parquet", "records.csv", "counts.csv", "README.md")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MANIFEST_LIMIT = 20 * 2**20


@dataclass(frozen=True)
class Problem:
    """One fault of a release: its kind, the file concerned, and what is wrong."""

    kind: Kind
    file: str
    text: Text


def verify(
    path: Path, approvers: Approvers | None = None, lines: Mapping[str, int] | None = None
) -> list[Problem]:
    """Every fault of a release, empty where it is whole.

    Hashes and sizes of all files are recomputed; files that are missing, extra, links or
    folders are found; approvals and notices about the release are checked; then records and counts
    are read and compared with the manifest.

    Args:
        path: the folder of a release, or of a candidate that waits for approval; a link to one is
            that one, under its own name.
        approvers: the hub's keys, where the hub is at hand: a release must carry both approvals.
        lines: number of each line of the hub's ledger by its hash, where it is at hand.

    Raises:
        ReleaseError: there is no release at ``path``.
    """
    manifest, problems = examine(path, approvers, lines)
    if manifest is not None and not problems:
        try:
            tables.read_protected(path, manifest)
        except ReleaseError as cause:
            problems = [Problem("content", "counts.parquet", cause.fault)]
        if not problems and not tables.sound_sets(path, manifest):
            text = Text("A set for inference does not have the columns of the synthetic records.")
            problems = [Problem("content", tables.set_names(1)[0], text)]
    if _regular(path / SUMS):
        faults = errata_of(path, digest(path), approvers).faults
        problems += [Problem("erratum", name, text) for name, text in faults]
    return problems


def examine(
    path: Path, approvers: Approvers | None = None, lines: Mapping[str, int] | None = None
) -> tuple[Manifest | None, list[Problem]]:
    """The manifest (None where damaged) and all faults of hashes, names and approvals."""
    if not path.is_dir() or not _regular(path / MANIFEST):
        raise error("no-release", file=path)
    manifest = _read_manifest(path / MANIFEST)
    if manifest is None:
        return None, [Problem("manifest", MANIFEST, Text("The manifest is damaged."))]
    problems = _names(path, manifest)
    for name, entry in sorted(manifest.files.items()):
        file = path / name
        if not _NAME.fullmatch(name) or not _regular(file):
            continue
        if file.stat().st_size != entry.bytes or sha256(file) != entry.sha256:
            problems.append(
                Problem("changed", name, Text("The file was changed after the release."))
            )
    if _regular(path / SUMS):
        if (path / SUMS).read_bytes() != sums(path, manifest):
            text = Text("The list of hashes and the manifest disagree: one of them was changed.")
            problems.append(Problem("changed", SUMS, text))
        problems += _approval_faults(path, manifest, approvers, lines)
    return manifest, problems


def digest(path: Path) -> str:
    """SHA-256 of the list of hashes: one short text that stands for the whole release."""
    return sha256(path / SUMS)


def sums(path: Path, manifest: Manifest) -> bytes:
    """The list of hashes as ``sha256sum --check`` reads it; the manifest's own hash included."""
    hashes = {name: entry.sha256 for name, entry in manifest.files.items()}
    hashes[MANIFEST] = sha256(path / MANIFEST)
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _names(path: Path, manifest: Manifest) -> list[Problem]:
    problems = []
    required = {*REQUIRED, *tables.MEASUREMENT_FILES, *tables.set_names(manifest.imputations)}
    unstated = {name for name in manifest.files if tables.SET.fullmatch(name)} - required
    for names, stated in (
        (tables.SOURCE_FILES, manifest.sources),
        (tables.PERPETRATOR_FILES, manifest.perpetrators),
    ):
        (required if stated else unstated).update(names)
    expected = {*manifest.files, *required, SUMS}
    for name in sorted(expected):
        if not _NAME.fullmatch(name):
            text = Text("The manifest names a path outside the release; it was not opened.")
            problems.append(Problem("unsafe-name", printable(name), text))
        elif not _regular(path / name):
            text = Text("The file is missing, or a link or folder is in its place.")
            problems.append(Problem("missing", name, text))
    for file in sorted(path.iterdir()):
        if file.name not in {*expected, MANIFEST, APPROVALS, ERRATA_JSON, ERRATA_MD}:
            text = Text("The file is not part of the release.")
            problems.append(Problem("extra", printable(file.name), text))
    for name in sorted(required - set(manifest.files)):
        text = Text("The manifest does not list this file.")
        problems.append(Problem("manifest", name, text))
    for name in sorted(manifest.files.keys() & unstated):
        text = Text("The manifest lists this file and does not state its guarantee.")
        problems.append(Problem("manifest", name, text))
    if manifest.version != path.resolve().name:
        text = Text("The folder's name is not the version that the manifest states.")
        problems.append(Problem("manifest", MANIFEST, text))
    return problems


def _approval_faults(
    path: Path, manifest: Manifest, approvers: Approvers | None, lines: Mapping[str, int] | None
) -> list[Problem]:
    """A candidate may lack approvals; a release lacks none of two once it has one."""
    file = path / APPROVALS
    if (file.exists() or file.is_symlink()) and not _regular(file):
        text = Text("The file is missing, or a link or folder is in its place.")
        return [Problem("approval", APPROVALS, text)]
    try:
        approvals = Approvals.read(path)
    except ReleaseError as cause:
        return [Problem("approval", APPROVALS, cause.fault)]
    faults = approvals.faults(manifest, digest(path), approvers, lines)
    published = path.resolve().parent.name != CANDIDATES
    if published and approvals.missing and (approvals.approvals or approvers):
        faults.append(Text("The release does not carry the approvals of two people."))
    return [Problem("approval", APPROVALS, fault) for fault in faults]


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _read_manifest(path: Path) -> Manifest | None:
    if path.stat().st_size > _MANIFEST_LIMIT:
        return None
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (ValidationError, RecursionError):
        return None


# --------------------------------------------------------------------------------------------------
# Open a release: verify first, then restore the protected answer.


@dataclass(frozen=True)
class Release:
    """An opened release.

    Attributes:
        path: where it lies.
        version: its version.
        manifest: its manifest.
        errata: notices about it that two people have signed, the first one first.
        answer: its protected answer; None to read it from its files where somebody asks for it.
    """

    path: Path
    version: str
    manifest: Manifest
    errata: tuple[Erratum, ...] = ()
    answer: Protected | None = None

    def __post_init__(self) -> None:
        if self.answer is not None:
            check_border(self.answer)

    @cached_property
    def protected(self) -> Protected:
        """Its protected answer."""
        return self.answer or read_protected(self.path, self.manifest)

    @cached_property
    def facts(self) -> PublicFacts:
        """The public facts, checked and safe to show."""
        return PublicFacts.of(self.manifest.facts)

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
    """All releases of a hub, verified, the newest first; each is read where somebody asks for it.

    Args:
        folder: of all releases; what is not named like a version is passed over.
        approvers: the hub's keys, with which notices about a release must be signed.

    Raises:
        ReleaseError: one of them was damaged or tampered with, or lost its manifest.
    """
    named = (p for p in folder.iterdir() if p.is_dir() and re.fullmatch(VERSION_PATTERN, p.name))
    paths = sorted(named, key=lambda p: [int(part) for part in p.name.split(".")], reverse=True)
    for path in paths:
        if not (path / MANIFEST).is_file():
            raise error("no-release/manifest", file=path, version=path.name)
    return tuple(_verified(path, approvers) for path in paths)


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
    release = _verified(path, approvers)
    return replace(release, answer=read_protected(path, release.manifest))


def _verified(path: Path, approvers: Approvers | None) -> Release:
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
    return Release(path, manifest.version, manifest, known.notices)
