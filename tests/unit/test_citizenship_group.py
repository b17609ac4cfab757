"""The citizenship group follows from two countries: in people, and in protected records."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import people

from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import encode
from ctdhub.dp.mechanism import MechanismOutput, answer
from ctdhub.dp.plan import plan_of
from ctdhub.dp.policy import Policy
from ctdhub.hub.folder import HubSettings
from ctdhub.practice.people import belonging as drawn_group
from ctdhub.schema import countries
from ctdhub.schema.countries import GROUPS, group_codes
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage.people import link

SCHEMA = load_schema()
NAME, PARENTS = "citizenship_group", ("citizenship", "country_of_exploitation")
HELP = "assistance_accommodation"
EU = countries.members("eu")
PLACES = ("ITA", "FRA", "ROU", "GBR", "PHL", "CIV")


def expected(row: dict[str, str | None]) -> str | None:
    """Written out on its own, so that the rule is not compared with itself."""
    one, other = (row[name] for name in PARENTS)
    if one is None or other is None:
        return None
    if one == other:
        return "national"
    return "other_eu" if one in EU and other in EU else "third_country"


@given(st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_one_rule(citizenship: str, country: str) -> None:
    table = group_codes(countries.ALPHA3, countries.ALPHA3)
    at = [1 + countries.ALPHA3.index(code) for code in (citizenship, country)]
    named = dict(zip(PARENTS, (citizenship, country), strict=True))
    assert GROUPS[table[at[0], at[1]] - 1] == expected(named)


def test_the_whole_table_is_that_of_the_practice_people() -> None:
    every = np.arange(len(countries.ALPHA3))
    pairs = {PARENTS[0]: np.repeat(every, every.size), PARENTS[1]: np.tile(every, every.size)}
    table = group_codes(countries.ALPHA3, countries.ALPHA3)
    assert (table[1:, 1:].ravel() == drawn_group(pairs) + 1).all()
    assert not table[0].any()
    assert not table[:, 0].any()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from((None, "ITA", "ROU", "PHL"))] * 2), min_size=1))
def test_link_derives_it(pairs: list[tuple[str | None, str | None]]) -> None:
    n = len(pairs)
    columns = {
        "record_id": pa.array([f"r{i}" for i in range(n)]),
        "person_key": pa.nulls(n, pa.string()),
    }
    for v in SCHEMA.records:
        kind = pa.int16() if v.kind == "year" else pa.string()
        columns[v.name] = pa.nulls(n, kind)
    for k, name in enumerate(PARENTS):
        columns[name] = pa.array([pair[k] for pair in pairs], pa.string())
    linked = link(pa.table(columns), SCHEMA).people
    assert all(row[NAME] == expected(row) for row in linked.to_pylist())


CASES = {
    "all": ("gender", *PARENTS, HELP, NAME),
    "alone": ("gender", HELP, NAME),
    "country": ("gender", PARENTS[1], NAME),
    "citizenship": ("gender", PARENTS[0], NAME),
}


def sample(policy: Policy, n: int, seed: int = 3) -> pa.Table:
    """Fictitious people with the group that follows from two countries, released or not."""
    names = (*dict.fromkeys((*policy.columns, *PARENTS)),)
    wide = people(n, policy.model_copy(update={"columns": names}), seed)
    of_eu = pa.array([None, "ITA", "FRA", "ROU", "DEU", "PHL", "CIV", "GBR"])
    rng = np.random.default_rng(seed)
    pair = rng.integers(0, len(of_eu), (2, n))
    pair[1] = np.where(rng.random(n) < 0.4, pair[0], pair[1])
    for name, codes in zip(PARENTS, pair, strict=True):
        column = wide.column_names.index(name)
        wide = wide.set_column(column, name, of_eu.take(pa.array(codes)))
    rows = [expected(r) for r in wide.select(PARENTS).to_pylist()]
    if HELP in wide.column_names:
        chance = [{"national": 0.8, "other_eu": 0.5}.get(group or "", 0.2) for group in rows]
        got = np.where(rng.random(n) < chance, "received", "needed")
        wide = wide.set_column(wide.column_names.index(HELP), HELP, pa.array(got.tolist()))
    wide = wide.set_column(wide.column_names.index(NAME), NAME, pa.array(rows, pa.string()))
    return wide.select(list(policy.domains(SCHEMA)))


def protected(
    columns: tuple[str, ...], n: int, epsilon: float, support: int = 0
) -> MechanismOutput:
    policy = Policy(
        columns=columns,
        years=(2019, 2020),
        epsilon=epsilon,
        support=support,
        budget={"epsilon": 12},
    )
    plan = plan_of(policy, SCHEMA)
    return answer(encode(sample(policy, n), plan.domains), plan, rho_of(epsilon, 1e-8))


@lru_cache(maxsize=1)
def usual() -> MechanismOutput:
    return protected(CASES["all"], 6000, 8.0)


@settings(max_examples=8, deadline=None)
@given(n=st.integers(0, 400), epsilon=st.sampled_from((0.1, 1.0, 8.0)), support=st.integers(0, 4))
def test_protected_records_always_agree(n: int, epsilon: float, support: int) -> None:
    found = protected(CASES["all"], n, epsilon, support)
    assert all(row[NAME] == expected(row) for row in found.records.to_pylist())


def test_its_tables_steer_the_columns_that_move() -> None:
    exact = sample(Policy(columns=CASES["all"], years=(2019, 2020)), 6000)

    def received(table: pa.Table, group: str) -> float:
        status = [r[HELP] for r in table.to_pylist() if r[NAME] == group]
        return status.count("received") / max(1, len([s for s in status if s]))

    for group in GROUPS:
        assert received(usual().records, group) == pytest.approx(received(exact, group), abs=0.1)
    # The corridor alone says nothing of it: records laid without these tables have no gap.
    assert received(exact, "national") - received(exact, "third_country") > 0.5


@pytest.mark.parametrize("case", ["alone", "country", "citizenship"])
def test_it_is_an_ordinary_column_where_a_country_is_not_released(case: str) -> None:
    found = protected(CASES[case], 3000, 1.0)
    rows = found.records.to_pylist()
    assert {row[NAME] for row in rows} >= {"national", "other_eu", "third_country"}
    for row in rows:  # and never what the one country rules out
        for parent in set(PARENTS) & set(row):
            assert row[NAME] is None or row[parent] is not None
            assert row[NAME] != "other_eu" or row[parent] in EU


def test_cells_that_nobody_can_be_in_are_not_published() -> None:
    for row in usual().counts.to_pylist():
        if set(row["columns"]) == {NAME, "citizenship"}:
            cell = dict(zip(row["columns"], row["values"], strict=True))
            assert cell[NAME] != "other_eu" or cell["citizenship"] in EU
            assert not cell[NAME] or cell["citizenship"]


def test_a_hub_of_the_schema_before_stays_valid() -> None:
    for version in ("1.0", SCHEMA.version):
        assert HubSettings(name="A hub", schema_version=version).schema_version == version
    for version in ("2.0", "1.9", "0.9", "1", "x"):
        with pytest.raises(ValueError, match="schema_version"):
            HubSettings(name="A hub", schema_version=version)
