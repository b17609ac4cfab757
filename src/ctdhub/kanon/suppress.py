"""Local suppression: mask as few cells as needed so that every class has at least k records.

Rows of at least k records stay whole.  From cheap subsets of columns to dear ones, groups of at
least k are peeled off and groups of nearly k are completed; what is left is put into clusters.
"""

import heapq
import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

# --------------------------------------------------------------------------------------------------
# Distinct rows, the classes of their records, and hashes that make masking a subtraction.
#
# A *part* is a number of records with the same cells that share one fate.  At first each distinct
# row is one part; a part is divided where only some of its records move.

Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Subset = tuple[int, ...]
"""Columns that a class masks, by position, ascending."""

OPEN = -1
"""The class of a part that has none yet."""

_GOLDEN, _FIRST, _SECOND = (
    np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


class Classes:
    """The state of a search: every record lies in one part, every part in one class or in none.

    Args:
        codes: n x d table of non-negative integers, one code per value of a column.
        k: the least number of records of a class, at least 1.

    Distinct rows of at least k records are classes of their own from the start: nothing is masked
    in them.

    >>> classes = Classes(np.array([[0], [0], [1]]), 2)
    >>> classes.count[classes.open()].tolist(), classes.masked().tolist()
    ([1], [[False], [False], [False]])
    """

    def __init__(self, codes: npt.NDArray[np.int32], k: int) -> None:
        n, self.columns = codes.shape
        self.k = k
        hashes = _hashes(codes)
        _, first, inverse, count = np.unique(
            hashes.sum(0, dtype=np.uint64),
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        self.rows = codes[first]
        self._inverse = inverse
        self._hashes = np.ascontiguousarray(hashes[:, first])
        self._whole: Words = self._hashes.sum(0, dtype=np.uint64)
        self.parts = len(first)
        room = self.parts + n  # each record can part from its kind once more
        self.row: Integers = np.resize(np.arange(self.parts), room)
        self.count: Integers = np.zeros(room, np.int64)
        self.count[: self.parts] = count
        self.home: Integers = np.full(room, OPEN)
        self.masks: list[Subset] = []
        self.total: Integers = np.zeros(room, np.int64)
        self.cost: npt.NDArray[np.float64] = np.zeros(room)
        full = np.flatnonzero(count >= k)
        self.home[full] = [self.add((), int(size)) for size in count[full]]

    def add(self, mask: Subset, records: int = 0) -> int:
        """A new class that masks those columns."""
        self.masks.append(mask)
        new = len(self.masks) - 1
        self.total[new] = records
        self.cost[new] = len(mask)
        return new

    def open(self) -> Integers:
        """Parts without a class."""
        return np.flatnonzero(self.home[: self.parts] == OPEN)

    def donors(self) -> Integers:
        """Parts of classes with more than k records."""
        homes = self.home[: self.parts]
        return np.flatnonzero((homes != OPEN) & (self.total[homes] > self.k))

    def spare(self, parts: Integers) -> Integers:
        """How many records each part could give away, if it were the only one of its class."""
        return np.minimum(self.count[parts], self.total[self.home[parts]] - self.k)

    def keys(self, parts: Integers, mask: Subset) -> Words:
        """Hashes of the parts' rows without the masked columns."""
        rows = self.row[parts]
        key = self._whole[rows]
        for column in mask:
            key = key - self._hashes[column, rows]
        return key

    def hashes(self, parts: Integers) -> tuple[Words, Words]:
        """Hashes of the parts' rows, and the d x parts hashes of which they are the sums."""
        rows = self.row[parts]
        return self._whole[rows], self._hashes[:, rows]

    def settle(self, parts: Integers, group: Integers, mask: Subset) -> None:
        """Make a class that masks ``mask`` of each group of open parts.

        Args:
            group: for each part the number of its group; equal numbers are one class.
        """
        _, place = np.unique(group, return_inverse=True)
        sizes = np.bincount(place, self.count[parts]).astype(np.int64)
        new = np.array([self.add(mask, int(size)) for size in sizes], np.int64)
        self.home[parts] = new[place]

    def move(self, part: int, records: int, home: int) -> None:
        """Move records of a settled part, or all of an open one, to a class."""
        if self.home[part] != OPEN:
            part = self.release(part, records)
        self.home[part] = home
        self.total[home] += records

    def release(self, part: int, records: int) -> int:
        """Take some records of a settled part out of their class; gives the open part they form."""
        self.total[self.home[part]] -= records
        if records == self.count[part]:
            self.home[part] = OPEN
            return part
        self.count[part] -= records
        new, self.parts = self.parts, self.parts + 1
        self.row[new], self.count[new], self.home[new] = self.row[part], records, OPEN
        return new

    def dissolve(self, home: int) -> Integers:
        """Take the class apart; gives its parts, which are open again."""
        parts = np.flatnonzero(self.home[: self.parts] == home)
        self.home[parts] = OPEN
        self.total[home] = 0
        return parts

    def masked(self) -> npt.NDArray[np.bool_]:
        """n x d: which cells are suppressed.  Records of open parts have none suppressed.

        Records with the same cells are alike: which of them moved is a matter of their order.
        """
        masks = np.zeros((len(self.masks) + 1, self.columns), bool)  # the last one is OPEN's
        for home, mask in enumerate(self.masks):
            masks[home, list(mask)] = True
        parts = np.argsort(self.row[: self.parts], kind="stable")
        homes = np.repeat(self.home[parts], self.count[parts])
        result = np.empty((len(self._inverse), self.columns), bool)
        result[np.argsort(self._inverse, kind="stable")] = masks[homes]
        return result


def _hashes(codes: npt.NDArray[np.int32]) -> Words:
    """d x n: a 64-bit word per cell that depends on column and code (splitmix64, Steele, Lea and
    Flood 2014).  That two of a million rows collide under one mask has a chance below 1e-7."""
    cells = codes.T.astype(np.uint64)
    cells += (np.arange(1, len(cells) + 1, dtype=np.uint64) << np.uint64(32))[:, None]
    mixed = (cells * _GOLDEN).astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    result: Words = mixed ^ (mixed >> np.uint64(31))
    return result


# --------------------------------------------------------------------------------------------------
# How many records a subset of masked columns would put into groups of at least k.


def bounds(
    classes: Classes, parts: Integers, weights: Integers, first: int, subsets: Sequence[Subset]
) -> Iterator[tuple[Subset, int]]:
    """For each subset, at most how many records of the ``first`` parts lie in groups of k or more.

    Groups are counted in slots that several may share, so a bound is never too low; subsets whose
    bound is zero are left out.

    Args:
        weights: what each part adds to its group.
        subsets: in lexicographic order, which saves most of the subtractions.
    """
    whole, hashes = classes.hashes(parts)
    shift = _shift(len(parts))
    mine, added = weights[:first], weights.astype(np.float64)
    head: Subset = ()
    base: Words = whole
    for subset in subsets:
        if subset[:-1] != head:
            head, base = subset[:-1], whole
            for column in head:
                base = base - hashes[column]
        slot = ((base - hashes[subset[-1]]) >> shift).view(np.int64)
        bound = int(mine[np.bincount(slot, added)[slot[:first]] >= classes.k].sum())
        if bound:
            yield subset, bound


def meet(keys: Words, first: int) -> npt.NDArray[np.bool_]:
    """Which keys may be equal to one of the ``first`` keys: all that are, and a few others."""
    slot = (keys >> _shift(first)).view(np.int64)
    taken = np.zeros(1 << 64 - int(_shift(first)), bool)
    taken[slot[:first]] = True
    return taken[slot]


def _shift(n: int) -> np.uint64:
    """Takes a hash to one of at least 4 n slots."""
    return np.uint64(64 - max(12, math.ceil(math.log2(4 * n + 1))))


# --------------------------------------------------------------------------------------------------
# The peel: groups of at least k records under a subset of masked columns become classes.
#
# The subset that covers most of the remaining records for its cost is masked in them, until none
# covers any.  A group can only shrink as others are peeled off, so that an old count is an upper
# bound: subsets wait in a heap and only the first is counted anew (lazy greedy, Minoux 1978).


def peel(classes: Classes, subsets: Sequence[Subset]) -> None:
    """Settle open parts in groups of at least k, the subset that covers most records for its
    cost first, until none covers any."""
    parts = classes.open()
    weights = classes.count[parts]
    heap = [
        (-bound / len(subset), subset)
        for subset, bound in bounds(classes, parts, weights, len(parts), subsets)
    ]
    heapq.heapify(heap)
    while heap:
        _, subset = heapq.heappop(heap)
        _, group = np.unique(classes.keys(parts, subset), return_inverse=True)
        covered = np.bincount(group, classes.count[parts])[group] >= classes.k
        worth = classes.count[parts[covered]].sum() / len(subset)
        if worth == 0:
            continue
        if heap and -worth > heap[0][0]:
            heapq.heappush(heap, (-worth, subset))
            continue
        classes.settle(parts[covered], group[covered], subset)
        parts = parts[~covered]


# --------------------------------------------------------------------------------------------------
# Borrow from the surplus of full classes to complete groups of nearly k records.
#
# A class of more than k records can spare some.  A group that falls short of k under a subset
# borrows records that agree with it in all other columns, where masking these few costs less than
# one more cell in each record of the group would.


def borrow(classes: Classes, subsets: Sequence[Subset]) -> None:
    """Complete groups of open parts under these subsets, those that help most records first."""
    lacking, donors = classes.open(), classes.donors()
    if not len(lacking) or not len(donors):
        return
    weights = np.concatenate([classes.count[lacking], classes.spare(donors)])
    parts = np.concatenate([lacking, donors])
    pairs = list(bounds(classes, parts, weights, len(lacking), subsets))
    for subset, _ in sorted(pairs, key=lambda pair: -pair[1]):
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
    need, price = classes.k - own, len(subset)
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
    price = len(subset)
    need, extra = classes.k - records, 0.0
    lenders: list[tuple[int, int]] = []
    loans: dict[int, int] = {}
    for part in theirs[np.argsort(-classes.cost[classes.home[theirs]], kind="stable")].tolist():
        home = int(classes.home[part])
        left = int(classes.total[home]) - classes.k - loans.get(home, 0)
        take = min(left, int(classes.count[part]), need)
        if take > 0:
            lenders.append((part, take))
            loans[home] = loans.get(home, 0) + take
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


# --------------------------------------------------------------------------------------------------
# What no subset covers: greedy clusters of at least k records that mask whatever disagrees.
#
# After the greedy k-member clustering of Byun, Kamra, Bertino and Li (2007): start from an unusual
# row, add the row that makes the fewest further cells disagree, until there are k records.

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
    cost = differs.sum(1, dtype=float)
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
            cost = (differs & agree).sum(1, dtype=float)
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
        further = differs.sum(1) * classes.k - classes.cost[classes.home[donors]]
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
    return int(classes.home[settled[np.argmin(differs.sum(1))]])


MOST_SUBSETS = 60_000
"""Subsets of one size that are tried: six of 19 columns, four of 27, three of 60."""

PEEL_WORK, BORROW_WORK = 4_000_000_000, 100_000_000
"""Rows times subsets that one round may count, at some 15 ns each; past that it is left out."""

BORROW_SUBSETS = 12_000
"""Subsets of one round for which completing groups is tried, at some 0.5 ms each."""

Report = Callable[[float], None]


def suppress(
    codes: npt.NDArray[np.int32],
    k: int,
    report: Report | None = None,
) -> npt.NDArray[np.bool_]:
    """Which cells to suppress so that every class of equal rows has at least k records.

    A suppressed cell is a value of its own.  The answer is the same for the same table.

    Args:
        codes: n x d table of non-negative integers, one code per value of a column.
        k: the least number of records of a class; at least 1, and at most n unless n is 0.
        report: is told the share of the work that is done.

    Returns:
        n x d, true where the cell is to be suppressed.

    Raises:
        ValueError: k is out of range.

    >>> suppress(np.array([[0, 0], [0, 1], [1, 0], [1, 0]], np.int32), 2).tolist()
    [[False, True], [False, True], [False, False], [False, False]]
    """
    n, columns = codes.shape
    if k < 1 or 0 < n < k:
        raise ValueError("k is at least 1 and at most the number of records")
    if n == 0 or columns == 0:
        return np.zeros((n, columns), bool)
    classes = Classes(codes, k)
    everyone = max(1, int(classes.count[classes.open()].sum()))
    for subsets in _rounds(columns):
        parts = classes.open()
        if not len(parts):
            break
        if len(subsets) * len(parts) > PEEL_WORK:
            continue
        peel(classes, subsets)
        rows = len(classes.open()) + len(classes.donors())
        if len(subsets) <= BORROW_SUBSETS and len(subsets) * rows <= BORROW_WORK:
            borrow(classes, subsets)
        if report is not None:
            report(1 - int(classes.count[classes.open()].sum()) / everyone)
    cluster(classes)
    return classes.masked()


def _rounds(columns: int) -> Iterator[list[Subset]]:
    """Subsets in rounds of one size, small ones first."""
    for size in range(1, columns + 1):
        if math.comb(columns, size) > MOST_SUBSETS:
            return
        yield list(itertools.combinations(range(columns), size))
