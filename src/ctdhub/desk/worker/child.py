"""The child that does one job; apart, for it is a process of its own:
``python -m ctdhub.desk.worker.child KEY``.
"""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from ctdhub.core.errors import HubError, error
from ctdhub.core.i18n import Text
from ctdhub.desk.processes import MEMORY, bound_memory, end_with_parent, log_unforeseen

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

    from ctdhub.desk.jobs import Work, ended
    from ctdhub.desk.worker.deliveries import stopped_as_kept

    try:
        refuse_stranger(job)
        rows = work_of(job.what)(Work(job))
        with transaction.atomic():
            if not ended(job, "done", rows()):
                raise RuntimeError("the job was ended by somebody else")
    except HubError as met:
        if met.rule == BUSY:
            _wait(job)
        else:
            ended(job, "failed", {"error": stopped_as_kept(met, _known(job))})
    except MemoryError:
        ended(job, "failed", {"error": stopped_as_kept(error("job-memory"))})


def _known(job: Any) -> frozenset[str]:
    """What the row of a job holds already."""
    return frozenset({job.thing, job.organisation_id or "", str(job.given.get("version", ""))})


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
    found: Callable[[Any], Callable[[], dict[str, Any]]] = getattr(module, what)
    return found


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
