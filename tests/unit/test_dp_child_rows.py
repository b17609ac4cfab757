"""Perpetrators: bounded by a public limit, paid by the one charge, there whatever the data say."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import people, protect, small_policy

from ctdhub.border import Protected
from ctdhub.core.errors import PolicyError
from ctdhub.dp.accounting import rho_of, split
from ctdhub.dp.count import Counts
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.plan import Columns, plan_of
from ctdhub.dp.policy import Policy, load_policy
from ctdhub.dp.sources import mentioned, plan_of_perpetrators
from ctdhub.dp.workload import cost, regional, workload
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import PERSON, load_schema

SCHEMA = load_schema()
POLICY = small_policy(
    columns=("gender", "age_band", "citizenship"), epsilon=60, budget={"epsilon": 900}
)
NAMES = [v.name for v in SCHEMA.table("perpetrators") if v.public]
KEY = b"k" * 32
Said = list[list[tuple[str | None, str | None]]]
"""By person: gender and region of each perpetrator, no two of a person alike."""


ALL = ("perpetrator_gender", "perpetrator_region")


def table(said: Said, names: Sequence[str] | None = None) -> pa.Table:
    """Perpetrators by person, everything else not recorded."""
    names = names or [f"p{i}" for i in range(len(said))]
    flat = [(name, *row) for name, rows in zip(names, said, strict=True) for row in rows]
    columns: dict[str, pa.Array] = {name: pa.nulls(len(flat), pa.string()) for name in NAMES}
    columns["perpetrator_gender"] = pa.array([row[1] for row in flat], pa.string())
    columns["perpetrator_region"] = pa.array([row[2] for row in flat], pa.string())
    return pa.table({PERSON: pa.array([row[0] for row in flat], pa.string()), **columns})


def bounded(
    perpetrators: pa.Table,
    policy: Policy = POLICY,
    tables: tuple[Columns, ...] = (ALL,),
    key: bytes = KEY,
) -> Counts:
    """Counts of the rows that are kept."""
    found = mentioned(perpetrators, policy, SCHEMA)
    assert found is not None
    [counts] = found.rows.counts([found.tally(tables, key)])
    return counts


def invented(n: int, seed: int = 3) -> Said:
    """About two perpetrators of each person."""
    rng = np.random.default_rng(seed)
    genders, regions = [None, *SCHEMA.codes["gender"]], [None, *SCHEMA.codes["region"]]
    every = [(g, r) for g in genders for r in regions]
    return [
        [every[k] for k in rng.choice(len(every), rng.integers(0, 5), replace=False)]
        for _ in range(n)
    ]


def ask(folder: Path, persons: pa.Table, said: Said | None, policy: Policy = POLICY) -> Protected:
    perpetrators = None if said is None else table(said)
    return protect(persons, policy, Ledger(folder / "ledger"), {}, None, perpetrators)


everybody = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([None, *SCHEMA.codes["gender"]]),
            st.sampled_from([None, *SCHEMA.codes["region"]]),
        ),
        unique=True,
        max_size=8,
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(everybody, st.integers(1, 4), st.data())
def test_one_person_changes_each_table_by_at_most_the_bound(
    said: Said, rows: int, data: st.DataObject
) -> None:
    """Taking anybody out moves everybody's place; still only her own rows go."""
    policy = POLICY.model_copy(
        update={"perpetrators": POLICY.perpetrators.model_copy(update={"rows": rows})}
    )
    out = data.draw(st.integers(0, len(said) - 1))
    names = [f"p{i}" for i in range(len(said))]
    plan = plan_of_perpetrators(policy, SCHEMA)
    assert plan.rows == rows
    tables = tuple(plan.tables)
    before = bounded(table(said, names), policy, tables)
    after = bounded(
        table(said[:out] + said[out + 1 :], names[:out] + names[out + 1 :]), policy, tables
    )
    for t in tables:
        change = (before[t] - after[t]).astype(float)
        assert change.min() >= 0, t
        assert np.sqrt(np.sum(change**2)) <= rows, t


