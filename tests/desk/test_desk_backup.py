"""Backup and restore: everything back as it was at one moment, or nothing; keys apart."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctdhub.core.errors import HubError
from ctdhub.core.keys import age
from ctdhub.core.keys.signing import SigningKey, make_key
from ctdhub.desk.config import DeskConfig
from tests.desk import desks, postgres
from tests.desk.desks import Desk
from tests.desk.things import thing

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
                "desk/keys/", "desk/.trail-lock", "desk/desk.dump", "desk/.restoring")  # fmt: skip
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
    from ctdhub.desk.models import TrailEvent
    from ctdhub.desk.processes import lane, run_all
    from ctdhub.desk.trail import append_trail, record
    from ctdhub.desk.worker.backup import back_up, back_up_keys, put_back, resume, signer

    with_inbox(desk)
    record(desk.accounts["steward"].who(), "plan.read")
    append_trail(desk.config.trail)
    before = hashes(desk.hub)
    key = signer(desk.config).public  # made where there is none
    keys = {p.name: p.read_bytes() for p in (desk.hub / "keys").rglob("*") if p.is_file()}
    out, keys_out = tmp_path / "backup.age", tmp_path / "keys.age"
    made = back_up(desk.config, out, identity[1])
    back_up_keys(desk.config, keys_out, identity[1])
    assert CANARY not in out.read_bytes()
    assert not [name for name in made.files if "/keys/" in name or name.split("/")[1] == "work"]
    assert not list(desk.config.folder.glob(".backup-*"))

    record(desk.accounts["steward"].who(), "plan.read")  # what came later is not in it
    there = tmp_path / "empty" / "machine" / "hub"
    restored, said = put_back(out, keys_out, [identity[0]], there, key)
    assert hashes(there) == before
    assert said["heads"] == made.heads
    assert {p.name: p.read_bytes() for p in (there / "keys").rglob("*") if p.is_file()} == keys
    assert (there.parent / "hub-inbox" / "part").read_bytes() == b"ciphertext"
    with desks.opened(there):
        client = Desk(there, desk.as_web).client_of()
        assert TrailEvent.objects.count() == 1
        with pytest.raises(HubError) as met:  # nobody serves before the restore is done
            run_all(restored)
        assert met.value.rule == "restore-unfinished"
        with lane(restored.folder, "files"), pytest.raises(HubError) as met:
            resume(restored, said["database"])
        assert met.value.rule == "lane-taken"
        adopted = resume(restored, said["database"])
        assert adopted.charges >= 0
        assert not restored.restoring.exists()
        assert client.get("/accounts/login/").status_code == 200
        record(desk.accounts["steward"].who(), "plan.read")
        assert append_trail(restored.trail) == 1  # rows and file go on together


def test_a_backup_holds_no_room_and_the_worker_keeps_it_again(
    desk: Desk, tmp_path: Path, identity: tuple[Path, tuple[str, ...]], elsewhere: None
) -> None:
    from ctdhub.desk.uploads.inbox import ROOM, Inbox
    from ctdhub.desk.worker.backup import back_up, put_back, signer
    from ctdhub.desk.worker.serve import _room

    with_inbox(desk)
    for organisation in (desks.OURS, desks.THEIRS):
        Inbox(desk.config.inbox).reserve(organisation, 32 * 2**20)
    key = signer(desk.config).public
    out, there = tmp_path / "backup.age", tmp_path / "there" / "hub"
    made = back_up(desk.config, out, identity[1])
    assert "inbox/part" in made.files
    assert not [name for name in made.files if ROOM in name]
    assert out.stat().st_size < 16 * 2**20
    restored, _said = put_back(out, None, [identity[0]], there, key)
    assert (restored.inbox / "part").exists()
    assert not (restored.inbox / ROOM).exists()
    assert Inbox(restored.inbox).room(desks.OURS) is None, "nothing is refused until it is kept"
    with desks.opened(there):
        _room()
        kept = restored.file.limits.kept_room
        assert Inbox(restored.inbox).room(desks.OURS) == kept > 0


def test_a_backup_under_writes_is_of_one_moment(
    desk: Desk, tmp_path: Path, identity: tuple[Path, tuple[str, ...]]
) -> None:
    """Rows and lines of the trail are written all the time; the copy's own chain is whole."""
    from django.db import connection

    from ctdhub.desk.models import TrailEvent
    from ctdhub.desk.trail import append_trail, record
    from ctdhub.desk.trail_file import read_trail
    from ctdhub.desk.worker.backup import back_up, put_back, signer

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
    put_back(tmp_path / "backup.age", None, [identity[0]], there, signer(desk.config).public)
    *_rest, last = read_trail(there / "desk" / "trail.jsonl")
    with desks.opened(there):
        rows = {event.number: event.hash for event in TrailEvent.objects.all()}
        assert rows[last["number"]] == last["hash"]  # no line without its row


