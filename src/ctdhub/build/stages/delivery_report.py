"""People beside rows and records, by contributor and delivery: for the steward alone.

The counts are exact.  They lie below ``work/`` and are shown to whoever builds, never in a message
of an error and never outside the hub.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.build.deliveries import DeliveredFiles
from ctdhub.build.filenames import BIRTHS, DELIVERED, RECORDS
from ctdhub.build.harmonised import account_of, date_of
from ctdhub.build.hub import Hub
from ctdhub.build.withdrawn import OutOfForce, own_out_of_force, without
from ctdhub.schema.roles import AGE, SEX
from ctdhub.sensitive.consent.match import RULE
from ctdhub.sensitive.linkage.deliveries import changes
from ctdhub.sensitive.linkage.shared_keys import READ, shared_keys


@dataclass(frozen=True)
class DeliveryLine:
    """One delivery.  Sensitive: the counts are exact.

    Attributes:
        contributor, date: whose, and the day it came.
        rows, records: rows read in its files, and records made of them.
        people: whom these records are about, but for those of whom the contributor itself told that
            they withdrew: it may be shown this line.
        shared: person keys in force whose rows contradict each other in gender or birth.
        changed, left, new: people whose records are others than before the delivery, who have none
            now, and who had none; only people with a key can be compared.
        again: people with a key who had records before.
    """

    contributor: str
    date: str
    rows: int
    records: int
    people: int
    shared: int
    changed: int
    left: int
    new: int
    again: int

    @property
    def compared(self) -> bool:
        """Whether any of its people could be looked for in other deliveries."""
        return bool(self.new or self.again or self.left) or not self.people


def report_deliveries(hub: Hub, folder: Path, delivered: Sequence[DeliveredFiles]) -> None:
    """Write what each delivery brought, by contributor and date."""
    found = [asdict(line) for one in delivered for line in _lines(one, own_out_of_force(hub, one))]
    (folder / DELIVERED).write_text(json.dumps(found, indent=1), "utf-8")


def deliveries(hub: Hub) -> list[DeliveryLine]:
    """What the last build saw of each delivery; nothing where it linked nobody."""
    path = hub.work / "people" / DELIVERED
    if not path.is_file():
        return []
    return [DeliveryLine(**line) for line in json.loads(path.read_text("utf-8"))]


def _lines(one: DeliveredFiles, out: OutOfForce) -> list[DeliveryLine]:
    rows, records = Counter[str](), Counter[str]()
    for step in one.steps:
        account, day = account_of(step), date_of(step)
        rows[day] += account["rows_read"]
        records[day] += account["records"]
    shared = Counter(_shared(one, out.ids)["delivery"].to_pylist())
    brought = changes(_staying(one.held(), out), one.way)
    return [
        DeliveryLine(
            one.agreement.id, day, rows[day], records[day], of.people, shared[number],
            of.changed, of.left, of.new, of.again,
        )
        for number, (day, of) in enumerate(zip(one.dates, brought, strict=True))
    ]  # fmt: skip


def _staying(held: pa.Table, out: OutOfForce) -> pa.Table:
    """The rows of people who did not withdraw, in all their versions."""
    gone = out.by_rule.get(RULE, pa.array([], pa.string()))
    if not len(gone):
        return held
    hers = held["person_key"].filter(pc.is_in(held["record_id"], value_set=gone))
    keyed = pc.is_in(held["person_key"], value_set=hers.combine_chunks().drop_null())
    left = pc.or_(keyed, pc.is_in(held["record_id"], value_set=gone))
    return held.filter(pc.invert(left))


def _shared(one: DeliveredFiles, gone: pa.Array) -> pa.Table:
    """Keys in force that several people share, by delivery."""
    rows: list[pa.Table] = []
    births: list[pa.Table] = []
    for step in one.steps:
        said = pq.read_table(step.output / RECORDS, columns=list(READ), read_dictionary=[SEX, AGE])
        rows.append(_numbered(without(said, gone), one.number(step)))
        births.append(_numbered(pq.read_table(step.output / BIRTHS), one.number(step)))
    return shared_keys(pa.concat_tables(rows).unify_dictionaries(), pa.concat_tables(births))


def _numbered(table: pa.Table, delivery: int) -> pa.Table:
    numbers = pa.repeat(pa.scalar(delivery, pa.int32()), table.num_rows)
    return table.append_column("delivery", numbers)
