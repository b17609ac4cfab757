"""How far made records are from true ones: the figures of the goals, in numpy alone.

Belongs here: distances over all, or many, tables of two and three columns, as ../shared/bench has
them.  Does not belong here: data, goals, how records are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

Codes = Mapping[str, np.ndarray]
"""A code by row and column; 0 is not recorded."""

MOST = 2_000
"""Tables of three columns at most, drawn with a fixed seed."""


class Distances(NamedTuple):
    """Over tables of so many columns.

    Attributes:
        tvd: mean total variation distance, not recorded being a value.
        proportional: mean |made - true| / true over recorded combinations that are true of ten or
            more.
        fabricated: share of the made mass of recorded combinations that lies where nobody is.
    """

    tvd: float
    proportional: float
    fabricated: float


def distances(true: Codes, made: Codes, sizes: Mapping[str, int], columns: int) -> Distances:
    """The figures of all tables of so many columns, or of MOST of them."""
    names = list(sizes)
    chosen = list(combinations(names, columns))
    if len(chosen) > MOST:
        draw = np.random.default_rng(1).choice(len(chosen), MOST, replace=False)
        chosen = [chosen[k] for k in sorted(draw)]
    apart, off, large, false, mass = [], 0.0, 0, 0.0, 0.0
    for table, x, y in _tables(true, made, sizes, chosen):
        apart.append(float(np.abs(x / x.sum() - y / y.sum()).sum() / 2))
        shape = tuple(sizes[n] for n in table)
        x, y = (t.reshape(shape)[(slice(1, None),) * columns].ravel() for t in (x, y))
        ten = x >= 10
        off += float((np.abs(y - x)[ten] / x[ten]).sum())
        large += int(ten.sum())
        false += float(y[x == 0].sum())
        mass += float(y.sum())
    return Distances(float(np.mean(apart)), off / max(large, 1), false / max(mass, 1))


def pairs(true: Codes, made: Codes, sizes: Mapping[str, int], least: int) -> dict[str, float]:
    """Total variation distance of each pair of columns with more than so many codes."""
    wide = [n for n, size in sizes.items() if size > least]
    return {
        " x ".join(table): float(np.abs(x / x.sum() - y / y.sum()).sum() / 2)
        for table, x, y in _tables(true, made, sizes, list(combinations(wide, 2)))
    }


def right(true: Codes, made: Codes, sizes: Mapping[str, int], pair: tuple[str, str]) -> float:
    """Share of recorded combinations of 50 and more that are within 20 % of the truth."""
    [(_, x, y)] = _tables(true, made, sizes, [pair])
    x, y = (t.reshape([sizes[n] for n in pair])[1:, 1:] for t in (x, y))
    some = x >= 50
    return float((np.abs(y - x)[some] <= 0.2 * x[some]).mean())


def _tables(
    true: Codes, made: Codes, sizes: Mapping[str, int], chosen: list[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], np.ndarray, np.ndarray]]:
    lead: tuple[tuple[str, ...], list[np.ndarray]] | None = None
    for table in chosen:
        if lead is None or lead[0] != table[:-1]:
            lead = table[:-1], [_places(codes, sizes, table[:-1]) for codes in (true, made)]
        last = table[-1]
        cells = int(np.prod([sizes[n] for n in table]))
        x, y = (
            np.bincount(at * sizes[last] + codes[last], minlength=cells)
            for at, codes in zip(lead[1], (true, made), strict=True)
        )
        yield table, x, y


def _places(codes: Codes, sizes: Mapping[str, int], names: tuple[str, ...]) -> np.ndarray:
    at = np.zeros(len(next(iter(codes.values()))), dtype=np.int64)
    for name in names:
        at = at * sizes[name] + codes[name]
    return at
