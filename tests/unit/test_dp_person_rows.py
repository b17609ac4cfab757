"""A person with B rows: what she changes, what is paid for her, what a release says of it."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import protect, small_policy

from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import count, encode
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.plan import PersonRows, epsilon_by_rows, joined_reach, person_rows, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.quote import unit
from ctdhub.dp.sources import mentioned, plan_of_perpetrators, public_sources
from ctdhub.dp.workload import cost, measure, regional, workload
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage.token_joins import pieces

SCHEMA = load_schema()
FEW = ("gender", "age_band", "means_threats")
POLICY = small_policy(columns=FEW, epsilon=1.0, delta=1e-6, max_people=1000)


def facts(*bounds: int, **more: object) -> dict[str, Any]:
    """Contributors of whom each may have so many rows of one person."""
    given = [{"id": f"c{i}", "rows_per_person": n, **more} for i, n in enumerate(bounds)]
    return {"contributors": given}


def known_to(n: int) -> Policy:
    linking = POLICY.linking.model_copy(update={"known_to": n})
    return POLICY.model_copy(update={"linking": linking})


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 6), st.data())
def test_nobody_has_more_rows_than_the_bound(
    bounds: list[int], most: int, data: st.DataObject
) -> None:
    """However a person's rows lie at contributors, and whichever of them equal keys make one."""
    bound = person_rows(known_to(most), facts(*bounds)).bound
    at = data.draw(st.lists(st.sampled_from(range(len(bounds))), max_size=most, unique=True))
    keys = [(c, data.draw(st.integers(0, 2))) for c in at for _row in range(bounds[c])]
    assert len({key for _contributor, key in keys}) <= len(keys) <= bound


TOKENS = st.sets(st.integers(0, 4), max_size=3)


def one_row_each(people: dict[str, set[int]], most: int) -> Counter[str]:
    """Rows of people whom at most so many tokens join, by the least of each."""
    shared = sorted((p, str(t)) for p, ts in people.items() for t in sorted(ts)[:most])
    table = pa.table(
        {"person": pa.array([p for p, _ in shared], pa.string()),
         "mark": pa.array([t for _, t in shared], pa.string())}
    )  # fmt: skip
    least = {row["person"]: row["one"] for row in pieces(table).to_pylist()} if shared else {}
    together: dict[str, list[str]] = {}
    for person in people:
        together.setdefault(least.get(person, person), []).append(person)
    return Counter("+".join(sorted(all_)) for all_ in together.values())


@settings(max_examples=150, deadline=None)
@given(st.lists(TOKENS, min_size=1, max_size=7), st.integers(1, 3), st.integers(0, 2))
def test_rows_that_tokens_join_change_no_more_than_is_paid_for(
    tokens: list[set[int]], rows: int, most: int
) -> None:
    """B keys go at once; in the worst case all that comes falls into one cell."""
    people = {str(i): t for i, t in enumerate(tokens)}
    hers = sorted(people)[:rows]
    before = one_row_each(people, most)
    after = one_row_each({p: t for p, t in people.items() if p not in hers}, most)
    gone, come = (before - after).total(), (after - before).total()
    assert gone <= rows
    assert come <= rows * most
    assert gone**2 + come**2 <= joined_reach(most, rows)


def test_everything_of_people_is_paid_for_b_rows() -> None:
    """Noise times B: the cost of one row goes down by B squared, that of B rows is rho."""
    policy, rho = small_policy(), rho_of(1.0, 1e-8)
    plans = [plan_of(policy, SCHEMA, PersonRows(n)) for n in (1, 3)]
    one, three = (workload(plan, rho) + regional(plan, rho) for plan in plans)
    for a, b in zip(one, three, strict=True):
        assert (a.columns, 9 * a.reach) == (b.columns, b.reach)
        assert float(b.sigma2 / a.sigma2) == pytest.approx(9, rel=0.01)
    assert 0.999 * rho < cost(three) <= rho
    plan = plan_of_perpetrators(policy, SCHEMA, PersonRows(3))
    child = mentioned(None, policy, SCHEMA, PersonRows(3))
    assert child is not None
    assert (plan.rows, child.each) == (3 * policy.perpetrators.rows, policy.perpetrators.rows)
    assert child.tally(((),), b"key").bound.most == policy.perpetrators.rows  # type: ignore[union-attr]


