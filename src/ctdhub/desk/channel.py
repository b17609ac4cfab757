"""The channel from the web process to the one that may read the hub folder: one socket, one form.

A message is its length in four bytes and JSON; a connection carries a request and its answer.  An
answer is passed on and kept nowhere.  Who asks is looked up there again, by the keys of account and
visit: only whoever is signed in can be asked for, and no more than their roles may.
"""

import json
import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ctdhub.core.errors import HubError, error, from_json
from ctdhub.core.i18n import current
from ctdhub.desk.allowed import Who
from ctdhub.desk.config import current as desk

SOCKET = "answers.sock"
"""In the folder of the desk."""

LONGEST = 64 * 2**20
"""Bytes of a message."""

SECONDS = 5.0
"""So long a page waits for all answers of the workbench; what it asked for goes on."""

_PATIENCE = 60.0
"""Seconds that an answer about the hub may take from the first byte of the request to its last."""

_HEAD, _LEAST = struct.Struct(">I"), 0.05


def send_message(line: socket.socket, body: bytes) -> None:
    """Send a message: its length in four bytes, then itself."""
    line.sendall(_HEAD.pack(len(body)) + body)


def next_message(line: socket.socket, until: float, most: int = LONGEST) -> bytes:
    """The next message.

    Args:
        until: by when its last byte must have come, on the clock that only goes forward.

    Raises:
        ValueError: it is longer than ``most`` bytes, or ends before its length.
        TimeoutError: it has not come whole by then.
    """
    (size,) = _HEAD.unpack(_exactly(line, _HEAD.size, until))
    if size > most:
        raise ValueError("too long")
    return _exactly(line, size, until)


def _exactly(line: socket.socket, size: int, until: float) -> bytes:
    content = bytearray()
    while len(content) < size:
        line.settimeout(max(until - time.monotonic(), 0.001))
        part = line.recv(min(size - len(content), 2**20))
        if not part:
            raise ValueError("too short")
        content += part
        if time.monotonic() > until:
            raise TimeoutError
    return bytes(content)


def _by_socket(body: bytes, until: float) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(max(_LEAST, until - time.monotonic()))
        line.connect(str(desk().folder / SOCKET))
        with suppress(ConnectionError):  # a busy process reads nothing, but says so
            send_message(line, body)
        return next_message(line, until)


_answer_here: list[Callable[[bytes], bytes]] = []


def use(answer_of: Callable[[bytes], bytes] | None) -> None:
    """Ask without a socket, or by it again if None; for tests."""
    _answer_here[:] = [answer_of] if answer_of else []


def exchange(request: Mapping[str, Any], until: float) -> Any:
    """The answer to a request, both as JSON.

    Args:
        until: by when it must have come, on the clock that only goes forward.

    Raises:
        TimeoutError: it has not.
        OSError: nobody answers.
        ValueError: what came is no answer.
    """
    body = json.dumps(request).encode()
    return json.loads(_answer_here[0](body) if _answer_here else _by_socket(body, until))


class Refusal(Exception):
    """The cause of an error with which the hub answered, or did not: the gate makes it a page."""


def ask_hub(who: Who, ask: str, **keys: Any) -> dict[str, Any]:
    """Ask the hub in the reader's language.

    Args:
        who: who asks.
        ask: of ``desk.allowed.ASKS``; see ``desk.worker.answers.ask``.
        keys: further keys of the request.

    Raises:
        HubError: that of the answer, or nobody answers (rule "desk-away").
    """
    request = {**keys, "ask": ask, "account": who.account, "visit": who.visit, "lang": current()}
    try:
        answer: dict[str, Any] = exchange(request, time.monotonic() + _PATIENCE)
        if "error" in answer:
            raise from_json(answer["error"])
        if not isinstance(answer["given"], dict):
            raise error("desk-away")
    except HubError as met:
        raise met from Refusal()
    except (OSError, ValueError, TypeError, LookupError):
        raise error("desk-away") from Refusal()
    return answer
