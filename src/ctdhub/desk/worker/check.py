"""The check of a delivery: opened, read and harmonised as a build would, and a report of counts.

Whoever sent it and the data officers see what it found; nothing of what it looks at is of another
contributor.  The report is in rows, without any text of the file; the cells themselves are read
from the file whenever somebody asks.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ctdhub.build.hub import Agreement, Hub
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import corrected, read_given
from ctdhub.core import files
from ctdhub.core.errors import HubError, as_json, catalogue, error, from_json
from ctdhub.core.i18n import Text, said
from ctdhub.core.keys import age
from ctdhub.core.tables import ROW, fold
from ctdhub.desk.config import current
from ctdhub.desk.jobs import Rows, Work
from ctdhub.desk.mail import tell_data_officers, tell_organisation
from ctdhub.desk.models import Delivery, DeliveryFinding, DeliveryPart
from ctdhub.desk.uploads.inbox import BUNDLE, Inbox, StoredPart, opened_folder, table_name
from ctdhub.desk.worker.identities import agreement_of, identities, rules_of, unpack
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.alarms.alarm import AlarmLimits, ReadDelivery
from ctdhub.sensitive.alarms.checks import ring
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import reason_of
from ctdhub.sensitive.ingest.tidy import column_letter
from ctdhub.sensitive.linkage.deliveries import births_apart
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.result import Harmonised
from ctdhub.sensitive.mapping.run import harmonise

# --------------------------------------------------------------------------------------------------
# A delivery opened: its parts joined, its SHA-256 compared, its table laid where case data may be.
#
# What is opened has a private name until its last byte was compared.  It may be done again: the
# same parts give the same file.

_CHUNK = 2**20


def join(
    inbox: Inbox,
    key: str,
    parts: Sequence[tuple[StoredPart, int]],
    identities: Sequence[Path],
    to: Path,
    announced: tuple[int, str],
) -> str:
    """Join the parts of a delivery into a file; gives its SHA-256.

    Args:
        parts: each with the bytes of its plain text, in their order.
        to: the file; one that is there is replaced.
        announced: bytes of the whole and their SHA-256, which may be "".

    Raises:
        FileError: a part is missing, was changed or does not follow (rule "delivery-parts"), or
            the whole is not what the sender announced (rule "delivery-hash").
    """
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.sweep(to.parent)
    fresh, piece = (to.with_name(f"{files.WRITING}{to.name}-{end}") for end in ("whole", "part"))
    digest, offset = hashlib.sha256(), 0
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as whole:
            for part, size in parts:
                _open_part(inbox.place(key) / part.name, part, identities, piece)
                if part.offset != offset or piece.stat().st_size != size:
                    raise error("delivery-parts")
                with piece.open("rb") as plain:
                    while block := plain.read(_CHUNK):
                        digest.update(block)
                        whole.write(block)
                offset += size
            whole.flush()
            os.fsync(whole.fileno())
        if offset != announced[0]:
            raise error("delivery-parts")
        if announced[1] and digest.hexdigest() != announced[1]:
            raise error("delivery-hash")
        fresh.replace(to)
    finally:
        for left in (fresh, piece):
            left.unlink(missing_ok=True)
    files.sync(to.parent)
    return digest.hexdigest()


def _open_part(file: Path, part: StoredPart, identities: Sequence[Path], to: Path) -> None:
    try:
        with file.open("rb") as sealed:
            if hashlib.file_digest(sealed, "sha256").hexdigest() != part.sha256:
                raise error("delivery-parts")
            sealed.seek(0)
            age.decrypt(sealed, to, identities)
    except FileNotFoundError:
        raise error("delivery-parts") from None


# --------------------------------------------------------------------------------------------------
# Texts as rows may hold them: without any text of a file, not even of its header.
#
# A table whose header row is missing has cells in its place, so that names of columns are texts of
# records too.  Columns become their letters, the hub's own words stay, and all else becomes "…".
#
# A column that the file lacks has no letter.  The mapping names it, which a person wrote, so its
# name stays, unless it looks like what a cell holds: a mapping may have been made from such a
# table.

_READING = frozenset({"ingest", "mapping", "linkage", "consent", "spark"})
"""Rooms whose errors are about texts of files."""
_ELSE = "…"
_MOST_DIGITS, _LONGEST_NAME = 4, 60
"""Of a name of a column: a year may be in it, a date or a number of a case may not."""


def text_as_kept(text: Text, letters: Mapping[str, str]) -> dict[str, Any]:
    """A Text as JSON that a row may hold.

    Args:
        letters: letters of the file's columns by :func:`fold` of their names.
    """
    return {
        "message": text.message,
        "fields": {name: _kept(value, letters) for name, value in text.as_json()["fields"].items()},
        **({"plural": list(text.plural)} if text.plural else {}),
    }


def error_as_kept(met: HubError, letters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An error as JSON that a row may hold; ``error_catalogue.from_json`` reads it."""
    found, known = as_json(met), letters or {}
    entry = catalogue().get(str(met.name))
    if entry is not None and entry.room not in _READING:
        return found | {"file": _ELSE}
    fields = {name: _kept(value, known) for name, value in found["fields"].items()}
    column = known.get(fold(met.column)) if met.column else None
    return found | {"file": _ELSE, "column": column, "fields": fields}


