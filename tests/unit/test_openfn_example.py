"""The OpenFn job leaves a document that ctdhub reads, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import exports_of_systems as exports

from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest

JOB = Path(__file__).parents[2] / "examples/openfn/kobo-to-file.js"


def test_the_last_operation_keeps_the_envelope_alone() -> None:
    operations = re.findall(r"^fn\((.*)\);$", JOB.read_text("utf-8"), re.MULTILINE)
    assert len(operations) == 2
    kept = re.fullmatch(r"\(\{ results \}\) => \(\{ (.*) \}\)", operations[-1])
    assert kept is not None
    names = [part.partition(":")[0] for part in kept[1].split(", ")]
    assert names == [*json.loads(exports.kobo_api()[1])]


def test_what_the_job_leaves_is_recognised_and_read(tmp_path: Path) -> None:
    results = json.loads(exports.kobo_list()[1])
    document = {"count": len(results), "next": None, "previous": None, "results": results}
    path = tmp_path / "kobo.json"
    path.write_text(json.dumps(document), "utf-8")
    _raw, read = read_to_suggest(path)
    assert read.rows == "results"
    raw = read_table(path, read.model_copy(update={"partial": False}))
    assert raw.rows_read == exports.PEOPLE
