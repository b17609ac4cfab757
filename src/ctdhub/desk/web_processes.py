"""Several processes that answer at one address: children of one that only starts them again.

The parent holds the listening socket: a connection that comes while a child is started again waits
for it, or goes to another.  Children end with their parent, even by a ``kill -9``.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType

log = logging.getLogger("ctdhub.desk")

MOST_QUICK_DEATHS = 5
"""Deaths in a row of children that lived less than :data:`_SHORT`; then the parent ends too."""
_SHORT = 10.0
_PAUSE = 1.0
_PATIENCE = 5.0


def listening(address: str, port: int) -> list[socket.socket]:
    """Sockets bound to an address, as waitress would bind them, to be handed to it.

    Raises:
        OSError: the address is taken, or is none of this computer.
    """
    from waitress.adjustments import Adjustments

    found = []
    for family, kind, protocol, place in Adjustments(host=address, port=port).listen:
        one = socket.socket(family, kind, protocol)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(place)
        one.listen(socket.SOMAXCONN)
        one.setblocking(False)  # two wake up for one connection, and one of them finds none
        found.append(one)
    return found


def run(count: int, answer: Callable[[], None]) -> int:
    """Let children answer until this process is told to end; gives its exit code.

    Args:
        count: how many; a child that ends is started again.
        answer: what a child does, until it is ended; called after a fork, so no thread and no
            connection may be open.
    """
    ours, theirs = os.pipe()
    children: dict[int, float] = {}
    quick = 0

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        while True:
            while len(children) < count:
                children[_child(answer, ours, theirs)] = time.monotonic()
            ended, status = os.wait()
            if ended not in children:  # of whoever was this process before
                continue
            lived = time.monotonic() - children.pop(ended)
            log.error("a web process ended: %s", os.waitstatus_to_exitcode(status))
            quick = quick + 1 if lived < _SHORT else 0
            if quick == MOST_QUICK_DEATHS:
                return abs(os.waitstatus_to_exitcode(status)) or 1
            if quick > 1:
                time.sleep(_PAUSE)
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(children)


def _child(answer: Callable[[], None], ours: int, theirs: int) -> int:
    """Fork a child that answers, and ends with this process."""
    if number := os.fork():
        return number
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(theirs)
        threading.Thread(target=_end_with, args=(ours,), daemon=True).start()
        answer()
        os._exit(0)
    except KeyboardInterrupt:
        os._exit(0)
    except BaseException:
        log.error("a web process ended", exc_info=True)
        os._exit(1)


def _end_with(pipe: int) -> None:
    """End this process once the other end of a pipe, which nobody writes to, is closed."""
    os.read(pipe, 1)
    os._exit(0)


def _end(children: dict[int, float]) -> None:
    """End all; one may have ended just before this process was told to."""
    left = {child for child in children if not _is_gone(child)}
    for child in left:
        os.kill(child, signal.SIGTERM)
    until = time.monotonic() + _PATIENCE
    while left:
        left -= {child for child in left if _is_gone(child)}
        if left and time.monotonic() > until:
            for child in left:
                os.kill(child, signal.SIGKILL)
            until = float("inf")
        time.sleep(0.02)


def _is_gone(child: int) -> bool:
    try:
        return bool(os.waitpid(child, os.WNOHANG)[0])
    except ChildProcessError:  # it was waited for already
        return True
