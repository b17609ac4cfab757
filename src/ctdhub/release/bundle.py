"""Write a release beside its place with its README, sync it, rename it; an approved candidate is
published.
"""

import html
import math
import re
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctdhub.border import DOUBLES, LISTS, Protected
from ctdhub.core.errors import error
from ctdhub.core.files import fresh_folder, remove, sync
from ctdhub.core.i18n import LANGUAGES, Text, read_shipped
from ctdhub.release.approvals import APPROVALS, Approvals, Approvers
from ctdhub.release.catalogue import citation, croissant, dcat, frictionless, title
from ctdhub.release.changes import CHANGELOG, changelog_text, in_languages
from ctdhub.release.errata import Errata, errata_of, status
from ctdhub.release.manifest import (
    ATTACKS,
    MANIFEST,
    SUMS,
    VERSION_PATTERN,
    FileEntry,
    Manifest,
    ManifestFigure,
    PublicFacts,
)
from ctdhub.release.open import digest, examine, sha256, sums
from ctdhub.release.tables import check_border, set_names, write_measured, write_sets, write_tables
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
    sources = manifest.sources
    citizens = sources.possible_doubles if sources else {}
    template: Template = _environment().get_template("readme.md")
    return template.render(
        manifest=manifest,
        facts=facts,
        sources=sources,
        once=manifest.people_once,
        LISTS=LISTS,
        DOUBLES=DOUBLES,
        strata=[t.removeprefix(f"{LISTS}*") for t in sources.sigma if t.startswith(f"{LISTS}*")]
        if sources
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
    fresh = fresh_folder(target)
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
    names = versions(releases)
    return releases / names[-1] if names else None


def latest_standing(folder: Path) -> Path | None:
    """The newest release of a hub that was not withdrawn, the newest where all were.

    Nothing is verified: open it next.

    Args:
        folder: of all releases.

    Returns:
        Its folder, None where there is no release.
    """
    folders = [folder / version for version in reversed(versions(folder))]
    for path in folders:
        sums = path / SUMS
        known = errata_of(path, digest(path)) if sums.is_file() else Errata()
        if status(known.notices) != "withdrawn":
            return path
    return folders[0] if folders else None


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
    perpetrators = protected.perpetrators
    columns = protected.records.column_names
    of_perpetrators = perpetrators.records.column_names if perpetrators else None
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
