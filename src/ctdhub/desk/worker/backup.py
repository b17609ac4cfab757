"""A backup of database and hub folder in one age file, and putting one back."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.db import connection

from ctdhub.core import files
from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import locked
from ctdhub.core.keys import age
from ctdhub.core.keys.signing import SigningKey, is_signed, make_key, read_key
from ctdhub.desk import walls
from ctdhub.desk.config import DeskConfig
from ctdhub.desk.health import LAST_BACKUP
from ctdhub.desk.processes import lane
from ctdhub.desk.uploads.inbox import ROOM
from ctdhub.desk.worker.identities import identity_folder
from ctdhub.dp.ledger.custody import Adopted
from ctdhub.hub.folder import Hub
from ctdhub.hub.init import adopt
from ctdhub.hub.paid import check_known, ledger

# --------------------------------------------------------------------------------------------------
# A backup: the desk's database and the hub folder at one moment, in one age file.
#
# The hub's lock is held while it is made, so that nothing is built, accepted or withdrawn in
# between; a charge that was cut off is finished first, since its secret must never be copied.  The
# trail's file is read before the database and the folder after it, so that no row names a file that
# is not there and no line of the trail is missing from its table.  Keys are another file, to be
# kept elsewhere.  Nothing of it is on the disk in clear: the archive goes through a pipe to the
# cipher.
#
# The list at the end of an archive is signed with the desk's own key, ``keys/backup.pem``, since
# whoever knows a recipient can encrypt to it.  The public half is kept on paper: what an archive
# says of itself proves nothing.

FORM = 2
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
HUB, INBOX, DATABASE, KEYS = "hub", "inbox", "database", "keys"
SQLITE, DUMP = "desk.sqlite3", "desk.dump"
_KEY_FOLDERS = ("keys", "desk/keys")
_LEFT_OUT = ("work/", "site/", "keys/", "desk/keys/", f"desk/{SQLITE}", "desk/.lane-")
"""Of a hub folder: what a build makes again, keys, the database as it is written, locks."""


@dataclass
class Contents:
    """What an archive holds, as its last member says.

    Attributes:
        made: in UTC.
        database: "sqlite" or "postgresql"; "" in the file of keys.
        kind: "hub" or "keys", so that one is never taken for the other.
        hub: name of the hub.
        heads: last lines of ledger, register of withdrawals and trail: their hashes.
        files: SHA-256 of each member.
    """

    made: str
    kind: str
    hub: str
    database: str = ""
    heads: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> bytes:
        """The member."""
        values = {"form": FORM, **vars(self)}
        return json.dumps(values, sort_keys=True, indent=1).encode("ascii") + b"\n"


def signer(desk: DeskConfig) -> SigningKey:
    """The key that signs backups; made where there is none."""
    path = desk.hub / "keys" / "backup.pem"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        make_key(path)
    return read_key(path)


def back_up(
    desk: DeskConfig, target: Path, recipients: tuple[str, ...], *, wait: float = 600.0
) -> Contents:
    """Write the backup of a desk.

    Args:
        target: a new file.
        recipients: age recipients that can open it.
        wait: seconds to wait for a build that is at work.

    Raises:
        HubFolderError: a build is still at work after that time (rule "lock").
        HubError: a charge was cut off (rule "backup-charge"); the database cannot be copied (rule
            "backup-database"); ``resume`` would refuse this ledger (rule "backup-ledger"): the file
            is written all the same, for what it holds may be needed.
        FileError: a recipient is none.
    """
    hub = Hub(desk.hub)
    with _hub_lock(hub, wait):
        if any((hub.work / "pending").glob("*")):
            raise error("backup-charge", file=hub.root)
        with locked(desk.folder / ".trail-lock"):
            trail = desk.trail.stat().st_size if desk.trail.exists() else 0
            made = Contents(_now(), HUB, hub.settings.name, heads=heads_of(desk))
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=desk.folder) as private:
            copy, made.database = _database(desk, Path(private))
            _write(target, recipients, _members_of_hub(desk, copy, trail), made, signer(desk))
        try:
            check_known(hub, ledger(hub).entries())
        except HubError as met:
            raise error("backup-ledger", file=target, fault=met.fault) from met
    return made


def back_up_keys(desk: DeskConfig, target: Path, recipients: tuple[str, ...]) -> Contents:
    """Write the file of keys: the hub's, the web process's, and the identities of the inbox.

    Raises:
        FileError: a recipient is none.
    """
    key = signer(desk)  # before its folder is read
    made = Contents(_now(), KEYS, Hub(desk.hub).settings.name)
    _write(target, recipients, _members_of_keys(desk), made, key)
    return made


Member = tuple[str, Path, int | None]
"""Name in the archive, file, and how much of it, from its start; None for all."""


def _members_of_hub(desk: DeskConfig, database: Path, trail: int) -> Iterator[Member]:
    yield f"{DATABASE}/{database.name}", database, None
    for name, path in _files(desk.hub):
        if _is_kept(name):
            yield f"{HUB}/{name}", path, trail if path == desk.trail else None
    for name, path in _files(desk.inbox):
        if not name.startswith(f"{ROOM}/"):  # nothing but room on this disk
            yield f"{INBOX}/{name}", path, None


def _members_of_keys(desk: DeskConfig) -> Iterator[Member]:
    folders = {folder: desk.hub / folder for folder in _KEY_FOLDERS}
    elsewhere = identity_folder(desk.hub)
    if not elsewhere.is_relative_to(desk.hub):
        folders["keys/inbox"] = elsewhere
    for place, folder in folders.items():
        for name, path in _files(folder):
            yield f"{KEYS}/{place}/{name}", path, None


def note(desk: DeskConfig, made: Contents) -> None:
    """Keep when the last backup was made, for the page that shows it."""
    line = {"made": made.made, "files": len(made.files), "heads": made.heads}
    line["signer"] = signer(desk).public
    files.write_whole(desk.folder / LAST_BACKUP, json.dumps(line).encode("ascii"), mode=0o644)


def _is_kept(name: str) -> bool:
    """Whether a backup holds a file of the hub folder."""
    unfinished = any(part.startswith((".new-", ".old-", ".backup-")) for part in name.split("/"))
    return not (unfinished or name.startswith(_LEFT_OUT))


def heads_of(desk: DeskConfig) -> dict[str, str]:
    """SHA-256 of the last lines of what only grows; "" where there is none yet."""
    places = {
        "ledger": desk.hub / "ledger" / "ledger.jsonl",
        "withdrawals": desk.hub / "withdrawals" / "register.jsonl",
        "trail": desk.trail,
    }
    lines = {k: v.read_bytes().splitlines() if v.exists() else [] for k, v in places.items()}
    return {k: hashlib.sha256(v[-1]).hexdigest() if v else "" for k, v in lines.items()}


def _hub_lock(hub: Hub, wait: float) -> ExitStack:
    """The hub's lock, once it is free."""
    until, lock = time.monotonic() + wait, ExitStack()
    while True:
        try:
            lock.enter_context(hub.lock())
        except HubError as met:
            if met.rule != "lock" or time.monotonic() > until:
                raise
            time.sleep(0.5)
        else:
            return lock


