"""Lists of fictitious people for tests of estimates: seeded, about nobody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ctdhub.border import LIST_JOIN, LISTS, MEASUREMENTS, Sources
from ctdhub.stats.mse.lists import Lists, members

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


def sources_of(lists: Lists, ids: Sequence[str]) -> Sources:
    """The same lists as a release holds them, under other names in the same order."""
    rows = [
        {
            "columns": [LISTS],
            "values": [LIST_JOIN.join(i for i, k in zip(ids, on, strict=True) if k)],
            "noisy": people,
        }
        for on, people in zip(lists.on, lists.counts, strict=True)
    ]
    table = pa.Table.from_pylist(rows, MEASUREMENTS)
    return Sources((), tuple(ids), table, {LISTS: lists.sigma}, 0.05)
