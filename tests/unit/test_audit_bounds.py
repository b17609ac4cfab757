"""What guesses prove: lower bounds are wrong no oftener than they say, and come near the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctdhub.dp.audit.bounds import (
    binomial,
    difference,
    least_rate,
    one_run_chance,
    one_run_epsilon,
    two_world_epsilon,
)
from ctdhub.dp.audit.canary import judged


def chances(n: int, p: float) -> list[float]:
    return [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]


def response(epsilon: float) -> float:
    """The chance that randomised response tells the truth; its true epsilon is known."""
    return math.exp(epsilon) / (1 + math.exp(epsilon))


@given(st.integers(0, 60), st.floats(0, 1))
def test_binomial_chances(n: int, p: float) -> None:
    assert binomial(n, p) == pytest.approx(chances(n, p), abs=1e-12)


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0, 3.0])
def test_one_run_bound_on_randomised_response_is_wrong_no_oftener_than_it_says(
    epsilon: float,
) -> None:
    """Each canary's coin is told truly with the chance of randomised response: exact coverage."""
    m, risk = 200, 0.05
    wrong = sum(
        chance
        for right, chance in enumerate(binomial(m, response(epsilon)))
        if one_run_epsilon(m, m, right, 0.0, risk) > epsilon
    )
    assert 0.2 * risk < wrong <= risk  # not for nothing either


def test_one_run_bound_comes_near_a_known_epsilon() -> None:
    rng, m, risk, epsilon = np.random.default_rng(5), 2000, 1e-8, 1.0
    found = []
    for _ in range(20):
        coins = rng.random(m) < 0.5
        told = np.where(rng.random(m) < response(epsilon), coins, ~coins)
        score = told + 1e-3 * rng.random(m)
        found.append(judged(score, coins, 0.0, risk).epsilon)
    assert max(found) <= epsilon
    assert float(np.median(found)) > 0.6 * epsilon


def test_a_mechanism_that_tells_all_is_beyond_any_claim() -> None:
    assert one_run_epsilon(1000, 1000, 1000, 1e-8, 1e-6) > 4


@given(st.integers(1, 80), st.data())
def test_delta_and_doubt_only_weaken_the_one_run_bound(m: int, data: st.DataObject) -> None:
    guesses = data.draw(st.integers(0, m))
    right = data.draw(st.integers(0, guesses))
    base = one_run_epsilon(m, guesses, right, 1e-6, 1e-3)
    assert one_run_epsilon(m, guesses, right, 1e-4, 1e-3) <= base + 1e-9
    assert one_run_epsilon(m, guesses, right, 1e-6, 1e-6) <= base + 1e-9
    assert base == 0 or one_run_chance(m, guesses, right, base, 1e-6) <= 1e-3


def test_delta_term_of_the_one_run_chance_by_hand() -> None:
    """Three guesses, two right, epsilon 0: P(W >= 2) = 1/2, and the greatest of P(2-i <= W < 2)/i
    is 3/8 (i = 1) against 4/8 / 2 (i = 2)."""
    assert one_run_chance(10, 3, 2, 0.0, 0.01) == pytest.approx(0.5 + 2 * 10 * 0.01 * 3 / 8)


def test_impossible_guesses_are_refused() -> None:
    with pytest.raises(ValueError, match="guesses"):
        one_run_chance(10, 11, 3, 1.0, 0.0)


@given(st.integers(1, 40), st.data())
def test_least_rate_inverts_the_tail(n: int, data: st.DataObject) -> None:
    seen = data.draw(st.integers(1, n))
    rate = least_rate(seen, n, 0.01)
    assert sum(chances(n, rate)[seen:]) == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_two_world_bound_is_wrong_no_oftener_than_it_says(epsilon: float) -> None:
    runs, risk, p = 20, 0.1, response(epsilon)
    wrong = sum(
        a * b
        for right, a in enumerate(chances(runs, p))
        for false, b in enumerate(chances(runs, 1 - p))
        if a * b > 1e-9 and two_world_epsilon(right, false, runs, 0.0, risk) > epsilon
    )
    assert wrong <= risk


def test_two_world_bound_hears_silence_too() -> None:
    """A mechanism that is silent about the person in, and never otherwise, is as bad."""
    assert two_world_epsilon(50, 0, 100, 0.0, 0.05) == pytest.approx(
        two_world_epsilon(100, 50, 100, 0.0, 0.05)
    )
    assert two_world_epsilon(0, 0, 0, 0.0, 0.05) == 0


def test_noise_widens_an_interval_and_nothing_seen_says_nothing() -> None:
    exact, noisy = difference((50, 100), (40, 100)), difference((50, 100), (40, 100), noise=10.0)
    assert noisy.low < exact.low < exact.value < exact.high < noisy.high
    empty = difference((0, 0), (0, 0))
    assert (empty.low, empty.high) == (-1, 1)
