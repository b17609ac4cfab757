"""A process that dies, or finds its disk full, at a chosen point of what it writes.

A point is a call that makes, changes, moves or deletes a file or folder below one folder, or forces
it to disk: what an audit hook sees (:pep:`578`), and ``os.fsync``, which has no event.  To be armed
in a child, see ``tests.forked``: a hook stays for the life of its process.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from tests.forked import Child

Fate = Literal["killed", "full", "spared"]
"""Killed just before the call; from the call on there is no room on the disk; or nothing."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_MOVES = {"os.mkdir": 2, "os.rename": 2, "os.remove": 1, "os.rmdir": 1, "os.truncate": -1}
"""By event: which of its arguments is the folder that its first one is in, if any."""
_NEEDS_ROOM = {"open", "os.mkdir", "fsync"}

KILLED = -signal.SIGKILL
FULL = 70
"""Exit code of a child that let the error of a full disk through."""


def arm(folder: Path, point: int, fate: Fate, told: Callable[[str, str], None]) -> None:
    """Let this process come to its fate at a point.

    Args:
        folder: calls elsewhere are no points.
        point: number of the call, from 1.
        told: told the name and the path of each point before it happens.
    """
    root, calls = f"{folder}{os.sep}", 0

    def meet(event: str, path: str) -> None:
        nonlocal calls
        if not f"{path}{os.sep}".startswith(root):
            return
        calls += 1
        told(event, path)
        if fate == "killed" and calls == point:
            os.kill(os.getpid(), signal.SIGKILL)
        if fate == "full" and calls >= point and event in _NEEDS_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event == "open":
            path, _mode, flags = args
            if isinstance(path, str | os.PathLike) and isinstance(flags, int) and flags & _WRITES:
                meet(event, os.fspath(path))
        elif event in _MOVES:
            path, at = args[0], args[_MOVES[event]] if _MOVES[event] > 0 else -1
            if isinstance(path, str | os.PathLike):
                above = _opened(at) if isinstance(at, int) and at >= 0 else ""
                meet(event, str(Path(above) / path))

    def fsync(handle: int) -> None:
        meet("fsync", _opened(handle))
        forced(handle)

    forced = os.fsync
    os.fsync = fsync  # type: ignore[assignment]
    sys.addaudithook(hook)


def _opened(handle: int) -> str:
    return str(Path(f"/proc/self/fd/{handle}").readlink())


def points(folder: Path, work: Callable[[], int]) -> list[str]:
    """Every point of a piece of work that is left to end, in order: event and path."""
    seen = folder.with_name(f"{folder.name}.points")

    def all_of_it() -> int:
        with seen.open("w", encoding="utf-8") as out:
            arm(folder, 0, "spared", lambda event, path: print(event, path, file=out))
            return work()

    code, _out, err = Child(all_of_it).communicate()
    assert code == 0, err
    return seen.read_text("utf-8").splitlines()


def struck(folder: Path, work: Callable[[], int], point: int, fate: Fate) -> tuple[int, str]:
    """Do the work in a child that comes to its fate at a point.

    Returns:
        Exit code, and what was complained.
    """

    def until() -> int:
        arm(folder, point, fate, lambda event, path: None)
        return work()

    code, _out, err = Child(until).communicate()
    return code, err


def every(number: int, among: int) -> Iterator[int]:
    """Points spread over all that there are, the first and the last with them."""
    yield from sorted({1 + round(k * (among - 1) / (number - 1)) for k in range(number)})
