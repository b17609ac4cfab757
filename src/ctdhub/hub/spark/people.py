"""Records to people on a cluster, and rows of people counted by its workers."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.core.errors import HubError
from ctdhub.core.files import sync
from ctdhub.dp.count import Counts, InParquet, Tally, add
from ctdhub.hub.spark import session
from ctdhub.hub.spark.session import ANSWERS, Shared, answers_of, attempt, broken, failing, shared
from ctdhub.schema.model import PERSON, load_schema
from ctdhub.sensitive.linkage import people
from ctdhub.sensitive.linkage.people import MENTIONED, Linking, PartitionsPlaces, Totals
from ctdhub.sensitive.mapping.run import RECORDS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# --------------------------------------------------------------------------------------------------
# Records to people on a cluster: whole persons come together, then the hub's own join runs.
#
# A task reads some rows of a harmonised file and deals them out: the part of a record is the CRC-32
# of its person, whoever else there is.  Rows of a part travel as one compressed Arrow stream, so
# that Spark shuffles few values.  A second task gets all rows of a part, and so all records of its
# persons; it runs the functions that one machine runs on everybody, and writes people and
# perpetrators of the part into the step's folder.  Only how many they are comes back.

MANY_TASKS = 400
"""Tasks among which chance deals parts out evenly enough."""

_WRITING = ".writing-"
_DEALT = "part int, at int, rows binary"
_SHAPE = pa.schema({"part": pa.int32(), "at": pa.int32(), "rows": pa.binary()})
_LINKED = "step int, answer binary"
_CHILDREN = _FAULT = -1
_Unit = tuple[int, int]
"""Number of a file, and of its row group; :data:`_CHILDREN` stands for its perpetrators."""


@dataclass(frozen=True)
class _PeopleJob:
    """What workers are told.

    Attributes:
        files: records and perpetrators of each harmonised file.
        gone: file with the ids of records that count no more, for there can be millions.
        linking: who is joined beside equal keys, and whose lists are counted.
        parts: number of parts.
        places: folders to write into.
    """

    where: Shared
    files: tuple[tuple[Path, Path], ...]
    gone: Path
    linking: Linking
    parts: int
    places: PartitionsPlaces

    def dealt(self, unit: _Unit) -> list[tuple[int, int, bytes]]:
        """The rows of a unit by part: its number, whether they are perpetrators, the rows."""
        number, group = unit
        records, perpetrators = self.files[number]
        if group != _CHILDREN:
            with pq.ParquetFile(records, read_dictionary=_coded(records)) as file:
                rows = self._kept(
                    file.read_row_group(group, columns=people.linked_columns(load_schema()))
                )
            persons = people.persons_of(rows)
        else:  # they go where the person goes whose record tells of them
            ids = pq.read_table(records, columns=["record_id", "person_key"])
            children = self._kept(pq.read_table(perpetrators))
            rows = people.by_person(children, ids, load_schema(), self.linking)
            persons = rows[PERSON].combine_chunks()
        parts = people.divided(rows, self.linking.on_lists(persons), self.parts)
        return [(part, int(group == _CHILDREN), _packed(some)) for part, some in parts]

    def _kept(self, rows: pa.Table) -> pa.Table:
        return rows.filter(pc.invert(pc.is_in(rows["record_id"], value_set=_gone(self.gone))))

    def link(self, part: int, dealt: pa.Table) -> Totals:
        """People and perpetrators of a part, written."""
        linked = people.link(_rows(dealt, RECORDS, child=False), load_schema(), self.linking)
        children = people.each_once(_rows(dealt, MENTIONED, child=True).cast(MENTIONED))
        _write(linked.people, self.places.people, part)
        _write(children, self.places.perpetrators, part)
        _write(linked.conflicts, self.places.conflicts, part)
        return linked.totals


@lru_cache(maxsize=1)
def _gone(path: Path) -> pa.Array:
    """The ids in a file, which a worker reads once."""
    return pq.read_table(path)["record_id"].combine_chunks()


@contextmanager
def _written(gone: pa.Array, work: Path) -> Iterator[Path]:
    """A file with these ids, as long as workers need it; what a kill leaves is swept."""
    path = work / f"{_WRITING}{token_hex(8)}"
    pq.write_table(pa.table({"record_id": gone}), path)
    sync(path)
    try:
        yield path
    finally:
        path.unlink()


def _coded(path: Path) -> list[str]:
    """Columns of few texts, which travel as codes."""
    texts = [f.name for f in pq.read_schema(path) if pa.types.is_string(f.type)]
    return [name for name in texts if name not in ("record_id", "person_key")]


def link_people(
    spark: SparkSession,
    files: Sequence[tuple[Path, Path]],
    gone: pa.Array,
    linking: Linking,
    places: PartitionsPlaces,
    work: Path,
    parts: int | None = None,
) -> Totals:
    """Join records to people, part by part.

    Args:
        files: records and perpetrators of each harmonised file, absolute paths.
        gone: ids of records that are left out.
        linking: who is joined beside equal keys, and whose lists are counted.
        places: folders that are made and filled, one Parquet file a part; no person is in two,
            and perpetrators of a part are sorted by person.
        work: the hub's work folder.
        parts: their number; None takes one for every ``PART_ROWS`` records.

    Raises:
        SparkError: the cluster broke off, or sees another folder or another software.
    """
    sizes = [pq.read_metadata(records) for records, _children in files]
    rows = sum(size.num_rows for size in sizes)
    units: list[_Unit] = [
        (number, group)
        for number, size in enumerate(sizes)
        for group in (*range(size.num_row_groups), _CHILDREN)
    ]
    parts = parts or max(1, -(-rows // people.PART_ROWS))
    folders = (places.people, places.perpetrators, places.conflicts)
    for folder in folders:
        folder.mkdir()
    with shared(work) as where, _written(gone, work) as left_out, failing(broken):
        job = _PeopleJob(where, tuple(files), left_out, linking, parts, places)
        tasks = max(parts, min(4 * parts, MANY_TASKS))  # so that few parts share a task
        spark.conf.set("spark.sql.shuffle.partitions", str(tasks))
        answers = (
            spark.range(0, len(units), 1, numPartitions=len(units))
            .mapInArrow(partial(_deal, job, units), _DEALT)
            .groupBy("part")
            .applyInArrow(lambda dealt: _link(job, dealt), _LINKED)
            .toArrow()
        )
    found = answers_of(answers)
    totals, left = sum(found, Totals()), 0
    for records, _children in files if len(gone) else ():
        ids = pq.read_table(records, columns=["record_id"])["record_id"]
        left += pc.sum(pc.is_in(ids, value_set=gone)).as_py() or 0
    if totals.records != rows - left or len(list(places.people.glob("*.parquet"))) != len(found):
        raise broken("ValueError")  # rows are missing, or workers wrote to another folder
    for leftover in [path for folder in folders for path in folder.glob(f"{_WRITING}*")]:
        leftover.unlink()
    if not found:  # nobody: one empty part says what the columns are
        job.link(0, _SHAPE.empty_table())
    return totals


def _deal(
    job: _PeopleJob, units: Sequence[_Unit], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for number in (n for batch in batches for n in batch.column(0).to_pylist()):
        found = attempt(job.where, partial(job.dealt, units[number]))
        parts = [(_FAULT, 0, pickle.dumps(found))] if isinstance(found, HubError) else found
        yield from (_batch(*part) for part in parts)


def _batch(part: int, at: int, rows: bytes) -> pa.RecordBatch:
    """Rows of a part, cells of a table, or a fault, as they travel."""
    return pa.RecordBatch.from_pylist([{"part": part, "at": at, "rows": rows}], _SHAPE)


def _link(job: _PeopleJob, dealt: pa.Table) -> pa.Table:
    part, answer = dealt["part"][0].as_py(), dealt["rows"][0].as_py()
    if part != _FAULT:
        answer = pickle.dumps(attempt(job.where, lambda: job.link(part, dealt)))
    return pa.table([pa.array([part], pa.int32()), pa.array([answer], pa.binary())], ANSWERS)


def _packed(rows: pa.Table) -> bytes:
    """Rows as an Arrow stream, compressed as a whole: of few rows most is the same again."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return _compressed(sink.getvalue())


