"""Protected records on their way."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from ctdhub.dp import noise
from ctdhub.dp.indicators import Draft
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.synth.held import HeldColumns
from ctdhub.dp.synth.noisy_tables import NoisyTables
from ctdhub.dp.synth.raking import simplex, spread
from ctdhub.dp.synth.residuals import FitLayout

MOVING = 128
"""Columns with more codes do not move.  (40 tried: better where wide pairs are strong, and on Adult
at epsilon 1 half as much error again, for its pairs of some 100 codes are mostly noise.)"""


class State:
    """Exactly ``people`` records: corridors and other wide columns stay, the others move.

    Each column begins near its one-way table, independent of the others but for the corridor.

    Attributes:
        layout: of the columns that move, core columns first: those of their triples then lie side
            by side.
        features: records x (1 + columns that move), the place of each value; column 0 is constant.
        held: codes of the columns that stay.
        pair: the columns of the corridor, if there is one.
        corridors: the table of the first two columns that were laid out, see ``HeldColumns``.
        compared: tables that records have been compared with, see ``targets``.
        wide: of ``held`` the columns that do not follow from others.
        expected: people by code of the columns that stay.
    """

    def __init__(
        self, measured: NoisyTables, plan: Plan, people: int, source: noise.Bits = os.urandom
    ) -> None:
        self.plan, self.people = plan, people
        self.pair = plan.ordered(plan.corridor) if plan.corridor else ()
        follow = plan.followers.whole
        staying = [
            n for n in plan.domains if n in follow or n in self.pair or plan.sizes[n] > MOVING
        ]
        order = [*plan.ordered(plan.core), *(n for n in plan.domains if n not in plan.core)]
        self.layout = FitLayout({n: plan.sizes[n] for n in order if n not in staying})
        one = {n: measured.pooled[(n,)] for n in plan.domains}
        laid = HeldColumns(
            measured, plan, tuple(n for n in staying if n not in follow), people, source
        )
        self.corridors, self.compared = laid.table, laid.met
        self.held = laid.codes
        self.wide = {n: codes for n, codes in self.held.items() if n not in follow}
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
