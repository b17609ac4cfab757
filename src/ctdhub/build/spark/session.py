"""The session on a cluster: started at first need, with encryption, stopped with the build."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from warnings import filterwarnings

from ctdhub.build.spark.settings import SparkSettings
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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
    log = resources.files("ctdhub.build.spark") / "log4j2.properties"
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
