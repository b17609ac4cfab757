"""The corridor of the records: whole numbers by origin and place that keep what stands out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ctdhub.dp.pooling import Estimated
from ctdhub.dp.synth.raking import Floats, apportion, rake, simplex

KEEP_SIGMAS = 3.2
"""A corridor is kept as it was measured when its count reaches so many standard deviations."""

LEAST = (0.0, 0.3, 0.6, 1.2, 2.5)
"""By support setting: a corridor that does not stand out is kept if so many people are expected
in it; the rest of its people go to other corridors of the same countries."""


def corridor(
    pair: Estimated, origins: Estimated, places: Estimated, people: int, support: int
) -> npt.NDArray[np.int64]:
    """Origins x places, "not recorded" first, summing to ``people``.

    What stands out of its noise stays.  The rest of each country is spread over the other cells
    by both countries' rests, and by how much likelier the noisy count is for a corridor of two
    standard deviations than for an empty one.
    """
    noisy, sd = np.rint(pair.value), pair.sd
    rows = simplex(origins.value, float(people))
    cols = simplex(places.value, float(people))
    kept = np.where(noisy >= KEEP_SIGMAS * sd, noisy, 0.0)
    if people <= 0 or kept.sum() >= people:
        return apportion(kept, people)
    rest_rows = simplex(rows - kept.sum(1), people - kept.sum())
    rest_cols = simplex(cols - kept.sum(0), people - kept.sum())
    likelier = np.exp(2.0 * np.clip(noisy / sd, -KEEP_SIGMAS, KEEP_SIGMAS) - 2.0)
    seed = np.where(kept > 0, 0.0, np.outer(rest_rows, rest_cols) * likelier)
    rest = rake(seed, rest_rows, rest_cols, rounds=10)
    if LEAST[support] > 0:
        rest = _concentrated(rest, rest_rows, rest_cols, LEAST[support])
    rest = np.where(kept > 0, 0.0, rest)
    if rest.sum() <= 0:
        return apportion(kept, people)
    whole: npt.NDArray[np.int64] = kept.astype(np.int64) + apportion(rest, people - int(kept.sum()))
    return whole


def _concentrated(rest: Floats, rows: Floats, cols: Floats, least: float) -> Floats:
    """The same people in fewer corridors; those with "not recorded" always stay."""
    floor = np.full(rest.shape, least)
    floor[0] = floor[:, 0] = 0.0
    for share in (0.5, 0.75, 1.0):
        rest = np.where(rest >= floor * share, rest, 0.0)
        rest = rake(rest, rows, cols, rounds=4)
    return np.where(rest >= floor, rest, 0.0)
