"""The feed of a site (Atom, RFC 4287): every version, and every notice about one, newest first."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.catalogue import citation, title
from ctdhub.release.verify import digest
from ctdhub.report.errata_words import in_words
from ctdhub.report.release_changes import compared, earlier, public_changes, summary
from ctdhub.site.frame import FEED, HOME, address
from ctdhub.site.sharing import Sharing
from ctdhub.stats.answers import Answers

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


def _entries(answers: Answers, series: Sequence[Answers]) -> Iterator[_Entry]:
    release = answers.release
    manifest, hash_ = release.manifest, digest(release.path)
    path = address(LANGUAGES[0], release.version, HOME)
    name = title(manifest, release.facts)
    cited = citation(release.version, release.year, release.facts)
    text = " ".join([cited, *_changed(answers, series)])
    yield _Entry(_urn(hash_), _second(manifest.created), name, text, path)
    for erratum in release.errata:
        found = in_words(release, erratum)
        in_force = max(s.date for s in erratum.signatures)
        urn = _urn(f"{hash_}/{erratum.notice.number}")
        yield _Entry(urn, in_force, found.heading, found.text, path)


def _changed(answers: Answers, series: Sequence[Answers]) -> list[str]:
    """What is different from the release before, in sentences; of a withdrawn release nothing."""
    release = answers.release
    older = earlier(release, series)
    if not older or release.withdrawn:
        return []
    found = compared(older[0], answers)
    told = public_changes(older[0].release, release, found)
    return [f"{text.rstrip('.')}." for text in told] + [summary(found)]


def _second(created: str) -> str:
    """A time as Atom has it; a day alone is its beginning."""
    return created if "T" in created else f"{created}T00:00:00Z"


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_SPACE, 'urn:sha256:' + name)}"


def _text(text: str) -> str:
    """Text as XML can hold it: no control characters."""
    return escape("".join(c for c in text if c.isprintable() or c in "\t\n"))
