"""Accepted deliveries whose time is over: people are told a month ahead, then they are withdrawn.

An erasure goes the way of every withdrawal of a delivery: a line of the register, then the file, so
that no candidate with it is published.  A file that the hub adopted late, or whose agreement became
shorter, still has its month of notice.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from ctdhub.build.hub import Hub
from ctdhub.desk.config import current
from ctdhub.desk.jobs.queue import enqueue
from ctdhub.desk.kept_until import NOTICE, TOLD, day_of, due_on, end_of_notice, erased_on
from ctdhub.desk.mail import tell_data_officers, tell_organisation, tell_stewards
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.models.hub import Job

_AGAIN = timedelta(days=1)
"""A withdrawal that stopped is tried again so much later."""


def erase_due(today: date | None = None) -> dict[str, int]:
    """Tell of erasures that come, and put those in whose day has come.

    Args:
        today: the day of asking, in UTC.

    Returns:
        How many people were told of, and how many were put in.
    """
    now, done = today or timezone.now().date(), {"told": 0, "begun": 0}
    kept = Delivery.objects.filter(
        state="accepted", lost=False, organisation__keep_months__isnull=False
    ).select_related("organisation")
    for row in kept:
        due = due_on(day_of(row), row.organisation.keep_months)
        if due is None or now < due - NOTICE:
            continue
        told = row.summary.get(TOLD)
        if told is None or told["due"] != due.isoformat():
            _tell(row, now, due)
            done["told"] += 1
        elif (last := erased_on(row)) is not None and last <= now and not _at_it(row):
            enqueue("withdraw_delivery", "build", None, row, {"reason": "agreement"})
            done["begun"] += 1
    return done


def is_due(job: Any, today: date | None = None) -> bool:
    """Whether a job that nobody asked for is the erasure of a file whose time is over.

    The agreement in the hub folder says which day that is; a row alone, which the web process may
    write, does not.  People must have been told of this very day a month ago: an agreement that
    became shorter while the job waited gives them another month.

    Args:
        today: the day of asking, in UTC.
    """
    if job.what != "withdraw_delivery" or job.given.get("reason") != "agreement":
        return False
    row = Delivery.objects.filter(id=job.thing).first()
    if row is None:
        return False
    months = {one.id: one.keep_months for one in Hub(current().hub).agreements()}
    due = due_on(day_of(row), months.get(row.organisation_id))
    end = end_of_notice(row, due) if due is not None else None
    return due is not None and end is not None and max(due, end) <= (today or timezone.now().date())


def _tell(row: Delivery, now: date, due: date) -> None:
    with transaction.atomic():
        row = Delivery.objects.select_for_update().get(id=row.id)  # a withdrawal may be asked now
        row.summary[TOLD] = {"on": now.isoformat(), "due": due.isoformat()}
        row.save(update_fields=["summary", "changed"])
        for say in (tell_organisation, tell_data_officers, tell_stewards):
            say("erasure", row)


def _at_it(row: Delivery) -> bool:
    """Whether its withdrawal waits, runs, or stopped a short while ago."""
    jobs = Job.objects.filter(what="withdraw_delivery", thing=row.id.hex)
    since = timezone.now() - _AGAIN
    open_ = jobs.filter(state__in=("waiting", "running")).exists()
    return bool(open_ or jobs.filter(created__gt=since).exists())
