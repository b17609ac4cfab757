"""A publisher's workbook is filled, never redrawn; what is not understood is told, not written."""

from __future__ import annotations

import csv
import datetime as dt
import io
import stat
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import FileError, HubError, MappingError
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.returns.fill import (
    SheetAccount,
    SheetText,
    choices,
    fill,
    load_return_mapping,
)

ENTRY, CLOSURE = "Q. Client Program Entry", "Q. Client Case Closure"

MAPPING = """
version: 1
dates: mdy
sheets:
  "Q. Client Program Entry":
    period: {from: intake, first: 2026-01-01, last: 2026-03-31}
    columns:
      Client Identifier: {from: case}
      Reporting Period: {value: FY26 Q2}
      Intake Date: {from: intake, date: true}
      Gender Identity: {from: sex, map: {F: woman, M: Man}}
      Age at Intake: {from: age, number: true}
      Days in Program: {from: age, number: true}
  "Q. Client Case Closure":
    when: {closed: ["yes"]}
    columns:
      Client Identifier: {from: case}
      Reason: {from: why}
"""

ROWS = """case,intake,sex,age,closed,why
C-1,01/15/2026,F,22,yes,"back, home"
C-2,02/30/2026,F,30,,
C-3,12/31/2025,M,40,yes,<moved> & left
C-4,3/31/2026,X,about 20,,
C-5,2026-02-01,M,,no,unseen
"""


