"""``suggest EXPORT --form FORM``: codes, labels and lists of a form say what headers do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctdhub.core.errors import FileError
from ctdhub.sensitive.ingest.own_form import apart
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.ingest.workbook import read_form
from ctdhub.sensitive.mapping.drafting.suggest import Suggestion, read_to_suggest, suggest
from ctdhub.sensitive.mapping.mapping_file import load_mapping, parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

Run = Callable[..., tuple[int, str, str]]

SURVEY = [
    ["type", "name", "label::English (en)", "label::Français (fr)", "relevant"],
    ["start", "start"],
    ["begin_group", "intake", "Intake", "Accueil"],
    ["text", "nm", "Full name", "Nom complet"],
    ["text", "cn", "Case number", "Numéro du dossier"],
    ["date", "dt", "Date of interview", "Date d’entretien"],
    ["select_one sex", "sx", "What is the person's sex?", "Quel est le sexe de la personne ?"],
    ["integer", "a1", "Age", "Âge"],
    ["select_one ctry", "nat", "Nationality", "Nationalité"],
    ["select one ctry", "coe", "Country of exploitation", "Pays d’exploitation"],
    ["end_group"],
    ["begin group", "expl", "Exploitation", "Exploitation"],
    ["select_multiple toe or_other", "toe", "Types of exploitation", "Types d’exploitation"],
    ["select_multiple moc", "moc", "Means of control", "Moyens de contrôle"],
    ["end group"],
    ["begin repeat", "perp", "Perpetrator", "Auteur présumé"],
    ["select_one sex", "psx", "Sex", "Sexe"],
    ["end repeat"],
    ["select_one sex", "rsx", "Sex of the recruiter", "Sexe du recruteur"],
]
CHOICES = [
    ["list_name", "name", "label::English (en)", "label::Français (fr)"],
    ["sex", "1", "Female", "Femme"],
    ["sex", "2", "Male", "Homme"],
    ["sex", "9", "Don't know", "Ne sait pas"],
    ["ctry", "10", "Nigeria", "Nigéria"],
    ["ctry", "11", "Côte d’Ivoire", "Côte d’Ivoire"],
    ["ctry", "12", "Italy", "Italie"],
    ["toe", "a", "Forced labour", "Travail forcé"],
    ["toe", "b", "Sexual exploitation", "Exploitation sexuelle"],
    ["toe", "c", "Forced marriage", "Mariage forcé"],
    ["toe", "dk", "Unknown", "Inconnu"],
    ["moc", "x1", "Debt bondage", "Servitude pour dettes"],
    ["moc", "x2", "Threats", "Menaces"],
    ["moc", "x3", "Physical abuse", "Violences physiques"],
]
ANSWERS: list[dict[str, Any]] = [
    {"cn": "C-1", "dt": "2024-01-05", "sx": "1", "a1": "17", "nat": "10", "coe": "12",
     "toe": "a b", "moc": "x1", "rsx": "2"},
    {"cn": "C-2", "dt": "2024-02-05", "sx": "2", "a1": "30", "nat": "11", "coe": "12",
     "toe": "c", "moc": "x1 x3", "rsx": "2"},
    {"cn": "C-3", "dt": "2024-03-05", "sx": "1", "a1": "22", "nat": "10", "coe": "12",
     "toe": None, "moc": "x2", "rsx": "2"},
    {"cn": "C-4", "dt": "2024-03-06", "sx": "9", "a1": "41", "nat": None, "coe": "12",
     "toe": "dk", "moc": None, "rsx": "2"},
]  # fmt: skip
GROUPS = dict.fromkeys(("nm", "cn", "dt", "sx", "a1", "nat", "coe"), "intake")
GROUPS |= {"toe": "expl", "moc": "expl"}


def book(path: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    made.save(path)
    return path


@pytest.fixture
def form(tmp_path: Path) -> Path:
    settings = [["form_title", "form_id"], ["Intake", "intake"]]
    return book(tmp_path / "form.xlsx", survey=SURVEY, choices=CHOICES, settings=settings)


def exported(path: Path, how: str, lang: int = 0) -> Path:
    """The answers as KoboToolbox writes them; lang 0 is by names, 1 and 2 by labels."""
    said = {r[1]: r[1 + lang] if lang else r[1] for r in SURVEY if len(r) > 2}
    choices = {r[1]: r[1 + lang] if lang else r[1] for r in CHOICES[1:]} | {"other": "other"}
    above = {"intake": said["intake"], "expl": said["expl"]}
    head: list[str] = []
    cells: list[list[Any]] = [[] for _ in ANSWERS]
    for name in ANSWERS[0]:
        full = f"{above[GROUPS[name]]}/{said[name]}" if name in GROUPS else said[name]
        many = name in ("toe", "moc")
        if not many or how != "details":
            head.append(full)
            for row, answer in zip(cells, ANSWERS, strict=True):
                given = (answer[name] or "").split()
                coded = many or name in ("sx", "nat", "coe", "rsx")
                row.append(" ".join(choices[g] for g in given) if coded else answer[name])
        if many and how != "single":
            for choice in [r[1] for r in CHOICES if r[0] == name] + ["other"] * (name == "toe"):
                head.append(f"{full}/{choices[choice]}")
                for row, answer in zip(cells, ANSWERS, strict=True):
                    given = answer[name]
                    row.append(None if given is None else str(int(choice in given.split())))
    head += ["_uuid", "_submission_time"]
    rows = [[c or None for c in row] + ["6f0f", "2024-04-01"] for row in cells]
    return book(path, Intake=[head, *rows])


def drafted(export: Path, form: Path) -> tuple[Suggestion, Harmonised]:
    asked = read_form(form)
    raw, read = read_to_suggest(export, None, asked)
    found = suggest(raw, read, None, asked)
    return found, harmonise(raw, found.mapping, "c", (2002, 2030), bytes(32))


EXPECTED: dict[str, list[Any]] = {
    "year_of_registration": [2024] * 4,
    "gender": ["female", "male", "female", None],
    "age_band": ["9-17", "30-38", "21-23", "39-47"],
    "citizenship": ["NGA", "CIV", "NGA", None],
    "country_of_exploitation": ["ITA"] * 4,
    "exploitation_forced_labour": ["yes", "no", None, None],
    "exploitation_sexual": ["yes", "no", None, None],
    "exploitation_forced_marriage": ["no", "yes", None, None],
    "means_debt_bondage": ["yes", "yes", "no", None],
    "means_threats": ["no", "no", "yes", None],
    "means_physical_abuse": ["no", "yes", "no", None],
}


@pytest.mark.parametrize("how", ["both", "single", "details"])
@pytest.mark.parametrize("lang", [0, 1, 2])
def test_every_way_of_exporting_gives_the_same_records(
    tmp_path: Path, form: Path, how: str, lang: int
) -> None:
    found, done = drafted(exported(tmp_path / "export.xlsx", how, lang), form)
    assert done.rejects.num_rows == 0
    records = done.records.to_pydict()
    for name, values in EXPECTED.items():
        assert records[name] == values, name
    actions = {d.action for d in found.mapping.identifiers.values()}
    assert "hash" in actions


def test_a_draft_without_the_form_guesses_nothing_of_it(tmp_path: Path) -> None:
    export = exported(tmp_path / "export.xlsx", "both")
    raw, read = read_to_suggest(export)
    assert not {"citizenship", "country_of_exploitation"} & set(suggest(raw, read).mapping.columns)


def test_a_name_is_found_by_the_label_of_its_question(tmp_path: Path, form: Path) -> None:
    names = [["intake/nm", "intake/a1"], ["Xyzzy", "17"], ["Plugh", "30"]]
    found, _done = drafted(book(tmp_path / "a.xlsx", Intake=names), form)
    assert found.mapping.identifiers["intake/nm"].action == "strip"
    assert "Xyzzy" not in found.yaml


def test_others_are_not_the_person(tmp_path: Path, form: Path) -> None:
    rows = [["rsx", "perp/psx", "a1"], ["1", "1", "17"], ["2", "2", "30"], ["1", "2", "31"]]
    found, _done = drafted(book(tmp_path / "a.xlsx", Intake=rows), form)
    assert "gender" not in found.mapping.columns


def test_a_repeat_of_perpetrators_is_explained_too(tmp_path: Path, form: Path) -> None:
    main = [["intake/a1", "_index"], ["17", "1"], ["30", "2"]]
    own = ["_index", "_parent_table_name", "_parent_index"]
    perp = [["perp/psx", *own], ["2", "1", "Intake", "1"], ["1", "2", "Intake", "1"]]
    export = book(tmp_path / "a.xlsx", Intake=main, perp=perp)
    found, done = drafted(export, form)
    assert "gender" not in found.mapping.columns
    assert done.perpetrators["perpetrator_gender"].to_pylist() == ["male", "female"]


@pytest.mark.parametrize("mark", ["/", "-", "."])
def test_groups_are_joined_as_the_server_likes(tmp_path: Path, form: Path, mark: str) -> None:
    head = [f"expl{mark}toe", *(f"expl{mark}toe/{c}" for c in ("a", "b", "c", "dk", "other"))]
    rows = [head, ["a b", "1", "1", "0", "0", "0"], ["dk", "0", "0", "0", "1", "0"], [None] * 6]
    path = tmp_path / "odk.csv"
    text = "\n".join(",".join(["1", "2024-04-01", *(c or "" for c in row)]) for row in rows)
    path.write_text(text.replace("1,2024-04-01,expl", "n,day,expl", 1), "utf-8")
    found, done = drafted(path, form)
    assert found.mapping.columns["exploitation_sexual"][0].source == (f"expl{mark}toe/b",)
    assert done.records["exploitation_sexual"].to_pylist() == ["yes", None, None]


def test_a_text_that_is_no_choice_is_never_no(tmp_path: Path, form: Path) -> None:
    rows = [["expl/toe"], ["a"], ["a b"], ["b c"]]
    found, _done = drafted(book(tmp_path / "a.xlsx", Intake=rows), form)
    later = book(tmp_path / "b.xlsx", Intake=[["expl/toe"], ["a z"], ["z"], ["b"]])
    raw = read_table(later, found.mapping.read)
    done = harmonise(raw, found.mapping, "c", (2002, 2030), bytes(32)).records
    assert done["exploitation_forced_labour"].to_pylist() == ["yes", None, "no"]
    labels = [["Types of exploitation"], ["Forced labour"], ["Forced labour Sexual exploitation"]]
    found, _done = drafted(book(tmp_path / "c.xlsx", Intake=labels), form)
    later = book(tmp_path / "d.xlsx", Intake=[labels[0], ["Forced labour Begging"], labels[1]])
    raw = read_table(later, found.mapping.read)
    done = harmonise(raw, found.mapping, "c", (2002, 2030), bytes(32)).records
    assert done["exploitation_forced_labour"].to_pylist() == [None, "yes"]
    assert done["exploitation_sexual"].to_pylist() == [None, "no"]


def test_codes_that_the_form_does_not_have_leave_a_doubt(tmp_path: Path, form: Path) -> None:
    rows = [["intake/sx", "intake/a1"], ["1", "17"], ["3", "30"], ["2", "31"]]
    found, _done = drafted(book(tmp_path / "a.xlsx", Intake=rows), form)
    assert "gender" not in found.mapping.columns
    assert "not choices of the form" in found.yaml


LABELS = ("Forced labour", "Labour", "Forced", "Forced labour at sea", "Threats", "نقل قسري")


@given(st.lists(st.sampled_from(LABELS), unique=True, min_size=1))
def test_joined_labels_come_apart_into_labels(chosen: list[str]) -> None:
    found = apart(" ".join(chosen), LABELS)
    assert found is not None
    assert " ".join(found).lower() == " ".join(chosen).lower()


def test_the_longest_label_is_taken_first() -> None:
    assert apart("Forced labour at sea Threats", LABELS) == ["Forced labour at sea", "Threats"]
    assert apart("Forced labours", LABELS) is None
    assert apart("Threats " * 20_000, LABELS) is None


@pytest.mark.parametrize("kind", ["xlsx", "csv", "choices first"])
def test_a_form_is_no_data(tmp_path: Path, form: Path, kind: str, ctdhub: Run) -> None:
    path = form
    if kind == "csv":
        path = tmp_path / "form.csv"
        path.write_text("\n".join(",".join((*r, *[""] * (5 - len(r)))) for r in SURVEY), "utf-8")
    elif kind == "choices first":
        path = book(tmp_path / "b.xlsx", choices=CHOICES, survey=SURVEY)
    code, out, err = ctdhub("suggest", path)
    assert (code, out) == (2, "")
    assert "xlsform" in err
    assert "--form" in err


@pytest.mark.parametrize("other", ["records.xlsx", "form.csv", "empty.xlsx"])
def test_what_is_no_form_is_refused(tmp_path: Path, other: str) -> None:
    path = tmp_path / other
    if other.endswith(".csv"):
        path.write_text("type,name,label\ntext,a,A\n", "utf-8")
    else:
        rows = [["type", "name", "label"]] if other == "empty.xlsx" else [["sex"], ["F"]]
        book(path, **{"survey" if other == "empty.xlsx" else "cases": rows})
    with pytest.raises(FileError) as caught:
        read_form(path)
    assert caught.value.rule == "no-form"


def test_the_verb_takes_a_form(tmp_path: Path, form: Path, ctdhub: Run) -> None:
    export, out = exported(tmp_path / "export.xlsx", "single", 2), tmp_path / "m.yaml"
    code, _out, err = ctdhub("suggest", export, "--form", form, "--out", out)
    assert code == 0, err
    assert (load_mapping(out).columns["citizenship"][0].map or {})["Nigéria"] == "NGA"
    assert parse_mapping(out.read_text("utf-8"), "m.yaml").read.choices
