"""A paragraph for a press release: claims that a release is sure of, each with its card."""

from __future__ import annotations

from ctdhub.core.format import inline, share, year
from ctdhub.core.i18n import _, current, ngettext
from ctdhub.report.called import called
from ctdhub.report.claims import is_majority, people_claim, share_words, surely
from ctdhub.report.facts import FactLine, FactSection, FactSheet, no_people, side_titles
from ctdhub.report.sentences import (
    MAIN_TYPES,
    SEVERAL,
    estimate,
    people_sentence,
    span_of,
    types_sentence,
    undated,
    women_sentence,
)
from ctdhub.report.wording import printed
from ctdhub.schema.labels import label
from ctdhub.schema.places import Place
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.headline import everyone, headline, place_facts
from ctdhub.stats.perspective import Side


def press_sheet(
    answers: Answers, place: Place | None = None, years: tuple[int, int] | None = None
) -> FactSheet:
    """A paragraph for each side of a place, or for the whole release, in the language in force.

    Each line of a section is one clause: its sentence and the card behind it.  A clause that the
    release is not sure of is said in digits, or left out where nothing is shown.

    Args:
        years: first and last, both included; all by default.
    """
    release = answers.release
    covered = years or release.years
    sections = []
    if place is None:
        side = everyone(answers, years)
        told = _everybody(side, covered)
        if told and headline(answers, years).undated:
            told += " " + undated()
        people = FactLine("people", _("People identified"), side.people, told)
        sections.append(_section("everyone", _("All people"), people, side))
    else:
        facts = place_facts(answers, place, years)
        for name, title in side_titles(place).items():
            side = facts.side(name)
            told = ""
            if side.people.has_range:
                claim = people_claim(side.people)
                told = people_sentence(place, name, facts.years, side, claim)
            if told and facts.undated:
                told += " " + undated()
            people = FactLine("people", _("People identified"), side.people, told)
            sections.append(_section(name, title, people, side))
    return FactSheet(
        release=release,
        lang=current(),
        title=called(release.facts) if place is None else place.name(current()),
        place=place,
        years=covered,
        corridors_in_years=True,
        sections=tuple(sections),
        is_press=True,
    )


def _section(id: str, title: str, people: FactLine, side: Side) -> FactSection:
    if not people.sentence:
        return FactSection(id, title, (no_people(side.people),), (people,))
    lines = [people]
    if side.women.has_range:
        name = _("Women and girls, of those whose gender is recorded")
        lines.append(FactLine("women", name, side.women, _women(side.women)))
    lines += _types(side)
    return FactSection(
        id, title, tuple(line.sentence for line in lines if line.sentence), tuple(lines)
    )


def _everybody(side: Side, years: tuple[int, int]) -> str:
    claim = people_claim(side.people) or span_of(side.people)
    if not side.people.has_range:
        return ""
    when = _("In {first}") if years[0] == years[1] else _("Between {first} and {last}")
    return ngettext(
        "{when}, {claim} person was identified as a victim of human trafficking ({interval}).",
        "{when}, {claim} people were identified as victims of human trafficking ({interval}).",
        surely(side.people) or SEVERAL,
    ).format(
        when=when.format(first=year(years[0]), last=year(years[1])),
        claim=claim,
        interval=estimate(side.people),
    )


def _women(women: NumberCard) -> str:
    if not (words := share_words(women)):
        return women_sentence(women)
    return _(
        "Of those whose gender is recorded, {claim} are women and girls ({share}, between {low} "
        "and {high}; not recorded for {missing} of people)."
    ).format(claim=words, **_behind(women))


def _types(side: Side) -> list[FactLine]:
    """The clause on exploitation: "mainly" where most suffered it, "most frequent" where it has
    the largest share beyond doubt, else the shares of the first two."""
    if not side.exploitation:
        return []
    (flag, first), *_rest = side.exploitation
    name = label(flag, current())
    if is_majority(first) and first.value is not None and side.main_types(1):
        text = _(
            "They were mainly trafficked for {type} ({share} of those whose type of exploitation "
            "is recorded, between {low} and {high}; not recorded for {missing} of people)."
        )
    elif first.value is not None and side.main_types(1):
        text = _(
            "The type of exploitation recorded most often is {type} ({share} of those for whom a "
            "type is recorded, between {low} and {high}; not recorded for {missing} of people)."
        )
    else:
        told = types_sentence(side)
        cards = side.exploitation[:MAIN_TYPES]
        return [
            FactLine(f, label(f, current()), c, told if k == 0 else "")
            for k, (f, c) in enumerate(cards)
        ]
    return [FactLine(flag, name, first, text.format(type=inline(name), **_behind(first)))]


def _behind(card: NumberCard) -> dict[str, str]:
    value, low, high = printed(card)
    missing = "–" if card.missing is None else share(card.missing)
    return {"share": value, "low": low, "high": high, "missing": missing}
