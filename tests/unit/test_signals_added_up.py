"""Shares of one whole add up as they are printed, whatever the noise and the widths are."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ctdhub.core.i18n import language
from ctdhub.report.wording import printed
from ctdhub.stats.cards import Interval, NumberCard
from ctdhub.stats.signals.cards import added_up

Given = tuple[list[int], list[float], list[float]]


@st.composite
def answers(draw: st.DrawFn, wide: tuple[float, float]) -> Given:
    """People by answer, what noise does to each share, and the half-widths of the intervals."""
    n = draw(st.integers(2, 5))
    people = draw(st.lists(st.integers(20, 60), min_size=n, max_size=n))
    half = draw(st.lists(st.floats(*wide), min_size=n, max_size=n))
    noise = [draw(st.floats(-1, 1)) * min(0.02, h) for h in half]
    return people, noise, half


def shares(given_: Given) -> list[Interval]:
    people, noise, half = given_
    values = [p / sum(people) + e for p, e in zip(people, noise, strict=True)]
    return [Interval(v, max(0.001, v - h), v + h, 2 * h) for v, h in zip(values, half, strict=True)]


def card(one: Interval) -> NumberCard:
    return NumberCard(
        one.value, one.low, one.high, 0.95, "share", None, None, "shown", (), None, one.width
    )


def as_printed(one: Interval) -> Decimal:
    with language("en"):
        text = printed(card(one))[0]
    return Decimal(text.removesuffix("%"))


@pytest.mark.parametrize("wide", [(0.01, 0.14), (0.03, 0.14), (0.0005, 0.003)])
def test_all_answers_add_up_to_a_hundred_as_printed(wide: tuple[float, float]) -> None:
    @given(answers(wide))
    @example(([1, 1], [0.0, 0.0], [0.02, wide[1]]))
    @example(([46, 46, 8], [0.005, 0.012, 0.002], [wide[1]] * 3))
    def check(given_: Given) -> None:
        before = shares(given_)
        after = added_up(before, complete=True)
        assert sum(as_printed(one) for one in after) == 100
        total = math.fsum(one.value or 0 for one in before)
        for old, new in zip(before, after, strict=True):
            assert new.value is not None
            assert abs(new.value - (old.value or 0) / total) < 0.01
            assert (new.low or 0) <= min(old.low or 0, new.value)
            assert (new.high or 0) >= max(old.high or 0, new.value)

    check()


@given(answers((0.03, 0.14)))
def test_answers_that_are_not_all_never_exceed_the_whole(given_: Given) -> None:
    assert sum(as_printed(one) for one in added_up(shares(given_), complete=False)) <= 100


def test_a_share_alone_is_rounded_as_usual_and_a_rare_one_does_not_vanish() -> None:
    alone = added_up([Interval(0.4634, 0.40, 0.52, 0.12)], complete=False)
    assert alone[0] == Interval(0.46, 0.40, 0.52)
    rare, most = added_up(
        [Interval(0.004, 0.002, 0.006, 0.004), Interval(0.9, 0.85, 0.95, 0.1)], complete=False
    )
    assert rare.value == 0.004
    assert most.value == 0.9


def test_what_cannot_be_shown_takes_part_and_stays_unshown() -> None:
    few, most = added_up(
        [Interval(0.02, 0.0, 0.09, 0.14), Interval(1.0, 0.91, 1.0, 0.18)], complete=True
    )
    assert few.low == 0
    assert most.value == 0.98
    nothing = Interval(None, None, None)
    assert added_up([nothing, nothing], complete=True) == (nothing, nothing)
