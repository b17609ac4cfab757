"""What the worker knows of the hub's health and the web process may not look at itself.

It is a small file in ``desk/``: times, sizes and yes or no, never a count of people.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ctdhub.build.hub import Hub
from ctdhub.build.paid import check_paid
from ctdhub.core import atomic
from ctdhub.core.errors import HubError
from ctdhub.desk.config import current
from ctdhub.desk.health import FILE
from ctdhub.desk.models.hub import Job, OutgoingMail
from ctdhub.desk.models.trail import TrailEvent
from ctdhub.desk.trail_file import last_line


def note_health() -> None:
    """Write what is so now; the page and the probes read it until it is too old.

    Raises:
        OSError: the folder cannot be read or written.
    """
    desk = current()
    space = os.statvfs(desk.hub)
    found = {
        "time": datetime.now(UTC).timestamp(),
        "free_bytes": space.f_bavail * space.f_frsize,
        "ledger": _holds(lambda: check_paid(Hub(desk.hub))),
        "trail": _holds(lambda: last_line(desk.trail)),
        **_rows(),
    }
    atomic.write_whole(desk.folder / FILE, json.dumps(found).encode("ascii"), mode=0o644)


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
