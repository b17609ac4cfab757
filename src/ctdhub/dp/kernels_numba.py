"""Compiled inner loops of counting and fitting; plain numbers in, plain numbers out."""

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
def shuffled(values: Any, words: Any) -> None:
    """Shuffle in place; see ``kernels.shuffle``."""
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
                planes[here, first[j] + max(code, 1) - 1] |= bit if code else np.uint64(0)
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
def triples(planes: Any, spans: Any, out: Any) -> None:
    """Records by three planes: ``out[t, u, v, w]``; planes x words, and ranges of each table."""
    both = np.empty(planes.shape[1], np.uint64)
    for t in range(len(spans)):
        a, b, c = spans[t, 0, 0], spans[t, 1, 0], spans[t, 2, 0]
        for u in range(a, spans[t, 0, 1]):
            for v in range(b, spans[t, 1, 1]):
                for x in range(planes.shape[1]):
                    both[x] = planes[u, x] & planes[v, x]
                for w in range(c, spans[t, 2, 1]):
                    total = np.uint64(0)
                    for x in range(planes.shape[1]):
                        total += ones(both[x] & planes[w, x])
                    out[t, u - a, v - b, w - c] = total


@_quick
def usual_values(features: Any, starts: Any, order: Any) -> Any:
    """The most frequent value of each column among the first 512 records of ``order``."""
    columns = features.shape[1]
    seen, usual = np.zeros(starts[columns], np.int64), np.zeros(columns, np.int64)
    for turn in range(min(512, len(order))):
        for b in range(columns):
            seen[features[order[turn], b]] += 1
    for b in range(columns):
        usual[b] = starts[b]
        for y in range(starts[b], starts[b + 1]):
            if seen[y] > seen[usual[b]]:
                usual[b] = y
    return usual


@_quick
def beside_usual(inner: Any, weight: Any, starts: Any, usual: Any) -> Any:
    """Sums over tables with two other columns: of a usual record, and what one other value adds.

    Returns:
        ``rest`` by the value of the column that moves; ``beside`` by another value and by it.
    """
    columns, values = len(usual), inner.shape[2]
    rest = np.zeros(values)
    beside = np.zeros((inner.shape[0], values))
    for b in range(columns):
        for c in range(b + 1, columns):
            if weight[b, c] == 0:
                continue
            both = inner[usual[b], usual[c]]
            for x in range(values):
                rest[x] += both[x]
            for y in range(starts[b], starts[b + 1]):
                for x in range(values):
                    beside[y, x] += inner[y, usual[c], x] - both[x]
            for y in range(starts[c], starts[c + 1]):
                for x in range(values):
                    beside[y, x] += inner[usual[b], y, x] - both[x]
    return rest, beside


