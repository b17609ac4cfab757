"""A contributor's profile: exact, its own, and nobody else's."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.i18n import Text
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.rejects import REJECTS, Reject, reject_table
from ctdhub.sensitive.mapping.run import RECORDS
from ctdhub.sensitive.profile import Profile, profile

SCHEMA = load_schema()


def records(rows: list[dict[str, object]]) -> pa.Table:
    """Records with the given values, about fictitious people."""
    filled = [
        {
            "record_id": f"r{k}",
            "source_file": "practice.csv",
            "source_row": k + 2,
            "reporting_entity": "one",
            **row,
        }
        for k, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(filled, schema=RECORDS)


def of(rows: list[dict[str, object]], rejects: pa.Table | None = None) -> Profile:
    none = REJECTS.empty_table() if rejects is None else rejects
    return profile(records(rows), none, len(rows), {"no-consent": 2}, SCHEMA)


def test_people_are_joined_and_counted_exactly() -> None:
    found = of(
        [
            {"person_key": "a", "gender": "female", "year_of_registration": 2015},
            {"person_key": "a", "exploitation_sexual": "yes"},
            {"gender": "male"},
            {},
        ]
    )
    assert (found.records, found.people) == (4, 3)
    assert found.values["gender"] == {"female": 1, "male": 1, "": 1}
    assert found.values["any_exploitation"] == {"yes": 1, "no": 2}
    assert found.values["year_of_registration"] == {"2015": 1, "": 2}
    assert found.recorded("gender") == 2
    assert found.excluded == {"no-consent": 2}


def test_refused_rows_count_once_under_each_rule() -> None:
    rejects = reject_table(
        "a.csv",
        [
            Reject(3, "year-bounds", Text("The year is outside."), "when"),
            Reject(3, "year-bounds", Text("The year is outside."), "again"),
            Reject(3, "unknown-code", Text("No such code."), "sex"),
            Reject(9, "year-bounds", Text("The year is outside."), "when"),
        ],
    )
    assert of([{}], rejects).refused == {"year-bounds": 2, "unknown-code": 1}


def test_no_identifier_is_in_a_profile() -> None:
    found = of([{"person_key": "secret-key", "gender": "female"}])
    assert "secret-key" not in repr(found)
    assert "r0" not in repr(found)
    assert "practice.csv" not in repr(found)
    for name, values in found.values.items():
        assert SCHEMA.variable(name).public
        assert set(values) <= {*SCHEMA.domain(name), ""}


@settings(max_examples=6)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "gender": st.sampled_from(["female", "male", None]),
                "person_key": st.sampled_from(["a", "b", None]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_variable_counts_every_person(rows: list[dict[str, object]]) -> None:
    found = of(rows)
    assert found.people <= found.records == len(rows)
    for values in found.values.values():
        assert sum(values.values()) == found.people
