"""Sheets that belong to the rows of another: repeats of KoboToolbox, forms of Primero."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ctdhub.core.errors import FileError
from ctdhub.sensitive.ingest.layout import look
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest, suggest
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import harmonise

MAIN = [
    ["intake/sex", "intake/age", "nat", "_id", "_uuid", "_submission_time", "_index"],
    ["female", 17, "Nigeria", 71, "u1", "2024-01-01", 1],
    ["male", 30, "Peru", 72, "u2", "2024-01-02", 2],
    ["female", 22, "Peru", 73, "u3", "2024-01-03", 3],
]
OWN = ["_index", "_parent_table_name", "_parent_index", "_submission__id", "_submission__uuid"]
PERP = [
    ["perp/perp_sex", "perp/perp_age", *OWN],
    ["male", 40, 1, "Intake", 1, 71, "u1"],
    ["female", 35, 2, "Intake", 1, 71, "u1"],
    ["male", 51, 3, "Intake", 3, 73, "u3"],
]
MARKS = [
    ["perp/marks/mark", *OWN],
    ["tattoo", 1, "perp", 2, 71, "u1"],
    ["scar", 2, "perp", 3, 73, "u"],
]


def book(path: Path, sheets: dict[str, Sequence[Sequence[Any]]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    made.save(path)
    return path


@pytest.fixture
def kobo(tmp_path: Path) -> Path:
    return book(tmp_path / "kobo.xlsx", {"Intake": MAIN, "perp": PERP})


def test_a_repeat_is_a_child_table(kobo: Path) -> None:
    options = look(kobo)
    child = options.children["perp"]
    assert (child.sheet, child.key, child.parent) == ("perp", "_index", "_parent_index")
    raw = read_table(kobo, options)
    assert raw.rows_read == 3
    assert raw.table["perp.perp_sex"].to_pylist() == ["male;female", None, "male"]
    rows = raw.children["perp"].to_pydict()
    assert rows["perp.perp_age"] == ["40", "35", "51"]
    assert rows["_row"] == [2, 2, 4]
    assert not {c for c in raw.column_names() if "_submission_" in c and c != "_submission_time"}


def test_a_repeat_inside_a_repeat_is_tied_to_its_own_row(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"Intake": MAIN, "perp": PERP, "marks": MARKS})
    options = look(path)
    assert options.children["marks"].of == "perp"
    raw = read_table(path, options)
    assert raw.table["marks.mark"].to_pylist() == ["tattoo", None, "scar"]


@pytest.mark.parametrize(
    ("parent", "of"), [("household of the person in trips", "household_of_the_person_in_trip"),
                       ("another form", None)],
)  # fmt: skip
def test_a_name_cut_short_by_excel_is_that_sheet_and_an_unknown_one_none(
    tmp_path: Path, parent: str, of: str | None
) -> None:
    inner = [MARKS[0], *([row[0], row[1], parent, *row[3:]] for row in MARKS[1:])]
    sheets = {"Intake": MAIN, "household of the person in trip": PERP, "marks": inner}
    children = look(book(tmp_path / "a.xlsx", sheets)).children
    assert (children["marks"].of if of else children) == (of or {})


def test_hxl_tags_stand_in_every_sheet(tmp_path: Path) -> None:
    tags = ["#affected+sex", "#affected+age", "#country", "#meta+id", "#meta", "#date", "#meta+i"]
    inner = ["#x+sex", "#x+age", "", "", "", "", ""]
    sheets = {"Intake": [MAIN[0], tags, *MAIN[1:]], "perp": [PERP[0], inner, *PERP[1:]]}
    path = book(tmp_path / "a.xlsx", sheets)
    raw = read_table(path, look(path))
    assert (raw.rows_read, raw.rejects.num_rows) == (3, 0)
    assert raw.table["perp.perp_sex"].to_pylist() == ["male;female", None, "male"]


def test_rows_that_belong_to_nobody_are_rejects(tmp_path: Path) -> None:
    lost = [*PERP, ["male", 20, 4, "Intake", 9, 79, "u9"]]
    path = book(tmp_path / "a.xlsx", {"Intake": MAIN, "perp": lost})
    raw = read_table(path, look(path))
    assert raw.rejects["rule"].to_pylist() == ["orphan"]
    assert raw.rows_read == raw.table.num_rows + 1


def test_perpetrators_of_a_sheet_become_child_rows(kobo: Path) -> None:
    rules = parse_mapping(
        """
