"""No answer of a measured table claims zero, and groups too few to show lie in their intervals."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from practice_releases import YEAR, YEARS, Practice
from tests.conftest import Once

from ctdhub.dp.policy import Policy
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Where

COLUMNS = (YEAR, "gender", "citizenship", "country_of_exploitation")
GROUPS = (
    ("citizenship",),
    ("country_of_exploitation",),
    ("citizenship", "country_of_exploitation"),
    ("gender", "citizenship"),
)
SPANS = ((2006, 2007), (2010, 2014), (2002, 2018), (2019, 2025))


@pytest.fixture(scope="module")
def practice(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    made = Practice.made(once, tmp_path_factory.mktemp("practice"), 4_000)
    made.policy = Policy(columns=COLUMNS, years=YEARS, epsilon=4.0)
    return made


@pytest.fixture(scope="module")
def drawn(practice: Practice) -> list[Answers]:
    return [Answers(practice.release(seed)) for seed in (1, 2)]


@pytest.fixture(scope="module")
def answers(drawn: list[Answers]) -> Answers:
    return drawn[0]


def by_year(practice: Practice, names: tuple[str, ...]) -> Counter[tuple[str, ...]]:
    columns = [
        ["" if value is None else str(value) for value in practice.people[n].to_pylist()]
        for n in (*names, YEAR)
    ]
    return Counter(zip(*columns, strict=True))


def asked(names: tuple[str, ...], group: tuple[str, ...], span: tuple[int, int]) -> Where:
    years = [str(y) for y in range(span[0], span[1] + 1)]
    return {**{n: [value] for n, value in zip(names, group, strict=True)}, YEAR: years}


@pytest.mark.parametrize("names", GROUPS, ids="-".join)
def test_groups_too_few_to_show_lie_in_their_intervals(
    practice: Practice, drawn: list[Answers], names: tuple[str, ...]
) -> None:
    true = by_year(practice, names)
    hits = {"shown": [0, 0], "not shown": [0, 0]}
    for answers in drawn:
        shown = answers.cells(*names).keys()
        for group in sorted({cell[:-1] for cell in true if all(cell[:-1])})[:120]:
            for span in SPANS:
                said = answers.count(where := asked(names, group, span))
                people = sum(true[(*group, year)] for year in where[YEAR])
                assert said.low is not None
                assert said.high is not None
                assert said.high > 0
                found = hits["shown" if group in shown else "not shown"]
                found[0] += said.low <= people <= said.high
                found[1] += 1
    for held, total in hits.values():
        assert held / max(1, total) >= 0.95, hits


def test_people_of_a_cell_that_is_not_shown_are_below_its_end(
    practice: Practice, drawn: list[Answers]
) -> None:
    """Cells are chosen by estimates; the least count that is shown, of records, may be far below
    the least estimate, and says nothing of those left out."""
    above = cells = 0
    for answers in drawn:
        for key, sigma in answers.release.protected.guarantee.sigma.items():
            names = tuple(key.split("*"))
            if key and YEAR not in names and (shown := answers.cells(*names)):
                columns = [[v or "" for v in practice.people[n].to_pylist()] for n in names]
                for cell, people in Counter(zip(*columns, strict=True)).items():
                    if people >= 3.5 * sigma and cell not in shown:
                        cells += 1
                        above += people > answers.unseen(key)
    assert cells > 100
    assert above <= 0.025 * cells


def test_a_single_group_ends_where_a_cell_that_is_not_shown_does(answers: Answers) -> None:
    key = answers.measured("citizenship")
    assert key is not None
    missing = sorted(
        set(answers.domain("citizenship")) - {c for (c,) in answers.cells("citizenship")}
    )
    bound = answers.unseen(key)
    for code in missing[:40]:
        every = [*answers.domain(YEAR), ""]
        assert (answers.count({"citizenship": [code]}).high or 0) == bound
        assert (answers.count({"citizenship": [code], YEAR: every}).high or 0) <= 3 * bound


@cache
def values(name: str, answers: Answers) -> tuple[str, ...]:
    return (*answers.domain(name), "")


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_measured_is_claimed_to_be_zero(answers: Answers, data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from(COLUMNS), min_size=1, max_size=3))
    where = {
        n: data.draw(
            st.sets(st.sampled_from(values(n, answers)), min_size=1, max_size=6)
            | st.just(set(values(n, answers)))
        )
        for n in sorted(names)
    }
    said = answers.count(where)
    if said.value is not None:
        assert said.high is not None
        assert said.high > 0
