"""A column under another name: it is offered, whatever kind of column it is; a guess is no yes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import harmonise

sys.path.insert(0, str(Path(__file__).parent))
from test_workbench_files import YEARS, Owner, _file, suggested

HEAD = 'version: 1\nrows: person\nempty: ["", "-"]\ncolumns:\n'
YEAR = "  year_of_registration: {from: Date, year: true}\n"
GENDER = "  gender: {from: %s, map: {%s: female, %s: male}}\n"
LISTS = """\
  means_threats: {from: Moyens, split: ";", has: [Menaces], absent: no}
  means_debt_bondage: {from: Moyens, split: ";", has: [Servitude pour dettes], absent: no}
"""
FITS = GENDER % ("Sexe", "F", "H") + "  citizenship: {from: Pays, country: true}\n"
FITS += "  age_band: {from: Âge, band: true}\n"
YES_NO = FITS + "".join(
    f"  {name}: {{from: {column}, map: {{Oui: yes, Non: no}}}}\n"
    for name, column in (
        ("means_threats", "Frappes"), ("means_debt_bondage", "Papiers"), ("means_other", "Reste"),
    )
)  # fmt: skip
DATES = ["2025-03-0" + str(1 + n % 9) for n in range(40)]


def times(*texts: str) -> list[str]:
    """Forty cells of some texts, the last text in one cell alone."""
    return [texts[n % (len(texts) - 1)] for n in range(39)] + [texts[-1]]


@pytest.fixture
def owner(tmp_path: Path) -> Any:
    """Asks about a file with these columns, under a mapping with these rules."""

    def made(rules: str, **columns: list[str]) -> Owner:
        (tmp_path / "mappings").mkdir(exist_ok=True)
        (tmp_path / "mappings" / "our-ngo.yaml").write_text(HEAD + YEAR + rules, "utf-8")
        named = {name.replace("_", " "): cells for name, cells in columns.items()}
        found = Owner(tmp_path, _file(tmp_path / "liste.csv", {"Date": DATES} | named))
        found("open")
        return found

    return made


def offers(owner: Owner, column: str) -> list[tuple[str, bool, Any]]:
    """Missing column, whether it is sure, and the operations, of every offer about a column."""
    (own,) = [one for one in owner("columns")["columns"] if one["column"] == column]
    return [
        (p["label"]["fields"]["old"], p["sure"], p["operations"])
        for p in own["proposals"]
        if "instead of" in p["label"]["message"]
    ]


def taken(owner: Owner, column: str, old: str) -> dict[str, Any]:
    """The verdicts once the offer is taken; what a build would say of the file is the same."""
    owner("do", operations=next(o for name, _sure, o in offers(owner, column) if name == old))
    found = {one["column"]: one for one in owner("columns")["columns"]}
    mapping = parse_mapping(owner("text")["text"], "m.yaml")
    harmonise(read_isolated(Path(owner.place["file"])), mapping, "our-ngo", YEARS, b"0" * 16)
    return found


def test_one_text_that_nobody_knows_does_not_hide_the_offer(owner: Any) -> None:
    """Arabic headers and texts; the text that is unknown is asked about as any other."""
    women = times("أنثى", "ذكر", "أنثى (كما قالت)")
    of = owner(GENDER % ("النوع", "أنثى", "ذكر"), الجنس=women, ملاحظة_أخرى=times("أ", "ب", "ج"))
    ((old, sure, _operations),) = offers(of, "الجنس")
    assert (old, sure) == ("النوع", True)
    assert offers(of, "ملاحظة أخرى") == []
    found = taken(of, "الجنس", old)
    assert "النوع" not in found
    assert found["الجنس"]["unknown"] == 1
    assert found["الجنس"]["state"] == "decide"


def test_a_list_is_known_by_its_elements_and_its_old_name_may_be_missing(owner: Any) -> None:
    """Every column of a yes or no has to be there, so the old name is said to be optional."""
    cells = times("Menaces; Servitude pour dettes", "Menaces", "Servitude pour dettes; Chantage")
    of = owner(LISTS, Contraintes=cells)
    ((old, sure, operations),) = offers(of, "Contraintes")
    assert (old, sure) == ("Moyens", False), "two such offers taken at once would undo each other"
    assert operations[-1] == {"op": "optional", "column": "Moyens", "on": True}
    found = taken(of, "Contraintes", old)
    assert "Moyens" not in found
    assert found["Contraintes"]["unknown"] == 1


def test_a_flag_whose_other_column_is_there_is_still_missed(owner: Any) -> None:
    both = LISTS.replace("from: Moyens", "from: [Moyens, Contraintes]")
    of = owner(both, Contraintes=times("Menaces", "Servitude pour dettes", "Menaces"))
    assert [c["column"] for c in of("columns")["columns"] if c["gone"]] == ["Moyens"]


@pytest.mark.parametrize(
    ("rule", "cells"),
    [
        ("  citizenship: {from: Nacionalidad, country: true}\n", ("Perú", "Kenya", "Atlantis")),
        ("  age_band: {from: Nacionalidad, band: true}\n", ("17", "34", "treinta y tantos")),
    ],
)
def test_what_could_stand_in_any_column_is_offered_and_not_taken(
    owner: Any, rule: str, cells: tuple[str, ...]
) -> None:
    of = owner(rule, Ruta_previa=times(*cells), Otra_cosa=times(*cells))
    for column in ("Ruta previa", "Otra cosa"):
        assert [(old, sure) for old, sure, _o in offers(of, column)] == [("Nacionalidad", False)]
    assert not [one for one in suggested(of) if one["sure"]]
    found = taken(of, "Otra cosa", "Nacionalidad")
    assert offers(of, "Ruta previa") == [], "it is not missing any more"
    assert found["Otra cosa"]["unknown"] == 1


def test_yes_and_no_say_nothing_of_which_question_was_asked(owner: Any) -> None:
    cells = times("Oui", "Non", "Oui")
    there = {"Sexe": times("F", "H", "F"), "Pays": times("PER", "KEN", "PER")}
    there["Âge"] = times("17", "30", "17")
    of = owner(YES_NO, Q1=cells, Q2=cells, Frappes_subies=cells, **there)
    assert not [one for one in suggested(of) if one["sure"]]
    first, *_others = offers(of, "Frappes subies")
    assert first[0] == "Frappes", "the header that shares a word comes first"


def test_of_two_columns_that_fit_neither_is_sure(owner: Any) -> None:
    texts = times("Femme", "Homme", "Femme")
    rules = GENDER % ("Genre", "Femme", "Homme")
    assert [offers(owner(rules, Sexe=texts, Sex=texts), c)[0][:2] for c in ("Sexe", "Sex")] == [
        ("Genre", False), ("Genre", False),
    ]  # fmt: skip
    of = owner(rules, Sexe_du_recruteur=texts)
    assert [one[:2] for one in offers(of, "Sexe du recruteur")] == [("Genre", False)]
    of = owner(rules, Sexe_du_recruteur=texts, Sexe=texts)
    assert offers(of, "Sexe")[0][:2] == ("Genre", True)


def test_what_is_sure_of_a_column_is_said_once(owner: Any) -> None:
    """It could also be read by a rule of its own, which would leave the old column missing."""
    texts = times("Femme", "Homme", "Femme")
    of = owner(GENDER % ("Genre", "Femme", "Homme"), Sexe=texts)
    of(
        "do",
        operations=[o for s in suggested(of) if s["sure"] for o in s["operations"]],
    )
    found = {one["column"]: one["state"] for one in of("columns")["columns"]}
    assert found == {"Date": "right", "Sexe": "right"}
