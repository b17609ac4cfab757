"""The check of a delivery: opened, read and harmonised as a build would, and a report of counts.

Whoever sent it and the data officers see what it found; nothing of what it looks at is of another
contributor.  The report is in rows, without any text of the file; the cells themselves are read
from the file whenever somebody asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctdhub.build.hub import Hub
from ctdhub.build.rules import policy
from ctdhub.build.settings import Agreement
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text
from ctdhub.core.tabular import ROW
from ctdhub.core.text import fold
from ctdhub.desk.config import current
from ctdhub.desk.mail import tell_data_officers, tell_organisation
from ctdhub.desk.models.deliveries import Delivery, DeliveryFinding, DeliveryPart
from ctdhub.desk.uploads.inbox import Inbox, StoredPart
from ctdhub.desk.uploads.kinds import BUNDLE
from ctdhub.desk.uploads.places import opened_folder, table_name
from ctdhub.desk.worker.agreements import agreement_of
from ctdhub.desk.worker.bundled import rules_of, unpack
from ctdhub.desk.worker.identities import identities
from ctdhub.desk.worker.kept import error_as_kept, named_by, text_as_kept
from ctdhub.desk.worker.opening import join
from ctdhub.desk.worker.work import Rows, Work
from ctdhub.sensitive.alarms.alarm import AlarmLimits
from ctdhub.sensitive.alarms.delivered import ReadDelivery
from ctdhub.sensitive.alarms.ring import ring
from ctdhub.sensitive.ingest.headers import letter
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import reason_of
from ctdhub.sensitive.linkage.shared_keys import births_apart
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.result import Harmonised
from ctdhub.sensitive.mapping.run import harmonise

CELLS = 20
"""Cells that are kept of one kind of fault in one column; the number says how many there are."""
_MOST_FINDINGS = 2000


@dataclass
class CheckReport:
    """What a check found.

    Attributes:
        state: "checked", or "refused" where nothing of it can be read.
        sha256: of the whole.
        mapping, agreement: SHA-256 of the files that it was checked by, "" without one.
        summary: counts and Texts.
        findings: fields of ``DeliveryFinding``.
    """

    state: str = "checked"
    sha256: str = ""
    mapping: str = ""
    agreement: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)


def check(work: Work) -> Rows:
    """The job ``check``: a delivery that was received becomes checked or refused."""
    delivery = Delivery.objects.get(id=work.job.thing)
    if delivery.state not in ("received", "checked", "refused"):
        return lambda: {}
    report = CheckReport(sha256=delivery.sha256)
    try:
        refuse_second_correction(delivery)
        work.say(Text("Opening the file"))
        table = opened(delivery, report)
        work.say(Text("Reading the file"))
        examine(delivery, table, report, work)
    except HubError as met:
        report.state = "refused"
        report.summary = {"refused": error_as_kept(met), **_files(report)}
        report.findings = []
    return lambda: _set(delivery, report)


def refuse_second_correction(delivery: Delivery) -> None:
    """Of two files that correct the same delivery the one that was begun first counts.

    Raises:
        HubError: another one has taken its place already (rule "upload-replaces").
    """
    if delivery.replaces_id is None:
        return
    others = Delivery.objects.filter(
        replaces_id=delivery.replaces_id, created__lt=delivery.created
    ).exclude(state__in=("receiving", "withdrawn", "refused"))
    if others.exists():
        raise error("upload-replaces")


def opened(delivery: Delivery, report: CheckReport) -> Path:
    """Join the parts of a delivery and lay its table open on the hub's own volume.

    Raises:
        HubError: it is not what was announced, or a bundle that is refused.
    """
    desk, key = current(), delivery.id.hex
    hub = Hub(desk.hub)
    hub.work.mkdir(mode=0o700, exist_ok=True)
    folder = opened_folder(desk.hub, key)
    whole = folder / f"{key}.{delivery.kind}"
    rows = DeliveryPart.objects.filter(delivery=delivery).order_by("offset")
    report.sha256 = join(
        Inbox(desk.inbox),
        key,
        [(StoredPart(row.offset, row.sha256), row.bytes) for row in rows],
        identities(desk.hub),
        whole,
        (delivery.bytes, delivery.sha256),
    )
    table = folder / table_name(key, delivery.kind)
    if delivery.kind == BUNDLE:
        unpack(hub, str(delivery.organisation_id), whole, table)
    return table


def examine(delivery: Delivery, table: Path, report: CheckReport, work: Work | None = None) -> None:
    """Read and harmonise a table as a build would, and write down what was found.

    Raises:
        HubError: the table cannot be read within the limits of its size.
    """
    hub, who, day = (
        Hub(current().hub),
        str(delivery.organisation_id),
        f"{delivery.created:%Y-%m-%d}",
    )
    agreement, report.agreement = agreement_of(hub, who)
    report.summary = _files(report, table)
    before = Delivery.objects.filter(
        organisation_id=who, state="accepted", sha256=report.sha256
    ).exclude(id=delivery.id)
    if before.exists():
        report.summary["repeats"] = True
    try:
        rules_file = rules_of(hub, who, day, table)
        mapping = load_mapping(rules_file)
    except HubError as met:
        raw = read_isolated(table)
        report.summary |= {"rows": raw.rows_read, "mapping_missing": True}
        report.findings = [_fault(met, {})]
        return
    report.mapping = hashlib.sha256(rules_file.read_bytes()).hexdigest()
    raw = read_isolated(table, mapping.read)
    letters = named_by(mapping.needed()) | _letters(raw)
    if work:
        work.say(Text("Checking each row"))
    try:
        done = harmonise(raw, mapping, who, policy(hub).years, hub.person_key())
    except HubError as met:
        report.summary |= {"rows": raw.rows_read, "stopped": True}
        report.findings = [_fault(met, letters)]
        return
    account = done.conservation
    births = births_apart(done.records, done.births)
    seen = ReadDelivery(
        who, day, mapping, (done.texts,), done.records, account.rows_read, account.rejected, births
    )
    report.summary |= {
        "rows": account.rows_read,
        "records": account.records,
        "rejected": account.rejected,
        "excluded": sum(account.excluded.values()),
        "notes": [text_as_kept(note, letters) for note in raw.notes],
        "alarms": list(_alarms(seen, agreement, letters)),
    }
    report.findings = list(_cells(done, letters))


def _alarms(
    seen: ReadDelivery, agreement: Agreement, letters: dict[str, str]
) -> Iterator[dict[str, Any]]:
    """What somebody must look at, of this delivery alone."""
    for alarm in ring([seen], AlarmLimits(unknown_share=agreement.unknown_share), newest=True):
        yield {
            "name": alarm.name,
            "stops": alarm.stops,
            "accepted": alarm.accepted,
            "what": text_as_kept(alarm.what(), letters),
        }


def _cells(done: Harmonised, letters: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Faults by rule, column and reason: the first cells of each, and how many there are."""
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for reject in done.rejects.to_pylist():
        column = letters.get(fold(reject["column"] or ""), "")
        kept = text_as_kept(reason_of(reject["fields"]), letters)
        if "part0" in kept["fields"]:  # what follows may name what a cell holds
            kept = kept["fields"]["part0"]
        cell = {"text": kept, "rule": reject["rule"], "row": reject["source_row"], "column": column}
        found.setdefault((reject["rule"], column, str(kept)), []).append(cell)
    n = 0
    for cells in found.values():
        for cell in cells[:CELLS]:
            if (n := n + 1) > _MOST_FINDINGS:
                return
            yield cell | {"number": len(cells)}


