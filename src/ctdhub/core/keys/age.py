"""Files that only the holder of a key can open, in the age format (age-encryption.org/v1).

A recipient is a public half (``age1…``), an identity a file with the private half, as
``age-keygen`` writes it.  age names no sender: who must be known signs inside.  What is opened has
its name only once its last byte was proven; until then it has a private name, and a flipped byte or
a cut end leaves nothing behind.
"""

import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from ctdhub.core import files
from ctdhub.core.errors import error
from ctdhub.core.keys.secret_files import write_new

_LONGEST = 100_000
"""Bytes that are read of a file of keys."""


def make_identity(path: Path) -> str:
    """Make a pair: the identity goes into a new file, the recipient is given back.

    Raises:
        FileError: the file exists (rule "key-exists").
    """
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    write_new(path, f"# public key: {recipient}\n{identity}\n".encode("ascii"))
    return recipient


def recipients_of(path: Path) -> tuple[str, ...]:
    """The recipients of the identities in a file.

    Raises:
        FileError: it holds no identity (rule "age-key").
    """
    return tuple(str(identity.to_public()) for identity in _identities([path]))


def read_recipients(path: Path) -> tuple[str, ...]:
    """The recipients in a file: one a line; blank lines and lines that begin with # are left out.

    Raises:
        FileError: it holds none, or something else (rule "age-key").
    """
    lines = tuple(_lines(path))
    if not lines:
        raise error("age-key/recipient", file=path)
    _recipients(lines, path)
    return lines


def write_recipients(path: Path, recipients: Sequence[str]) -> None:
    """Write or replace a file that :func:`read_recipients` reads; everybody may read it.

    Raises:
        FileError: one of them is no recipient, or there is none (rule "age-key").
    """
    _recipients(recipients, path)
    files.write_whole(path, "".join(f"{r}\n" for r in recipients).encode("ascii"), mode=0o644)


def encrypt(source: BinaryIO, target: BinaryIO, recipients: Sequence[str]) -> None:
    """Encrypt a stream to its end; any one of the recipients can open it.

    Neither stream is closed, and the target is not forced to disk.

    Raises:
        FileError: one of them is no recipient, or there is none (rule "age-key").
        OSError: a stream cannot be read or written; what was written is of no use.
    """
    keys = _recipients(recipients)
    try:
        pyrage.encrypt_io(source, target, keys)
    except pyrage.EncryptError as cause:
        raise OSError(str(cause)) from None


def decrypt(source: BinaryIO, path: Path, identities: Sequence[Path]) -> None:
    """Open a stream into a file, which is whole and proven, or not there.

    A killed run leaves a part under a private name (0600) that ``atomic.sweep`` deletes.

    Args:
        path: the file, for its owner alone and forced to disk; one that is there is replaced.
        identities: files; one that fits is enough.

    Raises:
        FileError: it is damaged, cut off or no age file (rule "age-unreadable"), or for others
            (rule "age-unreadable/recipient"); or a file holds no identity (rule "age-key").
        OSError: the file cannot be written.
    """
    keys = _identities(identities)
    fresh = path.with_name(f"{files.WRITING}{path.name}-{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            _open(source, out, keys, path)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
    files.sync(path.parent)


def _open(source: BinaryIO, target: BinaryIO, keys: list[Any], named: Path) -> None:
    try:
        pyrage.decrypt_io(source, target, keys)
    except pyrage.DecryptError as cause:
        other = "No matching keys" in str(cause)
        raise error("age-unreadable/recipient" if other else "age-unreadable", file=named) from None
    except OSError as cause:
        if cause.errno is not None:  # the disk's word, not the cipher's
            raise
        raise error("age-unreadable", file=named) from None


def _recipients(texts: Sequence[str], file: Path | None = None) -> list[Any]:
    try:
        keys = [pyrage.x25519.Recipient.from_str(text) for text in texts]
    except pyrage.RecipientError:
        keys = []
    if not keys:
        raise error("age-key/recipient", file=file)
    return keys


def _identities(files: Iterable[Path]) -> list[Any]:
    identities = []
    for file in files:
        try:
            keys = [pyrage.x25519.Identity.from_str(line) for line in _lines(file)]
        except pyrage.IdentityError:
            keys = []
        if not keys:
            raise error("age-key", file=file)
        identities += keys
    return identities


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:
            text = opened.read(_LONGEST).decode("ascii", "replace")
    except FileNotFoundError:
        raise error("age-key", file=file) from None
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
