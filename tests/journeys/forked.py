"""Work in forked children: they have all that this process loaded, and can really be killed.

Loading what a build needs takes longer than building a small hub, so a child is forked from a
process that has built one (fixture ``warm``).  What a kill leaves behind is no different.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import pytest

from ctdhub.build import find_person, pipeline
from ctdhub.build import withdraw as withdraw_stage
from ctdhub.build.hub import Hub
from ctdhub.build.stages import approve as approve_stage
from ctdhub.cli import main
from ctdhub.core.keys.signing import read_key

DURABLE = ("fsync", "rename", "replace")
"""Calls that make data durable or visible: the points at which a child is killed."""

PATIENCE = 300.0
"""Seconds for one child."""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


class Child:
    """A forked child that does some work.

    Args:
        work: gives the exit code, or ends by SystemExit.
    """

    def __init__(self, work: Callable[[], int]) -> None:
        self._out: tuple[IO[bytes], IO[bytes]] = (
            tempfile.TemporaryFile(),  # noqa: SIM115 - both are read once the child has ended
            tempfile.TemporaryFile(),  # noqa: SIM115
        )
        self._pid = os.fork()
        if self._pid == 0:
            os._exit(self._run(work))

    def _run(self, work: Callable[[], int]) -> int:
        for number, file in enumerate(self._out, 1):
            os.dup2(file.fileno(), number)
        sys.stdout, sys.stderr = (open(n, "w", encoding="utf-8", closefd=False) for n in (1, 2))  # noqa: SIM115
        code = 70
        try:
            code = work()
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException:  # noqa: BLE001 - whatever it is, the test is told
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        return code

    def communicate(self) -> tuple[int, str, str]:
        """Exit code (minus the signal that killed it), what it printed, what it complained."""
        end = time.monotonic() + PATIENCE
        while not (found := os.waitpid(self._pid, os.WNOHANG))[0]:
            if time.monotonic() > end:
                os.kill(self._pid, signal.SIGKILL)
            time.sleep(0.005)
        said = []
        for file in self._out:
            with file:
                file.seek(0)
                said.append(file.read().decode("utf-8"))
        return os.waitstatus_to_exitcode(found[1]), said[0], said[1]


def begin(*words: object) -> Child:
    """The command in English in a child of its own."""

    def work() -> int:
        os.environ["CTDHUB_LANG"] = "en"
        main.console.width = main.errors.width = 400
        sys.argv = ["ctdhub", *map(str, words)]
        main.main()
        return 0

    return Child(work)


def arm(point: int) -> None:
    """Make the process kill itself just before its ``point``-th durable call."""
    calls = 0

    def wrap(original):  # type: ignore[no-untyped-def]
        def armed(*args, **kwargs):  # type: ignore[no-untyped-def]
            nonlocal calls
            calls += 1
            if calls == point:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        return armed

    for name in DURABLE:
        setattr(os, name, wrap(getattr(os, name)))


def approve(hub: Hub) -> None:
    """The second signature, and so the publication."""
    candidate = approve_stage.waiting(hub)
    given, _manifest = approve_stage.statement(hub, candidate, "privacy_officer")
    approve_stage.approve(hub, candidate, given, read_key(hub.practice_key("privacy_officer")))


def withdraw(hub: Hub) -> None:
    """Two people of a practice contributor withdraw, both or neither."""
    numbers = ["PRACTICE-000001", "PRACTICE-000002"]
    found = find_person.look_up(hub, "harbour-casework", numbers, "case", "person", "asked")
    withdraw_stage.withdraw(hub, found.entries)


VERBS = {"build": pipeline.build, "approve": approve, "withdraw": withdraw}


def kill(template: Hub, verb: str, points: Iterable[int]) -> list[int]:
    """Points at which a copy of the hub was killed: ``killed-<point>`` beside the template.

    Args:
        points: numbers of durable calls, from 1; a child that has fewer does its work.
    """
    killed = []
    for point in points:
        hub = Path(template.root).with_name(f"killed-{point}")
        shutil.copytree(template.root, hub, symlinks=True)

        def work(point: int = point, hub: Path = hub) -> int:
            arm(point)
            VERBS[verb](Hub(hub))
            return 0

        code, _out, err = Child(work).communicate()
        assert code in (0, -signal.SIGKILL), (point, err)
        if code:
            killed.append(point)
    return killed
