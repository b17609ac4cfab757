"""One process at a time: a lock on a file that dies with the process that holds it.

Unix locks the whole file (``fcntl.flock``), Windows its first byte (``msvcrt.locking``, which is
asked again until the byte is free, since its own waiting gives up after ten seconds).  Neither is
needed to import this module.
"""

from __future__ import annotations

import errno
import importlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError

_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
"""What a system says of a file that another process holds."""

_AGAIN = 0.05
"""Seconds between two tries where a system cannot wait by itself."""


@contextmanager
def locked(file: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a file against every other process inside the block; not reentrant.

    Args:
        file: made where there is none, for its owner alone, and never deleted; only ever a lock.
        wait: until it is free; else a file that is held is an error at once.

    Raises:
        BlockingIOError: another process holds it, and ``wait`` is false.
        HubError: this system has no locks (rule "no-lock").
        OSError: the file cannot be made or opened.
    """
    unix, windows = _module("fcntl"), _module("msvcrt")
    if unix is None and windows is None:
        raise _no_lock(file)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if unix is not None:
            unix.flock(handle, unix.LOCK_EX | (0 if wait else unix.LOCK_NB))
            yield
        else:
            _take(windows, handle, wait)
            try:
                yield
            finally:
                windows.locking(handle, windows.LK_UNLCK, 1)
    finally:
        os.close(handle)  # on Unix this lets the lock go


def _take(windows: Any, handle: int, wait: bool) -> None:
    while True:
        try:
            windows.locking(handle, windows.LK_NBLCK, 1)
        except OSError as cause:
            if cause.errno not in _TAKEN:
                raise
            if not wait:
                raise BlockingIOError(cause.errno, os.strerror(cause.errno)) from None
            time.sleep(_AGAIN)
        else:
            return


def _module(name: str) -> Any:
    """A module of the standard library that not every system has; None where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _no_lock(file: Path) -> HubError:
    return error("no-lock", file=file)
