"""Notes below and between the rows of a table: no note is a person, no person a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from ctdhub.core.i18n import said
from ctdhub.sensitive.bundle.leaving import leaving
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.ingest.rejects import reason_of
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise
from ctdhub.sensitive.workbench.facets import OpenedFile, file_effect

NAMES = ["no", "sex", "age", "country", "date", "remark"]
COUNTRIES = ["Nigeria", "Viet Nam", "Romania", "Nigeria", "Honduras", "Eritrea"]
PEOPLE = [
    [f"A{n}", "FM"[n % 2], str(20 + n), country, f"2024-03-{n + 10}",
     f"seen {n} times, and again" if n else "came alone"]
    for n, country in enumerate(COUNTRIES)
]  # fmt: skip
YEARS = (2000, 2030)
RULES = """
version: 1
rows: person
identifiers: {no: hash, remark: strip}
columns:
  gender: {from: sex, map: {F: female, M: male}}
  age_band: {from: age, band: true}
  citizenship: {from: country, country: true}
  year_of_registration: {from: date, year: true}
  source_type: {value: hotline}
"""


def csv(path: Path, rows: list[list[str]], names: list[str] = NAMES) -> Path:
    wide = (row + [""] * (len(names) - len(row)) for row in [names, *rows])
    path.write_text("".join(";".join(row) + "\n" for row in wide), "utf-8")
    return path


def done_with(path: Path, notes: str = "", rules: str = RULES) -> Harmonised:
    """The file harmonised; what the workbench counts of it is the same."""
    mapping = parse_mapping((f"read: {{notes: {notes}}}\n" if notes else "") + rules, "m.yaml")
    raw = read_table(path, mapping.read)
    done = harmonise(raw, mapping, "north", YEARS, bytes(32))
    effect = file_effect(mapping, OpenedFile(raw), YEARS)
    account = done.conservation
    assert effect.counts() == {
        "rows": account.rows_read,
        "records": account.records,
        "rejected": account.rejected,
        "excluded": {rule: n for rule, n in account.excluded.items() if n},
    }
    faults = effect.rejects.select(["source_row", "rule", "fields"]).sort_by("source_row")
    theirs = done.rejects.select(["source_row", "rule", "fields"]).sort_by("source_row")
    assert faults.to_pylist() == theirs.to_pylist()
    return done


def found(done: Harmonised) -> list[int]:
    return [one["source_row"] for one in done.rejects.to_pylist() if one["rule"] == "note-row"]


NOTES = [
    ["Source: register of the ministry"], ["* ages are estimated"], ["Confidentiel"],
    ["المصدر: سجل الوزارة"], ["\u200f* الأعمار تقديرية"], ["ملاحظة"], ["資料來源：內政部"],
    ["", "", "", "", "", "¹ estimada por el equipo"], ["Fait à Lyon le 3 mars"],
    ["North office"], ["Printed in March 2024"], ["-----"],
]  # fmt: skip


def test_a_note_is_never_a_record(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", [*PEOPLE[:3], *NOTES, *PEOPLE[3:], [""], *NOTES, NOTES[0]])
    places = [*range(5, 5 + len(NOTES)), *range(9 + len(NOTES), 10 + 2 * len(NOTES))]
    done = done_with(path)
    assert (found(done), done.conservation.records) == (places, 6)
    told = {said(reason_of(one["fields"])) for one in done.rejects.to_pylist()}
    assert not any(cell and cell in text for note in NOTES for cell in note for text in told)
    done = done_with(path, "left_out")
    assert done.conservation.excluded == {"note-row": len(places)}
    assert (done.conservation.records, done.notes) == (6, tuple(places))
    assert done_with(path, "records").conservation.records == 6 + len(places)


@pytest.mark.parametrize("wide", [6, 10])
def test_two_or_three_cells_are_a_note_in_a_wide_table(tmp_path: Path, wide: int) -> None:
    names = [*NAMES, *(f"q{n}" for n in range(wide))]
    people = [row + [f"said {n}" for n in range(wide)] for row in PEOPLE]
    signature = [["Signature", *[""] * 6, "The director"], ["Printed", *[""] * 9, "on", "paper"]]
    four = ["Anna", *[""] * 7, "was", "here", "once"]
    more = [
        "Anna",
        *people[0][1:5],
        *[f"said {n}" for n in range(wide)],
        "more",
    ]  # who is called by a name
    done = done_with(csv(tmp_path / "a.csv", [*people, *signature, four, more], names))
    assert (found(done), done.conservation.records) == ([8, 9, 10], 7)
    done = done_with(csv(tmp_path / "a.csv", [*PEOPLE, ["Signature", "F"]]), "left_out")
    assert found(done) == []  # a value that is no word for a number about people: somebody


@pytest.mark.parametrize(
    "known", [["A19", "F"], ["", "F"], ["A19", "", "34"], ["", "", "", "Laos"],
              ["", "", "", "", "2024-05"], ["", "", "", "Côte d’Ivoire"],
              ["", "", "", "", "", "seen 12 times, and again"],
              ["", "", "", "", "", "Came alone "]],
)  # fmt: skip
def test_a_record_of_which_one_thing_is_known_is_a_record(tmp_path: Path, known: list[str]) -> None:
    between, below = [*PEOPLE[:3], known, *PEOPLE[3:]], [*PEOPLE, [""], known]
    for rows, notes in ((between, ""), (below, "left_out")):
        done = done_with(csv(tmp_path / "a.csv", rows), notes)
        assert (found(done), done.conservation.records) == ([], 7)


@pytest.mark.parametrize("serial", [False, True])
def test_rows_that_were_numbered_beforehand_are_asked_about(tmp_path: Path, serial: bool) -> None:
    """No answer of before decides about them: a number may be all that is known of somebody."""
    names, numbered = (["serial", *NAMES] if serial else NAMES), [[f"A{n}"] for n in range(6, 16)]
    people = [[str(n), *row] for n, row in enumerate(PEOPLE)] if serial else PEOPLE
    empty = [[str(n)] for n in range(6, 16)] if serial else numbered
    for notes in ("", "left_out"):
        done = done_with(csv(tmp_path / "a.csv", [*people, *empty], names), notes)
        assert (found(done), done.conservation.records) == ([*range(8, 18)], 6)
    assert (
        done_with(csv(tmp_path / "a.csv", people + empty, names), "records").records.num_rows == 16
    )
    few = [[row[0], row[1]] for row in PEOPLE]  # a table of two columns often lacks one of them
    rules = "version: 1\nrows: person\ncolumns:\n  gender: {from: sex, map: {F: female, M: male}}\n"
    done = done_with(csv(tmp_path / "a.csv", [*few, *numbered], ["no", "sex"]), rules=rules)
    assert (found(done), done.conservation.records) == ([], 16)


def test_a_text_that_no_rule_reads_is_a_fault_as_before_and_none_is_dropped(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", [*PEOPLE, ["", "", "", "Nigerria"]])
    for notes in ("", "left_out"):
        done = done_with(path, notes)
        assert done.rejects["rule"].to_pylist() == ["unknown-country"]
    careless = RULES.replace("country: true", "country: true, unknown: null")
    for notes in ("", "left_out"):
        done = done_with(path, notes, careless)
        assert (found(done), done.conservation.records) == ([8], 6)
        assert "of which little is known" in done.rejects["reason"][0].as_py()


def test_the_first_column_is_a_name_that_stays_with_the_contributor(tmp_path: Path) -> None:
    people = [[f"Name{'abcdefgh'[n]}", *row] for n, row in enumerate(PEOPLE)]
    rules = RULES.replace("{no: hash,", "{no: hash, name: strip,")
    path = csv(tmp_path / "a.csv", [*people, ["Source: ministry"]], ["name", *NAMES])
    done = done_with(path, rules=rules)
    assert (found(done), done.conservation.records) == ([8], 6)


WORDS = {
    "en": ["Average", "Median", "Number of women", "Minors", "Women 2024", "% female",
           "Girls under 18", "No. of women", "Std. dev.", "Count"],
    "fr": ["Moyenne", "Médiane", "Nombre de femmes", "dont mineurs", "Écart-type", "Âge moyen",
           "Filles de moins de 18 ans", "Ensemble"],
    "es": ["Promedio", "Mediana", "Número de mujeres", "Menores de edad", "Máximo", "Edad media",
           "Adultas"],
    "ar": ["المتوسط", "الوسيط", "عدد النساء", "القاصرون", "العدد الإجمالي", "إناث"],
}  # fmt: skip
"""What stands beside numbers below, or between, the rows of people."""


@pytest.mark.parametrize("key", ["hash", "case", "strip", "names"])
@pytest.mark.parametrize("language", WORDS)
def test_a_number_about_people_is_no_person(tmp_path: Path, language: str, key: str) -> None:
    """Whether a value is found in the row or not, and whatever was said of notes before."""
    names = ["Anna Lo", "Bea Ruiz", "Chi", "Dao van An", "Eva", "Fatou Ba"]
    people = [[names[n], *row[1:]] if key == "names" else row for n, row in enumerate(PEOPLE)]
    beside = [["", "22"], ["", "27.5"], ["4"], ["", "", "", "25"], [""], ["6", "23"]]
    lines = [[word, *cells] for word in WORDS[language] for cells in beside]
    rules = RULES.replace("hash", "strip" if key == "names" else key)
    rows = [*people[:2], lines[0], *people[2:], *lines[1:]]
    for notes in ("", "left_out"):
        done = done_with(csv(tmp_path / "a.csv", rows), notes, rules)
        assert done.conservation.records == 6
        assert sorted(done.notes) == [4, *range(9, 8 + len(lines))]
    assert done_with(csv(tmp_path / "a.csv", rows), "records", rules).conservation.rejected


def test_a_person_of_whom_little_is_known_is_counted(tmp_path: Path) -> None:
    """One of another office, one without a number, one with a number like the others."""
    kept = [["A77", "F"], ["", "F", "22"], ["B-1", "F", "22", "Laos", "2024-03-12"]]
    kept += [["K/1", "F"], ["unknown", "", "34"], ["", "", "34"], ["Anna", "", "", "Laos"]]
    kept += [["Female 7", "F"], ["Max", "", "34"], ["Countess", "F"]]
    for notes in ("", "left_out"):
        done = done_with(csv(tmp_path / "a.csv", [*PEOPLE, *kept]), notes)
        assert (found(done), done.conservation.excluded) == ([], {})
        assert done.conservation.records == len(PEOPLE) + len(kept)


@pytest.mark.parametrize("notes", ["", "left_out"])
def test_one_row_more_puts_no_other_row_aside(tmp_path: Path, notes: str) -> None:
    """Whether a row with a value is a person follows from that row alone."""
    full = [[f"C{n}", "F", "30", "Laos", f"2024-01-{n % 28 + 1}", "note"] for n in range(20)]
    half = [[f"C{n}", "F", "30"] for n in range(100, 120)]
    odd = [[f"K/{n}-Ana", "M", "", "Ghana"] for n in range(6)]
    for more in ([], full[:1], half[:1], odd[:1], [["Z", *["x"] * 5]]):
        done = done_with(csv(tmp_path / "a.csv", [*full, *half, *odd, *more]), notes)
        lost = [row for row in found(done) if row <= 47]
        assert lost == [], more
    for alone in (["A1", "F"], ["x", "", "40"], ["17", "F", "22", "Laos"]):
        assert done_with(csv(tmp_path / "a.csv", [alone]), notes).conservation.records == 1


NUMBERED = [[f"F{n:03}", *row[1:]] for n, row in enumerate(PEOPLE)]
NUMBERED.append(["unknown", *PEOPLE[0][1:]])
NAMED = [[name, *row[1:]] for name, row in zip(["Ka Lo", *"bcdef"], PEOPLE, strict=True)]
NAMED.append(["A 7", *PEOPLE[0][1:]])


@pytest.mark.parametrize(
    ("people", "rules", "asked", "out"),
    [
        (NUMBERED, RULES, ["2023/0006", "2024", "B-7"], ["Page 3", "Confidential", "1 of 2"]),
        (NUMBERED, RULES.replace("hash", "case"), ["2023/0006"], ["Page 3", "End"]),
        (NUMBERED, RULES.replace("no: hash", "no: strip"), ["2024"], ["2023/0006", "Page 3"]),
        (NAMED, RULES, ["Pe Ru", "Ana"], ["Source of all"]),
    ],
)  # fmt: skip
def test_a_number_of_another_kind_is_asked_about_and_never_left_out(
    tmp_path: Path, people: list[list[str]], rules: str, asked: list[str], out: list[str]
) -> None:
    """A new office counts anew: of a person only the number is known, and no other is like it."""
    header = ["Case number", *NAMES[1:]]  # again, below: it is no record, and no number
    rows = [*people, header, *([text] for text in (*asked, *out))]
    path, last = csv(tmp_path / "a.csv", rows), 10 + len(asked)
    assert found(done_with(path, rules=rules)) == list(range(10, last + len(out)))
    done = done_with(path, "left_out", rules)
    assert found(done) == list(range(10, last))
    assert sorted(done.notes) == [*range(10, last + len(out))]
    told = {one["reason"] for one in done.rejects.to_pylist() if one["rule"] == "note-row"}
    assert all("of which little is known" in reason for reason in told)


def test_a_number_of_digits_and_letters_is_built_like_others(tmp_path: Path) -> None:
    ids = ["7f3a2b1c", "a1b2c3d4", "00ff11aa", "deadbe01", "ktm 7f3", "ktm 12"]
    people = [[one, *row[1:]] for one, row in zip(ids, PEOPLE, strict=True)]
    path, kept = csv(tmp_path / "a.csv", [*people, ["bada55a7"], ["Map 123"]]), "no: {keep: a code}"
    done = done_with(path, rules=RULES.replace("no: hash", kept))  # it names nobody
    assert (found(done), done.conservation.records) == ([9], 7)


def test_a_note_has_no_key(tmp_path: Path) -> None:
    """It is no weak token, and nobody whose record goes."""
    people = [[f"a-{n:032x}", *row[1:]] for n, row in enumerate(PEOPLE, 10**9)]
    path = csv(tmp_path / "a.csv", [*people, ["Source: the register"], ["a" * 40]])
    for notes in ("", "left_out"):
        done = done_with(path, notes, RULES.replace("hash", "token"))
        assert (done.conservation.records, done.no_record.num_rows) == (6, 0)
        assert list(done.notes) == [8, 9]


def test_exclusions_of_the_mapping_come_first(tmp_path: Path) -> None:
    rules = RULES + "exclude: [{rule: no-sex, when: {sex: ''}}]\n"
    done = done_with(csv(tmp_path / "a.csv", [*PEOPLE, ["Source: x"]]), "left_out", rules)
    assert done.conservation.excluded == {"no-sex": 1}
    done = done_with(csv(tmp_path / "a.csv", [*PEOPLE, ["Total", "", "135"]]), "left_out", rules)
    assert done.conservation.excluded == {"no-sex": 0, "note-row": 1}  # a total is nobody at all
    rules = RULES + "exclude: [{rule: no-consent, when: {consent: [refused]}}]\n"
    rows = [*([*row, "given"] for row in PEOPLE), ["", "", "", "", "", "", "not asked"]]
    done = done_with(csv(tmp_path / "a.csv", rows, [*NAMES, "consent"]), "left_out", rules)
    assert found(done) == [8]  # the mapping reads that column


def test_a_note_is_nobody_without_consent(tmp_path: Path) -> None:
    """Of nine rows below, two are people who did not agree, one of them without a word."""
    rules = RULES + "exclude: [{rule: no-consent, unless: {consent: ['yes']}}]\n"
    people = [[*row, "yes"] for row in PEOPLE]
    refused = [["A8", "F", "30", "Nigeria", "2024-03-01", "", "no"],
               ["A9", "M", "31", "Eritrea", "2024-03-02", "", ""]]  # fmt: skip
    notes = [["Source: the register"], ["North office"], ["-----"]]
    path = csv(tmp_path / "a.csv", [*people, *refused, *notes], [*NAMES, "consent"])
    done = done_with(path, "left_out", rules)
    assert done.conservation.excluded == {"no-consent": 2, "note-row": 3}
    asked = done_with(path, rules=rules)
    assert asked.conservation.excluded == {"no-consent": 2}
    assert found(asked) == [10, 11, 12]
    little = [["A10", "", "", "", "", "", ""], ["", "", "", "", "", "hardly anything", "no"]]
    path = csv(tmp_path / "b.csv", [*people, *refused, *little], [*NAMES, "consent"])
    for way in ("", "left_out"):
        done = done_with(path, way, rules)
        assert done.conservation.excluded["no-consent"] == 4
        assert not found(done)


def test_what_a_mapping_takes_without_a_text_is_no_value_of_a_note(tmp_path: Path) -> None:
    """A shelter for women: who is not said to be a man is a woman."""
    read = "{from: sex, map: {F: female, M: male}}"
    rules = RULES.replace(read, f"[{read}, {{value: female}}]")
    done = done_with(csv(tmp_path / "a.csv", [*PEOPLE, ["", "F"], ["Source: x"]]), rules=rules)
    assert (found(done), done.conservation.records) == ([9], 7)


def test_what_a_mapping_says_of_a_text_that_it_did_not_know_is_no_value_of_a_note(
    tmp_path: Path,
) -> None:
    """A constant behind a rule that passes over texts, and a list where what is left means no."""
    read = "{from: sex, map: {F: female, M: male}}"
    passing = read[:-1] + ", unknown: null}"
    rules = RULES.replace(read, f"[{passing}, {{value: female}}]")
    rows = [*PEOPLE, ["", "F"], ["", "Source: register"]]
    done = done_with(csv(tmp_path / "a.csv", rows), rules=rules)
    assert (found(done), done.conservation.records) == ([9], 7)
    said_by = "[{value: female, when: {sex: [F]}}, {value: male, when: {sex: [Man]}}]"
    rows = [*([no, "", *rest] for no, _sex, *rest in PEOPLE), ["", "Man"]]
    done = done_with(csv(tmp_path / "a.csv", rows), rules=RULES.replace(read, said_by))
    assert (found(done), done.conservation.records) == ([], 7)
    listed = "{from: form, split: /, has: [sex], absent: no, unknown: pass}"
    rules = f"{RULES}  exploitation_sexual: {listed}\n"
    forms = ["sex", "work", "sex/work", "", "work", "sex"]
    rows = [*([*row, form] for row, form in zip(PEOPLE, forms, strict=True)), [""] * 6 + ["* sex?"]]
    done = done_with(csv(tmp_path / "a.csv", rows, [*NAMES, "form"]), rules=rules)
    assert (found(done), done.conservation.records) == ([8], 6)


def test_a_mapping_that_reads_little_makes_no_notes_of_full_rows(tmp_path: Path) -> None:
    """Rows of another office, which fill other columns."""
    rules = RULES.split("  age_band")[0]
    rows = [*PEOPLE, *(["", "", *row[2:]] for row in PEOPLE)]
    done = done_with(csv(tmp_path / "a.csv", rows), "left_out", rules)
    assert (found(done), done.conservation.records) == ([], 12)


def test_a_narrow_table_and_a_table_of_which_little_is_known_are_tables(tmp_path: Path) -> None:
    rules = "version: 1\nrows: person\ncolumns:\n  gender: {from: sex, map: {F: female, M: male}}\n"
    rows = [[f"word{'abcdefgh'[n % 8]}{'xyz'[n % 3]}"] for n in range(60)]
    assert found(done_with(csv(tmp_path / "a.csv", rows, ["place", "sex"]), rules=rules)) == []
    rows = [*PEOPLE * 5, [*PEOPLE[0], *"abcdefgh"], ["Anna", *PEOPLE[1][1:4], "", "alone"]]
    done = done_with(csv(tmp_path / "a.csv", rows, [*NAMES, *"abcdefgh"]))
    assert found(done) == []  # one row is wide, and the table is not
    rows = [["Lyon", "F"], ["Oise", ""], ["", "M"], ["Aisne", "M"], ["Source: x", ""]]
    done = done_with(csv(tmp_path / "a.csv", rows, ["place", "sex"]), rules=rules)
    assert found(done) == [3, 6]  # a place alone: somebody is asked about both


def test_perpetrators_are_something_that_is_known(tmp_path: Path) -> None:
    rules = RULES + (
        "perpetrators:\n  split: ','\n  columns:\n"
        "    perpetrator_gender: {from: by, map: {man: male, woman: female}}\n"
    )
    people = [[*row, "man, woman"] for row in PEOPLE]
    rows = [*people, ["", "", "", "", "", "", "woman"]]
    done = done_with(csv(tmp_path / "a.csv", rows, [*NAMES, "by"]), "left_out", rules)
    assert (found(done), done.conservation.records) == ([], 7)


def _filled(row: list[str], width: int) -> list[Any]:
    return [cell or None for cell in row] + [None] * (width - len(row))


def test_xlsx_of_several_sheets(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for n in range(2):
        sheet = book.active if n == 0 else book.create_sheet("Second")
        assert sheet is not None
        for row in (NAMES, *PEOPLE, ["Printed on paper"], ["* estimated"]):
            sheet.append(_filled(row, 6))
    book.save(tmp_path / "a.xlsx")
    rules = f"read: {{sheets: all}}\n{RULES}"
    done = done_with(tmp_path / "a.xlsx", rules=rules)
    assert done.conservation.records == 12
    assert [row % 1000 for row in found(done)] == [8, 9, 8, 9]


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
    assert found(done_with(tmp_path / "a.ods")) == [9]


def test_what_a_program_writes(tmp_path: Path) -> None:
    """JSON has none; in a line for each value, and beside child tables, a name is no number."""
    person = {"sex": "female", **{f"q{m}": "x" for m in range(9)}}
    people = [{"no": f"A{n}", **person} for n in range(4)]
    rules = "version: 1\nrows: person\nidentifiers: {no: hash}\ncolumns: {gender: {from: sex}}\n"
    (tmp_path / "a.json").write_text(json.dumps([*people, {"no": "Anna"}]), "utf-8")
    done = done_with(tmp_path / "a.json", rules=rules)
    assert (found(done), done.conservation.records) == ([], 5)

    lines = [[one["no"], name, text] for one in people for name, text in one.items()]
    path = csv(tmp_path / "b.csv", [*lines, ["Anna", "q1", "other"]], ["event", "name", "value"])
    long = f"read: {{long: {{id: event, name: name, value: value}}}}\n{rules}"
    done = done_with(path, rules=long.replace("no: hash", "no: strip, event: hash"))
    assert (len(found(done)), done.conservation.records) == (1, 4)

    book = openpyxl.Workbook()
    sheet, child = book.active, book.create_sheet("by")
    assert sheet is not None
    for row in (people[0], *(one.values() for one in people), ["Anna", *[""] * 10]):
        sheet.append(list(row))
    for row in (["parent", "sex"], ["A1", "M"], ["Bea", "M"]):
        child.append(row)
    sheet.append(["Bea", *[None] * 10])  # of whom somebody said who did it
    book.save(tmp_path / "c.xlsx")
    tied = f"read: {{children: {{by: {{sheet: by, key: no, parent: parent}}}}}}\n{rules}"
    tied = tied.replace("no: hash", "no: hash, by.parent: strip")
    done = done_with(tmp_path / "c.xlsx", rules=tied)
    assert (found(done), done.conservation.records) == ([6], 5)


@pytest.mark.parametrize("notes", ["", "left_out"])
@pytest.mark.parametrize("first", ["hash", "strip", "case"])
def test_no_note_leaves_the_contributor(tmp_path: Path, notes: str, first: str) -> None:
    path = csv(tmp_path / "a.csv", [*PEOPLE[:3], ["Source: ministry"], *PEOPLE[3:], ["* about"]])
    text = (f"read: {{notes: {notes}}}\n" if notes else "") + RULES.replace(
        "no: hash", f"no: {first}"
    )
    mapping = parse_mapping(text, "m.yaml")
    what = leaving(read_table(path, mapping.read), mapping, "north", YEARS, bytes(32), tmp_path)
    assert what.rows == 6
    assert b"ministry" not in what.cases
    assert what.report["records"] == 6
    assert what.report["unread"] == (0 if notes else 2)


@settings(max_examples=10, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["", "", "F", "A3", "Laos", "2024", "33", "Note: x"]),
                 min_size=6, max_size=6),
        max_size=20,
    ),
    notes=st.sampled_from(["", "left_out", "records"]),
)  # fmt: skip
def test_whatever_the_rows_every_one_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], notes: str
) -> None:
    """Nothing that a rule reads is lost, and the workbench counts as a build does."""
    path = csv(tmp_path_factory.mktemp("law") / "a.csv", [*PEOPLE, *rows])
    done = done_with(path, notes)
    out = set(done.notes)
    assert set(found(done)) <= out
    for number, row in enumerate(rows, 8):
        if number in out - set(found(done)):
            assert (notes, any(row[1:5])) == ("left_out", False), "nothing that is read is dropped"
        if number in out and row[0] == "A3":
            assert {*row} <= {"", "A3", "2024", "33"}, "a person with a number like the others"
        if row[0] == "Note: x" and not any(row[1:]):
            assert (number in out) == (notes != "records")
