"""What makes a request, and when its answer is given again."""

from __future__ import annotations

import ast
import hashlib
import hmac
import inspect
import json
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from invented_people import people, protect, small_policy

from ctdhub.core.errors import LedgerError, WouldCharge
from ctdhub.dp import quote
from ctdhub.dp.count import Counts, count, encode
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.plan import Plan, plan_of
from ctdhub.dp.policy import Policy, Weights
from ctdhub.dp.quote import (
    CanonicalRequest,
    Price,
    ReleaseRequest,
    RequestPart,
    differing,
    display,
    parts_of,
    request_of,
    up_to,
)
from ctdhub.dp.sources import sourced
from ctdhub.dp.standalone.table import ledger_of_table
from ctdhub.dp.workload import workload
from ctdhub.schema.model import load_schema

SCHEMA = load_schema()


def exact_tables(plan: Plan, tables: Iterable[tuple[str, ...]]) -> Counts:
    """Tables of a plan's shapes with cells that are about nobody."""
    found = {}
    for number, table in enumerate(tables):
        shape = plan.shape(table)
        cells = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64)
        found[table] = ((cells * 31 + number) % 97).astype(np.int32).reshape(shape)
    return found


def test_requests_are_written_field_by_field() -> None:
    tree = ast.parse(inspect.getsource(quote))
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert not names & {"repr", "model_dump", "model_dump_json", "asdict", "vars", "__dict__"}
    conversions = [n for n in ast.walk(tree) if isinstance(n, ast.FormattedValue)]
    assert all(n.conversion == -1 for n in conversions)


PLAN = Plan({"a": ("x", "y"), "b": ("p", "q", "r")})


def asked(plan: Plan = PLAN, exact: Counts | None = None, **changes: Any) -> CanonicalRequest:
    tables = workload(plan, changes.pop("rho", 0.05))
    found = exact or exact_tables(plan, [q.columns for q in tables])
    given = {"about": "hub", "epsilon": 1.0, "delta": 1e-8, "unit": "person", **changes}
    part = RequestPart("people", plan.domains, tables, None, display(plan, hierarchy=False))
    return request_of(parts=[(part, found)], **given)


def causes(one: CanonicalRequest, other: CanonicalRequest) -> tuple[str, ...]:
    texts = [{name: text.hex() for name, text in r.parts().items()} for r in (one, other)]
    assert (one.content_with_people == other.content_with_people) == (texts[0] == texts[1])
    public = [{n: t for n, t in text.items() if n != "people"} for text in texts]
    assert (one.content == other.content) == (public[0] == public[1])
    return differing(*texts)


def test_the_order_of_columns_and_tables_is_no_part_of_a_request() -> None:
    exact = exact_tables(PLAN, [q.columns for q in workload(PLAN, 0.05)])
    turned = dict(reversed(exact.items()))
    assert asked(exact=exact).content == asked(exact=turned).content
    assert causes(asked(), asked()) == ()


def test_what_changed_is_told_apart() -> None:
    exact = exact_tables(PLAN, [q.columns for q in workload(PLAN, 0.05)])
    exact[("a",)] = exact[("a",)] + 1
    years = replace(PLAN, domains={"a": ("x", "z"), "b": ("p", "q", "r")})
    assert causes(asked(), asked(exact=exact)) == ("people",)
    assert causes(asked(), asked(years)) == ("columns",)
    assert causes(asked(), asked(replace(PLAN, level=0.9))) == ("settings",)
    assert causes(asked(), asked(epsilon=2.0)) == ("settings",)
    assert causes(asked(), asked(about="table alone 1")) == ("settings",)
    assert causes(asked(), asked(replace(PLAN, weights=Weights(pairs=40)))) == ("settings",)
    assert causes(asked(), asked(unit="household")) == ("settings",)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quote, "METHOD", 2)
        assert causes(asked(), asked()) == ()
        other = asked()
    assert causes(asked(), other) == ("method",)


def test_hierarchies_count_where_they_were_given_with_the_question() -> None:
    tree = replace(PLAN, parents={"a": ((0, 0),)})
    assert causes(asked(), asked(tree)) == ()
    assert display(tree, hierarchy=True) != display(PLAN, hierarchy=True)


