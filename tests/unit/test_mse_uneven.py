"""Estimates where the usual assumptions fail: people who differ, nested lists, wrong links."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lists_of_invented_people import NAMES, invented
from test_mse_methods import cells

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.report import mse as words
from ctdhub.report.mse import report
from ctdhub.stats.mse.estimate import (
    HINT,
    QUESTIONS,
    SIGN,
    Dependence,
    Result,
    changes,
    dependence,
    estimate,
    relinked,
    stratified,
    unlinked,
)
from ctdhub.stats.mse.lists import Floats, Lists, members, pass_gate
from ctdhub.stats.mse.loglinear import _tails, select
from ctdhub.stats.mse.read import lists_of

VISIBLE = {
    "0001": 116, "0010": 161, "0011": 19, "0100": 198, "0101": 15, "0110": 23, "0111": 4,
    "1000": 257, "1001": 22, "1010": 28, "1011": 5, "1100": 42, "1101": 11, "1110": 8, "1111": 1,
}  # fmt: skip
"""Drawn from 5,000 people of whom 15 % are ten times easier to find than the others."""


def visible() -> Lists:
    found = {tuple(k == "1" for k in on): n for on, n in VISIBLE.items()}
    return Lists.of(["police", "ngo", "hotline", "shelter"], found)


def sparse(lists: int, people: int, seed: int) -> Lists:
    rng = np.random.default_rng(seed)
    return invented(people, rng.uniform(0.01, 0.06, lists), seed)


def estimates(lists: Lists) -> tuple[float, float]:
    found = select(lists.y[None], len(lists.names))
    return float(found.people[0]), float(found.alone[0])


@given(st.integers(0, 60), st.floats(0.01, 60))
def test_tails_are_those_of_poisson_at_whole_numbers(seen: int, expected: float) -> None:
    from scipy.special import pdtr, pdtrc

    got = _tails(np.array([float(seen)]), np.array([expected]), np.ones(1), 0.0)
    high = pdtrc(seen - 1, expected) if seen else 1.0
    assert got[0] == pytest.approx(min(pdtr(seen, expected), high), rel=1e-9, abs=1e-300)


@given(st.floats(0, 40), st.floats(0, 2), st.floats(0.01, 40))
def test_between_whole_numbers_tails_go_one_way(seen: float, more: float, expected: float) -> None:
    """More people above the expected number are more surprising, and fewer below it are."""
    x = np.array([seen, seen + more])
    one, two = _tails(x, np.full(2, expected), np.ones(2), 0.0)
    if seen > expected + 1:
        assert two <= one * (1 + 1e-9)
    if seen + more < expected - 1:
        assert one <= two * (1 + 1e-9)
    near = _tails(np.array([seen, seen + 1e-6]), np.full(2, expected), np.ones(2), 0.0)
    if seen > 1e-3:
        assert near[0] == pytest.approx(near[1], rel=1e-3)


@pytest.mark.parametrize(("lists", "people", "seeds"), [(8, 1500, 4), (5, 2000, 12)])
def test_a_thousandth_of_wrong_links_moves_no_estimate_far(
    lists: int, people: int, seeds: int
) -> None:
    for seed in range(seeds):
        table = pass_gate(sparse(lists, people, seed), 0.95).lists
        if table is None:
            continue
        before = estimates(table)
        for changed in (relinked(table, 0.001), unlinked(table, 0.001)):
            assert estimates(changed) == pytest.approx(before, rel=0.01), seed


def test_fractions_let_no_pair_in() -> None:
    """A sparse table on which rounding overlaps doubled the estimate."""
    rng = np.random.default_rng(0)
    on = rng.random((2000, 5)) < [0.03, 0.04, 0.05, 0.02, 0.015]
    held = np.bincount(on @ (1 << np.arange(5)), minlength=32)[1:]
    table = Lists(tuple("abcde"), tuple(map(float, held)))
    rates = {c.rate: c for c in changes(table, 0.95) if c.kind == "missed_links"}
    assert [round(rates[r].stepwise or 0) for r in (0.05, 0.1, 0.2)] == [3127, 2960, 2625]
    assert round(estimates(relinked(table, 0.001))[0]) == 3292


@pytest.mark.parametrize("seed", [*range(8), 50])
def test_missed_links_lower_an_estimate_and_false_ones_raise_it(seed: int) -> None:
    """On the last table a pair enters when links are missed, and the estimate would rise."""
    table = sparse(5, 2000, seed)
    found = changes(table, 0.95)
    before = (estimates(table)[0], estimates(table)[1])
    for kind, sign in (("missed_links", -1), ("false_links", 1)):
        last = before
        for c in (c for c in found if c.kind == kind):
            if c.stepwise is None or c.independent is None:
                continue
            assert sign * (c.stepwise - last[0]) >= -1e-6 * last[0]
            assert sign * (c.independent - last[1]) >= -1e-6 * last[1]
            last = (c.stepwise, c.independent)


def test_a_row_with_other_pairs_says_so() -> None:
    rng = np.random.default_rng(3)
    table = invented(4000, (0.2, 0.15, 0.1, 0.1), 3)
    both = table.on[:, 0] & table.on[:, 1]
    table = table.replace(table.y + np.where(both, rng.integers(20, 60, len(both)), 0))
    assert select(table.y[None], 4).chosen.any()
    found = changes(table, 0.95)
    anew = [c for c in found if c.anew]
    assert anew
    with language("en"):
        for c in found:
            assert ("other pairs of lists" in words.change(c)) == c.anew
    for c in anew:
        if c.rate is not None:
            assert c.others is not None
            assert c.others != c.stepwise


def test_people_who_differ_are_told_and_no_range_is_claimed() -> None:
    result = estimate(visible(), replicates=100, answers=QUESTIONS)
    with language("en"):
        text, warned = words.spread(result), words.warnings(result)
    assert "The estimate is 2,021 people" in text
    assert "No range is given for the true number: some people seem to be harder to find" in text
    assert any(line.startswith("The lists show signs that some people") for line in warned)
    assert any("z = 2.82" in line for line in warned)
    assert result.dependence is not None
    by_name = {row.name: row for row in result.dependence.rows}
    assert by_name["differ"].why == "too_wide"
    data = report(result)
    assert data["if_lists_depend"]["z"] == pytest.approx(2.82, abs=0.01)
    assert json.dumps(data)


def apart() -> Lists:
    """Four lists of 5,000 people that avoid each other's people: each overlap is a third of what
    independent lists would have, the triples a ninth of that."""
    on, shares = members(4), np.array((0.25, 0.2, 0.15, 0.1))
    chance = np.where(on, shares, 1 - shares).prod(axis=1) * (1 / 3.0) ** np.maximum(
        on.sum(axis=1) - 1, 0
    )
    return Lists(tuple("abcd"), tuple(map(float, np.round(5000 * chance))))


def tied(chances: Sequence[float], odds: dict[tuple[int, int], float]) -> Lists:
    """5,000 people, counts as expected: the odds of a pair of lists are multiplied, all else is
    independent."""
    on = np.vstack([np.zeros((1, len(chances)), dtype=bool), members(len(chances))])
    p = np.array(chances)
    weight = np.where(on, p / (1 - p), 1.0).prod(axis=1)
    for (a, b), times in odds.items():
        weight = weight * np.where(on[:, a] & on[:, b], times, 1.0)
    counts = (5000 * weight / weight.sum())[1:]
    return Lists(tuple("abcd"[: len(chances)]), tuple(map(float, np.round(counts))))


@pytest.mark.parametrize(("odds", "row"), [(0.5, "halved"), (2.0, "doubled")])
def test_lists_that_avoid_or_refer_are_right_in_one_row_each(odds: float, row: str) -> None:
    """Both ways: all pairs with half the odds, as shelters have, and with twice the odds.  Lists
    taken as independent are half as many again too high, and a third too low."""
    pairs = {(a, b): odds for b in range(4) for a in range(b)}
    result = estimate(tied((0.2, 0.15, 0.1, 0.1), pairs), replicates=50)
    assert result.dependence is not None
    made = {m.name: m.value or 0.0 for m in (*result.methods, *result.dependence.rows)}
    assert made[row] == pytest.approx(5000, rel=0.01)
    alone = made["independent"]
    assert (alone > 6500) if odds < 1 else (alone < 3700)
    assert result.tied is not None
    assert result.tied[0] < 5000 < result.tied[1]


def test_each_pair_has_a_row_each_way_and_a_chosen_one_only_among_independent_lists() -> None:
    table = tied((0.2, 0.15, 0.1), {(0, 1): 4.0})
    result = estimate(table, replicates=50, answers=QUESTIONS)
    rows = {(c.names, c.rate): c for c in result.changes if c.kind == "tied"}
    assert set(rows) == {(pair, rate) for pair in table.pairs for rate in (0.5, 2.0)}
    assert result.pairs == (("a", "b"),)
    assert rows[("a", "b"), 2.0].stepwise is None
    for pair in table.pairs:
        low, high = rows[pair, 0.5].independent, rows[pair, 2.0].independent
        assert (low or 0) < (result.methods[0].value or 0) < (high or 0)
    with language("en"):
        assert "these lists depend on each other: a – b" in words.spread(result)
        assert words.change(rows[("a", "b"), 0.5]) == "If being on a halves the odds of being on b"


LIKE_INDEPENDENT = {"a": 360, "b": 90, "c": 40, "ab": 90, "ac": 40, "bc": 10, "abc": 10}


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({}, "have not answered all three questions"),
        ({"same_place": True, "refer": False}, "have not answered all three questions"),
        ({**QUESTIONS, "refer": True}, "by their answers the lists are not independent"),
        ({**QUESTIONS, "same_place": False}, "the lists are not independent"),
        (QUESTIONS, "for the true number: no overlap shows how many people are hard to find"),
    ],
)
def test_no_range_is_given_whatever_the_organisations_answer(
    answers: dict[str, bool], told: str
) -> None:
    """The same table: an answer that nobody gave is said to be none, and taken for none."""
    result = estimate(cells("abc", **LIKE_INDEPENDENT), replicates=100, answers=answers)
    with language("en"):
        text = words.spread(result)
    assert told in text
    assert text.count("not answered.") == 3 - len(answers)
    assert report(result)["answers"] == {name: answers.get(name) for name in QUESTIONS}
    assert "hard to find for all of these lists" in text
    assert result.tied is not None
    assert result.tied[0] < 1000 < result.tied[1]


def test_lists_that_seem_to_avoid_each_other_get_no_range() -> None:
    pairs = {(a, b): 0.5 for b in range(4) for a in range(b)}
    result = estimate(tied((0.3, 0.25, 0.2, 0.15), pairs), replicates=50, answers=QUESTIONS)
    assert result.dependence is not None
    assert result.dependence.hinted == -1
    with language("en"):
        assert "the lists seem to avoid each other’s people" in words.spread(result)
        assert any("signs that they avoid" in line for line in words.warnings(result))


@pytest.mark.parametrize("table", [visible, apart])
@pytest.mark.parametrize("code", LANGUAGES)
def test_no_text_calls_an_estimate_a_lower_end(table: Callable[[], Lists], code: str) -> None:
    """Lists that avoid each other's people give too many: both directions are said, always."""
    result = estimate(table(), replicates=50)
    if table is apart:
        assert result.spread is not None
        assert result.spread[0] > 5000
    with language(code):
        told = [words.spread(result), *words.warnings(result), *words.always()]
    low, high, lower_end = BOTH[code]
    assert low in told[0]
    assert high in told[0]
    assert sum(high in text for text in told) == 2
    assert not [text for text in told if lower_end in text]


