"""Headline facts and facts of a place, as cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ctdhub.schema.model import load_schema
from ctdhub.schema.places import Place, place_of
from ctdhub.schema.roles import AGE, CHILD_BANDS, DESTINATION, HARM, ORIGIN, PERIOD, SEX
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, State, card
from ctdhub.stats.deduplicated_interval import Unit
from ctdhub.stats.intervals import NOT_MEASURED, Interval
from ctdhub.stats.perspective import Headline, Side, SideName
from ctdhub.stats.query import Query, Where
from ctdhub.stats.selection_adjusted import clear, picked
from ctdhub.stats.table import NOT_RECORDED, YES

TOP_CORRIDORS = 5


@dataclass(frozen=True)
class PlaceFacts:
    """A place's citizens exploited anywhere, and the people exploited in it.

    Attributes:
        where: the place.
        years: first and last that the figures are about.
        limited: whether these are only some of the years of the release.
        undated: whether people whose year is not recorded are among them.
    """

    where: Place
    years: tuple[int, int]
    limited: bool
    undated: bool
    citizens: Side
    exploited: Side

    @property
    def place(self) -> str:
        """Key of the place."""
        return self.where.key

    @property
    def is_country(self) -> bool:
        """Whether the place is a single country."""
        return self.where.kind == "country"

    def side(self, name: SideName) -> Side:
        """One side by its name."""
        return self.citizens if name == "citizens" else self.exploited


def headline(answers: Answers, years: tuple[int, int] | None = None) -> Headline:
    """People identified, nationalities, countries of exploitation, contributors.

    Args:
        years: as in :func:`place_facts`.
    """
    release, when = answers.release, _when(answers, years)
    n, got = len(release.facts.contributors), release.protected.case_records
    records = Interval(got.value, got.low, got.high)
    return Headline(
        years=years or release.years,
        people=answers.card(Query(when)),
        records=card(release, records, "case_records", None, published=True),
        nationalities=_at_least(answers, ORIGIN, when, "nationalities"),
        countries=_at_least(answers, DESTINATION, when, "countries"),
        contributors=card(release, Interval(n, n, n), "contributors", None),
        undated=not when and PERIOD in answers.variables,
    )


def everyone(answers: Answers, years: tuple[int, int] | None = None) -> Side:
    """All people of a release, of any citizenship and exploited anywhere.

    Args:
        years: as in :func:`place_facts`.
    """
    return _side(answers, {}, _when(answers, years))


def place_facts(
    answers: Answers, place: str | Place = "europe", years: tuple[int, int] | None = None
) -> PlaceFacts:
    """Facts of a place.

    Args:
        place: a place, or the key of one: a country (ISO 3166 alpha-3), or a key of
            :func:`ctdhub.schema.countries.members`, for example "europe" or "eu".
        years: first and last year, both included; None or all years that the release covers: no
            condition, so people whose year is not recorded are in.

    Raises:
        KeyError: no such place.
    """
    where = place_of(place) if isinstance(place, str) else place
    return answers.kept(("place_facts", where, years), lambda: _place_facts(answers, where, years))


def children_share(answers: Answers, inside: Where) -> NumberCard:
    """Share of children, under 18 years, of the people inside a place whose age is recorded.

    Args:
        inside: the place, given by one of the two countries.
    """
    known: Where = {**inside, AGE: answers.domain(AGE)}
    return _share(answers, {**inside, AGE: CHILD_BANDS}, known, inside)


def _place_facts(answers: Answers, where: Place, years: tuple[int, int] | None) -> PlaceFacts:
    when = _when(answers, years)
    return PlaceFacts(
        where=where,
        years=years or answers.release.years,
        limited=bool(when),
        undated=not when and PERIOD in answers.variables,
        citizens=_side(answers, {ORIGIN: where.members}, when),
        exploited=_side(answers, {DESTINATION: where.members}, when),
    )


def _when(answers: Answers, years: tuple[int, int] | None) -> Where:
    if years is None or years in (answers.years, answers.release.years):
        return {}
    return {PERIOD: tuple(str(y) for y in range(years[0], years[1] + 1))}


def _side(answers: Answers, inside: Where, when: Where) -> Side:
    """Facts of the people inside a place, given by one of the two countries; all where empty."""
    schema = load_schema()
    place: Where = {**inside, **when}
    known: Where = {**{v: answers.domain(v) for v in inside}, **when}
    gender: Where = {**place, SEX: answers.domain(SEX)}
    some: Where = {**place, schema.groups[HARM].indicator or "": [YES]}
    types = [
        (flag, _share(answers, {**place, flag: [YES]}, some, place))
        for flag in schema.flags(HARM)
        if flag in answers.variables
    ]
    types.sort(key=lambda pair: -pair[1].middle)
    corridors, in_years, state = _corridors(answers, inside, when)
    missing = answers.missing(Query(known, of=Query(when))) if inside else None
    return Side(
        people=answers.card(Query(place), missing=missing),
        at_most=_at_most(answers, inside, when),
        women=_share(answers, {**place, SEX: ["female"]}, gender, place),
        types=tuple(types),
        corridors=corridors,
        corridors_in_years=in_years,
        corridors_state=state,
    )


def _at_most(answers: Answers, inside: Where, when: Where) -> float | None:
    """People inside a place at most, if everybody whose place is not recorded were among them."""
    if not inside:
        return None
    wide = {variable: [*codes, NOT_RECORDED] for variable, codes in inside.items()}
    ends = answers.card(Query({**wide, **when})).ends
    return ends[1] if ends else None


def _share(answers: Answers, part: Where, whole: Where, among: Where) -> NumberCard:
    """Share of ``whole``; missing are the people of ``among`` who are outside it."""
    missing = answers.missing(Query(whole, of=Query(among)))
    return answers.card(Query(part, of=Query(whole)), missing=missing)


def _corridors(
    answers: Answers, inside: Where, when: Where
) -> tuple[tuple[tuple[str, str, NumberCard], ...], bool, State]:
    """The largest corridors, whether they are about the years asked for, and their state."""
    pair = (ORIGIN, DESTINATION)
    if answers.measured(*pair) is None:
        return (), False, "not_measured"
    in_years = not when or answers.measured(PERIOD, *pair) is not None
    limits: Where = when if in_years else {}
    cells = set(answers.cells(*pair))
    if limits:
        cells |= {(a, b) for y, a, b in answers.cells(PERIOD, *pair) if y in limits[PERIOD]}
    both: Where = {**{v: answers.domain(v) for v in pair}, **inside, **limits}
    missing = answers.missing(Query(both, of=Query({**inside, **limits})))
    asked = {
        (a, b): Query({ORIGIN: [a], DESTINATION: [b], **limits})
        for a, b in sorted(cells)
        if a and b and all(dict(zip(pair, (a, b), strict=True))[v] in inside[v] for v in inside)
    }
    named = {ends: answers.card(query, missing=missing) for ends, query in asked.items()}
    held = sorted(ends for ends, c in named.items() if c.value is not None)
    held.sort(key=lambda ends: -named[ends].middle)
    if _is_sum(limits):
        held = picked(_with_usual(answers, asked, limits), answers.z, TOP_CORRIDORS)
    shown = tuple((*ends, named[ends]) for ends in held[:TOP_CORRIDORS])
    return shown, in_years, "shown" if shown else "protected"


def _with_usual(
    answers: Answers, asked: Mapping[tuple[str, str], Query], limits: Where
) -> dict[tuple[str, str], tuple[Interval, float]]:
    """Corridors of some years, each with the people expected from its size over all years."""
    share = (answers.count(limits).value or 0) / max(1.0, answers.count({}).value or 0)
    found = {}
    for ends, query in asked.items():
        always = {v: codes for v, codes in query.where.items() if v not in limits}
        found[ends] = answers.count(query.where), share * (answers.count(always).value or 0)
    return found


def _is_sum(when: Where) -> bool:
    """Whether years are added up; single cells are published with intervals that already allow
    for their having been chosen."""
    return len(when.get(PERIOD, ())) > 1


def _at_least(answers: Answers, variable: str, when: Where, unit: Unit) -> NumberCard:
    query = Query(when, by=(variable,))
    if answers.measured(variable, *when) is None:
        return card(answers.release, NOT_MEASURED, unit, query)
    found = {c: answers.count({**when, variable: [c]}) for c in answers.domain(variable)}
    shown = sum(1 for answer in found.values() if (answer.low or 0) > 0)
    if _is_sum(when):
        shown = len(clear(found, answers.release.protected.guarantee.level))
    most = len(answers.domain(variable))
    return card(answers.release, Interval(shown, shown, most), unit, query)
