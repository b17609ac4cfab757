"""Counting is exact, adds up over parts, and tells no value."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import people, small_policy

from ctdhub.errors import PolicyError
from ctdhub.protect.count import Codes, Columns, add, count, encode
from ctdhub.protect.policy import Policy
from ctdhub.schema import load_schema

POLICY = small_policy()
DOMAINS = POLICY.domains(load_schema())
CODES = encode(people(700, POLICY), DOMAINS)


def tables_of(names: list[str]) -> list[Columns]:
    return [(), *((n,) for n in names), *combinations(names, 2), tuple(names[:3])]


@st.composite
def coded(draw: st.DrawFn) -> Codes:
    sizes = draw(st.lists(st.integers(1, 300), min_size=1, max_size=6))
    n = draw(st.integers(0, 40))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    columns = {
        f"c{i}": rng.integers(0, s, n).astype(np.uint8 if s <= 256 else np.uint16)
        for i, s in enumerate(sizes)
    }
    return Codes(columns, {f"c{i}": s for i, s in enumerate(sizes)}, n)


@settings(deadline=None, max_examples=60)
@given(coded())
def test_counts_are_those_of_a_plain_counter(codes: Codes) -> None:
    tables = tables_of(list(codes.columns))
    found = count(codes, tables)
    assert list(found) == list(dict.fromkeys(tables))
    for table in tables:
        plain = Counter(zip(*(codes.columns[n].tolist() for n in table), strict=True))
        if not table:
            plain = Counter({(): codes.people} if codes.people else {})
        assert found[table].shape == tuple(codes.sizes[n] for n in table)
        assert {
            tuple(map(int, k)): int(found[table][tuple(k)]) for k in np.argwhere(found[table])
        } == plain


def test_counts_of_parts_add_up() -> None:
    tables = tables_of(list(DOMAINS))
    whole = people(700, POLICY)
    parts = [whole.slice(0, 250), whole.slice(250, 0), whole.slice(250)]
    added = add([count(encode(p, DOMAINS), tables) for p in parts])
    for table, cells in count(CODES, tables).items():
        assert np.array_equal(added[table], cells)


def test_the_digest_knows_people_but_not_their_order() -> None:
    table = people(50, POLICY)
    turned = table.take(pa.array(range(49, -1, -1)))
    assert encode(turned, DOMAINS).digest() == encode(table, DOMAINS).digest()
    assert encode(table.slice(0, 49), DOMAINS).digest() != encode(table, DOMAINS).digest()
    swapped = table.set_column(1, "gender", table["gender"].take(pa.array([1, 0, *range(2, 50)])))
    if not swapped.equals(table):
        assert encode(swapped, DOMAINS).digest() != encode(table, DOMAINS).digest()


def test_years_may_be_numbers_and_absent_is_a_category() -> None:
    table = pa.table({"year_of_registration": pa.array([2016, None, 2016], pa.int16())})
    domains = Policy(columns=("year_of_registration",), years=(2015, 2017)).domains(load_schema())
    codes = encode(table, domains)
    assert count(codes, [("year_of_registration",)])[("year_of_registration",)].tolist() == [
        1,
        0,
        2,
        0,
    ]


def test_a_value_outside_the_domain_is_not_told() -> None:
    secret = "S3CRET"
    table = people(5, POLICY).set_column(
        1, "gender", pa.array(["female", secret, None, "male", "male"])
    )
    with pytest.raises(PolicyError) as caught:
        encode(table, DOMAINS)
    assert caught.value.column == "gender"
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_column_is_told() -> None:
    with pytest.raises(PolicyError) as caught:
        encode(people(5, POLICY).drop_columns("gender"), DOMAINS)
    assert caught.value.column == "gender"
