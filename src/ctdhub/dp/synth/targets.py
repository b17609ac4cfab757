"""The tables that a stage of the fit compares records with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ctdhub.dp.count import Codes, count
from ctdhub.dp.plan import Columns
from ctdhub.dp.pooling import Estimated
from ctdhub.dp.synth.coarsening import Places, grouped, merged
from ctdhub.dp.synth.noisy_tables import NoisyTables
from ctdhub.dp.synth.raking import Floats
from ctdhub.dp.synth.residuals import Key, Singles, TableResiduals, Wide
from ctdhub.dp.synth.state import State

_PAIRED, _ALONE, _CORRIDOR = 6.0, 3.0, 3.0
"""A wide value is compared on its own in pairs, or in triples, where so many standard deviations
of a cell of such tables are expected to hold it; a corridor likewise."""


def residuals(state: State, measured: NoisyTables, most: int, known: set[str]) -> TableResiduals:
    """Records less noisy tables; the tables join ``state.compared``.

    Args:
        most: 2 for pairs, pooled from all tables that contain them, and corridors by one column;
            3 for larger tables too, beside pairs as they were measured.
        known: columns that move and are fitted, or are being fitted; tables with others wait.
    """
    building = _Building(state, measured, most, known)
    kinds: dict[tuple[Columns, int], list[Columns]] = {}
    for t in measured.variance:
        held = tuple(n for n in t if n in state.held)
        moving = len(t) - len(held)
        ready = moving and known.issuperset({*t} - {*held})
        early = len(t) == 2 or (moving == 1 and held == state.pair)
        if ready and len(t) >= 2 and (early or most > 2):
            kinds.setdefault((held, moving), []).append(t)
    for (held, moving), tables in kinds.items():
        building.add(held, moving, tables)
        state.compared.update(tables)
    return building.less_records()


class _Building:
    def __init__(self, state: State, measured: NoisyTables, most: int, known: set[str]) -> None:
        self.state, self.measured, self.most, self.known = state, measured, most, known
        self.targets: dict[Key, Estimated] = {}
        self.near: list[Wide] = []
        self.far: list[Wide] = []
        self.deep: list[Wide] = []

    def add(self, held: Columns, moving: int, tables: list[Columns]) -> None:
        """Tables of the same held columns and of so many columns that move."""
        if not held:
            for t in tables:
                found, key = self._found(t), self.state.layout.sorted(t)
                axes = [t.index(n) for n in key]
                self.targets[key] = Estimated(found.value.transpose(axes), found.variance)
            return
        name = f"{' and '.join(held)} by {moving}"
        of = (self.far, self.near)[moving - 1] if moving + len(held) <= 3 else self.deep
        of.append(
            self._join(held, name, tables) if len(held) == 1 else self._large(held, name, tables)
        )

    def _large(self, held: Columns, name: str, tables: list[Columns]) -> Wide:
        """Combinations of held values: large ones each, all others left out as group 0."""
        state = self.state
        shape = [state.plan.sizes[n] for n in held]
        flat = np.ravel_multi_index([state.held[n] for n in held], shape)
        people = np.bincount(flat, minlength=int(np.prod(shape)))
        large = np.flatnonzero(people >= _CORRIDOR * self._sd(tables))
        group = np.zeros(people.size, dtype=np.int64)
        group[large] = np.arange(1, large.size + 1)
        share = np.ones(large.size + 1, dtype=np.float32)
        share[0] = 0
        for t in tables:
            found, key = self._found(t), self._rest(t, held)
            value = found.value.transpose([t.index(n) for n in (*held, *key)])
            value = value.reshape(-1, *value.shape[len(held) :])
            target = np.zeros((share.size, *value.shape[1:]), value.dtype)
            target[1:] = value[large]
            self.targets[name, *key] = Estimated(target, found.variance)
        return Wide(name, group[flat], share)

    def _rest(self, table: Columns, held: Columns) -> Key:
        return self.state.layout.sorted(n for n in table if n not in held)

    def less_records(self) -> TableResiduals:
        """Weight x (records - target); a group that joins values weighs one over their number."""
        wides = {w.name: w for w in (*self.near, *self.far, *self.deep)}
        columns = dict(self.state.moving())
        sizes = dict(self.state.layout.sizes)
        for name, w in wides.items():
            columns[name], sizes[name] = w.group.astype(np.uint16), w.share.size
        counted = count(Codes(columns, sizes, self.state.people), self.targets)
        tables: dict[Key, Singles] = {}
        weight: dict[Key, float] = {}
        for key in list(counted):
            target, made = self.targets.pop(key), counted.pop(key)
            weight[key] = 1 / target.variance
            scale: Floats = np.array(weight[key])
            if key[0] in wides:
                share = wides[key[0]].share.astype(np.float64)
                scale = scale * share.reshape(-1, *(1,) * (target.value.ndim - 1))
            tables[key] = (scale * (made - target.value)).astype(np.float32)
        near, far, deep = tuple(self.near), tuple(self.far), tuple(self.deep)
        return TableResiduals(self.state.layout, near, far, tables, weight, deep)

    def _found(self, table: Columns) -> Estimated:
        early = self.most == 2 and len(table) == 2
        return self.measured.pooled[table] if early else self.measured.alone(table)

    def _join(self, held: Columns, name: str, tables: list[Columns]) -> Wide:
        """Groups of a wide column's values that are large enough for such tables."""
        [column] = held
        parents = self.state.plan.parents.get(column, ())
        sigmas = _PAIRED if len(tables[0]) == 2 else _ALONE
        group = grouped(self.state.expected[column], parents, sigmas * self._sd(tables))
        for t in tables:
            found, key = self._found(t), self._rest(t, held)
            value = found.value.transpose([t.index(n) for n in (column, *key)])
            self.targets[name, *key] = Estimated(merged(value, 0, group), found.variance)
        codes: Places = group[self.state.held[column]]
        return Wide(name, codes, (1 / np.bincount(group)).astype(np.float32))

    def _sd(self, tables: Iterable[Columns]) -> float:
        pooled = self.measured.pooled
        variances = [
            pooled[t].variance if len(t) == 2 else self.measured.variance[t] for t in tables
        ]
        return float(np.median(variances) ** 0.5)
