"""What a harmonised file left in ``work/``: whose it is, when it came, what became of its rows."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from ctdhub.build.filenames import REJECTS, REPORT
from ctdhub.build.steps import Step
from ctdhub.sensitive.ingest.rejects import REJECTS as REJECTS_SCHEMA


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
