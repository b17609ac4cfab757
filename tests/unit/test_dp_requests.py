"""What makes a request: those of engine 4 byte for byte, today's by what they say alone."""

from __future__ import annotations

import ast
import hashlib
import hmac
import inspect
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from engine4_policies import FACTS, POLICIES, alone, exact_tables
from invented_people import people, small_policy

from ctdhub.core.errors import WouldCharge
from ctdhub.dp import engine4, request
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.asking import Exact, ReleaseRequest, asks_of, costs_of, parts_of
from ctdhub.dp.by_contributor import sourced
from ctdhub.dp.child_rows import mentioned
from ctdhub.dp.count import Counts, count, encode
from ctdhub.dp.dependent_columns import Followers
from ctdhub.dp.engine import protect
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.plan import Plan, plan_of
from ctdhub.dp.policy import Policy, Weights
from ctdhub.dp.price import Price, up_to
from ctdhub.dp.request import CanonicalRequest, RequestPart, differing, request_of, shown
from ctdhub.dp.rows import InMemory, Tally
from ctdhub.dp.standalone.ledger import ledger_of_table
from ctdhub.dp.workload import workload
from ctdhub.schema.model import load_schema

SCHEMA = load_schema().at("1.1")
"""The schema that engine 4 knew; variables that came later are not in its requests."""

GOLDEN = {
    "as a hub began": "bfa5dc7818a019e61e7cebfdc8178d9a5ecd5fbf4ec668afda03ca14197334cd",
    "a list of columns": "6d2f2dbe51615721b7bde5bedb9be3bc0a4879ab2471f23118f9cc1b021ce933",
    "corridors and what follows": (
        "bb37b181a2099da14fac78c335161f63533e7d713830cc3fda6f1f9c6d4ebd5b"
    ),
    "one country alone": "bd38177c2bd8b43a213bdfdefd6bf3996e079a159772109aa581282b3c21baa7",
    "part of a group of flags": (
        "3ccb2af2483b8a783e327da714e3e368875606ae84bd453bae4c7c286458eb24"
    ),
    "other promise": "7388d0ef7453e1757cf803acac1e4f9465bfbcd39ca12e47fec078426878a4ab",
    "other display": "0f97918f7640c42f028283f345dd3944fd5fde9b6f44ca23d2e36d49fc00a9c9",
    "a group on request": "8428443d1767db1bfbe258e54c470e5faedcee96a3ce0b4583ac6bae5fae90a7",
    "no perpetrators, no sources": (
        "88d7e76c5dc39e012fad1ffe9911b57d73bfbc9f8b3202cd53bdffd83883131d"
    ),
    "many perpetrators": "f68540c8d422c458e004e75babc2ed7b7d7a6295e4b744cd6c0fc8855179d8b1",
    "lists that overlap": "21904c3cd117c973f5fb8d082315ae135f5891cb98c68b817c7310066fa03809",
    "lists by tokens": "9961687f372743786f80fec546b2c1c08c6ec9623777dafc495bf927684ebaf4",
}
"""SHA-256 of what the software at 7f2c3c7 hashed with the ledger's secret."""

GOLDEN_ALONE = {
    "a table alone": "3d0104bcbc6c35a8233bbc25a941af6b0b40c419b77c3e1e25819b3bff7907b1",
    "a sum alone": "3c80de15e9686ef40ff2fd8e0ed59a8d7f4bcdd12863609a3e7af7c498d7f0b1",
}


def content(policy: Policy) -> bytes:
    """What engine 4 wrote of this policy and tables about nobody."""
    plan, child = plan_of(policy, SCHEMA), mentioned(None, policy, SCHEMA)
    sources = sourced(None, policy, SCHEMA, FACTS)
    costs = costs_of(rho_of(policy.epsilon, policy.delta), child, sources)
    own = exact_tables(plan, [q.columns for q in workload(plan, costs.people)])
    theirs, by_source = Counts(), Counts()
    if child:
        asked = workload(child.plan, costs.perpetrators)
        theirs = exact_tables(child.plan, [q.columns for q in asked])
    if sources:
        by_name = exact_tables(Plan(sources.public.domains), sources.tally.tables)
        by_source = sources.exact(by_name)
    return engine4.content(
        (own, theirs, by_source),
        plan,
        policy.epsilon,
        policy.delta,
        engine4.hub_settings(policy, "1.1"),
        (child.plan, child.share) if child else None,
        sources.public if sources else None,
    )


