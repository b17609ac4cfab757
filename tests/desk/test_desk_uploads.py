"""Files come in: by tus, by the plain form; nobody else's, never too many, opened by the worker."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ctdhub.core.errors import FileError
from ctdhub.core.keys import age
from ctdhub.core.tables import ENDINGS
from ctdhub.desk.uploads.inbox import Inbox
from ctdhub.sensitive.ingest.formats import FORMATS
from tests.desk.desks import OURS, THEIRS, Desk
from tests.desk.sending import TUS, begun, part, practice_file, rounds, rows, sent, without_tokens


@pytest.fixture
def open_desk(desk: Desk) -> Desk:
    """A desk whose worker has made its rounds once."""
    assert rounds() == []
    return desk


def test_every_format_has_endings_and_a_refusal_says_them(open_desk: Desk) -> None:
    assert {known.name for known in FORMATS} == ENDINGS.keys()
    answer = begun(open_desk.client_of("contributor"), b"x", "pdf")
    assert answer.status_code == 400
    for ending in (*(known[0] for known in ENDINGS.values()), ".ods", ".ctdbundle"):
        assert ending in answer.content.decode()


def test_sent_in_parts_resumed_and_opened_by_the_worker_alone(open_desk: Desk) -> None:
    client, content = open_desk.client_of("contributor"), practice_file(open_desk).read_bytes()
    answer = begun(client, content)
    address = answer["Location"]
    half = len(content) // 2
    assert part(client, address, 0, content[:half]).status_code == 204
    again = part(client, address, 0, content[:half])
    assert again.status_code == 409, "the same part twice"
    head = client.head(address, headers=TUS)
    assert (head.status_code, head["Upload-Offset"]) == (200, str(half))
    assert head["Cache-Control"] == "no-store"
    assert part(client, address, half, content[half:])["Upload-Offset"] == str(len(content))
    row = rows("Delivery").exclude(account=None).get()
    assert (row.state, row.bytes, row.kind) == ("received", len(content), "xlsx")
    assert [job.what for job in rows("Job").all()] == ["check"]
    assert client.head(address, headers=TUS)["Upload-Offset"] == str(len(content))

    inbox = Inbox(open_desk.config.inbox)
    files = sorted(inbox.place(row.id.hex).iterdir())
    assert len(files) == rows("DeliveryPart").count() == 2
    assert all(content[100:200] not in file.read_bytes() for file in files)
    stranger = open_desk.hub.parent / "stranger.key"
    age.make_identity(stranger)
    with files[0].open("rb") as sealed, pytest.raises(FileError):
        age.decrypt(sealed, open_desk.hub.parent / "plain", [stranger])


def test_nobody_sees_or_continues_the_upload_of_another(open_desk: Desk) -> None:
    ours, theirs = open_desk.client_of("contributor"), open_desk.client_of("other")
    address = begun(ours, b"a,b\n1,2\n", "csv")["Location"]
    nobody = address.replace(address.split("/")[2], "0" * 32)
    for way, headers in (("head", {}), ("patch", {"Upload-Offset": "0"}), ("delete", {})):
        answers = [
            getattr(theirs, way)(place, headers=TUS | headers) for place in (address, nobody)
        ]
        assert [a.status_code for a in answers] == [404, 404], way
        assert len({without_tokens(a.content) for a in answers}) == 1
    assert part(theirs, address, 0, b"a,b\n").status_code == 404
    assert part(ours, address, 0, b"a,b\n").status_code == 204
    foreign = begun(theirs, b"x", "csv", organisation=OURS)
    assert foreign.status_code == 201
    assert rows("Delivery").get(id=foreign["Location"].split("/")[2]).organisation_id == THEIRS
    officer = begun(open_desk.client_of("data_officer"), b"x", "csv", organisation=OURS)
    assert officer.status_code == 201
    assert begun(open_desk.client_of("data_officer"), b"x", "csv").status_code == 403
    assert begun(open_desk.client_of("auditor"), b"x", "csv").status_code == 403


def test_limits_are_those_of_what_oneself_sent(
    open_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = open_desk.config.file
    small = file.limits.model_copy(
        update={"file_bytes": 1000, "open_uploads": 2, "day_bytes": 2500, "kept_room": 2**20}
    )
    monkeypatch.setattr(open_desk.config, "file", file.model_copy(update={"limits": small}))
    ours, theirs = open_desk.client_of("contributor"), open_desk.client_of("other")
    assert begun(ours, b"x" * 1001, "csv").status_code == 413
    assert begun(ours, b"x", "exe").status_code == 400
    assert begun(ours, b"x", "csv", sha256="../..").status_code == 400
    address = begun(ours, b"x" * 900, "csv")["Location"]
    assert begun(ours, b"x" * 900, "csv").status_code == 201
    told = begun(ours, b"x", "csv")
    assert told.status_code == 429
    assert b"2 files that were begun" in told.content
    assert ours.delete(address, headers=TUS).status_code == 204
    assert ours.head(address, headers=TUS).status_code == 404
    assert begun(ours, b"x" * 900, "csv").status_code == 429, "2,700 bytes in a day"
    assert begun(ours, b"x" * 600, "csv").status_code == 201
    assert begun(theirs, b"x" * 900, "csv").status_code == 201, "others are not concerned"


def test_room_is_kept_for_each_and_refilled(open_desk: Desk) -> None:
    inbox = Inbox(open_desk.config.inbox)
    inbox.reserve(OURS, 5000)
    inbox.reserve(THEIRS, 5000)
    ours, theirs = open_desk.client_of("contributor"), open_desk.client_of("other")
    sent(ours, b"x" * 4000, "csv")
    assert inbox.room(OURS) == 1000
    assert begun(ours, b"x" * 1001, "csv").status_code == 429
    assert inbox.room(THEIRS) == 5000
    assert begun(theirs, b"x" * 5000, "csv").status_code == 201
    inbox.reserve(OURS, 5000)
    assert begun(ours, b"x" * 1001, "csv").status_code == 201


@pytest.mark.parametrize("name", ["../../etc/passwd.csv", "a\x00b.CSV", "<script>.csv", "=1+1.csv"])
def test_the_plain_form_keeps_no_name(open_desk: Desk, name: str) -> None:
    client = open_desk.client_of("contributor")
    file = io.BytesIO(b"a,b\n1,2\n")
    file.name = name
    answer = client.post("/deliveries/send/", {"file": file})
    assert answer.status_code == 302
    row = rows("Delivery").exclude(account=None).get()
    assert row.state == "received"
    assert row.kind == "csv"
    names = [p.name for p in Path(open_desk.config.inbox).rglob("*")]
    assert not any("passwd" in n or "script" in n or "=" in n for n in names)


def test_the_plain_form_says_what_is_missing(open_desk: Desk) -> None:
    client = open_desk.client_of("contributor")
    for given, status in (({}, 422), ({"file": io.BytesIO(b"x")}, 400)):
        answer = client.post("/deliveries/send/", given)
        assert answer.status_code == status
        assert "There is a problem" in answer.content.decode()
    page = client.get("/deliveries/send/?replaces=%22><script>").content.decode()
    assert "<script>" not in page.split("replaces", 1)[1][:200]


def test_a_full_disk_says_so_and_keeps_no_half(
    open_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctdhub.core import files

    whole = files.write_new

    def full(path: Path, content: bytes, mode: int = 0o600) -> None:
        whole(path, content[:3], mode)
        raise OSError(errno.ENOSPC, "no room")

    client = open_desk.client_of("contributor")
    address = begun(client, b"a,b\n1,2\n", "csv")["Location"]
    with monkeypatch.context() as patch:
        patch.setattr(files, "write_new", full)
        refused = part(client, address, 0, b"a,b\n")
        form = client.post("/deliveries/send/", {"file": io.BytesIO(b"a,b\n1,2\n")})
    assert refused.status_code == 507
    assert "disk of the hub is full" in refused.content.decode()
    assert form.status_code in (400, 507)
    assert not list(Path(open_desk.config.inbox).rglob("*.age"))
    assert part(client, address, 0, b"a,b\n").status_code == 204, "it goes on where it stopped"


def test_the_disk_of_the_inbox_is_watched(open_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from ctdhub.desk import health

    real = os.statvfs(open_desk.hub)

    def told(place: Path) -> Any:
        blocks = 7 if Path(place) == open_desk.config.inbox else 10**9
        return SimpleNamespace(f_bavail=blocks, f_frsize=real.f_frsize)

    monkeypatch.setattr(os, "statvfs", told)
    found = {check.key: check for check in health.checks(open_desk.config)}
    one, other = found["inbox_free_bytes"], found["disk_free_bytes"]
    assert (one.value, one.tone, one.needed) == (7 * real.f_frsize, "bad", False)
    assert (other.value, other.tone) == (10**9 * real.f_frsize, "good")


def test_without_a_worker_nothing_is_taken(desk: Desk) -> None:
    client = desk.client_of("contributor")
    address = begun(client, b"a,b\n", "csv")["Location"]
    assert part(client, address, 0, b"a,b\n").status_code == 503
    assert not list(Path(desk.config.inbox).rglob("*.age"))
    assert rounds() == []
    assert part(client, address, 0, b"a,b\n").status_code == 204


def test_a_part_of_another_length_or_too_large(open_desk: Desk) -> None:
    client = open_desk.client_of("contributor")
    address = begun(client, b"a,b\n", "csv")["Location"]
    assert part(client, address, 0, b"a,b\n1").status_code == 413
    assert part(client, address, 0, b"x" * (5 * 2**20)).status_code == 413
    assert client.get(address, headers=TUS).status_code == 405
    assert client.options(address).headers["Tus-Version"] == "1.0.0"
    assert hashlib.sha256(b"").hexdigest()


def test_a_token_of_the_form_is_asked_for(open_desk: Desk) -> None:
    client: Any = open_desk.client_of("contributor", enforce_csrf_checks=True)
    assert begun(client, b"a,b\n", "csv").status_code == 403
