"""The web process: waitress and the WSGI application, which never load case data's modules."""

from __future__ import annotations

import os
from typing import Any

from ctdhub.desk.config import FOLDER_VARIABLE, current
from ctdhub.desk.signing_page import with_signing_page

THREADS = 8
_CONNECTIONS = 200
"""More wait in the queue of the system; each may hold a body of the longest size in memory."""
_LONGEST_BODY = 8 * 2**20
_AT_ONCE = 2**18
"""Bytes that are read from a connection at once: each reading waits for the other threads."""
_KEPT = 60
"""Seconds that a thread keeps its connection: to open one takes as long as half a page."""


def application() -> Any:
    """The WSGI application of the desk in ``CTDHUB_DESK``.

    Raises:
        ValueError: an address has no action.
        PolicyError: the database's user is one whom row-level security does not bind.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    from django.core.wsgi import get_wsgi_application

    made = get_wsgi_application()
    from ctdhub.desk.registry import pages
    from ctdhub.desk.walls import refuse_strong_user

    list(pages())
    refuse_strong_user()
    return with_signing_page(made, current()) if current().local else made


def serve() -> None:
    """Answer requests until the process is ended."""
    import waitress

    desk, answering = current(), application()
    _keep_connections()
    trusted = {
        "trusted_proxy": "*",
        "trusted_proxy_count": desk.file.proxies,
        "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto",
    }
    waitress.serve(
        answering,
        host=desk.file.address,
        port=desk.file.port,
        threads=THREADS,
        connection_limit=_CONNECTIONS,
        recv_bytes=_AT_ONCE,
        ident="",
        max_request_body_size=_LONGEST_BODY,
        inbuf_overflow=_LONGEST_BODY + 2**16,  # what is sent is never on a disk as it is
        **(trusted if desk.file.proxies else {}),
    )


def _keep_connections() -> None:
    """Let each thread keep its connection to SQLite; PostgreSQL's come from a pool."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["CONN_MAX_AGE"] = _KEPT


if __name__ == "__main__":
    assert FOLDER_VARIABLE in os.environ
    serve()