version: 1
rows: person
read: {children: {perp: {sheet: perp, key: _index, parent: _parent_index}}}
identifiers: {_id: case, _uuid: strip}
columns: {gender: {from: sex}}
perpetrators: {child: perp, columns: {perpetrator_gender: {from: perp.perp_sex}}}
""",
        "m.yaml",
    )
    done = harmonise(read_table(kobo, rules.read), rules, "c", (2002, 2030), bytes(32))
    assert done.records["gender"].to_pylist() == ["female", "male", "female"]
    assert done.perpetrators["perpetrator_gender"].to_pylist() == ["male", "female", "male"]
    ids = done.records["record_id"].to_pylist()
    assert done.perpetrators["record_id"].to_pylist() == [ids[0], ids[0], ids[2]]


def test_a_draft_never_takes_a_repeat_for_the_person(kobo: Path) -> None:
    raw, read = read_to_suggest(kobo)
    found = suggest(raw, read).mapping
    assert found.columns["gender"][0].source == ("sex",)
    done = harmonise(raw, found, "c", (2002, 2030), bytes(32))
    assert done.records["gender"].to_pylist() == ["female", "male", "female"]


def test_what_does_not_fit_together_is_one_error(tmp_path: Path, kobo: Path) -> None:
    gone = ReadOptions.model_validate(
        {"children": {"p": {"sheet": "gone", "key": "_index", "parent": "_parent_index"}}}
    )
    twice = book(tmp_path / "b.xlsx", {"Intake": [*MAIN, MAIN[1]], "perp": PERP})
    for path, options, rule in ((kobo, gone, "no-sheet"), (twice, look(twice), "child-key")):
        with pytest.raises(FileError) as caught:
            read_table(path, options)
        assert caught.value.rule == rule
    with pytest.raises(FileError) as caught:
        read_table(kobo, look(kobo), Limits(children=1))
    assert caught.value.rule == "children"


def test_repeats_without_an_index_are_left_and_noted(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"Intake": [row[:-1] for row in MAIN], "perp": PERP})
    options = look(path)
    assert options.children == {}
    assert read_table(path, options).notes


# CommCare: every repeat tied to the row of its form ----------------------------------------------

FORMS = [
    ["number", "formid", "form.sex", "form.age", "started_time"],
    ["0", "f1", "female", 17, "2024-01-01"],
    ["1", "f2", "male", "---", "2024-01-02"],
]


def test_repeats_of_commcare_belong_to_their_form(tmp_path: Path) -> None:
    own = ["number", "number__0", "number__1", "form.perps.sex"]
    repeat = [own, ["1.0", 1, 0, "male"], ["1.1", 1, 1, "female"]]
    nested = [["number", "number__0", "number__1", "number__2", "mark"], ["1.1.0", 1, 1, 0, "scar"]]
    sheets = {"Forms": FORMS, "Repeat- perps": repeat, "Repeat- marks": nested}
    path = book(tmp_path / "a.xlsx", sheets)
    raw = read_table(path, look(path))
    assert raw.table["Repeat-_perps.form.perps.sex"].to_pylist() == [None, "male;female"]
    assert raw.table["Repeat-_marks.mark"].to_pylist() == [None, "scar"]


def test_a_list_that_only_counts_its_rows_ties_no_other_sheet(tmp_path: Path) -> None:
    staff = [["number", "sex", "age", "post"], ["0", "male", 40, "x"], ["1", "male", 50, "x"]]
    path = book(tmp_path / "a.xlsx", {"Forms": FORMS, "Staff": staff})
    with pytest.raises(FileError) as caught:
        look(path)
    assert caught.value.rule == "sheets"


# Primero: one sheet for each form, tied by the short id ------------------------------------------

PRIMERO = {
    "Basic Identity": [
        ["ID", "Sex", "Age", "Date of registration", "Nationality"],
        ["a1b2c3d", "Female", 17, "05-Jan-2024", "Nigeria ||| Togo"],
        ["b2c3d4e", "Male", 30, "11-Feb-2024", "Peru"],
    ],
    "Protection": [
        ["ID", "Protection concerns"],
        ["a1b2c3d", "Trafficked/Smuggled ||| Sexually exploited"],
        ["b2c3d4e", "Trafficked/Smuggled"],
    ],
    "Services - Services": [
        ["ID", "Type of service", "Response"],
        ["a1b2c3d", "Shelter", "Yes"],
        ["a1b2c3d", "Medical", "No"],
    ],
}


def test_sheets_of_forms_are_tied_by_their_id(tmp_path: Path) -> None:
    path = book(tmp_path / "primero.xlsx", PRIMERO)
    options = look(path)
    assert list(options.children) == ["Protection", "Services_-_Services"]
    raw = read_table(path, options)
    assert raw.rows_read == 2
    concerns = raw.table["Protection.Protection concerns"].to_pylist()
    assert concerns == ["Trafficked/Smuggled ||| Sexually exploited", "Trafficked/Smuggled"]
    assert raw.table["Services_-_Services.Type of service"].to_pylist() == ["Shelter;Medical", None]


def test_lists_of_primero_are_split_by_their_mark(tmp_path: Path) -> None:
    path = book(tmp_path / "primero.xlsx", PRIMERO)
    rules = parse_mapping(
        """
