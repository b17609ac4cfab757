"""Facts as whole sentences in the language in force, each number with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from ctdhub.core.format import inline, interval, listed, number, share, year
from ctdhub.core.i18n import _, current, ngettext
from ctdhub.schema import countries
from ctdhub.schema.labels import label
from ctdhub.schema.places import Place
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.headline import PlaceFacts
from ctdhub.stats.perspective import Headline, Side, SideName

MAIN_TYPES = 2


def headline_sentence(first: Headline) -> str:
    """People identified, from which year to which, with the interval and its level."""
    return ngettext(
        "{people} person was identified as a victim of human trafficking {when} "
        "(between {low} and {high} at {level} confidence).",
        "{people} people were identified as victims of human trafficking {when} "
        "(between {low} and {high} at {level} confidence).",
        round(first.people.value or 0),
    ).format(
        when=_when(first.years, _("in {first}"), _("from {first} to {last}")),
        people=number(first.people.value or 0),
        low=number(first.people.low or 0),
        high=number(first.people.high or 0),
        level=share(first.people.level),
    )


def undated() -> str:
    """What a span of years leaves out of the words where it makes no condition."""
    return _("People whose year is not recorded are counted too.")


def reach_sentence(first: Headline) -> str:
    """How many nationalities and countries, where they are shown, and whether years are missing."""
    note = undated() if first.undated else ""
    if first.nationalities.value is None or first.countries.value is None:
        return note
    origins, places = int(first.nationalities.value), int(first.countries.value)
    told = _("They have {nationalities} and were exploited in {countries}.").format(
        nationalities=ngettext(
            "at least {n} nationality", "at least {n} nationalities", origins
        ).format(n=number(origins)),
        countries=ngettext(
            "at least {n} country or territory",
            "at least {n} countries and territories",
            places,
        ).format(n=number(places)),
    )
    return f"{told} {note}".strip()


def people_sentence(
    place: Place, side: SideName, years: tuple[int, int], people: NumberCard
) -> str:
    """How many people one side of a place has."""
    when = _when(years, _("In {first}"), _("Between {first} and {last}"))
    if place.kind != "region":
        when = _when(years, _("in {first}"), _("between {first} and {last}"))
    return _people_text(place.kind, side, round(people.value or 0)).format(
        when=when,
        people=number(people.value or 0),
        region=_("{union} (its member states)").format(union=place.name(current()))
        if place.kind == "union"
        else place.name(current()),
        low=number(people.low or 0),
        high=number(people.high or 0),
    )


def _when(years: tuple[int, int], one: str, several: str) -> str:
    """A year, or the first and the last, in the words given for each."""
    text = one if years[0] == years[1] else several
    return text.format(first=year(years[0]), last=year(years[1]))


def _people_text(kind: str, side: SideName, n: int) -> str:
    """Names of countries stand alone: in many languages a preposition would change them."""
    if kind == "country" and side == "citizens":
        return ngettext(
            "{region}, as country of citizenship: {when}, {people} person "
            "was identified as exploited anywhere in the world (between {low} and {high}).",
            "{region}, as country of citizenship: {when}, {people} people "
            "were identified as exploited anywhere in the world (between {low} and {high}).",
            n,
        )
    if kind == "country":
        return ngettext(
            "{region}, as country of exploitation: {when}, {people} person "
            "of any citizenship was identified (between {low} and {high}).",
            "{region}, as country of exploitation: {when}, {people} people "
            "of any citizenship were identified (between {low} and {high}).",
            n,
        )
    if kind in ("list", "union") and side == "citizens":
        return ngettext(
            "{region}, as countries of citizenship: {when}, {people} person "
            "was identified as exploited anywhere in the world (between {low} and {high}).",
            "{region}, as countries of citizenship: {when}, {people} people "
            "were identified as exploited anywhere in the world (between {low} and {high}).",
            n,
        )
    if kind in ("list", "union"):
        return ngettext(
            "{region}, as countries of exploitation: {when}, {people} person "
            "of any citizenship was identified (between {low} and {high}).",
            "{region}, as countries of exploitation: {when}, {people} people "
            "of any citizenship were identified (between {low} and {high}).",
            n,
        )
    if side == "citizens":
        return ngettext(
            "{when}, {people} person with the citizenship of a country in "
            "{region} was identified as exploited anywhere in the world "
            "(between {low} and {high}).",
            "{when}, {people} people with the citizenship of a country in "
            "{region} were identified as exploited anywhere in the world "
            "(between {low} and {high}).",
            n,
        )
    return ngettext(
        "{when}, {people} person of any citizenship was identified "
        "as exploited in {region} (between {low} and {high}).",
        "{when}, {people} people of any citizenship were identified "
        "as exploited in {region} (between {low} and {high}).",
        n,
    )


def place_sentences(facts: PlaceFacts) -> tuple[str, ...]:
    """The facts of a place; what is not shown is left out, not guessed."""
    return tuple(sentence for told in place_paragraphs(facts) for sentence in told)


def place_paragraphs(facts: PlaceFacts) -> tuple[tuple[str, ...], ...]:
    """The same sentences, one tuple for each side of the place that has any."""
    sides = (side_sentences(facts, "citizens"), side_sentences(facts, "exploited"))
    return tuple(told for told in sides if told)


def side_sentences(facts: PlaceFacts, side: SideName) -> tuple[str, ...]:
    """The sentences of one side of a place, empty where its people are too few to show."""
    found = facts.side(side)
    if found.people.value is None:
        return ()
    told = [people_sentence(facts.where, side, facts.years, found.people)]
    if not facts.limited:
        told[0] += " " + undated()
    if found.women.value is not None:
        told.append(women_sentence(found.women))
    if found.exploitation:
        told.append(types_sentence(found.exploitation))
    return tuple(told)


def women_sentence(women: NumberCard) -> str:
    """The share of women and girls."""
    return _(
        "Of those whose gender is recorded, {share} are women and girls ({low} to {high})."
    ).format(**_interval(women))


def types_sentence(types: Sequence[tuple[str, NumberCard]]) -> str:
    """The main types of exploitation."""
    kinds = [
        _("{name} ({share}; {low} to {high})").format(
            name=inline(label(flag, current())), **_interval(c)
        )
        for flag, c in types[:MAIN_TYPES]
    ]
    return _(
        "Where a type of exploitation is recorded, the main ones are: {types}. A person "
        "may have suffered several."
    ).format(types=listed(kinds))


def corridors_sentence(side: Side, *, limited: bool) -> str:
    """The largest corridors, from the country of citizenship to the country of exploitation.

    Args:
        limited: whether the other facts are about some years only.
    """
    named = [
        _("{corridor} ({people}; {low} to {high})").format(
            corridor=corridor(origin, place),
            people=number(c.value or 0),
            low=number(c.low or 0),
            high=number(c.high or 0),
        )
        for origin, place, c in side.corridors
    ]
    text = _("The largest corridors, in people: {corridors}.")
    if limited and not side.corridors_in_years:
        text = _("The largest corridors, in people, over all years: {corridors}.")
    return text.format(corridors=listed(named))


def corridor(origin: str, place: str) -> str:
    """A country of citizenship and a country of exploitation in words."""
    names = [countries.name(code, current()) for code in (origin, place)]
    if origin == place:
        return _("{country}, inside the country").format(country=names[0])
    return _("{origin} to {destination}").format(origin=names[0], destination=names[1])


def why(state: str) -> str:
    """Why a card has no number; empty where it has one."""
    words = {
        "protected": _("too few to show reliably"),
        "not_measured": _("not measured in this release"),
    }
    return words.get(state, "")


def profile(side: Side, *, limited: bool) -> tuple[str, ...]:
    """All that is known of the people of a side: what is missing is said, not left out."""
    found = [
        women_sentence(side.women)
        if side.women.value is not None
        else _("Share of women and girls: {why}.").format(why=why(side.women.state))
    ]
    if side.exploitation:
        found.append(types_sentence(side.exploitation))
    else:
        found.append(_("Main types of exploitation: {why}.").format(why=why(side.types_state)))
    if side.corridors:
        found.append(corridors_sentence(side, limited=limited))
    else:
        found.append(_("Largest corridors: {why}.").format(why=why(side.corridors_state)))
    return tuple(found)


def _interval(c: NumberCard) -> dict[str, str]:
    low, high = interval(c.low or 0, c.high or 0)
    return {"share": share(c.value or 0), "low": low, "high": high}
