"""From an upload to acceptance, return, correction and withdrawal; what rows and pages hold."""

from __future__ import annotations

import hashlib
import io
import logging
import shutil
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctdhub.core.files import locked
from ctdhub.desk.deliveries import computed_state
from tests.desk.desks import OURS, THEIRS, Desk
from tests.desk.sending import begun, part, practice_file, rounds, rows, sent, without_tokens, work

CANARY = "Zqxvanary"


@pytest.fixture
def open_desk(desk: Desk) -> Desk:
    assert rounds() == []
    return desk


@pytest.fixture
def checked(open_desk: Desk) -> Any:
    """A delivery of ours that was checked, without open alarms."""
    file = practice_file(open_desk)
    key = sent(open_desk.client_of("contributor"), file.read_bytes(), file.suffix[1:])
    assert work() == ["check done"]
    row = rows("Delivery").get(id=key)
    assert row.state == "checked", row.summary
    return row


def without_alarms(desk: Desk, row: Any) -> None:
    """Accept every alarm of the practice file, and check it again."""
    path = desk.hub / "mappings" / f"{OURS}.yaml"
    mapping = yaml.safe_load(path.read_text("utf-8"))
    names = [alarm["name"] for alarm in row.summary["alarms"]]
    if names:
        mapping["accept"] = [*mapping.get("accept", []), *({"alarm": n} for n in names)]
        path.write_text(yaml.safe_dump(mapping, allow_unicode=True), "utf-8")


def test_checked_accepted_and_nothing_left_elsewhere(open_desk: Desk, checked: Any) -> None:
    found = checked.summary
    assert found["rows"] == found["records"] + found["rejected"] + found["excluded"]
    officer, ours = open_desk.client_of("data_officer"), open_desk.client_of("contributor")
    key = checked.id.hex
    assert "Checked" in ours.get(f"/deliveries/{key}/").content.decode()
    assert ours.post(f"/deliveries/{key}/accept/").status_code == 403
    assert "Accept" in officer.get(f"/deliveries/{key}/").content.decode()
    assert officer.post(f"/deliveries/{key}/accept/").status_code == 302
    assert officer.post(f"/deliveries/{key}/accept/").status_code == 302, "a second click"
    if any(not a["accepted"] for a in found["alarms"]):
        assert work() == ["accept failed"]
        assert "alarm" in officer.get(f"/deliveries/{key}/").content.decode()
        without_alarms(open_desk, checked)
        officer.post(f"/deliveries/{key}/accept/")
    assert work() == ["accept done"]
    checked.refresh_from_db()
    place = open_desk.hub / "contributions" / OURS / checked.day / f"{key}.{checked.kind}"
    assert hashlib.sha256(place.read_bytes()).hexdigest() == checked.sha256
    assert place.stat().st_mode & 0o777 == 0o600
    assert not (open_desk.hub / "work" / "desk" / key).exists()
    assert not (Path(open_desk.config.inbox) / key).exists()
    assert rows("DeliveryPart").count() == 0
    before = rows("Delivery").count()
    assert rounds() == []
    assert rows("Delivery").count() == before, "the desk's own file is no second delivery"
    assert officer.post(f"/deliveries/{key}/return/").status_code == 409
    assert ours.post(f"/deliveries/{key}/withdraw/").status_code == 409
    assert ours.post(f"/deliveries/{key}/ask-withdraw/").status_code == 302
    assert "withdrawal was asked for" in ours.get(f"/deliveries/{key}/").content.decode()


