"""Briefs and posters about a release: what they say, with the question behind every number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ctdhub.core.format import day as in_words
from ctdhub.core.i18n import _
from ctdhub.document.document import Document, Section
from ctdhub.document.numbers import Notebook, PrintedNumber
from ctdhub.report.brief import corridor, day, place
from ctdhub.report.brief.frame import always, closing, left_out, meta, where_to_turn
from ctdhub.report.brief.poster import poster as make_poster
from ctdhub.report.brief.subjects import BriefPlace, Corridor, Day, Subject, country_of
from ctdhub.report.helplines import Help
from ctdhub.stats.answers import Answers

MOST_PAGES = 2


@dataclass(frozen=True)
class Brief:
    """A document, and every number that it prints with its question."""

    document: Document
    asked: tuple[PrintedNumber, ...]


def brief(answers: Answers, subject: Subject, made: date, help: Help | None = None) -> Brief:
    """Two pages on a subject, in the language in force.

    Args:
        made: the day that stands on it.
        help: where the hub sends people now; the release's own word without a hub.
    """
    notebook = Notebook()
    if isinstance(subject, BriefPlace):
        told = place.told(answers, subject, notebook)
    elif isinstance(subject, Corridor):
        told = corridor.told(answers, subject, notebook)
    else:
        told = day.told(answers, subject, notebook)
    release = answers.release
    title = subject.name
    subtitle = _("Brief of release {version}").format(version=release.version)
    if isinstance(subject, Day) and subject.observance is not None:
        subtitle = _("{day}. {brief}").format(day=in_words(subject.when), brief=subtitle)
    sheet = Document(
        meta=meta(release, made),
        title=title,
        lead=told.lead,
        sections=_headed(
            (
                *told.sections,
                where_to_turn(release, help, country_of(subject)),
                *closing(answers, notebook),
            )
        ),
        subtitle=subtitle,
        always=always(release),
        most=MOST_PAGES,
        left_out=left_out(),
    )
    return Brief(sheet, notebook.asked)


def _headed(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The sections with a first one that has a title and stays, whatever goes for want of room."""
    if sections[0].title and sections[0].keep is None:
        return sections
    return (Section("numbers", _("In numbers"), ()), *sections)


def poster(answers: Answers, subject: Subject, made: date, help: Help | None = None) -> Brief:
    """One large page on a subject, in the language in force.

    Args:
        made: the day that stands on it.
        help: where the hub sends people now; the release's own word without a hub.
    """
    notebook = Notebook()
    return Brief(make_poster(answers, subject, made, notebook, help), notebook.asked)
