"""Contingency tables of people: rows read part by part, bounded, and counted as packed integer
codes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.core.errors import error
from ctdhub.dp import kernels
from ctdhub.dp.plan import NARROW, Columns
from ctdhub.dp.policy import Domains
from ctdhub.schema import countries
from ctdhub.schema.model import DESTINATION, DESTINATION_REGION, ORIGIN, ORIGIN_REGION

# --------------------------------------------------------------------------------------------------
# Contingency tables of people: exact, sensitive, from packed integer codes.
#
# Tables of up to three columns with few values are counted by bits: each recorded value is a row
# of bits, one a person, and a cell is the number of ones of the rows' conjunction.  A wide column
# (countries) groups people first.  Cells with "not recorded" follow from the margins.

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
    if not kernels.here():
        return {t: _direct(codes, t) for t in wanted}  # the same, and as fast for few people
    wide = {n for n, size in codes.sizes.items() if size > NARROW}
    counts: Counts = {}
    by_bits: list[Columns] = []
    grouped: dict[str, list[Columns]] = defaultdict(list)
    for t in wanted:
        widest = [n for n in t if n in wide]
        if not widest and len(t) in (1, 2, 3):
            by_bits.append(t)
        elif len(widest) == 1 and len(t) in (2, 3):
            grouped[widest[0]].append(t)
        else:
            counts[t] = _direct(codes, t)
    if by_bits:
        counts |= _by_bits(codes, by_bits)
    for name, group in grouped.items():
        counts |= _grouped(codes, name, group)
    return {t: counts[t] for t in wanted}


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
        matrix = np.stack([codes.columns[n] for n in self.first], axis=1)
        if by is None:
            self.present = np.zeros(1, dtype=np.int64)
            order, starts = np.arange(codes.people), np.array([0, codes.people])
        else:
            order = np.argsort(codes.columns[by], kind="stable")
            size = np.bincount(codes.columns[by], minlength=codes.sizes[by])
            self.present = np.flatnonzero(size)
            starts = np.concatenate([[0], np.cumsum(size[self.present])])
        self.words = np.concatenate([[0], np.cumsum((np.diff(starts) + 63) // 64)])
        # A column without values, last of all, still has a place for the plane that no code sets.
        self.bits = np.zeros((int(self.words[-1]), total + 1), dtype=np.uint64)
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
    pairs: dict[Columns, None] = {}
    for t in tables:
        names = [n for n in t if n != without]
        pairs |= dict.fromkeys([*combinations(names, 2), *((n, n) for n in names)])
    return pairs


def _by_bits(codes: Codes, tables: list[Columns]) -> Counts:
    names = [n for n in codes.columns if any(n in t for t in tables)]
    planes = _Planes(codes, names)
    pairs = planes.pairs(codes, _pairs_of(tables))
    rows = np.ascontiguousarray(planes.bits.T)
    spans = {name: planes.of(codes, name) for name in names}
    alike: dict[tuple[int, ...], list[Columns]] = defaultdict(list)
    for t in tables:
        alike[tuple(codes.sizes[n] for n in t)].append(t)
    counts: Counts = {}
    for shape, group in alike.items():  # thousands of tables, few shapes
        stack = np.zeros((len(group), *shape), dtype=np.int32)
        if len(shape) == 3:
            inside = np.zeros((len(group), *(size - 1 for size in shape)), dtype=np.int32)
            kernels.triples(rows, np.array([[spans[n] for n in t] for t in group]), inside)
            stack[:, 1:, 1:, 1:] = inside
        kept_pairs = [
            np.concatenate([pairs[_pair(t, kept)] for t in group]) for kept in _axes(len(shape))
        ]
        _with_margins(stack, kept_pairs, np.int32(codes.people))
        counts |= dict(zip(group, stack, strict=True))
    return counts


def _grouped(codes: Codes, wide: str, tables: list[Columns]) -> Counts:
    names = [n for n in codes.columns if n != wide and any(n in t for t in tables)]
    planes = _Planes(codes, names, by=wide)
    pairs = planes.pairs(codes, _pairs_of(tables, wide))
    size = _direct(codes, (wide,))
    counts = {}
    for t in tables:
        inner: Columns = tuple(n for n in t if n != wide)
        shape = tuple(codes.sizes[n] for n in inner)
        part = np.zeros((planes.present.size, *shape), dtype=np.int32)
        table = np.zeros((size.size, *shape), dtype=np.int32)
        margins = [pairs[_pair(inner, kept)] for kept in _axes(len(inner))]
        table[planes.present] = _with_margins(part, margins, size[planes.present])
        counts[t] = np.ascontiguousarray(np.moveaxis(table, 0, t.index(wide)))
    return counts


def _axes(axes: int) -> list[tuple[int, ...]]:
    """The axes that a margin of one or two keeps."""
    return [kept for size in (1, 2) for kept in combinations(range(axes), size)]


def _pair(names: Columns, kept: tuple[int, ...]) -> Columns:
    """The pair of columns that holds a margin; a column is a pair of itself."""
    return names[kept[0]], names[kept[-1]]


def _with_margins(table: Table, margins: list[Table], size: Table | np.int32) -> Table:
    """Fill the cells with "not recorded", in place.

    Place 0 of an axis first holds the margin over that axis, then what the others leave of it.

    Args:
        table: groups x values x values, or with a third axis whose inner cells are there.
        margins: of recorded values by the axes of :func:`_axes`, groups first.
        size: people by group.
    """
    axes = table.ndim - 1
    every, some = slice(None), slice(1, None)
    nowhere: tuple[int | slice, ...] = (0,) * axes
    table[(every, *nowhere)] = size
    for kept, margin in zip(_axes(axes), margins, strict=True):
        at: list[int | slice] = [some if axis in kept else 0 for axis in range(axes)]
        table[(every, *at)] = margin
    for axis in range(1, table.ndim):
        view = np.moveaxis(table, axis, 0)
        view[0] -= view[1:].sum(0, dtype=np.int32)
    return table


# --------------------------------------------------------------------------------------------------
# Regions of people that follow from their countries.

COUNTRY_OF = {ORIGIN_REGION: ORIGIN, DESTINATION_REGION: DESTINATION}
"""Each variable of regions, and the country that it follows from."""

_JOINED = {"americas": "americas_oceania", "oceania": "americas_oceania"}
"""Regions of UN M49 that the hub's code list has under another name."""


