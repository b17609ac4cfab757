"""Intervals cover what they say, also among the counts chosen to be shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain, combinations

import numpy as np
import pytest
from least_squares import reconciled

from ctdhub.border import COUNTS, SHOWN, Estimate, highest_unseen, unseen_end
from ctdhub.dp.published import (
    Estimated,
    ShownCells,
    case_records,
    choose,
    counts_table,
    pool,
    published,
    published_cells,
    radius,
    shown_cells,
    tail,
    total_people,
)
from ctdhub.dp.workload import Measurement, measure

LEVEL, SHARE = 0.95, 0.005


def allowed(n: int, chance: float) -> float:
    """Most misses of n that a chance allows, but for one in 1e9 (Bernstein)."""
    return n * chance + math.sqrt(2 * 21 * n * chance) + 14


@pytest.mark.parametrize("sigma2", [Fraction(1, 4), Fraction(5), Fraction(30_000)])
@pytest.mark.parametrize("alpha", [0.05, 1e-3, 1e-6])
def test_radius_is_the_exact_quantile(sigma2: Fraction, alpha: float) -> None:
    k = np.arange(-5000, 5001)
    weight = np.exp(-(k**2) / (2 * float(sigma2)))
    weight /= weight.sum()
    r = radius(sigma2, alpha)
    assert weight[np.abs(k) > r].sum() <= alpha * (1 + 1e-9)
    assert r == 0 or weight[np.abs(k) > r - 1].sum() > alpha
    assert tail(sigma2)[r] == pytest.approx(weight[np.abs(k) > r].sum(), rel=1e-6)


@pytest.mark.parametrize("rest", ["empty", "small", "large"])
def test_published_intervals_cover_and_few_shown_cells_are_empty(rest: str) -> None:
    rng = np.random.default_rng(5)
    sigma2, cells, runs = Fraction(16), 5_000, 40
    shown = missed = empty = 0
    for _ in range(runs):
        truth = np.zeros(cells, dtype=np.int64)
        truth[:300] = rng.geometric(0.02, 300)
        if rest == "small":
            truth[300:] = rng.geometric(0.2, cells - 300)
        if rest == "large":
            truth[300:] = rng.integers(100, 1000, cells - 300)
        question = Measurement(("a",), (cells,), "one_way", sigma2)
        noisy = measure({("a",): truth}, (question,))[("a",)]
        found = choose(noisy, sigma2, LEVEL, SHARE)
        value, true = noisy[found.cells], truth[found.cells]
        assert (value > found.radius).all()  # shown means that the low end is above zero
        shown += value.size
        missed += int((np.abs(value - true) > found.radius).sum())
        empty += int((true == 0).sum())
    assert shown > 1000
    assert missed <= allowed(shown, 1 - LEVEL)
    assert empty <= allowed(shown, SHARE)


@pytest.mark.parametrize("share", [0.05, SHARE, 1e-3, 1e-6])
@pytest.mark.parametrize("large", [0, 1, 60])
def test_no_estimate_of_a_cell_that_is_not_shown_is_above_what_is_said_of_it(
    share: float, large: int
) -> None:
    """By the policy's own share: a stricter one leaves cells with larger estimates out."""
    noisy = np.zeros(100, dtype=np.int64)
    noisy[1 : 1 + large] = 1_000
    for estimate in range(200):
        noisy[0] = estimate
        found = choose(noisy, 100.0, LEVEL, share).cells
        if 0 not in found:
            assert estimate <= highest_unseen(10.0, noisy.size, found.size, share)


