"""The child that does one job; apart, for it is a process of its own:
``python -m ctdhub.desk.worker.child KEY``.
"""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from ctdhub.core.errors import HubError, as_json, error
from ctdhub.core.i18n import Text
from ctdhub.desk.config import current
from ctdhub.desk.processes import MEMORY, bound_memory, end_with_parent, log_unforeseen
from ctdhub.hub.folder import Hub, keep

BUSY = "lock"
"""The rule of an error that says that another command holds the hub."""
AGAIN = timedelta(seconds=5)
"""When a job looks again whether the hub is free."""


def main(key: str) -> int:
    """Do a job; its row says what came of it, unless the process dies of something unforeseen."""
    sys.excepthook = log_unforeseen
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    import django

    django.setup()
    from ctdhub.desk.models import Job

    job = Job.objects.get(id=UUID(key), state="running")
    bound_memory(MEMORY[job.lane])
    do(job)
    return 0


def do(job: Any) -> None:
    """Do a job that is running; what its rows become is kept together with its end."""
    from django.db import transaction

    from ctdhub.desk.jobs import ended
    from ctdhub.desk.worker.deliveries import stopped_as_kept

    known = frozenset({job.thing, job.organisation_id or "", str(job.given.get("version", ""))})
    try:
        refuse_stranger(job)
        rows = _worked(job)
        with transaction.atomic():
            if not ended(job, "done", rows()):
                raise RuntimeError("the job was ended by somebody else")
    except HubError as met:
        if met.rule == BUSY:
            _wait(job)
        else:
            ended(job, "failed", {"error": stopped_as_kept(met, known)})
    except MemoryError:
        ended(job, "failed", {"error": stopped_as_kept(error("job-memory"))})


def _worked(job: Any) -> Callable[[], dict[str, Any]]:
    """What a job makes of its rows.

    Raises:
        HubError: it stopped; of a private one the reason is in the hub folder, where the pages of
            those who may know it read it, and the error names the rule alone.
    """
    from ctdhub.desk.jobs import Work, kind_of

    try:
        return work_of(job.what)(Work(job))
    except HubError as met:
        if met.rule == BUSY or not kind_of(job).private:
            raise
        keep(Hub(current().hub), f"stopped-{job.id.hex}.json", as_json(met))
        raise error("desk-stopped", name=met.rule or "error") from None


def work_of(what: str) -> Callable[[Any], Callable[[], dict[str, Any]]]:
    """The function of a job, which has its name.

    Raises:
        KeyError: there is no such job.
    """
    from ctdhub.desk.jobs import JOBS
    from ctdhub.desk.worker import deliveries, hub_jobs

    if what not in JOBS:
        raise KeyError(what)
    module = deliveries if what in ("accept", "check", "destroy") else hub_jobs
    work: Callable[[Any], Callable[[], dict[str, Any]]] = getattr(module, what)
    return work


def refuse_stranger(job: Any) -> None:
    """The worker asks again whether whoever asked may: an account may be closed, a web conquered.

    Raises:
        HubError: nobody asked and its time has not come, or an account that may not, or not any
            more (rule "approval/role").
    """
    from ctdhub.desk.allowed import VISITOR, allowed
    from ctdhub.desk.jobs import kind_of
    from ctdhub.desk.trail import record
    from ctdhub.desk.worker.deliveries import is_due

    action, account = kind_of(job).action, job.account
    if not action:
        return
    if account is None and is_due(job):
        record(VISITOR, f"job.{job.what}", job.thing)
        return
    if account is None or not account.is_active or not allowed(account.who(), action):
        raise error("approval/role")
    record(account.who(), f"job.{job.what}", job.thing)  # from here, whatever the web writes


def _wait(job: Any) -> None:
    """The hub is busy: the job waits, and this start is none of its deaths."""
    from django.db.models import F
    from django.utils import timezone

    from ctdhub.desk.models import Job

    text = Text("Waiting: another command is writing to the hub.")
    Job.objects.filter(id=job.id, state="running").update(
        state="waiting",
        after=timezone.now() + AGAIN,
        attempts=F("attempts") - 1,
        progress={"text": text.as_json(), "share": None},
    )


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main(sys.argv[1]))
