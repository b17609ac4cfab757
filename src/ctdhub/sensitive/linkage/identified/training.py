"""What agreements are worth between rows of one person: m, learnt from the files themselves.

Not here: u and the scores (``scoring``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.sensitive.linkage.identified.comparisons import Comparison

Ints = NDArray[np.int64]

ENOUGH = 30
"""Pairs that agree on names and birth date, below which there is nothing to learn m from."""

PART = 0.2
"""Part of the m to start from that is never lost."""

MOST = 2e6
"""Pairs that m is learnt from, at most; Splink takes rows by a hash of their number."""


def learn(
    connection: duckdb.DuckDBPyConnection,
    linker: Any,
    held: set[str],
    files: Sequence[pa.Table],
    persons: Sequence[Ints],
) -> bool:
    """Fit m, where enough pairs agree on names and birth: among fewer, chance would teach.

    Births are learnt from pairs of equal names, and names from pairs of equal births.  Where too
    few pairs agree on a whole date, equal births are equal years, with the sex and the place as far
    as they are held.
    """
    from splink import block_on
    from splink.internals.exceptions import SplinkException

    if not {"given", "family", "birth_year"} <= held:
        return False
    known = [file.take(pa.array(places)) for file, places in zip(files, persons, strict=True)]
    names = ["given_sound", "family_sound"]
    year = ["birth_year", *(name for name in ("sex", "place_sound") if name in held)]
    rules: list[list[str]] = []
    if _beyond_chance(connection, known, [*names, "birth"]) >= ENOUGH:
        rules = [names, ["birth"]]
    elif _beyond_chance(connection, known, [*names, *year]) >= ENOUGH:
        rules = [names, year]
    learnt = False
    for rule in rules:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*rule), estimate_without_term_frequencies=True, max_pairs=MOST
            )
            learnt = True
        except SplinkException:  # all pairs of the rule are links: it has nothing to compare
            continue
    return learnt


def not_too_sure(trained: Sequence[Comparison], start: Sequence[Comparison]) -> list[Comparison]:
    """What was learnt, with a part of what training starts from.

    Where few pairs teach, training may end where it takes for one person only rows that agree on
    everything: so each m is at least :data:`PART` of where it started.
    """
    return [
        {**one, "comparison_levels": _with_part(one["comparison_levels"], two["comparison_levels"])}
        for one, two in zip(trained, start, strict=True)
    ]


def _with_part(levels: Sequence[Comparison], start: Sequence[Comparison]) -> list[Comparison]:
    most = [
        max(level.get("m_probability") or 0.0, PART * first.get("m_probability", 0.0))
        for level, first in zip(levels, start, strict=True)
    ]
    return [
        {**level, "m_probability": m / sum(most)} if m else level
        for level, m in zip(levels, most, strict=True)
    ]


def _beyond_chance(
    connection: duckdb.DuckDBPyConnection, files: Sequence[pa.Table], same: Sequence[str]
) -> float:
    """Pairs of persons of different files that agree on features, less those that chance makes.

    Persons of one file are different people: their pairs, twice as many as chance makes between
    files to be on the safe side, are taken off.
    """
    numbered = [
        file.select(list(same)).append_column("file", pa.array([at] * file.num_rows, pa.int32()))
        for at, file in enumerate(files)
    ]
    every = pa.concat_tables(numbered)
    connection.register("agreeing", every)
    by = ", ".join(same)
    given = " AND ".join(f"{name} IS NOT NULL" for name in same)
    between, within = connection.execute(
        f"""
        WITH each AS (SELECT {by}, file, count(*) AS n FROM agreeing WHERE {given} GROUP BY ALL),
        met AS (SELECT sum(n) ** 2 - sum(n ** 2) AS apart, sum(n ** 2) - sum(n) AS inside
                FROM each GROUP BY {by})
        SELECT coalesce(sum(apart), 0) / 2, coalesce(sum(inside), 0) / 2 FROM met
        """
    ).fetchall()[0]
    connection.unregister("agreeing")
    sizes = np.array([file.num_rows for file in files], float)
    inside = (sizes**2 - sizes).sum()
    ratio = (sizes.sum() ** 2 - (sizes**2).sum()) / inside if inside else 0.0
    return float(between) - 2 * ratio * float(within)
