"""A table as codes of the distinct texts of its columns: each text is read once.

What a reading makes of a text is put back where the text stood, or stays beside the code: rules
that read one column alone are worked out for its texts and not for its rows.
"""

from __future__ import annotations

import pyarrow as pa

from ctdhub.core.tabular import ROW
from ctdhub.sensitive.mapping.parsers import Header, View

_FEW = 126
"""Texts of which a byte can hold the code, and one code more."""


def as_codes(table: pa.Table) -> pa.Table:
    """The table with each column of texts as one array of codes; ``_row`` stays.

    >>> codes = as_codes(pa.table({"a": ["x", None, "x"], "_row": [2, 3, 4]}))["a"]
    >>> codes.chunk(0).indices.to_pylist()
    [0, None, 0]
    """
    columns = []
    for name in table.column_names:
        column = table[name]
        if name != ROW and not pa.types.is_dictionary(column.type):
            column = narrow(column.cast(pa.string()).dictionary_encode().combine_chunks())
        columns.append(column)
    return pa.table(columns, names=table.column_names)


def narrow(coded: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same in a byte each, where the texts are few."""
    if len(coded.dictionary) > _FEW:
        return coded
    codes = coded.indices.cast(pa.int8(), safe=False)
    return pa.DictionaryArray.from_arrays(codes, coded.dictionary, safe=False)


class Texts:
    """The columns of a table, and what readings make of their texts.

    Args:
        table: text columns, as :func:`as_codes` gives them, and ``_row``.
        serials: the views whose column holds numbered days (``parsers.serial_views``).
    """

    def __init__(self, table: pa.Table, serials: frozenset[View] = frozenset()) -> None:
        self.table = table
        self._serials = serials
        self._header = Header(table.column_names)
        self._codes: dict[str | None, pa.Array] = {}
        self._read: dict[View, pa.Array] = {}

    def codes(self, column: str | None) -> pa.Array:
        """The place of each row's text among those of the column.

        An empty cell, and every cell of a column that is not there, has the place behind them.
        """
        if column not in self._codes:
            found = self._column(column)
            self._codes[column] = (
                pa.repeat(pa.scalar(0, pa.int32()), self.table.num_rows)
                if found is None
                else found.indices.fill_null(len(found.dictionary))
            )
        return self._codes[column]

    def read(self, view: View) -> pa.Array:
        """What a view makes of each text of its column; null for the empty cell, which is last."""
        if view not in self._read:
            found = self._column(view.column)
            texts = found.dictionary.to_pylist() if found is not None else []
            days = view.days(texts) if view in self._serials else None
            made = map(view.read if days is None else days.get, texts)
            self._read[view] = pa.array([*made, None], pa.string())
        return self._read[view]

    def rows(self, view: View, start: int = 0, n: int | None = None) -> pa.Array:
        """What a view makes of the cells of the rows from ``start`` on."""
        return self.read(view).take(self.codes(view.column).slice(start, n))

    def by_row(self, views: dict[View, str], start: int = 0, n: int | None = None) -> pa.Table:
        """Views as columns, beside ``_row``, of the rows from ``start`` on.

        Args:
            views: each view with the name of its column.
        """
        columns = {ROW: self.table[ROW].slice(start, n)}
        return pa.table(columns | {name: self.rows(v, start, n) for v, name in views.items()})

    def by_text(self, views: dict[View, str]) -> pa.Table:
        """Views as columns: row n is what each makes of the n-th text of its own column.

        There are as many rows as texts of any column, and one for the empty cell; what is missing
        to that is null.  ``_row`` only counts.
        """
        read = {name: self.read(view) for view, name in views.items()}
        size = max([1, *map(len, read.values())])
        return pa.table(
            {ROW: pa.array(range(size), pa.int64())}
            | {n: pa.concat_arrays([r, pa.nulls(size - len(r), r.type)]) for n, r in read.items()}
        )

    def _column(self, name: str | None) -> pa.DictionaryArray | None:
        source = self._header.find(name) if name is not None else None
        return self.table[source].combine_chunks() if source is not None else None
