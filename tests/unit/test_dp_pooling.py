"""Pooling: unbiased, with the stated variance, and what generalised least squares would say."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import small_policy

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns, plan_of
from ctdhub.dp.published import pool, variances
from ctdhub.dp.workload import Measurement, Workload, measure, workload
from ctdhub.schema.model import load_schema

SIZES = {"a": 3, "b": 4, "c": 2, "d": 5}
Floats = npt.NDArray[np.float64]


def question(columns: Columns, sigma2: int | Fraction) -> Measurement:
    return Measurement(columns, tuple(SIZES[n] for n in columns), "pairs", Fraction(sigma2))


def people(rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """A table of all columns."""
    return rng.poisson(7, tuple(SIZES.values()))


def margin(joint: Floats | npt.NDArray[np.int64], columns: Columns) -> npt.NDArray[np.int64]:
    gone = tuple(axis for axis, name in enumerate(SIZES) if name not in columns)
    found: npt.NDArray[np.int64] = np.asarray(joint.sum(gone))
    return found


def parts(columns: Columns, most: int) -> list[Columns]:
    return [c for k in range(min(most, len(columns)) + 1) for c in combinations(columns, k)]


WORKLOAD: Workload = (
    question((), 9),
    question(("a",), 40),
    question(("a", "b"), 100),
    question(("b", "c"), 25),
    question(("a", "d"), 400),
    question(("a", "b", "c"), 90),
    question(("a", "b", "c", "d"), 10),
)


def test_estimates_are_unbiased_with_the_stated_variance() -> None:
    """The source is seeded, so that the outcome is fixed; six standard errors were allowed."""
    rng = np.random.default_rng(7)
    joint, runs = people(rng), 4_000
    exact = {q.columns: margin(joint, q.columns) for q in WORKLOAD}
    seen: dict[Columns, list[Floats]] = {}
    for _ in range(runs):
        for table, found in pool(measure(exact, WORKLOAD, rng.bytes), WORKLOAD).items():
            seen.setdefault(table, []).append(found.value - margin(joint, table))
    stated = variances(WORKLOAD)
    assert seen.keys() == {t for t in stated if len(t) <= 2}
    for table, all_errors in seen.items():
        errors = np.array(all_errors)
        standard = errors / stated[table] ** 0.5
        assert np.abs(standard.mean(0)).max() < 6 / runs**0.5, table
        spread = np.square(standard).mean(0)  # of mean 1 and variance 2 / runs
        assert np.abs(spread - 1).max() < 6 * (2 / runs) ** 0.5, table


def test_one_table_is_itself_and_its_sums() -> None:
    alone = question(("a", "b"), 50)
    noisy = np.random.default_rng(2).integers(-5, 90, alone.shape).astype(np.int32)
    found = pool({alone.columns: noisy}, (alone,))
    assert set(found) == {(), ("a",), ("b",), ("a", "b")}
    expected = {(): (noisy.sum(), 600), ("a",): (noisy.sum(1), 200), ("b",): (noisy.sum(0), 150)}
    for table, (value, variance) in {**expected, ("a", "b"): (noisy, 50)}.items():
        assert found[table].value == pytest.approx(value)
        assert found[table].variance == pytest.approx(variance)
        assert found[table].sd == pytest.approx(variance**0.5)


def least_squares(noisy: Counts, questions: Workload) -> Floats:
    """The joint table that explains all measurements best: one row a measured cell."""
    cells = int(np.prod(tuple(SIZES.values())))
    rows, seen = [], []
    for q in questions:
        for cell in np.ndindex(*q.shape):
            inside = np.zeros(tuple(SIZES.values()))
            at = dict(zip(q.columns, cell, strict=True))
            inside[tuple(at.get(n, slice(None)) for n in SIZES)] = 1
            rows.append(inside.ravel() / q.sigma)
            seen.append(noisy[q.columns][cell] / q.sigma)
    best = np.linalg.lstsq(np.array(rows).reshape(-1, cells), np.array(seen), rcond=None)[0]
    return np.asarray(best).reshape(tuple(SIZES.values()))


@pytest.mark.parametrize(
    ("measured", "shared"),
    [
        ([(("a", "b"), 100), (("a", "c"), 30)], ("a",)),
        ([(("a", "b"), 100), (("a", "c"), 30), (("a", "d"), 7), (("a",), 55)], ("a",)),
        ([(("a", "b", "c"), 20), (("a", "b", "d"), 80)], ("a", "b")),
        ([(("a",), 10), (("b",), 90), (("c",), 4)], ()),
        ([((), 3), (("a", "b"), 12)], ()),
        ([(("a", "c"), 3)], ("a", "c")),
    ],
)
def test_shared_margins_are_those_of_generalised_least_squares(
    measured: list[tuple[Columns, int]], shared: Columns
) -> None:
    """Where tables have no more in common than one margin, theory says that both agree on it."""
    questions = tuple(question(columns, sigma2) for columns, sigma2 in measured)
    rng = np.random.default_rng(len(measured))
    noisy = {q.columns: rng.integers(-20, 200, q.shape).astype(np.int32) for q in questions}
    best = margin(least_squares(noisy, questions), shared)
    assert pool(noisy, questions)[shared].value == pytest.approx(best, abs=1e-6)


tables = st.lists(
    st.sampled_from([c for k in range(5) for c in combinations(SIZES, k)]),
    min_size=1,
    max_size=6,
    unique=True,
)


@settings(deadline=None, max_examples=60)
@given(tables, st.data(), st.integers(1, 4))
def test_an_estimate_is_the_mean_of_all_sums_weighed_by_inverse_variance(
    chosen: list[Columns], data: st.DataObject, most: int
) -> None:
    sigma2 = st.fractions(Fraction(1, 4), 10_000, max_denominator=8)
    questions = tuple(question(t, data.draw(sigma2)) for t in chosen)
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    noisy = {
        q.columns: np.asarray(rng.integers(-50, 500, q.shape)).astype(np.int32) for q in questions
    }
    found, stated = pool(noisy, questions, most), variances(questions, most)
    wanted = {p for t in chosen for p in parts(t, most)}
    assert set(found) == wanted
    assert set(stated) == wanted | set(chosen)
    for q in questions:
        if len(q.columns) > most:
            assert stated[q.columns] == float(q.sigma2)
    for table, estimated in found.items():
        holding = [q for q in questions if set(table) <= set(q.columns)]
        value, sure = np.zeros(tuple(SIZES[n] for n in table)), 0.0
        for q in holding:
            gone = tuple(i for i, n in enumerate(q.columns) if n not in table)
            variance = float(q.sigma2) * np.prod([q.shape[i] for i in gone])
            value = value + noisy[q.columns].sum(gone) / variance
            sure += 1 / variance
        assert estimated.value == pytest.approx(value / sure, abs=1e-6)
        assert estimated.variance == pytest.approx(1 / sure)
        assert stated[table] == estimated.variance


def test_pooling_never_makes_a_table_less_sure() -> None:
    questions = workload(plan_of(small_policy(), load_schema()), 0.2)
    stated = variances(questions)
    for q in questions:
        assert stated[q.columns] <= float(q.sigma2) * (1 + 1e-12)
    assert stated[()] < min(float(q.sigma2) for q in questions if not q.columns)


def test_noisy_tables_stay_as_they_are() -> None:
    noisy = {q.columns: np.ones(q.shape, dtype=np.int32) for q in WORKLOAD}
    pool(noisy, WORKLOAD)
    assert all((table == 1).all() for table in noisy.values())
