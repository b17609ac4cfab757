"""The feed of a site (Atom, RFC 4287): every version, and every notice about one, newest first."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.catalogue import citation, title
from ctdhub.release.open import Release
from ctdhub.release.verify import digest
from ctdhub.report.errata_words import in_words
from ctdhub.site.frame import FEED, HOME, address
from ctdhub.site.sharing import Sharing

_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""The name space of addresses (RFC 9562); the hash of a release makes names that stay."""


@dataclass(frozen=True)
class _Entry:
    """One entry: its id, when, its title and text, where it leads."""

    id: str
    updated: str
    title: str
    text: str
    path: str


def write_feed(site: Path, releases: Sequence[Release], sharing: Sharing) -> None:
    """Write ``feed.xml`` at the root of a site, in English.

    Args:
        site: its folder.
        releases: all that it shows, the leading one first.
        sharing: its address; links are relative where nobody knows it.
    """
    with language(LANGUAGES[0]):
        entries = [entry for release in releases for entry in _entries(release)]
    entries.sort(key=lambda e: (e.updated, e.path, e.title), reverse=True)
    facts = releases[0].facts
    oldest = min(releases, key=lambda r: [int(part) for part in r.version.split(".")])
    own = sharing.public(FEED)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        f"<id>{_urn('feed/' + digest(oldest.path))}</id>",
        f"<title>{_text(facts.hub)}</title>",
        f"<updated>{entries[0].updated}</updated>",
        f"<author><name>{_text(facts.hub)}</name></author>",
        *([f'<link rel="self" href={quoteattr(own)}/>'] if own else []),
    ]
    for e in entries:
        href = sharing.public(e.path) or e.path
        lines += [
            f"<entry><id>{e.id}</id><title>{_text(e.title)}</title>",
            f"<updated>{e.updated}</updated><link href={quoteattr(href)}/>",
            f'<content type="text">{_text(e.text)}</content></entry>',
        ]
    (site / FEED).write_text("\n".join([*lines, "</feed>", ""]), "utf-8")


def _entries(release: Release) -> Iterator[_Entry]:
    manifest, hash_ = release.manifest, digest(release.path)
    path = address(LANGUAGES[0], release.version, HOME)
    name = title(manifest, release.facts)
    cited = citation(release.version, release.year, release.facts)
    yield _Entry(_urn(hash_), _second(manifest.created), name, cited, path)
    for erratum in release.errata:
        found = in_words(release, erratum)
        in_force = max(s.date for s in erratum.signatures)
        urn = _urn(f"{hash_}/{erratum.notice.number}")
        yield _Entry(urn, in_force, found.heading, found.text, path)


def _second(created: str) -> str:
    """A time as Atom has it; a day alone is its beginning."""
    return created if "T" in created else f"{created}T00:00:00Z"


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_SPACE, 'urn:sha256:' + name)}"


def _text(text: str) -> str:
    """Text as XML can hold it: no control characters."""
    return escape("".join(c for c in text if c.isprintable() or c in "\t\n"))
