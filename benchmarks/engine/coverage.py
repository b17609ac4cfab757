"""Counts as `ctdhub protect` publishes them, and how often their intervals hold the truth.

Belongs here: reading counts.parquet and checking it against the true table.  Does not belong
here: errors of the counts (figures.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SHOWN = "shown"
LEAST_CELLS = 200
DENSE = 30_000_000
THRESHOLDS = (10, 1000)


@dataclass(frozen=True)
class Published:
    """Rows of counts.parquet: per row its table, its values, count, interval, and whether shown.

    `tables[i]` are the columns of table i; row r belongs to table `table[r]` and holds the values
    `words[codes[first[r] : first[r] + length]]`, one per column; "" = not recorded.
    """

    tables: list[tuple[str, ...]]
    table: np.ndarray
    words: list[str]
    codes: np.ndarray
    first: np.ndarray
    count: np.ndarray
    low: np.ndarray
    high: np.ndarray
    shown: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Published:
        """Read a counts.parquet (columns, values, count, low, high, state)."""
        rows = pq.read_table(path).combine_chunks()
        names = one(rows["columns"])
        joined = pc.binary_join(names.cast(pa.list_(pa.string())), "\x1f").dictionary_encode()
        values = one(rows["values"])
        flat = pc.fill_null(values.flatten().cast(pa.string()), "").dictionary_encode()
        numbers = {name: one(rows[name]).to_numpy(False) for name in ("count", "low", "high")}
        return cls(
            tables=[tuple(t.split("\x1f")) if t else () for t in joined.dictionary.to_pylist()],
            table=joined.indices.to_numpy(False),
            words=flat.dictionary.to_pylist(),
            codes=flat.indices.to_numpy(False),
            first=np.asarray(values.offsets)[:-1] - values.offsets[0].as_py(),
            shown=pc.equal(one(rows["state"]).cast(pa.string()), SHOWN).to_numpy(False),
            **numbers,
        )

    def values(self, at: np.ndarray, length: int) -> np.ndarray:
        """Codes of the values of these rows, one column per column of their table."""
        return self.codes[self.first[at][:, None] + np.arange(length)]

    def combinations(self, longest: int) -> dict[str, float]:
        """Shown counts of recorded values only, up to that length, as `A:x;B:y` -> count."""
        found: dict[str, float] = {}
        for number, columns in enumerate(self.tables):
            if not 1 <= len(columns) <= longest:
                continue
            at = np.flatnonzero((self.table == number) & self.shown & (self.count > 0))
            for codes, count in zip(self.values(at, len(columns)), self.count[at], strict=True):
                words = [self.words[code] for code in codes]
                if all(words):
                    parts = (f"{c}:{w}" for c, w in zip(columns, words, strict=True))
                    found[";".join(parts)] = float(count)
        return found


def one(column: pa.ChunkedArray) -> pa.Array:
    """A column as a single array."""
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def coverage(published: Published, truth: pd.DataFrame) -> dict[str, Any]:
    """Per cent of intervals that hold the true count: all shown, by size, by number of columns.

    `worst` is the lowest over the tables that share one column (of those with 200 cells shown).
    """
    real = true_counts(published, truth)
    held = (published.low <= real) & (real <= published.high)
    order = np.array([len(columns) for columns in published.tables])[published.table]
    shown = published.shown
    figures: dict[str, Any] = {"cells": int(shown.sum()), "all": percent(held[shown])}
    figures["also_protected"] = percent(held)
    for least in THRESHOLDS:
        figures[f"ge{least}"] = percent(held[shown & (real >= least)])
    for length in sorted(set(order.tolist())):
        figures[f"order{length}"] = percent(held[shown & (order == length)])
    groups = {name: shown & within(published, str(name)) for name in truth}
    judged = {n: float(100 * held[g].mean()) for n, g in groups.items() if g.sum() >= LEAST_CELLS}
    if judged:
        figures["worst_column"] = min(judged, key=judged.__getitem__)
        figures["worst"] = judged[figures["worst_column"]]
    return figures


def within(published: Published, column: str) -> np.ndarray:
    """Which rows belong to a table that has this column."""
    return np.array([column in columns for columns in published.tables])[published.table]


def percent(held: np.ndarray) -> float | None:
    """Per cent that are true; None of nothing."""
    return float(100 * held.mean()) if len(held) else None


def true_counts(published: Published, truth: pd.DataFrame) -> np.ndarray:
    """The true count behind every published row."""
    word = {w: i for i, w in enumerate(published.words)}
    columns: dict[str, tuple[np.ndarray, np.ndarray, int]] = {}
    for name in truth:
        codes, seen = pd.factorize(truth[name])
        lookup = np.full(len(published.words), len(seen), dtype=np.int64)
        for code, value in enumerate(seen):
            if value in word:
                lookup[word[value]] = code
        columns[str(name)] = codes.astype(np.int64), lookup, len(seen) + 1
    real = np.zeros(len(published.table), dtype=np.int64)
    by_table = np.argsort(published.table, kind="stable")
    ends = np.cumsum(np.bincount(published.table, minlength=len(published.tables)))
    for number, names in enumerate(published.tables):
        at = by_table[ends[number - 1] if number else 0 : ends[number]]
        row_key = np.zeros(len(truth), dtype=np.int64)
        cell_key = np.zeros(len(at), dtype=np.int64)
        size = 1
        for place, name in enumerate(names):
            codes, lookup, width = columns[name]
            row_key = row_key * width + codes
            cell_key = cell_key * width + lookup[published.values(at, len(names))[:, place]]
            size *= width
        real[at] = look_up(row_key, cell_key, size)
    return real


def look_up(rows: np.ndarray, cells: np.ndarray, size: int) -> np.ndarray:
    """How many rows have each cell's key."""
    if size <= DENSE:
        return np.bincount(rows, minlength=size)[cells]
    keys, sizes = np.unique(rows, return_counts=True)
    place = np.minimum(np.searchsorted(keys, cells), len(keys) - 1)
    return np.where(keys[place] == cells, sizes[place], 0)