BOTH = {
    "en": ("too low if", "too high if", "at least”"),
    "fr": ("trop bas si", "trop élevés si", "au moins »"),
    "es": ("demasiado bajas si", "demasiado altas si", "al menos»"),
    "ar": ("أدنى من الواقع إذا", "أعلى من الواقع إذا", "على الأقل»"),
}
"""What is said of estimates that are too low and too high, and the words that one may not quote."""


def test_the_common_interaction_gives_back_the_table_it_is_made_of() -> None:
    """Means of the model itself, with 500,000 people on no list."""
    on = members(4)
    k = on.sum(axis=1)
    effects = np.log([0.14, 0.1, 0.08, 0.05])
    table = Lists(tuple("abcd"), tuple(5e5 * np.exp(on @ effects + np.log(0.5) - np.log(0.5 + k))))
    row = {r.name: r for r in dependence(table, 0.95).rows}["differ"]
    assert row.value == pytest.approx(table.people + 5e5, rel=1e-6)


def test_the_bound_is_that_of_chao_where_lists_are_of_one_size() -> None:
    """n + ((t - 1) / t) f1^2 / (2 f2) with t lists (A. Chao, 1987)."""
    table = Lists(tuple("abcd"), tuple(float({1: 60, 2: 7, 3: 9, 4: 30}[int(c.sum())])
                                       for c in members(4)))  # fmt: skip
    f1, f2 = 4 * 60, 6 * 7
    row = dependence(table, 0.95).rows[-1]
    assert row.name == "at_least"
    assert row.value == pytest.approx(table.people + 3 / 4 * f1**2 / (2 * f2))


