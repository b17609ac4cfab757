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
"""Records looked at for one step."""


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
    sweeps: int,
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
    blocks = -(-n // _BLOCK)
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
        self.wide = self._wide(records, targets, [c for c in records if c not in self.places])
        for start in range(0, targets.people, _BLOCK):
            hot = self.hot[start : start + _BLOCK].astype(np.float32)
            self.residual -= hot.T @ hot
            self.one -= hot.sum(0)
            for w in self.wide:
                w.residual -= _sums(w.codes[start : start + _BLOCK], hot, w.residual.shape[0])

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
        value, cost = score[:, :size], np.full((hot.shape[0], size), self._curvature(place))
        old = hot[:, place].argmax(1)
        new_indicator = None
        if indicator is not None:
            flags = [self.places[f].start + indicators.yes for f in indicators.flags[indicator]]
            others = hot[:, flags].sum(1) - hot[:, place.start + indicators.yes] > 0
            new_indicator = np.where(others, indicators.yes, indicators.no)[:, None].repeat(size, 1)
            new_indicator[:, indicators.yes] = indicators.yes
            value = value + np.take_along_axis(score[:, size:], new_indicator, 1)
            was = hot[:, follows].argmax(1)[:, None]
            cost = cost + self._curvature(follows) * (new_indicator != was)
        rows = np.arange(hot.shape[0])
        gain = value - value[rows, old][:, None] - cost
        gain[rows, old] = -np.inf
        new = gain.argmax(1)
        best = np.maximum(gain[rows, new], 0.0)
        going = np.flatnonzero(best > 0)
        if not going.size:
            return
        after = np.zeros((going.size, span.size), dtype=np.float32)
        after[np.arange(going.size), new[going]] = 1
        if new_indicator is not None:
            after[np.arange(going.size), size + new_indicator[going, new[going]]] = 1
        self._move(going, after, best[going] / best.max(), hot, block.start, span)

    def _score(self, hot: npt.NDArray[np.float32], block: slice, span: npt.NDArray[np.intp]) -> Floats:
        """How much the residuals ask for each value in ``span``, by record."""
        pull = (self.weight[:, span] * self.residual[:, span]).astype(np.float32)
        score = (hot @ pull).astype(np.float64) + self.one_weight[span] * self.one[span]
        for w in self.wide:
            score += (w.residual[:, span] * w.weight[span])[w.codes[block]]
        return score

    def _curvature(self, place: slice) -> float:
        """What one record's move costs in itself: the weights of the tables it changes."""
        at = place.start
        tables = sum(self.weight[at, p.start] for p in self.places.values())
        return float(tables + self.one_weight[at] + sum(w.weight[at] for w in self.wide))

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
        rates = (change * chance[:, None]).astype(np.float32)
        down, bend = self._descent(rates.T @ there, rates, start + going, span)
        if down <= 0:
            return
        chance = np.minimum(chance * (down / bend), 1.0)
        steps = np.floor(np.cumsum(chance) + noise.uniform(1)[0])
        chosen = np.flatnonzero(np.diff(steps, prepend=0.0) >= 1)
        if not chosen.size:
            return
        moved, rows = there[chosen], start + going[chosen]
        changed = moved.copy()
        changed[:, span] = after[chosen]
        tables = after[chosen].T @ changed - moved[:, span].T @ moved
        down, bend = self._descent(tables, change[chosen], rows, span)
        if bend - 2 * down >= 0:
            return
        self.hot[rows[:, None], span] = after[chosen]
        self.residual[span] -= tables
        self.residual[:, span] = self.residual[span].T
        self.one[span] -= change[chosen].sum(0)
        for w in self.wide:
            w.residual[:, span] -= _sums(w.codes[rows], change[chosen], w.residual.shape[0])

    def _descent(
        self,
        tables: npt.NDArray[np.float32],
        change: npt.NDArray[np.float32],
        rows: npt.NDArray[np.intp],
        span: npt.NDArray[np.intp],
    ) -> tuple[float, float]:
        """Slope and curvature of the misfit along a change: it falls by 2 slope - curvature."""
        down = np.sum(self.weight[span] * self.residual[span] * tables)
        bend = np.sum(self.weight[span] * np.square(tables, dtype=np.float64))
        total = change.sum(0, dtype=np.float64)
        down += np.sum(self.one_weight[span] * self.one[span] * total)
        bend += np.sum(self.one_weight[span] * total**2)
        for w in self.wide:
            by_code = _sums(w.codes[rows], change, w.residual.shape[0])
            down += np.sum(w.weight[span] * w.residual[:, span] * by_code)
            bend += np.sum(w.weight[span] * by_code**2)
        return float(down), float(bend)

    def decoded(self) -> Draft:
        """The columns that may have moved, as codes."""
        return {c: self.hot[:, p].argmax(1).astype(np.int64) for c, p in self.places.items()}


def _sums(
    codes: npt.NDArray[np.intp], values: npt.NDArray[np.float32], size: int
) -> Floats:
    """Sums of the rows of ``values`` by code: a table size x columns."""
    columns = [np.bincount(codes, weights=v, minlength=size) for v in values.T]
    return np.column_stack(columns)
