"""The templates of the Human Trafficking Case Data Standard, filled in and read."""

from __future__ import annotations

import csv
import datetime as dt
import warnings
from pathlib import Path

import openpyxl
import pytest

from ctdhub.core.errors import FileError, IdentifierFound
from ctdhub.schema.crosswalk import load_crosswalk
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.builtin import builtin, recognise
from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest, suggest
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

HTCDS = Path(__file__).resolve().parents[2] / "../shared/data/htcds"
YEARS = (2002, 2030)
TEMPLATES = (
    "HTCDS Excel Spreadsheet v2.0.xlsx",
    "HTCDS Excel Spreadsheet single select with validation v2.0.xlsx",
)

pytestmark = pytest.mark.skipif(
    not HTCDS.is_dir(), reason="a public data set is missing: lay htcds into ../shared/data"
)

LABELLED: tuple[dict[str, object], ...] = (
    {
        "cas_CaseOwner": "Desk 4",
        "prs_FirstName": "invented one",
        "con_Consent": True,
        "prs_Birthdate": dt.date(2003, 3, 1),
        "prs_Gender": "Feminine",
        "prs_Citizenship": "Namibia",
        "prs_Email": "invented@example.org",
        "vic_TraffickingStatus": "Actual victim of trafficking",
        "vic_MethodsOfControl": "Debt bondage ",
        "vic_TypeOfExploitation": "Forced labour",
        "vic_ForcedLabourIndustry": (
            "Wholesale and retail trade; repair of motor vehicles and motorcycles"
        ),
        "vic_LocationOfExploitation": "a farm near the border",
        "cas_Status": "Follow up",
        "cas_IncomingReferralDate": dt.date(2021, 2, 28),
    },
    {
        "con_Consent": "TRUE",
        "prs_Birthdate": dt.date(2003, 2, 28),
        "prs_Gender": "NonConforming",
        "prs_Citizenship": "CI;Ghana",
        "vic_TraffickingStatus": "PossibleVictimOfTrafficking",
        "vic_MethodsOfControl": "DebtBondage ;Threatens children/family;RestrictsMovement",
        "vic_TypeOfExploitation": "SexualExploitation;Forced begging;Surrogacy",
        "vic_ForcedLabourIndustry": "T_ActivitiesOfHouseholdsAsEmployers",
        "vic_TypeOfSexExploitation": "Remote Interactive Services",
        "vic_LocationOfExploitation": "Bolivia (Plurinational State of)",
        "cas_IncomingReferralDate": dt.date(2021, 2, 28),
    },
    {
        "con_Consent": True,
        "vic_TraffickingStatus": "Not a victim of trafficking",
        "cas_IncomingReferralDate": dt.date(2021, 5, 1),
    },
    {
        "con_Consent": False,
        "prs_Gender": "Masculine",
        "cas_IncomingReferralDate": dt.date(2021, 5, 1),
    },
    {"prs_Gender": "NonSpecifiedUnknown", "cas_IncomingReferralDate": dt.date(2022, 1, 1)},
)


def read(path: Path, name: str) -> Harmonised:
    mapping = builtin(name)
    return harmonise(read_table(path, mapping.read), mapping, "someone", YEARS, b"k" * 16)


