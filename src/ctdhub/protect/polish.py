"""Polish: move records until all pairs of columns and the divided corridors fit together.

Belongs here: sweeps that change one column of some records at a time.  Does not belong here: the
first draft (``synthesise``), targets (``fit``); nothing here sees exact counts.

The misfit is the sum over tables of weight * (target - records)^2 over cells.  For one column and
a block of records, a ridge regression of the residuals on the other columns says how each record's
chances should change; records move to their best value with chances proportional to the gain, at a
pace found by exact line search, and the step is dropped if it does not lower the misfit.  Countries
and corridors stay as drafted.  Flags move and their indicator follows, so that records never
contradict themselves.  At the end each column is settled on its one-way table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ctdhub.protect import noise
from ctdhub.protect.fit import Floats, Targets, apportion
from ctdhub.protect.indicators import Draft, Indicators
from ctdhub.protect.tally import Hot, Places, Tally

SWEEPS = 6
"""Sweeps over all columns that move (2 to 12 tried on invented people)."""

_BLOCK, _BLOCKS = 20_000, 4
"""A step looks at a block of records: as many blocks as hold 20,000 each, but at most four."""


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
    tally = Tally(records, targets)
    movable = [c for c in tally.places if c not in indicators.flags]
    if not movable:
        return
    blocks = max(1, min(_BLOCKS, n // _BLOCK))
    turns = [(c, sweep == sweeps) for sweep in range(sweeps + 1) for c in _shuffled(movable)]
    for done, (column, last) in enumerate(turns):
        turn = done % blocks
        block = slice(turn * n // blocks, (turn + 1) * n // blocks)
        wish = _wish(tally, column, indicators, block)
        if last:
            _settle(tally, wish, apportion(targets.one_way[column], n))
        else:
            _step(tally, wish)
        progress((done + 1) / len(turns))
    records.update(tally.decoded())
    indicators.repair(records)


def _shuffled(columns: list[str]) -> list[str]:
    return [columns[i] for i in noise.permutation(len(columns))]


@dataclass(frozen=True)
class _Wish:
    """What the residuals ask of one column in a block of records.

    Attributes:
        span: places of the column's values, and of the indicator's that follows it.
        hot: the block; ``start`` is its first record.
        old: current value by record.
        value: how much each value is asked for, by record.
        follows: the indicator's value for each value of the column, None without indicator.
    """

    span: Places
    hot: Hot
    start: int
    old: Places
    value: Floats
    follows: Places | None

    def after(self, rows: Places, new: Places) -> Hot:
        """0/1 values of ``span`` when ``rows`` of the block take the values ``new``."""
        size, result = self.value.shape[1], np.zeros((rows.size, self.span.size), dtype=np.float32)
        result[np.arange(rows.size), new] = 1
        if self.follows is not None:
            result[np.arange(rows.size), size + self.follows[rows, new]] = 1
        return result


def _wish(tally: Tally, column: str, indicators: Indicators, block: slice) -> _Wish:
    place = tally.places[column]
    span, size = np.arange(place.start, place.stop), place.stop - place.start
    indicator = next((a for a, flags in indicators.flags.items() if column in flags), None)
    if indicator is not None:
        there = tally.places[indicator]
        span = np.append(span, np.arange(there.start, there.stop))
    hot = tally.hot[block].astype(np.float32)
    score = tally.score(hot, block, span)
    value, follows = score[:, :size], None
    if indicator is not None:
        flags = [tally.places[f].start + indicators.yes for f in indicators.flags[indicator]]
        others = hot[:, flags].sum(1) - hot[:, place.start + indicators.yes] > 0
        follows = np.where(others, indicators.yes, indicators.no)[:, None].repeat(size, 1)
        follows[:, indicators.yes] = indicators.yes
        value = value + np.take_along_axis(score[:, size:], follows, 1)
    _forbid(tally, column, indicators, hot, value)
    return _Wish(span, hot, block.start, hot[:, place].argmax(1), value, follows)


def _forbid(tally: Tally, column: str, indicators: Indicators, hot: Hot, value: Floats) -> None:
    """Take out values that would contradict an indicator whose group is released in part."""
    for indicator, flags in indicators.partial.items():
        yes = indicators.yes
        if column in flags:
            value[hot[:, tally.places[indicator].start + yes] == 0, yes] = -np.inf
        if column == indicator:
            some = hot[:, [tally.places[f].start + yes for f in flags]].any(1)
            value[np.ix_(some, np.arange(value.shape[1]) != yes)] = -np.inf


def _step(tally: Tally, wish: _Wish) -> None:
    """Move some records of the block to their best value, if the misfit falls."""
    every = np.arange(wish.old.size)
    gain = wish.value - wish.value[every, wish.old][:, None]
    gain[every, wish.old] = -np.inf
    new = gain.argmax(1)
    best = gain[every, new]
    going = np.flatnonzero(best > 0)
    if not going.size:
        return
    going = going[np.argsort(new[going], kind="stable")]  # goals lie together
    there, after = wish.hot[going], wish.after(going, new[going])
    change, rows = after - there[:, wish.span], wish.start + going
    chance = best[going] / best[going].max()
    chance = np.minimum(chance * _paces(tally, change, new[going], chance, there, rows, wish), 1.0)
    steps = np.floor(np.cumsum(chance) + noise.uniform(1)[0])
    chosen = np.flatnonzero(np.diff(steps, prepend=0.0) >= 1)
    if not chosen.size:
        return
    tables = tally.tables(there[chosen], after[chosen], wish.span)
    slope, root = tally.descent(tables, change[chosen], rows[chosen], wish.span)
    if root @ root < 2 * slope:
        tally.apply(rows[chosen], after[chosen], change[chosen], tables, wish.span)


def _paces(
    tally: Tally, change: Hot, goal: Places, chance: Floats, there: Hot, rows: Places, wish: _Wish
) -> Floats:
    """By record, the pace of its goal: exact line search with one factor for each new value.

    One factor for all would let the flow into a common value outrun the flow out of it, and spoil
    the column's own table; with one for each the flows balance.
    """
    rates = (change * chance[:, None]).astype(np.float32)
    starts = np.flatnonzero(np.diff(goal, prepend=-1))
    ends = np.append(starts[1:], goal.size)
    slopes, roots = [], []
    for mine in (slice(a, b) for a, b in zip(starts, ends, strict=True)):
        tables = rates[mine].T @ there[mine]
        slope, root = tally.descent(tables, rates[mine], rows[mine], wish.span)
        slopes.append(slope)
        roots.append(root)
    stacked = np.array(roots)
    gram = stacked @ stacked.T
    paces = np.zeros(starts.size)
    for _ in range(200):  # coordinate descent on the non-negative quadratic
        for k in range(starts.size):
            if gram[k, k] > 0:
                rest = slopes[k] - gram[k] @ paces + gram[k, k] * paces[k]
                paces[k] = max(0.0, rest / gram[k, k])
    return np.repeat(paces, ends - starts)


def _settle(tally: Tally, wish: _Wish, goal: Places) -> None:
    """Move just the records that the column's one-way table asks for, the most willing first."""
    own = wish.span[: wish.value.shape[1]]
    lack = goal - np.rint(tally.counts[own, own]).astype(np.int64)
    free = np.ones(wish.old.size, dtype=bool)
    rows, new = [], []
    for to in np.flatnonzero(lack > 0):
        gain = wish.value[:, to] - wish.value[np.arange(wish.old.size), wish.old]
        found = []
        for old in np.flatnonzero(lack < 0):
            here = np.flatnonzero(free & (wish.old == old) & (gain > -np.inf))
            found.append(here[np.argsort(-gain[here], kind="stable")][: -lack[old]])
        able = np.concatenate(found) if found else np.zeros(0, dtype=np.intp)
        taken = able[np.argsort(-gain[able], kind="stable")][: lack[to]]
        free[taken] = False
        lack += np.bincount(wish.old[taken], minlength=lack.size)
        rows.append(taken)
        new.append(np.full(taken.size, to))
    if not rows:
        return
    going = np.concatenate(rows)
    after, there = wish.after(going, np.concatenate(new)), wish.hot[going]
    tables = tally.tables(there, after, wish.span)
    change = after - there[:, wish.span]
    tally.apply(wish.start + going, after, change, tables, wish.span)
