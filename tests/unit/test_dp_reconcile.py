"""The fit of all tables: direct least squares, its variance, and the counts published of it."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from least_squares import reconciled

from ctdhub.border import Estimate, highest_unseen, unseen_end
from ctdhub.dp.count import Codes, Counts, count
from ctdhub.dp.mechanism import MechanismOutput, answer
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.published import cell_variances, shown_cells
from ctdhub.dp.synth.records import settled
from ctdhub.dp.workload import Measurement, Workload, measure, workload

SIZES = {"a": 3, "b": 4, "c": 2, "d": 5}
Floats = npt.NDArray[np.float64]


def asked(chosen: list[tuple[Columns, Fraction]]) -> Workload:
    return tuple(Measurement(t, tuple(SIZES[n] for n in t), "pairs", s2) for t, s2 in chosen)


def margins(joint: npt.NDArray[np.int64], questions: Workload) -> Counts:
    found = {}
    for q in questions:
        gone = tuple(axis for axis, name in enumerate(SIZES) if name not in q.columns)
        found[q.columns] = np.asarray(joint.sum(gone)).astype(np.int32)
    return found


def directly(noisy: Counts, questions: Workload) -> Floats:
    """The joint table that explains all measured cells best, by one large least-squares problem."""
    rows, seen = [], []
    for q in questions:
        for cell in np.ndindex(*q.shape):
            inside = np.zeros(tuple(SIZES.values()))
            at = dict(zip(q.columns, cell, strict=True))
            inside[tuple(at.get(n, slice(None)) for n in SIZES)] = 1
            rows.append(inside.ravel() / q.sigma)
            seen.append(noisy[q.columns][cell] / q.sigma)
    best = np.linalg.lstsq(np.array(rows), np.array(seen), rcond=None)[0]
    return np.asarray(best).reshape(tuple(SIZES.values()))


tables = st.lists(
    st.sampled_from([c for k in range(5) for c in combinations(SIZES, k)]),
    min_size=1,
    max_size=7,
    unique=True,
)


@settings(deadline=None, max_examples=20)
@given(tables, st.data())
def test_every_table_is_that_of_direct_least_squares(
    chosen: list[Columns], data: st.DataObject
) -> None:
    """Tables of any noise, nested or not, of none to four columns; values of any sign."""
    sigma2 = st.fractions(Fraction(1, 4), 10_000, max_denominator=8)
    questions = asked([(t, data.draw(sigma2)) for t in chosen])
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    noisy = {
        q.columns: np.asarray(rng.integers(-50, 500, q.shape)).astype(np.int32) for q in questions
    }
    best = directly(noisy, questions)
    for t, found in reconciled(noisy, questions).items():
        gone = tuple(axis for axis, name in enumerate(SIZES) if name not in t)
        assert found.value == pytest.approx(best.sum(gone), abs=1e-6), t


LATTICE = asked(
    [
        ((), Fraction(9)),
        (("a",), Fraction(40)),
        (("a", "b"), Fraction(100)),
        (("b", "c"), Fraction(25)),
        (("a", "d"), Fraction(400)),
        (("a", "b", "c"), Fraction(90)),
        (("a", "b", "c", "d"), Fraction(60)),
    ]
)


def test_a_cell_has_the_stated_variance_and_no_bias() -> None:
    """The source is seeded, so that the outcome is fixed; six standard errors were allowed."""
    rng, runs = np.random.default_rng(7), 500
    exact = margins(rng.poisson(7, tuple(SIZES.values())), LATTICE)
    stated = cell_variances(LATTICE)
    seen: dict[Columns, list[Floats]] = {t: [] for t in stated}
    for _ in range(runs):
        found = reconciled(measure(exact, LATTICE, rng.bytes), LATTICE)
        for t, estimated in found.items():
            assert estimated.variance == stated[t]
            seen[t].append((estimated.value - exact[t]) / stated[t] ** 0.5)
    for t, all_errors in seen.items():
        errors = np.array(all_errors)
        assert np.abs(errors.mean(0)).max() < 6 / runs**0.5, t
        assert np.abs(np.square(errors).mean(0) - 1).max() < 6 * (2 / runs) ** 0.5, t


def test_the_fit_is_nowhere_less_sure_than_one_table() -> None:
    stated = cell_variances(LATTICE)
    assert all(stated[q.columns] < float(q.sigma2) for q in LATTICE)


# What is published, of people that another generator made: a few heavy combinations, values whose
# shares fall like a power, many cells with nobody.
PLAN = Plan(
    domains={
        "year": tuple(map(str, range(8))),
        "place": tuple(map(str, range(60))),
        "form": ("x", "y", "z"),
        "help": ("yes", "no"),
    },
    core=("year", "form", "help"),
    groups=(("place", "form", "help"),),
    year="year",
)
N = 4_000


def skewed(seed: int) -> Codes:
    """People in clumps: each takes over a whole row that is there, but for one new value."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((N, 4), dtype=np.uint16)
    for i in range(1, N):
        rows[i] = rows[rng.integers(i)]
        if rng.random() < 0.25:
            k = rng.integers(4)
            size = list(PLAN.sizes.values())[k]
            rows[i, k] = min(size - 1, int(rng.pareto(0.8)))
    return Codes({n: rows[:, k].copy() for k, n in enumerate(PLAN.domains)}, PLAN.sizes, N)


