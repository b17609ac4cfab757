"""What a mapping may say, and that what it may not say is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctdhub.core.errors import MappingError
from ctdhub.sensitive.mapping.mapping_file import load_mapping, parse_mapping

GENDER = "  gender: {from: sex, map: {F: female}}\n"


def parse(columns: str, head: str = ""):
    return parse_mapping(f"version: 1\n{head}columns:\n{columns}", "m.yaml")


def test_plain_scalars_stay_texts():
    mapping = parse(
        "  means_threats: {from: a, map: {01: yes, NO: no, on: yes, NULL: no, x: null}}\n"
    )
    rule = mapping.columns["means_threats"][0]
    assert rule.map == {"01": "yes", "NO": "no", "on": "yes", "NULL": "no", "x": None}
    flag = parse("  means_threats: {from: a, has: [x], absent: no}\n").columns["means_threats"][0]
    assert flag.absent == "no"


@pytest.mark.parametrize(
    ("columns", "place", "says"),
    [
        ("  gendre: {value: female}\n", "columns.gendre (line 3)", "not a variable"),
        ("  gender: {from: s, map: {F: femal}}\n", "columns.gender.map.F (line 3)", "its codes"),
        ("  gender: {from: s, mapp: {}}\n", "mapp (line 3)", "no such key"),
        (GENDER + GENDER, "columns.gender (line 4)", "given twice"),
        ("  gender: {from: s, value: female}\n", "columns.gender", "exactly one of"),
        ("  gender: {from: s, has: [x]}\n", "columns.gender.has", "only with a yes/no variable"),
        ("  gender: {from: s, country: true}\n", "columns.gender.country", "only with a country"),
        ("  gender: {from: s, band: true}\n", "columns.gender.band", "bands"),
        ("  age_band: {from: s, band: true, country: true}\n", "country", "exclude each other"),
        ("  citizenship: {from: s, country: true, split: ;}\n", "citizenship", "what to do"),
        ("  age_band: {from: s, at: d}\n", "at", "band: true"),
        ("  gender: {from: s, map: {f: female, F: male}}\n", "map.F", "different codes"),
        ("  gender: {from_hub: age_band, map: {}}\n", "from_hub", "not mapped here"),
        ("  gender: {from: s, unknown: maybe}\n", "unknown", "allowed are"),
        ("  reporting_entity: {from: s}\n", "reporting_entity", "never by a cell"),
        (
            "  means_other: {from_hub: abduction}\n  abduction: {from_hub: means_other}\n",
            "means_other",
            "circle",
        ),
    ],
)
def test_faults_name_place_and_remedy(columns: str, place: str, says: str):
    with pytest.raises(MappingError) as caught:
        parse(columns)
    assert place in str(caught.value)
    assert says in str(caught.value)
    assert caught.value.file == "m.yaml"
    assert caught.value.fix


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("identifiers: {sex: strip}\n", "may not be used"),
        ("identifiers: {sex: band}\n", "may not be used"),
        ("identifiers: {a: hash, b: token}\n", "only one column"),
        ("identifiers: {a: keep}\n", "needs a reason"),
        ("empty: [f]\n", "no rule ever sees it"),
        ("exclude: [{rule: Bad Name, when: {a: x}}]\n", "exclude.1.rule"),
        ("exclude: [{rule: a}]\n", "needs when or unless"),
        ("exclude: [{rule: a, when: {b: c}}, {rule: a, when: {b: d}}]\n", "one name"),
        ("tests: [{row: {sex: F}}]\n", "exactly one of"),
        ("read: {header_row: 0}\n", "read.header_row"),
    ],
)
def test_faults_outside_columns(head: str, says: str):
    with pytest.raises(MappingError, match=r"m\.yaml") as caught:
        parse(GENDER, head)
    assert says in str(caught.value)


def test_texts_of_a_built_in_mapping_may_not_be_blank_where_its_columns_are_taken_away():
    with pytest.raises(MappingError, match="is not mapped here"):
        parse_mapping("builtin: ctdc-2021\ncolumns:\nnull_values: {gender: [x]}\n", "m.yaml")


def test_all_faults_are_told_at_once():
    with pytest.raises(MappingError) as caught:
        parse("  gender: {from: s, a: b}\n  citizenship: {from: s, c: d}\n")
    assert "gender" in str(caught.value)
    assert "citizenship" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "version: 2\ncolumns: {}",
        "version: 1\ncolumns: [",
        "x: &a [*a]",
        "? [a]\n: b",
        "a: \x00",
    ],
)
def test_no_mapping_at_all(text: str):
    with pytest.raises(MappingError):
        parse_mapping(text, "m.yaml")


def test_aliases_cannot_grow_without_end():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(MappingError, match="too deep or repeats"):
        parse_mapping("\n".join(lines), "bomb.yaml")


def test_files(tmp_path: Path):
    good = tmp_path / "our-ngo.yaml"
    good.write_bytes(b"\xef\xbb\xbfversion: 1\ncolumns:\n" + GENDER.encode())
    assert load_mapping(good).name == "our-ngo"
    with pytest.raises(MappingError, match="cannot be read"):
        load_mapping(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"version: 1 # \xe9")
    with pytest.raises(MappingError, match="UTF-8"):
        load_mapping(tmp_path / "latin.yaml")


def test_a_file_may_stand_for_a_built_in_mapping() -> None:
    from ctdhub.sensitive.mapping.builtin import builtin

    assert parse_mapping("builtin: ctdc-2021", "a.yaml") == builtin("ctdc-2021")
    with pytest.raises(MappingError):
        parse_mapping("builtin: nothing-like-it", "a.yaml")


AMENDED = """
builtin: ctdc-2021
empty: [n.k.]
null_values: {citizenship: ["zz"], exploitation_sexual: ["2"]}
optional: [isAbduction]
exclude: [{rule: not-ours, when: {Datasource: [Elsewhere]}}]
columns:
  gender: {from: gender, map: {1: female, 2: male}}
  abduction: null
