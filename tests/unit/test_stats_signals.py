"""Signals: false ones are few, planted ones are found, and nothing depends on how rows are laid."""

from __future__ import annotations

import doctest
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.report.signals import false_share, of_file, sentence, single_periods
from ctdhub.stats.signals.chances import binomial, negative_binomial
from ctdhub.stats.signals.find import Settings, find, q_values
from ctdhub.stats.signals.panel import (
    Period,
    SeriesPanel,
    as_months,
    past_for,
    read_period,
    window_for,
)
from ctdhub.stats.signals.statistics import share_tests

MODULES = (
    "stats.signals.chances",
    "stats.signals.find",
    "stats.signals.panel",
    "report.signals",
)
nan = np.nan


def panel(
    counts: np.ndarray,
    wholes: np.ndarray | None = None,
    sd: float = 0.0,
    kind: str = "month",
    names: tuple[str, ...] = (),
) -> SeriesPanel:
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    whole = np.full(counts.shape, nan) if wholes is None else np.atleast_2d(wholes).astype(float)
    first = {"month": 2018 * 12, "year": 2015}[kind]
    return SeriesPanel(
        names or tuple(f"s{k:04d}" for k in range(len(counts))),
        tuple(Period(kind, first + k) for k in range(counts.shape[1])),  # type: ignore[arg-type]
        counts,
        whole,
        np.full(counts.shape, sd),
        np.full(counts.shape, sd),
    )


