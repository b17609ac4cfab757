"""The feed of a site, and its notices about releases."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ctdhub.core.errors import error
from ctdhub.core.format import day, span
from ctdhub.core.i18n import LANGUAGES, _, language
from ctdhub.release.approvals import APPROVALS
from ctdhub.release.catalogue import citation, title
from ctdhub.release.errata import (
    ERRATA_JSON,
    ERRATA_MD,
    as_data,
    as_markdown,
    handed_on,
    plain_data,
)
from ctdhub.release.manifest import SUMS
from ctdhub.release.open import Release, digest
from ctdhub.report.release_changes import compared, earlier, public_changes, summary
from ctdhub.report.wording import called, in_words
from ctdhub.report.wording import citation as citation_of_notice
from ctdhub.site.frame import FEED, HOME, Page, Sharing, card_address
from ctdhub.stats.answers import Answers

# --------------------------------------------------------------------------------------------------
# The feed of a site (Atom, RFC 4287): every version, and every notice about one, newest first.

_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""The name space of addresses (RFC 9562); the hash of a release makes names that stay."""


Entry = tuple[str, str, str, str, str]
"""When, where it leads, its title, its text, its id."""


def write_feed(site: Path, series: Sequence[Answers], sharing: Sharing) -> None:
    """Write ``feed.xml`` at the root of a site, in English.

    Args:
        site: its folder.
        series: answers of all releases that it shows, the leading one first.
        sharing: its address; links are relative where nobody knows it.
    """
    releases = [answers.release for answers in series]
    with language(LANGUAGES[0]):
        entries = [entry for answers in series for entry in _entries(answers, series)]
    entries.sort(key=lambda entry: entry[:3], reverse=True)
    facts = releases[0].facts
    oldest = min(releases, key=lambda r: [int(part) for part in r.version.split(".")])
    own = sharing.public(FEED)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        f"<id>{_urn('feed/' + digest(oldest.path))}</id>",
        f"<title>{_text(facts.hub)}</title>",
        f"<updated>{entries[0][0]}</updated>",
        f"<author><name>{_text(facts.hub)}</name></author>",
        *([f'<link rel="self" href={quoteattr(own)}/>'] if own else []),
    ]
    for updated, path, name, text, id_ in entries:
        lines += [
            f"<entry><id>{id_}</id><title>{_text(name)}</title>",
            f"<updated>{updated}</updated><link href={quoteattr(sharing.place(path))}/>",
            f'<content type="text">{_text(text)}</content></entry>',
        ]
    (site / FEED).write_text("\n".join([*lines, "</feed>", ""]), "utf-8")


def _entries(answers: Answers, series: Sequence[Answers]) -> Iterator[Entry]:
    release = answers.release
    manifest, hash_ = release.manifest, digest(release.path)
    path = card_address(LANGUAGES[0], release.version)
    name = title(manifest, release.facts)
    cited = citation(release.version, release.year, release.facts)
    text = " ".join([cited, *_changed(answers, series)])
    yield _second(manifest.created), path, name, text, _urn(hash_)
    for erratum in release.errata:
        notice = in_words(release, erratum)
        in_force = max(s.statement.signed for s in erratum.signatures)
        yield in_force, path, notice.heading, notice.text, _urn(f"{hash_}/{erratum.notice.number}")


def _changed(answers: Answers, series: Sequence[Answers]) -> list[str]:
    """What is different from the release before, in sentences; of a withdrawn release nothing.
    Numbers are compared for the release that leads alone: to open all would cost as much again."""
    release = answers.release
    older = earlier(release, series)
    if not older or release.withdrawn:
        return []
    changes = compared(older[0], answers) if answers is series[0] else None
    sentences = public_changes(older[0].release, release, changes)
    numbers = [summary(changes)] if changes else []
    return [f"{text.rstrip('.')}." for text in sentences] + numbers


def _second(created: str) -> str:
    """A time as Atom has it; a day alone is its beginning."""
    return created if "T" in created else f"{created}T00:00:00Z"


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_SPACE, 'urn:sha256:' + name)}"


def _text(text: str) -> str:
    """Text as XML can hold it: no control characters."""
    return escape("".join(c for c in text if c.isprintable() or c in "\t\n"))


# --------------------------------------------------------------------------------------------------
# Notices about releases on a site: their files, and pages that stand where numbers were.
#
# A withdrawn release keeps every address of its cards: each says what was there, that it was
# withdrawn, why, and what to use.  Its files and charts are gone from the site.

EVIDENCE = (APPROVALS, SUMS)
"""Files of a withdrawn release that stay: who has a copy can still tell which release it is."""


def write_notices(release: Release, folder: Path) -> None:
    """Write the notices about a release, with their signatures, next to its own files."""
    if release.errata:
        (folder / ERRATA_JSON).write_text(as_data(release.version, release.errata), "utf-8")
        (folder / ERRATA_MD).write_text(as_markdown(release.version, release.errata), "utf-8")


def tombstone(release: Release, lead: Release, path: str = HOME, instead: str = "") -> Page:
    """What stands at the addresses of a withdrawn release, in the language in force.

    Args:
        lead: the release that leads the site; withdrawn too where all were.
        path: of one of them.
        instead: of a card: the page that it leads to, from the root of the site.
    """
    facts = release.facts
    return Page(
        path=path,
        title=_("Release {version}").format(version=release.version),
        description=_("Release {version} was withdrawn.").format(version=release.version),
        template="withdrawn.html",
        values={
            "citation": citation_of_notice(release),
            "published": day(date.fromisoformat(release.manifest.created[:10])),
            "years": span(release.years),
            "contributors": [called(c) for c in facts.contributors],
            "digest": release.errata[0].notice.digest,
            "kept": [name for name in EVIDENCE if (release.path / name).is_file()],
            "instead": "" if lead.withdrawn else lead.version,
            "instead_at": instead,
            "own_page": "",
        },
        framed=bool(instead),
        css="embed.css" if instead else "site.css",
    )


def of_all(releases: Iterable[Release]) -> dict[str, Any]:
    """What the root of a site says of notices: those of each version, and which were withdrawn.

    Empty where there are none.
    """
    series = list(releases)
    notices = {
        "errata": {r.version: plain_data(r.errata) for r in series if r.errata},
        "withdrawn": [r.version for r in series if r.withdrawn],
    }
    return {name: value for name, value in notices.items() if value}


def refuse_fewer_notices(site: Path, releases: Sequence[Release]) -> None:
    """Refuse to take a notice from readers of a site.

    Args:
        site: the folder of a site; it need not exist.
        releases: that the new site will show.

    Raises:
        HubError: the site shows a notice that is not among those of the releases, or one that
            nobody can read.
    """
    for release in releases:
        file = site / "r" / release.version / ERRATA_JSON
        if not file.exists():
            continue
        errata = [*handed_on(file).values()]
        notices = [e.notice for e in errata if e]
        if not notices or len(notices) < len(errata):
            raise error("site-smaller/damaged", file=file, version=release.version)
        if notices != [e.notice for e in release.errata][: len(notices)]:
            raise error("site-smaller/notices", file=file, version=release.version)
