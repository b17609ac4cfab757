"""Wide columns of the records: laid out together, before any other column moves, and then held.

A tree over them joins those whose noisy pairs are strongest (Chow and Liu 1968); each edge is a
table of whole numbers as the corridor is (``origin_destination``).  Pairs outside the tree, and
larger tables of wide columns alone, are met by exchange: two records give each other their values
of one column where that lowers the misfit, which keeps the table of every single column.
"""

from __future__ import annotations

import os
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ctdhub.dp import kernels, noise
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.pooling import Estimated
from ctdhub.dp.synth.coarsening import Places
from ctdhub.dp.synth.noisy_tables import NoisyTables
from ctdhub.dp.synth.origin_destination import KEEP_SIGMAS, corridor
from ctdhub.dp.synth.raking import spread

Whole = npt.NDArray[np.int64]

_ROUNDS, _STILL = 8, 0.002
"""Rounds of exchange at most; they end when a smaller share of the records moved."""

_TRIES = 12
"""Partners that a record looks at in a round."""


class HeldColumns:
    """The columns that stay, laid out as the noisy tables say.

    Args:
        columns: those that do not follow from the corridor, which is laid first and never moves;
            where there is none, the strongest pair is first.

    Attributes:
        codes: by column and record, those of followers too.
        met: tables that they were laid out by, or that the corridor decides.
        table: of the pair that was laid first, whole numbers; empty where there is none.
        tree: pairs laid as they were measured.
    """

    def __init__(
        self,
        measured: NoisyTables,
        plan: Plan,
        columns: Columns,
        people: int,
        source: noise.Bits = os.urandom,
    ) -> None:
        self.people, self.source = people, source
        self.codes: dict[str, Places] = {}
        self.tree: list[Columns] = []
        first = plan.ordered(plan.corridor) if plan.corridor else ()
        follow = tuple(plan.followers.whole)
        pooled = measured.pooled
        one = {n: pooled[(n,)] for n in (*columns, *follow)}
        decided = {*first, *follow}
        self.pairs: dict[Columns, Whole] = {
            pair: corridor(pooled[pair], one[pair[0]], one[pair[1]], people, plan.support)
            for pair in combinations(plan.ordered((*columns, *follow)), 2)
            if pair in pooled and (pair == first or not decided.issuperset(pair))
        }
        self.variance = {pair: pooled[pair].variance for pair in self.pairs}
        self.table = np.zeros((0, 0), dtype=np.int64)
        edges = {p: strength(table) for p, table in self.pairs.items() if {*p} <= {*columns}}
        if first or edges:
            self._begin(first or max(edges, key=lambda pair: edges[pair]))
        while edges and people:
            open_ = [p for p in edges if len(self.codes.keys() & {*p}) == 1]
            if not open_:
                break
            self._join(max(open_, key=lambda pair: edges[pair]))
        for name in columns:
            if name not in self.codes:
                self.codes[name] = spread(one[name].value, people, source)
        self.codes |= plan.followers.held(self.codes, plan.domains)
        larger = {
            t: Estimated(measured.noisy[t].astype(np.float64), variance)
            for t, variance in measured.variance.items()
            if len(t) > 2 and {*t} <= {*columns, *follow} and not decided.issuperset(t)
        }
        self.met = self._exchange([n for n in columns if n not in first], larger)
        self.met.update(t for t in measured.variance if len(t) > 1 and decided.issuperset(t))

    def _begin(self, pair: Columns) -> None:
        self.table = self.pairs[pair]
        flat = np.repeat(np.arange(self.table.size), self.table.ravel())
        order = noise.permutation(self.people, self.source)
        held = np.unravel_index(flat[order], self.table.shape)
        self.codes |= dict(zip(pair, held, strict=True))
        self.tree.append(pair)

    def _join(self, pair: Columns) -> None:
        """Lay one more column by its pair with one that is there."""
        old, new = sorted(pair, key=lambda n: n not in self.codes)
        table = self.pairs[pair] if pair[0] == old else self.pairs[pair].T
        there = np.bincount(self.codes[old], minlength=len(table))
        whole = rounded(table, there, noise.uniform(len(table), self.source))
        order = noise.permutation(self.people, self.source)
        order = order[np.argsort(self.codes[old][order], kind="stable")]
        codes = np.empty(self.people, dtype=np.int64)
        codes[order] = np.repeat(np.tile(np.arange(table.shape[1]), len(table)), whole.ravel())
        self.codes[new] = codes
        self.tree.append(pair)

    def _exchange(self, moving: list[str], larger: dict[Columns, Estimated]) -> set[Columns]:
        """Exchange values of single columns until records are still; the tables that steer it."""
        targets: dict[Columns, tuple[npt.NDArray[np.float64], float]] = {
            pair: (table.astype(np.float64), self.variance[pair])
            for pair, table in self.pairs.items()
        }
        for t, found in larger.items():
            now = self._counted(t, found.value.shape)
            out = found.value >= KEEP_SIGMAS * found.sd
            rest = max(self.people - found.value[out].sum(), 0.0) / max(now[~out].sum(), 1.0)
            targets[t] = np.where(out, found.value, now * rest), found.variance
        if self.people and any(t not in self.tree for t in targets):
            for _ in range(_ROUNDS):
                moved = [self._pass(name, targets) for name in moving]
                if max(moved, default=0) <= _STILL * self.people:
                    break
        return {*targets}

    def _pass(
        self, name: str, targets: dict[Columns, tuple[npt.NDArray[np.float64], float]]
    ) -> int:
        """One column exchanged once; how many records gave their value away."""
        rows, tables, weights, start = [], [], [], 0
        for t, (target, variance) in targets.items():
            if name not in t or (t in self.tree and len(targets) == len(self.tree)):
                continue
            left = np.moveaxis(self._counted(t, target.shape) - target, t.index(name), -1)
            others = [n for n in t if n != name]
            at = np.ravel_multi_index([self.codes[n] for n in others], left.shape[:-1])
            rows.append(at + start)
            tables.append((left.reshape(-1, left.shape[-1]) / variance).astype(np.float32))
            weights.append(1 / variance)
            start += len(tables[-1])
        if not rows:
            return 0
        codes = np.ascontiguousarray(self.codes[name])
        moved = kernels.exchange(
            codes,
            noise.permutation(self.people, self.source),
            np.ascontiguousarray(np.stack(rows, axis=1)),
            np.concatenate(tables),
            np.array(weights, dtype=np.float32),
            noise.words(1, self.source)[0],
            _TRIES,
        )
        self.codes[name] = codes
        return moved

    def _counted(self, table: Columns, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        at = np.ravel_multi_index([self.codes[n] for n in table], shape)
        return np.bincount(at, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)


def strength(table: Whole) -> float:
    """Mutual information of a table's two columns, in nats.

    >>> round(strength(np.array([[5, 0], [0, 5]])), 3), strength(np.ones((2, 2), dtype=np.int64))
    (0.693, 0.0)
    """
    total = max(int(table.sum()), 1)
    share = table / total
    alone = np.outer(share.sum(1), share.sum(0))
    held = table > 0
    return float((share[held] * np.log(share[held] / alone[held])).sum())


def rounded(shares: npt.NDArray[np.integer], rows: Whole, offset: npt.NDArray[np.float64]) -> Whole:
    """Whole numbers near ``shares``, row by row, whose rows sum to ``rows``.

    Each cell is its share of the row rounded down or up, up as often as its fraction says
    (systematic rounding).  A row without shares takes those of the whole table.

    Args:
        offset: uniform in [0, 1), by row.

    >>> rounded(np.array([[3, 1], [0, 0]]), np.array([8, 0]), np.array([0.5, 0.5])).tolist()
    [[6, 2], [0, 0]]
    """
    bare = shares.sum(1, keepdims=True) == 0
    filled = np.where(bare, shares.sum(0) + (shares.sum() == 0), shares).astype(np.float64)
    part = np.cumsum(filled, axis=1)
    ends = np.floor(part / part[:, -1:] * rows[:, None] + offset[:, None] + 1e-9)
    ends[:, -1] = rows
    first = np.zeros((len(shares), 1))
    whole: Whole = np.diff(np.minimum(ends, rows[:, None]), axis=1, prepend=first).astype(np.int64)
    return whole
