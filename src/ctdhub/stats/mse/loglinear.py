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

from __future__ import annotations

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
        self, y: Floats, finite: Bools, cells: Bools, start: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Maximum likelihood for each table.

        Args:
            y: tables x cells.
            finite, cells: see :meth:`columns`.
            start: tables x parameters, from which to go on.

        Returns:
            Parameters (tables x parameters, 0 where not finite) and means (tables x cells).
        """
        b = self._begin(y, finite, cells) if start is None else np.where(finite, start, 0.0)
        weight = cells.astype(np.float64)
        means = np.exp(np.minimum(b @ self.x.T, 50.0)) * weight
        going = np.arange(len(y))
        for _step in range(_STEPS):
            mu, f = means[going], finite[going]
            slope = ((y[going] * weight[going] - mu) @ self.x) * f
            move = self._solve(mu, f, slope)
            far = np.abs(move).max(axis=1)
            b[going] += move * np.minimum(1.0, _LARGEST / np.maximum(far, 1e-300))[:, None]
            means[going] = np.exp(np.minimum(b[going] @ self.x.T, 50.0)) * weight[going]
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
        found = np.zeros(len(y), dtype=bool)
        for i in np.flatnonzero(~negative):
            found[i] = self._exists(y[i], finite[i], cells[i])
        if negative.any():
            found[negative] = self._witnessed(y[negative], finite[negative], cells[negative])
        return found

    def _witnessed(self, y: Floats, finite: Bools, cells: Bools) -> Bools:
        """The same where cells are negative: a fit that has the sums of the table and no empty cell
        is such a table as the programme looks for; only where there is none the programme runs."""
        _b, means = self.fit(y, finite, cells)
        off = np.abs(((y * cells - means) @ self.x) * finite).max(axis=1)
        sure = (off < 1e-6) & (np.where(cells, means, 1.0).min(axis=1) > 1e-6)
        found = [
            self._full_rank(f, c) if s else interior(self.x[np.ix_(c, f)], t[c])
            for s, t, f, c in zip(sure, y, finite, cells, strict=True)
        ]
        return np.array(found, dtype=bool)

    def _full_rank(self, finite: Bools, cells: Bools) -> bool:
        key = (b"", finite.tobytes(), np.packbits(cells).tobytes())
        if key not in self._known:
            part = self.x[np.ix_(cells, finite)]
            self._known[key] = bool(np.linalg.matrix_rank(part) == finite.sum())
        return self._known[key]

    def _begin(self, y: Floats, finite: Bools, cells: Bools) -> Floats:
        """One step of iteratively reweighted least squares from means of y + 1/2."""
        mu = (np.maximum(y, 0.0) + 0.5) * cells
        wanted = (mu * np.log(np.where(cells, mu, 1.0))) @ self.x * finite
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
        held = cells & (y > _TOLERANCE)
        key = (np.packbits(held).tobytes(), finite.tobytes(), np.packbits(cells).tobytes())
        if key not in self._known:
            p = int(finite.sum())
            full = held.sum() >= p and np.linalg.matrix_rank(self.x[np.ix_(held, finite)]) == p
            self._known[key] = bool(full) or interior(
                self.x[np.ix_(cells, finite)], held[cells].astype(np.float64)
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
    found = linprog(
        np.append(np.zeros(cells), -1.0),
        A_eq=np.hstack([x.T, x.sum(axis=0)[:, None]]),
        b_eq=x.T @ y,
        bounds=[(0, None)] * cells + [(None, most)],
        method="highs",
    )
    return bool(found.status == 0 and -found.fun > 1e-7 * most)
