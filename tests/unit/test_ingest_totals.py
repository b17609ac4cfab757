"""Lines of totals and formulas of workbooks: no sum is a person, no value is made up or lost."""

from __future__ import annotations

import io
import re
import zipfile
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
from ctdhub.sensitive.ingest.raw import RawTable, read_table
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import harmonise

NAMES = ["dossier", "sexe", "âge", "jours", "note"]
PEOPLE = [["A1", "F", 20, 3, "x"], ["A2", "H", 31, 4, ""], ["A3", "F", 17, 5, "y"]]


def workbook(
    path: Path, rows: list[list[Any]], stored: dict[str, str] | None = None, *, saved: bool = True
) -> Path:
    """A workbook; ``stored`` gives cells with formulas the value that Excel would keep.

    Not ``saved`` by Excel it asks to be computed when it is opened, as libraries write it.
    """
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    held = io.BytesIO()
    book.save(held)
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/workbook.xml" and saved:
                data = data.replace(b' fullCalcOnLoad="1"', b"")
            if name == "xl/worksheets/sheet1.xml":
                for cell, value in (stored or {}).items():
                    kind = b' t="e"' if value.startswith("#") else b""
                    known = rb'<c r="%s"([^>]*)>(<f>[^<]*</f>)(?:<v ?/>|<v></v>)'
                    put = rb'<c r="%s"\1%s>\2<v>%s</v>' % (cell.encode(), kind, value.encode())
                    data, n = re.subn(known % cell.encode(), put, data)
                    assert n == 1, cell
            new.writestr(name, data)
    return path


def totals(raw: RawTable) -> list[int]:
    assert raw.rejects.num_rows == 0
    rows = zip(raw.table["_row"].to_pylist(), raw.unlike().sums, strict=True)
    return [row for row, speaks in rows if speaks]


def test_a_line_of_totals_with_formulas_does_not_refuse_the_workbook(tmp_path: Path) -> None:
    sums = ["Total", None, "=SUM(C2:C4)", "=SUM(D2:D4)", "=COUNTA(A2:A4)"]
    path = workbook(tmp_path / "a.xlsx", [NAMES, *PEOPLE, sums])  # no value is stored
    assert totals(read_table(path)) == [5]
    with pytest.raises(FileError) as caught:  # where no rows can be put aside
        read_table(path).whole()
    assert (caught.value.rule, caught.value.row) == ("note-row", 5)
    with pytest.raises(FileError) as caught:
        read_table(path, ReadOptions(notes="records"))
    assert (caught.value.rule, caught.value.row, caught.value.column) == ("formula", 5, "C")


def test_sums_without_a_word_are_known_by_their_formulas(tmp_path: Path) -> None:
    rows = [NAMES, *PEOPLE, [None, None, "=AVERAGE(C2:C4)", "=SUM(D2:D4)", None]]
    rows.insert(3, ["Lyon", None, "=SUM(C2:C3)", "=SUM(D2:D3)", "=COUNTA(A2:A3)"])
    given = {"C4": "51", "D4": "7", "E4": "2", "C6": "22.6", "D6": "12"}
    assert totals(read_table(workbook(tmp_path / "a.xlsx", rows, given))) == [4, 6]


def test_a_formula_of_a_record_is_read_by_its_stored_value(tmp_path: Path) -> None:
    rows = [NAMES, *PEOPLE, ["A4", "F", "=2026-1990", "=SUM(C5:C5)", '=IF(A5="","x","")']]
    path = workbook(tmp_path / "a.xlsx", rows, {"C5": "36", "D5": "36", "E5": ""})
    with pytest.raises(FileError) as caught:  # an empty value without a type is none
        read_table(path)
    assert (caught.value.rule, caught.value.column) == ("formula", "E")
    rows[-1][-1] = None
    raw = read_table(workbook(tmp_path / "b.xlsx", rows, {"C5": "36", "D5": "36"}))
    assert raw.table["âge"].to_pylist() == ["20", "31", "17", "36"]
    assert totals(raw) == []
    assert any("C5" in said(note) for note in raw.notes)


def test_a_value_that_a_library_stored_is_none(tmp_path: Path) -> None:
    rows = [NAMES, *PEOPLE, ["A4", "F", "=2026-1990", 4, "z"]]
    path = workbook(tmp_path / "a.xlsx", rows, {"C5": "0"}, saved=False)
    with pytest.raises(FileError) as caught:
        read_table(path)
    assert (caught.value.rule, caught.value.row, caught.value.column) == ("formula", 5, "C")
    rows[-1] = ["Total", None, "=SUM(C2:C4)", "=SUM(D2:D4)", None]
    path = workbook(tmp_path / "b.xlsx", rows, {"C5": "0", "D5": "0"}, saved=False)
    assert totals(read_table(path)) == [5]


