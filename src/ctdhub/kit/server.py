"""Start the kit, say where it is, let one browser in, and end it."""

import hmac
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ctdhub.core.errors import error
from ctdhub.core.files import locked
from ctdhub.kit.state import VARIABLE, prepare

# --------------------------------------------------------------------------------------------------
# Who may speak to the kit: one browser on this computer that opened the one-time address.
#
# The kit has no accounts and no cookie, since cookies do not tell ports of one computer apart.
# What lets a browser in is a random prefix in the address, which the one-time address leads to.
# Other programs of this user may read it, as they may read the files; other pages in the browser
# and other computers may not.

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]

ONCE_SECONDS = 60
"""How long the one-time address opens."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""No ``require-trusted-types-for``: it would stop htmx from putting in what the server sent."""

HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
"""``same-origin``: with ``no-referrer`` a browser sends ``Origin: null`` with a form."""


class Guard:
    """A WSGI application before the kit's own.

    Args:
        kit: the application behind it.
        now: seconds of a clock that only goes forward.

    Attributes:
        last: when the last request of the kit's own browser came.
    """

    def __init__(self, kit: Application, now: Callable[[], float]) -> None:
        self._kit, self._now = kit, now
        self._once = secrets.token_hex(32)
        self._until = now() + ONCE_SECONDS
        self._prefix = f"/k/{secrets.token_hex(16)}"
        self._host = ""
        self.last = now()

    def listens_on(self, port: int) -> str:
        """The one-time address, once the port is known."""
        self._host = f"127.0.0.1:{port}"
        return f"http://{self._host}/o/{self._once}"

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Answer a request, or refuse it with an empty body."""
        if not self._is_ours(environ):
            return _empty(start_response, "421 Misdirected Request")
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        if path.startswith("/o/"):
            return self._first(path.removeprefix("/o/"), environ, start_response)
        prefix, inside = path[: len(self._prefix)], path[len(self._prefix) :]
        if not _same(prefix, self._prefix) or not inside.startswith("/"):
            return _empty(start_response, "404 Not Found")
        self.last = self._now()
        own = environ | {"SCRIPT_NAME": self._prefix, "PATH_INFO": inside}

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            names = {name.lower() for name, _value in headers}
            fixed = [(n, v) for n, v in HEADERS if n.lower() not in names]
            return start_response(status, [*headers, *fixed], *more)

        return self._kit(own, start)

    def _is_ours(self, environ: Environ) -> bool:
        """Whether the browser asked for this address, from a page of this address or from none."""
        if not self._host or environ.get("HTTP_HOST") != self._host:
            return False
        if environ.get("HTTP_ORIGIN", f"http://{self._host}") != f"http://{self._host}":
            return False
        if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
            return False
        try:
            referrer = urlsplit(environ.get("HTTP_REFERER", ""))
        except ValueError:
            return False
        return not referrer.netloc or referrer.netloc == self._host

    def _first(self, key: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
        if environ.get("REQUEST_METHOD") != "GET":
            return _empty(start_response, "405 Method Not Allowed")
        right = bool(self._once) and _same(key, self._once)
        if not right or self._now() > self._until:
            return _empty(start_response, "410 Gone")
        self._once = ""
        self.last = self._now()
        moved = [("Location", f"{self._prefix}/"), ("Content-Length", "0"), *HEADERS]
        start_response("303 See Other", moved)
        return [b""]


def _same(text: str, secret: str) -> bool:
    """Whether both are equal, in the same time wherever they differ."""
    return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), secret.encode())


def _empty(start_response: Start, status: str) -> Iterable[bytes]:
    start_response(status, [("Content-Length", "0"), *HEADERS])
    return [b""]


# --------------------------------------------------------------------------------------------------
# Start the kit, say where it is, and end it: by its button, Ctrl-C, or an hour of rest.

REST_SECONDS = 3600
"""After so long without a request the kit ends; all is saved at each act."""

MOST_BYTES = 2**29 + 2**20
"""Of a request: a file as large as any that is read, and its form."""


def serve(
    folder: Path,
    tell: Callable[[str], None],
    port: int = 0,
    ended: threading.Event | None = None,
    rest: float = REST_SECONDS,
) -> None:
    """Serve the kit on this computer until it is ended.

    Args:
        folder: of the kit; made where there is none.
        tell: is told the one-time address.
        port: 0 lets the system choose.
        ended: ends the kit when it is set.
        rest: seconds without a request after which it ends.

    Raises:
        HubError: another kit runs in the folder (rule "kit-running").
        HubFolderError: see :func:`ctdhub.kit.state.prepare`.
    """
    place = prepare(folder)
    over = ended or threading.Event()
    try:
        with locked(place / "lock", wait=False):
            _serve(application(place, over), tell, port, over, rest)
    except BlockingIOError:
        raise error("kit-running", file=place) from None


def application(folder: Path, over: threading.Event) -> Application:
    """The kit's own WSGI application, once in a process."""
    os.environ[VARIABLE] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.kit.settings"
    from django.core.wsgi import get_wsgi_application

    kit: Application = get_wsgi_application()
    from django.conf import settings

    settings.KIT_OVER = over
    return kit


def _serve(
    kit: Application, tell: Callable[[str], None], port: int, over: threading.Event, rest: float
) -> None:
    from waitress.server import create_server

    logging.getLogger("waitress").setLevel(logging.ERROR)
    guard = Guard(kit, time.monotonic)
    server: Any = create_server(
        guard,
        host="127.0.0.1",
        port=port,
        threads=1,  # one user: what is read and then written is nobody else's meanwhile
        ident=None,
        max_request_body_size=MOST_BYTES,
        clear_untrusted_proxy_headers=True,
    )
    tell(guard.listens_on(server.effective_port))
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    try:
        while not over.wait(0.5):
            if time.monotonic() - guard.last > rest:
                break
        time.sleep(0.2)  # the answer to the button is on its way
    finally:
        server.close()
        server.task_dispatcher.shutdown()
