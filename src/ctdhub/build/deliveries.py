"""Deliveries of contributors: in which order they came, and what their agreements say of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.build.filenames import NO_RECORD, RECORDS
from ctdhub.build.harmonised import contributor_of, date_of
from ctdhub.build.hub import Hub
from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.person_rows import require_bound
from ctdhub.build.settings import Agreement
from ctdhub.build.steps import Step
from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.linkage.deliveries import (
    EXCLUDED,
    HELD,
    RECORD,
    REJECTED,
    Dropped,
    Kept,
    dropped,
    missing,
    unkeyed,
)
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.person_unit import require_people


@dataclass(frozen=True)
class DeliveredFiles:
    """What a contributor delivered.

    Attributes:
        agreement: of the contributor.
        dates: days of its deliveries, in their order; files of one day are one delivery.
        steps: its harmonised files.
    """

    agreement: Agreement
    dates: tuple[str, ...]
    steps: tuple[Step, ...]

    def number(self, step: Step) -> int:
        """The delivery that a file belongs to, from 0."""
        return self.dates.index(date_of(step))

    @cached_property
    def way(self) -> Kept:
        """How its deliveries follow each other; what nobody decided yet stays."""
        days = range(1, len(self.dates))
        kept = frozenset(d for d in days if self.agreement.left_on(self.dates[d]) != "gone")
        return Kept(len(self.dates), self.agreement.deliveries == "cumulative", kept)

    def held(self) -> pa.Table:
        """All its rows, as ``ctdhub.sensitive.linkage.deliveries`` wants them."""
        return pa.concat_tables([_held(step, self.number(step)) for step in self.steps])

    @cached_property
    def dropped(self) -> Dropped:
        """Its records that are in force no more."""
        return dropped(self.held(), self.way)

    def require_clear(self, file: Path, reports: frozenset[int] = frozenset()) -> None:
        """Refuse to go on where nobody can say who is in force.

        Args:
            file: the agreement.
            reports: deliveries whose rows are reports or calls.

        Raises:
            PolicyError: see :func:`require_bound`; people are missing and the agreement says to
                ask, or one of several deliveries that are not cumulative has no person key in any
                row, nor a bound in its place.
        """
        held, way, bounded = self.held(), self.way, self.agreement.rows_per_person is not None
        require_bound(self.agreement, file, held, reports, way.newest if way.cumulative else None)
        if len(self.dates) < 2:
            return
        if not way.cumulative:
            if unkeyed(held) and not bounded:
                raise error("deliveries/no-key", file=file, id=self.agreement.id)
            return
        asked = [d for d in way.kept if self.agreement.left_on(self.dates[d]) == "ask"]
        if open_ := sorted(set(asked) & set(missing(held, way))):
            days = ", ".join(self.dates[d] for d in open_)
            raise error("missing-people", file=file, id=self.agreement.id, dates=days)


def sent(hub: Hub, harmonised: Iterable[Step]) -> list[DeliveredFiles]:
    """Harmonised files by contributor."""
    by_id: dict[str, list[Step]] = {}
    for step in harmonised:
        by_id.setdefault(contributor_of(step), []).append(step)
    return [
        DeliveredFiles(a, tuple(sorted(set(map(date_of, steps)))), tuple(steps))
        for a in hub.agreements()
        if (steps := by_id.get(a.id))
    ]


def _held(step: Step, number: int) -> pa.Table:
    records = pq.read_table(step.output / RECORDS, columns=["record_id", "person_key"])
    others = pq.read_table(step.output / NO_RECORD)
    became = [EXCLUDED if left else REJECTED for left in others["excluded"].to_pylist()]
    parts = [
        (records["record_id"], records["person_key"], pa.repeat(RECORD, records.num_rows)),
        (pa.nulls(others.num_rows, pa.string()), others["person_key"], pa.array(became)),
    ]
    return pa.concat_tables(
        pa.table([ids, keys, pa.repeat(number, len(ids)).cast(pa.int32()), kind.cast(pa.int8())],
                 HELD)
        for ids, keys, kind in parts
    )  # fmt: skip


def reports_of(hub: Hub, one: DeliveredFiles) -> frozenset[int]:
    """Deliveries whose rows are reports or calls, by their numbers."""
    said = (load_mapping(mapping_file(hub, one.agreement.id, day)).rows for day in one.dates)
    return frozenset(number for number, rows in enumerate(said) if rows in ("report", "call"))


def refuse_unclear(hub: Hub, agreement: Agreement, dates: Sequence[str]) -> None:
    """Refuse rows, or several deliveries, of which nobody can say which are about one person.

    Args:
        agreement: of a contributor.
        dates: days of its deliveries.

    Raises:
        PolicyError: they have no person keys, or not the same, and what they hold is not said.
        MappingError: there is no mapping for one of them, or see :func:`require_people`.
    """
    days = sorted(set(dates))
    files = dict.fromkeys(mapping_file(hub, agreement.id, day) for day in days)
    read = {path: load_mapping(path) for path in files}
    for path, mapping in read.items():
        require_people(mapping, path, agreement.rows_per_person)
    if len(days) < 2 or agreement.deliveries == "cumulative":
        return
    keys = [mapping.key_columns() for mapping in read.values()]
    file = hub.root / "contributors" / f"{agreement.id}.yaml"
    if None in keys and agreement.deliveries is None:
        raise error("deliveries", file=file, id=agreement.id)
    if None in keys and agreement.rows_per_person is None:
        raise error("deliveries/no-key", file=file, id=agreement.id)
    if len({(action, len(columns)) for columns, action in filter(None, keys)}) > 1:
        raise error("deliveries/keys", file=file, id=agreement.id)
