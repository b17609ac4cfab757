"""Backup and restore: everything back as it was at one moment, or nothing; keys apart."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest

from ctdhub.core.errors import HubError
from ctdhub.core.keys import age
from ctdhub.desk.config import DeskConfig
from tests.desk import desks
from tests.desk.desks import Desk

pytest.importorskip("pyrage", reason="pyrage is missing: pip install 'ctdhub[desk]'")

CANARY = b"canary-4f1b-of-a-case"


@pytest.fixture
def identity(tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    """An identity of whoever recovers, and its recipient."""
    path = tmp_path / "recovery.key"
    return path, (age.make_identity(path),)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that knows of no ledger: what a restore meets on an empty one."""
    monkeypatch.setenv("CTDHUB_STATE", str(tmp_path / "another-machine"))


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of what a backup has to hold of a hub folder."""
    left_out = ("work/", "site/", "desk/desk.sqlite3", "desk/.lane", "desk/last-backup", "keys/",
                "desk/keys/", "desk/.trail-lock")  # fmt: skip
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not (name := path.relative_to(folder).as_posix()).startswith(left_out)
    }


def with_inbox(desk: Desk) -> None:
    """Something in the inbox, and a file of a contributor."""
    inbox = desk.config.inbox
    inbox.mkdir(exist_ok=True)
    (inbox / "part").write_bytes(b"ciphertext")
    place = desk.hub / "contributions" / desks.OURS / "2026-05-05"
    place.mkdir(parents=True)
    (place / "a.csv").write_bytes(CANARY)


def test_restored_folder_rows_and_keys_are_those_of_the_backup(
    desk: Desk, tmp_path: Path, identity: tuple[Path, tuple[str, ...]], elsewhere: None
) -> None:
    from ctdhub.desk.models.trail import TrailEvent
    from ctdhub.desk.trail import append_trail, record
    from ctdhub.desk.worker.backup import back_up, back_up_keys
    from ctdhub.desk.worker.restore import put_back, resume

    with_inbox(desk)
    record(desk.accounts["steward"].who(), "plan.read")
    append_trail(desk.config.trail)
    before = hashes(desk.hub)
    keys = {p.name: p.read_bytes() for p in (desk.hub / "keys").rglob("*") if p.is_file()}
    out, keys_out = tmp_path / "backup.age", tmp_path / "keys.age"
    made = back_up(desk.config, out, identity[1])
    back_up_keys(desk.config, keys_out, identity[1])
    assert CANARY not in out.read_bytes()
    assert not [name for name in made.files if "/keys/" in name or name.split("/")[1] == "work"]
    assert not list(desk.config.folder.glob(".backup-*"))

    record(desk.accounts["steward"].who(), "plan.read")  # what came later is not in it
    there = tmp_path / "empty" / "machine" / "hub"
    restored, said = put_back(out, keys_out, [identity[0]], there)
    assert hashes(there) == before
    assert said["heads"] == made.heads
    assert {p.name: p.read_bytes() for p in (there / "keys").rglob("*") if p.is_file()} == keys
    assert (there.parent / "hub-inbox" / "part").read_bytes() == b"ciphertext"
    with desks.opened(there):
        client = Desk(there, desk.as_web).client_of()
        assert TrailEvent.objects.count() == 1
        adopted = resume(restored, said["database"])
        assert adopted.charges >= 0
        assert client.get("/accounts/login/").status_code == 200
        record(desk.accounts["steward"].who(), "plan.read")
        assert append_trail(restored.trail) == 1  # rows and file go on together


def test_a_backup_under_writes_is_of_one_moment(
    desk: Desk, tmp_path: Path, identity: tuple[Path, tuple[str, ...]]
) -> None:
    """Rows and lines of the trail are written all the time; the copy's own chain is whole."""
    from django.db import connection

    from ctdhub.desk.models.trail import TrailEvent
    from ctdhub.desk.trail import append_trail, record
    from ctdhub.desk.trail_file import last_line
    from ctdhub.desk.worker.backup import back_up
    from ctdhub.desk.worker.restore import put_back

    with_inbox(desk)
    who, stop = desk.accounts["steward"].who(), threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stop.is_set():
            record(who, "plan.read")
            written.append(append_trail(desk.config.trail))
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 5:
            pass
        back_up(desk.config, tmp_path / "backup.age", identity[1])
    finally:
        stop.set()
        writer.join()
    there = tmp_path / "there"
    put_back(tmp_path / "backup.age", None, [identity[0]], there)
    last = last_line(there / "desk" / "trail.jsonl")
    assert last is not None
    with desks.opened(there):
        rows = {event.number: event.hash for event in TrailEvent.objects.all()}
        assert rows[last.number] == last.hash  # no line without its row


