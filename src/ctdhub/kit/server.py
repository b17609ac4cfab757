"""Start the kit, say where it is, and end it: by its button, Ctrl-C, or an hour of rest."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.lock import locked
from ctdhub.kit.folder import VARIABLE, prepare
from ctdhub.kit.guard import Application, Guard

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
        HubError: the extra is not installed (rule "needs-desk"), or another kit runs in the folder
            (rule "kit-running").
        HubFolderError: see :func:`ctdhub.kit.folder.prepare`.
    """
    place = prepare(folder)
    over = ended or threading.Event()
    try:
        with locked(place / "lock", wait=False):
            _serve(application(place, over), tell, port, over, rest)
    except BlockingIOError:
        raise error("kit-running", file=place) from None


def application(folder: Path, over: threading.Event) -> Application:
    """The kit's own WSGI application, once in a process.

    Raises:
        HubError: the extra is not installed (rule "needs-desk").
    """
    os.environ[VARIABLE] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.kit.settings"
    try:
        import django
        from django.core.wsgi import get_wsgi_application
    except ImportError:
        raise error("needs-desk") from None
    del django
    found: Application = get_wsgi_application()
    from django.conf import settings

    settings.KIT_OVER = over
    return found


def _serve(
    kit: Application, tell: Callable[[str], None], port: int, over: threading.Event, rest: float
) -> None:
    try:
        from waitress.server import create_server
    except ImportError:
        raise error("needs-desk") from None
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
