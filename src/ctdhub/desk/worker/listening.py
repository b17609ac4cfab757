"""Processes that answer the web process at a Unix socket: who asks, and the socket itself.

They trust the web process in little that concerns rights: it says in which visit of which account
somebody asks.  That this visit is open, roles and second factor are read here; so many questions a
minute are answered to an account, and that it looked at case data is written into the trail from
here, whatever the web process writes.  The web process makes visits when somebody signs in, so one
that is taken over can make one too: it is then in the list of visits and in the trail.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import socketserver
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from ctdhub.core.errors import as_json, error
from ctdhub.desk.allowed import ACTIONS, VISITOR, Who

log = logging.getLogger("ctdhub.desk")

MOST_AT_ONCE = 8
"""Connections that are answered at one time, each in a thread."""

_SAY = 0.5


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
    from ctdhub.desk.accounts.adapters import proved
    from ctdhub.desk.accounts.visits import is_open
    from ctdhub.desk.models.people import DeskAccount
    from ctdhub.desk.walls import scoped, set_scope

    key = UUID(hex=account)
    if not _asked_in_measure(key.hex):
        raise error("desk-busy")
    with scoped(reading=True):
        set_scope(Who(account=key.hex))
        found = DeskAccount.objects.filter(id=key, is_active=True).first()
        known = found is not None and proved(found) and is_open(found, visit)
        who: Who = found.who() if known else VISITOR
    return who


MOST_A_MINUTE = 600
"""Questions of one account that are answered in a minute."""

_asked: dict[str, tuple[int, int]] = {}
_counting = threading.Lock()


def _asked_in_measure(account: str) -> bool:
    """Count a question of an account; whether it is one of those that are answered."""
    minute = int(time.monotonic() // 60)
    with _counting:
        if len(_asked) > _MOST_KEPT:
            _asked.clear()
        then, n = _asked.get(account, (minute, 0))
        n = n + 1 if then == minute else 1
        _asked[account] = (minute, n)
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
    from django.db import DatabaseError, close_old_connections

    from ctdhub.desk.trail import record
    from ctdhub.desk.walls import scoped

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


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, place: str, handler: Any, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)
        super().__init__(place, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or say at once that all of them are at work."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        request.settimeout(_SAY)
        with suppress(OSError):
            request.sendall(json.dumps({"error": as_json(error("desk-busy"))}).encode())
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


def serve_at(
    place: Path, handler: type[socketserver.BaseRequestHandler], most: int = MOST_AT_ONCE
) -> None:
    """Answer at a socket until the process is ended; a socket that a dead one left is replaced.

    Its owner and its group may connect.

    Args:
        place: the socket.
        handler: of one connection.
        most: connections that are answered at one time; more are told at once to come again.
    """
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileNotFoundError):
        place.unlink()
    kept = os.umask(0o007)
    try:
        server = _Server(str(place), handler, most)
    finally:
        os.umask(kept)
    threading.Thread(target=write_looks, args=(_to_write,), daemon=True).start()
    with server:
        server.serve_forever(poll_interval=0.2)
