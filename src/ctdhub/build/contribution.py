"""One file as a contributor sent it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Contribution:
    """One raw file as received: ``contributions/<contributor>/<date>/<file>``."""

    contributor: str
    date: str
    file: Path
