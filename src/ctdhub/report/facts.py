"""A sheet of facts as a document, and a paragraph for a press release of what a release is sure
of.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ctdhub.core import tables
from ctdhub.core.format import inline, listed, number, share, span
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, language
from ctdhub.document import text
from ctdhub.document.document import Block, Document, Meta, Section, Sentences, TextTable, Words
from ctdhub.release.errata import plain_data
from ctdhub.release.open import Release
from ctdhub.report import sentences as saying
from ctdhub.report import wording
from ctdhub.schema.countries import Place, place_of
from ctdhub.schema.labels import label
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.tables import PlaceFacts, Side, SideName, everyone, headline, place_facts
from ctdhub.stats.trend import breaks_within

# --------------------------------------------------------------------------------------------------
# A sheet of facts as a document: sentences and number cards as text, Markdown or JSON.
#
# The JSON has the keys of :func:`as_data`; they stay as they are, codes are never translated.


@dataclass(frozen=True)
class FactLine:
    """A card with its id and its label in the language of the sheet.

    ``sentence`` is the clause that says it, in a paragraph for a press release.
    """

    id: str
    label: str
    card: NumberCard
    sentence: str = ""


@dataclass(frozen=True)
class FactSection:
    """One side of a place, or the whole release: its title, sentences and cards."""

    id: str
    title: str
    sentences: tuple[str, ...]
    lines: tuple[FactLine, ...]


@dataclass(frozen=True)
class FactSheet:
    """Facts of a release, or of a place in it, in the language that was in force.

    Attributes:
        place: None where the sheet is about the whole release.
        corridors_in_years: False where the corridors are over all years and the rest is not.
        is_press: whether it is a paragraph for a press release, each clause with its card.
    """

    release: Release
    place: Place | None
    years: tuple[int, int]
    sections: tuple[FactSection, ...]
    corridors_in_years: bool = True
    is_press: bool = False
    lang: str = field(default_factory=current)

    @property
    def title(self) -> str:
        """What the sheet is about: the place, or the hub."""
        with language(self.lang):
            hub = wording.called(self.release.facts)
            return hub if self.place is None else self.place.name(self.lang)


def headline_sheet(answers: Answers, years: tuple[int, int] | None = None) -> FactSheet:
    """The sheet of the whole release, in the language in force."""
    first, side = headline(answers, years), everyone(answers, years)
    limited = first.years != answers.release.years
    why = saying.why(first.nationalities.state) or saying.why(first.countries.state)
    none = _("Nationalities and countries of exploitation: {why}.").format(why=why)
    opening = no_people(first.people) or saying.headline_sentence(first)
    lines = (
        FactLine("people", _("People identified"), first.people),
        FactLine("nationalities", _("Nationalities, at least"), first.nationalities),
        FactLine(
            "countries", _("Countries and territories of exploitation, at least"), first.countries
        ),
        FactLine("contributors", _("Organisations that contributed"), first.contributors),
        *_lines(side),
        *(FactLine("assisted", _("Received assistance, at least"), c) for _k, c in first.assisted),
    )
    told = (opening, saying.reach_sentence(first) or none, *saying.profile(side, limited=limited))
    told = *told, saying.assisted_sentence(first.assisted)
    section = FactSection("everyone", _("All people"), tuple(filter(None, told)), lines)
    in_years = side.corridors_in_years or not limited
    return FactSheet(answers.release, None, first.years, (section,), in_years)


def place_sheet(facts: PlaceFacts, release: Release) -> FactSheet:
    """The sheet of a place, in the language in force."""
    sections = []
    for name, title in side_titles(facts.where).items():
        side = facts.side(name)
        sentences: tuple[str, ...] = (no_people(side.people),)
        if side.people.has_range:
            opening = saying.people_sentence(facts.where, name, facts.years, side)
            if facts.undated:
                opening += " " + saying.undated()
            sentences = (opening, *saying.profile(side, limited=facts.limited))
        lines = (FactLine("people", _("People identified"), side.people), *_lines(side))
        sections.append(FactSection(name, title, sentences, lines))
    in_years = facts.citizens.corridors_in_years or not facts.limited
    return FactSheet(release, facts.where, facts.years, tuple(sections), in_years)


def side_titles(place: Place) -> dict[SideName, str]:
    """Titles of the two sides of a place; only a country has a citizenship."""
    sides: tuple[SideName, ...] = ("citizens", "exploited")
    return {side: saying.words_of("side_title", side, place.kind) for side in sides}


def no_people(people: NumberCard) -> str:
    """Why nothing can be said of these people; empty where they are shown."""
    return saying.words_of("no_people", people.state)


def _lines(side: Side) -> list[FactLine]:
    lines = [FactLine("women", _("Women and girls, of those whose gender is recorded"), side.women)]
    lines += [FactLine(flag, label(flag, current()), c) for flag, c in side.types]
    lines += [
        FactLine(f"corridor:{origin}-{place}", saying.corridor(origin, place), c)
        for origin, place, c in side.corridors
    ]
    return lines


def as_data(sheet: FactSheet) -> dict[str, Any]:
    """The sheet as plain values: release and place, then sections of sentences and cards.

    A card has an id ("people", "women", a flag of exploitation, "corridor:UKR-POL", …), its label,
    the years that it is about, every attribute of :class:`NumberCard` that is printed, caveat and
    citation; in a paragraph for a press release also the sentence that says it and its query.
    """
    release, place = sheet.release, sheet.place
    return {
        "release": release.version,
        "hub": release.facts.hub,
        "invented": release.facts.invented,
        "licence": release.facts.licence,
        **({"errata": plain_data(release.errata)} if release.errata else {}),
        "language": sheet.lang,
        "place": place
        and {
            "key": place.key,
            "kind": place.kind,
            "name": sheet.title,
            "countries": list(place.members),
        },
        "years": list(sheet.years),
        "sections": [
            {
                "id": section.id,
                "title": section.title,
                "sentences": list(section.sentences),
                "cards": [
                    {
                        "id": line.id,
                        "label": line.label,
                        "years": list(_years(sheet, line)),
                        **wording.card_data(line.card, release),
                        **_clause(sheet, line),
                    }
                    for line in section.lines
                ],
            }
            for section in sheet.sections
        ],
    }


def _clause(sheet: FactSheet, line: FactLine) -> dict[str, Any]:
    """In a paragraph for a press release: the sentence that says the card, and its query."""
    if not sheet.is_press:
        return {}
    return {"sentence": line.sentence, "query": line.card.query and line.card.query.as_json()}


def as_json(sheet: FactSheet) -> str:
    """:func:`as_data` as JSON."""
    return tables.as_json(as_data(sheet))


def as_markdown(sheet: FactSheet) -> str:
    """Sentences, a table of the cards, and the citation."""
    return text.write_markdown(document(sheet, cards=True))


def document(sheet: FactSheet, *, cards: bool) -> Document:
    """The sheet as a document: each side of the place, then what to know about all of it.

    Args:
        cards: give the cards of each side as a table too; without them a side that stands alone
            needs no title.
    """
    lang = sheet.lang
    parts = []
    for section in sheet.sections:
        blocks: tuple[Block, ...] = (Sentences(section.sentences),)
        if sheet.is_press:
            blocks = (Words((" ".join(section.sentences),)),)
        if cards:
            rows = tuple(
                (*cells(sheet, line), *([wording.query(line.card.query)] if sheet.is_press else []))
                for line in section.lines
            )
            titles = (*head(), *([_("Question")] if sheet.is_press else []))
            blocks += (TextTable("", "", titles, rows),)
        title = section.title if cards or len(sheet.sections) > 1 else ""
        parts.append(Section(section.id, title, blocks))
    return Document(
        meta=Meta(lang, lang in RIGHT_TO_LEFT, wording.called(sheet.release.facts)),
        title=_("{place}, {years}").format(place=sheet.title, years=span(sheet.years)),
        lead=(),
        sections=(*parts, Section("notes", "", (Words(tuple(_notes(sheet))),))),
    )


FORMS: Mapping[str, Callable[[FactSheet], str]] = {
    "text": lambda sheet: text.write_plain(document(sheet, cards=sheet.is_press)),
    "json": as_json,
    "markdown": as_markdown,
}


def head() -> tuple[str, ...]:
    """Titles of :func:`cells`."""
    return (_("Item"), _("Value"), _("Lower bound"), _("Upper bound"), _("Of"), _("Not recorded"))


def cells(sheet: FactSheet, line: FactLine) -> tuple[str, ...]:
    """A line in words: label, value or why there is none, interval (of people the second one, where
    there is one), denominator, missing share."""
    c, name = line.card, line.label
    if _years(sheet, line) != sheet.years:
        name = _("{label}, all years").format(label=name)
    missing = "–" if c.missing is None else share(c.missing)
    if not c.has_range:
        return (name, saying.why(c.state), "–", "–", "–", missing)
    value = saying.why(c.state) or wording.printed(c)[0]
    base = "–" if c.denominator is None else number(c.denominator)
    ends = saying.once_printed(c)[:2] if c.unit == "people" else ()
    return (name, value, *(ends or wording.ends(c)), base, missing)


def _years(sheet: FactSheet, line: FactLine) -> tuple[int, int]:
    """The years that a card is about."""
    all_years = line.id.startswith("corridor:") and not sheet.corridors_in_years
    return sheet.release.years if all_years else sheet.years


def _spelt_out(place: Place, lang: str) -> str:
    """The places that a name stands for, where the reader cannot know them from the name."""
    if place.kind == "list" and place.title:
        return replace(place, title="").name(lang)
    if place.kind == "set":
        return place_of("+".join(place.members)).name(lang)
    return ""


def _notes(sheet: FactSheet) -> list[str]:
    c = sheet.sections[0].lines[0].card
    notes = [
        f"{wording.caveat()} {saying.identified()}",
        _("Intervals hold with {level} confidence.").format(level=share(c.level)),
        wording.comparison_note(sheet.release),
    ]
    if sheet.is_press and sheet.place is not None:
        notes.append(saying.words_of("no_route"))
    if sheet.place is not None and (countries := _spelt_out(sheet.place, sheet.lang)):
        notes.append(_("{name}: {countries}.").format(name=sheet.title, countries=countries))
    who = wording.called_all(c.contributors, sheet.release.facts)
    notes.append(_("Who contributed: {names}.").format(names=listed(who)))
    declared = breaks_within(sheet.release, None, *sheet.years)
    notes += [wording.break_sentence(one, sheet.release.facts) for one in declared]
    notes += [notice.text for notice in wording.notices(sheet.release)]
    notes += [*sheet.release.facts.caveats, wording.citation(sheet.release)]
    return notes


# --------------------------------------------------------------------------------------------------
# A paragraph for a press release: claims that a release is sure of, each with its card.


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
    sections = []
    if place is None:
        side = everyone(answers, years)
        sentence = _everybody(side, years or release.years)
        if sentence and headline(answers, years).undated:
            sentence += " " + saying.undated()
        sections.append(_section("everyone", _("All people"), sentence, side))
    else:
        facts = place_facts(answers, place, years)
        for name, title in side_titles(place).items():
            side, sentence = facts.side(name), ""
            if side.people.has_range:
                claim = wording.people_claim(side.people)
                sentence = saying.people_sentence(place, name, facts.years, side, claim)
            if sentence and facts.undated:
                sentence += " " + saying.undated()
            sections.append(_section(name, title, sentence, side))
    return FactSheet(release, place, years or release.years, tuple(sections), is_press=True)


def _section(id: str, title: str, sentence: str, side: Side) -> FactSection:
    people = FactLine("people", _("People identified"), side.people, sentence)
    if not sentence:
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
    claim = wording.people_claim(side.people) or saying.span_of(side.people)
    if not side.people.has_range:
        return ""
    return saying.words_of("press_everybody", years, claim, saying.estimate(side.people))


def _women(women: NumberCard) -> str:
    if not (words := wording.share_words(women)):
        return saying.women_sentence(women)
    return saying.words_of("press_women", words, wording.claimed(women), **_behind(women))


def _types(side: Side) -> list[FactLine]:
    """The clause on exploitation: "mainly" where most suffered it, "most frequent" where it has
    the largest share beyond doubt, else the shares of the first two."""
    if not side.exploitation:
        return []
    (flag, first), *_rest = side.exploitation
    if first.value is None or not side.main_types(1):
        line = saying.types_sentence(side)
        return [
            FactLine(f, label(f, current()), c, line if k == 0 else "")
            for k, (f, c) in enumerate(side.exploitation[: saying.MAIN_TYPES])
        ]
    name = label(flag, current())
    line = saying.words_of("press_type", wording.is_majority(first), inline(name), **_behind(first))
    return [FactLine(flag, name, first, line)]


def _behind(card: NumberCard) -> dict[str, str]:
    value, low, high = wording.printed(card)
    missing = "–" if card.missing is None else share(card.missing)
    return {"share": value, "low": low, "high": high, "missing": missing}
