"""A protected answer out of a noisy sum: what the mechanism does once its noise is in."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from ctdhub.border import Protected
from ctdhub.core.errors import error
from ctdhub.dp import kernels
from ctdhub.dp.count import Counts
from ctdhub.dp.mechanism import Progress, answer_to
from ctdhub.dp.noise import Bits
from ctdhub.dp.plan import Plan
from ctdhub.dp.quote import unit
from ctdhub.dp.reconcile import pool
from ctdhub.dp.secagg.masks import Cells, beyond, summed_workload
from ctdhub.dp.secagg.messages import Total, altered, read
from ctdhub.dp.workload import Workload

CODEC = "zstd"

MECHANISM = "discrete Gaussian in shares: each contributor adds its own"


def packed(cells: Cells) -> bytes:
    """The numbers of a sum as the body of its file."""
    numbers = cells.astype("<u4").tobytes()
    return pa.compress(numbers, codec=CODEC, asbytes=True)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class NoisySum:
    """The noisy sum of a round.

    Attributes:
        told: the round, whose counts are in the sum, and the charge.
        tables: noisy counts as signed numbers.
    """

    told: Total
    tables: Counts

    @property
    def workload(self) -> Workload:
        """Every table with its noise if all in the sum added their share.

        Raises:
            PolicyError: the tables are of another version of the schema.
        """
        return summed_workload(self.told.round.shares, len(self.told.contributors))

    def impossible(self) -> int:
        """How many cells no honest counts give: far below zero, or far above the public bound.

        A function of noisy cells and public facts.  Honest sums have such a cell once in a million
        times.
        """
        terms, plan = self.told.round.terms, self.told.round.plan
        questions = self.workload
        cells = sum(q.cells for q in questions)
        reach = beyond((q.sigma2 for q in questions), cells)
        most = terms.max_people * plan.rows
        found = 0
        for q, far in zip(questions, reach, strict=True):
            table = self.tables[q.columns]
            found += int(np.count_nonzero((table < -far) | (table > most + far)))
        return found


def read_sum(path: Path) -> NoisySum:
    """The noisy sum in a file.

    Raises:
        CountError: it is none, or was altered.
        PolicyError: it is of another version of the schema.
    """
    found, body = read(path, Total)
    layout = found.round.terms.layout()
    try:
        numbers = pa.decompress(body, 4 * layout.cells, codec=CODEC, asbytes=True)
        cells = np.frombuffer(numbers, "<u4").astype(np.uint32, copy=False)
    except (ValueError, pa.ArrowInvalid, OSError):
        raise altered(path) from None
    return NoisySum(found, layout.signed(cells))


def protected(
    found: NoisySum,
    support: int | None = None,
    source: Bits = os.urandom,
    progress: Progress | None = None,
) -> Protected:
    """What may be published of a noisy sum; it was paid for when the round was closed.

    Args:
        support: stands above that of the plan.
        source: orders and ties of the fit.

    Raises:
        CountError: the noisy number of people lies outside what the plan allows: records are never
            made of it.
    """
    kernels.require_sweep()
    round_, terms = found.told.round, found.told.round.terms
    plan: Plan = round_.plan if support is None else replace(round_.plan, support=support)
    questions = found.workload
    people = float(pool(found.tables, questions, most=0)[()].value)
    if not 0 <= people <= terms.max_people * plan.rows:
        raise error("count-people", file="sum.count", most=terms.max_people * plan.rows)
    tell = progress or (lambda message, share: None)
    answer = answer_to(dict(found.tables), questions, plan, round_.rho, source, tell)
    promise = terms.epsilon, terms.delta, round_.rho
    return answer.protected(plan, promise, unit(plan), found.told.charge, MECHANISM, facts={})
