"""A poster for a place, a corridor or a day: one sentence, one number, where to turn."""

from __future__ import annotations

from datetime import date

from ctdhub.core.format import day as in_words
from ctdhub.core.format import number, share, year
from ctdhub.core.i18n import _
from ctdhub.document.document import Document, LargeNumber, Section, Words
from ctdhub.document.numbers import Notebook
from ctdhub.report.brief.day import told_event
from ctdhub.report.brief.frame import always, meta
from ctdhub.report.brief.observances import Theme, among, sentence
from ctdhub.report.brief.subjects import BriefPlace, Corridor, Day, Subject, country_of
from ctdhub.report.claims import surely
from ctdhub.report.helplines import Help
from ctdhub.report.places import sides
from ctdhub.report.sentences import with_once
from ctdhub.report.wording import ends
from ctdhub.stats.answers import Answers
from ctdhub.stats.asking import recorded
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.query import Query, Where

MOST_EVENTS = 3


def poster(
    answers: Answers, subject: Subject, made: date, notebook: Notebook, help: Help | None = None
) -> Document:
    """The poster of a subject, in the language in force."""
    release = answers.release
    if isinstance(subject, Day):
        theme: Theme = subject.observance.theme if subject.observance else "all"
        where = sides("eu")["exploited"].where if theme == "eu" else among(theme)
        said, unit = sentence(theme), _unit(theme)
        title = _("{name}, {day}").format(name=subject.name, day=in_words(subject.when))
        if subject.observance is None:
            title = subject.name
        lines = tuple(told_event(e) for e in subject.events[:MOST_EVENTS])
    else:
        where, unit = _people(answers, subject)
        said, title, lines = sentence("all"), subject.name, ()
    missing = answers.missing(recorded(answers, where)) if where else None
    found = answers.card(Query(where), missing=missing)
    contacts = (help or Help(text=release.facts.helpline)).contacts(country_of(subject))
    call = _("In immediate danger, call the emergency services.")
    if contacts:
        text = _("For help with trafficking or exploitation, call {name}:")
        call = f"{call} {text.format(name=contacts[0].label)}"
    counted = unit.format(first=year(release.years[0]), last=year(release.years[1]))
    return Document(
        meta=meta(release, made),
        title=title,
        lead=(said,),
        sections=(
            *_number(found, counted, notebook),
            *(Section(f"line-{k}", "", (Words((line,)),), keep=0) for k, line in enumerate(lines)),
            Section("call", call, tuple(Words((one.reach,)) for one in contacts[:1])),
        ),
        always=always(release),
        most=1,
        left_out="",
        paper="a3",
    )


def _people(answers: Answers, subject: BriefPlace | Corridor) -> tuple[Where, str]:
    """Who the number is about: of a place the side with more people; and what it counts."""
    if isinstance(subject, Corridor):
        return subject.where, _("people identified on this corridor, {first} to {last}")
    two = {name: side.where for name, side in sides(subject.key).items()}
    most = max(two, key=lambda name: answers.count(two[name]).value or 0)
    if most == "citizens":
        return two[most], _("people identified, by citizenship, {first} to {last}")
    return two[most], _("people identified, by place of exploitation, {first} to {last}")


def _unit(theme: Theme) -> str:
    return {
        "women": _("women and girls identified, {first} to {last}"),
        "children": _("children under 18 identified, {first} to {last}"),
        "labour": _("people identified in forced labour, {first} to {last}"),
        "eu": _("people identified as exploited in the European Union, {first} to {last}"),
    }.get(theme, _("people identified, {first} to {last}"))


def _number(found: NumberCard, unit: str, notebook: Notebook) -> tuple[Section, ...]:
    """The number with its range, as "at least" where for some people it is not recorded whether
    they belong; nothing where it is not printed."""
    if not surely(found):
        return ()
    low, high = ends(found)
    text = low
    forms: tuple[str, ...] = (low, high, share(found.level))
    if found.value is not None:
        text, forms = number(found.value), (number(found.value), *forms)
    interval = _("between {low} and {high}, at {level} confidence").format(
        low=low, high=high, level=share(found.level)
    )
    interval, forms = with_once(interval, found), (*forms, *map(number, found.once or ()))
    if found.missing is not None:
        least, missing = number(surely(found)), share(found.missing)
        text, forms = _("at least {n}").format(n=least), (*forms, least, missing)
        interval = _("{interval}; not recorded for {share} of all people").format(
            interval=interval, share=missing
        )
    notebook.card("poster.people", found, *forms)
    return (Section("number", "", (LargeNumber(text, unit, interval),)),)
