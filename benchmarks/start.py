"""What it costs to start: CPU seconds and peak memory, beside the imports of two libraries.

    python benchmarks/start.py

Each line is the cheapest of three fresh processes.  Limits were set on a machine where ``import
pyarrow`` took 0.29 s; on a slower one they are raised in proportion, so that it misses none.
"""

from __future__ import annotations

import os
import subprocess
import sys

PYARROW_THERE = 0.29
RUNS = 3
COMMAND = (
    "import sys; sys.argv = ['ctdhub', *sys.argv[1:]]; from ctdhub.cli.main import main; main()"
)
LINES: list[tuple[str, list[str], float, float]] = [
    ("import typer", ["import typer"], 0, 0),
    ("import pyarrow", ["import pyarrow"], 0, 0),
    ("import ctdhub", ["import ctdhub"], 0.05, 30),
    ("import ctdhub.client", ["import ctdhub.client"], 0.10, 30),
    ("import ctdhub.border", ["import ctdhub.border"], 0.3, 60),
    ("import ctdhub.dp.ledger.book", ["import ctdhub.dp.ledger.book"], 0.15, 30),
    ("import ctdhub.dp.engine", ["import ctdhub.dp.engine"], 0.9, 160),
    (
        "import ctdhub.sensitive.mapping.drafting.suggest",
        ["import ctdhub.sensitive.mapping.drafting.suggest"],
        0.7,
        110,
    ),
    ("import ctdhub.site.build", ["import ctdhub.site.build"], 1.0, 120),
    ("ctdhub --help", [COMMAND, "--help"], 0.4, 50),
    ("ctdhub verify --help", [COMMAND, "verify", "--help"], 0.9, 140),
    ("ctdhub build --help", [COMMAND, "build", "--help"], 0.9, 140),
    ("ctdhub suggest --help", [COMMAND, "suggest", "--help"], 0.9, 140),
    ("ctdhub site --help", [COMMAND, "site", "--help"], 0.9, 140),
]
"""What is started; CPU seconds and MB at most, 0 where there is no limit."""

ASK = (
    "import os, resource, subprocess, sys\n"
    "subprocess.run([sys.executable, '-c', *sys.argv[1:]], stdout=subprocess.DEVNULL, check=True)\n"
    "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "unit = 1024**2 if sys.platform == 'darwin' else 1024\n"
    "print(used.ru_utime + used.ru_stime, used.ru_maxrss / unit)\n"
)


def cost(words: list[str]) -> tuple[float, float]:
    """CPU seconds and peak MB of a fresh process, the least of some runs."""
    found = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-c", ASK, *words],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "CTDHUB_LANG": "en"},
        )
        seconds, megabytes = map(float, done.stdout.split())
        found.append((seconds, megabytes))
    return min(s for s, _ in found), min(m for _, m in found)


def main() -> int:
    """Print the table; the exit code is 1 where a limit is missed."""
    found = {name: cost(words) for name, words, _, _ in LINES}
    scale = max(found["import pyarrow"][0] / PYARROW_THERE, 1.0)
    missed = 0
    print(f"{'':42}{'CPU s':>7}{'limit':>7}{'MB':>6}{'limit':>7}")
    for name, _, seconds, megabytes in LINES:
        cpu, memory = found[name]
        limit = seconds * scale
        over = bool(seconds) and (cpu > limit or memory > megabytes)
        missed += over
        limits = (f"{limit:.2f}", f"{megabytes:.0f}") if seconds else ("", "")
        print(
            f"{name:42}{cpu:7.2f}{limits[0]:>7}{memory:6.0f}{limits[1]:>7}"
            + ("  MISSED" if over else "")
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
