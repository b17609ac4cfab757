"""The workload is public, costs no more than its budget, and each table is measured once."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import people, small_policy

from ctdhub.protect.accounting import epsilon_of, rho_of
from ctdhub.protect.count import count, encode
from ctdhub.protect.measure import cost, measure, workload
from ctdhub.protect.plan import CORRIDOR, plan_of
from ctdhub.protect.policy import Policy
from ctdhub.schema import load_schema

SCHEMA = load_schema()
POLICY = small_policy()


def test_default_workload_has_every_pair_once_and_the_divided_corridors() -> None:
    questions = workload(plan_of(Policy(), SCHEMA), 0.2)
    tables = [q.columns for q in questions]
    names = list(Policy().domains(SCHEMA))
    assert len(set(tables)) == len(tables)
    assert set(tables) >= {(), *((n,) for n in names), *combinations(names, 2)}
    thirds = {next(n for n in t if n not in CORRIDOR) for t in tables if len(t) == 3}
    assert thirds == {
        "year_of_registration", "gender", "age_band", "exploitation_forced_labour",
        "exploitation_sexual", "exploitation_other", "any_exploitation",
    }  # fmt: skip
    assert all(set(CORRIDOR) <= set(t) for t in tables if len(t) == 3)
    assert max(map(len, tables)) == 3


@settings(deadline=None, max_examples=30)
@given(
    epsilon=st.floats(0.05, 12),
    columns=st.lists(
        st.sampled_from(list(Policy().domains(SCHEMA))), min_size=1, max_size=8, unique=True
    ),
    weight=st.floats(0.01, 1000),
)
def test_the_cost_is_the_budget_and_never_more(
    epsilon: float, columns: list[str], weight: float
) -> None:
    policy = Policy(epsilon=epsilon, columns=tuple(columns), weights={"pairs": weight})
    rho = rho_of(epsilon, policy.delta)
    total = cost(workload(plan_of(policy, SCHEMA), rho))
    assert total <= Fraction(rho)
    assert epsilon_of(float(total), policy.delta) <= epsilon
    assert float(total) > 0.98 * rho or epsilon > 4  # grains of 1/256 show where sigma is small


def test_weights_move_the_noise() -> None:
    def sigma(**weights: float) -> float:
        questions = workload(plan_of(small_policy(weights=weights), SCHEMA), 0.2)
        return next(q.sigma for q in questions if q.columns == CORRIDOR)

    assert sigma(corridor=100) < sigma() < sigma(pairs=200)


def test_noise_is_that_of_each_question() -> None:
    questions = workload(plan_of(POLICY, SCHEMA), 0.2)
    exact = count(
        encode(people(40, POLICY), POLICY.domains(SCHEMA)), [q.columns for q in questions]
    )
    noisy = measure(exact, questions)
    assert list(noisy) == [q.columns for q in questions]
    for q in questions:
        assert noisy[q.columns].shape == exact[q.columns].shape == q.shape
        if q.cells > 2000:
            error = (noisy[q.columns] - exact[q.columns]).std()
            assert error == pytest.approx(q.sigma, rel=10 / np.sqrt(q.cells))


def test_noise_is_not_shared_between_tables() -> None:
    questions = tuple(q for q in workload(plan_of(POLICY, SCHEMA), 0.2) if len(q.columns) == 3)
    zeros = {q.columns: np.zeros(q.shape, dtype=np.int64) for q in questions}
    noisy = [table.ravel()[:200_000].astype(float) for table in measure(zeros, questions).values()]
    for a, b in combinations(noisy, 2):
        n = min(a.size, b.size)
        assert abs(np.corrcoef(a[:n], b[:n])[0, 1]) < 7 / np.sqrt(n)
