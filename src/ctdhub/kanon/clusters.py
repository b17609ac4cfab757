"""What no subset covers: greedy clusters of at least k records that mask whatever disagrees.

After the greedy k-member clustering of Byun, Kamra, Bertino and Li (2007): start from an unusual
row, add the row that makes the fewest further cells disagree, until there are k records.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ctdhub.kanon.classes import OPEN, Classes, Integers

NEAR = 512
"""So many nearest rows of a cluster's first row may join it."""

WINDOW = 20_000
"""Rows that are searched for the nearest ones; rows are laid in order of their cells first."""


def cluster(classes: Classes) -> None:
    """Settle every open part.  The records of the table must be at least k."""
    parts = _in_order(classes, classes.open())
    for begin in range(0, len(parts), WINDOW):
        _window(classes, parts[begin : begin + WINDOW])
    left = classes.open()
    while len(left) and classes.count[left].sum() >= classes.k:
        _window(classes, left)
        left = classes.open()
    if len(left):
        _last(classes, left)


def _in_order(classes: Classes, parts: Integers) -> Integers:
    """Parts ordered by their cells, the columns with the fewest values first."""
    cells = classes.rows[classes.row[parts]]
    values = [len(np.unique(column)) for column in cells.T]
    keys = [cells[:, j] for j in np.argsort(values, kind="stable")[::-1]]
    return parts[np.lexsort(keys)] if len(parts) else parts


def _window(classes: Classes, parts: Integers) -> None:
    """Clusters among these open parts while at least k records are left."""
    cells = classes.rows[classes.row[parts]]
    weights = classes.count[parts]
    free = np.ones(len(parts), bool)
    left = int(weights.sum())
    for seed in np.argsort(_commonness(cells), kind="stable"):
        if left < classes.k:
            return
        if not free[seed]:
            continue
        pool = np.flatnonzero(free)
        members, agree = _grow(classes, cells[pool], weights[pool], cells[seed])
        new = classes.add(tuple(np.flatnonzero(~agree).tolist()))
        for place in pool[members].tolist():
            classes.move(int(parts[place]), int(weights[place]), new)
            free[place] = False
            left -= int(weights[place])


def _commonness(cells: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """By row, the sum over columns of the logarithm of how often its value occurs."""
    result = np.zeros(len(cells))
    for column in cells.T:
        _, place, count = np.unique(column, return_inverse=True, return_counts=True)
        result += np.log(count)[place]
    return result


def _grow(
    classes: Classes, cells: npt.NDArray[np.int32], weights: Integers, seed: npt.NDArray[np.int32]
) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Rows of a new cluster around a seed, and the columns in which they all agree."""
    differs = cells != seed
    cost = differs @ classes.costs
    near = np.argpartition(cost, NEAR)[:NEAR] if len(cost) > NEAR else np.arange(len(cost))
    differs, cost = differs[near], cost[near]
    agree = np.ones(cells.shape[1], bool)
    members: list[int] = []
    records = 0
    while records < classes.k:
        nearest = int(np.argmin(cost))
        members.append(nearest)
        records += int(weights[near[nearest]])
        if (differs[nearest] & agree).any():
            agree &= ~differs[nearest]
            cost = (differs & agree) @ classes.costs
        cost[members] = np.inf
    return near[members], agree


def _last(classes: Classes, parts: Integers) -> None:
    """Fewer than k records are left: they borrow, or else the nearest class is taken apart."""
    while True:
        cells = classes.rows[classes.row[parts]]
        agree = (cells == cells[0]).all(0)
        need = classes.k - int(classes.count[parts].sum())
        if need <= 0:
            break
        donors = classes.donors()
        if not len(donors):
            parts = np.concatenate([parts, classes.dissolve(_nearest(classes, cells[0], agree))])
            continue
        differs = (classes.rows[classes.row[donors]] != cells[0]) & agree
        further = differs @ classes.costs * classes.k - classes.cost[classes.home[donors]]
        chosen = int(donors[np.argmin(further)])
        take = min(need, int(classes.spare(np.array([chosen]))[0]))
        parts = np.append(parts, classes.release(chosen, take))
    new = classes.add(tuple(np.flatnonzero(~agree).tolist()))
    for part in parts.tolist():
        classes.move(part, int(classes.count[part]), new)


def _nearest(classes: Classes, row: npt.NDArray[np.int32], agree: npt.NDArray[np.bool_]) -> int:
    """The class with a record that differs least from a row in columns that still agree; one that
    masks nothing only where no other is left."""
    settled = np.flatnonzero(classes.home[: classes.parts] != OPEN)
    masking = settled[classes.cost[classes.home[settled]] > 0]
    settled = masking if len(masking) else settled
    differs = (classes.rows[classes.row[settled]] != row) & agree
    return int(classes.home[settled[np.argmin(differs @ classes.costs)]])
