"""A cluster: its session and workers, records to people on it, rows of people counted there."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from warnings import filterwarnings

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import ctdhub
from ctdhub.core.errors import HubError, error
from ctdhub.core.files import sync
from ctdhub.core.i18n import Text, current, language
from ctdhub.dp.count import Counts, InParquet, Tally, add
from ctdhub.hub.folder import SparkSettings
from ctdhub.hub.steps import Step, hash_folder
from ctdhub.schema.model import PERSON, load_schema
from ctdhub.sensitive.linkage import people
from ctdhub.sensitive.linkage.people import MENTIONED, Linking, PartitionsPlaces, Totals
from ctdhub.sensitive.mapping.run import RECORDS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# --------------------------------------------------------------------------------------------------
# The session on a cluster: started at first need, with encryption, stopped with the build.

PORTS = {"spark": 7077, "sc": 15002}
"""Where a standalone master and a Spark Connect server listen by default."""

PYTHON = "spark.pyspark.python"
SECURE = {
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    "spark.network.crypto.authEngineVersion": "2",
    "spark.io.encryption.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.eventLog.enabled": "false",
}
"""Processes prove to each other that they know the cluster's secret; what they send, and what they
write to disk on the way, is encrypted; no page that anybody may open shows the work."""

AT_RUN = {"spark.sql.execution.arrow.maxRecordsPerBatch": "50000"}
"""Settings that a session may make on any cluster."""


def config(settings: SparkSettings) -> dict[str, str]:
    """All settings of the session.  Over Spark Connect its owner makes those of the cluster.

    Raises:
        SparkError: the settings of the hub would send records in the open.
    """
    opened = [name for name, value in SECURE.items() if settings.config.get(name, value) != value]
    if opened:
        raise error("spark-open", file="hub.yaml", names=", ".join(opened))
    if settings.master.startswith("sc://"):
        if not _IN_PRIVATE.match(settings.master):
            raise error("spark-open/unencrypted", file="hub.yaml")
        return AT_RUN | settings.config
    log = resources.files("ctdhub.hub.spark") / "log4j2.properties"
    own = {
        "spark.app.name": "ctdhub",
        PYTHON: sys.executable,
        "spark.log.level": "OFF",  # faults come back as errors; Python's own may tell values
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={log}",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.adaptive.enabled": "false",  # parts of people must stay as they were counted
    }
    if settings.master.startswith("local"):
        own |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return own | SECURE | AT_RUN | settings.config


_IN_PRIVATE = re.compile(r"sc://((localhost|127\.0\.0\.1|\[::1\])[:/;]|.*;use_ssl=true(;|$))")


@contextmanager
def session(settings: SparkSettings) -> Iterator[SparkSession]:
    """A session on the cluster, stopped at the end.

    Raises:
        SparkError: pyspark or Java is missing, or the cluster cannot be reached.
    """
    connect = settings.master.startswith("sc://")
    _require(java=not connect)
    from pyspark.sql import SparkSession

    made, builder = config(settings), SparkSession.builder
    builder = builder.remote(settings.master) if connect else builder.master(settings.master)
    for name, value in made.items():
        builder = builder.config(name, value)
    if not connect:
        os.environ["PYSPARK_PYTHON"] = made[PYTHON]  # the one place where pyspark looks for it
    filterwarnings("ignore", ".*fully support pandas", FutureWarning)  # none is used here
    with failing(_not_started, also=(RuntimeError, ValueError, OSError)):
        _reach(settings.master)
        started = builder.getOrCreate()
    try:
        yield started
    finally:
        started.stop()


def _reach(master: str) -> None:
    """Knock at the cluster's door, for Spark itself would knock for ten minutes."""
    place = urlsplit(master)
    if place.scheme in PORTS and place.hostname and "," not in place.netloc:
        socket.create_connection((place.hostname, place.port or PORTS[place.scheme]), 10).close()


def _require(*, java: bool) -> None:
    if find_spec("pyspark") is None:
        raise error("spark-extra", file="hub.yaml")
    home = os.environ.get("JAVA_HOME")
    if java and not (shutil.which("java") or (home and (Path(home) / "bin" / "java").exists())):
        raise error("spark-java", file="hub.yaml")


