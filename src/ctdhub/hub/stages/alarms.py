"""Alarms about what contributors sent: counted after harmonising, before people are made.

Belongs here: which deliveries are looked at, the step and its files, what an open alarm stops.
Does not belong here: when an alarm rings (``sensitive.alarms``), how it is shown (``cli``).

Some alarms stop the build until the mapping reads the texts or accepts the alarm by name; the
others stop a charge.  Nobody outside the hub can see either: no release says that one rang.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import write_new
from ctdhub.core.i18n import Several, Text, joined
from ctdhub.core.tables import as_csv, as_json, fold
from ctdhub.dp.quote import Pay, Price, up_to
from ctdhub.hub import contributions as work
from ctdhub.hub.folder import Agreement, Detail, Hub
from ctdhub.hub.steps import Step, hash_of, software
from ctdhub.sensitive.alarms.checks import Alarm, AlarmLimits, ReadDelivery, columns_for, ring
from ctdhub.sensitive.linkage.deliveries import births_apart
from ctdhub.sensitive.mapping.file_account import FileTexts, UnknownText
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping

MOST = 5
"""Open alarms that an error names; of more only the number is told."""


def ring_alarms(hub: Hub, harmonised: Sequence[Step]) -> Step:
    """All harmonised files -> the alarms that ring, and the unknown texts of all deliveries."""
    sent = set(map(work.contributor_of, harmonised))
    agreed = {a.id: a for a in hub.agreements() if a.id in sent}
    read = {"unknown_share", "kind", "deliveries", "left"}
    shares = [[a.id, a.model_dump(mode="json", include=read)] for a in agreed.values()]

    def run(folder: Path) -> None:
        alarms: list[Alarm] = []
        texts: list[ReadDelivery] = []
        for contributor, deliveries in delivered(hub, harmonised):
            by = agreed[contributor]
            limits = AlarmLimits(unknown_share=by.unknown_share)
            cumulative = by.deliveries == "cumulative"
            days = [one.date for one in deliveries]
            fixes = frozenset(day for day in days if by.patches_on(day))
            alarms += ring(deliveries, limits, _newest_alone(by), cumulative, fixes)
            texts += deliveries
        write_new(folder / work.ALARMS, as_json([alarm.as_json() for alarm in alarms]).encode())
        write_new(folder / work.UNKNOWN_TEXTS, as_csv(_HEADING, _listed(texts)).encode())

    return Step(
        name="alarms",
        inputs={
            **{step.name.removeprefix("harmonise "): step.key for step in harmonised},
            Text("agreements"): hash_of(shares),
        },
        output=hub.work / "alarms",
        run=run,
        software=software(__name__),
    )


def _newest_alone(agreement: Agreement) -> bool:
    """Whether no older delivery of a contributor counts: it keeps nobody whom a newer one lacks."""
    left = agreement.left
    kept = isinstance(left, dict) and "kept" in left.values()
    return agreement.deliveries == "cumulative" and not kept


def delivered(hub: Hub, harmonised: Sequence[Step]) -> Iterator[tuple[str, list[ReadDelivery]]]:
    """Each contributor's deliveries as they were harmonised, the oldest first."""
    kinds = {a.id: a.kind for a in hub.agreements()}
    ordered = sorted(harmonised, key=lambda step: (work.contributor_of(step), work.date_of(step)))
    for contributor, own in groupby(ordered, key=work.contributor_of):
        deliveries = []
        for date, steps in groupby(own, key=work.date_of):
            mapping = load_mapping(work.mapping_file(hub, contributor, date))
            kind = kinds.get(contributor, "")
            deliveries.append(_delivered(contributor, date, mapping, list(steps), kind))
        yield contributor, deliveries


def _delivered(
    contributor: str, date: str, mapping: Mapping, steps: list[Step], kind: str
) -> ReadDelivery:
    tables, births, texts, rows, rejected = [], [], [], 0, 0
    for step in steps:
        path = step.output / work.RECORDS
        columns = columns_for(mapping, pq.read_schema(path).names)
        tables.append(pq.read_table(path, columns=columns))
        births.append(pq.read_table(step.output / work.BIRTHS))
        texts.append(FileTexts.from_json(work.left_by(step.output, work.TEXTS)))
        account = work.account_of(step)
        rows += account["rows_read"]
        rejected += account["rejected"]
    records = pa.concat_tables(tables)
    apart = births_apart(records, pa.concat_tables(births))
    parts = tuple(texts), records, rows, rejected, apart, kind
    return ReadDelivery(contributor, date, mapping, *parts)


