"""Texts that no rule can read: listed once each, with their rows and what became of these."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import MappingError
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.file_account import FileTexts, UnknownText
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

TYPES = """
version: 1
columns:
  exploitation_sexual: {from: t, split: ";", has: [Sexual exploitation], absent: no%s}
  exploitation_forced_labour: {from: t, split: ";", has: [Forced labour], absent: no%s}
"""


def read(folder: Path, text: str, mapping: str) -> Harmonised:
    """A file through a mapping."""
    file = folder / "made-up.csv"
    file.write_text(text, "utf-8")
    rules = parse_mapping(mapping, "m.yaml")
    return harmonise(read_table(file, rules.read), rules, "one", (2000, 2030), b"k" * 16)


def listed(done: Harmonised) -> list[tuple[str, str, int, str, str]]:
    return [(u.column, u.text, u.rows, u.outcome, u.nearest) for u in done.texts.unknown]


@pytest.mark.parametrize("new", ["Exploitation sexuelle", "Explotación sexual", "استغلال جنسي"])
def test_a_text_that_no_rule_knows_is_listed_and_never_becomes_no(tmp_path: Path, new: str) -> None:
    rows = f"z,t\nx,Sexual exploitation\nx,{new}\nx,Forced labour\nx,{new.upper()}\n"
    done = read(tmp_path, rows, TYPES % ("", ""))
    assert listed(done)[0][:4] == ("t", new, 2, "flags-unknown")
    assert done.records["exploitation_sexual"].to_pylist() == ["yes", None, "no", None]
    assert done.conservation.rejected == 0


def test_what_became_of_the_rows_is_told(tmp_path: Path) -> None:
    rows = "z,t\nx,Sexual exploitation\nx,Forced labor\n"
    outcomes = {}
    for unknown in ("", ", unknown: reject", ", unknown: pass"):
        done = read(tmp_path, rows, TYPES % (unknown, unknown))
        outcomes[unknown] = [(text, outcome, near) for _c, text, _n, outcome, near in listed(done)]
    near = "exploitation_forced_labour"
    assert outcomes[""] == [("Forced labor", "flags-unknown", near)]
    assert outcomes[", unknown: reject"] == [("Forced labor", "rejected", near)]
    assert outcomes[", unknown: pass"] == [("Forced labor", "passed-over", near)]


EVERY = """
version: 1
empty: ["", "-"]
exclude: [{rule: not-a-victim, when: {status: [none]}}]
columns:
  year_of_registration: {from: d, year: true}
  gender: {from: s, map: {F: female, M: male, "?": null}}
  age_band: {from: a, band: true, unknown: null}
  citizenship: {from: n, country: true, null_values: [stateless]}
"""


def test_both_kinds_are_listed_each_text_once(tmp_path: Path) -> None:
    rows = (
        "status,d,s,a,n,free\n"
        "x,2020-01-01,F,17,France,a\n"
        "x,2020-03-01,f,about 20,Frence,b\n"
        "x,soon,?,about 20,-,c\n"
        "x,2021,W,200,stateless,d\n"
        "x,1950,w,30,frence,e\n"
        "none,never,Q,old,Atlantis,f\n"
    )
    done = read(tmp_path, rows, EVERY)
    assert listed(done) == [
        ("d", "soon", 1, "rejected", ""),
        ("s", "W", 2, "rejected", ""),
        ("a", "about 20", 2, "not-recorded", ""),
        ("n", "Frence", 2, "rejected", "FRA"),
    ]  # a number or a year out of bounds was read; an excluded row is nobody's
    columns = {c.column: c for c in done.texts.columns}
    assert not columns["free"].read
    assert not columns["free"].decided
    assert (columns["n"].filled, columns["s"].filled) == (4, 5)
    assert (columns["d"].dates, columns["d"].new_year) == (2, 1)


def test_a_text_that_another_rule_knows_is_listed_where_it_rejected_a_row(tmp_path: Path) -> None:
    mapping = """
version: 1
columns:
  gender: {from: s, map: {F: female}}
  majority_status: {from: s, map: {girl: minor}, unknown: null}
"""
    done = read(tmp_path, "s\nF\ngirl\nF\n", mapping)
    assert [(t, n, o) for _c, t, n, o, _near in listed(done)] == [("girl", 1, "rejected")]


def test_lists_of_perpetrators_are_taken_apart(tmp_path: Path) -> None:
    mapping = """
version: 1
columns: {gender: {from: s, map: {F: female}}}
perpetrators:
  split: ";"
  aligned: true
  columns: {perpetrator_gender: {from: p, map: {F: female, M: male}, unknown: null}}
