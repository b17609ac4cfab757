"""The linkage key and its file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ctdhub.core.keys import pem

SIZE = 32
OPEN, LOCKED = "CTDHUB LINKAGE KEY", "CTDHUB LOCKED LINKAGE KEY"
SHARE = "CTDHUB LINKAGE KEY SHARE"
_MARKS = tuple(f"-----BEGIN {label}-----".encode() for label in (OPEN, LOCKED, SHARE))
_SCRYPT = {"n": 2**17, "r": 8, "p": 1}
"""Cost of a passphrase: 128 MiB and about half a second (RFC 7914; the least that the OWASP
Password Storage Cheat Sheet asks for)."""


@dataclass(frozen=True)
class LinkageKey:
    """The secret that contributors share; it never shows itself.

    Attributes:
        generation: 1 for a new key, one more after each rotation.
    """

    _secret: bytes
    generation: int = 1

    def __post_init__(self) -> None:
        if len(self._secret) != SIZE or not 1 <= self.generation < 1_000_000:
            raise ValueError("a linkage key has 32 bytes and a generation from 1")

    def __repr__(self) -> str:
        return f"LinkageKey({self.fingerprint}, generation {self.generation})"

    @property
    def secret(self) -> bytes:
        """The 32 bytes."""
        return self._secret

    @property
    def fingerprint(self) -> str:
        """What two contributors compare to see that they hold the same key: 4 times 4 digits."""
        content = b"ctdhub linkage key" + self.generation.to_bytes(4, "big") + self._secret
        code = hashlib.sha256(content).hexdigest()[:16]
        return "-".join(code[i : i + 4] for i in range(0, 16, 4))

    def rotated(self) -> LinkageKey:
        """The next generation, the same for all who hold this one; there is no way back.

        Who steals the next key learns nothing about tokens of this one.  Who stole this one has
        the next one too: after a theft make a new key.
        """
        info = b"ctdhub linkage key rotation"
        following = HKDF(hashes.SHA256(), SIZE, None, info).derive(self._secret)
        return LinkageKey(following, self.generation + 1)


def new_key(source: Callable[[int], bytes] = os.urandom) -> LinkageKey:
    """A new key; ``source`` gives so many random bytes."""
    return LinkageKey(source(SIZE))


def write_linkage_key(path: Path, key: LinkageKey, passphrase: str = "") -> None:
    """Write the key to a new file that its owner alone can read.

    Args:
        passphrase: locks the file (scrypt, ChaCha20-Poly1305); without it the file lies open.

    Raises:
        FileError: the file exists.
    """
    fields = {
        "note": "for contributors only; a hub never holds it",
        "generation": str(key.generation),
        "fingerprint": key.fingerprint,
    }
    if not passphrase:
        pem.write(path, OPEN, {**fields, "key": pem.encode(key.secret)})
        return
    salt, nonce = os.urandom(16), os.urandom(12)
    cipher = ChaCha20Poly1305(_stretched(passphrase, salt))
    sealed = cipher.encrypt(nonce, key.secret, LOCKED.encode())
    content = {"salt": salt, "nonce": nonce, "sealed": sealed}
    pem.write(path, LOCKED, fields | {k: pem.encode(v) for k, v in content.items()})


def read_linkage_key(path: Path, passphrase: str = "") -> LinkageKey:
    """Read a key that :func:`write_linkage_key` wrote.

    Raises:
        FileError: there is no such file, it holds no linkage key or a damaged one, or the
            passphrase is wrong.
    """
    label, fields = pem.read(path)
    if label == OPEN:
        secret = pem.decode(fields.get("key", ""), path, SIZE)
    elif label == LOCKED:
        salt, nonce, sealed = (
            pem.decode(fields.get(name, ""), path, size)
            for name, size in (("salt", 16), ("nonce", 12), ("sealed", SIZE + 16))
        )
        try:
            cipher = ChaCha20Poly1305(_stretched(passphrase, salt))
            secret = cipher.decrypt(nonce, sealed, LOCKED.encode())
        except InvalidTag:
            raise pem.broken(path) from None
    else:
        raise pem.broken(path)
    return checked(path, secret, fields)


def checked(path: Path, secret: bytes, fields: dict[str, str]) -> LinkageKey:
    """The key, if generation and fingerprint of the fields are its own.

    Raises:
        FileError: they are not.
    """
    generation = fields.get("generation", "")
    if not (generation.isascii() and generation.isdigit() and 0 < int(generation[:9]) < 1_000_000):
        raise pem.broken(path)
    key = LinkageKey(secret, int(generation))
    if key.fingerprint != fields.get("fingerprint"):
        raise pem.broken(path)
    return key


def filling_secret(key: Path) -> bytes:
    """The contributor's own 32 bytes beside its linkage key, made where there are none.

    From these come the tokens that fill up rows: with them a file that is made again is the same.
    They go to nobody.  Where nothing can be written there, they are new each time.
    """
    path = key.with_name(f"{key.name}.filling")
    try:
        if path.is_file() and len(held := path.read_bytes()) == SIZE:
            return held
        fresh = os.urandom(SIZE)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
    except OSError:
        return os.urandom(SIZE)
    return fresh


def is_linkage_key(path: Path) -> bool:
    """Whether a file is a linkage key, locked or open."""
    return path.is_file() and pem.read(path)[0] in (OPEN, LOCKED)


def is_locked(path: Path) -> bool:
    """Whether a key file asks for a passphrase; false where there is no file."""
    return path.is_file() and pem.read(path)[0] == LOCKED


def stated_fingerprint(path: Path) -> str:
    """The fingerprint that a key file states, locked or open; empty where it states none."""
    return pem.read(path)[1].get("fingerprint", "")


def holds_secret(path: Path) -> bool:
    """Whether a file, whatever its name, begins with a linkage key or a share of one."""
    with path.open("rb") as file:
        start = file.read(pem.LONGEST).replace(b"\0", b"")  # as UTF-16 too
    return any(mark in start for mark in _MARKS)


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode())
