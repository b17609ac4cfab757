"""Nobody comes in by one person alone: who asks, who confirms, what happens in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tests.desk.desks import OURS, Desk
from tests.desk.test_desk_accounts import PASSWORD, asked, code_in, link_of, place_of, taken

HUB = ("data_officer", "steward", "privacy_officer", "administrator", "auditor")
ALL = [("contributor", OURS), *((role, "") for role in HUB)]


def test_an_administrator_alone_gets_no_account_of_any_role(each_desk: Desk) -> None:
    """With everything that the administrator has: the link, every page, a second administrator."""
    from ctdhub.desk.models import DeskAccount, RoleHeld

    desk = each_desk
    another = DeskAccount.objects.create_user("second@example.org", "Second", "a long password")
    RoleHeld.objects.create(account=another, role="administrator")
    desk.accounts["second"] = another
    theirs = [desk.client_of(name) for name in ("administrator", "second")]
    visitor = desk.client_of()
    for role, organisation in ALL:
        email = f"{role}@new.example.org"
        link, place = asked(desk, role, organisation, email), place_of(email)
        for client in theirs:
            assert client.get(place).status_code in (302, 403)
            assert client.post(place).status_code in (302, 403)
        assert b"waits for a second person" in visitor.get(link).content
        given = {"name": "New", "password": PASSWORD}
        for code in ("", "A" * 16, "0" * 40):
            visitor.post(link, {**given, "code": code, "email": "x@example.org"})
        assert not DeskAccount.objects.filter(email=email).exists()
        code = code_in(desk.client_of("auditor").post(place))
        assert visitor.post(link, {**given, "code": "A" * 16}).status_code == 422
    taken(desk, (link, code))


def test_who_may_confirm(desk: Desk) -> None:
    """Not whom it is for, not another organisation; each of the hub but administrators."""
    asked(desk, "steward", email="data-officer@example.org")
    place = place_of("data-officer@example.org")
    found = {
        role: desk.client_of(role).get(place).status_code for role in (*HUB, "contributor", "other")
    }
    assert found == {
        "data_officer": 409, "steward": 200, "privacy_officer": 200, "administrator": 403,
        "auditor": 200, "contributor": 404, "other": 404,
    }  # fmt: skip
    asked(desk, "contributor", OURS)
    assert desk.client_of("contributor").get(place_of()).status_code == 200
    coded = desk.client_of("contributor").post(place_of()).content.decode()
    assert 'class="button main" href="/"' in coded, "the page of the code leads on"
    assert desk.client_of("other").get(place_of()).status_code == 404


def test_of_two_who_confirm_one_has_the_code(desk: Desk) -> None:
    from django.db import connection

    from ctdhub.desk.accounts import invitations
    from ctdhub.desk.models import Invitation

    link, place = asked(desk, "auditor"), place_of()
    found: dict[str, Any] = {}
    start = threading.Barrier(2)

    def confirm(role: str) -> None:
        client = desk.client_of(role)
        start.wait()
        found[role] = client.post(place)
        connection.close()

    people = [threading.Thread(target=confirm, args=(r,)) for r in ("steward", "auditor")]
    for one in people:
        one.start()
    for one in people:
        one.join()
    answers = sorted(a.status_code for a in found.values())
    assert answers == [200, 409]
    [good] = [a for a in found.values() if a.status_code == 200]
    one = Invitation.objects.get()
    assert one.second is not None
    assert invitations.code_fits(one, code_in(good))
    taken(desk, (link, code_in(good)))


def test_what_is_taken_back_or_refused_meanwhile_lets_nobody_in(desk: Desk) -> None:
    link, place = asked(desk, "auditor"), place_of()
    helper = desk.client_of("steward")
    code = code_in(helper.post(place))
    desk.client_of("administrator").post(place.replace("confirm", "cancel"))
    given = {"name": "New", "password": PASSWORD, "code": code}
    assert desk.client_of().post(link, given).status_code == 404
    link, place = asked(desk, "auditor"), place_of()
    desk.client_of("administrator").post(place.replace("confirm", "cancel"))
    assert helper.post(place).status_code == 409
    link, place = asked(desk, "auditor"), place_of()
    assert helper.post(place, {"act": "refuse"}).status_code == 302
    assert desk.client_of("auditor").post(place).status_code == 409
    assert desk.client_of().get(link).status_code == 404


def test_a_closed_account_opens_by_two_people_only(desk: Desk) -> None:
    from allauth.mfa.models import Authenticator

    account, administrator = desk.accounts["data_officer"], desk.client_of("administrator")
    before = desk.client_of("data_officer")
    key = account.id.hex
    assert administrator.post(f"/accounts/{key}/close/").status_code == 302
    assert before.get("/deliveries/").status_code == 302
    link = link_of(administrator.post(f"/accounts/{key}/renew/"))
    account.refresh_from_db()
    assert not account.is_active
    code = code_in(desk.client_of("steward").post(place_of(account.email)))
    taken(desk, (link, code))
    account.refresh_from_db()
    assert account.is_active
    assert not Authenticator.objects.filter(user=account).exists()


def test_an_ended_role_is_gone_at_once_and_told(desk: Desk) -> None:
    from ctdhub.desk.models import OutgoingMail, RoleHeld

    client = desk.client_of("data_officer")
    assert client.get("/deliveries/").status_code == 200
    held = RoleHeld.objects.get(role="data_officer")
    desk.client_of("administrator").post(f"/roles/{held.id.hex}/end/")
    assert client.get("/deliveries/").status_code == 302
    assert desk.client_of("data_officer").get("/deliveries/").status_code == 403
    told = set(OutgoingMail.objects.filter(kind="role_ended").values_list("email", flat=True))
    assert told == {f"{r.replace('_', '-')}@example.org" for r in HUB if r != "data_officer"}
    own = RoleHeld.objects.get(role="administrator")
    way = f"/roles/{own.id.hex}/end/"
    assert desk.client_of("administrator").post(way).status_code == 409


def emptied(desk: Desk) -> None:
    """A hub in which nobody but its administrator has ever held a role."""
    from ctdhub.desk.models import DeskAccount

    DeskAccount.objects.exclude(pk=desk.accounts["administrator"].pk).delete()


def test_the_first_needs_nobody_and_all_after_it_do(each_desk: Desk) -> None:
    """Both were asked when there was nobody: the one who comes second waits all the same."""
    desk = each_desk
    emptied(desk)
    first = asked(desk, "data_officer")
    later = asked(desk, "auditor", email="later@example.org")
    page = desk.client_of("administrator").get("/people/").content.decode()
    assert "nobody can confirm an invitation" in page
    client = desk.client_of()
    answer = client.post(first, {"name": "First", "password": PASSWORD})
    assert answer["Location"] == "/accounts/2fa/passkeys/add/"
    given = {"name": "Later", "password": PASSWORD}
    assert b"waits for a second person" in desk.client_of().post(later, given).content
    from ctdhub.desk.models import DeskAccount

    assert not DeskAccount.objects.filter(email="later@example.org").exists()
    page = desk.client_of("administrator").get("/people/").content.decode()
    assert "One person alone can confirm" in page


def test_a_hub_whose_people_left_does_not_begin_anew(
    desk: Desk, ctdhub: Callable[..., tuple[int, str, str]]
) -> None:
    """Ending all roles makes nobody a first person; whoever runs the server can help."""
    from ctdhub.desk.models import RoleHeld

    link = asked(desk, "data_officer")
    taken(desk, (link, code_in(desk.client_of("steward").post(place_of()))))
    assert ctdhub("desk", "confirm", desk.hub)[0] == 2  # somebody at the desk can
    administrator = desk.client_of("administrator")
    for held in RoleHeld.objects.exclude(role__in=("administrator", "contributor")):
        assert administrator.post(f"/roles/{held.id.hex}/end/").status_code == 302
    link = asked(desk, "data_officer", email="mine@example.org")
    assert b"waits for a second person" in desk.client_of().get(link).content
    _code, listed, _err = ctdhub("desk", "confirm", desk.hub)
    assert "mine@example.org" in listed
    assert "72" not in listed
    assert "72" in ctdhub("desk", "confirm", desk.hub, "--yes")[1]
    assert ctdhub("desk", "confirm", desk.hub, "--yes")[0] == 2


def test_the_list_says_who_confirmed_whom(desk: Desk) -> None:
    from ctdhub.desk.models import TrailEvent

    link, place = asked(desk, "auditor"), place_of()
    code = code_in(desk.client_of("steward").post(place))
    taken(desk, (link, code))
    page = desk.client_of("auditor").get("/people/").content.decode()
    row = page[page.index("new@example.org") :].partition("</tr>")[0]
    assert "Practice administrator" in row
    assert "Practice steward" in row
    assert desk.client_of("contributor").get("/people/").status_code == 403
    key = place.split("/")[2]
    acts = list(TrailEvent.objects.filter(thing=key).order_by("number").values_list("action"))
    assert acts == [("invitation.write",), ("invitation.confirm",), ("invitation.take",)]


def test_a_password_of_names_is_refused(desk: Desk) -> None:
    link, place = asked(desk, "auditor", email="amina.diallo@ngo.example.org"), ""
    place = place_of("amina.diallo@ngo.example.org")
    code = code_in(desk.client_of("steward").post(place))
    client = desk.client_of()
    for password in (
        "ctdhub-localhost-2026",
        "Amina Diallo example",
        "AMINA.DIALLO@ngo.example.org",
        f"{desk.config.hub_name} 2026",
    ):
        given = {"name": "Amina Diallo", "password": password, "code": code}
        assert client.post(link, given).status_code == 422, password
    given["password"] = "seven grey herons over Amina's roof"
    assert client.post(link, given).status_code == 302


def test_the_head_of_the_trail_goes_to_the_auditor_once_a_day(desk: Desk) -> None:
    from django.core import mail
    from django.core.mail.backends.locmem import EmailBackend

    from ctdhub.desk.mail import send_waiting, tell_head_of_trail
    from ctdhub.desk.models import OutgoingMail
    from ctdhub.desk.trail import head, record

    record(desk.accounts["steward"].who(), "plan.read")
    number, digest = head()
    for _ in range(3):
        tell_head_of_trail()
        record(desk.accounts["steward"].who(), "plan.read")
    assert list(OutgoingMail.objects.values_list("email", flat=True)) == ["auditor@example.org"]
    mail.outbox = []
    assert send_waiting(connection=EmailBackend()) == 1
    assert f"{number} {digest}" in mail.outbox[0].body


def test_a_name_shows_all_that_it_is(desk: Desk) -> None:
    """Signs that turn or hide text, look-alike addresses, heaps of marks, names in many scripts."""
    from ctdhub.desk.models import Invitation

    client = desk.client_of("administrator")
    fine = {
        "\u202egnp.exe": "gnp.exe",
        "Amina\u2066\u202e Diallo\u2069": "Amina Diallo",
        "  Ann \n\t B ": "Ann B",
        "\u0641\u0627\u0637\u0645\u0629": "\u0641\u0627\u0637\u0645\u0629",
        "\u0646\u06cc\u200c\u0646\u0627": "\u0646\u06cc\u200c\u0646\u0627",
        "Nguy\u1ec5n Th\u1ecb \u00c1nh": "Nguy\u1ec5n Th\u1ecb \u00c1nh",
        "Jose\u0301": "Jos\u00e9",
        "O'Neill-\u00d8": "O'Neill-\u00d8",
        "<script>alert(1)</script>": "<script>alert(1)</script>",
    }
    for n, (typed, kept) in enumerate(fine.items()):
        given = {"email": f"e{n}@example.org", "name": typed, "role": "auditor"}
        assert client.post("/accounts/invite/", given).status_code == 200, typed
        assert Invitation.objects.get(email=given["email"]).name == kept
    page = desk.client_of("steward").get("/").content
    assert b"<script>alert(1)" not in page
    bad = ["\u2066\u202e\u2069\u200f", "\u200b", "...", "Z\u0351\u036b\u0343\u036a", "x" * 101]
    for name in bad:
        given = {"email": "bad@example.org", "name": name, "role": "auditor"}
        assert client.post("/accounts/invite/", given).status_code == 422, ascii(name)
    for email in ("ann@ex\u0430mple.org", "\u0430nn@example.org", "ann\u202e@example.org"):
        given = {"email": email, "name": "Ann", "role": "auditor"}
        assert client.post("/accounts/invite/", given).status_code == 422, ascii(email)
