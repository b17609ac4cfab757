"""People by year: series, who covered which year, breaks that were declared, and what may be said
about change.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ctdhub.release.open import Release
from ctdhub.release.tables import YearCounts
from ctdhub.schema.model import CONTRIBUTOR, PERIOD, load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_RECORDED, Ends, Kind, NumberCard, Row, Table
from ctdhub.stats.query import Query, Where

# --------------------------------------------------------------------------------------------------
# People by year: series, who covered which year, and what may be said about change.
#
# A difference of two counts takes its interval from the two half-widths added in quadrature; the
# noise of two cells is independent.  It says how many more people were identified, which also moves
# when a contributor joins or leaves, never how much trafficking there was.


@dataclass(frozen=True)
class Line:
    """A line of a chart: its code, and the conditions that its people meet."""

    code: str
    where: Where


@dataclass(frozen=True)
class Difference(Ends):
    """How many more people the later of two counts has, with its interval."""

    value: float
    low: float
    high: float


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
    spans = []
    for c in facts.contributors:
        name = f"{c.name} ({c.id})" if c.id and names.count(c.name) > 1 else c.name
        spans.append((name, *(c.years or facts.years)))
    return tuple(spans)


def covering(release: Release, year: int) -> tuple[str, ...]:
    """Names of the contributors that report on a year."""
    spans = contributor_spans(release)
    return tuple(name for name, first, last in spans if first <= year <= last)


def turns(release: Release) -> tuple[Turn, ...]:
    """Years in which some contributor joins, or no longer reports, after the first covered one."""
    first, last = release.years
    spans = contributor_spans(release)
    changes = []
    for year in range(first + 1, last + 1):
        joined = tuple(name for name, begin, end in spans if begin == year <= end)
        left = tuple(name for name, begin, end in spans if begin <= end == year - 1)
        if joined or left:
            changes.append(Turn(year, joined, left))
    return tuple(changes)


def difference(
    earlier: NumberCard, later: NumberCard, *, hidden: bool = False
) -> Difference | None:
    """``later`` less ``earlier``; None unless both are shown, or one where ``hidden`` says so.

    Args:
        hidden: one of them may be too small to show: it is 0, uncertain by its whole upper end.
    """
    cards = earlier, later
    shown = [card.value is not None for card in cards]
    veiled = hidden and any(shown) and all(c.state in ("shown", "protected") for c in cards)
    if not (all(shown) or veiled):
        return None
    value = (later.value or 0) - (earlier.value or 0)
    ends = (c.half_width if c.value is not None else c.high or 0 for c in cards)
    half = math.ceil(math.hypot(*ends))
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


# --------------------------------------------------------------------------------------------------
# Noisy series by year: unbiased inputs for statistics.
#
# Each value is a count plus noise of mean zero and known standard deviation.  Values may be
# negative and are not truncated, so that sums and means of them stay unbiased.  The noise of
# different years is independent, or, where tables were fitted together, correlated by -1 / Y at
# most (Y + 1 values of an axis, one of them "not recorded", whose total is known much better than
# each): ``sigma`` is widened by ``sqrt((Y + 1) / Y)``, so that a difference of two values has at
# most the standard deviation ``sigma * sqrt(2)`` and a sum of m values at most ``sigma * sqrt(m)``.
# Series of different tables may share noise.


@dataclass(frozen=True)
class Series:
    """Noisy counts of the people of a group by year.

    Attributes:
        of: values by variable, in the order of the table; () is everybody, the text "" stands for
            "not recorded".
        years: all years of the policy in order, as texts; years to come hold noise alone.
        noisy: people by year, unbiased, shape (years,).
        sigma: standard deviation of the noise of each, in people, widened for differences.
        no_year: noisy count of the people of the group whose year is not recorded.
    """

    of: tuple[tuple[str, str], ...]
    years: tuple[str, ...]
    noisy: npt.NDArray[np.float64]
    sigma: float
    no_year: float = 0.0


def all_series(release: Release) -> tuple[Series, ...]:
    """Every series by year of the release, () where it has none."""
    return tuple(_fitted(release, group) for group in release.measured.values())


def series(release: Release, where: Mapping[str, str]) -> Series | None:
    """The series of the people who have these values; None where it is not in the release.

    Args:
        where: values by variable, for example ``{"citizenship": "CIV", "gender": "female"}``;
            ``{}`` is everybody.
    """
    group = release.measured.get(frozenset(where.items()))
    return _fitted(release, group) if group else None


def by_contributor(release: Release, where: Mapping[str, str]) -> dict[str, Series]:
    """The series of these people by the contributor that first reported them.

    Args:
        where: at most one variable and its value; ``{}`` is everybody.

    Returns:
        By id of the contributor; "" is all those without counts of their own, and is left out
        where there are none of these.  {} where these people were not measured by contributor.
    """
    sources = release.protected.sources
    if sources is None:
        return {}
    others = {c.id for c in release.facts.contributors} - set(sources.contributors)
    by_id = {}
    for name in (*sources.contributors, *([""] if others else [])):
        group = release.measured_sources.get(frozenset({**where, CONTRIBUTOR: name}.items()))
        if group:
            by_id[name] = _series(release, group, sources.sigma)
    return by_id


def _fitted(release: Release, group: YearCounts) -> Series:
    """A series of tables that were fitted together."""
    guarantee, years = release.protected.guarantee, len(group.noisy) - 1
    counts = _series(release, group, guarantee.sigma)
    return replace(counts, sigma=counts.sigma * math.sqrt((years + 1) / years))


def _series(release: Release, group: YearCounts, sigma: Mapping[str, float]) -> Series:
    first, last = release.facts.years
    years = tuple(str(year) for year in range(first, last + 1))
    noisy = np.array([group.noisy.get(year, 0.0) for year in years])  # 0: nobody reports
    return Series(group.of, years, noisy, sigma[group.table], group.noisy[""])


# --------------------------------------------------------------------------------------------------
# Breaks that contributors declared: days from which on their figures are not comparable.
#
# They are public facts of a release, never found in its numbers.  A break concerns a question if it
# names no variables, or one of the question's; only a contributor that reports before and after it
# can have one.


@dataclass(frozen=True)
class DeclaredBreak:
    """A break of one contributor.

    Attributes:
        day: from which on figures differ, ISO 8601.
        name: of the contributor.
        kind: "operator", "law", "form", "definition" or "other".
        variables: names of variables or groups that it concerns; () for all figures.
        note: of the steward, in whatever language.
    """

    day: str
    name: str
    kind: str
    variables: tuple[str, ...] = ()
    note: str = ""

    @property
    def year(self) -> int:
        """The first year with figures after it."""
        return int(self.day[:4])

    def parts(self, earlier: int, later: int) -> bool:
        """Whether it lies between the beginning of one year and the end of another.

        >>> january = DeclaredBreak("2016-01-01", "One", "form")
        >>> january.parts(2015, 2016), january.parts(2016, 2017), january.parts(2014, 2015)
        (True, False, False)
        >>> DeclaredBreak("2016-05-01", "One", "form").parts(2016, 2017)
        True
        """
        return f"{earlier:04}-01-01" < self.day and self.year <= later


def breaks_within(
    release: Release, variables: tuple[str, ...] | None, first: int, last: int
) -> tuple[DeclaredBreak, ...]:
    """Breaks of a series of years, in the order of days.

    Args:
        variables: what the question asks about, () for all people; None for every break.
    """
    return tuple(
        break_
        for break_, (begin, end) in _declared(release, variables)
        if break_.parts(max(begin, first), min(end, last))
    )


def breaks_between(
    release: Release, variables: tuple[str, ...], earlier: int, later: int
) -> tuple[DeclaredBreak, ...]:
    """Breaks that a comparison of two years meets: of contributors that report on both."""
    return tuple(
        break_
        for break_, (begin, end) in _declared(release, variables)
        if begin <= earlier and later <= end and break_.parts(earlier, later)
    )


def _declared(
    release: Release, variables: tuple[str, ...] | None
) -> Iterator[tuple[DeclaredBreak, tuple[int, int]]]:
    """Breaks that concern variables, each once, with the years of their contributor."""
    asked = None if variables is None else {n for v in variables for n in _also(v)}
    breaks: dict[DeclaredBreak, tuple[int, int]] = {}
    spans = contributor_spans(release)
    for one, (name, first, last) in zip(release.facts.contributors, spans, strict=True):
        for b in one.breaks:
            if asked is None or not b.variables or asked & set(b.variables):
                made = DeclaredBreak(b.date, name, b.kind, b.variables, b.note)
                breaks.setdefault(made, (first, last))
    yield from sorted(breaks.items(), key=lambda pair: (pair[0].day, pair[0].name))


def _also(variable: str) -> set[str]:
    """A variable, its group and the group's indicator, under any of which a break may name it."""
    schema = load_schema()
    try:
        entry = schema.variable(variable)
    except KeyError:
        return {variable}
    group = entry.group or entry.any_of or ""
    indicator = schema.groups[group].indicator if group in schema.groups else None
    return {variable, group, indicator or ""} - {""}
