"""The changelog of releases: the steward's note, and what a release says of its own changes.

The note is in whatever language the steward wrote; the hub's own sentences are in every language
of the hub.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ctdhub.core.errors import printable
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Text, language, said
from ctdhub.document.markdown import escaped
from ctdhub.release.manifest import MANIFEST

HEADING = "### "
"""What opens the list of changes in one language."""

CHANGELOG = "CHANGELOG.md"
"""What each release says about itself, the newest first."""
_NO_NOTE = "No note was given."
_NEXT = re.compile(r"\n\n## \S+ \(\d{4}-\d\d-\d\d\)\n")
_AFTER_NOTE = re.compile(
    rf"{_NEXT.pattern}|"
    r"\n\n(?:"
    + "|".join(re.escape(f"{HEADING}{name}") + r"\n" for name in NATIVE_NAMES.values())
    + ")"
)
"""What follows a note: the hub's own words, or the entry of the release before."""


def changelog_text(
    releases: Path, version: str, created: datetime, note: str, changed: str = ""
) -> str:
    """CHANGELOG.md: this release's note and changes, then what the releases before it said.

    Args:
        changed: what the hub says of itself, see ``changes.in_languages``.
    """
    text = _note(note) or f"{_NO_NOTE}\n"
    if changed:
        text = f"{text}\n{changed}"
    entry = f"## {version} ({created.astimezone(UTC):%Y-%m-%d})\n\n{text}"
    older = sorted(
        (p.parent for p in releases.glob(f"[!.]*/{MANIFEST}")),
        key=lambda p: (p / MANIFEST).stat().st_mtime_ns,
    )
    before = (older[-1] / CHANGELOG) if older else None
    history = before.read_text("utf-8").partition("\n")[2].lstrip() if before else ""
    return f"# Changes\n\n{entry}" + (f"\n{history}" if history else "")


def carries_note(changelog: str, note: str) -> bool:
    """Whether the newest entry of a CHANGELOG.md begins with a note.

    >>> text = changelog_text(Path("none"), "2026.1", datetime(2026, 1, 2, tzinfo=UTC), "One.")
    >>> carries_note(text, "One."), carries_note(text, "Two."), carries_note(text, "On")
    (True, False, False)
    """
    _title, _heading, entry = changelog.split("\n\n", 2)
    return entry.startswith(_note(note))


def newest_note(changelog: str) -> str:
    """The note of the newest entry of a CHANGELOG.md, empty where none was given.

    >>> today = datetime(2026, 1, 2, tzinfo=UTC)
    >>> newest_note(changelog_text(Path("none"), "2026.1", today, "Adds two contributors."))
    'Adds two contributors.'
    >>> both = changelog_text(Path("none"), "2026.1", today, "One.", "### English\\n\\n- Two.\\n")
    >>> newest_note(both)
    'One.'
    """
    _title, _heading, entry = changelog.split("\n\n", 2)
    text = _AFTER_NOTE.split(entry)[0].strip("\n")
    return "" if text == _NO_NOTE else text


def newest_changes(changelog: str, code: str) -> str:
    """What the newest entry of a CHANGELOG.md says of itself in a language, else in English.

    >>> today = datetime(2026, 1, 2, tzinfo=UTC)
    >>> both = changelog_text(Path("none"), "2026.1", today, "One.", "### English\\n\\n- Two.\\n")
    >>> newest_changes(both, "fr")
    '- Two.'
    """
    entry = _NEXT.split(changelog.split("\n\n", 2)[2])[0]
    for name in (NATIVE_NAMES[code], NATIVE_NAMES["en"]):
        _before, heading, rest = entry.rpartition(f"\n\n{HEADING}{name}\n\n")
        if heading:
            return rest.split(f"\n\n{HEADING}")[0].strip("\n")
    return ""


def _note(note: str) -> str:
    """The lines of a note, safe to show; empty where there is none."""
    return "".join(f"{printable(line, 2_000)}\n" for line in note.splitlines())


def in_languages(told: Sequence[Text], languages: Sequence[str]) -> str:
    """The sentences as Markdown, a heading and a list for each language; empty without any.

    Args:
        languages: codes of :data:`ctdhub.core.i18n.LANGUAGES`; the order is that of the source.
    """
    parts = []
    for code in (c for c in LANGUAGES if told and c in languages):
        with language(code):
            lines = "\n".join(f"- {escaped(printable(said(text), 2_000))}" for text in told)
        parts.append(f"{HEADING}{NATIVE_NAMES[code]}\n\n{lines}\n")
    return "\n".join(parts)
