"""The processes of a desk: each alone, or all as children of one command; apart, for it
starts before Django.

A system service starts each with ``ctdhub desk HUB --only NAME``, as a user of its own; what runs
then is ``python -m ctdhub.desk.processes NAME``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from types import FrameType

from ctdhub.core.errors import error
from ctdhub.desk.config import FOLDER_VARIABLE, DeskConfig

PROCESSES: dict[str, tuple[str, ...]] = {
    "web": ("ctdhub.desk.web",),
    "files": ("ctdhub.desk.worker.serve", "files"),
    "build": ("ctdhub.desk.worker.serve", "build"),
    "answers": ("ctdhub.desk.worker.answering",),
    "mail": ("ctdhub.desk.mail",),
}
"""Names of processes and, for each, the module whose ``main`` it is, and arguments of that."""

_PATIENCE = 10.0
MOST_STARTS = 5


def environment(desk: DeskConfig, name: str) -> dict[str, str]:
    """The environment of a process: the hub folder, and its own user of the database.

    ``DATABASE_URL_WORK`` is for those that write the hub folder, ``DATABASE_URL`` for the web.
    """
    found = {**os.environ, FOLDER_VARIABLE: str(desk.hub)}
    found.pop("DATABASE_URL_OWNER", None)
    work = found.pop("DATABASE_URL_WORK", None)
    if work and name != "web":
        found["DATABASE_URL"] = work
    return found


def run_all(desk: DeskConfig, names: tuple[str, ...] = tuple(PROCESSES)) -> int:
    """Run these processes until this one is told to end; gives the exit code.

    One that ends by itself is started again, :data:`MOST_STARTS` times in all; then all end.

    Raises:
        HubError: a restore into this folder is not done, or began while they ran (rule
            "restore-unfinished").
    """
    _refuse_unfinished(desk)
    children = {name: _child(desk, name) for name in names}
    starts = dict.fromkeys(names, 1)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    failed = 0
    try:
        while not failed:
            time.sleep(0.2)
            _refuse_unfinished(desk)
            for name, child in children.items():
                if child.poll() is None:
                    continue
                if starts[name] == MOST_STARTS:
                    failed = abs(child.returncode) or 1
                    break
                starts[name] += 1
                time.sleep(1)
                children[name] = _child(desk, name)
    except KeyboardInterrupt:
        pass
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            try:
                child.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
    return failed


def _refuse_unfinished(desk: DeskConfig) -> None:
    if desk.restoring.exists():
        raise error("restore-unfinished", file=desk.hub)


def _child(desk: DeskConfig, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ctdhub.desk.processes", name]
    return subprocess.Popen(command, env=environment(desk, name))


def main(name: str) -> int:
    """Be one process of the desk until it is told to end; gives the exit code."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    import django

    django.setup()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    module, *given = PROCESSES[name]
    try:
        return int(import_module(module).main(*given) or 0)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
