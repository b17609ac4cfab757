"""CTDC's files, with the quirks that published copies have."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ctdhub.core.errors import MappingError
from ctdhub.schema.crosswalk import load_crosswalk
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.builtin import builtin, names, recognise
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

YEARS = (2002, 2030)


def read(path: Path, name: str, rows: list[dict[str, str]], **renamed: str) -> Harmonised:
    """Write rows under the format's names (or others), read them with its mapping."""
    crosswalk = load_crosswalk(name)
    titles = list(crosswalk.written())
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=crosswalk.delimiter)
        first = [crosswalk.first_column] if crosswalk.first_column else []
        writer.writerow(first + [renamed.get(t, t) for t in titles])
        for row in rows:
            assert set(row) <= set(titles)
            writer.writerow([""] * len(first) + [row.get(t, "") for t in titles])
    mapping = builtin(name)
    return harmonise(read_table(path, mapping.read), mapping, "someone", YEARS, b"k" * 16)


def values(found: Harmonised, variable: str) -> list[object]:
    assert found.rejects.to_pylist() == []
    return list(found.records[variable].to_pylist())


def test_every_file_format_is_recognised_by_its_own_headers() -> None:
    for name in names():
        walk = names()[name][0]
        crosswalk = load_crosswalk(walk)
        headers = [
            *([crosswalk.first_column] if crosswalk.first_column else []),
            *crosswalk.written(),
        ]
        assert recognise(headers) == {"htcds-2-export": "htcds-2"}.get(name, name)
        assert recognise([h.upper() for h in headers]) == recognise(headers)
    assert recognise(["fecha_ingreso", "nro_registro_interno", "tema", "gender"]) is None
    assert recognise([]) is None


def test_an_unknown_name_is_an_error_with_a_remedy() -> None:
    with pytest.raises(MappingError, match="ctdc-2024"):
        builtin("ic-tip")


@pytest.mark.parametrize("name", ["ctdc-2017", "ctdc-2021", "ctdc-gsd-k10", "ctdc-2024"])
def test_age_bands_in_every_spelling(name: str, tmp_path: Path) -> None:
    bands = ("9--17", "09--17", "9-17", "9–17", "9—17", "09-17")
    rows = [{"ageBroad": band, "yearOfRegistration": "2015"} for band in bands]
    assert values(read(tmp_path / "a.csv", name, rows), "age_band") == ["9-17"] * len(bands)


def test_finer_age_bands_of_2017(tmp_path: Path) -> None:
    rows = [{"ageBroad": t} for t in ("0--8", "15--17", "33-35", "57--65", "66+", "Unknown", "-99")]
    found = read(tmp_path / "a.csv", "ctdc-2017", rows)
    assert values(found, "age_band") == ["0-8", "9-17", "30-38", "48+", "48+", None, None]


def test_nulls_and_special_countries(tmp_path: Path) -> None:
    texts = ["NA", "0", "00", "ZZ", "", "-99", "Unknown", "Y1", "TB", "ZR", "TP", "YU", "AN"]
    rows = [{"citizenship": t, "yearOfRegistration": "2015"} for t in texts]
    found = read(tmp_path / "a.csv", "ctdc-2021", rows)
    expected = ["NAM", *[None] * 6, "SRB", "CHN", "COD", "TLS", None, None]
    assert values(found, "citizenship") == expected


def test_names_that_drift(tmp_path: Path) -> None:
    row = {"yearOfRegistration": "2015", "CountryOfExploition": "KH", "Datasource": "Hotline"}
    found = read(
        tmp_path / "a.csv",
        "ctdc-2021",
        [row],
        CountryOfExploition="CountryofExploitation",
        Datasource="datasource",
        majorityEntry="MajorityEntry",
    )
    assert values(found, "country_of_exploitation") == ["KHM"]
    assert values(found, "source_type") == ["hotline"]
    drifted = {"meansOfControlThreatOfLawEnforce": "meansOfControlThreatOfLawEnforcement"}
    rows = [{"meansOfControlThreatOfLawEnforce": "1"}]
    found = read(tmp_path / "b.csv", "ctdc-gsd-k10", rows, **drifted)
    assert values(found, "means_threat_of_law_enforcement") == ["yes"]
    rows = [{"meansWithholdDocs": "1"}]
    found = read(tmp_path / "c.csv", "ctdc-2024", rows, meansWithholdDocs="meansWithholdDocuments")
    assert values(found, "means_withholds_documents") == ["yes"]


def test_flags_zero_one_and_empty(tmp_path: Path) -> None:
    rows = [
        {"yearOfRegistration": "2015", "isForcedLabour": t} for t in ("0", "1", "", "1.0", "-99")
    ]
    found = read(tmp_path / "a.csv", "ctdc-2021", rows)
    assert values(found, "exploitation_forced_labour") == ["no", "yes", None, "yes", None]
    rows = [{"yearOfRegistration": "2015", "isForcedLabour": "2"}]
    rejects = read(tmp_path / "a.csv", "ctdc-2021", rows).rejects.to_pylist()
    assert [(r["column"], r["rule"]) for r in rejects] == [("isForcedLabour", "unknown-code")]


def test_concatenated_columns_are_left_aside(tmp_path: Path) -> None:
    rows = [
        {"yearOfRegistration": "2015", "meansOfControlConcatenated": "Debt bondage;Threats"},
    ]
    assert values(read(tmp_path / "a.csv", "ctdc-2021", rows), "means_threats") == [None]


def test_what_2024_merged_is_not_split(tmp_path: Path) -> None:
    rows = [
        {
            "yearOfRegistration": "2020",
            "gender": "Trans/Transgender/NonConforming",
            "citizenship": "NAM",
            "traffickMonths": "25+ (2+ yrs)",
            "meansThreats": "1",
            "isOtherExploit": "1",
        },
        {"yearOfRegistration": "2021", "gender": "Woman", "traffickMonths": "0--12 (0-1 yr)"},
    ]
    found = read(tmp_path / "a.csv", "ctdc-2024", rows)
    assert values(found, "gender") == ["transgender_nonconforming", "female"]
    assert values(found, "trafficking_duration") == [None, "0-12"]
    assert values(found, "means_threats") == [None, None]
    assert values(found, "exploitation_other") == ["yes", None]
    assert values(found, "exploitation_forced_marriage") == [None, None]


def test_perpetrators_of_2022(tmp_path: Path) -> None:
    rows = [
        {
            "yearRegister": "2019",
            "gender": "Female",
            "UN_COO_Region": "Americas/Oceania",
            "IP_Exploiter": "1",
            "IP_Gender": "Female;Male",
            "IP_ageBroad": "0--29",
            "IP_PayMoney": "No;Yes",
        },
        {"yearRegister": "2005-2013", "gender": "Male"},
        {"yearRegister": "2020", "IP_Exploiter": "1", "IP_Gender": "Male", "IP_PayMoney": "No"},
        {"yearRegister": "2020", "IP_Exploiter": "1", "IP_Gender": "Female;Male"},
    ]
    found = read(tmp_path / "a.csv", "ctdc-vp-2022", rows)
    assert values(found, "year_of_registration") == [2019, None, 2020, 2020]
    assert values(found, "citizenship_region") == ["americas_oceania", None, None, None]
    children = found.perpetrators.drop_columns(["record_id"]).to_pylist()
    given = [{k: v for k, v in child.items() if v} for child in children]
    assert given == [
        {
            "perpetrator_exploiter": "yes",
            "perpetrator_gender": "male",
            "perpetrator_paid_money": "no",
        },
        {"perpetrator_gender": "female"},
        {"perpetrator_gender": "male"},
    ]
