"""What somebody tries who means harm, each once: as a person with an account, and as none."""

from __future__ import annotations

import http.client
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.desk import desks
from tests.desk.desks import OURS, Desk
from tests.desk.sending import PART, TUS, begun, practice_file, rounds, rows

OTHER_METHOD = "X-HTTP-Method-Override"


@pytest.fixture
def open_desk(desk: Desk) -> Desk:
    assert rounds() == []
    return desk


def test_a_data_officer_neither_continues_nor_ends_what_a_contributor_sends(
    open_desk: Desk,
) -> None:
    officer, ours = open_desk.client_of("data_officer"), open_desk.client_of("contributor")
    place = begun(ours, b"a;b\n1;2\n", kind="csv", sha256="")["Location"]
    headers = TUS | {"Upload-Offset": "0"}
    answer = officer.patch(place, b"x;y\n9;9\n", content_type=PART, headers=headers)
    assert answer.status_code == 404
    assert officer.delete(place, headers=TUS).status_code == 404
    assert officer.head(place, headers=TUS).status_code == 404
    own = begun(officer, b"a;b\n1;2\n", kind="csv", organisation=OURS)["Location"]
    answer = officer.patch(own, b"a;b\n1;2\n", content_type=PART, headers=headers)
    assert answer.status_code == 204


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_no_token_is_got_round_by_another_name_of_a_method(open_desk: Desk, method: str) -> None:
    """Django asks no token of a request that only reads; a header must not make it write."""
    client = open_desk.client_of("contributor", enforce_csrf_checks=True)
    place = begun(open_desk.client_of("contributor"), b"a;b\n", kind="csv")["Location"]
    client.generic(method, place, headers=TUS | {OTHER_METHOD: "DELETE"})
    assert rows("Delivery").get(account__isnull=False).state == "receiving"


@pytest.mark.parametrize("name", ["desk", "desk_on_postgres"])
def test_odd_text_in_a_form_is_never_a_server_error(
    name: str, request: pytest.FixtureRequest
) -> None:
    """U+0000, which PostgreSQL cannot keep, and numbers too long to be read."""
    from tests.desk.things import thing

    desk: Desk = request.getfixturevalue(name)
    rounds()
    officer = desk.client_of("data_officer", raise_request_exception=False)
    checked = thing(desk, "Delivery", OURS)
    rows("Delivery").filter(id=checked.id).update(state="checked")
    given = {"reason-format": "1", "note": "a\x00b"}
    place = f"/deliveries/{checked.id.hex}/"
    assert officer.post(f"{place}return/", given).status_code < 500
    answer = begun(officer, b"a;b\n", kind="csv", organisation="a\x00b")
    assert answer.status_code in (400, 403)
    with practice_file(desk).open("rb") as file:
        sent = officer.post("/deliveries/send/", {"file": file, "organisation": "a\x00b"})
    assert sent.status_code in (400, 403)


def test_an_invitation_is_good_once_for_two_at_the_same_time(desk: Desk) -> None:
    """Both found it open; the second to write must come to nothing."""
    from django.db import transaction
    from django.http import Http404

    from ctdhub.desk.accounts import invitations

    token = invitations.invite("", "", "administrator")[1]
    first, second = invitations.of_token(token), invitations.of_token(token)
    assert first is not None
    assert second is not None
    first.email, second.email = "one@example.org", "two@example.org"
    invitations.take_up(first, "One", "a sentence that is long enough", "en")
    with pytest.raises(Http404), transaction.atomic():
        invitations.take_up(second, "Two", "a sentence that is long enough", "en")
    assert rows("DeskAccount").filter(email="two@example.org").count() == 0


def test_nobody_else_of_the_machine_reads_the_database(tmp_path: Path) -> None:
    """It holds the keys of visits: whoever reads one is signed in."""
    (tmp_path / "hub.yaml").write_text("name: Practice\n", "utf-8")
    code = (
        "from pathlib import Path; from ctdhub.desk.config import DeskConfig; import sys;"
        "d = DeskConfig(Path(sys.argv[1])); d.secret('session'); d.database()"
    )
    given = {**os.environ, "DATABASE_URL": ""}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=given, check=True)
    folder = tmp_path / "desk"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=given, check=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


@pytest.fixture
def behind_a_proxy(desk: Desk) -> Any:
    """A desk with a name, behind one proxy, and a way to ask it as that proxy does."""
    with desks.answering(desk.hub, 'host = "desk.example.org"\nproxies = 1') as port:

        def ask(path: str, **headers: str) -> http.client.HTTPResponse:
            line = http.client.HTTPConnection("127.0.0.1", port)
            told = {"Host": "desk.example.org", "X-Forwarded-Proto": "https"}
            line.request(
                "GET", path, headers=told | {k.replace("_", "-"): v for k, v in headers.items()}
            )
            return line.getresponse()

        yield ask


def test_numbers_of_operation_are_for_this_computer_behind_a_proxy_too(
    behind_a_proxy: Any,
) -> None:
    assert behind_a_proxy("/metrics").status == 200
    assert behind_a_proxy("/metrics", X_Forwarded_For="203.0.113.9").status == 404
    told = "127.0.0.1, 203.0.113.9"  # whoever asks wrote the first
    assert behind_a_proxy("/metrics", X_Forwarded_For=told).status == 404


def test_a_number_of_an_address_is_small_or_none() -> None:
    """Python refuses to read more than 4,300 digits, which would be a server error."""
    from ctdhub.desk.screens import small_number

    given = ["9" * 5000, "1e3", "-1", "", None, "٣", "12"]
    assert [small_number(text) for text in given] == [None, None, None, None, None, 3, 12]


def test_a_database_of_another_trail_is_named_and_loses_no_line_in_silence(desk: Desk) -> None:
    """An older database put back by hand: its new events have numbers that the file has already."""
    from ctdhub.core.errors import LedgerTampered
    from ctdhub.desk.trail import append_trail, head, record

    who, file = desk.accounts["steward"].who(), desk.config.trail
    record(who, "plan.write")
    number, digest = head()
    for _ in range(2):
        record(who, "plan.write")
    append_trail(file)
    before = file.read_bytes()
    rows("TrailEvent").filter(number__gt=number).delete()
    rows("TrailHead").filter(id=1).update(number=number, hash=digest)
    record(who, "plan.spend")
    with pytest.raises(LedgerTampered):
        append_trail(file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("key", ['"\\000bcdefghijklmnop"', "x" * 5_000, '"\\377\\000"', "é" * 20])
def test_a_cookie_that_no_database_could_have_given_is_no_visit(each_desk: Desk, key: str) -> None:
    """Cookies may hold any character, written as ``\\000``; PostgreSQL keeps all but one."""
    client = each_desk.client_of(raise_request_exception=False)
    for address in ("/", "/accounts/login/"):
        answer = client.get(address, headers={"cookie": f"__Host-session={key}"})
        assert answer.status_code in (200, 302), (address, answer.status_code)
