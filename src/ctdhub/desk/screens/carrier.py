"""How a screen asks the workbench: a plain call in the kit, a Unix socket in the desk.

``CTDHUB_CARRIER`` in the settings names a function ``carrier(request, thing)``.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ctdhub.core.errors import error, from_json

SECONDS = 5.0
"""So long a page waits for all its answers; what it asked for goes on."""

LONGEST = 64 * 2**20
"""Bytes of a message."""

_HEAD, _LEAST = struct.Struct(">I"), 0.05


def send_message(line: socket.socket, body: bytes) -> None:
    """Send a message: its length in four bytes, then itself."""
    line.sendall(_HEAD.pack(len(body)) + body)


def next_message(line: socket.socket, most: int = LONGEST) -> bytes | None:
    """The next message; None where the other side has ended.

    Raises:
        ValueError: it is longer than ``most`` bytes, or ends before its length.
    """
    head = _exactly(line, _HEAD.size)
    if not head:
        return None
    (size,) = _HEAD.unpack(head)
    if size > most:
        raise ValueError("too long")
    body = _exactly(line, size)
    if len(body) < size:
        raise ValueError("too short")
    return body


def _exactly(line: socket.socket, size: int) -> bytes:
    """So many bytes, none where there are none any more."""
    found = bytearray()
    while len(found) < size:
        part = line.recv(min(size - len(found), 2**20))
        if not part:
            if found:
                raise ValueError("too short")
            break
        found += part
    return bytes(found)


class Carrier(Protocol):
    """Carries requests about one delivery, on behalf of one person."""

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request; see ``ctdhub.sensitive.workbench.ask`` for both."""


@dataclass(frozen=True)
class SocketCarrier:
    """Asks the workbench's process, one connection a request: a message of JSON there, one back.

    Attributes:
        place: the socket.
        fixed: what the desk itself says in each request.
        until: when its page waits no longer.
    """

    place: Path
    fixed: Mapping[str, Any]
    until: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """See :class:`Carrier`.

        Raises:
            HubError: the workbench is still at work (rule "workbench-late"), or does not answer
                (rule "workbench-away").
        """
        asked = json.dumps({**request, **self.fixed}, ensure_ascii=True).encode()
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(max(_LEAST, self.until - time.monotonic()))
                line.connect(str(self.place))
                send_message(line, asked)
                found: dict[str, Any] = json.loads(next_message(line) or b"")
        except TimeoutError:
            raise error("workbench-late") from None
        except (OSError, ValueError):
            raise error("workbench-away") from None
        return found


def asked(carrier: Carrier, ask: str, **more: Any) -> dict[str, Any]:
    """The answer to a request.

    Raises:
        HubError: what the workbench says is wrong.
    """
    answer = carrier.ask({"ask": ask, **more})
    if "error" in answer:
        raise from_json(answer["error"])
    return answer


def carrier_of(request: Any, thing: Any) -> Carrier:
    """The carrier of this process for a delivery."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    found: Carrier = import_string(settings.CTDHUB_CARRIER)(request, thing)
    return found
