"""Counts by contributor and the overlap of lists: one cell a person, one charge, public shapes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import (
    CONTRIBUTORS,
    FACTS,
    Known,
    overlap_of,
    people,
    protect,
    reported,
    small_policy,
)

from ctdhub.border import (
    CAPTURE_CELLS,
    CAPTURES,
    DOUBLES,
    LISTS,
    MEASUREMENTS,
    UNKEYED,
    Protected,
    Sources,
)
from ctdhub.core.errors import LedgerError, PolicyError
from ctdhub.dp.accounting import rho_of, split
from ctdhub.dp.count import Counts
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.plan import plan_of
from ctdhub.dp.policy import Policy, load_policy
from ctdhub.dp.sources import (
    OVERLAP_SHARE,
    POSSIBLE_BY,
    CountedSources,
    list_tables,
    mentioned,
    public_sources,
    questions_of,
    sourced,
)
from ctdhub.dp.workload import cost, regional, workload
from ctdhub.schema.model import CONTRIBUTOR, PERIOD, load_schema

SCHEMA = load_schema()
LISTED = {"lists": ["harbour", "mirador", "rivage"]}
POLICY = small_policy(
    columns=(PERIOD, "gender", "citizenship", "country_of_exploitation", "any_exploitation",
             "exploitation_sexual"),
    epsilon=60, budget={"epsilon": 900}, sources=LISTED,
)  # fmt: skip
TABLES = {
    f"{CONTRIBUTOR}*{PERIOD}",
    *(
        f"{CONTRIBUTOR}*{PERIOD}*{name}"
        for name in ("gender", "exploitation_sexual", "any_exploitation", "citizenship_region",
                     "exploitation_region")
    ),
}  # fmt: skip


def changed(**sources: Any) -> Policy:
    return Policy.model_validate({**POLICY.model_dump(), "sources": sources})


def facts(*hidden: str) -> dict[str, Any]:
    return {
        "contributors": [
            {**c, "show_counts": False} if c["id"] in hidden else c for c in FACTS["contributors"]
        ]
    }


def given_people(n: int, seed: int = 5) -> tuple[pa.Table, Known]:
    return reported(people(n, POLICY), seed)


def made(n: int, policy: Policy = POLICY) -> CountedSources:
    found = sourced(overlap_of(given_people(n)[1], policy), policy, SCHEMA, FACTS)
    assert found is not None
    return found


def exact_of(found: CountedSources, table: pa.Table) -> Counts:
    return found.exact(found.tally.of(table))


def ask(folder: Path, n: int = 60, policy: Policy = POLICY, said: Any = FACTS) -> Protected:
    table, known = given_people(n)
    overlap = overlap_of(known, policy)
    return protect(table, policy, Ledger(folder / "ledger"), said, overlap=overlap)


def bits(seed: int) -> Callable[[int], bytes]:
    rng = np.random.default_rng(seed)
    return lambda size: rng.bytes(size)


def cells(found: Sources) -> dict[tuple[tuple[str, ...], tuple[str, ...]], float]:
    rows = found.measurements.to_pylist()
    return {(tuple(r["columns"]), tuple(r["values"])): r["noisy"] for r in rows}


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.sets(st.sampled_from([*CONTRIBUTORS, "nobody-known"]), min_size=1), min_size=1,
        max_size=7,
    ),
    st.data(),
)  # fmt: skip
def test_one_person_changes_one_cell_of_each_table_by_one(
    known: list[set[str]], data: st.DataObject
) -> None:
    """Whoever goes, with whatever lists know her: at most one cell a table, by one."""
    policy = changed(lists=data.draw(st.sampled_from([["harbour", "mirador"], LISTED["lists"]])))
    table, _overlap = reported(people(len(known), policy))
    out = data.draw(st.integers(0, len(known) - 1))

    def tables(keep: list[int]) -> dict[Any, Any]:
        part = table.take(pa.array(keep, pa.int64()))
        overlap = overlap_of(Counter(frozenset(known[i]) for i in keep), policy)
        found = sourced(overlap, policy, SCHEMA, FACTS)
        assert found is not None
        return exact_of(found, part)

    everybody = list(range(len(known)))
    before, after = tables(everybody), tables([i for i in everybody if i != out])
    for name, exact in before.items():
        change = np.abs(exact - after[name])
        on_a_list = bool(known[out] & set(policy.sources.lists))
        assert change.sum() == (1 if name != (LISTS,) or on_a_list else 0), name


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.3])
@pytest.mark.parametrize("lists", [[], ["harbour", "rivage"], LISTED["lists"]])
@pytest.mark.parametrize("epsilon", [1, 4])
def test_three_parts_together_cost_at_most_the_charge(
    share: float, lists: list[str], epsilon: int
) -> None:
    policy = changed(share=share, lists=lists)
    child = mentioned(None, policy, SCHEMA)
    public = public_sources(policy, SCHEMA, FACTS)
    assert child is not None
    assert (public is None) == (share == 0)
    for rho in (rho_of(epsilon, 1e-8), 1 / 3):
        parts = split(rho, [child.share, share])
        assert sum(map(Fraction, parts)) <= Fraction(rho)
        plan, left = plan_of(policy, SCHEMA), parts[0]
        spent = cost(workload(plan, left) + regional(plan, left))
        spent += cost(workload(child.plan, parts[1]))
        if public:
            own = public.workload(parts[2])
            spent += cost(own)
            assert cost(own) <= Fraction(parts[2])
            assert float(cost(own)) == pytest.approx(parts[2], rel=0.01)
            if lists:
                overlap = Fraction(1, 2) / own[-1].sigma2
                assert float(overlap / cost(own)) == pytest.approx(float(OVERLAP_SHARE), rel=0.02)
        assert spent <= Fraction(rho)
        assert float(spent) == pytest.approx(rho, rel=0.01)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1e-6, 50, allow_nan=False),
    st.lists(st.floats(0, 0.49, allow_nan=False), min_size=1, max_size=2),
)
def test_parts_of_a_cost_never_add_up_to_more(rho: float, shares: list[float]) -> None:
    parts = split(rho, shares)
    assert sum(map(Fraction, parts)) <= Fraction(rho)
    assert sum(parts) == pytest.approx(rho)
    assert all(p >= 0 for p in parts)


def test_shares_must_leave_something() -> None:
    for shares in ([1.0], [0.5, 0.5], [-0.1]):
        with pytest.raises(ValueError, match="shares"):
            split(1.0, shares)


def test_rows_are_the_public_domain_whatever_the_data(tmp_path: Path) -> None:
    many, nobody = ask(tmp_path / "a", 200).sources, ask(tmp_path / "b", 0).sources
    assert many is not None
    assert nobody is not None
    assert many.contributors == CONTRIBUTORS
    assert many.lists == POLICY.sources.lists
    assert many.sigma.keys() == TABLES | {LISTS}
    assert list(cells(many)) == list(cells(nobody))
    assert many.sigma == nobody.sigma
    sizes = {n: len(d) + 1 for n, d in made(3).domains.items()}
    assert sizes[CONTRIBUTOR] == len(CONTRIBUTORS) + 1
    for table in TABLES:
        columns = tuple(table.split("*"))
        held = [c for c, _v in cells(many) if c == columns]
        assert len(held) == np.prod([sizes[n] for n in columns]), table
    sets = [v for c, (v,) in ((c, v) for c, v in cells(many) if c == (LISTS,))]
    assert sorted(sets) == sorted(
        ["harbour", "mirador", "rivage", "harbour+mirador", "harbour+rivage", "mirador+rivage",
         "harbour+mirador+rivage"]
    )  # fmt: skip


def test_noise_is_unbiased_at_the_stated_sigma() -> None:
    found, rho = made(500), 0.05
    exact = exact_of(found, given_people(500)[0])
    errors: dict[str, list[float]] = {}
    for seed in range(30):
        noisy = found.measured(dict(exact), rho, bits(seed))
        values = noisy.measurements["noisy"].to_numpy()
        tables = ["*".join(c) for c in noisy.measurements["columns"].to_pylist()]
        start = 0
        for columns, table in exact.items():
            name, part = "*".join(columns), values[start : start + table.size]
            assert set(tables[start : start + table.size]) == {name}
            errors.setdefault(name, []).extend(part - table.ravel())
            start += table.size
        assert start == values.size
    for name, off in errors.items():
        sigma = noisy.sigma[name]
        assert abs(np.mean(off)) < 5 * sigma / len(off) ** 0.5, name
        assert np.std(off) == pytest.approx(sigma, rel=0.2), name
    assert noisy.sigma[f"{CONTRIBUTOR}*{PERIOD}"] < noisy.sigma[f"{CONTRIBUTOR}*{PERIOD}*gender"]


def test_the_counts_are_those_of_the_people(tmp_path: Path) -> None:
    """At a huge epsilon noise is small: each cell lies near its true count."""
    table, known = given_people(400)
    found = ask(tmp_path, 400).sources
    assert found is not None
    seen = cells(found)
    by = {}
    for who, year in zip(table[CONTRIBUTOR].to_pylist(), table[PERIOD].to_pylist(), strict=True):
        by[(who, year or "")] = by.get((who, year or ""), 0) + 1
    for key, n in by.items():
        sigma = found.sigma[f"{CONTRIBUTOR}*{PERIOD}"]
        assert seen[((CONTRIBUTOR, PERIOD), key)] == pytest.approx(n, abs=6 * sigma + 1)
    for names, n in overlap_of(known, POLICY).people.items():
        value = seen[((LISTS,), ("+".join(names),))]
        assert value == pytest.approx(n, abs=6 * found.sigma[LISTS] + 1)


def test_lists_are_counted_by_strata_too(tmp_path: Path) -> None:
    """Half of the lists' own budget; the same reach; cells in the order of the public values."""
    policy = changed(**LISTED, strata=["gender"])
    public = public_sources(policy, SCHEMA, FACTS)
    assert public is not None
    assert public.lists is not None
    rho = Fraction(1, 20)
    both = {q.columns: q for q in questions_of(public.lists.tables, rho)}
    assert cost(tuple(both.values())) <= rho
    one, by = both[(LISTS,)], both[LISTS, "gender"]
    assert (one.reach, one.sigma2) == (by.reach, by.sigma2)
    found = ask(tmp_path, 30, policy).sources
    assert found is not None
    genders = [*SCHEMA.domain("gender"), ""]
    sets = [v[0] for c, v in cells(found) if c == (LISTS,)]
    held = [v for c, v in cells(found) if c == (LISTS, "gender")]
    assert held == [(on, gender) for on in sets for gender in genders]


