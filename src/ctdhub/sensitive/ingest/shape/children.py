"""Child tables: tied to the rows of the main table, and folded into columns of it.

The contract for every reader: it hands on a main table (text columns and ``_row``) and child
tables by name.  A child table has text columns named as in their own place and ``_row``:

- the row of the record, where the child stood inside it (:class:`Child` with ``path``);
- its own row number, where a key ties it; :func:`tied` then finds the record's.

:func:`with_children` gives back the main table with the folded columns, named ``child.column``,
and the child tables with columns of the same names.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text
from ctdhub.core.tables import ROW, trim
from ctdhub.sensitive.ingest.options import Child, Fold, Quantified, ShapeOptions
from ctdhub.sensitive.ingest.rejects import Reject

# --------------------------------------------------------------------------------------------------
# A list of texts as one cell, which a rule with ``split`` takes apart into the same texts.

BLANK = "\u2205"
"""Stands in a list for an entry that says nothing: a child row whose cell is empty."""


def list_cell(texts: Sequence[str | None], mark: str) -> str | None:
    r"""The texts with ``mark`` between them; null where none of them says anything.

    Where a text could be taken for two, or for a list itself, the cell is a list in brackets as
    JSON writes it.

    >>> list_cell(["a", None, "b"], ";") == f"a;{BLANK};b", list_cell([None], ";")
    (True, None)
    >>> print(list_cell(["a;b", "c"], ";"))
    ["a;b", "c"]
    """
    whole = [text if text and trim(text) else BLANK for text in texts]
    if all(text == BLANK for text in whole):
        return None
    if any(mark in text or trim(text)[:1] in ("[", "{") for text in whole):
        return json.dumps(whole, ensure_ascii=False)
    return mark.join(whole)


COUNT = "count"
"""Name of the column with the number of child rows."""


@dataclass(frozen=True)
class Shaped:
    """A main table with its child tables.

    Attributes:
        table: text columns, those of :attr:`folded` last, then ``_row``.
        children: for each child its rows, in the order of the file: text columns named
            ``child.column`` and ``_row``, the row of the record that each belongs to.
        folded: columns of ``table`` that child rows were folded into.
        rejects: child rows that belong to no record.
        moved: rows of the table itself that became child rows.
    """

    table: pa.Table
    children: dict[str, pa.Table]
    folded: frozenset[str]
    rejects: list[Reject]
    moved: int = 0


def with_children(
    table: pa.Table, children: Mapping[str, pa.Table], options: ShapeOptions, most: int, file: str
) -> Shaped:
    """Tie child tables to the rows of the main table and fold them into it.

    Args:
        table: text columns and ``_row``.
        children: child tables as a reader hands them on (see above); those that the options do not
            name stood inside their records.
        options: say how each is tied and folded.
        most: child rows that a record may have in one table.
        file: name of the file, for errors.

    Raises:
        HostileFile: a record has too many child rows (``children``).
        UnreadableFile: a column that ties tables is missing or names two records (``child-key``),
            or two columns would have one name (``duplicate-header/child``).
    """
    tables: dict[str, pa.Table] = {}
    rejects: list[Reject] = []
    inside = {name: child for name, child in options.children.items() if child.inside}
    whole, moved = table, np.zeros(table.num_rows, bool)
    for child in inside.values():
        moved |= _holds(whole, child.where)
    if moved.any():
        table = whole.filter(pa.array(~moved))
    for name, child in options.children.items():
        rows = whole if child.inside else children.get(name)
        if rows is None:
            continue
        if child.where:
            rows = _used(rows.filter(pa.array(_holds(rows, child.where))))
        if child.key is not None and (rows.num_rows or not child.inside):
            records = tables.get(child.of, table) if child.of else table
            rows, orphans = tied(name, rows, records, child, file)
            rejects += orphans
        tables[name] = rows
    tables |= {name: rows for name, rows in children.items() if name not in options.children}
    columns: dict[str, pa.Array] = {}
    named: dict[str, pa.Table] = {}
    for name, rows in tables.items():
        rows = rows.filter(pc.is_in(rows[ROW], value_set=_rows(table)))
        child = options.children.get(name) or Child(path=name)
        made = folded(name, rows, table, child, options.mark, most, file)
        if taken := columns.keys() & made.keys() | made.keys() & {*table.column_names}:
            raise error("duplicate-header/child", file=file, column=min(taken))
        columns |= made
        named[name] = rows.rename_columns(
            [c if c == ROW else f"{name}.{c}" for c in rows.column_names]
        )
    if columns:
        old = {c: table[c] for c in table.column_names if c != ROW}
        table = pa.table({**old, **columns, ROW: table[ROW]})
    return Shaped(table, named, frozenset(columns), rejects, int(moved.sum()))


def tied(
    name: str, rows: pa.Table, records: pa.Table, child: Child, file: str
) -> tuple[pa.Table, list[Reject]]:
    """The child rows with the row of their record, and a reject for each that has none.

    Raises:
        UnreadableFile: a column is missing, or a key names two records (``child-key``).
    """
    assert child.key is not None
    assert child.parent is not None
    for column, where in ((child.key, records), (child.parent, rows)):
        if column not in where.column_names:
            raise error("child-key/missing", file=file, name=name, names=column)
    keys = records[child.key].combine_chunks()
    filled = keys.drop_null()
    if len(filled.unique()) != len(filled):
        raise error("child-key/twice", file=file, name=name, names=child.key)
    place = pc.index_in(rows[child.parent].combine_chunks(), value_set=keys, skip_nulls=True)
    lost = place.is_null()
    reason = Text("The row belongs to no record of the file.")
    own = rows.filter(lost)[ROW].to_pylist() if pc.any(lost).as_py() else []
    kept = rows.filter(pc.invert(lost))
    of = _rows(records).take(place.drop_null())
    at = kept.schema.get_field_index(ROW)
    return kept.set_column(at, ROW, of), [Reject(row, "orphan", reason, name) for row in own]


def folded(
    name: str, rows: pa.Table, table: pa.Table, child: Child, mark: str, most: int, file: str
) -> dict[str, pa.Array]:
    """Columns of the main table made of the columns of a child table.

    Raises:
        HostileFile: a record has too many child rows (``children``).
    """
    place = pc.index_in(rows[ROW].combine_chunks(), value_set=_rows(table)).to_numpy(False)
    place = place.astype(np.int64)
    sizes = np.bincount(place, minlength=table.num_rows)
    if len(sizes) and sizes.max() > most:
        row = table[ROW][int(sizes.argmax())].as_py()
        raise error("children", file=file, row=row, column=name, limit=most)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(sizes)
    spans = [(int(e - s), int(e)) for s, e in zip(sizes, ends, strict=True)]
    made: dict[str, pa.Array] = {}
    for column in rows.column_names:
        how = child.fold.get(column, "list")
        if column == ROW or how == "none":
            continue
        texts = _texts(rows[column], order)
        cells = [_one(texts[begin:end], how, mark) if end > begin else None for begin, end in spans]
        made[f"{name}.{column}"] = pa.array(cells, pa.string())
    if child.count:
        counts = [str(n) if n else None for n in sizes.tolist()]
        made[f"{name}.{COUNT}"] = pa.array(counts, pa.string())
    return made


def _one(texts: Sequence[str | None], how: Fold, mark: str) -> str | None:
    """What the texts of one record's child rows become."""
    if isinstance(how, Quantified):
        return _answer(texts, how, mark)
    if how == "list":
        return list_cell(texts, mark)
    said = [text for text in texts if text]
    return (said[0] if how == "first" else said[-1]) if said else None


