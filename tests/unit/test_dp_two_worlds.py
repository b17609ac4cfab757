"""The two-world attack: one wide record in or out, against what epsilon promises.

An attacker who knows everybody else sees a release and says whether the record was in.  The attack
that broke an older generator of protected records guessed right almost always where epsilon 0.5
was claimed.  Thresholds are chosen so that a sound engine fails with a chance below 1e-6.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
from invented_people import protect, small_policy

from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import count, encode
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.plan import plan_of
from ctdhub.dp.workload import cost, measure, workload
from ctdhub.schema.model import load_schema

COLUMNS = ("gender", "age_band", "means_threats", "means_debt_bondage", "exploitation_sexual")
EPSILON = 0.5
POLICY = small_policy(columns=COLUMNS, epsilon=EPSILON, delta=1e-6, max_people=1000)
DOMAINS = POLICY.domains(load_schema())
WIDE = {name: domain[-1] for name, domain in DOMAINS.items()}


def world(inside: bool) -> pa.Table:
    """499 people of whom nothing is recorded, and perhaps one of whom everything is."""
    return pa.table({n: pa.array([None] * 499 + [WIDE[n]] * inside, pa.string()) for n in DOMAINS})


def least_chance(seen: int, runs: int, risk: float) -> float:
    """The chance at which ``seen`` or more of ``runs`` has probability ``risk``."""
    low, high = 0.0, 1.0
    for _ in range(60):
        p = (low + high) / 2
        more = sum(math.comb(runs, k) * p**k * (1 - p) ** (runs - k) for k in range(seen, runs + 1))
        low, high = (p, high) if more < risk else (low, p)
    return low


def epsilon_at_least(right: int, wrong: int, runs: int, risk: float) -> float:
    """A lower bound of epsilon from an attack with so many right and wrong alarms in each world
    (Clopper and Pearson 1934), itself wrong with a chance of at most twice ``risk``."""
    least = least_chance(right, runs, risk)
    most = 1 - least_chance(runs - wrong, runs, risk)
    return max(0.0, math.log(max(least - POLICY.delta, 1e-9) / most))


def test_the_bound_would_tell_a_perfect_attack() -> None:
    assert epsilon_at_least(40, 0, 40, risk=2.5e-7) > EPSILON


def test_a_wide_record_is_not_told_by_a_release(tmp_path: Path) -> None:
    runs, scores = 40, np.zeros((2, 40, 3))
    for inside in (0, 1):
        for run in range(runs):
            ledger = Ledger(tmp_path / f"{inside}-{run}")
            answer = protect(world(bool(inside)), POLICY, ledger, {})
            mine = [
                row["count"]
                for row in answer.counts.to_pylist()
                if row["columns"]
                and all(WIDE[c] == v for c, v in zip(row["columns"], row["values"], strict=True))
            ]
            scores[inside, run] = len(mine), sum(mine), answer.counts.num_rows
    for out, held in np.moveaxis(scores, 2, 0):
        for threshold in np.unique([out, held]):
            right, wrong = int((held >= threshold).sum()), int((out >= threshold).sum())
            for a, b in ((right, wrong), (runs - wrong, runs - right)):
                assert epsilon_at_least(a, b, runs, risk=1e-9) <= EPSILON


def test_the_best_attack_on_the_noisy_tables_gains_what_was_paid() -> None:
    """The log likelihood ratio of one cell in each table is close to normal with mean -rho or rho
    and variance 2 rho: more would be overspent, less would be wasted."""
    schema = load_schema()
    rho = rho_of(EPSILON, POLICY.delta)
    questions = workload(plan_of(POLICY, schema), rho)
    exact = [
        count(encode(world(inside), DOMAINS), [q.columns for q in questions])
        for inside in (False, True)
    ]
    steps = {q.columns: exact[1][q.columns] - exact[0][q.columns] for q in questions}
    assert all(sorted(set(step.ravel().tolist()))[-2:] in ([0, 1], [1]) for step in steps.values())
    assert all(step.sum() == 1 for step in steps.values())
    runs = 1500
    ratios = np.zeros((2, runs))
    for inside in (0, 1):
        for run in range(runs):
            noisy = measure(exact[inside], questions)
            ratios[inside, run] = sum(
                (float((noisy[t] - exact[0][t])[step == 1][0]) - 0.5) / float(q.sigma2)
                for q in questions
                for t, step in [(q.columns, steps[q.columns])]
            )
    spent = float(cost(questions))
    assert 0.999 * rho < spent <= rho
    slack = 6 * math.sqrt(2 * spent / runs)
    assert abs(ratios[0].mean() + spent) < slack
    assert abs(ratios[1].mean() - spent) < slack
    assert abs(ratios.var(axis=1).mean() / (2 * spent) - 1) < 6 / math.sqrt(runs)
