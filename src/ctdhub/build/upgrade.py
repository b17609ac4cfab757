"""A hub of software that knew no populations goes on with this one, and back.

Hubs up to version 0.1 (commit 7f2c3c7) have a ledger without a population and settings whose
default is another one today.  The ledger gets what it lacks, with all its charges; each such
setting is written down with the value that it had, so that nothing is charged because of it.

The files that are changed are copied to ``before-upgrade/`` first.  Cut off at any point, a second
run finishes, and ``back`` undoes: the file of the population comes last and goes first.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.paid import KEPT, UPGRADE, check_known, cut_off, ledger, lost
from ctdhub.core.atomic import write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.dp import answer_store
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.custody import begin
from ctdhub.dp.ledger.file import LedgerFile
from ctdhub.dp.ledger.population import POPULATION, new_population
from ctdhub.dp.ledger.witness import leased

_NOTE = "\n# Written by `ctdhub upgrade`: what held before, where today's default is another one.\n"
_HUB = {"schema_version": "1.1"}
_POLICY: dict[str, Any] = {
    "columns": "all",
    "epsilon": 4.0,
    "max_people": 1_000_000,
    "linking": {"people": 0, "lists": 0},
    "budget": {"epsilon": 12.0},
    "reason": "Promised before a reason was asked for.",
}


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did, or what its undoing left.

    Attributes:
        charges: how many the ledger has.
        changed: settings files that were changed, relative to the hub.
        edited: of these, files that were changed since by others: undoing leaves them.
    """

    charges: int
    changed: tuple[str, ...]
    edited: tuple[str, ...] = ()


def upgrade(hub: Hub) -> Upgraded:
    """Give an old hub what it lacks.

    Raises:
        HubFolderError: it lacks nothing (``not-old``); a build is at work.
        LedgerTampered: the ledger was changed, is gone, or does not know what it paid for.
        LedgerError: there is no state folder; the system refuses.
    """
    with hub.lock(), noted(hub, "upgrade"):
        if (hub.ledger / POPULATION).exists():
            if not cut_off(hub):
                raise error("not-old", file=hub.root)
            _note(hub, _state(hub), done=True)
            return Upgraded(len(ledger(hub).entries()), tuple(sorted(_state(hub))))
        if not cut_off(hub):
            if (fault := lost(hub)) is not None:
                raise fault
            _keep(hub)
        book = Ledger(hub.ledger)
        entries = [replace(entry, mac="") for entry in book.entries()]
        check_known(hub, entries)
        answer_store.check_paid(book)
        changed = _written(hub)
        _note(hub, {name: _digest(text) for name, text in changed.items()})
        for name, text in changed.items():
            write_whole(hub.root / name, text, _mode(hub.root / name))
        name = hub.settings.name
        begin(hub.ledger, hub.root, new_population(name, "hub"), hub.ledger_key, entries=entries)
        _note(hub, _state(hub), done=True)
        return Upgraded(len(entries), tuple(sorted(changed)))


def back(hub: Hub) -> Upgraded:
    """Undo an upgrade; charges that were made since stay.

    Raises:
        HubFolderError: the hub was not upgraded (``not-upgraded``); a build is at work.
        LedgerTampered: the ledger was changed, or the hub is a copy.
    """
    with hub.lock(), noted(hub, "upgrade", back=True):
        if not (hub.root / UPGRADE).is_file():
            raise error("not-upgraded", file=hub.root)
        book = Ledger(hub.ledger)
        if (hub.ledger / POPULATION).exists():
            book = ledger(hub)
            book.check()
        entries = [replace(entry, mac="") for entry in book.entries()]
        written, edited = _state(hub), []
        _note(hub, written)
        for name, digest in written.items():
            if _digest((hub.root / name).read_bytes()) == digest:
                old = (hub.root / KEPT / name).read_bytes()
                write_whole(hub.root / name, old, _mode(hub.root / name))
            elif (hub.root / name).read_bytes() != (hub.root / KEPT / name).read_bytes():
                edited.append(name)
        (hub.ledger / POPULATION).unlink(missing_ok=True)
        LedgerFile(hub.ledger).replace(entries)
        hub.ledger_key.unlink(missing_ok=True)
        if (witness := leased(hub.root.resolve())) is not None:
            witness.release()
        shutil.rmtree(hub.root / KEPT)
        return Upgraded(len(entries), tuple(sorted(written)), tuple(edited))


def _keep(hub: Hub) -> None:
    """Copy what may be changed; the note of it comes last."""
    kept = hub.root / KEPT
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(mode=0o700)
    for path in _settings(hub):
        copy = kept / path.relative_to(hub.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        write_whole(copy, path.read_bytes())
    _note(hub, {})


def _settings(hub: Hub) -> list[Path]:
    mappings = sorted((hub.root / "mappings").rglob("*.yaml"))
    return [path for path in (hub.root / "hub.yaml", hub.policy_file, *mappings) if path.is_file()]


def _written(hub: Hub) -> dict[str, bytes]:
    """The settings files that differ from what was kept, by name, as they shall be."""
    found = {}
    for path in _settings(hub):
        name = path.relative_to(hub.root).as_posix()
        kept = hub.root / KEPT / name
        old = (kept if kept.is_file() else path).read_text("utf-8")
        if path.name == "hub.yaml":
            new = _with(old, _HUB)
        elif path == hub.policy_file:
            new = _with(old, _POLICY)
        else:
            new = _aligned(old)
        if new != old:
            found[name] = new.encode()
    return found


def _with(text: str, values: Mapping[str, Any]) -> str:
    """A settings file with the values that it does not set.

    Settings at the top alone: of those within another one, none had another default before.
    """
    given = yaml.safe_load(text) or {}
    missing = {name: value for name, value in values.items() if name not in given}
    return text.rstrip("\n") + "\n" + _NOTE + _dump(missing) if missing else text


def _dump(values: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)


def _aligned(text: str) -> str:
    """A mapping whose lists of perpetrators say that equal positions belong together.

    That was so wherever there were lists; a mapping in flow style is left as it is.
    """
    found = re.search(r"^perpetrators:[ \t]*\n((?:[ \t#].*\n|\n)*)", text + "\n", re.MULTILINE)
    if found is None or re.search(r"^\s+aligned:", found[1], re.MULTILINE):
        return text
    new = re.sub(r"^([ \t]+)split:.*\n", r"\g<0>\1aligned: true\n", found[1], count=1, flags=re.M)
    return text.replace(found[1], new, 1)


def _note(hub: Hub, changed: Mapping[str, str], *, done: bool = False) -> None:
    """Write down the digests of the files that were changed, and whether all is done."""
    note = {"done": done, "changed": dict(changed)}
    write_whole(hub.root / UPGRADE, json.dumps(note, indent=1).encode() + b"\n")


def _state(hub: Hub) -> dict[str, str]:
    found: dict[str, str] = json.loads((hub.root / UPGRADE).read_bytes())["changed"]
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
