"""What is kept and for how long: signed papers, due erasures, one delivery that is withdrawn."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ctdhub.core.errors import HubError
from ctdhub.desk.deliveries import NOTICE_KEY, day_of, due_on, erased_on
from ctdhub.hub import pipeline
from ctdhub.hub.folder import Hub
from ctdhub.hub.withdrawals import withdraw_delivery
from tests.desk.desks import OURS, ROLES, THEIRS, Desk
from tests.desk.sending import rounds, rows, work
from tests.desk.test_hub_pages import text

PDF = b"%PDF-1.7\n<script>alert(1)</script>" + b"\0" * 100


def paper(desk: Desk, role: str, content: bytes = PDF, **more: str) -> Any:
    given = {"kind": "agreement", "organisation": OURS, "language": "fr", "signed": "2026-01-31"}
    file = SimpleUploadedFile("../../x <b>.pdf", content, "text/html")
    return desk.client_of(role).post("/papers/", {**given, **more, "file": file})


def test_signed_papers_are_kept_encrypted_and_given_out_as_files(hub_desk: Desk) -> None:
    assert paper(hub_desk, "administrator").status_code == 422  # the worker was not there yet
    rounds()
    for role in ("contributor", "steward", "data_officer", "auditor"):
        assert paper(hub_desk, role).status_code == 403, role
    for bad, more in (
        (b"<html>", {}),
        (b"", {}),
        (PDF + b"0" * 5 * 2**20, {}),
        (PDF, {"signed": "2999-01-01"}),
        (PDF, {"organisation": "no-such-one"}),
    ):
        assert paper(hub_desk, "administrator", bad, **more).status_code == 422, more
    assert paper(hub_desk, "privacy_officer", kind="payroll").status_code == 404
    assert not rows("Paper").exists()
    assert paper(hub_desk, "privacy_officer").status_code == 302
    assert paper(hub_desk, "administrator", kind="dpia", organisation="").status_code == 302
    own, whole = rows("Paper").get(kind="agreement"), rows("Paper").get(kind="dpia")
    assert rows("TrailEvent").filter(action="paper.write", thing=own.sha256).count() == 2
    inbox = hub_desk.config.inbox
    assert not any(PDF[:12] in f.read_bytes() for f in inbox.rglob("*") if f.is_file())
    rounds()  # retention leaves papers alone
    for role in ROLES:
        answer = hub_desk.client_of(role).get(f"/papers/{own.id.hex}/")
        assert answer.content == PDF, role
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["Content-Type"] == "application/octet-stream"
    for role in ("contributor", "other"):
        client = hub_desk.client_of(role)
        assert client.get(f"/papers/{whole.id.hex}/").status_code == 404
        assert "impact assessment" not in text(client.get("/papers/"))
    other = hub_desk.client_of("other")
    assert other.get(f"/papers/{own.id.hex}/").status_code == 404
    assert own.sha256[:16] not in text(other.get("/papers/"))
    for path in (inbox / ".papers").glob("*.age"):
        if path.stem == own.id.hex:
            path.write_bytes((inbox / ".papers" / f"{whole.id.hex}.age").read_bytes()[:-1] + b"x")
    assert hub_desk.client_of("steward").get(f"/papers/{own.id.hex}/").status_code == 422
    officer = hub_desk.client_of("privacy_officer")
    assert officer.post(f"/papers/{own.id.hex}/remove/").status_code == 302
    assert officer.get(f"/papers/{own.id.hex}/").status_code == 404
    assert rows("TrailEvent").filter(action="paper.remove", thing=own.sha256).exists()


def test_what_a_killed_process_left_of_papers_goes_after_an_hour(hub_desk: Desk) -> None:
    rounds()
    assert paper(hub_desk, "administrator").status_code == 302
    own = rows("Paper").get()
    drawer, clear = hub_desk.config.inbox / ".papers", hub_desk.hub / "work" / "desk"
    kept = {path.name for path in drawer.iterdir()}
    assert f"{own.id.hex}.age" in kept
    left = [drawer / f"{'a' * 32}.age", drawer / f"{'b' * 32}.age"]
    for path in left:
        path.write_bytes(b"ciphertext")
    open_ = [clear / ".paper-old", clear / ".paper-new"]
    for folder in open_:
        folder.mkdir(parents=True)
        (folder / "paper").write_bytes(PDF)
    old = time.time() - 3_700
    for path in (*drawer.iterdir(), open_[0]):
        if path != left[1]:
            os.utime(path, (old, old))
    assert rounds() == []
    assert {path.name for path in drawer.iterdir()} == kept | {left[1].name}
    assert [folder.is_dir() for folder in open_] == [False, True]


def test_drafts_are_given_out_to_the_hub_alone(hub_desk: Desk) -> None:
    client = hub_desk.client_of("privacy_officer")
    client.cookies["__Host-language"] = "fr"
    answer = client.get(f"/papers/draft/agreement/?organisation={OURS}")
    assert "attachment" in answer["Content-Disposition"]
    assert "Refuge du Rivage" in text(answer)
    for kind in ("dpia", "record", "notice"):
        assert client.get(f"/papers/draft/{kind}/").status_code == 200
    for bad in ("agreement/", "dpia/?organisation=x", "agreement/?organisation=x", "x/"):
        assert client.get(f"/papers/draft/{bad}").status_code == 404, bad
    assert hub_desk.client_of("contributor").get("/papers/draft/dpia/").status_code == 403


def told_before(key: Any, days: int) -> None:
    """Let people have been told of an erasure so many days ago."""
    row = rows("Delivery").get(id=key)
    on = (datetime.now(UTC).date() - timedelta(days=days)).isoformat()
    rows("Delivery").filter(id=key).update(
        summary=row.summary | {NOTICE_KEY: row.summary[NOTICE_KEY] | {"on": on}}
    )


def set_months(desk: Desk, key: str, months: int) -> None:
    """An agreement that says how long a delivery is kept."""
    file = desk.hub / "contributors" / f"{key}.yaml"
    before = re.sub(r"keep_months: \d+\n", "", file.read_text("utf-8"))
    file.write_text(before + f"keep_months: {months}\n", "utf-8")
    rounds()


def test_an_erasure_is_told_a_month_ahead_and_goes_the_way_of_a_withdrawal(
    hub_desk: Desk,
) -> None:
    from ctdhub.desk.worker.deliveries import erase_due

    rounds()
    mine = rows("Delivery").get(organisation=OURS)
    due = due_on(day_of(mine), 600)
    assert due is not None
    set_months(hub_desk, OURS, 600)
    assert NOTICE_KEY not in rows("Delivery").get(id=mine.id).summary
    assert f"{due.year}" in text(
        hub_desk.client_of("contributor").get(f"/deliveries/{mine.id.hex}/")
    )
    assert f"{due.year}" in text(hub_desk.client_of("contributor").get("/"))
    assert f"{due.year}" in text(hub_desk.client_of("steward").get(f"/agreements/{OURS}/"))
    set_months(hub_desk, OURS, 1)  # long over: people still have their month
    told = rows("Delivery").select_related("organisation").get(id=mine.id)
    today = date.fromisoformat(told.summary[NOTICE_KEY]["on"])
    end = erased_on(told)
    assert end == today + timedelta(days=30)
    mails = set(rows("OutgoingMail").filter(kind="erasure").values_list("email", flat=True))
    assert mails == {f"{who}@example.org" for who in ("contributor", "data-officer", "steward")}
    for role in ("contributor", "steward", "data_officer"):
        assert "Files that are erased within 30 days" in text(hub_desk.client_of(role).get("/"))
    assert "erased within" not in text(hub_desk.client_of("other").get("/"))
    assert erase_due(end - timedelta(days=1)) == {"told": 0, "begun": 0}
    place = hub_desk.hub / "contributions" / OURS / day_of(mine).isoformat()
    assert place.is_dir()
    assert erase_due(end) == {"told": 0, "begun": 1}
    assert erase_due(end) == {"told": 0, "begun": 0}
    assert work() == ["withdraw_delivery failed"]  # the clock of who began it was wrong
    assert place.is_dir()
    rows("Job").all().delete()
    told_before(mine.id, 30)
    assert erase_due() == {"told": 0, "begun": 1}
    assert work() == ["withdraw_delivery done"]
    assert not place.exists()
    assert rows("Delivery").get(id=mine.id).state == "withdrawn"
    entry = Hub(hub_desk.hub).withdrawal_lines()[-1]
    assert (entry.scope, entry.contributor, entry.reason) == ("delivery", OURS, "agreement")
    assert erase_due(end + timedelta(days=900))["begun"] == 0
    rounds()
    assert rows("Delivery").get(id=mine.id).state == "withdrawn"
    assert "a delivery" in text(hub_desk.client_of("contributor").get("/withdrawals/"))
    assert "a delivery" not in text(hub_desk.client_of("other").get("/withdrawals/"))


def test_the_steward_withdraws_one_delivery(hub_desk: Desk) -> None:
    rounds()
    theirs = rows("Delivery").get(organisation=THEIRS)
    way = f"/deliveries/{theirs.id.hex}/carry-out/"
    steward, client = hub_desk.client_of("steward"), hub_desk.client_of("other")
    assert client.post(f"/deliveries/{theirs.id.hex}/ask-withdraw/").status_code == 302
    assert work() == ["tell done"]
    assert way in text(steward.get("/withdrawals/"))
    assert "The organisation asked for it." in text(steward.get(way))
    for role in ("data_officer", "privacy_officer", "auditor", "contributor", "other"):
        given = {"sure": "yes", "reason": "asked"}
        assert hub_desk.client_of(role).post(way, given).status_code == 403, role
    assert steward.post(way, {"reason": "asked"}).status_code == 422
    assert steward.post(way, {"reason": "because Zq-7741", "sure": "yes"}).status_code == 404
    kept = {f: f.read_bytes() for f in (hub_desk.hub / "contributions" / OURS).rglob("*.*")}
    assert steward.post(way, {"reason": "asked", "sure": "yes"}).status_code == 302
    assert work() == ["withdraw_delivery done"]
    assert not list((hub_desk.hub / "contributions" / THEIRS).rglob("*.*"))
    assert {f: f.read_bytes() for f in kept} == kept
    assert steward.get(way).status_code == 409
    assert "withdrawn" in rows("OutgoingMail").values_list("kind", flat=True)
    assert Hub(hub_desk.hub).withdrawn().charges  # candidates of before are not published


def test_a_withdrawal_that_was_cut_off_is_finished(
    hub_desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = Hub(hub_desk.hub)
    (one,) = [c for c in hub.received() if c.contributor == OURS]
    import hashlib

    digest = {hashlib.sha256(one.file.read_bytes()).hexdigest()}

    class Killed(BaseException):
        pass

    def killed(_path: Path, missing_ok: bool = False) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(Killed):
            withdraw_delivery(hub, OURS, one.date, digest, "asked")
    assert one.file.exists()
    assert one not in hub.contributions()
    assert OURS not in {c.contributor for c in hub.contributions()}
    assert hub.received() != hub.contributions() != ()
    again = one.file.parent.with_name("2027-01-02") / one.file.name
    again.parent.mkdir()
    again.write_bytes(one.file.read_bytes())  # the same bytes of another day are not it
    with pytest.raises(HubError) as stopped:
        pipeline.build(hub, until="link")
    assert stopped.value.rule == "delivery-withdrawn"
    assert one.date in str(stopped.value)
    assert [c.file for c in hub.contributions() if c.contributor == OURS] == [again]
    again.unlink()
    again.parent.rmdir()
    assert withdraw_delivery(hub, OURS, one.date, digest, "asked") == 1
    assert not one.file.exists()
    assert withdraw_delivery(hub, OURS, one.date, digest, "asked") == 0
    assert [e.scope for e in hub.withdrawal_lines()] == ["delivery"]
    for date_, who in (("1999-01-01", OURS), (one.date, THEIRS)):
        with pytest.raises(HubError) as met:
            withdraw_delivery(hub, who, date_, digest, "asked")
        assert met.value.rule == "no-delivery"


def test_days_of_erasure() -> None:
    assert due_on(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert due_on(date(2026, 12, 31), 2) == date(2027, 2, 28)
    assert due_on(date(2026, 1, 1), 600) == date(2076, 1, 1)


def test_a_job_of_nobody_erases_only_what_the_agreement_gives_up(desk: Desk) -> None:
    from ctdhub.desk.jobs import enqueue

    def asked(reason: str = "agreement") -> str:
        enqueue("withdraw_delivery", "build", None, mine, {"reason": reason})
        return work()[0].partition(" ")[2]

    rounds()
    mine = rows("Delivery").filter(organisation=OURS).first()
    place = desk.hub / "contributions" / OURS / day_of(mine).isoformat()
    set_months(desk, OURS, 600)
    assert asked() == "failed"  # years to go, and nobody was told
    set_months(desk, OURS, 2)  # long over, told today
    told_before(mine.id, 29)
    assert asked() == "failed"
    told_before(mine.id, 30)
    assert asked("asked") == "failed"
    file = desk.hub / "contributors" / f"{OURS}.yaml"
    file.write_text(
        file.read_text("utf-8").replace("keep_months: 2\n", "keep_months: 1\n"), "utf-8"
    )
    assert asked() == "failed"  # told of another day: a month anew
    assert place.is_dir()
    set_months(desk, OURS, 1)
    told_before(mine.id, 30)
    assert asked() == "done"
    assert not place.exists()
