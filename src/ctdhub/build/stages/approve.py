"""Two people approve a candidate; a practice hub approves its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.paid import check_paid, ledger, note_published, refuse_published
from ctdhub.build.review import hash_of_review
from ctdhub.build.versions import by_version, waiting_version
from ctdhub.build.withdrawn import refuse_older
from ctdhub.core.error_catalogue import error
from ctdhub.core.keys.signing import SigningKey, read_key
from ctdhub.release.approvals import (
    ROLE_NAMES,
    ROLES,
    Approvals,
    Approvers,
    LedgerHead,
    Role,
    Statement,
)
from ctdhub.release.manifest import Manifest
from ctdhub.release.publish import publish as move
from ctdhub.release.verify import digest, examine


def waiting(hub: Hub, version: str = "") -> Path:
    """The candidate of that version, else the newest one that no release has overtaken.

    Raises:
        ReleaseError: there is none.
    """
    named = [c.name for c in by_version(hub.candidates) if version == c.name]
    if found := named[0] if named else None if version else waiting_version(hub):
        return hub.candidates / found
    raise error("no-candidate", file=hub.candidates / version)


def approvers(hub: Hub) -> Approvers:
    """The keys of the two people.

    Raises:
        PolicyError: hub.yaml names none.
    """
    found = hub.settings.approvers
    if found is None:
        raise error("approvers", file=hub.root / "hub.yaml")
    return found


def statement(hub: Hub, candidate: Path, role: Role) -> tuple[Statement, Manifest]:
    """What a role would sign about a candidate now, and the manifest behind it.

    Raises:
        ReleaseError: the candidate is damaged, or was made before somebody withdrew.
        LedgerTampered: the ledger was changed, or does not know the candidate's charge.
        ReleaseError: its review was changed.
    """
    check_paid(hub)
    refuse_older(hub, candidate)
    refuse_published(hub, candidate)
    manifest, problems = examine(candidate, hub.settings.approvers)
    if manifest is None or problems:
        first = problems[0]
        raise error(
            "candidate-damaged",
            file=candidate,
            rule=first.kind,
            first=first.text,
            part=first.file,
        )
    seen = hash_of_review(hub, candidate)
    [paid] = [entry for entry in ledger(hub).entries() if entry.id == manifest.charge]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = LedgerHead(hash=paid.hash)
    return Statement.about(manifest, digest(candidate), role, head, now, seen), manifest


def approve(hub: Hub, candidate: Path, given: Statement, key: SigningKey) -> Path | None:
    """Sign a statement, unless its role has signed; publish once both have.

    Returns:
        The folder of the release, None while the other approval is missing.

    Raises:
        ReleaseError: the key is not the role's in hub.yaml, the candidate is not what the
            statement says, or it was made before somebody withdrew.
        PolicyError: hub.yaml names no approvers.
        HubFolderError: a build is at work.
    """
    if key.public != approvers(hub).key(given.role):
        raise error("approver-key", file="hub.yaml", role=ROLE_NAMES[given.role])
    version = candidate.name
    with hub.lock(), noted(hub, "approve", version=version, role=given.role):
        check_paid(hub)
        refuse_older(hub, candidate)
        manifest, problems = examine(candidate)
        seen = hash_of_review(hub, candidate)
        if (
            manifest is None
            or problems
            or given
            != Statement.about(
                manifest, digest(candidate), given.role, given.ledger, given.date, seen
            )
        ):
            raise error("changed", file=candidate)
        approvals = Approvals.read(candidate)
        if given.role in approvals.missing:
            approvals = approvals.signed(given, key)
            approvals.write(candidate)
        return None if approvals.missing else publish(hub, candidate)


def publish(hub: Hub, candidate: Path) -> Path:
    """Move an approved candidate to the releases.

    Raises:
        ReleaseError: it was made before somebody withdrew, its answer is published under another
            version, or it may not be published.
    """
    refuse_older(hub, candidate)
    refuse_published(hub, candidate)
    released = move(candidate, hub.releases, approvers(hub))
    note_published(hub)
    return released


def may_approve_itself(hub: Hub) -> bool:
    """Whether the data are invented and the hub holds the two practice keys of hub.yaml."""
    keys = hub.settings.approvers
    return (
        hub.settings.invented
        and keys is not None
        and all(
            hub.practice_key(role).is_file()
            and read_key(hub.practice_key(role)).public == keys.key(role)
            for role in ROLES
        )
    )


def approve_practice(hub: Hub, candidate: Path) -> None:
    """Sign in both roles with the practice keys; each statement says that it is for practice."""
    approvals = Approvals.read(candidate)
    for role in approvals.missing:
        given, _manifest = statement(hub, candidate, role)
        approvals = approvals.signed(given, read_key(hub.practice_key(role)))
    approvals.write(candidate)
