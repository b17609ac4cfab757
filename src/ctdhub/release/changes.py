"""What changed since the last release, as sentences and in the changelog, without a number of
people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ctdhub.core.errors import printable
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Several, Text, language, said
from ctdhub.core.tables import fold
from ctdhub.document.text import escaped

if TYPE_CHECKING:  # it loads Arrow, and the desk's web process asks here what a note tells
    from ctdhub.release.manifest import Contributor, PublicFacts, SeriesBreak

# --------------------------------------------------------------------------------------------------
# What changed since the last release, as sentences without a number of people.
#
# They are made of public facts of two releases: who contributes, on which days files came, breaks
# that agreements declare, the version of the schema.  Of mappings nothing is said, for what one row
# holds may force somebody to rewrite one; whoever wants readers to know declares a break.  Of
# withdrawals nothing is said, not even whether there are any.

BREAKS: Mapping[str, Text] = {
    "operator": Text("another organisation runs the service"),
    "law": Text("the law changed"),
    "form": Text("the form that is filled in changed"),
    "definition": Text("what is counted changed"),
    "other": Text("another reason"),
}
"""Why a series breaks, by the kinds of ``manifest.SeriesBreak``."""


def changes(before: PublicFacts | None, now: PublicFacts) -> tuple[Text, ...]:
    """Sentences about two releases of one hub.

    Args:
        before: public facts of the last release; None if there is none.
        now: those of the release that is being made.
    """
    if before is None:
        names = Several(tuple(c.name for c in now.contributors))
        return (Text("First release, with data of: {names}", names=names),)
    return tuple(_compared(before, now))


def _compared(before: PublicFacts, now: PublicFacts) -> Iterator[Text]:
    old, new = ({c.id or c.name: c for c in facts.contributors} for facts in (before, now))
    if came := [new[i].name for i in new if i not in old]:
        yield Text("New contributors: {names}", names=Several(tuple(came)))
    if left := [old[i].name for i in old if i not in new]:
        yield Text("No longer in the data: {names}", names=Several(tuple(left)))
    for i, contributor in new.items():
        if i in old:
            yield from _of_one(old[i], contributor)
    if before.schema_version != now.schema_version:
        yield Text(
            "The schema is version {new} now; it was {old}.",
            new=now.schema_version,
            old=before.schema_version,
        )
    if before.years != now.years:
        yield Text(
            "The years covered are {first} to {last} now; they were {was_first} to {was_last}.",
            first=now.years[0],
            last=now.years[1],
            was_first=before.years[0],
            was_last=before.years[1],
        )


def _of_one(before: Contributor, now: Contributor) -> Iterator[Text]:
    if before.deliveries is not None and now.deliveries is not None:
        if came := [day for day in now.deliveries if day not in before.deliveries]:
            days = Several(tuple(came))
            yield Text("{name}: data received on {days} were added.", name=now.name, days=days)
        if left := [day for day in before.deliveries if day not in now.deliveries]:
            days = Several(tuple(left))
            yield Text(
                "{name}: data received on {days} are no longer read.", name=now.name, days=days
            )
    if before.rows_per_person != now.rows_per_person:
        yield Text(
            "{name}: at most {n} rows of one person count; it was {old}.",
            name=now.name,
            n=now.rows_per_person,
            old=before.rows_per_person,
        )
    for series_break in now.breaks:
        if series_break not in before.breaks:
            yield Text(
                "{name}: from {day} on the figures are not comparable with earlier ones: {why}",
                name=now.name,
                day=series_break.date,
                why=_why(series_break),
            )
    for gone in before.breaks:
        if all((b.date, b.variables) != (gone.date, gone.variables) for b in now.breaks):
            yield Text(
                "{name}: it is no longer said that figures from {day} on are not comparable with "
                "earlier ones: {why}",
                name=now.name,
                day=gone.date,
                why=_why(gone),
            )


def _why(series_break: SeriesBreak) -> Text:
    why = BREAKS[series_break.kind]
    return Text("{why} ({note})", why=why, note=series_break.note) if series_break.note else why


# --------------------------------------------------------------------------------------------------
# The changelog of releases: the steward's note, and what a release says of its own changes.
#
# The note is in whatever language the steward wrote; the hub's own sentences are in every language
# of the hub.

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
    from ctdhub.release.manifest import MANIFEST

    text = _note(note) or f"{_NO_NOTE}\n"
    if changed:
        text = f"{text}\n{changed}"
    entry = f"## {version} ({created.astimezone(UTC):%Y-%m-%d})\n\n{text}"
    made = sorted(releases.glob(f"[!.]*/{MANIFEST}"), key=lambda p: p.stat().st_mtime_ns)
    before = made[-1].with_name(CHANGELOG).read_text("utf-8") if made else ""
    history = before.partition("\n")[2].lstrip()
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


def in_languages(sentences: Sequence[Text], languages: Sequence[str]) -> str:
    """The sentences as Markdown, a heading and a list for each language; empty without any.

    Args:
        languages: codes of :data:`ctdhub.core.i18n.LANGUAGES`; the order is that of the source.
    """
    parts = []
    for code in (c for c in LANGUAGES if sentences and c in languages):
        with language(code):
            lines = "\n".join(f"- {escaped(printable(said(text), 2_000))}" for text in sentences)
        parts.append(f"{HEADING}{NATIVE_NAMES[code]}\n\n{lines}\n")
    return "\n".join(parts)


# --------------------------------------------------------------------------------------------------
# Whether a steward's note tells readers of withdrawals, which no release does.

_STEMS = (
    *("withdr", "opted out", "opt-out", "asked to be removed", "asked for removal"),
    *("retir", "retrait", "revoc", "desist"),
    *("سحب", "انسحب", "انسحاب"),
)
"""Beginnings of words for withdrawing in the languages of the hub, folded."""

_SPEAKS = re.compile(r"(?:^|\W)(?:ال|و|وال|ب)?(?:" + "|".join(map(re.escape, _STEMS)) + ")")


def tells_of_withdrawals(note: str) -> bool:
    """Whether a note seems to say that people withdrew: a hint, not a proof.

    >>> tells_of_withdrawals("Two people withdrew."), tells_of_withdrawals("Adds Italy.")
    (True, False)
    """
    return _SPEAKS.search(fold(note)) is not None
