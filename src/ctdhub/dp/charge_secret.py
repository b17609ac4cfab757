"""All randomness of one charge, as streams of one secret.

Belongs here: the streams.  Does not belong here: where the secret lies meanwhile (``pending``).

A charge that is cut off is finished with the bits that it would have drawn, so that nobody pays
twice for one answer and nobody gets two answers for one payment.  Each use has a stream of its own:
a key by HKDF with SHA-256 (RFC 5869) from the secret and the name of the use, and the key stream of
AES-256 in counter mode (NIST SP 800-38A) under that key, from counter 0.  A key serves one stream
alone, so that a counter never meets the same key twice.  Whoever knows the secret and the release
knows the exact counts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ctdhub.dp.noise import Bits

SIZE = 32
"""Bytes of a secret."""

_ABOUT = b"ctdhub stream of a charge 1: "


@dataclass(frozen=True)
class ChargeSecret:
    """The secret of one charge.

    Attributes:
        value: :data:`SIZE` bytes of the operating system.

    >>> one = ChargeSecret(bytes(32))
    >>> one.stream("people")(4) == one.stream("people")(4) != one.stream("sources")(4)
    True
    """

    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != SIZE:
            raise ValueError("the secret of a charge has another size")

    def __repr__(self) -> str:
        return "ChargeSecret(…)"

    @classmethod
    def fresh(cls) -> ChargeSecret:
        """A new one from the operating system."""
        return cls(os.urandom(SIZE))

    def stream(self, use: str) -> Bits:
        """The bits of one use, from their beginning.

        Args:
            use: its name; a name asked for twice gives the same bits twice.
        """
        key = HKDF(hashes.SHA256(), 32, None, _ABOUT + use.encode()).derive(self.value)
        drawing = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        return lambda size: drawing.update(bytes(size))
