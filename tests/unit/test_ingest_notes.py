"""Notes below and between the rows of a table: no note is a person, no person a note."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from ctdhub.core.errors import FileError
from ctdhub.core.i18n import said
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.readers import read_table
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import harmonise

NAMES = ["no", "sex", "age", "country", "date"]
COUNTRIES = ["Nigeria", "Viet Nam", "Romania", "Nigeria", "Honduras", "Eritrea"]
PEOPLE = [
    [f"A{n}", "FM"[n % 2], str(20 + n), country, f"2024-03-{n + 10}"]
    for n, country in enumerate(COUNTRIES)
]


def csv(path: Path, rows: list[list[str]], names: list[str] = NAMES) -> Path:
    wide = (row + [""] * (len(names) - len(row)) for row in [names, *rows])
    path.write_text("".join(";".join(row) + "\n" for row in wide), "utf-8")
    return path


def found(raw: RawTable) -> list[int]:
    rejects = raw.rejects.to_pylist()
    assert {one["rule"] for one in rejects} <= {"note-row"}
    return [one["source_row"] for one in rejects]


NOTES = [
    ["Source: register of the ministry"], ["* ages are estimated"], ["Confidentiel"],
    ["المصدر: سجل الوزارة"], ["\u200f* الأعمار تقديرية"], ["ملاحظة"], ["資料來源：內政部"],
    ["", "", "", "¹ estimada por el equipo"], ["Fait à Lyon le 3 mars"], ["Date", "2024-04-02"],
    ["Signature", "", "", "The director"], ["2024-04-02"], ["North office"],
]  # fmt: skip


@pytest.mark.parametrize("note", NOTES)
def test_a_note_is_never_a_record(tmp_path: Path, note: list[str]) -> None:
    between = [*PEOPLE[:3], note, *PEOPLE[3:]]
    below = [*PEOPLE, [""], note, note]
    wide = [f"q{n}" for n in range(40)]
    for rows, names, places in (
        (between, NAMES, [5]), (below, NAMES, [9, 10]),
        ([row * 8 for row in PEOPLE] + [note], wide, [8]),
    ):  # fmt: skip
        if len(note) == 1 or names == wide:  # two of five cells may be a record
            raw = read_table(csv(tmp_path / "a.csv", rows, names))
            assert found(raw) == places
            assert raw.table.num_rows == 6
            assert not any(cell and cell in str(raw.rejects.to_pylist()) for cell in note)


@pytest.mark.parametrize(
    "known", [["A9"], ["", "F"], ["", "", "34"], ["", "", "", "nigeria "],
              ["", "", "", "", "2024-07-01"]],
)  # fmt: skip
def test_a_record_of_which_one_thing_is_known_is_read(tmp_path: Path, known: list[str]) -> None:
    rows = [*PEOPLE[:3], known, *PEOPLE[3:]]
    for options in (ReadOptions(), ReadOptions(notes="left_out")):
        raw = read_table(csv(tmp_path / "a.csv", rows), options)
        assert (found(raw), raw.table.num_rows, raw.note_rows) == ([], 7, 0)
    rows = [*PEOPLE, [""], known]  # by itself below an empty line: who knows?
    for options in (ReadOptions(), ReadOptions(notes="left_out")):
        raw = read_table(csv(tmp_path / "a.csv", rows), options)
        assert (found(raw), raw.rows_read, raw.note_rows) == ([9], 7, 0)
    raw = read_table(csv(tmp_path / "a.csv", rows), ReadOptions(notes="records"))
    assert (found(raw), raw.table.num_rows) == ([], 7)


@pytest.mark.parametrize(
    "country", ["Laos", "United Arab Emirates", "Democratic Republic of the Congo", "Côte d’Ivoire"]
)
def test_no_answer_of_before_drops_what_may_be_a_record(tmp_path: Path, country: str) -> None:
    rows = [*PEOPLE, ["", "", "", country], ["* ages are estimated"]]
    raw = read_isolated(csv(tmp_path / "a.csv", rows), ReadOptions(notes="left_out"))
    assert (found(raw), raw.rows_read, raw.note_rows) == ([8], 8, 1)
    assert "record of which little is known" in raw.rejects["reason"][0].as_py()
    assert any("1 note among the rows" in said(note) for note in raw.notes)


def test_a_column_of_remarks_reads_like_notes(tmp_path: Path) -> None:
    names, remark = ["no", "sex", "remark"], "She came with her two children: see her file"
    people = [[f"A{n}", "F", remark + str(n)] for n in range(5)]
    raw = read_table(csv(tmp_path / "a.csv", [*people, ["", "", remark], ["A7"]], names))
    assert (found(raw), raw.table.num_rows) == ([], 7)
    raw = read_table(csv(tmp_path / "a.csv", [*people, [remark]], names))
    assert found(raw) == [7]


@pytest.mark.parametrize("note", ["Source: ministry", "ages were all estimated", "† provisoire"])
def test_two_columns(tmp_path: Path, note: str) -> None:
    people = [["Lyon", "F"], ["Oise", ""], ["", "M"], ["Aisne", "M"]]
    raw = read_table(csv(tmp_path / "a.csv", [*people, [note]], ["place", "sex"]))
    assert (found(raw), raw.table.num_rows) == ([6], 4)


def test_a_table_of_which_little_is_known_is_a_table(tmp_path: Path) -> None:
    """Few full rows make no others notes, nor does a table of one column."""
    rows = [[f"word{'abcdefgh'[n % 8]}{'xyz'[n % 3]}"] for n in range(60)]
    assert found(read_table(csv(tmp_path / "a.csv", [*PEOPLE[:3], *rows]))) == []
    assert found(read_table(csv(tmp_path / "a.csv", rows, ["place"]))) == []


def test_a_line_of_totals_is_one_also_above_a_note(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", [*PEOPLE, ["Total", "", "135"], ["Source: ministry"]])
    rejects = read_table(path).rejects.select(["source_row", "rule"]).to_pylist()
    assert [(one["source_row"], one["rule"]) for one in rejects] == [
        (8, "totals-row"), (9, "note-row"),
    ]  # fmt: skip
    raw = read_table(path, ReadOptions(totals="left_out", notes="left_out"))
    assert (raw.rows_read, raw.table.num_rows, raw.totals, raw.note_rows) == (8, 6, 1, 1)


def test_notes_left_out_are_in_the_account_of_rows(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", [*PEOPLE, [], ["Source: ministry"], ["* ages are estimated"]])
    text = (
        "version: 1\nidentifiers: {no: hash}\n"
        "columns:\n  gender: {from: sex, map: {F: female, M: male}}\n"
    )
    for read, counts in (("", (8, 6, 2, {})), ("left_out", (8, 6, 0, {"note-row": 2}))):
        answer = f"read: {{notes: {read}}}\n" if read else ""
        mapping = parse_mapping(answer + text, "m.yaml")
        raw = read_table(path, mapping.read)
        account = harmonise(raw, mapping, "north", (2000, 2030), bytes(32)).conservation
        told = (account.rows_read, account.records, account.rejected, account.excluded)
        assert told == counts
    with pytest.raises(FileError) as caught:
        read_table(path).whole()
    assert (caught.value.rule, caught.value.row) == ("note-row", 9)
    assert "ministry" not in f"{caught.value} {caught.value.what} {caught.value.fix}"


def _filled(row: list[Any], width: int) -> list[Any]:
    return [cell if cell else None for cell in row] + [None] * (width - len(row))


def test_xlsx_of_several_sheets_with_a_date_that_is_computed(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for n in range(2):
        sheet = book.active if n == 0 else book.create_sheet("Second")
        assert sheet is not None
        for row in (NAMES, *PEOPLE, ["Printed on", "=TODAY()"], ["* estimated"]):
            sheet.append(_filled(row, 5))
    book.save(tmp_path / "a.xlsx")
    raw = read_table(tmp_path / "a.xlsx", ReadOptions(sheets="all"))
    assert (found(raw), raw.table.num_rows) == ([8, 9, 1008, 1009], 12)


def test_ods(tmp_path: Path) -> None:
    book, table = OpenDocumentSpreadsheet(), Table(name="a")
    for row in (NAMES, *PEOPLE, [], ["Source: ministry"]):
        line = TableRow()
        for cell in row or [""]:
            given = TableCell(valuetype="string")
            given.addElement(P(text=cell))
            line.addElement(given)
        table.addElement(line)
    book.spreadsheet.addElement(table)
    book.save(tmp_path / "a.ods")
    assert found(read_table(tmp_path / "a.ods")) == [9]


def test_json_has_no_notes(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"a": "1", "b": "2", "c": "3", "d": "4"}\n{"a": "Source: x"}\n', "utf-8"
    )
    assert found(read_table(tmp_path / "a.jsonl")) == []
