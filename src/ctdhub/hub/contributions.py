"""Contributed files: as sent, which mapping reads them, and what harmonising left in ``work/``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from ctdhub.core.errors import error
from ctdhub.hub.steps import Step
from ctdhub.sensitive.ingest.rejects import REJECTS as REJECTS_SCHEMA
from ctdhub.sensitive.mapping import mapping_file as dated

if TYPE_CHECKING:
    from ctdhub.hub.folder import Hub


# --------------------------------------------------------------------------------------------------
# Names of the files and folders that stages leave behind in ``work/`` for those after them.

RECORDS, TOKENS, CASES = "records.parquet", "tokens.parquet", "cases.parquet"
NO_RECORD, BIRTHS = "no_record.parquet", "births.parquet"
"""Tables of a harmonised file."""

PERPETRATORS, REJECTS = "perpetrators.parquet", "rejects.csv"
TEXTS, UNKNOWN_TEXTS = "texts.json", "unknown-texts.csv"
"""What the texts of a file are, and those that no rule can read: texts of case records."""

REPORT, PEOPLE, OVERLAP = "report.json", "people.parquet", "overlap.json"
ALARMS = "alarms.json"
CONFLICTS = "conflicts.parquet"
DELIVERED = "deliveries.json"

ANSWER = "answer.json"
"""What a stage made, where that lies elsewhere: a charge in the ledger, a bundle."""

CANDIDATE = "candidate"
"""The folder that says which bundle holds the answer about today's people."""


def left_by(stage: Path, file: str) -> Any:
    """What a stage left in its folder, as JSON holds it; None where it never came so far."""
    try:
        return json.loads((stage / file).read_bytes())
    except FileNotFoundError:
        return None


# --------------------------------------------------------------------------------------------------
# What a harmonised file left in ``work/``: whose it is, when it came, what became of its rows.


def contributor_of(step: Step) -> str:
    """Whose file a step harmonises."""
    return step.output.parts[-3]


def date_of(step: Step) -> str:
    """The day on which the file came that a step harmonises."""
    return step.output.parts[-2]


def report_of(step: Step) -> dict[str, Any]:
    """The whole report of a file: whose, when, its account, notes and lineage."""
    report: dict[str, Any] = json.loads((step.output / REPORT).read_text("utf-8"))
    return report


def account_of(step: Step) -> dict[str, Any]:
    """The account of a file's rows, withdrawals and later deliveries left aside."""
    account: dict[str, Any] = report_of(step)["conservation"]
    return account


def faults_of(step: Step) -> pa.Table:
    """The faults of a file, as ``sensitive.ingest.rejects`` has them."""
    options = pa_csv.ConvertOptions(column_types=REJECTS_SCHEMA)
    return pa_csv.read_csv(step.output / REJECTS, convert_options=options)


# --------------------------------------------------------------------------------------------------
# One file as a contributor sent it.


@dataclass(frozen=True)
class Contribution:
    """One raw file as received: ``contributions/<contributor>/<date>/<file>``."""

    contributor: str
    date: str
    file: Path

    @property
    def sha256(self) -> str:
        """SHA-256 of its bytes, hexadecimal; read once for each version of the file."""
        status = self.file.stat()
        return file_hash(self.file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=10_000)
def file_hash(path: Path, _size: int, _time: int) -> str:
    """SHA-256 of a file, hexadecimal, once for each size and time of its last change."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


# --------------------------------------------------------------------------------------------------
# Which mapping of a hub reads a delivery; how they are dated: ``sensitive.mapping.mapping_file``.


def mappings(hub: Hub, contributor: str) -> list[tuple[str, Path]]:
    """The mappings of a contributor, each with the date from which on it reads, in their order.

    Raises:
        MappingError: there is none, or one is named by something else than a date.
    """
    single = hub.mapping(contributor)
    files = dated.mappings(single.parent, contributor)
    if not files:
        raise error("no-mapping", file=single, id=contributor)
    return files


def mapping_file(hub: Hub, contributor: str, day: str) -> Path:
    """The mapping that reads a contributor's delivery.

    Args:
        day: date of the delivery.

    Raises:
        MappingError: the hub has none for it; see also :func:`mappings`.
    """
    known = [path for start, path in mappings(hub, contributor) if start <= day]
    if not known:
        raise error("no-mapping/date", file=hub.mapping(contributor), id=contributor, date=day)
    return known[-1]
