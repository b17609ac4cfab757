"""Polish: move records until all pairs of columns and the divided corridors fit together.

Belongs here: sweeps that change one column of some records at a time.  Does not belong here: the
first draft (``synthesise``), targets (``fit``); nothing here sees exact counts.

The misfit is the sum over tables of weight * (target - records)^2 over cells.  For one column and
a block of records, each record's best move is found from the tables' residuals (two matrix
products), moves are chosen with chances proportional to their gain, the common factor by exact
line search, and the step is undone if it does not lower the misfit.  Countries and corridors stay
as drafted.  Flags move and their indicator follows: it is yes where some flag of its group is yes,
else no, so records never contradict themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ctdhub.protect import noise
from ctdhub.protect.fit import Floats, Targets
from ctdhub.protect.measure import CORRIDOR
from ctdhub.protect.policy import Domains
from ctdhub.protect.synthesise import Draft
from ctdhub.schema import Schema

_WIDE = 64
"""Columns with more codes are not moved."""

_BLOCK = 20_000
"""Records looked at for one step, at least; more where that would leave over three blocks."""

_BLOCKS = 3

_RIDGE = 10
"""Ridge in units of sigma squared."""

SWEEPS = 6
"""Sweeps over all columns that move (a step costs the same for any number of people)."""


@dataclass(frozen=True)
class Indicators:
    """Which indicator follows which flags.

    Attributes:
        flags: flags of the released group by indicator, for groups released completely.
        partial: the same for groups that the policy releases in part.
    """

    flags: dict[str, tuple[str, ...]]
    partial: dict[str, tuple[str, ...]]
    yes: int = 1
    no: int = 2

    @classmethod
    def of(cls, domains: Domains, schema: Schema) -> Indicators:
        """Indicators and flags among the released columns."""
        whole, partial = {}, {}
        for v in schema.people:
            if v.any_of and v.name in domains:
                flags = schema.flags(v.any_of)
                released = tuple(f for f in flags if f in domains)
                if released == flags:
                    whole[v.name] = flags
                elif released:
                    partial[v.name] = released
        yes, no = (schema.codes["flag"].index(code) + 1 for code in ("yes", "no"))
        return cls(whole, partial, yes, no)

    def repair(self, records: Draft) -> None:
        """Set indicators by their flags: all of a complete group, only the yes of a partial one."""
        for indicator, flags in {**self.flags, **self.partial}.items():
            some = np.any([records[f] == self.yes for f in flags], axis=0)
            other = self.no if indicator in self.flags else records[indicator]
            records[indicator] = np.where(some, self.yes, other)


def polish(
    records: Draft,
    targets: Targets,
    indicators: Indicators,
    sweeps: int = SWEEPS,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Change ``records`` in place, ``sweeps`` times over all columns that move.

    Args:
        progress: told the share done, from 0 to 1.
    """
    indicators.repair(records)
    n = targets.people
    if n == 0 or len(records) < 2:
        return
    state = _State(records, targets)
    followers = {f: a for a, flags in indicators.flags.items() for f in flags}
    movable = [c for c in state.places if c not in indicators.flags]
    blocks = max(1, min(_BLOCKS, n // _BLOCK))
    done = 0
    for _ in range(sweeps):
        for column in (movable[i] for i in noise.permutation(len(movable))):
            block = slice(done % blocks * n // blocks, (done % blocks + 1) * n // blocks)
            done += 1
            state.step(column, followers.get(column), indicators, block)
            progress(done / (sweeps * len(movable)))
    records.update(state.decoded())
    indicators.repair(records)


@dataclass
class _Wide:
    """Residuals of the tables between a column that stays and all that move."""

    codes: npt.NDArray[np.intp]
    residual: Floats
    weight: Floats

    @cached_property
    def counts(self) -> Floats:
        """Records by code."""
        return np.bincount(self.codes, minlength=self.residual.shape[0]).astype(float)


class _State:
    """Records as 0/1 columns, and the residual target - records of every table."""

    def __init__(self, records: Draft, targets: Targets) -> None:
        sizes = {c: targets.one_way[c].size for c in records}
        narrow = [c for c in records if sizes[c] <= _WIDE and c not in CORRIDOR]
        ends = np.cumsum([sizes[c] for c in narrow])
        self.places = {c: slice(int(e) - sizes[c], int(e)) for c, e in zip(narrow, ends, strict=True)}
        width = int(ends[-1]) if narrow else 0
        self.hot = np.zeros((targets.people, width), dtype=np.uint8)
        for c, place in self.places.items():
            self.hot[np.arange(targets.people), place.start + records[c]] = 1
        self.residual, self.weight = np.zeros((width, width)), np.zeros((width, width))
        self.one, self.one_weight = np.zeros(width), np.zeros(width)
        for c, place in self.places.items():
            self.one[place] = targets.one_way[c]
            self.one_weight[place] = targets.weight[(c,)]
        for (a, b), table in targets.pairs.items():
            if a in self.places and b in self.places:
                p, q = self.places[a], self.places[b]
                self.residual[p, q], self.residual[q, p] = table, table.T
                self.weight[p, q] = self.weight[q, p] = targets.weight[a, b]
        self.counts = np.zeros((width, width))
        self.wide = self._wide(records, targets, [c for c in records if c not in self.places])
        for start in range(0, targets.people, _BLOCK):
            hot = self.hot[start : start + _BLOCK].astype(np.float32)
            self.counts += hot.T @ hot
            self.one -= hot.sum(0)
            for w in self.wide:
                w.residual -= _sums(w.codes[start : start + _BLOCK], hot, w.residual.shape[0])
        self.residual -= self.counts

    def _wide(self, records: Draft, targets: Targets, staying: list[str]) -> list[_Wide]:
        width, found = self.hot.shape[1], []
        for s in staying:
            size = targets.one_way[s].size
            wide = _Wide(records[s], np.zeros((size, width)), np.zeros(width))
            for c, place in self.places.items():
                key = (s, c) if (s, c) in targets.pairs else (c, s)
                table = targets.pairs[key]
                wide.residual[:, place] = table if key == (s, c) else table.T
                wide.weight[place] = targets.weight[key]
            found.append(wide)
        if targets.corridor is not None:
            flat = np.ravel_multi_index([records[c] for c in CORRIDOR], targets.corridor.shape)
            present, codes = np.unique(flat, return_inverse=True)
            wide = _Wide(codes, np.zeros((present.size, width)), np.zeros(width))
            for c, table in targets.by_corridor.items():
                wide.residual[:, self.places[c]] = table[present]
                third = next(t for t in targets.weight if len(t) == 3 and c in t)
                wide.weight[self.places[c]] = targets.weight[third]
            found.append(wide)
        return found

    def step(
        self, column: str, indicator: str | None, indicators: Indicators, block: slice
    ) -> None:
        """Move some records of a block from one value of the column to another."""
        place = self.places[column]
        span = np.arange(place.start, place.stop)
        if indicator is not None:
            follows = self.places[indicator]
            span = np.append(span, np.arange(follows.start, follows.stop))
        hot = self.hot[block].astype(np.float32)
        score = self._score(hot, block, span)
        size = place.stop - place.start
        value = score[:, :size]
        old = hot[:, place].argmax(1)
        new_indicator = None
        if indicator is not None:
            flags = [self.places[f].start + indicators.yes for f in indicators.flags[indicator]]
            others = hot[:, flags].sum(1) - hot[:, place.start + indicators.yes] > 0
            new_indicator = np.where(others, indicators.yes, indicators.no)[:, None].repeat(size, 1)
            new_indicator[:, indicators.yes] = indicators.yes
            value = value + np.take_along_axis(score[:, size:], new_indicator, 1)
        rows = np.arange(hot.shape[0])
        gain = value - value[rows, old][:, None]
        gain[rows, old] = -np.inf
        new = gain.argmax(1)
        best = np.maximum(gain[rows, new], 0.0)
        going = np.flatnonzero(best > 0)
        if not going.size:
            return
        going = going[np.argsort(new[going], kind="stable")]  # goals lie together
        after = np.zeros((going.size, span.size), dtype=np.float32)
        after[np.arange(going.size), new[going]] = 1
        if new_indicator is not None:
            after[np.arange(going.size), size + new_indicator[going, new[going]]] = 1
        self._move(going, after, best[going] / best.max(), hot, block.start, span)

    def _score(
        self, hot: npt.NDArray[np.float32], block: slice, span: npt.NDArray[np.intp]
    ) -> Floats:
        """By record, how much the chance of each value in ``span`` should change.

        The ridge regression of the residuals on the other columns' values: with counts C of pairs
        of values among the records, (C + ridge)^-1 residual asks correlated columns once, not each.
        Wide columns are asked one by one, each value by its own count.
        """
        others = np.setdiff1d(np.arange(hot.shape[1]), span)
        first = span[0]
        ridge = _RIDGE / np.maximum(self.weight[others, first], 1e-12)
        gram = self.counts[np.ix_(others, others)]
        gram[np.diag_indices_from(gram)] += ridge
        asked = np.zeros((hot.shape[1], span.size), dtype=np.float32)
        asked[others] = np.linalg.solve(gram, self.residual[np.ix_(others, span)])
        score = (hot @ asked).astype(np.float64)
        for w in self.wide:
            ridge = _RIDGE / np.maximum(w.weight[span], 1e-12)
            score += (w.residual[:, span] / (w.counts[:, None] + ridge))[w.codes[block]]
        return score

    def _move(
        self,
        going: npt.NDArray[np.intp],
        after: npt.NDArray[np.float32],
        chance: Floats,
        hot: npt.NDArray[np.float32],
        start: int,
        span: npt.NDArray[np.intp],
    ) -> None:
        there = hot[going]
        change = after - there[:, span]
        chance = chance * self._paces(change, after.argmax(1), chance, there, start + going, span)
        chance = np.minimum(chance, 1.0)
        steps = np.floor(np.cumsum(chance) + noise.uniform(1)[0])
        chosen = np.flatnonzero(np.diff(steps, prepend=0.0) >= 1)
        if not chosen.size:
            return
        moved, rows = there[chosen], start + going[chosen]
        changed = moved.copy()
        changed[:, span] = after[chosen]
        tables = after[chosen].T @ changed - moved[:, span].T @ moved
        slope, root = self._descent(tables, change[chosen], rows, span)
        if root @ root >= 2 * slope:
            return
        self.hot[rows[:, None], span] = after[chosen]
        self.residual[span] -= tables
        self.residual[:, span] = self.residual[span].T
        self.counts[span] += tables
        self.counts[:, span] = self.counts[span].T
        self.one[span] -= change[chosen].sum(0)
        for w in self.wide:
            w.residual[:, span] -= _sums(w.codes[rows], change[chosen], w.residual.shape[0])

    def _paces(
        self,
        change: npt.NDArray[np.float32],
        goal: npt.NDArray[np.intp],
        chance: Floats,
        there: npt.NDArray[np.float32],
        rows: npt.NDArray[np.intp],
        span: npt.NDArray[np.intp],
    ) -> Floats:
        """By record, the pace of its goal: exact line search with one factor for each new value.

        One factor for all would let the flow into a common value outrun the flow out of it, and
        spoil the column's own table; with one for each the flows balance.
        """
        rates = (change * chance[:, None]).astype(np.float32)
        starts = np.flatnonzero(np.diff(goal, prepend=-1))
        ends = np.append(starts[1:], goal.size)
        slopes, roots = [], []
        for mine in (slice(a, b) for a, b in zip(starts, ends, strict=True)):
            tables = rates[mine].T @ there[mine]
            slope, root = self._descent(tables, rates[mine], rows[mine], span)
            slopes.append(slope)
            roots.append(root)
        stacked = np.array(roots)
        gram = stacked @ stacked.T
        paces, slope = np.zeros(starts.size), np.array(slopes)
        for _ in range(200):  # coordinate descent on the non-negative quadratic
            for k in range(starts.size):
                if gram[k, k] > 0:
                    rest = slope[k] - gram[k] @ paces + gram[k, k] * paces[k]
                    paces[k] = max(0.0, rest / gram[k, k])
        return np.repeat(paces, ends - starts)

    def _descent(
        self,
        tables: npt.NDArray[np.float32],
        change: npt.NDArray[np.float32],
        rows: npt.NDArray[np.intp],
        span: npt.NDArray[np.intp],
    ) -> tuple[float, Floats]:
        """Along a change: the slope of the misfit, and the change's weighted cells.

        The misfit falls by twice the slope less the cells' squared length.
        """
        parts = [(self.weight[span], self.residual[span], tables)]
        parts.append((self.one_weight[span], self.one[span], change.sum(0, dtype=np.float64)))
        for w in self.wide:
            cells = _sums(w.codes[rows], change, w.residual.shape[0])
            parts.append((w.weight[span], w.residual[:, span], cells))
        slope = sum(float(np.sum(weight * residual * cells)) for weight, residual, cells in parts)
        roots = [(np.sqrt(weight) * cells).ravel() for weight, _, cells in parts]
        return slope, np.concatenate(roots)

    def decoded(self) -> Draft:
        """The columns that may have moved, as codes."""
        return {c: self.hot[:, p].argmax(1).astype(np.int64) for c, p in self.places.items()}


def _sums(
    codes: npt.NDArray[np.intp], values: npt.NDArray[np.float32], size: int
) -> Floats:
    """Sums of the rows of ``values`` by code: a table size x columns."""
    columns = [np.bincount(codes, weights=v, minlength=size) for v in values.T]
    return np.column_stack(columns)
