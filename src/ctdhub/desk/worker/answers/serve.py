"""The process that answers the web process: ``python -m ctdhub.desk.worker.answers.serve``.

It listens on a Unix socket in the folder of the desk, one request a connection, and looks up the
account itself.
"""

from __future__ import annotations

import json
import os
import signal
import socketserver
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from ctdhub.core.error_catalogue import as_json, error
from ctdhub.desk.worker.answers.ask import ask
from ctdhub.desk.worker.answers.may import sees
from ctdhub.desk.worker.listening import serve_at, who_of

MOST_ASKED = 2**16
"""Bytes of a request."""


def answer_of(line: bytes) -> bytes:
    """The answer to one request, as JSON.

    Args:
        line: the request; ``account`` is the key of whoever asks.
    """
    from ctdhub.desk.config import current

    try:
        request = json.loads(line)
        who = who_of(str(request["account"]))
    except (ValueError, KeyError, TypeError):
        return _refused("")
    shown = sees(who, request)
    if shown is None:
        return _refused(str(request.get("ask")))
    asked = {**request, "sees": sorted(shown), "by": who.account}
    found = ask(current().hub, asked)
    return json.dumps(found).encode()


def _refused(name: str) -> bytes:
    return json.dumps({"error": as_json(error("desk-ask", name=name[:40]))}).encode()


class _Line(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        """One request, one answer."""
        from django.db import close_old_connections

        line = self.rfile.readline(MOST_ASKED)
        try:
            self.wfile.write(answer_of(line))
        finally:
            close_old_connections()


def serve(place: Path) -> None:
    """Answer at a socket until the process is ended."""
    serve_at(place, _Line)


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
