"""Ciphers between two parties of a round: a key in common, and sealed content.

Two parties agree on a secret by X25519 (RFC 7748) from one's private and the other's public key;
HKDF with SHA-256 (RFC 5869) makes of it a key for each purpose, bound to the round; content is
sealed by AES-256 in Galois counter mode (NIST SP 800-38D) with a random nonce of 96 bits.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ctdhub.dp.noise import Bits
from ctdhub.dp.secagg.masks import SEED

KEY, NONCE = 32, 12
"""Bytes of a key and of a nonce."""

Purpose = Literal["mask", "shares", "masked", "revealed"]


@dataclass(frozen=True)
class Secret:
    """The private key of one party in one round; it never shows itself.

    >>> a, b = Secret.new(), Secret.new()
    >>> a.agreed(b.public, b"round", "mask") == b.agreed(a.public, b"round", "mask")
    True
    """

    private: bytes = field(repr=False)

    @classmethod
    def new(cls, source: Bits = os.urandom) -> Secret:
        """A fresh key."""
        return cls(source(KEY))

    @property
    def _key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.private)

    @property
    def public(self) -> str:
        """The public half, base64."""
        return text(self._key.public_key().public_bytes_raw())

    def agreed(self, public: str, round_: bytes, purpose: Purpose) -> bytes:
        """The key for one purpose that only this party and the holder of ``public`` can know.

        Raises:
            ValueError: this is no public key.
        """
        shared = self._key.exchange(X25519PublicKey.from_public_bytes(data(public)))
        both = "|".join(sorted((self.public, public)))
        info = f"ctdhub count 2|{purpose}|{both}".encode()
        return HKDF(hashes.SHA256(), SEED, round_, info).derive(shared)


def seal(key: bytes, content: bytes, about: bytes, source: Bits = os.urandom) -> bytes:
    """Content that only holders of the key can read or make; ``about`` is bound to it."""
    nonce = source(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, about)


def unseal(key: bytes, sealed: bytes, about: bytes) -> bytes:
    """The content.

    Raises:
        ValueError: it was altered, is about something else, or another key sealed it.
    """
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], about)
    except InvalidTag:
        raise ValueError("sealed content was altered") from None


def text(content: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(content).decode()


def data(content: str) -> bytes:
    """Bytes from base64.

    Raises:
        ValueError: it is none.
    """
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        raise ValueError("this is no base64") from None
