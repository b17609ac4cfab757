"""The process ``answers``: what pages ask of the hub, and what screens ask about one delivery.

It listens on a Unix socket in the folder of the desk; see ``desk.channel``.  A request that names a
delivery is one of the workbench.

It trusts the web process in little that concerns rights: it says in which visit of which account
somebody asks.  That this visit is open, roles and second factor are read here; so many questions a
minute are answered to an account, and that it looked at case data is written into the trail from
here, whatever the web process writes.  The web process makes visits when somebody signs in, so one
that is taken over can make one too: it is then in the list of visits and in the trail.
"""

import atexit
import json
import logging
import os
import queue
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import DatabaseError, close_old_connections

from ctdhub.core.errors import HubError, as_json, error
from ctdhub.desk import channel
from ctdhub.desk.accounts.signing_in import is_open, proved
from ctdhub.desk.allowed import ACTIONS, ASKS, VISITOR, Who, allowed, may_ask, scope
from ctdhub.desk.channel import LONGEST, SOCKET, next_message, send_message
from ctdhub.desk.config import current
from ctdhub.desk.models import Delivery, DeskAccount
from ctdhub.desk.processes import bound_memory
from ctdhub.desk.trail import record
from ctdhub.desk.uploads.inbox import table_of
from ctdhub.desk.walls import scoped, set_scope
from ctdhub.desk.worker.answers.ask import ask
from ctdhub.desk.worker.identities import MAPPING, agreement_of
from ctdhub.hub.folder import Hub, policy
from ctdhub.sensitive.mapping import mapping_file
from ctdhub.sensitive.mapping.mapping_file import text_of
from ctdhub.sensitive.workbench import drafts

log = logging.getLogger("ctdhub.desk")

MOST_AT_ONCE = 8
"""Requests of the workbench that are answered at one time, and at least so many others."""

MOST_ASKED = 8 * 2**20
"""Bytes of a request: a mapping as text, or operations on the texts of a page."""

PATIENCE = 10.0
"""Seconds in which a request must have come, and in which its answer must be taken."""

MEMORY = 2**32
"""Bytes that it, and each process of a contributor, may take beyond what it has when it begins."""

_SAY = 0.5

# --------------------------------------------------------------------------------------------------
# Who asks, and the looks that become events of the trail.


def who_of(account: str, visit: str) -> Who:
    """Whoever has that key, with the roles that the database gives now, if the visit is open.

    No lock of the database is waited for: the web process may hold it while it asks.

    Args:
        account: 32 hexadecimal digits.
        visit: key of a session.

    Raises:
        ValueError: it is no key.
        HubError: the account has asked too often (rule "desk-busy").
    """
    key = UUID(hex=account)
    if not _asked_in_measure(key.hex):
        raise error("desk-busy")
    with scoped(reading=True):
        set_scope(Who(account=key.hex))
        reader = DeskAccount.objects.filter(id=key, is_active=True).first()
        known = reader is not None and proved(reader) and is_open(reader, visit)
        who: Who = reader.who() if known else VISITOR
    return who


MOST_A_MINUTE = 600
"""Questions of one account that are answered in a minute."""

_questions: dict[str, tuple[int, int]] = {}
_counting = threading.Lock()


