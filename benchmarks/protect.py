"""The privacy engine beside its peers: error, false combinations, coverage, CPU and memory.

    python benchmarks/protect.py                  everything; writes docs/explanation/benchmarks.md
    python benchmarks/protect.py --quick          one repetition, small tables, printed only
    python benchmarks/protect.py --only adult     one part: narrow, countries, adult, million, curve
    python benchmarks/protect.py --fresh          forget the stored results of the peers
    python benchmarks/protect.py --report         no runs: write the page from what is stored

Tables, the peers' environments and finished runs are kept in the folder CTDHUB_BENCH_CACHE, or
~/.cache/ctdhub-bench.  The first full run takes hours, for the peers are slow; later ones only run
ctdhub anew.  The data and the scorer lie in ../shared; where they are absent, parts are skipped.

The work is done by the package beside this file, in an environment of its own with pandas, which
the product does not need.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from engine.environments import build
from engine.store import cache_folder

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Hand over to the judge; its exit code is 1 where a target was missed."""
    python = build("judge", HERE / "engine" / "judge.txt", cache_folder())
    ctdhub = Path(sys.executable).with_name("ctdhub")
    settings = os.environ | {"PYTHONPATH": str(HERE), "CTDHUB_BENCH_COMMAND": str(ctdhub)}
    command = [python, "-m", "engine", *sys.argv[1:]]
    return subprocess.run(command, env=settings, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
