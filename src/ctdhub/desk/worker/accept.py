"""Acceptance: the table of a checked delivery goes to ``contributions/``, then its row is set.

The file has its delivery's key as name.  A kill between the two leaves a file that says which
delivery was accepted; the next start of the job, or the scan, sets the row.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils import timezone

from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.core import atomic
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text
from ctdhub.desk.config import current
from ctdhub.desk.mail import tell_organisation
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.uploads.places import table_of
from ctdhub.desk.worker.agreements import agreement_of
from ctdhub.desk.worker.bundled import lay_rules
from ctdhub.desk.worker.check import CheckReport, examine
from ctdhub.desk.worker.ending import destroyed
from ctdhub.desk.worker.work import Rows, Work


def accept(work: Work) -> Rows:
    """The job ``accept``.

    Raises:
        HubError: the hub is busy (rule "lock"), the agreement has ended, the delivery has changed
            since it was checked, or an alarm is open (rule "delivery-open").
    """
    delivery = Delivery.objects.select_related("organisation").get(id=work.job.thing)
    desk = current()
    hub, who, key = Hub(desk.hub), str(delivery.organisation_id), delivery.id.hex
    day = f"{delivery.created:%Y-%m-%d}"
    place = table_of(desk.hub, key, delivery.kind, who, day)
    if delivery.state == "accepted":
        return lambda: {}
    if delivery.state != "checked":
        raise error("delivery-state")
    agreement_of(hub, who)
    if not place.exists():
        _still_right(delivery, work)
        source = table_of(desk.hub, key, delivery.kind)
        work.say(Text("Putting the file into the hub"))
        with hub.lock(), noted(hub, "accept", contributor=who, date=day):
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            atomic.sync(place.parent.parent)
            lay_rules(hub, who, day, source)
            atomic.sweep(place.parent)
            atomic.write_whole(place, source.read_bytes())
    return lambda: set_accepted(delivery, day)


def set_accepted(delivery: Delivery, day: str) -> dict[str, Any]:
    """The row of a delivery whose file is in the hub folder."""
    done = Delivery.objects.filter(id=delivery.id, state__in=("checked", "accepted")).update(
        state="accepted", day=day, lost=False, changed=timezone.now()
    )
    if done:
        destroyed(delivery)
        if delivery.state != "accepted":
            tell_organisation("accepted", delivery)
    return {"accepted": bool(done)}


def open_questions(summary: dict[str, Any]) -> list[str]:
    """Why a checked delivery cannot be accepted yet: codes, none if it can."""
    found = []
    if summary.get("mapping_missing"):
        found.append("mapping")
    if summary.get("stopped"):
        found.append("stopped")
    if any(not alarm["accepted"] for alarm in summary.get("alarms", [])):
        found.append("alarms")
    return found


def _still_right(delivery: Delivery, work: Work) -> None:
    """Check the table again by the mapping of now: what was decided since counts."""
    source = table_of(current().hub, delivery.id.hex, delivery.kind)
    if not source.is_file():
        raise error("delivery-parts")
    with source.open("rb") as content:
        now = hashlib.file_digest(content, "sha256").hexdigest()
    if now not in delivery.summary.get("files", []):
        raise error("delivery-hash")
    report = CheckReport(sha256=delivery.sha256)
    examine(delivery, source, report, work)
    if open_questions(report.summary):
        raise error("delivery-open")