def _database(desk: DeskConfig, private: Path) -> tuple[Path, str]:
    """A copy of the database as it is at one moment, and its kind."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(private / SQLITE)])
        return private / SQLITE, "sqlite"
    copy = private / DUMP
    with walls.as_user(walls.OWNER):
        walls.refuse_partial_view()  # what the walls hide would be missing without a word
    options = ["-Fc", "--no-owner", "--enable-row-security"]
    run_postgres_tool("pg_dump", [*options, "-f", str(copy)], desk)
    return copy, "postgresql"


def run_postgres_tool(name: str, arguments: list[str], desk: DeskConfig) -> None:
    """Run a tool of PostgreSQL on the database of the tables' owner.

    Raises:
        HubError: it is not installed, or it fails (rule "backup-database").
    """
    settings = desk.database(os.environ.get("DATABASE_URL_OWNER") or None)
    variables = {f"PG{key}": settings[key] for key in ("HOST", "PORT", "USER", "PASSWORD")}
    variables["PGDATABASE"] = settings["NAME"]
    environment = {**os.environ, **{key: value for key, value in variables.items() if value}}
    if name == "pg_restore":
        arguments = ["-d", settings["NAME"], *arguments]
    try:
        done = subprocess.run([name, *arguments], env=environment, capture_output=True, check=False)
    except FileNotFoundError:
        raise error("backup-database/tool", name=name) from None
    if done.returncode:
        raise error("backup-database", name=name)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Regular files below a folder by name, in a fixed order; links and pipes are none of them."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def _write(
    target: Path,
    recipients: tuple[str, ...],
    members: Iterable[Member],
    contents: Contents,
    key: SigningKey,
) -> None:
    """An archive of these members, the list of them and its signature, through the cipher."""
    reading, writing = os.pipe()

    def archive() -> None:
        with os.fdopen(writing, "wb") as out, tarfile.open(fileobj=out, mode="w|") as tar:
            for member in members:
                _add(tar, member, contents)
            said = contents.as_json()
            _add_bytes(tar, MANIFEST, said)
            _add_bytes(tar, SIGNATURE, f"{key.public} {key.sign(said)}\n".encode("ascii"))

    with files.made_whole(target) as fresh, ThreadPoolExecutor(1) as pool:
        archived = pool.submit(archive)
        with os.fdopen(reading, "rb") as source, fresh.open("xb", 0) as out:
            fresh.chmod(0o600)
            age.encrypt(source, out, recipients)
            os.fsync(out.fileno())
        archived.result()


def _add(tar: tarfile.TarFile, member: Member, contents: Contents) -> None:
    """Add a file as it is now; one that has gone meanwhile is left out."""
    name, path, size = member
    with suppress(FileNotFoundError), path.open("rb") as source:
        status = os.fstat(source.fileno())
        info = tarfile.TarInfo(name)
        info.size = status.st_size if size is None else size
        info.mode, info.mtime = status.st_mode & 0o777, int(status.st_mtime)
        digest = _Digesting(source)
        tar.addfile(info, digest)
        contents.files[name] = digest.sha256.hexdigest()


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), 0o600, int(time.time())
    tar.addfile(info, io.BytesIO(content))


class _Digesting:
    """A file that is hashed as it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source, self.sha256 = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        content = self.source.read(size)
        self.sha256.update(content)
        return content


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --------------------------------------------------------------------------------------------------
# A backup put back on an empty machine: whole and proven, or nothing.
#
# The list in the archive must be signed with the key that whoever restores names, from paper, and
# each file is compared with it before the folder gets its name.  Then the database is put in its
# place, every sign-in is ended, what was checked and not accepted waits to be checked again, and
# ``adopt`` lets the ledger go on here: what this machine knows to be spent and the copy does not
# counts as spent.

