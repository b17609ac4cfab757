"""Sets for inference: what noise does to an estimate shows between them, and pooling says it."""

from __future__ import annotations

import math
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import fmean, variance
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import stdtrit

from ctdhub.client import pool
from ctdhub.core.errors import HubError
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import Codes
from ctdhub.dp.mechanism import answer
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.published import Estimated
from ctdhub.dp.synth import fit

PATH = Path(__file__).parents[2] / "benchmarks" / "imputation.py"
RUNS, SETS = 14, 5


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = spec_from_file_location("imputation", PATH)
    assert spec is not None
    assert spec.loader is not None
    found = module_from_spec(spec)
    sys.modules["imputation"] = found  # dataclasses look their module up
    spec.loader.exec_module(found)
    return found


def test_pooled_intervals_know_the_noise(bench: ModuleType) -> None:
    """A run is off by noise as much as the sets say, to no side, and intervals hold the truth.

    Seeded, so that it fails for a change of the software alone; the full size is in the benchmark.
    """
    case = bench.CASES["plain"]
    true = np.array(bench.TRUE)
    off, told, covered = [], [], 0
    for seed in range(RUNS):
        found = bench.estimated(case, 300 + seed, SETS)
        off.append(np.mean([e for e, _ in found.sets], axis=0) - found.exact[0])
        told.append([(1 + 1 / SETS) * variance(e[k] for e, _ in found.sets) for k in range(8)])
        pooled = [
            pool([e[k] for e, _ in found.sets], [v[k] for _, v in found.sets]) for k in range(8)
        ]
        covered += sum(p.low <= t <= p.high for p, t in zip(pooled, true, strict=True))
    error, noise = np.array(off), np.mean(told, axis=0)
    assert covered >= 0.86 * 8 * RUNS
    assert 0.6 < float(np.mean(error**2 / noise)) < 1.6
    assert np.abs(error.mean(0) / (noise / RUNS) ** 0.5).max() < 3.5


def test_a_value_that_nobody_has_is_in_no_set() -> None:
    rng = np.random.default_rng(5)
    people = {name: rng.integers(1, 4, 3_000).astype(np.uint8) for name in "abc"}
    people["c"][:1_000] = 0  # some are not recorded, in this column alone
    domains = dict.fromkeys("abc", ("x", "y", "z", "nobody"))
    plan = Plan(domains, core=("a", "b", "c"), imputations=3)
    codes = Codes(people, plan.sizes, 3_000)
    found = answer(codes, plan, rho_of(0.5, 1e-6), rng.bytes)
    assert len(found.imputations) == 3
    for table in found.imputations:
        assert [table[name].null_count > 0 for name in "abc"] == [False, False, True]
        assert not any("nobody" in table[name].to_pylist() for name in "abc")
    sizes = {table.num_rows for table in found.imputations}
    assert len(sizes) > 1, "the number of people is not certain either"


def test_rows_that_a_small_set_lacks_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten values a column of which noise hides most: each hides at most three of its deviations."""
    rng = np.random.default_rng(11)
    people = {n: (rng.geometric(0.3, 300) % 10 + 1).astype(np.uint8) for n in "abcd"}
    plan = Plan(dict.fromkeys("abcd", tuple("qrstuvwxyz")), core=("a", "b", "c"), imputations=3)
    seen: list[float] = []
    kept = fit._hidden

    def hidden(pooled: dict[Columns, Estimated], plan: Plan) -> dict[str, npt.NDArray[np.int64]]:
        found = kept(pooled, plan)
        seen[:] = [codes.size * pooled[(n,)].sd for n, codes in found.items()]
        return found

    monkeypatch.setattr(fit, "_hidden", hidden)
    found = answer(Codes(people, plan.sizes, 300), plan, rho_of(2.0, 1e-6), rng.bytes)
    rows = [table.num_rows for table in found.imputations]
    bound = fit.HIDDEN * sum(sorted(seen)[-3:])
    lacking = found.people.value - np.mean(rows)
    assert 0 < lacking < bound, (rows, bound)


@pytest.mark.parametrize("people", [0, 1, 3])
def test_hardly_anybody(people: int) -> None:
    rng = np.random.default_rng(people)
    plan = Plan({"a": ("x", "y"), "b": ("x",)}, imputations=2)
    codes = Codes({n: np.ones(people, np.uint8) for n in "ab"}, plan.sizes, people)
    found = answer(codes, plan, rho_of(1.0, 1e-6), rng.bytes)
    assert [t.column_names for t in found.imputations] == [["a", "b"]] * 2


def test_published_records_do_not_depend_on_the_sets() -> None:
    people = {"a": np.arange(400, dtype=np.uint8) % 3, "b": np.arange(400, dtype=np.uint8) % 2}
    records = []
    for sets in (0, 2):
        plan = Plan({"a": ("x", "y"), "b": ("x",)}, imputations=sets)
        codes = Codes(dict(people), plan.sizes, 400)
        bits = np.random.default_rng(3).bytes
        records.append(answer(codes, plan, 1.0, bits))
    assert records[0].records.equals(records[1].records)
    assert records[0].counts.equals(records[1].counts)


def test_pooling_by_hand() -> None:
    """B = 1, U = 3 and m = 4 by hand: T = 4.25, df = 3 x (4.25 / 1.25)^2."""
    estimates = [x * math.sqrt(3 / 4) for x in (-1.0, 1.0, -1.0, 1.0)]
    found = pool(estimates, [2.0, 4.0, 3.0, 3.0])
    assert found.estimate == pytest.approx(fmean(estimates))
    assert found.standard_error**2 == pytest.approx(4.25)
    assert found.df == pytest.approx(3 * (4.25 / 1.25) ** 2)
    assert found.noise_share == pytest.approx(1.25 / 4.25)
    # The 97.5 % point of t with 34.68 degrees of freedom, from a table: 2.0322 (34), 2.0301 (35).
    assert 2.0301 < found.high / 4.25**0.5 < 2.0322
    same = pool([2.0, 2.0], [0.25, 0.25], level=0.9)
    assert (same.df, same.noise_share) == (math.inf, 0.0)
    assert same.high == pytest.approx(2 + 1.6448536 * 0.5)


@pytest.mark.parametrize(
    ("estimates", "variances", "level"),
    [
        ([1.0], [1.0], 0.95),
        ([1.0, 2.0], [1.0], 0.95),
        ([1.0, 2.0], [1.0, 0.0], 0.95),
        ([1.0, math.nan], [1.0, 1.0], 0.95),
        ([1.0, 2.0], [1.0, math.inf], 0.95),
        ([1.0, 2.0], [1.0, 1.0], 95),
    ],
)
def test_what_cannot_be_pooled(
    estimates: list[float], variances: list[float], level: float
) -> None:
    with pytest.raises(HubError) as refused:
        pool(estimates, variances, level=level)
    assert refused.value.rule == "pool-numbers"


@pytest.mark.parametrize("level", [0.2, 0.8, 0.95, 0.99, 0.999])
def test_intervals_are_those_of_students_distribution(level: float) -> None:
    """Between sets of any number, from those that differ most to those that hardly differ."""
    for m in (2, 3, 5, 20):
        for spread in (1e-4, 1e-2, 0.3, 1.0, 50.0):
            found = pool([i * spread for i in range(m)], [1.0] * m, level=level)
            reach = stdtrit(found.df, 0.5 + level / 2) * found.standard_error
            assert found.high - found.estimate == pytest.approx(reach, rel=1e-6)
