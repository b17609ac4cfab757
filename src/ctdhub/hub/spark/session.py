"""The session on a cluster and its workers: started at first need, stopped with the build."""

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
from functools import cache, partial
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from warnings import filterwarnings

import pyarrow as pa

import ctdhub
from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import Text, current, language
from ctdhub.hub.folder import SparkSettings
from ctdhub.hub.steps import Step, hash_folder

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
        found = pool.submit(tasks.toArrow)
        left, begun = list(stale), monotonic()
        try:
            while not wait([found], LOOK).done:
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
            answers_of(found.result())
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
    found = pickle.loads(answer)  # noqa: S301 - made by our own workers
    if isinstance(found, HubError):
        raise found
    return found
