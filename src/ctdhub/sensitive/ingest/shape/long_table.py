"""A table with one line for each value becomes one with a row for each record."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest.options import Limits
from ctdhub.sensitive.ingest.rejects import Reject
from ctdhub.sensitive.ingest.shape.list_cell import list_cell
from ctdhub.sensitive.ingest.shape.options import LongTable


def pivoted(
    names: list[str], columns: list[pa.ChunkedArray], rows: NDArray[np.int64], long: LongTable,
    called: Mapping[str, str], mark: str, file: str, limits: Limits,
) -> tuple[list[str], list[pa.ChunkedArray], NDArray[np.int64], list[Reject]]:  # fmt: skip
    """One row for each id, in the order of their first lines, and a column for each name.

    Other columns keep their text; where lines of one id differ the cell is a list.  So is the cell
    of a name that comes twice with different values.

    Args:
        names, columns, rows: the table as read; ``rows`` are its row numbers.
        long: the columns that say which value is whose.
        called: name of a value to what its column is called.
        mark: separator of lists.
        file: name of the file, for errors.
        limits: what no table may exceed.

    Returns:
        Names, columns, the row number of each record's first line, and a reject for each line that
        has no id, or a value without a name.

    Raises:
        UnreadableFile: a column is missing (``long-column``), or a name is also that of another
            column (``duplicate-header/child``).
        HostileFile: too many columns or cells.
    """
    for column in (long.id, long.name, long.value):
        if column not in names:
            raise error("long-column", file=file, names=column)
    cells = {name: column.to_pylist() for name, column in zip(names, columns, strict=True)}
    kept = [name for name in names if name not in (long.name, long.value)]
    found: dict[str, dict[str, list[str | None]]] = {}
    first: list[int] = []
    rejects: list[Reject] = []
    added: dict[str, None] = {}
    lines = zip(rows.tolist(), cells[long.id], cells[long.name], cells[long.value], strict=True)
    for line, (row, who, name, value) in enumerate(lines):
        if not who or (value and not name):
            reason = Text("The line has no id, or a value without a name.")
            rejects.append(Reject(row, "long-line", reason))
            continue
        name = called.get(name, name) if name else name
        if who not in found:
            found[who] = {}
            first.append(row)
        if name in kept:
            raise error("duplicate-header/child", file=file, column=name)
        if name:
            added.setdefault(name)
        if len(added) + len(kept) > limits.columns:
            n = len(added) + len(kept)
            raise error("columns", file=file, row=row, n=n, limit=limits.columns)
        said = [(k, cells[k][line]) for k in kept] + ([(name, value)] if name else [])
        for column, text in said:
            texts = found[who].setdefault(column, [])
            if text and text not in texts:
                texts.append(text)
    wide = [*kept, *added]
    if len(wide) * len(found) > limits.grid_cells:
        raise error("grid-size", file=file)
    made = [
        pa.chunked_array([[_cell(record.get(name, []), mark) for record in found.values()]],
                         pa.string())
        for name in wide
    ]  # fmt: skip
    return wide, made, np.array(first, np.int64), rejects


def _cell(texts: list[str | None], mark: str) -> str | None:
    return texts[0] if len(texts) == 1 else list_cell(texts, mark)