def _rows(dealt: pa.Table, schema: pa.Schema, *, child: bool) -> pa.Table:
    """The records of a part, or the perpetrators."""
    packed = dealt.filter(pc.equal(dealt["at"], int(child)))["rows"].to_pylist()
    tables = [pa.ipc.open_stream(_plain(rows)).read_all() for rows in packed]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _compressed(plain: pa.Buffer) -> bytes:
    """Bytes with their number before them, compressed."""
    packed: bytes = pa.compress(plain, "zstd", asbytes=True)
    size: int = plain.size
    return size.to_bytes(8, "little") + packed


def _plain(packed: bytes) -> pa.Buffer:
    return pa.decompress(packed[8:], int.from_bytes(packed[:8], "little"), "zstd")


def _write(rows: pa.Table, folder: Path, part: int) -> None:
    """Put a part in its place, whole; a task that runs twice does the same twice."""
    fresh = folder / f"{_WRITING}{token_hex(8)}"
    pq.write_table(rows, fresh)
    sync(fresh)
    fresh.replace(folder / f"part-{part:05}.parquet")


# --------------------------------------------------------------------------------------------------
# Rows of people on a cluster: workers count their parts, only sums come back.

TASKS = 64
"""Up to so many parts are counted by a task each; of more, a task counts eight one by one."""


