"""Protected records: as many as the protected people, near the targets, without contradiction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from invented_people import people, small_policy

from ctdhub.protect.accounting import rho_of
from ctdhub.protect.count import Codes, Counts, count, encode
from ctdhub.protect.fit import Targets, apportion, pair, rake, simplex, targets
from ctdhub.protect.indicators import Indicators
from ctdhub.protect.measure import Workload, measure, workload
from ctdhub.protect.plan import CORRIDOR, plan_of
from ctdhub.protect.policy import Policy
from ctdhub.protect.polish import polish
from ctdhub.protect.synthesise import Draft, draft, mutual_information, to_table
from ctdhub.schema import load_schema

SCHEMA = load_schema()
POLICY = small_policy()
DOMAINS = POLICY.domains(SCHEMA)
INDICATORS = Indicators.of(DOMAINS, SCHEMA)
N = 4_000


def measured(n: int, policy: Policy = POLICY) -> tuple[Counts, Counts, Workload]:
    questions = workload(plan_of(policy, SCHEMA), rho_of(policy.epsilon, policy.delta))
    codes = encode(people(n, policy), policy.domains(SCHEMA))
    exact = count(codes, [q.columns for q in questions])
    return exact, measure(exact, questions), questions


def counted(records: Draft, tables: list[tuple[str, ...]]) -> Counts:
    sizes = {n: len(d) + 1 for n, d in DOMAINS.items()}
    some = next(iter(records.values()))
    return count(
        Codes({n: c.astype(np.uint16) for n, c in records.items()}, sizes, some.size), tables
    )


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Total variation distance."""
    return float(np.abs(a / max(a.sum(), 1) - b / max(b.sum(), 1)).sum() / 2)


EXACT, NOISY, QUESTIONS = measured(N)
AIMS = targets(NOISY, QUESTIONS, N)


@settings(deadline=None)
@given(
    hnp.arrays(float, st.integers(1, 40), elements=st.floats(-1e4, 1e5)),
    st.integers(0, 100_000),
)
def test_simplex_projection_is_the_nearest_point(noisy: np.ndarray, total: int) -> None:
    found = simplex(noisy, total)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(total, abs=1e-4)
    if total:  # first order conditions: one shift for all that stays above zero
        shift = (noisy - found)[found > 0]
        assert np.ptp(shift) < 1e-4
        assert (noisy[found == 0] <= shift.mean() + 1e-4).all()


@settings(deadline=None)
@given(
    hnp.arrays(float, st.integers(1, 40), elements=st.floats(0, 1e5)),
    st.integers(0, 100_000),
)
def test_apportionment_is_whole_and_near(shares: np.ndarray, total: int) -> None:
    found = apportion(shares, total)
    assert found.sum() == total
    if shares.max() > 0:
        part = shares / shares.max()
        assert np.abs(found - part * (total / part.sum())).max() <= 1 + 1e-6


def test_raking_meets_both_margins_and_fills_what_is_empty() -> None:
    rows, cols = np.array([60.0, 30.0, 10.0]), np.array([50.0, 50.0])
    found = rake(np.array([[5.0, 1.0], [1.0, 5.0], [0.0, 0.0]]), rows, cols, rounds=60)
    assert found.sum(1) == pytest.approx(rows)
    assert found.sum(0) == pytest.approx(cols)


def test_denoising_brings_pairs_nearer_to_the_truth_than_noise_or_independence() -> None:
    found, noise, independent = [], [], []
    for table, cells in AIMS.pairs.items():
        assert cells.min() >= 0
        assert cells.sum() == pytest.approx(N)
        alone = np.outer(cells.sum(1), cells.sum(0)) / N
        found.append(distance(cells, EXACT[table]))
        noise.append(np.abs(NOISY[table] - EXACT[table]).sum() / 2 / N)
        independent.append(distance(alone, EXACT[table]))
    assert np.mean(found) < 0.6 * np.mean(noise)
    assert np.mean(found) < 0.6 * np.mean(independent)


def test_denoising_leaves_nothing_of_pure_noise() -> None:
    rows, cols = np.array([600.0, 400.0]), np.array([100.0, 300.0, 600.0])
    noisy = np.rint(np.outer(rows, cols) / 1000 + [[30, -10, 20], [-15, 25, -30]]).astype(np.int64)
    assert np.allclose(pair(noisy, rows, cols, sigma=100.0), np.outer(rows, cols) / 1000)


