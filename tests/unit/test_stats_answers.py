"""Answers carry intervals that the noise justifies, and every figure is a whole card."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from calls_of import calls
from hypothesis import given
from hypothesis import strategies as st
from invented_release import FACTS, TABLES, Z, people_rows, protected_answer

from ctdhub.border import Protected, highest_unseen, unseen_end
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release, open_releases
from ctdhub.report.figures import Among, figures
from ctdhub.schema import countries
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_MEASURED, Interval, NumberCard, Row, card, fieller
from ctdhub.stats.query import Query, Where
from ctdhub.stats.tables import corridors, distribution, flag_group


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return opened(protected_answer(), tmp_path_factory.mktemp("releases"))


def opened(answer: Protected, folder: Path) -> Release:
    return open_release(write_release(answer, folder, "2026.1", ""))


def test_border_only_releases_enter(release: Release) -> None:
    for stranger in (release.protected, release.protected.records, None):
        with pytest.raises(TypeError):
            Answers(stranger)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        replace(release, answer=release.protected.records)  # type: ignore[arg-type]


def test_what_was_let_go_is_read_again(release: Release) -> None:
    late = Answers(open_releases(release.path.parent)[0])
    asked: Where = {"gender": ["female"], "citizenship": ["UKR", "MDA"]}
    first = late.count(asked)
    assert "protected" in vars(late.release)
    late.let_go()
    assert "protected" not in vars(late.release)
    assert not late.memory
    assert late.count(asked) == first == Answers(release).count(asked)


def test_a_measured_cell_is_given_as_published(release: Release) -> None:
    answers = Answers(release)
    truth = sum(r["gender"] == "female" for r in people_rows())
    assert answers.count({"gender": ["female"]}) == Interval(truth, truth - 8, truth + 8)
    assert answers.count({}) == Interval(4000, 3992, 4008)


def test_a_cell_that_is_not_shown_is_bounded_not_zero(release: Release) -> None:
    answer = Answers(release).count({"year_of_registration": ["2019"]})
    below = highest_unseen(4.0, 6, 4, release.protected.guarantee.false_share)
    assert answer == Interval(0, 0, unseen_end(below, 4.0, 0.95))
    assert card(release, answer, "people", None).state == "protected"
    assert card(release, answer, "people", None).value is None


def test_a_sum_takes_its_noise_from_the_cells_it_covers(release: Release) -> None:
    answers = Answers(release)
    europe = countries.members("europe")
    truth = sum(r["citizenship"] in europe for r in people_rows())
    answer = answers.count({"citizenship": europe})
    assert answer.value == truth
    assert answer.high is not None
    assert Z * 4 < answer.high - truth < Z * 4 * math.sqrt(len(europe)), "the fit knows more"


def test_all_but_a_few_is_measured_by_what_is_left_out(release: Release) -> None:
    answers = Answers(release)
    answer = answers.count({"citizenship": answers.domain("citizenship")})
    assert answer.value is not None
    assert answer.high is not None
    assert 0 < answer.high - answer.value < Z * 4 * math.sqrt(2), "the fit knows more"


def test_what_no_table_holds_has_no_number(release: Release) -> None:
    answer = Answers(release).count({"gender": ["female"], "age_band": ["9-17"]})
    assert answer == Interval(None, None, None)
    assert card(release, answer, "people", None).state == "not_measured"


def test_denominators_of_a_group_of_flags(tmp_path: Path) -> None:
    """Five people: {labour}, {sexual}, {other}, {}, {labour, sexual} give 50, 50 and 25 %."""
    flags = {
        "exploitation_forced_labour": (1, 0, 0, 0, 1),
        "exploitation_sexual": (0, 1, 0, 0, 1),
        "exploitation_other": (0, 0, 1, 0, 0),
        "any_exploitation": (1, 1, 1, 0, 1),
    }
    rows = [{f: "yes" if yes[i] else None for f, yes in flags.items()} for i in range(5)]
    release = opened(protected_answer(rows, sigma=0.0), tmp_path)
    table = flag_group(Answers(release), "exploitation")
    shares = {r.codes[0]: r.share.value for r in table.rows if r.share is not None}
    assert shares == {
        "exploitation_forced_labour": 0.5,
        "exploitation_sexual": 0.5,
        "exploitation_other": 0.25,
    }
    assert table.base.value == 4
    assert table.missing == pytest.approx(0.2)
    assert table.rows[-1].kind == "not_recorded"
    assert table.rows[-1].people.value == 1


def test_four_blanks_are_told_apart(tmp_path: Path) -> None:
    contributors = [{"name": "One", "years": [2016, 2019]}]
    release = opened(protected_answer(facts={**FACTS, "contributors": contributors}), tmp_path)
    years = distribution(Answers(release), "year_of_registration")
    found = {r.codes[0]: (r.kind, r.people.state) for r in years.rows}
    assert found["2015"][0] == "nobody_reports"
    assert found["2016"] == ("value", "shown")
    assert found["2019"] == ("value", "protected")
    assert found[""][0] == "not_recorded"
    assert all(r.people.value != 0 for r in years.rows if r.people.state == "protected")


def test_years_to_come_have_no_row_and_no_sentence(tmp_path: Path) -> None:
    release = opened(protected_answer(facts={"years": [2015, 2199]}), tmp_path)
    years = distribution(Answers(release), "year_of_registration")
    assert years.rows[-2].codes == (release.year,)
    assert release.years == (2015, int(release.year))


def test_corridors_refuse_conditions_that_their_table_does_not_know(release: Release) -> None:
    answers = Answers(release)
    found = corridors(answers, among={"citizenship": ["UKR"], "country_of_exploitation": ["POL"]})
    assert found is not None
    assert [row.codes for row in found.rows if row.kind == "value"] == [("UKR", "POL")]
    for among in ({"gender": ["female"]}, {"citizenship": ["UKR"], "gender": ["female"]}):
        with pytest.raises(ValueError, match="two countries"):
            corridors(answers, among=among)
        ids = {f.id for f in figures(answers, Among(among, "", ""))}
        assert "corridors" not in ids  # all people's corridors would stand under women's name
        assert "gender" in ids


def test_what_is_left_out_of_a_table_still_rivals_its_largest_row(release: Release) -> None:
    answers = Answers(release)
    table = corridors(answers, most=1)
    assert table is not None
    second = corridors(answers, most=2).rows[1].people  # type: ignore[union-attr]
    key = answers.measured("citizenship", "country_of_exploitation")
    assert key is not None
    assert table.rival == max(second.high or 0, answers.unseen(key))
    assert table.largest is not None
    low = table.largest.people.low or 0
    assert replace(table, rival=low).largest is None
    gender = distribution(answers, "gender")
    assert gender.top(1).largest == gender.largest
    unknown = replace(gender.rows[0].people, value=None, low=None, high=None, state="not_measured")
    rows = (*gender.rows, Row(("other",), "value", unknown))
    assert replace(gender, rows=rows).largest is None
    assert replace(gender, rows=rows).top(1).largest is None


def test_the_highest_end_of_what_is_left_out_is_the_rival(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts are those of records: the least one that is left out may have the highest end."""
    answers = Answers(release)
    cells = dict(answers.cells("citizenship", "country_of_exploitation"))
    least = min((cell for cell in cells if all(cell)), key=lambda cell: cells[cell].value)
    most = max(e.low for e in cells.values())
    cells[least] = replace(cells[least], high=most)
    monkeypatch.setattr(answers, "cells", lambda *_names: cells)
    table = corridors(answers, most=1)
    assert table is not None
    assert table.rival == most
    assert table.largest is None


