"""The inbox: what was sent, as ciphertext in parts, which the process that takes it cannot open.

One folder for each delivery, named by its key; a part's name is its place and the beginning of the
SHA-256 of its ciphertext, so that two that were sent for one place do not meet.  A part is on the
disk before a row says so: a kill leaves a part that no row names, and which nobody reads.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ctdhub.core import atomic
from ctdhub.core.error_catalogue import error
from ctdhub.core.keys import age

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


class Inbox:
    """The folder of all parts.

    Args:
        folder: made where there is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _make(folder)

    @property
    def recipients_file(self) -> Path:
        """Whom parts are encrypted to; the worker writes it, and no private half is near it."""
        return self.folder / RECIPIENTS

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
            atomic.write_new(place / part.name, content, _FILE)
        except OSError:
            (place / part.name).unlink(missing_ok=True)  # what fitted would take the rest
            raise
        atomic.sync(place)
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
            atomic.sync(self.folder)

    def held(self) -> Iterator[str]:
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
            held = os.fstat(handle).st_size
            if held > size:
                os.truncate(handle, size)
            elif held < size and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, held, size - held)
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
        held = self.room(organisation)
        if held:
            os.truncate(file, max(0, held - size))

    def _room(self, organisation: str) -> Path:
        return self.folder / ROOM / organisation


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(_FOLDER)  # whatever the umask
