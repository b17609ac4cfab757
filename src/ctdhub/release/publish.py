"""Publish: an approved candidate becomes a release by one rename."""

from __future__ import annotations

from pathlib import Path

from ctdhub.core.atomic import sync
from ctdhub.core.error_catalogue import error
from ctdhub.release.approvals import APPROVALS, Approvals
from ctdhub.release.approvers import Approvers
from ctdhub.release.bundle import free
from ctdhub.release.verify import examine


def publish(candidate: Path, releases: Path, approvers: Approvers) -> Path:
    """Move ``candidates/<version>`` to ``releases/<version>``; a reader sees it there or not.

    Raises:
        ReleaseError: the candidate is damaged, lacks an approval or carries a false one; or the
            version was published before.
    """
    _manifest, problems = examine(candidate, approvers.model_copy(update={"former": ()}))
    if problems:
        first = problems[0]
        raise error(
            "not-publishable",
            file=candidate,
            rule=first.kind,
            version=candidate.name,
            first=first.text,
            part=first.file,
            approvals=APPROVALS,
        )
    if Approvals.read(candidate).missing:
        raise error("approval/missing", file=candidate, version=candidate.name)
    releases.mkdir(parents=True, exist_ok=True)
    target = free(releases, candidate.name)
    candidate.rename(target)
    sync(releases)
    sync(candidate.parent)
    return target
