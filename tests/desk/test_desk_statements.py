"""What a page asks the database: little, and what it writes lets nobody wait for the disk."""

from __future__ import annotations

from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from tests.desk.desks import Desk

PAGES = ("/", "/deliveries/", "/deliveries/send/", "/account/")
MOST = 10


def asked(client: Any, page: str) -> list[str]:
    """The statements of a page that is answered."""
    from django.db import connection

    with CaptureQueriesContext(connection) as found:
        assert client.get(page).status_code == 200
    return [one["sql"] for one in found]


def test_a_page_asks_little_and_marks_a_visit_in_one_transaction(desk: Desk) -> None:
    from django.db import connection

    client = desk.client_of("contributor")
    first = asked(client, "/account/")
    assert [sql for sql in first if sql.startswith(("BEGIN", "PRAGMA"))] == [
        "PRAGMA synchronous=NORMAL",
        "BEGIN IMMEDIATE",
        "PRAGMA synchronous=FULL",
    ]
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)
    for page in PAGES:
        later = asked(client, page)
        assert all(sql.startswith("SELECT") for sql in later), later
        assert len(later) <= MOST, (page, len(later))


def test_a_visit_that_ends_in_the_midst_of_a_request_is_no_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.sessions.models import Session

    from ctdhub.desk import middleware

    client = desk.client_of("contributor", raise_request_exception=False)
    begins = middleware.unhurried

    def too_late() -> Any:
        Session.objects.all().delete()
        return begins()

    monkeypatch.setattr(middleware, "unhurried", too_late)
    assert client.get("/account/").status_code == 400
    assert client.get("/account/").status_code == 302, "and it is over"
