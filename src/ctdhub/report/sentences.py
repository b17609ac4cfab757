"""Facts as whole sentences in the language in force, each number with its interval."""

from functools import partial

from ctdhub.core.format import inline, number, share
from ctdhub.core.i18n import _, current
from ctdhub.release.open import Release
from ctdhub.report.wording import ends, even_more, least_claim, paragraph, printed, surely
from ctdhub.schema import countries
from ctdhub.schema.countries import Place, place_of
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import AGE, DESTINATION, load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.tables import Headline, PlaceFacts, Side, SideName, headline

words_of = partial(paragraph, "places.txt")
"""What a part of the template says, by the name of the part."""
MAIN_TYPES = 2
_BOUNDED = ("region", "union", "set")
_ASKED = {AGE: "age", DESTINATION: "exploited"}


def headline_of(release: Release) -> str:
    """What a release, or a candidate, says of its people before anything else."""
    return headline_sentence(headline(Answers(release)))


def headline_sentence(first: Headline) -> str:
    """The claim and the reservation of :func:`claim_and_reservation`."""
    return " ".join(filter(None, claim_and_reservation(first)))


def claim_and_reservation(first: Headline) -> tuple[str, str]:
    """People identified, from which year to which, with the interval and its level: the second one
    and how many are recorded, where a release measures that; that they are too few to show, where
    they are.  Then what that leaves open: that nobody knows how many of the recorded are one
    person, or that there may be fewer people still; else nothing."""
    people = first.people
    text = words_of("headline", people, first.years, once_printed(people))
    if people.value is None:
        return text, ""
    if people.once is None:
        return text, not_estimated()
    return text, even_more() if first.even_more else ""


def not_estimated() -> str:
    """What a hub says that does not estimate how many people are counted more than once."""
    return _(
        "How many of those recorded are the same person, known to several organisations, was not "
        "estimated: there may be fewer people."
    )


def undated() -> str:
    """What a span of years leaves out of the words where it makes no condition."""
    return _("People whose year is not recorded are counted too.")


def reach_sentence(first: Headline) -> str:
    """How many nationalities and countries, where they are shown, and whether years are missing."""
    note, origins, places = undated() if first.undated else "", first.nationalities, first.countries
    if origins.value is None or places.value is None:
        return note
    return f"{words_of('reach', int(origins.value), int(places.value))} {note}".strip()


def assisted_sentence(some: tuple[tuple[str, NumberCard], ...]) -> str:
    """How many people surely received assistance; empty where not one is sure."""
    sure = [(kind, surely(people), estimate(people)) for kind, people in some if surely(people)]
    return " ".join(words_of("assisted", n, inline(label(k, current())), i) for k, n, i in sure)


def people_sentence(
    place: Place, side: SideName, years: tuple[int, int], of: Side, claim: str = ""
) -> str:
    """How many people one side of a place has, for how many the place is not recorded, and of a
    region between which numbers the truth lies whatever was not recorded.

    Args:
        claim: what to say of the number (:func:`ctdhub.report.wording.people_claim`); by default
            the second interval, or the number, or "at least N" where it is not precise enough.
    """
    interval = estimate(of.people)
    if not claim and of.people.value is not None:
        claim, interval = number(of.people.value), span_of(of.people)
        if of.people.once is not None:
            claim, interval = span_of(of.people, of.people.once), recorded_people(of.people)
    region = place.inside(current()) if place.kind == "region" else place.name(current())
    if place.kind == "union":
        region = _("{union} (its member states)").format(union=region)
    claim = claim or least_claim(of.people) or span_of(of.people)
    text = words_of("people", place.kind, side, years, region, claim, interval)
    return f"{text} {not_recorded(place, side, of)}".strip()


def not_recorded(place: Place, side: SideName, of: Side) -> str:
    """For how many people the country of a side is not recorded, and what that leaves open of a
    region; empty where it was not measured.

    Of a country it leaves nearly everything open: all who are not recorded might be of it, and of
    any other as well.
    """
    if of.people.missing is None or of.at_most is None:
        return ""
    bounded = place.kind in _BOUNDED
    return words_of("not_recorded", side, bounded, of.people.missing, _lower(of), of.at_most)


def people_printed(place: Place, of: Side) -> tuple[str, ...]:
    """Every form in which :func:`people_sentence` prints the people of a side."""
    forms = estimate_printed(of.people)
    if of.people.value is None:
        forms = (number(surely(of.people)), *forms)
    if of.people.missing is None or of.at_most is None:
        return forms
    forms = (*forms, share(of.people.missing))
    return (*forms, number(_lower(of)), number(of.at_most)) if place.kind in _BOUNDED else forms


def _lower(of: Side) -> float:
    return of.people.ends[0] if of.people.ends else 0.0


def span_of(people: NumberCard, once: tuple[float, float] | None = None) -> str:
    """The interval of a number of people in words, or another one of theirs."""
    low, high = ends(people) if once is None else map(number, once)
    return _("between {low} and {high}").format(low=low, high=high)


def estimate(people: NumberCard) -> str:
    """The second interval of a number of people where there is one, the interval of noise, and the
    number where it is precise enough."""
    if people.once is None:
        return _noise(people)
    return _("{interval}; {recorded}").format(
        interval=span_of(people, people.once), recorded=recorded_people(people)
    )


def _noise(people: NumberCard) -> str:
    if people.value is None:
        return span_of(people)
    low, high = ends(people)
    return _("between {low} and {high}, estimate: {people}").format(
        low=low, high=high, people=number(people.value)
    )


