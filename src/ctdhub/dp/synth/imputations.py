"""Sets of records for inference: multiple imputation of the exact tables, from the noisy ones.

Belongs here: the sets.  Does not belong here: pooling of estimates, which readers do
(``client.pool``).

Let x be the exact tables and y = x + N what was measured, with N of a known distribution around 0.
Given y and a flat prior, x is y less a draw of N; as N is symmetric, each set is fitted to y + N'
with a fresh N' of that distribution.  Its estimate is then off by what N and N' do to it, of which
N' alone differs between sets.  So the variance B between sets tells what N does, and the mean over
m sets has the variance U + B + B / m, U being that of sampling.  This is Rubin's rule for missing
data (1987, chapter 3), with the exact tables as what is missing.

A set is no new sample of people: its tables are those of a draw, but for whole numbers.  Rules for
synthetic samples (Raghunathan, Reiter and Rubin 2003; Reiter 2003; after them Räisä and others
2023) meet U once more between their sets and take it off again; here it is not in there.

Records cannot be fewer than none.  Where a value is nobody's ("not recorded" of a column that is
always filled in), noise above zero would make records of it and take as many from every other cell,
so that ratios grow.  Values that so few have that noise hides them are therefore left out.

It is post-processing: sets are made of noisy tables and public settings, and cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.dp import intervals
from ctdhub.dp.count import Counts
from ctdhub.dp.noise import Bits
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.pooling import Estimated, pool
from ctdhub.dp.synth.fit import CLOSE, Progress, fit
from ctdhub.dp.synth.noisy_tables import NoisyTables
from ctdhub.dp.synth.records import to_table
from ctdhub.dp.synth.state import MOVING
from ctdhub.dp.workload import Workload, measure

HIDDEN = 3.0
"""A value is left out of the sets where fewer people have it than so many standard deviations of
the noise of its count; of a value that nobody has, once in 700 times it is not."""

Codes = npt.NDArray[np.int64]


def imputed(
    noisy: Counts, questions: Workload, plan: Plan, source: Bits, progress: Progress
) -> tuple[pa.Table, ...]:
    """``plan.imputations`` sets, each with its own number of records.

    Rare combinations are not left out of them, whatever ``plan.support`` says: that would bend
    what is estimated.

    Args:
        noisy: every table of the questions, as it was measured.
        source: random bits of the second noise, and of orders and ties.
        progress: told the share done, from 0 to 1.
    """
    if not plan.imputations:
        return ()
    twice = tuple(replace(q, sigma2=2 * q.sigma2) for q in questions)
    complete = replace(plan, support=0)
    hidden = _hidden(pool(noisy, questions, most=1), plan)
    found = []
    for k in range(plan.imputations):
        again = measure(noisy, questions, source)
        _set(again, hidden, 0)
        pooled = pool(again, twice)
        people = intervals.total_people(pooled, plan.level).value
        far = -min(4 * people + 4, 2**30)  # no record pays to be there
        _set(again, hidden, far)
        _set({t: e.value for t, e in pooled.items()}, hidden, far)
        draft = fit(
            NoisyTables.of(again, twice, pooled),
            complete,
            people,
            progress=lambda s, k=k: progress((k + s) / plan.imputations),  # type: ignore[misc]
            source=source,
            pace=CLOSE,
        )
        found.append(to_table(draft, plan.domains))
    return tuple(found)


def _hidden(pooled: dict[Columns, Estimated], plan: Plan) -> dict[str, Codes]:
    """By column that moves the codes that are left out; the largest never is."""
    found = {}
    held = {*(plan.corridor or ()), *plan.followers.whole}
    for name, size in plan.sizes.items():
        if size <= MOVING and name not in held:
            one = pooled[(name,)]
            out = one.value < HIDDEN * one.sd
            out[np.argmax(one.value)] = False
            found[name] = np.flatnonzero(out)
    return found


def _set(
    tables: Mapping[Columns, npt.NDArray[Any]], hidden: dict[str, Codes], value: float
) -> None:
    """Set all cells of left-out codes."""
    for columns, table in tables.items():
        for axis, name in enumerate(columns):
            if name in hidden:
                np.moveaxis(table, axis, 0)[hidden[name]] = value
