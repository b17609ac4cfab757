"""Every page stands: signed in, signed out, with odd input, in each language."""

from __future__ import annotations

from tests.desk.desks import ROLES, Desk


def test_home_is_for_whoever_signed_in(desk: Desk) -> None:
    answer = desk.client_of().get("/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=%2F"
    for role in ROLES:
        answer = desk.client_of(role).get("/")
        assert answer.status_code == 200, role
        assert "Practice" in answer.content.decode()
