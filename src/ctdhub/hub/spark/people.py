"""Records to people on a cluster, and rows of people counted by its workers."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.core.files import sync
from ctdhub.dp.count import Counts, InParquet, Tally, add
from ctdhub.hub.spark.session import Shared, broken, failing, raise_first, shared, told
from ctdhub.schema.model import PERSON, load_schema
from ctdhub.sensitive.linkage.people import (
    MENTIONED,
    PART_ROWS,
    Linking,
    PartitionsPlaces,
    Totals,
    by_person,
    divided,
    each_once,
    held,
    link,
    persons_of,
)
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
_DEALT = "part int, child boolean, rows binary"
_LINKED = "step int, answer string, fault binary"
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

    def dealt(self, unit: _Unit) -> list[tuple[int, bool, bytes]]:
        """The rows of a unit by part: number, whether they are perpetrators, the rows."""
        return list(self._deal(unit))

    def _deal(self, unit: _Unit) -> Iterator[tuple[int, bool, bytes]]:
        number, group = unit
        records, perpetrators = self.files[number]
        if group == _CHILDREN:
            yield from self._children(records, perpetrators)
            return
        with pq.ParquetFile(records, read_dictionary=_coded(records)) as file:
            rows = self._kept(file.read_row_group(group, columns=held(load_schema())))
        persons = self.linking.on_lists(persons_of(rows))
        for part, some in divided(rows, persons, self.parts):
            yield part, False, _packed(some)

    def _children(self, records: Path, perpetrators: Path) -> Iterator[tuple[int, bool, bytes]]:
        """Perpetrators by the part of the person whose record tells of them."""
        children = self._kept(pq.read_table(perpetrators))
        if children.num_rows:
            ids = pq.read_table(records, columns=["record_id", "person_key"])
            rows = by_person(children, ids, load_schema(), self.linking)
            persons = self.linking.on_lists(rows[PERSON].combine_chunks())
            for part, some in divided(rows, persons, self.parts):
                yield part, True, _packed(some)

    def _kept(self, rows: pa.Table) -> pa.Table:
        return rows.filter(pc.invert(pc.is_in(rows["record_id"], value_set=_gone(self.gone))))

    def link(self, part: int, records: pa.Table, children: pa.Table) -> str:
        """People and perpetrators of a part, written; the answer says how many, as JSON."""
        linked = link(records, load_schema(), self.linking)
        _write(linked.people, self.places.people, part)
        _write(each_once(children.cast(MENTIONED)), self.places.perpetrators, part)
        _write(linked.conflicts, self.places.conflicts, part)
        found = linked.totals
        sets = [[[*item] for item in part.items()] for part in (found.known, found.strata)]
        return json.dumps([found.records, found.people, found.conflicts, *sets])


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
    parts = parts or max(1, -(-rows // PART_ROWS))
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
    raise_first(answers)
    found = [_totals(answer) for answer in answers["answer"].to_pylist()]
    totals = sum(found, Totals())
    left = sum(pc.sum(pc.is_in(ids, value_set=gone)).as_py() or 0 for ids in _ids(files, gone))
    if totals.records != rows - left or len(list(places.people.glob("*.parquet"))) != len(found):
        raise broken("ValueError")  # rows are missing, or workers wrote to another folder
    for leftover in [path for folder in folders for path in folder.glob(f"{_WRITING}*")]:
        leftover.unlink()
    if not found:  # nobody: one empty part says what the columns are
        job.link(0, RECORDS.empty_table(), MENTIONED.empty_table())
    return totals


def _totals(answer: str) -> Totals:
    """What a task told of its part."""
    records, people, conflicts, known, strata = json.loads(answer)
    sets = Counter({tuple(names): n for names, n in known})
    within = Counter({(name, value, tuple(on)): n for (name, value, on), n in strata})
    return Totals(records, people, Counter(conflicts), sets, within)


def _ids(files: Sequence[tuple[Path, Path]], gone: pa.Array) -> Iterator[pa.ChunkedArray]:
    """Ids of records, read only where some are left out."""
    for records, _children in files if len(gone) else ():
        yield pq.read_table(records, columns=["record_id"])["record_id"]


def _deal(
    job: _PeopleJob, units: Sequence[_Unit], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for number in batch.column(0).to_pylist():
            dealt, fault = told(job.where, partial(job.dealt, units[number]))
            for part, child, rows in [(_FAULT, False, fault)] if fault else dealt or ():
                values = [pa.array([part], pa.int32()), [child], pa.array([rows], pa.binary())]
                yield pa.record_batch(values, ["part", "child", "rows"])


def _link(job: _PeopleJob, dealt: pa.Table) -> pa.Table:
    part = dealt["part"][0].as_py()
    answer, fault = None, dealt["rows"][0].as_py()
    if part != _FAULT:
        answer, fault = told(job.where, lambda: job.link(part, *_of_part(dealt)))
    values: list[Any] = [pa.array([part], pa.int32()), pa.array([answer], pa.string())]
    return pa.table([*values, pa.array([fault], pa.binary())], ["step", "answer", "fault"])


def _of_part(dealt: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The records and the perpetrators of a part."""
    children = _unpacked(dealt.filter(dealt["child"]), MENTIONED)
    return _unpacked(dealt.filter(pc.invert(dealt["child"])), RECORDS), children


