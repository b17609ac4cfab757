"""What there is to see of each contributor's deliveries, gathered from the work folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.build import pipeline
from ctdhub.build.filenames import RECORDS
from ctdhub.build.harmonised import account_of, contributor_of, date_of, faults_of
from ctdhub.build.hub import Hub
from ctdhub.build.rules import policy
from ctdhub.build.settings import Agreement
from ctdhub.build.stages.alarms import alarms_of, delivered
from ctdhub.build.stages.delivery_report import DeliveryLine, deliveries
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.build.steps import Step
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.schema.roles import CONTRIBUTOR
from ctdhub.sensitive.alarms.alarm import Alarm
from ctdhub.sensitive.alarms.delivered import ReadDelivery, merged
from ctdhub.sensitive.mapping.unknown_texts import UnknownText

NOT_RECORDED = ""


@dataclass(frozen=True)
class SeenDelivery:
    """A delivery.  Sensitive: counts are exact, and texts of case records stand in it.

    Attributes:
        date: of its folder.
        rows, records, rejected: rows read, records made, rows rejected.
        excluded: rows left out by each rule.
        values: records by value of each mapped variable; the empty text is "not recorded".
        unknown: texts that no rule can read.
        unread: columns that no rule reads and about which the mapping says nothing.
        faults: rejected rows by rule and column; a row with several faults counts under each.
        people: what linking saw of it, None where it did not come so far.
        alarms: those that ring for it, open and accepted.
    """

    date: str
    rows: int
    records: int
    rejected: int
    excluded: Mapping[str, int]
    values: Mapping[str, Mapping[str, int]]
    unknown: tuple[UnknownText, ...]
    unread: tuple[str, ...]
    faults: Mapping[tuple[str, str], int]
    people: DeliveryLine | None
    alarms: tuple[Alarm, ...]

    def recorded(self, variable: str) -> int:
        """Records in which a variable is recorded."""
        values = self.values.get(variable, {NOT_RECORDED: self.records})
        return self.records - values.get(NOT_RECORDED, 0)


@dataclass(frozen=True)
class SeenContributor:
    """What is shown of a contributor: a delivery, and the one before, if there is one."""

    agreement: Agreement
    now: SeenDelivery
    before: SeenDelivery | None


def look(
    hub: Hub, contributor: str | None = None, date: str | None = None, *, read: bool = True
) -> list[SeenContributor]:
    """Bring records and alarms up to date, which costs nothing, and gather what there is to see.

    Args:
        hub: the hub.
        contributor: its id; all that sent something, if None.
        date: of the delivery to look at; the newest of each contributor, if None.
        read: False gathers what the last build left, of deliveries that it read.

    Raises:
        DocumentError: no such contributor, or it has no such delivery.
        HubError: harmonising fails.
    """
    known = {a.id: a for a in hub.agreements()}
    if contributor is not None and contributor not in known:
        raise error("contributor/report", id=printable(contributor), ids=", ".join(known) or "–")
    if read:
        pipeline.build(hub, until="alarms")
    rules, lines = policy(hub), {(d.contributor, d.date): d for d in deliveries(hub)}
    steps = [harmonise_file(hub, one, rules.years) for one in hub.contributions()]
    steps = [step for step in steps if read or (step.output / RECORDS).is_file()]
    if contributor is not None:
        steps = [step for step in steps if contributor_of(step) == contributor]
    rung, found = alarms_of(hub), []
    for name, sent in delivered(hub, steps):
        own = [one for one in sent if date is None or one.date <= date]
        if not own or (date is not None and own[-1].date != date):
            continue
        last = [
            _seen(one, [s for s in steps if _is_of(s, name, one.date)], rung, lines)
            for one in own[-2:]
        ]
        found.append(SeenContributor(known[name], last[-1], last[-2] if len(last) > 1 else None))
    if not found:
        raise error("no-delivery", id=printable(contributor or "–"), date=printable(date or "–"))
    return found


def unread_files(hub: Hub) -> int:
    """Files that were not read since they, their mapping or the program changed."""
    years = policy(hub).years
    steps = [harmonise_file(hub, one, years) for one in hub.contributions()]
    return sum(step.reason() is not None for step in steps)


def _seen(
    one: ReadDelivery,
    steps: list[Step],
    rung: tuple[Alarm, ...],
    lines: Mapping[tuple[str, str], DeliveryLine],
) -> SeenDelivery:
    columns = [name for name in one.mapping.columns if name != CONTRIBUTOR]
    records = pa.concat_tables([pq.read_table(s.output / RECORDS, columns=columns) for s in steps])
    accounts = [account_of(step) for step in steps]
    excluded: Counter[str] = Counter()
    for account in accounts:
        excluded.update(account["excluded"])
    return SeenDelivery(
        date=one.date,
        rows=one.rows,
        records=records.num_rows,
        rejected=one.rejected,
        excluded=dict(excluded),
        values={name: _counted(records[name]) for name in columns},
        unknown=merged(u for file in one.texts for u in file.unknown),
        unread=tuple(c.column for c in one.columns if not c.read and not c.decided),
        faults=dict(_faults(steps)),
        people=lines.get((one.contributor, one.date)),
        alarms=tuple(a for a in rung if (a.contributor, a.delivery) == (one.contributor, one.date)),
    )


def _is_of(step: Step, contributor: str, date: str) -> bool:
    return (contributor_of(step), date_of(step)) == (contributor, date)


def _faults(steps: list[Step]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for step in steps:
        faults = faults_of(step).select(["source_row", "rule", "column"])
        seen = faults.group_by(["source_row", "rule", "column"]).aggregate([])
        found.update((f["rule"], f["column"] or "") for f in seen.to_pylist())
    return found


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(column.cast(pa.string()).fill_null(NOT_RECORDED)).to_pylist()
    return {str(c["values"]): c["counts"] for c in counted}
