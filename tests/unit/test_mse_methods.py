"""Estimates of the hidden population: known cases by hand, known truths, laws."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lists_of_invented_people import invented

from ctdhub.report import mse as words
from ctdhub.report.mse import report
from ctdhub.stats.mse.estimate import (
    bits_of,
    bootstrap_interval,
    estimate,
    multinomial,
    normal,
    plain,
    relinked,
    uniform,
    unlinked,
)
from ctdhub.stats.mse.estimate import words as random_words
from ctdhub.stats.mse.lists import Lists, pass_gate
from ctdhub.stats.mse.loglinear import design, interior, select

PRACTICE = (0.107, 0.0585, 0.0128)


def cells(names: str, **people: float) -> Lists:
    """Lists from people by the letters of the lists they are on."""
    found = {tuple(n in on for n in names): count for on, count in people.items()}
    return Lists.of(list(names), found)


def exists(lists: Lists, *pairs: int) -> bool:
    d = design(len(lists.names))
    chosen = np.zeros((1, d.pairs), dtype=bool)
    chosen[0, list(pairs)] = True
    finite, kept = d.columns(lists.y[None], chosen)
    return bool(d.exists(lists.y[None], finite, kept)[0])


def test_two_lists_are_lincoln_and_petersen() -> None:
    """200 and 100 people, 20 on both: 200 * 100 / 20 = 1,000."""
    found = select(cells("ab", a=180, b=80, ab=20).y[None], 2)
    assert found.people[0] == pytest.approx(1000)


def test_three_independent_lists_by_hand() -> None:
    """Exactly independent: 1,000 people, chances 1/2, 1/5, 1/10."""
    lists = cells("abc", a=360, b=90, c=40, ab=90, ac=40, bc=10, abc=10)
    assert select(lists.y[None], 3).people[0] == pytest.approx(1000)
    assert not select(lists.y[None], 3).chosen.any()


def test_estimates_do_not_exist_where_nobody_links_two_groups_of_lists() -> None:
    """ab overlap and cd overlap, but no list of the one with any of the other.  With all four cross
    pairs chosen the cells between leave, and nothing ties the sizes of the two groups together:
    rank is lost.  With the lists alone everything exists."""
    lists = cells("abcd", a=50, b=40, c=60, d=30, ab=10, cd=12)
    assert exists(lists)
    places = design(4).places
    across = [places.index(p) for p in ((0, 2), (0, 3), (1, 2), (1, 3))]
    assert exists(lists, across[0])
    assert exists(lists, *across)
    within = [places.index(p) for p in ((0, 1), (2, 3))]
    assert not exists(lists, *across, *within)


def test_a_saturated_pair_of_two_lists_is_refused() -> None:
    assert not exists(cells("ab", a=5, b=5, ab=5), 0)


def test_an_empty_margin_is_found_by_the_programme() -> None:
    """Positive overlaps, yet no finite estimate: Fienberg and Rinaldo's classic case is a table
    with zeros in two opposite corners; here the people of abc and of nobody's list are the
    corners, and cells a, b, c without ab, ac, bc leave no room."""
    d = design(3)
    lists = cells("abc", a=5, b=5, c=5, ab=3, ac=3, bc=3)
    assert not exists(lists, *range(d.pairs))
    assert exists(cells("abc", a=5, b=5, c=5, ab=3, ac=3, bc=3, abc=1), *range(d.pairs))
    # only on one list or on all: overlaps are positive, and the lists alone cannot exist with
    # every pair
    assert not exists(cells("abc", a=5, b=5, c=5, abc=4), *range(d.pairs))
    assert exists(cells("abc", a=5, b=5, c=5, abc=4))


@given(
    st.lists(st.integers(0, 12), min_size=7, max_size=7),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_where_estimates_exist_the_fit_has_the_sums_of_the_table(
    counts: Sequence[int], pairs: Sequence[bool]
) -> None:
    d = design(3)
    y, chosen = np.array([counts], dtype=float), np.array([pairs])
    finite, kept = d.columns(y, chosen)
    if not d.exists(y, finite, kept)[0]:
        return
    _b, means = d.fit(y, finite, kept)
    sums = ((y * kept - means) @ d.x) * finite
    assert np.abs(sums).max() < 1e-5
    assert (means[kept] > 0).all()


def test_an_added_pair_of_nobody_takes_its_cells_along() -> None:
    """A chosen pair that nobody is on has the parameter minus infinity."""
    lists = cells("abc", a=100, b=100, c=100, ac=20, bc=20)
    d = design(3)
    chosen = np.array([[True, False, False]])
    finite, kept = d.columns(lists.y[None], chosen)
    assert not finite[0, 4:].any()
    assert kept[0].tolist() == [True, True, False, True, True, True, False]


def test_the_same_table_always_gives_the_same_numbers() -> None:
    lists = invented(20000, (0.2, 0.15, 0.1), 1)
    assert estimate(lists, replicates=200) == estimate(lists, replicates=200)
    other = lists.replace([lists.y[0] + 1, *lists.y[1:]])
    assert bits_of(lists, "a")(16) != bits_of(other, "a")(16)


def test_other_bits_give_other_intervals_but_the_same_points() -> None:
    lists = invented(20000, (0.2, 0.15, 0.1), 1)

    def seeded(purpose: str) -> object:
        rng = np.random.default_rng(5)
        return rng.bytes

    one, two = estimate(lists, replicates=200), estimate(lists, replicates=200, source=seeded)  # type: ignore[arg-type]
    assert [m.value for m in one.methods] == [m.value for m in two.methods]
    assert one.methods[0].low != two.methods[0].low


@settings(max_examples=15)
@given(
    st.permutations(range(3)),
    st.lists(st.integers(5, 60), min_size=7, max_size=7),
)
def test_the_order_of_lists_changes_nothing(order: Sequence[int], counts: Sequence[int]) -> None:
    names = ["p", "q", "r"]
    on = [tuple(bool(c >> k & 1) for k in range(3)) for c in range(1, 8)]
    first = dict(zip(on, counts, strict=True))
    moved = {tuple(key[k] for k in order): n for key, n in first.items()}
    assert Lists.of(names, first) == Lists.of([names[k] for k in order], moved)


def test_draws_have_the_moments_of_their_laws() -> None:
    bits = bits_of(invented(100, (0.5, 0.5), 0), "moments")
    chances = np.array([0.6, 0.3, 0.0999, 0.0001])
    drawn = multinomial(5000, chances, 4000, bits)
    assert (drawn.sum(axis=1) == 5000).all()
    error = np.sqrt(5000 * chances * (1 - chances) / 4000)
    assert (np.abs(drawn.mean(axis=0) - 5000 * chances) < 5 * error).all()
    spread = drawn.var(axis=0) / (5000 * chances * (1 - chances))
    assert spread == pytest.approx([1, 1, 1, 1], abs=0.15)
    u, z = uniform((20000,), bits), normal((20000,), bits)
    assert abs(u.mean() - 0.5) < 0.015
    assert abs(z.mean()) < 0.04
    assert abs(z.std() - 1) < 0.03


def test_bca_without_skew_is_the_plain_interval() -> None:
    replicates = np.arange(1, 1000) / 10 + 50
    ones = np.array([1.0, 1.0])
    found = bootstrap_interval(100.0, replicates, np.array([99.0, 101.0]), ones, 0.9)
    assert (found.z0, found.acceleration) == pytest.approx((0, 0), abs=1e-9)
    assert plain(replicates, 0.9) == pytest.approx(found.corrected)


def test_bca_maps_by_the_formula_of_efron() -> None:
    """z0 = -0.5244 (30 % below), a = 0: the ends are quantiles at Phi(2 z0 ± 1.645).  What is shown
    are quantiles at 5 and 95 %."""
    ones, replicates = np.array([1.0, 1.0]), np.arange(1000, dtype=float)
    found = bootstrap_interval(300.0, replicates, ones, ones, 0.9)
    assert found.z0 == pytest.approx(-0.5244, abs=0.003)
    assert found.mapped == pytest.approx((0.0035, 0.724), abs=0.002)
    assert found.corrected == pytest.approx((3.5, 724), abs=2)
    assert plain(replicates, 0.9) == pytest.approx((49.95, 949.05))


def test_wrong_links_are_undone() -> None:
    lists = invented(20000, (0.3, 0.2, 0.15, 0.1), 3)
    back = unlinked(relinked(lists, 0.1), 0.1)
    assert back.y == pytest.approx(lists.y, rel=1e-9)
    assert relinked(lists, 0.1).overlapping > lists.overlapping > unlinked(lists, 0.1).overlapping


def test_wrong_links_by_hand() -> None:
    """100 people are on both lists. A fifth of the links is not made: 80 stay on both, and 20
    stand once on each list alone."""
    found = unlinked(cells("ab", a=10, b=15, ab=100), 0.2)
    assert found.y == pytest.approx([30, 35, 80])


def test_the_gate_asks_for_ten_people_on_several_lists() -> None:
    nine = estimate(cells("abc", a=500, b=400, c=300, ab=4, bc=5))
    assert (nine.gate.refused, nine.methods, nine.spread) == ("overlap", (), None)
    assert report(nine)["refused"]["rule"] == "overlap"
    assert "9 people are on two or more lists" in words.refusal(nine.gate)
    assert estimate(cells("abc", a=500, b=400, c=300, ab=5, bc=5)).gate.refused is None


def test_the_gate_counts_noise_against_the_overlap() -> None:
    """30 people with noise 10 in each of four cells may be none."""
    noisy = Lists.of(["a", "b", "c"], {(True, False, False): 900, (False, True, False): 800,
                     (False, False, True): 700, (True, True, False): 22, (False, True, True): 8,
                     }, 10.0)  # fmt: skip
    assert pass_gate(noisy, 0.95).refused is not None
    assert pass_gate(Lists(noisy.names, noisy.counts), 0.95).refused is None


def test_a_list_that_shares_nobody_is_left_out_and_named() -> None:
    result = estimate(cells("abc", a=100, b=80, c=70, ab=20), replicates=100)
    assert result.gate.alone == ("c",)
    assert result.gate.lists is not None
    assert result.gate.lists.names == ("a", "b")
    assert any("share nobody" in line and "c" in line for line in words.warnings(result))
    assert {m.name: m.value for m in result.methods}["independent"] == pytest.approx(600)


def test_two_lists_get_a_warning_and_no_pairs() -> None:
    result = estimate(cells("ab", a=180, b=80, ab=20), replicates=100)
    assert any("two lists" in line for line in words.warnings(result))
    assert {c.kind for c in result.changes} == {"tied", "missed_links", "false_links"}
    assert all(m.pairs == () for m in result.methods)


def test_eight_lists_are_estimated() -> None:
    lists = invented(3000, (0.25, 0.2, 0.2, 0.15, 0.15, 0.1, 0.1, 0.1), 2)
    found = {m.name: m for m in estimate(lists, replicates=20).methods}
    for name in ("independent", "stepwise"):
        assert found[name].value == pytest.approx(3000, rel=0.1)


@pytest.mark.parametrize("sigma", [0.0, 10.0])
def test_intervals_cover_a_known_population(sigma: float) -> None:
    """The practice population, 282,349 people behind three independent lists, with and without the
    noise of a release: of 40 intervals at 95 %, 33 or fewer cover with a chance below 1 in 1,000.
    """
    truth, runs = 282_349, 40
    covered: dict[str, int] = {}
    middle: dict[str, list[float]] = {}
    for seed in range(runs):
        for m in estimate(invented(truth, PRACTICE, seed, sigma), replicates=200).methods:
            assert m.value is not None
            assert m.low is not None
            assert m.high is not None
            covered[m.name] = covered.get(m.name, 0) + (m.low <= truth <= m.high)
            middle.setdefault(m.name, []).append(m.value)
    assert min(covered.values()) >= 34, covered
    for name, values in middle.items():
        assert float(np.median(values)) == pytest.approx(truth, rel=0.03), name


@settings(max_examples=60)
@given(
    st.lists(st.integers(-4, 12), min_size=7, max_size=7),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_negative_cells_are_judged_as_the_programme_judges(
    counts: Sequence[int], pairs: Sequence[bool]
) -> None:
    """The fit as a witness is a short cut and never another answer."""
    d = design(3)
    y, chosen = np.array([counts], dtype=float), np.array([pairs])
    finite, kept = d.columns(y, chosen)
    if kept[0].any():
        part = d.x[np.ix_(kept[0], finite[0])]
        assert bool(d.exists(y, finite, kept)[0]) == interior(part, y[0, kept[0]])


@pytest.mark.parametrize("chances", [(0.6, 0.5, 0.5), (0.7, 0.6), (0.25, 0.2)])
def test_intervals_hold_populations_of_which_most_people_are_seen(
    chances: tuple[float, ...],
) -> None:
    """Tables of as many people do not show that how many are seen is chance: where lists know most
    people, 95 % intervals held the truth in .76 and .87.  Of 200, 180 or fewer hold it with a
    chance of 1 in 1,000."""
    held = 0
    for seed in range(200):
        one = estimate(invented(1000, chances, seed), replicates=200)
        assert one.intervals is not None
        held += one.intervals[0] <= 1000 <= one.intervals[1]
    assert held > 180


def test_the_spread_of_two_lists_is_that_of_lincoln_and_petersen() -> None:
    """N (1 - p)(1 - q) / (p q), a formula that knows nothing of a bootstrap."""
    exact = 1000 * (0.3 * 0.4) / (0.7 * 0.6)
    counts = {"a": 1000 * 0.7 * 0.4, "b": 1000 * 0.3 * 0.6, "ab": 1000 * 0.7 * 0.6}
    low, high = estimate(cells("ab", **counts), replicates=10_000).intervals or (0.0, 0.0)
    assert (high - low) / (2 * 1.96) == pytest.approx(exact**0.5, rel=0.05)


def test_words_that_run_out_end_the_drawing_at_once() -> None:
    """Without that each draw counted to a hundred million, one by one."""
    from ctdhub.stats.mse import kernels

    n = 10**15
    held, at = random_words(40, os.urandom), np.zeros(1, dtype=np.int64)
    out = np.zeros((50, 3), dtype=np.int64)
    kernels.multinomials(n, np.array([0.5, 0.4, 0.1]), out, held, at)
    assert at[0] > len(held)
    found = multinomial(10**9, np.array([1.0, 1.0, 1e-7]), 50, os.urandom)
    assert (found.sum(axis=1) == 10**9).all()
    assert (found[:, 2] < 200).all()