@_quick
def sweep(  # noqa: C901, PLR0913
    features: Any, j: Any, starts: Any, order: Any, gate: Any, threshold: Any,
    inner: Any, inner_weight: Any, end: Any,
    group: Any, near: Any, near_weight: Any, near_share: Any, near_end: Any, near_starts: Any,
    own: Any, far: Any, far_weight: Any, far_share: Any,
    dear: Any, empty: Any, seen: Any, place: Any, place_seen: Any, both: Any, both_seen: Any,
) -> Any:  # fmt: skip
    """One pass over records for column ``j``: each takes the value that lowers the misfit most.

    The misfit is the sum over tables of weight x (records - target) squared; ``inner``, ``near``
    and ``far`` hold weight x (records - target) and are kept up to date as records move.

    Most values of a record are the usual ones of their columns.  So sums over tables are kept for
    a record that is usual throughout (``rest``), with what one other value adds (``beside``); a
    record looks up only the pairs of its unusual values.  It reads cells one by one: to count the
    references of a row that it holds for a moment costs numba more than the row.

    Args:
        features: records x columns: the place of the value among all values; column 0 is constant.
        j: the column.
        starts: by column the place of its first value, and the number of places.
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
        near_starts: by context its first group, and the number of groups.
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
    start, support, top = starts[j], len(dear) > 0, len(dear) - 1
    plain = np.float32(0)
    mutual, all_of = np.zeros((columns, columns), np.float32), np.zeros(columns, np.float32)
    for b in range(columns):
        for c in range(b + 1, columns):
            plain += inner_weight[b, c]
            mutual[b, c] = mutual[c, b] = inner_weight[b, c]
            all_of[b] += inner_weight[b, c]
            all_of[c] += inner_weight[b, c]
    wide = np.zeros(contexts, np.float32)
    for k in range(contexts):
        for b in range(columns):
            wide[k] += near_weight[k, b]
    usual = usual_values(features, starts, order)
    rest, beside = beside_usual(inner, inner_weight, starts, usual)
    near_rest = np.zeros((near.shape[0], values), np.float32)
    for k in range(contexts):
        for g in range(near_starts[k], near_starts[k + 1]):
            for b in range(near_end[k]):
                for x in range(values):
                    near_rest[g, x] += near[g, usual[b], x]
    # With two values only their difference counts: half the memory, several times the speed.
    two = values == 2
    # Loops: numba takes seconds to compile a difference of tables, whose shapes an error could say.
    lean = np.empty((inner.shape[0] * two, inner.shape[1]), np.float32)
    lean_near = np.empty((near.shape[0] * two, near.shape[1]), np.float32)
    for table, lead in ((inner, lean), (near, lean_near)):
        for y in range(lead.shape[0]):
            for z in range(lead.shape[1]):
                lead[y, z] = table[y, z, 1] - table[y, z, 0]
    f = np.empty(columns, np.int32)
    odd = np.empty(columns, np.int64)
    filled = np.empty(columns, np.int64)
    gain = np.empty(values, np.float32)
    moved = 0
    for turn in range(len(order)):
        i = order[turn]
        if gate[i] == 2:
            continue
        odds = 0
        for b in range(columns):
            f[b] = features[i, b]
            odd[odds] = b  # where it is usual, the next one takes its place
            odds += f[b] != usual[b]
        now = f[j] - start
        for x in range(values):
            gain[x] = rest[x] - rest[0]
        cost = plain + threshold
        for k in range(contexts):
            g = group[i, k]
            cost += wide[k] * near_share[g]
            for x in range(values):
                gain[x] += near_rest[g, x]
        for k in range(lone):
            g = own[i, k]
            cost += far_weight[k] * far_share[g]
            for x in range(values):
                gain[x] += far[g, x]
        for p in range(odds):
            for x in range(values):
                gain[x] += beside[f[odd[p]], x]
        if two:
            one = np.float32(0)
            for p in range(odds):
                b = odd[p]
                y, z, stop = f[b], usual[b], end[b]
                for q in range(p + 1, odds):
                    c = odd[q]
                    if c >= stop:
                        break
                    v, u = f[c], usual[c]
                    one += lean[y, v] - lean[y, u] - lean[z, v] + lean[z, u]
            for k in range(contexts):
                g, stop = group[i, k], near_end[k]
                for p in range(odds):
                    b = odd[p]
                    if b >= stop:
                        break
                    one += lean_near[g, f[b]] - lean_near[g, usual[b]]
            gain[1] += one
        else:
            for p in range(odds):
                b = odd[p]
                y, z, stop = f[b], usual[b], end[b]
                for q in range(p + 1, odds):
                    c = odd[q]
                    if c >= stop:
                        break
                    v, u = f[c], usual[c]
                    for x in range(values):
                        gain[x] += inner[y, v, x] - inner[y, u, x] - inner[z, v, x] + inner[z, u, x]
            for k in range(contexts):
                g, stop = group[i, k], near_end[k]
                for p in range(odds):
                    b = odd[p]
                    if b >= stop:
                        break
                    for x in range(values):
                        gain[x] += near[g, f[b], x] - near[g, usual[b], x]
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
        joint = np.float32(0)
        for b in range(columns):
            if two:
                for c in range(b + 1, end[b]):
                    lean[f[b], f[c]] += 2 * (best - now) * inner_weight[b, c]
            else:
                for c in range(b + 1, end[b]):
                    inner[f[b], f[c], best] += inner_weight[b, c]
                    inner[f[b], f[c], now] -= inner_weight[b, c]
            # Weight of the tables of this column and others in which the record is usual.
            change = all_of[b]
            for p in range(odds):
                change -= mutual[b, odd[p]]
            if f[b] != usual[b]:
                beside[f[b], best] += change
                beside[f[b], now] -= change
            else:
                joint += change
                for y in range(starts[b], starts[b + 1]):
                    if y != usual[b]:
                        beside[y, best] -= change
                        beside[y, now] += change
        rest[best] += joint / 2
        rest[now] -= joint / 2
        for k in range(contexts):
            g = group[i, k]
            for b in range(near_end[k]):
                change = near_weight[k, b] * near_share[g]
                if two:
                    lean_near[g, f[b]] += 2 * (best - now) * change
                else:
                    near[g, f[b], best] += change
                    near[g, f[b], now] -= change
                if f[b] == usual[b]:
                    near_rest[g, best] += change
                    near_rest[g, now] -= change
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
    if two and moved:
        for table, lead in ((inner, lean), (near, lean_near)):
            for y in range(lead.shape[0]):
                for z in range(lead.shape[1]):
                    half = (lead[y, z] - (table[y, z, 1] - table[y, z, 0])) / 2
                    table[y, z, 1] += half
                    table[y, z, 0] -= half
    return moved


@_quick
def exchange(  # noqa: C901
    codes: Any, order: Any, own: Any, far: Any, weight: Any, word: Any, tries: Any
) -> Any:  # fmt: skip
    """One pass in which records give each other their values of a column where the misfit falls.

    Each record of ``order`` takes the value that suits it best from the best of some partners that
    hold it.  The numbers of records by value stay as they are.

    Args:
        codes: by record the value; changed in place.
        own: records x tables: the row of ``far`` that the record lies in.
        far: rows x values: weight x (records - target); kept up to date.
        weight: by table.
        word: random; the choice of partners follows from it.
        tries: partners that are looked at.

    Returns:
        How many exchanges were made.
    """
    values, tables = far.shape[1], own.shape[1]
    starts = np.zeros(values + 1, np.int64)
    for i in range(len(codes)):
        starts[codes[i] + 1] += 1
    for x in range(values):
        starts[x + 1] += starts[x]
    members, place = np.empty(len(codes), np.int64), np.empty(len(codes), np.int64)
    free = starts.copy()
    for i in range(len(codes)):
        place[i] = free[codes[i]]
        members[place[i]] = i
        free[codes[i]] += 1
    cost, gain = np.float32(0), np.empty(values, np.float32)
    for t in range(tables):
        cost += weight[t]
    state, moved = np.uint64(word), 0
    for turn in range(len(order)):
        i = order[turn]
        now = codes[i]
        for x in range(values):
            gain[x] = 0
        for t in range(tables):
            for x in range(values):
                gain[x] += far[own[i, t], x]
        to, least = now, gain[now] - cost
        for x in range(values):
            if gain[x] < least and starts[x + 1] > starts[x]:
                to, least = x, gain[x]
        if to == now:
            continue
        partner, best = -1, np.float32(0)
        for _ in range(tries):
            # A linear congruential generator (Knuth); its high bits choose.
            state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
            many = np.uint64(starts[to + 1] - starts[to])
            k = members[starts[to] + np.int64((state >> np.uint64(33)) % many)]
            change = np.float32(0)
            for t in range(tables):
                mine, its = own[i, t], own[k, t]
                if mine != its:
                    change += far[mine, to] - far[mine, now] + far[its, now] - far[its, to]
                    change += 2 * weight[t]
            if change < best:
                partner, best = k, change
        if partner < 0:
            continue
        for t in range(tables):
            mine, its = own[i, t], own[partner, t]
            far[mine, to] += weight[t]
            far[mine, now] -= weight[t]
            far[its, now] += weight[t]
            far[its, to] -= weight[t]
        codes[i], codes[partner] = to, now
        place[i], place[partner] = place[partner], place[i]
        members[place[i]], members[place[partner]] = i, partner
        moved += 1
    return moved


@_quick
def settle(  # noqa: PLR0913
    codes: Any, columns: Any, strides: Any, ends: Any, starts: Any, place: Any,
    residual: Any, weight: Any, times: Any, order: Any, most: Any, least: Any,
) -> Any:  # fmt: skip
    """One pass in which records are repeated, or left out, where that lowers the misfit of tables.

    Args:
        codes: records x columns.
        columns, strides: by table, one after the other, its columns and what a code of each is
            multiplied with to find its cell.
        ends: by table the end of its part of these two.
        starts: by table the start of its cells in ``place``.
        place: by cell its row of ``residual``, 0 for cells that do not count.
        residual: records less target; kept up to date.
        weight: by table.
        times: how often each record counts; changed in place.
        order: the records that are looked at.
        most: as often a record may count.
        least: a change must lower the misfit by more than so many times the root of its curvature.

    Returns:
        How many records changed.
    """
    tables, moved = len(ends), 0
    cells = np.empty(tables, np.int64)
    for turn in range(len(order)):
        i = order[turn]
        slope, curve, k = 0.0, 0.0, 0
        for t in range(tables):
            cell = starts[t]
            while k < ends[t]:
                cell += codes[i, columns[k]] * strides[k]
                k += 1
            cells[t] = place[cell]
            if cells[t]:
                slope += weight[t] * residual[cells[t]]
                curve += weight[t]
        enough, step = least * np.sqrt(curve), 0
        if times[i] < most and 2 * slope + curve < -enough:
            step = 1
        elif times[i] > 0 and curve - 2 * slope < -enough:
            step = -1
        if step == 0:
            continue
        times[i] += step
        moved += 1
        for t in range(tables):
            if cells[t]:
                residual[cells[t]] += step
    return moved
