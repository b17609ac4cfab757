"""Sums over years and countries hold the truth at their level, from noisy counts by year."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pytest
from invented_release import people_rows, protected_answer
from practice_releases import Practice
from tests.conftest import Once

from ctdhub.border import MEASUREMENTS
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema import countries
from ctdhub.schema.model import MERGED, PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Where

SPANS = ((2002, 2018), (2010, 2014), (2015, 2025), (2019, 2021))
REGIONS = ("europe", "africa", "asia", "eu")


@pytest.fixture(scope="module")
def practice(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    return Practice.made(once, tmp_path_factory.mktemp("practice"), 6_000)


def questions() -> list[Where]:
    found: list[Where] = []
    for first, last in SPANS:
        when = {"year_of_registration": [str(y) for y in range(first, last + 1)]}
        for region in REGIONS:
            place = {"citizenship": countries.members(region), **when}
            found += [
                place,
                {**place, "gender": ["female"]},
                {**place, "exploitation_sexual": ["yes"]},
            ]
    return found


def test_the_truth_lies_in_the_intervals(practice: Practice) -> None:
    hits = total = 0
    for seed in range(1, 5):
        answers = Answers(practice.release(seed))
        for where in questions():
            said, true = answers.count(where), sum(practice.people_where(where).values())
            assert said.low is not None
            assert said.high is not None
            total += 1
            hits += said.low <= true <= said.high
    assert hits / total >= 0.94, (hits, total)


def widths(release: Release) -> list[int]:
    answers = Answers(release)
    found = (answers.count(where) for where in questions())
    return [round((one.high or 0) - (one.low or 0)) for one in found]


def test_noisy_counts_make_sums_narrower(practice: Practice) -> None:
    """Without them, cells that are too few to show weigh as an error of their own."""
    release = practice.release(1)
    alone = replace(release.protected.guarantee, regions={})  # what regions say is another matter
    measured = release.protected.measurements
    of_regions = pc.match_substring(pc.binary_join(measured["columns"], "*"), MERGED[PERIOD])
    measured = measured.filter(pc.invert(of_regions))
    answer = replace(release.protected, guarantee=alone, measurements=measured)
    release = replace(release, answer=answer)
    bare = replace(release.protected, measurements=MEASUREMENTS.empty_table())
    with_counts, without = widths(release), widths(replace(release, answer=bare))
    wider = [(a, b) for a, b in zip(with_counts, without, strict=True) if a > b]
    assert len(wider) <= 0.1 * len(without), wider  # where records are off from the noisy counts
    assert sum(with_counts) < 0.9 * sum(without)


@pytest.mark.parametrize("place", [["UKR"], ["UKR", "MDA", "POL"]], ids=["country", "region"])
@pytest.mark.parametrize(("taken", "given"), [("2018", "2016"), ("2016", "2018")])
def test_an_interval_reaches_the_unbiased_sum_where_records_are_off(
    place: list[str], taken: str, given: str, tmp_path: Path
) -> None:
    """120 records of a country stand in years in which nobody came, or lack there; the narrowest
    of several intervals left out the 120."""
    rows = people_rows()
    moved = [r for r in rows if (r["citizenship"], r[PERIOD]) == ("UKR", taken)][:120]
    strayed = [r | {PERIOD: given} if any(r is m for m in moved) else r for r in rows]
    exact = protected_answer(rows)
    release = open_release(write_release(protected_answer(strayed), tmp_path, "2026.1", ""))
    bent = replace(release.protected, measurements=exact.measurements)
    where: Where = {"citizenship": place, PERIOD: ["2015", "2016"]}
    found = Answers(replace(release, answer=bent)).count(where)
    true = sum(r["citizenship"] in place and r[PERIOD] in where[PERIOD] for r in rows)
    assert found.value is not None
    assert abs(found.value - true) == len(moved)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= true <= found.high
