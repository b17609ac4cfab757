"""A brief on a country or a region, from both sides: its citizens, and people exploited in it."""

from __future__ import annotations

from dataclasses import dataclass

from ctdhub.core.i18n import _
from ctdhub.document.document import Section
from ctdhub.document.numbers import Notebook
from ctdhub.report.brief import assistance
from ctdhub.report.brief.blocks import by_year, drawn
from ctdhub.report.brief.change import changed
from ctdhub.report.brief.signals import signs
from ctdhub.report.brief.subjects import BriefPlace
from ctdhub.report.places import SIDES, sides
from ctdhub.report.sentences import MAIN_TYPES, people_printed, side_sentences
from ctdhub.report.wording import printed
from ctdhub.schema import countries
from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition.subject import ChangeSubject
from ctdhub.stats.headline import PlaceFacts, place_facts
from ctdhub.stats.perspective import Side, SideName

KEEP = {
    "years": (80, 35),
    "age": (60, 30),
    "exploitation": (90, 55),
    "means-of-control": (40, 20),
    "corridors": (70, 50),
}
"""How much a figure matters on the side with more people, and on the other one."""
FIRST = "gender"
HEAD = (None, 65)
"""The same for the figure that a side begins with."""


@dataclass(frozen=True)
class BriefText:
    """What a brief says about its subject: the sentences at its head, its sections."""

    lead: tuple[str, ...]
    sections: tuple[Section, ...]


def told(answers: Answers, place: BriefPlace, notebook: Notebook) -> BriefText:
    """The facts of a place; where it has too few people, those of its region stand in for it."""
    facts = place_facts(answers, place.key)
    order: list[SideName] = ["citizens", "exploited"]
    order.sort(key=lambda name: -_side(facts, name).people.middle)
    held = [name for name in order if _side(facts, name).people.has_range]
    lead = tuple(lines(facts, name, notebook) for name in held)
    sections = [
        section
        for rank, name in enumerate(held)
        for section in _sections(answers, place, name, rank, notebook)
    ]
    if held:
        sections += assistance.in_place(answers, place, notebook)
        sections += signs(answers, place, notebook)
        asked = [ChangeSubject(SIDES[name], place.key) for name in held]
        sections += changed(answers, asked, notebook)
    else:
        lead = (_("Not shown: below the reporting threshold; this is not zero."),)
        above = countries.region(place.key) if place.is_country else countries.NO_REGION
        if above != countries.NO_REGION:
            around = place_facts(answers, above)
            found = [lines(around, name, notebook) for name in order]
            lead = (*lead, _("The region as a whole:"), *(line for line in found if line))
    return BriefText(lead, tuple(sections))


def lines(facts: PlaceFacts, name: SideName, notebook: Notebook) -> str:
    """The sentences of one side as a paragraph, its numbers noted."""
    side = _side(facts, name)
    if not side.people.has_range:
        return ""
    id = f"{facts.place.lower()}-{name}"
    notebook.card(f"{id}.people", side.people, *people_printed(side))
    notebook.card(f"{id}.women", side.women, *printed(side.women))
    for flag, card in side.exploitation[:MAIN_TYPES]:
        notebook.card(f"{id}.{flag}", card, *printed(card))
    return " ".join(side_sentences(facts, name))


def _side(facts: PlaceFacts, name: SideName) -> Side:
    return facts.citizens if name == "citizens" else facts.exploited


def _sections(
    answers: Answers, place: BriefPlace, name: SideName, rank: int, notebook: Notebook
) -> list[Section]:
    where, title = sides(place.key)[name].where, _title(name, is_country=place.is_country)
    found = drawn(answers, where, f"{name}-", (FIRST, *KEEP), notebook)
    sections = []
    if (first := found.get(FIRST)) is not None:
        sections.append(Section(f"{name}-{FIRST}", title, (first,), HEAD[rank], title))
    elif found:
        sections.append(Section(f"{name}-head", title, (), HEAD[rank], title))
    for kind in ("exploitation", "years", "corridors", "age", "means-of-control"):
        block = (
            by_year(answers, where, f"{name}-years", notebook)
            if kind == "years"
            else found.get(kind)
        )
        if block is not None:
            named = _("{title}: {subtitle}").format(title=title, subtitle=block.subtitle)
            sections.append(Section(f"{name}-{kind}", "", (block,), KEEP[kind][rank], named))
    return sections


def _title(name: SideName, *, is_country: bool) -> str:
    assert name in SIDES
    if name == "citizens":
        return _("As country of citizenship") if is_country else _("By citizenship")
    return _("As country of exploitation") if is_country else _("By place of exploitation")
