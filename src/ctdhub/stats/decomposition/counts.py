"""Counts of a question by group of contributors and year, with the noise in each.

Where the release counted the people of the question by contributor, there is a group for each
contributor with counts of its own, and one of all others.  Their sum is moved to what the release
answers for the year, regions included, so that a split adds up to the whole numbers that the charts
show: each group takes a part of the difference in proportion to the variance of its noise.
Otherwise there is one group of all contributors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ctdhub.schema.roles import PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition.contributors import POOLED, WHOLE, ContributorGroup, groups
from ctdhub.stats.decomposition.errors import Noisy, total
from ctdhub.stats.decomposition.subject import ChangeSubject
from ctdhub.stats.intervals import Interval
from ctdhub.stats.query import Where
from ctdhub.stats.series import Series, by_contributor, series
from ctdhub.stats.table import NOT_RECORDED, YES


@dataclass(frozen=True)
class Cell:
    """People of a group in a year.

    Attributes:
        asked: those of the question.
        recorded: those for whom the question's answer is recorded.
        everybody: all.
    """

    asked: Noisy
    recorded: Noisy
    everybody: Noisy

    def __add__(self, other: Cell) -> Cell:
        return Cell(
            self.asked + other.asked,
            self.recorded + other.recorded,
            self.everybody + other.everybody,
        )


@dataclass(frozen=True)
class Counts:
    """Cells by group and year.

    Attributes:
        question: whom they are about.
        groups: in the order of the release.
        cells: by id of the group and year; a group that does not report on a year has none.
        apart: whether contributors were counted apart.
        loose: years in which the groups do not add up to the release's own answer, because it shows
            none.
        level: coverage of intervals.
        z: the normal quantile of that level.
    """

    question: ChangeSubject
    groups: tuple[ContributorGroup, ...]
    cells: Mapping[tuple[str, int], Cell]
    apart: bool
    loose: frozenset[int]
    level: float
    z: float


def counts(answers: Answers, question: ChangeSubject) -> Counts | None:
    """The counts of a question; None where the release did not measure it by year."""
    release = answers.release
    years = range(release.years[0], release.years[1] + 1)
    measured = _apart(answers, question)
    ids = tuple(id_ for id_ in measured if id_ != POOLED)
    held = groups(release, ids) if measured else groups(release, ())
    cells: dict[tuple[str, int], Cell] = {}
    loose = set()
    for year in years:
        here = [g for g in held if g.reporting(year)]
        if measured:
            published = _published(answers, question, year)
            if published is None:
                loose.add(year)
            found = _moved({g.id: _measured(measured[g.id], year) for g in here}, published)
        else:
            whole = _whole(answers, question, year)
            if whole is None:
                return None
            found = dict.fromkeys((g.id for g in here), whole)
        cells |= {(id_, year): cell for id_, cell in found.items()}
    level = release.protected.guarantee.level
    return Counts(question, held, cells, bool(measured), frozenset(loose), level, answers.z)


_Three = tuple[Series, Series | None, Series]
"""Series of the people asked about, of what tells who is recorded, of everybody."""


def _apart(answers: Answers, question: ChangeSubject) -> dict[str, tuple[_Three, bool]]:
    """Series by contributor, and whether the second counts those recorded or those who are not;
    empty where some were not measured."""
    release, cell = answers.release, question.cell
    asked, everybody = by_contributor(release, cell), by_contributor(release, {})
    if not asked or asked.keys() != everybody.keys():
        return {}
    if not cell:
        return {id_: ((s, None, s), True) for id_, s in asked.items()}
    flag = next(iter(question.recorded(answers).items()))
    yes = list(flag[1]) == [YES]
    ((name, _value),) = cell.items()
    other = by_contributor(release, {flag[0]: YES} if yes else {name: NOT_RECORDED})
    if other.keys() != asked.keys():
        return {}
    return {id_: ((asked[id_], other[id_], everybody[id_]), yes) for id_ in asked}


def _measured(found: tuple[_Three, bool], year: int) -> Cell:
    (asked, other, everybody), yes = found
    people = _draw(everybody, year)
    if other is None:
        return Cell(people, people, people)
    second = _draw(other, year)
    return Cell(_draw(asked, year), second if yes else people - second, people)


def _draw(series_: Series, year: int) -> Noisy:
    at = series_.years.index(str(year))
    return Noisy(float(series_.noisy[at]), {(series_.of, year): series_.sigma})


def _moved(cells: dict[str, Cell], published: Noisy | None) -> dict[str, Cell]:
    """The same cells with their sum moved to the published count, the noisiest farthest."""
    if published is None or not cells:
        return cells
    gap = published - total(c.asked for c in cells.values())
    whole = math.fsum(c.asked.sd**2 for c in cells.values())
    moved = {}
    for id_, c in cells.items():
        asked = c.asked + gap.times(c.asked.sd**2 / whole if whole else 1 / len(cells))
        everybody = c.recorded is c.asked
        moved[id_] = (
            Cell(asked, asked, asked) if everybody else Cell(asked, c.recorded, c.everybody)
        )
    return moved


def _published(answers: Answers, question: ChangeSubject, year: int) -> Noisy | None:
    """The release's own answer for a year; None where it has none.

    It is the whole number that is printed, so that changes are the differences of those beside
    them; where too few are shown, it is the unbiased value of the series, and of a region, which
    has no series, nothing.
    """
    shown = answers.count({**question.where, PERIOD: [str(year)]})
    printed = shown.value is not None and shown.low is not None and shown.low > 0
    if any(len(values) > 1 for values in question.where.values()):
        return _read(shown, ("published", question.code, year), answers.z) if printed else None
    found = series(answers.release, question.cell)
    if found is None:
        return None
    drawn = _draw(found, year)
    return Noisy(shown.value or 0.0, drawn.errors) if printed else drawn


def _whole(answers: Answers, question: ChangeSubject, year: int) -> Cell | None:
    """All contributors together, as the release answers; None where it did not measure this."""
    when: Where = {PERIOD: [str(year)]}
    asked = answers.count({**question.where, **when})
    recorded = answers.count({**question.recorded(answers), **when})
    everybody = answers.count(when)
    if asked.value is None or recorded.value is None or everybody.value is None:
        return None
    if not question.variable:
        people = _read(everybody, (WHOLE, year), answers.z)
        return Cell(people, people, people)
    return Cell(
        _read(asked, (WHOLE, "asked", year), answers.z),
        _read(recorded, (WHOLE, "recorded", year), answers.z),
        _read(everybody, (WHOLE, year), answers.z),
    )


def _read(answer: Interval, name: tuple[object, ...], z: float) -> Noisy:
    """An answer as a noisy number; one that is too small to show is uncertain by its whole end."""
    value, low, high = (x or 0.0 for x in (answer.value, answer.low, answer.high))
    return Noisy(value, {name: max(high - value, value - low) / z})