def with_regions(people: pa.Table, wanted: Collection[str]) -> pa.Table:
    """People with the wanted columns of regions filled.

    A region follows from the country; where there is no country, the region that a contributor
    gave stays.

    Args:
        people: columns of countries as alpha-3 codes, null where not recorded.
        wanted: names of columns of :data:`COUNTRY_OF`; a column is added where it is missing.
    """
    codes = pa.array(countries.ALPHA3, pa.string())
    keys = (countries.region(code) for code in countries.ALPHA3)
    named = [None if key == countries.NO_REGION else _JOINED.get(key, key) for key in keys]
    regions = pa.array(named, pa.string())
    for name in wanted:
        if COUNTRY_OF[name] not in people.column_names:
            continue
        country = people[COUNTRY_OF[name]].cast(pa.string())
        column = regions.take(pc.index_in(country.combine_chunks(), value_set=codes))
        if name in people.column_names:
            fallback = people[name].cast(pa.string()).combine_chunks()
            column = pc.coalesce(column, fallback)
            people = people.set_column(people.schema.get_field_index(name), name, column)
        else:
            people = people.append_column(name, column)
    return people


# --------------------------------------------------------------------------------------------------
# The public bound of rows: who has more than count loses the surplus, as if by chance.


def within_bound(
    person: pa.Array, content: Sequence[npt.NDArray[np.integer]], most: int, key: bytes
) -> npt.NDArray[np.bool_]:
    """Which rows are kept, so that nobody has more than ``most``.

    Which rows of a person stay is decided by a keyed hash of that person and the row's content:
    as good as chance to everyone without the key, the same when the table is asked about again,
    whatever the order of its rows, and untouched by the rows of anyone else.

    Args:
        person: whom each row belongs to, text without nulls; nobody else may have a say in it.
        content: codes by column; what a code means may not depend on the data.
        most: the public bound.
        key: secret.
    """
    of = person.dictionary_encode().indices.to_numpy()
    size = np.bincount(of)
    many = np.flatnonzero(size[of] > most) if of.size else np.zeros(0, dtype=np.intp)
    if not many.size:
        return np.ones(of.size, dtype=bool)
    rows = np.column_stack([column[many] for column in content])
    order = [
        hashlib.blake2b(row.tobytes() + name.encode(), key=key, digest_size=8).digest()
        for row, name in zip(rows, person.take(pa.array(many)).to_pylist(), strict=True)
    ]
    chance = np.array([int.from_bytes(o, "big") for o in order], dtype=np.uint64)
    sorted_ = np.lexsort((chance, of[many]))
    first = np.concatenate([[True], np.diff(of[many][sorted_]) > 0])
    start = np.maximum.accumulate(np.where(first, np.arange(many.size), 0))
    kept = np.ones(of.size, dtype=bool)
    kept[many[sorted_]] = np.arange(many.size) - start < most
    return kept


