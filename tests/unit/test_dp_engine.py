"""The engine: the same public shape for neighbours, paid first, repeats free, records agree."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invented_people import people, protect, small_policy

from ctdhub.border import COUNTS, Protected
from ctdhub.core.errors import HubError, LedgerError, LedgerTampered, Overspend, PolicyError
from ctdhub.dp import quote
from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.policy import Policy
from ctdhub.schema.model import load_schema

COLUMNS = ("year_of_registration", "gender", "citizenship", "country_of_exploitation",
           "records_per_person")  # fmt: skip
POLICY = small_policy(columns=COLUMNS, budget={"epsilon": 60})
FACTS = {"hub": "invented", "contributors": [], "years": [2015, 2020], "schema_version": "1.0",
         "invented": True, "released": "2026-01-01"}  # fmt: skip


def ask(folder: Path, table: pa.Table, policy: Policy = POLICY) -> Protected:
    return protect(table, policy, Ledger(folder / "ledger"), FACTS)


def shape(answer: Protected) -> object:
    """All that is public before any noise: columns, noise and guarantee, but the charge's name."""
    g = answer.guarantee
    return (answer.records.schema, answer.counts.schema, g.sigma, g.epsilon, g.delta, g.rho,
            g.unit, g.mechanism, g.level)  # fmt: skip


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(n=st.sampled_from([1, 2, 5, 60]), data=st.data())
def test_neighbours_have_the_same_shape_and_charge(
    tmp_path_factory: pytest.TempPathFactory, n: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("hub")
    table = people(n + 1, POLICY)
    place = data.draw(st.integers(0, n))
    fewer = pa.concat_tables([table.slice(0, place), table.slice(place + 1)])
    changed = pa.concat_tables([fewer, people(1, POLICY, seed=99)])
    answers = [ask(folder / str(i), t) for i, t in enumerate((table, fewer, changed))]
    assert shape(answers[0]) == shape(answers[1]) == shape(answers[2])
    spent = {Ledger(folder / str(i) / "ledger").spent() for i in range(3)}
    assert len(spent) == 1


@pytest.mark.parametrize("n", [0, 1, 5, 300])
def test_answers_hold_together(tmp_path: Path, n: int) -> None:
    answer = ask(tmp_path, people(n, POLICY))
    assert answer.counts.schema.equals(COUNTS)
    assert answer.records.num_rows == answer.people.value
    assert answer.case_records.value >= answer.people.value
    assert answer.counts["count"][0].as_py() == answer.people.value
    assert answer.facts == FACTS
    assert answer.guarantee.sigma[""] > 0
    assert "citizenship*country_of_exploitation" in answer.guarantee.sigma
    assert epsilon_of(answer.guarantee.rho, POLICY.delta) <= POLICY.epsilon
    wide = 8 * answer.guarantee.sigma[""] + 1
    assert abs(answer.people.value - n) <= wide


def test_an_exact_repeat_is_free_and_the_same(tmp_path: Path) -> None:
    table = people(40, POLICY)
    first = ask(tmp_path, table)
    turned = table.take(pa.array(np.arange(39, -1, -1)))
    again = protect(
        turned, POLICY, Ledger(tmp_path / "ledger"), {**FACTS, "released": "2027-01-01"}
    )
    assert again.records.equals(first.records)
    assert again.counts.equals(first.counts)
    assert again.guarantee == first.guarantee
    assert (again.people, again.case_records) == (first.people, first.case_records)
    assert again.facts["released"] == "2027-01-01"
    assert len(Ledger(tmp_path / "ledger").entries()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"epsilon": 3.0},
        {"weights": {"pairs": 50}},
        {"columns": COLUMNS[:3]},
        {"level": 0.9},
    ],
)
def test_another_policy_is_another_question(tmp_path: Path, other: dict[str, object]) -> None:
    table = people(20, POLICY)
    ask(tmp_path, table)
    ask(tmp_path, table, Policy.model_validate({**POLICY.model_dump(), **other}))
    assert len(Ledger(tmp_path / "ledger").entries()) == 2


def test_people_or_method_changed_is_another_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = people(20, POLICY)
    ask(tmp_path, table)
    ask(tmp_path, table.slice(1))
    monkeypatch.setattr(quote, "METHOD", 2)
    ask(tmp_path, table)
    assert len(Ledger(tmp_path / "ledger").entries()) == 3


