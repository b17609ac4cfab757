"""Approvals: two people, two keys, one statement each about exactly these files.

A statement names the SHA-256 of ``SHA256SUMS``, and so every byte of the release, and the line of
the ledger that paid for it, so that a ledger that is written anew contradicts it.  What is
signed is the statement as JSON with sorted keys, no spaces, ASCII only (:meth:`Statement.message`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ctdhub.core.atomic import sweep, write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text, joined
from ctdhub.core.keys.signing import SigningKey, is_public_key, is_signed
from ctdhub.release.manifest import Manifest

APPROVALS, CANDIDATES = "APPROVALS.json", "candidates"
Role = Literal["steward", "privacy_officer"]
ROLES: tuple[Role, ...] = get_args(Role)
_HASH = r"^[0-9a-f]{64}$"
_LONGEST_FILE = 100_000


class Approvers(FrozenModel):
    """``approvers`` of hub.yaml: the public keys of the two people who must agree.

    Attributes:
        steward, privacy_officer: one key each, never the same.
        former: keys that signed earlier releases and sign no more.
    """

    steward: str
    privacy_officer: str
    former: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Approvers:
        if not all(map(is_public_key, (self.steward, self.privacy_officer, *self.former))):
            raise PydanticCustomError("public_key", "not a public key")
        if self.steward == self.privacy_officer:
            raise PydanticCustomError("same_key", "the same key twice")
        return self

    def key(self, role: Role) -> str:
        """The key that a role signs with today."""
        return self.steward if role == "steward" else self.privacy_officer


class Promise(FrozenModel):
    """The guarantee that is approved."""

    epsilon: float
    delta: float


class LedgerHead(FrozenModel):
    """The line of the ledger that paid for the release; its hash follows from all lines before.

    Attributes:
        number: of the last line when the statement was signed, in statements of older software.
            Today's have none: numbers of lines tell how many answers were never published.
    """

    number: int | None = Field(default=None, ge=1)
    hash: str = Field(pattern=_HASH)


class Statement(FrozenModel):
    """What one person signs.

    Attributes:
        kind: the form of the statement; the second has ``review``.
        hub, version, charge, guarantee: as in the manifest of the release.
        role: as what the person signs.
        digest: SHA-256 of ``SHA256SUMS``.
        ledger: see :class:`LedgerHead`.
        date: UTC, to the second.
        practice: whether the data are invented, so that no person need have looked.
        review: SHA-256 of what the hub showed beside the release and keeps to itself.
    """

    kind: Literal["ctdhub-approval-1", "ctdhub-approval-2"] = "ctdhub-approval-1"
    hub: str
    version: str
    role: Role
    digest: str = Field(pattern=_HASH)
    charge: str
    guarantee: Promise
    ledger: LedgerHead
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    practice: bool
    review: str | None = Field(default=None, pattern=_HASH)

    @model_validator(mode="after")
    def _check(self) -> Statement:
        if (self.review is None) != (self.kind == "ctdhub-approval-1"):
            raise ValueError("the second form of a statement, and only that, names a review")
        return self

    @classmethod
    def about(
        cls,
        manifest: Manifest,
        digest: str,
        role: Role,
        ledger: LedgerHead,
        date: str,
        review: str | None = None,
    ) -> Statement:
        """The statement of a role about a release."""
        return cls(
            kind="ctdhub-approval-1" if review is None else "ctdhub-approval-2",
            review=review,
            hub=str(manifest.facts.get("hub", "")),
            version=manifest.version,
            role=role,
            digest=digest,
            charge=manifest.charge,
            guarantee=Promise(epsilon=manifest.epsilon, delta=manifest.delta),
            ledger=ledger,
            date=date,
            practice=bool(manifest.facts.get("invented", False)),
        )

    def message(self) -> bytes:
        """The bytes that are signed."""
        return json.dumps(
            self.model_dump(exclude_none=True),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=True,
        ).encode()


class Approval(FrozenModel):
    """A statement, who signed it and the signature."""

    statement: Statement
    key: str
    signature: str


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
        given = Approval(
            statement=statement, key=key.public, signature=key.sign(statement.message())
        )
        return Approvals(approvals=(*self.approvals, given))

    def write(self, folder: Path) -> None:
        """Put the file into the folder of a candidate: whole or not at all."""
        sweep(folder.parent, APPROVALS)
        content = (self.model_dump_json(indent=1, exclude_none=True) + "\n").encode()
        write_whole(folder / APPROVALS, content, 0o444, beside=folder.parent)

    @property
    def missing(self) -> tuple[Role, ...]:
        """Roles that have not signed yet."""
        return tuple(r for r in ROLES if r not in {a.statement.role for a in self.approvals})

    def faults(
        self, manifest: Manifest, digest: str, approvers: Approvers | None = None
    ) -> list[Text]:
        """What is wrong with the approvals that were given.

        Args:
            manifest, digest: of the release that they lie beside.
            approvers: the hub's keys; without them each signature is checked against the key that
                stands beside it, which tells only that nothing was changed since.
        """
        found = []
        for given in self.approvals:
            signed, role = given.statement, ROLE_NAMES[given.statement.role]
            if not is_signed(signed.message(), given.signature, given.key):
                found.append(Text("The signature of the {role} is not valid.", role=role))
            elif signed != signed.about(
                manifest, digest, signed.role, signed.ledger, signed.date, signed.review
            ):
                found.append(Text("The {role} approved something else than this.", role=role))
            elif approvers and given.key not in (approvers.key(signed.role), *approvers.former):
                found.append(Text("The key of the {role} is not the one in hub.yaml.", role=role))
        if len({a.statement.role for a in self.approvals}) < len(self.approvals):
            found.append(Text("A role approved twice."))
        if len({a.statement.review for a in self.approvals}) > 1:
            found.append(Text("The hub did not show the same to both people."))
        if len({a.key for a in self.approvals}) < len(self.approvals):
            found.append(Text("Both approvals were signed with the same key."))
        return found


ROLE_NAMES: Mapping[Role, Text] = {
    "steward": Text("steward"),
    "privacy_officer": Text("privacy officer"),
}
"""Roles as people say them."""


def who(approvals: Approvals) -> Text:
    """Who approved and when; empty where nobody did."""
    found = [
        Text(
            "{role} on {date}",
            role=ROLE_NAMES[a.statement.role],
            date=printable(a.statement.date[:10]),
        )
        for a in approvals.approvals
    ]
    return joined(found, ", ")
