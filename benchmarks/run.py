"""Run every benchmark of this folder, one after the other.

    python benchmarks/run.py            all of them
    python benchmarks/run.py practice   only benchmarks/practice.py

Each prints a table of its own: figures, targets, and the peer measured in the same run.  At the end
there is one line for each: CPU and wall seconds, and whether it met its targets.  The first run
takes some six CPU hours, nearly two of which are the peers': finished runs of theirs are kept and
used again (``CTDHUB_BENCH_CACHE``), so that a run that was cut off does not begin anew with them.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

PARTS = {"run", "estimate_worlds", "signal_worlds"}
"""Modules of others, and this one."""
OF_A_SITE = {"desk_pages", "page_heights", "page_weights"}
"""They are asked of a site or a demo desk: ``python benchmarks/page_weights.py SITE``."""


def main() -> int:
    """Run the named benchmarks, or all; the exit code counts those that missed a target."""
    folder = Path(__file__).parent
    every = [p for p in sorted(folder.glob("*.py")) if p.stem not in PARTS | OF_A_SITE]
    chosen = [p for p in every if not sys.argv[1:] or p.stem in sys.argv[1:]]
    told, missed = [], 0
    for script in chosen:
        print(f"\n== {script.stem}", flush=True)
        begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        code = subprocess.run([sys.executable, str(script)], check=False).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        missed += code != 0
        wall, met = time.monotonic() - begun, "MISSED" if code else "met"
        told.append(f"{script.stem:18} {cpu:8.0f} CPU s {wall:8.0f} s  {met}")
    print("\n== all", *told, sep="\n")
    return missed


if __name__ == "__main__":
    sys.exit(main())
