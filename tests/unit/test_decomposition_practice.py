"""Split changes of practice releases hold the truth: who left, what was recorded, the rest."""

from __future__ import annotations

import pytest
from practice_releases import EUROPEANS, SEXUAL, WOMEN, Practice
from split_coverage import coverage
from tests.conftest import Once

from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition import EVERYBODY, ChangeSubject, counts, report, split
from ctdhub.stats.trend import difference

SEEDS = range(1, 5)
BEACON = "Beacon Hotline (practice, fictitious)"
PEOPLE = 10_000


@pytest.fixture(scope="module")
def practice(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    return Practice.made(once, tmp_path_factory.mktemp("practice"), PEOPLE)


@pytest.fixture(scope="module")
def held(practice: Practice) -> list[Answers]:
    return [Answers(practice.release(seed)) for seed in SEEDS]


def test_intervals_hold_the_truth_at_their_level(practice: Practice, held: list[Answers]) -> None:
    found = coverage(practice, held, (EVERYBODY, WOMEN, SEXUAL, EUROPEANS))
    assert {"change", "left", "joined", "recording", "rest", "share"} <= set(found)
    assert all(hits / total >= 0.93 for hits, total in found.values()), found
    hits, total = (sum(numbers) for numbers in zip(*found.values(), strict=True))
    assert hits / total >= 0.95


def test_the_fall_is_that_of_the_contributor_that_left(
    practice: Practice, held: list[Answers]
) -> None:
    """Trap 3: the naive trend falls after 2022, the same contributors' does not."""
    for answers in held:
        found = report(answers, EVERYBODY, (2020, 2025))
        assert found is not None
        (change,) = found.splits
        (gone,) = change.of("left")
        (rest,) = change.of("rest")
        assert gone.names == (BEACON,)
        assert change.high < 0
        assert gone.high < 0 < rest.low
        assert {p.kind for p in change.parts} == {"left", "rest"}
        naive = {row.codes[0]: row.people for row in found.rows}
        fall = difference(naive["2022"], naive["2023"])
        assert fall is not None
        assert fall.high < 0
        assert found.panel is not None
        assert BEACON not in found.panel.names
        same = dict(found.panel.years)
        assert (naive["2023"].value or 0) < 0.8 * (naive["2022"].value or 0)
        assert (same[2023].value or 0) > 0.9 * (same[2022].value or 0)
        assert not any(part.kind == "left" for s in found.yearly[3:] for part in s.parts)


def test_the_default_panel_follows_from_public_facts(held: list[Answers]) -> None:
    found = report(held[0], EVERYBODY)
    assert found is not None
    assert found.panel is not None
    assert found.panel.span == (2014, 2025)
    assert len(found.panel.names) == 3
    assert [(s.earlier, s.later) for s in found.splits] == [(2024, 2025), (2020, 2025)]


def test_what_was_not_recorded_is_no_change_of_the_world(practice: Practice) -> None:
    """The legacy system of one contributor left means empty until 2011."""
    alone = practice.only("harbour-casework")
    for seed in SEEDS:
        answers = Answers(alone.release(seed))
        for question in (
            ChangeSubject("any_means", "yes"),
            ChangeSubject("means_debt_bondage", "yes"),
        ):
            found = counts(answers, question)
            assert found is not None
            assert not found.apart
            said = split(found, 2011, 2013)
            assert said is not None
            assert said.low > 0
            assert said.shares is not None
            assert (said.shares[1].value or 0) - (said.shares[0].value or 0) > 0.4
            (recording,) = said.of("recording")
            (rest,) = said.of("rest")
            if question.variable == "any_means":
                assert recording.low > 0.5 * said.value
            true = split(alone.truth(found, answers), 2011, 2013)
            assert true is not None
            assert recording.low <= true.of("recording")[0].value <= recording.high
            assert rest.low <= true.of("rest")[0].value <= rest.high