def _fault(met: HubError, letters: dict[str, str]) -> dict[str, Any]:
    """An error about the whole file as a finding."""
    return {
        "text": {"error": error_as_kept(met, letters)},
        "rule": str(met.rule or ""),
        "row": met.row,
        "column": (letters.get(fold(met.column)) if met.column else None) or "",
        "number": 1,
    }


def _letters(raw: RawTable) -> dict[str, str]:
    names = [name for name in raw.table.column_names if name != ROW]
    return {fold(name): letter(place) for place, name in enumerate(names)}


def _files(report: CheckReport, table: Path | None = None) -> dict[str, Any]:
    """SHA-256 of the files that would go into the hub folder."""
    if table is None:
        return {"files": [report.sha256] if report.sha256 else []}
    with table.open("rb") as content:
        return {"files": [hashlib.file_digest(content, "sha256").hexdigest()]}


def _set(delivery: Delivery, report: CheckReport) -> dict[str, Any]:
    """The rows of a report, unless somebody ended the delivery meanwhile."""
    from django.utils import timezone

    done = Delivery.objects.filter(
        id=delivery.id, state__in=("received", "checked", "refused")
    ).update(
        state=report.state,
        sha256=report.sha256,
        mapping_commit=report.mapping,
        agreement_sha256=report.agreement,
        summary=report.summary,
        changed=timezone.now(),
    )
    if not done:
        return {}
    DeliveryFinding.objects.filter(delivery=delivery).delete()
    DeliveryFinding.objects.bulk_create(
        DeliveryFinding(delivery=delivery, organisation_id=delivery.organisation_id, **one)
        for one in report.findings
    )
    if report.state == "refused":
        tell_organisation("refused", delivery)
    else:
        tell_data_officers("checked", delivery)
    return {"state": report.state, "findings": len(report.findings)}