"""


def test_a_built_in_mapping_can_be_amended() -> None:
    from ctdhub.sensitive.mapping.builtin import builtin

    base, made = builtin("ctdc-2021"), parse_mapping(AMENDED, "our-ngo.yaml")
    assert made.name == "our-ngo"
    assert made.columns["gender"][0].map == {"1": "female", "2": "male"}
    assert {*base.columns} - {*made.columns} == {"abduction"}
    assert made.columns["means_threats"] == base.columns["means_threats"]
    assert made.empty == (*base.empty, "n.k.")
    assert made.optional == (*base.optional, "isAbduction")
    assert [e.rule for e in made.exclude] == [*(e.rule for e in base.exclude), "not-ours"]
    assert made.columns["citizenship"][0].null_values[-1] == "zz"
    assert made.columns["exploitation_sexual"][0].null_values == ("2",)
    assert made.identifiers == base.identifiers
    assert parse_mapping("version: 1\nbuiltin: ctdc-2021", "ctdc-2021.yaml") == base
    twice = parse_mapping("builtin: ctdc-2021\nnull_values: [n.k., s.i.]", "a.yaml")
    assert twice.empty == (*base.empty, "n.k.", "s.i.")
    htcds = builtin("htcds-2-export")
    changed = parse_mapping(
        "builtin: htcds-2-export\n"
        "exclude: [{rule: no-consent-to-share, unless: {con_Consent: [TRUE]}}]\n"
        "identifiers: {prs_Birthdate: strip}\n"
        "columns: {age_band: null, majority_status: null}",
        "a.yaml",
    )
    assert sorted(e.rule for e in changed.exclude) == sorted(e.rule for e in htcds.exclude)
    assert changed.exclude[-1].unless == {"con_Consent": ("TRUE",)}
    assert changed.identifiers["prs_Birthdate"].action == "strip"
    assert changed.read == htcds.read


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("columns: {gendre: {from: g}}", "gendre is not a variable", 2),
        ("columns: {gender: {from: gender, map: {1: femme}}}", "femme is not a code", 2),
        ("null_values: x\nnull_values: {gender: [x]}", "given twice", 3),
        ("null_values: {gendre: [x]}", "gendre is not mapped here", 2),
        ("null_values: null", "null_values is a list", 2),
        ("nulls: [x]", "no such key", 2),
        ("empty: ['1']", "is under empty", 1),
        ("columns: [gender]", "columns", 2),
    ],
)
def test_what_is_wrong_with_an_amendment_is_said_with_its_line(
    text: str, said: str, line: int
) -> None:
    with pytest.raises(MappingError, match=said) as caught:
        parse_mapping(f"builtin: ctdc-2021\n{text}", "m.yaml")
    assert f"line {line}" in str(caught.value)


@pytest.mark.parametrize("columns", ["{gender: 3}", "{gender: [x]}", "[]", "text"])
def test_an_amendment_of_the_wrong_form_is_a_mapping_error(columns: str) -> None:
    for more in ("", "\nnull_values: {gender: [x]}"):
        with pytest.raises(MappingError):
            parse_mapping(f"builtin: ctdc-2021\ncolumns: {columns}{more}", "m.yaml")
