"""What is not kept any longer: unfinished uploads, bytes of ended deliveries, old identities."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from ctdhub.desk.config import current
from ctdhub.desk.models.deliveries import Delivery, DeliveryPart
from ctdhub.desk.uploads.inbox import Inbox
from ctdhub.desk.worker.ending import delete_bytes, destroyed
from ctdhub.desk.worker.identities import destroy_months

ENDED = ("accepted", "replaced", "withdrawn")
"""States in which nothing of a delivery is kept outside of ``contributions/``."""


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
