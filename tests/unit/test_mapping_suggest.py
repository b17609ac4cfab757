"""A suggested mapping loads, says why, shows no identifier, and gets the known traps right."""

from __future__ import annotations

import pyarrow as pa

from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.mapping.builtin import builtin, recognise
from ctdhub.sensitive.mapping.drafting.suggest import suggest
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary
from ctdhub.sensitive.mapping.mapping import Accepted
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import harmonise


def raw_of(**columns: list[str | None]) -> RawTable:
    rows = len(next(iter(columns.values())))
    table = pa.table(
        {name: pa.array(texts, pa.string()) for name, texts in columns.items()}
        | {"_row": pa.array(range(2, rows + 2), pa.int64())}
    )
    return RawTable("f.csv", "00" * 32, table, REJECTS.empty_table(), rows)


def rules(raw: RawTable) -> dict[str, dict[str, object]]:
    found = suggest(raw).mapping.columns
    return {
        n: rule[0].model_dump(exclude_defaults=True, by_alias=True) for n, rule in found.items()
    }


def test_spanish_file():
    raw = raw_of(
        Sexo=["Mujer", "Hombre", "Mujer", "sin dato"],
        Nacionalidad=["Perú", "Peru", "Colomvia", "Argentina"],
        **{
            "Fecha de ingreso": ["2020-01-02", "2021-03-04", "2019-01-01", None],
            "Tipo de explotación": ["Explotación sexual", "Trabajo forzoso", "otra cosa", None],
            "denunciante_genero": ["Mujer", "Hombre", "Mujer", "Hombre"],
        },
    )
    found = rules(raw)
    assert found["gender"] == {"from": ("Sexo",), "map": {"Mujer": "female", "Hombre": "male"}}
    assert found["citizenship"] == {"from": ("Nacionalidad",), "country": True}
    assert found["year_of_registration"] == {"from": ("Fecha de ingreso",), "year": True}
    assert found["exploitation_sexual"]["has"] == ("Explotación sexual",)
    text = suggest(raw).yaml
    assert "Colomvia → Colombia (COL)?" in text
    assert "denunciante_genero" in suggest(raw).unmatched
    assert "sin dato" in suggest(raw).mapping.empty


def test_french_and_arabic_words():
    raw = raw_of(
        Sexe=["Femme", "Homme", "Inconnu"],
        الجنسية=["الأردن", "المغرب", "تونس"],
        **{"Année": ["2019", "2020", "2021"]},
    )
    assert set(rules(raw)) == {"gender", "citizenship", "year_of_registration"}


def test_a_status_of_trafficking_is_known_and_the_status_of_a_case_is_none():
    raw = raw_of(
        **{
            "Trafficking status": ["Presumed", "Identified", "Not a victim", None],
            "Status": ["Active", "Closed", "Active", "Closed"],
            "Statut de traite": ["Victime présumée", "Victime avérée", None, None],
        }
    )
    found = rules(raw)
    codes = {"Presumed": "presumed", "Identified": "identified", "Not a victim": "not_a_victim"}
    assert found["victim_status"] == {"from": ("Trafficking status",), "map": codes}
    assert "Status" in suggest(raw).unmatched
    rival = Accepted(alarm="new-column: Statut de traite")
    mapping = suggest(raw).mapping.model_copy(update={"accept": (rival,)})
    done = harmonise(raw, mapping, "x", (2002, 2030), bytes(16))
    assert done.conservation.excluded["not-a-victim"] == 1


def test_lists_become_flags():
    raw = raw_of(means=["Debt bondage; Threats", "Threats", "Physical abuse; singing"])
    found = rules(raw)
    assert found["means_debt_bondage"] == {
        "from": ("means",),
        "split": ";",
        "has": ("Debt bondage",),
    }
    assert {"means_threats", "means_physical_abuse"} <= set(found)
    assert "no yes/no variable for: singing" in suggest(raw).yaml


def test_a_draft_maps_no_text_that_no_cell_holds():
    raw = raw_of(means_threats=["0", "0"], debts=["Non", "Non"])
    found = rules(raw)
    assert found["means_threats"]["map"] == {"0": "no"}
    assert found["means_debt_bondage"]["map"] == {"Non": "no"}
    assert suggest(raw).yaml.count("no cell says yes") == 2


def test_namibia_is_not_missing():
    found = suggest(raw_of(nationality=["NA", "Namibia", "ZA"]))
    assert found.mapping.columns["citizenship"][0].country
    assert "NA" not in found.mapping.empty


def test_identifiers_are_decided_and_their_texts_never_shown():
    born = [f"19{70 + i}-03-04" for i in range(20)]
    raw = raw_of(
        client_name=[f"Xyzzy Plugh{i}" for i in range(20)],
        case_number=[f"C-{i:05}" for i in range(20)],
        link_token=[f"{i * 7919:032x}" for i in range(20)],
        date_of_birth=born,
        intake_date=["2020-01-02"] * 20,
    )
    found = suggest(raw)
    actions = {column: d.action for column, d in found.mapping.identifiers.items()}
    assert actions["client_name"] == "strip"
    assert actions["date_of_birth"] == "band"
    assert list(actions.values()).count("token") + list(actions.values()).count("hash") == 1
    assert found.mapping.columns["age_band"][0].at == "intake_date"
    reasons = {line.split()[0]: line for line in found.yaml.splitlines() if "  # " in line}
    assert reasons['"link_token":'].endswith("suggests a token made for linking.")
    assert "case, file or client number" in reasons['"case_number":']
    for text in ("Xyzzy", "C-000", *born):
        assert text not in found.yaml
    done = harmonise(raw, found.mapping, "c", (2002, 2025), bytes(32))
    assert done.conservation.records == 20