@pytest.mark.parametrize("name", [PERIOD, "citizenship", "eye_colour"])
def test_strata_are_few_released_values(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError) as caught:
        ask(tmp_path, 10, changed(**LISTED, strata=[name]))
    assert (caught.value.rule, name in str(caught.value)) == ("policy-sources", True)
    assert not (tmp_path / "ledger").exists()


def test_whoever_is_not_shown_is_pooled(tmp_path: Path) -> None:
    policy = changed()
    found = ask(tmp_path, 300, policy, facts("mirador", "rivage")).sources
    assert found is not None
    assert found.contributors == ("harbour",)
    named = {v[0] for c, v in cells(found) if c == (CONTRIBUTOR, PERIOD)}
    assert named == {"harbour", ""}
    assert "mirador" not in json.dumps(found.measurements.to_pylist())
    table, _overlap = given_people(300)
    others = sum(1 for who in table[CONTRIBUTOR].to_pylist() if who != "harbour")
    pooled = [n for (c, v), n in cells(found).items() if c == (CONTRIBUTOR, PERIOD) and v[0] == ""]
    reach = 6 * found.sigma[f"{CONTRIBUTOR}*{PERIOD}"] * len(pooled) ** 0.5
    assert sum(pooled) == pytest.approx(others, abs=reach + 1)


