"""Two people approve a candidate, and it becomes a release."""

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

from ctdhub.core.errors import error, printable
from ctdhub.core.i18n import Text
from ctdhub.core.keys.signing import SigningKey, read_key
from ctdhub.hub import folder as hub_folder
from ctdhub.hub.approvers import approvers, may_publish, publication, refuse_unfit, refuse_unsigned
from ctdhub.hub.contributions import ANSWER
from ctdhub.hub.paid import ledger, note_published
from ctdhub.hub.review import hash_of_changes, hash_of_review
from ctdhub.hub.steps import Step, hash_file, software
from ctdhub.release import approvals as statements
from ctdhub.release.approvals import ROLE_NAMES, Approval, Approvals, LedgerHead, Role, Statement
from ctdhub.release.bundle import publish as move
from ctdhub.release.manifest import MANIFEST, SUMS, Manifest
from ctdhub.release.open import digest, examine

# --------------------------------------------------------------------------------------------------
# Two people approve a candidate; a practice hub approves its own.

TRAIL = "desk/trail.jsonl"
"""In the hub folder: what happened at the desk, where there is one."""


def waiting(hub: hub_folder.Hub, version: str = "") -> Path:
    """The candidate of that version, else the newest one that no release has overtaken.

    Raises:
        ReleaseError: there is none.
    """
    named = [c.name for c in hub_folder.by_version(hub.candidates) if version == c.name]
    if name := named[0] if named else None if version else hub_folder.waiting_version(hub):
        return hub.candidates / name
    raise error("no-candidate", file=hub.candidates / version)


def statement(
    hub: hub_folder.Hub, candidate: Path, role: Role, not_before: date | None = None
) -> tuple[Statement, Manifest]:
    """What a role would sign about a candidate now, and the manifest behind it.

    Args:
        not_before: first day (UTC) on which it may be published; None: at once.

    Raises:
        ReleaseError: the candidate is damaged, or was made before somebody withdrew; or nobody
            signed for the keys in hub.yaml.
        LedgerTampered: the ledger was changed, or does not know the candidate's charge.
        ReleaseError: its review was changed.
    """
    refuse_unfit(hub, candidate)
    manifest, problems = examine(candidate, hub.settings.approvers)
    if manifest is None or problems:
        first = problems[0]
        raise error(
            "candidate-damaged", file=candidate, rule=first.kind, first=first.text, part=first.file
        )
    if hub.settings.approvers is not None:
        refuse_unsigned(hub)
    [paid] = [entry for entry in ledger(hub).entries() if entry.id == manifest.charge]
    more = {
        "review": hash_of_review(hub, candidate),
        "not_before": not_before.isoformat() if not_before else None,
        "changes": hash_of_changes(hub, candidate),
        "trail": head_of_trail(hub),
        "approvers": hub.settings.approvers,
    }
    head = LedgerHead(hash=paid.hash)
    return Statement.about(
        manifest, digest(candidate), role, head, hub_folder.timestamp(), **more
    ), manifest


def head_of_trail(hub: hub_folder.Hub) -> str | None:
    """Hash of the last line of the desk's trail; None without a desk, or before its first line."""
    try:
        last = (hub.root / TRAIL).read_bytes().rstrip(b"\n").rpartition(b"\n")[2]
        return str(json.loads(last)["hash"]) if last else None
    except FileNotFoundError:
        return None


def approve(hub: hub_folder.Hub, candidate: Path, claim: Statement, key: SigningKey) -> Path | None:
    """Sign a statement with an Ed25519 key; see :func:`accept`.

    Raises:
        ReleaseError: the key is not the role's in hub.yaml; and as :func:`accept`.
        PolicyError: hub.yaml names no approvers.
    """
    if key.public not in approvers(hub).keys(claim.role):
        raise error("approver-key", file="hub.yaml", role=ROLE_NAMES[claim.role])
    mark = statements.Mark.of(claim.message(), key)
    return accept(hub, candidate, Approval(statement=claim, **mark.model_dump()))


