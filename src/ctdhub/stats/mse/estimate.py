"""All methods on one table, side by side; there is no headline among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ctdhub.core.i18n import Text
from ctdhub.stats.mse import averaging, decomposable
from ctdhub.stats.mse.bca import bootstrap_interval
from ctdhub.stats.mse.bootstrap import resampled
from ctdhub.stats.mse.heterogeneity import Uneven, uneven
from ctdhub.stats.mse.lists import Floats, Lists, pair_places
from ctdhub.stats.mse.methods import Doubt, Method, Name
from ctdhub.stats.mse.overlap_check import Gate, pass_gate
from ctdhub.stats.mse.seeded_bits import Source, bits_of
from ctdhub.stats.mse.sensitivity import SensitivityChange, WrongLinks, changes
from ctdhub.stats.mse.stepwise import select
from ctdhub.stats.mse.strata import Label, Strata, stratified

Report = Callable[[Text, float], None]

LEVEL, REPLICATES = 0.95, 1000


@dataclass(frozen=True)
class Result:
    """All that is said about the population behind some lists.

    Attributes:
        lists: as they were given.
        gate: what may be estimated from; where it refuses there are no methods and no changes.
        level: of the intervals, in 0..1.
        methods: side by side, in a fixed order.
        changes: the sensitivity of the estimates.
        uneven: the rows if people differ in how easily they are found; None where the gate refuses.
        strata: the estimates within strata; None where none were asked for.
        links: what is known of the links behind the lists; None where nothing is.
    """

    lists: Lists
    gate: Gate
    level: float
    methods: tuple[Method, ...]
    changes: tuple[SensitivityChange, ...]
    uneven: Uneven | None = None
    strata: Strata | None = None
    links: WrongLinks | None = None

    @property
    def found(self) -> tuple[Method, ...]:
        """The methods that gave a number that nothing speaks against."""
        return tuple(m for m in self.methods if m.value is not None and not m.doubts)

    @property
    def spread(self) -> tuple[float, float] | None:
        """The smallest and the largest estimate; None where there is none."""
        values = [m.value for m in self.found if m.value is not None]
        return (min(values), max(values)) if values else None

    @property
    def intervals(self) -> tuple[float, float] | None:
        """The lowest and the highest end of the intervals of the methods, which all take people to
        be equally easy to find."""
        return _ends(self.found)

    @property
    def reach(self) -> tuple[float, float] | None:
        """The range that is said to hold the population: the lowest and the highest end of all
        intervals, those of the rows if people differ and of strata included; widened by what is
        known of the links.

        None where no range may be claimed: the lists hint that people differ, or cannot be asked,
        or so many links may be wrong that nothing can be estimated.
        """
        if self.uneven is None or self.uneven.hinted or not self.uneven.asked or not self.found:
            return None
        ends = _ends((*self.found, *self.uneven.rows, *(self.strata.rows if self.strata else ())))
        if ends is None or self.links is None:
            return ends
        moved = self._moved
        return None if moved is None else (ends[0] * moved[0], ends[1] * moved[1])

    @property
    def linked(self) -> tuple[float, float] | None:
        """The spread, moved by as much as wrong links that are known of may move estimates.

        None where nothing is known of the links, or so many may be wrong that there is no
        estimate.
        """
        if self.spread is None or self.links is None or self._moved is None:
            return None
        return self.spread[0] * self._moved[0], self.spread[1] * self._moved[1]

    @property
    def _moved(self) -> tuple[float, float] | None:
        """The least and the largest factor by which known wrong links move an estimate."""
        if self.links is None or self.links.too_many:
            return None
        found: dict[str, float | None] = {m.name: m.value for m in self.methods}
        times = [1.0]
        for change in (c for c in self.changes if c.known):
            for name, other in (("independent", change.independent), ("stepwise", change.stepwise)):
                own = found.get(name)
                if own is not None and other is None:
                    return None
                if own and other is not None:
                    times.append(other / own)
        return min(times), max(times)


def _ends(methods: Sequence[Method]) -> tuple[float, float] | None:
    ends = [(m.low, m.high) for m in methods if m.low is not None and m.high is not None]
    return (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else None


def estimate(
    lists: Lists,
    level: float = LEVEL,
    replicates: int = REPLICATES,
    source: Callable[[str], Source] | None = None,
    report: Report | None = None,
    strata: Mapping[Label, Lists] | None = None,
    links: WrongLinks | None = None,
) -> Result:
    """Estimate by all methods.

    Args:
        level: of the intervals, in 0..1.
        replicates: tables of the bootstrap.
        source: random bits for a purpose; by default those that belong to the table, so that
            the same table always gives the same numbers.
        report: told (message, fraction).
        strata: the same lists, counted within strata.
        links: what is known of the links behind the lists.
    """
    tell = report or (lambda message, fraction: None)
    gate = pass_gate(lists, level)
    if gate.lists is None:
        return Result(lists, gate, level, (), ())
    held = gate.lists
    bits = source or (lambda purpose: bits_of(held, purpose))
    tell(Text("Fitting models to resampled tables"), 0.0)
    chosen = _resampled(held, level, replicates, bits("bootstrap"))
    parts = {label: _without(part, gate.alone) for label, part in (strata or {}).items()}
    within = stratified(parts, level, replicates, bits("strata")) if parts else None
    tell(Text("Comparing models"), 0.5)
    chosen += _by_bic(held, level)
    chosen.append(_graphs(held, level, bits("graphs")))
    tell(Text("Leaving lists out"), 0.8)
    differing = uneven(held, level, chosen[0].value)
    changed = changes(held, level, links)
    return Result(lists, gate, level, tuple(chosen), changed, differing, within, links)


def _without(lists: Lists, names: Sequence[str]) -> Lists:
    for name in names:
        lists = lists.without(name)
    return lists


@lru_cache(maxsize=8)
def remembered(
    lists: Lists,
    level: float,
    replicates: int,
    strata: tuple[tuple[Label, Lists], ...] = (),
    links: WrongLinks | None = None,
) -> Result:
    """The same, made once in a process: pages in several languages show one result."""
    return estimate(lists, level, replicates, strata=dict(strata), links=links)


def _resampled(lists: Lists, level: float, replicates: int, source: Source) -> list[Method]:
    """Log-linear models with a bootstrap that repeats the selection; the jackknife runs along."""
    k, y = len(lists.names), lists.y
    held = np.flatnonzero(y >= 1)
    tables = np.vstack([y[None], y - np.eye(len(y))[held], resampled(lists, replicates, source)])
    found = select(tables, k, lists.sigma)
    places, n = pair_places(k), 1 + len(held)
    pairs = tuple((lists.names[a], lists.names[b]) for a, b in (places[p] for p, _p in found.order))

    def method(name: Name, people: Floats, pairs: tuple[tuple[str, str], ...]) -> Method:
        value = float(people[0])
        if not np.isfinite(value):
            return Method(name, why="no_finite_estimate")
        made = bootstrap_interval(value, people[n:], people[1:n], y[held], level)
        if not np.isfinite(made.high):
            return Method(name, why="no_finite_estimate")
        low, high = min(made.low, value), max(made.high, value)
        return Method(name, value, low, high, pairs=pairs, bootstrap=made)

    return [method("independent", found.alone, ()), method("stepwise", found.people, pairs)]


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
