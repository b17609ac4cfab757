"""What becomes of a delivery: opened and checked, accepted or adopted, told of and erased.

Whoever sent it and the data officers see what the check found; nothing of what it looks at is of
another contributor.  The report is in rows, without any text of the file; the cells themselves are
read from the file whenever somebody asks.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from django.db import transaction
from django.utils import timezone

from ctdhub.core import files
from ctdhub.core.errors import HubError, UnreadableFile, as_json, catalogue, error, from_json
from ctdhub.core.files import remove
from ctdhub.core.i18n import Text, said, yaml_values
from ctdhub.core.keys import age
from ctdhub.core.tables import ROW, fold
from ctdhub.desk import deliveries as keeping
from ctdhub.desk.config import current
from ctdhub.desk.jobs import Rows, Work, enqueue
from ctdhub.desk.mail import tell_about
from ctdhub.desk.models import Delivery, DeliveryFinding, DeliveryPart, Job, Organisation, Paper
from ctdhub.desk.uploads import inbox as incoming
from ctdhub.desk.worker.identities import (
    agreement_of,
    destroy_months,
    identities,
    lay_rules,
    rules_of,
    unpack,
)
from ctdhub.hub.contributions import Contribution
from ctdhub.hub.folder import FOLDER, Hub, noted, policy
from ctdhub.hub.stages.harmonise import corrected, read_given
from ctdhub.hub.steps import hash_file
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.alarms.checks import Alarm, AlarmLimits, ReadDelivery, ring
from ctdhub.sensitive.ingest import layout
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import reason_of
from ctdhub.sensitive.ingest.tidy import column_letter
from ctdhub.sensitive.linkage.deliveries import births_apart
from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

# --------------------------------------------------------------------------------------------------
# Accepted deliveries whose time is over: people are told a month ahead, then they are withdrawn.
#
# An erasure goes the way of every withdrawal of a delivery: a line of the register, then the file,
# so that no candidate with it is published.  A file that the hub adopted late, or whose agreement
# became shorter, still has its month of notice.

_AGAIN = timedelta(days=1)
"""A withdrawal that stopped is tried again so much later."""


def erase_due(today: date | None = None) -> dict[str, int]:
    """Tell of erasures that come, and put those in whose day has come.

    Args:
        today: the day of asking, in UTC.

    Returns:
        How many people were told of, and how many were put in.
    """
    now, done = today or timezone.now().date(), {"told": 0, "begun": 0}
    kept = Delivery.objects.filter(
        state="accepted", lost=False, organisation__keep_months__isnull=False
    ).select_related("organisation")
    for row in kept:
        due = keeping.due_on(keeping.day_of(row), row.organisation.keep_months)
        if due is None or now < due - keeping.NOTICE:
            continue
        notice = row.summary.get(keeping.NOTICE_KEY)
        if notice is None or notice["due"] != due.isoformat():
            _tell(row, now, due)
            done["told"] += 1
        elif (last := keeping.erased_on(row)) is not None and last <= now and not _at_it(row):
            enqueue("withdraw_delivery", "build", None, row, {"reason": "agreement"})
            done["begun"] += 1
    return done


def is_due(job: Any, today: date | None = None) -> bool:
    """Whether a job that nobody asked for is the erasure of a file whose time is over.

    The agreement in the hub folder says which day that is; a row alone, which the web process may
    write, does not.  People must have been told of this very day a month ago: an agreement that
    became shorter while the job waited gives them another month.

    Args:
        today: the day of asking, in UTC.
    """
    if job.what != "withdraw_delivery" or job.given.get("reason") != "agreement":
        return False
    row = Delivery.objects.filter(id=job.thing).first()
    if row is None:
        return False
    months = {one.id: one.keep_months for one in Hub(current().hub).agreements()}
    due = keeping.due_on(keeping.day_of(row), months.get(row.organisation_id))
    end = keeping.end_of_notice(row, due) if due is not None else None
    return due is not None and end is not None and max(due, end) <= (today or timezone.now().date())


def _tell(row: Delivery, now: date, due: date) -> None:
    with transaction.atomic():
        row = Delivery.objects.select_for_update().get(id=row.id)  # a withdrawal may be asked now
        row.summary[keeping.NOTICE_KEY] = {"on": now.isoformat(), "due": due.isoformat()}
        row.save(update_fields=["summary", "changed"])
        tell_about("erasure", row, "organisation", "data_officer", "steward")


def _at_it(row: Delivery) -> bool:
    """Whether its withdrawal waits, runs, or stopped a short while ago."""
    jobs = Job.objects.filter(what="withdraw_delivery", thing=row.id.hex)
    since = timezone.now() - _AGAIN
    open_ = jobs.filter(state__in=("waiting", "running")).exists()
    return bool(open_ or jobs.filter(created__gt=since).exists())


# --------------------------------------------------------------------------------------------------
# What is destroyed of deliveries that ended: parts in the inbox, and what was opened of them.


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
    incoming.Inbox(desk.inbox).destroy(key)
    folder = incoming.opened_folder(desk.hub, key)
    if folder.is_dir():
        remove(folder)


# --------------------------------------------------------------------------------------------------
# What is not kept any longer: unfinished uploads, bytes of ended deliveries, old identities.
#
# And what a killed process left of a paper: one in clear, or ciphertext that has no row.

ENDED = ("accepted", "replaced", "withdrawn")
"""States in which nothing of a delivery is kept outside of ``contributions/``."""

CLEAR = ".paper-"
"""How folders below ``work/desk/`` begin in which a paper is in clear while it is opened."""
_AT_WORK = 3_600
"""Seconds for which what is there may be somebody's who is still at it."""


