"""Signals of a release: its yearly series, and who reported.

Looked at are all people, countries of citizenship and of exploitation and the corridors between
them; and of all people and each country the part of each gender, age and type of exploitation.
The whole of a gender or an age is the people of the same place for whom it is recorded; of a type
of exploitation, those with any type recorded, because an empty flag is no "no".

The year in which the release was made was not over, so it is left out; years that no contributor
covers are missing, not zero.  Where contributors joined or left, what the others report is tested
instead of the series as it is (``matched_sample``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ctdhub.release.open import Release
from ctdhub.stats.answers import Answers
from ctdhub.stats.signals import coverage
from ctdhub.stats.signals.chances import Floats
from ctdhub.stats.signals.coverage import explained
from ctdhub.stats.signals.events import Lead, Looked, leads_among, looked_at, told_once
from ctdhub.stats.signals.find import Search, Settings, find
from ctdhub.stats.signals.panel import Period, SeriesPanel
from ctdhub.stats.trend import Series, Turn, all_series, covering, turns


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
    sources: tuple[coverage.CoverageChange, ...] = ()
    compared: tuple[coverage.Compared, ...] = ()
    explained: tuple[coverage.Explained, ...] = ()
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
    sources = coverage.changed(release, begin, end)
    near = tuple(t for t in turns(release) if begin < t.year <= end)
    if not sources:
        return ReleaseSignals(release, told_once(plain, looked), looked, near, answers=answers)
    asked = tuple((one.places, one.part) for one in looked)
    panel, compared = coverage.remainder(answers, plain, asked, sources)
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
