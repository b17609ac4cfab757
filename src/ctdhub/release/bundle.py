"""A release as a folder: written beside its place, synced and renamed; verified; opened."""

import hashlib
import html
import math
import re
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from ctdhub.border import DOUBLES, LISTS, Protected
from ctdhub.core.errors import ReleaseError, error, printable
from ctdhub.core.files import remove, sync
from ctdhub.core.i18n import LANGUAGES, Text, read_shipped
from ctdhub.release import tables
from ctdhub.release.approvals import APPROVALS, CANDIDATES, Approvals, Approvers
from ctdhub.release.catalogue import citation, croissant, dcat, frictionless, title
from ctdhub.release.changes import CHANGELOG, changelog_text, in_languages
from ctdhub.release.errata import ERRATA_JSON, ERRATA_MD, Errata, Erratum, errata_of, status
from ctdhub.release.manifest import (
    ATTACKS,
    MANIFEST,
    SUMS,
    VERSION_PATTERN,
    FileEntry,
    LinkErrors,
    Manifest,
    ManifestFigure,
    PublicFacts,
)
from ctdhub.release.tables import (
    Groups,
    by_year,
    check_border,
    read_protected,
    set_names,
    write_measured,
    write_sets,
    write_tables,
)
from ctdhub.schema.emit import write_codebook

if TYPE_CHECKING:
    from jinja2 import Template


# --------------------------------------------------------------------------------------------------
# README of a release, in plain words.
#
# The file is English Markdown; site, changelog and codebook speak every language of the hub.

LATER = ("README.md", MANIFEST, SUMS, "datapackage.json", "dcat.jsonld", "croissant.json", ATTACKS)
"""Files that are written once the others are."""


