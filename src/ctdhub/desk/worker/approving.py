"""Jobs of approval: each is checked again here, whatever the web process has checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from ctdhub.build import may_publish
from ctdhub.build.approvers import accept_change
from ctdhub.build.draw_site import draw_site
from ctdhub.build.hub import Hub
from ctdhub.build.stages import approve as stage
from ctdhub.build.versions import waiting_version
from ctdhub.core.error_catalogue import error
from ctdhub.desk.config import current
from ctdhub.desk.jobs.queue import enqueue
from ctdhub.desk.models.hub import Job
from ctdhub.desk.worker.work import Rows, Work
from ctdhub.release.approvals import Approval, refuse_late
from ctdhub.release.approver_changes import SignedChange
from ctdhub.release.approvers import Role
from ctdhub.release.holds import SignedLift

_AGAIN = timedelta(hours=1)


def give(work: Work) -> Rows:
    """Put a signed statement to its candidate; publish if nothing waits any more."""
    hub, given = _hub(), work.job.given
    signed = Approval.model_validate_json(given["signed"])
    _refuse_other(work.job, signed.statement.role)
    refuse_late(signed.statement.date, datetime.fromisoformat(given["arrived"]))
    release = stage.accept(hub, stage.waiting(hub, signed.statement.version), signed)
    return lambda: _published(release is not None, signed.statement.version)


def change(work: Work) -> Rows:
    """Write down a signed change of approvers."""
    given = work.job.given
    signed = SignedChange.model_validate_json(given["signed"])
    _refuse_other(work.job, signed.change.role)
    refuse_late(signed.change.date, datetime.fromisoformat(given["arrived"]))
    accept_change(_hub(), signed)
    return lambda: {"line": signed.change.number}


def hold(work: Work) -> Rows:
    """Hold a candidate back, or refuse it."""
    hub, given = _hub(), work.job.given
    role: Role = given["role"]
    _refuse_other(work.job, role)
    candidate = stage.waiting(hub, given["version"])
    may_publish.hold(hub, candidate, role, given["reason"], refuse=given["act"] == "refuse")
    return lambda: {"version": candidate.name}


def lift(work: Work) -> Rows:
    """Take back a hold, as its role signed."""
    hub, given = _hub(), work.job.given
    signed = SignedLift.model_validate_json(given["signed"])
    _refuse_other(work.job, signed.lift.role)
    refuse_late(signed.lift.date, datetime.fromisoformat(given["arrived"]))
    candidate = stage.waiting(hub, signed.lift.version)
    may_publish.lift(hub, candidate, signed)
    return lambda: {"version": candidate.name}


def publish(work: Work) -> Rows:
    """Publish the candidate whose day has come; nothing else."""
    release = stage.publish_due(_hub())
    return lambda: _published(release is not None, release.name if release else "")


def site(work: Work) -> Rows:
    """Let the site show what is published."""
    draw_site(_hub())
    return lambda: {}


def publish_when_due() -> None:
    """Put in the job that publishes the candidate whose day has come; for the rounds of the worker.

    One job a version and hour: what cannot be published now is not tried every minute.
    """
    hub, now = _hub(), timezone.now()
    version = waiting_version(hub)
    if version is None:
        return
    if may_publish.publication(hub, hub.candidates / version, now).state != "due":
        return
    tried = Job.objects.filter(what="publish", thing=version, created__gt=now - _AGAIN)
    if not tried.exists():
        enqueue("publish", "build", thing=version)


def _published(published: bool, version: str) -> dict[str, Any]:
    """The outcome; a release that is out is shown by the site, which is a job of its own."""
    if published:
        enqueue("site", "build", thing=version)
    return {"published": published, "version": version}


def _hub() -> Hub:
    return Hub(current().hub)


def _refuse_other(job: Any, role: str) -> None:
    """Refuse what comes for an account that does not hold the role now."""
    account = job.account
    if account is None or not account.is_active or role not in account.who().roles:
        raise error("approval/role")