@settings(max_examples=30, deadline=None)
@given(everybody, st.randoms(use_true_random=False))
def test_nobody_has_more_rows_than_the_bound_in_any_order(said: Said, random) -> None:
    whole = table(said)
    found = bounded(whole, tables=(ALL, ()))
    assert found[()] == sum(min(len(rows), POLICY.perpetrators.rows) for rows in said)
    order = list(range(whole.num_rows))
    random.shuffle(order)
    turned = bounded(whole.take(pa.array(order, pa.int64())))
    assert np.array_equal(turned[ALL], found[ALL])


def test_which_rows_stay_hangs_on_the_key_and_on_the_person() -> None:
    said: Said = [[(g, r) for g in SCHEMA.codes["gender"] for r in SCHEMA.codes["region"]]] * 60
    one, other = (bounded(table(said), key=key)[ALL] for key in (KEY, b"x" * 32))
    assert not np.array_equal(one, other)
    assert np.count_nonzero(one) > POLICY.perpetrators.rows  # not the same rows of everybody


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.9])
@pytest.mark.parametrize("rows", [1, 3, 20])
def test_both_answers_together_cost_at_most_the_charge(share: float, rows: int) -> None:
    policy = small_policy(perpetrators={"rows": rows, "share": share})
    child = mentioned(None, policy, SCHEMA)
    assert child is not None
    for rho in (rho_of(4, 1e-8), rho_of(1, 1e-8), 1 / 3):
        ours, theirs = split(rho, [child.share])
        assert Fraction(ours) + Fraction(theirs) <= Fraction(rho)
        assert theirs == pytest.approx(share * rho)
        plan, left = plan_of(policy, SCHEMA), ours
        spent = cost(workload(plan, left) + regional(plan, left))
        spent += cost(workload(child.plan, theirs))
        assert spent <= Fraction(rho)
        assert float(spent) == pytest.approx(rho, rel=0.01)


def test_the_answer_has_them_by_one_charge(tmp_path: Path) -> None:
    said = invented(300)
    answer = ask(tmp_path, people(300, POLICY), said)
    found = answer.perpetrators
    assert found is not None
    assert found.rows == POLICY.perpetrators.rows
    assert found.records.column_names == NAMES  # and no person
    assert found.records.num_rows == found.total.value
    true = sum(min(len(rows), found.rows) for rows in said)
    assert abs(found.total.value - true) <= 8 * found.sigma[""] + 1
    assert {"perpetrator_gender", "perpetrator_gender*perpetrator_region"} <= found.sigma.keys()
    assert not found.sigma.keys() - {""} & answer.guarantee.sigma.keys()
    [entry] = Ledger(tmp_path / "ledger").entries()
    assert (entry.id, entry.rho) == (answer.guarantee.charge, answer.guarantee.rho)


@pytest.mark.parametrize("said", [None, [], [[]] * 20])
def test_the_parts_are_there_without_any_perpetrator(tmp_path: Path, said: Said | None) -> None:
    persons = people(20, POLICY)
    empty, some = ask(tmp_path / "a", persons, said), ask(tmp_path / "b", persons, invented(20))
    assert empty.perpetrators is not None
    assert some.perpetrators is not None
    assert empty.perpetrators.records.schema == some.perpetrators.records.schema
    assert empty.perpetrators.sigma == some.perpetrators.sigma
    assert empty.guarantee.sigma == some.guarantee.sigma
    names = [sorted(p.name for p in folder.rglob("answers/*/*")) for folder in tmp_path.iterdir()]
    assert names[0] == names[1]
    assert "perpetrators-records.parquet" in names[0]


