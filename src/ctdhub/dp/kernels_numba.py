"""Compiled inner loops of counting and fitting; plain numbers in, plain numbers out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ctdhub.core.compiled import compiled

_quick: Any = compiled(fastmath=True)
_exact: Any = compiled()


@_exact
def ones(word: Any) -> Any:
    """Number of ones of a 64-bit word (compiled to one instruction where the machine has it)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@_exact
def shuffle(values: Any, words: Any) -> None:
    """Shuffle in place (Fisher and Yates) by one random 64-bit word for each value.

    A word modulo n favours some places by at most n / 2^64.
    """
    for i in range(len(values) - 1, 0, -1):
        k = words[i] % np.uint64(i + 1)
        values[i], values[k] = values[k], values[i]


@_exact
def pack(codes: Any, order: Any, starts: Any, first: Any, planes: Any) -> None:
    """Set bits: plane ``first[j] + code - 1`` for each recorded code of column j.

    Args:
        codes: records x columns.
        order, starts: records by group, and the first of each group; a group begins a new word.
        first: the plane of each column's first value.
        planes: words x planes, zeros; filled.
    """
    word = 0
    for g in range(len(starts) - 1):
        for place in range(starts[g], starts[g + 1]):
            at = place - starts[g]
            here = word + at // 64
            bit = np.uint64(1) << np.uint64(at % 64)
            for j in range(codes.shape[1]):
                code = codes[order[place], j]
                if code:
                    planes[here, first[j] + code - 1] |= bit
        word += (starts[g + 1] - starts[g] + 63) // 64


@_exact
def pairs_by_group(planes: Any, words: Any, wanted: Any, out: Any) -> None:
    """Records by group and pair of planes: ``out[g, k]`` for the k-th pair of ``wanted``.

    Args:
        planes: words x planes.
        words: first word of each group, and the end.
        wanted: pairs of planes; a pair of the same plane counts that plane.
    """
    for g in range(len(words) - 1):
        for w in range(words[g], words[g + 1]):
            row = planes[w]
            for k in range(len(wanted)):
                out[g, k] += ones(row[wanted[k, 0]] & row[wanted[k, 1]])


@_exact
def triples(planes: Any, a: Any, b: Any, c: Any, out: Any) -> None:
    """Records by three planes out of three ranges: ``out[u, v, w]``; planes x words."""
    both = np.empty(planes.shape[1], np.uint64)
    for u in range(a[0], a[1]):
        for v in range(b[0], b[1]):
            for x in range(planes.shape[1]):
                both[x] = planes[u, x] & planes[v, x]
            for w in range(c[0], c[1]):
                total = np.uint64(0)
                for x in range(planes.shape[1]):
                    total += ones(both[x] & planes[w, x])
                out[u - a[0], v - b[0], w - c[0]] = total


