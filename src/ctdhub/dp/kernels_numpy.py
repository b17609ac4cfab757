"""Inner loops of counting without numba, for small tables: equal bits, several times slower;
apart, so that no numba is needed."""

from __future__ import annotations

from typing import Any

import numpy as np

_CELLS = 2**20
"""Words of a conjunction held at a time: 8 MB."""


def shuffle(values: Any, words: Any) -> None:
    """As ``kernels.shuffle``."""
    last = np.arange(1, len(values) + 1, dtype=np.uint64)
    partners = (np.asarray(words[: len(values)]) % last).tolist()
    held = values.tolist()
    for i in range(len(held) - 1, 0, -1):
        k = partners[i]
        held[i], held[k] = held[k], held[i]
    values[:] = held


def pack(codes: Any, order: Any, starts: Any, first: Any, planes: Any) -> None:
    """As ``kernels.pack``."""
    sizes = np.diff(starts)
    group = np.repeat(np.arange(len(sizes)), sizes)
    at = np.arange(starts[0], starts[-1]) - np.asarray(starts)[group]
    before = np.concatenate([[0], np.cumsum((sizes + 63) // 64)])
    here = before[group] + at // 64
    bit = np.uint64(1) << (at % 64).astype(np.uint64)
    records = order[starts[0] : starts[-1]]
    for j in range(codes.shape[1]):
        code = codes[records, j].astype(np.int64)
        known = np.flatnonzero(code)
        places = (here[known], first[j] + code[known] - 1)
        np.bitwise_or.at(planes, places, bit[known])


def pairs_by_group(planes: Any, words: Any, wanted: Any, out: Any) -> None:
    """As ``kernels.pairs_by_group``."""
    for g in range(len(words) - 1):
        rows = planes[words[g] : words[g + 1]]
        step = max(_CELLS // max(len(rows), 1), 1)
        for start in range(0, len(wanted), step):
            pair = wanted[start : start + step]
            both = rows[:, pair[:, 0]] & rows[:, pair[:, 1]]
            counted = np.bitwise_count(both).sum(axis=0, dtype=np.int64)
            out[g, start : start + step] += counted.astype(out.dtype)


def triples(planes: Any, a: Any, b: Any, c: Any, out: Any) -> None:
    """As ``kernels.triples``."""
    for u in range(a[0], a[1]):
        for v in range(b[0], b[1]):
            both = planes[u] & planes[v]
            counted = np.bitwise_count(both & planes[c[0] : c[1]]).sum(axis=1, dtype=np.int64)
            out[u - a[0], v - b[0]] = counted
