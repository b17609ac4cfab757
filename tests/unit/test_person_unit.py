"""What a row is, and keys of several columns."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctdhub.core.errors import HubError, IdentifierFound
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.builtin import builtin, names
from ctdhub.sensitive.mapping.identifiers import Keying, keyings
from ctdhub.sensitive.mapping.mapping import require_people
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

SECRET = b"k" * 32
SHEET = """file_number,line,date,role,sex,age
1001,1,2024-03-01,victim,F,22
1001,2,2024-03-01,victim,M,15
1002,1,2024-03-02,victim,F,30
1002,,2024-03-02,victim,F,31
"""
RULES = """
version: 1
rows: report
key: [file_number, line]
identifiers: {file_number: case}
columns:
  year_of_registration: {from: date, year: true}
  gender: {from: sex, map: {F: female, M: male}}
  age_band: {from: age, band: true}
"""


def run(folder: Path, rules: str = RULES, sheet: str = SHEET) -> Harmonised:
    path = folder / "sheet.csv"
    path.write_text(sheet, "utf-8")
    mapping = parse_mapping(rules, "rules.yaml")
    return harmonise(read_table(path, mapping.read), mapping, "ngo", (2000, 2030), SECRET)


def test_a_key_of_two_columns_tells_people_apart(tmp_path: Path) -> None:
    done = run(tmp_path)
    keys = done.records["person_key"].to_pylist()
    assert len(set(keys[:3])) == 3
    assert keys[3] is None, "a missing part makes no key"
    cases = dict(zip(*(c.to_pylist() for c in done.cases.columns), strict=True))
    one, two, three, four = (cases[i] for i in done.records["record_id"].to_pylist())
    assert one == two != three == four


def test_a_key_of_one_column_is_what_hash_makes(tmp_path: Path) -> None:
    one = RULES.replace("key: [file_number, line]", "key: [file_number]")
    other = RULES.replace("key: [file_number, line]\n", "").replace("case", "hash")
    assert run(tmp_path, one).records.equals(run(tmp_path, other).records) is False  # cases differ
    keys = [run(tmp_path, rules).records["person_key"] for rules in (one, other)]
    assert keys[0].equals(keys[1])
    assert len(keys[0].unique()) == 2


texts = st.text(st.sampled_from('a1,"\\ []'), min_size=1, max_size=4)


@given(st.lists(texts, min_size=2, max_size=3), st.lists(texts, min_size=2, max_size=3))
def test_no_two_lists_of_texts_make_one_key(one: list[str], other: list[str]) -> None:
    keying = Keying(("a", "b"), "hash", "ngo", SECRET)
    keys = keying.of(*one), keying.of(*other)
    same = [t.strip() for t in one] == [t.strip() for t in other]
    assert None in keys or (keys[0] == keys[1]) == same


@given(st.lists(st.tuples(*[st.sampled_from([None, "", "0", "1", "2", "n/a"])] * 2), max_size=12))
def test_rows_of_a_table_have_the_keys_of_their_texts(rows: list[tuple[str | None, ...]]) -> None:
    table = pa.table({n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate("ab")})
    keying = Keying(("a", "b"), "hash", "ngo", SECRET, frozenset({""}))
    assert keying.keys(table).to_pylist() == [keying.of(*row) for row in rows]
    for row, key in zip(rows, keying.keys(table).to_pylist(), strict=True):
        missing = row[0] in (None, "", "0", "n/a") or row[1] in (None, "", "n/a")
        assert (key is None) == missing


@pytest.mark.parametrize(
    "change",
    [
        ("{file_number: case}", "{file_number: hash}"),
        ("{file_number: case}", "{file_number: case, line: strip}"),
        ("{file_number: case}", "{file_number: case, x: token}"),
        ("[file_number, line]", "[file_number, Line, line]"),
        ("version: 1", "version: 1\ntokens: [line]"),
        ("rows: report", "rows: people"),
        ("columns:", "columns:\n  migrant_residence: {from: file_number}"),
    ],
)
def test_contradictions_are_refused(change: tuple[str, str]) -> None:
    assert change[0] in RULES
    with pytest.raises(HubError) as met:
        parse_mapping(RULES.replace(*change), "rules.yaml")
    assert met.value.rule == "mapping"


def test_what_a_row_is_must_be_said_where_nothing_makes_people() -> None:
    keyless = RULES.replace("key: [file_number, line]\n", "")
    rules = {"person": None, "report": "row-unit", "call": "row-unit", None: "row-unit"}
    for rows, rule in rules.items():
        text = keyless.replace("rows: report", f"rows: {rows}" if rows else "")
        mapping = parse_mapping(text, "rules.yaml")
        if rule is None:
            require_people(mapping, Path("rules.yaml"))
            continue
        with pytest.raises(HubError) as met:
            require_people(mapping, Path("rules.yaml"))
        assert met.value.rule == rule
    require_people(parse_mapping(RULES, "rules.yaml"), Path("rules.yaml"))


def test_published_files_hold_people() -> None:
    for name in names():
        assert builtin(name).rows == "person"


def test_a_column_of_the_key_that_a_rule_reads_is_decided_apart(tmp_path: Path) -> None:
    rules = RULES.replace("key: [file_number, line]", "key: [file_number, phone]")
    sheet = SHEET.replace("line", "phone")
    run(tmp_path, rules, sheet)
    read = rules.replace("columns:", "exclude: [{rule: none, when: {phone: [x]}}]\ncolumns:")
    with pytest.raises(IdentifierFound):
        run(tmp_path, read, sheet)


def test_a_renamed_column_is_read_by_either_name(tmp_path: Path) -> None:
    both = RULES.replace("from: sex", "from: [sex, genre]")
    old = run(tmp_path, both).records["gender"].to_pylist()
    assert (
        run(tmp_path, both, SHEET.replace(",sex,", ",genre,")).records["gender"].to_pylist() == old
    )
    with pytest.raises(HubError) as met:
        run(tmp_path, both, SHEET.replace(",sex,", ",sexe,"))
    assert met.value.rule == "missing-columns"
    flag = RULES + '  means_threats: {from: [sex, threats], map: {F: "yes", M: "no"}}\n'
    with pytest.raises(HubError) as met:
        run(tmp_path, flag)
    assert "threats" in str(met.value), "a flag's missing column could hold the only yes"


def test_keyings_name_their_columns() -> None:
    person, case = keyings(parse_mapping(RULES, "rules.yaml"), "ngo", SECRET)
    assert person is not None
    assert person.columns == ("file_number", "line")
    assert case is not None
    assert case.columns == ("file_number",)
