"""What the worker looks after every minute, whatever anybody asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import DatabaseError

from ctdhub.core.errors import HubError
from ctdhub.desk.config import current
from ctdhub.desk.mail import tell_head_of_trail
from ctdhub.desk.models.people import Organisation
from ctdhub.desk.trail import append_trail
from ctdhub.desk.uploads.drawer import PaperDrawer
from ctdhub.desk.uploads.inbox import Inbox
from ctdhub.desk.worker.adoption import adopt
from ctdhub.desk.worker.approving import publish_when_due
from ctdhub.desk.worker.erasure import erase_due
from ctdhub.desk.worker.health import note_health
from ctdhub.desk.worker.identities import renew, renew_drawer
from ctdhub.desk.worker.retention import enforce, sweep_papers

log = logging.getLogger("ctdhub.desk")


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
    desk = current()
    renew(desk.hub, Inbox(desk.inbox), datetime.now(UTC).date(), desk.file.recovery)
    renew_drawer(desk.hub, PaperDrawer(desk.inbox), desk.file.recovery)


def _room() -> None:
    desk = current()
    size = desk.file.limits.kept_room
    inbox = Inbox(desk.inbox)
    for organisation in Organisation.objects.filter(lost=False):
        if size:
            inbox.reserve(str(organisation.id), size)
