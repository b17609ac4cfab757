"""Signing keys of those who approve releases: Ed25519 (RFC 8032), private half in a PEM file."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ctdhub.core.errors import error
from ctdhub.core.keys import secret_files

PREFIX = "ed25519:"
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


@dataclass(frozen=True)
class SigningKey:
    """The private half of a key; it never shows itself."""

    _private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The public half as it stands in hub.yaml: ``ed25519:`` and 44 letters of base64."""
        return PREFIX + base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def sign(self, message: bytes) -> str:
        """The signature of a message, base64."""
        return base64.b64encode(self._private.sign(message)).decode()


def make_key(path: Path, passphrase: str = "") -> SigningKey:
    """Make a key and write it to a new file that its owner alone can read.

    Args:
        path: a file that does not exist yet.
        passphrase: encrypts the file; without it the file lies open.

    Raises:
        FileError: the file exists; a key is never overwritten.
    """
    private = Ed25519PrivateKey.generate()
    secret_files.write_private(path, private, passphrase)
    return SigningKey(private)


def is_encrypted(path: Path) -> bool:
    """Whether a key file asks for a passphrase; false where there is no file."""
    return path.is_file() and _ENCRYPTED in secret_files.start(path)


def read_key(path: Path, passphrase: str = "") -> SigningKey:
    """Read a key that :func:`make_key` wrote.

    Raises:
        FileError: there is no such file, it holds no Ed25519 key, or the passphrase is wrong.
    """
    if not path.is_file():
        raise error("key-missing", file=path)
    private = secret_files.read_private(path, passphrase)
    if not isinstance(private, Ed25519PrivateKey):
        raise error("key-unreadable/private", file=path)
    return SigningKey(private)


def is_public_key(text: str) -> bool:
    """Whether a text is a public key, in the one spelling that it has.

    >>> is_public_key("ed25519:" + "A" * 43 + "=")
    True
    >>> is_public_key("ed25519:" + "A" * 42 + "B=")
    False
    """
    raw = _decoded(text.removeprefix(PREFIX))
    return len(raw) == 32 and text == PREFIX + base64.b64encode(raw).decode()


def is_signed(message: bytes, signature: str, public: str) -> bool:
    """Whether the holder of a public key signed exactly this message."""
    if not is_public_key(public):
        return False
    key = Ed25519PublicKey.from_public_bytes(_decoded(public.removeprefix(PREFIX)))
    try:
        key.verify(_decoded(signature), message)
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
