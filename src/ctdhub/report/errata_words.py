"""Notices about a release in words: what a citation says of them, and what pages show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ctdhub.core.errors import printable
from ctdhub.core.format import day, isolated
from ctdhub.core.i18n import _, current
from ctdhub.release.errata import Erratum
from ctdhub.release.open import Release
from ctdhub.schema.labels import label

SHORT = 300
"""Characters of a note on a printed page."""


@dataclass(frozen=True)
class ShownNotice:
    """A notice as a page shows it.

    Attributes:
        heading: what happened, when and to which version, in the language in force.
        note: the text of the two people who signed.
        lang: language of ``note``, the one in force where the note was given in it.
        concerns: what it is about, in words; empty where it is about the whole release.
        withdrawn: whether the numbers must not be used.
    """

    heading: str
    note: str
    lang: str
    concerns: str
    withdrawn: bool

    @property
    def text(self) -> str:
        """Everything in one paragraph."""
        return self._joined(self.note)

    @property
    def short(self) -> str:
        """The same for a printed page: of a long note its beginning."""
        return self._joined(printable(self.note, SHORT))

    def _joined(self, note: str) -> str:
        return " ".join(part for part in (self.heading, isolated(note), self.concerns) if part)


def citation_mark(release: Release) -> str:
    """What a citation adds about notices; empty where there are none."""
    if not release.errata:
        return ""
    if release.withdrawn:
        first = next(e for e in release.errata if e.notice.sort == "withdrawn")
        return _("Withdrawn on {day}: not to be used.").format(day=_day(first))
    return _("Corrected on {day}: see the notice.").format(day=_day(release.errata[-1]))


def shown(release: Release) -> tuple[ShownNotice, ...]:
    """All notices in the language in force, a withdrawal first, then the newest first."""
    last_first = sorted(
        release.errata, key=lambda e: (e.notice.sort != "withdrawn", -e.notice.number)
    )
    return tuple(in_words(release, erratum) for erratum in last_first)


def in_words(release: Release, erratum: Erratum) -> ShownNotice:
    """One notice about a release in the language in force."""
    told = erratum.notice
    withdrawn = told.sort == "withdrawn"
    heading = (
        _("Release {version} was withdrawn on {day}. Do not use its numbers.")
        if withdrawn
        else _("Correction of release {version}, {day}.")
    )
    note, lang = told.text(current())
    names = _(", ").join(_name(name) for name in told.concerns)
    return ShownNotice(
        heading=heading.format(version=release.version, day=_day(erratum)),
        note=note,
        lang=lang,
        concerns=_("It concerns: {names}.").format(names=names) if names else "",
        withdrawn=withdrawn,
    )


def _name(name: str) -> str:
    """A column or a table in words; of a chart, its file."""
    try:
        return " × ".join(label(column, current()) for column in name.split("*"))
    except KeyError:
        return isolated(name)


def _day(erratum: Erratum) -> str:
    return day(date.fromisoformat(erratum.notice.date))
