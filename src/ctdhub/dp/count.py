"""Contingency tables of people: exact, sensitive, from packed integer codes.

Tables of two or three columns with few values are counted by bits: each recorded value is a row of
bits, one a person, and a cell is the number of ones of the rows' conjunction.  A wide column
(countries) groups people first.  Cells with "not recorded" follow from the margins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.error_catalogue import error
from ctdhub.dp import kernels
from ctdhub.dp.plan import NARROW, Columns
from ctdhub.dp.policy import Domains

Table = npt.NDArray[np.int32]
"""An axis has one place per public value, after place 0, "not recorded"."""

Counts = dict[Columns, Table]
"""Tables by columns in the order of the plan."""


MOST_ROWS = 10**9
"""Rows that can be counted: cells hold 32 bits, and noisy cells are kept within 2^30."""


@dataclass(frozen=True)
class Codes:
    """People as integer codes: 0 is "not recorded", k is the k-th public value.

    Attributes:
        columns: name to array of length ``people``, uint8 or uint16.
        sizes: name to number of codes, that is public values + 1.
    """

    columns: dict[str, npt.NDArray[np.unsignedinteger]]
    sizes: dict[str, int]
    people: int

    def __post_init__(self) -> None:
        for name, codes in self.columns.items():
            if codes.shape != (self.people,) or (codes.size and codes.max() >= self.sizes[name]):
                raise ValueError(f"codes of {name} do not fit")


def encode(people: pa.Table, domains: Domains) -> Codes:
    """Codes of the columns of ``domains``; other columns are left out.

    Raises:
        PolicyError: a column is missing, or holds a value outside its public domain.  The value
            is not told; upstream checks keep such values out.
    """
    columns = {}
    for name, domain in domains.items():
        if name not in people.column_names:
            raise error("public-domain/column", column=name)
        values = people.column(name).combine_chunks()
        if not pa.types.is_dictionary(values.type):
            values = values.cast(pa.string()).dictionary_encode()
        known = values.dictionary.cast(pa.string())
        places = pc.index_in(known, value_set=pa.array(domain, pa.string()))
        dtype = np.uint8 if len(domain) < 256 else np.uint16
        code = np.append(places.fill_null(-1).to_numpy() + 1, 0).astype(dtype)
        at = values.indices.fill_null(len(known)).to_numpy()
        columns[name] = code[at]
        if np.count_nonzero(columns[name]) != len(values) - values.null_count:
            raise error("public-domain/people", column=name)
    return Codes(columns, {n: len(d) + 1 for n, d in domains.items()}, people.num_rows)


def count(codes: Codes, tables: Iterable[Columns]) -> Counts:
    """Count tables of any number of columns.

    Args:
        tables: names in any order of columns that the codes have.
    """
    wanted = list(tables)
    wide = {n for n, size in codes.sizes.items() if size > NARROW}
    found: Counts = {}
    by_bits: list[Columns] = []
    grouped: dict[str, list[Columns]] = defaultdict(list)
    for t in wanted:
        widest = [n for n in t if n in wide]
        if not widest and len(t) in (2, 3):
            by_bits.append(t)
        elif len(widest) == 1 and len(t) == 3:
            grouped[widest[0]].append(t)
        else:
            found[t] = _direct(codes, t)
    if by_bits:
        found |= _by_bits(codes, by_bits)
    for name, group in grouped.items():
        found |= _grouped(codes, name, group)
    return {t: found[t] for t in wanted}


def nothing(domains: Domains, tables: Iterable[Columns]) -> Counts:
    """The tables of nobody."""
    sizes = {name: len(values) + 1 for name, values in domains.items()}
    return {t: np.zeros(tuple(sizes[n] for n in t), dtype=np.int32) for t in tables}


def add(total: Counts, part: Counts) -> None:
    """Add the counts of other people to ``total``, in place.

    Raises:
        PolicyError: there are more rows than :data:`MOST_ROWS`.
    """
    for t in list(total)[:1]:  # a row lies in one cell of each table
        if total[t].sum(dtype=np.int64) + part[t].sum(dtype=np.int64) > MOST_ROWS:
            raise error("most-people", n=MOST_ROWS)
    for t, cells in total.items():
        cells += part[t]


def _direct(codes: Codes, table: Columns) -> Table:
    shape = tuple(codes.sizes[n] for n in table)
    key: npt.NDArray[np.int64] = np.zeros(codes.people, dtype=np.int64)
    for name, size in zip(table, shape, strict=True):
        key = key * size + codes.columns[name]
    counted = np.bincount(key, minlength=int(np.prod(shape)))
    return counted.astype(np.int32).reshape(shape)


class _Planes:
    """Bits of the recorded values of some columns, people in groups that begin at a new word."""

    def __init__(self, codes: Codes, names: Iterable[str], by: str | None = None) -> None:
        self.first: dict[str, int] = {}
        total = 0
        for name in names:
            self.first[name] = total
            total += codes.sizes[name] - 1
        matrix = np.column_stack([codes.columns[n] for n in self.first])
        if by is None:
            self.present = np.zeros(1, dtype=np.int64)
            order, starts = np.arange(codes.people), np.array([0, codes.people])
        else:
            order = np.argsort(codes.columns[by], kind="stable")
            size = np.bincount(codes.columns[by], minlength=codes.sizes[by])
            self.present = np.flatnonzero(size)
            starts = np.concatenate([[0], np.cumsum(size[self.present])])
        self.words = np.concatenate([[0], np.cumsum((np.diff(starts) + 63) // 64)])
        self.bits = np.zeros((int(self.words[-1]), total), dtype=np.uint64)
        places = np.array(list(self.first.values()), dtype=np.int64)
        kernels.pack(matrix, order, starts, places, self.bits)

    def of(self, codes: Codes, name: str) -> npt.NDArray[np.int64]:
        """Planes of a column, first and end."""
        return np.array([self.first[name], self.first[name] + codes.sizes[name] - 1])

    def pairs(self, codes: Codes, pairs: Iterable[Columns]) -> dict[Columns, Table]:
        """For each pair of columns: groups x values x values; (a, a) holds a's own counts."""
        wanted, ends, shapes = [], [0], {}
        for a, b in pairs:
            p, q = np.arange(*self.of(codes, a)), np.arange(*self.of(codes, b))
            both = [p, p] if a == b else np.meshgrid(p, q, indexing="ij")
            cells = np.stack(both, -1).reshape(-1, 2)
            wanted.append(cells)
            shapes[a, b] = (-1, p.size) if a == b else (-1, p.size, q.size)
            ends.append(ends[-1] + len(cells))
        out = np.zeros((len(self.present), ends[-1]), dtype=np.int32)
        kernels.pairs_by_group(self.bits, self.words, np.concatenate(wanted), out)
        parts = zip(shapes.items(), ends, ends[1:], strict=False)
        return {pair: out[:, s:e].reshape((len(out), *shape[1:])) for (pair, shape), s, e in parts}