def test_entities_that_are_no_contributors_are_pooled_too() -> None:
    table, _overlap = given_people(40)
    at = table.schema.get_field_index(CONTRIBUTOR)
    table = table.set_column(at, CONTRIBUTOR, pa.array(["A field office"] * 40))
    found = sourced(None, POLICY, SCHEMA, FACTS)
    assert found is not None
    exact = exact_of(found, table)
    assert not exact[CONTRIBUTOR, PERIOD][1:].any()
    assert exact[CONTRIBUTOR, PERIOD].sum() == 40
    assert not exact[(LISTS,)].any()


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (changed(share=0), FACTS),
        (changed(), {}),
        (changed(), {"contributors": ["only a name"]}),
        (changed(), facts(*CONTRIBUTORS)),
    ],
)
def test_where_policy_or_agreements_say_so_there_is_none(
    tmp_path: Path, policy: Policy, said: dict[str, Any]
) -> None:
    answer = ask(tmp_path, 20, policy, said)
    assert answer.sources is None
    full = ask(tmp_path / "full", 20).guarantee
    assert answer.guarantee.rho == full.rho
    assert all(full.sigma[t] > s for t, s in answer.guarantee.sigma.items())
    assert list((tmp_path / "ledger").glob("answers/*/*"))
    assert not list((tmp_path / "ledger").glob("answers/*/sources-measurements.parquet"))


