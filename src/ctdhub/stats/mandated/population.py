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
from ctdhub.core.errors import FileError
from ctdhub.core.i18n import _
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
        raise _fault(path, None, None, _("The file cannot be read as UTF-8 text.")) from cause
    if len(content) > MAX_BYTES:
        raise _fault(path, None, None, _("The file is larger than a table of countries can be."))
    lines = csv.reader(text.splitlines())
    header = [name.strip().casefold() for name in next(lines, [])]
    for name in COLUMNS:
        if header.count(name) != 1:
            raise _fault(path, 1, name, _("The first row must name this column once."))
    at = [header.index(name) for name in COLUMNS]
    people: dict[tuple[str, str], int] = {}
    rows: dict[tuple[str, str], int] = {}
    for number, cells in enumerate(lines, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) <= max(at):
            raise _fault(path, number, None, _("The row has too few cells."))
        country, year, count = (cells[k].strip() for k in at)
        if country not in countries.ALPHA3:
            what = _("The cell is no country code of three capital letters (ISO 3166).")
            raise _fault(path, number, "country", what)
        if not re.fullmatch(r"(19|20|21)[0-9]{2}", year):
            raise _fault(path, number, "year", _("The cell is no year of four digits."))
        if not re.fullmatch(r"[1-9][0-9]{0,10}", count):
            what = _("The cell is no whole number above zero, in digits alone.")
            raise _fault(path, number, "population", what)
        if (country, year) in people:
            what = _("This country and year stand in the file twice.")
            raise _fault(path, number, None, what)
        people[country, year], rows[country, year] = int(count), number
    if not people:
        raise _fault(path, 2, None, _("The file has no rows."))
    return Population(people, rows, path)


def _fault(path: Path, row: int | None, column: str | None, what: str) -> FileError:
    fix = _(
        "Give a CSV file with the columns country, year and population, for example the row "
        "ITA,2020,59641488; correct this place and run the command again."
    )
    return FileError(what, fix, file=path, row=row, column=column, rule="population")