@_quick
def sweep(
    features: Any, j: Any, start: Any, order: Any, gate: Any, threshold: Any,
    inner: Any, inner_weight: Any, end: Any,
    group: Any, near: Any, near_weight: Any, near_share: Any, near_end: Any,
    own: Any, far: Any, far_weight: Any, far_share: Any,
    dear: Any, empty: Any, seen: Any, place: Any, place_seen: Any, both: Any, both_seen: Any,
) -> Any:  # fmt: skip
    """One pass over records for column ``j``: each takes the value that lowers the misfit most.

    The misfit is the sum over tables of weight x (records - target) squared; ``inner``, ``near``
    and ``far`` hold weight x (records - target) and are kept up to date as records move.

    Args:
        features: records x columns: the place of the value among all values; column 0 is constant.
        j, start: the column, and the place of its first value.
        order: the records to look at, in that order.
        gate: by record, 0 where all values are open, 1 where the value 1 is closed, 2 where the
            record must stay as it is.
        threshold: a move must lower half of the misfit by more than this.
        inner: values x values x values of ``j``: tables with two other columns that move.
        inner_weight, end: by two columns, zero where no such table was measured; only columns c
            with b < c < end[b] have one.
        group: records x contexts, the group of the record's wide value.
        near, near_weight, near_end: the same for tables of a context and one column that moves:
            groups x values x values of ``j``; contexts x columns; by context.
        near_share: by group, one over the number of values that it joins.
        own, far, far_weight, far_share: the same for tables of a context alone.
        dear: what the k-th record of its kind adds by being there, falling in k; empty where
            support is complete.
        empty: by value, whether it is "not recorded".
        seen, place_seen, both_seen: records by two values, by a wide and another value, by two wide
            values, and by the value of ``j``; ``place`` and ``both`` (records x any number) say
            where the record's wide values lie.

    Returns:
        How many records moved.
    """
    columns, values = features.shape[1], inner.shape[2]
    contexts, lone = group.shape[1], own.shape[1]
    support, top = len(dear) > 0, len(dear) - 1
    plain = np.float32(0)
    for b in range(columns):
        for c in range(b + 1, columns):
            plain += inner_weight[b, c]
    wide = np.zeros(contexts, np.float32)
    for k in range(contexts):
        for b in range(columns):
            wide[k] += near_weight[k, b]
    # With two values only their difference counts: half the memory, several times the speed.
    two = values == 2
    lean = inner[:, :, values - 1] - inner[:, :, 0] if two else inner[:0, :0, 0]
    lean_near = near[:, :, values - 1] - near[:, :, 0] if two else near[:0, :0, 0]
    f = np.empty(columns, np.int32)
    filled = np.empty(columns, np.int64)
    gain = np.empty(values, np.float32)
    moved = 0
    for turn in range(len(order)):
        i = order[turn]
        if gate[i] == 2:
            continue
        for b in range(columns):
            f[b] = features[i, b]
        now = f[j] - start
        for x in range(values):
            gain[x] = 0
        cost = plain + threshold
        for k in range(contexts):
            cost += wide[k] * near_share[group[i, k]]
        for k in range(lone):
            g = own[i, k]
            cost += far_weight[k] * far_share[g]
            for x in range(values):
                gain[x] += far[g, x]
        if two:
            one = np.float32(0)
            for b in range(columns):
                flat = lean[f[b]]
                for c in range(b + 1, end[b]):
                    one += flat[f[c]]
            for k in range(contexts):
                flat = lean_near[group[i, k]]
                for b in range(near_end[k]):
                    one += flat[f[b]]
            gain[1] += one
        elif values == 3:
            one, other = np.float32(0), np.float32(0)
            for b in range(columns):
                row = inner[f[b]]
                for c in range(b + 1, end[b]):
                    one += row[f[c], 1] - row[f[c], 0]
                    other += row[f[c], 2] - row[f[c], 0]
            for k in range(contexts):
                row = near[group[i, k]]
                for b in range(near_end[k]):
                    one += row[f[b], 1] - row[f[b], 0]
                    other += row[f[b], 2] - row[f[b], 0]
            gain[1] += one
            gain[2] += other
        else:
            for b in range(columns):
                row = inner[f[b]]
                for c in range(b + 1, end[b]):
                    for x in range(values):
                        gain[x] += row[f[c], x]
            for k in range(contexts):
                row = near[group[i, k]]
                for b in range(near_end[k]):
                    for x in range(values):
                        gain[x] += row[f[b], x]
        if support:
            last = 0
            for b in range(columns):
                if b != j and not empty[f[b]]:
                    filled[last] = f[b]
                    last += 1
            for x in range(1, values):
                less = 1 if x == now else 0
                more = np.float32(0)
                for b in range(last):
                    for c in range(b + 1, last):
                        more += dear[min(top, int(seen[filled[b], filled[c], x]) - less)]
                    for k in range(place.shape[1]):
                        more += dear[min(top, int(place_seen[place[i, k], filled[b], x]) - less)]
                for k in range(both.shape[1]):
                    more += dear[min(top, int(both_seen[both[i, k], x]) - less)]
                gain[x] += more
        best, least = now, gain[now] - cost
        for x in range(values):
            if gain[x] < least and x != now and not (gate[i] == 1 and x == 1):
                best, least = x, gain[x]
        if best == now:
            continue
        moved += 1
        features[i, j] = start + best
        for b in range(columns):
            for c in range(b + 1, end[b]):
                inner[f[b], f[c], best] += inner_weight[b, c]
                inner[f[b], f[c], now] -= inner_weight[b, c]
                if two:
                    lean[f[b], f[c]] += 2 * (best - now) * inner_weight[b, c]
        for k in range(contexts):
            g = group[i, k]
            for b in range(near_end[k]):
                near[g, f[b], best] += near_weight[k, b] * near_share[g]
                near[g, f[b], now] -= near_weight[k, b] * near_share[g]
                if two:
                    lean_near[g, f[b]] += 2 * (best - now) * near_weight[k, b] * near_share[g]
        for k in range(lone):
            g = own[i, k]
            far[g, best] += far_weight[k] * far_share[g]
            far[g, now] -= far_weight[k] * far_share[g]
        if support:
            for b in range(last):
                for c in range(b + 1, last):
                    seen[filled[b], filled[c], best] += 1
                    seen[filled[b], filled[c], now] -= 1
                for k in range(place.shape[1]):
                    place_seen[place[i, k], filled[b], best] += 1
                    place_seen[place[i, k], filled[b], now] -= 1
            for k in range(both.shape[1]):
                both_seen[both[i, k], best] += 1
                both_seen[both[i, k], now] -= 1
    return moved