def test_only_released_columns_divide_contributors() -> None:
    few = small_policy(columns=(PERIOD, "age_band", "country_of_exploitation"))
    public = public_sources(few, SCHEMA, FACTS)
    assert public is not None
    assert [t[2:] for t in public.tables] == [(), ("age_band",), ("exploitation_region",)]
    assert public_sources(small_policy(columns=("gender",)), SCHEMA, FACTS) is None


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        (["harbour", "stranger"], FACTS),
        (["harbour", "rivage"], facts("rivage")),
        (["harbour", "rivage"], {}),
    ],
)
def test_lists_of_nobody_or_of_the_unshown_are_refused_before_anything_is_paid(
    tmp_path: Path, lists: list[str], said: dict[str, Any]
) -> None:
    with pytest.raises(PolicyError) as caught:
        ask(tmp_path, 10, changed(lists=lists), said)
    assert caught.value.rule == "policy-sources"
    assert lists[-1] in str(caught.value) or not said
    assert caught.value.fix
    assert not (tmp_path / "ledger").exists()


def test_a_tiny_share_is_refused_before_anything_is_paid(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="too small"):
        ask(tmp_path, 10, changed(share=1e-13))
    assert not (tmp_path / "ledger").exists()


@pytest.mark.parametrize("part", [{"lists": ("harbour",)}, {"years": (2000, 2001)}, {"tokens": 1}])
def test_an_overlap_that_nobody_asked_for_is_a_fault(part: dict[str, Any]) -> None:
    overlap = replace(overlap_of(given_people(10)[1], POLICY), **part)
    with pytest.raises(ValueError, match="not the one that the policy asks about"):
        sourced(overlap, POLICY, SCHEMA, FACTS)


def test_lists_count_in_the_years_that_all_of_them_cover() -> None:
    spans = ([2010, 2019], [2016, 2030], [2002, 2017])
    given = [{**c, "years": s} for c, s in zip(FACTS["contributors"], spans, strict=True)]
    lists = list_tables(POLICY, {"contributors": given})
    assert lists is not None
    assert lists.years == (2016, 2017)
    apart = [{**c, "years": s} for c, s in zip(given, ([2010, 2011], *spans[1:]), strict=True)]
    with pytest.raises(PolicyError, match="no year in common"):
        list_tables(POLICY, {"contributors": apart})


@pytest.mark.parametrize("linking", [{"lists": 1}, {"lists": 3}, {"people": 1, "lists": 2}])
def test_tokens_cost_what_one_person_reaches(linking: dict[str, int], tmp_path: Path) -> None:
    policy = Policy.model_validate({**POLICY.model_dump(), "linking": linking})
    public, plain = (public_sources(p, SCHEMA, FACTS) for p in (policy, POLICY))
    assert public is not None
    assert plain is not None
    reach = {q.columns: q.reach for q in public.workload(0.1)}
    most, fewer = linking["lists"], linking.get("people", 0)
    assert reach[(LISTS,)] == most**2 + 1
    assert reach[(DOUBLES,)] == most**2
    assert {r for t, r in reach.items() if len(t) > 1} == {fewer**2 + 1}
    assert cost(public.workload(0.1)) <= Fraction(0.1)
    assert float(cost(public.workload(0.1))) == pytest.approx(0.1, rel=0.01)
    apart = public.sigma(0.1)[LISTS] / plain.sigma(0.1)[LISTS]
    assert apart == pytest.approx(((most**2 + 1) / 0.9) ** 0.5, rel=0.01)
    answer = ask(tmp_path, 60, policy)
    assert answer.sources is not None
    assert ((DOUBLES,), ("people",)) in cells(answer.sources)
    assert answer.sources.tokens == most
    assert answer.guarantee.unit == "person" or fewer


def test_possible_doubles_have_a_share_of_their_own(tmp_path: Path) -> None:
    linking = {"people": 1, "lists": 1, "doubles": 0.03, "found": 0.5}
    whole = {**POLICY.model_dump(), "linking": linking}
    policy = Policy.model_validate(whole)
    public = public_sources(policy, SCHEMA, FACTS)
    assert public is not None
    reach = {q.columns: q.reach for q in public.workload(0.1)}
    assert (reach[POSSIBLE_BY], reach[(CAPTURES,)]) == (26, 5)
    assert cost(public.workload(0.1)) <= Fraction(0.1)
    sources = ask(tmp_path, 60, policy).sources
    assert sources is not None
    assert {"", "NGA"} <= sources.estimates(0.95, *POSSIBLE_BY).keys()
    assert list(sources.estimates(0.95, CAPTURES)) == list(CAPTURE_CELLS)
    assert sources.without_key(0.95) is not None
    assert sources.share == pytest.approx(policy.sources.share + 0.03)
    alone = Policy.model_validate({**whole, "sources": {"share": 0}})
    only = public_sources(alone, SCHEMA, FACTS)
    assert only is not None
    assert {q.columns for q in only.workload(0.1)} == {POSSIBLE_BY, (CAPTURES,), (UNKEYED,)}
    declined = {**alone.model_dump(), "linking": {"doubles": 0}}
    assert public_sources(Policy.model_validate(declined), SCHEMA, FACTS) is None
    with pytest.raises(ValueError, match="need doubles above 0"):
        Policy.model_validate({**POLICY.model_dump(), "linking": {"found": 0.5}})


