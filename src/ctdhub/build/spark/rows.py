"""Rows of people on a cluster: workers count their parts, only sums come back."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.build.spark.runner import Shared, shared, told
from ctdhub.build.spark.session import broken, failing
from ctdhub.dp.count import Counts, add
from ctdhub.dp.rows import InParquet, Tally

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TASKS = 64
"""Up to so many parts are counted by a task each; of more, a task counts eight one by one."""

_CELLS = "tally int, at int, cells binary"
_SHAPE = {"tally": pa.int32(), "at": pa.int32(), "cells": pa.binary()}
_FAULT = -1


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
    """Parquet files that are parts of one table; see ``dp.rows.Rows``.

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
            if number == _FAULT:
                raise pickle.loads(cells)  # noqa: S301 - made by our own workers
            table = tallies[number].tables[at]
            sums[number][table] = _unpacked(cells).reshape(totals[number][table].shape)
        for total, part in zip(totals, sums, strict=True):
            add(total, part)
        return totals


def _count(job: _RowsJob, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    numbers = [number for batch in batches for number in batch.column(0).to_pylist()]
    found, fault = told(job.where, lambda: job.count(numbers))
    if fault is not None:
        yield _batch([(_FAULT, _FAULT, fault)])
    for number, counts in enumerate(found or ()):
        for at, cells in enumerate(counts.values()):
            yield _batch([(number, at, _packed(cells))])


def _sum(parts: pa.Table) -> pa.Table:
    """The sum of one table over all tasks; of faults, one."""
    number, at = parts["tally"][0].as_py(), parts["at"][0].as_py()
    if number == _FAULT:
        return pa.Table.from_batches([_batch([(number, at, min(parts["cells"].to_pylist()))])])
    total = sum(_unpacked(cells.as_py()) for cells in parts["cells"])
    return pa.Table.from_batches([_batch([(number, at, _packed(np.asarray(total)))])])


def _batch(rows: Sequence[tuple[int, int, bytes]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(c, kind) for c, kind in zip(columns, _SHAPE.values(), strict=True)]
    return pa.record_batch(arrays, list(_SHAPE))


def _packed(cells: npt.NDArray[np.integer]) -> bytes:
    """Cells in 64 bits, so that sums over tasks fit, with their number before the compressed."""
    plain = np.ascontiguousarray(cells, "<i8").tobytes()
    packed: bytes = pa.compress(plain, "lz4", asbytes=True)
    return len(plain).to_bytes(8, "little") + packed


def _unpacked(cells: bytes) -> npt.NDArray[np.int64]:
    size = int.from_bytes(cells[:8], "little")
    return np.frombuffer(pa.decompress(cells[8:], size, "lz4", asbytes=True), "<i8")