def corridors(seed: int, sd: float, series: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Monthly counts with seasons and gaps; the last six months of 15 are three times as high."""
    rng, t = np.random.default_rng(seed), np.arange(72)
    mean = np.exp(rng.uniform(np.log(2), np.log(40), (series, 1)))
    size, phase = rng.uniform(3, 15, (series, 1)), rng.uniform(0, 12, (series, 1))
    mu = mean * (1 + rng.uniform(0, 1 / 3, (series, 1)) * np.sin(2 * np.pi * (t + phase) / 12))
    hit = np.zeros(series, dtype=bool)
    hit[rng.choice(series, 15, replace=False)] = True
    mu[hit, -6:] *= 3
    counts = rng.negative_binomial(size, size / (size + mu)).astype(float)
    counts += np.round(rng.normal(0, sd, counts.shape)) if sd else 0
    counts[rng.random(counts.shape) < 0.04] = nan
    return counts, hit


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name: str) -> None:
    module = importlib.import_module(f"ctdhub.{name}")
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize("sd", [0.0, 4.0])
def test_one_of_ten_signals_is_false_at_most_and_most_shifts_are_found(sd: float) -> None:
    false, power = [], []
    for seed in range(4):
        counts, hit = corridors(seed, sd)
        rows = [f.row for f in find(panel(counts, sd=sd), smallest=False).signals]
        false.append(np.mean([not hit[r] for r in rows]))
        power.append(np.isin(np.flatnonzero(hit), rows).mean())
    assert np.mean(false) <= 0.10
    assert np.mean(power) >= 0.80


def test_protection_noise_is_allowed_for() -> None:
    """The same noisy counts taken as if they were exact raise false alarms on small series."""
    rng = np.random.default_rng(5)
    counts = np.round(rng.poisson(3, (300, 9)) + rng.normal(0, 8, (300, 9)))
    told = find(panel(counts, sd=8.0, kind="year"), smallest=False)
    small = np.mean([t.p < 0.05 for f in told.findings for t in f.tests])
    assert small <= 0.05
    untold = find(panel(np.maximum(counts, 0), kind="year"), smallest=False)
    assert np.mean([t.p < 0.05 for f in untold.findings for t in f.tests]) > small


def test_steady_shares_raise_no_more_alarms_than_promised() -> None:
    """All counts fall by half, so many numbers are signals; shares that stayed are not."""
    rng = np.random.default_rng(3)
    wholes = rng.negative_binomial(10, 0.1, (200, 72))
    wholes[:, -6:] //= 2
    counts = rng.binomial(wholes, rng.beta(5, 45, wholes.shape))
    found = find(panel(counts, wholes), smallest=False)
    moved = [f for f in found.signals if any(t.what == "share" for t in f.moved(0.1))]
    assert len(moved) <= 3


def test_a_share_that_is_all_noise_is_as_uncertain_as_its_noise() -> None:
    """Where the past says next to nothing of a share, what was drawn on the window still counts."""
    rng = np.random.default_rng(3)
    series, past, window = 400, np.arange(12) < 9, np.arange(12) >= 9
    noise = np.full((series, 12), 30.0)
    part = rng.poisson(10, noise.shape) + rng.normal(0, noise)
    found = share_tests(part, np.full(noise.shape, 20.0), noise, 0 * noise, past, window)
    for p in (found.p_rise, found.p_fall):
        assert p.min() > 0.05 / series / 4
        assert (p <= 0.05).mean() <= 0.08


def test_a_seasonal_peak_is_no_signal_from_three_years_on() -> None:
    rng, t = np.random.default_rng(2), np.arange(48)
    mu = np.where(t % 12 < 6, 10, 40)  # the year ends with its high half
    peaks = np.tile(np.roll(mu, 0), (50, 1))
    counts = rng.poisson(peaks)
    whole = find(panel(counts), smallest=False)
    assert whole.seasons
    assert not whole.signals
    short = find(panel(counts[:, -30:]), smallest=False)
    assert not short.seasons


def test_the_ivorian_series_is_a_signal_of_the_share_with_the_fall_of_the_count() -> None:
    """Women rose from 8 to 46 per cent of arrivals while arrivals fell from 12,396 to 864."""
    women = [302, 1611, 1426, 277, 397]
    found = find(panel(women, [3776, 12396, nan, nan, 864], kind="year", names=("women",)))
    (signal,) = found.signals
    assert [(t.what, t.way) for t in signal.moved(0.1)] == [("share", "rise")]
    told = of_file(found, signal)
    said = sentence(told)
    assert "The share of “women” rose" in said
    assert "to 46%" in said
    assert "the whole fell from 8,086 to 864" in said
    assert "the number of “women” fell from 956 to 397" in said
    single = single_periods(found, signal)
    assert "between 8% and 13%" in single
    assert "12,396 (1,611 of them" in single
    assert "2016" in single


def test_a_share_that_always_jumped_like_that_is_no_signal() -> None:
    """What makes the Ivorian series a signal is its past: one that jumps every year is none."""
    found = find(panel([300, 50, 420, 60, 397], [900, 900, 900, 900, 864], kind="year"))
    assert not found.signals


def test_an_older_share_alone_does_not_make_a_past() -> None:
    found = find(panel([302, 20, 30, 25, 397], [3776, nan, nan, nan, 864], kind="year"))
    assert all(t.what == "count" for f in found.findings for t in f.tests)


@cache
def found_in(order: tuple[int, ...]) -> dict[str, Sequence[Any]]:
    """The tests of twelve series, laid in this order, by name."""
    counts = corridors(1, 2.0, series=15)[0][list(order)]
    laid = panel(counts, sd=2.0, names=tuple(f"s{k:04d}" for k in order))
    return {f.name: f.tests for f in find(laid, smallest=False).findings}


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_series_does_not_matter(order: list[int]) -> None:
    straight = found_in(tuple(range(12)))
    for name, tests in found_in(tuple(order)).items():
        for one, other in zip(tests, straight[name], strict=True):
            assert one.p == pytest.approx(other.p, rel=1e-6)
            assert (one.what, one.way) == (other.what, other.way)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400))
def test_a_larger_window_is_a_clearer_rise(low: int, more: int) -> None:
    past = [40, 52, 35, 47, 41, 55, 38, 44, 50]

    def p(last: int) -> float:
        found = find(panel([*past, last], kind="year"), Settings(window=1), smallest=False)
        test = found.findings[0].test("count")
        assert test is not None
        return test.p if test.way == "rise" else 2 - test.p

    assert p(low + more) <= p(low) + 1e-12


def test_a_missing_period_is_not_zero() -> None:
    steady = np.random.default_rng(5).poisson(60, 36).astype(float)
    gap, zero = steady.copy(), steady.copy()
    gap[-4:-1], zero[-4:-1] = nan, 0.0
    assert not find(panel(gap)).signals
    (signal,) = find(panel(zero)).signals
    assert signal.moved(0.1)[0].way == "fall"


def test_too_few_people_are_no_signal_but_count_among_the_tests() -> None:
    counts = np.vstack([np.r_[np.zeros(30), np.ones(6)], np.r_[np.zeros(30), np.full(6, 9)]])
    found = find(panel(counts))
    assert [f.name for f in found.signals] == ["s0001"]
    assert found.tests == 2
    assert len(find(panel(counts), Settings(min_count=5)).signals) == 2


def test_a_window_that_is_mostly_unknown_is_not_tested() -> None:
    counts = np.full((1, 36), 20.0)
    counts[0, -4:] = nan
    found = find(panel(counts))
    assert not found.findings
    assert found.too_few_periods == ("s0000",)


@given(st.lists(st.floats(0, 1) | st.just(nan), max_size=30))
def test_q_values_follow_the_order_of_p_values(values: list[float]) -> None:
    from scipy.stats import false_discovery_control

    p = np.array(values)
    q = q_values(p)
    assert (np.isnan(q) == np.isnan(p)).all()
    known = ~np.isnan(p)
    assert (q[known] >= p[known] - 1e-12).all()
    assert (q[known] <= 1).all()
    order = np.argsort(p[known])
    assert (np.diff(q[known][order]) >= -1e-12).all()
    if known.any():  # as scipy has it
        assert q[known] == pytest.approx(false_discovery_control(p[known]))


@pytest.mark.parametrize("mean", [0.3, 4.0, 90.0])
@pytest.mark.parametrize("size", [0.7, 6.0])
def test_tails_are_those_of_the_negative_binomial(mean: float, size: float) -> None:
    from scipy.stats import nbinom

    x = np.arange(0.0, 40.0)
    like = np.ones_like(x)
    up, down = negative_binomial(x, mean * like, (mean + mean**2 / size) * like, 0 * like)
    law = nbinom(size, size / (size + mean))
    assert up == pytest.approx(law.sf(x - 1), abs=1e-9)
    assert down == pytest.approx(law.cdf(x), abs=1e-9)


def test_tails_are_those_of_the_binomial_and_inflation_widens_them() -> None:
    from scipy.stats import binom

    x = np.arange(0.0, 31.0)
    like = np.ones_like(x)
    up, down = binomial(x, 30 * like, 0.2 * like, like, 0 * like)
    law = binom(30, 0.2)
    assert up == pytest.approx(law.sf(x - 1), abs=1e-9)
    assert down == pytest.approx(law.cdf(x), abs=1e-9)
    wider, _down = binomial(x, 30 * like, 0.2 * like, 3 * like, 0 * like)
    assert (wider[10:30] > up[10:30]).all()


def test_noise_on_a_count_is_averaged_over() -> None:
    """By brute force: the tail of a Poisson count plus rounded normal noise."""
    rng = np.random.default_rng(8)
    drawn = rng.poisson(5, 400_000) + np.round(rng.normal(0, 6, 400_000))
    at = np.array([-8.0, 5.0, 15.0, 22.0])
    like = np.ones_like(at)
    up, down = negative_binomial(at, 5 * like, 5 * like, 6 * like)
    for k, x in enumerate(at):
        assert up[k] == pytest.approx((drawn >= x).mean(), rel=0.12, abs=0.002)
        assert down[k] == pytest.approx((drawn <= x).mean(), rel=0.12, abs=0.002)


@pytest.mark.parametrize(
    ("text", "written", "next_one"),
    [
        ("2024", "2024", "2025"),
        ("2024-Q4", "2024-Q4", "2025-Q1"),
        ("2024q4", "2024-Q4", "2025Q1"),
        ("2024-12", "2024-12", "2025-01"),
        ("2020-W53", "2020-W53", "2021-W01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
    ],
)
def test_periods_are_read_and_follow_each_other(text: str, written: str, next_one: str) -> None:
    period, following = read_period(text), read_period(next_one)
    assert period
    assert following
    assert str(period) == written
    assert following.place == period.place + 1


@pytest.mark.parametrize(
    "text",
    ["", "24", "2024-13", "2024-00", "2021-W53", "2023-02-29", "2024-3", "March", "٢٠٢٤", "0000"],
)
def test_what_is_no_period(text: str) -> None:
    assert read_period(text) is None


def test_first_days_of_months_are_months() -> None:
    days = [read_period(f"2024-{m:02d}-01") for m in (1, 2, 3)]
    assert [str(p) for p in as_months({d for d in days if d}).values()]
    mid = read_period("2024-02-02")
    assert mid
    assert days[0]
    assert not as_months({days[0], mid})


def test_window_and_past_suit_the_periods() -> None:
    assert [window_for("year", n) for n in (4, 5, 6, 8, 9, 30)] == [1, 1, 2, 2, 3, 3]
    assert (window_for("month", 72), window_for("month", 12), window_for("week", 104)) == (6, 4, 6)
    assert (past_for("year", 1), past_for("year", 3), past_for("month", 6)) == (4, 6, None)


@pytest.mark.parametrize(("rate", "n"), [(0.1, 10), (0.05, 20), (0.5, 2), (0.3, 3)])
def test_the_promise_in_words_is_never_stronger_than_the_rate(rate: float, n: int) -> None:
    found: Any = SimpleNamespace(settings=SimpleNamespace(rate=rate), missed=None)
    assert f"Of {n} signals" in false_share(found)
    assert rate * n <= 1


@pytest.mark.parametrize(
    "broken",
    [
        lambda p: SeriesPanel(p.names, p.periods, -p.counts, p.wholes, p.noise, p.noise),
        lambda p: SeriesPanel(p.names, p.periods[::-1], p.counts, p.wholes, p.noise, p.noise),
        lambda p: SeriesPanel(("a", "a"), p.periods, p.counts, p.wholes, p.noise, p.noise),
        lambda p: SeriesPanel(p.names, p.periods, p.counts[:, 1:], p.wholes, p.noise, p.noise),
        lambda p: SeriesPanel(p.names, p.periods, p.counts * np.inf, p.wholes, p.noise, p.noise),
    ],
)
def test_a_panel_checks_itself(broken: Callable[[SeriesPanel], SeriesPanel]) -> None:
    with pytest.raises(ValueError, match=r"."):
        broken(panel(np.full((2, 8), 5.0)))


FREQUENCIES = """
import numpy as np
from ctdhub.stats.signals.statistics import frequencies
likelihood = -np.random.default_rng(1).exponential(8.0, (500, 1501))
print(frequencies(likelihood, np.full(1501, 1 / 1501), 6.0).tobytes().hex())
"""


def test_a_number_is_the_same_on_machines_with_more_cores() -> None:
    """Sums of a library that divides them among threads differ in their last digits, which a file
    for programs holds."""
    one, two = (
        subprocess.run(
            [sys.executable, "-c", FREQUENCIES],
            env=os.environ
            | {"OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    )
    assert one == two
