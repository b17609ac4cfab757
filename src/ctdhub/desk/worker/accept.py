"""Acceptance: a checked delivery goes to ``contributions/``, and folder and rows are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from django.db import transaction
from django.utils import timezone

from ctdhub.build.hub import Hub, noted
from ctdhub.core import files
from ctdhub.core.errors import error
from ctdhub.core.i18n import Text
from ctdhub.desk.config import current
from ctdhub.desk.deliveries import computed_state
from ctdhub.desk.jobs import Rows, Work
from ctdhub.desk.mail import tell_organisation
from ctdhub.desk.models import Delivery, Organisation
from ctdhub.desk.uploads.inbox import kind_of, table_of
from ctdhub.desk.worker.check import CheckReport, examine
from ctdhub.desk.worker.identities import agreement_of, lay_rules
from ctdhub.desk.worker.retention import destroyed

# --------------------------------------------------------------------------------------------------
# Acceptance: the table of a checked delivery goes to ``contributions/``, then its row is set.
#
# The file has its delivery's key as name.  A kill between the two leaves a file that says which
# delivery was accepted; the next start of the job, or the scan, sets the row.


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
            files.sync(place.parent.parent)
            lay_rules(hub, who, day, source)
            files.sweep(place.parent)
            files.write_whole(place, source.read_bytes())
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


# --------------------------------------------------------------------------------------------------
# Adoption: folder and rows compared, so that the command line and the desk may each act first.
#
# A file without a row becomes a row "by the command line"; a row without its file is lost until the
# file is back.  A file that has a delivery's key as its name is of that delivery, whatever its row
# says: the folder is the truth.


@dataclass(frozen=True)
class FolderFile:
    """A file of ``contributions/``: whose, of which day, SHA-256, and the key that is its name."""

    organisation: str
    day: str
    path: Path
    sha256: str

    @property
    def key(self) -> UUID | None:
        """The key of a delivery, if the file has one as its name."""
        stem = self.path.stem
        if len(stem) == 32 and set(stem) <= set("0123456789abcdef"):
            return UUID(stem)
        return None


def adopt() -> dict[str, int]:
    """Compare folder and rows once; gives how many rows were made, lost and found again.

    Raises:
        HubError: the folder holds what no hub folder may.
    """
    hub = Hub(current().hub)
    organisations(hub)
    files = list(_files(hub))
    gone = hub.withdrawn().contributors
    done = {"adopted": 0, "lost": 0, "found": 0, "accepted": 0}
    rows = {row.id: row for row in Delivery.objects.exclude(state="receiving")}
    held: set[UUID] = set()
    for file in files:
        row = _row_of(file, rows)
        if row is None:
            row = _adopted(file)
            rows[row.id] = row
            done["adopted"] += 1
        held.add(row.id)
    for row in rows.values():
        state, lost = computed_state(
            str(row.state), row.id in held, str(row.organisation_id) in gone
        )
        if state == "accepted" and row.state == "checked":  # killed between file and row
            day = next(f.day for f in files if f.key == row.id)
            with transaction.atomic():
                set_accepted(row, day)
            done["accepted"] += 1
        elif (state, lost) != (row.state, row.lost):
            Delivery.objects.filter(id=row.id, state=row.state).update(
                state=state, lost=lost, changed=timezone.now()
            )
            done["lost" if lost else "found"] += 1
    return done


def organisations(hub: Hub) -> None:
    """A row for each agreement; the file is the truth."""
    known = {row.id: row for row in Organisation.objects.all()}
    seen = set()
    for path in sorted((hub.root / "contributors").glob("*.yaml")):
        seen.add(path.stem)
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        row = known.get(path.stem)
        if row is None or row.agreement_sha256 != digest or row.lost:
            found = {"agreement_sha256": digest, "lost": False, **_stated(content, path.stem)}
            Organisation.objects.update_or_create(id=path.stem, defaults=found)
    Organisation.objects.exclude(id__in=seen).filter(lost=False).update(lost=True)


def _stated(content: bytes, stem: str) -> dict[str, object]:
    """Name, last day and retention, as far as the file can be read; a fault of it is the hub's."""
    from datetime import date

    try:
        found = yaml.safe_load(content)
    except yaml.YAMLError:
        found = None
    found = found if isinstance(found, dict) else {}
    ends, months = found.get("ends"), found.get("keep_months")
    return {
        "name": str(found.get("name") or stem)[:200],
        "ends": ends if type(ends) is date else None,
        "keep_months": months if type(months) is int and 0 < months <= 600 else None,
    }


def _files(hub: Hub) -> Iterator[FolderFile]:
    for given in hub.received():
        yield FolderFile(given.contributor, given.date, given.file, given.sha256)


def _row_of(file: FolderFile, rows: dict[UUID, Delivery]) -> Delivery | None:
    named = rows.get(file.key) if file.key else None
    if (
        named is not None
        and named.organisation_id == file.organisation
        and file.sha256 in named.summary.get("files", [])
    ):
        return named
    place = (file.organisation, file.day, file.sha256)
    for row in rows.values():
        if row.account_id is None and (row.organisation_id, row.day, row.sha256) == place:
            return row
    return None


def _adopted(file: FolderFile) -> Delivery:
    made: Delivery = Delivery.objects.create(
        organisation_id=file.organisation,
        state="accepted",
        kind=kind_of(file.path.name) or "",
        sha256=file.sha256,
        bytes=file.path.stat().st_size,
        day=file.day,
        summary={"files": [file.sha256]},
    )
    return made
