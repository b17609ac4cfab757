"""Rows of one person at a contributor: what agreement and mappings say, and what is missing.

Belongs here: the facts that ``dp.person_rows`` reads, refusals where one person may have several
rows and nobody said how many, what a bound that grew means for earlier releases.
Does not belong here: the bound of the hub (``dp.person_rows``), which rows are beyond it
(``sensitive.linkage.rows_per_person``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.settings import Agreement
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import MappingError
from ctdhub.dp.accounting import epsilon_of
from ctdhub.release.manifest import MANIFEST, Manifest
from ctdhub.sensitive.linkage.deliveries import RECORD
from ctdhub.sensitive.mapping.mapping_file import load_mapping

if TYPE_CHECKING:
    from ctdhub.build.hub import Hub


def row_facts(hub: Hub, agreement: Agreement, dates: Sequence[str]) -> dict[str, Any]:
    """What is public about rows of one person at a contributor; nothing where it is one per key.

    Args:
        dates: days of its deliveries.
    """
    bound = agreement.rows_per_person or 1
    found: dict[str, Any] = {} if bound == 1 else {"rows_per_person": bound}
    return found if _keyed(hub, agreement, dates) else {**found, "keyed": False}


def _keyed(hub: Hub, agreement: Agreement, dates: Sequence[str]) -> bool:
    """Whether every mapping in use has a person key; a faulty one stops a build before it asks."""
    try:
        files = dict.fromkeys(mapping_file(hub, agreement.id, day) for day in sorted(set(dates)))
        return all(load_mapping(path).key_columns() is not None for path in files)
    except MappingError:
        return True


def require_bound(
    agreement: Agreement, file: Path, held: pa.Table, reports: frozenset[int], newest: int | None
) -> None:
    """Refuse rows without a key of which one person may have several, where no bound was agreed.

    Args:
        file: the agreement.
        held: rows of the contributor, schema ``linkage.deliveries.HELD``.
        reports: deliveries whose rows are reports or calls.
        newest: the newest delivery, where rows without a key count in it alone; else None.

    Raises:
        PolicyError: rows without a key are reports or calls, or several deliveries have others.
    """
    if agreement.rows_per_person is not None:
        return
    alone = pc.and_(pc.equal(held["became"], RECORD), pc.is_null(held["person_key"]))
    rows = held.filter(alone).select(["record_id", "delivery"])
    if newest is not None:
        rows = rows.filter(pc.equal(rows["delivery"], newest))
    told = pa.array(sorted(reports), pa.int32())
    if pc.any(pc.is_in(rows["delivery"], value_set=told)).as_py():
        raise error("rows-per-person/reports", file=file, id=agreement.id)
    once = rows.group_by(["delivery", "record_id"]).aggregate([])
    by_delivery = once.group_by("delivery").aggregate([("record_id", "count")])
    most = pc.max(by_delivery["record_id_count"]).as_py() or 0
    if pc.count_distinct(once["record_id"]).as_py() > most:
        raise error("rows-per-person", file=file, id=agreement.id)


def epsilon_since(hub: Hub, manifest: Manifest) -> float | None:
    """Epsilon over all releases of a person with as many rows as a candidate is paid for.

    A release that was paid for fewer rows cost such a person the square of their ratio more.  None
    where no earlier release was.

    Args:
        manifest: of the candidate.
    """
    rows, paid = manifest.rows_per_person, {manifest.charge: manifest}
    for path in sorted(hub.releases.glob(f"[!.]*/{MANIFEST}")):
        one = Manifest.model_validate_json(path.read_bytes())
        paid.setdefault(one.charge, one)
    if all(one.rows_per_person >= rows for one in paid.values()):
        return None
    rho = sum(one.rho * (rows / one.rows_per_person) ** 2 for one in paid.values())
    return epsilon_of(rho, min(one.delta for one in paid.values()))
