"""The linkage key and its file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ctdhub.core.errors import error
from ctdhub.core.keys import secret_files

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


def new_key() -> LinkageKey:
    """A new key of random bytes of the operating system."""
    return LinkageKey(os.urandom(SIZE))


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
        secret_files.write(path, OPEN, {**fields, "key": key.secret})
        return
    salt, nonce = os.urandom(16), os.urandom(12)
    cipher = ChaCha20Poly1305(_stretched(passphrase, salt))
    sealed = cipher.encrypt(nonce, key.secret, LOCKED.encode())
    content = {"salt": salt, "nonce": nonce, "sealed": sealed}
    secret_files.write(path, LOCKED, {**fields, **content})


def read_linkage_key(path: Path, passphrase: str = "") -> LinkageKey:
    """Read a key that :func:`write_linkage_key` wrote.

    Raises:
        FileError: there is no such file, it holds no linkage key or a damaged one, or the
            passphrase is wrong.
    """
    label, fields = secret_files.read(path)
    if label == OPEN:
        secret = secret_files.decode(fields.get("key", ""), path, SIZE)
    elif label == LOCKED:
        salt, nonce, sealed = (
            secret_files.decode(fields.get(name, ""), path, size)
            for name, size in (("salt", 16), ("nonce", 12), ("sealed", SIZE + 16))
        )
        try:
            cipher = ChaCha20Poly1305(_stretched(passphrase, salt))
            secret = cipher.decrypt(nonce, sealed, LOCKED.encode())
        except InvalidTag:
            raise secret_files.broken(path) from None
    else:
        raise secret_files.broken(path)
    return checked(path, secret, fields)


def checked(path: Path, secret: bytes, fields: dict[str, str]) -> LinkageKey:
    """The key, if generation and fingerprint of the fields are its own.

    Raises:
        FileError: they are not.
    """
    generation = fields.get("generation", "")
    if not (generation.isascii() and generation.isdigit() and 0 < int(generation[:9]) < 1_000_000):
        raise secret_files.broken(path)
    key = LinkageKey(secret, int(generation))
    if key.fingerprint != fields.get("fingerprint"):
        raise secret_files.broken(path)
    return key


def filling_secret(key: Path) -> bytes:
    """The contributor's own 32 bytes beside its linkage key, made where there are none.

    From these come the tokens that fill up rows: with them a file that is made again is the same.
    They go to nobody.  Where nothing can be written there, they are new each time.
    """
    path = key.with_name(f"{key.name}.filling")
    try:
        if path.is_file() and len(content := path.read_bytes()) == SIZE:
            return content
        fresh = os.urandom(SIZE)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
    except OSError:
        return os.urandom(SIZE)
    return fresh


def is_linkage_key(path: Path) -> bool:
    """Whether a file is a linkage key, locked or open."""
    return path.is_file() and secret_files.read(path)[0] in (OPEN, LOCKED)


def is_locked(path: Path) -> bool:
    """Whether a key file asks for a passphrase; false where there is no file."""
    return path.is_file() and secret_files.read(path)[0] == LOCKED


def stated_fingerprint(path: Path) -> str:
    """The fingerprint that a key file states, locked or open; empty where it states none."""
    return secret_files.read(path)[1].get("fingerprint", "")


def holds_secret(path: Path) -> bool:
    """Whether a file, whatever its name, begins with a linkage key or a share of one."""
    start = secret_files.start(path).replace(b"\0", b"")  # as UTF-16 too
    return any(mark in start for mark in _MARKS)


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode())


# --------------------------------------------------------------------------------------------------
# A secret in n shares: any k of them give it back, fewer say nothing of it at all.
#
# Each byte of the secret is the value at 0 of a polynomial of degree k - 1 whose other coefficients
# are random; the share of place x holds its values at x (Shamir, *How to share a secret*, 1979).
# For any k - 1 places and any secret there is exactly one polynomial through them, so that k - 1
# shares are uniform whatever the secret is.  The field is that of AES: polynomials over two
# elements modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, section 4), in which 3 generates all others.

MOST = 255
"""Places of the field other than 0."""

_MODULUS = 0x11B
# A sum of a round joins hundreds of seeds, each by a thousand products: by logarithms.
_POWERS = [1]
while len(_POWERS) < 510:
    _POWERS.append(_POWERS[-1] ^ _POWERS[-1] << 1 ^ _MODULUS * (_POWERS[-1] >> 7))
_LOGS = {power: exponent for exponent, power in enumerate(_POWERS[:255])}


class Share(NamedTuple):
    """One share: its place, from 1 to 255, and as many bytes as the secret has."""

    place: int
    content: bytes


def split(
    secret: bytes, shares: int, needed: int, source: Callable[[int], bytes] = os.urandom
) -> list[Share]:
    """Shares of a secret, at the places 1 to ``shares``.

    Args:
        secret: any number of bytes.
        shares: how many shares, 1 to 255.
        needed: how many give the secret back, 1 to ``shares``.
        source: random bytes; the operating system's in the product.

    Raises:
        ValueError: a number is out of range.

    >>> parts = split(b"secret", 5, 3)
    >>> join(parts[1:4], 3)
    b'secret'
    """
    if not 1 <= needed <= shares <= MOST:
        raise ValueError("numbers of shares are out of range")
    rest = [source(len(secret)) for _ in range(needed - 1)]
    coefficients = [secret, *rest]
    parts = []
    for place in range(1, shares + 1):
        content = bytes(len(secret))
        for coefficient in reversed(coefficients):  # Horner's rule
            content = bytes(
                _times(value, place) ^ c for value, c in zip(content, coefficient, strict=True)
            )
        parts.append(Share(place, content))
    return parts


def join(shares: Sequence[Share], needed: int) -> bytes:
    """The secret, from the first ``needed`` of some shares (Lagrange's formula at 0).

    Shares of another secret, or too small a ``needed``, give other bytes and no error: whoever
    must know keeps a hash of the secret.

    Raises:
        ValueError: there are fewer shares, of unequal length, or two of one place.
    """
    used = list(shares)[:needed]
    places = [share.place for share in used]
    if needed < 1 or len(used) < needed or len(set(places)) < needed:
        raise ValueError("too few shares, or two of one place")
    if len({len(share.content) for share in used}) > 1 or not all(0 < p <= MOST for p in places):
        raise ValueError("shares do not belong together")
    secret = bytes(len(used[0].content))
    for share in used:
        weight = 1
        for other in places:
            if other != share.place:
                weight = _times(weight, _divided(other, other ^ share.place))
        secret = bytes(
            s ^ _times(value, weight) for s, value in zip(secret, share.content, strict=True)
        )
    return secret


def _times(a: int, b: int) -> int:
    return _POWERS[_LOGS[a] + _LOGS[b]] if a and b else 0


def _divided(a: int, b: int) -> int:
    return _POWERS[_LOGS[a] + 255 - _LOGS[b]] if a else 0


# --------------------------------------------------------------------------------------------------
# The linkage key in shares: any k of n give it back, fewer say nothing about it.


def split_files(key: LinkageKey, need: int, shares: int, folder: Path) -> tuple[Path, ...]:
    """Write one file per share into a folder, which is made if it is not there.

    Raises:
        FileError: need or shares are out of range, or a file exists.
    """
    if not 2 <= need <= shares <= MOST:
        raise error("shares")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = []
    for number, share in split(key.secret, shares, need):
        paths.append(folder / f"share-{number}-of-{shares}.key")
        secret_files.write(
            paths[-1],
            SHARE,
            {
                "note": f"any {need} of {shares} shares give the key; a hub never holds one",
                "generation": str(key.generation),
                "fingerprint": key.fingerprint,
                "need": str(need),
                "number": str(number),
                "share": share,
            },
        )
    return tuple(paths)


def join_files(paths: Sequence[Path]) -> LinkageKey:
    """The key out of files of shares.

    Raises:
        FileError: a file is no share or is damaged, shares belong to different keys, or they are
            too few.
    """
    points: dict[int, bytes] = {}
    seen: dict[str, str] = {}
    for path in paths:
        label, fields = secret_files.read(path)
        number = fields.get("number", "")
        if label != SHARE or not _number(number):
            raise secret_files.broken(path)
        same = {name: fields.get(name, "") for name in ("generation", "fingerprint", "need")}
        seen = seen or same
        if same != seen:
            raise error("key-unreadable/different-keys", file=path)
        if not 1 <= int(number) <= MOST:
            raise secret_files.broken(path)
        points[int(number)] = secret_files.decode(fields.get("share", ""), path, SIZE)
    need = seen.get("need", "")
    if not _number(need) or not 2 <= int(need) <= len(points):
        raise error("shares/too-few", need=need or "2")
    shares = [Share(number, content) for number, content in points.items()]
    return checked(paths[0], join(shares, int(need)), seen)


def _number(text: str) -> bool:
    """Whether a text is a whole number of at most three digits."""
    return text.isascii() and text.isdigit() and len(text) < 4
