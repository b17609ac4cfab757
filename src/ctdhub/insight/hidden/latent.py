"""Kinds of people that lists reach differently: a Bayesian latent class model.

Belongs here: the particles and what they say.  Does not belong here: one move (``kernels``).

D. Manrique-Vallier, 2016, Biometrics 72:1246.  People belong to unknown classes; within a class the
lists are independent.  Shares of classes come from a Dirichlet process (sticks, cut off at ten
classes), its concentration is Gamma(1/4, 1/4), chances of lists are uniform, the population N has a
prior proportional to 1/N.

The posterior often has several humps, between which a Gibbs sampler hardly ever changes.  So it is
sampled by sequential Monte Carlo (P. Del Moral, A. Doucet and A. Jasra, 2006, J. R. Stat. Soc. B
68:411): particles are drawn from the prior, the table's weight is raised from 0 to 1 in steps that
keep the particles' weights even, and after each step particles are drawn anew by weight and moved.
Independent runs are compared: where they differ by more than ``AGREED`` the result says so.

Two classes can be told apart by their lists only where there are at least four lists (the number
of lists must be at least twice the number of classes: S. Aleshin-Guendel, M. Sadinle and J.
Wakefield, 2024, J. Am. Stat. Assoc. 119:1050).  With fewer the prior would decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.insight.hidden.bits import Source
from ctdhub.insight.hidden.draws import truths, uniform, words
from ctdhub.insight.hidden.table import Bools, Floats, Lists

LEAST = 4
"""Lists."""
CLASSES, RUNS, PARTICLES = 10, 4, 500
_MOVES, _LAST = 60, 240
"""Metropolis moves of each particle after a step, and after the last one."""
_EVEN = 0.7
"""Share of particles that a step's weights are worth."""
AGREED = 0.1
"""Standard error of the median, as a share of it, up to which runs agree."""
_WORDS = 2**20


@dataclass(frozen=True)
class Particles:
    """Median and interval of the population, and how well independent runs agree.

    ``error`` is the standard error of the median between runs, as a share of the median.
    """

    middle: float
    low: float
    high: float
    error: float
    runs: int

    @property
    def agreed(self) -> bool:
        """Whether the runs agree."""
        return self.error <= AGREED


def sample(
    lists: Lists, level: float, source: Source, report: Callable[[float], None] | None = None
) -> Particles:
    """Draw from the posterior of the population.

    Where the table carries noise of protection each run takes another table that may lie behind it.

    Args:
        source: of random bits.
        report: told the share of the work that is done.
    """
    runs = 2 * RUNS if lists.sigma else RUNS
    drawn = []
    for k, table in enumerate(truths(lists, runs, source)):
        held = table > 0
        drawn.append(_Run(table[held], lists.on[held], source).unseen())
        if report:
            report((k + 1) / runs)
    medians = np.log(lists.seen + np.median(np.array(drawn), axis=1))
    ends = (0.5, (1 - level) / 2, (1 + level) / 2)
    middle, low, high = (float(lists.seen + np.quantile(drawn, p)) for p in ends)
    return Particles(middle, low, high, float(medians.std(ddof=1) / runs**0.5), runs)


class _Run:
    """One run of sequential Monte Carlo."""

    def __init__(self, people: npt.NDArray[np.int64], on: Bools, source: Source) -> None:
        self._people, self._on, self._source = people, np.ascontiguousarray(on), source
        self._share = np.empty((PARTICLES, CLASSES))
        self._catch = np.empty((PARTICLES, CLASSES, on.shape[1]))
        self._alpha, self._fit = np.empty(PARTICLES), np.empty(PARTICLES)
        self._words = words(_WORDS, source)
        self._at = np.zeros(1, dtype=np.int64)

    def unseen(self) -> npt.NDArray[np.int64]:
        """People on no list, one number for each particle."""
        from ctdhub.insight.hidden import kernels

        kernels.begin(self._share, self._catch, self._alpha, self._words, self._at)
        self._move(0.0, 0)
        heat = 0.0
        while heat < 1.0:
            heat = self._heated(heat)
            self._move(heat, _MOVES if heat < 1.0 else _LAST)
        out = np.zeros(PARTICLES, dtype=np.int64)
        self._words, self._at[0] = words(_WORDS, self._source), 0
        seen = int(self._people.sum())
        kernels.unseen(seen, self._share, self._catch, out, self._words, self._at)
        return out

    def _move(self, heat: float, times: int) -> None:
        from ctdhub.insight.hidden import kernels

        done = 0
        while True:
            done = kernels.moves(
                self._people, self._on, self._share, self._catch, self._alpha, self._fit, heat,
                times, done, self._words, self._at,
            )  # fmt: skip
            if done == PARTICLES:
                return
            # words ran out: the same ones again, with more behind them
            left = self._words[self._at[0] :]
            self._words, self._at[0] = np.concatenate([left, words(_WORDS, self._source)]), 0

    def _heated(self, heat: float) -> float:
        """The next power of the likelihood; particles are drawn anew by their weights."""
        low, high = heat, 1.0
        if _evenness(self._fit * (1.0 - heat)) < _EVEN:
            for _step in range(50):
                middle = (low + high) / 2
                if _evenness(self._fit * (middle - heat)) < _EVEN:
                    high = middle
                else:
                    low = middle
            high = max(low, heat + 1e-9)
        weights = np.exp((high - heat) * (self._fit - self._fit.max()))
        places = (np.arange(PARTICLES) + uniform((1,), self._source)[0]) / PARTICLES
        chosen = np.searchsorted(np.cumsum(weights) / weights.sum(), places).clip(0, PARTICLES - 1)
        self._share, self._catch = self._share[chosen], self._catch[chosen]
        self._alpha, self._fit = self._alpha[chosen], self._fit[chosen]
        return high


def _evenness(log_weights: Floats) -> float:
    """Effective share of particles: 1 where all weights are the same."""
    w = np.exp(log_weights - log_weights.max())
    return float(w.sum() ** 2 / (w**2).sum() / len(w))
