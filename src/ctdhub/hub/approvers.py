"""Whose keys count in a hub, and whether a candidate may be published now."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from ctdhub.core.errors import error, printable
from ctdhub.core.keys.signing import SigningKey
from ctdhub.hub.deliveries import is_older
from ctdhub.hub.folder import Hub, alone, by_version, noted, timestamp
from ctdhub.hub.paid import check_paid, refuse_published
from ctdhub.release import approvals
from ctdhub.release.approvals import FILE, Approvals, Approvers, Hold, Holds, KeyChange, Lift, Role
from ctdhub.release.errata import cleaned
from ctdhub.release.open import digest

# --------------------------------------------------------------------------------------------------
# Whose keys count in a hub: those of the last signed release, and the signed changes since.


def approvers(hub: Hub) -> Approvers:
    """The keys of the two people, as hub.yaml names them.

    Raises:
        PolicyError: hub.yaml names none.
    """
    keys = hub.settings.approvers
    if keys is None:
        raise error("approvers", file=hub.root / "hub.yaml")
    return keys


class KnownKeys(NamedTuple):
    """Keys that somebody signed: those that the newest release of real data names, or later ones.

    Attributes:
        version: of that release.
        keys: of both people.
    """

    version: str
    keys: Approvers


def signed_keys(hub: Hub) -> KnownKeys | None:
    """The keys that somebody signed; None where no release of real data was signed yet.

    Raises:
        ReleaseError: ``approvers.jsonl`` does not hold, or does not fit the last signed release.
    """
    changes, last = approvals.read_changes(hub.root), _last_signed(hub)
    if not changes:
        return last
    states = [changes[0].change.was, *(one.change.now for one in changes)]
    if last is None or last.keys not in states:
        raise error("approvers/damaged", file=hub.root / FILE, row=1)
    return KnownKeys(last.version, states[-1])


def refuse_unsigned(hub: Hub) -> None:
    """Refuse keys in hub.yaml that no approver has agreed to.

    A practice hub, whose people are fictitious, and one that has published nothing yet may name
    whom they like.

    Raises:
        PolicyError: hub.yaml names no approvers.
        ReleaseError: its keys are others than :func:`signed_keys`.
    """
    now = approvers(hub)
    if hub.settings.invented:
        return
    known = signed_keys(hub)
    if known is not None and known.keys != now:
        raise error("approvers/unsigned", file=hub.root / "hub.yaml")


def pending(hub: Hub) -> KeyChange | None:
    """The change that hub.yaml makes and that nobody has signed, for the first role that may sign.

    Raises:
        PolicyError, ReleaseError: as :func:`refuse_unsigned`; or no approver stays the same, so
            that nobody may sign it.
    """
    now, known = approvers(hub), signed_keys(hub)
    if hub.settings.invented or known is None or known.keys == now:
        return None
    was = known.keys
    if not approvals.who_stays(was, now):
        raise error("approvers/both", file=hub.root / "hub.yaml")
    number, previous = approvals.next_line(approvals.read_changes(hub.root))
    return KeyChange(
        hub=hub.settings.name,
        number=number,
        previous=previous,
        release=known.version,
        role=approvals.who_stays(was, now)[0],
        was=was,
        now=now,
        reason="-",
        date=timestamp(),
        practice=hub.settings.invented,
    )


def change_to_sign(hub: Hub, role: Role, reason: str) -> KeyChange:
    """What a role would sign now about the keys in hub.yaml.

    Raises:
        PolicyError, ReleaseError: as :func:`pending`; nothing is to be signed, or not by this role.
    """
    change = pending(hub)
    if change is None:
        raise error("approvers/same", file=hub.root / "hub.yaml")
    said = cleaned(reason)
    if role not in approvals.who_stays(change.was, change.now) or not 0 < len(said) <= 300:
        raise error("approvers/change", file=hub.root / FILE)
    return change.model_copy(update={"role": role, "reason": said})


def sign_change(hub: Hub, change: KeyChange, key: SigningKey) -> None:
    """Sign a change with an Ed25519 key; see :func:`accept_change`."""
    mark = approvals.Mark.of(change.message(), key)
    accept_change(hub, approvals.SignedChange(change=change, **mark.model_dump()))


def accept_change(hub: Hub, signed: approvals.SignedChange) -> None:
    """Write down a change that an approver has signed.

    Raises:
        ReleaseError: it does not hold, or hub.yaml says something else by now.
        HubFolderError: a build is at work.
    """
    change = signed.change
    with hub.lock(), noted(hub, "approvers", role=change.role, number=change.number):
        now = pending(hub)
        kept = {"role": change.role, "reason": change.reason, "date": change.date}
        if now is None or now.model_copy(update=kept) != change:
            raise error("approvers/change", file=hub.root / FILE)
        approvals.add_change(hub.root, signed)


def awaits_first(hub: Hub) -> bool:
    """Whether nobody may approve yet, and nobody ever did.

    Raises:
        ReleaseError: see :func:`signed_keys`.
    """
    return hub.settings.approvers is None and signed_keys(hub) is None


def statements_of(hub: Hub, key: str) -> list[tuple[str, str]]:
    """What a key signed of releases and candidates: version and SHA-256 of each statement.

    After a theft the other approver picks from it what stays valid.
    """
    statements = []
    for bundle in (*by_version(hub.releases), *by_version(hub.candidates)):
        for approval in Approvals.read(bundle).approvals:
            if approval.key == key:
                digest = hashlib.sha256(approval.statement.message()).hexdigest()
                statements.append((bundle.name, digest))
    return statements


def _last_signed(hub: Hub) -> KnownKeys | None:
    for release in by_version(hub.releases):
        record = Approvals.read(release)
        said = [a.statement for a in record.approvals]
        if record.missing or any(one.practice for one in said):
            continue
        if said[0].approvers is None:
            raise error("approvers/since", version=printable(release.name))
        return KnownKeys(release.name, said[0].approvers)
    return None


# --------------------------------------------------------------------------------------------------
# Whether a candidate may be published now: one answer for the desk and for every verb.
#
# Two people approved exactly these files, the later of their days has come, neither holds it back,
# nobody withdrew since, it was paid for, and the keys are those that the last release was signed
# with.

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
    record = Approvals.read(candidate)
    all_holds = Holds.read(candidate)
    keys, practice = hub.settings.approvers, hub.settings.invented
    holds = all_holds.about(digest(candidate), keys, practice) if all_holds.holds else ()
    missing, opens = record.missing, record.opens
    state: State = "due"
    if any(hold.refused for hold in holds):
        state = "refused"
    elif holds:
        state = "held"
    elif missing:
        state = "approved by one" if record.approvals else "built"
    elif opens and now < opens:
        state = "scheduled"
    return Publication(state, missing, opens, holds)


def refuse_unfit(hub: Hub, candidate: Path) -> None:
    """Refuse what nobody may approve or publish, whoever signed it.

    Raises:
        WithdrawalError, LedgerTampered: it, or another release, was not paid for.
        ReleaseError: somebody withdrew since, or its answer is published.
    """
    check_paid(hub)
    hub.refuse_unanswered()
    if is_older(hub, candidate):
        raise error("withdrawn", file=candidate, version=printable(candidate.name))
    refuse_published(hub, candidate)


def may_publish(hub: Hub, candidate: Path, now: datetime | None = None) -> bool:
    """Whether a candidate may be published now; False where it waits for a person or a day.

    Args:
        now: with its time zone; default: the clock.

    Raises:
        HubError: as :func:`refuse_unfit`.
        ReleaseError: an approval does not hold, the approvers' keys were changed, or a file is
            damaged.
    """
    refuse_unfit(hub, candidate)
    if publication(hub, candidate, now or datetime.now(UTC)).state != "due":
        return False
    refuse_unsigned(hub)
    if any(
        a.statement.approvers != hub.settings.approvers for a in Approvals.read(candidate).approvals
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
    if not 0 < len(said) <= approvals.LONGEST_REASON:
        raise error("hold/reason", most=approvals.LONGEST_REASON)
    version = candidate.name
    with alone(hub.work, ".holds"), noted(hub, "hold", version=version, role=role, refused=refuse):
        made = Hold.new(role, said, timestamp(), digest(candidate) if refuse else None)
        Holds.read(candidate).having(made).write(candidate)
        if not candidate.is_dir():
            approvals.hold_file(candidate).unlink(missing_ok=True)
            raise error("no-candidate", file=candidate)
    return made


def to_lift(hub: Hub, candidate: Path, role: Role) -> Lift:
    """What a role would sign now to take its hold back; what was refused stays refused.

    Raises:
        ReleaseError: the role does not hold the candidate back.
    """
    holds = publication(hub, candidate, datetime.now(UTC)).holds
    mine = [h for h in holds if h.role == role and h.refused is None]
    if not mine:
        name = printable(candidate.name)
        raise error("hold/none", file=candidate, version=name, role=approvals.ROLE_NAMES[role])
    return Lift(
        hub=hub.settings.name,
        version=candidate.name,
        role=role,
        hold=mine[0].digest,
        since=mine[0].date,
        reason=mine[0].reason,
        digest=digest(candidate),
        date=timestamp(),
        practice=hub.settings.invented,
        approvers=approvers(hub),
    )


def lift(hub: Hub, candidate: Path, signed: approvals.SignedLift) -> None:
    """Take back the hold of a role, which signed that.

    Raises:
        ReleaseError: the role does not hold it back; the statement is about another hold or about
            other files; or the signature does not hold.
    """
    statement = signed.lift
    version, role = candidate.name, statement.role
    with alone(hub.work, ".holds"), noted(hub, "hold", version=version, role=role, lifted=True):
        now = to_lift(hub, candidate, role)
        if statement != now.model_copy(update={"date": statement.date}):
            raise error("hold/other", file=candidate, version=printable(version))
        if not signed.counts(hub.settings.approvers, hub.settings.invented):
            raise error("approver-key", file="hub.yaml", role=approvals.ROLE_NAMES[role])
        Holds.read(candidate).lifted(signed).write(candidate)
