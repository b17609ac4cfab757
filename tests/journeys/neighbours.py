"""Neighbouring worlds: hubs whose contributors sent almost the same, with equal noisy values.

In the first world the noisy tables of a release are kept; in every other world they are put in the
place of its own (so the noise is what they are less the exact tables).  Identifiers, secrets and
times are random or accidental by nature: here they follow from the place in the program that asks,
so that worlds have the same ones.  Whatever then differs between two worlds was made from exact
data by another way than through noise that was charged.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import ctdhub
from ctdhub.core.files import VARIABLE
from ctdhub.dp import sources, workload
from ctdhub.dp.count import Counts
from ctdhub.hub.folder import Hub
from ctdhub.release.approvals import APPROVALS
from tests import envelopes

Seen = dict[str, bytes]
"""What somebody sees: the bytes of files, the exit codes and texts of commands, by their names."""

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


class Pinned(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Pinned:
        return cls(*NOW.timetuple()[:6], tzinfo=tz)


@dataclass(eq=False)
class Chance:
    """Bytes that the place that asks decides, and how often it has asked in this phase."""

    phase: str = ""
    asked: Counter[str] = field(default_factory=Counter)

    def __call__(self, size: int) -> bytes:
        frame = sys._getframe(1)
        while "ctdhub" not in frame.f_globals.get("__name__", "ctdhub") and frame.f_back:
            frame = frame.f_back
        name = f"{self.phase} {frame.f_globals.get('__name__')} {frame.f_lineno}"
        self.asked[name] += 1
        return hashlib.shake_256(f"{name} {self.asked[name]}".encode()).digest(size)


@cache
def asking(what: str) -> tuple[ModuleType, ...]:
    """The modules of ours whose text asks for something, imported."""
    root = Path(ctdhub.__file__).parent
    rooms = ("desk", "kit")  # Django has not begun here, and no verb of the command loads them
    found = [
        f
        for f in sorted(root.rglob("*.py"))
        if f.relative_to(root).parts[0] not in rooms and what in f.read_text("utf-8")
    ]
    names = (".".join(f.relative_to(root.parent).with_suffix("").parts) for f in found)
    return tuple(map(importlib.import_module, names))


@dataclass
class Worlds:
    """One folder in which one world after the other is laid, and the noisy tables of the first."""

    folder: Path
    patch: pytest.MonkeyPatch
    held: dict[str, list[Counts]] = field(default_factory=dict)
    chance: Chance = field(default_factory=Chance)

    @property
    def hub(self) -> Hub:
        return Hub(self.folder / "now" / "hub")

    def begin(self) -> None:
        """Pin what is random, for as long as the patch holds."""
        (self.folder / "now").mkdir(parents=True)
        self.patch.setenv(VARIABLE, str(self.folder / "now" / "state"))
        asking("os.urandom")  # what is imported later would keep the pinned bytes for ever
        self.patch.setattr(os, "urandom", self.chance)
        self.patch.setattr(random, "_urandom", self.chance)
        for module in asking("datetime.now"):
            self.patch.setattr(module, "datetime", Pinned, raising=False)

    def keep(self) -> None:
        """Keep what was laid so far; every world begins with it."""
        (self.folder / "now").rename(self.folder / "kept")

    @contextmanager
    def world(self) -> Iterator[Hub]:
        """A world that begins with what was kept, in the same folder as each other one."""
        now = self.folder / "now"
        shutil.copytree(self.folder / "kept", now, symlinks=True)
        self.patch.chdir(now)
        try:
            yield self.hub
        finally:
            self.patch.chdir(self.folder)
            for place in (now, *now.rglob("*")):
                if place.is_dir():
                    place.chmod(0o700)
            shutil.rmtree(now)

    @contextmanager
    def noise(self, phase: str, *, hold: bool) -> Iterator[None]:
        """In it the noisy tables are those of the first world that held them.

        Args:
            phase: names all that is random in it.
            hold: False leaves the noise as it is drawn.
        """
        self.begin_phase(phase)
        draw, held, number = workload.measure, self.held.setdefault(phase, []), 0

        def measure(*given: Any) -> Counts:
            nonlocal number
            noisy = draw(*given)
            if number == len(held):
                held.append({columns: table.copy() for columns, table in noisy.items()})
            target = held[number]
            assert {c: t.shape for c, t in noisy.items()} == {c: t.shape for c, t in target.items()}
            number += 1
            return {columns: table.copy() for columns, table in target.items()}

        with pytest.MonkeyPatch.context() as patch:
            for module in (workload, sources) if hold else ():
                patch.setattr(module, "measure", measure)
            yield
        assert not hold or number == len(held) > 0, "each world measures as often as the first"

    def begin_phase(self, phase: str) -> None:
        """From now on this names all that is random."""
        self.chance.phase = phase
        self.chance.asked.clear()


SIGNED = ("review", "changes", "sig")
"""Of ``APPROVALS.json``, random by nature: the hash of a private file that begins with 32 fresh
random bytes, that of what approvers are shown, which is hashed with the same bytes, and the
signature of a statement that names both."""

LINE = "APPROVALS.json, the line of the ledger"
"""What is compared apart: a hash of all lines so far, in each of which are 32 random digits."""


def published(hub: Hub) -> Seen:
    """Every file that readers get, of all releases and of the site."""
    found: Seen = {}
    for folder in (hub.releases, hub.site):
        for file in sorted(folder.rglob("*")):
            found |= _file(file, str(file.relative_to(hub.root)))
    return found


def _file(file: Path, name: str) -> Seen:
    if not file.is_file():
        return {name: b"a folder"}
    if file.suffix != ".zip":
        return _content(name, file.read_bytes())
    found: Seen = {}
    with zipfile.ZipFile(file) as held:
        for part in held.infolist():
            found |= _content(f"{name}/{part.filename}", held.read(part))
            found[f"{name}/{part.filename}, its day"] = str(part.date_time).encode()
    return found


def _content(name: str, content: bytes) -> Seen:
    if Path(name).name == APPROVALS:
        given = json.loads(content)
        seen = [each | {"payload": envelopes.statement(each)} for each in given["approvals"]]
        lines = [each["payload"]["ledger"] for each in seen]
        alike = _without(given | {"approvals": seen}, (*SIGNED, "ledger"))
        statement = json.dumps(alike).encode()
        return {name: statement, str(Path(name).with_name(LINE)): json.dumps(lines).encode()}
    return {name: content}


def _without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_without(each, names) for each in value]
    if isinstance(value, dict):
        return {n: "" if n in names else _without(each, names) for n, each in value.items()}
    return value


Run = Callable[..., tuple[int, str, str]]


def ran(run: Run, out: Path, words: Sequence[str], **places: object) -> Seen:
    """A command's exit code and texts, and the files that it wrote into ``out``.

    Args:
        words: of the command; ``{out}`` and the names of ``places`` stand for what they are.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    code, told, complained = run(*(word.format(out=out, **places) for word in words))
    said = " ".join([*words, *(f"{name}={p}" for name, p in places.items() if name in ("who",))])
    found = {f"{said}: printed": f"exit code {code}\n{told}\n{complained}".encode()}
    for file in sorted(out.rglob("*")):
        found |= _file(file, f"{said}: {file.relative_to(out)}")
    return found


def differing(one: Seen, other: Seen) -> list[str]:
    """What is there in one world alone, or is different in the other."""
    return sorted(n for n in one.keys() | other.keys() if one.get(n) != other.get(n))


def require_equal(one: Seen, other: Seen) -> None:
    """Fail with the first line by which two worlds differ, for each thing that does."""
    told = []
    for name in differing(one, other):
        lines = (world.get(name, b"is not there").splitlines() for world in (one, other))
        first = next((pair for pair in zip_longest(*lines) if pair[0] != pair[1]), ("", ""))
        told.append(f"{name}: {str(first[0])[:300]} | {str(first[1])[:300]}")
    if told:
        pytest.fail("\n".join(["Two worlds differ:", *told]), pytrace=False)
