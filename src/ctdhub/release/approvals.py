"""Approvals: two people, two keys, changes of keys, holds; one statement each about exactly these
files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from pydantic import Field, ValidationError, model_serializer, model_validator

from ctdhub.core.errors import InvalidSetting, error, printable
from ctdhub.core.files import rewrite, sweep
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text, joined, texts
from ctdhub.core.keys.signing import PREFIX, SigningKey, is_public_key, is_signed
from ctdhub.core.tables import canonical
from ctdhub.release.passkey import LONGEST, DeviceRules, Passkey, can_sync, fault, is_passkey

if TYPE_CHECKING:
    from ctdhub.release.manifest import Manifest


# --------------------------------------------------------------------------------------------------
# The two people without whom nothing is published: their keys, and what a key has signed.
#
# A key is an Ed25519 key (``ed25519:…``, whose private half is a file) or a passkey
# (``passkey:…``, whose private half is on a device; see :mod:`ctdhub.release.passkey`).

Role = Literal["steward", "privacy_officer"]
ROLES: tuple[Role, ...] = get_args(Role)
ROLE_NAMES: Mapping[Role, Text] = {
    "steward": Text("steward"),
    "privacy_officer": Text("privacy officer"),
}
"""Roles as people say them."""
NO_KEY = Text("this is not a key as `ctdhub key new` prints it")
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
            raise InvalidSetting(NO_KEY)
        if len(set(map(identity, mine))) < len(mine):
            raise InvalidSetting(Text("two people need two different keys"))
        return self

    def keys(self, role: Role) -> tuple[str, ...]:
        """The keys that a role signs with today."""
        keys = self.steward if role == "steward" else self.privacy_officer
        return (keys,) if isinstance(keys, str) else keys

    @property
    def all_keys(self) -> tuple[str, ...]:
        """Keys of both roles, former ones too."""
        return (*self.keys("steward"), *self.keys("privacy_officer"), *(f.key for f in self.gone))

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
            words = texts("ctdhub.release", "passkey")[met]
            return Text("The passkey of the {role}: {fault}", role=ROLE_NAMES[role], fault=words)
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


# --------------------------------------------------------------------------------------------------
# Approvals: two people, two keys, one statement each about exactly these files.
#
# A statement names the SHA-256 of ``SHA256SUMS``, and so every byte of the release, and the line of
# the ledger that paid for it, so that a ledger that is written anew contradicts it.

APPROVALS, CANDIDATES = "APPROVALS.json", "candidates"
_LONGEST_FILE = 100_000


PAYLOAD_TYPE = "application/vnd.ctdhub.statement+json"


class Signable(FrozenModel):
    """What a person signs."""

    @property
    def payload(self) -> bytes:
        """Itself as it is stored: JSON with sorted keys, no spaces, ASCII only."""
        return canonical(self.model_dump(exclude_none=True))

    def message(self) -> bytes:
        """The bytes that are signed; their SHA-256 is the challenge that a passkey signs.

        The pre-authentication encoding of DSSE 1.0 (Dead Simple Signing Envelope).
        """
        kind, payload = PAYLOAD_TYPE.encode(), self.payload
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


class Envelope(Mark):
    """A signed statement: in files a DSSE envelope, whose payload is stored as it was signed."""

    _content: ClassVar[str] = "statement"

    @model_validator(mode="before")
    @classmethod
    def _open(cls, envelope: Any) -> Any:
        if isinstance(envelope, dict) and isinstance(envelope.get(cls._content), Signable):
            return envelope
        try:
            return cls._opened(envelope)
        except (AttributeError, LookupError, TypeError):
            raise ValueError("no envelope") from None

    @classmethod
    def _opened(cls, envelope: Any) -> dict[str, Any]:
        if envelope.keys() != {"payloadType", "payload", "signatures"}:
            raise ValueError("an envelope has three parts")
        payload = base64.b64decode(envelope["payload"], validate=True)
        (signature,) = envelope["signatures"]
        content = json.loads(payload)
        spelt = base64.b64encode(payload).decode() == envelope["payload"]
        if envelope["payloadType"] != PAYLOAD_TYPE or not spelt or canonical(content) != payload:
            raise ValueError("another spelling than the one that is signed")
        texts = all(isinstance(text, str) for text in signature.values())
        if not texts or not signature.keys() <= set(_PARTS.values()):
            raise ValueError("a signature has four parts, all of them texts")
        parts = {name: signature[part] for name, part in _PARTS.items() if part in signature}
        return {cls._content: content, **parts}

    @model_serializer
    def _close(self) -> dict[str, Any]:
        signature = {part: text for name, part in _PARTS.items() if (text := getattr(self, name))}
        payload = getattr(self, self._content).payload
        return {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [signature],
        }


_PARTS = {
    "key": "keyid",
    "signature": "sig",
    "authenticator_data": "authenticatorData",
    "client_data": "clientDataJSON",
}
"""Parts of a signature in an envelope; the last two, of a passkey, are ours."""


class Promise(FrozenModel):
    """The guarantee that is approved."""

    epsilon: float
    delta: float


class LedgerHead(FrozenModel):
    """The line of the ledger that paid for the release; its hash follows from all lines before.

    It has no number: numbers of lines tell how many answers were never published.
    """

    hash: str = Field(pattern=HASH)


class Statement(Signable):
    """What one person signs.

    Attributes:
        kind: the form of the statement.
        hub, version, charge, guarantee: as in the manifest of the release.
        role: as what the person signs.
        digest: SHA-256 of ``SHA256SUMS``.
        ledger: see :class:`LedgerHead`.
        date: UTC, to the second.
        practice: whether the data are fictitious, so that no person need have looked.
        review: SHA-256 of what the hub showed beside the release and keeps to itself.
        not_before: first day (UTC) on which the release may be published, if that was said.
        changes: SHA-256 of note, generated changelog and alarms as the person was shown them.
        trail: hash of the last line of the desk's trail, where the hub has a desk.
        approvers: the keys of both people, to which the next release is held.
    """

    kind: Literal["ctdhub-approval-3"] = "ctdhub-approval-3"
    hub: str
    version: str
    role: Role
    digest: str = Field(pattern=HASH)
    charge: str
    guarantee: Promise
    ledger: LedgerHead
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    practice: bool
    review: str | None = Field(default=None, pattern=HASH)
    not_before: str | None = Field(default=None, pattern=r"^\d{4}-\d\d-\d\d$")
    changes: str = Field(pattern=HASH)
    trail: str | None = Field(default=None, pattern=HASH)
    approvers: Approvers | None = None

    @model_validator(mode="after")
    def _check(self) -> Statement:
        if self.not_before is not None:
            date.fromisoformat(self.not_before)
        return self

    @classmethod
    def about(
        cls, manifest: Manifest, digest: str, role: Role, ledger: LedgerHead, date: str, **more: Any
    ) -> Statement:
        """The statement of a role about a release.

        Args:
            more: fields that do not follow from the release.
        """
        return cls(
            role=role,
            ledger=ledger,
            date=date,
            **_of_release(manifest, digest),
            **more,
        )

    def is_about(self, manifest: Manifest, digest: str) -> bool:
        """Whether it says of a release what the release says of itself."""
        facts = _of_release(manifest, digest)
        return all(getattr(self, name) == value for name, value in facts.items())

    @property
    def opens(self) -> datetime | None:
        """From when on the release may be published; None: at once."""
        if self.not_before is None:
            return None
        return datetime.combine(date.fromisoformat(self.not_before), datetime.min.time(), UTC)


def _of_release(manifest: Manifest, digest: str) -> dict[str, Any]:
    return {
        "hub": str(manifest.facts.get("hub", "")),
        "version": manifest.version,
        "digest": digest,
        "charge": manifest.charge,
        "guarantee": Promise(epsilon=manifest.epsilon, delta=manifest.delta),
        "practice": bool(manifest.facts.get("invented", False)),
    }


FRESH = timedelta(seconds=120)
"""How long a statement may be under way from the person who signs it to the desk."""


def refuse_late(date: str, arrived: datetime) -> None:
    """Refuse a statement that was kept for later: what the desk asks of each that arrives.

    Args:
        date: of the statement, UTC, to the second.
        arrived: with its time zone.

    Raises:
        ReleaseError: it is older than :data:`FRESH`, or younger than its arrival by as much.
    """
    if abs(arrived - datetime.fromisoformat(date)) > FRESH:
        raise error("approval/late")


class Approval(Envelope):
    """A statement, who signed it and the signature."""

    statement: Statement


class Approvals(FrozenModel):
    """``APPROVALS.json``: none, one or both approvals of a release."""

    approvals: tuple[Approval, ...] = Field(default=(), max_length=len(ROLES))

    @classmethod
    def read(cls, folder: Path) -> Approvals:
        """The approvals in the folder of a release, none where there is no file.

        Raises:
            ReleaseError: the file is damaged.
        """
        path = folder / APPROVALS
        try:
            with path.open("rb") as file:
                return cls.model_validate_json(file.read(_LONGEST_FILE))
        except FileNotFoundError:
            return cls()
        except (ValidationError, RecursionError):
            raise error("approval/damaged", file=path) from None

    def signed(self, statement: Statement, key: SigningKey) -> Approvals:
        """These approvals and one more."""
        mark = Mark.of(statement.message(), key)
        return self.having(Approval(statement=statement, **mark.model_dump()))

    def having(self, approval: Approval) -> Approvals:
        """These approvals and one more, which takes the place of an earlier one of its role."""
        others = [a for a in self.approvals if a.statement.role != approval.statement.role]
        return Approvals(approvals=(*others, approval))

    def write(self, folder: Path) -> None:
        """Put the file into the folder of a candidate: whole or not at all."""
        rewrite(folder / APPROVALS, self.file_content(), 0o444, beside=folder.parent)

    @property
    def missing(self) -> tuple[Role, ...]:
        """Roles that have not signed yet."""
        return tuple(r for r in ROLES if r not in {a.statement.role for a in self.approvals})

    @property
    def opens(self) -> datetime | None:
        """From when on the release may be published: the later of what both people said."""
        return max((o for a in self.approvals if (o := a.statement.opens)), default=None)

    def faults(
        self,
        manifest: Manifest,
        digest: str,
        approvers: Approvers | None = None,
        lines: Mapping[str, int] | None = None,
    ) -> list[Text]:
        """What is wrong with the approvals that were given.

        Args:
            manifest, digest: of the release that they lie beside.
            approvers: the hub's keys; without them each signature is checked against the key that
                stands beside it, which tells only that nothing was changed since.
            lines: number of each line of the hub's ledger by its hash, where it is at hand.
        """
        faults = []
        for approval in self.approvals:
            signed, role = approval.statement, ROLE_NAMES[approval.statement.role]
            keys, message = approvers or signed.approvers, signed.message()
            practice = DeviceRules(practice=signed.practice)
            rules = keys.rules(signed.practice) if keys else practice
            if (fault := approval.fault(message, rules, signed.role)) is not None:
                faults.append(fault)
            elif not signed.is_about(manifest, digest):
                faults.append(Text("The {role} approved something other than this.", role=role))
            elif approvers and not approvers.count(
                signed.role, approval.key, message, signed.ledger.hash, lines
            ):
                faults.append(Text("The key of the {role} is not the one in hub.yaml.", role=role))
        if len({a.statement.role for a in self.approvals}) < len(self.approvals):
            faults.append(Text("A role approved twice."))
        claims = [a.statement for a in self.approvals]
        pairs = {s.approvers for s in claims if s.approvers}
        if max(len({s.review for s in claims}), len({s.changes for s in claims}), len(pairs)) > 1:
            faults.append(Text("The hub did not show the same to both people."))
        if len({identity(a.key) for a in self.approvals}) < len(self.approvals):
            faults.append(Text("Both approvals were signed with the same key."))
        return faults


def who(approvals: Approvals) -> Text:
    """Who approved and when; empty where nobody did."""
    words = [
        Text(
            "{role} on {date}",
            role=ROLE_NAMES[a.statement.role],
            date=printable(a.statement.date[:10]),
        )
        for a in approvals.approvals
    ]
    return joined(words, ", ")


# --------------------------------------------------------------------------------------------------
# ``approvers.jsonl``: each change of approvers' keys, signed by an approver who stays the same.
#
# A line is a signed statement that names both states in full and the SHA-256 of the line before it.
# So whoever can write the folder, such as an administrator, cannot put a key in by himself.

FILE = "approvers.jsonl"
_APPROVER_CHANGES_LONGEST_FILE = 10 * 2**20
FIRST = "0" * 64
"""What the first line names instead of a line before it."""


class KeyChange(Signable):
    """What the approver who stays signs.

    Attributes:
        kind: the form of the statement.
        hub: name of the hub.
        number: of the line, from 1.
        previous: SHA-256 of the line before it.
        release: newest version that was signed at that time, empty for none.
        role: of the person who signs.
        was, now: the approvers before and after.
        reason: such as "device lost"; public.
        date: UTC, to the second.
        practice: whether the data are fictitious.
    """

    kind: Literal["ctdhub-approvers-1"] = "ctdhub-approvers-1"
    hub: str
    number: int = Field(ge=1)
    previous: str = Field(pattern=HASH)
    release: str
    role: Role
    was: Approvers
    now: Approvers
    reason: str = Field(min_length=1, max_length=300)
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    practice: bool


class SignedChange(Envelope):
    """A line of the file."""

    _content = "change"
    change: KeyChange

    @property
    def holds(self) -> bool:
        """Whether somebody signed it who was an approver and whose own keys stay the same."""
        change = self.change
        stays = change.was.keys(change.role) == change.now.keys(change.role)
        rules = change.was.rules(change.practice)
        known = self.key in change.was.keys(change.role)
        return stays and known and self.fault(change.message(), rules, change.role) is None

    def follows(self, before: Sequence[SignedChange]) -> bool:
        """Whether it holds, and goes on where the lines before it end."""
        change = self.change
        goes_on = not before or before[-1].change.now == change.was
        return (change.number, change.previous) == next_line(before) and goes_on and self.holds

    def line(self) -> bytes:
        """The line, without its end."""
        return canonical(self.model_dump(exclude_none=True))


def read_changes(folder: Path) -> tuple[SignedChange, ...]:
    """All lines of the file in a hub's folder, none where there is no file.

    Raises:
        ReleaseError: a line is damaged, was taken out or put in, or is not signed by an approver
            of the state before it.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            content = file.read(_APPROVER_CHANGES_LONGEST_FILE)
    except FileNotFoundError:
        return ()
    changes: list[SignedChange] = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            one = SignedChange.model_validate(json.loads(line))
        except (ValidationError, ValueError, RecursionError):
            raise error("approvers/damaged", file=path, row=number) from None
        if not (one.follows(changes) and one.line() == line):
            raise error("approvers/damaged", file=path, row=number)
        changes.append(one)
    return tuple(changes)


