"""People by year: series, who covered which year, and what may be said about change.

A difference of two counts takes its interval from the two half-widths added in quadrature; the
noise of two cells is independent.  It says how many more people were identified, which also moves
when a contributor joins or leaves, never how much trafficking there was.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ctdhub.release.open import Release
from ctdhub.schema.roles import PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.query import Query, Where
from ctdhub.stats.table import NOT_RECORDED, Kind, Row, Table


@dataclass(frozen=True)
class Line:
    """A line of a chart: its code, and the conditions that its people meet."""

    code: str
    where: Where


@dataclass(frozen=True)
class Difference:
    """How many more people the later of two counts has, with its interval."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Turn:
    """A year in which contributors begin or have just ended, by name."""

    year: int
    joined: tuple[str, ...]
    left: tuple[str, ...]


def span(release: Release) -> tuple[int, ...]:
    """Years from the first to the last that some contributor covers, none after the release."""
    first, last = release.years
    return tuple(range(first, last + 1))


def contributor_spans(release: Release) -> tuple[tuple[str, int, int], ...]:
    """Name, first and last year of each contributor, in the order of the facts.

    Of contributors with one name, such as a service under two operators, each has its id after it.
    """
    facts = release.facts
    names = [c.name for c in facts.contributors]
    found = []
    for c in facts.contributors:
        name = f"{c.name} ({c.id})" if c.id and names.count(c.name) > 1 else c.name
        found.append((name, *(c.years or facts.years)))
    return tuple(found)


def covering(release: Release, year: int) -> tuple[str, ...]:
    """Names of the contributors that report on a year."""
    spans = contributor_spans(release)
    return tuple(name for name, first, last in spans if first <= year <= last)


def turns(release: Release) -> tuple[Turn, ...]:
    """Years in which some contributor joins, or no longer reports, after the first covered one."""
    first, last = release.years
    spans = contributor_spans(release)
    found = []
    for year in range(first + 1, last + 1):
        joined = tuple(name for name, begin, end in spans if begin == year <= end)
        left = tuple(name for name, begin, end in spans if begin <= end == year - 1)
        if joined or left:
            found.append(Turn(year, joined, left))
    return tuple(found)


def difference(earlier: NumberCard, later: NumberCard) -> Difference | None:
    """``later`` less ``earlier``; None unless both are shown."""
    if earlier.value is None or later.value is None:
        return None
    value = later.value - earlier.value
    half = math.ceil(math.hypot(earlier.half_width, later.half_width))
    return Difference(value, value - half, value + half)


def trend(
    answers: Answers, variable: str, lines: Sequence[Line], recorded: Where | None = None
) -> Table | None:
    """People by year on each line, years in order; people without a year follow their line.

    Args:
        variable: what tells the lines apart; it names the second code of each row.
        lines: those that this release did not measure by year are left out.
        recorded: conditions that people of the table's base meet beside having a year.

    Returns:
        Rows with the codes (year, line); None where no line was measured.
    """
    rows = [row for line in lines for row in _line(answers, line)]
    if not rows:
        return None
    known = Query({**(recorded or {}), PERIOD: answers.domain(PERIOD)})
    missing = answers.missing(known)
    base = answers.card(known, missing=missing)
    return Table((PERIOD, variable), tuple(rows), base, missing)


def _line(answers: Answers, line: Line) -> list[Row]:
    release = answers.release

    def people(years: Collection[str]) -> NumberCard:
        return answers.card(Query({**line.where, PERIOD: years}))

    rows = []
    for year in span(release):
        kind: Kind = "value" if line.code else "not_recorded"
        if not covering(release, year):
            kind = "nobody_reports"
        rows.append(Row((str(year), line.code), kind, people([str(year)])))
    if all(row.people.state == "not_measured" for row in rows):
        return []
    return [*rows, Row((NOT_RECORDED, line.code), "not_recorded", people([NOT_RECORDED]))]
