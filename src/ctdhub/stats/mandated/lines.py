"""What the mandated tables have in common: lines of number cards, countries, years, blanks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal

from ctdhub.core.error_catalogue import error
from ctdhub.schema import countries
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, CHILD_BANDS, DESTINATION, HARM, ORIGIN, PERIOD, STANDING
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, card
from ctdhub.stats.intervals import NOT_MEASURED, Interval
from ctdhub.stats.mandated.population import Inhabitants, Population
from ctdhub.stats.query import Query, Where
from ctdhub.stats.table import NOT_RECORDED
from ctdhub.stats.trend import covering

PER = 100_000
"""People that a rate refers to."""

PARTS = {"sex": ("female", "male"), "age": ("children", "adults")}
"""Categories of a dimension that a population file may have people of."""

Blank = Literal["", "not_recorded", "nobody_reports", "not_held"]


@dataclass(frozen=True)
class MandatedLine:
    """One line of a table.

    Attributes:
        country: of exploitation, ISO 3166 alpha-3.
        years: of registration, first and last.
        dimension: what the line divides people by, such as "sex"; "total" for all.
        category: the value, such as "female"; "not_recorded" for people whose answer is not known.
        blank: "not_recorded" for such people; "nobody_reports" where no contributor covers the
            year; "not_held" where no release can answer; else empty, and the card's state says
            whether there is a number.
        people: the count; "not_measured" where the release holds no table that answers.
        rate: per 100,000 of the population of ``per``; None where no population is known.
        per: whose population the rate refers to: "female", "male", "children" or "adults" of the
            country; "" for everybody who lives there.
    """

    country: str
    years: tuple[int, int]
    dimension: str
    category: str
    blank: Blank
    people: NumberCard
    rate: NumberCard | None = None
    per: str = ""

    @property
    def year(self) -> str:
        """The year as files have it, "2020", or the first and the last, "2018-2020"."""
        return "-".join(str(year) for year in dict.fromkeys(self.years))


@dataclass(frozen=True)
class MandatedTable:
    """A mandated table.

    Attributes:
        name: of its shape.
        scope: what it is about.
        lines: in order of country and year.
    """

    name: str
    scope: MandatedScope
    lines: tuple[MandatedLine, ...]

    @property
    def years(self) -> tuple[int, int]:
        """First and last that it is about; a line has its own."""
        return self.scope.span

    def denominator(self, line: MandatedLine) -> Inhabitants | None:
        """The population that a line's rate refers to."""
        if self.scope.population is None or line.rate is None:
            return None
        sex = line.per if line.dimension == "sex" else ""
        age = line.per if line.dimension == "age" else ""
        return self.scope.population.get(line.country, line.year, sex, age)


@dataclass(frozen=True)
class MandatedScope:
    """What a table is about.

    Attributes:
        places: countries of exploitation.
        years: in order.
        population: None where none was given.
        every: whether the years are all that the release covers.
    """

    places: tuple[str, ...]
    years: tuple[str, ...]
    population: Population | None = None
    every: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """First and last year."""
        return int(self.years[0]), int(self.years[-1])


def reported_places(answers: Answers) -> tuple[str, ...]:
    """Countries of exploitation of which the release shows how many people there are."""
    return tuple(sorted(code for (code,) in answers.cells(DESTINATION) if code))


def scope(
    answers: Answers,
    country: str | None = None,
    years: tuple[int, int] | None = None,
    population: Population | None = None,
) -> MandatedScope:
    """The countries and years of a table.

    Args:
        country: ISO 3166 alpha-3, in any case; all that the release shows by default.
        years: first and last; the last three that the release covers by default.

    Raises:
        HubError: no such country; the years lie outside those of the release.
    """
    first, last = answers.release.years
    if country is not None and country.upper() not in countries.ALPHA3:
        raise error("country/code")
    wanted = years or (max(first, last - 2), last)
    if not first <= wanted[0] <= wanted[1] <= last:
        raise error("years/mandated", first=first, last=last)
    return MandatedScope(
        places=(country.upper(),) if country else reported_places(answers),
        years=tuple(str(y) for y in range(wanted[0], wanted[1] + 1)),
        population=population,
        every=wanted == (first, last),
    )