def add_change(folder: Path, new: SignedChange) -> None:
    """Write a line behind the others, all of it or nothing.

    Raises:
        ReleaseError: the file is damaged, or the line does not follow from it.
    """
    before = read_changes(folder)
    if not new.follows(before):
        raise error("approvers/change", file=folder / FILE)
    lines = [*(one.line() for one in before), new.line()]
    rewrite(folder / FILE, b"".join(line + b"\n" for line in lines), 0o644)


def next_line(before: Sequence[SignedChange]) -> tuple[int, str]:
    """Number of the next line, and the hash that it names."""
    last = hashlib.sha256(before[-1].line()).hexdigest() if before else FIRST
    return len(before) + 1, last


def who_stays(was: Approvers, now: Approvers) -> tuple[Role, ...]:
    """The roles whose keys stay the same, one of which has to sign a change."""
    return tuple(role for role in ROLES if was.keys(role) == now.keys(role))


# --------------------------------------------------------------------------------------------------
# A candidate that one of the two people holds back, or has refused.
#
# ``candidates/<version>.hold`` lies next to the candidate's folder, so that a candidate that is
# made anew stays held.  Each role has a hold of its own.  Holding back stops something and needs no
# signature; taking a hold back lets something happen, so the same role signs it with its own key,
# as it signs an approval.  A hold stays in the file, with what took it back; that counts for one
# hold and for these files of the candidate alone.