def stopped_as_kept(met: HubError, known: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Why a job stopped, as JSON that its row may hold: the rule and what to do.

    Whatever room it is of, no name of a file, no number and no text stays, but the hub's own words
    and those that the row holds already.

    Args:
        known: keys and versions that the row of the job holds.
    """
    fields = {name: _bare(value, known) for name, value in as_json(met)["fields"].items()}
    found = {
        "name": met.name,
        "rule": met.rule,
        **dict.fromkeys(("file", "row", "line", "column")),
        "fields": fields,
    }
    try:
        read = from_json(found)
        str(read), said(read.remedy)
    except (KeyError, TypeError, ValueError):  # its sentences ask for a number or a list
        return as_json(error("desk-stopped", name=met.rule or "error"))
    return found


def named_by(columns: Iterable[str]) -> dict[str, str]:
    """Names of a mapping's columns that may stay, by :func:`fold` of each.

    >>> sorted(named_by(["Sexe", "12/03/1999", "a@b.org", "0044 1234"]))
    ['sexe']
    """
    return {fold(name): name for name in columns if not _like_a_cell(name)}


def _like_a_cell(name: str) -> bool:
    """Whether a name may be a cell: with a number as long as a date's, an address, a sentence."""
    digits = sum(sign.isnumeric() for sign in name)
    return digits > _MOST_DIGITS or "@" in name or len(name) > _LONGEST_NAME


def _bare(value: Any, known: frozenset[str]) -> Any:
    if isinstance(value, str) and (value in known or value in _own_words()):
        return value
    return _ELSE


def _kept(value: Any, letters: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if (one := _word(value, letters)) is not None:
            return one
        parts = [_word(part, letters) or _ELSE for part in value.split(", ")]
        return ", ".join(parts) if set(parts) != {_ELSE} else _ELSE
    if isinstance(value, dict):
        if "numeral" in value or "share" in value:
            return value
        if "several" in value:
            return value | {"several": [_kept(one, letters) for one in value["several"]]}
        if "message" in value:
            inside = {k: _kept(v, letters) for k, v in value["fields"].items()}
            return value | {"fields": inside}
        return _ELSE  # a name that was looked up from a cell says what the cell holds
    return value


def _word(value: str, letters: Mapping[str, str]) -> str | None:
    return letters.get(fold(value)) or (value if value in _own_words() else None)


@cache
def _own_words() -> frozenset[str]:
    """Names of the schema, and what is written between joined texts."""
    schema = load_schema()
    names = {v.name for table in ("people", "perpetrators") for v in schema.table(table)}
    return frozenset({*names, *schema.groups, " ", "; ", ", ", ""})


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
    raw = read_given(table, mapping, corrected(hub, agreement, day))
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
    return {fold(name): column_letter(place) for place, name in enumerate(names)}


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
