"""What is not kept any longer: unfinished uploads, bytes of ended deliveries, old identities.

And what a killed process left of a paper: one in clear, or ciphertext that has no row.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from ctdhub.build.desk_files import FOLDER
from ctdhub.core.atomic import remove
from ctdhub.desk.config import current
from ctdhub.desk.models.deliveries import Delivery, DeliveryPart
from ctdhub.desk.models.hub import Paper
from ctdhub.desk.uploads.drawer import PaperDrawer
from ctdhub.desk.uploads.inbox import Inbox
from ctdhub.desk.worker.ending import delete_bytes, destroyed
from ctdhub.desk.worker.identities import destroy_months

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
