"""Where records of one person contradict each other, it is kept with who said it and what the row
says."""

from __future__ import annotations

from test_linkage import SCHEMA, table

from ctdhub.sensitive.linkage.people import link


def test_what_differs_is_kept_with_its_record() -> None:
    records = table(
        [
            {"person_key": "a", "reporting_entity": "x", "year_of_registration": 2018,
             "gender": "female", "means_threats": "no", "assistance_medical": "offered"},
            {"person_key": "a", "reporting_entity": "y", "year_of_registration": 2020,
             "gender": "male", "means_threats": "yes", "assistance_medical": "received"},
            {"person_key": "b", "reporting_entity": "x", "gender": "male"},
            {"person_key": "b", "reporting_entity": "y", "gender": "male"},
            {"reporting_entity": "y", "gender": "female"},
        ]
    )  # fmt: skip
    linked = link(records, SCHEMA)
    found = linked.conflicts.to_pylist()
    assert {row["person"] for row in found} == {"a"}
    said = {(row["variable"], row["value"]): row for row in found}
    assert {v for v, _ in said} == {"gender", "means_threats", "assistance_medical"}
    kept = {key for key, row in said.items() if row["kept"]}
    assert kept == {
        ("gender", "female"), ("means_threats", "yes"), ("assistance_medical", "received"),
    }  # fmt: skip
    ids = records["record_id"].to_pylist()
    assert said["gender", "male"]["record_id"] == ids[1]
    assert said["gender", "male"]["reporting_entity"] == "y"


def test_who_has_one_record_contradicts_nobody() -> None:
    assert link(table([{"gender": "male"}, {"gender": "female"}]), SCHEMA).conflicts.num_rows == 0
