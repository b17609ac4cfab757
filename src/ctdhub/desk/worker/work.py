"""What jobs do, by name.  A job reads and writes files first, then says what its rows become.

What a piece of work gives back is called in the transaction in which the job ends, so that rows
and job are of one mind whenever a worker is killed; what it did to files before must bear to be
done again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from ctdhub.core.i18n import Text
from ctdhub.desk.models.hub import Job

Rows = Callable[[], dict[str, Any]]
"""Sets rows; gives the job's outcome as JSON: counts, codes and Texts."""

_SAY_EVERY = 1.0


class Work:
    """A job that runs.

    Attributes:
        job: its row.
    """

    def __init__(self, job: Job) -> None:
        self.job, self._said = job, 0.0

    def say(self, text: Text, share: float | None = None) -> None:
        """Tell how far it is, once a second at most.

        Args:
            share: of the whole, from 0 to 1.
        """
        if time.monotonic() - self._said < _SAY_EVERY:
            return
        self._said = time.monotonic()
        progress = {"text": text.as_json(), "share": share}
        Job.objects.filter(id=self.job.id, state="running").update(progress=progress)


def work_of(what: str) -> Callable[[Work], Rows]:
    """The function of a job.

    Raises:
        KeyError: there is no such job.
    """
    from ctdhub.desk.worker import accept, check, hub_jobs, retention
    from ctdhub.desk.worker.hub_jobs import JOBS

    return {
        "check": check.check,
        "accept": accept.accept,
        "destroy": retention.destroy,
        "tell": hub_jobs.tell,
        "approve": hub_jobs.give_approval,
        "change_keys": hub_jobs.change_approvers,
        "hold": hub_jobs.hold,
        "lift": hub_jobs.lift,
        "publish": hub_jobs.publish,
        "site": hub_jobs.site,
        **JOBS,
    }[what]


def ended(job: Job, state: str, outcome: dict[str, Any]) -> bool:
    """Set a running job to its end; false if it is not running any more."""
    return bool(
        Job.objects.filter(id=job.id, state="running").update(
            state=state, outcome=outcome, progress=None, ended=timezone.now()
        )
    )