def test_postgres_is_copied_under_writes_and_restored_with_its_walls(
    desk_on_postgres: Desk,
    postgres_template: Path,
    tmp_path: Path,
    identity: tuple[Path, tuple[str, ...]],
    elsewhere: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dump and restore by the server's own tools, onto a second server that is empty."""
    from django.apps import apps
    from django.db import ProgrammingError, connection

    from ctdhub.desk.models import TrailEvent, TrailHead
    from ctdhub.desk.trail import record
    from ctdhub.desk.worker.backup import back_up, put_back, resume, signer

    desk, name = desk_on_postgres, connection.settings_dict["NAME"]
    with_inbox(desk)
    for table in ("Delivery", "DeliveryFinding", "Invitation", "OutgoingMail", "ApprovalDevice"):
        thing(desk, table, desks.THEIRS)
    tables = [
        model
        for model in apps.get_app_config("desk").get_models()
        if model.__name__ not in ("TrailEvent", "TrailHead", "Job")
    ]

    def rows() -> dict[str, list[Any]]:
        return {m.__name__: sorted(map(repr, m.objects.order_by().values_list())) for m in tables}

    def walls() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tablename, policyname, roles, cmd, qual, with_check FROM pg_policies"
                " ORDER BY 1, 2"
            )
            found = cursor.fetchall()
            cursor.execute(
                "SELECT relname, relrowsecurity, relforcerowsecurity, relacl::text FROM pg_class"
                " WHERE relrowsecurity ORDER BY 1"
            )
            return [*found, *cursor.fetchall()]

    who, stop, written = desk.accounts["steward"].who(), threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            record(who, "plan.read")
            written[0] += 1
        connection.close()

    before, files, kept = rows(), hashes(desk.hub), walls()
    assert all(before[name] for name in ("Delivery", "RoleHeld", "Invitation"))
    monkeypatch.delenv("DATABASE_URL_OWNER", raising=False)
    with desk.as_web(), pytest.raises(HubError) as met:  # whom the walls hide rows from
        back_up(desk.config, tmp_path / "partial.age", identity[1])
    assert met.value.name == "backup-database/walls"
    monkeypatch.setenv("DATABASE_URL_OWNER", postgres.url(postgres_template, name, "desk_owner"))
    writer = threading.Thread(target=write)
    writer.start()
    try:
        while written[0] < 5:
            pass
        back_up(desk.config, tmp_path / "backup.age", identity[1])
    finally:
        stop.set()
        writer.join()
    with postgres.server() as empty:
        postgres.new_database(empty, "restored")
        for variable, user in (
            ("DATABASE_URL_OWNER", "desk_owner"),
            ("DATABASE_URL_WORK", "desk_work"),
        ):
            monkeypatch.setenv(variable, postgres.url(empty, "restored", user))
        there = tmp_path / "empty" / "hub"
        key = signer(desk.config).public
        restored, said = put_back(tmp_path / "backup.age", None, [identity[0]], there, key)
        assert said["database"] == "postgresql"
        assert hashes(there) == files
        with desks.opened(there, postgres.settings(empty, "restored", "desk_work")):
            resume(restored, "postgresql")
            assert rows() == before
            last = TrailEvent.objects.first()
            assert last is not None
            assert 5 <= last.number < written[0]  # of one moment, while writing went on
            head = TrailHead.objects.get()
            assert (head.number, head.hash) == (last.number, last.hash)
            assert walls() == kept
            with desks.connected(postgres.settings(empty, "restored", "desk_web")):
                assert not apps.get_model("desk", "Delivery").objects.exists()
                with pytest.raises(ProgrammingError), connection.cursor() as cursor:
                    cursor.execute("DELETE FROM desk_trailevent")


def test_what_is_damaged_cut_or_for_others_puts_nothing_back(
    desk: Desk, tmp_path: Path, identity: tuple[Path, tuple[str, ...]]
) -> None:
    from ctdhub.desk.worker.backup import back_up, put_back, signer

    whole, key = tmp_path / "backup.age", signer(desk.config).public
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
            put_back(tmp_path / name, None, [identity[0]], tmp_path / "there" / "hub", key)
        assert met.value.rule == "age-unreadable"
    with pytest.raises(HubError):
        put_back(whole, None, [stranger], tmp_path / "there" / "hub", key)
    assert list((tmp_path / "there").iterdir()) == []
    (tmp_path / "taken").mkdir()
    with pytest.raises(HubError) as met:
        put_back(whole, None, [identity[0]], tmp_path / "taken", key)
    assert met.value.rule == "restore-folder"