version: 1
rows: person
dates: dmy
read: {children: {P: {sheet: Protection, key: ID, parent: ID}}}
identifiers: {ID: hash}
columns:
  citizenship: {from: Nationality, split: "|||", take: first, country: true}
  exploitation_sexual:
    {from: P.Protection concerns, split: "|||", has: [Sexually exploited], absent: no,
     known: [Trafficked/Smuggled]}
""",
        "m.yaml",
    )
    done = harmonise(read_table(path, rules.read), rules, "c", (2002, 2030), bytes(32)).records
    assert done["citizenship"].to_pylist() == ["NGA", "PER"]
    assert done["exploitation_sexual"].to_pylist() == ["yes", "no"]


def test_years_that_begin_with_an_id_are_no_forms(tmp_path: Path) -> None:
    rows = PRIMERO["Basic Identity"]
    path = book(tmp_path / "a.xlsx", {"2023": rows, "2024": rows})
    assert look(path).sheets == "all"
    more = [[*row, "x"] for row in rows]
    differing = book(tmp_path / "b.xlsx", {"2023": rows, "2024": more})
    with pytest.raises(FileError) as caught:
        look(differing)
    assert caught.value.rule == "sheets"


def test_forms_may_share_names_and_relatives_are_children(tmp_path: Path) -> None:
    identity, protection, _services = PRIMERO.values()
    shared = [
        [*row, said] for row, said in zip(identity, ["Case Status", "Open"] * 2, strict=False)
    ]
    closure = [["ID", "Case Status", "Date"], ["b2c3d4e", "Open", "2024-01-01"]]
    relatives = [
        ["ID", "Name", "Sex", "Age", "Nationality", "Language", "Alive"],
        ["a1b2c3d", "Mother", "Female", 40, "Peru", "es", "Yes"],
        ["b2c3d4e", "Uncle", "Male", 50, "Peru", "es", "Yes"],
    ]
    sheets = {"Closure": closure, "Family - Relatives": relatives, "Identity": shared}
    options = look(book(tmp_path / "a.xlsx", sheets | {"Protection": protection}))
    assert options.sheet == "Identity"
    assert list(options.children) == ["Closure", "Family_-_Relatives", "Protection"]
    others = [["ID", "Case Status", "Date", "By"], *[[x, "Open", "2024", "me"] for x in "zyx"]]
    with pytest.raises(FileError):  # its cases are others
        look(book(tmp_path / "b.xlsx", {"Identity": shared, "Closure": others}))


def test_lists_that_each_count_from_one_are_not_tied(tmp_path: Path) -> None:
    """Two registers are no forms of the same people, whatever their numbers say."""
    head = ["ID", "Sex", "Age", "Country"]
    north = [head, *[[i, "F", 20 + i, "Peru"] for i in range(1, 9)]]
    south = [["ID", "Sex", "Kin", "Entry"], *[[i, "M", 3, "2024"] for i in range(1, 9)]]
    later = [south[0], *south[4:]]
    for other in (south, later):
        with pytest.raises(FileError) as met:
            look(book(tmp_path / "a.xlsx", {"North": north, "South": other}))
        assert met.value.rule == "sheets"
