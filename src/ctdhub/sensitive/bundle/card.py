"""The card of a hub: what a contributor needs to send it a bundle, signed by the hub's steward.

A card is public towards its contributor and holds no secret.  Its fingerprint is what contributor
and steward compare by telephone; the signature alone proves only that the card is whole, because
it carries the key that checks it.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ctdhub.core.errors import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.keys.signing import SigningKey, is_public_key, is_signed
from ctdhub.core.tables import canonical

KEY_SUFFIX = ".ctdhub-key"
_LONGEST, LONGEST_KEY = 4_000_000, 4_096


class CardAgreement(FrozenModel):
    """What contributor and hub agreed on, in the words of the agreement.

    Attributes:
        purpose, scope, legal_basis, consent_rule, retention, display_rule: as in the agreement.
        ends: its last day (ISO 8601), None without one.
    """

    purpose: str = ""
    scope: str = ""
    legal_basis: str = ""
    consent_rule: str = ""
    retention: str = ""
    display_rule: str = ""
    ends: str | None = None


class Signable(FrozenModel):
    """What somebody signs."""

    def message(self) -> bytes:
        """The bytes that are signed."""
        return canonical(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        """SHA-256 of :meth:`message`: what it is known by."""
        return hashlib.sha256(self.message()).hexdigest()


def grouped(code: str, between: str = " ") -> str:
    """Hexadecimal digits in groups of four, as people compare them."""
    return between.join(code[i : i + 4] for i in range(0, len(code), 4))


class HubCard(Signable):
    """What the steward signs.

    Attributes:
        kind: the form of the card.
        hub: name of the hub.
        invented: whether it is a practice hub.
        schema_version: version of the schema that the hub reads.
        years: first and last year of the hub's public bounds, both included.
        recipients: age recipients, to all of whom a bundle is encrypted.
        approvers: public keys of those who approve releases, by role.
        contributor, contributor_name, contributor_kind: whom the card is for.
        senders: public keys that the hub knows as this contributor's; a first card has none.
        agreement: what was agreed.
        mapping: text of the mapping that the hub holds, "" without one.
        date: day on which the card was made, UTC.
    """

    kind: Literal["ctdhub-card-1"] = "ctdhub-card-1"
    hub: str = Field(min_length=1, max_length=200)
    invented: bool = False
    schema_version: str = Field(max_length=20)
    years: tuple[int, int]
    recipients: tuple[str, ...] = Field(min_length=1, max_length=20)
    approvers: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    contributor: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    contributor_name: str = Field(min_length=1, max_length=200)
    contributor_kind: str = Field(max_length=60)
    senders: tuple[str, ...] = ()
    agreement: CardAgreement = CardAgreement()
    mapping: str = Field(default="", max_length=2_000_000)
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")


class SignedCard(FrozenModel):
    """A card with the steward's key and signature.

    Attributes:
        card: what was signed.
        key: the steward's public key, ``ed25519:…``.
        signature: base64.
    """

    card: HubCard
    key: str
    signature: str

    @property
    def fingerprint(self) -> str:
        """What steward and contributor compare: 8 times 4 hexadecimal digits of SHA-256.

        It covers the steward's key too, so that a card that somebody else signed has another.
        """
        content = b"ctdhub card\0" + self.key.encode() + b"\0" + self.card.message()
        return grouped(hashlib.sha256(content).hexdigest()[:32])


def sign_card(card: HubCard, key: SigningKey) -> SignedCard:
    """The card, signed by the steward."""
    return SignedCard(card=card, key=key.public, signature=key.sign(card.message()))


def card_bytes(signed: SignedCard) -> bytes:
    """The file of a card: equal bytes for an equal card."""
    shown = json.dumps(signed.model_dump(mode="json"), sort_keys=True, indent=1, ensure_ascii=False)
    return shown.encode() + b"\n"


def parse_card(content: bytes, file: str = "") -> SignedCard:
    """The card in the bytes of a file.

    Raises:
        FileError: it is no card of a hub, or its signature does not hold (rules "card",
            "card-signature").
    """
    if len(content) > _LONGEST:
        raise error("card", file=file)
    try:
        signed = SignedCard.model_validate_json(content)
    except (ValidationError, RecursionError):
        raise error("card", file=file) from None
    if not is_public_key(signed.key) or not is_signed(
        signed.card.message(), signed.signature, signed.key
    ):
        raise error("card-signature", file=file)
    return signed


def read_card(path: Path) -> SignedCard:
    """The card in a file; raises as :func:`parse_card`."""
    with path.open("rb") as file:
        return parse_card(file.read(_LONGEST + 1), path.name)


# --------------------------------------------------------------------------------------------------
# The file of a sender's key: its public half, signed with the private one.
#
# So whoever hands it in holds the key, and nobody hands in that of another organisation.  Whose it
# is the hub learns by telephone.


class SenderStatement(Signable):
    """What a contributor signs about the key with which it signs bundles.

    Attributes:
        kind: the form of the statement.
        hub, contributor: as on the card of which it is made.
        key: public half, ``ed25519:…``.
    """

    kind: Literal["ctdhub-key-1"] = "ctdhub-key-1"
    hub: str = Field(min_length=1, max_length=200)
    contributor: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    key: str = Field(max_length=60)


class SignedSender(FrozenModel):
    """A statement, and its signature in base64."""

    statement: SenderStatement
    signature: str


def key_file(card: HubCard, key: SigningKey) -> bytes:
    """The file of a contributor's key for the hub of a card."""
    made = SenderStatement(hub=card.hub, contributor=card.contributor, key=key.public)
    signed = SignedSender(statement=made, signature=key.sign(made.message()))
    return json.dumps(signed.model_dump(mode="json"), indent=1).encode() + b"\n"


def parse_key_file(content: bytes) -> SenderStatement:
    """What is said in the file of a key.

    Raises:
        FileError: it is none, or it was not signed with the key that it names (rule "sender-key").
    """
    with suppress(ValidationError, RecursionError):
        signed = SignedSender.model_validate_json(content if len(content) <= LONGEST_KEY else b"")
        made = signed.statement
        if is_signed(made.message(), signed.signature, made.key):
            return made
    raise error("sender-key")
