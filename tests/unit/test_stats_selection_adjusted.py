"""The largest of many sums hold the truth at their level, although they were picked by size."""

from __future__ import annotations

import random

import pytest
from invented_release import Z
from practice_releases import YEAR, YEARS, Practice
from tests.conftest import Once

from ctdhub.dp.policy import Policy
from ctdhub.stats.answers import Answers
from ctdhub.stats.headline import everyone, headline
from ctdhub.stats.intervals import NOT_MEASURED, Interval
from ctdhub.stats.selection_adjusted import clear, largest

COLUMNS = (YEAR, "citizenship", "country_of_exploitation")
SPANS = ((2006, 2007), (2003, 2006), (2010, 2011), (2011, 2015), (2012, 2013), (2014, 2017))


@pytest.fixture(scope="module")
def practice(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    made = Practice.made(once, tmp_path_factory.mktemp("practice"), 1_500)
    made.policy = Policy(columns=COLUMNS, years=YEARS, epsilon=4.0)
    return made


def test_corridors_of_some_years_hold_the_truth(practice: Practice) -> None:
    hits = total = false = places = 0
    for seed in range(1, 11):
        answers = Answers(practice.release(seed))
        for span in SPANS:
            when = {YEAR: [str(y) for y in range(span[0], span[1] + 1)]}
            for origin, country, card in everyone(answers, span).corridors:
                where = {"citizenship": [origin], "country_of_exploitation": [country], **when}
                people = sum(practice.people_where(where).values())
                assert card.low is not None
                assert card.high is not None
                hits, total = hits + (card.low <= people <= card.high), total + 1
            if seed < 4:
                real = {
                    code
                    for code in answers.domain("citizenship")
                    if sum(practice.people_where({"citizenship": [code], **when}).values())
                }
                said = headline(answers, span).nationalities.value or 0
                false, places = false + max(0, said - len(real)), places + len(real)
    assert total > 20
    assert hits / total >= 0.95, (hits, total)
    assert false <= 0.05 * places


def test_picked_from_noise_alone_nearly_nothing_is_listed() -> None:
    """Ordinary intervals would list the five largest of a thousand empty sums every time."""
    rng, listed, hits, shown = random.Random(5), 0, 0, 0
    for _ in range(100):
        half = round(4 * Z)
        people = {k: 60 if k < 3 else 0 for k in range(1000)}
        noisy = {k: max(0, round(rng.gauss(n, 4))) for k, n in people.items()}
        answers = {k: Interval(v, max(0, v - half), v + half) for k, v in noisy.items()}
        found = largest(answers, 0.95, 5)
        assert set(found) <= set(clear(answers, 0.95))
        assert all((a.low or 0) > 0 for a in found.values())
        listed += sum(people[k] == 0 for k in found)
        shown += len(found)
        hits += sum((a.low or 0) <= people[k] <= (a.high or 0) for k, a in found.items())
    assert listed <= 0.05 * shown
    assert hits >= 0.95 * shown
    assert shown >= 300


def test_what_was_not_measured_is_never_listed() -> None:
    assert largest({"a": NOT_MEASURED, "b": Interval(0, 0, 3)}, 0.95, 5) == {}
    assert list(largest({"a": Interval(50, 40, 60), "b": Interval(90, 80, 100)}, 0.95, 1)) == ["b"]