def accept(hub: hub_folder.Hub, candidate: Path, signed: Approval) -> Path | None:
    """Put a signed statement to a candidate; publish once both are there and nothing waits.

    A role that has signed already signs anew only for another day of publication.

    Returns:
        The folder of the release; None while the other approval is missing, or the day has not
        come, or somebody holds the candidate back (see :mod:`ctdhub.hub.approvers`).

    Raises:
        ReleaseError: the signature does not hold, the key is not the role's in hub.yaml, the
            candidate is not what the statement says, or it was made before somebody withdrew.
        PolicyError: hub.yaml names no approvers.
        HubFolderError: a build is at work.
    """
    claim, keys = signed.statement, approvers(hub)
    fault = signed.fault(claim.message(), keys.rules(hub.settings.invented), claim.role)
    if fault is not None:
        raise error("approval/refused", file=candidate, fault=fault)
    if signed.key not in keys.keys(claim.role):
        raise error("approver-key", file="hub.yaml", role=ROLE_NAMES[claim.role])
    with hub.lock(), hub_folder.noted(hub, "approve", version=candidate.name, role=claim.role):
        refuse_unfit(hub, candidate)
        refuse_unsigned(hub)
        manifest, problems = examine(candidate)
        if manifest is None or problems or not _is_shown(hub, candidate, claim, manifest):
            raise error("changed", file=candidate)
        approvals = Approvals.read(candidate)
        said = [a.statement for a in approvals.approvals if a.statement.role == claim.role]
        before = said[0] if said else None
        if before is not None and claim.date < before.date:  # the person said another day since
            raise error("approval/late")
        if before is None or before.not_before != claim.not_before:
            approvals.having(signed).write(candidate)
        return publish(hub, candidate) if may_publish(hub, candidate) else None


def _is_shown(hub: hub_folder.Hub, candidate: Path, claim: Statement, manifest: Manifest) -> bool:
    """Whether a statement says what the hub would show of a candidate now."""
    seen = (hash_of_review(hub, candidate), hash_of_changes(hub, candidate), hub.settings.approvers)
    parts = (claim.review, claim.changes, claim.approvers)
    return claim.is_about(manifest, digest(candidate)) and parts == seen


def publish_due(hub: hub_folder.Hub, now: datetime | None = None) -> Path | None:
    """Publish the candidate that waits, if its day has come; for a clock to ask.

    Args:
        now: with its time zone; default: the clock.

    Returns:
        The folder of the release, None where nothing is due.

    Raises:
        HubError: as :func:`publish` and :func:`may_publish`.
    """
    version, now = hub_folder.waiting_version(hub), now or datetime.now(UTC)
    if version is None or publication(hub, hub.candidates / version, now).state != "due":
        return None
    with hub.lock(), hub_folder.noted(hub, "publish", version=version):
        return publish(hub, hub.candidates / version, now)


def publish(hub: hub_folder.Hub, candidate: Path, now: datetime | None = None) -> Path:
    """Move an approved candidate to the releases.

    Raises:
        ReleaseError: it was made before somebody withdrew, its answer is published under another
            version, its day has not come, somebody holds it back, or it may not be published.
    """
    if not may_publish(hub, candidate, now) and not Approvals.read(candidate).missing:
        raise error("not-yet", file=candidate, version=printable(candidate.name))
    released = move(candidate, hub.releases, approvers(hub))
    statements.hold_file(candidate).unlink(missing_ok=True)
    note_published(hub)
    return released


def may_approve_itself(hub: hub_folder.Hub) -> bool:
    """Whether the data are fictitious and the hub holds the two practice keys of hub.yaml."""
    keys, own = hub.settings.approvers, {role: hub.practice_key(role) for role in statements.ROLES}
    if keys is None or not hub.settings.invented:
        return False
    return all(p.is_file() and keys.keys(r) == (read_key(p).public,) for r, p in own.items())


def approve_practice(hub: hub_folder.Hub, candidate: Path) -> None:
    """Sign in both roles with the practice keys; each statement says that it is for practice."""
    approvals = Approvals.read(candidate)
    for role in approvals.missing:
        claim, _manifest = statement(hub, candidate, role)
        approvals = approvals.signed(claim, read_key(hub.practice_key(role)))
    approvals.write(candidate)


# --------------------------------------------------------------------------------------------------
# An approved candidate becomes a release.


def publish_release(hub: hub_folder.Hub) -> Step | None:
    """The candidate -> a release; None while it waits for a person or a day.

    See :mod:`ctdhub.hub.approvers`.
    """
    version = hub_folder.candidate_version(hub) or ""
    output, waits = hub.work / "release", hub.candidates / version
    published = (hub.releases / version / MANIFEST).is_file()
    if not published:
        here = publication(hub, waits, datetime.now(UTC))
        signed = not here.missing or may_approve_itself(hub)
        if not signed or here.state in ("held", "refused", "scheduled"):
            return None
    if hub_folder.released_version(hub) is None:
        shutil.rmtree(output, ignore_errors=True)  # the release it points to is gone

    def run(folder: Path) -> None:
        if not published:
            if may_approve_itself(hub):
                approve_practice(hub, waits)
            publish(hub, waits)
        note_published(hub)  # a kill may have come between the two
        (folder / ANSWER).write_text(json.dumps({"version": version}), "utf-8")

    return Step(
        name="release",
        inputs={
            Text("candidate"): hash_file((hub.releases / version if published else waits) / SUMS)
        },
        output=output,
        run=run,
        software=software(__name__),
    )
