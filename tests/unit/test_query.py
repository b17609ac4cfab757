"""A query is data: the same question is one value however it is written, and survives JSON."""

from __future__ import annotations

import json
import pickle
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_release import TABLES, protected_answer

from ctdhub.core.errors import HubError
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.schema import countries
from ctdhub.stats.answers import Answers, read_query, recorded
from ctdhub.stats.query import Query

CODES = {"gender": ("female", "male", ""), "citizenship": ("CIV", "MLI", "UKR", "DEU")}
WHERE = st.fixed_dictionaries(
    {}, optional={n: st.sets(st.sampled_from(c), min_size=1) for n, c in CODES.items()}
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folder = tmp_path_factory.mktemp("query")
    answer = protected_answer(tables=(*TABLES, "gender*age_band*citizenship"))
    return Answers(open_release(write_release(answer, folder, "2026.1", "")))


@given(WHERE, st.permutations(tuple(CODES)).map(tuple), st.booleans(), st.randoms())
def test_the_order_of_writing_is_no_part_of_a_question(
    where: dict[str, set[str]], by: tuple[str, ...], is_share: bool, chance: Random
) -> None:
    of = Query({"age_band": ["9-17"]}) if is_share else None
    one = Query(where, by, of)
    names = chance.sample(sorted(where), len(where))
    other = Query({n: [*chance.choices(sorted(where[n]), k=9), *where[n]] for n in names}, by, of)
    assert one == other
    assert hash(one) == hash(other)
    assert json.dumps(one.as_json()) == json.dumps(other.as_json())
    assert Query.from_json(json.loads(json.dumps(one.as_json()))) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert (one == Query(where, by)) == (of is None)
    assert one != Query({**where, "age_band": ["0-8"]}, by)


def test_a_query_cannot_be_changed() -> None:
    one = Query({"gender": ["female"]})
    with pytest.raises(TypeError):
        one.where["gender"] = ("male",)  # type: ignore[index]
    with pytest.raises(AttributeError):
        one.by = ("gender",)  # type: ignore[misc]


def test_what_is_no_question_is_refused() -> None:
    for where, by, of in (
        ({"gender": ()}, (), None),
        ({}, ("gender", "gender"), None),
        ({}, (), Query(by=("gender",))),
        ({}, (), Query(of=Query())),
        ({"gender": ["female", "male"]}, (), Query({"gender": ["female"]})),
    ):
        with pytest.raises(ValueError, match=r"quer|share"):
            Query(where, by, of)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"who": {}},
        {"where": []},
        {"where": {"gender": "female"}},
        {"where": {"gender": [1]}},
        {"by": "gender"},
        {"of": []},
        {"where": {"gender": []}},
    ],
)
def test_json_of_another_form_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="query"):
        Query.from_json(data)


def test_what_somebody_asks_is_read_in_one_place(answers: Answers) -> None:
    europe = countries.members("europe")
    for given_ in ("Europe", "europe", europe, [*reversed(europe), "UKR"]):
        assert read_query(answers, {"citizenship": given_}) == Query({"citizenship": europe})
    for given_ in ("Côte d'Ivoire", "CIV", ["civ", "Ivory Coast"]):
        assert read_query(answers, {"citizenship": given_}) == Query({"citizenship": ["CIV"]})
    assert read_query(
        answers, {"any_means": True, "gender": None}, by=["age_band"], of={}
    ) == Query({"any_means": ["yes"], "gender": [""]}, ("age_band",), Query())
    # An empty flag cannot be told from "no": the group's indicator says whom it is known of.
    assert recorded(answers, ["means_threats", "gender"]) == Query(
        {"any_means": ["yes"], "gender": answers.domain("gender")}
    )


@pytest.mark.parametrize(
    ("where", "by", "rule"),
    [
        ({"shoe_size": "44"}, (), "no-such-variable"),
        ({}, ("shoe_size",), "no-such-variable"),
        ({"gender": "fem"}, (), "no-such-value"),
        ({"gender": []}, (), "no-such-value"),
        ({"gender": ["female", "Europe"]}, (), "no-such-value"),
        ({"citizenship": "Atlantis"}, (), "no-such-place"),
    ],
)
def test_what_does_not_exist_is_named(
    answers: Answers, where: dict[str, str], by: tuple[str, ...], rule: str
) -> None:
    with pytest.raises(HubError) as fault:
        read_query(answers, where, by)
    assert fault.value.rule == rule


def test_a_number_answers_a_number_and_a_table_a_table(answers: Answers) -> None:
    women = Query({"gender": ["female"]})
    assert answers.card(women).query == women
    share = answers.card(Query(women.where, of=Query({"gender": answers.domain("gender")})))
    assert (share.unit, share.denominator) == ("share", answers.count(share.query.of.where).value)  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="table"):
        answers.card(Query(by=("gender",)))
    with pytest.raises(ValueError, match="table"):
        answers.table(women)
    with pytest.raises(ValueError, match="of"):
        answers.outside(women)


def test_a_table_keeps_the_rows_that_are_asked_for(answers: Answers) -> None:
    year = "year_of_registration"
    query = Query({year: ["2016", "2018", ""], "citizenship": ["UKR", "MDA"]}, (year,))
    table = answers.table(query)
    assert table.query == query
    assert [row.codes for row in table.rows] == [("2016",), ("2018",), ("",)]
    assert [row.kind for row in table.rows] == ["value", "value", "not_recorded"]
    whole = answers.table(Query({"citizenship": ["UKR", "MDA"]}, (year,)))
    assert [r for r in whole.rows if r.codes in {("2016",), ("2018",), ("",)}] == list(table.rows)
    assert table.base.query == Query({year: answers.domain(year), "citizenship": ["UKR", "MDA"]})
    without = answers.table(query, shares=False).rows
    assert [row.people for row in without] == [row.people for row in table.rows]
    assert all(row.share is None for row in without)
    for row in table.rows:
        assert row.people.query == Query({year: row.codes, "citizenship": ["UKR", "MDA"]})
