"""What the changed sources reported of a series, by year.

A release counts people by year, kind of source and one answer more, such as a country; so the part
that a kind of source reports of a country is measured.  Of a corridor, or of the women of a
country, it is H p:  H what the kind reports of the country in the year, p the part of these people
in all that the kind reports of the country over all years.  Two errors of p come on top of the
noise of H: that of the two counts, and that what a kind reports may have drifted, as shares do
(``shares.PRIOR``); both may be the same in all years, so they are not averaged away.

Where other contributors of the same kind did not change, and the release counts contributors apart
(which it does without places), the part of those that changed is read instead.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import CONTRIBUTOR_KIND, HARM, PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.intervals import Interval
from ctdhub.stats.series import Series, by_contributor, series
from ctdhub.stats.signals.coverage_change import CoverageChange, reporting
from ctdhub.stats.signals.shares import PRIOR
from ctdhub.stats.signals.tails import Floats
from ctdhub.stats.table import NOT_RECORDED, YES

SOURCE = CONTRIBUTOR_KIND


@dataclass(frozen=True)
class Piece:
    """People by year and standard deviations, both of shape (years,).

    Attributes:
        estimated: whether the part rests on all years together.
        apart: whether it is of the changed contributors alone, not of all of their kind.
    """

    people: Floats
    sd: Floats
    estimated: bool = False
    apart: bool = False

    @property
    def is_none(self) -> bool:
        """Whether these sources report none of the series, or too few to show over all years."""
        return not self.sd.any()

    def __sub__(self, other: Piece) -> Piece:
        sd = np.hypot(self.sd, other.sd)
        return Piece(self.people - other.people, sd, self.estimated, self.apart)


class Pieces:
    """The parts of one kind of source.

    Args:
        answers: of the release.
        of: the kind and its contributors.
        years: of the panel, in order.
        spread: how often an error that all years share counts: the number of years of the past for
            its years, of the window for its own, 1 elsewhere; shape (years,).
    """

    def __init__(self, answers: Answers, of: CoverageChange, years: range, spread: Floats) -> None:
        self.answers, self.of, self.years, self.spread = answers, of, years, spread
        kinds = frozenset((of.kind,))
        held = [reporting(answers.release, year, kinds) for year in years]
        self._covered = np.array([bool(here) for here in held])
        self._each = {
            id_: np.array([any(c.id == id_ for c in here) for here in held]) for id_ in of.ids
        }

    def part(
        self, places: tuple[tuple[str, str], ...], rest: tuple[tuple[str, str], ...]
    ) -> Piece | None:
        """Of the people of these places with one answer more, or none; None where the release
        cannot tell."""
        if len(places) + len(rest) <= 1:
            found = self._read(dict((*places, *rest)))
            if found is not None or not rest:
                return found
        limits = {v: (code,) for v, code in (*places, *rest)}
        return self._scaled(places, limits)

    def whole(self, places: tuple[tuple[str, str], ...], variable: str) -> Piece | None:
        """Of the people of these places for whom the variable is recorded."""
        schema = load_schema()
        flag = variable in schema.flags(HARM)
        indicator = schema.groups[HARM].indicator or ""
        if places:
            recorded = {indicator: (YES,)} if flag else {variable: self.answers.domain(variable)}
            return self._scaled(places, {**{v: (c,) for v, c in places}, **recorded})
        if flag:
            return self._read({indicator: YES})
        everybody, unknown = self._read({}), self._read({variable: NOT_RECORDED})
        if everybody is None or unknown is None or everybody.apart != unknown.apart:
            return None
        return everybody - unknown

    def _read(self, where: Mapping[str, str]) -> Piece | None:
        """Of the people with at most one answer, as measured."""
        return (self._apart(where) if self.of.mixed else None) or self._of_kind(where)

    def _of_kind(self, where: Mapping[str, str]) -> Piece | None:
        """The same of all of the kind."""
        if not self.of.kind or self.answers.measured(PERIOD, SOURCE, *where) is None:
            return None
        found = series(self.answers.release, {SOURCE: self.of.kind, **where})
        return self._none() if found is None else self._taken(found, self._covered)

    def _apart(self, where: Mapping[str, str]) -> Piece | None:
        """The changed contributors alone, where each has counts of its own."""
        measured = by_contributor(self.answers.release, where)
        if not all(id_ and id_ in measured for id_ in self.of.ids):
            return None
        each = [self._taken(measured[id_], self._each[id_]) for id_ in self.of.ids]
        people = np.sum([p.people for p in each], axis=0)
        return Piece(people, np.sqrt(np.sum([p.sd**2 for p in each], axis=0)), apart=True)

    def _taken(self, found: Series, covered: np.ndarray) -> Piece:
        """Exactly none in the years on which nobody of them reports."""
        at = [found.years.index(str(year)) for year in self.years]
        return Piece(np.where(covered, found.noisy[at], 0.0), np.where(covered, found.sigma, 0.0))

    def _none(self) -> Piece:
        return Piece(np.zeros(len(self.years)), np.zeros(len(self.years)))

    def _scaled(
        self, places: tuple[tuple[str, str], ...], limits: Mapping[str, Collection[str]]
    ) -> Piece | None:
        """Of the place of which the kind reports the fewest people, or of all, that part."""
        if not self.of.kind:
            return None
        kind = {SOURCE: (self.of.kind,)}
        asked = self.answers.count({**kind, **limits})
        wide: list[tuple[float, Interval, Piece]] = []
        for where in [{variable: code} for variable, code in places] or [{}]:
            base = self._of_kind(where)
            if base is None:
                continue
            if base.is_none:
                return base
            all_years = self.answers.count({**kind, **{v: (c,) for v, c in where.items()}})
            if all_years.value:
                wide.append((all_years.value, all_years, base))
        if not wide or asked.value is None:
            return None
        people, all_years, base = min(wide, key=lambda w: w[0])
        p = min(1.0, asked.value / people)
        of_counts = math.hypot(self._sd(asked), p * self._sd(all_years)) / people
        common = math.hypot(of_counts, math.sqrt(PRIOR * p * (1 - p)))
        shared = np.maximum(base.people, 0.0) * common * np.sqrt(self.spread)
        return Piece(base.people * p, np.hypot(base.sd * p, shared), estimated=True)

    def _sd(self, answer: Interval) -> float:
        """Standard deviation; all of the upper end counts where a number is too small to show."""
        value, low, high = (x or 0.0 for x in (answer.value, answer.low, answer.high))
        return max(high - value, value - low) / self.answers.z
