"""The two people without whom nothing is published: their keys, and what a key has signed.

A key is an Ed25519 key (``ed25519:…``, whose private half is a file) or a passkey
(``passkey:…``, whose private half is on a device; see :mod:`ctdhub.release.passkey`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text
from ctdhub.core.keys.signing import PREFIX, SigningKey, is_public_key, is_signed
from ctdhub.release.passkey import (
    FAULTS,
    LONGEST,
    DeviceRules,
    Passkey,
    can_sync,
    fault,
    is_passkey,
)

Role = Literal["steward", "privacy_officer"]
ROLES: tuple[Role, ...] = get_args(Role)
ROLE_NAMES: Mapping[Role, Text] = {
    "steward": Text("steward"),
    "privacy_officer": Text("privacy officer"),
}
"""Roles as people say them."""
HASH = r"^[0-9a-f]{64}$"
Keys = str | tuple[str, str]
"""One key, or those of two devices of one person."""


class FormerKey(FrozenModel):
    """A key that signs no more.

    Attributes:
        key: the key.
        until: hash of the last line of the ledger that a statement of this key may name; for a
            device that was lost.
        statements: SHA-256 of each statement of this key that stays valid; for a device that was
            stolen, since a thief can write an old date.
    """

    key: str
    until: str | None = Field(default=None, pattern=HASH)
    statements: tuple[str, ...] | None = Field(default=None, max_length=1000)


class Approvers(FrozenModel):
    """``approvers`` of hub.yaml: the public keys of the two people who must agree.

    Attributes:
        steward, privacy_officer: one key, or two of one person; no key is in both roles.
        former: keys that signed earlier releases and sign no more.
        devices: ``bound`` refuses passkeys that can be copied to another device.
        rs256: whether RSA passkeys are accepted.
    """

    steward: Keys
    privacy_officer: Keys
    former: tuple[str | FormerKey, ...] = Field(default=(), max_length=50)
    devices: Literal["any", "bound"] = "any"
    rs256: bool = False

    @model_validator(mode="after")
    def _check(self) -> Approvers:
        mine = (*self.keys("steward"), *self.keys("privacy_officer"))
        if not all(map(is_key, (*mine, *(f.key for f in self.gone)))):
            raise PydanticCustomError("public_key", "not a public key")
        if len(set(map(identity, mine))) < len(mine):
            raise PydanticCustomError("same_key", "the same key twice")
        return self

    def keys(self, role: Role) -> tuple[str, ...]:
        """The keys that a role signs with today."""
        found = self.steward if role == "steward" else self.privacy_officer
        return (found,) if isinstance(found, str) else found

    @property
    def gone(self) -> tuple[FormerKey, ...]:
        """Keys that sign no more."""
        return tuple(FormerKey(key=f) if isinstance(f, str) else f for f in self.former)

    def count(
        self,
        role: Role,
        key: str,
        message: bytes,
        line: str = "",
        lines: Mapping[str, int] | None = None,
    ) -> bool:
        """Whether a statement that a key signed in a role counts.

        Args:
            message: what was signed.
            line: hash of the line of the ledger that the statement names, empty for none.
            lines: number of each line of the ledger by its hash; None where the ledger is not at
                hand, so that ``until`` is not looked at.
        """
        if key in self.keys(role):
            return True
        for old in self.gone:
            if old.key != key:
                continue
            kept = old.statements is None or hashlib.sha256(message).hexdigest() in old.statements
            if old.until is None or lines is None or not line:
                return kept
            return kept and lines.get(line, 2**62) <= lines.get(old.until, 0)
        return False

    def rules(self, practice: bool) -> DeviceRules:
        """Which passkeys are accepted."""
        return DeviceRules(bound=self.devices == "bound", rs256=self.rs256, practice=practice)


class Mark(FrozenModel):
    """A signature and the key that it is to be checked with.

    Attributes:
        key: public, as in hub.yaml.
        signature: base64.
        authenticator_data, client_data: of a passkey, as received: base64url.
    """

    key: str = Field(max_length=LONGEST)
    signature: str = Field(max_length=LONGEST)
    authenticator_data: str | None = Field(default=None, max_length=LONGEST)
    client_data: str | None = Field(default=None, max_length=LONGEST)

    @classmethod
    def of(cls, message: bytes, key: SigningKey) -> Mark:
        """The signature of a message by an Ed25519 key."""
        return cls(key=key.public, signature=key.sign(message))

    def fault(self, message: bytes, rules: DeviceRules, role: Role) -> Text | None:
        """What is wrong with it as a signature of a message; None where it holds.

        Args:
            rules: which passkeys are accepted.
            role: as what the person signed, for the text.
        """
        if not self.key.startswith(PREFIX):
            parts = (self.authenticator_data or "", self.client_data or "")
            met = fault(message, self.key, self.signature, *parts, rules)
            if met is None:
                return None
            name = ROLE_NAMES[role]
            return Text("The passkey of the {role}: {fault}", role=name, fault=FAULTS[met])
        mine = self.authenticator_data is None and self.client_data is None
        if mine and is_signed(message, self.signature, self.key):
            return None
        return Text("The signature of the {role} is not valid.", role=ROLE_NAMES[role])

    @property
    def synced(self) -> bool:
        """Whether the device said that its passkey can be copied to other devices."""
        return can_sync(self.authenticator_data or "")


def is_key(text: str) -> bool:
    """Whether a text is a public key of either kind."""
    return is_public_key(text) or is_passkey(text)


def identity(key: str) -> bytes:
    """What tells two keys apart, however they are written: a key in two spellings is one key."""
    if is_public_key(key):
        return b"ed25519" + base64.b64decode(key.removeprefix(PREFIX))
    if (passkey := Passkey.read(key)) is None:
        return key.encode()
    der = passkey.der
    return b"ed25519" + der[-32:] if der[:12] == _ED25519_DER else der


_ED25519_DER = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410)."""


def fingerprint(key: str) -> str:
    """Sixteen digits of the key's SHA-256, to be read aloud."""
    digits = hashlib.sha256(key.encode()).hexdigest()[:16]
    return " ".join(digits[i : i + 4] for i in range(0, 16, 4))
