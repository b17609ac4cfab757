"""Frames of any library become text as a file of the same table would."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import pyarrow as pa
import pytest

from ctdhub.core.errors import UnreadableFile
from ctdhub.sensitive.ingest.raw import read_arrow

WORDS = ["a", "", None, "NA"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint32(), pa.large_string()),
    ],
)
def test_texts_of_every_layout(kind: pa.DataType) -> None:
    raw = read_arrow(pa.table({"x": pa.array(WORDS).cast(kind)}))
    assert raw.table["x"].to_pylist() == ["a", None, None, "NA"]
    assert raw.table["_row"].to_pylist() == [1, 2, 3, 4]
    assert raw.table.schema.field("x").type == pa.string()


def test_categories_whose_values_are_views() -> None:
    """As polars hands its categories over."""
    indices = pa.array([1, None, 0], pa.uint32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["a", "b"], pa.string_view()))
    assert read_arrow(pa.table({"x": column})).table["x"].to_pylist() == ["b", None, "a"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1, -2, None], ["1", "-2", None]),
        ([1.0, 2.5, None], ["1", "2.5", None]),
        ([True, False, None], ["true", "false", None]),
        ([datetime.date(2020, 1, 31), None], ["2020-01-31", None]),
        ([decimal.Decimal("1.50")], ["1.50"]),
        ([None, None], [None, None]),
    ],
)
def test_other_values(values: list[Any], texts: list[str | None]) -> None:
    assert read_arrow(pa.table({"x": pa.array(values)})).table["x"].to_pylist() == texts


def test_several_chunks_and_none() -> None:
    parts = pa.chunked_array([["a"], [], ["b"]], pa.string()).dictionary_encode()
    assert read_arrow(pa.table({"x": parts})).table["x"].to_pylist() == ["a", "b"]
    empty = pa.table({"x": pa.chunked_array([], pa.dictionary(pa.int8(), pa.string()))})
    assert read_arrow(empty).rows_read == 0


@pytest.mark.parametrize(
    ("frame", "rule", "column"),
    [
        (pa.table({"x": pa.array([b"\xff\xfe"])}), "content", "x"),
        (pa.table({"x": [{"a": 1}]}), "nested", "x"),
        (pa.table({"": ["a"]}), "duplicate-header", None),
        (pa.table({"_row": ["a"]}), "duplicate-header", None),
        ("text", "content", None),
        ({"x": ["a"]}, "content", None),
    ],
)
def test_what_is_no_table_of_single_values(frame: Any, rule: str, column: str | None) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read_arrow(frame)
    assert (caught.value.rule, caught.value.column) == (rule, column)
