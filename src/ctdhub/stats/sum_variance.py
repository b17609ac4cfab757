"""The variance of a sum of cells in tables that were fitted together.

Tables of a release are sums of interaction components, and each component is the mean of what the
measured tables say of it, weighed by inverse variance (``dp.reconcile``).  A component sums to zero
along its axes, so that a sum over several values is less uncertain than as many independent cells
are, and a sum over all values of a variable does not depend on it at all:

    Var = sum over S of 1/W_S  prod(v in S) a_v (1 - a_v/n_v)  prod(v not in S) (a_v/n_v)^2

with S the sets of the variables asked for, a_v of the n_v values of v in the sum, and W_S the
weights of the measured tables that hold S.  The covariance of two sums has both's values instead:
the number in both less a_v b_v / n_v, and a_v b_v / n_v^2.  All of it is public.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from itertools import combinations


class SumVariances:
    """Variances of sums over value sets.

    Args:
        drawn: standard deviation of the noise of each measured table, as ``Guarantee.drawn``.
        size: how many values a variable has, with "not recorded".
    """

    def __init__(self, drawn: Mapping[str, float], size: Callable[[str], int]) -> None:
        self._size = cache(size)
        self._tables = [
            (frozenset(key.split("*")) if key else frozenset(), sigma)
            for key, sigma in drawn.items()
        ]
        self._weight = cache(self._summed)
        self._product = cache(self._covariance)
        self._together = cache(self._measured)

    def of(self, values: Mapping[str, int]) -> float:
        """Variance, in squared people.

        Args:
            values: how many values of each variable are in the sum; some measured table holds all
                of these variables.
        """
        return self._product(tuple((name, n, n, n) for name, n in values.items()))

    def correlation(
        self, one: Mapping[str, frozenset[str]], two: Mapping[str, frozenset[str]]
    ) -> float:
        """Correlation of the errors of two sums, in -1..1; 0 where their variables were not
        measured together, which is cautious for a part and its whole.

        Args:
            one, two: the values of each variable in the sum; of a variable that is not named all.
        """
        names = sorted({*one, *two})
        if not self._together(frozenset(names)):
            return 0.0
        sizes = []
        for name in names:
            a, b = one.get(name), two.get(name)
            n = self._size(name)
            both = len(a & b) if a is not None and b is not None else len(a or b or ())
            sizes.append((name, n if a is None else len(a), n if b is None else len(b), both))
        own = [self._product(tuple((s[0], s[k], s[k], s[k]) for s in sizes)) for k in (1, 2)]
        return self._product(tuple(sizes)) / math.sqrt(own[0] * own[1])

    def _covariance(self, sizes: tuple[tuple[str, int, int, int], ...]) -> float:
        """Covariance of two sums: by variable its values in one, in the other, and in both."""
        found = 0.0
        for k in range(len(sizes) + 1):
            for part in combinations(sizes, k):
                own = math.prod(both - a * b / self._size(n) for n, a, b, both in part)
                rest = (s for s in sizes if s not in part)
                others = math.prod(a * b / self._size(n) ** 2 for n, a, b, _both in rest)
                if own:
                    found += own * others / self._weight(frozenset(n for n, *_sizes in part))
        return found

    def _measured(self, names: frozenset[str]) -> bool:
        return any(table.issuperset(names) for table, _sigma in self._tables)

    def _summed(self, part: frozenset[str]) -> float:
        """What all measured tables say of a component: the sum of one over its variances."""
        return math.fsum(
            1 / (sigma**2 * math.prod(self._size(n) for n in names - part))
            for names, sigma in self._tables
            if part <= names
        )