def test_rows_that_tokens_join_cost_more_everywhere(tmp_path: Path) -> None:
    policy = Policy.model_validate({**POLICY.model_dump(), "linking": {"people": 1, "lists": 1}})
    joined, plain = ask(tmp_path / "a", 60, policy), ask(tmp_path / "b", 60)
    for name, sigma in plain.guarantee.sigma.items():
        assert joined.guarantee.sigma[name] / sigma == pytest.approx(2**0.5, rel=0.02), name
    assert "1 further token" in joined.guarantee.unit
    assert joined.guarantee.rho == plain.guarantee.rho
    assert joined.sources is not None
    assert DOUBLES not in joined.sources.sigma
    assert joined.sources.sigma[LISTS] > plain.sources.sigma[LISTS]  # type: ignore[union-attr]


def test_an_exact_repeat_is_free_and_the_same(tmp_path: Path) -> None:
    table, known = given_people(50)
    first = ask(tmp_path, 50)
    turned = table.take(pa.array(range(table.num_rows - 1, -1, -1)))
    sets = overlap_of(Counter(dict(reversed(known.items()))), POLICY)
    again = protect(turned, POLICY, Ledger(tmp_path / "ledger"), FACTS, overlap=sets)
    assert first.sources is not None
    assert again.sources is not None
    assert again.measurements.equals(first.measurements)
    assert again.sources.measurements.equals(first.sources.measurements)
    assert again.sources.measurements.schema.equals(MEASUREMENTS)
    for part in ("contributors", "lists", "sigma", "share", "list_years", "tokens"):
        assert getattr(again.sources, part) == getattr(first.sources, part), part
    assert len(Ledger(tmp_path / "ledger").entries()) == 1


def test_other_sources_or_settings_are_another_question(tmp_path: Path) -> None:
    table, known = given_people(50)
    ask(tmp_path, 50)

    def entries(
        table: pa.Table = table, known: Known = known, policy: Policy = POLICY,
        said: dict[str, Any] = FACTS,
    ) -> int:  # fmt: skip
        overlap = overlap_of(known, policy)
        protect(table, policy, Ledger(tmp_path / "ledger"), said, overlap=overlap)
        return len(Ledger(tmp_path / "ledger").entries())

    assert entries() == 1
    one, two = list(known)[:2]
    assert entries(known=known - Counter([one]) + Counter([two])) == 2
    who = table[CONTRIBUTOR].to_pylist()
    other = ["mirador" if who[0] == "harbour" else "harbour", *who[1:]]
    at = table.schema.get_field_index(CONTRIBUTOR)
    assert entries(table=table.set_column(at, CONTRIBUTOR, pa.array(other))) == 3
    assert entries(policy=changed(share=0.1, **LISTED)) == 4
    assert entries(policy=changed(lists=["harbour", "mirador"])) == 5
    assert entries(policy=changed(), said=facts("mirador", "rivage")) == 6
    assert entries(policy=changed()) == 7
    assert entries() == 8, "an older answer is never given again"


def test_a_damaged_stored_answer_is_found(tmp_path: Path) -> None:
    ask(tmp_path, 20)
    [file] = (tmp_path / "ledger").glob("answers/*/sources-measurements.parquet")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(LedgerError):
        ask(tmp_path, 20)


@pytest.mark.parametrize(
    "text",
    ["{share: -0.1}", "{share: 0.91}", "{lists: [a]}", "{lists: [a, a]}", "{most: 3}", "3",
     "{lists: [a, b, c, d, e, f, g, h, i]}", "{share: 0.9}"],
)  # fmt: skip
def test_settings_check_themselves(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(f"perpetrators: {{share: 0.1}}\nsources: {text}\n", "utf-8")
    with pytest.raises(PolicyError, match="sources"):
        load_policy(file)
