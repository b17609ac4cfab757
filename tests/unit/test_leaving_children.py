"""Several rows of one person leave a contributor as lists, and give the same perpetrators."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.test_child_sheets import MAIN, MARKS, PERP, book

from ctdhub.core.errors import FileError
from ctdhub.sensitive.bundle.leaving import WhatLeaves, leaving
from ctdhub.sensitive.ingest.layout import look
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.mapping_file import parse_mapping

YEARS = (2002, 2030)
RULES = """
identifiers: {_id: case, _uuid: strip, perp.name: strip}
columns:
  gender: {from: sex}
  citizenship: {from: nat, country: true}
  means_threats: {from: marks.mark, has: [tattoo], absent: "no", known: [scar]}
perpetrators:
  child: perp
  columns:
    perpetrator_gender: {from: perp.perp_sex, map: {male: male, female: female, "?": null}}
    perpetrator_age_band: {from: perp.perp_age, band: true}
"""


def leaves(path: Path, read: object, rules: str = RULES) -> WhatLeaves:
    """What leaves; that the hub reads the same of it is checked inside."""
    text = f"version: 1\nrows: person\nread: {json.dumps(read)}\n{rules}"
    mapping = parse_mapping(text, "m.yaml")
    raw = read_table(path, mapping.read)
    return leaving(raw, mapping, "our-ngo", YEARS, bytes(32), path.parent)


def test_a_kobo_workbook_with_repeats_leaves(tmp_path: Path) -> None:
    named = [[*PERP[0][:2], "name", *PERP[0][2:]]]
    named += [[*row[:2], "Secret Une", *row[2:]] for row in PERP[1:]]
    path = book(tmp_path / "a.xlsx", {"Intake": MAIN, "perp": named, "marks": MARKS})
    read = look(path).model_dump(mode="json", exclude_unset=True)
    what = leaves(path, read)
    rows = list(csv.DictReader(io.StringIO(what.cases.decode())))
    assert [row["perp.perp_sex"] for row in rows] == ["male;female", "", "male"]
    assert "Secret" not in what.cases.decode()
    assert {c.name: c.fate for c in what.columns}["perp.name"] == "stripped"
    assert "child" not in parse_mapping(what.mapping, "m.yaml").model_dump_json(exclude_unset=True)


def test_a_column_of_which_one_text_is_kept_is_named(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"Intake": MAIN, "perp": PERP, "marks": MARKS})
    read = look(path).model_dump(mode="json", exclude_unset=True)
    read["children"]["perp"]["fold"] = {"perp_sex": "first"}
    with pytest.raises(FileError) as met:
        leaves(path, read)
    assert (met.value.rule, met.value.column) == ("leaves-children", "perp.perp_sex")


TEXTS = st.sampled_from(
    ["male", "female", "?", "ma;le", "[male]", "", None, "x", "∅", " male ", "{"]
)
PEOPLE = st.lists(
    st.lists(
        st.fixed_dictionaries(
            {"sex": TEXTS, "age": st.sampled_from(["30", "", None, "4;5", "200"])}
        ),
        max_size=3,
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=15)
@given(people=PEOPLE, mark=st.sampled_from([None, "|", "||"]))
def test_whatever_child_rows_say_the_same_perpetrators_arrive(
    tmp_path_factory: pytest.TempPathFactory, people: list[list[dict[str, str]]], mark: str | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.json"
    people = [[{"sex": "male", "age": "30"}], *people]  # or the columns would not be there
    found = [{"no": f"A{n}", "gender": "F", "perp": rows} for n, rows in enumerate(people)]
    path.write_text(json.dumps({"cases": found}), "utf-8")
    read = {"rows": "cases", "children": {"perp": {"path": "perp"}}}
    rules = RULES.replace("_id", "no").replace("_uuid: strip, ", "").replace("perp_", "")
    rules = rules.replace("{from: sex}", "{from: gender, map: {F: female}}")
    lines = [line for line in rules.splitlines() if "marks" not in line and "nat" not in line]
    what = leaves(path, read | ({"lists": mark} if mark else {}), "\n".join(lines))
    assert what.rows == len(people)
