"""Run every benchmark of this folder, one after the other.

    python benchmarks/run.py            all of them
    python benchmarks/run.py practice   only benchmarks/practice.py

Each prints a table of its own: figures, targets, and the peer measured in the same run.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the named benchmarks, or all; the exit code counts those that missed a target."""
    folder = Path(__file__).parent
    every = sorted(p for p in folder.glob("*.py") if p.name != "run.py")
    chosen = [p for p in every if not sys.argv[1:] or p.stem in sys.argv[1:]]
    missed = 0
    for script in chosen:
        print(f"\n== {script.stem}", flush=True)
        missed += subprocess.run([sys.executable, str(script)], check=False).returncode != 0
    return missed


if __name__ == "__main__":
    sys.exit(main())
