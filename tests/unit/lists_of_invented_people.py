"""Lists of invented people for tests of estimates: seeded, about nobody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ctdhub.insight.hidden import Lists
from ctdhub.insight.hidden.table import members

NAMES = "abcdefghij"


def invented(people: int, chances: Sequence[float], seed: int, sigma: float = 0.0) -> Lists:
    """Independent lists of a population of known size, with rounded noise of protection."""
    rng = np.random.default_rng(seed)
    on = members(len(chances))
    p = np.prod(np.where(on, chances, 1 - np.array(chances)), axis=1)
    counts = rng.multinomial(people, np.append(p, 1 - p.sum()))[:-1].astype(float)
    if sigma:
        counts += np.rint(rng.normal(0, sigma, len(counts)))
    return Lists(tuple(NAMES[: len(chances)]), tuple(counts), sigma)
