"""Borrow from the surplus of full classes to complete groups of nearly k records.

A class of more than k records can spare some.  A group that falls short of k under a subset borrows
records that agree with it in all other columns, where masking these few costs less than one more
cell in each record of the group would.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ctdhub.kanon.classes import OPEN, Classes, Integers, Subset
from ctdhub.kanon.groups import bounds, meet


def borrow(classes: Classes, subsets: Sequence[Subset]) -> None:
    """Complete groups of open parts under these subsets, those that help most records first."""
    lacking, donors = classes.open(), classes.donors()
    if not len(lacking) or not len(donors):
        return
    weights = np.concatenate([classes.count[lacking], classes.spare(donors)])
    parts = np.concatenate([lacking, donors])
    found = list(bounds(classes, parts, weights, len(lacking), subsets))
    for subset, _ in sorted(found, key=lambda pair: -pair[1]):
        _complete(classes, subset)


def _complete(classes: Classes, subset: Subset) -> None:
    """Complete what groups under the subset can be, the largest first."""
    lacking, donors = classes.open(), classes.donors()
    parts = np.concatenate([lacking, donors])
    keys = classes.keys(parts, subset)
    shared = meet(keys, len(lacking))
    parts, keys = parts[shared], keys[shared]
    lacks = classes.home[parts] == OPEN
    _, place = np.unique(keys, return_inverse=True)
    own = np.bincount(place, classes.count[parts] * lacks)
    lenders = parts[~lacks]
    offered = np.bincount(place[~lacks], classes.spare(lenders), minlength=len(own))
    dearest = np.zeros(len(own))
    np.maximum.at(dearest, place[~lacks], classes.cost[classes.home[lenders]])
    need, price = classes.k - own, classes.costs[list(subset)].sum()
    pays = (own > 0) & (offered >= need) & (need * (price - dearest) < own)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(own) + 1))
    for group in sorted(np.flatnonzero(pays), key=lambda g: -own[g]):
        members = order[starts[group] : starts[group + 1]]
        mine, theirs = parts[members[lacks[members]]], parts[members[~lacks[members]]]
        _lend(classes, subset, mine, theirs)


def _lend(classes: Classes, subset: Subset, mine: Integers, theirs: Integers) -> None:
    """Move open parts and the cheapest lenders into one class, if that pays."""
    records = int(classes.count[mine].sum())
    price = classes.costs[list(subset)].sum()
    need, extra = classes.k - records, 0.0
    lenders: list[tuple[int, int]] = []
    given: dict[int, int] = {}
    for part in theirs[np.argsort(-classes.cost[classes.home[theirs]], kind="stable")].tolist():
        home = int(classes.home[part])
        left = int(classes.total[home]) - classes.k - given.get(home, 0)
        take = min(left, int(classes.count[part]), need)
        if take > 0:
            lenders.append((part, take))
            given[home] = given.get(home, 0) + take
            need -= take
            extra += take * (price - classes.cost[home])
        if need <= 0:
            break
    if need > 0 or extra >= records:  # one more cell costs at least 1 in each record
        return
    new = classes.add(subset)
    for part in mine.tolist():
        classes.move(part, int(classes.count[part]), new)
    for part, take in lenders:
        classes.move(part, take, new)
