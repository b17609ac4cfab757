"""What is destroyed of deliveries that ended: parts in the inbox, and what was opened of them."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from ctdhub.core.atomic import remove
from ctdhub.desk.config import current
from ctdhub.desk.models.deliveries import Delivery, DeliveryPart
from ctdhub.desk.uploads.inbox import Inbox
from ctdhub.desk.uploads.places import opened_folder
from ctdhub.desk.worker.work import Rows, Work


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
