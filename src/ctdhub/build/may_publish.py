"""Whether a candidate may be published now: one answer for the desk and for every verb.

Two people approved exactly these files, the later of their days has come, neither holds it back,
nobody withdrew since, it was paid for, and the keys are those that the last release was signed
with.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ctdhub.build.approvers import approvers, refuse_unsigned
from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.paid import check_paid, refuse_published
from ctdhub.build.withdrawn import refuse_older
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.lock import locked
from ctdhub.release.approvals import Approvals
from ctdhub.release.approvers import ROLE_NAMES, Role
from ctdhub.release.errata import cleaned
from ctdhub.release.holds import LONGEST_REASON, Hold, Holds, Lift, SignedLift, hold_file
from ctdhub.release.verify import digest

State = Literal["built", "approved by one", "held", "refused", "scheduled", "due"]


@dataclass(frozen=True)
class Publication:
    """Where a candidate is on its way to publication.

    Attributes:
        state: ``due`` means that it may be published now.
        missing: roles that have not signed.
        opens: from when on it may be published, None: at once.
        holds: that count for it.
    """

    state: State
    missing: Sequence[Role] = ()
    opens: datetime | None = None
    holds: Sequence[Hold] = field(default=())


def publication(hub: Hub, candidate: Path, now: datetime) -> Publication:
    """Where a candidate is, as its files say.

    Signatures of approvals are not checked here; those that take a hold back are.

    Args:
        now: with its time zone.

    Raises:
        ReleaseError: approvals or holds are damaged.
    """
    given = Approvals.read(candidate)
    held = Holds.read(candidate)
    keys, practice = hub.settings.approvers, hub.settings.invented
    holds = held.about(digest(candidate), keys, practice) if held.holds else ()
    missing, opens = given.missing, given.opens
    state: State = "due"
    if any(hold.refused for hold in holds):
        state = "refused"
    elif holds:
        state = "held"
    elif missing:
        state = "approved by one" if given.approvals else "built"
    elif opens and now < opens:
        state = "scheduled"
    return Publication(state, missing, opens, holds)


def may_publish(hub: Hub, candidate: Path, now: datetime | None = None) -> bool:
    """Whether a candidate may be published now; False where it waits for a person or a day.

    Args:
        now: with its time zone; default: the clock.

    Raises:
        WithdrawalError, LedgerTampered: it, or another release, was not paid for.
        ReleaseError: somebody withdrew since, its answer is published, an approval does not hold,
            the approvers' keys were changed, or a file is damaged.
    """
    check_paid(hub)
    refuse_older(hub, candidate)
    refuse_published(hub, candidate)
    if publication(hub, candidate, now or datetime.now(UTC)).state != "due":
        return False
    refuse_unsigned(hub)
    if any(
        a.statement.approvers not in (None, hub.settings.approvers)
        for a in Approvals.read(candidate).approvals
    ):
        raise error("approvers/since", file=candidate, version=printable(candidate.name))
    return True


def hold(hub: Hub, candidate: Path, role: Role, reason: str, *, refuse: bool = False) -> Hold:
    """Hold a candidate back, or refuse it, whatever was approved.

    It does not wait for a build that is at work.

    Args:
        reason: in the person's words; it stays in the hub.
        refuse: about these files for good, not about the version until it is lifted.

    Raises:
        ReleaseError: no reason was given, it is too long, or the candidate was published meanwhile.
    """
    said = cleaned(reason)
    if not 0 < len(said) <= LONGEST_REASON:
        raise error("hold/reason", most=LONGEST_REASON)
    version = candidate.name
    with _alone(hub), noted(hub, "hold", version=version, role=role, refused=refuse):
        made = Hold.new(role, said, _now(), digest(candidate) if refuse else None)
        Holds.read(candidate).having(made).write(candidate)
        if not candidate.is_dir():
            hold_file(candidate).unlink(missing_ok=True)
            raise error("no-candidate", file=candidate)
    return made


def to_lift(hub: Hub, candidate: Path, role: Role) -> Lift:
    """What a role would sign now to take its hold back; what was refused stays refused.

    Raises:
        ReleaseError: the role does not hold the candidate back.
    """
    held = publication(hub, candidate, datetime.now(UTC)).holds
    mine = [h for h in held if h.role == role and h.refused is None]
    if not mine:
        name = printable(candidate.name)
        raise error("hold/none", file=candidate, version=name, role=ROLE_NAMES[role])
    return Lift(
        hub=hub.settings.name,
        version=candidate.name,
        role=role,
        hold=mine[0].digest,
        since=mine[0].date,
        reason=mine[0].reason,
        digest=digest(candidate),
        date=_now(),
        practice=hub.settings.invented,
        approvers=approvers(hub),
    )


def lift(hub: Hub, candidate: Path, signed: SignedLift) -> None:
    """Take back the hold of a role, which signed that.

    Raises:
        ReleaseError: the role does not hold it back; the statement is about another hold or about
            other files; or the signature does not hold.
    """
    told = signed.lift
    version, role = candidate.name, told.role
    with _alone(hub), noted(hub, "hold", version=version, role=role, lifted=True):
        now = to_lift(hub, candidate, role)
        if told != now.model_copy(update={"date": told.date}):
            raise error("hold/other", file=candidate, version=printable(version))
        if not signed.counts(hub.settings.approvers, hub.settings.invented):
            raise error("approver-key", file="hub.yaml", role=ROLE_NAMES[role])
        Holds.read(candidate).lifted(signed).write(candidate)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _alone(hub: Hub) -> AbstractContextManager[None]:
    """One writer of holds at a time; a build does not keep it waiting."""
    hub.work.mkdir(mode=0o700, exist_ok=True)
    return locked(hub.work / ".holds")
