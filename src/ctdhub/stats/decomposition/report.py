"""All that is said of one series: as published, of the same contributors, and its change split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ctdhub.release.open import Release
from ctdhub.stats.answers import Answers
from ctdhub.stats.breaks import DeclaredBreak, breaks_between, breaks_within
from ctdhub.stats.decomposition.counts import Counts, counts
from ctdhub.stats.decomposition.panel import FixedPanel, fixed_panel, last_whole_year
from ctdhub.stats.decomposition.split import Split, split
from ctdhub.stats.decomposition.subject import ChangeSubject
from ctdhub.stats.table import Row
from ctdhub.stats.trend import Line, covering, trend

BACK = 1, 5
"""The last whole year is compared with the years so many years before."""


@dataclass(frozen=True)
class Report:
    """A series and how it changed.

    Attributes:
        question: whom it is about.
        rows: people by year as published, every contributor that reported.
        panel: the same contributors in every year; None where there is no such series.
        splits: the changes that were asked for; by default of the last whole year beside the year
            before and five years before.
        yearly: the change of every year beside the year before, as far as it can be split.
        apart: whether contributors were counted apart for these people.
        moved: whether their counts add up to the rows in the years of ``splits``; where not, the
            release shows too few of these people in one of them, and the two differ by their noise.
        breaks: that contributors declared in the years of the rows.
    """

    question: ChangeSubject
    rows: tuple[Row, ...]
    panel: FixedPanel | None
    splits: tuple[Split, ...]
    yearly: tuple[Split, ...]
    apart: bool
    moved: bool
    breaks: tuple[DeclaredBreak, ...] = ()


def report(
    answers: Answers, question: ChangeSubject, years: tuple[int, int] | None = None
) -> Report | None:
    """The report of a question; None where this release did not measure it by year.

    Args:
        years: the earlier and the later year to compare, and the span of the other series.
    """
    key = ("report", question, years)
    return answers.kept(key, lambda: _report(answers, question, years))


def _report(
    answers: Answers, question: ChangeSubject, years: tuple[int, int] | None
) -> Report | None:
    table = trend(answers, "line", [Line("asked", question.where)])
    found = counts(answers, question)
    if table is None or found is None:
        return None
    rows = tuple(row for row in table.rows if row.codes[0])
    first, last = answers.release.years[0], last_whole_year(answers.release)
    pairs: Iterable[tuple[int, int]] = [(last - n, last) for n in BACK if last - n >= first]
    if years is not None:
        first, last = years
        pairs = [years]
    splits = _splits(answers.release, found, pairs)
    steps = ((year - 1, year) for year in range(first + 1, last + 1))
    return Report(
        question=question,
        rows=tuple(r for r in rows if years is None or first <= int(r.codes[0]) <= last),
        panel=_same_answers(answers.release, fixed_panel(answers.release, found, years), rows),
        splits=splits,
        yearly=_splits(answers.release, found, steps),
        apart=found.apart,
        breaks=breaks_within(answers.release, question.variables, first, last),
        moved=not found.loose & {year for s in splits for year in (s.earlier, s.later)},
    )


def _same_answers(
    release: Release, panel: FixedPanel | None, rows: Iterable[Row]
) -> FixedPanel | None:
    """The panel with the release's own answer in years in which nobody else reports."""
    if panel is None:
        return None
    people = {int(row.codes[0]): row.people for row in rows}
    return FixedPanel(
        panel.names,
        tuple(
            (when, replace(people[when], contributors=panel.names))
            if when in people and set(covering(release, when)) == set(panel.names)
            else (when, own)
            for when, own in panel.years
        ),
    )


def _splits(release: Release, found: Counts, pairs: Iterable[tuple[int, int]]) -> tuple[Split, ...]:
    made = (split(found, earlier, later) for earlier, later in pairs)
    asked = found.question.variables
    return tuple(
        replace(s, breaks=breaks_between(release, asked, s.earlier, s.later))
        for s in made
        if s is not None
    )
