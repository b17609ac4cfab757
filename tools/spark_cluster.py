"""A Spark cluster on this machine: a master and workers as processes of their own, on loopback.

    python tools/spark_cluster.py make test     a cluster for as long as the command runs

The command finds the address of the master in CTDHUB_SPARK_MASTER, and the cluster's settings with
its secret where SPARK_CONF_DIR says.  Processes authenticate and encrypt what they send, as a hub
expects.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

MASTER, SETTINGS = "CTDHUB_SPARK_MASTER", "SPARK_CONF_DIR"
SPARK = Path(find_spec("pyspark").origin).parent if find_spec("pyspark") else Path()
DEPLOY = "org.apache.spark.deploy"
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Java's options for processes that live a minute: compiling well costs more than it brings."""
DAEMON = ("java", *QUICK.split(), "-Xmx256m", "-cp", f"{SPARK}/jars/*")
PATIENCE = 60.0
"""Seconds to wait until a process answers."""

SECURE = (
    "spark.authenticate true",
    "spark.network.crypto.enabled true",
    "spark.network.crypto.authEngineVersion 2",
    "spark.io.encryption.enabled true",
)
SHORT = (
    f"spark.driver.defaultJavaOptions {QUICK}",
    f"spark.executor.defaultJavaOptions {QUICK}",
    "spark.ui.enabled false",
)


@dataclass
class Cluster:
    """Running processes.

    Attributes:
        master: address as a hub names it.
        folder: settings, logs and what workers leave behind; deleted with the cluster.
    """

    master: str
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to work on the cluster."""
        return {MASTER: self.master, SETTINGS: str(self.folder)}

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a process of Spark."""
        home = {"SPARK_HOME": str(SPARK), "SPARK_LOCAL_IP": "127.0.0.1"}
        home["PYSPARK_PYTHON"] = sys.executable
        home["SPARK_SCALA_VERSION"] = "2.13"  # or a worker searches for a source tree
        with (self.folder / f"daemon-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env={**os.environ, **home, **self.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )
        self.processes.append(process)
        return process

    def add_worker(self, cores: int, memory: str) -> subprocess.Popen[bytes]:
        """Start a worker; programs that run already get its cores too."""
        place = self.folder / f"worker-{len(self.processes)}"
        return self.run(
            *DAEMON, f"{DEPLOY}.worker.Worker", "--host", "127.0.0.1", "--webui-port", "0",
            "--cores", str(cores), "--memory", memory, "--work-dir", str(place), self.master,
        )  # fmt: skip

    def add_connect_server(self) -> str:
        """Start a Spark Connect server with two cores of its own; gives its address.

        It tries a task up to four times, as a cluster does.
        """
        port = free_port()
        self.run(
            str(SPARK / "bin" / "spark-submit"), "--master", "local[2,4]",
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--conf", f"spark.connect.grpc.binding.port={port}",
            "--conf", "spark.connect.grpc.binding.address=127.0.0.1", "spark-internal",
        )  # fmt: skip
        self.wait_for("Spark Connect server started")
        return f"sc://127.0.0.1:{port}"

    def log(self) -> str:
        """What the daemons said."""
        return "\n".join(p.read_text("utf-8") for p in sorted(self.folder.glob("*.log")))

    def wait_for(self, words: str, times: int = 1) -> None:
        """Wait until a daemon's log holds the words so many times.

        Raises:
            TimeoutError: it does not in a minute.
        """
        until = time.monotonic() + PATIENCE
        while self.log().count(words) < times:
            if time.monotonic() > until:
                raise TimeoutError(self.log())
            time.sleep(0.1)

    def stop(self) -> None:
        """End all processes; executors end with their worker."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(PATIENCE)


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def cluster(workers: int = 2, cores: int = 1, memory: str = "1g") -> Iterator[Cluster]:
    """A master and workers that have found it.

    Args:
        cores, memory: of each worker.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="spark-cluster-") as folder:
        made = Cluster(f"spark://127.0.0.1:{port}", Path(folder))
        settings = made.folder / "spark-defaults.conf"
        settings.touch(mode=0o600)
        settings.write_text(
            "\n".join((*SECURE, *SHORT, f"spark.authenticate.secret {secrets.token_hex(32)}"))
        )
        try:
            made.run(
                *DAEMON, f"{DEPLOY}.master.Master", "--host", "127.0.0.1",
                "--port", str(port), "--webui-port", "0",
            )  # fmt: skip
            made.wait_for("New state: ALIVE")
            for _worker in range(workers):
                made.add_worker(cores, memory)
            made.wait_for("Successfully registered with master", workers)
            yield made
        finally:
            made.stop()


def main() -> int:
    """Run the command that is given, with a cluster beside it."""
    with cluster() as made:
        return subprocess.run(
            sys.argv[1:], env={**os.environ, **made.environment}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
