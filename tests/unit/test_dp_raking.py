"""Tables of whole numbers near noisy ones: projection, raking, groups of values, corridors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ctdhub.dp.published import Estimated
from ctdhub.dp.synth.records import (
    KEEP_SIGMAS,
    apportion,
    corridor,
    grouped,
    merged,
    rake,
    simplex,
    spread,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@settings(deadline=None)
@given(
    hnp.arrays(float, st.integers(1, 40), elements=st.floats(-1e4, 1e5)),
    st.integers(0, 100_000),
)
def test_simplex_projection_is_the_nearest_point(noisy: Floats, total: int) -> None:
    found = simplex(noisy, total)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(total, abs=1e-4)
    if total:  # first order conditions: one shift for all that stays above zero
        shift = (noisy - found)[found > 0]
        assert np.ptp(shift) < 1e-4
        assert (noisy[found == 0] <= shift.mean() + 1e-4).all()


@settings(deadline=None)
@given(
    hnp.arrays(
        float,
        hnp.array_shapes(min_dims=1, max_dims=2, max_side=8),
        elements=st.floats(0, 1e5),
    ),
    st.integers(0, 100_000),
)
def test_apportionment_is_whole_and_near(shares: Floats, total: int) -> None:
    found = apportion(shares, total)
    assert found.shape == shares.shape
    assert found.min() >= 0
    assert found.sum() == total
    if shares.max() > 0:
        part = shares / shares.max()
        assert np.abs(found - part * (total / part.sum())).max() <= 1 + 1e-6


positive = hnp.arrays(float, st.integers(1, 8), elements=st.floats(0.01, 1e4))


@settings(deadline=None)
@given(positive, positive, st.data())
def test_raking_meets_both_margins_and_keeps_the_odds(
    rows: Floats, cols: Floats, data: st.DataObject
) -> None:
    cols = cols * (rows.sum() / cols.sum())
    shape = (rows.size, cols.size)
    table = data.draw(hnp.arrays(float, shape, elements=st.floats(0.1, 10)))
    before = table.copy()
    found = rake(table, rows, cols, rounds=300)
    assert np.array_equal(table, before)
    assert (found >= 0).all()
    assert found.sum(1) == pytest.approx(rows, rel=1e-9)
    assert found.sum(0) == pytest.approx(cols, rel=1e-2)
    few = rake(table, rows, cols)
    assert few.sum(1) == pytest.approx(rows, rel=1e-9)  # rows hold after any number of rounds
    assert cross_ratios(few) == pytest.approx(cross_ratios(before), rel=1e-6)


def cross_ratios(table: Floats) -> Floats:
    return table * table[0, 0] / (table[:1] * table[:, :1])


def test_raking_fills_what_is_empty() -> None:
    rows, cols = np.array([60.0, 30.0, 10.0]), np.array([50.0, 50.0])
    found = rake(np.array([[5.0, 1.0], [1.0, 5.0], [0.0, 0.0]]), rows, cols, rounds=60)
    assert found.sum(1) == pytest.approx(rows)
    assert found.sum(0) == pytest.approx(cols)
    found = rake(np.array([[5.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), rows, cols, rounds=60)
    assert found.sum(1) == pytest.approx(rows)
    assert found.sum(0) == pytest.approx(cols)
    assert not rake(np.ones((3, 2)), np.zeros(3), np.zeros(2)).any()


@settings(deadline=None)
@given(hnp.arrays(float, st.integers(1, 12), elements=st.floats(-50, 200)), st.integers(0, 500))
def test_records_are_spread_over_a_table(noisy: Floats, total: int) -> None:
    found = spread(noisy, total)
    nearest = simplex(noisy, float(total))
    held = np.bincount(found, minlength=noisy.size)
    assert held.sum() == total
    assert np.abs(held - nearest).max() <= 1 + 1e-6


# Groups of the values of a wide column


@st.composite
def hierarchies(draw: st.DrawFn) -> tuple[Floats, tuple[tuple[int, ...], ...], float]:
    values = draw(st.integers(1, 30))
    fine = draw(st.lists(st.integers(0, 5), min_size=values, max_size=values))
    above = draw(st.lists(st.integers(0, 2), min_size=6, max_size=6))
    levels = (tuple(fine), tuple(above[g] for g in fine))[: draw(st.integers(0, 2))]
    expected = draw(hnp.arrays(float, values + 1, elements=st.floats(0, 100)))
    return expected, levels, draw(st.floats(0, 150))


@settings(deadline=None, max_examples=200)
@given(hierarchies())
def test_every_value_is_in_one_group_and_small_ones_join_their_kin(
    case: tuple[Floats, tuple[tuple[int, ...], ...], float],
) -> None:
    expected, parents, least = case
    group = grouped(expected, parents, least)
    assert group.shape == expected.shape
    assert set(group) == set(range(group.max() + 1))
    assert np.flatnonzero(group == group[0]).tolist() == [0]  # "not recorded" stays alone
    assert group[0] == 0
    held = np.bincount(group, weights=expected)
    members = {g: np.flatnonzero(group == g) for g in range(1, held.size)}
    for code in np.flatnonzero(expected >= least):
        assert code == 0 or members[group[code]].tolist() == [code]

    def depth(codes: Ints) -> int:
        """The finest level at which these values are one."""
        return next(
            (d for d, level in enumerate(parents) if len({level[c - 1] for c in codes}) == 1),
            len(parents),
        )

    # A group that is too small has nobody left to join: all others stand alone for good reason.
    small = [g for g in members if held[g] < least]
    assert len(small) <= 1
    for g, codes in members.items():
        if len(codes) > 1:
            assert (expected[codes] < least).all()
            d = depth(codes)
            # They are too few one level below, so that they had to come together here.
            for finer in parents[:d]:
                for kin in {finer[c - 1] for c in codes}:
                    alike = [c for c in codes if finer[c - 1] == kin]
                    assert expected[alike].sum() < least
            assert g in small or held[g] >= least


@settings(deadline=None, max_examples=50)
@given(hierarchies(), st.integers(0, 2))
def test_merging_sums_the_values_of_a_group(
    case: tuple[Floats, tuple[tuple[int, ...], ...], float], axis: int
) -> None:
    expected, parents, least = case
    group = grouped(expected, parents, least)
    shape = [2, 3]
    shape.insert(axis, expected.size)
    table = np.random.default_rng(1).normal(size=shape)
    found = np.moveaxis(merged(table, axis, group), axis, 0)
    for g, part in enumerate(found):
        assert part == pytest.approx(np.moveaxis(table, axis, 0)[group == g].sum(0))


# The corridor of the records


@st.composite
def corridors(draw: st.DrawFn) -> tuple[Floats, Estimated, Estimated, Estimated, int]:
    """True and noisy corridors with their margins, and a number of people near the truth."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(2, 15), st.integers(2, 15)))
    truth = rng.poisson(rng.gamma(0.1, draw(st.sampled_from([2, 30, 500])), shape)).astype(float)
    sd = draw(st.sampled_from([0.5, 3.0, 20.0]))

    def seen(table: Floats, sigma: float) -> Estimated:
        return Estimated(table + rng.normal(0, sigma, table.shape), sigma**2)

    n = max(0, round(truth.sum() + draw(st.sampled_from([0, 0, -40, 40]))))
    return truth, seen(truth, sd), seen(truth.sum(1), sd / 2), seen(truth.sum(0), sd / 2), n


