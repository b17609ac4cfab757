"""Log-linear models of lists, fitted to many tables at once.

The people of cell c are Poisson with mean exp(eta_c), eta = intercept + the parameters of the lists
that c is on + the parameters of the chosen pairs of lists that c is on.  On no list at all there
are exp(intercept).  A pair that nobody is on has the parameter minus infinity: all cells on both
lists have mean zero, and they leave the table with the parameter.  So does a list nobody is on.

The fit needs the counts only through sums over cells (the sufficient statistics), so counts may be
fractions, and negative where they carry the noise of protection.

Existence (S. E. Fienberg and A. Rinaldo, 2012, Ann. Stat. 40:996): finite estimates exist exactly
where some table without an empty cell has the same sums, which is a linear programme.  They
are then unique exactly where the design has full rank.  Where the cells with people have full rank
by themselves, both hold and no programme is needed; that decides nearly all cases.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ctdhub.stats.mse.lists import Bools, Floats, members, pair_places

_STEPS, _TOLERANCE = 60, 1e-9
_LARGEST = 4.0
"""No parameter moves further in one step, so that the first steps stay sane."""


class Columns:
    """Log-linear models with the columns of a matrix.

    Attributes:
        x: cells x parameters; the first column is the intercept.
    """

    def __init__(self, x: Floats) -> None:
        self.x = x
        products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
        # most products of columns are alike: with eight lists 163 of 1,369 are different
        self._products, self._place = np.unique(products, axis=1, return_inverse=True)
        self._known: dict[tuple[bytes, bytes, bytes], bool] = {}

    def fit(
        self,
        y: Floats,
        finite: Bools,
        cells: Bools,
        start: Floats | None = None,
        offset: Floats | float = 0.0,
    ) -> tuple[Floats, Floats]:
        """Maximum likelihood for each table.

        Args:
            y: tables x cells.
            finite, cells: see :meth:`columns`.
            start: tables x parameters, from which to go on.
            offset: of each cell, added to eta and not estimated.

        Returns:
            Parameters (tables x parameters, 0 where not finite) and means (tables x cells).
        """
        b = self._begin(y, finite, cells, offset) if start is None else np.where(finite, start, 0.0)
        weight = cells.astype(np.float64)
        means = np.exp(np.minimum(b @ self.x.T + offset, 50.0)) * weight
        going = np.arange(len(y))
        for _step in range(_STEPS):
            mu, f = means[going], finite[going]
            slope = ((y[going] * weight[going] - mu) @ self.x) * f
            move = self._solve(mu, f, slope)
            far = np.abs(move).max(axis=1)
            b[going] += move * np.minimum(1.0, _LARGEST / np.maximum(far, 1e-300))[:, None]
            means[going] = np.exp(np.minimum(b[going] @ self.x.T + offset, 50.0)) * weight[going]
            going = going[far > _TOLERANCE]
            if not going.size:
                break
        return b, means

    def covariance(self, means: Floats, finite: Bools) -> Floats:
        """Inverse of the information of each table: tables x parameters x parameters."""
        both = finite[:, :, None] & finite[:, None, :]
        inverse: Floats = np.linalg.inv(self._information(means, finite)).astype(float) * both
        return inverse

    def exists(self, y: Floats, finite: Bools, cells: Bools) -> Bools:
        """Whether finite and unique estimates exist, for each table."""
        negative = (cells & (y < 0)).any(axis=1)
        fits = np.zeros(len(y), dtype=bool)
        for i in np.flatnonzero(~negative):
            fits[i] = self._exists(y[i], finite[i], cells[i])
        if negative.any():
            fits[negative] = self._witnessed(y[negative], finite[negative], cells[negative])
        return fits

    def _witnessed(self, y: Floats, finite: Bools, cells: Bools) -> Bools:
        """The same where cells are negative: a fit that has the sums of the table and no empty cell
        is such a table as the programme looks for; only where there is none the programme runs."""
        _b, means = self.fit(y, finite, cells)
        off = np.abs(((y * cells - means) @ self.x) * finite).max(axis=1)
        sure = (off < 1e-6) & (np.where(cells, means, 1.0).min(axis=1) > 1e-6)
        fits = [
            self._full_rank(f, c) if s else interior(self.x[np.ix_(c, f)], t[c])
            for s, t, f, c in zip(sure, y, finite, cells, strict=True)
        ]
        return np.array(fits, dtype=bool)

    def _full_rank(self, finite: Bools, cells: Bools) -> bool:
        key = (b"", finite.tobytes(), np.packbits(cells).tobytes())
        if key not in self._known:
            part = self.x[np.ix_(cells, finite)]
            self._known[key] = bool(np.linalg.matrix_rank(part) == finite.sum())
        return self._known[key]

    def _begin(self, y: Floats, finite: Bools, cells: Bools, offset: Floats | float) -> Floats:
        """One step of iteratively reweighted least squares from means of y + 1/2."""
        mu = (np.maximum(y, 0.0) + 0.5) * cells
        wanted = (mu * (np.log(np.where(cells, mu, 1.0)) - offset)) @ self.x * finite
        return self._solve(mu, finite, wanted)

    def _information(self, mu: Floats, finite: Bools) -> Floats:
        p = self.x.shape[1]
        h = (mu @ self._products)[:, self._place.ravel()].reshape(-1, p, p)
        h *= finite[:, :, None] & finite[:, None, :]
        places = np.arange(p)
        h[:, places, places] += np.where(finite, 1e-10, 1.0)
        return np.asarray(h)

    def _solve(self, mu: Floats, finite: Bools, right: Floats) -> Floats:
        solved = np.linalg.solve(self._information(mu, finite), right[:, :, None])
        return np.asarray(solved[:, :, 0], dtype=np.float64)

    def _exists(self, y: Floats, finite: Bools, cells: Bools) -> bool:
        mask = cells & (y > _TOLERANCE)
        key = (np.packbits(mask).tobytes(), finite.tobytes(), np.packbits(cells).tobytes())
        if key not in self._known:
            p = int(finite.sum())
            full = mask.sum() >= p and np.linalg.matrix_rank(self.x[np.ix_(mask, finite)]) == p
            self._known[key] = bool(full) or interior(
                self.x[np.ix_(cells, finite)], mask[cells].astype(np.float64)
            )
        return self._known[key]


class Design(Columns):
    """The design of K lists and all their pairs.

    Attributes:
        lists, pairs: how many.
        x: cells x (1 + lists + pairs): intercept, lists, pairs.
        both: cells x pairs: which cell is on both lists of a pair.
    """

    def __init__(self, lists: int) -> None:
        on = members(lists)
        self.lists, self.places = lists, pair_places(lists)
        self.pairs = len(self.places)
        self.both = np.array([on[:, a] & on[:, b] for a, b in self.places]).T.astype(np.float64)
        self.both = self.both.reshape(len(on), self.pairs)
        super().__init__(np.hstack([np.ones((len(on), 1)), on, self.both]))

    def columns(self, y: Floats, chosen: Bools) -> tuple[Bools, Bools]:
        """Parameters that are finite, and cells that stay, for each table and its chosen pairs.

        Args:
            y: tables x cells.
            chosen: tables x pairs.
        """
        sizes = y @ self.x[:, 1 : 1 + self.lists]
        empty = chosen & (y @ self.both <= _TOLERANCE)
        nobody = sizes <= _TOLERANCE
        finite = np.hstack([np.ones((len(y), 1), dtype=bool), ~nobody, chosen & ~empty])
        gone = empty.astype(np.float64) @ self.both.T
        gone += nobody.astype(np.float64) @ self.x[:, 1 : 1 + self.lists].T
        for p, (a, b) in enumerate(self.places):
            finite[:, 1 + self.lists + p] &= ~nobody[:, a] & ~nobody[:, b]
        return finite, gone == 0


@lru_cache(maxsize=16)
def design(lists: int) -> Design:
    """The design of that many lists; made once, it remembers which estimates exist."""
    return Design(lists)


def interior(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> bool:
    """Whether some table above zero in every cell has the sums of ``y``, and x has full rank.

    The programme: maximise s so that x' t = x' y and t >= s.  Only which cells hold people matters
    where none is negative, so a table of ones and zeros stands for all of its kind.
    """
    from scipy.optimize import linprog

    cells, p = x.shape
    if cells < p or np.linalg.matrix_rank(x) < p:
        return False
    # t = s + r with r >= 0; s is at most the mean, so that the programme is bounded
    most = max(1.0, float(np.abs(y).sum()))
    optimum = linprog(
        np.append(np.zeros(cells), -1.0),
        A_eq=np.hstack([x.T, x.sum(axis=0)[:, None]]),
        b_eq=x.T @ y,
        bounds=[(0, None)] * cells + [(None, most)],
        method="highs",
    )
    return bool(optimum.status == 0 and -optimum.fun > 1e-7 * most)


# --------------------------------------------------------------------------------------------------
# Which pairs of lists depend on each other: forward selection by overlaps, many tables at once.
#
# Rule (L. Chan, B. W. Silverman and K. Vincent, 2021, J. Am. Stat. Assoc. 116:1297).  Begin with
# the lists alone.  For each pair that is absent compare the people on both lists with the number
# that the present model expects: p is the smaller of the two Poisson tails.  Of the pairs with p
# below the threshold enter the one with the smallest p whose model has finite and unique estimates;
# go on until none is left.  The estimate is the people seen plus exp(intercept).
#
# Where counts carry noise of protection, a sum of m cells has the variance mean + m sigma^2, and
# the two tails are those of a normal number: otherwise noise would be taken for dependence.

Places = npt.NDArray[np.intp]

THRESHOLD = 0.02
"""The default of Chan, Silverman and Vincent."""
_NOBODY = 1e-9
"""Overlaps up to this are rounding of zero."""


@dataclass(frozen=True)
class Selected:
    """What was chosen for each of many tables.

    Attributes:
        people: estimated population; infinite where not even the lists alone can be fitted.
        alone: the same from the lists alone, no pair entered.
        chosen: tables x pairs.
        order: pairs of the first table, as they entered, each with its p.
    """

    people: Floats
    alone: Floats
    chosen: Bools
    order: tuple[tuple[int, float], ...]


def select(
    y: Floats,
    lists: int,
    sigma: float = 0.0,
    threshold: float = THRESHOLD,
    *,
    pairs: Bools | None = None,
    offset: Floats | float = 0.0,
) -> Selected:
    """Select for each table and estimate.

    Args:
        y: tables x cells.
        lists: how many there are.
        sigma: noise of each cell, in people.
        threshold: of p; a pair enters below it.
        pairs: those that are taken as given in every table, and nothing is selected; those that
            no finite estimate exists with make ``people`` infinite.
        offset: of each cell, see :meth:`Columns.fit`; only where there are pairs.
    """
    d = design(lists)
    chosen = np.zeros((len(y), d.pairs), dtype=bool)
    refused = chosen.copy()
    finite, cells = d.columns(y, chosen)
    fits = d.exists(y, finite, cells)
    b, means = d.fit(y, finite, cells, offset=offset)
    alone = _people(y, b, fits)
    if pairs is not None:
        return Selected(_with_pairs(d, y, pairs, offset), alone, np.tile(pairs, (len(y), 1)), ())
    order: list[tuple[int, float]] = []
    going = np.flatnonzero(fits)
    for _step in range(d.pairs):
        if not going.size:
            break
        p = _tails(y[going] @ d.both, means[going] @ d.both, d.both.sum(axis=0), sigma)
        p[chosen[going]] = 1.0
        entered = _enter(d, y, going, chosen, refused, p, threshold)
        moved = going[entered >= 0]
        if going[0] == 0 and entered[0] >= 0:
            order.append((int(entered[0]), float(p[0, entered[0]])))
        finite, cells = d.columns(y[moved], chosen[moved])
        b[moved], means[moved] = d.fit(y[moved], finite, cells, b[moved])
        going = moved
    return Selected(_people(y, b, fits), alone, chosen, tuple(order))


def _people(y: Floats, b: Floats, fits: Bools) -> Floats:
    return np.where(fits, y.sum(axis=1) + np.exp(np.where(fits, b[:, 0], 0.0)), np.inf)


def _with_pairs(d: Design, y: Floats, pairs: Bools, offset: Floats | float) -> Floats:
    """Estimates with these pairs."""
    finite, cells = d.columns(y, np.tile(pairs, (len(y), 1)))
    fits = d.exists(y, finite, cells)
    return _people(y, d.fit(y, finite, cells, offset=offset)[0], fits)


def _enter(
    d: Design, y: Floats, going: Places, chosen: Bools, refused: Bools, p: Floats, threshold: float
) -> Places:
    """Enter the best pair of each table into ``chosen``; gives its place, or -1 where none may.

    A pair whose model has no finite estimates has none in any larger model either, so it is
    refused for good.
    """
    entered = np.full(len(going), -1)
    open_ = np.arange(len(going))
    while open_.size:
        at = going[open_]
        best = np.where(refused[at], 1.0, p[open_])
        pair = best.argmin(axis=1)
        small = best[np.arange(len(at)), pair] < threshold
        open_, at, pair = open_[small], at[small], pair[small]
        tried = chosen[at]
        tried[np.arange(len(at)), pair] = True
        finite, cells = d.columns(y[at], tried)
        good = d.exists(y[at], finite, cells)
        chosen[at[good], pair[good]] = True
        entered[open_[good]] = pair[good]
        refused[at[~good], pair[~good]] = True
        open_ = open_[~good]
    return entered


def _tails(seen: Floats, expected: Floats, cells: Floats, sigma: float) -> Floats:
    """The smaller of the two tail probabilities of each overlap.

    Without noise these are P(X <= seen) = Q(seen + 1, expected) and P(X >= seen) =
    P(seen, expected), P and Q the regularised incomplete gamma functions: the Poisson tails at
    whole numbers, and continuous between them.  Overlaps are fractions where links between records
    are taken to be wrong, and one of 1.01 must be hardly more surprising than one of 1.
    """
    from scipy.special import gammainc, gammaincc, ndtr

    if sigma:
        z = (seen - expected) / np.sqrt(np.maximum(expected, 0.0) + cells * sigma**2)
        return np.asarray(ndtr(-np.abs(z)))
    x = np.where(seen > _NOBODY, seen, 0.0)
    low = gammaincc(x + 1, expected)
    high = np.where(x > 0, gammainc(np.where(x > 0, x, 1.0), expected), 1.0)
    return np.asarray(np.minimum(low, high))