def enforce() -> list[str]:
    """Delete what may not be kept any longer; gives the months whose identity was destroyed."""
    desk, now = current(), timezone.now()
    late = now - timedelta(hours=desk.file.limits.hours_to_finish)
    for row in Delivery.objects.filter(state="receiving", created__lt=late):
        with transaction.atomic():
            ended = Delivery.objects.filter(id=row.id, state="receiving").update(
                state="withdrawn", changed=now
            )
            if ended:
                destroyed(row)
    old = now - timedelta(days=desk.file.limits.days_returned)
    for row in Delivery.objects.filter(state__in=("returned", "refused"), changed__lt=old):
        if DeliveryPart.objects.filter(delivery=row).exists():
            with transaction.atomic():
                destroyed(row)
    inbox = incoming.Inbox(desk.inbox)
    states = {row.id.hex: row.state for row in Delivery.objects.all()}
    for key in list(inbox.keys()):
        if len(key) == 32 and states.get(key, "withdrawn") in ENDED:
            delete_bytes(key)
    waiting = Delivery.objects.filter(parts__isnull=False).values_list("created", flat=True)
    return destroy_months(desk.hub, waiting.distinct())


def sweep_papers() -> None:
    """Delete what killed processes left of papers more than an hour ago."""
    desk = current()
    drawer = incoming.PaperDrawer(desk.inbox)
    for folder in _left(desk.hub / "work" / FOLDER, f"{CLEAR}*"):
        remove(folder)
    left = {path.stem for path in _left(drawer.folder, f"{'[0-9a-f]' * 32}.age")}
    for key in left - {key.hex for key in Paper.objects.values_list("id", flat=True)}:
        drawer.remove(key)


def _left(folder: Path, pattern: str) -> Iterator[Path]:
    for path in list(folder.glob(pattern)):
        if path.lstat().st_mtime < time.time() - _AT_WORK:
            yield path


# --------------------------------------------------------------------------------------------------
# A delivery opened: its parts joined, its SHA-256 compared, its table laid where case data may be.
#
# What is opened has a private name until its last byte was compared.  It may be done again: the
# same parts give the same file.

_CHUNK = 2**20