def test_an_error_in_a_line_of_totals_is_nobodys(tmp_path: Path) -> None:
    rows = [NAMES, *PEOPLE, ["Moyenne", None, "=AVERAGE(C2:C4)", "=SUM(D2:D4)", None]]
    stored = {"C5": "#DIV/0!", "D5": "12"}
    assert totals(read_table(workbook(tmp_path / "a.xlsx", rows, stored))) == [5]
    rows[2][2] = "#N/A"
    with pytest.raises(FileError) as caught:
        read_table(workbook(tmp_path / "b.xlsx", rows, stored))
    assert (caught.value.rule, caught.value.row, caught.value.column) == ("error-cell", 3, "C")


@pytest.mark.parametrize(
    "word",
    ["TOTAL GÉNÉRAL", "Totaux 2024", "Gran total", "Nombre total de personnes", "المجموع الكلي",
     "إجمالي", "الاجمالى", "KABUUAN", "Sous-total Lyon", "Total: 3"],
)  # fmt: skip
def test_words_for_totals(tmp_path: Path, word: str) -> None:
    text = f"dossier,sexe,age,jours\nA1,F,20,3\n{word},,51,\nA2,H,31,4\nA3,F,17,5\n{word},3,68,12\n"
    (tmp_path / "a.csv").write_text(text, "utf-8")
    assert totals(read_table(tmp_path / "a.csv")) == [3, 6]


def test_numbers_without_a_word_beside_them(tmp_path: Path) -> None:
    body = "".join(f"A{n},F,{20 + n},{n},\n" for n in range(12))
    path = tmp_path / "a.csv"
    for last, found in (
        (",,306,66,\n", True), (",12,,,\n", True), (",,306,5,\n", True), ("A9,,306,66,\n", False),
        ("12,F,30,6,z\n", False), (",F,30,6,\n", False),
    ):  # fmt: skip
        path.write_text(f"dossier,sexe,age,jours,note\n{body}{last}", "utf-8")
        assert read_table(path).unlike().rows.tolist() == [False] * 12 + [found], last


def test_a_word_for_a_total_is_one_where_numbers_alone_stand_beside_it(tmp_path: Path) -> None:
    people, path = "".join(f"B{n},F,{n}\n" for n in range(30)), tmp_path / "a.csv"
    for last, found in (("Total,15,31\n", [32]), ("Total,,\n", [32]), ("Somme,F,9\n", [])):
        path.write_text(f"dossier,sexe,age\n{people}{last}B99,H,9\n", "utf-8")
        assert totals(read_isolated(path)) == found
    assert read_table(path, ReadOptions(notes="records")).whole().table.num_rows == 32


def test_full_lines_of_sums(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "lieu,hommes,femmes\nA,1,2\nB,4,5\nC,7,9\nSous-total,12,16\nD,1,1\nE,2,3\nF,3,4\n"
        "Sous-total,6,8\nTotal,18,24\n",
        "utf-8",
    )
    assert totals(read_table(path)) == [5, 9, 10]
    with pytest.raises(FileError) as caught:
        read_table(path).whole()
    assert caught.value.row == 5


def test_lines_left_out_are_in_the_account_of_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("no,sex\nA1,F\nA2,M\nA3,F\nTotal,\n", "utf-8")
    mapping = parse_mapping(
        "version: 1\nread: {notes: left_out}\nidentifiers: {no: hash}\n"
        "columns:\n  gender: {from: sex, map: {F: female, M: male}}\n",
        "m.yaml",
    )
    raw = read_table(tmp_path / "a.csv", mapping.read)
    account = harmonise(raw, mapping, "north", (2000, 2030), bytes(32)).conservation
    assert (account.rows_read, account.records, account.rejected) == (4, 3, 0)
    assert account.excluded == {"note-row": 1}


def test_ods(tmp_path: Path) -> None:
    def made(name: str, *last: TableCell) -> Path:
        book, table = OpenDocumentSpreadsheet(), Table(name="a")
        for row in (NAMES, *PEOPLE):
            line = TableRow()
            for cell in row:
                given = TableCell(valuetype="string")
                given.addElement(P(text=str(cell)))
                line.addElement(given)
            table.addElement(line)
        line = TableRow()
        for cell in last:
            line.addElement(cell)
        table.addElement(line)
        book.spreadsheet.addElement(table)
        book.save(tmp_path / name)
        return tmp_path / name

    def formula(text: str, value: str | None = None) -> TableCell:
        stored = {"valuetype": "float", "value": value} if value else {}
        return TableCell(formula=text, **stored)

    def word(text: str) -> TableCell:
        cell = TableCell(valuetype="string")
        cell.addElement(P(text=text))
        return cell

    lost = made("a.ods", word("A4"), word("F"), formula("of:=1+1"))
    with pytest.raises(FileError) as caught:
        read_table(lost)
    assert (caught.value.rule, caught.value.row, caught.value.column) == ("formula", 5, "C")
    kept = read_table(made("b.ods", word("A4"), word("F"), formula("of:=20+1", "21")))
    assert kept.table["âge"].to_pylist()[-1] == "21"
    total = made("c.ods", word("Lyon"), TableCell(), formula("of:=SUM([.C2:.C4])"))
    assert totals(read_table(total)) == [5]
