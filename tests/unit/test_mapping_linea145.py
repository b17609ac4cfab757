"""The example mapping against the real file of a hotline: every report is accounted for."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.run import check_mapping, harmonise

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "../shared/data/linea145/rescate-denuncias-202001-202112.csv"
MAPPING = ROOT / "examples/linea145/mapping.yaml"


def test_the_mapping_holds_its_own_tests():
    assert check_mapping(load_mapping(MAPPING)) == 7


@pytest.mark.skipif(
    not FILE.exists(), reason="a public data set is missing: lay linea145 into ../shared/data"
)
def test_every_report_is_a_record_or_excluded_by_name():
    mapping = load_mapping(MAPPING)
    raw = read_table(FILE, mapping.read)
    done = harmonise(raw, mapping, "linea145", (2002, 2030), bytes(32))
    with FILE.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    account = done.conservation
    assert account.rows_read == len(rows) == 3352
    assert account.rejected == 0
    assert account.records == 2870
    records = done.records
    assert set(records["country_of_exploitation"].to_pylist()) == {"ARG"}
    for absent in ("gender", "citizenship", "age_band", "person_key"):
        assert records[absent].null_count == records.num_rows
    labour = sum(
        "explotación laboral" in row["subtema"].lower()
        and row["via_ingreso"] != "llamada no pertinente"
        for row in rows
    )
    assert records["exploitation_forced_labour"].to_pylist().count("yes") >= labour
    years = {row["fecha_ingreso"][:4] for row in rows}
    assert {str(y) for y in records["year_of_registration"].to_pylist()} == years