@settings(deadline=None, max_examples=150)
@given(corridors(), st.integers(0, 4))
def test_corridors_are_whole_sum_to_the_people_and_keep_what_stands_out(
    case: tuple[Floats, Estimated, Estimated, Estimated, int], support: int
) -> None:
    _, pair, origins, places, n = case
    found = corridor(pair, origins, places, n, support)
    assert found.shape == pair.value.shape
    assert found.dtype == np.int64
    assert found.min() >= 0
    assert found.sum() == n
    noisy = np.rint(pair.value)
    out = noisy >= KEEP_SIGMAS * pair.sd
    if noisy[out].sum() < n:
        assert (found[out] >= noisy[out]).all()
    if found[~out].any():  # else there was no other place for those that are left
        assert np.array_equal(found[out], noisy[out])


def test_more_cautious_support_has_fewer_corridors() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        truth = rng.poisson(rng.gamma(0.05, 40, (40, 30))).astype(float)
        n, sd = int(truth.sum()), 4.0
        pair = Estimated(truth + rng.normal(0, sd, truth.shape), sd**2)
        sums = [
            Estimated(truth.sum(a) + rng.normal(0, sd, truth.shape[1 - a]), sd**2) for a in (1, 0)
        ]
        found = [corridor(pair, *sums, n, support)[1:, 1:] for support in range(5)]
        shown = [int((table > 0).sum()) for table in found]
        assert shown == sorted(shown, reverse=True), seed
        assert shown[0] > shown[-1]
        invented = [int(table[truth[1:, 1:] == 0].sum()) for table in found]
        assert invented[0] > invented[-1]