_HEADING = ("contributor", "column", "text", "rows", "nearest", "outcome", "deliveries")


def _listed(deliveries: Iterable[ReadDelivery]) -> Iterator[tuple[object, ...]]:
    """Each unknown text once for a contributor's column, with the deliveries that have it."""
    for contributor, own in groupby(deliveries, key=lambda d: d.contributor):
        seen: dict[tuple[str, str], list[tuple[str, UnknownText]]] = {}
        for one in own:
            for text in one.all_unknown:
                key = fold(text.column), fold(text.text)
                seen.setdefault(key, []).append((one.date, text))
        for _key, pairs in sorted(seen.items()):
            texts = [text for _date, text in pairs]
            last, dates = texts[-1], "; ".join(date for date, _text in pairs)
            rows = sum(text.rows for text in texts)
            yield contributor, last.column, last.text, rows, last.nearest, last.outcome, dates


def alarms_of(hub: Hub) -> tuple[Alarm, ...]:
    """The alarms of the last build, open and accepted; none where it never came so far."""
    return tuple(Alarm(**one) for one in work.left_by(hub.work / "alarms", work.ALARMS) or ())


def open_alarms(hub: Hub) -> tuple[Alarm, ...]:
    """Those of the last build that nobody accepted."""
    return tuple(alarm for alarm in alarms_of(hub) if not alarm.accepted)


def passed(hub: Hub, harmonised: Sequence[Step]) -> Sequence[Step]:
    """The same files, unless an alarm is open that stops the build.

    While the step of :func:`ring_alarms` is not up to date nothing is known.

    Raises:
        MappingError: the rule is the alarm's name; texts of case records are not named.
    """
    if ring_alarms(hub, harmonised).reason() is None:
        stopping = [alarm for alarm in open_alarms(hub) if alarm.stops]
        if stopping:
            raise _stopped(stopping[0], len(stopping) - 1)
    return harmonised


def _stopped(alarm: Alarm, more: int) -> HubError:
    """The error of an alarm that stops a build, and how many more there are."""
    others = [Text("Other alarms that stop the build: {more}.", more=more)] if more else []
    return error(
        "unknown-texts"
        if alarm.name == "unknown-texts"
        else "new-texts"
        if alarm.name == "new-texts"
        else "new-column"
        if alarm.name == "new-column"
        else "recorded-fell",
        column=printable(alarm.about),
        what=joined([alarm.what(), *others], " "),
        id=alarm.contributor,
        date=alarm.delivery,
        entry=printable(alarm.accepting),
    )


def may_pay(
    hub: Hub, pay: Pay | None, accept_alarms: bool, happened: dict[str, Detail]
) -> Pay | None:
    """What a build may spend: nothing while an alarm is open, unless somebody accepts them.

    Args:
        pay: what may be spent; None is nothing.
        accept_alarms: whether open alarms are accepted.
        happened: for the journal: what was charged, and which alarms were accepted.

    Returns:
        None for a practice hub, whose people are fictitious: it spends unasked.

    What it gives raises, beside what ``pay`` raises:
        WouldCharge: rule ``open-alarms``.
    """

    if hub.settings.invented:
        return None
    spend = pay or up_to(0)

    def paid(price: Price) -> None:
        rang = open_alarms(hub) if price.epsilon else ()  # what was paid for is only finished
        names = [printable(f"{a.contributor}: {a.entry}") for a in rang]
        if names and not accept_alarms:
            shown = Several((*names[:MOST], *(["…"] if len(names) > MOST else [])))
            n, cost, left = len(names), price.epsilon, price.left
            raise error("open-alarms", n=n, names=shown, cost=cost, left=left)
        spend(price)
        happened["charged"] = round(price.epsilon, 6)
        if names:
            happened["accepted_alarms"] = "; ".join(names)

    return paid