def _asked_in_measure(account: str) -> bool:
    """Count a question of an account; whether it is one of those that are answered."""
    minute = int(time.monotonic() // 60)
    with _counting:
        if len(_questions) > _MOST_KEPT:
            _questions.clear()
        then, n = _questions.get(account, (minute, 0))
        n = n + 1 if then == minute else 1
        _questions[account] = (minute, n)
    return n <= MOST_A_MINUTE


AGAIN = 600.0
"""Seconds after which the same look of an account becomes an event of the trail again."""

_MOST_KEPT = 100_000
_looked: dict[tuple[str, str, str], float] = {}
_to_write: queue.SimpleQueue[tuple[Who, str, str]] = queue.SimpleQueue()


def note_look(who: Who, action: str, thing: str = "") -> None:
    """Let a look at case data become an event of the trail, soon and not while somebody waits."""
    if not ACTIONS[action].looks:
        return
    key, now = (who.account, action, thing), time.monotonic()
    with _counting:
        if len(_looked) > _MOST_KEPT:
            _looked.clear()
        if now - _looked.get(key, -AGAIN) < AGAIN:
            return
        _looked[key] = now
    _to_write.put((who, action, thing))


def write_looks(waiting: queue.SimpleQueue[tuple[Who, str, str]], *, once: bool = False) -> None:
    """Write the looks that were noted, as they come.

    Args:
        waiting: those looks.
        once: those that wait, and no more.
    """
    while not (once and waiting.empty()):
        who, action, thing = waiting.get()
        try:
            with scoped(who):
                record(who, f"answer.{action}", thing)
        except DatabaseError as met:  # busy or away: not lost
            log.error("a look waits for the trail: %s", type(met).__name__)
            waiting.put((who, action, thing))
            time.sleep(1)
        finally:
            close_old_connections()


# --------------------------------------------------------------------------------------------------
# One request and its answer, as JSON.


def answer_of(body: bytes) -> bytes:
    """The answer to one request, as JSON.

    Args:
        body: the request as JSON; ``account`` and ``delivery`` are keys as 32 hexadecimal digits,
            ``visit`` is that of a session.
    """
    try:
        answer = json.dumps(_answer(body)).encode()
        if len(answer) <= LONGEST:
            return answer
        met = error("job-memory")
    except HubError as wrong:
        met = wrong
    except MemoryError:
        met = error("job-memory")
    return json.dumps({"error": as_json(met)}).encode()


def _answer(body: bytes) -> dict[str, Any]:
    unread = error("desk-ask", name="")
    try:
        request = json.loads(body)
        delivery = None
        if "delivery" in request:
            unread = error("workbench-request")
            delivery = UUID(hex=request["delivery"])
        who = who_of(str(request["account"]), str(request["visit"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise unread from None
    if delivery is None:
        if may_ask(who, request):
            note_look(who, ASKS[request["ask"]].action)
        return ask(current().hub, who, request)
    if not _at_the_workbench.acquire(blocking=False):
        raise error("desk-busy")
    try:
        return _of_workbench(who, delivery, request)
    finally:
        _at_the_workbench.release()


_at_the_workbench = threading.BoundedSemaphore(MOST_AT_ONCE)

# --------------------------------------------------------------------------------------------------
# Requests of the workbench: who may make them, and what is said of the delivery.
#
# What a request is and what comes of it: ``sensitive.workbench.ask``, in a process for each
# contributor, so that nobody waits for what another organisation asks, and what takes too long is
# ended alone.

LOOKS = frozenset(
    {
        "alarms", "column", "columns", "history", "identifiers", "open", "problems", "text",
    }
)  # fmt: skip
"""Requests that change nothing that anybody else sees."""

EDITS = frozenset({"discard", "do", "redo", "try", "undo", "undo_kept", "write"})
"""Requests about the draft of whoever asks."""


def action_of(request: dict[str, Any]) -> str:
    """The action of the table that a request asks for.

    Raises:
        HubError: there is no such request (rule "workbench-request").
    """
    name = str(request.get("ask"))
    if name == "keep":
        return "mapping.keep"
    if name in EDITS or (name == "open" and "sheet" in request):
        return "mapping.edit"
    if name in LOOKS:
        return "mapping.read"
    raise error("workbench-request")


def _of_workbench(who: Who, key: UUID, request: dict[str, Any]) -> dict[str, Any]:
    """The answer about a delivery.

    Raises:
        HubError: there is none that they may ask this about (rule "workbench-denied").
    """
    action = action_of(request)
    with scoped(who, reading=True):
        delivery = Delivery.objects.filter(scope(who, action), id=key).first()
    if delivery is None or not allowed(who, action, delivery):
        raise error("workbench-denied")
    note_look(who, action, key.hex)
    hub, organisation = Hub(current().hub), str(delivery.organisation_id)
    file = file_of(hub, delivery)
    fixed = {
        "folder": str(hub.root),
        "contributor": organisation,
        "who": who.account,
        "day": delivery.day or f"{delivery.created:%Y-%m-%d}",
        "file": str(file),
        "years": list(policy(hub).years),
        "unknown_share": agreement_of(hub, organisation, date.min).unknown_share,  # also ended
    }
    asked = {**request, **fixed}
    with _turn_of(organisation) as own:
        if request["ask"] == "open":
            place = drafts.Workplace.of(asked)
            if not allowed(who, "mapping.edit", delivery):
                drafts.drop_draft(place)  # whoever only looks sees the mapping in force
            if allowed(who, "mapping.keep", delivery):
                _begin_with_that_of_the_contributor(place)
            _begin_with_that_of_the_bundle(place)
        answer = own.answer(asked)
    if "error" in answer:
        answer["error"]["file"] = None  # its place in the hub folder is nothing for a page
    return answer


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
            answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        except (OSError, ValueError):
            if self.end() == -signal.SIGPROF:
                raise error("workbench-slow", limit=seconds) from None
            raise error("job-memory") from None
        if kind := answer.get("failed"):
            self.end()
            log.error("an answer failed: %s", kind)
            raise error("job-memory" if kind == "MemoryError" else "workbench-away")
        return answer

    def end(self) -> int:
        """End the process; gives its exit code."""
        child, self._child = self._child, None
        if child is None:
            return 0
        with suppress(OSError), child:  # closes the pipes, and waits
            child.kill()
        return child.returncode


_processes: OrderedDict[str, _ContributorProcess] = OrderedDict()
_choosing = threading.Lock()


@contextmanager
def _turn_of(contributor: str) -> Iterator[_ContributorProcess]:
    """The process of a contributor, once those who asked before are answered.

    Raises:
        HubError: too many wait already, or they take too long (rule "workbench-busy").
    """
    with _choosing:
        own = _processes.setdefault(contributor, _ContributorProcess())
        _processes.move_to_end(contributor)
        if own.waiting == MOST_WAITING:
            raise error("workbench-busy")
        own.waiting += 1
    try:
        if not own.turn.acquire(timeout=channel.SECONDS - 1):
            raise error("workbench-busy")
        try:
            yield own
        finally:
            own.turn.release()
    finally:
        with _choosing:
            own.waiting -= 1
            _end_processes(MOST_KEPT)


def _end_processes(most: int) -> None:
    """End the processes that were asked the longest ago, but for the newest and those at work."""
    for name in list(_processes)[: max(len(_processes) - most, 0)]:
        if not _processes[name].waiting:
            _processes.pop(name).end()


atexit.register(_end_processes, 0)


def _begin_with_that_of_the_contributor(place: drafts.Workplace) -> None:
    """The newest draft of others over the mapping in force, for who has decided nothing so far."""
    paths = [p for p in place.draft.parent.glob(f"{place.day}-*.json") if p != place.draft]
    every = [drafts.load_draft(place, p) for p in sorted(paths, key=lambda p: p.stat().st_mtime)]
    theirs = [one for one in every if one and one.active and one.seen == _seen(place)]
    own = drafts.load_draft(place)
    if theirs and not (own and own.active):
        drafts.save_draft(place, theirs[-1])


def _begin_with_that_of_the_bundle(place: drafts.Workplace) -> None:
    """A draft over the mapping that came with the file, where it is that which reads the file."""
    assert place.file is not None
    own = place.file.with_name(MAPPING)
    kept = dict(mapping_file.mappings(place.mappings, place.contributor))
    if not own.is_file() or place.day in kept or drafts.load_draft(place) is not None:
        return
    fold = drafts.DraftFold(text_of(own), None, (), _seen(place), place.label)
    drafts.save_draft(place, fold)


def _seen(place: drafts.Workplace) -> str | None:
    """The hash of the mapping that is in force on the day, as a draft over it has it."""
    now = mapping_file.in_force(place.mappings, place.contributor, place.day)
    return drafts.digest(text_of(now[1])) if now else None


def file_of(hub: Any, delivery: Any) -> Path:
    """The table of a delivery.

    Raises:
        HubError: it is not opened yet, or is not there any more (rule "workbench-file").
    """
    organisation, key = str(delivery.organisation_id), delivery.id.hex
    if delivery.account_id is None and delivery.state == "accepted":
        for one in hub.received():
            of_day = (one.contributor, one.date) == (organisation, delivery.day)
            if of_day and one.sha256 == delivery.sha256:
                return Path(one.file)
    day = delivery.day if delivery.state == "accepted" else ""
    table = table_of(hub.root, key, delivery.kind, organisation, day)
    if delivery.state in ("receiving", "withdrawn") or not table.is_file():
        raise error("workbench-file")
    return table


# --------------------------------------------------------------------------------------------------
# The process at its socket.


class _Request(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """One request, one answer; one that comes too slowly gets none."""
        try:
            body = next_message(self.request, time.monotonic() + PATIENCE, MOST_ASKED)
        except (OSError, ValueError):
            return
        self.request.settimeout(PATIENCE)
        try:
            answer = answer_of(body)
            with suppress(OSError):  # nobody waits for it any more
                send_message(self.request, answer)
        finally:
            close_old_connections()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, place: str, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)
        super().__init__(place, _Request)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or say at once that all of them are at work."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        request.settimeout(_SAY)
        with suppress(OSError):
            send_message(request, json.dumps({"error": as_json(error("desk-busy"))}).encode())
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One request in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What was not foreseen: its kind, never its words, which may be those of a record."""
        kind = sys.exc_info()[0]
        log.error("an answer failed: %s", kind.__name__ if kind else "")


def serve(place: Path, most: int = 2 * MOST_AT_ONCE) -> None:
    """Answer at a socket until the process is ended; a socket that a dead one left is replaced.

    Its owner and its group may connect.

    Args:
        place: the socket.
        most: connections that are answered at one time; more are told at once to come again.
    """
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileNotFoundError):
        place.unlink()
    kept = os.umask(0o007)
    try:
        server = _Server(str(place), most)
    finally:
        os.umask(kept)
    threading.Thread(target=write_looks, args=(_to_write,), daemon=True).start()
    with server:
        server.serve_forever(poll_interval=0.2)


def main() -> None:
    """Answer until the process is ended."""
    bound_memory(MEMORY)
    serve(current().folder / SOCKET)
