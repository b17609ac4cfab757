"""A signature by passkey (W3C Web Authentication), checked offline.

A key is one text: ``passkey:<rpId>:<base64>``, where ``rpId`` is the host of the page that signs
and the rest is the public key as DER (SubjectPublicKeyInfo).  The browser signs
``authenticatorData || SHA-256(clientDataJSON)``; both are kept as they were received.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from ctdhub.core.frozen import FrozenModel

PREFIX = "passkey:"
LONGEST = 4_000
"""Letters of each part of a signature, and of a key."""
_LABELS = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_PRESENT, _VERIFIED, _MAY_SYNC, _SYNCED = 1, 4, 8, 16
_SMALLEST_RSA = 2048

Fault = Literal[
    "parts", "key", "rs256", "client-data", "type", "challenge", "origin", "embedded",
    "authenticator", "host", "absent", "unverified", "flags", "synced", "signature",
]  # fmt: skip
"""What may be wrong with a signature by passkey, by name; ``passkey.words.yaml`` says it."""


@dataclass(frozen=True)
class Passkey:
    """A public key and the host that it is for."""

    host: str
    public: Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey

    @classmethod
    def read(cls, text: str) -> Passkey | None:
        """The key of a text in its one spelling; None where it is none of an accepted kind.

        >>> Passkey.read("passkey:sign.example.org:AAAA") is None
        True
        """
        head, _, code = text.removeprefix(PREFIX).partition(":")
        if not text.startswith(PREFIX) or len(text) > LONGEST or not _LABELS.fullmatch(head):
            return None
        try:
            der = base64.b64decode(code, validate=True)
            public = load_der_public_key(der)
        except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
            return None
        known = (
            isinstance(public, Ed25519PublicKey)
            or (isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1))
            or (isinstance(public, RSAPublicKey) and public.key_size >= _SMALLEST_RSA)
        )
        if not known or len(head) > 253:
            return None
        key = cls(head, public)  # type: ignore[arg-type]
        return key if key.text == text else None

    @property
    def der(self) -> bytes:
        """The key as DER."""
        return self.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def text(self) -> str:
        """The key as it is written in hub.yaml."""
        return f"{PREFIX}{self.host}:{base64.b64encode(self.der).decode()}"

    @property
    def is_rsa(self) -> bool:
        """Whether it signs by RS256."""
        return isinstance(self.public, RSAPublicKey)

    def signed(self, content: bytes, signature: bytes) -> bool:
        """Whether the key signed the bytes: Ed25519, ES256 or RS256."""
        try:
            if isinstance(self.public, Ed25519PublicKey):
                self.public.verify(signature, content)
            elif isinstance(self.public, EllipticCurvePublicKey):
                self.public.verify(signature, content, ECDSA(hashes.SHA256()))
            else:
                self.public.verify(signature, content, PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


class DeviceRules(FrozenModel):
    """Which devices a hub accepts.

    Attributes:
        bound: refuse passkeys that can be copied to another device.
        rs256: accept RSA keys, for older computers that offer nothing else.
        practice: the data are fictitious, so that a page on ``localhost`` may sign.
    """

    bound: bool = False
    rs256: bool = False
    practice: bool = False


def is_passkey(text: str) -> bool:
    """Whether a text is the public half of a passkey, in the one spelling that it has."""
    return Passkey.read(text) is not None


def fault(
    message: bytes,
    key: str,
    signature: str,
    authenticator_data: str,
    client_data: str,
    rules: DeviceRules = DeviceRules(),  # noqa: B008
) -> Fault | None:
    """What is wrong with a signature by passkey; None where it holds.

    Args:
        message: what was to be signed; its SHA-256 was the challenge.
        key: as in hub.yaml.
        signature: base64.
        authenticator_data, client_data: as received from the browser, base64url without padding.
        rules: see :class:`DeviceRules`.
    """
    if (passkey := Passkey.read(key)) is None:
        return "key"
    if passkey.is_rsa and not rules.rs256:
        return "rs256"
    signed, device, client = (_plain(signature), _url(authenticator_data), _url(client_data))
    if signed is None or device is None or client is None:
        return "parts"
    return (
        _client_fault(client, hashlib.sha256(message).digest(), passkey.host, rules.practice)
        or _device_fault(device, passkey.host, rules.bound)
        or (
            None
            if passkey.signed(device + hashlib.sha256(client).digest(), signed)
            else "signature"
        )
    )


def can_sync(authenticator_data: str) -> bool:
    """Whether the device says that the passkey can be copied to other devices."""
    device = _url(authenticator_data)
    return device is not None and len(device) > 32 and bool(device[32] & (_MAY_SYNC | _SYNCED))


def _client_fault(client: bytes, challenge: bytes, host: str, practice: bool) -> Fault | None:
    try:
        fields = json.loads(client.decode("utf-8"), object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return "client-data"
    if not isinstance(fields, dict):
        return "client-data"
    asked = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
    wrong: dict[Fault, bool] = {
        "type": fields.get("type") != "webauthn.get",
        "challenge": fields.get("challenge") != asked,
        "origin": not _is_origin(fields.get("origin"), host, practice),
        "embedded": fields.get("crossOrigin", False) is not False or "topOrigin" in fields,
    }
    return next((name for name, is_so in wrong.items() if is_so), None)


def _device_fault(device: bytes, host: str, bound: bool) -> Fault | None:
    if len(device) < 37:
        return "authenticator"
    flags = device[32]
    wrong: dict[Fault, bool] = {
        "host": device[:32] != hashlib.sha256(host.encode()).digest(),
        "absent": not flags & _PRESENT,
        "unverified": not flags & _VERIFIED,
        "flags": bool(flags & _SYNCED and not flags & _MAY_SYNC),
        "synced": bool(bound and flags & _MAY_SYNC),
    }
    return next((name for name, is_so in wrong.items() if is_so), None)


def _is_origin(origin: object, host: str, practice: bool) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        local = rf"http://{re.escape(host)}(:[0-9]{{1,5}})?"
        return practice and isinstance(origin, str) and re.fullmatch(local, origin) is not None
    return origin == f"https://{host}"


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _value in pairs}) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _plain(text: str) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True) if len(text) <= LONGEST else b""
    except (binascii.Error, ValueError):
        return None
    return raw if raw and base64.b64encode(raw).decode() == text else None


def _url(text: str) -> bytes | None:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text) or len(text) > LONGEST:
        return None
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) % 4 != 1 else b""
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text else None
