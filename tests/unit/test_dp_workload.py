"""The workload is public, costs no more than its budget, and each table is measured once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import people, small_policy

from ctdhub.dp.accounting import epsilon_of, rho_of
from ctdhub.dp.count import count, encode
from ctdhub.dp.plan import CORRIDOR, Kind, Plan, plan_of
from ctdhub.dp.policy import Policy, Weights
from ctdhub.dp.workload import _GROWTH, cost, measure, workload
from ctdhub.schema.model import load_schema

SCHEMA = load_schema()
POLICY = small_policy()


def test_default_workload_has_every_pair_once_and_the_divided_corridors() -> None:
    questions = workload(plan_of(Policy(), SCHEMA), 0.2)
    tables = [q.columns for q in questions]
    names = list(Policy().domains(SCHEMA))
    assert len(set(tables)) == len(tables)
    assert set(tables) >= {(), *((n,) for n in names), *combinations(names, 2)}
    core = {v.name for v in SCHEMA.table("people") if v.core and v.public}
    triples = {t for t in tables if len(t) == 3}
    thirds = {next(n for n in t if n not in CORRIDOR) for t in triples if {*CORRIDOR} <= {*t}}
    assert thirds == {
        "year_of_registration", "gender", "age_band", "exploitation_forced_labour",
        "exploitation_sexual", "exploitation_other", "any_exploitation", "source_type",
    }  # fmt: skip
    more = {t for t, kind in plan_of(Policy(), SCHEMA).tables.items() if kind in ADDED}
    assert triples - more == {t for t in combinations(names, 3) if core >= set(t)}
    assert max(map(len, set(tables) - more)) == 3


ADDED = ("assistance", "reports")


def test_who_is_assisted_and_what_states_report_is_measured_apart() -> None:
    plan = plan_of(Policy(), SCHEMA)
    kinds = [v.name for v in SCHEMA.records if v.kind == "status"]
    by = [("citizenship_group",), ("gender",), ("age_band",), ("country_of_exploitation",)]
    found = {t for t, kind in plan.tables.items() if kind == "assistance"}
    assert found == {
        plan.ordered((k, *t)) for k in kinds for t in (*by, ("gender", "citizenship_group"))
    }
    noise = {q.columns: float(q.sigma2) for q in workload(plan, 0.2)}
    others = [noise[t] for t, kind in plan.tables.items() if kind == "pairs"]
    pairs = [noise[t] for t in found if len(t) == 2]
    assert max(pairs) < min(others)
    without = plan_of(Policy.model_validate({"weights": {"assistance": 0, "reports": 0}}), SCHEMA)
    assert not {"assistance", "reports"} & {*without.tables.values()}
    assert all(without.tables[t] == "pairs" for t in found if len(t) == 2)
    few = small_policy(columns=("gender", "assistance_medical", "citizenship_group"))
    assert plan_of(few, SCHEMA).assistance == (
        ("assistance_medical", "citizenship_group"),
        ("assistance_medical", "gender"),
        ("assistance_medical", "citizenship_group", "gender"),
    )


DOMAINS = {
    "w": tuple(f"w{i}" for i in range(50)), "a": ("x", "y"), "v": tuple(f"v{i}" for i in range(60)),
    "b": ("x", "y", "z"), "c": ("x",), "d": ("x", "y"), "u": tuple(f"u{i}" for i in range(70)),
}  # fmt: skip
"""Wide columns w, v and u; columns b and u are not core."""
PLAN = Plan(
    DOMAINS,
    core=("a", "w", "v", "c", "d"),
    corridor=("v", "w"),
    by=("b",),
    groups=(("d", "b"), ("b", "a", "c"), ("b", "c", "d", "a"), ("a", "c")),
)


def test_kinds_of_tables() -> None:
    kinds: dict[Kind, set[str]] = {}
    for table, kind in PLAN.tables.items():
        assert table == PLAN.ordered(table)
        kinds.setdefault(kind, set()).add("".join(table))
    assert kinds == {
        "people": {""},
        "one_way": {"w", "a", "v", "b", "c", "d", "u"},
        "corridor": {"wv"},
        "corridor_by": {"wvb", "wav", "wvc", "wvd"},
        "core_pairs": {"ac", "ad", "cd"},
        "wide_pairs": {"wa", "wc", "wd", "av", "vc", "vd"},
        "core_triples": {"acd"},
        "wide_triples": {"wac", "wad", "wcd", "avc", "avd", "vcd"},
        "pairs": {"wb", "ab", "vb", "bc", "bd", "wu", "au", "vu", "bu", "cu", "du"},
        "groups": {"abc", "abcd"},
    }
    for table in replace(PLAN, corridor=None, groups=()).tables:  # two wide columns: pairs only
        assert len(table) < 3 or len(PLAN.wide.intersection(table)) < 2


@pytest.mark.parametrize("rows", [1, 3])
def test_kinds_share_the_budget_by_weight_and_tables_by_size(rows: int) -> None:
    plan, rho = replace(PLAN, rows=rows), 0.3
    questions = workload(plan, rho)
    spent: dict[Kind, float] = defaultdict(float)
    for q in questions:
        spent[q.kind] += rows**2 / (2 * float(q.sigma2))  # one row moves one cell by one
    weights = {k: w for k, w in plan.weights.model_dump().items() if k in plan.tables.values()}
    for kind, part in spent.items():
        assert part == pytest.approx(rho * weights[kind] / sum(weights.values()), rel=1e-3)
        scaled = {q.sigma2 * Fraction(q.cells) ** _GROWTH for q in questions if q.kind == kind}
        assert max(scaled) == pytest.approx(min(scaled), rel=1e-3)  # a constant within a kind
    assert sum(spent.values()) <= rho
    assert float(cost(questions)) == pytest.approx(sum(spent.values()))


def test_noise_grows_with_the_rows_of_a_person() -> None:
    one, three = (workload(replace(PLAN, rows=rows), 0.3) for rows in (1, 3))
    for q, r in zip(one, three, strict=True):
        assert r.sigma == pytest.approx(3 * q.sigma, rel=1e-3)


def test_a_kind_without_weight_is_not_measured_and_leaves_its_share_to_the_others() -> None:
    all_kinds = workload(PLAN, 0.3)
    without = replace(PLAN, weights=Weights(pairs=0, groups=0, people=0))
    some = workload(without, 0.3)
    assert {q.kind for q in all_kinds} - {q.kind for q in some} == {"pairs", "groups", "people"}
    assert cost(some) <= Fraction(0.3)
    before = {q.columns: q.sigma2 for q in all_kinds}
    assert all(q.sigma2 < before[q.columns] for q in some)


@pytest.mark.parametrize(
    "wrong",
    [
        {"core": ("q",)},
        {"corridor": ("a", "q")},
        {"by": ("q",)},
        {"groups": (("a", "q"),)},
        {"parents": {"q": ()}},
        {"rows": 0},
        {"support": 5},
        {"support": -1},
    ],
)
def test_a_plan_names_only_its_columns_and_sound_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no domain|out of range"):
        Plan(DOMAINS, **wrong)


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
    policy = Policy(
        epsilon=epsilon,
        columns=tuple(columns),
        weights={"pairs": weight},
        budget={"epsilon": 12},
    )
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
