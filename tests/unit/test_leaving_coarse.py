"""What leaves says no more of a person than the mapping reads: year, age band, country."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ctdhub.practice.write import write_practice
from ctdhub.sensitive.bundle.leaving import WhatLeaves, leaving
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping, parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

YEARS, SECRET = (2002, 2030), bytes(32)
FOREIGN = """\
version: 1
rows: person
dates: dmy
identifiers: {dossier: hash, nom: strip}
exclude: [{rule: no-consent, when: {accord: [non]}}]
columns:
  gender: {from: sexe, map: {F: female, H: male}}
  age_band: {from: âge, band: true, null_values: ["99"]}
  year_of_registration: {from: accueil, year: true}
  citizenship: {from: nationalité, country: true, map: {"Lomé, quartier Bè": TGO}}
  country_of_exploitation: {from: ville, map: {Paris 18e: FRA, Bruxelles: BEL}}
"""
HEAD = "dossier,nom,sexe,âge,accueil,nationalité,ville,accord"


def of(path: Path, mapping: Mapping) -> tuple[WhatLeaves, list[dict[str, str]]]:
    raw = read_table(path, mapping.read)
    left = leaving(raw, mapping, "ours", YEARS, SECRET, path.parent)
    return left, list(csv.DictReader(io.StringIO(left.cases.decode())))


def said(done: Harmonised) -> list[dict[str, object]]:
    """What the records of a file say, without what says where they are or whose."""
    apart = {"record_id", "person_key", "source_file", "source_row"}
    return [{k: v for k, v in row.items() if k not in apart} for row in done.records.to_pylist()]


def check(path: Path, mapping: Mapping) -> tuple[WhatLeaves, list[dict[str, str]]]:
    """The law, computed from the written bundle: the hub reads of it what the file says."""
    left, rows = of(path, mapping)
    out = path.with_name("cases.csv")
    out.write_bytes(left.cases)
    rules = parse_mapping(left.mapping, "mapping.yaml")
    here = harmonise(read_table(path, mapping.read), mapping, "ours", YEARS, SECRET)
    there = harmonise(read_table(out, rules.read), rules, "ours", YEARS, SECRET)
    assert said(there) == said(here)
    assert there.conservation.rejected == here.conservation.rejected
    return left, rows


def test_day_of_entry_exact_age_and_district_do_not_leave(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = ["D1,Une,F,22,12/03/2024,Togo,Paris 18e,oui", "D2,Deux,H,17,2023,tg,Bruxelles,oui"]
    file.write_text("\n".join([HEAD, *rows, 'D3,Trois,F,41,03/04/2024,"Lomé, quartier Bè",,oui']))
    left, cells = check(file, parse_mapping(FOREIGN, "m"))
    assert [row["accueil"] for row in cells] == ["2024", "2023", "2024"]
    bands = ["21-23", "9-17", "39-47"]
    assert [row["âge"] for row in cells] == bands
    assert [row["nationalité"] for row in cells] == ["TGO"] * 3
    assert [row["ville"] for row in cells] == ["Paris 18e", "Bruxelles", ""], (
        "no code is read there"
    )
    fates = {column.name: column.fate for column in left.columns}
    assert fates == {
        "dossier": "coded", "nom": "stripped", "sexe": "leaves", "âge": "coarse",
        "accueil": "coarse", "nationalité": "coarse", "ville": "leaves", "accord": "leaves",
    }  # fmt: skip
    assert "12/03" not in left.cases.decode()


def test_a_day_from_which_an_age_is_counted_leaves_as_it_is(tmp_path: Path) -> None:
    """So does a column that a condition reads, and one that tells people apart."""
    file = tmp_path / "a.csv"
    file.write_text(
        "dossier,né,accueil,âge\nD1,01/02/2000,12/03/2024,24\nD2,05/06/2010,13/04/2024,13\n"
    )
    rules = """\
version: 1
rows: person
dates: dmy
identifiers: {né: band}
key: [dossier, accueil]
columns:
  age_band: {from: né, band: true, at: accueil}
  year_of_registration: {from: accueil, year: true}
  majority_status: {value: minor, when: {âge: ["13"]}}
"""
    _left, cells = check(file, parse_mapping(rules, "m"))
    assert [row["accueil"] for row in cells] == ["12/03/2024", "13/04/2024"]
    assert [row["âge"] for row in cells] == ["24", "13"]


def test_no_cell_says_what_another_column_does(tmp_path: Path) -> None:
    """Of two columns of one value each leaves as it is, and so does one beside a constant."""
    file = tmp_path / "a.csv"
    rows = ["D1,12/03/2018,01/05/2019,Togo,Mali,n", "D2,,03/07/2020,?,Benin,y"]
    file.write_text("\n".join(["dossier,accueil,sortie,nat,ville,ici", *rows]) + "\n")
    rules = """\
version: 1
rows: person
dates: dmy
empty: ["?"]
identifiers: {dossier: hash}
columns:
  year_of_registration: {from: [accueil, sortie], year: true}
  citizenship: [{from: nat, country: true}, {value: GHA, when: {ici: [y]}}]
  country_of_exploitation: {from: ville, country: true}
"""
    _left, cells = check(file, parse_mapping(rules, "m"))
    assert [[*row.values()][2:6] for row in cells] == [
        ["12/03/2018", "01/05/2019", "Togo", "MLI"],
        ["", "03/07/2020", "?", "BEN"],
    ]


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("practice")
    write_practice(folder, 1_000)
    return folder


@pytest.mark.parametrize(
    ("name", "file", "coarse"),
    [
        ("harbour-casework", "casework.csv", {"IntakeDate", "Age", "Nationality"}),
        ("mirador-observatory", "observatory.csv", {"Fecha", "Nacionalidad"}),
        ("rivage-refuge", "refuge_htcds.xlsx", {"prs_Citizenship"}),
        ("beacon-hotline", "hotline.xlsx", {"Report date", "Age"}),
    ],
)
def test_practice_contributors_keep_the_law(
    practice: Path, name: str, file: str, coarse: set[str]
) -> None:
    mapping = load_mapping(practice / "mappings" / f"{name}.yaml")
    left, _cells = check(practice / f"practice_fictitious_{file}", mapping)
    assert coarse <= {column.name for column in left.columns if column.fate == "coarse"}


CELLS = {
    "sexe": ["F", "H", "", "?"],
    "âge": ["17", "18", "22", "99", "", "22 ans", "9-17"],
    "accueil": ["12/03/2024", "2024-03-12", "2023", "03/12/24", "", "jadis", "45363"],
    "nationalité": ["Togo", "TGO", "Lomé, quartier Bè", "Utopia", "", "fra"],
    "ville": ["Paris 18e", "Bruxelles", "", "FRA"],
    "accord": ["oui", "non"],
}


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(*map(st.sampled_from, CELLS.values())), min_size=1, max_size=8))
@example(rows=[("F", "22", "12/03/2024", "TGO", "FRA", "oui"), ("F", "22", "jadis", "", "", "non")])
@example(rows=[("F", "99", "03/12/24", "fra", "", "oui"), ("H", "9-17", "45363", "", "", "oui")])
def test_whatever_the_cells_are_the_hub_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    file = tmp_path_factory.mktemp("cells") / "a.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(
            [HEAD.split(","), *([f"D{n}", "Nom", *row] for n, row in enumerate(rows))]
        )
    check(file, parse_mapping(FOREIGN, "m"))
