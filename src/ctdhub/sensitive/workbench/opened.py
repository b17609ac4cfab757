"""A contributor's file as the workbench holds it: read once, columns as codes of their texts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.tabular import ROW
from ctdhub.core.text import fold, trim
from ctdhub.sensitive.ingest.formulas import unescaped
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, find_identifiers
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping.child_drafts import identifiers_of_systems
from ctdhub.sensitive.mapping.glance import Glance, glance
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.suggest import Suggestion, read_to_suggest, suggest
from ctdhub.sensitive.mapping.texts import as_codes

T = TypeVar("T")

_numbers = count()

_HELD = 3
"""Files that are held at once."""


class TextCount(NamedTuple):
    """A text of a column, in its most frequent spelling, and the rows that hold it."""

    text: str
    rows: int


class OpenedFile:
    """A file.  Sensitive.

    Args:
        raw: as read.
        options: how it was read.

    Attributes:
        number: tells it from every other file that this process has opened.
    """

    def __init__(self, raw: RawTable, options: ReadOptions) -> None:
        children = {name: unescaped(rows) for name, rows in raw.children.items()}
        self.raw = replace(raw, table=unescaped(raw.table), children=children)
        self.options = options
        self.number = next(_numbers)
        self.codes = as_codes(self.raw.table)
        self.header = Header(self.raw.column_names())
        self.names = self.raw.column_names()
        self._combos: dict[tuple[str, ...], Combos] = {}
        self._numbers: dict[Hashable, int] = {None: 0}
        self._remembered: dict[tuple[str, str], Any] = {}

    @property
    def rows(self) -> int:
        """Rows that could be read."""
        return int(self.codes.num_rows)

    @cached_property
    def findings(self) -> dict[str, IdentifierFinding]:
        """Likely identifiers by column."""
        found = {f.column: f for f in find_identifiers(self.raw)}
        of_system, _known = identifiers_of_systems(self.raw)
        return found | {c: f for c, f in of_system.items() if c in self.names}

    @cached_property
    def suggestion(self) -> Suggestion:
        """A mapping to begin with."""
        return suggest(self.raw, self.options)

    def glance(self, column: str) -> Glance:
        """What stands in a column of the table."""
        return self.remembered(("glance", column), lambda: glance(self.raw.table, column))

    def remembered(self, key: tuple[str, str], made: Callable[[], T]) -> T:
        """What was found out about the file once, and does not depend on a mapping."""
        if key not in self._remembered:
            self._remembered[key] = made()
        found: T = self._remembered[key]
        return found

    def filled(self, column: str) -> int:
        """Cells of a column that hold something."""
        return sum(one.rows for one in self.counts(column))

    def counts(self, column: str) -> list[TextCount]:
        """The texts of a column, spellings that fold alike as one, those of most rows first."""
        return self.remembered(("counts", column), lambda: self._counts(column))

    def _counts(self, column: str) -> list[TextCount]:
        found: dict[str, int] = {}
        spelt: dict[str, str] = {}
        for text, n in sorted(self._each(column), key=lambda one: -one[1]):
            key = fold(text)
            if key:
                spelt.setdefault(key, trim(text))
                found[key] = found.get(key, 0) + n
        ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
        return [TextCount(spelt[key], n) for key, n in ordered]

    def _each(self, column: str) -> list[tuple[str, int]]:
        if column not in self.codes.column_names:
            counted = self.raw.cells(column).drop_null().value_counts().to_pylist()
            return [(one["values"], one["counts"]) for one in counted]
        codes = self.codes[column].combine_chunks()
        places = codes.indices.fill_null(len(codes.dictionary)).to_numpy(zero_copy_only=False)
        counted = np.bincount(places, minlength=len(codes.dictionary) + 1)
        texts = codes.dictionary.to_pylist()
        return [(t, n) for t, n in zip(texts, counted.tolist(), strict=False) if n]

    def lacking(self, columns: tuple[str, ...], empty: frozenset[str]) -> NDArray[np.bool_]:
        """The different rows of some columns that lack one of their texts."""

        def found() -> NDArray[np.bool_]:
            table = self.combos(columns).table
            lacks = np.zeros(table.num_rows, bool)
            for name in columns:
                coded = table[name].combine_chunks()
                texts = [fold(text) in empty for text in coded.dictionary.to_pylist()] + [True]
                places = coded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)
                lacks |= np.array(texts)[places]
            return lacks

        return self.remembered((repr(columns), repr(sorted(empty))), found)

    def numbers(self, values: Iterable[Hashable]) -> NDArray[np.int64]:
        """Values as numbers that stay the same for this file; None is 0."""
        known = self._numbers
        return np.array([known.setdefault(one, len(known)) for one in values], np.int64)

    def named(self, number: int) -> Hashable:
        """The value of such a number."""
        return next(value for value, n in self._numbers.items() if n == number)

    def combos(self, columns: Sequence[str]) -> Combos:
        """The different rows of some columns, as the file names them."""
        key = tuple(columns)
        if key not in self._combos:
            self._combos[key] = _combos(self.codes, key)
        return self._combos[key]


class Combos(NamedTuple):
    """The different rows of some columns.

    Attributes:
        table: these columns, and ``_row``: the number of the combination.
        of_row: for each row of the file the number of its combination.
    """

    table: pa.Table
    of_row: NDArray[np.int64]


def _combos(codes: pa.Table, columns: tuple[str, ...]) -> Combos:
    numbered = np.zeros(codes.num_rows, np.int64)
    first = numbered[:1]
    for name in columns:
        column = codes[name].combine_chunks()
        size = len(column.dictionary) + 1
        texts = column.indices.fill_null(size - 1).to_numpy(zero_copy_only=False)
        _values, first, numbered = np.unique(
            numbered * size + texts, return_index=True, return_inverse=True
        )
        numbered = numbered.astype(np.int64).reshape(-1)
    places = pa.array(first, pa.int64())
    made = {name: codes[name].combine_chunks().take(places) for name in columns}
    row = pa.array(range(len(first)), pa.int64())
    return Combos(pa.table({**made, ROW: row}), numbered)


_files: OrderedDict[tuple[str, int, int, str], OpenedFile] = OrderedDict()
_holding = threading.Lock()


def opened(path: Path, options: ReadOptions) -> OpenedFile:
    """A file, read as a mapping says; held until others take its place or it changes.

    Raises:
        FileError: it cannot be read; see ``ingest.isolated``.
    """
    return _held(path, options.model_dump_json(), lambda: (read_isolated(path, options), options))


def opened_to_suggest(path: Path, given: ReadOptions | None) -> OpenedFile:
    """A file of which no mapping says how it is read.

    Raises:
        FileError: it cannot be read, or several sheets may hold the records ("sheets").
    """
    stated = given.model_dump_json() if given else ""
    return _held(path, f"suggest {stated}", lambda: read_to_suggest(path, given))


def _held(path: Path, how: str, read: Callable[[], tuple[RawTable, ReadOptions]]) -> OpenedFile:
    try:
        now = path.stat()
        key = (str(path), now.st_mtime_ns, now.st_size, how)
    except OSError:
        key = (str(path), 0, 0, how)
    with _holding:
        if key in _files:
            _files.move_to_end(key)
            return _files[key]
        file = OpenedFile(*read())
        _files[key] = file
        while len(_files) > _HELD:
            _files.popitem(last=False)
        return file