@pytest.mark.parametrize("sigma2", [Fraction(2), Fraction(60)])
def test_intervals_of_pooled_tables_cover_as_well(sigma2: Fraction) -> None:
    """The pair is measured, and is a margin of two triples: less noise than its own."""
    rng, sizes = np.random.default_rng(8), {"a": 40, "b": 50, "c": 2, "d": 3}
    tables = [("a", "b"), ("a", "b", "c"), ("a", "b", "d")]
    asked = tuple(Measurement(t, tuple(sizes[n] for n in t), "pairs", sigma2) for t in tables)
    shown = missed = empty = 0
    for _ in range(60):
        truth = rng.poisson(rng.gamma(0.1, 30, tuple(sizes.values())))
        exact = {t: truth.sum(tuple(i for i, n in enumerate(sizes) if n not in t)) for t in tables}
        pooled = pool(measure(exact, asked), asked)[tables[0]]
        assert pooled.variance < float(sigma2)
        table = np.rint(pooled.value).astype(np.int64)
        found = choose(table, published(asked[0], pooled.variance), LEVEL, SHARE)
        value, true = table.ravel()[found.cells], exact[tables[0]].ravel()[found.cells]
        assert (value > found.radius).all()
        shown += value.size
        missed += int((np.abs(value - true) > found.radius).sum())
        empty += int((true == 0).sum())
    assert shown > 10_000
    assert missed <= allowed(shown, 1 - LEVEL)
    assert empty <= allowed(shown, SHARE)


def test_a_table_that_nothing_else_tells_of_keeps_its_own_noise() -> None:
    [alone] = (q for q in questions() if q.columns == ("gender",))
    assert published(alone, 16.0) == Fraction(16)
    assert published(alone, 9.5) == 9.5


def test_an_empty_table_shows_nothing_as_a_rule() -> None:
    zeros = np.zeros((100, 100), dtype=np.int64)
    question = Measurement(("a",), (100, 100), "pairs", Fraction(100))
    shown = 0
    for _ in range(200):
        noisy = measure({("a",): zeros}, (question,))[("a",)]
        shown += choose(noisy, Fraction(100), LEVEL, SHARE).cells.size > 0
    assert shown <= allowed(200, SHARE)


def test_threshold_is_public_given_the_noisy_table() -> None:
    noisy = np.array([100, -100, 0, 3])
    assert choose(noisy, Fraction(16), LEVEL, SHARE).cells.tolist() == [0]
    assert choose(-np.abs(noisy), Fraction(16), LEVEL, SHARE).cells.size == 0


def questions() -> tuple[Measurement, ...]:
    return (
        Measurement((), (), "people", Fraction(25)),
        Measurement(("gender",), (4,), "one_way", Fraction(16)),
        Measurement(("records_per_person",), (5,), "one_way", Fraction(16)),
        Measurement(("gender", "records_per_person"), (4, 5), "pairs", Fraction(100)),
    )


def truth() -> dict[tuple[str, ...], np.ndarray]:
    table = np.array([[0, 8, 2, 1, 0], [0, 300, 30, 5, 5], [0, 100, 20, 4, 6], [0, 9, 0, 0, 1]])
    return {
        (): np.array(table.sum()),
        ("gender",): table.sum(1),
        ("records_per_person",): table.sum(0),
        ("gender", "records_per_person"): table,
    }


def test_estimates_cover_their_truth() -> None:
    runs, missed, widths = 600, [0, 0], []
    n = int(truth()[()])
    records = int(truth()[("records_per_person",)] @ np.array([1, 1, 2, 3, 4]))
    for _ in range(runs):
        noisy = measure(truth(), questions())
        pooled = pool(noisy, questions())
        people = total_people(pooled, LEVEL)
        found = case_records(pooled, people, LEVEL)
        assert found.value >= people.value
        missed[0] += not people.low <= n <= people.high
        missed[1] += not found.low <= records <= found.high
        widths.append(people.high - people.low)
    assert np.mean(widths) < 2 * 1.96 * 5  # narrower than the people question alone allows
    assert max(missed) <= allowed(runs, 1 - LEVEL)


@pytest.mark.parametrize(("level", "z"), [(0.9, 1.644854), (0.95, 1.959964), (0.99, 2.575829)])
def test_an_estimate_has_the_two_sided_interval_of_its_level(level: float, z: float) -> None:
    """Noise far above the rounding, so that the quantile itself is seen (tables of the normal)."""
    found = total_people({(): Estimated(np.array(1e6), 1e8)}, level)
    assert found.value == 1_000_000
    assert found.high - found.value == found.value - found.low == math.ceil(z * 1e4)


def test_case_records_without_their_column_are_the_people() -> None:
    some = tuple(q for q in questions() if "records_per_person" not in q.columns)
    pooled = pool(measure({q.columns: truth()[q.columns] for q in some}, some), some)
    people = total_people(pooled, LEVEL)
    assert case_records(pooled, people, LEVEL) == people


