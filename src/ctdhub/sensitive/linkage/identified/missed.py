"""How many links are missing: among the candidates that were not joined, and beyond them.

A model that is one for all people misjudges those whose names it fits worse: what it believes of
pairs below the cut is too low for them.  Pairs of one file are different people and are scored
alike, so what pairs between files have in excess of them are people: that corrects the sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DOUBT = 0.01
"""Share of links by which the model may be wrong where it believes that none is missing."""

SHARED = 3
"""Levels of the comparison of a name, the best, on which the two rows share a name by sound."""

BIRTH_DATE, BIRTH_YEAR, BIRTH_DAY = (0,), (0, 1, 3, 4), (0, 2, 3)
"""Levels of the comparison of births that agree on the date, the year, and a number of the day."""


def among(
    between: Floats, each: Floats, inside: Floats, one: Floats, ratio: float, links: int
) -> float:
    """Links expected among candidate pairs that were not joined.

    What the model believes and what is in excess of chance are weighed by how far each may be
    wrong: the model by as much as it says and :data:`DOUBT` of the links, the excess by its
    standard deviation.  The excess is taken over the likeliest pairs, as many as make it surest.

    Args:
        between: bits of each pair of different files that was not joined.
        each: what a pair counts: pairs of the same two clusters are one link.
        inside: bits of pairs of one file.
        one: what these count.
        ratio: pairs of different files for each pair of one file.
        links: pairs that were joined.
    """
    model = float((each / (1 + np.exp2(-np.clip(between, -500, 500)))).sum())
    bits = np.concatenate([between, inside])
    counts = np.concatenate([each, -ratio * one])
    order = np.argsort(-bits, kind="stable")
    last = np.flatnonzero(np.diff(bits[order], append=-np.inf))  # ties come in together
    excess, spread = np.cumsum(counts[order])[last], np.cumsum(counts[order] ** 2)[last] ** 0.5
    if not len(last):
        return model
    best = int(np.argmax(excess - spread))
    doubt = (model + DOUBT * links) ** 2
    told = excess[best] * doubt + model * spread[best] ** 2
    return float(max(told / (doubt + spread[best] ** 2), 0.0))


def unseen(trained: Sequence[Mapping[str, Any]], rows: pa.Table, held: set[str]) -> float:
    """Share of pairs of rows of one person that no rule of ``comparisons.candidates`` finds.

    By the levels' m, as if comparisons were independent.

    Args:
        trained: comparisons with their m.
        rows: the features, for how often they are missing.
        held: names of features that two files or more hold.
    """
    m = {str(c["output_column_name"]): _levels(c) for c in trained}
    if not {"given", "family"} <= m.keys():
        return 0.0
    both = {name: (1 - rows[name].null_count / max(rows.num_rows, 1)) ** 2 for name in held}
    shares = [sum(m[name][:SHARED]) for name in ("given", "family")]
    neither = (1 - shares[0]) * (1 - shares[1])
    alone = shares[0] + shares[1] - 2 * shares[0] * shares[1]
    apart = 1 - both.get("place", 0.0) * m["place"][0] if "place" in m else 1.0
    births: list[tuple[int | None, float]] = [(None, 1 - both.get("birth_year", 0.0))]
    births += [(i, both["birth_year"] * p) for i, p in enumerate(m.get("birth", ()))]
    missed = sum(
        p * (neither + (0.0 if level in (*BIRTH_YEAR, *BIRTH_DAY) else alone * apart))
        for level, p in births
        if level not in BIRTH_DATE
    )
    for name, levels in m.items():
        if name.startswith("more_"):
            missed *= 1 - both.get(name, 0.0) * levels[0]
    return float(missed)


def _levels(comparison: Mapping[str, Any]) -> list[float]:
    return [float(level.get("m_probability") or 0) for level in comparison["comparison_levels"][1:]]
