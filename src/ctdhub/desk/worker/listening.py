"""Processes that answer the web process at a Unix socket: who asks, and the socket itself.

They trust the web process in nothing that concerns rights: it says whose account asks, and roles
and second factor are read here.
"""

from __future__ import annotations

import logging
import os
import socketserver
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from ctdhub.desk.allowed import VISITOR, Who

log = logging.getLogger("ctdhub.desk")


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

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What was not foreseen: its kind, never its words, which may be those of a record."""
        kind = sys.exc_info()[0]
        log.error("an answer failed: %s", kind.__name__ if kind else "")


def serve_at(place: Path, handler: type[socketserver.BaseRequestHandler]) -> None:
    """Answer at a socket until the process is ended; a socket that a dead one left is replaced.

    Its owner and its group may connect.
    """
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileNotFoundError):
        place.unlink()
    kept = os.umask(0o007)
    try:
        server = _Server(str(place), handler)
    finally:
        os.umask(kept)
    with server:
        server.serve_forever(poll_interval=0.2)
