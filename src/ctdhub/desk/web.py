"""The web process: waitress and the WSGI application, which never load case data's modules.

It is as many processes as ``desk.toml`` says, since the threads of one share one core.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from typing import Any

from ctdhub.desk.config import FOLDER_VARIABLE, current
from ctdhub.desk.signing_page import with_signing_page

THREADS = 8
"""Of all web processes together: no more than the hub answers at one time."""
_CONNECTIONS = 200
"""Of all together.  More wait in the queue of the system; each may hold a body of the longest size
in memory."""
_LONGEST_BODY = 8 * 2**20
_AT_ONCE = 2**18
"""Bytes that are read from a connection at once: each reading waits for the other threads."""
_KEPT = 60
"""Seconds that a thread keeps its connection: to open one takes as long as half a page."""


def application() -> Any:
    """The WSGI application of the desk in ``CTDHUB_DESK``.

    Raises:
        PermissionError: the key of sessions is another user's.
        ValueError: an address has no action.
        PolicyError: the database's user is one whom row-level security does not bind.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    current().secret("session")
    from django.core.wsgi import get_wsgi_application

    made = get_wsgi_application()
    from ctdhub.desk.registry import pages
    from ctdhub.desk.walls import refuse_strong_user

    list(pages())
    refuse_strong_user()
    return with_signing_page(made, current()) if current().local else made


def serve() -> int:
    """Answer requests until the process is ended; gives its exit code.

    Raises:
        OSError: the address is taken, or is none of this computer.
    """
    from ctdhub.desk import web_processes

    desk, answering = current(), application()
    _keep_connections()
    count = desk.web_processes
    sockets = web_processes.listening(desk.file.address, desk.file.port)

    def answer() -> None:
        _answer(answering, sockets, count)

    if count == 1:
        answer()
        return 0
    gc.freeze()  # what is loaded stays shared between the children
    return web_processes.run(count, answer)


def _answer(answering: Any, sockets: list[socket.socket], among: int) -> None:
    """Answer what comes in at these sockets, as one of so many processes."""
    import waitress

    from ctdhub.desk.pages_first import PagesFirst

    desk = current()
    trusted = {
        "trusted_proxy": "*",
        "trusted_proxy_count": desk.file.proxies,
        "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto",
    }
    server = waitress.create_server(
        answering,
        sockets=sockets,
        threads=max(2, THREADS // among),
        connection_limit=max(10, _CONNECTIONS // among),
        recv_bytes=_AT_ONCE,
        ident="",
        max_request_body_size=_LONGEST_BODY,
        inbuf_overflow=_LONGEST_BODY + 2**16,  # what is sent is never on a disk as it is
        **(trusted if desk.file.proxies else {}),
    )
    server.task_dispatcher.queue = PagesFirst()
    server.run()


def _keep_connections() -> None:
    """Let each thread keep its connection to SQLite; PostgreSQL's come from a pool.

    What is open by now is closed, the pool with its threads too: no child may share it.
    """
    from django.db import connection

    connection.close()
    if connection.vendor == "sqlite":
        connection.settings_dict["CONN_MAX_AGE"] = _KEPT
    else:
        connection.close_pool()


if __name__ == "__main__":
    assert FOLDER_VARIABLE in os.environ
    sys.exit(serve())
