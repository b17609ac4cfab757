"""What the fit works with: the noisy tables, and protected records on their way."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.dp import noise
from ctdhub.dp.count import Counts
from ctdhub.dp.indicators import Draft
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.pooling import Estimated
from ctdhub.dp.synth.coarsening import Places
from ctdhub.dp.synth.origin_destination import corridor
from ctdhub.dp.synth.raking import simplex, spread
from ctdhub.dp.synth.residuals import FitLayout
from ctdhub.dp.workload import Workload

_MOVING = 128
"""Columns with more codes do not move: corridors and other wide columns stay as they began."""


@dataclass(frozen=True)
class NoisyTables:
    """What the fit knows.

    Attributes:
        noisy: tables as they were measured.
        variance: of their cells.
        pooled: what all tables together say of columns and pairs.
    """

    noisy: Counts
    variance: dict[Columns, float]
    pooled: dict[Columns, Estimated]

    @classmethod
    def of(
        cls, noisy: Counts, questions: Workload, pooled: dict[Columns, Estimated]
    ) -> NoisyTables:
        """From the tables of a workload."""
        return cls(noisy, {q.columns: float(q.sigma2) for q in questions}, pooled)

    def alone(self, table: Columns) -> Estimated:
        """A table as it was measured."""
        return Estimated(self.noisy[table].astype(np.float64), self.variance[table])


class State:
    """Exactly ``people`` records: corridors and other wide columns stay, the others move.

    Each column begins near its one-way table, independent of the others but for the corridor.

    Attributes:
        layout: of the columns that move, core columns first: those of their triples then lie side
            by side.
        features: records x (1 + columns that move), the place of each value; column 0 is constant.
        held: codes of the columns that stay.
        pair: the columns of the corridor, if there is one.
        corridors: their table.
        wide: of ``held`` the columns that do not follow from others.
        expected: people by code of the columns that stay.
    """

    def __init__(
        self, measured: NoisyTables, plan: Plan, people: int, source: noise.Bits = os.urandom
    ) -> None:
        self.plan, self.people = plan, people
        self.pair = plan.ordered(plan.corridor) if plan.corridor else ()
        follow = plan.followers.whole
        fixed = {*self.pair, *follow}
        staying = [n for n in plan.domains if n in fixed or plan.sizes[n] > _MOVING]
        order = [*plan.ordered(plan.core), *(n for n in plan.domains if n not in plan.core)]
        self.layout = FitLayout({n: plan.sizes[n] for n in order if n not in staying})
        one = {n: measured.pooled[(n,)] for n in plan.domains}
        self.held: dict[str, Places] = {}
        self.corridors = np.zeros((0, 0), dtype=np.int64)
        if self.pair:
            found, (origins, places) = measured.pooled[self.pair], (one[n] for n in self.pair)
            self.corridors = corridor(found, origins, places, people, plan.support)
            flat = np.repeat(np.arange(self.corridors.size), self.corridors.ravel())
            held = np.unravel_index(flat[noise.permutation(people, source)], self.corridors.shape)
            self.held = dict(zip(self.pair, held, strict=True))
        self.held |= {n: spread(one[n].value, people, source) for n in staying if n not in fixed}
        self.wide = dict(self.held)
        self.held |= plan.followers.held(self.held, plan.domains)
        self.features = np.zeros((people, len(self.layout.sizes) + 1), dtype=np.uint16)
        for name in self.layout.sizes:
            self.place(name, spread(one[name].value, people, source))
        self.expected = {n: simplex(one[n].value, float(people)) for n in staying}
        for n in follow:
            self.expected[n] = np.bincount(self.held[n], minlength=plan.sizes[n]).astype(float)

    def lasting(self, measured: NoisyTables) -> list[Columns]:
        """Tables without columns that follow from others: these add no combination of their own."""
        follow = self.plan.followers.whole
        return [t for t in measured.variance if not follow.keys() & {*t}]

    def column(self, name: str) -> npt.NDArray[np.uint16]:
        """Codes of a column that moves."""
        return self.features[:, self.layout.at(name)] - np.uint16(self.layout.starts[name])

    def place(self, name: str, codes: npt.NDArray[np.integer]) -> None:
        """Set the codes of a column that moves."""
        self.features[:, self.layout.at(name)] = codes + self.layout.starts[name]

    def moving(self) -> Draft:
        """Codes of the columns that move."""
        return {n: self.column(n) for n in self.layout.sizes}

    def records(self) -> Draft:
        """All columns in the order of the plan."""
        found = self.moving() | {n: codes.astype(np.uint16) for n, codes in self.held.items()}
        return {n: found[n] for n in self.plan.domains}
