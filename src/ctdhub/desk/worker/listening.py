"""Processes that answer the web process at a Unix socket: who asks, and the socket itself.

They trust the web process in nothing that concerns rights: it says whose account asks, and roles
and second factor are read here.
"""

from __future__ import annotations

import json
import logging
import os
import socketserver
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from ctdhub.core.error_catalogue import as_json, error
from ctdhub.desk.allowed import VISITOR, Who

log = logging.getLogger("ctdhub.desk")

MOST_AT_ONCE = 8
"""Connections that are answered at one time, each in a thread."""

_SAY = 0.5


def who_of(account: str) -> Who:
    """Whoever has that key, with the roles that the database gives now.

    No lock of the database is waited for: the web process may hold it while it asks.

    Args:
        account: 32 hexadecimal digits.

    Raises:
        ValueError: it is no key.
    """
    from ctdhub.desk.accounts.factors import proved
    from ctdhub.desk.models.people import DeskAccount
    from ctdhub.desk.walls import scoped, set_scope

    key = UUID(hex=account)
    with scoped(reading=True):
        set_scope(Who(account=key.hex))
        found = DeskAccount.objects.filter(id=key, is_active=True).first()
        who: Who = found.who() if found is not None and proved(found) else VISITOR
    return who


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
    with server:
        server.serve_forever(poll_interval=0.2)
