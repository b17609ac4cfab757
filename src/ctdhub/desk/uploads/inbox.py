"""The inbox and the drawer of papers: ciphertext in parts, which the process that takes it cannot
open.
"""

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ctdhub.core import files
from ctdhub.core.errors import error
from ctdhub.core.keys import age
from ctdhub.core.tables import ENDINGS

# --------------------------------------------------------------------------------------------------
# The inbox: what was sent, as ciphertext in parts, which the process that takes it cannot open.
#
# One folder for each delivery, named by its key; a part's name is its place and the beginning of
# the SHA-256 of its ciphertext, so that two that were sent for one place do not meet.  A part is on
# the disk before a row says so: a kill leaves a part that no row names, and which nobody reads.

RECIPIENTS = "recipients.txt"
ROOM = ".room"
"""Folder of what is kept free for each organisation; the worker makes it in its rounds."""

_FOLDER, _FILE = 0o770, 0o660
"""The web process puts parts in and the worker takes them out: two users of one group."""


@dataclass(frozen=True)
class StoredPart:
    """Where a part of a delivery is: ``offset`` of its plain text, SHA-256 of its ciphertext."""

    offset: int
    sha256: str

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{self.offset:015d}-{self.sha256[:16]}.age"


def sealed(plain: bytes, recipients_file: Path) -> bytes:
    """Bytes encrypted to whom the worker named in a file.

    Raises:
        FileError: it has named nobody yet (rule "inbox-closed").
    """
    if not recipients_file.is_file():
        raise error("inbox-closed")
    out = io.BytesIO()
    age.encrypt(io.BytesIO(plain), out, age.read_recipients(recipients_file))
    return out.getvalue()


def checked_key(key: str) -> str:
    """The key of a row as part of a path: 32 hexadecimal digits.

    Raises:
        ValueError: it is anything else, and so no place.
    """
    if len(key) != 32 or not set(key) <= set("0123456789abcdef"):
        raise ValueError("no key of a row")
    return key


class SealedFolder:
    """A folder of ciphertext.

    Args:
        folder: made where there is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _make(folder)

    @property
    def recipients_file(self) -> Path:
        """Whom files are encrypted to; the worker writes it, and no private half is near it."""
        return self.folder / RECIPIENTS


class Inbox(SealedFolder):
    """The folder of all parts."""

    def keep(self, delivery: str, offset: int, plain: bytes) -> StoredPart:
        """Encrypt a part and force it to the disk; no row names it yet.

        Raises:
            FileError: the worker has not said yet to whom to encrypt (rule "inbox-closed").
            OSError: the disk is full, or refuses.
        """
        content = sealed(plain, self.recipients_file)
        part = StoredPart(offset, hashlib.sha256(content).hexdigest())
        place = self.place(delivery)
        _make(place)
        try:
            files.write_new(place / part.name, content, _FILE)
        except OSError:
            (place / part.name).unlink(missing_ok=True)  # what fitted would take the rest
            raise
        files.sync(place)
        return part

    def place(self, delivery: str) -> Path:
        """The folder of a delivery's parts.

        Args:
            delivery: its key, 32 hexadecimal digits; anything else is no place.
        """
        return self.folder / checked_key(delivery)

    def drop(self, delivery: str, part: StoredPart) -> None:
        """Delete a part that came too late."""
        (self.place(delivery) / part.name).unlink(missing_ok=True)

    def destroy(self, delivery: str) -> None:
        """Delete all parts of a delivery; nothing happens where there are none."""
        place = self.place(delivery)
        if place.is_dir():
            shutil.rmtree(place)
            files.sync(self.folder)

    def keys(self) -> Iterator[str]:
        """Keys of deliveries that have a folder here."""
        for place in sorted(self.folder.iterdir()):
            if place.is_dir() and not place.name.startswith("."):
                yield place.name

    # Room on the disk that is kept for each organisation, whatever others send.

    def reserve(self, organisation: str, size: int) -> None:
        """Keep so much room on the disk for an organisation; what it has more is given back.

        Raises:
            OSError: the disk has not so much room; what is there stays.
        """
        file = self._room(organisation)
        _make(file.parent)
        handle = os.open(file, os.O_RDWR | os.O_CREAT, _FILE)
        try:
            if os.fstat(handle).st_uid == os.geteuid():
                os.fchmod(handle, _FILE)  # whatever the umask: the web process uses the room up
            room = os.fstat(handle).st_size
            if room > size:
                os.truncate(handle, size)
            elif room < size and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, room, size - room)
        finally:
            os.close(handle)

    def room(self, organisation: str) -> int | None:
        """Bytes that are kept for an organisation; None where nothing is kept for anybody."""
        try:
            return self._room(organisation).stat().st_size
        except FileNotFoundError:
            return None

    def use(self, organisation: str, size: int) -> None:
        """Give so much of an organisation's room to what it just sent."""
        file = self._room(organisation)
        room = self.room(organisation)
        if room:
            os.truncate(file, max(0, room - size))

    def _room(self, organisation: str) -> Path:
        return self.folder / ROOM / organisation


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(_FOLDER)  # whatever the umask