def test_largest_is_named_only_beyond_doubt(release: Release) -> None:
    answers = Answers(release)
    gender = distribution(answers, "gender").largest
    assert gender is not None
    assert gender.codes == ("female",)
    assert flag_group(answers, "exploitation").largest is None


def test_rows_of_a_table_are_the_counts_of_the_release(release: Release) -> None:
    published = {
        tuple(c["values"]): (c["count"], c["low"], c["high"])
        for c in release.protected.counts.to_pylist()
        if c["columns"] == ["age_band"]
    }
    rows = distribution(Answers(release), "age_band").rows
    shown = {r.codes: r.people for r in rows if r.people.value is not None}
    assert {k: (c.value, c.low, c.high) for k, c in shown.items()} == published


@given(
    x=st.integers(0, 1000), rest=st.integers(0, 1000), dx=st.integers(0, 50), dy=st.integers(0, 50)
)
def test_a_share_lies_in_its_interval_and_in_0_to_1(x: int, rest: int, dx: int, dy: int) -> None:
    y = x + rest
    answer = fieller(Interval(x, x - dx, x + dx), Interval(y, y - dy, y + dy))
    assert answer.value is not None
    assert answer.low is not None
    assert answer.high is not None
    assert 0 <= answer.low <= answer.value <= answer.high <= 1
    if dx == dy == 0 and y:
        assert answer.low == pytest.approx(answer.high)


def test_share_intervals_hold_at_their_level() -> None:
    """Fieller's interval covers the true share about as often as it says."""
    import random

    rng = random.Random(3)
    sigma, covered, n = 12.0, 0, 2000
    half = Z * sigma
    for _ in range(n):
        x, y = 60 + rng.gauss(0, sigma), 150 + rng.gauss(0, sigma)
        answer = fieller(Interval(x, x - half, x + half), Interval(y, y - half, y + half))
        assert answer.low is not None
        assert answer.high is not None
        covered += answer.low <= 0.4 <= answer.high
    assert 0.935 <= covered / n <= 0.965


GOOD: dict[str, Any] = {
    "value": 5.0,
    "low": 3.0,
    "high": 8.0,
    "level": 0.95,
    "unit": "people",
    "denominator": None,
    "missing": None,
    "state": "shown",
    "contributors": ("One",),
    "query": None,
}


