"""A bundle: written, signed and encrypted; opened, and refused by name where it is not what was
sent.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from ctdhub.core.errors import error
from ctdhub.core.files import made_whole
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.keys.signing import SigningKey, is_public_key, is_signed
from ctdhub.core.tables import canonical

# --------------------------------------------------------------------------------------------------
# The card of a hub: what a contributor needs to send it a bundle, signed by the hub's steward.
#
# A card is public towards its contributor and holds no secret.  Its fingerprint is what contributor
# and steward compare by telephone; the signature alone proves only that the card is whole, because
# it carries the key that checks it.


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


# --------------------------------------------------------------------------------------------------
# What a bundle holds, to the byte: the part that the contributor signs.

SUFFIX = ".ctdbundle"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MAPPING, REPORT = "mapping.yaml", "report.json"
DATA = "data/cases.csv"
"""The one name of the file of cases: names that people give to files may name persons."""

_HASH = r"^[0-9a-f]{64}$"


class BundledFile(FrozenModel):
    """A file of a bundle: its name in it, its SHA-256 and its size in bytes."""

    name: Literal["data/cases.csv", "mapping.yaml", "report.json"]
    sha256: str = Field(pattern=_HASH)
    size: int = Field(ge=0)

    @classmethod
    def of(cls, name: str, content: bytes) -> BundledFile:
        """The entry of a file."""
        return cls.model_validate(
            {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        )


class BundleManifest(Signable):
    """What the contributor signs.

    Attributes:
        kind: the form of the bundle.
        hub: name of the hub that it is for.
        recipients: age recipients that it was encrypted to, sorted; whoever opens it and passes it
            on to others cannot change them.
        contributor: id of the contributor.
        delivery: number of the delivery, counted by the contributor from 1.
        replaces: digest of the manifest of the bundle that this one takes the place of, or "".
        schema_version: version of the hub's schema that the mapping was made for.
        codes: fingerprint of the secret by which case numbers were made codes, "" without one;
            another one than before means that the people of both deliveries cannot be joined.
        files: the files, sorted by name.
        signer: public key of the contributor.
    """

    kind: Literal["ctdhub-bundle-1"] = "ctdhub-bundle-1"
    hub: str = Field(min_length=1, max_length=200)
    recipients: tuple[str, ...] = Field(min_length=1, max_length=20)
    contributor: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    delivery: int = Field(ge=1, le=10**6)
    replaces: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    schema_version: str = Field(max_length=20)
    codes: str = Field(default="", max_length=40)
    files: tuple[BundledFile, ...] = Field(min_length=3, max_length=3)
    signer: str


# --------------------------------------------------------------------------------------------------
# The tar inside a bundle: one spelling for the same files, so that equal input gives equal bytes.
#
# Reading takes no path from the archive.  It knows the names that a bundle has, and accepts an
# archive only where writing the same files again gives the same bytes: links, devices, further
# files, paths, times and anything that other programs would understand otherwise are refused so.

ORDER = (MANIFEST, SIGNATURE, DATA, MAPPING, REPORT)
"""All files of a bundle, in their order."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive of exactly the files in :data:`ORDER`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ORDER:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(files[name]), 0o600, 0
            archive.addfile(entry, io.BytesIO(files[name]))
    return out.getvalue()


def unpack(content: bytes, file: str = "") -> dict[str, bytes]:
    """The files of an archive by name.

    Raises:
        FileError: it is not the archive that :func:`pack` makes (rule "bundle-form").
    """
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for name in ORDER:
                entry = archive.next()
                if entry is None or entry.name != name or not entry.isreg():
                    raise error("bundle-form", file=file)
                inside = archive.extractfile(entry)
                files[name] = inside.read() if inside else b""
    except (tarfile.TarError, EOFError, ValueError, OverflowError):
        raise error("bundle-form", file=file) from None
    if pack(files) != content:
        raise error("bundle-form", file=file)
    return files


# --------------------------------------------------------------------------------------------------
# Write a bundle: sign what is in it, put it into an archive, encrypt that to the hub.


@dataclass(frozen=True)
class Packed:
    """A bundle before it is encrypted.  Sensitive.

    Attributes:
        manifest: what was signed.
        archive: the finished tar: the bytes that will be encrypted, and nothing else.
    """

    manifest: BundleManifest
    archive: bytes


def pack_bundle(
    card: HubCard,
    cases: bytes,
    mapping: str,
    report: Mapping[str, Any],
    key: SigningKey,
    *,
    delivery: int = 1,
    replaces: str = "",
    codes: str = "",
) -> Packed:
    """The signed archive of a bundle: equal bytes from equal input (RFC 8032 signs so).

    Args:
        card: of the hub that it is for.
        cases, mapping: see :class:`ctdhub.sensitive.bundle.leaving.WhatLeaves`.
        report: the contributor's own account: counts of its rows.
        key: the contributor's.
        delivery, replaces, codes: see :class:`BundleManifest`.
    """
    files = {DATA: cases, MAPPING: mapping.encode(), REPORT: canonical(dict(report))}
    manifest = BundleManifest(
        hub=card.hub,
        recipients=tuple(sorted(card.recipients)),
        contributor=card.contributor,
        delivery=delivery,
        replaces=replaces,
        schema_version=card.schema_version,
        codes=codes,
        files=tuple(BundledFile.of(name, files[name]) for name in sorted(files)),
        signer=key.public,
    )
    signed = manifest.message()
    head = {MANIFEST: signed, SIGNATURE: key.sign(signed).encode()}
    return Packed(manifest, pack(head | files))