# --------------------------------------------------------------------------------------------------
# Rows of people, wherever they lie: read part by part, of which only counts are kept.

AT_ONCE = 2**18
"""Rows of a file that are in memory at once: few beside the tables, many beside their cost."""


@dataclass(frozen=True)
class Bound:
    """At most so many rows of each person; see :func:`within_bound`.

    Attributes:
        person: the column that says whose row it is, the same for all her rows and of nobody else.
        most: the public bound.
        key: secret.
    """

    person: str
    most: int
    key: bytes


@dataclass(frozen=True)
class Tally:
    """What is counted of rows; plain values, so that it can be sent to where rows lie.

    Attributes:
        domains: public values by column.
        tables: the tables, of columns of ``domains``.
        open: columns in which whatever is outside the domain counts as "not recorded".
        years: columns in which another year does; what is no year is outside the domain.
        regions: columns of ``domains`` that are filled from countries first.
        bound: rows of a person beyond it are left out; all rows of a person must come together.
    """

    domains: Domains
    tables: tuple[Columns, ...]
    open: Columns = ()
    years: Columns = ()
    regions: Columns = ()
    bound: Bound | None = None

    @property
    def columns(self) -> Columns:
        """Columns that are read."""
        countries = [COUNTRY_OF[name] for name in self.regions]
        person = [self.bound.person] if self.bound else []
        return tuple(dict.fromkeys([*person, *self.domains, *countries]))

    def of(self, rows: pa.Table) -> Counts:
        """Exact tables of some rows; they depend on nothing but the arguments.

        Raises:
            PolicyError: a column is missing, or holds a value outside its public domain.
        """
        return count(self._codes(rows), self.tables)

    def none(self) -> Counts:
        """The tables of no rows."""
        return nothing(self.domains, self.tables)

    def _codes(self, rows: pa.Table) -> Codes:
        for name in (*self.open, *self.years):
            if name in rows.column_names:
                at = rows.schema.get_field_index(name)
                texts = rows[name].cast(pa.string())
                inside = pc.is_in(texts, value_set=pa.array(self.domains[name], pa.string()))
                if name in self.years:
                    year = pc.match_substring_regex(texts, "^[0-9]{4}$")
                    inside = pc.or_(inside, pc.invert(year))
                rows = rows.set_column(at, name, pc.if_else(inside, texts, None))
        codes = encode(with_regions(rows, self.regions), self.domains)
        if self.bound is None:
            return codes
        content = [column.astype("u2") for column in codes.columns.values()]
        person = rows[self.bound.person].cast(pa.string()).combine_chunks()
        kept = within_bound(person, content, self.bound.most, self.bound.key)
        columns = {name: column[kept] for name, column in codes.columns.items()}
        return replace(codes, columns=columns, people=int(kept.sum()))


