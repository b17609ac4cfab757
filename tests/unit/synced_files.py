"""What is forced to disk while a test runs, as a fixture."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files and folders as they are forced to disk."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("the names of open files are not to be had here")
    found: list[str] = []
    real = os.fsync

    def watch(handle: int) -> None:
        found.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    monkeypatch.setattr(os, "fsync", watch)
    return found
