"""Costs and guarantees, checked against OpenDP and against closed formulas."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctdhub.dp.accounting import delta_of, epsilon_of, gaussian_rho, rho_of, sigma2_for
from ctdhub.dp.workload import Measurement, cost

RHOS = st.floats(1e-4, 20)
DELTAS = st.floats(1e-12, 1e-3)


@pytest.mark.parametrize("sigma2", [Fraction(1, 4), Fraction(50), Fraction(35_000)])
@pytest.mark.parametrize("delta", [1e-6, 1e-8, 1e-12])
def test_agrees_with_opendp_for_the_same_noise(sigma2: Fraction, delta: float) -> None:
    import opendp.prelude as dp

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    mechanism = space >> dp.m.then_gaussian(scale=math.sqrt(sigma2))
    rho = float(gaussian_rho(sigma2))
    assert mechanism.map(1.0) == pytest.approx(rho, rel=1e-9)
    theirs = dp.c.make_zCDP_to_approxDP(mechanism).map(1.0).epsilon(delta)
    assert epsilon_of(rho, delta) == pytest.approx(theirs, rel=1e-6)
    assert rho_of(theirs, delta) == pytest.approx(rho, rel=1e-6)


@given(rho=RHOS, delta=DELTAS)
def test_never_looser_than_the_closed_bound(rho: float, delta: float) -> None:
    """Bun and Steinke (2016), proposition 1.3."""
    assert epsilon_of(rho, delta) <= rho + 2 * math.sqrt(rho * math.log(1 / delta))


@given(rho=RHOS, epsilon=st.floats(0.01, 40), alpha=st.floats(1.01, 500))
def test_delta_is_the_best_of_all_orders(rho: float, epsilon: float, alpha: float) -> None:
    log = (alpha - 1) * (alpha * rho - epsilon) + alpha * math.log1p(-1 / alpha)
    bound = min(1.0, math.exp(min(0.0, log - math.log(alpha - 1))))
    assert delta_of(rho, epsilon) <= max(bound * (1 + 1e-6), 1e-303)  # its floor


@given(rho=RHOS, delta=DELTAS)
def test_conversions_round_to_the_safe_side(rho: float, delta: float) -> None:
    epsilon = epsilon_of(rho, delta)
    assert delta_of(rho, epsilon) <= delta
    assert rho_of(epsilon, delta) <= rho * (1 + 1e-6)
    assert delta_of(rho_of(epsilon, delta), epsilon) <= delta


def test_no_delta_is_zero_by_underflow() -> None:
    assert delta_of(1e-5, 1.0) > 0
    assert rho_of(1.0, 1e-310) == 0
    assert epsilon_of(1e-5, 1e-310) > 0


@pytest.mark.parametrize("rho", [1e-3, 0.05, 0.235, 2.0])
@pytest.mark.parametrize("epsilon", [0.1, 1.0, 4.0, 12.0])
def test_delta_bounds_the_privacy_curve_of_the_noise_itself(rho: float, epsilon: float) -> None:
    """Summed over all outcomes of one cell with and without a person (CKS 2020, definition 1)."""
    s2 = 1 / (2 * rho)
    k = np.arange(-math.ceil(40 * s2**0.5) - 3, math.ceil(40 * s2**0.5) + 4, dtype=float)
    chance = np.exp(-(k**2) / (2 * s2))
    chance, moved = chance / chance.sum(), np.exp(-((k - 1) ** 2) / (2 * s2)) / chance.sum()
    for one, other in ((chance, moved), (moved, chance)):
        exact = np.maximum(one - math.exp(epsilon) * other, 0).sum()
        assert exact <= delta_of(rho, epsilon)


@given(rho=st.floats(1e-7, 10))
def test_sigma_never_costs_more_than_it_may(rho: float) -> None:
    sigma2 = sigma2_for(rho)
    assert gaussian_rho(sigma2) <= Fraction(rho)
    assert sigma2 == Fraction(1, 256) or gaussian_rho(sigma2 - Fraction(1, 256)) > Fraction(rho)


def test_the_square_of_the_sensitivity_multiplies_the_cost() -> None:
    one = Measurement(("a",), (3,), "one_way", Fraction(8))
    assert cost((replace(one, reach=4),)) == 4 * cost((one,)) == Fraction(1, 4)


@pytest.mark.parametrize("delta", [0.0, 1.0, -1.0])
def test_delta_must_be_a_chance(delta: float) -> None:
    with pytest.raises(ValueError, match="delta"):
        epsilon_of(0.1, delta)


@pytest.mark.parametrize(("epsilon", "delta"), [(0.5, 1e-6), (1.0, 1e-6), (4.0, 1e-8)])
def test_privacy_loss_distributions_confirm_the_guarantee(epsilon: float, delta: float) -> None:
    """A numerical accountant of another house composes a hundred equal tables exactly: its epsilon
    is never above ours, and ours wastes little (dp-accounting, privacy loss distributions)."""
    from dp_accounting.pld import privacy_loss_distribution

    tables = 100
    sigma = math.sqrt(float(sigma2_for(Fraction(rho_of(epsilon, delta)) / tables)))
    one = privacy_loss_distribution.from_discrete_gaussian_mechanism(sigma)
    exact = one.self_compose(tables).get_epsilon_for_delta(delta)
    assert 0.85 * epsilon < exact <= epsilon