def test_corridors_sum_to_the_people_and_the_large_ones_are_right() -> None:
    assert AIMS.corridor is not None
    assert AIMS.corridor.sum() == N
    assert AIMS.corridor.min() >= 0
    large = EXACT[CORRIDOR] >= 50
    assert large.sum() > 10
    error = np.abs(AIMS.corridor - EXACT[CORRIDOR])[large] / EXACT[CORRIDOR][large]
    assert (error <= 0.2).mean() > 0.85


def test_mutual_information_of_independent_columns_is_zero() -> None:
    assert mutual_information(np.outer([1.0, 3.0], [2.0, 5.0])) == pytest.approx(0, abs=1e-12)
    assert mutual_information(np.zeros((2, 2))) == 0


@pytest.fixture(scope="module")
def polished() -> tuple[Draft, Draft]:
    first = draft(AIMS, DOMAINS)
    records = {name: codes.copy() for name, codes in first.items()}
    polish(records, AIMS, INDICATORS)
    return first, records


def test_records_fit_one_way_tables_and_pairs(polished: tuple[Draft, Draft]) -> None:
    first, records = polished
    pairs = list(AIMS.pairs)
    before, after = counted(first, pairs), counted(records, pairs)
    ones = counted(records, [(n,) for n in DOMAINS])
    for (name,), cells in ones.items():
        if name not in INDICATORS.flags:
            assert np.abs(cells - AIMS.one_way[name]).max() <= 3, name

    def error(found: Counts) -> float:
        return float(np.mean([distance(found[t], AIMS.pairs[t]) for t in pairs]))

    assert error(after) < error(before) / 2
    truth = float(np.mean([distance(after[t], EXACT[t]) for t in pairs]))
    raw = float(np.mean([np.abs(NOISY[t] - EXACT[t]).sum() / 2 / N for t in pairs]))
    assert truth < raw / 2


def test_corridors_stay_as_drafted(polished: tuple[Draft, Draft]) -> None:
    assert np.array_equal(counted(polished[1], [CORRIDOR])[CORRIDOR], AIMS.corridor)


def contradictions(records: Draft, indicators: Indicators) -> int:
    """Records whose indicator is not what their flags say."""
    wrong = 0
    for indicator, flags in indicators.flags.items():
        some = np.any([records[f] == indicators.yes for f in flags], axis=0)
        wrong += int((records[indicator] != np.where(some, indicators.yes, indicators.no)).sum())
    for indicator, flags in indicators.partial.items():
        some = np.any([records[f] == indicators.yes for f in flags], axis=0)
        wrong += int((some & (records[indicator] != indicators.yes)).sum())
    return wrong


def test_indicators_follow_their_flags(polished: tuple[Draft, Draft]) -> None:
    assert set(INDICATORS.flags) == {"any_exploitation"}
    assert set(INDICATORS.partial) == {"any_means"}
    assert contradictions(polished[0], INDICATORS) > 0  # the draft alone would not do
    assert contradictions(polished[1], INDICATORS) == 0


def test_records_keep_what_link_makes_of_real_flags() -> None:
    """The rule held here is the rule by which people get their indicators."""
    codes = encode(people(300, POLICY), DOMAINS)
    assert (
        contradictions({n: c.astype(np.int64) for n, c in codes.columns.items()}, INDICATORS) == 0
    )


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize(
    "columns",
    [
        ("gender",),
        ("citizenship",),
        ("gender", "age_band"),
        ("citizenship", "country_of_exploitation"),
        ("country_of_exploitation", "any_means", "means_threats"),
        POLICY.columns,
    ],
)
def test_few_people_and_few_columns_work(n: int, columns: tuple[str, ...]) -> None:
    policy = small_policy(columns=columns)
    _, noisy, questions = measured(n, policy)
    domains = policy.domains(SCHEMA)
    aims = targets(noisy, questions, n)
    records = draft(aims, domains)
    polish(records, aims, Indicators.of(domains, SCHEMA), sweeps=2)
    table = to_table(records, domains)
    assert table.num_rows == n
    assert table.column_names == list(domains)
    for name, domain in domains.items():
        assert set(table[name].to_pylist()) <= {None, *domain}


def test_noisy_tables_far_below_zero_work() -> None:
    low = {t: cells - 10_000 for t, cells in NOISY.items()}
    aims: Targets = targets(low, QUESTIONS, 3)
    records = draft(aims, DOMAINS)
    polish(records, aims, INDICATORS, sweeps=1)
    assert to_table(records, DOMAINS).num_rows == 3