@pytest.mark.parametrize(
    "change",
    [
        {"value": None},
        {"state": "protected"},
        {"low": 6.0},
        {"high": 4.0},
        {"low": None},
        {"value": None, "state": "not_measured"},
        {"level": 1.0},
    ],
)
def test_no_number_alone(change: dict[str, Any]) -> None:
    assert NumberCard(**GOOD).half_width == 3
    with pytest.raises(ValueError, match="card"):
        NumberCard(**{**GOOD, **change})


def test_seven_broad_conditions_are_a_bounded_number_of_questions(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A law by number of questions: each condition as it is, or left out."""
    asked, inner = [], Answers._sum

    def counted(self: Answers, where: Where) -> tuple[int, float]:
        asked.append(where)
        return inner(self, where)

    monkeypatch.setattr(Answers, "_sum", counted)
    names = [n for n in TABLES if "*" not in n and "any_" not in n][:7]
    none = Answers(release)
    broad = {n: none.domain(n) for n in names}
    with calls() as made:
        assert none.count(broad) == NOT_MEASURED
    assert not asked
    combinations = math.prod(map(len, broad.values()))
    assert made[0] < combinations / 10
    held = protected_answer(people_rows(60), tables=(*names, "*".join(names)))
    assert Answers(opened(held, tmp_path)).count(broad).value is not None
    assert 1 <= len(asked) <= 2**7


def test_a_condition_that_everybody_meets_is_none(release: Release) -> None:
    found = Answers(release)
    everything = (*found.domain("gender"), "")
    assert found.count({"gender": everything}) == found.count({})
    both = {"gender": everything, "citizenship": ["UKR"]}
    assert found.count(both) == found.count({"citizenship": ["UKR"]})


def test_values_that_nobody_can_have_change_no_number_and_no_interval(tmp_path: Path) -> None:
    """Years before the first, or a code of another list: what is added up is the same."""
    answers = Answers(opened(protected_answer(people_rows()), tmp_path))
    few = answers.domain("year_of_registration")[:3]
    for where in ({"citizenship": ["CIV"]}, {}, {"gender": ["female"], "citizenship": ["UKR"]}):
        own = {**where, "year_of_registration": few}
        more = {**where, "year_of_registration": (*map(str, range(1990, int(few[0]))), *few)}
        assert answers.count(more) == answers.count(own), where
        assert answers.share(more, own) == answers.share(own, own)
    one = {"year_of_registration": [few[0], "1990"], "gender": ["female"]}
    assert answers.is_published(one) == answers.is_published(
        {**one, "year_of_registration": few[:1]}
    )


def test_a_published_cell_stays_one_under_a_condition_that_everybody_meets(
    release: Release,
) -> None:
    answers = Answers(release)
    everybody = {"gender": [*answers.domain("gender"), ""]}
    for where in ({}, {"citizenship": ["CIV"]}, {"citizenship": ["CIV", "UKR"]}):
        assert answers.is_published({**where, **everybody}) == answers.is_published(where)


def test_sums_are_the_number_of_records(tmp_path: Path) -> None:
    """Of any sets of values, whichever way is the narrowest; a whole is as sure as its parts."""
    rows, rng = people_rows(), random.Random(4)
    answers = Answers(opened(protected_answer(rows), tmp_path))
    asked = 0
    for table in TABLES * 4:
        names = table.split("*")
        where = {}
        for name in names:
            domain = (*answers.domain(name), "")
            where[name] = rng.sample(domain, rng.randint(2, len(domain) - 1))
        found = answers.count(where)
        held = [r for r in rows if all((r[n] or "") in where[n] for n in names)]
        assert found.value == len(held)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= len(held) <= found.high
        for cell, part in answers.cells(*names).items():
            if all(v in where[n] for n, v in zip(names, cell, strict=True)):
                assert part.low <= found.low
                asked += 1
    assert asked > 100


def test_no_part_is_said_to_be_more_than_its_whole(tmp_path: Path) -> None:
    """The upper end of a question is at most that of the same question without a condition, and at
    least that of each of its cells, whether they are shown or not."""
    tables = (*TABLES, "year_of_registration*citizenship*country_of_exploitation")
    answers = Answers(opened(protected_answer(tables=tables), tmp_path))
    rng, lowered, raised = random.Random(8), 0, 0
    for _ in range(400):
        names = rng.choice(tables).split("*")
        where: dict[str, tuple[str, ...]] = {}
        for name in names:
            domain = (*answers.domain(name), "")
            where[name] = tuple(rng.sample(domain, rng.choice((1, 1, 1, 2, 3))))
        part, single = answers.count(where), max(map(len, where.values())) == 1
        for name in names if part.low == 0 or not single else ():
            whole = answers.count({n: codes for n, codes in where.items() if n != name})
            assert part.high <= max(whole.high, part.value), (where, name)
        if single:
            key = answers.measured(*names)
            lowered += part.low == 0 and part.high < answers.unseen(key)
            row = answers.table(Query(where, (names[0],))).rows[0].people
            assert (row.low, row.high) == (part.low, part.high)
        else:
            cells = [{n: (where[n][0],) for n in names}, {n: (where[n][-1],) for n in names}]
            assert part.high >= max(answers.count(cell).high for cell in cells), where
            raised += part.low == 0
    assert lowered > 20
    assert raised > 20
