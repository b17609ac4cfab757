"""Work in forked children: they have all that this process loaded, and can really be killed.

Loading what an answer or a build needs takes longer than to make a small one, so a child is forked
from a process that has made one.  What a kill leaves behind is no different.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import IO

import pytest

PATIENCE = 300.0
"""Seconds for one child."""

needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this system has no fork: run on Linux or macOS"
)


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