@pytest.mark.spine("a delivery returned and accepted at the desk")
def test_returned_with_reasons_and_corrected(open_desk: Desk, checked: Any) -> None:
    officer, ours = open_desk.client_of("data_officer"), open_desk.client_of("contributor")
    address = f"/deliveries/{checked.id.hex}/"
    assert officer.post(f"{address}return/").status_code == 422
    wrong = {"reason-values": "1", "cells-values": "=B1"}
    assert officer.post(f"{address}return/", wrong).status_code == 422
    given = {"reason-values": "1", "cells-values": "b14, C3", "note": "<b>please</b>"}
    assert officer.post(f"{address}return/", given).status_code == 302
    page = ours.get(address).content.decode()
    assert "B14, C3" in page
    assert "&lt;b&gt;please" in page
    assert officer.post(f"{address}accept/").status_code == 409
    assert "Deliveries" in ours.get("/").content.decode()
    foreign = begun(open_desk.client_of("other"), b"a\n", "csv", replaces=checked.id.hex)
    assert foreign.status_code == 400
    file = practice_file(open_desk)
    key = sent(ours, file.read_bytes(), file.suffix[1:], replaces=checked.id.hex)
    assert sorted(work()) == ["check done", "destroy done", "tell done"]
    checked.refresh_from_db()
    assert checked.state == "replaced"
    assert checked.reasons.count() == 1
    assert not (Path(open_desk.config.inbox) / checked.id.hex).exists()
    assert not (open_desk.hub / "work" / "desk" / checked.id.hex).exists()
    assert rows("Delivery").get(id=key).replaces_id == checked.id
    assert rows("OutgoingMail").filter(kind="returned").count() == 1


def test_of_two_corrections_of_one_delivery_the_first_counts(open_desk: Desk, checked: Any) -> None:
    officer, ours = open_desk.client_of("data_officer"), open_desk.client_of("contributor")
    officer.post(f"/deliveries/{checked.id.hex}/return/", {"reason-values": "1"})
    file = practice_file(open_desk).read_bytes()
    two = [begun(ours, file, "xlsx", replaces=checked.id.hex) for _ in range(2)]
    for answer in two:
        assert part(ours, answer["Location"], 0, file).status_code == 204
    work()
    states = [rows("Delivery").get(id=a["Location"].split("/")[2]).state for a in two]
    assert states == ["checked", "refused"]


def test_a_job_of_somebody_who_may_not_any_more_is_refused(open_desk: Desk, checked: Any) -> None:
    from ctdhub.desk.jobs import enqueue

    without_alarms(open_desk, checked)
    officer = open_desk.accounts["data_officer"]
    enqueue("accept", "files", open_desk.accounts["contributor"].who(), checked)
    enqueue("accept", "files", officer.who(), checked)
    enqueue("accept", "files", None, checked)  # as if the clock had asked
    officer.is_active = False
    officer.save()
    assert work()[:3] == ["accept failed"] * 3
    checked.refresh_from_db()
    assert checked.state == "checked"


def test_every_job_of_the_hub_names_the_action_that_it_is() -> None:
    from ctdhub.desk.allowed import ACTIONS
    from ctdhub.desk.jobs import JOBS
    from ctdhub.desk.worker.child import work_of

    unasked = {
        "approve",
        "cards",
        "change_keys",
        "check",
        "correct",
        "destroy",
        "hold",
        "lift",
        "publish",
        "sign_notice",
        "site",
        "tell",
    }
    assert {name for name, kind in JOBS.items() if not kind.action} == unasked
    assert {kind.action for kind in JOBS.values()} <= {"", *ACTIONS}
    assert all(work_of(name).__name__ == name for name in JOBS)


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "<Types/>")
        made.writestr("xl/workbook.xml", "<a>" + "x" * 50_000_000 + "</a>")
    return out.getvalue()


def paths() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("../../../../tmp/ctdhub-escaped.csv", "a,b\n1,2\n")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x00\x01\x02" * 1000, "xlsx"),
        (b"", "csv"),
        (bomb, "xlsx"),
        (paths, "zip"),
        (b"a,b\n1,2\n", "ctdbundle"),
    ],
    ids=["rubbish", "empty", "bomb", "paths", "bundle"],
)
def test_what_cannot_be_read_is_refused_by_name(open_desk: Desk, content: Any, kind: str) -> None:
    content = content() if callable(content) else content
    ours = open_desk.client_of("contributor")
    key = sent(ours, content, kind)
    assert work() == ["check done"]
    row = rows("Delivery").get(id=key)
    if row.state == "checked":  # read in its own way, with a finding about the whole file
        assert row.summary.get("stopped") or row.summary.get("mapping_missing")
    else:
        assert row.state == "refused"
        assert row.summary["refused"]["rule"]
        assert row.summary["refused"]["rule"] in ours.get(f"/deliveries/{key}/").content.decode()
    assert not Path("/tmp/ctdhub-escaped.csv").exists()


