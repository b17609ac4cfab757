"""Counting is exact, adds up over parts, and tells no value."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_people import people, small_policy

from ctdhub.core.errors import PolicyError
from ctdhub.dp.count import MOST_ROWS, Codes, Columns, Counts, add, count, encode
from ctdhub.dp.plan import NARROW
from ctdhub.dp.policy import Policy
from ctdhub.schema.model import load_schema

POLICY = small_policy()
DOMAINS = POLICY.domains(load_schema())
CODES = encode(people(700, POLICY), DOMAINS)
MOST_CELLS = 2_000_000
"""Larger tables are left out of the comparison: the plain way takes too long."""


def tables_of(sizes: dict[str, int], most: int = 4) -> list[Columns]:
    found = (t for held in range(most + 1) for t in combinations(sizes, held))
    return [t for t in found if np.prod([sizes[n] for n in t], dtype=float) <= MOST_CELLS]


def plain(codes: Codes, table: Columns) -> npt.NDArray[np.int64]:
    """One person after the other, adding one to a cell."""
    shape = tuple(codes.sizes[n] for n in table)
    found = np.zeros(shape, dtype=np.int64)
    np.add.at(found, tuple(codes.columns[n].astype(np.int64) for n in table), 1)
    if not table:
        found[...] = codes.people
    return found


def assert_plain(codes: Codes, found: Counts) -> None:
    for table, cells in found.items():
        expected = plain(codes, table)
        assert cells.dtype == np.int32
        assert cells.shape == expected.shape
        assert np.array_equal(cells, expected), table


def some_codes(sizes: list[int], n: int, rng: np.random.Generator) -> Codes:
    columns = {}
    for i, size in enumerate(sizes):
        shares = rng.dirichlet(np.full(size, 0.3))
        codes = rng.choice(size, n, p=shares)
        columns[f"c{i}"] = codes.astype(np.uint8 if size <= 256 else np.uint16)
    return Codes(columns, {f"c{i}": s for i, s in enumerate(sizes)}, n)


sizes_of_columns = st.one_of(
    st.sampled_from([1, 2, 3, NARROW, NARROW + 1, 256, 257, 300]), st.integers(1, 300)
)
numbers_of_people = st.one_of(st.sampled_from([0, 1, 63, 64, 65, 128]), st.integers(0, 200))


@st.composite
def coded(draw: st.DrawFn) -> Codes:
    sizes = draw(st.lists(sizes_of_columns, min_size=1, max_size=5))
    n = draw(numbers_of_people)
    return some_codes(sizes, n, np.random.default_rng(draw(st.integers(0, 2**32 - 1))))


@settings(deadline=None, max_examples=40)
@given(coded())
def test_counts_are_those_of_a_plain_counter(codes: Codes) -> None:
    tables = tables_of(codes.sizes)
    found = count(codes, tables)
    assert list(found) == tables
    assert_plain(codes, found)


@settings(deadline=None, max_examples=40)
@given(coded(), st.data())
def test_columns_may_come_in_any_order_and_tables_alone(codes: Codes, data: st.DataObject) -> None:
    names = data.draw(st.permutations(list(codes.sizes)))
    tables = tables_of({n: codes.sizes[n] for n in names}, most=3)
    chosen = data.draw(st.lists(st.sampled_from(tables), min_size=1, max_size=3, unique=True))
    found = count(codes, chosen)
    assert list(found) == chosen
    assert_plain(codes, found)


@pytest.mark.parametrize("n", [0, 1, 2, 63, 64, 65, 127, 128, 129, 5000])
@pytest.mark.parametrize(
    "sizes", [[1, 1, 1, 1], [2, 3, 9, 4], [1, 41, 3, 5], [300, 2, 4, 3], [45, 260, 3, 2]]
)
def test_words_that_are_not_full_and_columns_of_one_code(n: int, sizes: list[int]) -> None:
    codes = some_codes(sizes, n, np.random.default_rng(n))
    assert_plain(codes, count(codes, tables_of(codes.sizes)))


def test_all_people_in_one_cell() -> None:
    sizes = {"a": 3, "b": 60, "c": 4, "d": 2}
    columns = {n: np.full(193, s - 1, dtype=np.uint8) for n, s in sizes.items()}
    codes = Codes(columns, sizes, 193)
    for table, cells in count(codes, tables_of(sizes)).items():
        assert cells[tuple(sizes[n] - 1 for n in table)] == cells.sum() == 193


@settings(deadline=None, max_examples=20)
@given(coded(), st.data())
def test_counts_of_parts_add_up(codes: Codes, data: st.DataObject) -> None:
    places = st.integers(0, codes.people)
    ends = sorted(data.draw(st.lists(places, min_size=1, max_size=4)))
    tables = tables_of(codes.sizes, most=3)
    added = count(Codes({n: c[:0] for n, c in codes.columns.items()}, codes.sizes, 0), tables)
    for start, end in zip([0, *ends], [*ends, codes.people], strict=True):
        columns = {n: c[start:end] for n, c in codes.columns.items()}
        add(added, count(Codes(columns, codes.sizes, end - start), tables))
    whole = count(codes, tables)
    assert list(added) == list(whole)
    for table, cells in whole.items():
        assert np.array_equal(added[table], cells)
        assert added[table].dtype == cells.dtype


def test_more_people_than_cells_can_hold_are_refused() -> None:
    many = {("a",): np.array([MOST_ROWS - 1, 0], np.int32), (): np.array(MOST_ROWS - 1, np.int32)}
    one = {("a",): np.array([0, 1], np.int32), (): np.array(1, np.int32)}
    add(many, one)
    with pytest.raises(PolicyError) as caught:
        add(many, one)
    assert caught.value.rule == "most-people"
    assert many[("a",)].tolist() == [MOST_ROWS - 1, 1]


def test_codes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="codes of a"):
        Codes({"a": np.array([0, 3], dtype=np.uint8)}, {"a": 3}, 2)
    with pytest.raises(ValueError, match="codes of a"):
        Codes({"a": np.array([0, 1], dtype=np.uint8)}, {"a": 3}, 3)


def test_encoding_gives_each_value_its_place_and_absent_the_first() -> None:
    for name, domain in DOMAINS.items():
        codes = encode(pa.table({n: pa.array([None, *domain]) if n == name else
                                 pa.nulls(len(domain) + 1, pa.string()) for n in DOMAINS}),
                       DOMAINS)  # fmt: skip
        assert codes.columns[name].tolist() == list(range(len(domain) + 1))
        assert not any(codes.columns[n].any() for n in DOMAINS if n != name)


def test_years_may_be_numbers_and_absent_is_a_category() -> None:
    table = pa.table({"year_of_registration": pa.array([2016, None, 2016], pa.int16())})
    domains = Policy(columns=("year_of_registration",), years=(2015, 2017)).domains(load_schema())
    found = count(encode(table, domains), [("year_of_registration",)])
    assert found[("year_of_registration",)].tolist() == [1, 0, 2, 0]


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