@dataclass(frozen=True)
class _RowsJob:
    where: Shared
    files: tuple[Path, ...]
    grouped_by: str | None
    tallies: tuple[Tally, ...]

    def count(self, numbers: Iterable[int]) -> list[Counts]:
        """The tables of some files together."""
        totals = [tally.none() for tally in self.tallies]
        for number in numbers:
            found = InParquet(self.files[number], self.grouped_by).counts(self.tallies)
            for total, part in zip(totals, found, strict=True):
                add(total, part)
        return totals


class OnCluster:
    """Parquet files that are parts of one table; see ``dp.count.Rows``.

    Args:
        spark: the session.
        path: a Parquet file, or a folder of them, that all workers see.
        work: the hub's work folder.
        grouped_by: see ``InParquet``.
    """

    def __init__(
        self, spark: SparkSession, path: Path, work: Path, grouped_by: str | None = None
    ) -> None:
        self._spark, self._work, self._grouped_by = spark, work, grouped_by
        self._files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]

    def counts(self, tallies: Sequence[Tally]) -> list[Counts]:
        """Exact tables of all rows, for each tally.

        Raises:
            PolicyError: a column is missing, or holds a value outside its public domain; there
                are more rows than can be counted.
            SparkError: the cluster broke off.
        """
        files = len(self._files)
        tasks = min(files, max(TASKS, files // 8))
        with shared(self._work) as where, failing(broken):
            job = _RowsJob(where, tuple(self._files), self._grouped_by, tuple(tallies))
            self._spark.conf.set("spark.sql.shuffle.partitions", str(min(tasks, TASKS)))
            found = (
                self._spark.range(0, files, 1, numPartitions=tasks)
                .mapInArrow(partial(_count, job), _DEALT)
                .groupBy("part", "at")
                .applyInArrow(_sum, _DEALT)
                .toArrow()
            )
        totals = [tally.none() for tally in tallies]
        sums: list[Counts] = [{} for _tally in tallies]
        for number, at, cells in zip(*(c.to_pylist() for c in found.columns), strict=True):
            if number == _FAULT:
                session.unpickled(cells)
            table = tallies[number].tables[at]
            sums[number][table] = _cells(cells).reshape(totals[number][table].shape)
        for total, part in zip(totals, sums, strict=True):
            add(total, part)
        return totals


def _count(job: _RowsJob, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    numbers = [number for batch in batches for number in batch.column(0).to_pylist()]
    found = attempt(job.where, lambda: job.count(numbers))
    if isinstance(found, HubError):
        yield _batch(_FAULT, _FAULT, pickle.dumps(found))
        return
    for number, counts in enumerate(found):
        for at, cells in enumerate(counts.values()):
            yield _batch(number, at, _packed_cells(cells))


def _sum(parts: pa.Table) -> pa.Table:
    """The sum of one table over all tasks; of faults, one."""
    number, at = parts["part"][0].as_py(), parts["at"][0].as_py()
    every = parts["rows"].to_pylist()
    total = min(every) if number == _FAULT else _packed_cells(np.asarray(sum(map(_cells, every))))
    return pa.Table.from_batches([_batch(number, at, total)])


def _packed_cells(cells: npt.NDArray[np.integer]) -> bytes:
    """Cells in 64 bits, so that sums over tasks fit."""
    return _compressed(pa.py_buffer(np.ascontiguousarray(cells, "<i8")))


def _cells(packed: bytes) -> npt.NDArray[np.int64]:
    return np.frombuffer(_plain(packed), "<i8")