@pytest.mark.parametrize("name", ["columns", "shape", "kind", "reach", "sigma2"])
def test_every_field_of_a_table_is_part_of_a_request(name: str) -> None:
    other = {"columns": ("b",), "shape": (9,), "kind": "groups", "reach": 7, "sigma2": Fraction(3)}
    [table, *_rest] = (q for q in workload(PLAN, 0.05) if q.columns == ("a",))
    part = RequestPart("people", PLAN.domains, (table,), None, {})
    changed = replace(part, tables=(replace(table, **{name: other[name]}),))
    cells = exact_tables(PLAN, [("a",)])
    one, two = (request_of("hub", 1.0, 1e-8, "person", [(p, cells)]) for p in (part, changed))
    assert one.content != two.content


LISTS: dict[str, Any] = {
    "columns": ["year_of_registration", "gender", "age_band", "exploitation_sexual"],
    "epsilon": 4.0,
    "budget": {"epsilon": 12.0},
    "sources": {"share": 0.1, "lists": ["rivage", "harbour"]},
}
FACTS = {
    "contributors": [
        {"id": "harbour", "name": "Harbour", "kind": "hotline", "years": [2010, 2022]},
        {"id": "rivage", "name": "Rivage", "kind": "hotline", "years": [2014, 2026]},
    ]
}


def test_the_share_of_doubles_that_a_release_states_is_part_of_a_request() -> None:
    """Else a draft made before the review would state the old share."""

    def told(**linking: float) -> dict[str, Any]:
        links = {"people": 1, "lists": 2, "doubles": 0.03, **linking}
        policy = Policy.model_validate({**LISTS, "linking": links})
        sources = sourced(None, policy, SCHEMA, FACTS)
        question = ReleaseRequest(plan_of(policy, SCHEMA), 4.0, 1e-8, 12.0, "x")
        return parts_of(question, None, sources)[-1].shown

    assert told(found=0.9) == {**told(), "found": 0.9}
    assert told(found=0.9, merged=0.01) == {**told(), "found": 0.9, "merged": 0.01}


POLICY = small_policy(columns=("year_of_registration", "gender"), epsilon=6)


def test_the_last_answer_is_given_again_until_it_is_published(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    answer = protect(people(30, POLICY), POLICY, Ledger(folder), {})
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    again = protect(people(30, POLICY), POLICY, Ledger(folder), {}, pay=up_to(0))
    assert again.guarantee.charge == answer.guarantee.charge
    with pytest.raises(WouldCharge) as caught:
        protect(people(31, POLICY), POLICY, Ledger(folder), {}, pay=up_to(5.9))
    assert caught.value.rule == "would-charge"
    with pytest.raises(WouldCharge):
        protect(
            people(30, POLICY), POLICY, Ledger(folder), {}, pay=up_to(0),
            past=[answer.guarantee.charge],
        )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quote, "METHOD", 2)
        with pytest.raises(WouldCharge):
            protect(people(30, POLICY), POLICY, Ledger(folder), {}, pay=up_to(0))
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    (folder / "answers" / answer.guarantee.charge / "request.json").unlink()
    with pytest.raises(LedgerError, match="damaged"):
        protect(people(30, POLICY), POLICY, Ledger(folder), {})


