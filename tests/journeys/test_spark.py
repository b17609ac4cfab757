"""A hub built on Spark is the hub that DuckDB builds, whatever happens to the cluster meanwhile.

Tests use the cluster that CTDHUB_SPARK_MASTER names, or start one by ``tools/spark_cluster.py``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from spark_cluster import MASTER, SETTINGS, Cluster, cluster

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text, said
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.file import Charge
from ctdhub.hub import contributions, find_person, init, pipeline, review, withdrawals
from ctdhub.hub.folder import Hub
from ctdhub.hub.spark import people
from ctdhub.hub.steps import KEY_FILE
from tests.conftest import NIGHTLY
from tests.fixtures.hubs import COLUMNS, copied, set_limits, set_policy

pytestmark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None,
    reason="Spark or Java is missing: make spark && apt-get install default-jre-headless",
)
PEOPLE = 2_000
by_night = pytest.mark.skipif(not NIGHTLY, reason="a second cluster by night: make test-nightly")


@pytest.fixture(scope="session")
def master() -> Iterator[str]:
    """Address of the cluster."""
    if MASTER in os.environ:
        yield os.environ[MASTER]
        return
    with cluster() as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv(SETTINGS, made.environment[SETTINGS])
        yield made.master


@pytest.fixture(scope="session")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A practice hub, built in one process up to its candidate; do not change it."""
    hub = init.practice_hub(tmp_path_factory.mktemp("spark") / "hub", people=PEOPLE)
    set_policy(hub, columns=COLUMNS, epsilon=60.0, budget={"epsilon": 900.0})
    set_limits(hub, 900.0)
    sent = hub.root / "contributions" / "harbour-casework"
    [first] = sent.iterdir()
    shutil.copytree(first, sent / "2026-02-01")  # delivered twice, so that each record comes twice
    numbers = ["PRACTICE-000001", "PRACTICE-000002"]
    found = find_person.look_up(hub, "harbour-casework", numbers, "case", "person", "asked")
    withdrawals.withdraw(hub, found.entries)
    pipeline.build(hub, until="candidate")
    assert sum(found.records.values()) > 0
    return hub


