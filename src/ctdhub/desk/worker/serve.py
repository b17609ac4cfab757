"""A worker: it holds one lane, does its jobs one after the other; the lane "files" also looks
after the rounds.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, OperationalError, close_old_connections

from ctdhub.core import files
from ctdhub.core.errors import HubError
from ctdhub.desk.config import current
from ctdhub.desk.health import FILE
from ctdhub.desk.jobs import next_job, run_job
from ctdhub.desk.mail import tell_head_of_trail
from ctdhub.desk.models import Job, Organisation, OutgoingMail, TrailEvent
from ctdhub.desk.processes import lane
from ctdhub.desk.trail import append_trail
from ctdhub.desk.trail_file import read_trail
from ctdhub.desk.uploads.inbox import Inbox, PaperDrawer
from ctdhub.desk.worker.deliveries import adopt, enforce, erase_due, sweep_papers
from ctdhub.desk.worker.hub_jobs import draw_cards, publish_when_due
from ctdhub.desk.worker.identities import PAPERS, renew
from ctdhub.hub.folder import Hub
from ctdhub.hub.paid import check_paid

# --------------------------------------------------------------------------------------------------
# A worker: it holds one lane, does its jobs one after the other, and the lane "files" the rounds.
#

log = logging.getLogger("ctdhub.desk")

_LOOK_EVERY = 0.5
_ROUND_EVERY = 60.0


def serve(name: str, *, once: bool = False) -> None:
    """Hold a lane and work on it until the process is ended.

    Args:
        name: "files" or "build".
        once: do what waits, and end.

    Raises:
        HubError: another worker holds the lane, or another folder took the place of the hub's
            (rule "lane-taken").
    """
    with lane(current().folder, name) as check:
        last = -_ROUND_EVERY
        while True:
            check()
            if name == "files" and time.monotonic() - last >= _ROUND_EVERY:
                make_rounds()
                last = time.monotonic()
            job = None
            try:
                if job := next_job(name):
                    run_job(job)
            except OperationalError as met:  # the database is busy or away: look again
                log.error("worker %s: %s", name, type(met).__name__)
                time.sleep(_LOOK_EVERY)
            close_old_connections()
            if once and not job:
                return
            if not job:
                time.sleep(_LOOK_EVERY)


def main(name: str) -> int:
    """Serve until the process is ended, or the lane is another's."""
    try:
        serve(name)
    except HubError as met:
        log.error("worker %s: %s", name, met.rule)
        return 2
    return 0


# --------------------------------------------------------------------------------------------------
# What the worker knows of the hub's health and the web process may not look at itself.
#
# It is a small file in ``desk/``: times, sizes and yes or no, never a count of people.


def note_health() -> None:
    """Write what is so now; the page and the probes read it until it is too old.

    Raises:
        OSError: the folder cannot be read or written.
    """
    desk = current()
    space = os.statvfs(desk.hub)
    figures = {
        "time": datetime.now(UTC).timestamp(),
        "free_bytes": space.f_bavail * space.f_frsize,
        "ledger": _holds(lambda: check_paid(Hub(desk.hub))),
        "trail": _holds(lambda: all(read_trail(desk.trail))),
        **_rows(),
    }
    files.write_whole(desk.folder / FILE, json.dumps(figures).encode("ascii"), mode=0o644)


def _rows() -> dict[str, object]:
    """Ages and numbers that need all rows, which the web process does not see."""
    waiting = Job.objects.filter(state="waiting").order_by("created").first()
    since = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    failed = TrailEvent.objects.filter(
        action="account.sign_in", outcome__in=("denied", "failed"), time__gte=since
    )
    return {
        "job_since": waiting.created.timestamp() if waiting else None,
        "mail_stuck": OutgoingMail.objects.filter(sent=None, attempts__gt=2).exists(),
        "sign_ins_failed": failed.count(),
    }


def _holds(check: Callable[[], object]) -> str:
    """The rule that a check breaks, "" if none."""
    try:
        check()
    except HubError as met:
        return str(met.rule)
    return ""


# --------------------------------------------------------------------------------------------------
# What the worker looks after every minute, whatever anybody asks for.


def make_rounds() -> list[str]:
    """Identity of the month, room for each organisation, adoption, retention, papers, the trail.

    Returns:
        Names of what went wrong; the rest was done, and each is tried again in a minute.
    """
    rounds: dict[str, Callable[[], object]] = {
        "inbox": _inbox,
        "adoption": adopt,
        "room": _room,
        "retention": enforce,
        "papers": sweep_papers,
        "erasure": erase_due,
        "publish": publish_when_due,
        "cards": draw_cards,
        "trail": lambda: append_trail(current().trail),
        "head": tell_head_of_trail,
        "health": note_health,
    }
    failed = []
    for name, do in rounds.items():
        try:
            do()
        except HubError as met:
            log.error("round %s: %s", name, met.rule)
            failed.append(name)
        except (OSError, DatabaseError) as met:
            log.error("round %s: %s", name, type(met).__name__)
            failed.append(name)
    return failed


def _inbox() -> None:
    desk, of_month = current(), f"inbox-{datetime.now(UTC):%Y-%m}.key"
    renew(desk.hub, Inbox(desk.inbox), of_month, desk.file.recovery)
    renew(desk.hub, PaperDrawer(desk.inbox), PAPERS, desk.file.recovery)


def _room() -> None:
    desk = current()
    size = desk.file.limits.kept_room
    inbox = Inbox(desk.inbox)
    for organisation in Organisation.objects.filter(lost=False):
        if size:
            inbox.reserve(str(organisation.id), size)