def test_without_a_share_they_are_left_out_and_cost_nothing(tmp_path: Path) -> None:
    policy = Policy.model_validate({**POLICY.model_dump(), "perpetrators": {"share": 0}})
    persons = people(20, POLICY)
    without = ask(tmp_path / "a", persons, invented(20), policy)
    assert without.perpetrators is None
    assert ask(tmp_path / "a", persons, None, policy).guarantee == without.guarantee
    with_ = ask(tmp_path / "b", persons, invented(20)).guarantee
    assert with_.rho == without.guarantee.rho
    assert all(with_.sigma[t] > s for t, s in without.guarantee.sigma.items())


def test_an_exact_repeat_is_free_and_the_same(tmp_path: Path) -> None:
    said, persons = invented(40), people(40, POLICY)
    first = ask(tmp_path, persons, said)
    whole = table(said)
    turned = whole.take(pa.array(range(whole.num_rows - 1, -1, -1), pa.int64()))
    backward = persons.take(pa.array(range(39, -1, -1)))
    again = protect(backward, POLICY, Ledger(tmp_path / "ledger"), {}, None, turned)
    assert first.perpetrators is not None
    assert again.perpetrators is not None
    assert again.guarantee == first.guarantee
    assert again.counts.schema.field("columns").type == first.counts.schema.field("columns").type
    for part in ("records", "counts"):
        assert getattr(again.perpetrators, part).equals(getattr(first.perpetrators, part)), part
    assert again.perpetrators.sigma == first.perpetrators.sigma
    inner = [t.schema.field("columns").type.value_field.name
             for t in (again.counts, again.perpetrators.counts)]  # fmt: skip
    assert inner == ["item", "item"]
    assert len(Ledger(tmp_path / "ledger").entries()) == 1


@pytest.mark.parametrize("rows", [2, 3])
def test_other_perpetrators_or_settings_are_another_question(tmp_path: Path, rows: int) -> None:
    said, persons = invented(20), people(20, POLICY)
    ask(tmp_path, persons, said)
    other = Policy.model_validate({**POLICY.model_dump(), "perpetrators": {"rows": rows}})
    changed = said if rows == 2 else [[], *said[1:]] if said[0] else [[(None, None)], *said[1:]]
    ask(tmp_path, persons, changed, other)
    assert len(Ledger(tmp_path / "ledger").entries()) == 2


def test_no_value_reaches_an_error_and_nothing_is_paid(tmp_path: Path) -> None:
    secret = "S3CRET-VALUE"
    for name in NAMES:
        bad = table([[("male", None)]])
        bad = bad.set_column(bad.column_names.index(name), name, pa.array([secret]))
        with pytest.raises(PolicyError) as caught:
            protect(people(1, POLICY), POLICY, Ledger(tmp_path / "ledger"), {}, None, bad)
        assert secret not in "".join([str(caught.value), repr(caught.value), caught.value.fix])
        assert caught.value.column == name
    assert not Ledger(tmp_path / "ledger").entries()
    shutil.rmtree(tmp_path / "ledger")
    tiny = Policy.model_validate({**POLICY.model_dump(), "perpetrators": {"share": 1e-12}})
    with pytest.raises(PolicyError, match="too small"):
        ask(tmp_path, people(1, POLICY), [], tiny)
    assert not (tmp_path / "ledger").exists()


def test_kinds_without_a_public_domain_are_left_out() -> None:
    plan = plan_of_perpetrators(POLICY, SCHEMA)
    assert list(plan.domains) == [
        v.name for v in SCHEMA.table("perpetrators") if v.public and v.kind != "entity"
    ]
    found = mentioned(None, POLICY, SCHEMA)
    assert found is not None
    [counts] = found.rows.counts([found.tally(((),), KEY)])
    assert counts[()] == 0
    assert set(NAMES) <= set(arrow_schema("perpetrators").names)


@pytest.mark.parametrize(
    "text", ["{rows: 0}", "{rows: 101}", "{share: -0.1}", "{share: 0.91}", "{most: 3}", "3"]
)
def test_settings_check_themselves(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(f"perpetrators: {text}\n", "utf-8")
    with pytest.raises(PolicyError, match="perpetrators"):
        load_policy(file)