def test_people_who_differ_are_never_fewer_than_people_who_are_alike() -> None:
    """Where lists avoid each other the coefficient is negative: people who differ cannot make it
    so, and the row shows people who are alike."""
    crowded = cells("abc", a=600, b=500, c=400, ab=90, ac=80, bc=70, abc=2)
    found = dependence(crowded, 0.95)
    assert found.z is not None
    assert found.z < -2
    alike = float(select(crowded.y[None], 3).alone[0])
    assert {r.name: r.value for r in found.rows}["differ"] == pytest.approx(alike)


def test_no_row_where_nobody_is_on_three_lists() -> None:
    few = cells("abc", a=200, b=180, c=150, ab=20, ac=18, bc=15)
    found = dependence(few, 0.95)
    assert found.rows[2].why == "nobody_on_three"
    assert (found.z, found.hinted, found.is_complete) == (None, 0, False)
    noisy = Lists(few.names, (*few.counts[:-1], 12.0), 10.0)
    assert dependence(noisy, 0.95).rows[2].why == "nobody_on_three"
    two = dependence(cells("ab", a=90, b=80, ab=20), 0.95).rows
    assert [row.why for row in two] == [None, None, "few_lists", "few_lists"]
    assert [round(row.value or 0) for row in two[:2]] == [370, 910]  # 190 + 360 x 1/2, and x 2