def recorded_people(people: NumberCard) -> str:
    """How many people are recorded, and how many of them may be the same person, where that was
    estimated."""
    *_ends, doubles = once_printed(people)
    return _(
        "recorded: {interval}; up to {doubles} of them may be the same person as another"
    ).format(interval=_noise(people), doubles=doubles)


def once_printed(people: NumberCard) -> tuple[str, ...]:
    """The ends of the second interval as they are printed, and the most people who are another
    one; nothing where that was not estimated."""
    if people.once is None or people.low is None or people.high is None:
        return ()
    low, high = people.once
    return number(low), number(high), number(people.low - low)


def estimate_printed(people: NumberCard) -> tuple[str, ...]:
    """Every form in which :func:`estimate` prints a number of people."""
    return (*printed(people), *once_printed(people))


def place_sentences(facts: PlaceFacts) -> tuple[str, ...]:
    """The facts of a place; what is not shown is left out, not guessed."""
    return tuple(sentence for side in place_paragraphs(facts) for sentence in side)


def place_paragraphs(facts: PlaceFacts) -> tuple[tuple[str, ...], ...]:
    """The same sentences, one tuple for each side of the place that has any."""
    sides = (side_sentences(facts, "citizens"), side_sentences(facts, "exploited"))
    return tuple(side for side in sides if side)


def side_sentences(facts: PlaceFacts, side: SideName) -> tuple[str, ...]:
    """The sentences of one side of a place, empty where its people are too few to show."""
    group = facts.side(side)
    if not group.people.has_range:
        return ()
    texts = [people_sentence(facts.where, side, facts.years, group)]
    if facts.undated:
        texts[0] += " " + undated()
    if group.women.has_range:
        texts.append(women_sentence(group.women))
    if group.exploitation:
        texts.append(types_sentence(group))
    return tuple(texts)


def women_sentence(women: NumberCard) -> str:
    """The share of women and girls, or that people are too few to tell."""
    if women.value is None:
        return _("Share of women and girls: {why}.").format(why=too_few())
    return words_of("recorded", "women", **_interval(women))


def children_sentence(children: NumberCard) -> str:
    """The share of children, or that people are too few to tell; empty where not shown."""
    if not children.has_range:
        return ""
    if children.value is None:
        return _("Share of children under 18: {why}.").format(why=too_few())
    return words_of("recorded", "children", **_interval(children))


def too_few() -> str:
    """Why a share whose interval is too wide (``stats.cards``) is not told: the standard that says
    so has no range instead of the number."""
    return _("too few people to tell at this protection")


def types_sentence(side: Side) -> str:
    """The types of exploitation with the largest shares; "main" only where they are so for sure."""
    first = side.exploitation[:MAIN_TYPES]
    kinds = [
        _("{name} ({share}; {low} to {high})").format(
            name=inline(label(flag, current())), **_interval(c)
        )
        for flag, c in first
        if c.value is not None
    ]
    if not kinds:
        return _("Main types of exploitation: {why}.").format(why=too_few())
    return words_of("types", kinds, len(kinds) == len(first) and side.main_types(MAIN_TYPES))


def corridors_sentence(side: Side, *, limited: bool) -> str:
    """The largest corridors, from the country of citizenship to the country of exploitation.

    Args:
        limited: whether the other facts are about some years only.
    """
    named = [_of_corridor(corridor(origin, place), c) for origin, place, c in side.corridors]
    order = "" if not limited else "adjusted" if side.corridors_in_years else "all_years"
    return words_of("corridors", order, named)


def _of_corridor(name: str, people: NumberCard) -> str:
    value = None if people.value is None else number(people.value)
    return words_of("corridor", name, value, *ends(people))


def corridor(origin: str, place: str) -> str:
    """A country of citizenship and a country of exploitation in words."""
    name, end = countries.name(origin, current()), place_of(place).inside(current())
    if origin == place:
        return _("{country}, inside the country").format(country=name)
    return _("{origin} to {destination}").format(origin=name, destination=end)


def whom(variable: str = "", code: str = "") -> str:
    """People with one answer, inside a sentence; all of them without a variable."""
    if variable and load_schema().variable(variable).kind == "flag":
        return words_of("whom", code, "flag", inline(label(variable, current())))
    answer = code_label(variable, code, current()) if variable else ""
    if variable == DESTINATION:
        answer = place_of(code).inside(current())
    return words_of("whom", code, _ASKED.get(variable, ""), answer)


identified = partial(words_of, "identified")
"""Who is counted: not all who were trafficked."""
why = partial(words_of, "why")
"""Why a card has no number, of its state; empty where it has one."""


def profile(side: Side, *, limited: bool) -> tuple[str, ...]:
    """All that is known of the people of a side: what is missing is said, not left out."""
    texts = [
        women_sentence(side.women)
        if side.women.has_range
        else _("Share of women and girls: {why}.").format(why=why(side.women.state))
    ]
    if side.exploitation:
        texts.append(types_sentence(side))
    else:
        texts.append(_("Main types of exploitation: {why}.").format(why=why(side.types_state)))
    if side.corridors:
        texts.append(corridors_sentence(side, limited=limited))
    else:
        texts.append(_("Largest corridors: {why}.").format(why=why(side.corridors_state)))
    return tuple(texts)


def _interval(c: NumberCard) -> dict[str, str]:
    low, high = ends(c)
    return {"share": printed(c)[0], "low": low, "high": high}
