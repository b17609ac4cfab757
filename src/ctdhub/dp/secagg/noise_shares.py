"""Noise in shares: each contributor adds its own to its counts, so that nobody sees an exact sum.

Of the contributors in a sum, c may work with the hub or add wrong noise or none; the plan says how
many.  The honest ones suffice: each adds N_Z(0, s) with s = sigma^2 / h, where h is the least
number of honest contributors in any sum that can be uncovered (:func:`guarding`).  More shares than
h only add noise, and who drops out takes its share along.

**A sum of discrete Gaussians** is not one, but nearly.  Claim: the sum P of h draws of N_Z(0, s)
and the discrete Gaussian g of N_Z(0, h s) satisfy |ln P(k) / g(k)| <= tau for every k, where

    tau = sum over k = 1 .. h - 1 of 4 S_k / (1 - 2 S_k),  S_k = r / (1 - r),
    r = exp(-2 pi^2 s k / (k + 1)).

Proof.  For independent N_Z(0, a) and N_Z(0, b), complete the square: the sum is k with probability
proportional to exp(-k^2 / 2(a + b)) theta(k a / (a + b)), where theta(u) is the sum over integers j
of exp(-(j - u)^2 / 2c), c = a b / (a + b).  By Poisson summation theta(u) is sqrt(2 pi c) times
1 + 2 sum over m >= 1 of exp(-2 pi^2 c m^2) cos(2 pi m u), which lies within 1 - 2S and 1 + 2S times
sqrt(2 pi c), for S at least the sum of r^(m^2).  So the sum differs from N_Z(0, a + b) by a factor
that varies by at most (1 + 2S) / (1 - 2S); both being distributions, so far is each ratio from 1.
The logarithm is at most 2S + 2S / (1 - 2S) <= 4S / (1 - 2S).  Convolution keeps such bounds, and
induction with a = k s, b = s, hence c = s k / (k + 1), adds them up.

**Cost in rho.**  Say that in all tables together one person changes integer cells by a vector of
squared length at most reach_t in each table t.  With T the sum of reach_t tau_t and
rho_0 the sum of reach_t / (2 h s_t), the cost is at most rho_0 + 2 T + 2 sqrt(T rho_0).

Proof.  An integer vector has at most as many cells that are not 0 as its squared length.  Where a
cell does not change its factor in the divergence is 1; in the others P is within tau of g.  So
D_alpha(P || shifted P) <= alpha rho_0 + (2 alpha - 1) / (alpha - 1) T, by theorem 4 of Canonne,
Kamath and Steinke (2020) for g.  Take any x > 0.  For alpha >= 1 + x this is at most
alpha (rho_0 + (2 + 1/x) T); for smaller alpha, D_alpha is at most D at 1 + x, hence at most
alpha ((1 + x) rho_0 + (2 + 1/x) T).  Both are at most alpha times rho_0 + x rho_0 + (2 + 1/x) T;
x = sqrt(T / rho_0) gives the claim.

What liars send, and shares beyond h, are independent of these h shares: post-processing.  The bound
is that of Kairouz, Liu and Steinke (ICML 2021), proposition 14, whose dimension is here the number
of cells that one person can change.  Skellam noise, which adds up without error, would need another
exact sampler for no gain: at s >= 4 tau is below 1e-16.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ctdhub.dp.noise import Bits, sampler
from ctdhub.dp.plan import Plan
from ctdhub.dp.secagg.layout import Cells, SecaggLayout
from ctdhub.dp.workload import Workload, cost, workload

LEAST_SHARE = Fraction(4)
"""No share has less variance, so that sums are as good as discrete Gaussians."""

_GRAIN = 256
_SPARE = 1e-5
"""Part of the cost that is set aside for sums that are not exactly discrete Gaussians."""


def guarding(contributors: int, threshold: int, liars: int) -> int:
    """The least number of honest contributors in any sum that hub and liars can uncover.

    A hub that follows the protocol uncovers one sum, with ``threshold - liars`` of them or more.
    One that deceives tells each of the n - c honest contributors another set of at least t; of a
    sum over S it holds that (n - c - |S|)(t - c) <= (n - c)(n - t), see "Counts without records".

    Args:
        liars: c, from 0; less than 2t - n.

    >>> [guarding(3, 3, 1), guarding(5, 4, 1), guarding(10, 7, 1)]
    [2, 3, 5]
    """
    n, t, c = contributors, threshold, liars
    if not 0 <= c < 2 * t - n or t > n:
        raise ValueError("more than half of the honest contributors must answer")
    return -(-(n - c) * (2 * t - n - c) // (t - c))


def least_threshold(contributors: int, liars: int) -> int:
    """The least threshold with which liars and hub single nobody out.

    >>> [least_threshold(5, 1), least_threshold(5, 4)]
    [4, 5]
    """
    return (contributors + liars) // 2 + 1


def share_workload(plan: Plan, rho: float, honest: int) -> Workload:
    """Each table with the noise of one contributor's share.

    Args:
        plan: of the sum.
        rho: the most that a sum with ``honest`` shares in it may cost.

    Raises:
        PolicyError: a table would get more noise than can be drawn.
    """
    parts = tuple(
        replace(q, sigma2=max(LEAST_SHARE, _up(q.sigma2 / honest)))
        for q in workload(plan, rho * (1 - _SPARE))
    )
    if cost_of(parts, honest) > rho:
        raise ArithmeticError("shares of noise cost more than their budget")
    return parts


def summed_workload(shares: Workload, contributors: int) -> Workload:
    """Each table with the noise of so many shares together."""
    return tuple(replace(q, sigma2=q.sigma2 * contributors) for q in shares)


def cost_of(shares: Workload, honest: int) -> float:
    """Cost in rho of a sum with so many honest shares, rounded up; see the head of this module."""
    gauss = float(cost(summed_workload(shares, honest)))
    away = sum(q.reach * closeness(q.sigma2, honest) for q in shares)
    return (gauss + 2 * away + 2 * math.sqrt(away * gauss)) * (1 + 1e-9)


def closeness(share: Fraction, terms: int) -> float:
    """A bound tau of |ln P(k) / g(k)| for the sum of so many draws, rounded up.

    >>> closeness(Fraction(4), 1), closeness(Fraction(4), 3) < 1e-16
    (0.0, True)
    """
    found = 0.0
    for k in range(1, terms):
        r = max(1e-300, math.exp(-2 * math.pi**2 * float(share) * k / (k + 1)))
        most = r / (1 - r)
        if 2 * most >= 1:
            raise ValueError("a share has too little noise")
        found += 4 * most / (1 - 2 * most)
    return found * (1 + 1e-9)


def with_noise(counts: Cells, layout: SecaggLayout, shares: Workload, source: Bits) -> Cells:
    """Counts with one contributor's share of noise, modulo 2^32."""
    noisy = counts.copy()
    for q in shares:
        drawn = sampler(q.sigma2).draw(q.cells, source).astype(np.uint32)
        part = layout.table(noisy, q.columns)
        part += drawn.reshape(q.shape)
    return noisy


def beyond(sigma2: Iterable[Fraction], cells: int) -> list[float]:
    """How far noise reaches in each table: all of so many cells stay inside but once in a million.

    N_Z(0, sigma^2) and sums of shares exceed m with probability at most exp(-m^2 / 2 sigma^2).
    """
    return [math.sqrt(2 * float(s) * math.log(2e6 * max(1, cells))) for s in sigma2]


def _up(sigma2: Fraction) -> Fraction:
    return Fraction(math.ceil(_GRAIN * sigma2), _GRAIN)
