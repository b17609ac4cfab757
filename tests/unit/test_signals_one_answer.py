"""Figures of signals are what the release answers."""

from __future__ import annotations

import pytest
from practice_releases import YEAR, YEARS, Practice
from tests.conftest import Once

from ctdhub.dp.policy import Policy
from ctdhub.stats.answers import Answers
from ctdhub.stats.signals.cards import by_year, cards
from ctdhub.stats.signals.of_release import ReleaseSignals, signals


@pytest.fixture(scope="module")
def result(once: Once, tmp_path_factory: pytest.TempPathFactory) -> ReleaseSignals:
    made = Practice.made(once, tmp_path_factory.mktemp("practice"), 4_000)
    columns = (YEAR, "gender", "citizenship", "country_of_exploitation")
    made.policy = Policy(columns=columns, years=YEARS, epsilon=4.0)
    return signals(made.release(1))


def test_every_figure_is_the_answer_to_its_own_question(result: ReleaseSignals) -> None:
    assert result.search
    answers, shown = Answers(result.release), 0
    for finding in result.search.findings:
        looked = result.looked[finding.row]
        for one in by_year(result, finding):
            found = answers.count({**looked.where, YEAR: (str(one.year),)})
            if one.covered:
                assert (one.people.low, one.people.high) == (found.low, found.high)
                assert one.people.value in (None, found.value)
                shown += one.people.value is not None
        for card, ends in zip(
            cards(result, finding).count, (result.search.past, result.search.window), strict=True
        ):
            years = [str(result.search.panel.periods[k].place) for k in range(ends[0], ends[1] + 1)]
            found = answers.count({**looked.where, YEAR: tuple(years)})
            assert card.value in (None, round((found.value or 0) / len(years)))
    assert shown > 20
