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

from ctdhub.build import find_person, pipeline
from ctdhub.build import withdraw as withdraw_stage
from ctdhub.build.hub import Hub
from ctdhub.build.stages import approve as approve_stage
from ctdhub.core.keys.signing import read_key

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
    candidate = approve_stage.waiting(hub)
    given, _manifest = approve_stage.statement(hub, candidate, "privacy_officer")
    approve_stage.approve(hub, candidate, given, read_key(hub.practice_key("privacy_officer")))


def withdraw(hub: Hub) -> None:
    """Two people of a practice contributor withdraw, both or neither."""
    numbers = ["PRACTICE-000001", "PRACTICE-000002"]
    found = find_person.look_up(hub, "harbour-casework", numbers, "case", "person", "asked")
    withdraw_stage.withdraw(hub, found.entries)


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
