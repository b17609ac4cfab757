"""Builds and commands in forked children of a process that has built a hub (fixture ``warm``)."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from ctdhub.build import find_person, pipeline
from ctdhub.build import withdraw as withdraw_stage
from ctdhub.build.hub import Hub
from ctdhub.build.stages import approve as approve_stage
from ctdhub.cli import main, output
from ctdhub.core.keys.signing import read_key
from tests.forked import Child
from tests.journeys.conftest import copied

DURABLE = ("fsync", "rename", "replace")
"""Calls that make data durable or visible: the points at which a child is killed."""


def begin(*words: object) -> Child:
    """The command in English in a child of its own."""

    def work() -> int:
        os.environ["CTDHUB_LANG"] = "en"
        output.console.width = output.errors.width = 400
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
        copied(template, hub)

        def work(point: int = point, hub: Path = hub) -> int:
            arm(point)
            VERBS[verb](Hub(hub))
            return 0

        code, _out, err = Child(work).communicate()
        assert code in (0, -signal.SIGKILL), (point, err)
        if code:
            killed.append(point)
    return killed