@contextmanager
def failing(as_what: Any, also: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Spark's failures become errors with a remedy.  Its own words may hold values, so they end."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, *also) as cause:
        raise as_what(type(cause).__name__) from None


def _not_started(kind: str) -> HubError:
    return error("spark-start", file="hub.yaml", kind=kind)


def broken(kind: str) -> HubError:
    """Work on the cluster broke off for no fault of a contributor's file."""
    return error("spark-work", kind=kind)


# --------------------------------------------------------------------------------------------------
# Steps that need nothing of each other, brought up to date by the workers of a cluster.
#
# A worker runs :meth:`Step.refresh`, as this machine would: the same function, into the same folder
# of a file system that all share, renamed into place when it is whole.  A task that Spark runs
# again, or twice at once, finds the step done, or does the same once more.  A step names files and
# never holds what is in them: the hub's key is read by the worker from the hub's folder, and is not
# sent.

LOOK = 0.5
"""Seconds between two looks at how many steps are done."""
PATIENCE = 20.0
"""Seconds without a step done until the steward is asked to look at the cluster: one without free
workers says nothing by itself."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Shared:
    """What a worker must find before it works: the hub's folder, and this very software.

    Attributes:
        probe: a folder that the driver made in the hub's.
        code: content hash of the package.
        language: of the messages.
    """

    probe: Path
    code: str
    language: str

    def check(self) -> None:
        """Refuse to work.

        Raises:
            SparkError: the worker does not see the hub's folder, or runs another version.
        """
        if not self.probe.is_dir():
            raise error("spark-shared")
        if self.code != code_hash():
            raise error("spark-version")


@cache
def code_hash() -> str:
    """Content hash of this package as it is installed here."""
    return hash_folder(Path(ctdhub.__file__).parent)


@contextmanager
def shared(work: Path) -> Iterator[Shared]:
    """The probe in the hub's work folder, as long as workers may look for it.

    Once it is gone, by a later build where this one was killed, a task that lingers refuses.
    """
    probe = work / f".new-spark-{token_hex(8)}"
    probe.mkdir()
    try:
        yield Shared(probe, code_hash(), current())
    finally:
        probe.rmdir()


def refresh(
    spark: SparkSession, steps: Sequence[Step], work: Path, tell: Callable[[str | Text, int], None]
) -> None:
    """Bring steps up to date, each as a task of its own.

    Args:
        steps: of any number, none of which needs another; with absolute paths.
        work: the hub's work folder.
        tell: told (name of the step last seen done, or why there is none yet; number done).

    Raises:
        HubError: the fault of the first step, in their order, that has one; the others are done.
        SparkError: the cluster broke off, or sees another folder or another software.
    """
    stale = [step for step in steps if step.reason() is not None]
    if not stale:
        return
    with shared(work) as where, ThreadPoolExecutor(1) as pool:
        tasks = spark.range(0, len(stale), 1, numPartitions=len(stale)).mapInArrow(
            partial(_refresh, stale, where), "step long, answer binary"
        )
        future = pool.submit(tasks.toArrow)
        left, begun = list(stale), monotonic()
        try:
            while not wait([future], LOOK).done:
                if len(left) == len(stale) and monotonic() - begun >= PATIENCE:
                    asked = Text(
                        "The job is still queued. Check that the Spark cluster has an idle worker."
                    )
                    tell(asked, len(steps) - len(left))
                for step in [step for step in left if step.reason() is None]:
                    left.remove(step)
                    tell(step.name, len(steps) - len(left))
        except BaseException:  # such as Ctrl-C: the workers are told to stop as well
            spark.interruptAll()
            raise
        with failing(broken):
            answers_of(future.result())
    if any(step.reason() is not None for step in stale):  # they wrote to another folder
        raise broken("FileNotFoundError")


def _refresh(
    steps: Sequence[Step], where: Shared, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for number in batch.column(0).to_pylist():
            answer = pickle.dumps(attempt(where, steps[number].refresh))
            yield pa.record_batch([pa.array([number]), pa.array([answer], pa.binary())], ANSWERS)


ANSWERS = ["step", "answer"]
"""The columns of what tasks give: number, and what :func:`attempt` gave, pickled."""


def attempt(where: Shared, work: Callable[[], _Answer]) -> _Answer | HubError:
    """Do work on a worker; a fault with a remedy is handed back, for it is the steward's.

    Raises:
        RuntimeError: anything else went wrong, so that Spark tries again; its words may hold
            values and would lie in the worker's log, so that only its kind is told.
    """
    with language(where.language):
        try:
            where.check()
            return work()
        except HubError as fault:
            return fault
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise  # the worker is told to stop
        except BaseException as cause:  # noqa: BLE001 - whatever it is, its words stay here
            raise RuntimeError(type(cause).__name__) from None


def answers_of(tasks: pa.Table) -> list[Any]:
    """What tasks gave, in their order.

    Raises:
        HubError: the fault of the first that has one.
    """
    return [unpickled(answer) for answer in tasks.sort_by("step")["answer"].to_pylist()]


def unpickled(answer: bytes) -> Any:
    """What a task gave; raises what it is where that is a fault."""
    value = pickle.loads(answer)  # noqa: S301 - made by our own workers
    if isinstance(value, HubError):
        raise value
    return value


# --------------------------------------------------------------------------------------------------
# Records to people on a cluster, and rows of people counted by its workers.


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
                rows = self._in_force(
                    file.read_row_group(group, columns=people.linked_columns(load_schema()))
                )
            persons = people.persons_of(rows)
        else:  # they go where the person goes whose record tells of them
            ids = pq.read_table(records, columns=["record_id", "person_key"])
            children = self._in_force(pq.read_table(perpetrators))
            rows = people.by_person(children, ids, load_schema(), self.linking)
            persons = rows[PERSON].combine_chunks()
        parts = people.divided(rows, self.linking.on_lists(persons), self.parts)
        return [(part, int(group == _CHILDREN), _packed(some)) for part, some in parts]

    def _in_force(self, rows: pa.Table) -> pa.Table:
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
    counts = answers_of(answers)
    totals, left = sum(counts, Totals()), 0
    for records, _children in files if len(gone) else ():
        ids = pq.read_table(records, columns=["record_id"])["record_id"]
        left += pc.sum(pc.is_in(ids, value_set=gone)).as_py() or 0
    if totals.records != rows - left or len(list(places.people.glob("*.parquet"))) != len(counts):
        raise broken("ValueError")  # rows are missing, or workers wrote to another folder
    for leftover in [path for folder in folders for path in folder.glob(f"{_WRITING}*")]:
        leftover.unlink()
    if not counts:  # nobody: one empty part says what the columns are
        job.link(0, _SHAPE.empty_table())
    return totals


def _deal(
    job: _PeopleJob, units: Sequence[_Unit], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for number in (n for batch in batches for n in batch.column(0).to_pylist()):
        outcome = attempt(job.where, partial(job.dealt, units[number]))
        parts = [(_FAULT, 0, pickle.dumps(outcome))] if isinstance(outcome, HubError) else outcome
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
            counts = InParquet(self.files[number], self.grouped_by).counts(self.tallies)
            for total, part in zip(totals, counts, strict=True):
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
            parts = (
                self._spark.range(0, files, 1, numPartitions=tasks)
                .mapInArrow(partial(_count, job), _DEALT)
                .groupBy("part", "at")
                .applyInArrow(_sum, _DEALT)
                .toArrow()
            )
        totals = [tally.none() for tally in tallies]
        sums: list[Counts] = [{} for _tally in tallies]
        for number, at, cells in zip(*(c.to_pylist() for c in parts.columns), strict=True):
            if number == _FAULT:
                unpickled(cells)
            table = tallies[number].tables[at]
            sums[number][table] = _cells(cells).reshape(totals[number][table].shape)
        for total, part in zip(totals, sums, strict=True):
            add(total, part)
        return totals


def _count(job: _RowsJob, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    numbers = [number for batch in batches for number in batch.column(0).to_pylist()]
    outcome = attempt(job.where, lambda: job.count(numbers))
    if isinstance(outcome, HubError):
        yield _batch(_FAULT, _FAULT, pickle.dumps(outcome))
        return
    for number, counts in enumerate(outcome):
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
