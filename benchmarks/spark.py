"""The rows of scale.py through both engines: what a cluster costs beside one process.

    python benchmarks/spark.py [--rows 1000000] [--file-rows 250000] [--cores 2]

The same hub is harmonised, linked and counted by ``engine: duckdb`` and by ``engine: spark``, each
in a process of its own.  CPU seconds are those of all its processes, Java's and Python's; the start
of Spark counts as part of the first stage.  Both must count the same people.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import yaml
from scale import make_hub

MOST_TIMES = 4.0
"""The most that Spark may cost of what DuckDB costs, in CPU seconds, all stages together."""

ENGINES = ("duckdb", "spark")
TICK = os.sysconf("SC_CLK_TCK")


def cpu(process: int) -> float:
    """CPU seconds of a process, of all that it started, and of those that ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text("ascii").rsplit(")", 1)[1].split()
        children = Path(f"/proc/{process}/task").glob("*/children")
        below = [int(child) for tasks in children for child in tasks.read_text("ascii").split()]
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICK + sum(map(cpu, below))


def peak(process: int) -> tuple[int, float]:
    """Processes, and the most GB that each of them had, added up."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii")
        children = Path(f"/proc/{process}/task").glob("*/children")
        below = [int(child) for tasks in children for child in tasks.read_text("ascii").split()]
    except FileNotFoundError:
        return 0, 0.0
    own = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    found = [peak(child) for child in below]
    return 1 + sum(n for n, _gb in found), sum(own) / 1e6 + sum(gb for _n, gb in found)


def digest(counts: Mapping[tuple[str, ...], np.ndarray]) -> str:
    """SHA-256 of tables by their columns and cells."""
    found = hashlib.sha256()
    for columns in sorted(counts):
        found.update(repr((columns, counts[columns].shape)).encode() + counts[columns].tobytes())
    return found.hexdigest()


def child(root: Path) -> None:
    """All stages with the engine of hub.yaml; prints what each took."""
    from ctdhub.dp.count import Tally
    from ctdhub.dp.plan import plan_of
    from ctdhub.hub.contributions import PEOPLE
    from ctdhub.hub.engine import engine as engine_of
    from ctdhub.hub.folder import Hub, policy
    from ctdhub.hub.stages.harmonise import harmonise_file
    from ctdhub.hub.stages.link import link_people
    from ctdhub.schema.model import load_schema

    hub = Hub(root)
    rules = policy(hub)
    plan = plan_of(rules, load_schema())
    steps = [harmonise_file(hub, given, rules.years) for given in hub.contributions()]
    took: dict[str, object] = {}
    begun = (time.perf_counter(), cpu(os.getpid()))

    def lap(stage: str) -> None:
        nonlocal begun
        now = (time.perf_counter(), cpu(os.getpid()))
        took[stage] = [now[0] - begun[0], now[1] - begun[1]]
        begun = now

    with hub.lock(), engine_of(hub) as engine:
        engine.refresh(steps, lambda step, done: None)
        lap("harmonise")
        engine.refresh([link_people(hub, rules, steps, engine)], lambda step, done: None)
        lap("link")
        people = engine.rows(hub.work / "people" / PEOPLE)
        [counts] = people.counts([Tally(plan.domains, tuple(plan.tables))])
        lap("count")
        took["peak"] = peak(os.getpid())
    took["people"], took["digest"] = int(counts[()]), digest(counts)
    print(json.dumps(took))


def measured(root: Path, engine: str, master: str) -> dict[str, list[float]]:
    """What an engine took, from nothing derived."""
    shutil.rmtree(root / "work", ignore_errors=True)
    file = root / "hub.yaml"
    settings = yaml.safe_load(file.read_text("utf-8")) | {"engine": engine}
    settings["spark"] = {"master": master}
    file.write_text(yaml.safe_dump(settings), "utf-8")
    command = [sys.executable, __file__, "--child", str(root)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def main() -> int:
    """Print both and their ratio; 1 where the target is missed or the counts differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--file-rows", type=int, default=250_000)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--child", type=Path)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child)
        return 0
    if find_spec("pyspark") is None or shutil.which("java") is None:
        print("Not run: it needs pyspark (pip install '.[spark]') and Java.")
        return 0
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "hub"
        make_hub(root, asked.rows, asked.file_rows)
        print(f"{asked.rows:,} rows in files of {asked.file_rows:,}, Spark on {asked.cores} cores")
        for engine in ENGINES:
            found[engine] = measured(root, engine, f"local[{asked.cores}]")
    one, other = (found[engine] for engine in ENGINES)
    heads = ("DuckDB: wall s", "CPU s", "Spark: wall s", "CPU s", "CPU ratio")
    print(" " * 12 + "".join(f"{h:>{w}}" for h, w in zip(heads, (16, 8, 16, 8, 12), strict=True)))
    totals = [[0.0, 0.0], [0.0, 0.0]]
    for stage in ("harmonise", "link", "count"):
        for total, took in zip(totals, (one[stage], other[stage]), strict=True):
            total[:] = [a + b for a, b in zip(total, took, strict=True)]
        show(stage, one[stage], other[stage])
    show("together", *totals)
    for engine in ENGINES:
        processes, gb = found[engine]["peak"]
        print(f"{engine}: {processes} processes, at most {gb:.1f} GB together")
    same = one["digest"] == other["digest"]
    print(f"{one['people']:,} people; the counts are {'equal' if same else 'NOT equal'}")
    ratio = totals[1][1] / totals[0][1]
    print(f"Spark costs {ratio:.1f} times the CPU of DuckDB (target: at most {MOST_TIMES:g})")
    return int(ratio > MOST_TIMES or not same)


def show(stage: str, one: list[float], other: list[float]) -> None:
    """A line of the table."""
    print(f"{stage:12}{one[0]:16.1f}{one[1]:8.1f}{other[0]:16.1f}{other[1]:8.1f}"
          f"{other[1] / one[1]:12.2f}")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
