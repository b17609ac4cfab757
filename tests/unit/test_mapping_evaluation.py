"""Laws of evaluating rules: what wins, what is at fault, what is left unread, what is left out."""

from __future__ import annotations

import pytest
from test_mapping_rules import KEY, raw_table, run

from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise
from ctdhub.sensitive.workbench.facets import FileEffect, OpenedFile


def faults(done: Harmonised) -> list[tuple[int, str, str]]:
    """Row, rule and column of each reject, as they stand."""
    found = done.rejects.to_pylist()
    return [(one["source_row"], one["rule"], one["column"]) for one in found]


def unread(done: Harmonised) -> dict[str, list[str]]:
    """The unknown texts by column."""
    found: dict[str, list[str]] = {}
    for one in done.texts.unknown:
        found.setdefault(one.column, []).append(one.text)
    return found


def test_a_value_survives_the_fault_of_an_earlier_rule_and_others_read_it():
    """Row 2 is at fault for its status, yet the second rule says that it is no victim."""
    rules = """
columns:
  victim_status:
    - {from: a, map: {v: identified}}
    - {value: not_a_victim, when: {b: [x]}}
"""
    done = run(rules, {"a": "q", "b": "x"}, {"a": "q", "b": "y"}, {"a": "v", "b": "x"})
    assert done.conservation.excluded == {"not-a-victim": 1}
    assert faults(done) == [(3, "unknown-code", "a")]
    follows = """
columns:
  age_band: [{from: a, map: {k: 0-8}}, {value: 18-20, when: {b: [x]}}]
  majority_status: {from_hub: age_band, map: {0-8: minor}}
"""
    done = run(follows, {"a": "q", "b": "x"}, {"a": "k", "b": "x"}, {"a": "q", "b": "y"})
    assert faults(done) == [
        (2, "unknown-code", "a"), (2, "unknown-code", "age_band"), (4, "unknown-code", "a"),
    ]  # fmt: skip


def test_faults_come_in_the_order_of_rules_and_columns():
    rules = """
columns:
  citizenship: {from: [b, a], country: true}
  gender: [{from: a, map: {F: female}}, {from: b, map: {M: male}}]
"""
    rows = ({"a": "q", "b": "r"}, {"a": "q", "b": "M"}, {"a": None, "b": "r"})
    assert faults(run(rules, *rows)) == [
        (2, "unknown-country", "b"), (2, "unknown-code", "a"),
        (3, "unknown-country", "b"), (3, "unknown-code", "a"),
        (4, "unknown-country", "b"), (4, "unknown-code", "b"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "flag"),
    [("sexual", "yes"), ("labour", "no"), ("labour; other", None), ("labour; unknown", None),
     ("sexual; other", "yes"), ("unknown", None), ("∅", None), (None, None)],
)  # fmt: skip
def test_what_is_absent_is_no_only_beside_known_kinds(text: str | None, flag: str | None):
    rules = """
empty: ["", unknown]
columns:
  exploitation_sexual: {from: a, split: ";", has: [sexual], known: [labour], absent: "no"}
"""
    done = run(rules, {"a": text, "b": "x"})
    assert done.records["exploitation_sexual"].to_pylist() == [flag]


def test_days_are_numbered_only_where_every_text_of_the_file_is_one():
    rules = 'empty: ["", "-99"]\ncolumns: {year_of_registration: {from: a, year: true}}'
    days = [{"a": "43905"}, {"a": "44562.5"}, {"a": "-99"}, {"a": None}]
    done = run(rules, *days)
    assert done.records["year_of_registration"].to_pylist() == [2020, 2022, None, None]
    left_out = 'exclude: [{rule: gone, when: {b: ["x"]}}]\n' + rules
    done = run(left_out, *days, {"a": "2020", "b": "x"})
    assert faults(done) == [(2, "unparsable-date", "a"), (3, "unparsable-date", "a")]


