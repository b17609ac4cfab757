"""A passkey in software, for tests: makes what a browser and a device make together."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from ctdhub.release.approvals import Mark
from ctdhub.release.passkey import Passkey

Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class SoftPasskey:
    """One device; every part of what it says can be told to be something else.

    Attributes:
        host: of the page that signs.
        flags: 1 a person was there, 4 and was verified, 8 may be copied, 16 was copied.
        extra: members of clientDataJSON that take the place of the usual ones.
        device_host: for which host the device signs, if not ``host``.
    """

    host: str = "sign.hub.example"
    private: Private = field(default_factory=ed25519.Ed25519PrivateKey.generate)
    flags: int = 5
    extra: dict[str, Any] = field(default_factory=dict)
    device_host: str = ""

    @property
    def public(self) -> str:
        return Passkey(self.host, self.private.public_key()).text

    def sign(self, message: bytes) -> Mark:
        told = {
            "type": "webauthn.get",
            "challenge": url(hashlib.sha256(message).digest()),
            "origin": f"https://{self.host}",
            "crossOrigin": False,
        } | self.extra
        client = json.dumps({k: v for k, v in told.items() if v is not None}).encode()
        device = hashlib.sha256((self.device_host or self.host).encode()).digest()
        device += bytes([self.flags]) + (1).to_bytes(4, "big")
        content = device + hashlib.sha256(client).digest()
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            made = self.private.sign(content)
        elif isinstance(self.private, rsa.RSAPrivateKey):
            made = self.private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        else:
            made = self.private.sign(content, ec.ECDSA(hashes.SHA256()))
        return Mark(
            key=self.public,
            signature=base64.b64encode(made).decode(),
            authenticator_data=url(device),
            client_data=url(client),
        )