def test_counts_table_has_the_border_schema_and_the_total_first() -> None:
    noisy = {t: cells.astype(np.int64) for t, cells in truth().items()}
    domains = {
        "gender": ("female", "male", "transgender_nonconforming"),
        "records_per_person": ("1", "2", "3", "4+"),
    }
    found, total = reconciled(noisy, questions()), Estimate(491, 480, 500)
    shown = shown_cells(found.items(), questions(), total, LEVEL, SHARE, domains)
    cells = published_cells(noisy, questions(), total, shown, LEVEL, SHARE)
    table = counts_table(cells, questions(), domains, total)
    assert table.schema.equals(COUNTS)
    rows = table.to_pylist()
    assert rows[0] == {
        "columns": [], "values": [], "count": 491, "low": 480, "high": 500, "state": SHOWN,
    }  # fmt: skip
    female = next(r for r in rows if r["values"] == ["female"])
    assert female["count"] == 340
    assert any(r["values"] == ["female", "1"] and r["count"] == 300 for r in rows)
    assert not any(
        r["values"] == ["", "2"] for r in rows
    )  # two people do not stand out of sigma 10
    for row in rows:
        assert row["low"] <= row["count"] <= row["high"]
        assert (row["state"] == SHOWN) == (row["low"] > 0)


def test_intervals_of_parts_and_wholes_agree_cell_by_cell() -> None:
    """Each rule said again for one cell at a time, over tables of which some are not measured."""
    rng, sizes = np.random.default_rng(8), {"a": 4, "b": 3, "c": 5}
    asked = [("a", "b", "c"), ("c",), ("b", "c"), ("a",), ("a", "c")]
    made = {t: rng.poisson(9, [sizes[n] for n in t]) for t in asked}
    some = tuple(Measurement(t, made[t].shape, "table", Fraction(4)) for t in asked)
    shown = {
        t: ShownCells(np.flatnonzero(rng.random(cells.size) < 0.7), 6, np.zeros(0), 4.0)
        for t, cells in made.items()
    }
    shown = {
        t: replace(one, value=made[t].ravel()[one.cells] + rng.normal(0, 2, one.cells.size))
        for t, one in shown.items()
    }
    people = Estimate(17, 10, 18)  # so few that some ends are theirs
    found = published_cells(made, some, people, shown, LEVEL, SHARE)
    low, high, count = {}, {}, {}
    for t in asked:
        codes = np.unravel_index(found[t].cells, made[t].shape)
        for place, cell in enumerate(zip(*codes, strict=True)):
            key = frozenset(zip(t, map(int, cell), strict=True))
            at, one = np.flatnonzero(shown[t].cells == found[t].cells[place])[0], shown[t]
            count[key] = int(made[t][cell])
            middle = int(np.rint(one.value[at]))
            low[key] = min(middle - 6, count[key] - 3)
            high[key] = min(max(middle + 6, count[key] + 3), people.high)
    assert len(low) > 30
    unseen = {}
    for t in asked:
        n = sum({name for name, _code in key} == {*t} for key in low)
        top = highest_unseen(2.0, made[t].size, n, SHARE)
        unseen[frozenset(t)] = unseen_end(top, 2.0, LEVEL)
    for key in sorted(low, key=len, reverse=True):
        for whole in low.keys() & {*map(frozenset, parts_of(key))}:
            low[whole] = max(low[whole], low[key])
    for key in sorted(high, key=len):
        for whole in map(frozenset, parts_of(key)):
            names = frozenset(name for name, _code in whole)
            if whole in high:
                high[key] = min(high[key], high[whole])
            elif names in unseen:
                high[key] = min(high[key], max(unseen[names], count[key]))
    for t in asked:
        codes = np.unravel_index(found[t].cells, made[t].shape)
        keys = [frozenset(zip(t, map(int, c), strict=True)) for c in zip(*codes, strict=True)]
        for name, ends in (("low", low), ("high", high), ("count", count)):
            assert getattr(found[t], name).tolist() == [ends[key] for key in keys]


def parts_of(key: frozenset[tuple[str, int]]) -> Iterator[tuple[tuple[str, int], ...]]:
    """Cells of fewer columns that contain a cell."""
    return chain.from_iterable(combinations(sorted(key), k) for k in range(1, len(key)))
