"""A report for a day: what the hub says on its theme, and what takes place."""

from __future__ import annotations

from datetime import datetime

from ctdhub.core.format import clock, number, set_apart, share, year
from ctdhub.core.format import day as in_words
from ctdhub.core.i18n import _, ngettext
from ctdhub.document.document import Section, Words
from ctdhub.document.numbers import Notebook
from ctdhub.report.brief import assistance
from ctdhub.report.brief.blocks import by_year, drawn
from ctdhub.report.brief.change import changed
from ctdhub.report.brief.observances import Theme, among
from ctdhub.report.brief.place import BriefText, lines
from ctdhub.report.brief.subjects import Day
from ctdhub.report.claims import surely
from ctdhub.report.events.calendar import Event
from ctdhub.report.places import sides
from ctdhub.report.sentences import estimate, estimate_printed, headline_sentence, reach_sentence
from ctdhub.schema.roles import DESTINATION, FORCED_LABOUR, SEX
from ctdhub.stats.answers import Answers
from ctdhub.stats.asking import recorded
from ctdhub.stats.decomposition.subject import EVERYBODY, ChangeSubject
from ctdhub.stats.headline import headline, place_facts
from ctdhub.stats.perspective import SideName
from ctdhub.stats.query import Query

MOST = 8
"""Events that a report tells; the hub's site has all."""
FIGURES: dict[Theme, tuple[str, ...]] = {
    "all": ("gender", "exploitation", "age", "corridors", "means-of-control"),
    "women": ("exploitation", "age", "means-of-control"),
    "children": ("gender", "exploitation", "means-of-control"),
    "labour": ("labour", "gender", "age", "means-of-control"),
    "eu": ("gender", "exploitation", "corridors", "age", "means-of-control"),
    "corridors": ("corridors", "gender", "exploitation", "age"),
}
"""Figures of each theme, what matters most first."""
HUB_WIDE: frozenset[Theme] = frozenset({"all", "corridors"})
"""Themes of all people, which tell of assistance by citizenship."""
QUESTIONS: dict[Theme, ChangeSubject] = {
    "all": EVERYBODY,
    "corridors": EVERYBODY,
    "women": ChangeSubject(SEX, "female"),
    "labour": ChangeSubject(FORCED_LABOUR, "yes"),
    "eu": ChangeSubject(DESTINATION, "eu"),
}
"""Whose change each theme tells; children are two age groups, which were not measured as one."""


def told(answers: Answers, day: Day, notebook: Notebook) -> BriefText:
    """The facts of the day's theme, the events of the day."""
    theme: Theme = day.observance.theme if day.observance else "all"
    where = sides("eu")["exploited"].where if theme == "eu" else among(theme)
    found = drawn(answers, where, "day-", FIGURES[theme], notebook)
    sections = [_events(day.events, notebook)]
    years = by_year(answers, where, "day-years", notebook)
    for n, kind in enumerate(FIGURES[theme]):
        if kind in found:
            block = found[kind]
            keep = None if n == 0 else 90 - 10 * n
            sections.append(Section(f"day-{kind}", "", (block,), keep, block.subtitle))
        if n == 0 and years is not None:
            sections.append(Section("day-years", "", (years,), 85, years.subtitle))
    if theme in HUB_WIDE:
        sections += assistance.in_hub(answers, notebook)
    if (question := QUESTIONS.get(theme)) is not None:
        sections += changed(answers, [question], notebook)
    lead = _lead(answers, theme, notebook)
    if among_whom := about(theme):
        lead = (*lead, among_whom)
    return BriefText(lead, tuple(sections))


def about(theme: Theme) -> str:
    """Who the figures of a theme are about; empty for all people."""
    return {
        "women": _("All figures here are about women and girls only."),
        "children": _("All figures here are about children under 18 only."),
        "labour": _("All figures here are about people in forced labour only."),
        "eu": _(
            "All charts here are about people whose exploitation took place in the European Union."
        ),
    }.get(theme, "")


