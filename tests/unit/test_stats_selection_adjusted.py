"""The largest of many sums hold the truth at their level, although they were picked by size."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from invented_release import Z
from practice_releases import YEAR, YEARS, Practice
from tests.conftest import Once

from ctdhub.dp.policy import Policy
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_MEASURED, Interval
from ctdhub.stats.tables import adjusted, clear, everyone, headline, picked

COLUMNS = (YEAR, "citizenship", "country_of_exploitation")
SPANS = ((2006, 2007), (2003, 2006), (2010, 2011), (2011, 2015), (2012, 2013), (2014, 2017))


@pytest.fixture(scope="module")
def practice(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    made = Practice.made(once, tmp_path_factory.mktemp("practice"), 1_500)
    made.policy = Policy(columns=COLUMNS, years=YEARS, epsilon=4.0)
    return made


def test_corridors_of_some_years_hold_the_truth(practice: Practice) -> None:
    hits = total = false = places = 0
    for seed in range(1, 4):
        answers = Answers(practice.release(seed))
        for span in SPANS:
            when = {YEAR: [str(y) for y in range(span[0], span[1] + 1)]}
            for origin, country, card in everyone(answers, span).corridors:
                where = {"citizenship": [origin], "country_of_exploitation": [country], **when}
                people = sum(practice.people_where(where).values())
                assert card.low is not None
                assert card.high is not None
                hits, total = hits + (card.low <= people <= card.high), total + 1
            if seed == 1:
                real = {
                    code
                    for code in answers.domain("citizenship")
                    if sum(practice.people_where({"citizenship": [code], **when}).values())
                }
                said = headline(answers, span).nationalities.value or 0
                false, places = false + max(0, said - len(real)), places + len(real)
    assert total > 15
    assert hits / total >= 0.95, (hits, total)
    assert false <= 0.05 * places


def test_picks_are_those_that_are_large_and_not_those_whose_noise_went_up() -> None:
    """Another kind of hub: few large corridors, hundreds of small ones.

    `benchmarks/corridors.py` has 1,000 draws of more kinds of hubs and years.
    """
    rng = np.random.default_rng(5)
    total = np.sort(rng.pareto(1.1, 2000) * 12)[::-1][:400]
    over = listed = hits = 0
    ratio = []
    for _ in range(300):
        truth = rng.poisson(0.2 * total * rng.lognormal(0, 0.3, 400))
        half = math.ceil(Z * 12)
        noisy = np.maximum(0, np.rint(truth + rng.normal(0, 12, 400))).astype(int)
        usual = np.maximum(0, total + rng.normal(0, 4, 400))
        found = {
            k: (Interval(int(y), max(0, int(y) - half), int(y) + half), 0.2 * float(m))
            for k, (y, m) in enumerate(zip(noisy, usual, strict=True))
        }
        first = picked(found, Z, 5)
        over += sum(noisy[k] > 2 * truth[k] for k in first)
        listed += len(first)
        hits += sum(noisy[k] - half <= truth[k] <= noisy[k] + half for k in first)
        ratio.append(sum(noisy[k] for k in first) / sum(truth[k] for k in first))
    assert over <= 0.02 * listed
    assert hits >= 0.95 * listed
    assert listed > 750
    assert 0.97 < sum(ratio) / len(ratio) < 1.03


def test_where_no_corridor_is_large_hardly_one_is_picked() -> None:
    """Nearly even corridors of a handful of people each: the largest sums are noise."""
    rng = np.random.default_rng(3)
    over = listed = 0
    for _ in range(150):
        total = rng.poisson(9.0, 500)
        truth = rng.binomial(total, 0.15)
        noisy = np.maximum(0, np.rint(truth + rng.normal(0, 14, 500))).astype(int)
        usual = np.maximum(0, total + rng.normal(0, 8, 500))
        half = math.ceil(14 * Z)
        found = {
            k: (Interval(int(y), max(0, int(y) - half), int(y) + half), 0.15 * float(m))
            for k, (y, m) in enumerate(zip(noisy, usual, strict=True))
        }
        first = picked(found, Z, 5)
        over += sum(noisy[k] > 2 * truth[k] for k in first)
        listed += len(first)
    assert listed <= 15, (over, listed)


def test_noise_alone_is_not_listed_as_clear() -> None:
    rng, listed, shown = random.Random(5), 0, 0
    half = round(4 * Z)
    for _ in range(100):
        people = {k: 60 if k < 3 else 0 for k in range(1000)}
        noisy = {k: max(0, round(rng.gauss(n, 4))) for k, n in people.items()}
        answers = {k: Interval(v, max(0, v - half), v + half) for k, v in noisy.items()}
        found = clear(answers, 0.95)
        listed += sum(people[k] == 0 for k in found)
        shown += len(found)
    assert listed <= 0.05 * shown
    assert shown >= 300


def test_what_was_not_measured_leans_on_what_was_expected() -> None:
    """A candidate without an answer is no reason to fail, and none to be picked."""
    found = adjusted({"a": (NOT_MEASURED, 0.0), "b": (Interval(50, 40, 60), 50.0)}, Z)
    assert found["a"] == 0.0
    assert found["b"] == pytest.approx(50)
    assert adjusted({}, Z) == {}
    assert clear({"a": NOT_MEASURED, "b": Interval(0, 0, 3)}, 0.95) == []
