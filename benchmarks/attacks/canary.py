"""The one-run canary attack: many planted people, each in or out by a coin, one run, many guesses.

Steinke, Nasr and Jagielski 2023, "Privacy auditing with one (1) training run" (arXiv 2305.08846).
Canaries are drawn from the public domains, so that they do not depend on the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attacks.bounds import RateDifference, one_run_epsilon, rate
from attacks.similarity import Likeness
from attacks.views import Setting, View, cells, chosen, joined, packed
from ctdhub.dp import noise
from ctdhub.dp.count import Codes, Counts
from ctdhub.dp.plan import Plan

SHARES = (1.0, 0.5, 0.25, 0.1)
"""Shares of the canaries that are guessed at, the rest being passed over; fixed in advance."""

MOST = 2000
"""Most canaries: their agreements form a square matrix."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CanaryAttack:
    """What one run proved.

    Attributes:
        canaries: how many there were.
        guesses, right: at the share of :data:`SHARES` that proved most.
        epsilon: lower bound on epsilon.
        gain: share of right guesses less one half, with its interval.
    """

    canaries: int
    guesses: int
    right: int
    epsilon: float
    gain: RateDifference


def canaries(plan: Plan, number: int) -> Codes:
    """That many rows, every code of every column equally likely, from the system's generator."""
    columns = {}
    for name, size in plan.sizes.items():
        # The bias of a 64-bit word modulo a few hundred codes is below 1e-16.
        columns[name] = packed(noise.words(number) % np.uint64(size), size)
    return Codes(columns, dict(plan.sizes), number)


def attack(
    setting: Setting, people: Codes, planted: Codes, view: View, risk: float
) -> CanaryAttack:
    """Plant canaries by fair coins, run once, guess, and bound epsilon.

    Args:
        people: everybody else, whom the guesser knows.
        planted: see :func:`canaries`; at most :data:`MOST`.
        view: what is seen of the run, ``setting.published`` or ``setting.measured``.
        risk: chance that the bound is above the true epsilon.
    """
    coins = (noise.words(planted.people) & np.uint64(1)).astype(bool)
    seen = view(joined(people, chosen(planted, coins)))
    guessers = [scores(planted, seen.tables, setting, setting.count(people))]
    if seen.records:
        guessers.append(copies(planted, seen.records))
    found = [judged(s, coins, setting.delta, risk / len(guessers)) for s in guessers]
    return max(found, key=lambda f: (f.epsilon, f.gain.low))


def judged(score: Floats, coins: npt.NDArray[np.bool_], delta: float, risk: float) -> CanaryAttack:
    """Guess "in" for the highest scores and "out" for the lowest, and bound epsilon.

    The risk is divided between the numbers of guesses that are tried.
    """
    m, order = coins.size, np.argsort(score, kind="stable")
    tried = []
    for share in SHARES:
        half = round(m * share / 2)
        right = int((~coins[order[:half]]).sum() + coins[order[m - half :]].sum())
        epsilon = one_run_epsilon(m, 2 * half, right, delta, risk / len(SHARES))
        gain = rate(right, 2 * half, risk / len(SHARES))
        tried.append(CanaryAttack(m, 2 * half, right, epsilon, gain))
    return max(tried, key=lambda t: (t.epsilon, t.gain.low))


def scores(planted: Codes, seen: Counts, setting: Setting, known: Counts) -> Floats:
    """How much the tables speak for each canary being in; shape (canaries,).

    A noisy cell y that holds canaries x_j (0 or 1) over a known rest b is close to normal with
    mean b + sum x_j and variance sigma squared.  So the log-likelihood is quadratic in x; with a
    normal prior of mean 1/2 and variance 1/4 its greatest point solves (4 I + G) (x - 1/2) = r,
    where G sums 1 / sigma squared over the tables in which two canaries share a cell, and r sums
    (y - b - half the canaries of the cell) / sigma squared.  The score is x - 1/2.
    """
    m = planted.people
    agree, pull = 4.0 * np.eye(m), np.zeros(m)
    for q in setting.questions:
        key = cells(planted, q, setting.plan)
        ranks = np.unique(key, return_inverse=True)[1].astype(np.int32)
        same = ranks[:, None] == ranks
        below, weight = known[q.columns].ravel()[key], 1 / float(q.sigma2)
        agree += same * weight
        pull += (seen[q.columns].ravel()[key] - below - same.sum(1) / 2) * weight
    return np.asarray(np.linalg.solve(agree, pull))


def copies(planted: Codes, records: Codes) -> Floats:
    """How alike the most similar protected record is, then how many are so; shape (canaries,)."""
    if not records.people:
        return np.zeros(planted.people)
    alike = Likeness.of(planted, records)
    found = []
    for shared in alike.shared():
        most = shared.max()
        found.append(float(most) + float(alike.times[shared == most].sum()) / (records.people + 1))
    return np.array(found)