class Rows(Protocol):
    """Rows of people; whoever holds them counts them where they lie."""

    def counts(self, tallies: Sequence[Tally]) -> list[Counts]:
        """Exact tables of all rows, for each tally.

        Raises:
            PolicyError: a column is missing, or holds a value outside its public domain; there
                are more rows than can be counted.
        """


def counted(parts: Iterable[pa.Table], tallies: Sequence[Tally]) -> list[Counts]:
    """Exact tables of parts together, for each tally; a part is let go before the next is read."""
    totals = [tally.none() for tally in tallies]
    for part in parts:
        for total, tally in zip(totals, tallies, strict=True):
            add(total, tally.of(part))
    return totals


class InMemory:
    """A table in memory."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def counts(self, tallies: Sequence[Tally]) -> list[Counts]:
        """See :class:`Rows`."""
        return counted([self._table], tallies)


class InParquet:
    """A Parquet file, or a folder of Parquet files that are parts of one table.

    Args:
        path: the file or folder; in a folder every ``*.parquet`` counts.
        grouped_by: a column whose equal values stand one after another, in one file.

    Raises:
        FileNotFoundError: there is no such file, or none in the folder.
    """

    def __init__(self, path: Path, grouped_by: str | None = None) -> None:
        self._files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        self._grouped_by = grouped_by
        if not self._files or not self._files[0].is_file():
            raise FileNotFoundError(path)

    def counts(self, tallies: Sequence[Tally]) -> list[Counts]:
        """See :class:`Rows`.

        Raises:
            ValueError: a bound needs the rows of a person together, and they are not.
        """
        bounds = {tally.bound.person for tally in tallies if tally.bound}
        if bounds - {self._grouped_by}:
            raise ValueError("rows of a person do not stand together")
        wanted = {name for tally in tallies for name in tally.columns}
        return counted(self._parts(wanted), tallies)

    def _parts(self, wanted: set[str]) -> Iterator[pa.Table]:
        for path in self._files:
            schema = pq.read_schema(path)
            names = [name for name in schema.names if name in wanted]
            texts = [n for n in names if pa.types.is_string(schema.field(n).type)]
            coded = [n for n in texts if n != self._grouped_by]
            with pq.ParquetFile(path, read_dictionary=coded) as file:
                if not file.metadata.num_rows:
                    yield schema.empty_table().select(names)  # its columns are checked all the same
                batches = map(pa.table, file.iter_batches(AT_ONCE, columns=names))
                yield from together(batches, self._grouped_by) if self._grouped_by else batches


def together(parts: Iterable[pa.Table], by: str) -> Iterator[pa.Table]:
    """Other parts of the same rows, in which equal values of a text column lie in one part.

    Args:
        by: the column; its equal values stand one after another.

    Raises:
        ValueError: they do not, within what is read at once.
    """
    rest: pa.Table | None = None
    for part in parts:
        whole = part if rest is None else pa.concat_tables([rest, part])
        if not whole.num_rows:
            continue
        values = whole[by].combine_chunks()
        runs = 1 + pc.sum(pc.not_equal(values[:-1], values[1:]), min_count=0).as_py()
        if runs > pc.count_distinct(values).as_py():
            raise ValueError("rows of a person do not stand together")
        first = pc.index(values, values[-1]).as_py()
        if first:
            yield whole.slice(0, first)
        rest = whole.slice(first)
    if rest is not None:
        yield rest
