"""What every brief ends with, and what every page of it carries."""

from __future__ import annotations

from datetime import date

from ctdhub.core.format import day, decimal, set_apart, share, tiny, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.document import Meta, Section, Words
from ctdhub.document.numbers import Notebook
from ctdhub.release.open import Release
from ctdhub.report.breaks import break_sentence
from ctdhub.report.called import called
from ctdhub.report.double_counting import comparison_note
from ctdhub.report.errata_words import shown
from ctdhub.report.helplines import Help
from ctdhub.report.wording import caveat, citation
from ctdhub.stats.answers import Answers
from ctdhub.stats.breaks import breaks_within

PRINTED = 3
"""Notices about a release that a brief prints; the site shows all."""


def meta(release: Release, made: date) -> Meta:
    """What every page of a document about a release carries."""
    practice = _("Practice data: fictitious. No number on this page is about real people.")
    changed = [notice.heading for notice in shown(release)[:1]]
    return Meta(
        lang=current(),
        rtl=current() in RIGHT_TO_LEFT,
        organisation=called(release.facts),
        mark=" ".join([*([practice] if release.facts.invented else []), *changed]),
        foot=citation(release),
        made=made,
        day=_("Made on {day}.").format(day=day(made)),
        page=_("Page {page} of {pages}"),
    )


def always(release: Release) -> str:
    """The sentence beside every number, and the level of all intervals."""
    text = _(
        "These are people whom an organisation identified or assisted; most trafficking is never "
        "identified."
    )
    return f"{caveat()} {text}"


def left_out() -> str:
    """What a printed brief says when a section has no room."""
    return _("Left out for want of room, and shown on the site: {names}.")


def where_to_turn(release: Release, help: Help | None, country: str) -> Section:
    """Whom to call: the emergency services, and the first line for readers of the document.

    Args:
        help: where the hub sends people now; the release's own word without a hub.
        country: alpha-3 code of the country whose lines come first; "" for none.
    """
    lines = [_("In immediate danger, call the emergency services.")]
    for line in (help or Help(text=release.facts.helpline)).contacts(country)[:1]:
        name = _("For help with trafficking or exploitation, call {name}:").format(
            name=set_apart(line.label)
        )
        note = f" ({line.note})" if line.note else ""
        lines.append(f"{name} {set_apart(line.reach)}{note}")
    return Section("help", _("Get help"), (Words(tuple(lines)),))


def closing(answers: Answers, notebook: Notebook) -> tuple[Section, ...]:
    """How to read the numbers, how they were made, by whom, how to cite them."""
    release, guarantee = answers.release, answers.release.protected.guarantee
    level = share(guarantee.level)
    notebook.add("level", "sum", guarantee.level, (level,))
    reading = (
        _(
            "Each number has an interval: the interval contains the true count of the "
            "hub's records for about {level} of the numbers. A thin black line on a bar "
            "shows it."
        ).format(level=level),
        _(
            "Kinds of missing numbers are kept separate. “Not shown” (below the reporting "
            "threshold) is not zero. “Not recorded” are people whose answer nobody wrote "
            "down; they are outside the shares. “Nobody reports here” means that no "
            "contributor covers it. “Not measured in this release” means that this was not "
            "counted."
        ),
        comparison_note(release),
    )
    epsilon, delta = decimal(guarantee.epsilon, "0.##"), tiny(guarantee.delta)
    notebook.add("guarantee", "sum", guarantee.epsilon, (epsilon, delta))
    methods = (
        _(
            "Case records of the contributors were harmonised, linked and counted; records "
            "with the same person key count once."
        ),
        _(
            "Noise was added to every count. It bounds how much anybody can learn from the release "
            "about any one person, whatever else they know (differential privacy, epsilon "
            "{epsilon}, delta {delta}, for each person; the smaller, the less); no exact count was "
            "published."
        ).format(epsilon=epsilon, delta=delta),
    )
    names = _("; ").join(_contributors(release))
    declared = [
        break_sentence(one, release.facts) for one in breaks_within(release, None, *release.years)
    ]
    notices = tuple(notice.short for notice in shown(release)[:PRINTED])
    return (
        *([Section("errata", _("Corrections"), (Words(notices),))] if notices else []),
        Section("reading", _("How to read this"), (Words(reading),)),
        Section("methods", _("How it was made"), (Words((" ".join(methods),)),)),
        Section(
            "sources",
            _("Who contributed, and how to cite"),
            (Words((names, *declared, citation(release))),),
        ),
    )


def _contributors(release: Release) -> list[str]:
    """Names with the years that each covers."""
    found = []
    for one in release.facts.contributors:
        first, last = one.years or release.years
        found.append(
            _("{name} ({first} to {last})").format(
                name=set_apart(called(one)), first=year(first), last=year(last)
            )
        )
    return found