def encounters(people: int, rates: Sequence[float], shape: float, seed: int) -> Floats:
    """Each person is met by each list at random times, at a rate of their own: gamma of that
    shape and mean 1; infinity is everybody alike."""
    rng = np.random.default_rng(seed)
    a = rng.gamma(shape, 1 / shape, (people, 1)) if np.isfinite(shape) else np.ones((people, 1))
    on = rng.random((people, len(rates))) < 1 - np.exp(-a * np.array(rates))
    held = on @ (1 << np.arange(len(rates)))
    return np.bincount(held, minlength=2 ** len(rates))[1:].astype(float)


def asked(shape: float, tables: int, people: int = 6000, sigma: float = 0.0) -> list[Dependence]:
    found = []
    for seed in range(tables):
        y = encounters(people, (0.15, 0.1, 0.08, 0.06), shape, seed)
        y += np.random.default_rng(seed).normal(0, sigma, len(y)) if sigma else 0
        found.append(dependence(Lists(tuple(NAMES[:4]), tuple(y), sigma), 0.95))
    return found


def fires(found: Sequence[Dependence], limit: float) -> float:
    return float(np.mean([u.z is not None and u.z > limit for u in found]))


def test_the_test_that_people_differ_separates() -> None:
    """On a generator of another kind than those it was built on."""
    alike, differing = asked(np.inf, 120), asked(1.0, 60)
    assert fires(alike, SIGN) <= 0.07
    assert fires(alike, HINT) <= 0.2
    assert fires(differing, SIGN) >= 0.5
    assert fires(differing, HINT) >= 0.8
    claimed = [u for u in differing if not u.hinted and u.is_complete]
    assert all(max(row.high or 0 for row in u.rows) > 6000 for u in claimed)


def test_noise_of_protection_is_not_taken_for_people_who_differ() -> None:
    noisy = [u for u in asked(np.inf, 60, 40_000, 8.0) if u.z is not None]
    assert len(noisy) > 50
    assert fires(noisy, HINT) <= 0.25