def test_another_file_than_announced_is_refused(open_desk: Desk) -> None:
    ours = open_desk.client_of("contributor")
    key = sent(ours, b"a,b\n1,2\n", "csv", sha256=hashlib.sha256(b"other").hexdigest())
    work()
    row = rows("Delivery").get(id=key)
    assert (row.state, row.summary["refused"]["rule"]) == ("refused", "delivery-hash")


def test_a_part_that_was_changed_in_the_inbox_is_refused(open_desk: Desk) -> None:
    ours = open_desk.client_of("contributor")
    key = sent(ours, b"a,b\n1,2\n" * 10, "csv", size=40)
    files = sorted((Path(open_desk.config.inbox) / key).iterdir())
    files[0].write_bytes(files[1].read_bytes())
    work()
    row = rows("Delivery").get(id=key)
    assert (row.state, row.summary["refused"]["rule"]) == ("refused", "delivery-parts")


def test_no_text_of_a_file_is_in_a_row_a_mail_or_the_log(
    open_desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ours = open_desk.client_of("contributor")
    mapped = practice_file(open_desk, THEIRS)
    tables = [
        f"{CANARY}1,{CANARY}2\n{CANARY}3,=cmd|'/C {CANARY}4'!A0\n",
        f"sexe,{CANARY}5,tranche\n{CANARY}6,<script>{CANARY}7</script>,0\n" * 2,
        f'[{{"{CANARY}8": {{"{CANARY}9": 1}}}}]',
    ]
    for content, kind in zip(tables, ("csv", "csv", "json"), strict=True):
        sent(ours, content.encode(), kind)
    lines = mapped.read_bytes().decode("utf-8", "replace").splitlines()
    broken = [lines[0], *(",".join(f"{CANARY}{n}" for n in range(40)) for _ in range(30))]
    sent(open_desk.client_of("other"), "\n".join(broken).encode(), "csv")
    work()
    for row in rows("Delivery").exclude(account=None):
        for role in ("contributor", "data_officer", "other"):
            open_desk.client_of(role).get(f"/deliveries/{row.id.hex}/")
    from django.db import connection

    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in (open_desk.hub / "desk").rglob("*"):
        if file.is_file():
            assert CANARY.encode() not in file.read_bytes(), file
    assert CANARY not in caplog.text
    assert mapped.name not in caplog.text
    assert rows("DeliveryFinding").count() > 0


def test_files_and_rows_are_compared(open_desk: Desk) -> None:
    deliveries = rows("Delivery")
    files = list((open_desk.hub / "contributions").glob("*/*/*"))
    assert deliveries.filter(account=None, state="accepted").count() == len(files)
    file = practice_file(open_desk)
    away = open_desk.hub.parent / "away"
    shutil.move(file, away)
    rounds()
    assert deliveries.get(lost=True).organisation_id == OURS
    page = open_desk.client_of("contributor").get("/deliveries/").content.decode()
    assert "file is missing" in page
    shutil.move(away, file)
    rounds()
    assert not deliveries.filter(lost=True)
    assert deliveries.count() == len(files)
    file.write_bytes(file.read_bytes() + b" ")
    rounds()
    assert deliveries.filter(lost=True).count() == 1
    assert deliveries.count() == len(files) + 1


def test_killed_between_file_and_row_the_folder_decides(open_desk: Desk, checked: Any) -> None:
    key, day = checked.id.hex, f"{checked.created:%Y-%m-%d}"
    opened = open_desk.hub / "work" / "desk" / key / f"{key}.{checked.kind}"
    place = open_desk.hub / "contributions" / OURS / day
    place.mkdir(exist_ok=True)
    shutil.copy(opened, place / opened.name)
    assert rounds() == []
    checked.refresh_from_db()
    assert (checked.state, checked.day) == ("accepted", day)
    assert not opened.exists()
    assert rows("Delivery").filter(sha256=checked.sha256, day=day).count() == 1


STATES = ["receiving", "received", "checked", "refused", "returned", "replaced"]


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("file", [False, True])
def test_computed_states(file: bool, gone: bool) -> None:
    for state in STATES:
        expected = "accepted" if file and state == "checked" else state
        assert computed_state(state, file, gone) == (expected, False)
    assert computed_state("accepted", file, gone) == (
        "withdrawn" if gone else "accepted",
        not file and not gone,
    )


def test_a_busy_hub_lets_acceptance_wait(open_desk: Desk, checked: Any) -> None:
    without_alarms(open_desk, checked)
    officer = open_desk.client_of("data_officer")
    officer.post(f"/deliveries/{checked.id.hex}/accept/")
    with locked(open_desk.hub / "work" / ".lock"):
        assert work() == ["accept waiting"]
        assert "Waiting" in officer.get(f"/deliveries/{checked.id.hex}/").content.decode()
    assert rows("Job").get(what="accept").attempts == 0
    assert work() == ["accept done"]


def test_an_agreement_that_has_ended_accepts_nothing(open_desk: Desk, checked: Any) -> None:
    without_alarms(open_desk, checked)
    path = open_desk.hub / "contributors" / f"{OURS}.yaml"
    path.write_text(path.read_text("utf-8") + "\nends: 2020-01-01\n", "utf-8")
    open_desk.client_of("data_officer").post(f"/deliveries/{checked.id.hex}/accept/")
    assert work() == ["accept failed"]
    assert rows("Job").get(what="accept").outcome["error"]["rule"] == "agreement"


OWN_PAGES = ("/", "/deliveries/", "/deliveries/send/", "/account/")


def seen(client: Any) -> dict[str, bytes]:
    """All bytes that our contributor gets."""
    pages = list(OWN_PAGES)
    for row in rows("Delivery").filter(organisation=OURS).order_by("created"):
        pages += [f"/deliveries/{row.id.hex}/", f"/deliveries/{row.id.hex}/state/"]
    return {page: without_tokens(client.get(page).content) for page in pages}


def test_nothing_of_others_is_seen(open_desk: Desk, checked: Any) -> None:
    """Neighbouring hubs: another's file comes, is doubled, returned, withdrawn; ours are equal."""
    without_alarms(open_desk, checked)
    ours = open_desk.client_of("contributor")
    seen(ours)
    before = seen(ours)
    theirs, officer = open_desk.client_of("other"), open_desk.client_of("data_officer")
    file = practice_file(open_desk, THEIRS)
    keys = [sent(theirs, file.read_bytes(), file.suffix[1:]) for _ in range(2)]
    assert seen(ours) == before, "another's file waits"
    work()
    assert seen(ours) == before, "another's file was checked"
    officer.post(f"/deliveries/{keys[0]}/return/", {"reason-duplicate": "1"})
    theirs.post(f"/deliveries/{keys[1]}/withdraw/")
    work()
    rounds()
    assert seen(ours) == before, "returned and withdrawn"
    same = practice_file(open_desk).read_bytes()
    key = sent(theirs, same, practice_file(open_desk).suffix[1:])
    work()
    assert seen(ours) == before, "the same file from another"
    for address in (f"/deliveries/{key}/", f"/deliveries/{key}/withdraw/"):
        assert ours.get(address).status_code == 404


def test_withdrawn_before_acceptance_is_destroyed(open_desk: Desk, checked: Any) -> None:
    ours = open_desk.client_of("contributor")
    assert ours.get(f"/deliveries/{checked.id.hex}/withdraw/").status_code == 200
    assert ours.post(f"/deliveries/{checked.id.hex}/withdraw/").status_code == 302
    work()
    checked.refresh_from_db()
    assert checked.state == "withdrawn"
    assert not list(Path(open_desk.config.inbox).rglob("*.age"))
    assert not list((open_desk.hub / "work" / "desk").rglob("*.*"))


def test_mails_carry_a_link_and_no_contents(
    open_desk: Desk, checked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core import mail as sent_mail
    from django.core.mail import get_connection

    from ctdhub.desk.mail import send_waiting

    rows("DeskAccount").filter(email="data-officer@example.org").update(language="ar")
    rows("OutgoingMail").filter(kind="checked").update(language="ar")
    monkeypatch.setattr(sent_mail, "outbox", [], raising=False)
    box = get_connection("django.core.mail.backends.locmem.EmailBackend")
    assert send_waiting(connection=box) == rows("OutgoingMail").count() == 1
    assert send_waiting(connection=box) == 0
    (one,) = sent_mail.outbox
    assert f"/deliveries/{checked.id.hex}/" in one.body
    assert "تسليم" in one.subject or "Delivery" in one.subject or one.subject
    assert OURS not in one.body + one.subject

    class Down:
        def send_messages(self, _: object) -> int:
            raise OSError("no route")

    rows("OutgoingMail").update(sent=None)
    assert send_waiting(connection=Down()) == 0
    assert send_waiting(connection=box) == 0, "not before its time"
    assert rows("OutgoingMail").get().attempts == 1


def test_what_is_not_finished_in_time_is_deleted(open_desk: Desk) -> None:
    from datetime import timedelta

    from django.utils import timezone

    ours = open_desk.client_of("contributor")
    address = begun(ours, b"x" * 10, "csv")["Location"]
    from tests.desk.sending import TUS, part

    part(ours, address, 0, b"x" * 5)
    key = address.split("/")[2]
    rows("Delivery").filter(id=key).update(created=timezone.now() - timedelta(hours=25))
    assert ours.head(address, headers=TUS).status_code == 404
    assert rounds() == []
    assert rows("Delivery").get(id=key).state == "withdrawn"
    assert not list(Path(open_desk.config.inbox).rglob("*.age"))


def test_identities_go_when_nothing_needs_them(open_desk: Desk) -> None:
    """Also where the worker was away while a month began, and parts came to the old identity."""
    import os
    from datetime import UTC, datetime, timedelta

    from ctdhub.desk.worker.deliveries import enforce
    from ctdhub.desk.worker.identities import destroy_months, identities

    folder = open_desk.hub / "keys" / "inbox"
    (now,) = identities(open_desk.hub)
    old = folder / "inbox-2020-01.key"
    old.write_bytes(now.read_bytes())
    key = sent(open_desk.client_of("contributor"), b"a,b\n1,2\n", "csv")
    assert enforce() == [], "the next one was made after this delivery was begun"
    made = datetime.now(UTC) - timedelta(hours=3)
    os.utime(now, (made.timestamp(), made.timestamp()))
    assert destroy_months(open_desk.hub, [made + timedelta(minutes=30)]) == []
    assert len(enforce()) == 1
    assert not old.exists()
    assert now.exists()
    assert work() == ["check done"]
    assert rows("Delivery").get(id=key).state == "checked"


def test_returned_and_corrected_behind_the_walls_of_postgres(desk_on_postgres: Desk) -> None:
    assert rounds() == []
    ours, officer = (desk_on_postgres.client_of(r) for r in ("contributor", "data_officer"))
    key = sent(ours, b"a,b\n1,2\n", "csv")
    assert work() == ["check done"]
    address = f"/deliveries/{key}/"
    assert officer.post(f"{address}return/", {"reason-columns": "1"}).status_code == 302
    assert work() == ["tell done"]
    assert rows("OutgoingMail").filter(kind="returned").count() == 1
    assert "Columns are missing" in ours.get(address).content.decode()
    assert desk_on_postgres.client_of("other").get(address).status_code == 404
    sent(ours, b"a,b\n1,3\n", "csv", replaces=key)
    assert sorted(work()) == ["check done", "destroy done"]
    assert rows("Delivery").get(id=key).state == "replaced"
    assert "Replaced" in ours.get("/deliveries/").content.decode()
