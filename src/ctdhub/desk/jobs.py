"""Jobs: put in as a row, run in a child, ended with a row that says what came of it.

Work that takes longer than a page; the web process only puts jobs in and looks at them.
Not here: what a job does (``desk.worker``).
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import close_old_connections, transaction
from django.db.models import Q
from django.utils import timezone

from ctdhub.core.errors import as_json, error
from ctdhub.core.i18n import Text
from ctdhub.desk.allowed import Who
from ctdhub.desk.models import Job
from ctdhub.desk.processes import DEATHS, run_child

# --------------------------------------------------------------------------------------------------
# The register of jobs.


@dataclass(frozen=True)
class JobKind:
    """What a job does.

    Attributes:
        words: on its page.
        action: that it is, where somebody asks for it: the worker asks again whether they may.
            Approvals are checked by themselves.
        page: from which it was begun.
        reason: its row says why it stopped, though somebody asks for it.
    """

    words: Text
    action: str = ""
    page: str = "home"
    reason: bool = False

    @property
    def private(self) -> bool:
        """Whether the hub alone says why it stopped, to those who may know exact counts."""
        return bool(self.action) and not self.reason


JOBS = {
    "read": JobKind(Text("Reading the files"), "look.refresh", "looks"),
    "rehearse": JobKind(Text("Rehearsing on fictitious people"), "plan.rehearse", "plan"),
    "price": JobKind(Text("Finding the price"), "plan.price", "plan"),
    "build": JobKind(Text("Building the release"), "plan.build", "plan"),
    "agreement": JobKind(Text("Changing an agreement"), "agreement.write", "agreements"),
    "withdraw": JobKind(Text("Withdrawing a contributor"), "withdrawal.carry_out", "withdrawals"),
    "withdraw_delivery": JobKind(
        Text("Withdrawing a delivery"), "withdrawal.carry_out", "withdrawals"
    ),
    "told_find": JobKind(
        Text("Looking for the records of a report"), "withdrawal.tell", "withdrawals"
    ),
    "told_carry": JobKind(Text("Carrying out a withdrawal"), "withdrawal.carry_out", "withdrawals"),
    "hub_keys": JobKind(Text("Making the hub’s keys"), "key.make", "keys", reason=True),
    "confirm_key": JobKind(Text("Recording a sender’s key"), "key.confirm", "keys", reason=True),
    "end_key": JobKind(Text("Ending a sender’s key"), "key.end", "keys", reason=True),
    "accept_alarm": JobKind(Text("Accepting an alarm"), "alarm.accept", "looks"),
    "take_up": JobKind(Text("Taking a table into the policy"), "table.decide", "table"),
    "check": JobKind(Text("Checking a delivery")),
    "accept": JobKind(Text("Accepting a delivery"), "delivery.accept", reason=True),
    "approve": JobKind(Text("Recording an approval"), "", "approvals"),
    "change_keys": JobKind(Text("Recording a change of approvers")),
    "name_approvers": JobKind(Text("Naming approvers"), "approver.name", "approvers", reason=True),
    "hold": JobKind(Text("Holding a candidate back"), "", "approvals"),
    "lift": JobKind(Text("Taking a hold back"), "", "approvals"),
    "publish": JobKind(Text("Publishing a release"), "", "approvals"),
    "correct": JobKind(Text("Writing a notice"), "", "approvals", reason=True),
    "sign_notice": JobKind(Text("Recording an approval"), "", "approvals"),
    "cards": JobKind(Text("Drawing the pages of a candidate"), "", "approvals"),
    "site": JobKind(Text("Building the site"), "", "approvals"),
    "destroy": JobKind(Text("Destroying a delivery")),
    "tell": JobKind(Text("A job of the hub")),
}
"""Jobs by name; each is the function of that name in ``desk.worker``."""


def kind_of(job: Job) -> JobKind:
    """The entry of a job."""
    return JOBS.get(job.what, JOBS["tell"])


# --------------------------------------------------------------------------------------------------
# Putting jobs in: a row, in one transaction with what the job is about; it is the queue too.


def enqueue(
    what: str,
    lane: str,
    who: Who | None = None,
    thing: Any = "",
    arguments: dict[str, Any] | None = None,
    organisation: str | None = None,
) -> Job:
    """Put a job in, in the transaction in force.

    Args:
        what: one of ``desk.worker.child``.
        lane: "build" or "files".
        who: for whom; None for the clock.
        thing: a row of the hub's things, its key, or a version.
        arguments: keys, codes, hashes; no value of a case record and no name of a file.
        organisation: whose thing it is; that of the row, if None.
    """
    key = getattr(thing, "pk", thing)
    job: Job = Job.objects.create(
        what=what,
        lane=lane,
        account_id=UUID(who.account) if who and who.account else None,
        organisation_id=organisation or getattr(thing, "organisation_id", None),
        thing=str(getattr(key, "hex", key)),
        given=arguments or {},
    )
    return job


def ask_cancel(job: Job) -> None:
    """Ask for the end of a job; one that waits ends now, one that runs within a second."""
    Job.objects.filter(id=job.id, state="waiting").update(
        state="cancelled", cancel=True, ended=timezone.now()
    )
    Job.objects.filter(id=job.id, state="running").update(cancel=True)


# --------------------------------------------------------------------------------------------------
# Running a job in a child: counted deaths, cancelling, and a row that says what came of it.
#
# Only a worker that holds the job's lane calls this, so that a job that is said to be running is
# one whose worker died.

_CHILD = (sys.executable, "-m", "ctdhub.desk.worker.child")


def next_job(lane: str) -> UUID | None:
    """The job that whoever holds the lane does next, the oldest first; None where none is ready.

    One that is said to be running was left by a worker that died or was told to stop.
    """
    ready = Q(after=None) | Q(after__lte=timezone.now())
    ours = Job.objects.filter(ready, lane=lane, state__in=("waiting", "running"))
    key: UUID | None = ours.order_by("created").values_list("id", flat=True).first()
    return key


def run_job(key: UUID, command: tuple[str, ...] = _CHILD) -> None:
    """Run a job to its end, if it is not at its end already.

    Args:
        command: of the child; the job's key follows it.
    """
    if not _claimed(key):
        return
    _code, cancelled = run_child([*command, key.hex], lambda: _is_cancelled(key))
    close_old_connections()
    with transaction.atomic():
        job = Job.objects.select_for_update().get(id=key)
        if job.state != "running":  # at its end, or it waits since the hub is busy
            return
        if cancelled or job.cancel:
            _end(job, "cancelled")
        elif job.attempts >= DEATHS:
            _died(job)
        else:
            job.state = "waiting"
            job.save(update_fields=["state"])


def _claimed(key: UUID) -> bool:
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(id=key).first()
        if job is None or job.state not in ("waiting", "running"):
            return False
        if job.cancel:
            _end(job, "cancelled")
            return False
        if job.attempts >= DEATHS:
            _died(job)
            return False
        job.state, job.attempts = "running", job.attempts + 1
        job.save(update_fields=["state", "attempts"])
        return True


def _died(job: Job) -> None:
    job.outcome = {"error": as_json(error("job-died", n=DEATHS))}
    _end(job, "failed")


def _end(job: Job, state: str) -> None:
    job.state, job.ended, job.progress = state, timezone.now(), None
    job.save(update_fields=["state", "ended", "progress", "outcome"])


def _is_cancelled(key: UUID) -> bool:
    return bool(Job.objects.filter(id=key, cancel=True).exists())


# --------------------------------------------------------------------------------------------------
# A job that runs: it reads and writes files first, then says what its rows become.
#
# What a piece of work gives back is called in the transaction in which the job ends, so that rows
# and job are of one mind whenever a worker is killed; what it did to files before must bear to be
# done again.

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


def ended(job: Job, state: str, outcome: dict[str, Any]) -> bool:
    """Set a running job to its end; false if it is not running any more."""
    return bool(
        Job.objects.filter(id=job.id, state="running").update(
            state=state, outcome=outcome, progress=None, ended=timezone.now()
        )
    )
