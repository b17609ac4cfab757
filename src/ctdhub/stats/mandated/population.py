"""Population by country and year, from a file of the user: the denominator of rates.

country,year,population
ITA,2020,59641488
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.schema import countries

COLUMNS = ("country", "year", "population")
MAX_BYTES = 20_000_000


@dataclass(frozen=True)
class Population:
    """People who live in a country in a year.

    Attributes:
        people: by country and year.
        rows: the row of each in its file, from 1.
        file: None where they came from no file.
    """

    people: dict[tuple[str, str], int]
    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    file: Path | None = None

    def get(self, country: str, year: str) -> int | None:
        """The population; None where the file has none."""
        return self.people.get((country, year))

    def check(self, country: str, year: str, most: float) -> None:
        """Refuse a population that may be smaller than the people counted in it.

        Args:
            most: the upper end of the count.

        Raises:
            FileError: it is; the error names the row.
        """
        people = self.people.get((country, year))
        if people is not None and people < most:
            raise error(
                "population-small",
                file=self.file,
                row=self.rows.get((country, year)),
                column="population",
                country=country,
                year=year,
            )


def load_population(path: Path) -> Population:
    """Read a file with the columns country (ISO 3166 alpha-3), year and population.

    Raises:
        OSError: the file cannot be read.
        FileError: it is no text, or a cell cannot be used; the error names row and column.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise error("population/utf8", file=path) from cause
    if len(content) > MAX_BYTES:
        raise error("population/size", file=path)
    lines = csv.reader(text.splitlines())
    header = [name.strip().casefold() for name in next(lines, [])]
    for name in COLUMNS:
        if header.count(name) != 1:
            raise error("population/header", file=path, row=1, column=name)
    at = [header.index(name) for name in COLUMNS]
    people: dict[tuple[str, str], int] = {}
    rows: dict[tuple[str, str], int] = {}
    for number, cells in enumerate(lines, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) <= max(at):
            raise error("population/cells", file=path, row=number)
        country, year, count = (cells[k].strip() for k in at)
        if country not in countries.ALPHA3:
            raise error("population/country", file=path, row=number, column="country")
        if not re.fullmatch(r"(19|20|21)[0-9]{2}", year):
            raise error("population/year", file=path, row=number, column="year")
        if not re.fullmatch(r"[1-9][0-9]{0,10}", count):
            raise error("population/number", file=path, row=number, column="population")
        if (country, year) in people:
            raise error("population/twice", file=path, row=number)
        people[country, year], rows[country, year] = int(count), number
    if not people:
        raise error("population/no-rows", file=path, row=2)
    return Population(people, rows, path)
