"""Desks to test: on SQLite, on a PostgreSQL server of the run's own, and behind a real address.

Tests of other folders import the fixtures that they need.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Once
from tests.desk import desks, postgres
from tests.desk.desks import Desk

MISSING = "Django is missing: pip install '.[desk]'"


@pytest.fixture(scope="session")
def practice_desk(once: Once) -> Path:
    """A practice hub of few people, not built, with a desk on SQLite and accounts of each role."""
    pytest.importorskip("django", reason=MISSING)

    def make(place: Path) -> None:
        from ctdhub.build.init import practice_hub

        practice_hub(place, people=1000)
        desks.set_up(place)
        with desks.opened(place):
            from django.db import connection

            from ctdhub.desk.database import prepare

            prepare()
            desks.people(Desk(place, nullcontext))
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    place = once("practice-desk", make)
    desks.set_up(place)
    return place


@pytest.fixture
def desk(practice_desk: Path, tmp_path: Path) -> Iterator[Desk]:
    """A desk of this test's own on SQLite; ``desk.client_of("steward").get("/")``."""
    hub = desks.copy_of(practice_desk, tmp_path / "hub")
    with desks.opened(hub):
        yield with_accounts(Desk(hub, nullcontext))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """A PostgreSQL server of this process of the run."""
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is missing: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="psycopg is missing: pip install '.[postgres]'")
    with postgres.server() as place:
        yield place


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Path, practice_desk: Path) -> Path:
    """The server with the database ``base``: tables, walls, accounts of each role."""
    postgres.new_database(postgres_server, "base")
    owner, work = (
        postgres.settings(postgres_server, "base", user) for user in ("desk_owner", "desk_work")
    )
    from ctdhub.desk.database import prepare

    with desks.opened(practice_desk, owner):
        prepare()
    with desks.opened(practice_desk, work):
        desks.people(Desk(practice_desk, nullcontext))
    return postgres_server


@pytest.fixture
def desk_on_postgres(
    postgres_template: Path, practice_desk: Path, tmp_path: Path
) -> Iterator[Desk]:
    """A desk of this test's own on PostgreSQL.

    The test itself works as the worker's user, whom the walls let through; each request of a
    client is answered as the web's user, whom they bind.
    """
    hub = desks.copy_of(practice_desk, tmp_path / "hub")
    name = f"desk_{next(_numbers)}"
    postgres.new_database(postgres_template, name, "base")
    web, work = (
        postgres.settings(postgres_template, name, user) for user in ("desk_web", "desk_work")
    )
    kept: dict[str, Any] = {}
    with desks.opened(hub, work):
        yield with_accounts(Desk(hub, lambda: desks.connected(web, kept), postgres=True))
    if kept:
        kept["connection"].close()


@pytest.fixture(params=["sqlite", "postgres"])
def each_desk(request: pytest.FixtureRequest) -> Desk:
    """A desk on each database in turn."""
    found: Desk = request.getfixturevalue(
        "desk" if request.param == "sqlite" else "desk_on_postgres"
    )
    return found


@pytest.fixture
def live_desk(desk: Desk) -> Iterator[Desk]:
    """A desk whose web process answers at ``desk.address``; Chromium may ask it for passkeys."""
    with desks.answering(desk.hub, "invented = true") as port:
        desk.address = f"http://localhost:{port}"
        yield desk


_numbers = count(1)


def with_accounts(desk: Desk) -> Desk:
    """The desk with the accounts that its database holds."""
    from ctdhub.desk.models.people import DeskAccount

    for account in DeskAccount.objects.all():
        desk.accounts[account.email.partition("@")[0].replace("-", "_")] = account
    return desk
