"""How signals are worded: untested figures claim no direction, names keep theirs."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from ctdhub.core.i18n import language
from ctdhub.release.manifest import PublicFacts
from ctdhub.report import signals as signal_words
from ctdhub.report.signal_charts import about_turn
from ctdhub.report.signals import Quantity, words_of
from ctdhub.stats.trend import Turn


def test_a_figure_that_was_not_tested_moves_only_where_its_intervals_part() -> None:
    near = (
        Quantity("78% (69% to 87%)", 0.78, 0.69, 0.87),
        Quantity("79% (57% to 100%)", 0.79, 0.57, 1.0),
    )
    far = (
        Quantity("20% (15% to 25%)", 0.2, 0.15, 0.25),
        Quantity("60% (50% to 70%)", 0.6, 0.5, 0.7),
    )
    exact = (Quantity("4", 4.0, 4.0, 4.0), Quantity("3", 3.0))
    with language("en"):
        assert "went from" in words_of("and_share", near)
        assert "rose" in words_of("and_share", far)
        assert "fell" in words_of("and_count", exact, "", "women")
        assert "rose" in words_of("and_count", near, "rise", "women")  # its own test is believed


def test_names_keep_their_direction_in_arabic_and_are_those_of_the_language() -> None:
    turn = Turn(2019, ("Mirador (2)", "Harbour"), ())
    facts = PublicFacts.of(
        {
            "hub": "The hub",
            "contributors": [{"name": "Harbour", "names": {"ar": "المرفأ"}}, "Mirador (2)"],
            "years": [2010, 2020],
            "schema_version": "1.0",
        }
    )
    with language("ar"):
        told = about_turn(turn, facts)
    assert "\u2068Mirador (2)\u2069" in told
    assert "\u2068المرفأ\u2069" in told
    with language("en"):
        told = about_turn(turn, facts)
    assert "\u2068" not in told
    assert "Harbour" in told


@pytest.mark.parametrize(
    ("half", "most", "said"),
    [
        (1.5, 2.251, "in at least half of the cases; in nine out of ten, a rise to 2.26 times"),
        (1.5, math.inf, "in more than one in ten, this cannot be said even of a rise to 50 times"),
        (
            math.inf,
            math.inf,
            "In more than half of the series, it cannot be said of any rise to 50 times",
        ),
    ],
)
def test_where_no_rise_would_have_been_found_that_is_said(
    half: float, most: float, said: str
) -> None:
    findings = [SimpleNamespace(moved=lambda rate: False, smallest=half)] * 40
    found: Any = SimpleNamespace(
        smallest=(half, most), findings=findings, settings=SimpleNamespace(rate=0.1)
    )
    with language("en"):
        assert said in signal_words.smallest_rise(found, str)