"""
    done = read(tmp_path, "s,p\nF,F;M\nF,M;X\nF,M\n", mapping)
    assert [(t, n) for _c, t, n, _o, _near in listed(done)] == [("X", 1)]
    content = next(c for c in done.texts.columns if c.column == "p")
    assert (content.lists, content.sets) == (2, 2)


def test_child_tables_are_read_row_by_row(tmp_path: Path) -> None:
    mapping = """
version: 1
identifiers: {_id: {keep: made-up}}
read: {rows: results, children: {perp: {path: perp}}}
columns: {gender: {from: sex, map: {f: female}}}
perpetrators:
  child: perp
  columns: {perpetrator_gender: {from: perp.s, map: {m: male}, unknown: null}}
"""
    rows = [{"_id": i, "sex": "f", "perp": [{"perp/s": "m"}, {"perp/s": "zz"}]} for i in range(3)]
    file = tmp_path / "made-up.json"
    file.write_text(json.dumps({"count": 3, "next": None, "results": rows}), "utf-8")
    rules = parse_mapping(mapping, "m.yaml")
    done = harmonise(read_table(file, rules.read), rules, "one", (2000, 2030), b"k" * 16)
    assert [(c, t, n) for c, t, n, _o, _near in listed(done)] == [("perp.s", "zz", 3)]
    assert sum(c.filled for c in done.texts.columns if c.column == "perp.s") == 6


def test_numbered_days_are_dates(tmp_path: Path) -> None:
    mapping = "version: 1\ncolumns: {year_of_registration: {from: d, year: true}}"
    done = read(tmp_path, "d\n" + "43831\n" * 3 + "43832\n", mapping)
    assert listed(done) == []
    content = done.texts.columns[0]
    assert (content.dates, content.new_year) == (4, 3)


WORDS = st.lists(st.sampled_from(["a", "b", "new", "Other"]), min_size=1, max_size=3)


@settings(max_examples=30)
@given(st.lists(WORDS, min_size=1, max_size=12))
def test_every_unknown_element_is_listed_with_its_rows(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
) -> None:
    mapping = """
version: 1
columns: {means_other: {from: t, split: ";", has: [a], known: [b], absent: no}}
"""
    text = "z,t\n" + "".join(f"x,{';'.join(cell)}\n" for cell in cells)
    done = read(tmp_path_factory.mktemp("w"), text, mapping)
    found = {u.text: u.rows for u in done.texts.unknown}
    wanted = {w: sum(w in cell for cell in cells) for w in ("new", "Other")}
    assert found == {w: n for w, n in wanted.items() if n}
    for cell, flag in zip(cells, done.records["means_other"].to_pylist(), strict=True):
        assert flag == ("yes" if "a" in cell else None if {"new", "Other"} & {*cell} else "no")


def test_the_file_is_harmless_and_the_texts_survive() -> None:
    texts = FileTexts((), (UnknownText("t", "=HYPERLINK(1)", 2, "rejected", ""),), {})
    assert texts.as_csv().splitlines()[1] == "t,'=HYPERLINK(1),2,,rejected"
    assert FileTexts.from_json(texts.as_json()) == texts


ACCEPTING = """
version: 1
columns: {gender: {from: Sex, map: {F: female}}}
accept: [%s]
"""


@pytest.mark.parametrize(
    "entry",
    [
        "one-gender",
        '"unknown-texts: Sex"',
        '"unknown-texts: sex"',
        '"new-column: Genre"',
        '"recorded-fell: gender"',
        '"year-jump: 2020"',
        "{text: W, column: Sex}",
        '{alarm: one-gender, delivery: "2026-01-15", reason: "a shelter for women"}',
    ],
)
def test_accept_names_exactly(entry: str) -> None:
    assert len(parse_mapping(ACCEPTING % entry, "m.yaml").accept) == 1


@pytest.mark.parametrize(
    "entry",
    [
        "one-sex",
        "unknown-texts",
        '"unknown-texts: Age"',
        '"one-gender: Sex"',
        '"recorded-fell: age_band"',
        '"recorded-fell: nothing"',
        '"year-jump: soon"',
        "{text: W}",
        "{column: Sex}",
        "{text: W, column: Age}",
        "{alarm: one-gender, text: W, column: Sex}",
        "{alarm: one-gender, delivery: juin}",
        "{alarm: one-gender, why: because}",
    ],
)
def test_accept_refuses_what_is_not_there(entry: str) -> None:
    with pytest.raises(MappingError, match="accept") as met:
        parse_mapping(ACCEPTING % entry, "m.yaml")
    assert "line 4" in met.value.what
