"""Columns as codes that stand in the order of their texts: texts are compared as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]

_ROOM = 2**62


@dataclass(frozen=True)
class Coded:
    """A column.

    Attributes:
        codes: place of each row's value in ``values``, -1 where not recorded.
        values: ascending (texts by their UTF-8 bytes), each once; some may not occur.
    """

    codes: Codes
    values: pa.Array

    @staticmethod
    def of(column: pa.ChunkedArray) -> Coded:
        """A column of texts, of numbers, or of codes of either."""
        whole = column.combine_chunks()
        coded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
        order = pc.sort_indices(coded.dictionary)
        rank = np.full(len(order) + 1, -1, np.int32)
        rank[order.to_numpy()] = np.arange(len(order))
        places = coded.indices.fill_null(len(order)).to_numpy()
        return Coded(rank[places], coded.dictionary.take(order))

    def code(self, value: str) -> int:
        """The code of a value, -2 where no row can have it."""
        found: int = pc.index(self.values, value).as_py()
        return found if found >= 0 else -2

    def decoded(self) -> pa.Array:
        """The values, row by row."""
        return self.values.take(self._places())

    def coded(self) -> pa.DictionaryArray:
        """The same as codes."""
        return pa.DictionaryArray.from_arrays(self._places(), self.values)

    def _places(self) -> pa.Array:
        return pa.array(self.codes, mask=self.codes < 0)


def in_order(columns: Sequence[Coded], rows: Places) -> Places:
    """Rows sorted by the columns, the first counting most; not recorded comes last."""
    keys: list[npt.NDArray[np.int64]] = []
    packed, room = np.zeros(len(rows), np.int64), 1
    for column in columns:
        size = len(column.values) + 1
        if room * size > _ROOM:
            keys.append(packed)
            packed, room = np.zeros(len(rows), np.int64), 1
        codes = column.codes[rows]
        packed = packed * size + np.where(codes < 0, size - 1, codes)
        room *= size
    return rows[np.lexsort([packed, *reversed(keys)])]
