"""What a fresh process loads, and how much memory that takes, by ``zones.toml``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ZONES = tomllib.loads((HERE / "zones.toml").read_text("utf-8"))
PROCESSES: list[dict[str, Any]] = ZONES["process"]
COMMANDS: list[dict[str, Any]] = ZONES["command"]


@cache
def fresh(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(HERE / "fresh.py"), *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "CTDHUB_LANG": "en"},
    )
    found: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return found


def allowed(name: str, rooms: list[str]) -> bool:
    """Whether a module is in one of the rooms, or is a package around a module that is named."""
    return any(f"{name}.".startswith(f"{r}.") or f"{r}.".startswith(f"{name}.") for r in rooms)


def hold(found: dict[str, Any], limits: dict[str, Any]) -> None:
    loaded = set(found["modules"])
    ours = {name.removeprefix("ctdhub.") for name in loaded if name.startswith("ctdhub.")}
    foreign = {name for name in ours if not allowed(name, limits["ours"])}
    assert not foreign, "a room that this process should not load"
    tops = {name.partition(".")[0] for name in loaded}
    assert not tops & set(limits["never"])
    theirs = fresh("import", "pyarrow.parquet")["megabytes"] if "pyarrow" in tops else 0
    assert found["megabytes"] - theirs <= limits["megabytes"]


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(
            limits,
            id=limits["import"],
            marks=pytest.mark.spine("what a zone loads") if limits.get("spine") else (),
        )
        for limits in PROCESSES
    ],
)
def test_an_import(limits: dict[str, Any]) -> None:
    hold(fresh("import", limits["import"]), limits)


@pytest.mark.parametrize("limits", COMMANDS, ids=lambda limits: " ".join(limits["words"]))
def test_a_command(limits: dict[str, Any]) -> None:
    found = fresh("command", *limits["words"])
    hold(found, limits)
    assert found["code"] == (0 if limits["words"][-1] in ("--help", "--version") else 2)


def test_the_whole_command_holds_every_verb() -> None:
    """The entry of all verbs at once says something of each."""
    from ctdhub.cli.verbs import modules

    assert set(modules()) <= set(fresh("command", "--no-such-option")["modules"])
