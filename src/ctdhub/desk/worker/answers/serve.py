"""The process that answers the web process: ``python -m ctdhub.desk.worker.answers.serve``.

It listens on a Unix socket in the folder of the desk, one request a connection, and looks up the
account itself.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import socketserver
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from ctdhub.core.errors import HubError, as_json, error
from ctdhub.desk.allowed import ASKS, may_ask
from ctdhub.desk.worker.answers.ask import ask
from ctdhub.desk.worker.listening import MOST_AT_ONCE, note_look, serve_at, who_of

MOST_ASKED = 2**18
"""Bytes of a request."""

PATIENCE = 10.0
"""Seconds in which a request must have come, and in which its answer must be taken."""


def answer_of(line: bytes) -> bytes:
    """The answer to one request, as JSON.

    Args:
        line: the request; ``account`` and ``visit`` are the keys of whoever asks.
    """
    from ctdhub.desk.config import current

    try:
        request = json.loads(line)
        who = who_of(str(request["account"]), str(request["visit"]))
    except (ValueError, KeyError, TypeError):
        return json.dumps({"error": as_json(error("desk-ask", name=""))}).encode()
    except HubError as met:
        return json.dumps({"error": as_json(met)}).encode()
    if may_ask(who, request):
        note_look(who, ASKS[request["ask"]].action)
    return json.dumps(ask(current().hub, who, request)).encode()


class _Line(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """One request, one answer; one that comes too slowly gets none."""
        from django.db import close_old_connections

        line = _line_of(self.request, time.monotonic() + PATIENCE)
        self.request.settimeout(PATIENCE)
        try:
            self.request.sendall(answer_of(line))
        finally:
            close_old_connections()


def _line_of(line: socket.socket, end: float) -> bytes:
    """What comes up to the end of a line, of the connection, or of the longest request.

    Raises:
        TimeoutError: it has not come whole by then.
    """
    found = bytearray()
    while len(found) < MOST_ASKED and not found.endswith(b"\n"):
        line.settimeout(max(end - time.monotonic(), 0.001))
        part = line.recv(2**16)
        if not part:
            break
        found += part
        if time.monotonic() > end:
            raise TimeoutError
    return bytes(found)


def serve(place: Path, most: int = MOST_AT_ONCE) -> None:
    """Answer at a socket until the process is ended.

    Args:
        place: the socket.
        most: see ``listening.serve_at``.
    """
    serve_at(place, _Line, most)


def main() -> int:
    """Serve, and end quietly when asked to."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    import django

    django.setup()
    from ctdhub.desk.asking import SOCKET
    from ctdhub.desk.config import current

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    with suppress(KeyboardInterrupt):
        serve(current().folder / SOCKET)
    return 0


if __name__ == "__main__":
    sys.exit(main())