def test_of_several_ways_to_take_a_list_apart_the_one_that_leaves_least_counts():
    rules = """
columns:
  means_threats: {from: a, split: ";", has: [fear]}
  means_false_promises: {from: a, split: ",", has: [lies]}
  exploitation_sexual: {from: b, has: [sexual]}
  exploitation_forced_labour: {from: b, split: ";", has: [labour]}
"""
    rows = [("fear; y; z, lies", "p; q"), ("lies, odd; fear; q", "labour")]
    done = run(rules, *({"a": a, "b": b} for a, b in rows))
    assert unread(done) == {"a": ["fear; y; z", "odd; fear; q"], "b": ["p; q"]}


def test_one_reject_for_a_column_and_kind_lists_first():
    rules = """
columns:
  gender: {from: a, map: {F: female}}
  means_threats: {from: a, split: ";", has: [fear]}
  citizenship: {from: b, country: true}
"""
    rows = ({"a": "['F']", "b": '["PER", "FRA"]'}, {"a": '["F", "M"]', "b": "{x"})
    assert faults(run(rules, *rows)) == [
        (2, "broken-list", "a"), (2, "broken-list", "a"), (2, "several-values", "b"),
        (3, "several-values", "a"), (3, "broken-list", "b"),
    ]  # fmt: skip


def test_the_first_exclusion_counts_and_the_status_last():
    rules = """
exclude:
  - {rule: second, when: {a: [x]}, unless: {b: [keep]}}
  - {rule: first, when: {b: [y]}}
columns:
  victim_status: {from: c, map: {n: not_a_victim, v: identified}}
"""
    rows = [("x", "y", "n"), ("z", "y", "n"), ("z", "z", "n"), ("x", "keep", "v"), ("x", "z", "?")]
    done = run(rules, *({"a": a, "b": b, "c": c} for a, b, c in rows))
    assert done.conservation.excluded == {"second": 2, "first": 1, "not-a-victim": 1}
    assert done.records["source_row"].to_pylist() == [5]


def test_a_note_has_no_fault_beside_that_it_is_one():
    rules = "columns: {gender: {from: a, map: {F: female}}}"
    names = [f"c{i}" for i in range(6)]
    full = [{"a": "F", **{n: f"{n} {i}" for n in names}} for i in range(8)]
    table = raw_table([*full, {"a": "Total", "c0": "8"}])
    raw = type(table)(**{**table.__dict__, "delimiter": ","})
    done = harmonise(raw, parse_mapping("version: 1\n" + rules, "m.yaml"), "n", (2002, 2025), KEY)
    assert [(row, rule) for row, rule, _column in faults(done)] == [(10, "note-row")]
    assert (done.conservation.records, done.conservation.rejected) == (8, 1)


def test_where_two_ways_leave_as_much_the_one_with_a_separator_says_what_is_unread():
    rules = """
columns:
  means_false_promises: {from: a, has: [lies]}
  means_threats: {from: a, split: ";", has: [fear]}
"""
    assert unread(run(rules, {"a": "fear; odd"})) == {"a": ["odd"]}


def test_who_reported_is_named_by_a_map_alone_whatever_is_unknown():
    rules = "columns: {reporting_entity: {from: a, map: {n: north}, unknown: keep}}"
    done = run(rules, {"a": "N"}, {"a": "west"})
    assert done.records["reporting_entity"].to_pylist() == ["north"]
    assert faults(done) == [(3, "unknown-code", "a")]


def test_a_text_in_brackets_that_some_rule_names_is_a_text_for_the_workbench_too():
    rules = """
version: 1
columns:
  gender: {from: a, map: {F: female, '["x"]': null}}
  means_threats: {from: b, map: {x: "yes"}}
"""
    mapping = parse_mapping(rules, "m.yaml")
    raw = raw_table([{"a": "F", "b": text} for text in ("x", '["x"]', '["x"]', None)])
    done = harmonise(raw, mapping, "n", (2002, 2025), KEY)
    effect = FileEffect(mapping, OpenedFile(raw), (2002, 2025))
    assert effect.counts()["records"] == done.conservation.records == 2