def on_spark(hub: Hub, folder: Path, master: str, parts: int = 3) -> Hub:
    """The same hub with nothing derived yet, and a cluster to build it."""
    copy = copied(hub, folder)
    shutil.rmtree(copy.work)
    settings = yaml.safe_load((folder / "hub.yaml").read_text("utf-8"))
    config = {"spark.executor.memory": "512m"}
    settings |= {
        "engine": "spark",
        "spark": {"master": master, "partitions": parts, "config": config},
    }
    (folder / "hub.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    return copy


def change_engine(hub: Hub, engine: str) -> None:
    """Let another engine build a hub from now on."""
    file = hub.root / "hub.yaml"
    settings = yaml.safe_load(file.read_text("utf-8")) | {"engine": engine}
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")


def rows(path: Path) -> list[tuple[str, ...]]:
    """Rows of a Parquet file or folder, in an order of their own."""
    columns = pq.read_table(path).to_pydict()
    return sorted(zip(*([str(v) for v in values] for values in columns.values()), strict=True))


def charges(hub: Hub) -> list[Charge]:
    """The lines of a ledger but for their MAC, whose key each copy of a hub has for itself."""
    return [replace(entry, mac="") for entry in Ledger(hub.ledger).entries()]


def assert_same(here: Hub, there: Hub, parts: int) -> None:
    """Two hubs hold the same people, from the same records, with the same account and ledger."""
    for name in (contributions.PEOPLE, contributions.PERPETRATORS):
        table = there.work / "people" / name
        assert len(list(table.glob("*.parquet"))) == parts
        assert rows(table) == rows(here.work / "people" / name)
    for name in (
        contributions.OVERLAP,
        contributions.REPORT,
        "linkage.json",
        "review.csv",
        KEY_FILE,
    ):
        texts = [(hub.work / "people" / name).read_text("utf-8") for hub in (here, there)]
        assert texts[0] == texts[1], name
    harmonised = sorted(p.relative_to(here.work) for p in here.work.glob("harmonised/*/*/*/*"))
    assert len(harmonised) > 20
    for name in harmonised:
        assert (there.work / name).read_bytes() == (here.work / name).read_bytes(), name
    assert review.reports(there) == review.reports(here)
    assert charges(there) == charges(here)
    assert not [p for p in there.work.rglob(".*") if p.name not in (KEY_FILE, ".lock")]


def build_by_command(hub: Hub, made: Cluster | None = None) -> None:
    """Build in a process of its own: one process talks to one cluster, in one way.

    In the tests' own processes that is the cluster of the fixture ``master``.
    """
    command = [Path(sys.executable).with_name("ctdhub"), "build", hub.root, "--until", "candidate"]
    environment = {**os.environ, **(made.environment if made else {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + (made.log()[-4000:] if made else "")


def test_on_a_cluster_as_in_one_process(
    on_duckdb: Hub, master: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by three workers' tasks, the same question is asked, so that nobody pays twice."""
    hub = on_spark(on_duckdb, tmp_path / "hub", master)
    monkeypatch.setattr(people, "PATIENCE", 0.0)
    told: list[Text | str] = []
    done = pipeline.build(hub, until="candidate", progress=lambda step, share: told.append(step))
    assert all(one.reason for one in done)
    assert_same(on_duckdb, hub, parts=3)
    assert len(list(hub.candidates.iterdir())) == 1
    assert "Check that the Spark cluster has an idle worker" in said(told[0])
    assert sum(step.startswith("harmonise") for step in told if isinstance(step, str)) >= 1
    assert not any(one.reason for one in pipeline.build(hub, until="candidate"))

    # Engines can be changed: what one has built, the other goes on with.
    change_engine(hub, "duckdb")
    assert not any(one.reason for one in pipeline.build(hub, until="candidate"))
    set_policy(hub, epsilon=50.0)
    pipeline.build(hub, until="protect")
    assert len(Ledger(hub.ledger).entries()) == len(Ledger(on_duckdb.ledger).entries()) + 1


@by_night
def test_over_spark_connect(on_duckdb: Hub, tmp_path: Path) -> None:
    with cluster(workers=0) as made:
        hub = on_spark(on_duckdb, tmp_path / "hub", made.add_connect_server(), parts=2)
        build_by_command(hub, made)
    assert_same(on_duckdb, hub, parts=2)


def test_a_fault_of_a_file_reads_the_same(on_duckdb: Hub, master: str, tmp_path: Path) -> None:
    """File, row, column, rule and remedy come from the worker, and the other files are done.

    Once the file is corrected, the cores of this machine build what DuckDB builds.
    """
    here, there = tmp_path / "duckdb", on_spark(on_duckdb, tmp_path / "spark", master, parts=2)
    [file] = there.root.glob("contributions/harbour-casework/2026-02-01/*.csv")
    sent = file.read_bytes()
    file.write_bytes(sent + b"x" * 40_000 + sent.splitlines()[-1] + b"\n")
    copied(there, here)
    change_engine(Hub(here), "duckdb")
    faults = []
    for hub in (Hub(here), there):
        with pytest.raises(HubError) as caught:
            pipeline.build(hub, until="link")
        faults.append(caught.value)
    one, other = faults
    assert one.row
    assert one.fix
    assert (type(one), str(one), vars(one)) == (type(other), str(other), vars(other))
    assert len(list(there.work.glob(f"harmonised/*/*/*/{KEY_FILE}"))) == 4
    assert not list(there.work.glob("people"))
    file.write_bytes(sent)
    settings = yaml.safe_load((there.root / "hub.yaml").read_text("utf-8"))
    settings["spark"]["master"] = "local[2]"
    (there.root / "hub.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    build_by_command(there)
    assert_same(on_duckdb, there, parts=2)


@by_night
def test_workers_killed_in_the_middle(on_duckdb: Hub, tmp_path: Path) -> None:
    """One while files are harmonised, one while people are linked; the build does not notice."""
    with cluster(workers=3) as made:
        hub = on_spark(on_duckdb, tmp_path / "hub", made.master, parts=4)
        killed: list[str] = []
        watch = threading.Thread(target=kill_twice, args=(made, hub, killed), daemon=True)
        watch.start()
        build_by_command(hub, made)
    assert killed == ["harmonise", "link"]
    assert_same(on_duckdb, hub, parts=4)


def kill_twice(made: Cluster, hub: Hub, killed: list[str]) -> None:
    """Kill a worker once the first file is harmonised, another once the first people are linked."""
    firsts = {
        "harmonise": (f"harmonised/*/*/*/{KEY_FILE}", "people"),
        "link": (".new-people-*/people.parquet/*.parquet", "people"),
    }
    for number, (stage, (first, after)) in enumerate(firsts.items(), 1):
        while not list(hub.work.glob(first)):
            time.sleep(0.01)
        kill(made, number)
        if not (hub.work / after).exists():
            killed.append(stage)


def kill(made: Cluster, number: int) -> None:
    """Kill a worker and its executor with all that runs in it, as a loss of power would."""
    worker = made.processes[number].pid
    for process in (*below(worker), worker):
        os.kill(process, signal.SIGKILL)


def below(process: int) -> list[int]:
    """Processes that a process has started, and those that they have."""
    found: list[int] = []
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, tasks.read_text("ascii").split()):
            found += [child, *below(child)]
    return found
