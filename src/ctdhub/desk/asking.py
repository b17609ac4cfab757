"""Asking the hub: the web process sends a request to the process that may read the hub folder.

The answer is passed on and kept nowhere.  Who asks is looked up there again, by the keys of account
and visit: only whoever is signed in can be asked for, and no more than their roles may.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ctdhub.core.errors import HubError, error, from_json
from ctdhub.core.i18n import current
from ctdhub.desk.allowed import Who
from ctdhub.desk.config import current as desk

SOCKET = "answers.sock"
"""In the folder of the desk."""

MOST_BYTES = 2**24
"""Of an answer."""

_PATIENCE = 60.0
"""Seconds that an answer may take from the first byte of the request to its own last."""

Carrier = Callable[[bytes], bytes]


def by_socket(request: bytes) -> bytes:
    """Send a line and read the answer to its end.

    Raises:
        HubError: nobody answers (rule "desk-away").
    """
    found, end = bytearray(), time.monotonic() + _PATIENCE
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE)
            line.connect(str(desk().folder / SOCKET))
            with suppress(BrokenPipeError):  # a busy process reads nothing, but says so
                line.sendall(request + b"\n")
            while part := line.recv(2**16):
                found += part
                if len(found) > MOST_BYTES or time.monotonic() > end:
                    raise error("desk-away")
                line.settimeout(max(end - time.monotonic(), 0.01))
    except OSError:
        if not found:
            raise error("desk-away") from None
    return bytes(found)


_carrier: list[Carrier] = [by_socket]


def use(carrier: Carrier) -> None:
    """Ask by another way; for tests."""
    _carrier[:] = [carrier]


class Refusal(Exception):
    """The cause of an error with which the hub answered, or did not: the gate makes it a page."""


def ask_hub(who: Who, ask: str, **given: Any) -> dict[str, Any]:
    """Ask the hub in the reader's language.

    Args:
        who: who asks.
        ask: see ``desk.worker.answers.ask``.
        given: further keys of the request.

    Raises:
        HubError: that of the answer, or nobody answers.
    """
    request = {**given, "ask": ask, "account": who.account, "visit": who.visit, "lang": current()}
    try:
        found: dict[str, Any] = json.loads(_carrier[0](json.dumps(request).encode()))
        if "error" in found:
            raise from_json(found["error"])
        if not isinstance(found["given"], dict):
            raise error("desk-away")
    except HubError as met:
        raise met from Refusal()
    except (ValueError, TypeError, LookupError):
        raise error("desk-away") from Refusal()
    return found
