"""Two lanes of work, each held by one worker at a time: ``build`` and ``files``.

Whoever holds the lock of a lane knows that a task of it that is said to be running is an orphan of
a worker that died: the lock dies with its process, and nothing else lets it go.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.lock import locked

DEATHS = 3
"""A job whose process died so often fails by name; it is not tried again."""

MEMORY = {"build": 2**35, "files": 2**32}
"""Bytes that a job may take beyond what its process has when it begins."""


@contextmanager
def lane(folder: Path, name: str) -> Iterator[Callable[[], None]]:
    """Hold a lane.

    Args:
        folder: ``desk/`` of the hub.

    Yields:
        A function to call before each piece of work: it raises an error (rule "lane-taken") where
        another folder took the place of this one, in which nobody holds this lane.

    Raises:
        HubError: another worker holds it (rule "lane-taken").
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f".lane-{name}"
    held = locked(file, wait=False)
    try:
        held.__enter__()
    except BlockingIOError:
        raise error("lane-taken", name=name) from None
    own = file.stat()

    def check() -> None:
        try:
            same = os.path.samestat(own, file.stat())
        except OSError:
            same = False
        if not same:
            raise error("lane-taken/replaced", name=name)

    try:
        yield check
    finally:
        held.__exit__(None, None, None)
