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

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
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
        difference: ``now`` less ``before``; None where one of them is not shown.
        low, high: the interval of the difference, see the method above.
        beyond: whether the difference is beyond the noise; then the interval leaves out zero.
        clear: size of the least difference by its standard error.
        once: the interval if everybody is counted once in both releases, None where links were not
            measured.
    """

    variables: tuple[str, ...]
    values: tuple[str, ...]
    before: Estimate | None
    now: Estimate | None
    difference: int | None
    low: float
    high: float
    beyond: bool
    clear: float
    once: tuple[float, float] | None


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
        found = (c for c in self.cells if c.beyond)
        return tuple(sorted(found, key=lambda c: (len(c.variables), -c.clear, c.values)))


@dataclass(frozen=True)
class _Side:
    """One of the two releases."""

    answers: Estimator

    def shown(self, names: tuple[str, ...]) -> dict[tuple[str, ...], Estimate]:
        if not names:
            return {(): self.answers.release.protected.people}
        return self.answers.cells(*names)

    def error(self, key: str, found: Estimate | None) -> float:
        """Standard error of a count, in people; of one that is not shown that of its table."""
        sigma = self.answers.release.protected.guarantee.sigma[key]
        if found is None:
            return sigma
        return max(sigma, max(found.high - found.value, found.value - found.low) / self.answers.z)

    def bound(self, key: str) -> float:
        """What the estimate of a cell that is not shown lies below, in people."""
        sigma = self.answers.release.protected.guarantee.sigma[key]
        return max(0.0, self.answers.unseen(key) - self.answers.z * sigma)

    def covers(self, names: tuple[str, ...], cell: tuple[str, ...]) -> bool:
        first, last = self.answers.release.years
        return all(
            name != PERIOD or code == NOT_RECORDED or first <= int(code) <= last
            for name, code in zip(names, cell, strict=True)
        )


def compare(before: Estimator, now: Estimator) -> ReleaseChanges:
    """The cells of two releases, and which of them differ by more than the noise.

    Args:
        before, now: answers of the two releases, of one hub.
    """
    old, new = _Side(before), _Side(now)
    tables = [
        [key for key in side.answers.release.protected.guarantee.sigma if _few(key)]
        for side in (old, new)
    ]
    both = {frozenset(key.split("*")): key for key in tables[0]}
    pairs = [
        (both[names], key) for key in tables[1] if (names := frozenset(key.split("*"))) in both
    ]
    cells = _cells(old, new, pairs)
    shared = {frozenset(key.split("*")) for _old, key in pairs}
    only = [
        tuple(key for key in of_one if frozenset(key.split("*")) not in shared) for of_one in tables
    ]
    return ReleaseChanges(tuple(cells), *only)


def _few(key: str) -> bool:
    return key.count("*") < MOST_VARIABLES


def _cells(old: _Side, new: _Side, pairs: list[tuple[str, str]]) -> Iterator[CellChange]:
    found = list(chain.from_iterable(_of_table(old, new, was, key) for was, key in pairs))
    if not found:
        return iter(())
    least = np.array([abs(one.least) / one.error for one in found])
    from scipy.special import ndtr

    p = 2 * ndtr(-least)
    clear = _threshold(p)
    z = NormalDist().inv_cdf(1 - clear / 2)
    return (one.change(z, bool(p[i] <= clear), float(least[i])) for i, one in enumerate(found))


def _threshold(p: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """The p-value up to which cells are called different; that of one cell where none is.

    >>> round(_threshold(np.array([0.001, 0.02, 0.5])), 4), round(_threshold(np.ones(2)), 4)
    (0.0091, 0.0167)
    """
    m = p.size
    each = RATE / (m * float(np.sum(1 / np.arange(1, m + 1))))
    (held,) = np.nonzero(np.sort(p) <= each * np.arange(1, m + 1))
    return each * (int(held[-1]) + 1 if held.size else 1)


@dataclass(frozen=True)
class _Tested:
    """A cell of both releases: what is known of its difference, before the others are looked at.

    Attributes:
        least: the difference that is the nearest to zero of all that the two counts allow.
        error: of the difference.
        errors: of the two counts.
        doubled: how far the interval moves down and up if everybody is counted once.
    """

    variables: tuple[str, ...]
    values: tuple[str, ...]
    before: Estimate | None
    now: Estimate | None
    least: float
    error: float
    errors: tuple[float, float]
    doubled: tuple[float, float] | None

    def change(self, z: float, beyond: bool, clear: float) -> CellChange:
        difference = self.now.value - self.before.value if self.now and self.before else None
        if difference is not None:
            low, high = difference - z * self.error, difference + z * self.error
        elif self.now:
            low, high = self.least - z * self.error, self.now.value + z * self.errors[1]
        else:
            value = self.before.value if self.before else 0
            low, high = -value - z * self.errors[0], self.least + z * self.error
        once = None if self.doubled is None else (low - self.doubled[0], high + self.doubled[1])
        return CellChange(
            self.variables,
            self.values,
            self.before,
            self.now,
            difference,
            low,
            high,
            beyond,
            clear,
            once,
        )


def _of_table(old: _Side, new: _Side, was: str, key: str) -> Iterator[_Tested]:
    names = tuple(key.split("*")) if key else ()
    shown = [side.shown(names) for side in (old, new)]
    for cell in sorted({*shown[0], *shown[1]}):
        if not (old.covers(names, cell) and new.covers(names, cell)):
            continue
        before, now = (cells.get(cell) for cells in shown)
        if before and now:
            least = float(now.value - before.value)
        elif now:
            least = max(0.0, now.value - old.bound(was))
        else:
            least = min(0.0, new.bound(key) - (before.value if before else 0))
        errors = old.error(was, before), new.error(key, now)
        highs = (
            before.high if before else old.bound(was),
            now.high if now else new.bound(key),
        )
        doubled = _doubled((old, new), highs, dict(zip(names, cell, strict=True)).get(ORIGIN))
        yield _Tested(names, cell, before, now, least, float(np.hypot(*errors)), errors, doubled)


def _doubled(
    sides: tuple[_Side, _Side], highs: tuple[float, float], of: str | None
) -> tuple[float, float] | None:
    """How many people less, and more, a difference may be if everybody is counted once."""
    ends = []
    for side, high in zip(sides, highs, strict=True):
        errors = side.answers.release.link_errors
        if errors is None:
            return None
        ends.append((errors.most(high, None if of is None else (of,)), errors.merged))
    (doubles, merged), (more_doubles, more_merged) = ends
    return float(more_doubles + merged), float(doubles + more_merged)
