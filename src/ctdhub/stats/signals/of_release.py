"""Signals of a release: its yearly series, and what moved because who reports changed.

Looked at are all people, countries of citizenship and of exploitation and the corridors between
them; and of all people and each country the part of each gender, age and type of exploitation.
The whole of a gender or an age is the people of the same place for whom it is recorded; of a type
of exploitation, those with any type recorded, because an empty flag is no "no".

The year in which the release was made was not over, so it is left out; years that no contributor
covers are missing, not zero.  Where contributors joined or left, what the others report is tested
instead of the series as it is (``matched_sample``).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from ctdhub.release.manifest import Contributor
from ctdhub.release.open import Release
from ctdhub.schema.model import CONTRIBUTOR_KIND, HARM, PERIOD, load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_RECORDED, YES, Interval
from ctdhub.stats.signals.chances import Floats
from ctdhub.stats.signals.events import Lead, Looked, Of, leads_among, looked_at, told_once
from ctdhub.stats.signals.find import Finding, Search, Settings, find
from ctdhub.stats.signals.panel import Period, SeriesPanel
from ctdhub.stats.signals.statistics import PRIOR
from ctdhub.stats.trend import Series, Turn, all_series, by_contributor, covering, series, turns

# --------------------------------------------------------------------------------------------------
# Whose reports began or ended in the years that are compared.


@dataclass(frozen=True)
class CoverageChange:
    """A kind of source whose set of contributors changed.

    Attributes:
        kind: code of ``source_type``; "" where the facts do not name it.
        ids, names: of the contributors that joined or left, in the order of the release.
        mixed: whether others of the same kind report, and did not change.
    """

    kind: str
    ids: tuple[str, ...]
    names: tuple[str, ...]
    mixed: bool


def changed(release: Release, first: int, last: int) -> tuple[CoverageChange, ...]:
    """Kinds of source of which some contributor joined or left between two years.

    Args:
        first, last: the compared years; who begins with the first did not join in between, and who
            ends with the last did not leave.
    """
    kinds: dict[str, list[Contributor]] = {}
    for one in release.facts.contributors:
        kinds.setdefault(one.kind, []).append(one)
    changes = []
    for kind, members in kinds.items():
        moved = [c for c in members if _moved(c, first, last)]
        if moved:
            steady = [c for c in members if c not in moved and _reports(c, first, last)]
            ids, names = tuple(c.id for c in moved), tuple(c.name for c in moved)
            changes.append(CoverageChange(kind, ids, names, bool(steady)))
    return tuple(changes)


def _moved(one: Contributor, first: int, last: int) -> bool:
    if one.years is None:
        return False
    begins, ends = one.years
    return begins <= ends and (first < begins <= last or first <= ends < last)


def _reports(one: Contributor, first: int, last: int) -> bool:
    return one.years is None or (one.years[0] <= last and one.years[1] >= first)


# --------------------------------------------------------------------------------------------------
# What the changed sources reported of a series, by year.
#
# A release counts people by year, kind of source and one answer more, such as a country; so the
# part that a kind of source reports of a country is measured.  Of a corridor, or of the women of a
# country, it is H p:  H what the kind reports of the country in the year, p the part of these
# people in all that the kind reports of the country over all years.  Two errors of p come on top of
# the noise of H: that of the two counts, and that what a kind reports may have drifted, as shares
# do (``shares.PRIOR``); both may be the same in all years, so they are not averaged away.
#
# Where other contributors of the same kind did not change, and the release counts contributors
# apart (which it does without places), the part of those that changed is read instead.

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
        contributors = [c for c in answers.release.facts.contributors if c.kind == of.kind]
        self._each = {
            c.id: np.array([_reports(c, year, year) for year in years]) for c in contributors
        }
        self._covered = np.array(
            [any(_reports(c, year, year) for c in contributors) for year in years]
        )

    def part(
        self, places: tuple[tuple[str, str], ...], rest: tuple[tuple[str, str], ...]
    ) -> Piece | None:
        """Of the people of these places with one answer more, or none; None where the release
        cannot tell."""
        if len(places) + len(rest) <= 1:
            piece = self._read(dict((*places, *rest)))
            if piece is not None or not rest:
                return piece
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
        counts = series(self.answers.release, {SOURCE: self.of.kind, **where})
        if counts is None:
            return Piece(np.zeros(len(self.years)), np.zeros(len(self.years)))
        return self._taken(counts, self._covered)

    def _apart(self, where: Mapping[str, str]) -> Piece | None:
        """The changed contributors alone, where each has counts of its own."""
        measured = by_contributor(self.answers.release, where)
        if not all(id_ and id_ in measured for id_ in self.of.ids):
            return None
        each = [self._taken(measured[id_], self._each[id_]) for id_ in self.of.ids]
        people = np.sum([p.people for p in each], axis=0)
        return Piece(people, np.sqrt(np.sum([p.sd**2 for p in each], axis=0)), apart=True)

    def _taken(self, counts: Series, covered: np.ndarray) -> Piece:
        """Exactly none in the years on which nobody of them reports."""
        at = [counts.years.index(str(year)) for year in self.years]
        return Piece(np.where(covered, counts.noisy[at], 0.0), np.where(covered, counts.sigma, 0.0))

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
        own, all_own = (answer.half_width / self.answers.z for answer in (asked, all_years))
        of_counts = math.hypot(own, p * all_own) / people
        common = math.hypot(of_counts, math.sqrt(PRIOR * p * (1 - p)))
        shared = np.maximum(base.people, 0.0) * common * np.sqrt(self.spread)
        return Piece(base.people * p, np.hypot(base.sd * p, shared), estimated=True)


# --------------------------------------------------------------------------------------------------
# What the contributors that did not change report: the series that can be compared.

Basis = Literal["all", "others", "estimated", "undivided"]
CLEAR = 5.0
"""Deviations by which a whole lies above zero, before and now, or its share is not tested: a ratio
then errs by at most a fifth (as ``decomposition.split``)."""


@dataclass(frozen=True)
class Compared:
    """What of a series was compared.

    Attributes:
        basis: "all" (the changed sources report none of it, or too few to show), "others" (less
            what they report), "estimated" (the same, their part rests on all years together),
            "undivided" (the release cannot tell their part: the series as it is).
        parts: what each changed kind of source reports by year, shape (kinds, years).
        apart: whether the parts are of the changed contributors alone.
    """

    basis: Basis
    parts: Floats
    apart: bool = False

    @property
    def is_less(self) -> bool:
        """Whether something was taken away."""
        return self.basis in ("others", "estimated")


def remainder(
    answers: Answers,
    plain: Search,
    asked: tuple[tuple[Of, Of], ...],
    sources: tuple[CoverageChange, ...],
) -> tuple[SeriesPanel, tuple[Compared, ...]]:
    """The panel of what can be compared.

    Args:
        plain: what was found in the series as they are.
        asked: places and part of each series, by row.
        sources: the kinds of source that changed.
    """
    panel = plain.panel
    years = range(panel.periods[0].place, panel.periods[-1].place + 1)
    spread = np.ones(len(years))
    for first, last in (plain.past, plain.window):
        spread[first : last + 1] = last - first + 1
    pieces = [Pieces(answers, one, years, spread) for one in sources]
    left = _left(answers, sources, years, plain)
    arrays = [a.copy() for a in (panel.counts, panel.wholes, panel.noise, panel.noise_of_wholes)]
    counts, wholes, noise, noise_of_wholes = arrays
    compared = []
    for row, (places, rest) in enumerate(asked):
        parts = _all(p.part(places, rest) for p in pieces)
        whole: list[Piece] | None = []
        if not np.isnan(panel.wholes[row]).all():
            whole = _all(p.whole(places, rest[0][0]) for p in pieces)
        apart = parts is not None and all(p.apart for p in parts)
        if parts is None or whole is None or not left[apart].any():
            compared.append(Compared("undivided", np.zeros((len(sources), len(years)))))
            continue
        taken = np.stack([p.people for p in parts])
        if all(p.is_none for p in (*parts, *whole)):
            compared.append(Compared("all", taken))
            continue
        counts[row] = np.where(left[apart], counts[row] - taken.sum(axis=0), np.nan)
        noise[row] = _noise(noise[row], parts)
        if whole:
            less = np.sum([p.people for p in whole], axis=0)
            wholes[row] = np.where(left[apart], wholes[row] - less, np.nan)
            noise_of_wholes[row] = _noise(noise_of_wholes[row], whole)
            if not _clear(wholes[row], noise_of_wholes[row], plain):
                wholes[row] = np.nan
        estimated = any(p.estimated and not p.is_none for p in (*parts, *whole))
        compared.append(Compared("estimated" if estimated else "others", taken, apart))
    less = replace(
        panel, counts=counts, wholes=wholes, noise=noise, noise_of_wholes=noise_of_wholes
    )
    return less, tuple(compared)


def _all(parts: Iterable[Piece | None]) -> list[Piece] | None:
    """All pieces; None where one of them is not known."""
    pieces = list(parts)
    known = [p for p in pieces if p is not None]
    return known if len(known) == len(pieces) else None


def _noise(own: Floats, pieces: list[Piece]) -> Floats:
    """Noise of a difference; taken as independent, which is cautious: a series and its part are
    estimated from some of the same draws, which then cancel."""
    noise: Floats = np.sqrt(own**2 + np.sum([p.sd**2 for p in pieces], axis=0))
    return noise


def _left(
    answers: Answers, sources: tuple[CoverageChange, ...], years: range, plain: Search
) -> dict[bool, np.ndarray]:
    """Years on which somebody else reports: others of any kind (True), or of other kinds (False);
    none at all where past or window has no such year."""
    kinds = {one.kind for one in sources}
    moved = {key for one in sources for key in zip(one.ids, one.names, strict=True)}
    steady = [c for c in answers.release.facts.contributors if (c.id, c.name) not in moved]
    kinds_left = {}
    for apart in (True, False):
        others = [c for c in steady if apart or c.kind not in kinds]
        mask = np.array([any(_reports(c, year, year) for c in others) for year in years])
        spans = (plain.past, plain.window)
        kinds_left[apart] = mask & all(mask[first : last + 1].any() for first, last in spans)
    return kinds_left


def _clear(whole: Floats, noise: Floats, plain: Search) -> bool:
    for first, last in (plain.past, plain.window):
        at = slice(first, last + 1)
        known = ~np.isnan(whole[at])
        if whole[at][known].sum() <= CLEAR * np.sqrt((noise[at][known] ** 2).sum()):
            return False
    return True


# --------------------------------------------------------------------------------------------------
# Series that moved because who reports changed.

MOST = 0.5
"""Part of a movement that the changed sources make up, to explain it."""


@dataclass(frozen=True)
class Explained:
    """A series that is no signal of the world.

    Attributes:
        finding: as it is, with the reports of everybody.
        by: the changed sources whose reports moved most.
        settled: whether these make up at least half of its movement; otherwise the part of the
            others is too uncertain to tell.
    """

    finding: Finding
    by: CoverageChange
    settled: bool


def explained(
    plain: Search,
    search: Search,
    compared: tuple[Compared, ...],
    sources: tuple[CoverageChange, ...],
) -> tuple[Explained, ...]:
    """Series that moved as they are and not in what the others report, the largest first."""
    believed = {f.row for f in search.signals}
    moved = []
    for finding in plain.signals:
        of = compared[finding.row]
        if finding.row in believed or not of.is_less:
            continue
        parts = [_change(part, plain) for part in of.parts]
        most = int(np.argmax(np.abs(parts)))
        change = finding.count[1].value - finding.count[0].value
        settled = change != 0 and sum(parts) / change >= MOST
        moved.append((abs(change), Explained(finding, sources[most], settled)))
    largest = [one for _size, one in sorted(moved, key=lambda m: (-m[0], m[1].finding.name))]
    rising = plain.rising([one.finding for one in largest])
    return tuple(replace(one, finding=f) for one, f in zip(largest, rising, strict=True))


def _change(part: Floats, plain: Search) -> float:
    """Mean of a year in the window less that of the past."""
    (begin, end), (first, last) = plain.past, plain.window
    return float(part[first : last + 1].mean() - part[begin : end + 1].mean())


# --------------------------------------------------------------------------------------------------
# The series of a release: all of it, or what is left where who reports changed.


@dataclass(frozen=True)
class ReleaseSignals:
    """What was found in a release.

    Attributes:
        search: in what can be compared; None where the release has no series, or no finished year.
        looked: the series by row of the panel.
        turns: years of the past or the window in which contributors joined or left.
        sources: the kinds of source with these contributors.
        compared: what of each series was compared, by row; () where nobody joined or left.
        explained: series that moved only because of who reports.
        answers: what the release answers.
    """

    release: Release
    search: Search | None
    looked: tuple[Looked, ...]
    turns: tuple[Turn, ...]
    sources: tuple[CoverageChange, ...] = ()
    compared: tuple[Compared, ...] = ()
    explained: tuple[Explained, ...] = ()
    answers: Answers = field(kw_only=True, compare=False, repr=False)

    @cached_property
    def leads(self) -> tuple[Lead, ...]:
        """All signals, each once as a lead or under one, the largest first."""
        return leads_among(self.search, self.looked) if self.search else ()

    def is_less(self, row: int) -> bool:
        """Whether reports were taken away from a series before it was tested."""
        return bool(self.compared) and self.compared[row].is_less

    def basis(self, row: int) -> str:
        """What of a series was compared, as :class:`Compared` names it."""
        return self.compared[row].basis if self.compared else "all"


def signals(
    release: Release, settings: Settings | None = None, answers: Answers | None = None
) -> ReleaseSignals:
    """Look at all series of a release.

    Args:
        answers: the release's, where they are at hand.
    """
    answers = answers or Answers(release)
    first, last = release.years[0], min(release.years[1], int(release.year) - 1)
    looked = tuple(looked_at(all_series(release)))
    if not looked or last <= first:
        return ReleaseSignals(release, None, (), (), answers=answers)
    years = range(first, last + 1)
    nobody = frozenset(year for year in years if not covering(release, year))
    plain = find(panel_of(looked, years, nobody), settings, smallest=False)
    begin, end = (plain.panel.periods[k].place for k in (plain.past[0], plain.window[1]))
    sources = changed(release, begin, end)
    near = tuple(t for t in turns(release) if begin < t.year <= end)
    if not sources:
        return ReleaseSignals(release, told_once(plain, looked), looked, near, answers=answers)
    asked = tuple((one.places, one.part) for one in looked)
    panel, compared = remainder(answers, plain, asked, sources)
    search = told_once(find(panel, settings, smallest=False), looked)
    return ReleaseSignals(
        release,
        search,
        looked,
        near,
        sources,
        compared,
        explained(plain, search, compared, sources),
        answers=answers,
    )


def panel_of(looked: tuple[Looked, ...], years: range, nobody: frozenset[int]) -> SeriesPanel:
    """Noisy counts by year; the years in ``nobody``, which no contributor covers, are missing."""
    covered = np.array([year not in nobody for year in years])
    places = [looked[0].series.years.index(str(year)) for year in years]

    def noisy(each: Sequence[Series | None]) -> tuple[Floats, Floats]:
        """Counts of some series, and their noise; missing where there is no series."""
        missing = np.full(len(years), np.nan)
        counts = [np.where(covered, s.noisy[places], np.nan) if s else missing for s in each]
        return np.stack(counts), np.stack(
            [np.full(len(years), s.sigma if s else 0.0) for s in each]
        )

    counts, noise = noisy([one.series for one in looked])
    wholes, noise_of_wholes = noisy([one.whole for one in looked])
    return SeriesPanel(
        names=tuple(one.name for one in looked),
        periods=tuple(Period("year", year) for year in years),
        counts=counts,
        wholes=wholes,
        noise=noise,
        noise_of_wholes=noise_of_wholes,
    )
