"""Average over decomposable graphs of the lists, each weighed by how well it predicts the table.

D. Madigan and J. C. York, 1997, Biometrika 84:19.  A graph joins lists that may depend on each
other; decomposable ones have a marginal likelihood in closed form under a hyper-Dirichlet prior
(A. P. Dawid and S. L. Lauritzen, 1993, Ann. Stat. 21:1272): the product over cliques over the
product over separators of Dirichlet-multinomial terms, here with 2^-K observations of the prior in
each of the 2^K cells, one in all, all graphs alike before the table is seen, and a prior of the
population N proportional to 1/N.  The complete graph says nothing about people on no list and is
left out.  N is summed out on a grid that reaches to ``REACH`` times the people seen; where more
than ``EDGE`` of the posterior lies in its last tenth (by ratios), the end of the grid matters and
the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ctdhub.stats.mse.bootstrap import truths
from ctdhub.stats.mse.lists import Floats, Lists, pair_places
from ctdhub.stats.mse.seeded_bits import Source

MOST = 6
"""Lists up to which all graphs are tried: 18,153 of them; seven lists have over 600,000."""
REACH, EDGE = 100, 0.01
_FINE, _POINTS = 400, 1600
"""Points of the grid: one by one up to the first number, then in equal ratios."""
_TABLES = 64
"""Tables that may lie behind a protected one."""


@dataclass(frozen=True)
class Posterior:
    """Median and interval of the population, and the chance that it lies in the grid's last tenth
    (on the scale of ratios), where the grid's end matters."""

    middle: float
    low: float
    high: float
    edge: float
    graphs: int


def posterior(lists: Lists, level: float, source: Source) -> Posterior:
    """The posterior of the population.

    Args:
        source: for the tables that may lie behind a protected one; else not used.
    """
    signs = graphs(len(lists.names))
    tables = truths(lists, _TABLES if lists.sigma else 1, source)
    top = REACH * max(float(lists.y.clip(0).sum()), 10.0)
    grid = _grid(top)
    steps = np.gradient(grid)
    chance = np.zeros(len(grid))
    for table in tables:
        log = _joint(signs, table.astype(np.float64), grid) + np.log(steps)
        part = np.exp(log - log.max()).sum(axis=0)
        chance += part / part.sum()
    chance /= chance.sum()
    sums = np.cumsum(chance) - chance / 2
    ends = (0.5, (1 - level) / 2, (1 + level) / 2)
    middle, low, high = (float(lists.seen + np.interp(p, sums, grid)) for p in ends)
    edge = float(chance[grid > top**0.9 * _FINE**0.1].sum())
    return Posterior(middle, low, high, edge, len(signs))


def _grid(top: float) -> Floats:
    far = np.geomspace(_FINE, max(top, 2.0 * _FINE), _POINTS)
    return np.concatenate([np.arange(_FINE, dtype=np.float64), far])


def _joint(signs: Floats, table: Floats, hidden: Floats) -> Floats:
    """Graphs x grid: log of marginal likelihood times prior of N, but for what all share."""
    from scipy.special import gammaln

    lists = (len(table) + 1).bit_length() - 1
    cells = np.append(0.0, table)
    places = np.arange(2**lists)
    terms = np.empty((2**lists, len(hidden)))
    for subset in places:
        margin = np.bincount(places & subset, weights=cells, minlength=2**lists)
        held = places[(places & ~subset) == 0]
        prior = 2.0 ** -int(subset).bit_count()
        fixed = (gammaln(margin[held[1:]] + prior) - gammaln(prior)).sum()
        terms[subset] = fixed + gammaln(margin[0] + hidden + prior) - gammaln(prior)
    n = cells.sum() + hidden
    return np.asarray(signs @ terms + (gammaln(n + 1) - gammaln(hidden + 1) - np.log(n)))


@lru_cache(maxsize=8)
def graphs(lists: int) -> npt.NDArray[np.float64]:
    """Decomposable graphs but the complete one, x subsets of lists: how often the subset is a
    clique less how often it is a separator (the empty one is the total).

    >>> [len(graphs(k)) for k in (2, 3, 4)]
    [1, 7, 60]
    """
    places = pair_places(lists)
    found = []
    for number in range(2 ** len(places) - 1):
        near = [0] * lists
        for p, (a, b) in enumerate(places):
            if number >> p & 1:
                near[a] |= 1 << b
                near[b] |= 1 << a
        if (row := _signs(near)) is not None:
            found.append(row)
    return np.array(found)


def _signs(near: list[int]) -> list[float] | None:
    """Cliques less separators by maximum cardinality search (R. E. Tarjan and M. Yannakakis, 1984,
    SIAM J. Comput. 13:566); None where the graph is not decomposable.

    Each list and its numbered neighbours make a set, and the neighbours another; the sets that are
    no cliques cancel out.
    """
    row = [0.0] * 2 ** len(near)
    numbered, left = 0, set(range(len(near)))
    while left:
        v = max(left, key=lambda u: (near[u] & numbered).bit_count())
        before = near[v] & numbered
        for u in range(len(near)):
            if before >> u & 1 and before & ~(1 << u) & ~near[u]:
                return None
        row[before | 1 << v] += 1
        row[before] -= 1
        numbered |= 1 << v
        left.remove(v)
    return row
