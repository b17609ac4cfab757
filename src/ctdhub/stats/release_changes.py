"""Which cells of two releases of one hub differ by more than their noise.

Method.  Compared are the cells of all tables of at most two variables that both releases measured
and that at least one of them shows.  Years that one of the releases does not cover are left out.

1. The noise of two releases is independent, so a difference d of two published counts has the
   standard error s, ``s^2 = s1^2 + s2^2``, where each part is the larger of the table's noise and
   the wider side of the published interval.  A count that is not shown lies below a known bound
   (``Estimator.unseen``); the least difference from that bound takes the place of d.
2. The two-sided p-value is ``2 Phi(-|d| / s)``.  A cell that was not shown only has a larger one,
   and cells that neither release shows are not tested: to be shown, a count must stand out from
   noise that is smaller than s, so this choice does not make small p-values more frequent.
3. Cells are called different by the procedure of Y. Benjamini and D. Yekutieli (2001, Ann. Stat.
   29:1165), which holds the expected share of false ones among them at :data:`RATE` whatever the
   dependence between the tests.  Counts of one release are reconciled, so their errors depend on
   each other in ways that nobody has published.
4. Of R such cells among m each interval has the level ``1 - R RATE / (m (1 + 1/2 + … + 1/m))``
   (Benjamini and Yekutieli 2005, J. Am. Stat. Assoc. 100:71), with R at least 1.  An interval
   therefore leaves out zero exactly where the cell is called different.

``benchmarks/release_changes.py`` measures the share of false ones among the cells found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from ctdhub.border import Estimate
from ctdhub.schema.model import ORIGIN, PERIOD
from ctdhub.stats.cards import NOT_RECORDED
from ctdhub.stats.estimator import Estimator

RATE = 0.05
"""Expected share, at most, of cells that are called different and are not."""

MOST_VARIABLES = 2
"""Tables of more variables are not compared."""


@dataclass(frozen=True)
class CellChange:
    """One cell in two releases, in people.

    Attributes:
        variables, values: what the cell is; () is everybody.
        before, now: its published counts, None where a release does not show it.
        least: the difference that is the nearest to zero of all that the two counts allow.
        errors: standard errors of the two counts.
        doubled: how far the interval moves down and up if everybody is counted once; None where
            links were not measured.
        z: the quantile of the interval, see the method above.
        beyond: whether the difference is beyond the noise; then the interval leaves out zero.
    """

    variables: tuple[str, ...]
    values: tuple[str, ...]
    before: Estimate | None
    now: Estimate | None
    least: float
    errors: tuple[float, float]
    doubled: tuple[float, float] | None
    z: float = math.nan
    beyond: bool = False

    @property
    def difference(self) -> int | None:
        """``now`` less ``before``; None where one of them is not shown."""
        return self.now.value - self.before.value if self.now and self.before else None

    @property
    def error(self) -> float:
        """Standard error of the difference."""
        return float(np.hypot(*self.errors))

    @property
    def clear(self) -> float:
        """Size of the least difference by its standard error."""
        return abs(self.least / self.error)

    @property
    def low(self) -> float:
        """The lower end of the interval of the difference."""
        if self.now:
            return self.least - self.z * self.error
        return -(self.before.value if self.before else 0) - self.z * self.errors[0]

    @property
    def high(self) -> float:
        """The upper end."""
        if self.now and not self.before:
            return self.now.value + self.z * self.errors[1]
        return self.least + self.z * self.error

    @property
    def once(self) -> tuple[float, float] | None:
        """The interval if everybody is counted once in both releases."""
        if self.doubled is None:
            return None
        return self.low - self.doubled[0], self.high + self.doubled[1]


@dataclass(frozen=True)
class ReleaseChanges:
    """What differs between two releases.

    Attributes:
        cells: all that were compared, in the order of the tables.
        only_before, only_now: tables of at most two variables that one release alone measured.
    """

    cells: tuple[CellChange, ...]
    only_before: tuple[str, ...]
    only_now: tuple[str, ...]

    @property
    def beyond(self) -> tuple[CellChange, ...]:
        """Those that differ by more than the noise, fewer variables first, then the clearest."""
        cells = (c for c in self.cells if c.beyond)
        return tuple(sorted(cells, key=lambda c: (len(c.variables), -c.clear, c.values)))


@dataclass(frozen=True)
class _Side:
    """A table of one of the two releases.

    Attributes:
        sigma: standard deviation of its noise.
        bound: what the estimate of a cell that is not shown lies below, in people.
        shown: the cells that are shown.
    """

    answers: Estimator
    sigma: float
    bound: float
    shown: dict[tuple[str, ...], Estimate]

    @classmethod
    def of(cls, answers: Estimator, names: tuple[str, ...]) -> _Side:
        key = (answers.measured(*names) or "") if names else ""
        sigma = answers.release.protected.guarantee.sigma[key]
        bound = max(0.0, answers.unseen(key) - answers.z * sigma) if names else 0.0
        shown: dict[tuple[str, ...], Estimate] = {(): answers.release.protected.people}
        return cls(answers, sigma, bound, answers.cells(*names) if names else shown)

    def error(self, estimate: Estimate | None) -> float:
        """Standard error of a count, in people; of one that is not shown that of its table."""
        if estimate is None:
            return self.sigma
        widest = max(estimate.high - estimate.value, estimate.value - estimate.low)
        return max(self.sigma, widest / self.answers.z)

    def doubles(self, estimate: Estimate | None, origin: str | None) -> tuple[float, float] | None:
        """The most people of a cell who are another one of them, and who share a row."""
        errors = self.answers.release.link_errors
        if errors is None:
            return None
        high = estimate.high if estimate else self.bound
        return errors.most(high, None if origin is None else (origin,)), errors.merged


def compare(before: Estimator, now: Estimator) -> ReleaseChanges:
    """The cells of two releases, and which of them differ by more than the noise.

    Args:
        before, now: answers of the two releases, of one hub.
    """
    old, new = (
        {
            frozenset(key.split("*")): key
            for key in answers.release.protected.guarantee.sigma
            if key.count("*") < MOST_VARIABLES
        }
        for answers in (before, now)
    )
    shared = [key for names, key in new.items() if names in old]
    cells = [one for key in shared for one in _of_table(before, now, key)]
    return ReleaseChanges(
        tuple(_test_cells(cells)),
        tuple(key for names, key in old.items() if names not in new),
        tuple(key for names, key in new.items() if names not in old),
    )


def _test_cells(cells: list[CellChange]) -> Iterator[CellChange]:
    """The same, with the quantile of the intervals and whether each is beyond the noise."""
    if not cells:
        return
    from scipy.special import ndtr

    p = 2 * ndtr(-np.array([one.clear for one in cells]))
    clear = _threshold(p)
    z = NormalDist().inv_cdf(1 - clear / 2)
    for one, chance in zip(cells, p, strict=True):
        yield replace(one, z=z, beyond=bool(chance <= clear))


def _threshold(p: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """The p-value up to which cells are called different; that of one cell where none is.

    >>> round(_threshold(np.array([0.001, 0.02, 0.5])), 4), round(_threshold(np.ones(2)), 4)
    (0.0091, 0.0167)
    """
    m = p.size
    each = RATE / (m * float(np.sum(1 / np.arange(1, m + 1))))
    (ranks,) = np.nonzero(np.sort(p) <= each * np.arange(1, m + 1))
    return each * (int(ranks[-1]) + 1 if ranks.size else 1)


def _of_table(before: Estimator, now: Estimator, key: str) -> Iterator[CellChange]:
    names = tuple(key.split("*")) if key else ()
    old, new = (_Side.of(answers, names) for answers in (before, now))
    (first, last), (begin, end) = before.release.years, now.release.years
    for cell in sorted({*old.shown, *new.shown}):
        codes = dict(zip(names, cell, strict=True))
        year = codes.get(PERIOD, NOT_RECORDED)
        if year != NOT_RECORDED and not max(first, begin) <= int(year) <= min(last, end):
            continue
        was, is_ = old.shown.get(cell), new.shown.get(cell)
        if was and is_:
            least = float(is_.value - was.value)
        elif is_:
            least = max(0.0, is_.value - old.bound)
        else:
            least = min(0.0, new.bound - (was.value if was else 0))
        errors = old.error(was), new.error(is_)
        origin, doubled = codes.get(ORIGIN), None
        if (mine := old.doubles(was, origin)) and (theirs := new.doubles(is_, origin)):
            doubled = float(theirs[0] + mine[1]), float(mine[0] + theirs[1])
        yield CellChange(names, cell, was, is_, least, errors, doubled)