def test_what_is_damaged_cut_or_for_others_puts_nothing_back(
    desk: Desk, tmp_path: Path, identity: tuple[Path, tuple[str, ...]]
) -> None:
    from ctdhub.desk.worker.backup import back_up
    from ctdhub.desk.worker.restore import put_back

    whole = tmp_path / "backup.age"
    back_up(desk.config, whole, identity[1])
    content = whole.read_bytes()
    stranger = tmp_path / "stranger.key"
    age.make_identity(stranger)
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    cases = {"flipped": bytes(flipped), "cut": content[:-40], "none": b"", "text": b"PK\x03\x04"}
    for name, bad in cases.items():
        (tmp_path / name).write_bytes(bad)
        with pytest.raises(HubError) as met:
            put_back(tmp_path / name, None, [identity[0]], tmp_path / "there" / "hub")
        assert met.value.rule == "age-unreadable"
    with pytest.raises(HubError):
        put_back(whole, None, [stranger], tmp_path / "there" / "hub")
    assert list((tmp_path / "there").iterdir()) == []
    (tmp_path / "taken").mkdir()
    with pytest.raises(HubError) as met:
        put_back(whole, None, [identity[0]], tmp_path / "taken")
    assert met.value.rule == "restore-folder"


def _archive(members: dict[str, bytes], listed: dict[str, str] | None = None) -> bytes:
    held = io.BytesIO()
    files = {n: hashlib.sha256(c).hexdigest() for n, c in members.items()}
    said = {"form": 1, "made": "", "database": "sqlite", "heads": {}, "files": listed or files}
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name, content in {**members, "manifest.json": json.dumps(said).encode()}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return held.getvalue()


@pytest.mark.parametrize(
    ("members", "listed"),
    [
        ({"../outside": b"x", "hub/hub.yaml": b"name: x"}, None),
        ({"/abs/outside": b"x", "hub/hub.yaml": b"name: x"}, None),
        ({"hub/hub.yaml": b"name: x"}, {"hub/hub.yaml": "0" * 64}),
        ({"hub/hub.yaml": b"name: x", "hub/more": b""}, {"hub/hub.yaml": "0" * 64}),
        ({"hub/other": b"name: x"}, None),
        ({"hub/hub.yaml": b"name: x", "hub/hub.yaml/below": b""}, None),
        ({"hub/hub.yaml": b"name: x", "hub/./hub.yaml": b"name: y"}, None),
        ({"hub/hub.yaml": b"name: x", "hub": b""}, None),
    ],
)
def test_an_archive_that_somebody_else_made_is_refused(
    members: dict[str, bytes],
    listed: dict[str, str] | None,
    tmp_path: Path,
    identity: tuple[Path, tuple[str, ...]],
) -> None:
    """Whoever knows the recipient can write an archive: names and list decide nothing unseen."""
    from ctdhub.desk.worker.restore import put_back

    made, place = tmp_path / "made.age", tmp_path / "place"
    with made.open("wb") as out:
        age.encrypt(io.BytesIO(_archive(members, listed)), out, identity[1])
    with pytest.raises(HubError) as met:
        put_back(made, None, [identity[0]], place / "hub")
    assert met.value.rule == "restore-archive"
    assert list(place.iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_a_charge_that_was_cut_off_is_never_copied(
    desk: Desk, tmp_path: Path, identity: tuple[Path, tuple[str, ...]]
) -> None:
    from ctdhub.build.hub import Hub
    from ctdhub.desk.worker.backup import back_up

    pending = desk.hub / "work" / "pending"
    pending.mkdir(parents=True)
    (pending / "secret").write_bytes(b"s")
    with pytest.raises(HubError) as met:
        back_up(desk.config, tmp_path / "b.age", identity[1])
    assert met.value.rule == "backup-charge"
    (pending / "secret").unlink()
    with Hub(desk.hub).lock(), pytest.raises(HubError) as met:
        back_up(desk.config, tmp_path / "b.age", identity[1], wait=0.1)
    assert met.value.rule == "lock"
    with pytest.raises(HubError):
        back_up(desk.config, tmp_path / "b.age", ("age1nonsense",))
    assert not (tmp_path / "b.age").exists()
    assert threading.active_count() == 1 or all(
        t.name == "MainThread" or t.daemon for t in threading.enumerate()
    )


def test_demo_links_work_once_and_for_fictitious_data_only(desk: Desk, tmp_path: Path) -> None:
    from ctdhub.desk import config, demo

    demo.settings_of(desk.hub)
    config.use(DeskConfig(desk.hub))
    made = demo.accounts(desk.config)
    assert {m.role for m in made} == {*desks.ROLES, demo.OTHER}
    links = {m.role: m.link.partition("/demo/")[2] for m in made}
    client: Any = desk.client_of()
    way = f"/demo/{links['auditor']}"
    assert client.get(way).status_code == 200
    assert client.get("/trail/").status_code == 302  # looking signed nobody in
    assert client.post(way).status_code == 302
    assert client.get("/trail/").status_code == 200
    assert desk.client_of().post(way).status_code == 404
    assert desk.client_of().get("/demo/another/").status_code == 404
    again = demo.accounts(desk.config)
    assert desk.client_of().get(f"/demo/{links['steward']}").status_code == 404
    assert len(again) == len(made)
    (desk.hub / "desk.toml").write_text('host = "localhost"\n')
    config.use(DeskConfig(desk.hub))
    last = again[-1].link.partition("/demo/")[2]
    assert desk.client_of().get(f"/demo/{last}").status_code == 404
    real = tmp_path / "real"
    real.mkdir()
    (real / "hub.yaml").write_text("name: A hub\n")
    with pytest.raises(HubError) as met:
        demo.settings_of(real)
    assert met.value.rule == "demo-hub"
