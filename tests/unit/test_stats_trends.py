"""Differences of two years keep the laws of intervals; who covered which year is told rightly."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_release import people_rows, protected_answer
from moving_release import LAST_OF_ONE, moving_release

from ctdhub.core.i18n import language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.figures import Among, figures, years_headline
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, Row
from ctdhub.stats.decomposition import YearClaim, year_claim
from ctdhub.stats.query import Where
from ctdhub.stats.trend import Line, covering, difference, span, trend, turns


def shown(value: int, half: int) -> NumberCard:
    return NumberCard(
        value=value if value > half else None,
        low=max(0, value - half),
        high=value + half,
        level=0.95,
        unit="people",
        denominator=None,
        missing=None,
        state="shown" if value > half else "protected",
        contributors=(),
        query=None,
    )


def made(folder: Path, spans: list[list[int] | None], **facts: object) -> Release:
    people = [
        {"name": f"Group {k}", "kind": "hotline", **({"years": years} if years else {})}
        for k, years in enumerate(spans)
    ]
    answer = protected_answer(facts={"contributors": people, **facts})
    return open_release(write_release(answer, folder / "releases", "2026.1", "First."))


COUNTS = st.tuples(st.integers(1, 10**6), st.integers(1, 10**4))


@given(COUNTS, COUNTS)
def test_difference_adds_errors_in_quadrature(a: tuple[int, int], b: tuple[int, int]) -> None:
    earlier, later = shown(*a), shown(*b)
    found = difference(earlier, later)
    if earlier.value is None or later.value is None:
        assert found is None
        return
    assert found is not None
    half = found.high - found.value
    assert found.value == b[0] - a[0]
    assert found.value - found.low == half
    assert half == math.ceil(math.hypot(a[1], b[1]))
    assert found.is_clear == (abs(found.value) > half)
    back = difference(later, earlier)
    assert back is not None
    assert (back.value, back.low, back.high) == (-found.value, -found.high, -found.low)


def test_coverage_and_turns(tmp_path: Path) -> None:
    release = made(tmp_path, [[2015, 2016], [2017, 2019], [2015, 2015], [2018, 2018]])
    assert covering(release, 2015) == ("Group 0", "Group 2")
    assert covering(release, 2018) == ("Group 1", "Group 3")
    found = {t.year: (t.joined, t.left) for t in turns(release)}
    assert found == {
        2016: ((), ("Group 2",)),
        2017: (("Group 1",), ("Group 0",)),
        2018: (("Group 3",), ()),
        2019: ((), ("Group 3",)),
    }
    assert turns(made(tmp_path / "same", [[2015, 2019], None])) == ()


def test_years_end_with_the_last_that_somebody_covers(tmp_path: Path) -> None:
    release = made(tmp_path, [[2015, 2019]], years=[2015, 2090])
    assert span(release) == tuple(range(2015, 2020))
    later = made(tmp_path / "later", [[2015, 2090]], years=[2015, 2090])
    assert span(later) == tuple(range(2015, int(release.year) + 1))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return Answers(made(tmp_path_factory.mktemp("hub"), [[2015, 2015], [2017, 2018]]))


def test_rows_are_the_counts_and_gaps_are_kept_apart(answers: Answers) -> None:
    table = trend(answers, "line", [Line("all", {})])
    assert table is not None
    rows = {row.codes[0]: row for row in table.rows}
    assert list(rows) == ["2015", "2016", "2017", "2018", ""]
    kinds = [row.kind for row in table.rows]
    assert kinds == [
        "value", "nobody_reports", "value", "value", "not_recorded",
    ]  # fmt: skip
    for year in ("2015", "2017", "2018"):
        found = answers.count({"year_of_registration": [year]})
        people = rows[year].people
        assert (people.value, people.low, people.high) == (found.value, found.low, found.high)
        exact = sum(r["year_of_registration"] == year for r in people_rows())
        assert people.value == exact
    assert rows[""].people.state == "protected"


def test_lines_that_were_not_measured_are_left_out(answers: Answers) -> None:
    assert trend(answers, "gender", [Line("female", {"gender": ["female"]})]) is None
    lines = [Line("UKR", {"citizenship": ["UKR"]}), Line("x", {"gender": ["female"]})]
    table = trend(answers, "which", lines)
    assert table is not None
    assert {row.codes[1] for row in table.rows} == {"UKR"}


def claimed(release: Release, *people: int, where: Where | None = None) -> YearClaim | None:
    """The claim about years from 2009 on, each with its people."""
    rows = [Row((str(2009 + k),), "value", shown(n, 20)) for k, n in enumerate(people)]
    return year_claim(Answers(release), where or {}, rows)


def said(release: Release, claim: YearClaim | None) -> str:
    with language("en"):
        return plain(years_headline(claim, release))


def plain(text: str) -> str:
    return re.sub("[\u2068\u2069]", "", text)


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ((900, 900, 910, 930, 400, 410), "fell from 900 ± 20 in 2009 to 410 ± 20 in 2014; the"),
        ((900, 900, 910, 930, 5, 5), "in 2009 to below the reporting threshold in 2014; the"),
        ((300, 310, 300, 310, 900, 910), "rose from 300 ± 20 in 2009 to 910 ± 20 in 2014; the"),
        ((900, 300, 310, 300, 200, 210), "fell from 900 ± 20 in 2009 to 210 ± 20 in 2014; the"),
        ((300, 600, 300, 310, 270, 280), "beyond the noise: 300 ± 20 in 2009, 280 ± 20 in 2014"),
        ((5, 600, 300, 310, 300, 30), "People identified by year"),
        ((300, 600), "People identified by year"),
    ],
)
def test_a_series_is_told_by_a_ladder_of_claims(
    tmp_path: Path, people: tuple[int, ...], words: str
) -> None:
    """A rise, a fall, no difference, else the question; whose leaving was not measured is named as
    no cause, however well the year fits."""
    release = made(tmp_path, [[2009, 2014], [2009, 2012]], years=[2009, 2014])
    assert words in said(release, claimed(release, *people))


def test_a_break_is_explained_only_by_those_that_counted_these_people(tmp_path: Path) -> None:
    """One contributor left: of people of whom it counted none, its leaving explains nothing."""
    answers = Answers(moving_release(tmp_path))
    with language("en"):
        heads = {
            code: next(f for f in figures(answers, Among(where, code, code)) if f.by_year).headline
            for code, where in (("", {}), ("UKR", {"citizenship": ["UKR"]}))
        }
    fell = {
        where: claimed(answers.release, *[800] * 9, 300, where={where: [code]} if where else {})
        for where, code in (("", ""), ("citizenship", "UKR"), ("gender", "male"))
    }
    assert f"in {LAST_OF_ONE + 1}: First organisation no longer reports" in plain(heads[""])
    assert "no longer" not in heads["UKR"]
    assert [found and found.kind for found in fell.values()] == ["left", None, "left"]


def test_a_declared_break_explains_a_step_of_what_it_concerns(tmp_path: Path) -> None:
    declared = [{"date": "2013-01-01", "kind": "law", "variables": ["gender"]}]
    one = {"name": "One", "kind": "hotline", "years": [2009, 2014], "breaks": declared}
    answer = protected_answer(facts={"contributors": [one], "years": [2009, 2014]})
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    people = 300, 310, 300, 310, 900, 910
    asked = claimed(release, *people, where={"gender": ["male"]})
    assert said(release, asked).endswith("900 ± 20 in 2013: One has declared a break")
    assert said(release, claimed(release, *people)).endswith("in 2014")
