"""Population by country, year, sex and age, from a file of the user: the denominator of rates.

country,year,population,source,reference_date,sex,age
ITA,2020,59641488,"National office of statistics, demographic balance",2020-01-01,total,total

``sex`` and ``age`` may be left out.  Who counted the people and on which day stands in every row,
because a rate says nothing without it.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.i18n import read_shipped
from ctdhub.schema import countries

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
    codes = {"": ALL} | {w: code for code, held in words[column].items() for w in held.split()}
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
    lines = csv.reader(text.splitlines())
    header = [name.strip().casefold() for name in next(lines, [])]
    header = [_OTHER_NAMES.get(name, name) for name in header]
    for name in REQUIRED:
        if header.count(name) != 1:
            raise error("population/header", file=path, row=1, column=name)
    for name in header:
        if name not in (*REQUIRED, *OPTIONAL) or header.count(name) > 1:
            shown = printable(name)
            raise error("population/column", file=path, row=1, column=shown)
    people: dict[_Key, Inhabitants] = {}
    for number, cells in enumerate(lines, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < len(header):
            raise error("population/cells", file=path, row=number)
        key, found = _row(path, number, dict(zip(header, map(str.strip, cells), strict=False)))
        if key in people:
            raise error("population/twice", file=path, row=number)
        people[key] = found
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
        found = date.fromisoformat(day)
    except ValueError:
        return False
    return found.year == year or found == date(year + 1, 1, 1)


def _total(path: Path, people: dict[_Key, Inhabitants], country: str, year: str) -> None:
    """Check the total against its parts, or make it of them."""
    for parts in (
        [(country, year, sex, ALL) for sex in ("female", "male")],
        [(country, year, ALL, age) for age in ("children", "adults")],
    ):
        held = [people[key] for key in parts if key in people]
        whole = people.get((country, year, ALL, ALL))
        if len(held) == len(parts):
            number = sum(part.number for part in held)
            if whole is None:
                whole = Inhabitants(number, held[0].row, held[0].source, held[0].reference_date)
                people[country, year, ALL, ALL] = whole
            if abs(number - whole.number) > OFF * whole.number:
                raise _sum(path, held[0].row, country, year)
        elif whole is not None and any(part.number > whole.number for part in held):
            raise _sum(path, held[0].row, country, year)


def _sum(path: Path, row: int, country: str, year: str) -> HubError:
    return error(
        "population/sum", file=path, row=row, column="population", country=country, year=year
    )


def sources(people: Iterable[Inhabitants]) -> tuple[tuple[str, str], ...]:
    """Who counted, and on which day, each pair once, in order of the rows."""
    ordered = sorted(people, key=lambda p: p.row)
    return tuple(dict.fromkeys((p.source, p.reference_date) for p in ordered))
