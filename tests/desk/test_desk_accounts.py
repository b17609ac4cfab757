"""Signing in: invitations, factors, visits, throttles, roles that exclude each other."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.desk.desks import OURS, Desk

PASSWORD = "a sentence that is long enough"


def link_of(answer: Any) -> str:
    found = re.search(r"/accounts/invitation/[\w-]+/", answer.content.decode())
    assert found, answer.content.decode()[-2000:]
    return found[0]


def code_in(answer: Any) -> str:
    found = re.search(r">((?:[A-Z2-7]{4}-){3}[A-Z2-7]{4})<", answer.content.decode())
    assert found, answer.content.decode()[-2000:]
    return found[1]


def asked(desk: Desk, role: str, organisation: str = "", email: str = "new@example.org") -> str:
    given = {"email": email, "name": "New", "role": role, "organisation": organisation}
    answer = desk.client_of("administrator").post("/accounts/invite/", given)
    assert answer.status_code == 200, answer.content.decode()
    return link_of(answer)


def place_of(email: str = "new@example.org") -> str:
    from ctdhub.desk.models import Invitation

    return f"/invitations/{Invitation.objects.filter(email=email)[0].id.hex}/confirm/"


def invited(
    desk: Desk, role: str, organisation: str = "", email: str = "new@example.org"
) -> tuple[str, str]:
    """Link of the administrator and code of the second person."""
    link = asked(desk, role, organisation, email)
    second = "privacy_officer"
    return link, code_in(desk.client_of(second).post(place_of(email)))


def taken(desk: Desk, way: tuple[str, str]) -> Any:
    client = desk.client_of()
    link, code = way
    assert client.get(link).status_code == 200
    answer = client.post(link, {"name": "New", "password": PASSWORD, "code": code})
    assert (answer.status_code, answer.get("Location")) == (302, "/accounts/2fa/passkeys/add/")
    return client


def test_an_invitation_is_good_once_and_a_second_step_is_a_must(desk: Desk) -> None:
    way = invited(desk, "steward")
    client = taken(desk, way)
    assert desk.client_of().get(way[0]).status_code == 404
    for path in ("/", "/trail/"):
        assert client.get(path)["Location"] == "/accounts/2fa/"
    assert "second step" in client.get("/accounts/2fa/").content.decode()
    secret = re.search(
        r"<code dir=\"ltr\">(\w+)<", client.get("/accounts/2fa/totp/activate/").content.decode()
    )
    assert secret
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret[1])})
    assert answer["Location"] == "/accounts/2fa/codes/"
    assert client.get("/accounts/2fa/codes/").content.decode().count("<li><code>") == 10
    assert "<li><code>" not in client.get("/accounts/2fa/codes/").content.decode()
    assert client.get("/").status_code == 200


def code_of(secret: str, later: int = 0) -> str:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


def secret_of(account: Any) -> str:
    from allauth.mfa.models import Authenticator
    from allauth.mfa.utils import decrypt

    kept = Authenticator.objects.get(user=account, type="totp").data["secret"]
    secret: str = decrypt(kept)
    assert secret not in kept
    return secret


def test_a_contributor_goes_without_on_its_first_visit_only(desk: Desk) -> None:
    client = taken(desk, invited(desk, "contributor", OURS))
    assert client.get("/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302
    client.post("/accounts/login/", {"login": "new@example.org", "password": PASSWORD})
    assert client.get("/")["Location"] == "/accounts/2fa/"


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [
        ("steward", "privacy_officer", False),
        ("administrator", "auditor", False),
        ("data_officer", "steward", True),
        ("data_officer", "auditor", False),
        ("administrator", "data_officer", False),
        ("privacy_officer", "privacy_officer", False),
    ],
)
def test_roles_that_exclude_each_other(desk: Desk, first: str, second: str, fits: bool) -> None:
    """The form says so, and the table refuses it whatever a page does."""
    from django.db import IntegrityError, transaction

    from ctdhub.desk.models import RoleHeld

    given = {"email": f"{first.replace('_', '-')}@example.org", "name": "x", "role": second}
    answer = desk.client_of("administrator").post("/accounts/invite/", given)
    assert answer.status_code == (200 if fits else 422)
    try:
        with transaction.atomic():
            RoleHeld.objects.create(account=desk.accounts[first], role=second)
    except IntegrityError:
        assert not fits
    else:
        assert fits


def test_one_account_takes_a_second_role(each_desk: Desk) -> None:
    desk = each_desk
    link, code = invited(desk, "steward", email="data-officer@example.org")
    assert desk.client_of().get(link)["Location"].startswith("/accounts/login/?next=")
    client = desk.client_of("data_officer")
    assert client.get(link).status_code == 200
    assert client.post(link).status_code == 422
    assert client.post(link, {"code": "AAAA-" * 3 + "AAAA"}).status_code == 422
    assert client.post(link, {"code": code.lower().replace("-", " ")}).status_code == 302
    assert desk.accounts["data_officer"].who().roles == {"data_officer", "steward"}
    assert desk.client_of("other").get(link).status_code == 404


def test_a_new_way_in_needs_two_people(each_desk: Desk) -> None:
    desk = each_desk
    lost = desk.accounts["contributor"]
    before = desk.client_of("contributor")
    answer = desk.client_of("administrator").post(f"/accounts/{lost.id.hex}/renew/")
    link, place = link_of(answer), place_of(lost.email)
    assert desk.client_of("administrator").get(place).status_code == 403
    assert desk.client_of("contributor").get(place).status_code == 409
    assert desk.client_of("other").get(place).status_code == 404
    helper = desk.client_of("data_officer")
    assert place in helper.get("/").content.decode()
    code = code_in(helper.post(place))
    assert helper.post(place).status_code == 409
    client = taken(desk, (link, code))
    assert before.get("/").status_code == 302
    assert client.get("/")["Location"] == "/accounts/2fa/"  # not a first visit


def test_a_code_counts_once_and_attempts_are_throttled(desk: Desk) -> None:
    code = code_of(secret_of(desk.accounts["steward"]))
    given = {"login": "steward@example.org", "password": "a long password"}

    def enter() -> Any:
        client = desk.client_of()
        assert client.post("/accounts/login/", given)["Location"] == "/accounts/2fa/authenticate/"
        assert client.get("/").status_code == 302
        return client, client.post("/accounts/2fa/authenticate/", {"code": code})

    client, answer = enter()
    assert answer.status_code == 302
    assert client.get("/").status_code == 200
    client, answer = enter()
    assert "used already" in answer.content.decode()
    wrong = {"login": "steward@example.org", "password": "wrong"}
    texts = [desk.client_of().post("/accounts/login/", wrong).content.decode() for _ in range(6)]
    assert "not right" in texts[0]
    assert "Too many" in texts[-1]
    assert "Too many" in desk.client_of().post("/accounts/login/", given).content.decode()


def test_a_visit_ends_and_a_changed_factor_ends_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"login": "auditor@example.org", "password": "a long password"}
    clients = [desk.client_of("auditor"), desk.client_of("auditor")]
    assert [c.get("/").status_code for c in clients] == [200, 200]
    new = {"oldpassword": given["password"], "password1": PASSWORD, "password2": PASSWORD}
    assert clients[0].post("/accounts/password/change/", new).status_code == 302
    assert clients[0].get("/").status_code == 200
    assert clients[1].get("/").status_code == 302
    now = time.time()
    monkeypatch.setattr("ctdhub.desk.middleware.time.time", lambda: now + 1801)
    assert clients[0].get("/").status_code == 302
    monkeypatch.undo()
    client = desk.client_of("data_officer")
    assert client.get("/").status_code == 200
    monkeypatch.setattr("ctdhub.desk.middleware.time.time", lambda: now - 3600)
    assert client.get("/").status_code == 302, "a clock that was set back makes no visit longer"
    monkeypatch.undo()
    client = desk.client_of("steward")
    for minutes in range(0, 13 * 60, 25):
        monkeypatch.setattr(
            "ctdhub.desk.middleware.time.time", lambda after=minutes: now + after * 60
        )
        status = client.get("/").status_code
        assert status == (200 if minutes <= 720 else 302), minutes
        if status == 302:
            break


def test_the_last_factor_stays(desk: Desk) -> None:
    client = desk.client_of("steward")
    client.post("/accounts/reauthenticate/", {"password": "a long password"})
    answer = client.post("/accounts/2fa/totp/deactivate/")
    assert "only second step" in answer.content.decode()


def test_a_closed_account_is_out(desk: Desk) -> None:
    client, theirs = desk.client_of("administrator"), desk.client_of("other")
    assert theirs.get("/").status_code == 200
    key = desk.accounts["other"].id.hex
    assert client.post(f"/accounts/{key}/close/").status_code == 302
    assert theirs.get("/").status_code == 302
    assert client.post(f"/accounts/{key}/close/").status_code == 409  # and does not open it
    own = desk.accounts["administrator"].id.hex
    assert client.post(f"/accounts/{own}/close/").status_code == 409
