"""A candidate that one of the two people holds back, or has refused.

``candidates/<version>.hold`` lies next to the candidate's folder, so that a candidate that is made
anew stays held.  Each role has a hold of its own.  Holding back stops something and needs no
signature; taking a hold back lets something happen, so the same role signs it with its own key, as
it signs an approval.  A hold stays in the file, with what took it back; that counts for one hold
and for these files of the candidate alone.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ctdhub.core.atomic import sweep, write_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.release.approvals import canonical
from ctdhub.release.approvers import HASH, Approvers, Mark, Role

_LONGEST_FILE = 1_000_000
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


class Lift(FrozenModel):
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

    def message(self) -> bytes:
        """The bytes that are signed; their SHA-256 is the challenge that a passkey signs."""
        return canonical(self.model_dump(exclude_none=True))

    def is_about(self, hold: Hold, digest: str) -> bool:
        """Whether it takes back this hold of the candidate with this digest."""
        told = (self.hold, self.role, self.since, self.reason, self.digest)
        return told == (hold.digest, hold.role, hold.date, hold.reason, digest)


class SignedLift(Mark):
    """Such a statement and its signature."""

    lift: Lift

    def counts(self, keys: Approvers | None, practice: bool) -> bool:
        """Whether it is signed with a key that the role has today.

        Args:
            practice: whether the hub's data are fictitious.
        """
        told = self.lift
        if keys is None or self.key not in keys.keys(told.role) or told.practice != practice:
            return False
        return self.fault(told.message(), keys.rules(practice), told.role) is None


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
                return cls.model_validate_json(file.read(_LONGEST_FILE))
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
            or (h.refused is None and not any(told.is_about(h, digest) for told in signed))
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
        sweep(path.parent, path.name)
        if self.holds:
            write_whole(path, (self.model_dump_json(indent=1, exclude_none=True) + "\n").encode())
        else:
            path.unlink(missing_ok=True)


def hold_file(candidate: Path) -> Path:
    """Where the holds of a candidate lie."""
    return candidate.parent / f"{candidate.name}.hold"