def join(
    inbox: incoming.Inbox,
    key: str,
    parts: Sequence[tuple[incoming.StoredPart, int]],
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


def _open_part(file: Path, part: incoming.StoredPart, identities: Sequence[Path], to: Path) -> None:
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
    kept: dict[str, Any] = _row_value(text.as_json(), letters)
    return kept


def error_as_kept(met: HubError, letters: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An error as JSON that a row may hold; ``core.errors.from_json`` reads it."""
    record, known = as_json(met), letters or {}
    entry = catalogue().get(str(met.name))
    if entry is not None and entry.room not in _READING:
        return record | {"file": _ELSE}
    fields = {name: _row_value(value, known) for name, value in record["fields"].items()}
    column = known.get(fold(met.column)) if met.column else None
    return record | {"file": _ELSE, "column": column, "fields": fields}


def stopped_as_kept(met: HubError, known: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Why a job stopped, as JSON that its row may hold: the rule and what to do.

    Whatever room it is of, no name of a file, no number and no text stays, but the hub's own words
    and those that the row holds already.

    Args:
        known: keys and versions that the row of the job holds.
    """
    fields = {name: _bare(value, known) for name, value in as_json(met)["fields"].items()}
    record = {
        "name": met.name,
        "rule": met.rule,
        **dict.fromkeys(("file", "row", "line", "column")),
        "fields": fields,
    }
    try:
        read = from_json(record)
        str(read), said(read.remedy)
    except (KeyError, TypeError, ValueError):  # its sentences ask for a number or a list
        return as_json(error("desk-stopped", name=met.rule or "error"))
    return record


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


def _row_value(value: Any, letters: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if (one := _word(value, letters)) is not None:
            return one
        parts = [_word(part, letters) or _ELSE for part in value.split(", ")]
        return ", ".join(parts) if set(parts) != {_ELSE} else _ELSE
    if isinstance(value, dict):
        if "numeral" in value or "share" in value:
            return value
        if "several" in value:
            return value | {"several": [_row_value(one, letters) for one in value["several"]]}
        if "message" in value:
            inside = {k: _row_value(v, letters) for k, v in value["fields"].items()}
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


CELLS, _MOST_FINDINGS = 20, 2000
"""Cells that are kept of one kind of fault in one column, and such kinds."""


@dataclass
class CheckReport:
    """What a check found.

    Attributes:
        state: "checked", or "refused" where nothing of it can be read.
        sha256: of the whole.
        mapping: SHA-256 of the file that it was checked by, "" without one.
        summary: counts and Texts.
        findings: fields of ``DeliveryFinding``.
    """

    state: str = "checked"
    sha256: str = ""
    mapping: str = ""
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
        hashes = [report.sha256] if report.sha256 else []
        report.summary = {"refused": error_as_kept(met), "files": hashes}
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
    folder = incoming.opened_folder(desk.hub, key)
    whole = folder / f"{key}.{delivery.kind}"
    rows = DeliveryPart.objects.filter(delivery=delivery).order_by("offset")
    report.sha256 = join(
        incoming.Inbox(desk.inbox),
        key,
        [(incoming.StoredPart(row.offset, row.sha256), row.bytes) for row in rows],
        identities(desk.hub),
        whole,
        (delivery.bytes, delivery.sha256),
    )
    table = folder / incoming.table_name(key, delivery.kind)
    if delivery.kind == incoming.BUNDLE:
        unpack(hub, str(delivery.organisation_id), whole, table)
    return table


def examine(delivery: Delivery, table: Path, report: CheckReport, work: Work | None = None) -> None:
    """Read and harmonise a table as a build would, and write down what was found.

    Raises:
        HubError: the table cannot be read within the limits of its size.
    """
    hub, who = Hub(current().hub), str(delivery.organisation_id)
    day = f"{delivery.created:%Y-%m-%d}"
    agreement = agreement_of(hub, who)
    report.summary = {"files": [hash_file(table)]}
    before = Delivery.objects.filter(
        organisation_id=who, state="accepted", sha256=report.sha256
    ).exclude(id=delivery.id)
    if before.exists():
        report.summary["repeats"] = True
    try:
        rules_file = rules_of(hub, who, day, table)
        mapping = load_mapping(rules_file)
    except HubError as met:
        report.summary |= {"mapping_missing": True, **_rows_of(table)}
        report.findings = [_fault(met, {})]
        return
    report.mapping = hash_file(rules_file)
    try:
        raw = read_given(table, mapping, corrected(hub, agreement, day))
    except UnreadableFile as met:
        if met.rule not in layout.CHOICE_RULES:
            raise
        report.summary |= {"stopped": True, **_rows_of(table)}  # the page of its columns asks
        report.findings = [_fault(met, {})]
        return
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
    limits = AlarmLimits(unknown_share=agreement.unknown_share)
    report.summary |= {
        "rows": account.rows_read,
        "records": account.records,
        "rejected": account.rejected,
        "excluded": sum(account.excluded.values()),
        "notes": [text_as_kept(note, letters) for note in raw.notes],
        "alarms": [_alarm_as_kept(one, letters) for one in ring([seen], limits, newest=True)],
    }
    report.findings = _cells(done, letters)


def _alarm_as_kept(alarm: Alarm, letters: dict[str, str]) -> dict[str, Any]:
    """What somebody must look at, of this delivery alone."""
    return {
        "name": alarm.name,
        "stops": alarm.stops,
        "accepted": alarm.accepted,
        "what": text_as_kept(alarm.what(), letters),
    }


def _rows_of(table: Path) -> dict[str, int]:
    """Rows of a file that no mapping reads, unless somebody must say first where its names are."""
    try:
        return {"rows": read_to_suggest(table)[0].rows_read}
    except UnreadableFile as met:
        if met.rule not in layout.CHOICE_RULES:
            raise
        return {}


def _cells(done: Harmonised, letters: dict[str, str]) -> list[dict[str, Any]]:
    """Faults by rule, column and reason: the first cells of each, and how many there are."""
    faults: dict[tuple[str, str, str], dict[str, Any]] = {}
    for reject in done.rejects.to_pylist():
        column = letters.get(fold(reject["column"] or ""), "")
        kept = text_as_kept(reason_of(reject["fields"]), letters)
        if "part0" in kept["fields"]:  # what follows may name what a cell holds
            kept = kept["fields"]["part0"]
        rule, row = reject["rule"], reject["source_row"]
        first = {"text": kept, "rule": rule, "row": row, "column": column, "cells": [], "number": 0}
        one = faults.setdefault((rule, column, str(kept)), first)
        one["number"] += 1
        if row is not None and len(one["cells"]) < CELLS:
            one["cells"].append(f"{column}{row}")
    return list(faults.values())[:_MOST_FINDINGS]


def _fault(met: HubError, letters: dict[str, str]) -> dict[str, Any]:
    """An error about the whole file as a finding."""
    column = letters.get(fold(met.column), "") if met.column else ""
    return {
        "text": {"error": error_as_kept(met, letters)},
        "rule": str(met.rule or ""),
        "row": met.row,
        "column": column,
        "cells": [f"{column}{met.row}"] if met.row is not None else [],
    }


def _letters(raw: RawTable) -> dict[str, str]:
    names = [name for name in raw.table.column_names if name != ROW]
    return {fold(name): column_letter(place) for place, name in enumerate(names)}


def _set(delivery: Delivery, report: CheckReport) -> dict[str, Any]:
    """The rows of a report, unless somebody ended the delivery meanwhile."""
    done = Delivery.objects.filter(
        id=delivery.id, state__in=("received", "checked", "refused")
    ).update(
        state=report.state,
        sha256=report.sha256,
        mapping_commit=report.mapping,
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
    whom = "organisation" if report.state == "refused" else "data_officer"
    tell_about(report.state, delivery, whom)
    return {"state": report.state, "findings": len(report.findings)}


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
    place = incoming.table_of(desk.hub, key, delivery.kind, who, day)
    if delivery.state == "accepted":
        return lambda: {}
    if delivery.state != "checked":
        raise error("delivery-state")
    agreement_of(hub, who)
    if not place.exists():
        _still_right(delivery, work)
        source = incoming.table_of(desk.hub, key, delivery.kind)
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
            tell_about("accepted", delivery, "organisation")
    return {"accepted": bool(done)}


def open_questions(summary: dict[str, Any]) -> list[str]:
    """Why a checked delivery cannot be accepted yet: codes, none if it can."""
    codes = []
    if summary.get("mapping_missing"):
        codes.append("mapping")
    if summary.get("stopped"):
        codes.append("stopped")
    if any(not alarm["accepted"] for alarm in summary.get("alarms", [])):
        codes.append("alarms")
    return codes


def _still_right(delivery: Delivery, work: Work) -> None:
    """Check the table again by the mapping of now: what was decided since counts."""
    source = incoming.table_of(current().hub, delivery.id.hex, delivery.kind)
    if not source.is_file():
        raise error("delivery-parts")
    if hash_file(source) not in delivery.summary.get("files", []):
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


def adopt() -> None:
    """Compare folder and rows once.

    Raises:
        HubError: the folder holds what no hub folder may.
    """
    hub = Hub(current().hub)
    organisations(hub)
    files = hub.received()
    gone = hub.withdrawn().contributors
    rows = {row.id: row for row in Delivery.objects.exclude(state="receiving")}
    ids: set[UUID] = set()
    for file in files:
        row = _row_of(file, rows)
        if row is None:
            row = _adopted(file)
            rows[row.id] = row
        ids.add(row.id)
    for row in rows.values():
        state, lost = keeping.computed_state(
            str(row.state), row.id in ids, str(row.organisation_id) in gone
        )
        if state == "accepted" and row.state == "checked":  # killed between file and row
            day = next(f.date for f in files if _key(f.file) == row.id)
            with transaction.atomic():
                set_accepted(row, day)
        elif (state, lost) != (row.state, row.lost):
            Delivery.objects.filter(id=row.id, state=row.state).update(
                state=state, lost=lost, changed=timezone.now()
            )


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
            fields = {"agreement_sha256": digest, "lost": False, **_stated(content, path.stem)}
            Organisation.objects.update_or_create(id=path.stem, defaults=fields)
    Organisation.objects.exclude(id__in=seen).filter(lost=False).update(lost=True)


def _stated(content: bytes, stem: str) -> dict[str, object]:
    """Names, last day and retention, as far as the file can be read; a fault of it is the hub's."""
    try:
        settings = yaml_values(content)
    except yaml.YAMLError:
        settings = None
    settings = settings if isinstance(settings, dict) else {}
    ends, months, names = map(settings.get, ("ends", "keep_months", "names"))
    return {
        "name": str(settings.get("name") or stem)[:200],
        "names": {k: str(v)[:200] for k, v in names.items()} if isinstance(names, dict) else {},
        "ends": ends if type(ends) is date else None,
        "keep_months": months if type(months) is int and 0 < months <= 600 else None,
    }


def _key(path: Path) -> UUID | None:
    """The key of a delivery, if a file has one as its name."""
    stem = path.stem
    return UUID(stem) if len(stem) == 32 and set(stem) <= set("0123456789abcdef") else None


def _row_of(file: Contribution, rows: dict[UUID, Delivery]) -> Delivery | None:
    named = rows.get(key) if (key := _key(file.file)) else None
    if (
        named is not None
        and named.organisation_id == file.contributor
        and file.sha256 in named.summary.get("files", [])
    ):
        return named
    place = (file.contributor, file.date, file.sha256)
    for row in rows.values():
        if row.account_id is None and (row.organisation_id, row.day, row.sha256) == place:
            return row
    return None


def _adopted(file: Contribution) -> Delivery:
    made: Delivery = Delivery.objects.create(
        organisation_id=file.contributor,
        state="accepted",
        kind=incoming.kind_of(file.file.name) or "",
        sha256=file.sha256,
        bytes=file.file.stat().st_size,
        day=file.date,
        summary={"files": [file.sha256]},
    )
    return made
