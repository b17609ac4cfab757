"""A table of texts that knows its file and its rows: what readers give and what the engine takes.

A type for whoever needs no more than that: rooms which may not know how files are read take a
:class:`Tabular`, and a reader's table is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

ROW = "_row"
"""Name of the column that holds the row number; no file may use it."""

FILE_ROW = "row_in_file"
"""The column of a bundle that says which row of the contributor's own file each of its rows is."""


class Tabular(Protocol):
    """A table with its origin."""

    @property
    def file(self) -> str:
        """Name of the file, never its path, safe to show."""

    @property
    def table(self) -> pa.Table:
        """Text columns, null where a cell is empty, and :data:`ROW` (int64, from 1)."""
