"""All methods on one table, side by side; there is no headline among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from ctdhub.core.i18n import Text
from ctdhub.stats.mse import averaging, decomposable
from ctdhub.stats.mse.bca import BootstrapInterval, bca
from ctdhub.stats.mse.bootstrap import resampled
from ctdhub.stats.mse.lists import Lists, pair_places
from ctdhub.stats.mse.overlap_check import Gate, pass_gate
from ctdhub.stats.mse.seeded_bits import Source, bits_of
from ctdhub.stats.mse.sensitivity import SensitivityChange, changes
from ctdhub.stats.mse.stepwise import select

Name = Literal["independent", "stepwise", "bic", "average", "graphs"]
Why = Literal["no_finite_estimate", "too_many_lists"]
Doubt = Literal["low_end", "high_end", "edge"]
Report = Callable[[Text, float], None]

LEVEL, REPLICATES = 0.95, 1000


@dataclass(frozen=True)
class Method:
    """What one method found.

    Attributes:
        name: of the method.
        value, low, high: people in the population, seen and unseen, with the interval at the
            result's level; None where ``why`` says so.
        why: why there is no number; None where there is one.
        doubts: what speaks against its interval.
        pairs: lists that depend on each other, by name, where the method names some.
        bootstrap: how the interval came about, where it is one of the bootstrap.
    """

    name: Name
    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: Why | None = None
    doubts: tuple[Doubt, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    bootstrap: BootstrapInterval | None = None


@dataclass(frozen=True)
class Result:
    """All that is said about the population behind some lists.

    Attributes:
        lists: as they were given.
        gate: what may be estimated from; where it refuses there are no methods and no changes.
        level: of the intervals, in 0..1.
        methods: side by side, in a fixed order.
        changes: the sensitivity of the estimates.
    """

    lists: Lists
    gate: Gate
    level: float
    methods: tuple[Method, ...]
    changes: tuple[SensitivityChange, ...]

    @property
    def found(self) -> tuple[Method, ...]:
        """The methods that gave a number."""
        return tuple(m for m in self.methods if m.value is not None)

    @property
    def spread(self) -> tuple[float, float] | None:
        """The smallest and the largest estimate; None where there is none."""
        values = [m.value for m in self.found if m.value is not None]
        return (min(values), max(values)) if values else None

    @property
    def reach(self) -> tuple[float, float] | None:
        """The lowest and the highest end of all intervals."""
        ends = [(m.low, m.high) for m in self.found if m.low is not None and m.high is not None]
        return (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else None


def estimate(
    lists: Lists,
    level: float = LEVEL,
    replicates: int = REPLICATES,
    source: Callable[[str], Source] | None = None,
    report: Report | None = None,
) -> Result:
    """Estimate by all methods.

    Args:
        level: of the intervals, in 0..1.
        replicates: tables of the bootstrap.
        source: random bits for a purpose; by default those that belong to the table, so that
            the same table always gives the same numbers.
        report: told (message, fraction).
    """
    tell = report or (lambda message, fraction: None)
    gate = pass_gate(lists, level)
    if gate.lists is None:
        return Result(lists, gate, level, (), ())
    held = gate.lists
    bits = source or (lambda purpose: bits_of(held, purpose))
    tell(Text("Fitting models to resampled tables"), 0.0)
    chosen = [
        _resampled(held, name, level, replicates, bits) for name in ("independent", "stepwise")
    ]
    tell(Text("Comparing models"), 0.5)
    chosen += _by_bic(held, level)
    chosen.append(_graphs(held, level, bits("graphs")))
    tell(Text("Leaving lists out"), 0.8)
    return Result(lists, gate, level, tuple(chosen), changes(held, level))


@lru_cache(maxsize=8)
def remembered(lists: Lists, level: float, replicates: int) -> Result:
    """The same, made once in a process: pages in several languages show one result."""
    return estimate(lists, level, replicates)


def _resampled(
    lists: Lists, name: Name, level: float, replicates: int, bits: Callable[[str], Source]
) -> Method:
    """Log-linear models with a bootstrap that repeats the selection; the jackknife runs along."""
    k, y = len(lists.names), lists.y
    held = np.flatnonzero(y >= 1)
    tables = np.vstack(
        [y[None], y - np.eye(len(y))[held], resampled(lists, replicates, bits("bootstrap"))]
    )
    found = select(tables, k, lists.sigma, most=0 if name == "independent" else None)
    value = float(found.people[0])
    if not np.isfinite(value):
        return Method(name, why="no_finite_estimate")
    n = 1 + len(held)
    interval = bca(
        value, found.people[n:], found.people[1:n], y[held], level, corrected=not lists.sigma
    )
    doubts: list[Doubt] = []
    if interval.degenerate[0]:
        doubts.append("low_end")
    if interval.degenerate[1]:
        doubts.append("high_end")
    high = interval.high
    if not np.isfinite(high):
        return Method(name, why="no_finite_estimate")
    places = pair_places(k)
    pairs = tuple((lists.names[a], lists.names[b]) for a, b in (places[p] for p, _p in found.order))
    low = min(interval.low, value)
    return Method(name, value, low, max(high, value), None, tuple(doubts), pairs, interval)


def _by_bic(lists: Lists, level: float) -> list[Method]:
    found = averaging.averaged(lists, level)
    if found is None:
        return [
            Method("bic", why="no_finite_estimate"),
            Method("average", why="no_finite_estimate"),
        ]
    places = pair_places(len(lists.names))
    pairs = tuple((lists.names[places[p][0]], lists.names[places[p][1]]) for p in found.pairs)
    return [Method("bic", *found.best, pairs=pairs), Method("average", *found.average)]


def _graphs(lists: Lists, level: float, source: Source) -> Method:
    if len(lists.names) > decomposable.MOST:
        return Method("graphs", why="too_many_lists")
    found = decomposable.posterior(lists, level, source)
    doubts: tuple[Doubt, ...] = ("edge",) if found.edge > decomposable.EDGE else ()
    return Method("graphs", found.middle, found.low, found.high, doubts=doubts)
