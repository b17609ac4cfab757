"""What polishing knows of the records: 0/1 columns, and the residual of every table.

Belongs here: residuals target - records kept up to date, and what they ask for.  Does not belong
here: which records to move (``polish``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ctdhub.protect.fit import Floats, Targets
from ctdhub.protect.indicators import Draft
from ctdhub.protect.plan import CORRIDOR

Hot = npt.NDArray[np.float32]
"""Rows of 0/1 columns, or their products."""

Places = npt.NDArray[np.intp]
"""Rows, or places among the 0/1 columns."""

WIDE = 64
"""Columns with more codes stay as they were drafted."""

_RIDGE = 10.0
"""Ridge of the regression in units of sigma squared (.03 to 30 tried on invented people)."""

_CHUNK = 20_000


@dataclass
class Wide:
    """Residuals of the tables between a column that stays and all that move."""

    codes: npt.NDArray[np.intp]
    residual: Floats
    weight: Floats

    @cached_property
    def counts(self) -> Floats:
        """Records by code."""
        return np.bincount(self.codes, minlength=self.residual.shape[0]).astype(float)


class Tally:
    """Records as 0/1 columns, and the residual target - records of every table."""

    def __init__(self, records: Draft, targets: Targets) -> None:
        sizes = {c: targets.one_way[c].size for c in records}
        narrow = [c for c in records if sizes[c] <= WIDE and c not in CORRIDOR]
        ends = np.cumsum([sizes[c] for c in narrow])
        self.places = {
            c: slice(int(e) - sizes[c], int(e)) for c, e in zip(narrow, ends, strict=True)
        }
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
        for start in range(0, targets.people, _CHUNK):
            hot = self.hot[start : start + _CHUNK].astype(np.float32)
            self.counts += hot.T @ hot
            self.one -= hot.sum(0)
            for w in self.wide:
                w.residual -= sums(w.codes[start : start + _CHUNK], hot, w.residual.shape[0])
        self.residual -= self.counts

    def _wide(self, records: Draft, targets: Targets, staying: list[str]) -> list[Wide]:
        width, found = self.hot.shape[1], []
        for s in staying:
            size = targets.one_way[s].size
            wide = Wide(records[s], np.zeros((size, width)), np.zeros(width))
            for c, place in self.places.items():
                key = (s, c) if (s, c) in targets.pairs else (c, s)
                table = targets.pairs[key]
                wide.residual[:, place] = table if key == (s, c) else table.T
                wide.weight[place] = targets.weight[key]
            found.append(wide)
        if targets.corridor is not None:
            flat = np.ravel_multi_index([records[c] for c in CORRIDOR], targets.corridor.shape)
            present, codes = np.unique(flat, return_inverse=True)
            wide = Wide(codes, np.zeros((present.size, width)), np.zeros(width))
            for c, table in targets.by_corridor.items():
                wide.residual[:, self.places[c]] = table[present]
                third = next(t for t in targets.weight if len(t) == 3 and {*CORRIDOR, c} == set(t))
                wide.weight[self.places[c]] = targets.weight[third]
            found.append(wide)
        return found

    def score(
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

    def tables(self, before: Hot, after: Hot, span: Places) -> Hot:
        """Change of the tables of ``span``'s values when rows become ``after`` there."""
        changed = before.copy()
        changed[:, span] = after
        result: Hot = after.T @ changed - before[:, span].T @ before
        return result

    def apply(self, rows: Places, after: Hot, change: Hot, tables: Hot, span: Places) -> None:
        """Move records ``rows`` to ``after`` in the values of ``span``, and keep the books."""
        self.hot[rows[:, None], span] = after
        for book, sign in ((self.residual, -1), (self.counts, 1)):
            book[span] += sign * tables
            book[:, span] = book[span].T
        self.one[span] -= change.sum(0)
        for w in self.wide:
            w.residual[:, span] -= sums(w.codes[rows], change, w.residual.shape[0])

    def descent(
        self,
        tables: npt.NDArray[np.float32],
        change: npt.NDArray[np.float32],
        rows: npt.NDArray[np.intp],
        span: npt.NDArray[np.intp],
    ) -> tuple[float, Floats]:
        """Along a change: the slope of the misfit, and the change's weighted cells.

        The misfit falls by twice the slope less the cells' squared length.
        """
        parts: list[tuple[Floats, Floats, Floats | Hot]] = [
            (self.weight[span], self.residual[span], tables)
        ]
        parts.append((self.one_weight[span], self.one[span], change.sum(0, dtype=np.float64)))
        for w in self.wide:
            cells = sums(w.codes[rows], change, w.residual.shape[0])
            parts.append((w.weight[span], w.residual[:, span], cells))
        slope = sum(float(np.sum(weight * residual * cells)) for weight, residual, cells in parts)
        roots = [(np.sqrt(weight) * cells).ravel() for weight, _, cells in parts]
        return slope, np.concatenate(roots)

    def decoded(self) -> Draft:
        """The columns that may have moved, as codes."""
        return {c: self.hot[:, p].argmax(1).astype(np.int64) for c, p in self.places.items()}


def sums(codes: npt.NDArray[np.intp], values: npt.NDArray[np.float32], size: int) -> Floats:
    """Sums of the rows of ``values`` by code: a table size x columns."""
    result = np.zeros((size, values.shape[1]))
    for k, column in enumerate(values.T):
        result[:, k] = np.bincount(codes, weights=column, minlength=size)
    return result
