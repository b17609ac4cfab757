"""Where finished runs lie: one folder each in the cache, reused by the next benchmark.

Belongs here: the layout of the cache.  Does not belong here: running or scoring.

    <cache>/data/…                               tables and domains files
    <cache>/venv/<peer>/…                        each peer's own environment
    <cache>/runs/<contender>/<data>/eps<e>/<k>/  used.json, stages.json, scores.json, outputs
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """CTDHUB_BENCH_CACHE, else ~/.cache/ctdhub-bench; never inside the project."""
    return Path(os.environ.get("CTDHUB_BENCH_CACHE") or Path.home() / ".cache" / "ctdhub-bench")


@dataclass(frozen=True)
class Run:
    """One contender on one data set at one epsilon, one repetition; `used` is None until run."""

    contender: str
    data: str
    epsilon: float
    repetition: int
    cache: Path

    @property
    def folder(self) -> Path:
        """Its place in the cache."""
        where = self.cache / "runs" / self.contender / self.data
        return where / f"eps{self.epsilon:g}" / str(self.repetition)

    def read(self, name: str) -> dict[str, Any] | None:
        """One of its JSON files, or None."""
        path = self.folder / name
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Write one of its JSON files whole."""
        part = self.folder / f"{name}.part"
        part.write_text(json.dumps(content, indent=1), "utf-8")
        part.replace(self.folder / name)

    @property
    def used(self) -> dict[str, Any] | None:
        """Wall and CPU seconds, peak MB, exit code; None where it has not been run."""
        return self.read("used.json")

    @property
    def finished(self) -> bool:
        """Whether it ended well within its limit."""
        used = self.used
        return used is not None and used["exit"] == 0

    def clear(self) -> None:
        """Forget it and begin anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
