"""The linkage key in an envelope that one contributor alone can open.

X25519 (RFC 7748) with a fresh pair for each envelope, HKDF-SHA256 (RFC 5869) over the shared
secret and both public halves, ChaCha20-Poly1305 (RFC 8439): the construction of HPKE's base mode
(RFC 9180), without its framing.  An envelope does not say who sent it: compare fingerprints.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ctdhub.core.errors import FileError, error
from ctdhub.core.keys import secret_files
from ctdhub.core.keys.linkage import SIZE, LinkageKey, checked

PREFIX = "x25519:"
WRAPPED = "CTDHUB WRAPPED LINKAGE KEY"


def make_pair(path: Path, passphrase: str = "") -> str:
    """Make a pair: the private half goes into a new file, the public half is given back.

    Raises:
        FileError: the file exists.
    """
    private = X25519PrivateKey.generate()
    secret_files.write_private(path, private, passphrase)
    return _public(private)


def public_half(path: Path, passphrase: str = "") -> str:
    """The public half of a private key: ``x25519:`` and 44 letters of base64.

    Raises:
        FileError: the file holds no such key, or the passphrase is wrong.
    """
    return _public(_private(path, passphrase))


def wrap(key: LinkageKey, to: str, out: Path) -> None:
    """Put the key into an envelope for the holder of a public half.

    Args:
        to: ``x25519:…``, or a file that holds it.

    Raises:
        FileError: ``to`` is no public half, or ``out`` exists.
    """
    theirs = _recipient(to)
    fresh = X25519PrivateKey.generate()
    ours = fresh.public_key().public_bytes_raw()
    nonce = os.urandom(12)
    try:
        box = ChaCha20Poly1305(_shared(fresh, theirs, ours, theirs))
    except ValueError:  # a point of low order: anybody could open the envelope
        raise error("public-key", file=None) from None
    fields: dict[str, str | bytes] = {
        "generation": str(key.generation),
        "fingerprint": key.fingerprint,
        "to": PREFIX + secret_files.encode(theirs),
        "from": ours,
        "nonce": nonce,
        "sealed": box.encrypt(nonce, key.secret, _bound(str(key.generation))),
    }
    secret_files.write(out, WRAPPED, fields)


def unwrap(envelope: Path, own: Path, passphrase: str = "") -> LinkageKey:
    """Open an envelope with one's own private key.

    Raises:
        FileError: it is no envelope, is damaged or was changed, or is for somebody else.
    """
    label, fields = secret_files.read(envelope)
    if label != WRAPPED:
        raise secret_files.broken(envelope)
    private = _private(own, passphrase)
    ours = private.public_key().public_bytes_raw()
    theirs = secret_files.decode(fields.get("from", ""), envelope, 32)
    if fields.get("to") != _public(private):
        raise error("key-unreadable/recipient", file=envelope)
    nonce = secret_files.decode(fields.get("nonce", ""), envelope, 12)
    sealed = secret_files.decode(fields.get("sealed", ""), envelope, SIZE + 16)
    try:
        box = ChaCha20Poly1305(_shared(private, theirs, theirs, ours))
        secret = box.decrypt(nonce, sealed, _bound(fields.get("generation", "")))
    except (InvalidTag, ValueError):  # ValueError: a public half that leads to no secret
        raise secret_files.broken(envelope) from None
    return checked(envelope, secret, fields)


def is_envelope(path: Path) -> bool:
    """Whether a file is an envelope, whoever can open it."""
    return path.is_file() and secret_files.read(path)[0] == WRAPPED


def _bound(generation: str) -> bytes:
    return f"{WRAPPED}\0{generation}".encode()


def _shared(private: X25519PrivateKey, other: bytes, sender: bytes, receiver: bytes) -> bytes:
    secret = private.exchange(X25519PublicKey.from_public_bytes(other))
    info = b"ctdhub linkage key envelope" + sender + receiver
    return HKDF(hashes.SHA256(), 32, None, info).derive(secret)


def _public(private: X25519PrivateKey) -> str:
    return PREFIX + secret_files.encode(private.public_key().public_bytes_raw())


def _private(path: Path, passphrase: str) -> X25519PrivateKey:
    if not path.is_file():
        raise error("key-missing/receiving", file=path)
    private = secret_files.read_private(path, passphrase)
    if not isinstance(private, X25519PrivateKey):
        raise secret_files.broken(path)
    return private


def _recipient(to: str) -> bytes:
    """The public half that a text is, or that the file of that name holds."""
    file = None if to.startswith(PREFIX) or not Path(to).is_file() else Path(to)
    text = secret_files.start(file).decode("ascii", "replace").strip() if file else to
    if not text.startswith(PREFIX):
        raise error("public-key", file=file)
    try:
        return secret_files.decode(text.removeprefix(PREFIX), Path(to), 32)
    except FileError:  # it speaks of a file, which the text need not be
        raise error("public-key", file=file) from None
