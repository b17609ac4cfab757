"""The tables that a stage of the fit compares records with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ctdhub.dp.count import Codes, count
from ctdhub.dp.plan import Columns
from ctdhub.dp.pooling import Estimated
from ctdhub.dp.synth.coarsening import Places, grouped, merged
from ctdhub.dp.synth.raking import Floats
from ctdhub.dp.synth.residuals import Key, Singles, TableResiduals, Wide
from ctdhub.dp.synth.state import NoisyTables, State

_PAIRED, _ALONE, _CORRIDOR = 6.0, 3.0, 3.0
"""A wide value is compared on its own in pairs, or in triples, where so many standard deviations
of a cell of such tables are expected to hold it; a corridor likewise."""


def residuals(state: State, measured: NoisyTables, most: int, known: set[str]) -> TableResiduals:
    """Records less noisy tables.

    Args:
        most: 2 for pairs, pooled from all tables that contain them; 3 for triples too, beside
            pairs as they were measured.
        known: columns that move and are fitted, or are being fitted; tables with others wait.
    """
    building = _Building(state, measured, most, known)
    building.narrow()
    for name in state.held:
        building.wide(name)
    if state.pair:
        building.corridors()
    return building.less_records()


class _Building:
    def __init__(self, state: State, measured: NoisyTables, most: int, known: set[str]) -> None:
        self.state, self.measured, self.most, self.known = state, measured, most, known
        self.targets: dict[Key, Estimated] = {}
        self.near: list[Wide] = []
        self.far: list[Wide] = []

    def narrow(self) -> None:
        """Tables of columns that move."""
        for t in self.measured.variance:
            if 2 <= len(t) <= self.most and self.known.issuperset(t):
                found, key = self._found(t), self.state.layout.sorted(t)
                axes = [t.index(n) for n in key]
                self.targets[key] = Estimated(found.value.transpose(axes), found.variance)

    def wide(self, name: str) -> None:
        """Tables of a wide column and one or two columns that move."""
        pairs = [t for t in self.measured.variance if self._beside(t, name, 1)]
        triples = [t for t in self.measured.variance if self._beside(t, name, 2)]
        if pairs:
            self.far.append(self._join(name, f"{name} by itself", pairs, _PAIRED))
        if triples and self.most > 2:
            self.near.append(self._join(name, f"{name} with another", triples, _ALONE))

    def corridors(self) -> None:
        """Corridors by columns that move: large ones each, all others left out as group 0."""
        pair, state = self.state.pair, self.state
        tables = [
            t
            for t in self.measured.variance
            if len(t) == 3 and set(pair) < set(t) and self.known.issuperset({*t} - {*pair})
        ]
        if not tables:
            return
        least = _CORRIDOR * self._sd(tables)
        large = np.flatnonzero(state.corridors.ravel() >= least)
        group = np.zeros(state.corridors.size, dtype=np.int64)
        group[large] = np.arange(1, large.size + 1)
        share = np.ones(large.size + 1, dtype=np.float32)
        share[0] = 0
        flat = np.ravel_multi_index([state.held[n] for n in pair], state.corridors.shape)
        self.far.append(Wide("corridor", group[flat], share))
        for t in tables:
            (name,) = set(t) - set(pair)
            found = self.measured.alone(t)
            target = np.zeros((share.size, state.layout.sizes[name]))
            target[1:] = np.moveaxis(found.value, t.index(name), -1).reshape(-1, target.shape[1])[
                large
            ]
            self.targets["corridor", name] = Estimated(target, found.variance)

    def less_records(self) -> TableResiduals:
        """Weight x (records - target); a group that joins values weighs one over their number."""
        wides = {w.name: w for w in (*self.near, *self.far)}
        columns = dict(self.state.moving())
        sizes = dict(self.state.layout.sizes)
        for name, w in wides.items():
            columns[name], sizes[name] = w.group.astype(np.uint16), w.share.size
        counted = count(Codes(columns, sizes, self.state.people), self.targets)
        tables: dict[Key, Singles] = {}
        weight: dict[Key, float] = {}
        for key, target in self.targets.items():
            weight[key] = 1 / target.variance
            scale: Floats = np.array(weight[key])
            if key[0] in wides:
                share = wides[key[0]].share.astype(np.float64)
                scale = scale * share.reshape(-1, *(1,) * (target.value.ndim - 1))
            tables[key] = (scale * (counted[key] - target.value)).astype(np.float32)
        return TableResiduals(self.state.layout, tuple(self.near), tuple(self.far), tables, weight)

    def _found(self, table: Columns) -> Estimated:
        return self.measured.pooled[table] if self.most == 2 else self.measured.alone(table)

    def _beside(self, table: Columns, wide: str, others: int) -> bool:
        """Whether a table is of that wide column and so many known columns that move."""
        rest = [n for n in table if n != wide]
        return wide in table and len(rest) == others and self.known.issuperset(rest)

    def _join(self, column: str, name: str, tables: list[Columns], sigmas: float) -> Wide:
        """Groups of a wide column's values that are large enough for such tables."""
        parents = self.state.plan.parents.get(column, ())
        group = grouped(self.state.expected[column], parents, sigmas * self._sd(tables))
        for t in tables:
            found, axis = self._found(t), t.index(column)
            rest = [n for n in t if n != column]
            key = self.state.layout.sorted(rest)
            joined = np.moveaxis(merged(found.value, axis, group), axis, 0)
            joined = joined.transpose(0, *(1 + rest.index(n) for n in key))
            self.targets[name, *key] = Estimated(joined, found.variance)
        codes: Places = group[self.state.held[column]]
        return Wide(name, codes, (1 / np.bincount(group)).astype(np.float32))

    def _sd(self, tables: Iterable[Columns]) -> float:
        pooled = self.measured.pooled
        variances = [
            pooled[t].variance if len(t) == 2 else self.measured.variance[t] for t in tables
        ]
        return float(np.median(variances) ** 0.5)
