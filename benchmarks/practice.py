"""The whole job: the practice hub of 60,000 people, from contributors' files to a site.

    python benchmarks/practice.py [--people 60000]

Prints wall and CPU seconds and peak memory of one run in a process of its own, with the target
that the job takes under 60 s on two cores, and what a second build costs.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET_SECONDS = 60.0


def timed(*arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of ctdhub with these arguments."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-c", "from ctdhub.cli.main import main; main()", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def main() -> int:
    """Build twice and print the figures; 1 where the target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=60_000)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder:
        hub = str(Path(folder) / "hub")
        wall, cpu = timed("demo", hub, "--people", str(people))
        again, cpu_again = timed("build", hub)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"{'':24}{'wall s':>8}{'CPU s':>8}{'peak GB':>9}")
    print(f"{f'demo, {people:,} people':24}{wall:8.1f}{cpu:8.1f}{peak:9.2f}")
    print(f"{'target':24}{TARGET_SECONDS:8.1f}")
    print(f"{'second build':24}{again:8.1f}{cpu_again:8.1f}")
    return int(people == 60_000 and wall > TARGET_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
