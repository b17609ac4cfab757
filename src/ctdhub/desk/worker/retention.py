"""What is not kept any longer: unfinished uploads, ended and expired deliveries, old identities."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from ctdhub.build.hub import FOLDER, Hub
from ctdhub.core.files import remove
from ctdhub.desk.config import current
from ctdhub.desk.deliveries import NOTICE, TOLD, day_of, due_on, end_of_notice, erased_on
from ctdhub.desk.jobs import Rows, Work, enqueue
from ctdhub.desk.mail import tell_data_officers, tell_organisation, tell_stewards
from ctdhub.desk.models import Delivery, DeliveryPart, Job, Paper
from ctdhub.desk.uploads.inbox import Inbox, PaperDrawer, opened_folder
from ctdhub.desk.worker.identities import destroy_months

# --------------------------------------------------------------------------------------------------
# Accepted deliveries whose time is over: people are told a month ahead, then they are withdrawn.
#
# An erasure goes the way of every withdrawal of a delivery: a line of the register, then the file,
# so that no candidate with it is published.  A file that the hub adopted late, or whose agreement
# became shorter, still has its month of notice.

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


# --------------------------------------------------------------------------------------------------
# What is destroyed of deliveries that ended: parts in the inbox, and what was opened of them.


def destroy(work: Work) -> Rows:
    """The job ``destroy``: bytes of a delivery that was withdrawn or replaced."""
    delivery = Delivery.objects.get(id=work.job.thing)
    if delivery.state not in ("withdrawn", "replaced"):
        return lambda: {}
    return lambda: destroyed(delivery)


def destroyed(delivery: Delivery) -> dict[str, Any]:
    """Delete the rows of a delivery's parts now, and its bytes once that is kept."""
    DeliveryPart.objects.filter(delivery=delivery).delete()
    key = delivery.id.hex
    transaction.on_commit(lambda: delete_bytes(key))
    return {}


def delete_bytes(key: str) -> None:
    """Delete what lies of a delivery outside of ``contributions/``; it may be done again."""
    desk = current()
    Inbox(desk.inbox).destroy(key)
    folder = opened_folder(desk.hub, key)
    if folder.is_dir():
        remove(folder)


# --------------------------------------------------------------------------------------------------
# What is not kept any longer: unfinished uploads, bytes of ended deliveries, old identities.
#
# And what a killed process left of a paper: one in clear, or ciphertext that has no row.

ENDED = ("accepted", "replaced", "withdrawn")
"""States in which nothing of a delivery is kept outside of ``contributions/``."""

CLEAR = ".paper-"
"""How folders below ``work/desk/`` begin in which a paper is in clear while it is opened."""
_AT_WORK = 3_600
"""Seconds for which what is there may be somebody's who is still at it."""


def enforce() -> dict[str, int]:
    """Delete what may not be kept any longer; gives how much of each there was."""
    desk, now = current(), timezone.now()
    done = {"unfinished": 0, "ended": 0, "old": 0, "months": 0}
    late = now - timedelta(hours=desk.file.limits.hours_to_finish)
    for row in Delivery.objects.filter(state="receiving", created__lt=late):
        with transaction.atomic():
            ended = Delivery.objects.filter(id=row.id, state="receiving").update(
                state="withdrawn", changed=now
            )
            if ended:
                destroyed(row)
                done["unfinished"] += 1
    old = now - timedelta(days=desk.file.limits.days_returned)
    for row in Delivery.objects.filter(state__in=("returned", "refused"), changed__lt=old):
        if DeliveryPart.objects.filter(delivery=row).exists():
            with transaction.atomic():
                destroyed(row)
            done["old"] += 1
    inbox = Inbox(desk.inbox)
    states = {row.id.hex: row.state for row in Delivery.objects.all()}
    for key in list(inbox.held()):
        if len(key) == 32 and states.get(key, "withdrawn") in ENDED:
            delete_bytes(key)
            done["ended"] += 1
    waiting = Delivery.objects.filter(parts__isnull=False).values_list("created", flat=True)
    done["months"] = len(destroy_months(desk.hub, waiting.distinct()))
    return done


def sweep_papers() -> int:
    """Delete what killed processes left of papers more than an hour ago; gives how many."""
    desk = current()
    drawer, done = PaperDrawer(desk.inbox), 0
    for folder in _left(desk.hub / "work" / FOLDER, f"{CLEAR}*"):
        remove(folder)
        done += 1
    left = {path.stem for path in _left(drawer.folder, f"{'[0-9a-f]' * 32}.age")}
    for key in left - {key.hex for key in Paper.objects.values_list("id", flat=True)}:
        drawer.remove(key)
        done += 1
    return done


def _left(folder: Path, pattern: str) -> Iterator[Path]:
    for path in list(folder.glob(pattern)):
        if path.lstat().st_mtime < time.time() - _AT_WORK:
            yield path
