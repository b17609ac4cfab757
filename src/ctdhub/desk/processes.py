"""The processes of a desk: each alone, or all as children of one command, and the child that works
on one job; apart, for it starts before Django.

A system service starts each with ``ctdhub desk HUB --only NAME``, as a user of its own; what runs
then is ``python -m ctdhub.desk.processes NAME``.
"""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from ctdhub.core.errors import error
from ctdhub.core.files import locked
from ctdhub.desk.config import FOLDER_VARIABLE, DeskConfig

# --------------------------------------------------------------------------------------------------
# A child process that works on one job: bounded in memory, ended with its whole group.
#
# The child is the first of a session of its own.  It ends when its parent does: the parent holds
# one end of a pipe and never writes to it, and the child ends its group when the pipe is closed,
# even by a ``kill -9``.

GRACE = 5.0
"""Seconds that a child has to end by itself once it was asked to."""
_LOOK_EVERY = 0.2

Child = subprocess.Popen[bytes]


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


def _end(child: Child) -> int:
    _signal(child, signal.SIGTERM)
    return _gone(child, GRACE)


def _gone(child: Child, patience: float) -> int:
    """The exit code of a child that was told to end, once nothing of its group is left."""
    try:
        code = child.wait(patience)
    except subprocess.TimeoutExpired:
        code = 0
    _signal(child, signal.SIGKILL)  # what is left of its group
    return code or child.wait()


def _signal(child: Child, number: int) -> None:
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

        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (ImportError, OSError, ValueError, IndexError):
        return
    limit: Any = pages * resource.getpagesize() + size
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


# --------------------------------------------------------------------------------------------------
# Two lanes of work, each held by one worker at a time: ``build`` and ``files``.
#
# Whoever holds the lock of a lane knows that a task of it that is said to be running is an orphan
# of a worker that died: the lock dies with its process, and nothing else lets it go.

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

    def check() -> None:
        try:
            same = os.path.samestat(own, file.stat())
        except OSError:
            same = False
        if not same:
            raise error("lane-taken/replaced", name=name)

    with contextlib.ExitStack() as locks:
        try:
            locks.enter_context(locked(file, wait=False))
        except BlockingIOError:
            raise error("lane-taken", name=name) from None
        own = file.stat()
        yield check


# --------------------------------------------------------------------------------------------------
# The processes of a desk.

PROCESSES: dict[str, tuple[str, ...]] = {
    "web": ("ctdhub.desk.web",),
    "files": ("ctdhub.desk.worker.serve", "files"),
    "build": ("ctdhub.desk.worker.serve", "build"),
    "answers": ("ctdhub.desk.worker.answering",),
    "mail": ("ctdhub.desk.mail",),
}
"""Names of processes and, for each, the module whose ``main`` it is, and arguments of that."""

MOST_QUICK_DEATHS = 5
"""Deaths in a row of a process that lived less than :data:`_SHORT`; then all end."""
_SHORT, _PAUSE = 10.0, 1.0

log = logging.getLogger("ctdhub.desk")


def environment(desk: DeskConfig, name: str) -> dict[str, str]:
    """The environment of a process: the hub folder, and its own user of the database.

    ``DATABASE_URL_WORK`` is for those that write the hub folder, ``DATABASE_URL`` for the web.
    """
    variables = {**os.environ, FOLDER_VARIABLE: str(desk.hub)}
    variables.pop("DATABASE_URL_OWNER", None)
    work = variables.pop("DATABASE_URL_WORK", None)
    if work and name != "web":
        variables["DATABASE_URL"] = work
    return variables


def run_all(desk: DeskConfig, names: tuple[str, ...] = tuple(PROCESSES)) -> int:
    """Run these processes until this one is told to end; gives the exit code.

    One that ends by itself is started again.  All end with this one, even by a ``kill -9``.

    Raises:
        HubError: a restore into this folder is not done, or began while they ran (rule
            "restore-unfinished").
        OSError: the address of the web processes is taken, or is none of this computer.
    """
    _refuse_unfinished(desk)
    sockets = _listening(desk) if "web" in names else []
    wanted = [name for name in names for _ in range(desk.web_processes if name == "web" else 1)]
    children = [_child(desk, name, sockets) for name in wanted]
    begun, deaths = [time.monotonic()] * len(wanted), [0] * len(wanted)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        while True:
            time.sleep(_LOOK_EVERY)
            _refuse_unfinished(desk)
            for at, child in enumerate(children):
                if child.poll() is None:
                    continue
                log.error("a process ended: %s %s", wanted[at], child.returncode)
                lived = time.monotonic() - begun[at]
                deaths[at] = deaths[at] + 1 if lived < _SHORT else 1
                if deaths[at] == MOST_QUICK_DEATHS:
                    return abs(child.returncode) or 1
                time.sleep(_PAUSE)
                children[at], begun[at] = _child(desk, wanted[at], sockets), time.monotonic()
    except KeyboardInterrupt:
        return 0
    finally:
        for child in children:
            _signal(child, signal.SIGTERM)
        for child in children:
            _gone(child, 2 * GRACE)  # a worker has a child to end


def _refuse_unfinished(desk: DeskConfig) -> None:
    if desk.restoring.exists():
        raise error("restore-unfinished", file=desk.hub)


def _listening(desk: DeskConfig) -> list[socket.socket]:
    """Sockets at the address of the web processes, each of which gets them."""
    addresses = socket.getaddrinfo(desk.file.address, desk.file.port, type=socket.SOCK_STREAM)
    return [
        socket.create_server(place[:2], family=family, backlog=socket.SOMAXCONN)
        for family, *_kind, place in addresses
    ]


def _child(desk: DeskConfig, name: str, sockets: Sequence[socket.socket]) -> Child:
    handles = [one.fileno() for one in sockets] if name == "web" else []
    return subprocess.Popen(
        [sys.executable, "-m", "ctdhub.desk.processes", name, *map(str, handles)],
        env=environment(desk, name),
        stdin=subprocess.PIPE,
        pass_fds=handles,
        start_new_session=True,
    )


def main(name: str, *more: str) -> int:
    """Be one process of the desk until it is told to end; gives the exit code."""
    end_with_parent()
    sys.excepthook = log_unforeseen
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    import django

    django.setup()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    module, *arguments = PROCESSES[name]
    return int(import_module(module).main(*arguments, *more) or 0)


def log_unforeseen(
    kind: type[BaseException], met: BaseException, trace: TracebackType | None
) -> None:
    """Type, rule and place of an error that ends a process go to the log, not its words: a cell."""
    log.error("a process died: %s", getattr(met, "rule", ""), exc_info=(kind, met, trace))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
