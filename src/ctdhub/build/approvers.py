"""Whose keys count in a hub: those of the last signed release, and the signed changes since."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.paid import ledger
from ctdhub.build.versions import by_version
from ctdhub.core.error_catalogue import error
from ctdhub.core.keys.signing import SigningKey
from ctdhub.release.approvals import Approvals
from ctdhub.release.approver_changes import (
    FILE,
    KeyChange,
    SignedChange,
    add_change,
    next_line,
    read_changes,
    who_stays,
)
from ctdhub.release.approvers import Approvers, Mark, Role
from ctdhub.release.errata import cleaned


def approvers(hub: Hub) -> Approvers:
    """The keys of the two people, as hub.yaml names them.

    Raises:
        PolicyError: hub.yaml names none.
    """
    found = hub.settings.approvers
    if found is None:
        raise error("approvers", file=hub.root / "hub.yaml")
    return found


@dataclass(frozen=True)
class KnownKeys:
    """Keys that somebody signed.

    Attributes:
        version: newest release of real data that both signed.
        keys: of both.
        whole: whether all that ``approvers`` says was signed; a release whose statements name no
            approvers shows one key a role, and nothing of former keys.
    """

    version: str
    keys: Approvers
    whole: bool

    def are(self, other: Approvers) -> bool:
        """Whether these are the same approvers."""
        if self.whole:
            return self.keys == other
        return self.keys == other.model_copy(update={"former": ()})


def signed_keys(hub: Hub) -> KnownKeys | None:
    """The keys that somebody signed; None where no release of real data was signed yet.

    Raises:
        ReleaseError: ``approvers.jsonl`` does not hold, or does not fit the last signed release.
    """
    changes, last = read_changes(hub.root), _last_signed(hub)
    if not changes:
        return last
    states = [changes[0].change.was, *(one.change.now for one in changes)]
    if last is None or not any(map(last.are, states)):
        raise error("approvers/damaged", file=hub.root / FILE, row=1)
    return KnownKeys(last.version, states[-1], whole=True)


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
    if known is not None and not known.are(now):
        raise error("approvers/unsigned", file=hub.root / "hub.yaml")


def pending(hub: Hub) -> KeyChange | None:
    """The change that hub.yaml makes and that nobody has signed, for the first role that may sign.

    Raises:
        PolicyError, ReleaseError: as :func:`refuse_unsigned`; or no approver stays the same, so
            that nobody may sign it.
    """
    now, known = approvers(hub), signed_keys(hub)
    if hub.settings.invented or known is None or known.are(now):
        return None
    was = known.keys
    if not who_stays(was, now):
        raise error("approvers/both", file=hub.root / "hub.yaml")
    number, previous = next_line(read_changes(hub.root))
    return KeyChange(
        hub=hub.settings.name,
        number=number,
        previous=previous,
        release=known.version,
        role=who_stays(was, now)[0],
        was=was,
        now=now,
        reason="-",
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        practice=hub.settings.invented,
    )


def change_to_sign(hub: Hub, role: Role, reason: str) -> KeyChange:
    """What a role would sign now about the keys in hub.yaml.

    Raises:
        PolicyError, ReleaseError: as :func:`pending`; nothing is to be signed, or not by this role.
    """
    found = pending(hub)
    if found is None:
        raise error("approvers/same", file=hub.root / "hub.yaml")
    said = cleaned(reason)
    if role not in who_stays(found.was, found.now) or not 0 < len(said) <= 300:
        raise error("approvers/change", file=hub.root / FILE)
    return found.model_copy(update={"role": role, "reason": said})


def sign_change(hub: Hub, told: KeyChange, key: SigningKey) -> None:
    """Sign a change with an Ed25519 key; see :func:`accept_change`."""
    accept_change(hub, SignedChange(change=told, **Mark.of(told.message(), key).model_dump()))


def accept_change(hub: Hub, signed: SignedChange) -> None:
    """Write down a change that an approver has signed.

    Raises:
        ReleaseError: it does not hold, or hub.yaml says something else by now.
        HubFolderError: a build is at work.
    """
    told = signed.change
    with hub.lock(), noted(hub, "approvers", role=told.role, number=told.number):
        now = pending(hub)
        kept = {"role": told.role, "reason": told.reason, "date": told.date}
        if now is None or now.model_copy(update=kept) != told:
            raise error("approvers/change", file=hub.root / FILE)
        add_change(hub.root, signed)


def statements_of(hub: Hub, key: str) -> list[tuple[str, str]]:
    """What a key signed of releases and candidates: version and SHA-256 of each statement.

    After a theft the other approver picks from it what stays valid.
    """
    found = []
    for bundle in (*by_version(hub.releases), *by_version(hub.candidates)):
        for given in Approvals.read(bundle).approvals:
            if given.key == key:
                digest = hashlib.sha256(given.statement.message()).hexdigest()
                found.append((bundle.name, digest))
    return found


def ledger_lines(hub: Hub) -> Mapping[str, int]:
    """Number of each line of the hub's ledger by its hash.

    Raises:
        LedgerTampered: a line was changed, or the ledger is gone.
    """
    return {entry.hash: entry.number for entry in ledger(hub).entries()}


def _last_signed(hub: Hub) -> KnownKeys | None:
    for release in by_version(hub.releases):
        given = Approvals.read(release)
        if given.missing or any(a.statement.practice for a in given.approvals):
            continue
        told = next((a.statement.approvers for a in given.approvals if a.statement.approvers), None)
        keys = {a.statement.role: a.key for a in given.approvals}
        alone = Approvers(steward=keys["steward"], privacy_officer=keys["privacy_officer"])
        return KnownKeys(release.name, told or alone, whole=told is not None)
    return None
