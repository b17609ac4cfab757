"""Many series on the same periods: what the tests read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctdhub.stats.signals.periods import Period
from ctdhub.stats.signals.tails import Floats

Side = tuple[str, str]
"""Origin and destination of a corridor; one of them is empty for a total."""


@dataclass(frozen=True)
class SeriesPanel:
    """Counts of many series by period; the four arrays have the shape (series, periods).

    Attributes:
        names: of the series, all different.
        periods: of one kind, without gaps, in order.
        counts: nan where missing; may be negative only where there is noise.
        wholes: what each count is a part of; nan where missing or where there is none.
        noise, noise_of_wholes: standard deviations of the protection noise, 0 where there is none.
        sides: of each series, where the series are corridors; else ().

    Raises:
        ValueError: the parts contradict each other.
    """

    names: tuple[str, ...]
    periods: tuple[Period, ...]
    counts: Floats
    wholes: Floats
    noise: Floats
    noise_of_wholes: Floats
    sides: tuple[Side, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.names), len(self.periods))
        arrays = (self.counts, self.wholes, self.noise, self.noise_of_wholes)
        if any(a.shape != shape for a in arrays):
            raise ValueError("all arrays of a panel have the shape (series, periods)")
        if len(set(self.names)) < len(self.names):
            raise ValueError("names of series are unique")
        places = [p.place for p in self.periods]
        if places != list(range(places[0], places[0] + len(places))) if places else True:
            raise ValueError("periods follow each other, and there is at least one")
        if np.isinf(self.counts).any() or np.isinf(self.wholes).any():
            raise ValueError("counts are finite or missing")
        if not (np.isfinite(self.noise).all() and np.isfinite(self.noise_of_wholes).all()):
            raise ValueError("noise is finite")
        if (self.counts[(self.noise == 0) & ~np.isnan(self.counts)] < 0).any():
            raise ValueError("a count is negative though there is no noise")
