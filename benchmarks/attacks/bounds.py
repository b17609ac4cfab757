"""What guesses prove: lower bounds on epsilon and intervals of rates, from counts of right guesses.

A bound with ``risk`` r is wrong, that is above the true epsilon, with a chance of at most r.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt


def binomial(n: int, p: float) -> npt.NDArray[np.float64]:
    """Chances of 0..n successes in ``n`` trials.

    >>> binomial(2, 0.5).round(6).tolist()
    [0.25, 0.5, 0.25]
    """
    if p <= 0 or p >= 1:
        return np.asarray(np.eye(n + 1)[n if p >= 1 else 0])
    k = np.arange(1, n + 1)
    ways = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))])
    k = np.arange(n + 1)
    return np.asarray(np.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p)))


def one_run_chance(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Greatest chance that an (epsilon, delta) mechanism lets so many guesses be right, or more.

    Steinke, Nasr and Jagielski 2023, "Privacy auditing with one (1) training run"
    (arXiv 2305.08846), corollary 5.4 and appendix D: with W ~ Binomial(guesses, q),
    q = e^epsilon / (e^epsilon + 1),

        P(W >= right) + 2 canaries delta max over i >= 1 of P(right - i <= W < right) / i.

    Args:
        canaries: rows that were in or out by independent fair coins.
        guesses: how many of them were guessed at, fixed in advance.
        right: how many guesses were right.
    """
    if not 0 <= right <= guesses <= canaries:
        raise ValueError("right guesses are guesses, and guesses are about canaries")
    chance = binomial(guesses, 1 / (1 + math.exp(-epsilon)))
    over = float(chance[right:].sum())
    if right == 0 or delta <= 0:
        return min(1.0, over)
    under = np.cumsum(chance[:right][::-1]) / np.arange(1, right + 1)
    return min(1.0, over + 2 * canaries * delta * float(under.max()))


def one_run_epsilon(canaries: int, guesses: int, right: int, delta: float, risk: float) -> float:
    """Lower bound on epsilon from one run; 0 where the guesses prove nothing.

    The paper's own example:

    >>> round(one_run_epsilon(1000, 100, 75, 1e-4, 0.05), 3)
    0.673
    """
    low, high = 0.0, 1.0

    def refuted(epsilon: float) -> bool:
        return one_run_chance(canaries, guesses, right, epsilon, delta) < risk

    while high < 64 and refuted(high):
        low, high = high, 2 * high
    # What is returned was refuted itself, so that the chance need not grow with epsilon.
    return _last(refuted, low, high)


def least_rate(seen: int, of: int, risk: float) -> float:
    """Lower end of Clopper and Pearson's interval (1934): the rate at which ``seen`` or more has
    the chance ``risk``, rounded down.

    >>> least_rate(0, 10, 0.05), round(least_rate(10, 10, 0.05), 3)
    (0.0, 0.741)
    """
    return _last(lambda p: float(binomial(of, p)[seen:].sum()) < risk, 0.0, 1.0)


def rate(seen: int, of: int, risk: float) -> RateDifference:
    """A rate less one half with its interval by Clopper and Pearson.

    >>> rate(50, 100, 0.05).value
    0.0
    """
    if not of:
        return RateDifference(0.0, -0.5, 0.5)
    low, high = least_rate(seen, of, risk / 2), 1 - least_rate(of - seen, of, risk / 2)
    return RateDifference(seen / of - 0.5, low - 0.5, high - 0.5)


def greatest_advantage(epsilon: float, delta: float) -> float:
    """Most that guesses about people in the answer can be right oftener than about people out.

    p <= e^epsilon q + delta and 1 - q <= e^epsilon (1 - p) + delta give
    p - q <= (e^epsilon - 1 + 2 delta) / (e^epsilon + 1).

    >>> round(greatest_advantage(1.0, 0.0), 3)
    0.462
    """
    return min(1.0, (math.exp(epsilon) - 1 + 2 * delta) / (math.exp(epsilon) + 1))


def two_world_epsilon(right: int, wrong: int, runs: int, delta: float, risk: float) -> float:
    """Lower bound on epsilon from alarms in two worlds that differ by one person.

    (epsilon, delta) means P(alarm | in) <= e^epsilon P(alarm | out) + delta, and the same for
    silence with the worlds exchanged.  Each of the two rates is bounded at half the risk.

    Args:
        right: alarms in the ``runs`` of the world with the person.
        wrong: alarms in the ``runs`` of the world without.

    >>> 3.2 < two_world_epsilon(100, 0, 100, 1e-6, 0.05) < 3.3
    True
    >>> two_world_epsilon(50, 50, 100, 1e-6, 0.05)
    0.0
    """
    if runs == 0:
        return 0.0
    least = least_rate(right, runs, risk / 2)
    most = 1 - least_rate(runs - wrong, runs, risk / 2)
    alarm = _log_ratio(least - delta, most)
    silence = _log_ratio(1 - most - delta, 1 - least)
    return max(0.0, alarm, silence)


@dataclass(frozen=True)
class RateDifference:
    """A difference of two rates with its interval, all from -1 to 1."""

    value: float
    low: float
    high: float


def difference(one: tuple[float, float], other: tuple[float, float], risk: float) -> RateDifference:
    """Rate of ``one`` minus rate of ``other``, each (successes, trials); Newcombe 1998, method 10.

    >>> d = difference((56, 70), (48, 80), 0.05)  # Newcombe's own example
    >>> round(d.value, 4), round(d.low, 4), round(d.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    if min(one[1], other[1]) < 1:
        return RateDifference(0.0, -1.0, 1.0)
    z = NormalDist().inv_cdf(1 - risk / 2)
    (p1, low1, high1), (p2, low2, high2) = (_wilson(*r, z) for r in (one, other))
    value = p1 - p2
    low = value - math.hypot(p1 - low1, high2 - p2)
    high = value + math.hypot(high1 - p1, p2 - low2)
    return RateDifference(value, max(-1.0, low), min(1.0, high))


def _wilson(successes: float, trials: float, z: float) -> tuple[float, float, float]:
    """Rate and its score interval (Wilson 1927)."""
    p = successes / trials
    centre, reach = p + z * z / (2 * trials), p * (1 - p) / trials + (z / (2 * trials)) ** 2
    scale = 1 + z * z / trials
    low, high = ((centre + s * z * math.sqrt(reach)) / scale for s in (-1, 1))
    return p, low, high


def _log_ratio(one: float, other: float) -> float:
    return math.log(one / other) if one > 0 and other > 0 else -math.inf


def _last(holds: Callable[[float], bool], low: float, high: float) -> float:
    """A number at which ``holds`` was seen to hold, or ``low``, near the last such one."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
