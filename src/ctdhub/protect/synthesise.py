"""First draft of the protected records: corridors first, then a tree of columns.

Belongs here: exactly the protected number of records, each column drawn along its parent's groups
with low variance.  Does not belong here: fitting all pairs at once (``polish``), noisy tables.

The tree is a maximum spanning tree on mutual information (Chow and Liu 1968), taken from denoised
targets only, so that nothing here touches exact counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.protect import noise
from ctdhub.protect.fit import Floats, Targets, apportion
from ctdhub.protect.indicators import Draft
from ctdhub.protect.plan import CORRIDOR, Columns
from ctdhub.protect.policy import Domains


def draft(targets: Targets, domains: Domains) -> Draft:
    """Records whose corridors hold exactly and whose columns follow a tree."""
    found: Draft = {}
    if targets.corridor is not None:
        shape = targets.corridor.shape
        flat = np.repeat(np.arange(targets.corridor.size), targets.corridor.ravel())
        found = dict(zip(CORRIDOR, np.unravel_index(flat, shape), strict=True))
        for name, table in targets.by_corridor.items():
            found[name] = _assign(flat, table)
    else:
        first = _centre(targets, domains)
        values = np.arange(len(domains[first]) + 1)
        held = np.repeat(values, apportion(targets.one_way[first], targets.people))
        found[first] = held[noise.permutation(targets.people)]
    for parent, child in _tree(targets, domains, list(found)):
        table = targets.pairs[_key(targets, parent, child)]
        found[child] = _assign(
            found[parent], table if (parent, child) in targets.pairs else table.T
        )
    order = noise.permutation(targets.people)
    return {name: found[name][order] for name in domains}


def to_table(records: Draft, domains: Domains) -> pa.Table:
    """The records as text, null where not recorded, one column per released variable."""
    columns = {}
    for name, domain in domains.items():
        values = pa.array([None, *domain], pa.string())
        columns[name] = values.take(pa.array(records[name], pa.int64()))
    return pa.table(columns)


def mutual_information(table: Floats) -> float:
    """Mutual information of a table in nats; 0 for an empty one.

    >>> round(mutual_information(np.eye(2)), 3)
    0.693
    """
    if table.sum() <= 0:
        return 0.0
    p = table / table.sum()
    independent = np.outer(p.sum(1), p.sum(0))
    held = p > 0
    return float(np.sum(p[held] * np.log(p[held] / independent[held])))


def _assign(groups: npt.NDArray[np.int64], table: Floats) -> npt.NDArray[np.int64]:
    """A value for each record by the proportions of its group, systematically within the group."""
    if not groups.size:
        return np.zeros(0, dtype=np.int64)
    order = noise.permutation(groups.size)
    order = order[np.argsort(groups[order], kind="stable")]
    present, start, size = np.unique(groups[order], return_index=True, return_counts=True)
    rank = np.arange(groups.size) - np.repeat(start, size)
    shares = table[present]
    shares = np.where(shares.sum(1, keepdims=True) > 0, shares, table.sum(0) + 1e-12)
    cumulative = np.cumsum(shares, 1)[:, :-1] / shares.sum(1, keepdims=True)
    place = (rank + np.repeat(noise.uniform(present.size), size)) / np.repeat(size, size)
    values = np.zeros(groups.size, dtype=np.int64)
    group = np.repeat(np.arange(present.size), size)
    for edge in cumulative.T:
        values += place >= edge[group]
    result = np.empty_like(values)
    result[order] = values
    return result


def _key(targets: Targets, a: str, b: str) -> Columns:
    return (a, b) if (a, b) in targets.pairs else (b, a)


def _tree(targets: Targets, domains: Domains, placed: list[str]) -> list[tuple[str, str]]:
    """Edges (parent, child) of the maximum spanning tree that grows from the placed columns."""
    information = {t: mutual_information(table) for t, table in targets.pairs.items()}
    left = [n for n in domains if n not in placed]

    def strength(a: str, b: str) -> float:
        return information.get((a, b), information.get((b, a), 0.0))

    best = {
        n: max(((strength(p, n), p) for p in placed), key=lambda found: found[0])[1] for n in left
    }
    edges = []
    while left:
        child = max(left, key=lambda n: strength(best[n], n))
        left.remove(child)
        edges.append((best[child], child))
        for n in left:
            if strength(child, n) > strength(best[n], n):
                best[n] = child
    return edges


def _centre(targets: Targets, domains: Domains) -> str:
    """The column that tells most about the others."""
    told = dict.fromkeys(domains, 0.0)
    for (a, b), table in targets.pairs.items():
        bits = mutual_information(table)
        told[a] += bits
        told[b] += bits
    return max(told, key=lambda n: told[n])
