"""The web processes: they serve the desk's pages and never load case data's modules."""

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ctdhub.desk.config import DeskConfig, current

# --------------------------------------------------------------------------------------------------
# The order in which requests are answered: pages pass the parts of files.
#
# Whoever reads a page waits for it; whoever sends a file waits for all of its parts, and a part
# that waits a little longer makes no difference to them.  The work is the same.

LONG = 2**16
"""Bytes of a body from which on a request is one of those that wait."""

MOST_PAGES = 4
"""Pages that pass a part in a row; then a part has its turn, so that uploads go on."""


class PagesFirst:
    """A queue of connections with a request each, as waitress keeps them."""

    def __init__(self) -> None:
        self._pages: deque[Any] = deque()
        self._parts: deque[Any] = deque()
        self._passed = 0

    def __len__(self) -> int:
        return len(self._pages) + len(self._parts)

    def append(self, connection: Any) -> None:
        """Put a connection at the end of its kind."""
        long = connection.requests[0].content_length >= LONG
        (self._parts if long else self._pages).append(connection)

    def popleft(self) -> Any:
        """The connection that is answered next.

        Raises:
            IndexError: none waits.
        """
        if self._parts and (not self._pages or self._passed >= MOST_PAGES):
            self._passed = 0
            return self._parts.popleft()
        self._passed = self._passed + 1 if self._parts else 0
        return self._pages.popleft()


# --------------------------------------------------------------------------------------------------
# The signing page where a desk is tried out on this computer alone.
#
# Elsewhere a proxy serves the three files of ``desk/sign`` from a folder that only root writes, so
# that whoever has taken over the web process cannot change what approvers read before they sign.

FOLDER = Path(__file__).parent / "sign"
_KINDS = {"index.html": "text/html", "sign.js": "text/javascript", "sign.css": "text/css"}

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def headers(desk: DeskConfig) -> dict[str, str]:
    """The headers that go with each of the files, here and behind a proxy."""
    return {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; "
            f"connect-src {desk.origin}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        ),
        "Permissions-Policy": (
            "publickey-credentials-get=(self), publickey-credentials-create=(self)"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }


def with_signing_page(desk_application: Application, desk: DeskConfig) -> Application:
    """The application, and the three files where the signing page's host is asked for."""

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ.get("HTTP_HOST", "").partition(":")[0] != desk.sign_host:
            return desk_application(environ, start)
        name = environ.get("PATH_INFO", "").removeprefix("/") or "index.html"
        if name not in _KINDS or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start("404 Not Found", [("Content-Length", "0")])
            return [b""]
        content = (FOLDER / name).read_bytes()
        fields = {**headers(desk), "Content-Type": f"{_KINDS[name]}; charset=utf-8"}
        start("200 OK", [*fields.items(), ("Content-Length", str(len(content)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]

    return answer


# --------------------------------------------------------------------------------------------------
# The web process: waitress and the WSGI application, which never load case data's modules.
#
# It is as many processes as ``desk.toml`` says, since the threads of one share one core.

THREADS = 8
"""Of all web processes together: no more than the hub answers at one time."""
_CONNECTIONS = 200
"""Of all together.  More wait in the queue of the system; each may hold a body of the longest size
in memory."""
_LONGEST_BODY = 8 * 2**20
_AT_ONCE = 2**18
"""Bytes that are read from a connection at once: each reading waits for the other threads."""
_LIFETIME = 60
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


def main(*places: str) -> None:
    """Answer requests until the process is ended.

    Args:
        places: numbers of the sockets at which they come; the parent listens there, so that a
            connection that comes while a process is started again waits for it, or for another.
    """
    import waitress
    from django.db import connection

    desk, answering = current(), application()
    if connection.vendor == "sqlite":  # PostgreSQL's come from a pool
        connection.settings_dict["CONN_MAX_AGE"] = _LIFETIME
    sockets = [socket.socket(fileno=int(one)) for one in places]
    for one in sockets:
        one.setblocking(False)  # two wake up for one connection, and one of them finds none
    trusted = {
        "trusted_proxy": "*",
        "trusted_proxy_count": desk.file.proxies,
        "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto",
    }
    server = waitress.create_server(
        answering,
        sockets=sockets,
        threads=max(2, THREADS // desk.web_processes),
        connection_limit=max(10, _CONNECTIONS // desk.web_processes),
        recv_bytes=_AT_ONCE,
        ident="",
        max_request_body_size=_LONGEST_BODY,
        inbuf_overflow=_LONGEST_BODY + 2**16,  # what is sent is never on a disk as it is
        **(trusted if desk.file.proxies else {}),
    )
    server.task_dispatcher.queue = PagesFirst()
    server.run()
