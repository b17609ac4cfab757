"""Rows of people, wherever they lie: read part by part, of which only counts are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.dp.contribution_bound import within_bound
from ctdhub.dp.count import Codes, Counts, add, count, encode, nothing
from ctdhub.dp.plan import Columns
from ctdhub.dp.policy import Domains
from ctdhub.dp.regions import COUNTRY_OF, with_regions

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
        regions: columns of ``domains`` that are filled from countries first.
        bound: rows of a person beyond it are left out; all rows of a person must come together.
    """

    domains: Domains
    tables: tuple[Columns, ...]
    open: Columns = ()
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
        for name in self.open:
            if name in rows.column_names:
                at = rows.schema.get_field_index(name)
                texts = rows[name].cast(pa.string())
                inside = pc.is_in(texts, value_set=pa.array(self.domains[name], pa.string()))
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
    held: pa.Table | None = None
    for part in parts:
        whole = part if held is None else pa.concat_tables([held, part])
        if not whole.num_rows:
            continue
        values = whole[by].combine_chunks()
        runs = 1 + pc.sum(pc.not_equal(values[:-1], values[1:]), min_count=0).as_py()
        if runs > pc.count_distinct(values).as_py():
            raise ValueError("rows of a person do not stand together")
        first = pc.index(values, values[-1]).as_py()
        if first:
            yield whole.slice(0, first)
        held = whole.slice(first)
    if held is not None:
        yield held