def _answer(texts: Sequence[str | None], how: Quantified, mark: str) -> str | None:
    """Three-valued: a row that says nothing leaves the question open unless another decides it.

    >>> _answer(["0", None, "1"], Quantified(any=("1",)), ";")
    '1'
    >>> _answer(["0", None], Quantified(any=("1",)), ";"), _answer(["0"], Quantified(any="1"), ";")
    (None, '0')
    >>> _answer(["1", "1"], Quantified(all=("1",)), ";")
    '1'
    """
    wanted = {text.strip().casefold() for text in (*how.any, *how.all)}
    inside = [t for t in texts if t and t.strip().casefold() in wanted]
    other = [t for t in texts if t and t.strip().casefold() not in wanted]
    decides, rest = (inside[:1], other) if how.any else (other, inside[:1])
    if decides:
        return list_cell(list(dict.fromkeys(decides)), mark)
    return None if not all(texts) else list_cell(list(dict.fromkeys(rest)), mark)


def _texts(column: pa.ChunkedArray, order: NDArray[np.int64]) -> list[str | None]:
    texts: list[str | None] = column.take(pa.array(order)).to_pylist()
    return texts


def _used(rows: pa.Table) -> pa.Table:
    """Without the columns that are empty in every row: those of other kinds of rows."""
    kept = [c for c in rows.column_names if c == ROW or rows[c].null_count < rows.num_rows]
    return rows.select(kept)


def _holds(table: pa.Table, where: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
    """Which rows have one of the texts in each column; a column that is missing has none."""
    rows = np.ones(table.num_rows, bool)
    for column, texts in where.items():
        if column not in table.column_names:
            return np.zeros(table.num_rows, bool)
        rows &= pc.is_in(table[column], value_set=pa.array(texts, pa.string())).to_numpy()
    return rows


def _rows(table: pa.Table) -> pa.Array:
    return table[ROW].combine_chunks()