@pytest.fixture(scope="module")
def runs() -> list[tuple[Counts, MechanismOutput]]:
    found = []
    for seed in range(6):
        codes, rng = skewed(seed), np.random.default_rng(seed)
        truth = count(codes, [q.columns for q in workload(PLAN, 0.05)])
        found.append((truth, answer(codes, PLAN, 0.05, rng.bytes)))
    return found


def cells(output: MechanismOutput) -> dict[tuple[Columns, tuple[str, ...]], Estimate]:
    return {
        (tuple(r["columns"]), tuple(r["values"])): Estimate(r["count"], r["low"], r["high"])
        for r in output.counts.to_pylist()
    }


def at(table: Columns, values: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(["", *PLAN.domains[n]].index(v) for n, v in zip(table, values, strict=True))


def test_counts_are_those_of_the_records_and_so_add_up(
    runs: list[tuple[Counts, MechanismOutput]],
) -> None:
    for _truth, output in runs:
        for (table, values), found in cells(output).items():
            inside = np.ones(output.records.num_rows, dtype=bool)
            for name, value in zip(table, values, strict=True):
                inside &= np.array(output.records[name].fill_null("").to_pylist()) == value
            assert int(inside.sum()) == found.value


def test_no_part_is_above_its_whole(runs: list[tuple[Counts, MechanismOutput]]) -> None:
    parts = 0
    for _truth, output in runs:
        shown = cells(output)
        for (table, values), part in shown.items():
            for k in range(len(table)):
                for axes in combinations(range(len(table)), k):
                    key = tuple(table[i] for i in axes), tuple(values[i] for i in axes)
                    if whole := shown.get(key):
                        parts += 1
                        assert part.value <= whole.value
                        assert part.low <= whole.low
                        assert part.high <= whole.high
    assert parts > 2_000


def test_no_part_is_above_a_whole_that_is_not_shown(
    runs: list[tuple[Counts, MechanismOutput]],
) -> None:
    """What is said of a cell that is not shown is said of each part of it, shown or not."""
    parts = 0
    for _truth, output in runs:
        shown = cells(output)
        for (table, values), part in shown.items():
            for axes in (axes for k in range(1, len(table)) for axes in combinations(table, k)):
                key = axes, tuple(v for n, v in zip(table, values, strict=True) if n in axes)
                if key in shown or "*".join(axes) not in output.sigma:
                    continue
                sd, size = output.sigma["*".join(axes)], math.prod(PLAN.shape(axes))
                of_table = sum(t == axes for t, _values in shown)
                most = unseen_end(
                    highest_unseen(sd, size, of_table, PLAN.false_share), sd, PLAN.level
                )
                assert part.high <= max(most, part.value)
                parts += 1
    assert parts > 20


def test_intervals_hold_the_truth_by_table_size_and_direction(
    runs: list[tuple[Counts, MechanismOutput]],
) -> None:
    """No more misses than one in twenty, but for chance, of small and of large counts and of tables
    of any size; above the interval about as often as below it."""
    seen: dict[str, list[int]] = {}
    for truth, output in runs:
        for (table, values), found in cells(output).items():
            true = int(truth[table][at(table, values)])
            miss = (true > found.high) - (true < found.low)
            size = "small" if found.value < 60 else "large"
            for group in ("all", size, f"{len(table)} columns"):
                seen.setdefault(group, []).append(miss)
    assert abs(sum(seen["all"])) < 0.03 * len(seen["all"])
    assert len(seen["all"]) > 600
    for group, misses in seen.items():
        n = len(misses)
        most = 0.05 * n + math.sqrt(2 * 7 * 0.05 * n) + 5  # Bernstein: one in a thousand
        assert np.count_nonzero(misses) <= most, (group, n)


def test_records_come_closer_to_the_truth_than_single_tables(
    runs: list[tuple[Counts, MechanismOutput]],
) -> None:
    """Of the columns, whose tables readers look at first, errors are about those of the fit."""
    for truth, output in runs:
        for table in truth:
            if len(table) == 1:
                shown = {v: e for (t, v), e in cells(output).items() if t == table}
                off = [e.value - int(truth[table][at(table, v)]) for v, e in shown.items()]
                assert np.sqrt(np.mean(np.square(off))) < 2 * output.sigma[table[0]], table


def test_settling_brings_records_that_strayed_back_to_the_fit() -> None:
    """A tenth of all records take over one row: columns are off by many standard deviations, and
    within one afterwards; combinations that nobody had do not come up."""
    codes, rng = skewed(2), np.random.default_rng(5)
    questions = workload(PLAN, 0.05)
    exact = count(codes, [q.columns for q in questions])
    found = reconciled(measure(exact, questions, rng.bytes), questions)
    total = Estimate(N, N, N)
    shown = shown_cells(found.items(), questions, total, 0.95, 0.005, PLAN.domains)
    strayed = {n: c.copy() for n, c in codes.columns.items()}
    for column in strayed.values():
        column[: N // 10] = column[N - 1]

    def misfit(records: dict[str, npt.NDArray[np.uint16]]) -> float:
        made = count(Codes(records, PLAN.sizes, N), list(found))
        off = [
            (made[t].ravel()[s.cells] - found[t].value.ravel()[s.cells]) / found[t].sd
            for t, s in shown.items()
            if len(t) == 1
        ]
        return float(np.sqrt(np.mean(np.concatenate(off) ** 2)))

    settled_ = settled(dict(strayed), shown, PLAN, N, rng.bytes)
    assert misfit(strayed) > 5
    assert misfit(settled_) < 1
    before, after = ({*zip(*r.values(), strict=True)} for r in (strayed, settled_))
    assert after <= before


def test_equal_bits_give_equal_answers_and_the_number_of_people_is_exact() -> None:
    one, two = (answer(skewed(1), PLAN, 0.05, np.random.default_rng(3).bytes) for _ in range(2))
    assert one.records.equals(two.records)
    assert one.counts.equals(two.counts)
    assert one.records.num_rows == one.people.value


@pytest.mark.parametrize("n", [0, 1, 2])
def test_nobody_and_hardly_anybody_can_be_settled(n: int) -> None:
    few = Codes({k: np.zeros(n, dtype=np.uint16) for k in PLAN.domains}, PLAN.sizes, n)
    found = answer(few, PLAN, 0.5)
    assert found.records.num_rows == found.people.value
