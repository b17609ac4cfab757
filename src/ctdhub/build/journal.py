"""Who ran or decided what in a hub: a file of lines, written as things happen.

The ledger and the register of withdrawals prove what they hold; the journal proves nothing and is
there so that a steward can look up who did what.  It holds names of verbs, versions, contributors,
rules of errors and the user of the system, and no value of a record.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import ctdhub
from ctdhub.core.errors import HubError

if TYPE_CHECKING:
    from ctdhub.build.hub import Hub
    from ctdhub.dp.price import Pay, Price

JOURNAL = "journal"
Detail = str | int | float | bool | None


@dataclass(frozen=True)
class Happened:
    """One line of the journal.

    Attributes:
        time: UTC, to the second, when it ended.
        user: who was signed in to the system, empty where it does not say.
        software: version of ctdhub.
        what: the verb, such as ``build``.
        outcome: ``done``, the rule of the error, or ``stopped``.
        details: what was asked for, such as the last stage.
    """

    time: str
    user: str
    software: str
    what: str
    outcome: str
    details: dict[str, Detail]


@contextmanager
def noted(hub: Hub, what: str, **details: Detail) -> Iterator[dict[str, Detail]]:
    """Note what happens inside the block, whether it ends well or not.

    Yields:
        The details, to which the block may add.
    """
    outcome = "stopped"
    try:
        yield details
        outcome = "done"
    except HubError as met:
        outcome = met.rule or "error"
        raise
    finally:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        _append(hub, Happened(now, _user(), ctdhub.__version__, what, outcome, details))


def paid_for(pay: Pay, happened: dict[str, Detail]) -> Pay:
    """The same permission to spend; what it allows is written down."""

    def told(price: Price) -> None:
        pay(price)
        happened["charged"] = round(price.epsilon, 6)

    return told


def read_journal(hub: Hub) -> tuple[Happened, ...]:
    """All lines, the oldest first; a line that a crash cut short is passed over."""
    found = []
    for path in sorted((hub.root / JOURNAL).glob("*.jsonl")):
        for line in path.read_text("utf-8", errors="replace").splitlines():
            try:
                found.append(Happened(**json.loads(line)))
            except (ValueError, TypeError):
                continue
    return tuple(found)


def _append(hub: Hub, line: Happened) -> None:
    """Add a line in one write; what stands before it stays."""
    folder = hub.root / JOURNAL
    folder.mkdir(mode=0o700, exist_ok=True)
    text = json.dumps(asdict(line), ensure_ascii=True, separators=(",", ":"))
    file = os.open(folder / f"{line.time[:4]}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, text.encode() + b"\n")
    finally:
        os.close(file)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
