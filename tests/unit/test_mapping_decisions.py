"""Decisions in a workbook: out to the contributor and back into the YAML, comments and all."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.core.tables import fold
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.mapping.edits import NOT_RECORDED, OTHER_KIND, STAYS
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.workbench.decision_book import Decided, decided_yaml, read_book, write_book
from ctdhub.sensitive.workbench.facets import (
    Answer,
    Facets,
    OpenedFile,
    askable,
    meanings,
    questions,
)

YAML = """\
# Our own mapping, read aloud on 3 May
version: 1
rows: person
empty: ["", "-"]
columns:
  gender: {from: Sexo, map: {F: female, "01": male}}   # M is asked about
  age_band: {from: Edad, band: true}
  citizenship:
    from: Pais
    country: true   # names
    null_values: [Desconocido]
  exploitation_sexual: {from: Tipo, split: ";", has: [Sexual], absent: no}
  exploitation_forced_labour: {from: Tipo, split: ";", has: [Laboral, Trabajo], absent: no}
  means_threats: {from: Tipo, has: [Deuda], when: {Sexo: [F]}}
tests:
  - {row: {Sexo: F, Tipo: Sexual}, gives: {gender: female, exploitation_sexual: yes}}
"""
TABLE = pa.table(
    {
        "Sexo": ["F", "M", "M", "01", "=1+1", None],
        "Edad": ["17", "22", "adulta", "22", "30", "-"],
        "Pais": ["Perú", "Atlantis", "Nigeria", "Desconocido", "Nigeria", "-"],
        "Tipo": ["Sexual", "Laboral; Mendicidad", "estafa en línea", "Sexual;Sexual", None, "-"],
        "_row": pa.array(range(2, 8), pa.int64()),
    }
)
FILE = OpenedFile(RawTable("f.csv", "00" * 32, TABLE, REJECTS.empty_table(), 6))


def asked(mapping: Mapping) -> dict[str, Facets]:
    found = questions(mapping, FILE)
    return {"/".join(one.of.columns) + ":" + next(iter(one.of.rules)): one for one in found}


def today(found: Facets) -> dict[str, Answer]:
    return {one.text: found.today[fold(one.text)] for one in found.values}


def written(tmp_path: Path, yaml: str = YAML) -> Path:
    """The workbook about the file."""
    path = tmp_path / "q.xlsx"
    write_book(path, [*questions(parse_mapping(yaml, "a.yaml"), FILE)], yaml, counted=True)
    return path


def answer(path: Path, decisions: dict[str, str], *, columns: dict[str, int] | None = None) -> None:
    """Write decisions into a workbook as a contributor does: text by text, on whatever sheet."""
    book = openpyxl.load_workbook(path)
    left = dict(decisions)
    for sheet in book.worksheets:
        keys = [cell.value for cell in sheet[2]]
        if "decision" not in keys:
            continue
        text, decision = keys.index("text"), keys.index("decision")
        for row in sheet.iter_rows(min_row=4):
            if row[text].value in left:
                row[decision].value = left.pop(row[text].value)
    assert not left
    book.save(path)


def back(tmp_path: Path, decisions: dict[str, str], yaml: str = YAML) -> str:
    mapping, path = parse_mapping(yaml, "a.yaml"), written(tmp_path, yaml)
    answer(path, decisions)
    return decided_yaml(yaml, "a.yaml", read_book(path, mapping, yaml))


def test_each_text_is_asked_with_what_it_is_today() -> None:
    found = asked(parse_mapping(YAML, "a.yaml"))
    assert today(found["Sexo:gender"]) == {
        "M": (), "=1+1": (), "F": ("female",), "01": ("male",),
    }  # fmt: skip
    assert today(found["Edad:age_band"]) == {"adulta": ()}
    assert today(found["Pais:citizenship"]) == {
        "Atlantis": (), "Nigeria": ("NGA",), "Perú": ("PER",), "Desconocido": (NOT_RECORDED,),
    }  # fmt: skip
    assert today(found["Tipo:exploitation_sexual"]) == {
        "Mendicidad": (),
        "estafa en línea": (),
        "Sexual": ("exploitation_sexual",),
        "Laboral": ("exploitation_forced_labour",),
        "Trabajo": ("exploitation_forced_labour",),
    }
    rows = {one.text: one.rows for one in found["Tipo:exploitation_sexual"].values}
    assert rows["Sexual"] == 2
    assert rows["Trabajo"] == 0
    assert "Tipo:means_threats" not in found, "it holds for some rows only"


def test_no_decision_changes_nothing(tmp_path: Path) -> None:
    assert back(tmp_path, {}) == YAML


def test_decisions_go_into_the_yaml_and_comments_stay(tmp_path: Path) -> None:
    after = back(
        tmp_path,
        {
            "M": "male · Male",
            "=1+1": NOT_RECORDED,
            "adulta": "18-20",
            "Atlantis": STAYS,
            "Mendicidad": "exploitation_other",
            "estafa en línea": OTHER_KIND,
            "Trabajo": "exploitation_forced_labour; exploitation_sexual",
        },
    )
    assert "# Our own mapping, read aloud on 3 May" in after
    assert "# M is asked about" in after
    assert "# names" in after
    mapping = parse_mapping(after, "a.yaml")
    found = asked(mapping)
    assert today(found["Sexo:gender"])["M"] == ("male",)
    assert today(found["Sexo:gender"])["=1+1"] == (NOT_RECORDED,)
    assert today(found["Edad:age_band"])["adulta"] == ("18-20",)
    assert today(found["Pais:citizenship"])["Atlantis"] == (STAYS,)
    kinds = today(found["Tipo:exploitation_sexual"])
    assert kinds["Mendicidad"] == ("exploitation_other",)
    assert kinds["estafa en línea"] == (OTHER_KIND,)
    assert set(kinds["Trabajo"]) == {"exploitation_forced_labour", "exploitation_sexual"}
    assert kinds["Sexual"] == ("exploitation_sexual",)
    other = mapping.columns["exploitation_other"][0]
    assert other.absent == "no"
    assert other.split == ";"


def test_only_the_lines_of_a_decision_change(tmp_path: Path) -> None:
    long = YAML + "# " + "a long remark " * 20 + "\n"
    wide = long.replace("[Laboral, Trabajo]", "[Laboral, Trabajo, " + "x" * 200 + "]")
    after = back(tmp_path, {"Mendicidad": "exploitation_forced_labour"}, wide)
    same = set(wide.splitlines()) & set(after.splitlines())
    assert len(same) == len(wide.splitlines()) - 1


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_workbook_in_any_language_comes_back_by_code_or_by_label(
    tmp_path: Path, code: str
) -> None:
    mapping, path = parse_mapping(YAML, "a.yaml"), tmp_path / "q.xlsx"
    with language(code):
        path = written(tmp_path)
        from ctdhub.schema.labels import code_label

        answer(path, {"M": code_label("gender", "male", code), "Mendicidad": "exploitation_other"})
    with language("en"):
        found = read_book(path, mapping, YAML)
    assert {(d.text, d.answer) for d in found} == {
        ("M", ("male",)), ("Mendicidad", ("exploitation_other",)),
    }  # fmt: skip
    book = openpyxl.load_workbook(path)
    assert all(s.sheet_view.rightToLeft == (code == "ar") for s in book if s.title != "choices")


def test_rows_may_be_sorted_and_columns_moved(tmp_path: Path) -> None:
    mapping, path = parse_mapping(YAML, "a.yaml"), written(tmp_path)
    answer(path, {"M": "male"})
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets[2:]:
        rows = [[c.value for c in row] for row in sheet.iter_rows()]
        moved = [row[::-1] for row in [*rows[:3], *rows[:2:-1]]]
        for i, row in enumerate(moved, 1):
            for j, value in enumerate(row, 1):
                sheet.cell(i, j).value = value
                sheet.cell(i, j).data_type = "s" if isinstance(value, str) else "n"
    book.save(path)
    assert [(d.text, d.answer) for d in read_book(path, mapping, YAML)] == [("M", ("male",))]


def test_no_text_of_a_file_is_a_formula(tmp_path: Path) -> None:
    path = written(tmp_path)
    for sheet in openpyxl.load_workbook(path).worksheets:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert path.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize(
    ("decisions", "name"),
    [
        ({"M": "man or woman"}, "mapping-book/decision"),
        ({"M": "male; female"}, "mapping-book/decision"),
        ({"Mendicidad": "exploitation_other; other-kind"}, "mapping-book/decision"),
        ({"Mendicidad": "gender"}, "mapping-book/decision"),
        ({"Sexual": OTHER_KIND}, "mapping-book/nothing-left"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_sheet_and_row(
    tmp_path: Path, decisions: dict[str, str], name: str
) -> None:
    with pytest.raises(HubError) as met:
        back(tmp_path, decisions)
    assert met.value.name == name
    said = str(met.value)
    assert not any(text in said for text in ("man or woman", "Mendicidad"))


def test_another_mapping_and_another_file_are_refused(tmp_path: Path) -> None:
    mapping, path = parse_mapping(YAML, "a.yaml"), written(tmp_path)
    with pytest.raises(HubError) as met:
        read_book(path, mapping, YAML + "# a word\n")
    assert met.value.name == "mapping-book/older"
    other = openpyxl.Workbook()
    other.save(tmp_path / "other.xlsx")
    (tmp_path / "text.xlsx").write_text("a,b\n1,2\n")
    for file in ("other.xlsx", "text.xlsx"):
        with pytest.raises(HubError):
            read_book(tmp_path / file, mapping, YAML)


def test_hidden_keys_cannot_say_another_thing_than_the_heads(tmp_path: Path) -> None:
    mapping, path = parse_mapping(YAML, "a.yaml"), written(tmp_path)
    answer(path, {"M": "male"})
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets[2:]:
        (row,) = (r for r in sheet.iter_rows(min_row=2, max_row=2))
        row[4].value, row[5].value = row[5].value, row[4].value  # decision and remark
    book.save(path)
    with pytest.raises(HubError) as met:
        read_book(path, mapping, YAML)
    assert met.value.name == "mapping-book"


def test_what_was_read_otherwise_is_named(tmp_path: Path) -> None:
    mapping, path = parse_mapping(YAML, "a.yaml"), written(tmp_path)
    answer(path, {"F": "male", "M": "male"})
    assert {d.text: d.before for d in read_book(path, mapping, YAML)} == {"F": ("female",), "M": ()}


def test_a_list_that_two_rules_share_is_written_out_for_one(tmp_path: Path) -> None:
    yaml = YAML.replace("has: [Sexual]", "has: &both [Sexual]").replace(
        "has: [Laboral, Trabajo]", "has: *both"
    )
    after = back(tmp_path, {"Mendicidad": "exploitation_forced_labour"}, yaml)
    assert "has: &both [Sexual], absent: no}" in after
    assert 'has: [Sexual, Mendicidad], absent: "no"}' in after


def test_a_built_in_mapping_is_amended(tmp_path: Path) -> None:
    """Its rules stay where they are; only the variable that a decision is about is written out."""
    yaml = "builtin: htcds-2   # theirs\n"
    mapping = parse_mapping(yaml, "a.yaml")
    gender = next(sheet for sheet in askable(mapping) if "gender" in sheet.rules)
    told = [Decided(gender, "1", 4, "Dama", ("female",))]
    after = decided_yaml(yaml, "a.yaml", told)
    assert after.startswith(yaml)
    now = parse_mapping(after, "a.yaml")
    gender = next(sheet for sheet in askable(now) if "gender" in sheet.rules)
    assert meanings(now, gender, ["Dama"]) == [("female",)]


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda t: t.strip() and t.strip() not in ("-",)
)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(TEXTS, st.sampled_from(["male", "female", NOT_RECORDED]), max_size=6))
def test_whatever_a_text_is_its_decision_holds(decisions: dict[str, str]) -> None:
    yaml = 'version: 1\nrows: person\ncolumns:\n  gender: {from: s, map: {"£$": male}}\n'
    mapping = parse_mapping(yaml, "a.yaml")
    (sheet,) = askable(mapping)
    once = {fold(t): (t, a) for t, a in decisions.items() if fold(t)}
    told = [Decided(sheet, "1", i, t, (a,)) for i, (t, a) in enumerate(once.values())]
    after = parse_mapping(decided_yaml(yaml, "a.yaml", told), "a.yaml")
    (sheet,) = askable(after)
    assert meanings(after, sheet, [d.text for d in told]) == [d.answer for d in told]


def test_columns_that_nobody_reads_come_first(tmp_path: Path) -> None:
    path = tmp_path / "q.xlsx"
    unread = {"Home": ["citizenship", "country_of_exploitation"], "Remark": []}
    write_book(path, [*questions(parse_mapping(YAML, "a.yaml"), FILE)], YAML, True, unread)
    rows = [*openpyxl.load_workbook(path)["ctdhub"].iter_rows(min_row=4, values_only=True)]
    assert [row[2] for row in rows[:2]] == ["Home", "Remark"]
    assert "Citizenship" in str(rows[0][3])
    assert "perhaps" not in str(rows[1][3])
    assert read_book(path, parse_mapping(YAML, "a.yaml"), YAML) == []