# --------------------------------------------------------------------------------------------------
# The drawer of signed papers: each a file of ciphertext by its key, which the web cannot open.
#
# They lie beside the inbox, encrypted to an identity of their own that is never destroyed.

_DRAWER_FOLDER = ".papers"


class PaperDrawer(SealedFolder):
    """The folder of papers.

    Args:
        inbox: the folder of the inbox, in which it is.
    """

    def __init__(self, inbox: Path) -> None:
        super().__init__(inbox / _DRAWER_FOLDER)

    def place(self, key: str) -> Path:
        """The file of a paper.

        Args:
            key: of its row, 32 hexadecimal digits; anything else is no place.
        """
        return self.folder / f"{checked_key(key)}.age"

    def keep(self, key: str, plain: bytes) -> None:
        """Encrypt a paper and force it to the disk.

        Raises:
            FileError: the worker has not said yet to whom to encrypt (rule "inbox-closed").
            OSError: the disk is full, or refuses.
        """
        files.write_new(self.place(key), sealed(plain, self.recipients_file), _FILE)
        files.sync(self.folder)

    def remove(self, key: str) -> None:
        """Delete a paper; nothing happens where there is none."""
        self.place(key).unlink(missing_ok=True)
        files.sync(self.folder)


# --------------------------------------------------------------------------------------------------
# What a file may be called by its ending: all that is kept of its name.

BUNDLE = "ctdbundle"
KINDS = (BUNDLE, *(ending[1:] for known in ENDINGS.values() for ending in known))


def kind_of(name: str) -> str | None:
    r"""The kind of a file by its name or its ending; None where it is none that can be read.

    >>> kind_of("C:\\cases\\Liste 2026.XLSX"), kind_of("csv"), kind_of("../../etc/passwd")
    ('xlsx', 'csv', None)
    """
    ending = name.rpartition(".")[2].strip().lower()
    return ending if ending in KINDS else None


# --------------------------------------------------------------------------------------------------
# Where the file of a delivery is in the hub folder, by its key alone: no name that somebody gave.
#
# The web process says these places on to the workbench and cannot read them itself.


def table_name(key: str, kind: str) -> str:
    """Name of the table of a delivery: its key, and the ending that says how to read it."""
    return f"{key}.{'csv' if kind == BUNDLE else kind}"


def opened_folder(hub: Path, key: str) -> Path:
    """Where a delivery that is not accepted lies open: on the volume that case data may be on."""
    return hub / "work" / "desk" / key


def table_of(hub: Path, key: str, kind: str, organisation: str = "", day: str = "") -> Path:
    """The table of a delivery.

    Args:
        organisation, day: of one that is accepted.
    """
    name = table_name(key, kind)
    if day:
        return hub / "contributions" / organisation / day / name
    return opened_folder(hub, key) / name
