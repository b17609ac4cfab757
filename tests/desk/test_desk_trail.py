"""The trail: one line for each act, chained, in the database and in the file alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctdhub.core.errors import LedgerTampered
from ctdhub.core.files import FIRST, append_lines, chained
from ctdhub.desk.trail_file import read_trail
from tests.desk.desks import Desk
from tests.desk.test_desk_accounts import invited


def test_acts_denials_and_sign_ins_are_lines_and_the_file_is_verified_without_django(
    desk: Desk, ctdhub: Callable[..., tuple[int, str, str]]
) -> None:
    from ctdhub.desk.trail import append_trail, head

    invited(desk, "steward")
    desk.client_of("contributor").get("/trail/")
    desk.client_of().post("/accounts/login/", {"login": "x@example.org", "password": "secret-x"})
    file = desk.config.trail
    assert append_trail(file) > 0
    assert append_trail(file) == 0
    lines = list(read_trail(file))
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert (lines[-1]["number"], lines[-1]["hash"]) == head()
    found = [(line["action"], line["outcome"]) for line in lines]
    for wanted in (
        ("invitation.write", "done"),
        ("trail.read", "denied"),
        ("account.sign_in", "denied"),
        ("account.sign_in", "done"),
    ):
        assert wanted in found
    text = file.read_text("ascii")
    for secret in ("secret-x", "example.org", "Practice"):
        assert secret not in text
    code, out, _err = ctdhub("desk", "verify", desk.hub)
    assert code == 0
    assert lines[-1]["hash"] in out
    changed = text.replace('"denied"', '"done"', 1)
    file.write_text(changed, "ascii")
    code, _out, err = ctdhub("desk", "verify", desk.hub)
    assert code == 2
    assert "trail" in err
    page = desk.client_of("auditor").get("/trail/").content.decode()
    assert "trail.read" in page
    assert "Practice contributor" in page


def test_an_act_that_fails_leaves_no_line(each_desk: Desk) -> None:
    """The event is written in the transaction of the act."""
    from django.db import transaction

    from ctdhub.desk.models import TrailEvent
    from ctdhub.desk.trail import head, record

    who, before = each_desk.accounts["steward"].who(), head()

    def act() -> None:
        with transaction.atomic():
            record(who, "plan.write")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert head() == before
    record(who, "plan.write")
    assert head()[0] == before[0] + 1 == TrailEvent.objects.count()


def chain(number: int) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for i in range(1, number + 1):
        event = {"time": "2026-01-01T00:00:00Z", "action": "plan.write", "thing": "é\n"}
        lines.append(chained(event, i, lines[-1]["hash"] if lines else FIRST))
    return lines


CHANGES = ("flip", "cut", "double", "drop", "swap", "true")


@given(at=st.integers(0, 10**6), what=st.sampled_from(CHANGES))
def test_any_change_of_the_file_is_found(
    tmp_path_factory: pytest.TempPathFactory, at: int, what: str
) -> None:
    """All but the loss of whole lines at the end, which the heads in approvals contradict."""
    file = tmp_path_factory.mktemp("trail") / "trail.jsonl"
    append_lines(file, chain(5))
    whole = file.read_bytes()
    rows = whole.splitlines(keepends=True)
    row = at % 4
    if what == "flip":
        place = at % len(whole)
        bytes_ = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    elif what == "true":  # what JSON reads as equal is changed all the same
        bytes_ = whole.replace(b'"number":1,', b'"number":true,', 1)
    elif what == "cut":
        bytes_ = whole[: at % (len(whole) - 1) + 1]
    elif what == "double":
        bytes_ = b"".join([*rows[: row + 1], *rows[row:]])
    elif what == "drop":
        bytes_ = b"".join([*rows[:row], *rows[row + 1 :]])
    else:
        bytes_ = b"".join([*rows[:row], rows[row + 1], rows[row], *rows[row + 2 :]])
    file.write_bytes(bytes_)
    if whole.startswith(bytes_) and bytes_.endswith(b"\n"):
        assert len(list(read_trail(file))) == bytes_.count(b"\n")
    else:
        with pytest.raises(LedgerTampered):
            list(read_trail(file))


def test_a_killed_worker_goes_on_where_it_was(desk: Desk) -> None:
    from ctdhub.desk.trail import append_trail, record

    file, who = desk.config.trail, desk.accounts["auditor"].who()
    for _ in range(3):
        record(who, "trail.read")
    append_trail(file)
    whole = file.read_bytes()
    for size in (len(whole) - 1, len(whole) - 40, whole.index(b"\n") + 1, 20, 0):
        file.write_bytes(whole[:size])
        append_trail(file)
        assert file.read_bytes() == whole
    file.write_bytes(whole.replace(b"auditor", b"steward"))
    record(who, "trail.read")
    with pytest.raises(LedgerTampered):
        append_trail(file)
