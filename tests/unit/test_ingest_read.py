"""Readers of contributed files: what goes in comes out, with the rows a spreadsheet shows."""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P

from ctdhub.core.errors import FileError, HostileFile, UnreadableFile
from ctdhub.core.i18n import said
from ctdhub.sensitive.ingest.delimited import code_page, scan, sniff, to_utf8
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable, read_table
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest

DATA = Path(__file__).resolve().parents[2] / "../shared/data"


def needs(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"a public data set is missing: lay {path.name} into ../shared/data")
    return path


def columns(raw: RawTable) -> dict[str, list[Any]]:
    return raw.table.to_pydict()


def write(folder: Path, data: bytes, name: str = "cases.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refused(
    path: Path, options: ReadOptions | None = None, limits: Limits | None = None
) -> FileError:
    with pytest.raises((UnreadableFile, HostileFile)) as caught:
        read_table(path, options, limits)
    assert caught.value.exit_code == 2
    return caught.value


# Text files -------------------------------------------------------------------------------------

LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff")
NAMES = st.lists(
    st.text(st.sampled_from("abcdefgé ñع漢"), min_size=1, max_size=8).filter(
        lambda s: s.strip() == s != "_row"
    ),
    min_size=1,
    max_size=5,
    unique=True,
)


@st.composite
def tables(draw: st.DrawFn, letters: st.SearchStrategy[str] = LETTERS) -> list[list[str]]:
    names = draw(NAMES)
    signs = letters | st.sampled_from(list(",;\t|\"\n'")) | st.just("\r\n")
    cell = st.lists(signs, max_size=8).map("".join)
    safe = cell.map(lambda text: text if text.strip()[:1] not in "=@+-" else "x" + text)
    body = draw(st.lists(st.lists(safe, min_size=len(names), max_size=len(names)), max_size=8))
    return [names, *body]


def as_csv(table: list[list[str]], delimiter: str, newline: str, always: bool = False) -> str:
    """RFC 4180; the csv module of some Python versions leaves a line feed unquoted."""

    def cell(text: str) -> str:
        if always or any(sign in text for sign in (delimiter, '"', "\r", "\n")):
            return '"' + text.replace('"', '""') + '"'
        return text

    return "".join(delimiter.join(map(cell, row)) + newline for row in table)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round_trip")


def seen(cell: str) -> bool:
    """Whether a cell holds anything that a reader sees."""
    return any(not c.isspace() and unicodedata.category(c) != "Cf" for c in cell)


