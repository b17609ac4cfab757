"""Tables of a release: headline facts, facts of a place, variables, groups and corridors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from ctdhub.schema import model
from ctdhub.schema.countries import Place, place_of
from ctdhub.stats import cards
from ctdhub.stats.answers import Answers
from ctdhub.stats.equity import assisted
from ctdhub.stats.estimator import memoised
from ctdhub.stats.query import Query, Where

# --------------------------------------------------------------------------------------------------
# The tables of the site: by a variable, by the flags of a group, the largest corridors.

ENDS = frozenset((model.ORIGIN, model.DESTINATION))
"""The variables that a corridor lies between: no others may limit :func:`corridors`."""


def distribution(answers: Answers, variable: str, among: Where | None = None) -> cards.Table:
    """People by the values of one variable, "not recorded" as its last row.

    Shares refer to the people whose answer is recorded.  Years after the last covered one have no
    row.

    Args:
        among: conditions on other variables; all people by default.
    """
    return answers.table(Query(among or {}, by=(variable,)))


@memoised
def flag_group(answers: Answers, group: str, among: Where | None = None) -> cards.Table:
    """People by the flags of a group.

    The denominator is the people for whom some flag of the group is yes; the others leave it,
    because an empty flag cannot be told from "no" there.  A person may have several flags, so
    shares may add up to more than one.

    Args:
        among: conditions on other variables; all people by default.
    """
    schema, among = model.load_schema(), among or {}
    indicator = schema.groups[group].indicator
    if indicator is None:
        raise KeyError(group)
    some = Query({**among, indicator: [cards.YES]})
    recorded = Query(some.where, of=Query(among))
    missing = answers.missing(recorded)
    rows = []
    for flag in schema.flags(group):
        if flag in answers.variables:
            having = {**among, flag: [cards.YES]}
            people = answers.card(Query(having), missing=missing)
            share = answers.card(Query(having, of=some), missing=missing)
            rows.append(cards.Row((flag,), "value", people, share))
    rows.sort(key=lambda r: -(r.people.value or 0))
    unknown = answers.outside(recorded, missing=missing)
    rows.append(cards.Row((cards.NOT_RECORDED,), "not_recorded", unknown))
    return cards.Table((indicator,), tuple(rows), answers.card(some, missing=missing), missing)


@memoised
def corridors(answers: Answers, most: int = 12, among: Where | None = None) -> cards.Table | None:
    """The largest corridors: country of citizenship and country of exploitation.

    None where this release did not measure that table.

    Args:
        most: how many.
        among: values of one of the two countries, or of both; all corridors by default.

    Raises:
        ValueError: a condition on something else, which this table cannot answer.
    """
    among = among or {}
    if not among.keys() <= ENDS:
        raise ValueError("corridors know conditions on their two countries only")
    key = answers.measured(model.ORIGIN, model.DESTINATION)
    if key is None:
        return None
    cells = answers.cells(model.ORIGIN, model.DESTINATION)
    known = [pair for pair in cells if all(pair) and _among(pair, among)]
    known.sort(key=lambda pair: (-cells[pair].value, pair))
    both = Query({v: answers.domain(v) for v in (model.ORIGIN, model.DESTINATION)} | dict(among))
    recorded = Query(both.where, of=Query(among))
    missing = answers.missing(recorded)
    rows = []
    for origin, place in known[:most]:
        pair = {**among, model.ORIGIN: [origin], model.DESTINATION: [place]}
        people = answers.card(Query(pair), missing=missing)
        share = answers.card(Query(pair, of=both), missing=missing)
        rows.append(cards.Row((origin, place), "value", people, share))
    unknown = answers.outside(recorded, missing=missing)
    rows.append(cards.Row((cards.NOT_RECORDED,), "not_recorded", unknown))
    base = answers.card(both, missing=missing)
    errors = answers.release.link_errors
    rival = max([answers.unseen(key), *(cells[pair].high for pair in known[most:])])
    rival += errors.merged if errors else 0
    query = Query(among, by=(model.ORIGIN, model.DESTINATION))
    return cards.Table(query.by, tuple(rows), base, missing, rival, query)


def _among(pair: tuple[str, ...], among: Where) -> bool:
    places = zip((model.ORIGIN, model.DESTINATION), pair, strict=True)
    return all(name not in among or code in among[name] for name, code in places)


# --------------------------------------------------------------------------------------------------
# The figures that a reader meets first: of a release, and of one side of a place.

SideName = Literal["citizens", "exploited"]


@dataclass(frozen=True)
class Side:
    """People seen from one side of a place: its citizens, or those exploited there.

    Attributes:
        people: how many; their place is recorded.
        at_most: how many there would be at most if everybody whose place is not recorded were
            among them (C. F. Manski, 1989, J. Hum. Resour. 24:343, whose lower bound is the lower
            end of ``people``); None where it was not measured, or for all people of a release.
        women: a share of the people whose gender is recorded.
        types: each flag of exploitation with its share of the people with any type of
            exploitation recorded, largest first; those that are not shown come last.
        corridors: citizenship, country of exploitation and people, largest first, those that are
            shown.  Of several years they are picked, and put in order, by values adjusted for
            selection (:func:`ctdhub.stats.tables.picked`).
        corridors_in_years: whether the corridors are about the years that were asked for, as the
            other figures are; False where the release holds corridors for all years only.
        corridors_state: "shown", or why there are none.
    """

    people: cards.NumberCard
    at_most: float | None
    women: cards.NumberCard
    types: tuple[tuple[str, cards.NumberCard], ...]
    corridors: tuple[tuple[str, str, cards.NumberCard], ...]
    corridors_in_years: bool
    corridors_state: cards.State

    @property
    def exploitation(self) -> tuple[tuple[str, cards.NumberCard], ...]:
        """The types that are printed, as a share or, where it is imprecise, as a range."""
        return tuple((flag, c) for flag, c in self.types if c.has_range)

    def main_types(self, most: int) -> bool:
        """Whether the first types have the largest shares beyond doubt, if everybody counts once
        too (:attr:`NumberCard.ends`)."""
        first = [c.ends or (0.0, 1.0) for _flag, c in self.exploitation[:most]]
        rest = [c.ends or (0.0, 1.0) for _flag, c in self.types[len(first) :]]
        return all(low > high for low, _high in first for _low, high in rest)

    @property
    def types_state(self) -> cards.State:
        """ "shown" where some type is, else why none is."""
        states = {c.state for _flag, c in self.types}
        order: tuple[cards.State, ...] = ("shown", "imprecise", "protected")
        return next((s for s in order if s in states), "not_measured")


@dataclass(frozen=True)
class Headline:
    """The first figures of a release; nationalities and countries are numbers of cells that are
    shown, so they read "at least"; ``assisted`` is what :func:`ctdhub.stats.equity.assisted` gives;
    ``records`` are the case records of the whole release, ``years``
    the first and last that the other figures are about, ``undated`` says whether people whose year
    is not recorded are among them, and ``even_more`` whether the second interval may be too
    narrow."""

    years: tuple[int, int]
    people: cards.NumberCard
    records: cards.NumberCard
    nationalities: cards.NumberCard
    countries: cards.NumberCard
    contributors: cards.NumberCard
    assisted: tuple[tuple[str, cards.NumberCard], ...] = ()
    undated: bool = False
    even_more: bool = False


# --------------------------------------------------------------------------------------------------
# The largest of many sums: which stand out from the noise, and which are picked.
#
# Whoever lists the largest of many sums by their values lists those whose noise went up.  So sums
# are picked, and put in order, by values that are shrunk towards what each was expected to be; what
# is printed of a picked sum is its own interval, the same as wherever else it is asked for.  How
# many sums are clear of zero is counted as Benjamini and Hochberg (1995) choose among the
# candidates, at 1 - level; ``dp`` chooses the cells of a published table in the same way.

Key = TypeVar("Key")


def clear(answers: Mapping[Key, cards.Interval], level: float) -> list[Key]:
    """The candidates that stand out from the noise when all are looked at, the clearest first.

    Args:
        answers: every candidate, with its interval at ``level``; those that were not measured
            count as candidates that do not stand out.
    """
    times = {key: _times(answer) for key, answer in answers.items()}
    order = sorted(times, key=lambda key: -times[key])
    for r in range(len(order), 0, -1):
        if times[order[r - 1]] > cards.widening(level, len(order) / r):
            return order[:r]
    return []


def adjusted(candidates: Mapping[Key, tuple[cards.Interval, float]], z: float) -> dict[Key, float]:
    """Values shrunk towards what each was expected to be, so that the largest are not those whose
    noise went up (empirical Bayes; B. Efron, 2011, J. Am. Stat. Assoc. 106:1602).

    A value y with standard error s and expectation m becomes ``lambda y + (1 - lambda) m``,
    ``lambda = t m^2 / (t m^2 + s^2)``; t, the squared relative difference of true values from
    their expectation, is fitted by moments over all candidates at once.  These values say which
    candidates are the largest and in which order; they are no estimates to print without the
    words "adjusted for selection".

    Args:
        candidates: by key the answer and its expectation, in people.
        z: normal quantile of the intervals' level.

    >>> unsure, sure = cards.Interval(90, 0, 180), cards.Interval(60, 50, 70)
    >>> sizes = adjusted({"a": (unsure, 10), "b": (sure, 50)}, 1.96)
    >>> sizes["a"] < sizes["b"]
    True
    """
    known = {k: (a.value or 0, _half(a) / z, m) for k, (a, m) in candidates.items()}
    squares = sum(m * m for _y, _s, m in known.values())
    over = sum((y - m) ** 2 - s * s for y, s, m in known.values())
    spread = max(0.0, over / squares) if squares else 0.0
    values = {}
    for key, (y, s, m) in known.items():
        between = spread * m * m
        weight = between / (between + s * s) if between + s * s else 1.0
        values[key] = weight * y + (1 - weight) * m
    return values


def picked(
    candidates: Mapping[Key, tuple[cards.Interval, float]], z: float, most: int
) -> list[Key]:
    """The largest candidates by their adjusted values, the largest first.

    Only those are picked whose value, and whose adjusted value with the same interval, are both
    precise enough for a number of people.  With this rule the intervals of the picks hold their
    level as they are (`benchmarks/corridors.py`); they need not be widened for having been picked.

    Args:
        candidates, z: see :func:`adjusted`.
        most: how many at most.
    """
    size = adjusted(candidates, z)

    def is_clear(key: Key, value: float) -> bool:
        answer, half = candidates[key][0], _half(candidates[key][0])
        around = cards.Interval(value, value - half, value + half)
        return bool(answer.low) and value > half and cards.is_precise(around, "people")

    keys = [
        key
        for key, (answer, _m) in candidates.items()
        if is_clear(key, answer.value or 0) and is_clear(key, size[key])
    ]
    return sorted(keys, key=lambda key: -size[key])[:most]


def _half(answer: cards.Interval) -> float:
    return (answer.high or 0) - (answer.value or 0)


def _times(answer: cards.Interval) -> float:
    """Value by half-width; 0 where the interval holds zero or nothing was measured."""
    if not answer.value or not answer.low:
        return 0.0
    return answer.value / max(_half(answer), 1e-9)


# --------------------------------------------------------------------------------------------------
# Headline facts and facts of a place, as cards.

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
    records = cards.Interval(got.value, got.low, got.high)
    return Headline(
        years=years or release.years,
        people=answers.card(Query(when)),
        records=cards.card(release, records, "case_records", None, published=True),
        nationalities=_at_least(answers, model.ORIGIN, when, "nationalities"),
        countries=_at_least(answers, model.DESTINATION, when, "countries"),
        contributors=cards.card(release, cards.Interval(n, n, n), "contributors", None),
        assisted=assisted(answers, when),
        undated=not when and model.PERIOD in answers.variables,
        even_more=bool(release.link_errors and release.link_errors.even_more),
    )


def everyone(answers: Answers, years: tuple[int, int] | None = None) -> Side:
    """All people of a release, of any citizenship and exploited anywhere.

    Args:
        years: as in :func:`place_facts`.
    """
    return _side(answers, {}, _when(answers, years))


@memoised
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
    when = _when(answers, years)
    return PlaceFacts(
        where=where,
        years=years or answers.release.years,
        limited=bool(when),
        undated=not when and model.PERIOD in answers.variables,
        citizens=_side(answers, {model.ORIGIN: where.members}, when),
        exploited=_side(answers, {model.DESTINATION: where.members}, when),
    )


def children_share(answers: Answers, inside: Where) -> cards.NumberCard:
    """Share of children, under 18 years, of the people whose age is recorded.

    Args:
        inside: conditions that they meet, such as a country; none on their age.
    """
    known: Where = {**inside, model.AGE: answers.domain(model.AGE)}
    return _share(answers, {**inside, model.AGE: model.CHILD_BANDS}, known, inside)


def _when(answers: Answers, years: tuple[int, int] | None) -> Where:
    if years is None or years in (answers.years, answers.release.years):
        return {}
    return {model.PERIOD: tuple(str(y) for y in range(years[0], years[1] + 1))}


def _side(answers: Answers, inside: Where, when: Where) -> Side:
    """Facts of the people inside a place, given by one of the two countries; all where empty."""
    schema = model.load_schema()
    place: Where = {**inside, **when}
    known: Where = {**{v: answers.domain(v) for v in inside}, **when}
    gender: Where = {**place, model.SEX: answers.domain(model.SEX)}
    some: Where = {**place, schema.groups[model.HARM].indicator or "": [cards.YES]}
    types = [
        (flag, _share(answers, {**place, flag: [cards.YES]}, some, place))
        for flag in schema.flags(model.HARM)
        if flag in answers.variables
    ]
    types.sort(key=lambda pair: -pair[1].middle)
    corridors, in_years, state = _headline_corridors(answers, inside, when)
    missing = answers.missing(Query(known, of=Query(when))) if inside else None
    return Side(
        people=answers.card(Query(place), missing=missing),
        at_most=_at_most(answers, inside, when),
        women=_share(answers, {**place, model.SEX: ["female"]}, gender, place),
        types=tuple(types),
        corridors=corridors,
        corridors_in_years=in_years,
        corridors_state=state,
    )


def _at_most(answers: Answers, inside: Where, when: Where) -> float | None:
    """People inside a place at most, if everybody whose place is not recorded were among them."""
    if not inside:
        return None
    wide = {variable: [*codes, cards.NOT_RECORDED] for variable, codes in inside.items()}
    ends = answers.card(Query({**wide, **when})).ends
    return ends[1] if ends else None


def _share(answers: Answers, part: Where, whole: Where, among: Where) -> cards.NumberCard:
    """Share of ``whole``; missing are the people of ``among`` who are outside it."""
    missing = answers.missing(Query(whole, of=Query(among)))
    return answers.card(Query(part, of=Query(whole)), missing=missing)


def _headline_corridors(
    answers: Answers, inside: Where, when: Where
) -> tuple[tuple[tuple[str, str, cards.NumberCard], ...], bool, cards.State]:
    """The largest corridors, whether they are about the years asked for, and their state."""
    pair = (model.ORIGIN, model.DESTINATION)
    if answers.measured(*pair) is None:
        return (), False, "not_measured"
    in_years = not when or answers.measured(model.PERIOD, *pair) is not None
    limits: Where = when if in_years else {}
    cells = set(answers.cells(*pair))
    if limits:
        cells |= {
            (a, b) for y, a, b in answers.cells(model.PERIOD, *pair) if y in limits[model.PERIOD]
        }
    both: Where = {**{v: answers.domain(v) for v in pair}, **inside, **limits}
    missing = answers.missing(Query(both, of=Query({**inside, **limits})))
    asked = {
        (a, b): Query({model.ORIGIN: [a], model.DESTINATION: [b], **limits})
        for a, b in sorted(cells)
        if a and b and all(dict(zip(pair, (a, b), strict=True))[v] in inside[v] for v in inside)
    }
    named = {ends: answers.card(query, missing=missing) for ends, query in asked.items()}
    order = sorted(ends for ends, c in named.items() if c.value is not None)
    order.sort(key=lambda ends: -named[ends].middle)
    if _is_sum(limits):
        order = picked(_with_usual(answers, asked, limits), answers.z, TOP_CORRIDORS)
    shown = tuple((*ends, named[ends]) for ends in order[:TOP_CORRIDORS])
    return shown, in_years, "shown" if shown else "protected"


def _with_usual(
    answers: Answers, asked: Mapping[tuple[str, str], Query], limits: Where
) -> dict[tuple[str, str], tuple[cards.Interval, float]]:
    """Corridors of some years, each with the people expected from its size over all years."""
    share = (answers.count(limits).value or 0) / max(1.0, answers.count({}).value or 0)
    candidates = {}
    for ends, query in asked.items():
        always = {v: codes for v, codes in query.where.items() if v not in limits}
        candidates[ends] = answers.count(query.where), share * (answers.count(always).value or 0)
    return candidates


def _is_sum(when: Where) -> bool:
    """Whether years are added up; single cells are published with intervals that already allow
    for their having been chosen."""
    return len(when.get(model.PERIOD, ())) > 1


def _at_least(answers: Answers, variable: str, when: Where, unit: cards.Unit) -> cards.NumberCard:
    query = Query(when, by=(variable,))
    if answers.measured(variable, *when) is None:
        return cards.card(answers.release, cards.NOT_MEASURED, unit, query)
    counts = {c: answers.count({**when, variable: [c]}) for c in answers.domain(variable)}
    shown = sum(1 for answer in counts.values() if (answer.low or 0) > 0)
    if _is_sum(when):
        shown = len(clear(counts, answers.release.protected.guarantee.level))
    between = cards.Interval(shown, shown, len(answers.domain(variable)))
    return cards.card(answers.release, between, unit, query)
