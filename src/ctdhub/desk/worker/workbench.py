"""The process ``workbench``: it reads one delivery when asked, keeps drafts, and answers as JSON.

``python -m ctdhub.desk.worker.workbench``.  It listens on a Unix socket in the folder of the desk.
A message is its length and JSON, see ``desk.screens.carrier``; a connection may carry several, one
after the other.  The web process says who asks and about which delivery, by their keys; roles,
relation and state are looked up here and judged by the one table.  What a request is and what comes
of it: ``sensitive.workbench.ask``, in a process for each contributor, so that nobody waits for what
another organisation asks, and what takes too long is ended alone.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

from ctdhub.core.errors import HubError, as_json, error
from ctdhub.desk.allowed import Who, allowed, scope
from ctdhub.desk.screens import carrier
from ctdhub.desk.screens.carrier import LONGEST, next_message, send_message
from ctdhub.desk.worker.listening import log, note_look, serve_at, who_of

MOST_ASKED = 8 * 2**20
"""Bytes of a request: a mapping as text, or operations on the texts of a page."""

MEMORY = 2**32
"""Bytes that it, and each process of a contributor, may take beyond what it has when it begins."""

_IDLE = 120
"""Seconds in which the next request of a connection comes."""

LOOKS = frozenset(
    {
        "alarms", "column", "columns", "history", "identifiers", "mappings", "open", "problems",
        "suggested", "text", "variables",
    }
)  # fmt: skip
"""Requests that change nothing that anybody else sees."""

EDITS = frozenset({"begin", "discard", "do", "redo", "try", "undo", "undo_kept", "write"})
"""Requests about the draft of whoever asks."""


def action_of(request: dict[str, Any]) -> str:
    """The action of the table that a request asks for.

    Raises:
        HubError: there is no such request (rule "workbench-request").
    """
    name = request.get("ask")
    if name == "keep":
        return "mapping.keep"
    if name in EDITS or (name == "open" and "sheet" in request):
        return "mapping.edit"
    if name in LOOKS:
        return "mapping.read"
    raise error("workbench-request")


def answer_of(body: bytes) -> bytes:
    """The answer to one request, as JSON.

    Args:
        body: the request as JSON; ``account`` and ``delivery`` are keys as 32 hexadecimal digits,
            ``visit`` is that of a session.
    """
    try:
        found = json.dumps(_answer(body)).encode()
        if len(found) <= LONGEST:
            return found
        met = error("job-memory")
    except HubError as wrong:
        met = wrong
    except MemoryError:
        met = error("job-memory")
    return json.dumps({"error": as_json(met)}).encode()


def _answer(body: bytes) -> dict[str, Any]:
    from ctdhub.desk.models.deliveries import Delivery
    from ctdhub.desk.walls import scoped

    try:
        request = json.loads(body)
        who = who_of(str(request["account"]), str(request["visit"]))
        key = UUID(hex=request["delivery"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise error("workbench-request") from None
    action = action_of(request)
    with scoped(who, reading=True):
        delivery = Delivery.objects.filter(scope(who, action), id=key).first()
    if delivery is None or not allowed(who, action, delivery):
        raise error("workbench-denied")
    note_look(who, action, key.hex)
    return _of(who, delivery, request)


def _of(who: Who, delivery: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The answer about a delivery, to somebody who may ask."""
    from ctdhub.build.hub import Hub
    from ctdhub.build.rules import policy
    from ctdhub.desk.config import current
    from ctdhub.desk.worker.identities import agreement_of
    from ctdhub.sensitive.workbench.drafts import Workplace, drop_draft

    hub, organisation = Hub(current().hub), str(delivery.organisation_id)
    file = file_of(hub, delivery)
    fixed = {
        "folder": str(hub.root),
        "contributor": organisation,
        "who": who.account,
        "day": delivery.day or f"{delivery.created:%Y-%m-%d}",
        "file": str(file),
        "name": "",
        "years": list(policy(hub).years),
        "unknown_share": agreement_of(hub, organisation, date.min)[0].unknown_share,  # also ended
    }
    asked = {**request, **fixed}
    with _turn_of(organisation) as own:
        if request["ask"] == "open":
            place = Workplace.of(asked)
            if not allowed(who, "mapping.edit", delivery):
                drop_draft(place)  # whoever only looks sees the mapping in force
            _begin_with_that_of_the_bundle(place)
        found = own.answer(asked)
    if "error" in found:
        found["error"]["file"] = None  # its place in the hub folder is nothing for a page
    return found


_COMMAND = (sys.executable, "-P", "-m", "ctdhub.sensitive.workbench.ask")

MOST_WAITING, MOST_KEPT = 3, 4
"""Requests of one contributor that are at work or wait, and processes that are kept: each holds the
files that it opened last."""


LEAST_SECONDS, SECONDS_PER_MIB = 30, 2
"""Processor seconds of a request, and those that the size of its file adds."""