def _packed(rows: pa.Table) -> bytes:
    """Rows as an Arrow stream, compressed as a whole: of few rows most is the same again."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    plain = sink.getvalue()
    packed: bytes = pa.compress(plain, "zstd", asbytes=True)
    size: int = plain.size
    return size.to_bytes(8, "little") + packed


def _unpacked(dealt: pa.Table, schema: pa.Schema) -> pa.Table:
    tables = []
    for rows in dealt["rows"].to_pylist():
        plain = pa.decompress(rows[8:], int.from_bytes(rows[:8], "little"), "zstd")
        tables.append(pa.ipc.open_stream(plain).read_all())
    return pa.concat_tables(tables) if tables else schema.empty_table()


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

_CELLS = "tally int, at int, cells binary"
_SHAPE = {"tally": pa.int32(), "at": pa.int32(), "cells": pa.binary()}
_ROWS_FAULT = -1


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
                .mapInArrow(partial(_count, job), _CELLS)
                .groupBy("tally", "at")
                .applyInArrow(_sum, _CELLS)
                .toArrow()
            )
        totals = [tally.none() for tally in tallies]
        sums: list[Counts] = [{} for _tally in tallies]
        for number, at, cells in zip(*(c.to_pylist() for c in found.columns), strict=True):
            if number == _ROWS_FAULT:
                raise pickle.loads(cells)  # noqa: S301 - made by our own workers
            table = tallies[number].tables[at]
            sums[number][table] = _rows_unpacked(cells).reshape(totals[number][table].shape)
        for total, part in zip(totals, sums, strict=True):
            add(total, part)
        return totals


def _count(job: _RowsJob, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    numbers = [number for batch in batches for number in batch.column(0).to_pylist()]
    found, fault = told(job.where, lambda: job.count(numbers))
    if fault is not None:
        yield _batch([(_ROWS_FAULT, _ROWS_FAULT, fault)])
    for number, counts in enumerate(found or ()):
        for at, cells in enumerate(counts.values()):
            yield _batch([(number, at, _rows_packed(cells))])


def _sum(parts: pa.Table) -> pa.Table:
    """The sum of one table over all tasks; of faults, one."""
    number, at = parts["tally"][0].as_py(), parts["at"][0].as_py()
    if number == _ROWS_FAULT:
        return pa.Table.from_batches([_batch([(number, at, min(parts["cells"].to_pylist()))])])
    total = sum(_rows_unpacked(cells.as_py()) for cells in parts["cells"])
    return pa.Table.from_batches([_batch([(number, at, _rows_packed(np.asarray(total)))])])


def _batch(rows: Sequence[tuple[int, int, bytes]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(c, kind) for c, kind in zip(columns, _SHAPE.values(), strict=True)]
    return pa.record_batch(arrays, list(_SHAPE))


def _rows_packed(cells: npt.NDArray[np.integer]) -> bytes:
    """Cells in 64 bits, so that sums over tasks fit, with their number before the compressed."""
    plain = np.ascontiguousarray(cells, "<i8").tobytes()
    packed: bytes = pa.compress(plain, "lz4", asbytes=True)
    return len(plain).to_bytes(8, "little") + packed


def _rows_unpacked(cells: bytes) -> npt.NDArray[np.int64]:
    size = int.from_bytes(cells[:8], "little")
    return np.frombuffer(pa.decompress(cells[8:], size, "lz4", asbytes=True), "<i8")
