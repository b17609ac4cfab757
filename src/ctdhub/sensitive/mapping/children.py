"""Child rows: lists in several columns aligned by position, or rows of a child table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.sensitive.ingest.shape.list_cell import BLANK
from ctdhub.sensitive.mapping.parsers import Header, elements_of


def of_rows(children: pa.Table | None, rows: pa.Array) -> pa.Table:
    """The child rows of some rows, in the order of these.

    >>> t = pa.table({"a": ["x", "y", "z"], "_row": [3, 2, 9]})
    >>> of_rows(t, pa.array([2, 3])).to_pylist()
    [{'a': 'y', '_row': 2}, {'a': 'x', '_row': 3}]
    """
    if children is None:
        return pa.table({"_row": pa.array([], pa.int64())})
    place = pc.index_in(children["_row"].combine_chunks(), value_set=rows)
    kept = np.flatnonzero(place.is_valid().to_numpy(False))
    order = np.argsort(place.drop_null().to_numpy(), kind="stable")
    return children.take(pa.array(kept[order]))


def child_rows(table: pa.Table, columns: tuple[str, ...], split: str) -> pa.Table:
    """One row per position of the longest list of each row.

    Args:
        table: text columns and ``_row``.
        columns: columns that hold lists; a missing one counts as empty.  Other columns are left
            out, so a condition on them never holds.
        split: separator of the lists.

    Returns:
        ``_row`` of the parent and the columns, one element per cell; a shorter list gives null,
        so a single value and a flag stand in the first child row.

    >>> t = pa.table({"_row": [2, 3], "a": ["x;y", None], "b": ["1", None]})
    >>> child_rows(t, ("a", "b"), ";").to_pylist()
    [{'_row': 2, 'a': 'x', 'b': '1'}, {'_row': 2, 'a': 'y', 'b': None}]
    """
    header = Header(table.column_names)
    lists: dict[str, list[list[str]]] = {}
    for column in columns:
        if (name := header.find(column)) is not None:
            known: dict[str | None, list[str]] = {None: []}
            for text in table[name].unique().to_pylist():
                if text is not None:
                    known[text] = elements_of(text, split)
            lists[column] = [known[text] for text in table[name].to_pylist()]
    longest = np.zeros(table.num_rows, dtype=np.int64)
    for each in lists.values():
        sizes = np.fromiter(map(len, each), np.int64, len(each))
        np.maximum(longest, sizes, out=longest)
    children: dict[str, object] = {"_row": np.repeat(table["_row"].to_numpy(), longest)}
    for column, each in lists.items():
        children[column] = pa.array(
            [
                elements[i] if i < len(elements) and elements[i] != BLANK else None
                for elements, n in zip(each, longest.tolist(), strict=True)
                for i in range(n)
            ],
            pa.string(),
        )
    return pa.table(children)
