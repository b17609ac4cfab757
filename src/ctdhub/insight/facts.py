"""Headline facts and facts of a place, as cards and as sentences.

Belongs here: which figures a reader meets first, and their sentences.
Does not belong here: how a figure is computed (``answers``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ctdhub.i18n import _, current, ngettext
from ctdhub.insight.answers import Answer, Answers, Where
from ctdhub.insight.cards import NumberCard, Unit, card
from ctdhub.insight.tables import CITIZENSHIP, EXPLOITATION_COUNTRY, YEAR, YES
from ctdhub.insight.words import inline, interval, listed, number, share, year
from ctdhub.schema import countries, load_schema
from ctdhub.schema.labels import label

MAIN_TYPES, TOP_CORRIDORS = 2, 5

SideName = Literal["citizens", "exploited"]


@dataclass(frozen=True)
class Headline:
    """The first figures of a release; nationalities and countries are numbers of cells that are
    shown, so they read "at least"; ``years`` are the first and last that the release covers."""

    years: tuple[int, int]
    people: NumberCard
    nationalities: NumberCard
    countries: NumberCard
    contributors: NumberCard

    def sentence(self) -> str:
        """The headline in the language in force, its interval in it."""
        return _(
            "{people} people were identified as victims of human trafficking from {first} to "
            "{last} (between {low} and {high} at {level} confidence)."
        ).format(
            first=year(self.years[0]),
            last=year(self.years[1]),
            people=_value(self.people),
            low=number(self.people.low or 0),
            high=number(self.people.high or 0),
            level=share(self.people.level),
        )

    def reach(self) -> str:
        """How many nationalities and countries, empty where they are not shown."""
        if self.nationalities.value is None or self.countries.value is None:
            return ""
        origins, places = int(self.nationalities.value), int(self.countries.value)
        return _("They have {nationalities} and were exploited in {countries}.").format(
            nationalities=ngettext(
                "at least {n} nationality", "at least {n} nationalities", origins
            ).format(n=number(origins)),
            countries=ngettext(
                "at least {n} country or territory",
                "at least {n} countries and territories",
                places,
            ).format(n=number(places)),
        )


def headline(answers: Answers) -> Headline:
    """People identified, nationalities, countries of exploitation, contributors."""
    release = answers.release
    return Headline(
        years=release.years,
        people=card(release, answers.count({}), "people"),
        nationalities=_at_least(answers, CITIZENSHIP, "nationalities"),
        countries=_at_least(answers, EXPLOITATION_COUNTRY, "countries"),
        contributors=_exactly(answers, len(release.facts.contributors)),
    )


@dataclass(frozen=True)
class Side:
    """People seen from one side of a region: its citizens, or those exploited there.

    ``women`` is a share of the people whose gender is recorded; ``exploitation`` pairs a flag
    with its share of the people with any type of exploitation recorded, largest first;
    ``corridors`` are citizenship, country of exploitation and people, all years.
    """

    people: NumberCard
    women: NumberCard
    exploitation: tuple[tuple[str, NumberCard], ...]
    corridors: tuple[tuple[str, str, NumberCard], ...]


@dataclass(frozen=True)
class PlaceFacts:
    """A place's citizens exploited anywhere, and the people exploited in it.

    Attributes:
        place: a country (ISO 3166 alpha-3), or a key of :func:`ctdhub.schema.countries.members`.
    """

    place: str
    years: tuple[int, int]
    citizens: Side
    exploited: Side

    def sentences(self) -> tuple[str, ...]:
        """The facts in the language in force; what is not shown is left out, not guessed."""
        return tuple(sentence for side in self.paragraphs() for sentence in side)

    def paragraphs(self) -> tuple[tuple[str, ...], ...]:
        """The same sentences, one tuple for each side of the region that has any."""
        return tuple(half for half in (self.half("citizens"), self.half("exploited")) if half)

    def half(self, side: SideName) -> tuple[str, ...]:
        """The sentences of one side, empty where its people are too few to show."""
        found = self.citizens if side == "citizens" else self.exploited
        if found.people.value is None:
            return ()
        return (self._people(_people_text(side, self.is_country), found.people), *_profile(found))

    @property
    def is_country(self) -> bool:
        """Whether the place is a single country."""
        return self.place in countries.ALPHA3

    def _people(self, text: str, people: NumberCard) -> str:
        first, last = (year(y) for y in self.years)
        named = countries.name if self.is_country else countries.region_name
        return text.format(
            first=first,
            last=last,
            people=_value(people),
            region=named(self.place, current()),
            low=number(people.low or 0),
            high=number(people.high or 0),
        )


def _people_text(side: SideName, is_country: bool) -> str:
    """Names of countries stand alone: in many languages a preposition would change them."""
    if is_country and side == "citizens":
        return _(
            "{region}, as country of citizenship: between {first} and {last}, {people} people "
            "were identified as exploited anywhere in the world (between {low} and {high})."
        )
    if is_country:
        return _(
            "{region}, as country of exploitation: between {first} and {last}, {people} people "
            "of any citizenship were identified (between {low} and {high})."
        )
    if side == "citizens":
        return _(
            "Between {first} and {last}, {people} people with the citizenship of a country in "
            "{region} were identified as exploited anywhere in the world "
            "(between {low} and {high})."
        )
    return _(
        "Between {first} and {last}, {people} people of any citizenship were identified "
        "as exploited in {region} (between {low} and {high})."
    )


def place_facts(
    answers: Answers, place: str = "europe", years: tuple[int, int] | None = None
) -> PlaceFacts:
    """Facts of a country or of a region of the world.

    Args:
        place: a country (ISO 3166 alpha-3), or a key of
            :func:`ctdhub.schema.countries.members`, for example "europe" or "eu".
        years: first and last year, both included; None or all years that the release covers: no
            condition, so people whose year is not recorded are in.

    Raises:
        KeyError: no such place.
    """
    inside = (place,) if place in countries.ALPHA3 else countries.members(place)
    when: dict[str, tuple[str, ...]] = {}
    if years is not None and years not in (answers.years, answers.release.years):
        when = {YEAR: tuple(str(y) for y in range(years[0], years[1] + 1))}
    return PlaceFacts(
        place=place,
        years=years or answers.release.years,
        citizens=_side(answers, CITIZENSHIP, inside, when),
        exploited=_side(answers, EXPLOITATION_COUNTRY, inside, when),
    )


def _side(answers: Answers, variable: str, inside: tuple[str, ...], when: Where) -> Side:
    schema = load_schema()
    place: Where = {variable: inside, **when}
    gender: Where = {**place, "gender": answers.domain("gender")}
    indicator = schema.groups["exploitation"].indicator or ""
    some: Where = {**place, indicator: [YES]}
    types = [
        (flag, _share(answers, {**place, flag: [YES]}, some))
        for flag in schema.flags("exploitation")
        if flag in answers.variables
    ]
    types = [(flag, c) for flag, c in types if c.value is not None]
    types.sort(key=lambda pair: -(pair[1].value or 0))
    cells = answers.cells(CITIZENSHIP, EXPLOITATION_COUNTRY)
    at = (CITIZENSHIP, EXPLOITATION_COUNTRY).index(variable)
    pairs = [pair for pair in cells if all(pair) and pair[at] in inside]
    pairs.sort(key=lambda pair: (-cells[pair].value, pair))
    return Side(
        people=card(answers.release, answers.count(place), "people"),
        women=_share(answers, {**place, "gender": ["female"]}, gender),
        exploitation=tuple(types),
        corridors=tuple((a, b, _corridor(answers, a, b)) for a, b in pairs[:TOP_CORRIDORS]),
    )


def _share(answers: Answers, part: Where, whole: Where) -> NumberCard:
    base = answers.count(whole).value
    denominator = None if base is None else round(base)
    return card(answers.release, answers.share(part, whole), "share", denominator=denominator)


def _corridor(answers: Answers, origin: str, place: str) -> NumberCard:
    where: Where = {CITIZENSHIP: [origin], EXPLOITATION_COUNTRY: [place]}
    return card(answers.release, answers.count(where), "people")


def _at_least(answers: Answers, variable: str, unit: Unit) -> NumberCard:
    if answers.measured(variable) is None:
        return card(answers.release, Answer(None, None, None), unit)
    shown = sum(1 for (code,) in answers.cells(variable) if code)
    return card(answers.release, Answer(shown, shown, len(answers.domain(variable))), unit)


def _exactly(answers: Answers, n: int) -> NumberCard:
    return card(answers.release, Answer(n, n, n), "contributors")


def _profile(side: Side) -> list[str]:
    found = []
    if side.women.value is not None:
        found.append(
            _(
                "Of those whose gender is recorded, {share} are women and girls ({low} to {high})."
            ).format(**_interval(side.women))
        )
    if side.exploitation:
        kinds = [
            _("{name} ({share}; {low} to {high})").format(
                name=inline(label(flag, current())), **_interval(c)
            )
            for flag, c in side.exploitation[:MAIN_TYPES]
        ]
        found.append(
            _(
                "Where a type of exploitation is recorded, the main ones are: {types}. A person "
                "may have suffered several."
            ).format(types=listed(kinds))
        )
    return found


def _interval(c: NumberCard) -> dict[str, str]:
    low, high = interval(c.low or 0, c.high or 0)
    return {"share": share(c.value or 0), "low": low, "high": high}


def _value(c: NumberCard) -> str:
    return number(c.value or 0)