@settings(max_examples=150, deadline=None)
@given(
    tables(),
    st.sampled_from(",;\t|~^"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    st.booleans(),
)
def test_any_table_survives_any_delimiter_encoding_and_line_end(
    folder: Path, table: list[list[str]], delimiter: str, newline: str, encoding: str, always: bool
) -> None:
    path = write(folder, as_csv(table, delimiter, newline, always).encode(encoding))
    raw = read_table(path, ReadOptions(delimiter=delimiter, encoding=encoding))
    filled = [(i, row) for i, row in enumerate(table[1:], 2) if any(map(seen, row))]
    expected: dict[str, list[Any]] = {
        name: [row[j] or None for _i, row in filled] for j, name in enumerate(table[0])
    }
    assert columns(raw) == expected | {"_row": [i for i, _row in filled]}
    assert raw.rows_read == len(filled)
    assert raw.rejects.schema == REJECTS


@settings(max_examples=60, deadline=None)
@given(
    tables(st.sampled_from("abcåéñß“€ ")),
    st.sampled_from(["cp1252", "latin-1"]),
    st.sampled_from([";", "\t"]),
)
def test_single_byte_encodings_are_read_as_stated(
    folder: Path, table: list[list[str]], encoding: str, delimiter: str
) -> None:
    table[0] = [f"c{j}" for j in range(len(table[0]))]
    if encoding == "latin-1":
        table = [[c.replace("“", "").replace("€", "") for c in row] for row in table]
    path = write(folder, as_csv(table, delimiter, "\r\n").encode(encoding))
    raw = read_table(path, ReadOptions(encoding=encoding, delimiter=delimiter))
    assert columns(raw)["c0"] == [row[0] or None for row in table[1:] if any(map(seen, row))]


@settings(max_examples=150, deadline=None)
@given(st.text('ab,\n\r"', max_size=40))
def test_the_byte_scan_agrees_with_the_csv_module(text: str) -> None:
    layout = scan(text.encode(), ",")
    if not layout.strict:
        return
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert layout.cells.tolist() == [len(row) or 1 for row in rows]
    assert layout.blank.tolist() == [not row for row in rows]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_and_encoding_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [["Âge", "Pays"], ["12", "Côte d’Ivoire"], ["NA", ""], ["n/a", "Perú"]]
    raw = read_table(write(tmp_path, as_csv(rows, delimiter, "\r\n").encode(encoding)))
    assert raw.delimiter == delimiter
    assert columns(raw)["Âge"] == ["12", "NA", "n/a"]
    assert columns(raw)["Pays"] == ["Côte d’Ivoire", None, "Perú"]
    assert len(raw.sha256) == 64


def test_rows_with_a_wrong_number_of_cells_are_rejects_and_rows_stay_numbered(
    tmp_path: Path,
) -> None:
    text = 'a,b\n1,"x\ny"\n2\n\n3,z,w\n,\n4,"q"\n'
    raw = read_table(write(tmp_path, text.encode()))
    assert columns(raw) == {"a": ["1", "4"], "b": ["x\ny", "q"], "_row": [2, 7]}
    assert raw.rejects.column("source_row").to_pylist() == [3, 5]
    assert set(raw.rejects.column("rule").to_pylist()) == {"cell-count"}
    assert raw.rows_read == 4


def test_loose_quotation_marks_are_text(tmp_path: Path) -> None:
    raw = read_table(write(tmp_path, b'a,b\n5" nail,1\n2,"x\n"\n\n3\n4,4\n'))
    assert columns(raw) == {"a": ['5" nail', "2", "4"], "b": ["1", "x\n", "4"], "_row": [2, 3, 6]}
    assert raw.rejects.column("source_row").to_pylist() == [5]


def test_a_first_header_that_is_a_sentence_is_just_a_column(tmp_path: Path) -> None:
    terms = "By using this file, you agree; that, all terms | hold"
    rows = [[terms, "gender"], ["2002", "Female"], ["2003", "Male"]]
    raw = read_table(write(tmp_path, as_csv(rows, ",", "\n").encode()))
    assert raw.table.column_names == [terms, "gender", "_row"]


def test_header_row_and_skipped_rows(tmp_path: Path) -> None:
    path = write(tmp_path, b"Report\nfor,2020,x\na,b\nlabel a,label b\n1,2\n")
    raw = read_table(path, ReadOptions(header_row=3, skip_rows=(4,)))
    assert columns(raw) == {"a": ["1"], "b": ["2"], "_row": [5]}
    assert raw.rows_read == 1


def test_white_space_around_headers_goes_and_an_unnamed_empty_column_too(tmp_path: Path) -> None:
    path = write(tmp_path, "\xa0a\u2003,b ,\n1, 2 ,\n".encode())
    assert columns(read_table(path)) == {"a": ["1"], "b": [" 2 "], "_row": [2]}


@pytest.mark.parametrize(
    ("text", "rule", "row", "column"),
    [
        (b"a,a\n1,2\n", "duplicate-header", 1, "A, B"),
        (b"a,\n1,2\n", "empty-header", 1, "B"),
        (b"a,_row\n1,2\n", "reserved-header", 1, "_row"),
        (b"\n\n", "no-header", 1, None),
        (b"a,b\n1,=1+1\n", "formula", 2, "B"),
        (b"a,b\n1,@SUM(A1)\n", "formula", 2, "B"),
        (b"a,b\n1,1\n2,-2+cmd|'/C calc'!A1\n", "formula", 3, "B"),
        (b"a,b\n1,+abc\n", "formula", 2, "B"),
        (b"a,b\n1,\t=1\n", "formula", 2, "B"),
        (b"a,b\n1,- f(x)\n", "formula", 2, "B"),
        (b"a,b\n1,-99;HYPERLINK(1)\n", "formula", 2, "B"),
        (b"a,b\n1,-99;cmd|' /C calc'!A0\n", "formula", 2, "B"),
        (b"a,b\n1,+1 =1+1\n", "formula", 2, "B"),
        (b"a,b\n1,-99;[book]A1\n", "formula", 2, "B"),
        (b"a,b\n1,-2+3;x\n", "formula", 2, "B"),
        (b"a,b\n1,-A1;x\n", "formula", 2, "B"),
        (b"=x,b\n1,2\n", "formula", 1, None),
        (b'a,b\n1,"x\n2,3\n', "quotes", 2, None),
        (b'a,b\n1,"x"y\n', "quotes", 2, None),
        (b"a,b\n1,\0\n", "nul", 2, None),
        (b"a,b\n1,\x07\n", "binary", 2, None),
        (b"a,b\n1,\xc3\xa9\n2,\xe9\n", "mixed-encoding", 3, None),
        (b"a,b\n1,\x81\n", "encoding", 2, None),
        (b"a;b\n1,2\n", "cell-count", 2, None),
        (b"a,b\n1," + b"x" * 40_000 + b"\n", "cell-size", 2, "B"),
        (b",".join(b"c%d" % i for i in range(2001)) + b"\n", "columns", 1, None),
    ],
)
def test_one_error_with_place_rule_and_remedy(
    tmp_path: Path, text: bytes, rule: str, row: int, column: str | None
) -> None:
    error = refused(write(tmp_path, text), ReadOptions(delimiter=None if b";" in text else ","))
    assert (error.rule, error.row, error.column, error.file) == (rule, row, column, "cases.csv")
    assert error.what.endswith(".")
    assert error.fix.endswith(".")


@pytest.mark.parametrize(
    "cell",
    [
        "-99",
        "+39 02 1234567",
        "-6%",
        "-",
        "--",
        "-1.5e-3",
        "+1 (555) 010-999",
        "- Río",
        "--- end ---",
        "a=b",
        "me@example.org",
        "2020-01-01",
        "-1,5",
        "-99|Sexual|Forced labour",
        "-99, Sexual",
        "-99 not recorded",
        "-99: other",
        "'=1+1",
    ],
)
def test_what_is_no_formula(tmp_path: Path, cell: str) -> None:
    raw = read_table(write(tmp_path, f"a;b\n1;{cell}\n".encode()))
    assert columns(raw)["b"] == [cell]


def test_a_code_before_a_separator_is_no_formula(tmp_path: Path) -> None:
    raw = read_table(write(tmp_path, b"a,b\n1,-99;Sexual\n2,+1; two\n"))
    assert columns(raw)["b"] == ["-99;Sexual", "+1; two"]


def test_limits_of_size_and_rows(tmp_path: Path) -> None:
    path = write(tmp_path, b"a\n" + b"1\n" * 30)
    assert refused(path, limits=Limits(rows=20)).rule == "rows"
    assert refused(path, limits=Limits(file_bytes=20)).rule == "file-size"
    assert read_table(path, limits=Limits(rows=30)).rows_read == 30


def test_links_folders_devices_and_missing_files_are_refused(tmp_path: Path) -> None:
    good = write(tmp_path, b"a\n1\n")
    link = tmp_path / "link.csv"
    link.symlink_to(good)
    os.mkfifo(tmp_path / "pipe.csv")
    rules = [
        refused(p).rule
        for p in (
            link,
            tmp_path,
            tmp_path / "pipe.csv",
            tmp_path / "none.csv",
            tmp_path / "a\0b.csv",
            write(tmp_path, b"", "empty.csv"),
        )
    ]
    assert rules == ["not-a-file", "not-a-file", "not-a-file", "no-file", "no-access", "empty-file"]


def test_names_of_files_are_shown_without_control_characters(tmp_path: Path) -> None:
    error = refused(write(tmp_path, b"a,a\n", "x\x1b[31m\u202egpj.csv"))
    assert error.file == "x·[31m·gpj.csv"


def test_sniffing_prefers_the_even_split() -> None:
    assert sniff(b"a;b\n1,5;2\n1,7;3\n") == ";"
    assert sniff(b"only\n1\n") == ","


# JSON -------------------------------------------------------------------------------------------


def test_json_lines_and_lists(tmp_path: Path) -> None:
    records = [
        {"age": 20, "score": 2.0, "flag": True, "note": None, "tags": []},
        {"age": "NA", "extra": -1.5},
    ]
    expected = {
        "age": ["20", "NA"],
        "score": ["2", None],
        "flag": ["TRUE", None],
        "note": [None, None],
        "tags": [None, None],
        "extra": [None, "-1.5"],
    }
    lines = write(tmp_path, "\n".join(map(json.dumps, records)).encode(), "a.jsonl")
    listed = write(tmp_path, json.dumps(records, indent=1).encode(), "a.json")
    for path in (lines, listed):
        assert columns(read_table(path)) == expected | {"_row": [1, 2]}


def test_bad_json_records_are_rejects(tmp_path: Path) -> None:
    text = b'{"a": 1}\n{"a": \n\n[1]\n{"a": {"b": 1}}\n{"a": 1, "a": 2}\n{"a": "\\ud800"}\n'
    raw = read_table(write(tmp_path, text, "a.jsonl"))
    assert raw.rejects.column("source_row").to_pylist() == [2, 4, 5, 6, 7]
    assert raw.rejects.column("rule").to_pylist() == [
        "json",
        "json",
        "nested",
        "duplicate-header",
        "encoding",
    ]
    assert columns(raw) == {"a": ["1"], "_row": [1]}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b'[{"a": 1}', "json"),
        (b'[{"a": NaN}]', "json"),
        (b"[" * 100_000, "nesting"),
        (b'{"a": ' * 50 + b"1" + b"}" * 50, "nesting"),
        (b"[1, 2]", "json"),
        (b"[]", "json"),
        (b'[{"a": "\\u0000"}]', "nul"),
    ],
)
def test_json_that_cannot_be_used(tmp_path: Path, text: bytes, rule: str) -> None:
    assert refused(write(tmp_path, text, "a.json")).rule == rule


