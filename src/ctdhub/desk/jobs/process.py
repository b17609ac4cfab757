"""A child process that works on one job: bounded in memory, ended with its whole group.

The child is the first of a session of its own.  It ends when its parent does: the parent holds one
end of a pipe and never writes to it, and the child ends its group when the pipe is closed, even by
a ``kill -9``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

GRACE = 5.0
"""Seconds that a child has to end by itself once it was asked to."""
_LOOK_EVERY = 0.2


def run_child(
    command: Sequence[str], cancelled: Callable[[], bool], *, look_every: float = _LOOK_EVERY
) -> tuple[int, bool]:
    """Run a command to its end, or until it is to be cancelled.

    Args:
        command: a program that calls :func:`end_with_parent` first of all.
        cancelled: asked again and again; once it says yes the group is ended.

    Returns:
        Exit code (minus the signal that ended it), and whether it was cancelled.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as child:
        try:
            while True:
                try:
                    return child.wait(look_every), False
                except subprocess.TimeoutExpired:
                    if cancelled():
                        return _end(child), True
        except BaseException:  # whatever ends us ends the child too
            _end(child)
            raise


def _end(child: subprocess.Popen[bytes]) -> int:
    _signal(child, signal.SIGTERM)
    try:
        code = child.wait(GRACE)
    except subprocess.TimeoutExpired:
        code = 0
    _signal(child, signal.SIGKILL)  # what is left of its group
    return code or child.wait()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def end_with_parent(pipe: int = 0) -> None:
    """End this process and its group once the other end of a pipe is closed."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(pipe, 1):
                time.sleep(_LOOK_EVERY)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    if os.getpgrp() == os.getpid():  # only ever the group that was made for it
        threading.Thread(target=wait, daemon=True).start()


def bound_memory(size: int) -> None:
    """Let this process take so many bytes more than it has, where the system can bound it."""
    try:
        import resource
        from pathlib import Path

        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (ImportError, OSError, ValueError, IndexError):
        return
    limit: Any = pages * resource.getpagesize() + size
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