def recorded(record: dict[str, object]) -> dict[str, object]:
    own = ("reporting_entity", "record_id", "person_key", "source_file", "source_row")
    return {k: v for k, v in record.items() if v is not None and k not in own}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_filled_template_is_read(template: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(HTCDS / template)
    sheet = book.worksheets[0]
    titles = {cell.value: cell.column for cell in sheet[1] if cell.value}
    for i, row in enumerate(LABELLED):
        for title, value in row.items():
            sheet.cell(3 + i, titles[title], value)
    path = tmp_path / "filled.xlsx"
    book.save(path)

    name = recognise([str(cell.value or "") for cell in sheet[1]])
    assert name == "htcds-2"
    found = read(path, name)
    assert found.rejects.to_pylist() == []
    assert {k: n for k, n in found.conservation.excluded.items() if n} == {
        "no-consent-to-share": 1,
        "not-a-victim": 1,
    }
    assert found.records["source_row"].to_pylist() == [3, 4, 7]
    first, second, third = map(recorded, found.records.to_pylist())
    assert first == {
        "year_of_registration": 2021,
        "victim_status": "identified",
        "gender": "female",
        "age_band": "9-17",
        "majority_status": "minor",
        "citizenship": "NAM",
        "means_debt_bondage": "yes",
        "exploitation_forced_labour": "yes",
        "labour_other": "yes",
    }
    assert second == {
        "year_of_registration": 2021,
        "victim_status": "presumed",
        "gender": "transgender_nonconforming",
        "age_band": "18-20",
        "majority_status": "adult",
        "citizenship": "CIV",
        "country_of_exploitation": "BOL",
        "means_debt_bondage": "yes",
        "means_threats": "yes",
        "means_restricts_movement": "yes",
        "exploitation_sexual": "yes",
        "exploitation_forced_labour": "yes",
        "exploitation_other": "yes",
        "exploitation_surrogacy": "yes",
        "labour_begging": "yes",
        "labour_domestic_work": "yes",
        "sex_remote_interactive_services": "yes",
    }
    assert third == {"year_of_registration": 2022}
    lossy = {entry.column for entry in found.lineage if entry.lossy}
    assert {"year_of_registration", "age_band", "means_threats", "citizenship"} <= lossy


def survey() -> list[str]:
    sheet = openpyxl.load_workbook(HTCDS / "htcds_xlsform.xlsx")["survey"]
    return [str(name) for _type, name, *_rest in sheet.iter_rows(min_row=2, values_only=True)]


def picklists() -> dict[str, list[tuple[str, str]]]:
    sheet = openpyxl.load_workbook(HTCDS / "htcds_xlsform.xlsx")["choices"]
    lists: dict[str, list[tuple[str, str]]] = {}
    for key, name, label in sheet.iter_rows(min_row=2, values_only=True):
        if key:
            lists.setdefault(str(key), []).append((str(name), str(label)))
    return lists


def export(path: Path, titles: list[str], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, titles, restval="")
        writer.writeheader()
        writer.writerows(rows)


def test_an_export_of_the_xlsform_is_read(tmp_path: Path) -> None:
    titles = ["_id", "_uuid", *survey()]
    everything = " ".join(name for name, _label in picklists()["methodsofcontrol"])
    rows = [
        {
            "_uuid": "00000000-0000-4000-8000-000000000001",
            "start": "2023-05-04T10:00:00.000+02:00",
            "con_Consent": "TRUE",
            "prs_First_Name": "invented one",
            "prs_Birthdate": "1990-01-31",
            "prs_Gender": "Masculine",
            "prs_Citizenship": "NA",
            "vic_TraffickingStatus": "ActualVictimOfTrafficking",
            "vic_Methods_of_Control": everything,
            "vic_TypeOfExploitation": "ForcedLabour SexualExploitation",
            "vic_ForcedLabourIndustry": "F_Construction T_ActivitiesOfHouseholdsAsEmployers",
            "vic_TypeOfSexExploitation": "Prostitution PrivateSexualServices",
            "cas_IncomingReferralDate": "2023-05-04",
        },
        {"con_Consent": "FALSE", "prs_Gender": "Feminine"},
    ]
    path = tmp_path / "export.csv"
    export(path, titles, rows)
    assert recognise(titles) == "htcds-2-export"
    found = read(path, "htcds-2-export")
    assert found.rejects.to_pylist() == []
    assert found.conservation.rows_read == 2
    assert found.conservation.excluded["no-consent-to-share"] == 1
    (record,) = map(recorded, found.records.to_pylist())
    no_value = {"means_restricts_movement", "means_uses_children"}
    assert {k for k in record if k.startswith("means_")} == {
        v for v in load_flags("means") if v not in no_value
    }
    assert record["citizenship"] == "NAM"
    assert (record["age_band"], record["majority_status"]) == ("30-38", "adult")
    labour = {k for k in record if k.startswith("labour_")}
    assert labour == {"labour_construction", "labour_domestic_work"}
    sex = {k for k in record if k.startswith("sex_")}
    assert sex == {"sex_prostitution", "sex_private_sexual_services"}


def load_flags(group: str) -> tuple[str, ...]:
    from ctdhub.schema.model import load_schema

    return load_schema().members(group)


def test_every_picklist_value_is_known_by_name_and_by_label() -> None:
    crosswalk, lists = load_crosswalk("htcds-2"), picklists()
    for column, key in (
        ("vic_MethodsOfControl", "methodsofcontrol"),
        ("vic_TypeOfExploitation", "typeofexploitation"),
        ("vic_ForcedLabourIndustry", "forcedlabourindustry"),
        ("vic_TypeOfSexExploitation", "typeofsexexploitation"),
        ("prs_Gender", "gender"),
    ):
        values = crosswalk.column(column).values
        known = {t for v in values for t in (v.text, *v.also)}
        for name, label in lists[key]:
            tidy = label.replace("\u00a0", " ").strip()
            assert {name.strip(), tidy} <= known
            if ";" in tidy:
                assert tidy.split(";")[0] in known


def test_a_label_cut_at_its_blanks_is_never_taken_for_another_value() -> None:
    """Cells are also read as blank-separated names, so no word of a label may be a name."""
    for column in load_crosswalk("htcds-2").columns:
        if column.form != "list":
            continue
        of_name = {
            v.text.lower(): {w.to for w in column.values if w.text == v.text} for v in column.values
        }
        for value in column.values:
            own = {w.to for w in column.values if w.text == value.text}
            for label in value.also:
                for word in label.lower().split():
                    assert of_name.get(word, own) <= own, (label, word)


def test_labels_of_an_unskipped_second_row_are_left_out(tmp_path: Path) -> None:
    titles = list(load_crosswalk("htcds-2").written())
    labels = {t: load_crosswalk("htcds-2").column(t).label or "" for t in titles}
    path = tmp_path / "two-rows.csv"
    export(path, titles, [labels, {"cas_IncomingReferralDate": "2020-01-01"}])
    found = read(path, "htcds-2-export")
    assert found.conservation.excluded["template-labels"] == 1
    assert found.records.num_rows == 1


def test_unknown_codes_are_rejected_and_unknown_identifiers_refused(tmp_path: Path) -> None:
    titles = list(load_crosswalk("htcds-2").written())
    path = tmp_path / "a.csv"
    export(path, titles, [{"prs_Gender": "Femenine", "cas_IncomingReferralDate": "2020-01-01"}])
    rejects = read(path, "htcds-2-export").rejects.to_pylist()
    assert [(r["column"], r["rule"]) for r in rejects] == [("prs_Gender", "unknown-code")]
    export(path, [*titles, "passport number"], [{"passport number": "AB1234567"}])
    with pytest.raises(IdentifierFound):
        read(path, "htcds-2-export")
    export(path, ["gender"], [{"gender": "Feminine"}])
    with pytest.raises(FileError) as error:
        read(path, "htcds-2-export")
    assert error.value.rule == "missing-columns"


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_raw_template_is_recognised_by_suggest(template: str) -> None:
    raw, options = read_to_suggest(HTCDS / template)
    assert options.skip_rows == (2,)
    assert raw.rows_read == 0
    found = suggest(raw, options)
    assert found.builtin == "htcds-2"
    assert found.mapping.read == options
    assert "use builtin htcds-2" in found.yaml


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_without_its_labels_loses_no_one(template: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(HTCDS / template)
    sheet = book.worksheets[0]
    sheet.delete_rows(2)
    titles = {cell.value: cell.column for cell in sheet[1] if cell.value}
    for row, gender in ((2, "Feminine"), (3, "Masculine")):
        sheet.cell(row, titles["prs_Gender"], gender)
        sheet.cell(row, titles["cas_IncomingReferralDate"], dt.date(2021, 2, row))
    book.save(tmp_path / "bare.xlsx")
    found = read(tmp_path / "bare.xlsx", "htcds-2")
    assert found.records["source_row"].to_pylist() == [2, 3]
    assert found.records["gender"].to_pylist() == ["female", "male"]


def test_the_picklist_calls_the_republic_congo(tmp_path: Path) -> None:
    titles = list(load_crosswalk("htcds-2").written())
    names = ("Congo", "Congo, Democratic Republic of the", "NA")
    rows = [{"prs_Citizenship": n, "cas_IncomingReferralDate": "2020-01-01"} for n in names]
    export(tmp_path / "a.csv", titles, rows)
    found = read(tmp_path / "a.csv", "htcds-2-export").records
    assert found["citizenship"].to_pylist() == ["COG", "COD", "NAM"]