def _pairs_of(tables: list[Columns], without: str | None = None) -> dict[Columns, None]:
    """Pairs, and columns as pairs of themselves, within the tables."""
    found: dict[Columns, None] = {}
    for t in tables:
        names = [n for n in t if n != without]
        found |= dict.fromkeys([*combinations(names, 2), *((n, n) for n in names)])
    return found


def _by_bits(codes: Codes, tables: list[Columns]) -> Counts:
    names = [n for n in codes.columns if any(n in t for t in tables)]
    planes = _Planes(codes, names)
    pairs = planes.pairs(codes, _pairs_of(tables))
    rows = np.ascontiguousarray(planes.bits.T)
    spans = {name: planes.of(codes, name) for name in names}
    alike: dict[tuple[int, ...], list[Columns]] = defaultdict(list)
    for t in tables:
        alike[tuple(codes.sizes[n] for n in t)].append(t)
    found: Counts = {}
    for shape, group in alike.items():  # thousands of tables, few shapes
        stack = np.zeros((len(group), *shape), dtype=np.int32)
        if len(shape) == 3:
            inside = np.zeros((len(group), *(size - 1 for size in shape)), dtype=np.int32)
            for t, part in zip(group, inside, strict=True):
                kernels.triples(rows, spans[t[0]], spans[t[1]], spans[t[2]], part)
            stack[:, 1:, 1:, 1:] = inside
        kept_pairs = [
            np.concatenate([pairs[_pair(t, kept)] for t in group]) for kept in _kept(len(shape))
        ]
        _with_margins(stack, kept_pairs, np.int32(codes.people))
        found |= dict(zip(group, stack, strict=True))
    return found


def _grouped(codes: Codes, wide: str, tables: list[Columns]) -> Counts:
    names = [n for n in codes.columns if n != wide and any(n in t for t in tables)]
    planes = _Planes(codes, names, by=wide)
    pairs = planes.pairs(codes, _pairs_of(tables, wide))
    size = _direct(codes, (wide,))
    found = {}
    for t in tables:
        inner: Columns = tuple(n for n in t if n != wide)
        shape = tuple(codes.sizes[n] for n in inner)
        part = np.zeros((planes.present.size, *shape), dtype=np.int32)
        table = np.zeros((size.size, *shape), dtype=np.int32)
        margins = [pairs[_pair(inner, kept)] for kept in _kept(len(inner))]
        table[planes.present] = _with_margins(part, margins, size[planes.present])
        found[t] = np.ascontiguousarray(np.moveaxis(table, 0, t.index(wide)))
    return found


def _kept(axes: int) -> list[tuple[int, ...]]:
    """The axes that a margin of one or two keeps."""
    return [kept for held in (1, 2) for kept in combinations(range(axes), held)]


def _pair(names: Columns, kept: tuple[int, ...]) -> Columns:
    """The pair of columns that holds a margin; a column is a pair of itself."""
    return names[kept[0]], names[kept[-1]]


def _with_margins(table: Table, margins: list[Table], size: Table | np.int32) -> Table:
    """Fill the cells with "not recorded", in place.

    Place 0 of an axis first holds the margin over that axis, then what the others leave of it.

    Args:
        table: groups x values x values, or with a third axis whose inner cells are there.
        margins: of recorded values by the axes of :func:`_kept`, groups first.
        size: people by group.
    """
    axes = table.ndim - 1
    every, some = slice(None), slice(1, None)
    nowhere: tuple[int | slice, ...] = (0,) * axes
    table[(every, *nowhere)] = size
    for kept, margin in zip(_kept(axes), margins, strict=True):
        at: list[int | slice] = [some if axis in kept else 0 for axis in range(axes)]
        table[(every, *at)] = margin
    for axis in range(1, table.ndim):
        view = np.moveaxis(table, axis, 0)
        view[0] -= view[1:].sum(0, dtype=np.int32)
    return table
