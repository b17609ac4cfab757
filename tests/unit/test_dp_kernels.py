"""Without numba counts and orders are the same bits, and what needs numba says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import HubError
from ctdhub.dp import count, kernels
from ctdhub.dp.count import Codes


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    from ctdhub.core import compiled

    monkeypatch.setattr(compiled, "numba", None)


def random_codes(seed: int, sizes: list[int], people: int) -> Codes:
    rng = np.random.default_rng(seed)
    kinds = [np.uint8 if size < 256 else np.uint16 for size in sizes]
    columns = {
        f"c{k}": rng.integers(0, size, people).astype(kind)
        for k, (size, kind) in enumerate(zip(sizes, kinds, strict=True))
    }
    return Codes(columns, {f"c{k}": size for k, size in enumerate(sizes)}, people)


@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.sampled_from([2, 3, 9, 41, 300]), min_size=3, max_size=4),
    people=st.sampled_from([0, 1, 63, 64, 65, 400]),
)
@settings(max_examples=40, deadline=None)
def test_tables_are_equal(seed: int, sizes: list[int], people: int) -> None:
    codes = random_codes(seed, sizes, people)
    names = list(codes.columns)
    tables = [(a, b) for a in names for b in names if a < b]
    tables += [(a, b, c) for a in names for b in names for c in names if a < b < c]
    compiled_tables = count.count(codes, tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "here", lambda: False)
        plain = count.count(codes, tables)
    for table in tables:
        assert plain[table].dtype == compiled_tables[table].dtype
        np.testing.assert_array_equal(plain[table], compiled_tables[table])


@pytest.mark.parametrize("size", [0, 1, 2, 257])
def test_orders_are_equal(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.random.default_rng(size).integers(0, 2**64, size, dtype=np.uint64)
    found: list[Any] = []
    for here in (True, False):
        monkeypatch.setattr(kernels, "here", lambda here=here: here)
        order = np.arange(size)
        kernels.shuffle(order, words)
        found.append(order)
    np.testing.assert_array_equal(*found)


@pytest.mark.usefixtures("without_numba")
def test_what_needs_numba_says_so() -> None:
    from ctdhub.core import compiled

    with pytest.raises(HubError) as caught:
        compiled.compiled()
    assert caught.value.rule == "needs-hub"
    assert "pip install '.[hub]'" in caught.value.fix