def _archive(members: dict[str, bytes], listed: dict[str, str] | None, key: SigningKey) -> bytes:
    held = io.BytesIO()
    files = {n: hashlib.sha256(c).hexdigest() for n, c in members.items()}
    said = {"form": 2, "kind": "hub", "made": "", "database": "sqlite", "heads": {}}
    text = json.dumps(said | {"files": listed or files}).encode()
    more = {"manifest.json": text, "manifest.sig": f"{key.public} {key.sign(text)}".encode()}
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name, content in {**members, **more}.items():
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
    from ctdhub.desk.worker.backup import put_back

    made, place, key = tmp_path / "made.age", tmp_path / "place", make_key(tmp_path / "key.pem")
    with made.open("wb") as out:
        age.encrypt(io.BytesIO(_archive(members, listed, key)), out, identity[1])
    with pytest.raises(HubError) as met:
        put_back(made, None, [identity[0]], place / "hub", key.public)
    assert met.value.rule == "restore-archive"
    assert list(place.iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_only_what_the_desk_signed_is_restored(
    desk: Desk,
    tmp_path: Path,
    identity: tuple[Path, tuple[str, ...]],
    ctdhub: Callable[..., tuple[int, str, str]],
) -> None:
    """Everybody who knows the recipient can make an archive; the words at the command line too."""
    from ctdhub.desk.worker.backup import back_up, back_up_keys, put_back, signer

    out, keys_out, key = tmp_path / "b.age", tmp_path / "k.age", signer(desk.config).public
    back_up(desk.config, out, identity[1])
    back_up_keys(desk.config, keys_out, identity[1])
    clear = tmp_path / "clear.tar"
    with out.open("rb") as source:
        age.decrypt(source, clear, [identity[0]])

    def changed(name: str, change: Callable[[dict[str, bytes]], Any]) -> Path:
        """The archive with other members, its list made to fit, encrypted to the recipient."""
        with tarfile.open(clear) as tar:
            members = {m.name: (tar.extractfile(m) or io.BytesIO()).read() for m in tar}
        change(members)
        held = io.BytesIO()
        with tarfile.open(fileobj=held, mode="w") as tar:
            for path, content in members.items():
                info = tarfile.TarInfo(path)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        made = tmp_path / name
        held.seek(0)
        with made.open("wb") as target:
            age.encrypt(held, target, identity[1])
        return made

    def another_file(members: dict[str, bytes]) -> None:
        members["hub/hub.yaml"] += b"# mine\n"
        said = json.loads(members["manifest.json"])
        said["files"]["hub/hub.yaml"] = hashlib.sha256(members["hub/hub.yaml"]).hexdigest()
        members["manifest.json"] = json.dumps(said).encode()

    def another_key(members: dict[str, bytes]) -> None:
        another_file(members)
        mine = make_key(tmp_path / "mine.pem")
        text = f"{mine.public} {mine.sign(members['manifest.json'])}"
        members["manifest.sig"] = text.encode()

    def rules(archive: Path, given: str = key, keys: Path | None = None) -> str:
        with pytest.raises(HubError) as met:
            put_back(archive, keys, [identity[0]], tmp_path / "there" / "hub", given)
        return str(met.value.name)

    same = "restore-signature"
    assert rules(changed("1", another_file)) == same
    assert rules(changed("2", another_key)) == f"{same}/key"
    assert rules(changed("3", lambda m: m.pop("manifest.sig"))) == f"{same}/none"
    assert rules(changed("4", lambda m: m.update({"manifest.sig": b"\xff\xfe"}))) == f"{same}/key"
    assert rules(out, make_key(tmp_path / "other.pem").public) == f"{same}/key"
    assert rules(keys_out) == "restore-archive", "the file of keys is no backup, though signed"
    assert rules(out, keys=out) == "restore-archive", "nor the other way round"
    assert list((tmp_path / "there").iterdir()) == []

    words = ("desk", "restore", out, "--identity", identity[0], "--to", tmp_path / "x" / "hub")
    for more in ((), ("--signer", "ed25519:x")):
        assert ctdhub(*words, *more)[0] == 2


def test_a_backup_that_a_restore_would_refuse_says_so_when_it_is_made(
    desk: Desk, tmp_path: Path, identity: tuple[Path, tuple[str, ...]]
) -> None:
    from ctdhub.desk.worker.backup import back_up

    book, out = desk.hub / "ledger" / "ledger.jsonl", tmp_path / "damaged.age"
    back_up(desk.config, tmp_path / "whole.age", identity[1])
    book.parent.mkdir(exist_ok=True)
    with book.open("ab") as lines:
        lines.write(b'{"number": 1}\n')
    with pytest.raises(HubError) as met:
        back_up(desk.config, out, identity[1])
    assert met.value.rule == "backup-ledger"
    assert out.exists(), "what it holds may be needed all the same"


def test_a_charge_that_was_cut_off_is_never_copied(
    desk: Desk, tmp_path: Path, identity: tuple[Path, tuple[str, ...]]
) -> None:
    before = threading.enumerate()
    from ctdhub.desk.worker.backup import back_up
    from ctdhub.hub.folder import Hub

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
    assert all(thread.daemon or thread in before for thread in threading.enumerate())


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