@pytest.mark.parametrize(
    ("people", "nested"),
    [
        ({"a": 1000, "ab": 50, "ac": 60, "abc": 5}, ("a",)),
        ({"a": 1000, "b": 5, "ab": 50, "ac": 60, "c": 4, "abc": 5}, ("a",)),
        ({"a": 400, "ab": 50, "ac": 60, "abc": 5, "c": 300}, ("b", "a")),
        ({"a": 1000, "b": 6, "ab": 50, "ac": 60, "c": 4, "abc": 5}, ()),
        ({"a": 400, "ab": 4, "ac": 300, "abc": 5, "c": 40}, ()),
    ],
)  # fmt: skip
def test_nested_lists_are_refused(people: dict[str, int], nested: tuple[str, ...]) -> None:
    """A list that holds all but nine; one inside another, unless that is no surprise: nine
    people, where the other list holds nine in ten."""
    lists = cells("abc", **people)
    result = estimate(lists, replicates=100)
    assert result.gate.nested == nested
    assert result.gate.refused == ("nested-lists" if nested else None)
    assert (result.methods == ()) == bool(nested)
    with language("en"):
        text = words.refusal(result.gate, {"a": "Registry"})
        assert ("Registry" in text) == bool(nested)
    if nested:
        assert report(result)["refused"]["rule"] == "nested-lists"


def test_two_lists_of_the_same_people_are_refused() -> None:
    assert pass_gate(cells("ab", ab=50), 0.95).refused == "nested-lists"


def within(parts: dict[str, Lists]) -> Result:
    whole = next(iter(parts.values()))
    whole = whole.replace(np.sum([p.y for p in parts.values()], axis=0))
    return estimate(whole, replicates=100, strata={(k,): v for k, v in parts.items()})


def test_strata_add_up() -> None:
    """Women 1,000 with chances 1/2 and 1/5, men 1,000 with 1/10 and 1/2: each exactly independent,
    2,000 together, and far from it where they are not told apart."""
    women = cells("ab", a=400, b=100, ab=100)
    men = cells("ab", a=50, b=450, ab=50)
    result = within({"women": women, "men": men})
    assert result.strata is not None
    independent = result.strata.rows[0]
    assert independent.value == pytest.approx(2000)
    assert independent.low is not None
    assert independent.high is not None
    assert independent.low < 2000 < independent.high
    assert abs((result.methods[0].value or 0) - 2000) > 500
    data = report(result)["strata"]
    assert [part["strata"] for part in data["parts"]] == [[["men"]], [["women"]]]
    with language("en"):
        assert "women" in words.strata(result.strata)


def test_a_list_that_shares_nobody_is_left_out_of_strata_too() -> None:
    women = cells("abc", a=400, b=100, ab=100)
    men = cells("abc", a=50, b=450, ab=50, c=70)
    result = within({"women": women, "men": men})
    assert result.gate.alone == ("c",)
    assert result.strata is not None
    assert result.strata.rows[0].value == pytest.approx(2000)


def test_strata_that_overlap_too_little_are_taken_together() -> None:
    good, poor = cells("ab", a=400, b=100, ab=100), cells("ab", a=40, b=30, ab=6)
    other = cells("ab", a=50, b=450, ab=50)
    tables = {("x",): good, ("y",): poor, ("z",): poor, ("v",): other}
    bits = np.random.default_rng(1).bytes
    found = stratified(tables, 0.95, 50, bits)
    assert [labels for labels, _n in found.parts] == [(("v",),), (("x",),), (("y",), ("z",))]
    alone = stratified({("x",): good, ("y",): poor}, 0.95, 50, bits)
    assert alone.rows == ()
    with language("en"):
        assert "fewer than two strata" in words.strata(alone)


def test_strata_are_read_from_columns() -> None:
    names = ["gender", "a", "b", "n"]
    rows = [
        (2, ["f", "1", "0", "400"]), (3, ["f", "0", "1", "100"]), (4, ["f", "1", "1", "100"]),
        (5, ["", "1", "0", "50"]), (6, ["", "0", "1", "450"]), (7, [None, "1", "1", "50"]),
    ]  # fmt: skip
    whole, parts, notes = lists_of(names, rows, "x.csv", ["gender"])
    assert (whole.names, whole.people, notes) == (("a", "b"), 1150, ())
    assert {label: t.people for label, t in parts.items()} == {("f",): 600, ("",): 550}
    for wrong in (["sex"], ["n"]):
        with pytest.raises(HubError) as caught:
            lists_of(names, rows, "x.csv", wrong)
        assert caught.value.rule == "strata-column"