def test_every_line_has_a_reason():
    text = suggest(raw_of(sex=["F", "M"] * 2, age=["3", "40"] * 2, colour=["red", "blue"] * 2)).yaml
    for line in text.splitlines():
        if line.startswith("  ") and not line.strip().startswith("#"):
            assert "  # " in line
    assert "colour: red, blue" in text


def test_hostile_headers_cannot_break_out():
    names = ['a"b', "a: b # c", "a\nversion: 2", "{x}", "*x", "\u202eevil", "- y", 'gender "}# [']
    found = suggest(raw_of(**{name: ["Female", "Male"] for name in names}))
    assert parse_mapping(found.yaml, "m.yaml") == found.mapping.model_copy(update={"name": "m"})
    assert set(found.mapping.columns) == {"gender"}


def test_known_formats_are_recognised():
    names = list(builtin("ctdc-2024").needed())
    raw = raw_of(**{name: [None, None] for name in names})
    assert suggest(raw).builtin == recognise(names)
    assert "use builtin" in suggest(raw).yaml


def test_the_vocabulary_is_folded_and_speaks_four_languages():
    words = vocabulary()
    for header in ("Nationality", "nationalité", "NACIONALIDAD", "الجنسية"):
        assert "citizenship" in words.variables(header)
    assert words.codes["gender"]["mujer"] == "female"
    assert not words.variables("zzzzzz")


def test_texts_that_do_not_repeat_are_not_shown():
    raw = raw_of(
        sex=["F", "M", "F", "M"], desk=["zqa", "zqb", "zqc", "zqd"], unit=["n", "n", "s", "s"]
    )
    text = suggest(raw).yaml
    assert "zq" not in text
    assert "unit: n, s" in text


def test_ages_of_which_another_column_states_the_unit_are_not_years():
    """A child of 24 months is no adult."""
    for header, texts in (
        ("age_unit", ["months", "years", None]),
        ("Unité d'âge", ["1", "2", "1"]),
    ):
        raw = raw_of(sex=["F", "M", "F"], age=["24", "36", "30"], **{header: texts})
        assert set(rules(raw)) == {"gender"}
        assert f"another column states for each row: {header}" in suggest(raw).yaml
    for texts in (["years", "Years", None], ["ans", "ans", "ans"]):
        assert "age_band" in rules(raw_of(age=["24", "36", "30"], age_unit=texts))
    assert "age_band" in rules(raw_of(age=["24", "36", "30"], sex=["w", "m", "d"]))


def test_what_somebody_asks_is_not_what_somebody_says():
    raw = raw_of(
        exploitation=["Sexual exploitation", "Sexual exploitation?", "Forced labour (?)"],
        sex=["F", "M", "F?"],
        forced_marriage=["yes", "no", "yes?"],
    )
    text = suggest(raw).yaml
    found = rules(raw)
    assert found["exploitation_sexual"]["has"] == ("Sexual exploitation",)
    assert found["gender"]["map"] == {"F": "female", "M": "male"}
    assert "exploitation_forced_labour" not in found
    assert "exploitation_forced_marriage" not in found
    assert "no code for: F? (rows: 1)" in text


def test_letters_of_another_language_are_no_counterparts():
    """In a later file "s" may be "suspected"."""
    found = rules(raw_of(forced_labour=["Y", "N", "Y"]))
    assert found["exploitation_forced_labour"]["map"] == {"Y": "yes", "N": "no"}


def test_a_row_of_two_people_is_noticed():
    said = "A row may hold several people"
    two = {"Victim 1 sex": ["F", "M"], "Victim 2 sex": ["M", None]}
    assert f"{said}, of whom one at most would be counted: Victim 1 sex, Victim 2 sex" in (
        suggest(raw_of(**two)).yaml
    )
    for one in (
        {"sex": ["F", "M"]},
        {"sex": ["F", "M"], "type 1": ["a", "b"], "type 2": ["b", "c"]},
    ):
        assert said not in suggest(raw_of(**one)).yaml


def test_a_header_of_the_person_alone_has_her_sex():
    """Who accompanied or exploited her may be of either sex too."""
    texts: list[str | None] = ["Une femme", "Un homme", "Une femme", "Un homme"]
    sexes = {"Une femme": "female", "Un homme": "male"}
    assert rules(raw_of(**{"Cette personne est :": texts}))["gender"]["map"] == sexes
    assert rules(raw_of(**{"The victim is": ["Woman", "Man"] * 2}))["gender"]["map"]
    for header in ("Personne accompagnée par", "La personne est avec", "Contact", "Appelant"):
        assert "gender" not in rules(raw_of(**{header: texts})), header
    kinds: list[str | None] = ["Une femme", "Une famille"] * 2
    assert "gender" not in rules(raw_of(**{"Cette personne est :": kinds}))


def test_a_french_possessive_is_no_english_son():
    ages: list[str | None] = ["22", "17", "31", "40"]
    assert rules(raw_of(**{"Quel est son âge ?": ages}))["age_band"]["band"]
    for header in ("Son age", "Age of son", "Quel est l'âge de son fils ?"):
        assert "age_band" not in rules(raw_of(**{header: ages})), header


def test_a_passport_taken_is_one_word_or_several():
    for header in ("Pass einbehalten", "Passabnahme", "Sequestro documenti"):
        found = rules(raw_of(**{header: ["-1", "0", "0", "-1"]}))
        assert found["means_withholds_documents"]["map"] == {"-1": "yes", "0": "no"}, header
    assert not rules(raw_of(**{"Pass vorhanden": ["-1", "0", "0", "-1"]}))
