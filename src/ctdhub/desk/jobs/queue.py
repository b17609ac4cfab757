"""Putting jobs in: a row that is the truth, and a task that carries it to a worker of its lane.

Both are written in one transaction with what the job is about.  The task holds the job's key and
nothing else; a second task of the same job finds it done.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from ctdhub.desk.allowed import Who
from ctdhub.desk.models.hub import Job


@task(queue_name="files")
def carry(job: str) -> None:
    """What a worker calls: the job with this key is run in a child."""
    from ctdhub.desk.jobs.runner import run_job

    run_job(UUID(job))


def enqueue(
    what: str,
    lane: str,
    who: Who | None = None,
    thing: Any = "",
    given: dict[str, Any] | None = None,
    organisation: str | None = None,
) -> Job:
    """Put a job in, in the transaction in force.

    Args:
        what: one of ``desk.worker.work``.
        lane: "build" or "files".
        who: for whom; None for the clock.
        thing: a row of the hub's things, its key, or a version.
        given: arguments: keys, codes, hashes; no value of a case record and no name of a file.
        organisation: whose thing it is; that of the row, if None.
    """
    key = getattr(thing, "pk", thing)
    with transaction.atomic():
        job: Job = Job.objects.create(
            what=what,
            lane=lane,
            account_id=UUID(who.account) if who and who.account else None,
            organisation_id=organisation or getattr(thing, "organisation_id", None),
            thing=str(getattr(key, "hex", key)),
            given=given or {},
        )
        send(job)
    return job


def send(job: Job, after: timedelta | None = None) -> None:
    """Let a worker take a waiting job, at once or later."""
    later = timezone.now() + after if after else None
    carry.using(queue_name=job.lane, run_after=later).enqueue(job.id.hex)


def ask_cancel(job: Job) -> None:
    """Ask for the end of a job; one that waits ends now, one that runs within a second."""
    Job.objects.filter(id=job.id, state="waiting").update(
        state="cancelled", cancel=True, ended=timezone.now()
    )
    Job.objects.filter(id=job.id, state="running").update(cancel=True)
