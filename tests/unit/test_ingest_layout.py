"""Where names and records are in a file: titles, labels, tags, sheets, footers; nothing guessed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from ctdhub.core.errors import FileError, UnreadableFile
from ctdhub.core.i18n import said
from ctdhub.sensitive.ingest.layout import look, sheets
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.ingest.tidy import find
from ctdhub.sensitive.ingest.workbook import read_form

NAMES = ["case", "sex", "age", "registered", "nationality"]
LABELS = ["Number of the case", "Sex of the person", "Age (years)", "Date of entry", "Nationality"]
ROWS = [
    ["C-1", "F", 17, "2024-01-05", "Nigeria"],
    ["C-2", "M", 30, "2024-02-11", "Peru"],
    ["C-3", "F", 22, "2024-02-19", "Peru"],
    ["C-4", "F", 41, "2024-03-07", "Nigeria"],
]


def book(path: Path, **tables: Iterable[Sequence[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in tables.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    made.save(path)
    return path


def text(path: Path, rows: Iterable[Sequence[Any]], mark: str = ",") -> Path:
    path.write_text("".join(mark.join(map(str, row)) + "\n" for row in rows), "utf-8")
    return path


def as_drafted(path: Path) -> dict[str, list[Any]]:
    return read_table(path, look(path)).table.to_pydict()


@pytest.mark.parametrize("above", [1, 2, 5, 9])
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_title_above_the_names(tmp_path: Path, above: int, kind: str) -> None:
    title = [["Cases of the shelter", "", "", "", ""], *[["", "", "", "", ""]] * (above - 1)]
    rows = [*title, NAMES, *ROWS]
    path = tmp_path / f"a.{kind}"
    made = book(path, cases=rows) if kind == "xlsx" else text(path, rows, ";")
    assert look(made).header_row == above + 1
    assert as_drafted(made)["age"] == ["17", "30", "22", "41"]


def test_groups_of_names_above_the_names(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", cases=[["Person", None, None, "Case"], NAMES, *ROWS])
    made = openpyxl.load_workbook(path)
    made.active.merge_cells("A1:C1")
    made.save(path)
    assert as_drafted(path)["sex"] == ["F", "M", "F", "F"], "beside a title there may be a note"
    made.active.merge_cells("D1:E1")
    made.save(path)
    assert as_drafted(path)["Person/sex"] == ["F", "M", "F", "F"]


def test_groups_above_names_of_columns_without_numbers(tmp_path: Path) -> None:
    """A title, an empty row and merged groups; ages and dates are texts."""
    rows = [[f"T{i}", "FH"[i % 2], f"{17 + i % 9} ans", "ABC"[i % 3], "oui"] for i in range(40)]
    head: list[list[Any]] = [["Registre"], [], ["Dossier", "Personne", None, "Situation", None]]
    names = ["N°", "Sexe", "Âge", "Type", "Accord"]
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [*head, names, *rows]:
        sheet.append(row)
    for cells in ("A1:E1", "B3:C3", "D3:E3"):
        sheet.merge_cells(cells)
    book.save(tmp_path / "a.xlsx")
    assert look(tmp_path / "a.xlsx").header_row == 4
    alike = find([[str(c or "") for c in r] for r in [*head, *rows]], ReadOptions())
    assert alike.header_row == 1  # a record shares its texts with others


def test_labels_below_the_names_are_no_record_and_only_they_are_left_out(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", cases=[NAMES, LABELS, *ROWS])
    options = look(path)
    assert (options.skip_rows, options.skip_if) == ((2,), {"case": "Number of the case"})
    assert as_drafted(path)["age"] == ["17", "30", "22", "41"]
    bare = book(tmp_path / "b.xlsx", cases=[NAMES, *ROWS])
    assert read_table(bare, options).table.num_rows == 4  # somebody deleted the labels


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[:2], []])
def test_a_plain_table_is_read_plainly(tmp_path: Path, rows: list[list[Any]]) -> None:
    assert look(book(tmp_path / "a.xlsx", cases=[NAMES, *rows])) == ReadOptions()


def test_a_record_is_never_taken_for_names(tmp_path: Path) -> None:
    gap = [name if name != "sex" else None for name in NAMES]
    path = book(tmp_path / "a.xlsx", cases=[gap, *ROWS])
    assert look(path) == ReadOptions()
    with pytest.raises(UnreadableFile) as caught:
        read_table(path)
    assert (caught.value.rule, caught.value.column) == ("empty-header", "B")
    assert "--header-row" in str(caught.value)
    twice = [["a", "a", "b"], ["Lyon", "Paris", "Nice"], ["Lille", "Brest", "Metz"]]
    assert look(book(tmp_path / "b.xlsx", cases=twice)) == ReadOptions()


@settings(max_examples=200)
@given(st.lists(st.lists(st.sampled_from(["", "F", "Peru", "12", "2024-01-01", "x y"]), min_size=4,
                         max_size=4), max_size=14))  # fmt: skip
def test_names_of_a_whole_first_row_stay_the_names(rows: list[list[str]]) -> None:
    found = find([["sex", "country", "age", "day"], *rows], ReadOptions())
    assert found.header_row == 1


def test_what_is_stated_is_not_looked_for(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", cases=[["Title"], NAMES, *ROWS])
    assert look(path, ReadOptions(header_row=1)).header_row == 1


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_row_of_hxl_tags_is_no_record(tmp_path: Path, kind: str) -> None:
    tags = ["#meta +id", "#affected +sex", "#affected+age", "#date", "#country"]
    rows = [NAMES, tags, *ROWS]
    path = tmp_path / f"a.{kind}"
    raw = read_table(book(path, cases=rows) if kind == "xlsx" else text(path, rows))
    assert raw.table["sex"].to_pylist() == ["F", "M", "F", "F"]
    assert any("HXL" in said(note) for note in raw.notes)
    one = read_table(text(tmp_path / "one.csv", [["a", "b"], ["#1", "x"], ["#b", ""]]))
    assert one.rows_read == 2


# Sheets -----------------------------------------------------------------------------------------


def test_a_sheet_for_each_year_is_one_table(tmp_path: Path) -> None:
    turned = [list(reversed(row)) for row in (NAMES, *ROWS)]
    lists = [["Sex", "Country"], ["F", "Peru"], ["M", "Nigeria"]]
    path = book(tmp_path / "a.xlsx", y2023=[NAMES, *ROWS[:2]], y2024=turned, lists=lists)
    assert look(path).sheets == "all"
    raw = read_table(path, look(path))
    assert raw.table["age"].to_pylist() == ["17", "30", "17", "30", "22", "41"]
    assert raw.table["_sheet"].to_pylist() == ["y2023"] * 2 + ["y2024"] * 4
    assert raw.table["_row"].to_pylist() == [2, 3, 1002, 1003, 1004, 1005]
    with pytest.raises(UnreadableFile) as caught:  # a build would have read one year of two
        read_table(path)
    assert caught.value.rule == "sheets"


def test_titles_above_the_names_of_every_sheet(tmp_path: Path) -> None:
    rows = [["Cases"], NAMES, *ROWS]
    path = book(tmp_path / "a.xlsx", north=rows, south=rows)
    assert len(as_drafted(path)["age"]) == 8


def test_a_list_of_codes_before_the_records_is_no_data(tmp_path: Path) -> None:
    lists = [["Sex", "Country"], ["F", "Peru"], ["M", "Nigeria"]]
    path = book(tmp_path / "a.xlsx", lists=lists, cases=[NAMES, *ROWS])
    assert look(path).sheet == "cases"
    after = book(tmp_path / "b.xlsx", cases=[NAMES, *ROWS], lists=lists)
    assert look(after) == ReadOptions()
    assert read_table(after).table.num_rows == 4


def test_sheets_that_may_both_hold_records_are_asked_about(tmp_path: Path) -> None:
    more = [[*NAMES, "office"], *[[*row, "north"] for row in ROWS]]
    path = book(tmp_path / "a.xlsx", anna_smith=[NAMES, *ROWS], cases=more)
    with pytest.raises(UnreadableFile) as caught:
        look(path)
    assert caught.value.rule == "sheets"
    assert "--sheet" in str(caught.value)
    assert "2" in str(caught.value)
    assert "anna" not in str(caught.value)  # a sheet may be named after a person
    assert [s.name for s in sheets(path)] == ["anna_smith", "cases"]
    assert look(path, ReadOptions(sheet="cases")).sheet == "cases"
    with pytest.raises(UnreadableFile) as caught:
        read_table(path, ReadOptions(sheets="all"))
    assert caught.value.name == "sheets/differ"


def test_a_summary_with_formulas_beside_the_years_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, y2023=[NAMES, *ROWS], y2024=[NAMES, *ROWS], sums=[["total"], ["=COUNTA(B:B)"]])
    assert len(as_drafted(path)["age"]) == 8
    inside = [NAMES, ["C-1", "F", "=1+1", "2024-01-05", "Nigeria"]]
    book(path, y2023=[NAMES, *ROWS], y2024=inside)
    with pytest.raises(FileError) as caught:
        as_drafted(path)
    assert caught.value.rule == "formula"


def test_sheets_of_an_ods_workbook(tmp_path: Path) -> None:
    made = OpenDocumentSpreadsheet()
    for name in ("2023", "2024"):
        table = Table(name=name)
        for row in (NAMES, *ROWS):
            line = TableRow()
            for cell in row:
                holder = TableCell(valuetype="string")
                holder.addElement(P(text=str(cell)))
                line.addElement(holder)
            table.addElement(line)
        made.spreadsheet.addElement(table)
    made.save(str(tmp_path / "a.ods"))
    assert len(as_drafted(tmp_path / "a.ods")["age"]) == 8


# Footers ----------------------------------------------------------------------------------------

FOOTER = [
    [""],
    [""],
    ["Survivors by intake"],
    ["Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."],
    ["Confidential Information - Do Not Distribute"],
    ["Generated By:  Anna Smith  1/2/2026 3:04 PM"],
    ["Hope House"],
]


def quoted(rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    for row in rows:
        out.write(",".join(f'"{cell}"' for cell in row) if any(map(str, row)) else "")
        out.write("\n")
    return out.getvalue().encode("cp1252")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "loose"])
@pytest.mark.parametrize("footer", [None, "salesforce"])
def test_the_footer_of_a_report_is_no_record(tmp_path: Path, kind: str, footer: Any) -> None:
    path = tmp_path / "report.csv"
    rows = [NAMES, *ROWS[:2]]
    if kind == "xlsx":
        book(path, report=[*rows, *FOOTER])
    else:
        path.write_bytes(quoted([*rows, *FOOTER]))
    if kind == "loose":
        path.write_bytes(path.read_bytes().replace(b'"Nigeria"', b'N5" x'))
    raw = read_table(path, ReadOptions(footer=footer))
    assert raw.table["age"].to_pylist() == ["17", "30"]
    assert (raw.rows_read, raw.rejects.num_rows) == (2, 0)
    notes = " ".join(map(said, raw.notes))
    assert "footer" in notes
    assert "Anna" not in notes


def test_what_only_looks_like_a_footer_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(quoted([NAMES, *ROWS, *FOOTER, ROWS[0]]))  # a record below it
    raw = read_table(path)
    assert raw.table.num_rows == 5
    assert raw.rejects.num_rows == 5
    path.write_bytes(quoted([NAMES, *ROWS, *FOOTER]))
    assert read_table(path, ReadOptions(footer="none")).rejects.num_rows == 5


def test_a_csv_of_kobo_says_that_repeats_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('"_uuid";"sex";"_submission_time"\n"u-1";"female";"2024-01-01"\n', "utf-8")
    notes = " ".join(map(said, read_table(path).notes))
    assert "repeat groups" in notes


# Hostile files ----------------------------------------------------------------------------------


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_damaged_file_is_one_error_or_is_laid_out(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    path = tmp_path / f"a.{kind}"
    rows = [["Title"], NAMES, *ROWS]
    book(path, survey=rows, y2024=rows) if kind == "xlsx" else text(path, rows)
    content = bytearray(path.read_bytes())
    for _change in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, 9999)) * len(content) // 10_000
        content[where] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(1, 10_000)) * len(content) // 10_000]))
    for ask in (look, sheets, read_form):
        with suppress(FileError):  # anything else, a library's own error above all, fails
            ask(path)


def test_a_sheet_that_is_only_looked_at_stays_within_the_limits(tmp_path: Path) -> None:
    far = book(tmp_path / "a.xlsx", cases=[NAMES, *ROWS])
    made = openpyxl.load_workbook(far)
    made.create_sheet("far")["XFD1048576"] = 1
    made.save(far)
    with pytest.raises(FileError) as caught:
        look(far)
    assert caught.value.rule == "grid-size"


def test_names_in_two_rows_are_joined(tmp_path: Path) -> None:
    names = [
        ["Respondent ID", "Start", "Which forms?", "", "How old?"],
        ["", "", "Labour", "Sexual", "Response"],
    ]
    rows = [[f"1{i}", f"2024-01-0{i}", "Labour", "", 20 + i] for i in range(1, 8)]
    found = as_drafted(text(tmp_path / "monkey.csv", [*names, *rows]))
    joined = ["Respondent ID", "Start", "Which forms?/Labour", "Which forms?/Sexual"]
    assert [*found][:-1] == [*joined, "How old?/Response"]
    assert len(found["_row"]) == 7
    record = ["", "", "She was hurt", "afraid", "Peru"]
    told = [[f"1{i}", "F", f"note {i}", f"more {i}", "Peru"] for i in range(1, 10)]
    notes = text(
        tmp_path / "notes.csv", [["Id", "Sex", "Notes", "Notes", "Country"], record, *told]
    )
    with pytest.raises(UnreadableFile) as met:  # a record is never taken for names
        as_drafted(notes)
    assert met.value.rule == "duplicate-header"
    lacks = [["", "sex", "age", "registered", "nationality"], *ROWS]
    with suppress(UnreadableFile):  # a record is never taken for names
        assert len(as_drafted(text(tmp_path / "lacks.csv", lacks))["_row"]) == len(ROWS)


def test_questions_of_qualtrics_that_repeat_their_short_names_are_refused(tmp_path: Path) -> None:
    ids = [f'{{"ImportId":"QID{i}"}}' for i in range(3)]
    rows = [["Q1", "Q2", "Q2"], ["Q1", "Q2", "Q2"], ids, *[["a", "b", "c"]] * 5]
    with pytest.raises(UnreadableFile) as met:
        as_drafted(text(tmp_path / "q.csv", rows))
    assert met.value.rule == "duplicate-header"


def test_the_questions_of_qualtrics_are_names(tmp_path: Path) -> None:
    ids = [f'{{"ImportId":"QID{i}"}}' for i in range(5)]
    rows = [["Q1", "Q2", "Q3", "Q4", "Q5"], LABELS, ids, *ROWS]
    path = book(tmp_path / "a.xlsx", S=rows)
    assert [*as_drafted(path)][:-1] == LABELS
    assert len(as_drafted(path)["_row"]) == len(ROWS)


GROUPS = ["Identification", "", "Forms of exploitation", "", "Assistance provided", "", ""]
BELOW = ["case", "sex", "Sexual", "Other", "Shelter", "Other", "Notes"]
JOINED = [
    "Identification/case", "Identification/sex", "Forms of exploitation/Sexual",
    "Forms of exploitation/Other", "Assistance provided/Shelter", "Assistance provided/Other",
]  # fmt: skip
PEOPLE = [[f"C-{i}", "FM"[i % 2], "x", "", "yes", "no", "a note"] for i in range(8)]


def grouped(path: Path, above: list[list[Any]], merged: Sequence[str], sheets: int = 1) -> Path:
    rows = [*above, GROUPS, BELOW, *PEOPLE]
    book(path, **{f"Y{n}": rows for n in range(sheets)})
    made = openpyxl.load_workbook(path)
    for sheet in made:
        for cells in merged:
            sheet.merge_cells(cells)
    made.save(path)
    return path


def test_a_merged_row_of_groups_is_part_of_the_names(tmp_path: Path) -> None:
    path = grouped(tmp_path / "a.xlsx", [], ("A1:B1", "C1:D1", "E1:F1"))
    assert look(path) == ReadOptions(header_row=2, header_rows=2)
    assert read_table(path, look(path)).column_names() == [*JOINED, "Notes"], "no group above it"
    titled = grouped(tmp_path / "b.xlsx", [["Cases"], [""]], ("A3:B3", "C3:D3", "E3:F3"))
    assert read_table(titled, look(titled)).column_names() == [*JOINED, "Notes"]
    file = text(tmp_path / "a.csv", [GROUPS, BELOW, *PEOPLE])
    assert read_table(file, look(file)).column_names()[:6] == JOINED


def test_sheets_with_the_same_groups_are_one_table(tmp_path: Path) -> None:
    path = grouped(tmp_path / "a.xlsx", [], ("A1:B1", "C1:D1", "E1:F1"), sheets=2)
    assert look(path).sheets == "all"
    raw = read_table(path, look(path))
    assert raw.table.num_rows == 2 * len(PEOPLE)
    assert raw.column_names() == [*JOINED, "Notes", "_sheet"]
    with pytest.raises(UnreadableFile) as met:
        read_table(path, ReadOptions(header_row=2, header_rows=2))
    assert met.value.rule == "sheets", "no year is passed over"


@pytest.mark.parametrize(
    "title",
    [["Our shelter", "", "", "", "Confidential"], ["Our shelter", "", "", "Lyon", "In 2023"],
     ["Cases", "", "Updated by:", "", "Somebody"]],
)  # fmt: skip
def test_a_title_with_a_note_beside_it_is_no_row_of_groups(
    tmp_path: Path, title: list[str]
) -> None:
    names = [*BELOW[:3], "Labour", *BELOW[4:5], "Legal", "Notes"]
    path = book(tmp_path / "a.xlsx", Cases=[title, names, *PEOPLE])
    assert look(path) == ReadOptions(header_row=2)


def test_a_name_that_reaches_down_beside_groups_is_one(tmp_path: Path) -> None:
    rows = [[*GROUPS[:-1], "Objection"], [*BELOW[:-1], ""], *PEOPLE]
    path = book(tmp_path / "a.xlsx", Cases=[["Cases 2023"], *rows])
    made = openpyxl.load_workbook(path)
    for cells in ("A2:B2", "C2:D2", "E2:F2"):
        made.active.merge_cells(cells)
    made.save(path)
    assert read_table(path, look(path)).column_names() == [*JOINED, "Objection"]