@pytest.mark.parametrize("name", POLICIES)
def test_engine_4_wrote_the_very_same_bytes(name: str) -> None:
    found = content(Policy.model_validate(POLICIES[name]))
    assert hashlib.sha256(found).hexdigest() == GOLDEN[name]


@pytest.mark.parametrize("name", GOLDEN_ALONE)
def test_engine_4_wrote_the_very_same_bytes_of_tables_alone(name: str) -> None:
    plan, word = alone(Plan)[name]
    own = exact_tables(plan, [q.columns for q in workload(plan, 0.05)])
    found = engine4.content((own, {}, {}), plan, 1.0, 1e-6, [word], None, None)
    assert hashlib.sha256(found).hexdigest() == GOLDEN_ALONE[name]


def test_a_class_or_setting_of_another_name_is_the_same_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after an upgrade that renames: neither form of a request shows what Python shows."""
    name = "corridors and what follows"
    policy = Policy.model_validate(POLICIES[name])
    for kind in (Plan, Followers, Weights):
        assert "__repr__" in vars(kind) or kind is Weights
        monkeypatch.setattr(kind, "__repr__", lambda self: "Renamed()")
    assert hashlib.sha256(content(policy)).hexdigest() == GOLDEN[name]

    class Later(Policy):
        later: int = 3

    wider = Later.model_validate(POLICIES[name])
    assert hashlib.sha256(content(wider)).hexdigest() == GOLDEN[name]


def test_requests_are_written_field_by_field() -> None:
    tree = ast.parse(inspect.getsource(request))
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
    part = RequestPart("people", plan.domains, tables, None, shown(plan, hierarchy=False))
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
        patch.setattr(request, "METHOD", 2)
        assert causes(asked(), asked()) == ()
        other = asked()
    assert causes(asked(), other) == ("method",)


def test_hierarchies_count_where_they_were_given_with_the_question() -> None:
    tree = replace(PLAN, parents={"a": ((0, 0),)})
    assert causes(asked(), asked(tree)) == ()
    assert shown(tree, hierarchy=True) != shown(PLAN, hierarchy=True)


@pytest.mark.parametrize("name", ["columns", "shape", "kind", "reach", "sigma2"])
def test_every_field_of_a_table_is_part_of_a_request(name: str) -> None:
    other = {"columns": ("b",), "shape": (9,), "kind": "groups", "reach": 7, "sigma2": Fraction(3)}
    [table, *_rest] = (q for q in workload(PLAN, 0.05) if q.columns == ("a",))
    part = RequestPart("people", PLAN.domains, (table,), None, {})
    changed = replace(part, tables=(replace(table, **{name: other[name]}),))
    cells = exact_tables(PLAN, [("a",)])
    one, two = (request_of("hub", 1.0, 1e-8, "person", [(p, cells)]) for p in (part, changed))
    assert one.content != two.content


def test_the_share_of_doubles_that_a_release_states_is_part_of_a_request() -> None:
    """Else a draft made before the review would state the old share."""

    def told(**linking: float) -> dict[str, Any]:
        given = {**POLICIES["lists by tokens"], "linking": {"people": 1, "lists": 2, **linking}}
        policy = Policy.model_validate(given)
        sources = sourced(None, policy, SCHEMA, FACTS)
        question = ReleaseRequest(plan_of(policy, SCHEMA), 4.0, 1e-8, 12.0, (), "x")
        costs = costs_of(0.1, None, sources)
        *_people, (part, _exact) = parts_of(
            question, Exact({}, {}, {}), (), (), costs, None, sources
        )
        return part.shown

    assert told(found=0.9) == {**told(), "found": 0.9}
    assert told(found=0.9, merged=0.01) == {**told(), "found": 0.9, "merged": 0.01}


POLICY = small_policy(columns=("year_of_registration", "gender"), epsilon=6)


def older_ledger(folder: Path, n: int, form: int) -> None:
    """A ledger of older software: its answer lies under the hash of a question with its tables.

    Form 1 is that of 2026; form 0 that of engine 4, which kept no parts.
    """
    ledger = Ledger(folder)
    answer = protect(people(n, POLICY), POLICY, Ledger(folder), {}, schema=SCHEMA)
    [entry] = ledger.entries()
    own = plan_of(POLICY, SCHEMA)
    child, sources = mentioned(None, POLICY, SCHEMA), sourced(None, POLICY, SCHEMA, {})
    costs = costs_of(entry.rho, child, sources)
    assert child is not None
    assert answer.guarantee.charge == entry.id
    tables = workload(own, costs.people)
    [exact] = InMemory(people(n, POLICY)).counts(
        [Tally(own.domains, tuple(q.columns for q in tables))]
    )
    theirs = workload(child.plan, costs.perpetrators)
    nobody = child.tally(tuple(q.columns for q in theirs), b"").none()
    question = ReleaseRequest(
        own, 6.0, 1e-8, 12.0, tuple(engine4.hub_settings(POLICY, SCHEMA.version)), "x"
    )
    all_exact = Exact(exact, nobody, {})
    parts = parts_of(question, all_exact, tables, theirs, costs, child, sources)
    asks = asks_of(ledger, question, all_exact, parts, child, sources)
    assert entry.question == asks.question
    name = asks.before[1 - form]
    old = replace(entry, question=name).sealed()
    (folder / "ledger.jsonl").write_bytes(old.line() + b"\n")
    (folder / "head").write_text(f"1 {old.hash}\n")
    kept = folder / "answers" / entry.id
    if form == 0:
        (kept / "request.json").unlink()
    kept.rename(kept.with_name(name))


@pytest.mark.parametrize("form", [0, 1])
def test_the_last_answer_of_older_software_is_given_again_and_its_folder_stays(
    tmp_path: Path, form: int
) -> None:
    folder = tmp_path / "ledger"
    older_ledger(folder, 30, form)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    answer = protect(people(30, POLICY), POLICY, Ledger(folder), {}, pay=up_to(0), schema=SCHEMA)
    assert answer.guarantee.charge == Ledger(folder).entries()[0].id
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    with pytest.raises(WouldCharge) as caught:
        protect(people(31, POLICY), POLICY, Ledger(folder), {}, pay=up_to(5.9), schema=SCHEMA)
    assert caught.value.rule == "would-charge"
    with pytest.raises(WouldCharge):
        protect(
            people(30, POLICY), POLICY, Ledger(folder), {}, pay=up_to(0), schema=SCHEMA,
            given=[answer.guarantee.charge],
        )  # fmt: skip
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request, "METHOD", 2)
        with pytest.raises(WouldCharge):
            protect(people(30, POLICY), POLICY, Ledger(folder), {}, pay=up_to(0), schema=SCHEMA)


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
    # An answer that software before kept is known again, and what changed is told of it.
    found.write_text(json.dumps(told | {"people": guess["people"]}), "utf-8")
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


def test_another_charge_meanwhile_is_asked_about_again(tmp_path: Path) -> None:
    ledger, told = Ledger(tmp_path / "ledger"), list[float]()
    policy = Policy.model_validate({**POLICY.model_dump(), "epsilon": 2.0})

    def pay(price: Price) -> None:
        told.append(price.left)
        if len(told) == 1:
            protect(people(5, policy), policy, Ledger(tmp_path / "ledger"), {})

    protect(people(30, policy), policy, ledger, {}, pay=pay)
    assert len(told) == 2
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
        return request_of(request.HUB, 1.0, 1e-6, "person", [(part, counts)]).people

    counts = count(encode(table, domains), columns)
    turned = count(encode(table.take(pa.array(range(49, -1, -1))), domains), columns[::-1])
    assert digest(turned) == digest(counts)
    fewer = count(encode(table.slice(1), domains), columns)
    renamed = {("x", *t[1:]): cells for t, cells in counts.items()}
    flat = {t: cells.reshape(-1, 1) for t, cells in counts.items()}
    some = {t: counts[t] for t in columns[:1]}
    assert len({digest(c) for c in (counts, fewer, renamed, flat, some, {})}) == 6
