"""Verify a release: recompute every hash, trust nothing that the manifest says about paths."""

import hashlib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ctdhub.core.errors import ReleaseError, error, printable
from ctdhub.core.i18n import Text
from ctdhub.release import tables
from ctdhub.release.approvals import APPROVALS, CANDIDATES, Approvals, Approvers
from ctdhub.release.errata import ERRATA_JSON, ERRATA_MD, errata_of
from ctdhub.release.manifest import MANIFEST, SUMS, Manifest

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
        path: the folder of a release, or of a candidate that waits for approval.
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
    for found in sorted(path.iterdir()):
        if found.name not in {*expected, MANIFEST, APPROVALS, ERRATA_JSON, ERRATA_MD}:
            text = Text("The file is not part of the release.")
            problems.append(Problem("extra", printable(found.name), text))
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
        given = Approvals.read(path)
    except ReleaseError as cause:
        return [Problem("approval", APPROVALS, cause.fault)]
    faults = given.faults(manifest, digest(path), approvers, lines)
    published = path.resolve().parent.name != CANDIDATES
    if published and given.missing and (given.approvals or approvers):
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
