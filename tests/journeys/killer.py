"""Builds or approves in forked children that kill themselves at the n-th write that must survive.

Run as ``python killer.py HUB build|approve|withdraw POINT...``, where the privacy officer
approves; prints ``POINT STATUS`` for each.  The points are the calls that make data durable or
visible: fsync, rename, replace.  Status is "killed" or "done".
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from ctdhub import pipeline, stages
from ctdhub.hub import Hub
from ctdhub.release.keys import read_key

DURABLE = ("fsync", "rename", "replace")


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
    candidate = stages.waiting(hub)
    given, _manifest = stages.statement(hub, candidate, "privacy_officer")
    stages.approve(hub, candidate, given, read_key(hub.practice_key("privacy_officer")))


def withdraw(hub: Hub) -> None:
    """Two people of a practice contributor withdraw, both or neither."""
    numbers = ["PRACTICE-000001", "PRACTICE-000002"]
    found = stages.look_up(hub, "harbour-casework", numbers, "case", "person", "asked")
    stages.withdraw(hub, found.entries)


VERBS = {"build": pipeline.build, "approve": approve, "withdraw": withdraw}


def main(template: Path, verb: str, points: list[int]) -> None:
    for point in points:
        hub = template.with_name(f"killed-{point}")
        shutil.copytree(template, hub, symlinks=True)
        child = os.fork()
        if child == 0:
            arm(point)
            VERBS[verb](Hub(hub))
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(point, "killed" if killed else f"done {status}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [int(p) for p in sys.argv[3:]])