def _lead(answers: Answers, theme: Theme, notebook: Notebook) -> tuple[str, ...]:
    if theme == "eu":
        facts = place_facts(answers, "eu")
        names: tuple[SideName, ...] = ("exploited", "citizens")
        found = [lines(facts, name, notebook) for name in names]
        return tuple(line for line in found if line) or (_few(),)
    if theme in ("women", "children", "labour"):
        return (_theme(answers, theme, notebook),)
    first = headline(answers)
    people = first.people
    if people.value is None:
        return (_few(),)
    notebook.card("day.people", people, *estimate_printed(people))
    notebook.add("day.reach", "sum", people.value, _reach(answers))
    return (" ".join(part for part in (headline_sentence(first), reach_sentence(first)) if part),)


def _reach(answers: Answers) -> tuple[str, ...]:
    found = headline(answers)
    return tuple(
        number(c.value) for c in (found.nationalities, found.countries) if c.value is not None
    )


def _theme(answers: Answers, theme: Theme, notebook: Notebook) -> str:
    known = recorded(answers, among(theme))
    missing = answers.missing(known)
    people = answers.card(Query(among(theme)), missing=missing)
    if not people.has_range:
        return _few()
    n = surely(people)
    least = number(n)
    notebook.card("day.people", people, least, *estimate_printed(people))
    text = {
        "women": ngettext(
            "Between {first} and {last}, at least {least} woman or girl was identified as a victim "
            "of human trafficking ({interval}).",
            "Between {first} and {last}, at least {least} women and girls were identified as "
            "victims of human trafficking ({interval}).",
            n,
        ),
        "children": ngettext(
            "Between {first} and {last}, at least {least} child under 18 was identified as a "
            "victim of human trafficking ({interval}).",
            "Between {first} and {last}, at least {least} children under 18 were identified as "
            "victims of human trafficking ({interval}).",
            n,
        ),
        "labour": ngettext(
            "Between {first} and {last}, at least {least} person was identified as a victim of "
            "forced labour ({interval}).",
            "Between {first} and {last}, at least {least} people were identified as victims of "
            "forced labour ({interval}).",
            n,
        ),
    }[theme]
    first, last = (year(y) for y in answers.release.years)
    told = text.format(first=first, last=last, least=least, interval=estimate(people))
    if missing is None:
        return told
    notebook.add("day.missing", "missing", missing, (share(missing),), known.where, {})
    text = _("For {share} of all people this information is not recorded.")
    return f"{told} {text.format(share=share(missing))}"


def _few() -> str:
    return _("Not shown: below the reporting threshold; this is not zero.")


def _events(events: tuple[Event, ...], notebook: Notebook) -> Section:
    paragraphs = tuple(told_event(event) for event in events[:MOST])
    if (more := len(events) - MOST) > 0:
        words = ngettext(
            "{n} more event of this day is in the hub's calendar.",
            "{n} more events of this day are in the hub's calendar.",
            more,
        ).format(n=number(more))
        notebook.add("day.events", "sum", more, (number(more),))
        paragraphs = (*paragraphs, words)
    if not paragraphs:
        paragraphs = (_("The hub's calendar has no event on this day."),)
    return Section("events", _("On this day"), (Words(paragraphs),))


def told_event(event: Event) -> str:
    """An event in one line."""
    when = _("all day")
    if isinstance(event.start, datetime):
        start = clock(event.start.time())
        when = _("{start} (time zone: {zone})").format(start=start, zone=event.time_zone)
    elif event.last_day > event.first_day:
        when = _("{first} to {last}").format(
            first=in_words(event.first_day), last=in_words(event.last_day)
        )
    where = _(", ").join(set_apart(part) for part in (event.place, event.region) if part)
    title = set_apart(event.title)
    return _("{title}. {when}. {place}.").format(title=title, when=when, place=where)
