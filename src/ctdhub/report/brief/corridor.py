"""A brief on a corridor: citizens of one country who were exploited in another, or at home."""

from __future__ import annotations

from ctdhub.core.format import number, share, year
from ctdhub.core.i18n import _, current
from ctdhub.document.document import Section
from ctdhub.document.numbers import Notebook
from ctdhub.report.brief.blocks import by_year, drawn
from ctdhub.report.brief.change import on_corridor
from ctdhub.report.brief.place import BriefText
from ctdhub.report.brief.signals import signs
from ctdhub.report.brief.subjects import Corridor
from ctdhub.report.claims import surely
from ctdhub.report.sentences import estimate, estimate_printed
from ctdhub.report.wording import ranged
from ctdhub.schema import countries
from ctdhub.schema.roles import DESTINATION, ORIGIN
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Query, Where

KEEP = {"gender": 95, "exploitation": 90, "age": 60, "means-of-control": 40}


def told(answers: Answers, corridor: Corridor, notebook: Notebook) -> BriefText:
    """People on the corridor: how many, their part of both countries' people, by year, who, what
    differs from before."""
    where, release = corridor.where, answers.release
    both = {v: answers.domain(v) for v in (ORIGIN, DESTINATION)}
    missing = answers.missing(Query(both, of=Query()))
    people = answers.card(Query(where), missing=missing)
    first, last = (year(y) for y in release.years)
    if not people.has_range:
        return BriefText((_("Not shown: below the reporting threshold; this is not zero."),), ())
    least = number(surely(people))
    notebook.card("corridor.people", people, least, *estimate_printed(people))
    lead = [
        _(
            "{corridor}: between {first} and {last}, at least {least} people with both countries "
            "recorded were identified ({interval})."
        ).format(
            corridor=corridor.name, first=first, last=last, least=least, interval=estimate(people)
        )
    ]
    if missing is not None:
        notebook.add("corridor.missing", "missing", missing, (share(missing),), both, {})
        text = _("For {share} of all people at least one of the two countries is not recorded.")
        lead.append(text.format(share=share(missing)))
    lead += [_part(answers, corridor, name, notebook) for name in (ORIGIN, DESTINATION)]
    found = drawn(answers, where, "corridor-", KEEP, notebook)
    sections = [Section("corridor", _("In numbers"), ())]
    if (years := by_year(answers, where, "corridor-years", notebook)) is not None:
        sections.append(Section("corridor-years", "", (years,), 80, years.subtitle))
    sections += [
        Section(f"corridor-{kind}", "", (found[kind],), keep, found[kind].subtitle)
        for kind, keep in KEEP.items()
        if kind in found
    ]
    sections += signs(answers, corridor, notebook)
    sections += on_corridor(answers, corridor, notebook)
    return BriefText((" ".join(line for line in lead if line),), tuple(sections))


def _part(answers: Answers, corridor: Corridor, name: str, notebook: Notebook) -> str:
    """The corridor's share of the people of one of its two countries."""
    other = DESTINATION if name == ORIGIN else ORIGIN
    code = corridor.origin if name == ORIGIN else corridor.destination
    whole: Where = {name: [code], other: answers.domain(other)}
    found = answers.card(Query(corridor.where, of=Query(whole)))
    if not found.has_range:
        return ""
    notebook.card(f"corridor.of-{name}", found, ranged(found))
    text = (
        _(
            "{country}, as country of citizenship: of those whose country of exploitation is "
            "recorded, {share}."
        )
        if name == ORIGIN
        else _(
            "{country}, as country of exploitation: of those whose citizenship is recorded, "
            "{share}."
        )
    )
    named = countries.name(code, current())
    return text.format(country=named, share=ranged(found))
