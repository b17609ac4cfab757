"""Desks to test: on SQLite, and on a PostgreSQL server of the run's own where Debian's is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.conftest import Once

pytest.importorskip("django", reason="Django is missing: pip install 'ctdhub[desk]'")

from tests.desk import desks
from tests.desk.desks import Desk


@pytest.fixture(scope="session")
def practice_desk(once: Once) -> Path:
    """A practice hub of few people, not built, with a desk on SQLite and accounts of each role."""

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


def with_accounts(desk: Desk) -> Desk:
    """The desk with the accounts that its database holds."""
    from ctdhub.desk.models.people import DeskAccount

    for account in DeskAccount.objects.all():
        desk.accounts[account.email.partition("@")[0].replace("-", "_")] = account
    return desk
