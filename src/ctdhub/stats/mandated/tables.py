"""Tables that states and the United Nations ask for, and the population by which rates are made."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property, lru_cache, partial
from importlib import resources
from pathlib import Path
from typing import Literal

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.i18n import read_shipped
from ctdhub.schema import countries, model
from ctdhub.schema.countries import NATIONAL, OTHER_EU, THIRD_COUNTRY
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_MEASURED, NOT_RECORDED, YES, Interval, NumberCard, card
from ctdhub.stats.equity import RECEIVED, kinds
from ctdhub.stats.estimator import memoised
from ctdhub.stats.query import Query, Where
from ctdhub.stats.trend import covering

# --------------------------------------------------------------------------------------------------
# What the mandated tables have in common: lines of number cards, countries, years, blanks.

PER = 100_000
"""People that a rate refers to."""

MOST = 10
"""Nationalities that are listed, the largest."""

PARTS = {"sex": ("female", "male"), "age": ("children", "adults")}
"""Categories of a dimension that a population file may have people of."""

Blank = Literal["", "not_recorded", "nobody_reports", "not_held"]
Parts = Sequence[tuple[str, Sequence[str]]]
"""Category of a line, and the values of a variable that its people have."""


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
    return tuple(sorted(code for (code,) in answers.cells(model.DESTINATION) if code))


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
        blank: Blank = "not_recorded" if "not_recorded" in category.split(":") else ""
        if not self._covered:
            blank, measured = "nobody_reports", False
        count, published, people = _counted(self.answers, self._all(where), measured)
        rate = self._rate(count, people, dimension, category, published=published)
        return MandatedLine(self.country, self._span, dimension, category, blank, people, *rate)

    @cached_property
    def _covered(self) -> bool:
        """Whether some contributor covers one of the years."""
        release = self.answers.release
        return not self.years or any(covering(release, int(y)) for y in self.years)

    @property
    def _span(self) -> tuple[int, int]:
        if not self.years:
            return self.answers.release.years
        return int(self.years[0]), int(self.years[-1])

    def not_held(self, dimension: str, category: str) -> MandatedLine:
        """A line that the table asks for and that no release can answer."""
        _count, _published, people = _counted(self.answers, self._all({}), False)
        return MandatedLine(self.country, self._span, dimension, category, "not_held", people)

    def split(self, dimension: str, variable: str, parts: Parts = ()) -> list[MandatedLine]:
        """A line for each part of a variable's values, and one for people without an answer.

        Args:
            parts: each value by default.
        """
        return [
            self.line(dimension, category, {variable: values})
            for category, values in self._parts(variable, parts)
        ]

    def by_sex(self) -> list[MandatedLine]:
        """Lines by sex."""
        return self.split("sex", model.SEX)

    def by_sex_and(self, dimension: str, variable: str, parts: Parts) -> list[MandatedLine]:
        """The same, each divided by another variable."""
        return [
            self.line(f"sex_by_{dimension}", f"{sex}:{category}", {model.SEX: of, variable: values})
            for sex, of in self._parts(model.SEX)
            for category, values in self._parts(variable, parts)
        ]

    def _parts(self, variable: str, parts: Parts = ()) -> Parts:
        each = parts or [(code, [code]) for code in self.answers.domain(variable)]
        return [*each, ("not_recorded", [NOT_RECORDED])]

    def by_age(self) -> list[MandatedLine]:
        """Lines of children and adults, by the age bands at registration."""
        return self.split("age", model.AGE, ages(self.answers))

    def by_standing(self) -> list[MandatedLine]:
        """Presumed and identified victims; none where the release does not tell them apart."""
        if model.STANDING not in self.answers.variables:
            return []
        return self.split("status", model.STANDING)

    def by_form(self, among: Iterable[str]) -> list[MandatedLine]:
        """A line for each of these forms of exploitation."""
        return [self.line("form_of_exploitation", form, {form: [YES]}) for form in among]

    def abroad(self) -> MandatedLine:
        """The country's nationals who were exploited elsewhere."""
        others = [c for c in self.answers.domain(model.ORIGIN) if c != self.country]
        where = {model.ORIGIN: [self.country], model.DESTINATION: others, **self._when}
        inside = self.line("place_of_exploitation", "nationals_abroad", {})
        if inside.blank:
            return inside
        return replace(inside, people=self.answers.card(Query(where)), rate=None, per="")

    def _all(self, where: Where) -> Where:
        return {**where, model.DESTINATION: [self.country], **self._when}

    @property
    def _when(self) -> Where:
        return {model.PERIOD: list(self.years)} if self.years else {}

    def _rate(
        self, count: Interval, shown: NumberCard, dimension: str, category: str, *, published: bool
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
        if count.high is not None:
            self.population.check(*place, people, count.value or 0.0, count.high)
        rate, of = per(count, people.number), people.number
        release, query = self.answers.release, shown.query
        made = card(release, rate, "per_100000", query, denominator=of, published=published)
        return made, whom if own else ""


@memoised
def _counted(answers: Answers, where: Where, measured: bool) -> tuple[Interval, bool, NumberCard]:
    """The number of people, whether it was published, and its card, made once: tables of several
    shapes ask the same of a country and year."""
    query = Query(where)
    count = answers.count(query.where) if measured else NOT_MEASURED
    own = answers.is_published(query.where)
    return count, own, card(answers.release, count, "people", query, published=own)


def per(count: Interval, population: int) -> Interval:
    """A count as a rate per :data:`PER` of a population, which is taken as exact.

    >>> per(Interval(50, 40, 60), 1_000_000)
    Interval(value=5.0, low=4.0, high=6.0)
    """
    if count.value is None or count.low is None or count.high is None:
        return NOT_MEASURED
    return Interval(*(PER * x / population for x in (count.value, count.low, count.high)))


def most_frequent(counter: Counter) -> list[MandatedLine]:
    """A line for each of the citizenships with the most people in the years of the counter.

    Those shown come first; where too few are shown in these years, the order of all years decides.
    """
    cells = counter.answers.cells(model.ORIGIN, model.DESTINATION)
    always = {a: e.value for (a, b), e in cells.items() if a and b == counter.country}
    lines: list[tuple[float, MandatedLine]] = []
    for origin in sorted(always, key=lambda code: (-always[code], code)):
        least = sorted((n for n, _line in lines), reverse=True)[MOST - 1 : MOST]
        if least and always[origin] < least[0]:
            break  # fewer in all years than the others have in these
        line = counter.line("nationality", origin, {model.ORIGIN: [origin]})
        lines.append((line.people.middle, line))
    lines.sort(key=lambda pair: -pair[0])
    return [line for _n, line in lines[:MOST]]


def forms(answers: Answers) -> tuple[str, ...]:
    """Forms of exploitation of the schema that the hub had, and what the release has of later."""
    return _forms(answers.release.facts.schema_version, answers.variables)


@lru_cache(maxsize=64)
def _forms(version: str, variables: frozenset[str]) -> tuple[str, ...]:
    """The same, asked for each country and year."""
    had = model.load_schema().at(version)
    return tuple(f for f in model.load_schema().flags(model.HARM) if had.has(f) or f in variables)


def ages(answers: Answers) -> Parts:
    """Children and adults, by the age bands at registration."""
    adults = [band for band in answers.domain(model.AGE) if band not in model.CHILD_BANDS]
    return [("children", model.CHILD_BANDS), ("adults", adults)]


# --------------------------------------------------------------------------------------------------
# SDG indicator 16.2.2: victims of trafficking per 100,000 population, by sex, age and form.
#
# Source of the shape: UN Statistics Division, metadata of indicator 16.2.2 (custodian UNODC), as
# updated on 31 March 2023: the ratio of the total number of victims of trafficking in a country to
# the population resident there, per 100,000.  That text was read in a copy of the metadata of the
# World Bank's repository; which population UNODC divides its series by sex and age by was not
# found.


def _sdg(counter: Counter) -> list[MandatedLine]:
    answers, schema, form = counter.answers, model.load_schema(), "form_of_exploitation"
    indicator = schema.groups[model.HARM].indicator or ""
    known = [v for v in answers.domain(indicator) if v != YES]
    return [
        counter.line("total", "all", {}),
        *counter.by_sex(),
        *counter.by_age(),
        *counter.by_form(forms(answers)),
        counter.line(form, "not_recorded", {indicator: [*known, ""]}),
        counter.line("sex_by_age_by_form", "all", {}, measured=False),
    ]


# --------------------------------------------------------------------------------------------------
# Eurostat (crim_thb): victims by kind of contributor, gender, age, citizenship and form, for a
# country and a year.
#
# Source of the shape: Eurostat, reference metadata of crim_thb (certified on 24 January 2024):
# registered victims, identified or not by the authority that does so formally, by sex, by
# citizenship (reporting country, other EU country, non-EU country) and by form of exploitation
# (sexual, forced labour, others); members of the EU and, since 2023, selected candidate and EFTA
# countries.  Its "legal status" tells victims, suspected and convicted persons apart.  A release
# has victims alone; presumed and identified ones are lines of their own where it distinguishes
# them.  That the indicators also ask for the registering organisation and for age was read in
# summaries (docs/how-to/fill-mandated-tables.md); neither the kinds of organisation nor Article 19a
# of Directive 2011/36/EU were read.

OWN_FORMS = (model.SEXUAL_EXPLOITATION, model.FORCED_LABOUR)
"""Forms of exploitation that the collection has a category of its own for."""
OTHER = "other_forms"


EFTA = frozenset({"CHE", "ISL", "LIE", "NOR"})
CANDIDATES = frozenset({"ALB", "BIH", "GEO", "MDA", "MKD", "MNE", "SRB", "TUR", "UKR"})
"""Countries that the European Union calls candidates, as of 2025."""


def reporting_countries() -> frozenset[str]:
    """Members of the EU, of EFTA, and candidates.  Which of the latter two Eurostat has figures of
    was not found; the table is filled for each."""
    return EFTA | CANDIDATES | frozenset(countries.members("eu"))


CITIZENSHIPS = (
    ("reporting_country", [NATIONAL]),
    ("other_eu", [OTHER_EU]),
    ("non_eu", [THIRD_COUNTRY]),
)
"""Category and code of the citizenship group."""


def _eurostat(counter: Counter) -> list[MandatedLine]:
    """Forms are sexual exploitation, forced labour, all others together, which no release measures
    as one, and each of the others."""
    flags = forms(counter.answers)
    return [
        counter.line("total", "all", {}),
        *counter.by_standing(),
        *counter.split("registering_organisation", model.CONTRIBUTOR_KIND),
        *counter.by_sex(),
        *counter.by_age(),
        *counter.split("citizenship", model.RELATION, CITIZENSHIPS),
        *counter.by_form(form for form in OWN_FORMS if form in flags),
        counter.line("form_of_exploitation", OTHER, {}, measured=False),
        *counter.by_form(form for form in flags if form not in OWN_FORMS),
        *counter.by_sex_and("age", model.AGE, ages(counter.answers)),
        *counter.by_sex_and("citizenship", model.RELATION, CITIZENSHIPS),
    ]


# --------------------------------------------------------------------------------------------------
# A table in the shape of what GRETA asks of parties to the Council of Europe's convention.
#
# Source of the shape: Council of Europe, GRETA, questionnaires on how parties carry out the
# Convention on Action against Trafficking in Human Beings (CETS 197): victims by sex, age,
# nationality, form of exploitation, national or transnational, and their assistance.  Its fourth
# round of evaluation began on 30 June 2023; the questions of that round's questionnaire on
# statistics were not read.

PREFIX = "assistance_"
"""What the variables of assistance begin with; the categories of their lines leave it out."""


def _greta(counter: Counter) -> list[MandatedLine]:
    answers, home = counter.answers, {model.ORIGIN: [counter.country]}
    others = [c for c in answers.domain(model.ORIGIN) if c != counter.country]
    always = Counter(answers, counter.country, ())
    return [
        counter.line("total", "all", {}),
        *counter.by_standing(),
        *counter.by_sex(),
        *counter.by_age(),
        *counter.by_form(forms(answers)),
        *most_frequent(counter),
        counter.line("nationality", "not_recorded", {model.ORIGIN: [NOT_RECORDED]}),
        counter.line("place_of_exploitation", "nationals", home),
        counter.line("place_of_exploitation", "foreigners", {model.ORIGIN: others}),
        counter.abroad(),
        *_of_group(always, "recruitment", model.CHANNEL),
        *_of_group(always, "technology", model.TECHNOLOGY),
        *_assistance(always),
    ]


def _of_group(always: Counter, dimension: str, group: str) -> list[MandatedLine]:
    """Flags of a group, of all years: they are not measured by year here; none where none is
    released."""
    schema, released = model.load_schema(), always.answers.variables
    flags = [f for f in schema.flags(group) if f in released]
    some = schema.groups[group].indicator or ""
    asked = [("recorded", some)] if flags and some in released else []
    return [
        always.line(dimension, name, {flag: [YES]})
        for name, flag in (*asked, *zip(flags, flags, strict=True))
    ]


def _assistance(always: Counter) -> list[MandatedLine]:
    """People who received each kind, of all years: assistance is not measured by year here."""
    return [
        always.line("assistance", f"{kind.removeprefix(PREFIX)}:{category}", {kind: statuses})
        for kind in kinds(always.answers)
        for category, statuses in (
            ("recorded", always.answers.domain(kind)),
            (RECEIVED, (RECEIVED,)),
        )
    ]


# --------------------------------------------------------------------------------------------------
# UNODC's questionnaire for the Global Report on Trafficking in Persons, for a country and a year.
#
# Source of the shape: UNODC, questionnaire for the Global Report 2016: question 1, offences
# recorded by year; question 2, persons brought into formal contact with the police or the courts,
# by sex and year.  These two were read.  What the table asks of prosecutions, convictions and
# victims (by sex and minor or adult, form of exploitation, citizenship, nationals abroad) follows
# what the Global Reports tabulate: the wording of those questions was not read.

OFFENDERS = ("formal_contact", "prosecuted", "convicted")
"""What the questionnaire asks of persons by sex.  A release has no alleged perpetrators by country
and year."""


def _unodc(counter: Counter) -> list[MandatedLine]:
    genders = counter.answers.domain(model.SEX)
    return [
        counter.not_held("offences", "all"),
        *(counter.not_held(asked, sex) for asked in OFFENDERS for sex in ("all", *genders)),
        counter.line("total", "all", {}),
        *counter.by_standing(),
        *counter.by_sex(),
        *counter.by_age(),
        *counter.by_form(forms(counter.answers)),
        *most_frequent(counter),
        counter.abroad(),
    ]


# --------------------------------------------------------------------------------------------------
# The tables that states and the United Nations ask for, out of one release.
#
# Every table is aligned with what its users ask for, not certified by them, and says what is
# missing.
SDG, EUROSTAT, GRETA, UNODC = "sdg-16.2.2", "eurostat", "greta", "unodc"
_BLOCKS = {SDG: _sdg, EUROSTAT: _eurostat, GRETA: _greta, UNODC: _unodc}


def _table(name: str, answers: Answers, scope: MandatedScope) -> MandatedTable:
    """The table of a shape: a block of lines for each country and year; GRETA's has one for all
    years together, UNODC's ends a country with one of all years.

    Raises:
        HubError: none of the countries is one of :func:`reporting_countries` (Eurostat).
    """
    places, population = scope.places, scope.population if name == SDG else None
    if name == EUROSTAT:
        states = reporting_countries()
        places = tuple(place for place in places if place in states)
        if not places:
            raise error("reporting-country")
    spans: list[tuple[str, ...]] = [(year,) for year in scope.years]
    if name == GRETA:
        spans = [() if scope.every else scope.years]
    lines: list[MandatedLine] = []
    for place in places:
        for years in spans:
            lines += _BLOCKS[name](Counter(answers, place, years, population))
        if name == UNODC:  # the two are not measured together by year
            lines += Counter(answers, place, ()).by_sex_and("age", model.AGE, ages(answers))
    return MandatedTable(name, scope, tuple(lines))


SHAPES: dict[str, Callable[[Answers, MandatedScope], MandatedTable]] = {
    name: partial(_table, name) for name in _BLOCKS
}
"""By name what makes the table."""


# --------------------------------------------------------------------------------------------------
# Population by country, year, sex and age, from a file of the user: the denominator of rates.
#
# country,year,population,source,reference_date,sex,age ITA,2020,59641488,"National office of
# statistics, demographic balance",2020-01-01,total,total
#
# ``sex`` and ``age`` may be left out. Who counted the people and on which day stands in every
# row, because a rate says nothing without it.


# --------------------------------------------------------------------------------------------------
# The order of magnitude of each country's population, to refuse figures in another unit.
#
# Rounded by hand to one or two digits, somewhere between 2000 and 2025; for nothing but this check.
# Places where nobody lives all year have none.

FACTOR = 5.0
"""How far a population may be from the rough one, in either direction."""
LEAST_PART = 25.0
"""How many times smaller the population of a sex or an age may be."""


_FILE = resources.files("ctdhub.stats.mandated") / "rough_populations.csv"
_ROUGH = {code: float(people) for code, people in csv.reader(_FILE.read_text().split()[1:])}


def is_plausible(country: str, people: float, *, part: bool = False) -> bool:
    """Whether a population is near the rough one.

    Args:
        part: whether it is that of one sex or of some ages only.

    >>> is_plausible("ITA", 59_641_488), is_plausible("ITA", 59_641)
    (True, False)
    """
    rough = _ROUGH.get(country)
    if rough is None:
        return True
    return rough / (LEAST_PART if part else FACTOR) <= people <= rough * FACTOR


REQUIRED = ("country", "year", "population", "source", "reference_date")
OPTIONAL = ("sex", "age")
_OTHER_NAMES = {"sexe": "sex", "sexo": "sex", "âge": "age", "edad": "age"}
MAX_BYTES = 20_000_000
MAX_SOURCE = 200
MOST_RATE = 100.0
"""People per 100,000 above which a rate is refused unless the caller says that it is right."""
OFF = 0.02
"""How far women and men, or children and adults, may be from the total, as a part of it."""

ALL = ""


@cache
def _codes(column: str) -> dict[str, str]:
    """Code by word of a sex or an age."""
    words = read_shipped(resources.files("ctdhub.stats.mandated") / "population_words.yaml")
    codes = {"": ALL} | {w: code for code, text in words[column].items() for w in text.split()}
    return {word: ALL if code == "all" else code for word, code in codes.items()}


@dataclass(frozen=True)
class Inhabitants:
    """People who live in a country on a day.

    Attributes:
        number: of people.
        row: in the file, from 1; that of a part where the total is a sum.
        source: who counted them, in the words of the file.
        reference_date: the day, ISO 8601.
    """

    number: int
    row: int
    source: str
    reference_date: str


_Key = tuple[str, str, str, str]
"""Country, year, sex, age; :data:`ALL` where the figure is about all."""


@dataclass(frozen=True)
class Population:
    """The population of countries by year.

    Attributes:
        people: by country, year, sex ("female", "male" or "") and age ("children", "adults" or "").
        file: None where they came from no file.
        high_rates: whether rates above :data:`MOST_RATE` are right.
    """

    people: dict[_Key, Inhabitants]
    file: Path | None = None
    high_rates: bool = False

    def get(self, country: str, year: str, sex: str = ALL, age: str = ALL) -> Inhabitants | None:
        """The population; None where the file has none."""
        return self.people.get((country, year, sex, age))

    def check(
        self, country: str, year: str, people: Inhabitants, value: float, most: float
    ) -> None:
        """Refuse a population that cannot be that of the people counted in it.

        Args:
            value: the count, in people.
            most: the upper end of the count.

        Raises:
            FileError: it may be smaller than they are, or more than :data:`MOST_RATE` in 100,000
                were counted; the error names the row.
        """
        small = people.number < most
        if small or (value * 100_000 > MOST_RATE * people.number and not self.high_rates):
            raise error(
                "population-small" if small else "population-rate",
                file=self.file,
                row=people.row,
                column="population",
                country=country,
                year=year,
            )


def load_population(path: Path, *, high_rates: bool = False) -> Population:  # noqa: C901
    """Read a file with the columns of :data:`REQUIRED` and, if it has them, :data:`OPTIONAL`.

    Any other column is refused: it may divide the people by something that nobody would see.

    A total that is missing is the sum of women and men, or of children and adults.

    Raises:
        OSError: the file cannot be read.
        FileError: it is no text, or a cell cannot be used; the error names row and column.
    """
    content = path.read_bytes()
    if len(content) > MAX_BYTES:
        raise error("population/size", file=path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise error("population/utf8", file=path) from cause
    rows: list[list[str]] = []
    try:
        rows.extend(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as cause:
        raise error("population/cells", file=path, row=len(rows) + 1) from cause
    header = [name.strip().casefold() for name in (rows or [[]])[0]]
    header = [_OTHER_NAMES.get(name, name) for name in header]
    for name in REQUIRED:
        if header.count(name) != 1:
            raise error("population/header", file=path, row=1, column=name)
    for name in header:
        if name not in (*REQUIRED, *OPTIONAL) or header.count(name) > 1:
            shown = printable(name)
            raise error("population/column", file=path, row=1, column=shown)
    people: dict[_Key, Inhabitants] = {}
    for number, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise error("population/cells", file=path, row=number)
        key, group = _row(path, number, dict(zip(header, map(str.strip, cells), strict=True)))
        if key in people:
            raise error("population/twice", file=path, row=number)
        people[key] = group
    if not people:
        raise error("population/no-rows", file=path, row=2)
    for country, year in {key[:2] for key in people}:
        _total(path, people, country, year)
    return Population(people, path, high_rates)


def _row(path: Path, row: int, cells: dict[str, str]) -> tuple[_Key, Inhabitants]:
    """One row, each cell checked."""
    country, year, count = (cells[name] for name in REQUIRED[:3])
    if country not in countries.ALPHA3:
        raise error("population/country", file=path, row=row, column="country")
    if not re.fullmatch(r"(19|20|21)[0-9]{2}", year):
        raise error("population/year", file=path, row=row, column="year")
    if not re.fullmatch(r"[1-9][0-9]{0,10}", count):
        raise error("population/number", file=path, row=row, column="population")
    sex, age = (
        _codes(column).get("_".join(cells.get(column, "").casefold().split()))
        for column in OPTIONAL
    )
    if sex is None:
        raise error("population/sex", file=path, row=row, column="sex")
    if age is None:
        raise error("population/age", file=path, row=row, column="age")
    source, day = printable(cells["source"], MAX_SOURCE), cells["reference_date"]
    if not source:
        raise error("population/source", file=path, row=row, column="source")
    if not _is_of(day, int(year)):
        raise error("population/day", file=path, row=row, column="reference_date", year=year)
    if not is_plausible(country, int(count), part=bool(sex or age)):
        raise error(
            "population/magnitude", file=path, row=row, column="population", country=country
        )
    return (country, year, sex, age), Inhabitants(int(count), row, source, day)


def _is_of(day: str, year: int) -> bool:
    """Whether a day lies in a year, or is the first of the next, which is its end."""
    try:
        when = date.fromisoformat(day)
    except ValueError:
        return False
    return when.year == year or when == date(year + 1, 1, 1)


def _total(path: Path, people: dict[_Key, Inhabitants], country: str, year: str) -> None:
    """Check the total against its parts, or make it of them."""
    pairs = [
        [people[key] for key in parts if key in people]
        for parts in (
            [(country, year, sex, ALL) for sex in ("female", "male")],
            [(country, year, ALL, age) for age in ("children", "adults")],
        )
    ]
    for rows in pairs:
        if len(rows) == 2:
            whole = replace(rows[0], number=sum(part.number for part in rows))
            people.setdefault((country, year, ALL, ALL), whole)
    total = people.get((country, year, ALL, ALL))
    if total is None:
        return
    for rows in pairs:
        over = sum(part.number for part in rows) - total.number
        if (over > 0 and len(rows) == 1) or (abs(over) > OFF * total.number and len(rows) == 2):
            raise _sum(path, rows[0].row, country, year)


def _sum(path: Path, row: int, country: str, year: str) -> HubError:
    return error(
        "population/sum", file=path, row=row, column="population", country=country, year=year
    )


def sources(people: Iterable[Inhabitants]) -> tuple[tuple[str, str], ...]:
    """Who counted, and on which day, each pair once, in order of the rows."""
    ordered = sorted(people, key=lambda p: p.row)
    return tuple(dict.fromkeys((p.source, p.reference_date) for p in ordered))
