"""Fictitious people for a dry run: in the hub's codes, without files or contributors."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ctdhub.practice.marginals import load_marginals
from ctdhub.practice.people import draw

FEWEST = 100
"""Below so many people the planted corridor has no room."""


def invented_people(people: int, seed: int = 20260101) -> pa.Table:
    """Fictitious people with every attribute known; the same seed gives the same people.

    Args:
        people: at least :data:`FEWEST`.

    >>> invented_people(200).num_rows
    200
    """
    drawn = draw(people, np.random.default_rng(seed), load_marginals())
    return drawn.table([""] * people)