# Workbooks --------------------------------------------------------------------------------------


def workbook(path: Path, rows: list[list[Any]], sheet: str = "cases") -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.create_sheet("about").append(["x"])
    book.save(path)
    return path


def test_workbook_values_become_text(tmp_path: Path) -> None:
    rows = [
        ["when", "age", "ok", "note"],
        [datetime.date(2024, 5, 1), 20.0, True, "NA"],
        [None, None, None, None],
        [datetime.datetime(2024, 5, 1, 8, 30), 0.5, False, " x "],
    ]
    raw = read_table(workbook(tmp_path / "a.xlsx", rows))
    assert columns(raw) == {
        "when": ["2024-05-01", "2024-05-01T08:30:00"],
        "age": ["20", "0.5"],
        "ok": ["TRUE", "FALSE"],
        "note": ["NA", " x "],
        "_row": [2, 4],
    }
    assert raw.sheet == "cases"
    assert raw.encoding is None


def test_workbook_that_does_not_begin_in_the_first_cell(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [[], [], [None, "a", "b"], [None, 1, 2]])
    raw = read_table(path, ReadOptions(header_row=3))
    assert columns(raw) == {"a": ["1"], "b": ["2"], "_row": [4]}


def test_formulas_without_a_value_are_refused_where_they_are(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["a", "b"], [1, 2], [1, "=A2+1"]])
    error = refused(path)
    assert (error.rule, error.row, error.column) == ("formula", 3, "B")
    assert read_table(path, ReadOptions(sheet="about")).rows_read == 0
    assert refused(path, ReadOptions(sheet="gone")).rule == "no-sheet"