def test_a_raised_budget_alone_asks_nothing_new(tmp_path: Path) -> None:
    table = people(20, POLICY)
    ask(tmp_path, table)
    ask(tmp_path, table, Policy.model_validate({**POLICY.model_dump(), "budget": {"epsilon": 70}}))
    assert len(Ledger(tmp_path / "ledger").entries()) == 1


def test_overspend_draws_nothing_and_stores_nothing(tmp_path: Path) -> None:
    policy = small_policy(columns=("gender",), epsilon=4, budget={"epsilon": 5})
    ask(tmp_path, people(20, policy), policy)
    with pytest.raises(Overspend):
        ask(tmp_path, people(21, policy), policy)
    assert len(list((tmp_path / "ledger" / "answers").iterdir())) == 1


def test_what_a_release_carries_of_the_charge_does_not_depend_on_people(tmp_path: Path) -> None:
    table = people(20, POLICY)
    charges = {ask(tmp_path / name, table).guarantee.charge for name in "ab"}
    assert len(charges) == 2
    entry = Ledger(tmp_path / "a" / "ledger").entries()[0]
    assert entry.id in charges
    assert not charges & {entry.hash, entry.question, entry.previous}
    other = Ledger(tmp_path / "b" / "ledger").entries()[0]
    assert entry.question != other.question  # keyed: nobody can try whose data it was


def test_no_value_reaches_an_error(tmp_path: Path) -> None:
    table = people(5, POLICY)
    secret = "S3CRET-VALUE"
    for name in POLICY.domains(load_schema()):
        place = table.column_names.index(name)
        bad = table.set_column(place, name, pa.array([secret] * 5))
        with pytest.raises(PolicyError) as caught:
            ask(tmp_path, bad)
        error: HubError = caught.value
        assert secret not in "".join([str(error), repr(error), error.fix])
    assert not (tmp_path / "ledger").exists()  # nothing was charged either


def test_a_damaged_stored_answer_is_told(tmp_path: Path) -> None:
    table = people(20, POLICY)
    ask(tmp_path, table)
    [folder] = (tmp_path / "ledger" / "answers").iterdir()
    path = folder / "counts.parquet"
    path.write_bytes(path.read_bytes()[:-7] + b"changed")
    with pytest.raises(LedgerError, match="damaged"):
        ask(tmp_path, table)
    (folder / "answer.json").write_text(json.dumps({"tables": {}}), "utf-8")
    with pytest.raises(LedgerError, match="damaged"):
        ask(tmp_path, table)


@pytest.mark.parametrize("files", [["ledger.jsonl", "head"], ["secret", "ledger.jsonl", "head"]])
def test_a_ledger_older_than_its_answers_is_told(tmp_path: Path, files: list[str]) -> None:
    table = people(20, POLICY)
    ask(tmp_path, table)
    before = {name: (tmp_path / "ledger" / name).read_bytes() for name in files}
    ask(tmp_path, table.slice(1))
    for name, content in before.items():
        (tmp_path / "ledger" / name).write_bytes(content)
    for rows in (0, 1, 2):  # neither served nor charged
        with pytest.raises(LedgerTampered) as caught:
            ask(tmp_path, table.slice(rows))
        assert caught.value.rule == "ledger-answers"
    for name in files:
        (tmp_path / "ledger" / name).unlink()
    with pytest.raises(LedgerTampered):
        ask(tmp_path, table)


@pytest.mark.parametrize("epsilon", [1e-300, 1e-6])
def test_noise_that_cannot_be_drawn_is_refused_before_it_is_paid(
    tmp_path: Path, epsilon: float
) -> None:
    policy = Policy.model_validate({**POLICY.model_dump(), "epsilon": epsilon})
    with pytest.raises(PolicyError) as caught:
        ask(tmp_path, people(3, policy), policy)
    assert caught.value.rule == "policy-noise"
    assert not (tmp_path / "ledger").exists()


def test_progress_rises_and_says_what_happens(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    protect(people(20, POLICY), POLICY, Ledger(tmp_path / "ledger"), FACTS,
            lambda message, share: told.append((message, share)))  # fmt: skip
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1
    assert all(message for message, _ in told)
