"""Two lanes of work, each held by one worker at a time: ``build`` and ``files``.

Whoever holds the lock of a lane knows that a task of it that is said to be running is an orphan of
a worker that died: the lock dies with its process, and nothing else lets it go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.lock import locked

DEATHS = 3
"""A job whose process died so often fails by name; it is not tried again."""

MEMORY = {"build": 2**35, "files": 2**32}
"""Bytes that a job may take beyond what its process has when it begins."""


@contextmanager
def lane(folder: Path, name: str) -> Iterator[None]:
    """Hold a lane.

    Args:
        folder: ``desk/`` of the hub.

    Raises:
        HubError: another worker holds it (rule "lane-taken").
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    held = locked(folder / f".lane-{name}", wait=False)
    try:
        held.__enter__()
    except BlockingIOError:
        raise error("lane-taken", name=name) from None
    try:
        yield
    finally:
        held.__exit__(None, None, None)