_LONGEST_LIST, _LONGEST_SIGNATURE = 64 * 2**20, 1_000
_TWO_OF_A_NAME = (FileExistsError, NotADirectoryError, IsADirectoryError)


def put_back(
    backup: Path, keys: Path | None, identities: list[Path], hub: Path, signer: str
) -> tuple[DeskConfig, dict[str, Any]]:
    """Unpack a backup as a hub folder, and its inbox next to it.

    Args:
        backup, keys: files of :mod:`ctdhub.desk.worker.backup`; the keys may have been put into the
            folder by hand later.
        identities: files with an age identity that opens them.
        hub: a folder that does not exist.
        signer: public half of the key that signed them.

    Returns:
        The desk there, and what the archive says of itself.

    Raises:
        HubFolderError: the folder exists (rule "restore-folder").
        FileError: an archive is damaged, is for others, or holds something else than its list
            (rules "age-unreadable", "restore-archive"), or is not signed with that key (rule
            "restore-signature").
    """
    if hub.exists():
        raise error("restore-folder", file=hub)
    hub.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=hub.parent) as private:
        place = Path(private)
        fresh, sent = place / HUB, place / INBOX
        fresh.mkdir(mode=0o700)
        places = {HUB: fresh, DATABASE: fresh / "desk", INBOX: sent}
        said = _unpacked(backup, identities, places, HUB, signer)
        if keys is not None:
            _unpacked(keys, identities, {KEYS: fresh}, KEYS, signer)
        if not (fresh / "hub.yaml").is_file():
            raise error("restore-archive", file=backup)
        desk = DeskConfig(fresh)
        inbox = desk.file.inbox or hub.with_name(f"{hub.name}-inbox")
        if inbox.exists() and any(inbox.iterdir()):
            raise error("restore-folder", file=inbox)
        if desk.folder.exists() and said["heads"] != heads_of(desk):
            raise error("restore-archive", file=backup)
        if sent.exists():
            sent.chmod(0o700)
            inbox.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sent.replace(inbox)
        files.write_new(desk.restoring, str(said["database"]).encode("ascii"))
        fresh.replace(hub)
        files.sync(hub.parent)
    return DeskConfig(hub), said


