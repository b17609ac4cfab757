"""A desk that answers in this process, on SQLite or on PostgreSQL, each part as its own user."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server

import pytest

from tests.browser.test_desk_approval import Quiet, Server
from tests.desk import desks, postgres
from tests.desk.desks import Desk
from tests.fixtures.desks import with_accounts

_numbers = count()


@contextmanager
def answering_here(hub: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The desk of a hub folder; the parameter of the fixture says on which database.

    Its worker is whoever calls :func:`tests.desk.sending.work`; its answers come without a
    socket.
    """
    from django.core.wsgi import get_wsgi_application

    from ctdhub.desk import channel
    from ctdhub.desk.web import with_signing_page

    own: dict[str, Any] | None = None
    as_web: Callable[[], Any] = nullcontext
    if request.param == "postgres":
        place, name = request.getfixturevalue("postgres_template"), f"here_{next(_numbers)}"
        postgres.new_database(place, name, "base")
        own = postgres.settings(place, name, "desk_work")
        as_web = partial(desks.connected, postgres.settings(place, name, "desk_web"))
    server = make_server("127.0.0.1", 0, lambda *_: [], Server, Quiet)
    toml = f"port = {server.server_port}\ninvented = true\n"
    (hub / "desk.toml").write_text(toml, "utf-8")
    with desks.opened(hub, own):
        from ctdhub.desk.config import current
        from ctdhub.desk.worker.answering import answer_of

        desk = with_accounts(Desk(hub, as_web, postgres=own is not None))
        desk.address = f"http://localhost:{server.server_port}"
        channel.use(_as_worker(own, answer_of))
        server.set_app(_one_at_a_time(desk, with_signing_page(get_wsgi_application(), current())))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield desk
        server.shutdown()


def _as_worker(own: dict[str, Any] | None, answer: Callable[[bytes], bytes]) -> Any:
    """Answers come from another process, which is the worker's user of the database."""

    def answered(line: bytes) -> bytes:
        with desks.connected(own) if own else nullcontext():
            return answer(line)

    return answered


def _one_at_a_time(desk: Desk, app: Any) -> Any:
    """The web process as its own user of the database; users are changed for one request alone."""
    turn = threading.Lock()

    def serve(environ: Any, start: Any) -> Any:
        with turn, desk.as_web():
            answer = app(environ, start)
            found = [b"".join(answer)]
            if hasattr(answer, "close"):
                answer.close()
            return found

    return serve