def test_contributors_and_lists_are_paid_for_too() -> None:
    settings = {"sources": {"lists": ["c0", "c1"]}, "linking": {"people": 0, "lists": 2}}
    policy = Policy.model_validate(settings)
    one, three = (public_sources(policy, SCHEMA, facts(n, 1)) for n in (1, 3))
    assert one
    assert three
    for a, b in zip(one.workload(0.1), three.workload(0.1), strict=True):
        assert (a.columns, 9 * a.reach) == (b.columns, b.reach)


def test_b_rows_of_one_person_move_the_likelihood_by_no_more_than_rho() -> None:
    """Two worlds, one with a woman who has three rows: the log-likelihood ratio of the noisy tables
    has mean rho and variance twice that.  At noise for one row it would be nine times as much."""
    bound = 3
    rho, domains = rho_of(POLICY.epsilon, POLICY.delta), POLICY.domains(SCHEMA)
    questions = workload(plan_of(POLICY, SCHEMA, PersonRows(bound)), rho)
    crowd = pa.table({n: pa.array([None] * 50, pa.string()) for n in domains})
    hers = pa.table({n: pa.array([d[-1]] * bound, pa.string()) for n, d in domains.items()})
    without, within = (
        count(encode(world, domains), [q.columns for q in questions])
        for world in (crowd, pa.concat_tables([crowd, hers]))
    )
    step = {q.columns: within[q.columns] - without[q.columns] for q in questions}
    assert max(int(s.max()) for s in step.values()) == bound
    runs = 600
    ratios = np.zeros(runs)
    for run in range(runs):
        noisy = measure(within, questions)
        ratios[run] = sum(
            float(((noisy[t] - without[t]) * step[t] - step[t] ** 2 / 2).sum()) / float(q.sigma2)
            for q in questions
            for t in [q.columns]
        )
    slack = 6 * math.sqrt(2 * rho / runs)
    assert abs(ratios.mean() - rho) < slack
    assert abs(ratios.var() / (2 * rho) - 1) < 6 * math.sqrt(2 / runs)


def test_the_ledger_charges_what_a_person_is_promised(tmp_path: Any) -> None:
    """The charge is rho of B rows; raising the bound is another question, which names the unit."""
    people = pa.table({n: pa.array([None] * 5, pa.string()) for n in POLICY.domains(SCHEMA)})
    ledger = Ledger(tmp_path / "ledger")
    answers = [protect(people, POLICY, ledger, facts(n)) for n in (1, 3)]
    rho = rho_of(POLICY.epsilon, POLICY.delta)
    assert [e.rho for e in ledger.entries()] == [rho, rho]
    one, three = (a.guarantee for a in answers)
    assert (one.unit, one.rows, three.unit, three.rows) == (
        "person", 1, "person with at most 3 rows", 3,
    )  # fmt: skip
    assert three.sigma["gender"] == pytest.approx(3 * one.sigma["gender"], rel=0.01)
    assert one.by_rows == epsilon_by_rows(rho, POLICY.delta, 1)
    assert three.by_rows["3"] == pytest.approx(POLICY.epsilon)
    assert one.by_rows["3"] > 3 * POLICY.epsilon, "not nine times: epsilon grows less than rho"
    assert three.by_rows["1"] < POLICY.epsilon / 2
    again = protect(people, POLICY, ledger, facts(3))
    assert again.guarantee.rows == 3
    assert again.guarantee.by_rows == three.by_rows


def test_the_unit_says_what_it_is() -> None:
    keyless = person_rows(POLICY, facts(1, keyed=False))
    assert unit(plan_of(POLICY, SCHEMA, keyless)) == "row of a contributor"
    assert unit(plan_of(POLICY, SCHEMA)) == "person"
    joins = Policy.model_validate({"linking": {"people": 1, "lists": 1}})
    assert unit(plan_of(joins, SCHEMA)).startswith("person, by her key; ")
    assert unit(plan_of(joins, SCHEMA, keyless)).startswith("row of a contributor; ")
