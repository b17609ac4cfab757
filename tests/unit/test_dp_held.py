"""Wide columns keep their pairs in the records, however many they are and whatever the focus is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.dp import kernels
from ctdhub.dp.count import Codes, count
from ctdhub.dp.mechanism import answer
from ctdhub.dp.plan import Plan
from ctdhub.dp.published import pool
from ctdhub.dp.synth.records import HeldColumns, NoisyTables, rounded, strength
from ctdhub.dp.workload import measure, workload

Ints = npt.NDArray[np.int64]
N = 6_000


def wide_plan(sizes: list[int], **more: object) -> Plan:
    """Wide columns w0, w1, … and two narrow ones, all of them core."""
    domains = {f"w{k}": tuple(map(str, range(size - 1))) for k, size in enumerate(sizes)}
    domains |= {"a": ("x", "y"), "b": ("x", "y", "z")}
    return Plan(domains, core=tuple(domains), **more)  # type: ignore[arg-type]


def related(plan: Plan, n: int = N, seed: int = 2) -> Codes:
    """Every wide value has few partners: the columns follow one of 60 hidden kinds."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, 61)
    kind = rng.choice(60, n, p=share / share.sum())
    columns = {}
    for name, size in plan.sizes.items():
        usual = rng.integers(0, size, (60, 2))
        columns[name] = usual[kind, (rng.random(n) < 0.25).astype(int)].astype(np.uint8)
    return Codes(columns, plan.sizes, n)


def seen(plan: Plan, codes: Codes, rho: float) -> NoisyTables:
    questions = workload(plan, rho)
    exact = count(codes, [q.columns for q in questions])
    noisy = measure(exact, questions, np.random.default_rng(1).bytes)
    return NoisyTables.of(noisy, questions, pool(noisy, questions))


def distance(a: Ints, b: Ints) -> float:
    """Total variation distance."""
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


@pytest.mark.parametrize("focus", [None, ("w0", "w1")])
@pytest.mark.parametrize("wide", [2, 3, 4])
def test_every_pair_of_wide_columns_is_kept(wide: int, focus: tuple[str, str] | None) -> None:
    plan = wide_plan([150, 200, 140, 131][:wide], corridor=focus)
    names = tuple(n for n in plan.domains if n in plan.wide)
    codes = related(plan)
    measured = seen(plan, codes, rho=20.0)
    held = HeldColumns(measured, plan, names, N, np.random.default_rng(3).bytes)
    assert len(held.tree) == wide - 1
    assert {*held.codes} == {*names}
    assert held.met == {*combinations(names, 2)}
    made = Codes({n: c.astype(np.uint8) for n, c in held.codes.items()}, plan.sizes, N)
    pairs = list(combinations(names, 2))
    found, exact = count(made, pairs), count(codes, pairs)
    for pair in pairs:
        alone = np.outer(exact[pair].sum(1), exact[pair].sum(0))
        assert distance(alone, exact[pair]) > 0.5
        assert distance(found[pair], exact[pair]) < 0.05, pair
    if focus:  # laid first, and kept
        assert np.array_equal(found[focus], held.pairs[focus])


def test_a_table_of_three_wide_columns_steers_them() -> None:
    """x and y are independent coins, z says whether they agree: no pair tells it."""
    rng, n = np.random.default_rng(5), 3_000
    x, y = rng.integers(0, 140, (2, n))
    z = (x + y) % 2
    plan = wide_plan([141, 141, 141], groups=(("w0", "w1", "w2"),))
    few = [x % 4 + 1, y % 4 + 1, z + 1]
    columns = {f"w{k}": c.astype(np.uint8) for k, c in enumerate(few)}
    columns |= {"a": np.zeros(n, np.uint8), "b": np.zeros(n, np.uint8)}
    codes = Codes(columns, plan.sizes, n)
    measured = seen(plan, codes, rho=2_000.0)
    held = HeldColumns(measured, plan, ("w0", "w1", "w2"), n, np.random.default_rng(3).bytes)
    assert ("w0", "w1", "w2") in held.met
    right = (held.codes["w0"] + held.codes["w1"]) % 2 == held.codes["w2"] - 1
    assert right.mean() > 0.95


def test_an_answer_names_no_table_that_its_records_were_not_fitted_to() -> None:
    groups = (("w0", "w1", "a"), ("w0", "a", "b"), ("w0", "w1", "a", "b"))
    plan = wide_plan([135, 130], groups=groups)
    found = answer(related(plan, 400), plan, 5.0, np.random.default_rng(1).bytes)
    assert found.not_fitted == ()
    assert "w0*w1*a*b" in found.sigma


# Rounding, strength, exchange


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_rows_are_rounded_to_their_sums(rows: int, cols: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.integers(0, 6, (rows, cols)) * rng.integers(0, 2, (rows, 1))
    sums = rng.integers(0, 50, rows)
    found = rounded(shares, sums, rng.random(rows))
    assert found.min() >= 0
    assert found.sum(1).tolist() == sums.tolist()
    exact = shares / np.maximum(shares.sum(1, keepdims=True), 1) * sums[:, None]
    full = shares.sum(1) > 0
    assert (np.abs(found - exact)[full] < 1 + 1e-6).all()
    kept = np.where(full, shares.sum(1), 0)
    assert np.array_equal(rounded(shares, kept, rng.random(rows))[full], shares[full])


def test_the_stronger_pair_is_stronger() -> None:
    assert strength(np.diag([5, 5, 5])) > strength(np.array([[8, 2], [2, 8]])) > 0


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 60), st.integers(1, 3), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_exchanges_keep_the_values_and_lower_the_misfit(
    people: int, tables: int, values: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, values, people)
    before = codes.copy()
    rows = 3
    others = rng.integers(0, rows, (people, tables))
    own = others + rows * np.arange(tables)
    weight = rng.choice([0.25, 0.5, 1.0], tables).astype(np.float32)
    target = rng.integers(0, 6, (rows * tables, values)).astype(float)

    def left(held: Ints) -> npt.NDArray[np.float64]:
        counted = np.zeros_like(target)
        for t in range(tables):
            np.add.at(counted, (own[:, t], held), 1)
        return counted - target

    def misfit(held: Ints) -> float:
        return float((np.repeat(weight, rows)[:, None] * left(held) ** 2).sum())

    scale = np.repeat(weight, rows)[:, None]
    far = (scale * left(codes)).astype(np.float32)
    moved = kernels.exchange(
        codes, rng.permutation(people), own, far, weight, rng.integers(2**63, dtype=np.uint64), 6
    )
    assert np.array_equal(np.sort(codes), np.sort(before))
    assert np.array_equal(far, (scale * left(codes)).astype(np.float32))
    assert misfit(codes) < misfit(before) if moved else np.array_equal(codes, before)