_HOLDS_LONGEST_FILE = 1_000_000
_MOST = 50
_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
LONGEST_REASON = 1_000
"""Characters of a reason."""


class Hold(FrozenModel):
    """Why a candidate must not be published.

    Attributes:
        role: of the person who holds it.
        reason: in the person's words; for the hub alone.
        date: UTC, to the second.
        refused: SHA-256 of ``SHA256SUMS`` of a candidate that was refused; a candidate that is made
            anew is another one.  None: whatever has this version is held until it is lifted.
        mark: 128 random bits, so that no two holds are alike.
    """

    role: Role
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)
    date: str = Field(pattern=_TIME)
    refused: str | None = Field(default=None, pattern=HASH)
    mark: str = Field(pattern="^[0-9a-f]{32}$")

    @classmethod
    def new(cls, role: Role, reason: str, date: str, refused: str | None = None) -> Hold:
        """A hold like no other."""
        mark = secrets.token_hex(16)
        return cls(role=role, reason=reason, date=date, refused=refused, mark=mark)

    @property
    def digest(self) -> str:
        """SHA-256 of it, by which a :class:`Lift` names it."""
        return hashlib.sha256(canonical(self.model_dump(exclude_none=True))).hexdigest()


class Lift(Signable):
    """What a person signs to take a hold back.

    Attributes:
        kind: the form of the statement.
        hub, version: of the candidate.
        role: of the person, which is that of the hold.
        hold: its :attr:`Hold.digest`.
        since, reason: of the hold, so that whoever signs can read them.
        digest: SHA-256 of ``SHA256SUMS`` of the candidate; one that is made anew is held again.
        date: UTC, to the second.
        practice: whether the data are fictitious.
        approvers: the keys of both people then.
    """

    kind: Literal["ctdhub-lift-1"] = "ctdhub-lift-1"
    hub: str
    version: str
    role: Role
    hold: str = Field(pattern=HASH)
    since: str = Field(pattern=_TIME)
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)
    digest: str = Field(pattern=HASH)
    date: str = Field(pattern=_TIME)
    practice: bool
    approvers: Approvers

    def is_about(self, hold: Hold, digest: str) -> bool:
        """Whether it takes back this hold of the candidate with this digest."""
        terms = (self.hold, self.role, self.since, self.reason, self.digest)
        return terms == (hold.digest, hold.role, hold.date, hold.reason, digest)


