"""Child rows: elements of lists in the cells of a row, or rows of a child table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

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


def child_rows(table: pa.Table, columns: tuple[str, ...], split: str, aligned: bool) -> pa.Table:
    """Child rows out of lists in the cells of each row.

    Lists that are aligned give one row per position of the longest; a shorter list gives null.
    Of others nobody knows which elements belong together: where every column has one element at
    most, these make one row; where one column has several, each of them makes a row without the
    other columns; where two have several, there is none.

    Args:
        table: text columns and ``_row``.
        columns: columns that hold lists; a missing one counts as empty.  Other columns are left
            out, so a condition on them never holds.
        split: separator of the lists.
        aligned: whether elements at one position belong together.

    Returns:
        ``_row`` of the parent and the columns, one element per cell.

    >>> t = pa.table({"_row": [2, 3], "a": ["x;y", "z"], "b": ["1", "2"]})
    >>> child_rows(t, ("a", "b"), ";", aligned=True)["b"].to_pylist()
    ['1', None, '2']
    >>> child_rows(t, ("a", "b"), ";", aligned=False)["b"].to_pylist()
    [None, None, '2']
    """
    lists = _lists(table, columns, split, aligned)
    sizes = _sizes(lists)
    if not aligned:
        for column, lost in _untied(sizes).items():
            sizes[column][lost] = 0
    longest = np.zeros(table.num_rows, dtype=np.int64)
    for size in sizes.values():
        np.maximum(longest, size, out=longest)
    children: dict[str, object] = {"_row": np.repeat(table["_row"].to_numpy(), longest)}
    for column, each in lists.items():
        cells = zip(each, sizes[column].tolist(), longest.tolist(), strict=True)
        children[column] = pa.array(
            [
                elements[i] if i < size and elements[i] != BLANK else None
                for elements, size, n in cells
                for i in range(n)
            ],
            pa.string(),
        )
    return pa.table(children)


def untied_values(table: pa.Table, columns: tuple[str, ...], split: str) -> dict[str, int]:
    """Columns whose values :func:`child_rows` leaves out, with their number; lists not aligned."""
    sizes = _sizes(_lists(table, columns, split, aligned=False))
    left = {column: int(sizes[column][lost].sum()) for column, lost in _untied(sizes).items()}
    return {column: n for column, n in left.items() if n}


def _lists(
    table: pa.Table, columns: tuple[str, ...], split: str, aligned: bool
) -> dict[str, list[list[str]]]:
    """The elements of each cell, by column; empty ones only where their position counts."""
    header = Header(table.column_names)
    lists: dict[str, list[list[str]]] = {}
    for column in columns:
        if (name := header.find(column)) is not None:
            known: dict[str | None, list[str]] = {None: []}
            for text in table[name].unique().to_pylist():
                if text is not None:
                    found = elements_of(text, split)
                    known[text] = found if aligned else [e for e in found if e not in ("", BLANK)]
            lists[column] = [known[text] for text in table[name].cast(pa.string()).to_pylist()]
    return lists


def _sizes(lists: dict[str, list[list[str]]]) -> dict[str, NDArray[np.int64]]:
    return {c: np.fromiter(map(len, each), np.int64, len(each)) for c, each in lists.items()}


def _untied(sizes: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.bool_]]:
    """By column the rows in which nobody knows to whom its elements belong."""
    several = np.sum([size > 1 for size in sizes.values()], axis=0) if sizes else np.zeros(0)
    return {c: np.where(size > 1, several > 1, several > 0) for c, size in sizes.items()}
