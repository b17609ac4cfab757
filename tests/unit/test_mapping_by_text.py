"""Rules that read one column give by text what they give by row."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.sensitive.mapping import compile as rules
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.transform import Transform, Transformed, program

MAPPING = parse_mapping(
    """
version: 1
empty: ["", "-99"]
optional: [absent]
exclude:
  - {rule: not-counted, when: {sex: Group}}
columns:
  year_of_registration: {from: date, year: true}
  source_type: {value: hotline}
  gender: {from: sex, map: {F: female, M: male}}
  age_band:
    - {from: age, band: true, unknown: "null"}
    - {value: 0-8, when: {sex: Boy}}
  majority_status:
    - {from: absent, map: {adult: adult}}
    - {from_hub: age_band, map: {0-8: minor, 9-17: minor}, unknown: "null"}
  citizenship: {from: country, country: true}
  country_of_exploitation: {from: [absent, country], country: true}
  exploitation_sexual: {from: forms, split: ";", has: [sexual], absent: "no"}
  exploitation_forced_labour: {from: forms, split: ";", has: [labour], absent: "no"}
  means_threats: {from: forms, map: {sexual: "yes"}, unknown: "null"}
""",
    "m.yaml",
)
COLUMNS = {
    "date": ["2020", "3/2/2019", "1999", "soon", "-99", None],
    "sex": ["F", "m", "Group", "Boy", "x", None],
    "age": ["7", "12", "0-8", "old", "130", None],
    "country": ["RDC", "Perú", "NA", "Atlantis", "Kosovo", None],
    "forms": ["sexual", "sexual; Labour", "labour", "other", "sexual;other", None],
}
rows = st.lists(st.tuples(*(st.sampled_from(texts) for texts in COLUMNS.values())), max_size=9)


@pytest.fixture(scope="module")
def by_row() -> Transform:
    """The same mapping, everything worked out row by row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "of_one_column", lambda columns: {})
        program.cache_clear()
        found = Transform(MAPPING, (2002, 2025))
    program.cache_clear()
    return found


@settings(max_examples=40, deadline=None)
@given(rows)
def test_by_text_and_by_row_are_one(by_row: Transform, given_rows: list[tuple[str, ...]]) -> None:
    columns = {n: pa.array([r[i] for r in given_rows], pa.string()) for i, n in enumerate(COLUMNS)}
    numbers = pa.array(range(2, 2 + len(given_rows)), pa.int64())
    table = pa.table({**columns, "_row": numbers})
    assert _said(Transform(MAPPING, (2002, 2025)).run(table)) == _said(by_row.run(table))


def _said(done: Transformed) -> list[object]:
    rejects = done.rejects.sort_by("source_row").to_pylist()
    return [done.values.to_pylist(), rejects, done.excluded.to_pylist(), done.rejected, done.folded]


def test_most_rules_read_one_column() -> None:
    found = rules.of_one_column(MAPPING.columns)
    assert set(MAPPING.columns) - set(found) == {
        "age_band", "majority_status", "country_of_exploitation"
    }  # fmt: skip
    assert (found["source_type"], found["gender"]) == (None, "sex")