def test_content_decides_and_the_name_is_remarked_on(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", [["a"], [1]]).rename(tmp_path / "a.csv")
    raw = read_table(tmp_path / "a.csv")
    assert columns(raw)["a"] == ["1"]
    assert any(".csv" in said(note) for note in raw.notes)


# Kobo -------------------------------------------------------------------------------------------


def test_kobo_exports_lose_their_group_prefixes(tmp_path: Path) -> None:
    rows = [
        ["intro/sex", "case/why", "case/why/war", "a/x", "b/x", "_id", "_uuid", "_submission_time"],
        ["f", "war work", "1", "p", "q", "1", "u1", "2024-05-01T08:30:00"],
    ]
    path = write(tmp_path, as_csv(rows, ",", "\n").encode())
    names = ["sex", "why", "why/war", "a/x", "b/x", "_id", "_uuid", "_submission_time", "_row"]
    raw = read_table(path)
    assert raw.table.column_names == names
    assert raw.notes
    assert read_table(path, ReadOptions(kobo=False)).table.column_names[:-1] == rows[0]


# Public files of the field ----------------------------------------------------------------------


@pytest.mark.parametrize(("year", "rows"), [(2014, 101), (2015, 109), (2016, 112)])
def test_uk_referrals_with_bare_carriage_returns(year: int, rows: int) -> None:
    raw = read_table(needs(DATA / f"uk_nrm/{year}_referrals_all.csv"))
    assert raw.rows_read == rows
    assert raw.table.column("_row").to_pylist() == list(range(2, rows + 2))
    assert raw.unlike().sums.tolist() == [False] * (rows - 1) + [True]


def test_linea_145_with_a_byte_order_mark() -> None:
    path = needs(DATA / "linea145/rescate-denuncias-202001-202112.csv")
    raw = read_table(path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        expected = list(csv.DictReader(stream))
    assert raw.table.column_names[0] == "fecha_ingreso"
    assert raw.rows_read == len(expected)
    for name in ("provincia", "denunciante_localidad"):
        assert columns(raw)[name] == [row[name] or None for row in expected]


def test_htcds_template_with_two_header_rows(tmp_path: Path) -> None:
    source = needs(DATA / "htcds/HTCDS Excel Spreadsheet v2.0.xlsx")
    empty = read_table(source, ReadOptions(skip_rows=(2,)))
    assert empty.rows_read == 0
    assert empty.table.column_names[0] == "cas_CaseOwner"
    book = openpyxl.load_workbook(source)
    book.active["H3"] = "Feminine"
    book.active["G4"] = datetime.date(1990, 2, 3)
    book.save(tmp_path / "filled.xlsx")
    raw = read_table(tmp_path / "filled.xlsx", ReadOptions(skip_rows=(2,)))
    assert columns(raw)["prs_Gender"] == ["Feminine", None]
    assert columns(raw)["prs_Birthdate"] == [None, "1990-02-03"]
    assert columns(raw)["_row"] == [3, 4]


def test_formulas_of_the_htcds_field_standards_are_read_by_their_values() -> None:
    raw = read_table(needs(DATA / "htcds/HTCDS Field Standards 2.0.ods"))
    assert any("the first is G3" in said(note) for note in raw.notes)
    assert raw.table.column(6).null_count < raw.table.num_rows


# A file must neither lose a row in silence nor show a person's data ------------------------------

SECRET = "Zqxjk"


@pytest.mark.parametrize(
    "text",
    [
        f"{SECRET},{SECRET}\nF,F\n",
        f"{SECRET},x\n=1+1,2\n",
        f"{SECRET},x\n{'A' * 40_000},2\n",
        f"{SECRET},\nF,G\n",
        f'{{"{SECRET}": {{"age": 3}}}}\n',
        f'{{"{SECRET}": "\\ud800"}}\n',
        f"{SECRET},x\n1,2,3\n",
    ],
)
def test_names_of_columns_may_be_data_and_are_not_shown(tmp_path: Path, text: str) -> None:
    error = refused(write(tmp_path, text.encode()), ReadOptions(delimiter=","))
    assert SECRET not in f"{error} {error.what} {error.fix} {error.column}"


def test_a_json_object_keyed_by_people_gives_a_reject_without_the_key(tmp_path: Path) -> None:
    text = f'{{"sex": "F"}}\n{{"b": 1, "{SECRET}": {{"age": 3}}}}\n'
    raw = read_table(write(tmp_path, text.encode(), "a.jsonl"))
    assert raw.rejects.column("column").to_pylist() == ["B"]
    assert SECRET not in str(raw.rejects.to_pylist())


def test_white_space_is_no_record_and_a_total_is_known(tmp_path: Path) -> None:
    text = "sex,n\nF,1\n , \n\u00a0,\u200f\n,\nM,2\n Total: ,3\n"
    raw = read_table(write(tmp_path, text.encode()))
    assert columns(raw)["_row"] == [2, 6, 7]
    assert raw.unlike().sums.tolist() == [False, False, True]
    assert raw.rows_read == 3


def test_a_total_above_the_last_row_is_a_row_like_any_other(tmp_path: Path) -> None:
    raw = read_table(write(tmp_path, b"sex,n\nTotal,3\nF,1\n"))
    assert raw.rows_read == raw.table.num_rows == 2


@pytest.mark.parametrize("word", ["Subtotal", "sous-total :", "Total North", "المجموع"])
def test_a_sum_between_the_rows_is_no_person(tmp_path: Path, word: str) -> None:
    """It would be one whose only known fact, the age, is the number of people above it."""
    text = (
        f"office,sex,age,note\nNorth,F,30,\n{word},,15,\nSouth,M,,\n,{word},,12\nTotals Ltd,F,9,x\n"
    )
    raw = read_table(write(tmp_path, text.encode()))
    assert raw.unlike().rows.tolist() == [False, True, False, True, False]
    assert raw.rows_read == 5


def test_a_total_is_a_value_like_any_other_in_a_full_row(tmp_path: Path) -> None:
    raw = read_table(
        write(tmp_path, b"series,year,n,note\nTotal,2020,3,\nTotal,2021,5,\nF,2021,2,\n")
    )
    assert raw.rows_read == raw.table.num_rows == 3


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.xlsx"])
def test_rows_of_labels_are_left_out_only_where_they_are_labels(tmp_path: Path, name: str) -> None:
    options = ReadOptions(skip_rows=(2,), skip_if={"sex": "Gender"})
    for second, expected in (("Gender", ["F"]), ("M", ["M", "F"])):
        rows = [["sex", "n"], [second, "x"], ["F", "1"]]
        if name == "a.xlsx":
            path = workbook(tmp_path / name, rows)
        elif name == "a.csv":
            path = write(tmp_path, "\n".join(map(",".join, rows)).encode(), name)
        else:
            objects = [dict(zip(rows[0], row, strict=True)) for row in ([None, None], *rows[1:])]
            path = write(tmp_path, "\n".join(map(json.dumps, objects)).encode(), name)
        assert columns(read_table(path, options))["sex"] == expected


def merged(path: Path, rows: list[list[Any]], *ranges: str) -> Path:
    """A workbook with merged cells."""
    book = openpyxl.load_workbook(workbook(path, rows))
    for cells in ranges:
        book.worksheets[0].merge_cells(cells)
    book.save(path)
    return path


GROUPED: list[list[Any]] = [
    ["case", "country", "sex", "age"],
    ["A1", "Mali", "F", "20"],
    ["A2", None, "M", "21"],
    ["A3", None, "F", "22"],
    ["A4", "Niger", "M", "23"],
    ["A5", None, "F", None],
]


def test_a_merged_cell_of_a_column_holds_in_each_of_its_rows(tmp_path: Path) -> None:
    path = merged(tmp_path / "a.xlsx", GROUPED, "B2:B4", "B5:B6")
    raw = read_table(path)
    assert columns(raw)["country"] == ["Mali"] * 3 + ["Niger"] * 2
    assert columns(raw)["age"] == ["20", "21", "22", "23", None]
    assert any("columns B" in said(note) for note in raw.notes)
    plain = read_table(workbook(tmp_path / "b.xlsx", GROUPED))
    assert columns(plain)["country"] == ["Mali", None, None, "Niger", None]
    assert not any("erged" in said(note) for note in plain.notes)


def in_libreoffice(path: Path, spans: dict[tuple[int, int], int], hidden: str = "") -> Path:
    """The same table as an ods file: cells that go over several rows, the rest covered.

    Args:
        hidden: what each covered cell still holds.
    """
    book, table = OpenDocumentSpreadsheet(), Table(name="a")
    for y, row in enumerate(GROUPED):
        line = TableRow()
        for x, value in enumerate(row):
            rows = spans.get((y, x), 1)
            kind = {"valuetype": "string"} if value is not None else {}
            cell = TableCell(**kind, **({"numberrowsspanned": rows} if rows > 1 else {}))
            if x == 1 and value is None:
                value = hidden or None
                cell = CoveredTableCell(**({"valuetype": "string"} if value else {}))
            if value is not None:
                cell.addElement(P(text=value))
            line.addElement(cell)
        table.addElement(line)
    book.spreadsheet.addElement(table)
    book.save(path)
    return path


SPANS = {(1, 1): 3, (4, 1): 2}


def test_merged_cells_of_libreoffice(tmp_path: Path) -> None:
    raw = read_table(in_libreoffice(tmp_path / "a.ods", SPANS))
    assert columns(raw)["country"] == ["Mali"] * 3 + ["Niger"] * 2
    assert any("columns B" in said(note) for note in raw.notes)


def test_a_hidden_cell_that_holds_another_value_is_refused(tmp_path: Path) -> None:
    """Nobody sees the 55; it may be the age of its row, and so may the 20 above it."""
    path = workbook(tmp_path / "a.xlsx", GROUPED)
    book = openpyxl.load_workbook(path)
    book.worksheets[0].merged_cells.add("D2:D3")  # merge_cells would empty the second
    book.save(path)
    error = refused(path, ReadOptions())
    assert (error.rule, error.row, error.column) == ("merged-cells", 3, "D")

    error = refused(in_libreoffice(tmp_path / "a.ods", SPANS, hidden="Togo"), ReadOptions())
    assert (error.rule, error.row, error.column) == ("merged-cells", 3, "B")
    same = read_table(in_libreoffice(tmp_path / "b.ods", {(1, 1): 3}, hidden="Mali"))
    assert columns(same)["country"] == ["Mali"] * 3 + ["Niger", "Mali"]


@pytest.mark.parametrize("skipped", [(5,), (3,), (3, 5)])
def test_merged_cells_hold_in_the_rows_that_are_read(
    tmp_path: Path, skipped: tuple[int, ...]
) -> None:
    path = merged(tmp_path / "a.xlsx", GROUPED, "B2:B5")
    raw = read_table(path, ReadOptions(skip_rows=skipped))
    assert columns(raw)["country"] == ["Mali"] * (4 - len(skipped)) + [None]


def test_merged_cells_of_rows_that_are_not_read_do_not_matter(tmp_path: Path) -> None:
    path = merged(tmp_path / "a.xlsx", GROUPED, "B2:C3")
    raw = read_table(path, ReadOptions(skip_rows=(2, 3)))
    assert columns(raw)["country"] == [None, "Niger", None]


def test_a_row_that_holds_a_merged_value_alone_is_no_row(tmp_path: Path) -> None:
    rows = [*GROUPED[:3], [None, None, None, None], ["A9", "Togo", "F", "30"]]
    raw = read_table(merged(tmp_path / "a.xlsx", rows, "B2:B4"))
    assert columns(raw)["case"] == ["A1", "A2", "A9"]
    assert columns(raw)["country"] == ["Mali", "Mali", "Togo"]


@pytest.mark.parametrize(
    ("ranges", "row", "column"),
    [
        (["B2:C2"], 2, "B"),
        (["B1:B3"], 3, "B"),
        (["B2:C3"], 3, "B"),
        (["A2:A3", "B2:B3", "C2:C3"], 3, "C"),
        (["A2:A6", "B3:B4", "C4:C5"], 5, "C"),
    ],
)
def test_merged_cells_that_may_belong_to_one_record_are_refused(
    tmp_path: Path, ranges: list[str], row: int, column: str
) -> None:
    error = refused(merged(tmp_path / "a.xlsx", GROUPED, *ranges), ReadOptions())
    assert (error.rule, error.row, error.column) == ("merged-cells", row, column)


def test_error_cells_are_refused_and_a_title_may_be_merged(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["Title"], ["a", "b"], ["CI", 1], [None, 2]])
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    sheet.merge_cells("A1:B1")
    book.save(path)
    assert read_table(path, ReadOptions(header_row=2)).rows_read == 2
    sheet["B4"] = "#N/A"
    book.save(path)
    error = refused(path, ReadOptions(header_row=2))
    assert (error.rule, error.row, error.column) == ("error-cell", 4, "B")


def test_further_sheets_are_counted_and_their_names_not_shown(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append([1])
    book.create_sheet(SECRET).append(["a"])
    book.create_sheet("hidden").sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    (note,) = read_table(tmp_path / "a.xlsx").notes
    assert "sheet" in said(note)
    assert SECRET not in str(note)
    assert SECRET not in str(refused(tmp_path / "a.xlsx", ReadOptions(sheet="gone")))


def test_dates_of_workbooks_that_count_from_1904(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["day"])
    book.active.append([datetime.date(2020, 2, 3)])
    book.save(tmp_path / "a.xlsx")
    assert columns(read_table(tmp_path / "a.xlsx"))["day"] == ["2020-02-03"]


RUSSIAN = "Пол;Возраст;Страна\nженский;22;Украина\nмужской;17;Молдова\n"
FRENCH = "Sexe;Âge;Nationalité\nFéminin;22;Guinéenne\nMasculin;17;Sénégalaise\nFÉMININ;3;à côté\n"
JAPANESE = "性別;年齢;国籍\n女性;22;フィリピン\n男性;17;ベトナム\n不明;3;カンボジア\n"
CHINESE = "性别;年龄;国籍\n女性;22;越南社会主义\n男性;17;柬埔寨王国\n未知;3;缅甸联邦共和国\n"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", RUSSIAN),
        ("cp1251", "Стать;Вік;Країна\nжіноча;22;Україна\nчоловіча;17;Молдова\n"),
        ("cp1253", "Φύλο;Ηλικία;Χώρα\nΓυναίκα;22;Αλβανία\nΆνδρας;17;Νιγηρία\n"),
        ("cp1256", "الجنس;العمر;الجنسية\nأنثى;22;سورية\nذكر;17;عراقية\n"),
    ],
)
def test_a_draft_states_a_code_page_that_is_sure(encoding: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(text.encode(encoding))
    assert code_page(text.encode(encoding)) == encoding
    raw, options = read_to_suggest(file)
    assert options.encoding == encoding
    assert raw.column_names()[0] == text.partition(";")[0]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", FRENCH), ("cp1252", "É;À;Ç;È;Ê;Ô;Î;Û;Â\n" * 9), ("mac_roman", FRENCH),
        ("cp850", FRENCH), ("cp1252", "kyn;maður;þýska;Ísland;börn;ættingi;Ægir;þrælkun;Ðó\n"),
        ("cp1252", "Género;Edad;País\nniña;17;Perú\nvarón;3;Panamá\nseñora;1;España\n"),
        ("koi8-r", RUSSIAN), ("iso8859-5", RUSSIAN), ("cp866", RUSSIAN),
        ("mac_cyrillic", RUSSIAN.upper()),
        ("shift_jis", JAPANESE), ("euc_jp", JAPANESE), ("gbk", CHINESE),
        ("big5", "性別;年齡\n女性;22\n" * 9),
        ("euc_kr", "성별;나이;국적\n여성;22;베트남\n남성;17;캄보디아\n" * 3),
        ("tis-620", "เพศ;อายุ;สัญชาติ\nหญิง;22;พม่า\nชาย;17;กัมพูชา\n"),
        ("cp1255", "מין;גיל;אזרחות\nאישה;22;אוקראינה\nגבר;17;מולדובה\n"),
        ("cp1250", "Płeć;Wiek;Obywatelstwo\nmężczyzna;22;Łotwa\nżeńska;17;Białoruś\n"),
        ("cp1254", "Yaş;Kayıt;Uyruğu;değil;kız;ağır;şüpheli;çocuk;Türkiye;İşçi;güç\n"),
        ("cp1252", "Più;perciò;può;sì;così;Lì;finì;partì;andò;portò;è;perché;già\n" * 3),
        ("cp1252", "Regiões;mães;não;Região;ações;São Tomé;avó;Ípsilon;ação\n" * 3),
    ],
)  # fmt: skip
def test_a_code_page_that_is_not_sure_is_not_guessed(encoding: str, text: str) -> None:
    assert code_page(text.encode(encoding)) is None


@pytest.mark.parametrize("text", [RUSSIAN, FRENCH])
def test_damaged_utf8_is_no_code_page(text: str) -> None:
    whole = text.encode()
    for damaged in (
        whole[:-2] + b"\xff\n",
        whole + "Пол;женский".encode("cp1251"),
        b"\xd0;" + whole,
    ):
        assert code_page(damaged) is None
        with pytest.raises(UnreadableFile, match="UTF-8") as met:
            to_utf8(damaged, None, "a.csv")
        assert met.value.rule == "mixed-encoding"


def test_tones_of_vietnamese_stand_in_their_letters() -> None:
    written = "Giới tính,Quốc tịch,Tuổi\nNữ,Việt Nam,22\n"
    tones = {"ớ": "ơ\u0301", "ố": "ô\u0301", "ị": "i\u0323", "ổ": "ô\u0309", "ữ": "ư\u0303"}
    tones |= {"ệ": "ê\u0323", "í": "i\u0301"}
    apart = "".join(tones.get(c, c) for c in written)
    assert code_page(apart.encode("cp1258") * 2) == "cp1258"
    assert to_utf8(apart.encode("cp1258"), "cp1258", "a.csv") == (written.encode(), "cp1258")