@dataclass(frozen=True)
class Counter:
    """Counts the lines of one country in one year, or in several together.

    Attributes:
        years: none where the years make no condition.
        population: where it is known, lines of one year have a rate.
    """

    answers: Answers
    country: str
    years: tuple[str, ...]
    population: Population | None = None

    def line(
        self, dimension: str, category: str, where: Where, *, measured: bool = True
    ) -> MandatedLine:
        """One line.

        Args:
            where: conditions beside country and years.
            measured: False for what no release can answer.
        """
        blank: Blank = "not_recorded" if category == "not_recorded" else ""
        if not self._covered:
            blank, measured = "nobody_reports", False
        found, published, people = self._people(where, measured=measured)
        rate, per_whom = self._rate(found, people, dimension, category, published=published)
        return MandatedLine(
            country=self.country,
            years=self._span,
            dimension=dimension,
            category=category,
            blank=blank,
            people=people,
            rate=rate,
            per=per_whom,
        )

    @cached_property
    def _covered(self) -> bool:
        """Whether some contributor covers one of the years."""
        release = self.answers.release
        return not self.years or any(covering(release, int(y)) for y in self.years)

    @cached_property
    def _span(self) -> tuple[int, int]:
        if not self.years:
            return self.answers.release.years
        return int(self.years[0]), int(self.years[-1])

    def _people(self, where: Where, *, measured: bool) -> tuple[Interval, bool, NumberCard]:
        """The number of people, whether it was published, and its card, made once: tables of
        several shapes ask the same of a country and year."""

        def make() -> tuple[Interval, bool, NumberCard]:
            query = Query(self._all(where))
            found = self.answers.count(query.where) if measured else NOT_MEASURED
            own = self.answers.is_published(query.where)
            return found, own, card(self.answers.release, found, "people", query, published=own)

        asked = tuple((name, tuple(codes)) for name, codes in where.items())
        return self.answers.kept(("mandated", self.country, self.years, asked, measured), make)

    def not_held(self, dimension: str, category: str) -> MandatedLine:
        """A line that the table asks for and that no release can answer."""
        _found, _published, people = self._people({}, measured=False)
        return MandatedLine(self.country, self._span, dimension, category, "not_held", people)

    def elsewhere(self, dimension: str, category: str, where: Where) -> MandatedLine:
        """A line of people who were not exploited in the country: ``where`` says where."""
        when = {PERIOD: list(self.years)} if self.years else {}
        inside = self.line(dimension, category, {})
        if inside.blank:
            return inside
        people = self.answers.card(Query({**where, **when}))
        return replace(inside, people=people, rate=None, per="")

    def split(
        self, dimension: str, variable: str, parts: Iterable[tuple[str, Sequence[str]]]
    ) -> list[MandatedLine]:
        """A line for each part of a variable's values, and one for people without an answer.

        Args:
            parts: category, values.
        """
        lines = [self.line(dimension, c, {variable: values}) for c, values in parts]
        unknown = self.line(dimension, "not_recorded", {variable: [NOT_RECORDED]})
        return [*lines, unknown]

    def _all(self, where: Where) -> Where:
        when = {PERIOD: list(self.years)} if self.years else {}
        return {**where, DESTINATION: [self.country], **when}

    def _rate(
        self, found: Interval, shown: NumberCard, dimension: str, category: str, *, published: bool
    ) -> tuple[NumberCard | None, str]:
        """The rate, and whose population it refers to: that of the line's own sex or age where the
        file has it, else everybody's."""
        if self.population is None or len(self.years) != 1:
            return None, ""
        place = self.country, self.years[0]
        own, whom = None, category if category in PARTS.get(dimension, ()) else ""
        if whom:
            own = self.population.get(*place, **{dimension: whom})
        people = own or self.population.get(*place)
        if people is None:
            return None, ""
        if found.high is not None:
            self.population.check(*place, people, found.value or 0.0, found.high)
        rate = per(found, people.number)
        made = card(
            self.answers.release,
            rate,
            "per_100000",
            shown.query,
            denominator=people.number,
            published=published,
        )
        return made, whom if own else ""


def per(found: Interval, population: int) -> Interval:
    """A count as a rate per :data:`PER` of a population, which is taken as exact.

    >>> per(Interval(50, 40, 60), 1_000_000)
    Interval(value=5.0, low=4.0, high=6.0)
    """
    if found.value is None or found.low is None or found.high is None:
        return NOT_MEASURED
    return Interval(*(PER * x / population for x in (found.value, found.low, found.high)))


def standings(answers: Answers, counter: Counter) -> list[MandatedLine]:
    """Presumed and identified victims; nothing where the release does not tell them apart."""
    if STANDING not in answers.variables:
        return []
    return counter.split("status", STANDING, [(s, [s]) for s in answers.domain(STANDING)])


def most_frequent(answers: Answers, counter: Counter, most: int) -> list[MandatedLine]:
    """A line for each of the citizenships with the most people in the years of the counter.

    Those shown come first; where too few are shown in these years, the order of all years decides.
    """
    cells = answers.cells(ORIGIN, DESTINATION)
    always = {a: e.value for (a, b), e in cells.items() if a and b == counter.country}
    lines: list[tuple[float, MandatedLine]] = []
    for origin in sorted(always, key=lambda code: (-always[code], code)):
        least = sorted((n for n, _line in lines), reverse=True)[most - 1 : most]
        if least and always[origin] < least[0]:
            break  # fewer in all years than the others have in these
        line = counter.line("nationality", origin, {ORIGIN: [origin]})
        lines.append((line.people.middle, line))
    lines.sort(key=lambda pair: -pair[0])
    return [line for _n, line in lines[:most]]


def forms(answers: Answers) -> tuple[str, ...]:
    """Forms of exploitation of the schema that the hub had, and what the release has of later."""
    return _forms(answers.release.facts.schema_version, answers.variables)


@lru_cache(maxsize=64)
def _forms(version: str, variables: frozenset[str]) -> tuple[str, ...]:
    """The same, asked for each country and year."""
    had = load_schema().at(version)
    return tuple(f for f in load_schema().flags(HARM) if had.has(f) or f in variables)


def ages(answers: Answers) -> list[tuple[str, Sequence[str]]]:
    """Children and adults, by the age bands at registration."""
    adults = [band for band in answers.domain(AGE) if band not in CHILD_BANDS]
    return [("children", CHILD_BANDS), ("adults", adults)]