def readme(manifest: Manifest, facts: PublicFacts) -> str:
    """README.md of a release."""
    words = read_shipped(resources.files("ctdhub.release") / "templates" / "readme.yaml")
    files = {n: words["files"].get(n, "codebook") for n in (*manifest.files, *LATER)}
    files |= dict.fromkeys(set_names(manifest.imputations), "a set of records for inference")
    found = manifest.sources
    citizens = found.possible_doubles if found else {}
    template: Template = _environment().get_template("readme.md")
    return template.render(
        manifest=manifest,
        facts=facts,
        sources=found,
        once=manifest.people_once,
        LISTS=LISTS,
        DOUBLES=DOUBLES,
        strata=[t.removeprefix(f"{LISTS}*") for t in found.sigma if t.startswith(f"{LISTS}*")]
        if found
        else [],
        possible={of: d for of, d in citizens.items() if d.low},
        title=title(manifest, facts),
        files=sorted(files.items()),
        factor=math.exp(manifest.epsilon),
        years=facts.covered(int(manifest.created[:4])),
        citation=citation(manifest.version, manifest.created[:4], facts),
        licence=f"{facts.licence} {facts.licence_url}".strip(),
    )


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(  # noqa: S701 (Markdown, whose text from outside goes through `plain`)
        loader=PackageLoader("ctdhub.release"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["plain"] = _plain
    made.globals |= {
        "n": "{:,}".format,
        "per_cent": "{:.0%}".format,
        "up": lambda e: f"{math.ceil(round(e * 100, 6)) / 100:g}",
        "figure": _figure,
    }
    return made


def _figure(figure: ManifestFigure) -> str:
    """A number with its interval; the interval alone where it may be nobody."""
    number = f"{figure.value:,}" if figure.low > 0 else "no single number"
    return f"{number} (between {figure.low:,} and {figure.high:,})"


def _plain(text: str) -> str:
    """Text from outside as Markdown that cannot become markup."""
    return "".join(f"\\{c}" if c in r"\`*_[]|#" else c for c in html.escape(text, quote=False))


# --------------------------------------------------------------------------------------------------
# Write a release: build it beside its place, sync it to disk, rename it, make it read-only.

_NUMBERED = re.compile(r"(\d{4})\.([1-9]\d{0,5})")


def write_release(
    protected: Protected,
    releases: Path,
    version: str,
    changelog: str,
    *,
    changed: tuple[Text, ...] = (),
    candidates: Path | None = None,
    site: str = "",
    attacks: bytes = b"",
) -> Path:
    """Write ``releases/<version>/`` in one step; a reader sees all of it or nothing.

    Args:
        protected: the answer to publish.
        releases: folder of all releases of the hub, made if needed.
        version: name of the release, for example "2026.1"; see :func:`next_version`.
        changelog: what changed since the last release, in words for readers.
        changed: what the hub itself has to say of that, see ``changes.changes``.
        candidates: where the bundle waits for approval instead of being published at once.
        site: public address of the hub's site, for catalogues; empty where it is not known.
        attacks: what attacks on the method of protection achieved (JSON); empty where not known.

    Returns:
        The folder of the release; its files can be read only.

    Raises:
        TypeError: ``protected`` is not a Protected value.
        ReleaseError: the version exists or is no version; a column may not be public; a public
            fact is missing.
    """
    check_border(protected)
    facts = PublicFacts.of(protected.facts)
    place = candidates or releases
    free(releases, version)
    target = free(place, version)
    place.mkdir(parents=True, exist_ok=True)
    for leftover in place.glob(f".writing-{version}-*"):
        with suppress(OSError):
            remove(leftover)
    fresh = Path(tempfile.mkdtemp(prefix=f".writing-{version}-", dir=place))
    try:
        write_tables(protected, fresh)
        write_measured(protected, fresh)
        write_sets(protected.imputations, fresh, set_names(len(protected.imputations)))
        created = datetime.now(UTC)
        languages = [g for g in LANGUAGES if g == LANGUAGES[0] or g in facts.languages]
        write_codebook(fresh, "html", languages)
        write_codebook(fresh, "csv", languages)
        words = in_languages(changed, languages)
        (fresh / CHANGELOG).write_text(
            changelog_text(releases, version, created, changelog, words), "utf-8"
        )
        if attacks:
            (fresh / ATTACKS).write_bytes(attacks)
        _describe(protected, facts, fresh, version, created, site)
        _close(protected, fresh, version, created)
        sync(fresh)
        free(place, version)
        fresh.rename(target)
    finally:
        with suppress(OSError):
            remove(fresh)
    sync(place)
    return target


def next_version(releases: Path, today: date | None = None, candidates: Path | None = None) -> str:
    """The version after the last one of this year: "2026.1", "2026.2", …

    Args:
        releases: folder of all releases; it need not exist yet.
        today: the day that decides the year; the present day in UTC by default.
        candidates: folder of those that wait for approval; their versions are taken too.
    """
    year = (today or datetime.now(UTC).date()).year
    folders = [releases, *([candidates] if candidates else [])]
    numbers = [n for folder in folders for y, n in _numbered(folder) if y == year]
    return f"{year}.{max(numbers, default=0) + 1}"


def versions(releases: Path) -> tuple[str, ...]:
    """Versions <year>.<number> of the releases in a folder, the oldest first."""
    return tuple(f"{year}.{number}" for year, number in sorted(_numbered(releases)))


def latest_release(releases: Path) -> Path | None:
    """The folder of the release with the highest version <year>.<number>, None if there is none."""
    found = versions(releases)
    return releases / found[-1] if found else None


def latest_standing(folder: Path) -> Path | None:
    """The newest release of a hub that was not withdrawn, the newest where all were.

    Nothing is verified: open it next.

    Args:
        folder: of all releases.

    Returns:
        Its folder, None where there is no release.
    """
    found = [folder / version for version in reversed(versions(folder))]
    for path in found:
        sums = path / SUMS
        known = errata_of(path, digest(path)) if sums.is_file() else Errata()
        if status(known.given) != "withdrawn":
            return path
    return found[0] if found else None


def _numbered(releases: Path) -> list[tuple[int, int]]:
    names = (p.parent.name for p in releases.glob(f"*/{MANIFEST}"))
    return [(int(m[1]), int(m[2])) for name in names if (m := _NUMBERED.fullmatch(name))]


def free(releases: Path, version: str) -> Path:
    """Where a new version goes.

    Raises:
        ReleaseError: the version exists, or is no version.
    """
    if not re.fullmatch(VERSION_PATTERN, version):
        raise error("version")
    target = releases / version
    if target.exists() or target.is_symlink():
        raise error("immutable", file=target, version=version, next=next_version(releases))
    return target


def _describe(
    protected: Protected,
    facts: PublicFacts,
    fresh: Path,
    version: str,
    created: datetime,
    site: str,
) -> None:
    """README and catalogue metadata; they carry the hashes of the tables, so they come after."""
    files = _entries(fresh)
    manifest = Manifest.describe(protected, version, created, files)
    found = protected.perpetrators
    columns = protected.records.column_names
    of_perpetrators = found.records.column_names if found else None
    texts = {
        "README.md": readme(manifest, facts),
        "datapackage.json": frictionless(manifest, facts, columns, of_perpetrators),
        "dcat.jsonld": dcat(manifest, facts, site),
        "croissant.json": croissant(manifest, facts, columns, of_perpetrators),
    }
    for name, text in texts.items():
        (fresh / name).write_text(text, "utf-8")


def _close(protected: Protected, fresh: Path, version: str, created: datetime) -> None:
    """Manifest and list of hashes last, then every file read-only and on disk."""
    manifest = Manifest.describe(protected, version, created, _entries(fresh))
    (fresh / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", "utf-8")
    (fresh / SUMS).write_bytes(sums(fresh, manifest))
    for file in fresh.iterdir():
        file.chmod(0o444)
        sync(file)
    fresh.chmod(0o755)


def _entries(folder: Path) -> dict[str, FileEntry]:
    return {
        f.name: FileEntry(sha256=sha256(f), bytes=f.stat().st_size)
        for f in sorted(folder.iterdir())
    }


# --------------------------------------------------------------------------------------------------
# Publish: an approved candidate becomes a release by one rename.


def publish(candidate: Path, releases: Path, approvers: Approvers) -> Path:
    """Move ``candidates/<version>`` to ``releases/<version>``; a reader sees it there or not.

    Raises:
        ReleaseError: the candidate is damaged, lacks an approval or carries a false one; or the
            version was published before.
    """
    _manifest, problems = examine(candidate, approvers.model_copy(update={"former": ()}))
    if problems:
        first = problems[0]
        raise error(
            "not-publishable",
            file=candidate,
            rule=first.kind,
            version=candidate.name,
            first=first.text,
            part=first.file,
            approvals=APPROVALS,
        )
    if Approvals.read(candidate).missing:
        raise error("approval/missing", file=candidate, version=candidate.name)
    releases.mkdir(parents=True, exist_ok=True)
    target = free(releases, candidate.name)
    candidate.rename(target)
    sync(releases)
    sync(candidate.parent)
    return target


# --------------------------------------------------------------------------------------------------
# Verify a release: recompute every hash, trust nothing that the manifest says about paths.


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


# --------------------------------------------------------------------------------------------------
# Open a release: verify first, then restore the protected answer.


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