def resume(desk: DeskConfig, database: str) -> Adopted:
    """Let a folder that was put back work: database, sign-ins, ledger.

    Django must have been begun with this desk.

    Args:
        database: "sqlite" or "postgresql", as the backup says.

    Raises:
        HubError: a worker is at work (rule "lane-taken"), the database cannot be restored (rule
            "backup-database"), or is of another kind (rule "restore-database").
        PolicyError: see :func:`ctdhub.desk.walls.refuse_encoding`.
        LedgerTampered: see :func:`ctdhub.hub.init.adopt`.
    """
    from django.contrib.sessions.models import Session

    from ctdhub.desk.jobs import enqueue
    from ctdhub.desk.models import Delivery

    if connection.vendor != database:
        raise error("restore-database", kind=database)
    walls.refuse_encoding()
    with lane(desk.folder, "files"), lane(desk.folder, "build"):
        dump = desk.folder / DUMP
        if dump.exists():
            options = ["--no-owner", "--exit-on-error", "--single-transaction"]
            run_postgres_tool("pg_restore", [*options, str(dump)], desk)
            dump.unlink()
        with walls.as_user(walls.OWNER):
            walls.prepare()
        with walls.as_user(walls.DATABASE_WORK):
            Session.objects.all().delete()
            for delivery in Delivery.objects.filter(state="checked"):
                delivery.state = "received"
                delivery.save(update_fields=["state"])
                enqueue("check", "files", thing=delivery)
        adopted = adopt(Hub(desk.hub))
        desk.restoring.unlink(missing_ok=True)
    return adopted


def _unpacked(
    archive: Path, identities: list[Path], places: dict[str, Path], kind: str, signer: str
) -> dict[str, Any]:
    """The files of an archive, each as its list says; gives what it says.

    Args:
        places: folder of the members whose names begin with this part.
    """
    clear = next(iter(places.values())).with_suffix(".tar")
    with archive.open("rb") as source:
        age.decrypt(source, clear, identities)
    digests: dict[str, str] = {}
    listed, signature = b"", b""
    try:
        with tarfile.open(clear, "r:") as tar:
            for info in tar:
                content = _content(tar, info, archive)
                if info.name == MANIFEST:
                    listed = content.read(_LONGEST_LIST)
                elif info.name == SIGNATURE:
                    signature = content.read(_LONGEST_SIGNATURE)
                else:
                    top, _, name = info.name.partition("/")
                    digests[info.name] = _restore_write(places[top] / name, info, content)
        said = json.loads(listed)
    except (tarfile.TarError, ValueError, RecursionError, KeyError, *_TWO_OF_A_NAME):
        raise error("restore-archive", file=archive) from None
    finally:
        clear.unlink(missing_ok=True)
    expected = {"files": digests, "form": FORM, "kind": kind}
    if not isinstance(said, dict) or said != {**said, **expected}:
        raise error("restore-archive", file=archive)
    if not signature:
        raise error("restore-signature/none", file=archive)
    key, _, made = signature.decode("ascii", "replace").strip().partition(" ")
    if key != signer:
        raise error("restore-signature/key", file=archive, key=printable(key, 60))
    if not is_signed(listed, made, signer):
        raise error("restore-signature", file=archive)
    return said


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo, archive: Path) -> IO[bytes]:
    """A regular file with a plain relative name; anything else is a fault of the archive."""
    name = PurePosixPath(info.name)
    plain = info.isreg() and not name.is_absolute() and ".." not in name.parts
    content = tar.extractfile(info) if plain else None
    if content is None:
        raise error("restore-archive", file=archive)
    return content


def _restore_write(path: Path, info: tarfile.TarInfo, content: IO[bytes]) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digested = _Digesting(content)
    with path.open("xb") as out:
        shutil.copyfileobj(digested, out, 2**20)
    path.chmod(info.mode & 0o777)
    return digested.sha256.hexdigest()