def test_whoever_has_the_folder_cannot_try_out_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret of the hashes lies in the folder of the ledger, and so do copies of it."""
    monkeypatch.setenv("CTDHUB_STATE", str(tmp_path / "state"))
    ledger = ledger_of_table(tmp_path / "ledger", "women of two shelters")
    tried: dict[str, bytes] = {}
    kept = CanonicalRequest.parts

    def parts(asked: CanonicalRequest) -> dict[str, bytes]:
        tried.update(kept(asked))
        return kept(asked)

    monkeypatch.setattr(CanonicalRequest, "parts", parts)
    answer = protect(people(30, POLICY), POLICY, ledger, {})
    found = ledger.folder / "answers" / answer.guarantee.charge / "request.json"
    told, secret = json.loads(found.read_text("utf-8")), (ledger.folder / "secret").read_bytes()
    guess = {n: hmac.new(secret, t, hashlib.sha256).hexdigest() for n, t in tried.items()}
    assert {n for n, t in guess.items() if t == told[n]} == {*told} - {"people"}
    lines = (ledger.folder / "ledger.jsonl").read_text("utf-8")
    assert guess["people"] not in lines
    again = protect(people(30, POLICY), POLICY, ledger, {}, pay=up_to(0))
    assert again.guarantee.charge == answer.guarantee.charge
    prices: list[Price] = []
    for n, changes in ((31, {}), (30, {"epsilon": 5.0})):
        other = Policy.model_validate({**POLICY.model_dump(), **changes})
        with pytest.raises(WouldCharge):
            protect(people(n, POLICY), other, ledger, {}, pay=lambda p: _noted(p, prices))
    assert [p.because for p in prices] == [("people",), ("settings",)]


def _noted(price: Price, prices: list[Price]) -> None:
    prices.append(price)
    up_to(0)(price)


def test_the_price_is_told_with_its_reason_before_it_is_paid(tmp_path: Path) -> None:
    prices: list[Price] = []
    facts = {"contributors": [{"id": "harbour"}, {"id": "rivage"}]}
    ledger = Ledger(tmp_path / "ledger", limits={"harbour": 9.0, "rivage": None, "other": 1.0})
    for n, changes in ((30, {}), (30, {}), (31, {}), (31, {"epsilon": 2.0})):
        policy = Policy.model_validate(
            {**POLICY.model_dump(), "epsilon": 3.0, "sources": {"share": 0}, **changes}
        )
        entries = len(ledger.entries())

        def pay(price: Price) -> None:
            assert len(ledger.entries()) == entries  # noqa: B023 - called before the next round
            with ledger.exclusive():  # nobody waits for a person who thinks
                prices.append(price)

        protect(people(n, policy), policy, ledger, facts, pay=pay)
    assert [p.because for p in prices] == [("first",), ("people",), ("settings",)]
    assert [p.epsilon for p in prices] == [3.0, 3.0, 2.0]
    assert prices[0].left == pytest.approx(12.0)
    assert prices[0].left > prices[1].left > prices[2].left
    assert set(prices[0].left_by_contributor) == {"harbour"}
    assert prices[0].left_by_contributor["harbour"] == pytest.approx(9.0)


def test_a_quote_is_refused_after_another_charge(tmp_path: Path) -> None:
    ledger, told = Ledger(tmp_path / "ledger"), list[float]()
    policy = Policy.model_validate({**POLICY.model_dump(), "epsilon": 2.0})

    def pay(price: Price) -> None:
        told.append(price.left)
        if len(told) == 1:
            protect(people(5, policy), policy, Ledger(tmp_path / "ledger"), {})

    with pytest.raises(WouldCharge):
        protect(people(30, policy), policy, ledger, {}, pay=pay)
    assert len(ledger.entries()) == 1
    protect(people(30, policy), policy, ledger, {}, pay=pay)
    assert told[1] < told[0]
    assert len(ledger.entries()) == 2


def test_a_lost_answer_is_a_price_too(tmp_path: Path) -> None:
    ledger, told = Ledger(tmp_path / "ledger"), list[Price]()
    policy = Policy.model_validate({**POLICY.model_dump(), "epsilon": 2.0})
    protect(people(30, policy), policy, ledger, {})
    [answer] = (ledger.folder / "answers").iterdir()
    answer.rename(tmp_path / "away")
    with pytest.raises(WouldCharge, match="lost"):
        protect(people(30, policy), policy, ledger, {}, pay=up_to(1))
    protect(people(30, policy), policy, ledger, {}, pay=told.append)
    assert [p.because for p in told] == [("lost",)]
    assert "charged again" in ledger.entries()[-1].what


def test_a_request_knows_its_counts_and_the_columns_they_are_of() -> None:
    columns: list[tuple[str, ...]] = [("gender",), ("year_of_registration", "gender")]
    table, domains = people(50, POLICY), POLICY.domains(SCHEMA)

    def digest(counts: Counts) -> str:
        part = RequestPart("people", domains, (), None, {})
        return request_of(quote.HUB, 1.0, 1e-6, "person", [(part, counts)]).people

    counts = count(encode(table, domains), columns)
    turned = count(encode(table.take(pa.array(range(49, -1, -1))), domains), columns[::-1])
    assert digest(turned) == digest(counts)
    fewer = count(encode(table.slice(1), domains), columns)
    renamed = {("x", *t[1:]): cells for t, cells in counts.items()}
    flat = {t: cells.reshape(-1, 1) for t, cells in counts.items()}
    some = {t: counts[t] for t in columns[:1]}
    assert len({digest(c) for c in (counts, fewer, renamed, flat, some, {})}) == 6
