"""Approvals: two people, two keys, one statement each about exactly these files.

A statement names the SHA-256 of ``SHA256SUMS``, and so every byte of the release, and the line of
the ledger that paid for it, so that a ledger that is written anew contradicts it.  What is
signed is the statement as JSON with sorted keys, no spaces, ASCII only (:meth:`Statement.message`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, model_validator

from ctdhub.core.atomic import sweep, write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import Text, joined
from ctdhub.core.keys.signing import SigningKey
from ctdhub.release.approvers import HASH, ROLE_NAMES, ROLES, Approvers, Mark, Role, identity
from ctdhub.release.passkey import DeviceRules

if TYPE_CHECKING:  # the desk's web process reads approvals, and no tables
    from ctdhub.release.manifest import Manifest

APPROVALS, CANDIDATES = "APPROVALS.json", "candidates"
_LONGEST_FILE = 100_000


class Promise(FrozenModel):
    """The guarantee that is approved."""

    epsilon: float
    delta: float


class LedgerHead(FrozenModel):
    """The line of the ledger that paid for the release; its hash follows from all lines before.

    It has no number: numbers of lines tell how many answers were never published.
    """

    hash: str = Field(pattern=HASH)


class Statement(FrozenModel):
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
        told = _of_release(manifest, digest)
        return all(getattr(self, name) == value for name, value in told.items())

    @property
    def opens(self) -> datetime | None:
        """From when on the release may be published; None: at once."""
        if self.not_before is None:
            return None
        return datetime.combine(date.fromisoformat(self.not_before), datetime.min.time(), UTC)

    def message(self) -> bytes:
        """The bytes that are signed; their SHA-256 is the challenge that a passkey signs."""
        return canonical(self.model_dump(exclude_none=True))


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


def canonical(content: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no spaces, ASCII only.

    >>> canonical({"b": 1.0, "a": "é"})
    b'{"a":"\\\\u00e9","b":1.0}'
    """
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode()


class Approval(Mark):
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

    def having(self, given: Approval) -> Approvals:
        """These approvals and one more, which takes the place of an earlier one of its role."""
        others = [a for a in self.approvals if a.statement.role != given.statement.role]
        return Approvals(approvals=(*others, given))

    def write(self, folder: Path) -> None:
        """Put the file into the folder of a candidate: whole or not at all."""
        sweep(folder.parent, APPROVALS)
        content = (self.model_dump_json(indent=1, exclude_none=True) + "\n").encode()
        write_whole(folder / APPROVALS, content, 0o444, beside=folder.parent)

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
        found = []
        for given in self.approvals:
            signed, role = given.statement, ROLE_NAMES[given.statement.role]
            keys, message = approvers or signed.approvers, signed.message()
            practice = DeviceRules(practice=signed.practice)
            rules = keys.rules(signed.practice) if keys else practice
            if (fault := given.fault(message, rules, signed.role)) is not None:
                found.append(fault)
            elif not signed.is_about(manifest, digest):
                found.append(Text("The {role} approved something other than this.", role=role))
            elif approvers and not approvers.count(
                signed.role, given.key, message, signed.ledger.hash, lines
            ):
                found.append(Text("The key of the {role} is not the one in hub.yaml.", role=role))
        if len({a.statement.role for a in self.approvals}) < len(self.approvals):
            found.append(Text("A role approved twice."))
        if not self._shown_alike:
            found.append(Text("The hub did not show the same to both people."))
        if len({identity(a.key) for a in self.approvals}) < len(self.approvals):
            found.append(Text("Both approvals were signed with the same key."))
        return found

    @property
    def _shown_alike(self) -> bool:
        """Whether both saw one thing."""
        told = [a.statement for a in self.approvals]
        changes = {s.changes for s in told}
        keys = {s.approvers for s in told if s.approvers}
        return max(len({s.review for s in told}), len(changes), len(keys)) < 2


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
