"""A backup put back on an empty machine: whole and proven, or nothing.

The list in the archive must be signed with the key that whoever restores names, from paper, and
each file is compared with it before the folder gets its name.  Then the
database is put in its place, every sign-in is ended, what was checked and not accepted waits to be
checked again, and ``adopt`` lets the ledger go on here: what this machine knows to be spent and the
copy does not counts as spent.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ctdhub.build.adopt import adopt
from ctdhub.build.hub import Hub
from ctdhub.core import atomic
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.keys import age
from ctdhub.core.keys.signing import is_signed
from ctdhub.desk.config import DeskConfig
from ctdhub.desk.worker.backup import (
    DATABASE,
    DUMP,
    FORM,
    HUB,
    INBOX,
    KEYS,
    MANIFEST,
    SIGNATURE,
    heads_of,
    run_postgres_tool,
)
from ctdhub.dp.ledger.adopt import Adopted

_LONGEST_LIST, _LONGEST_SIGNATURE = 64 * 2**20, 1_000
_UNSIGNED_FORM = 1
"""Archives of older programs, which nobody signed."""
_TWO_OF_A_NAME = (FileExistsError, NotADirectoryError, IsADirectoryError)


def put_back(
    backup: Path, keys: Path | None, identities: list[Path], hub: Path, signer: str | None
) -> tuple[DeskConfig, dict[str, Any]]:
    """Unpack a backup as a hub folder, and its inbox next to it.

    Args:
        backup, keys: files of :mod:`ctdhub.desk.worker.backup`; the keys may have been put into the
            folder by hand later.
        identities: files with an age identity that opens them.
        hub: a folder that does not exist.
        signer: public half of the key that signed them; None takes what nobody signed.

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
        said = _unpacked(backup, identities, place / "all", HUB, signer)
        if keys is not None:
            _unpacked(keys, identities, place / "keys", KEYS, signer)
        fresh = place / "all" / HUB
        if not (fresh / "hub.yaml").is_file():
            raise error("restore-archive", file=backup)
        if keys is not None:
            _move_into(place / "keys" / KEYS, fresh)
        _move_into(place / "all" / DATABASE, fresh / "desk")
        desk = DeskConfig(fresh)
        inbox = desk.file.inbox or hub.with_name(f"{hub.name}-inbox")
        if inbox.exists() and any(inbox.iterdir()):
            raise error("restore-folder", file=inbox)
        if desk.folder.exists() and said["heads"] != heads_of(desk):
            raise error("restore-archive", file=backup)
        if (place / "all" / INBOX).exists():
            inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
            _move_into(place / "all" / INBOX, inbox)
        atomic.write_new(DeskConfig(fresh).restoring, str(said["database"]).encode("ascii"))
        fresh.replace(hub)
        atomic.sync(hub.parent)
    return DeskConfig(hub), said


def resume(desk: DeskConfig, database: str) -> Adopted:
    """Let a folder that was put back work: database, sign-ins, ledger.

    Django must have been begun with this desk.

    Args:
        database: "sqlite" or "postgresql", as the backup says.

    Raises:
        HubError: a worker is at work (rule "lane-taken"), the database cannot be restored (rule
            "backup-database"), or is of another kind (rule "restore-database").
        PolicyError: see :func:`ctdhub.desk.database.refuse_encoding`.
        LedgerTampered: see :func:`ctdhub.build.adopt.adopt`.
    """
    from django.contrib.sessions.models import Session
    from django.db import connection

    from ctdhub.desk.database import OWNER, WORK, as_user, prepare, refuse_encoding
    from ctdhub.desk.jobs.lanes import lane
    from ctdhub.desk.jobs.queue import enqueue
    from ctdhub.desk.models.deliveries import Delivery

    if connection.vendor != database:
        raise error("restore-database", kind=database)
    refuse_encoding()
    with lane(desk.folder, "files"), lane(desk.folder, "build"):
        dump = desk.folder / DUMP
        if dump.exists():
            options = ["--no-owner", "--exit-on-error", "--single-transaction"]
            run_postgres_tool("pg_restore", [*options, str(dump)], desk)
            dump.unlink()
        with as_user(OWNER):
            prepare()
        with as_user(WORK):
            Session.objects.all().delete()
            for delivery in Delivery.objects.filter(state="checked"):
                Delivery.objects.filter(id=delivery.id).update(state="received")
                enqueue("check", "files", thing=delivery)
        adopted = adopt(Hub(desk.hub))
        desk.restoring.unlink(missing_ok=True)
    return adopted


def _unpacked(
    archive: Path, identities: list[Path], place: Path, kind: str, signer: str | None
) -> dict[str, Any]:
    """The files of an archive below a folder, each as its list says; gives what it says."""
    place.mkdir(mode=0o700)
    clear = place.with_suffix(".tar")
    with archive.open("rb") as source:
        age.decrypt(source, clear, identities)
    found: dict[str, str] = {}
    listed, signature = b"", b""
    try:
        with tarfile.open(clear, "r:") as tar:
            for info, content in _members(tar, archive):
                if info.name == MANIFEST:
                    listed = content.read(_LONGEST_LIST)
                elif info.name == SIGNATURE:
                    signature = content.read(_LONGEST_SIGNATURE)
                else:
                    found[info.name] = _write(place / info.name, info, content)
        said = json.loads(listed)
    except (tarfile.TarError, ValueError, RecursionError, *_TWO_OF_A_NAME):
        raise error("restore-archive", file=archive) from None
    finally:
        clear.unlink(missing_ok=True)
    if not isinstance(said, dict) or said.get("files") != found or not _known(said, kind):
        raise error("restore-archive", file=archive)
    if signer is not None:
        _refuse_unsigned(archive, listed, signature, signer)
    return said


def _known(said: dict[str, Any], kind: str) -> bool:
    """Whether an archive is of a form that is read, and is what it is taken for."""
    if said.get("form") == FORM:
        return said.get("kind") == kind
    return said.get("form") == _UNSIGNED_FORM


def _refuse_unsigned(archive: Path, listed: bytes, signature: bytes, signer: str) -> None:
    """Refuse a list that the holder of this key did not sign."""
    if not signature:
        raise error("restore-signature/none", file=archive)
    key, _, made = signature.decode("ascii", "replace").strip().partition(" ")
    if key != signer:
        raise error("restore-signature/key", file=archive, key=printable(key, 60))
    if not is_signed(listed, made, signer):
        raise error("restore-signature", file=archive)


def _members(tar: tarfile.TarFile, archive: Path) -> Iterator[tuple[tarfile.TarInfo, Any]]:
    """Regular files with plain relative names; anything else is a fault of the archive."""
    for info in tar:
        parts = PurePosixPath(info.name).parts
        plain = not PurePosixPath(info.name).is_absolute() and ".." not in parts
        content = tar.extractfile(info) if info.isreg() and plain else None
        if content is None:
            raise error("restore-archive", file=archive)
        yield info, content


def _write(path: Path, info: tarfile.TarInfo, content: Any) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as out:
        while block := content.read(2**20):
            digest.update(block)
            out.write(block)
        out.flush()
        path.chmod(info.mode & 0o777)
    return digest.hexdigest()


def _move_into(source: Path, target: Path) -> None:
    """Move what is in a folder into another one."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")) if source.exists() else ():
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(place)