def publishers(path: Path) -> Path:
    """An empty workbook with instructions, lists, a formula, styles and a part of its own."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Instructions"
    sheet["A1"] = "How to use this workbook"
    entry = book.create_sheet(ENTRY)
    entry["A1"] = "Client Program Entry (quarterly)"
    heads = ("Reporting Period", "Client Identifier", "Intake\nDate", "Gender Identity",
             "Age at Intake", "Days in Program", "Referral Source")  # fmt: skip
    for place, head in enumerate(heads, 1):
        entry.cell(3, place, head).font = Font(bold=True)
    entry["B4"] = "Do not use names"
    for row in range(5, 12):
        entry.cell(row, 3).number_format = "mm/dd/yyyy"
        entry.cell(row, 6, f"=E{row}*2")
    lists = book.create_sheet("Lists")
    for row, text in enumerate(("Woman", "Man", "Other"), 1):
        lists.cell(row, 1, text)
    choice = DataValidation(type="list", formula1="Lists!$A$1:$A$3")
    choice.add("D5:D500")
    entry.add_data_validation(choice)
    closure = book.create_sheet(CLOSURE)
    for place, head in enumerate(("Client Identifier", "Reason", "Living Situation"), 1):
        closure.cell(1, place, head)
    book.save(path)
    with zipfile.ZipFile(path, "a") as parts:
        parts.writestr("xl/vbaProject.bin", b"\x00a part of its own\xff")
    return path


def filled(
    tmp_path: Path, mapping: str = MAPPING, rows: str = ROWS
) -> tuple[list[SheetAccount], Path]:
    empty = publishers(tmp_path / "empty.xlsx")
    (tmp_path / "m.yaml").write_text(mapping, "utf-8")
    (tmp_path / "f.csv").write_text(rows, "utf-8")
    rules, out = load_return_mapping(tmp_path / "m.yaml"), tmp_path / "out.xlsx"
    return fill(read_table(tmp_path / "f.csv", rules.read), rules, empty, out), out


def test_records_stand_under_the_publishers_names(tmp_path: Path) -> None:
    (entry, closure), out = filled(tmp_path)
    sheet = openpyxl.load_workbook(out)[ENTRY]
    rows = [[c.value for c in line[:6]] for line in sheet["A5:F7"]]
    assert rows == [
        ["FY26 Q2", "C-1", dt.datetime(2026, 1, 15), "Woman", 22, "=E5*2"],
        ["FY26 Q2", "C-4", dt.datetime(2026, 3, 31), None, None, "=E6*2"],
        ["FY26 Q2", "C-5", dt.datetime(2026, 2, 1), "Man", None, "=E7*2"],
    ]
    assert sheet["B4"].value == "Do not use names"
    assert (entry.rows, entry.outside, entry.undated) == (3, 1, (3,))
    assert entry.columns["Gender Identity"].unread == [5]
    assert entry.columns["Age at Intake"].unread == [5]
    assert entry.columns["Age at Intake"].empty == 1
    assert entry.columns["Days in Program"].kept == 1
    assert entry.unfilled == ("Referral Source",)
    reasons = [c.value for c in openpyxl.load_workbook(out)[CLOSURE]["B"][1:]]
    assert reasons == ["back, home", "<moved> & left"]
    assert closure.outside == 3


def test_all_else_stays_byte_for_byte(tmp_path: Path) -> None:
    _told, out = filled(tmp_path)
    with zipfile.ZipFile(tmp_path / "empty.xlsx") as old, zipfile.ZipFile(out) as new:
        assert old.namelist() == new.namelist()
        differ = {name for name in old.namelist() if old.read(name) != new.read(name)}
        assert differ - {"xl/workbook.xml"} == {
            "xl/worksheets/sheet2.xml", "xl/worksheets/sheet4.xml",
        }  # fmt: skip
        before, after = (z.read("xl/worksheets/sheet2.xml").decode() for z in (old, new))
        cut = before.index("<sheetData>"), before.index("</sheetData>")
        assert after.endswith(before[cut[1] :])
        assert b'fullCalcOnLoad="1"' in new.read("xl/workbook.xml")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_rule_without_a_list_takes_none_away_from_the_next() -> None:
    sheet = (
        '<dataValidation type="none" sqref="A5"/><dataValidation type="list" sqref="D5">'
        "<formula1>&quot;Female,Male&quot;</formula1></dataValidation>"
    )
    assert choices(sheet, 5, openpyxl.Workbook()) == ({4: ("Female", "Male")}, frozenset())


def test_a_text_that_the_workbooks_list_lacks_is_not_written(tmp_path: Path) -> None:
    mapping = MAPPING.replace("map: {F: woman, M: Man}", "map: {F: Female, M: Man, X: null}")
    (entry, _closure), out = filled(tmp_path, mapping)
    assert entry.columns["Gender Identity"].unlisted == 1
    assert entry.columns["Gender Identity"].unread == []
    assert openpyxl.load_workbook(out)[ENTRY]["D5"].value is None


@pytest.mark.parametrize(
    ("old", "new", "rule", "told"),
    [
        ("Client Identifier: {from: case}\n      Rep", "Client ID: {from: case}\n      Rep",
         "return-columns", "Client ID"),
        ('"Q. Client Case Closure"', '"Q. Closure"', "return-sheet", "Q. Closure"),
        ("{from: why}", "{from: reason}", "missing-columns", "reason"),
    ],
)  # fmt: skip
def test_what_cannot_be_filled_is_named_and_nothing_is_written(
    tmp_path: Path, old: str, new: str, rule: str, told: str
) -> None:
    assert MAPPING.count(old) == 1
    with pytest.raises(FileError) as caught:
        filled(tmp_path, MAPPING.replace(old, new))
    assert caught.value.rule == rule
    assert told in str(caught.value)
    assert not (tmp_path / "out.xlsx").exists()


def test_texts_of_the_workbook_are_never_written_over(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        filled(tmp_path, MAPPING.replace("    period:", "    first_row: 4\n    period:"))
    assert (caught.value.rule, caught.value.row) == ("return-occupied", 4)


def test_a_mapping_says_one_thing_for_a_cell(tmp_path: Path) -> None:
    for wrong in ("{}", "{from: a, value: b}", "{from: a, date: true, number: true}"):
        (tmp_path / "m.yaml").write_text(
            f"version: 1\nsheets: {{S: {{columns: {{A: {wrong}}}}}}}", "utf-8"
        )
        with pytest.raises(MappingError):
            load_return_mapping(tmp_path / "m.yaml")


@pytest.mark.parametrize("content", [b"", b"no workbook", b"PK\x03\x04 half of one"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    publishers(tmp_path / "whole.xlsx")
    (tmp_path / "m.yaml").write_text(MAPPING, "utf-8")
    (tmp_path / "f.csv").write_text(ROWS, "utf-8")
    (tmp_path / "bad.xlsx").write_bytes(content)
    rules = load_return_mapping(tmp_path / "m.yaml")
    raw = read_table(tmp_path / "f.csv", rules.read)
    with pytest.raises(HubError):
        fill(raw, rules, tmp_path / "bad.xlsx", tmp_path / "out.xlsx")
    with pytest.raises(HubError):
        fill(raw, rules, tmp_path / "whole.xlsx", tmp_path / "out.csv")


PLAIN = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff")
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.tuples(st.integers(1, 9), st.integers(1, 30)), PLAIN, max_size=12))
def test_every_text_comes_back_from_its_place(texts: dict[tuple[int, int], str]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["C2"], sheet["A7"] = "stays", 4
    held = io.BytesIO()
    book.save(held)
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(held) as old:
        whole = SheetText(old.read(part).decode())
        for (row, column), text in texts.items():
            whole.put(row, column, text, None)
        fresh = io.BytesIO()
        with zipfile.ZipFile(fresh, "w") as new:
            for name in old.namelist():
                new.writestr(name, whole.text().encode() if name == part else old.read(name))
    found = openpyxl.load_workbook(fresh)["Sheet"]
    for (row, column), text in texts.items():
        assert (found.cell(row, column).value or "") == text
    assert found["C2"].value == texts.get((2, 3), "stays") or not texts.get((2, 3), "x")
    assert found["A7"].value == texts.get((7, 1), 4) or not texts.get((7, 1), "x")


def test_the_verb_needs_a_private_file_and_says_where_cells_come_from(tmp_path: Path) -> None:
    empty = publishers(tmp_path / "empty.xlsx")
    (tmp_path / "m.yaml").write_text(MAPPING, "utf-8")
    (tmp_path / "f.csv").write_text(ROWS, "utf-8")
    words = ["tables", "--for", "otip", "--from", str(tmp_path / "f.csv"), "--mapping",
             str(tmp_path / "m.yaml"), "--workbook", str(empty)]  # fmt: skip
    missing = CliRunner().invoke(command(), words)
    assert isinstance(missing.exception, HubError)
    assert "--out" in str(missing.exception)
    for beside in (["--country", "ITA"], [str(tmp_path)]):
        refused = CliRunner().invoke(command(), [*words, *beside, "--out", str(tmp_path / "no")])
        assert isinstance(refused.exception, HubError)
        assert "cannot be used" in str(refused.exception)
    done = CliRunner().invoke(command(), [*words, "--out", str(tmp_path / "out.xlsx")])
    assert done.exit_code == 0, done.output
    assert "Referral Source" in done.output
    assert "about 20" not in done.output
    rows = list(csv.DictReader((tmp_path / "out.sources.csv").open(encoding="utf-8")))
    origins = {(r["sheet"], r["column"]): r["from"] for r in rows}
    assert origins[ENTRY, "Client Identifier"] == "case"
    assert origins[ENTRY, "Reporting Period"] == "always: FY26 Q2"
    assert origins[ENTRY, "Referral Source"] == "not held"
    stray = CliRunner().invoke(command(), ["tables", "--for", "greta", "--from", str(empty)])
    assert isinstance(stray.exception, HubError)
