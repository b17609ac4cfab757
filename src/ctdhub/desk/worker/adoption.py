"""Adoption: folder and rows compared, so that the command line and the desk may each act first.

A file without a row becomes a row "by the command line"; a row without its file is lost until the
file is back.  A file that has a delivery's key as its name is of that delivery, whatever its row
says: the folder is the truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import yaml
from django.db import transaction
from django.utils import timezone

from ctdhub.build.hub import Hub
from ctdhub.desk.config import current
from ctdhub.desk.deliveries import computed_state
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.models.people import Organisation
from ctdhub.desk.uploads.kinds import kind_of
from ctdhub.desk.worker.accept import set_accepted


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
