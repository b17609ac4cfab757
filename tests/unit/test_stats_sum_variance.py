"""Sums over value sets have the variance of direct least squares, and hold the truth."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from practice_releases import YEAR, YEARS, Practice
from tests.conftest import Once

from ctdhub.dp.policy import Policy
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import ratio
from ctdhub.stats.estimator import SumVariances
from ctdhub.stats.query import Where

SIZES = {"a": 3, "b": 4, "c": 2}
DRAWN = {"a": 2.0, "a*b": 5.0, "b*c": 3.0, "a*b*c": 7.0, "": 1.5}


def least_squares() -> np.ndarray:
    """Covariance of all cells, by the normal equations."""
    cells = list(product(*(range(n) for n in SIZES.values())))
    information = np.zeros((len(cells), len(cells)))
    for key, sigma in DRAWN.items():
        axes = [list(SIZES).index(n) for n in key.split("*") if n]
        same = [[all(x[a] == y[a] for a in axes) for y in cells] for x in cells]
        information += np.array(same, float) / sigma**2
    return np.linalg.inv(information)


@pytest.mark.parametrize(
    "asked",
    [
        {"a": (0,)},
        {"b": (1, 3)},
        {"a": (0, 2), "b": (1, 2, 3)},
        {"b": (0, 1), "c": (1,)},
        {"a": (1,), "b": (0, 2), "c": (0,)},
        {"a": (0, 1, 2), "b": (2,)},
    ],
)
def test_a_sum_is_as_uncertain_as_least_squares_say(asked: dict[str, tuple[int, ...]]) -> None:
    cells = product(*(range(n) for n in SIZES.values()))
    inside = np.array(
        [all(c[list(SIZES).index(n)] in values for n, values in asked.items()) for c in cells],
        float,
    )
    found = SumVariances(DRAWN, SIZES.__getitem__).of({n: len(v) for n, v in asked.items()})
    assert math.isclose(found, inside @ least_squares() @ inside, rel_tol=1e-9)


def test_two_sums_are_as_related_as_least_squares_say() -> None:
    one = {"a": frozenset("0"), "b": frozenset("13")}
    others: list[dict[str, frozenset[str]]] = [{"b": frozenset("13")}, {}]
    for two in [*others, {"b": frozenset("0"), "c": frozenset("1")}]:
        inside = [
            np.array(
                [
                    all(str(c[list(SIZES).index(n)]) in v for n, v in asked.items())
                    for c in product(*(range(n) for n in SIZES.values()))
                ],
                float,
            )
            for asked in (one, two)
        ]
        cov = [[x @ least_squares() @ y for x in inside] for y in inside]
        found = SumVariances(DRAWN, SIZES.__getitem__).correlation(one, two)
        assert math.isclose(found, cov[0][1] / math.sqrt(cov[0][0] * cov[1][1]), rel_tol=1e-9)


def test_sums_that_no_table_holds_together_are_taken_as_independent() -> None:
    sums = SumVariances({"a*b": 5.0, "c": 2.0}, SIZES.__getitem__)
    assert sums.correlation({"a": frozenset("0")}, {"c": frozenset("1")}) == 0


def test_all_values_of_a_variable_are_no_condition() -> None:
    of = SumVariances(DRAWN, SIZES.__getitem__).of
    assert math.isclose(of({"a": 3, "b": 2}), of({"b": 2}))
    assert of({"a": 2}) < 2 * of({"a": 1})


@pytest.fixture(scope="module")
def practice(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    made = Practice.made(once, tmp_path_factory.mktemp("practice"), 4_000)
    made.policy = Policy(
        columns=(YEAR, "gender", "citizenship", "country_of_exploitation"),
        years=YEARS,
        epsilon=4.0,
    )
    return made


def test_sums_of_practice_releases_hold_the_truth_and_are_narrower_than_their_cells(
    practice: Practice,
) -> None:
    """Random sets of values, which nothing was tuned on."""
    rng, held, asked, narrower = np.random.default_rng(4), 0, 0, []
    for seed in (1, 2, 3):
        answers = Answers(practice.release(seed))
        for names in (("citizenship",), ("gender", "citizenship"), (YEAR, "citizenship")):
            key = answers.measured(*names)
            assert key
            for _draw in range(30):
                where: Where = {n: _some(answers, n, rng) for n in names}
                found, true = answers.count(where), _true(practice, where)
                assert found.low is not None
                assert found.high is not None
                held += found.low <= true <= found.high
                asked += 1
                cells = math.prod(len(list(v)) for v in where.values())
                sigma = answers.release.protected.guarantee.sigma[key]
                narrower.append((found.high - found.low) / (2 * answers.z * sigma * cells**0.5 + 2))
    assert held / asked >= 0.95
    assert np.median(narrower) < 0.95


def test_shares_of_places_hold_the_truth(practice: Practice) -> None:
    rng, held, widths = np.random.default_rng(6), [], []
    for seed in (4, 5):
        answers = Answers(practice.release(seed))
        for _draw in range(60):
            place = {"citizenship": _some(answers, "citizenship", rng)}
            part: Where = {**place, "gender": ("female",)}
            whole: Where = {**place, "gender": answers.domain("gender")}
            found, alone = answers.share(part, whole), ratio(*map(answers.count, (part, whole)))
            assert found.low is not None
            assert found.high is not None
            held.append(found.low <= _true(practice, part) / _true(practice, whole) <= found.high)
            widths.append((found.width or 0) / (alone.width or 1))
    assert np.mean(held) >= 0.95
    assert np.nanmedian(widths) < 0.8


def _some(answers: Answers, name: str, rng: np.random.Generator) -> tuple[str, ...]:
    codes = (*answers.domain(name), "")
    n = int(rng.integers(2, max(3, len(codes) // 2)))
    return tuple(str(c) for c in rng.choice(codes, n, replace=False))


def _true(practice: Practice, where: Where) -> int:
    kept = np.ones(practice.people.num_rows, bool)
    for name, values in where.items():
        column = ["" if v is None else str(v) for v in practice.people[name].to_pylist()]
        kept &= np.isin(column, list(values))
    return int(kept.sum())
