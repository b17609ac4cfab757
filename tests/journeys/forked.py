"""Builds and commands in forked children of a process that has built a hub (fixture ``warm``)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from ctdhub.cli import main, output
from ctdhub.core.keys.signing import read_key
from ctdhub.hub import find_person, pipeline
from ctdhub.hub import withdrawals as withdraw_stage
from ctdhub.hub.folder import Hub
from ctdhub.hub.stages import publish as approve_stage
from tests import killer
from tests.fixtures.hubs import copied
from tests.forked import Child

DURABLE = ("fsync", "os.rename")
"""Calls that make data durable or visible."""


def begin(*words: object) -> Child:
    """The command in English in a child of its own."""

    def work() -> int:
        os.environ["CTDHUB_LANG"] = "en"
        output.console.width = output.errors.width = 400
        sys.argv = ["ctdhub", *map(str, words)]
        main.main()
        return 0

    return Child(work)


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


def release(hub: Hub) -> None:
    """All that a build does but for the site, whose folder is made as those of other steps are."""
    pipeline.build(hub, until="release")


def build(hub: Hub) -> None:
    """All of a build, the site too."""
    pipeline.build(hub)


VERBS = {"release": release, "build": build, "approve": approve, "withdraw": withdraw}


def points(template: Hub, verb: str) -> list[str]:
    """Every point of a verb on a copy of the hub, in order: event and path, see ``killer``."""
    hub = copied(template, template.root.with_name("spared")).root
    return killer.points(hub, lambda: do(verb, hub))


def kill(template: Hub, verb: str, chosen: Iterable[int]) -> list[int]:
    """Copies of the hub in which a verb was killed: ``killed-<point>`` beside the template.

    Args:
        chosen: numbers of points; a child that has fewer does its work.
    """
    killed = []
    for point in chosen:
        hub = copied(template, template.root.with_name(f"killed-{point}")).root
        code, err = killer.struck(hub, lambda hub=hub: do(verb, hub), point, "killed")
        assert code in (0, killer.KILLED), (point, err)
        if code:
            killed.append(point)
    return killed


def durable(found: Iterable[str]) -> list[int]:
    """Numbers of the points that make data durable or visible."""
    return [n for n, line in enumerate(found, 1) if line.startswith(DURABLE)]


def do(verb: str, hub: Path) -> int:
    VERBS[verb](Hub(hub))
    return 0