def write_bundle(packed: Packed, out: Path) -> None:
    """Encrypt a packed bundle into a new file, for its owner alone.

    Raises:
        FileError: the file exists (rule "bundle-exists"), or a recipient is damaged.
    """
    from ctdhub.core.keys.age import encrypt

    if out.exists():
        raise error("bundle-exists", file=out)
    with made_whole(out) as fresh:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            encrypt(io.BytesIO(packed.archive), file, packed.manifest.recipients)
            file.flush()
            os.fsync(file.fileno())


# --------------------------------------------------------------------------------------------------
# Open a bundle: decrypt it, and refuse by name whatever is not exactly what a contributor signed.
#
# Nothing of a bundle gets a name of its own before every check has passed.

MOST_BYTES = 2**29
"""Size of a bundle that is opened, encrypted or not."""


@dataclass(frozen=True)
class OpenedBundle:
    """What a contributor signed, in memory.  Sensitive.

    Attributes:
        manifest: what it signed.
        cases: the file of cases, CSV in UTF-8.
        mapping: YAML that reads it.
        report: JSON of the contributor's own account.
    """

    manifest: BundleManifest
    cases: bytes
    mapping: bytes
    report: bytes


def open_bundle(path: Path, identities: Sequence[Path], private: Path) -> OpenedBundle:
    """Decrypt a bundle and check all that needs no knowledge of the hub.

    Args:
        identities: files of the hub's age identities.
        private: a folder on a disk where case data may be, in which the archive is for a moment.

    Raises:
        FileError: it is damaged, cut, for other identities (rule "age-unreadable"), too large, no
            bundle (rule "bundle-form"), or not what was signed (rule "bundle-signature").
    """
    from ctdhub.core.keys.age import decrypt

    if path.stat().st_size > MOST_BYTES:
        raise error("bundle-size", file=path, limit=MOST_BYTES // 2**20)
    with tempfile.TemporaryDirectory(dir=private, prefix=".opening-") as folder:
        archive = Path(folder) / "archive"
        with path.open("rb") as sealed:
            decrypt(sealed, archive, identities)
        if archive.stat().st_size > MOST_BYTES:
            raise error("bundle-size", file=path, limit=MOST_BYTES // 2**20)
        content = archive.read_bytes()
    return parse_bundle(content, path.name)


def parse_bundle(content: bytes, file: str = "") -> OpenedBundle:
    """The bundle in a decrypted archive; raises as :func:`open_bundle`."""
    files = unpack(content, file)
    try:
        manifest = BundleManifest.model_validate_json(files[MANIFEST])
    except (ValidationError, RecursionError):
        raise error("bundle-form", file=file) from None
    if manifest.message() != files[MANIFEST]:  # another spelling than the one that is signed
        raise error("bundle-form", file=file)
    signature = files[SIGNATURE].decode("ascii", "replace")
    if not is_signed(manifest.message(), signature, manifest.signer):
        raise error("bundle-signature", file=file)
    inside = (DATA, MAPPING, REPORT)
    if manifest.files != tuple(BundledFile.of(name, files[name]) for name in sorted(inside)):
        raise error("bundle-signature", file=file)
    return OpenedBundle(manifest, *(files[name] for name in inside))


def check_bundle(
    bundle: OpenedBundle,
    hub: str,
    recipients: Collection[str],
    senders: Collection[str],
    file: str = "",
) -> None:
    """Check that a bundle is for this hub, and from the contributor that it names.

    Args:
        hub: name of the hub.
        recipients: those on the hub's cards; of each other recipient somebody else holds the key.
        senders: public keys that the agreement with ``bundle.manifest.contributor`` names.

    Raises:
        FileError: it is for others too (rule "bundle-other-hub"), or signed with another key (rule
            "bundle-signer").
    """
    made = bundle.manifest
    if made.hub != hub or not set(made.recipients) <= set(recipients):
        raise error("bundle-other-hub", file=file)
    if made.signer not in senders:
        key, shown = made.signer, key_print(made.signer)
        raise error("bundle-signer", file=file, id=made.contributor, key=key, fingerprint=shown)


def key_print(public: str) -> str:
    """Fingerprint of a public key: 8 times 4 hexadecimal digits of SHA-256.

    >>> key_print("ed25519:AAAA")[:9]
    '6590 2467'
    """
    return grouped(hashlib.sha256(b"ctdhub key\0" + public.encode()).hexdigest()[:32])
