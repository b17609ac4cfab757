"""Cells that hold several labels with blanks between and inside them, taken apart by whole labels.

An export by labels joins the choices of a question by one blank, and labels hold blanks
themselves.  Only the list of all labels says where one ends; the longest that fits is taken first.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from ctdhub.core.text import fold, trim
from ctdhub.sensitive.ingest.shape.list_cell import list_cell


def apart(cell: str, labels: tuple[str, ...]) -> list[str] | None:
    """The labels of which a cell is made, None where it is not made of labels alone.

    >>> apart("Forced labour Sexual exploitation", ("Sexual exploitation", "Forced labour"))
    ['Forced labour', 'Sexual exploitation']
    >>> apart("Forced labour and more", ("Forced labour",)) is None
    True
    """
    text = fold(cell)
    known = sorted(((fold(label), label) for label in labels if fold(label)), key=_longest)
    if len(text) > sum(len(plain) + 1 for plain, _label in known):
        return None
    rest: dict[int, list[str]] = {len(text) + 1: []}
    for at in range(len(text) - 1, -1, -1):
        if at and text[at - 1] != " ":
            continue
        for plain, label in known:
            end = at + len(plain)
            if text.startswith(plain, at) and end + 1 in rest and text[end : end + 1] in ("", " "):
                rest[at] = [label, *rest[end + 1]]
                break
    return rest.get(0)


def _longest(label: tuple[str, str]) -> int:
    return -len(label[0])


def taken_apart(column: pa.ChunkedArray, labels: Sequence[str], mark: str) -> pa.ChunkedArray:
    """The column with each cell as a list of labels; a cell of anything else stays as it is."""
    given = tuple(trim(label) for label in labels)
    lists: dict[str | None, str | None] = {None: None}
    for text in column.unique().to_pylist():
        if text is not None:
            found = apart(text, given)
            lists[text] = list_cell(found, mark) if found else text
    return pa.chunked_array([[lists[text] for text in column.to_pylist()]], pa.string())
