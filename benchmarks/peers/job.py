"""What every peer's runner is given, and what it hands back.

    python RUNNER.py JOB.json

The job names `table` (parquet, text columns, "" = not recorded), `domains` (column -> its
values), `epsilon`, `delta`, `seed` and the folder `out`.  A runner writes `records.csv` and,
where the peer has them, `aggregates.csv` (selections, count) into that folder, and after each
stage `stages.json`: CPU and wall seconds since its imports ended.

Belongs here: that contract.  Does not belong here: anything of one peer.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


class Job:
    """One job, and the clock of its stages."""

    def __init__(self) -> None:
        self._job: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text("utf-8"))
        self.table: str = self._job["table"]
        self.domains: dict[str, list[str]] = self._job["domains"]
        self.epsilon: float = self._job["epsilon"]
        self.delta: float = self._job["delta"]
        self.seed: int = self._job["seed"]
        self.out = Path(self._job["out"])
        self._imports = time.process_time()
        self._start = time.monotonic()
        self._stages: dict[str, dict[str, float]] = {}
        self.done("imports")

    def done(self, stage: str) -> None:
        """Write down that a stage has ended, so that a later kill does not lose it."""
        self._stages[stage] = {
            "cpu": round(time.process_time() - self._imports, 3),
            "cpu_with_imports": round(time.process_time(), 3),
            "wall": round(time.monotonic() - self._start, 3),
        }
        part = self.out / "stages.json.part"
        part.write_text(json.dumps(self._stages), "utf-8")
        part.replace(self.out / "stages.json")