class _ContributorProcess:
    """The process that answers about one contributor, one request after the other."""

    def __init__(self) -> None:
        self.turn, self.waiting = threading.Lock(), 0
        self._child: subprocess.Popen[bytes] | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """What it says; whoever asks has the turn.

        Raises:
            HubError: it took too long (rule "workbench-slow") or too much (rule "job-memory"), or
                something was not foreseen (rule "workbench-away").
        """
        path = Path(str(request["file"]))
        size = path.stat().st_size if path.is_file() else 0
        seconds = LEAST_SECONDS + SECONDS_PER_MIB * (size >> 20)
        if self._child is None:
            self._child = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # last words may hold cells
            )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps([seconds, request]).encode() + b"\n")
            self._child.stdin.flush()
            found: dict[str, Any] = json.loads(self._child.stdout.readline())
        except (OSError, ValueError):
            if self.end() == -signal.SIGPROF:
                raise error("workbench-slow", limit=seconds) from None
            raise error("job-memory") from None
        if kind := found.get("failed"):
            self.end()
            log.error("an answer failed: %s", kind)
            raise error("job-memory" if kind == "MemoryError" else "workbench-away")
        return found

    def end(self) -> int:
        """End the process; gives its exit code."""
        child, self._child = self._child, None
        if child is None:
            return 0
        with suppress(OSError), child:  # closes the pipes, and waits
            child.kill()
        return child.returncode


_processes: OrderedDict[str, _ContributorProcess] = OrderedDict()
_counting = threading.Lock()


@contextmanager
def _turn_of(contributor: str) -> Iterator[_ContributorProcess]:
    """The process of a contributor, once those who asked before are answered.

    Raises:
        HubError: too many wait already, or they take too long (rule "workbench-busy").
    """
    with _counting:
        own = _processes.setdefault(contributor, _ContributorProcess())
        _processes.move_to_end(contributor)
        if own.waiting == MOST_WAITING:
            raise error("workbench-busy")
        own.waiting += 1
    try:
        if not own.turn.acquire(timeout=carrier.SECONDS - 1):
            raise error("workbench-busy")
        try:
            yield own
        finally:
            own.turn.release()
    finally:
        with _counting:
            own.waiting -= 1
            _end_processes(MOST_KEPT)


def _end_processes(most: int) -> None:
    """End the processes that were asked the longest ago, but for the newest and those at work."""
    for name in list(_processes)[: max(len(_processes) - most, 0)]:
        if not _processes[name].waiting:
            _processes.pop(name).end()


atexit.register(_end_processes, 0)


def _begin_with_that_of_the_bundle(place: Any) -> None:
    """A draft over the mapping that came with the file, where it is that which reads the file."""
    from ctdhub.desk.worker.identities import MAPPING
    from ctdhub.sensitive.mapping import mapping_file
    from ctdhub.sensitive.mapping.mapping_file import text_of
    from ctdhub.sensitive.workbench.drafts import DraftFold, digest, load_draft, save_draft

    own = place.file.with_name(MAPPING)
    kept = dict(mapping_file.mappings(place.mappings, place.contributor))
    if not own.is_file() or place.day in kept or load_draft(place) is not None:
        return
    now = mapping_file.in_force(*place.of_day)
    seen = digest(text_of(now[1])) if now else None
    save_draft(place, DraftFold(text_of(own), None, (), seen, place.shown))


def file_of(hub: Any, delivery: Any) -> Path:
    """The table of a delivery.

    Raises:
        HubError: it is not opened yet, or is not there any more (rule "workbench-file").
    """
    from ctdhub.desk.uploads.inbox import table_of

    organisation, key = str(delivery.organisation_id), delivery.id.hex
    if delivery.account_id is None and delivery.state == "accepted":
        for one in hub.received():
            of_day = (one.contributor, one.date) == (organisation, delivery.day)
            if of_day and one.sha256 == delivery.sha256:
                return Path(one.file)
    day = delivery.day if delivery.state == "accepted" else ""
    found = table_of(hub.root, key, delivery.kind, organisation, day)
    if delivery.state in ("receiving", "withdrawn") or not found.is_file():
        raise error("workbench-file")
    return found


class _Asking(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Requests, one after the other, until the other side ends."""
        from django.db import close_old_connections

        self.request.settimeout(_IDLE)
        with suppress(OSError, ValueError):
            while (body := next_message(self.request, MOST_ASKED)) is not None:
                try:
                    send_message(self.request, answer_of(body))
                finally:
                    close_old_connections()


def serve(place: Path) -> None:
    """Answer at a socket until the process is ended."""
    serve_at(place, _Asking)


def main() -> int:
    """Serve, and end quietly when asked to."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    import django

    django.setup()
    from ctdhub.desk.columns import SOCKET
    from ctdhub.desk.config import current
    from ctdhub.desk.jobs.process import bound_memory

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    bound_memory(MEMORY)
    with suppress(KeyboardInterrupt):
        serve(current().folder / SOCKET)
    return 0


if __name__ == "__main__":
    sys.exit(main())