class SignedLift(Envelope):
    """Such a statement and its signature."""

    _content = "lift"
    lift: Lift

    def counts(self, keys: Approvers | None, practice: bool) -> bool:
        """Whether it is signed with a key that the role has today.

        Args:
            practice: whether the hub's data are fictitious.
        """
        lift = self.lift
        if keys is None or self.key not in keys.keys(lift.role) or lift.practice != practice:
            return False
        return self.fault(lift.message(), keys.rules(practice), lift.role) is None


class Holds(FrozenModel):
    """The file: one hold a role, refusals of files, and what took holds back."""

    holds: tuple[Hold, ...] = Field(default=(), max_length=_MOST)
    lifts: tuple[SignedLift, ...] = Field(default=(), max_length=_MOST)

    @classmethod
    def read(cls, candidate: Path) -> Holds:
        """The holds of a candidate, none where there is no file.

        Raises:
            ReleaseError: the file is damaged; it holds the candidate back all the same.
        """
        path = hold_file(candidate)
        try:
            with path.open("rb") as file:
                return cls.model_validate_json(file.read(_HOLDS_LONGEST_FILE))
        except FileNotFoundError:
            return cls()
        except (ValidationError, RecursionError, OSError):
            raise error("hold/damaged", file=path) from None

    def about(self, digest: str, keys: Approvers | None, practice: bool) -> tuple[Hold, ...]:
        """Those that count for the candidate with this digest.

        Args:
            keys: of the approvers today; without them nothing takes a hold back.
            practice: whether the hub's data are fictitious.
        """
        signed = [one.lift for one in self.lifts if one.counts(keys, practice)]
        return tuple(
            h
            for h in self.holds
            if h.refused == digest
            or (h.refused is None and not any(lift.is_about(h, digest) for lift in signed))
        )

    def having(self, hold: Hold) -> Holds:
        """These and one more, which takes the place of an earlier one of its role.

        A refusal stays whatever its role holds back later.
        """
        others = [h for h in self.holds if (h.role, h.refused) != (hold.role, hold.refused)]
        kept = {h.digest for h in others}
        lifts = tuple(one for one in self.lifts if one.lift.hold in kept)
        return Holds(holds=(*others, hold), lifts=lifts)

    def lifted(self, signed: SignedLift) -> Holds:
        """These and one more that takes a hold back."""
        others = [one for one in self.lifts if one.lift.hold != signed.lift.hold]
        return Holds(holds=self.holds, lifts=(*others, signed))

    def write(self, candidate: Path) -> None:
        """Put the file next to the candidate, whole or not at all; without a hold there is none."""
        path = hold_file(candidate)
        if self.holds:
            rewrite(path, self.file_content())
        else:
            sweep(path.parent, path.name)
            path.unlink(missing_ok=True)


def hold_file(candidate: Path) -> Path:
    """Where the holds of a candidate lie."""
    return candidate.parent / f"{candidate.name}.hold"
