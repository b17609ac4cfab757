"""One file as a contributor sent it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Contribution:
    """One raw file as received: ``contributions/<contributor>/<date>/<file>``."""

    contributor: str
    date: str
    file: Path

    @property
    def sha256(self) -> str:
        """SHA-256 of its bytes, hexadecimal; read once for each version of the file."""
        status = self.file.stat()
        return file_hash(self.file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=10_000)
def file_hash(path: Path, _size: int, _time: int) -> str:
    """SHA-256 of a file, hexadecimal, once for each size and time of its last change."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
