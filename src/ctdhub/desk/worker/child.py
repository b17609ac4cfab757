"""The child that does one job: ``python -m ctdhub.desk.worker.child KEY``."""

from __future__ import annotations

import logging
import os
import sys
from uuid import UUID

from ctdhub.core.error_catalogue import as_json, error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text
from ctdhub.desk.jobs.process import bound_memory, end_with_parent

BUSY = "lock"
"""The rule of an error that says that another command holds the hub."""

log = logging.getLogger("ctdhub.desk")


def main(key: str) -> int:
    """Do a job; 0 if its row says what came of it, 1 if it died of something unforeseen."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    import django

    django.setup()
    from django.db import transaction

    from ctdhub.desk.jobs.lanes import MEMORY
    from ctdhub.desk.models.hub import Job
    from ctdhub.desk.worker.work import Work, ended, work_of

    job = Job.objects.get(id=UUID(key), state="running")
    bound_memory(MEMORY[job.lane])
    try:
        rows = work_of(job.what)(Work(job))
        with transaction.atomic():
            outcome = rows()
            if not ended(job, "done", outcome):
                raise RuntimeError("the job was ended by somebody else")
    except HubError as met:
        if met.rule == BUSY:
            _wait(job)
        else:
            ended(job, "failed", {"error": as_json(met)})
    except MemoryError:
        ended(job, "failed", {"error": as_json(error("job-memory"))})
    except Exception as met:
        log.error("job %s died", job.what, exc_info=met)  # type and place; never its words
        return 1
    return 0


def _wait(job: object) -> None:
    """The hub is busy: the job waits, and this start is none of its deaths."""
    from django.db.models import F

    from ctdhub.desk.models.hub import Job

    text = Text("Waiting: another command is writing to the hub.")
    Job.objects.filter(id=getattr(job, "id", None), state="running").update(
        state="waiting",
        attempts=F("attempts") - 1,
        progress={"text": text.as_json(), "share": None},
    )


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main(sys.argv[1]))
