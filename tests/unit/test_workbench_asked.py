"""What the workbench asks rather than guesses: consent, totals, ages, what is missing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ctdhub.core.i18n import Text, said
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.drafting.proposals import Glance
from ctdhub.sensitive.mapping.drafting.row_unit import who_counts_in
from ctdhub.sensitive.mapping.drafting.suggest import suggest
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.workbench.ask import ask

sys.path.insert(0, str(Path(__file__).parent))
from test_workbench_files import Owner, _file

AGES = ["41 et +", "env. 25", "~25", "30", "moins de 9", "+18", "٢٥", "48 ans et +", "20", "12"] * 2


def consent(answers: list[str]) -> dict[str, list[str]]:
    n = len(answers)
    return {
        "dossier": [f"A{i}" for i in range(n)],
        "sexe": ["F", "H"] * (n // 2) + ["F"] * (n % 2),
        "Accord écrit": answers,
    }


def labels(verdict: dict[str, Any]) -> list[str]:
    return [said(Text.from_json(one["label"])) for one in verdict["proposals"]]


def test_rows_without_a_yes_are_offered_first_and_blanks_are_asked_about(tmp_path: Path) -> None:
    answers = ["oui"] * 5 + ["non"] * 2 + ["", "", "verbal"]
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", consent(answers)))
    owner("open")
    verdict = owner("columns")["columns"][2]
    assert verdict["state"] == "decide"
    assert labels(verdict)[:2] == [
        "leave out 5 rows without a yes, empty cells too",
        "leave out 3 rows, keep those that are empty",
    ]
    assert "yes in 5 rows, no in 2, empty in 2, something else in 1" in said(
        Text.from_json(verdict["reason"])
    )
    for proposal, excluded in zip(verdict["proposals"][:2], (5, 3), strict=False):
        now, then = owner("try", operations=proposal["operations"])["change"]["records"]
        assert now - then == excluded
    owner("do", operations=verdict["proposals"][0]["operations"])
    told = owner("columns")
    assert told["excluded"] == {"no-consent": 5}
    assert told["columns"][2]["state"] == "right"


WITHDRAWN = [
    "Consent withdrawn", "Consent refused", "Retrait du consentement", "Consentement retiré",
    "Consentimiento revocado", "consent_revoked_yn", "Has the person withdrawn consent? (yes/no)",
    "سحب الموافقة", "Refus de l’accord", "Consent declined",
]  # fmt: skip
NEGATED = [
    "No consent", "Sin consentimiento", "Opted out of data sharing", "عدم الموافقة", "بدون موافقة",
    "Consent not given", "Consent not withdrawn",
]  # fmt: skip
ELSEWHERE = ["Autorización de residencia", "Autorisation de séjour", "Autorisé à travailler"]
AGREED = [
    "Consent (yes/no)", "¿Consiente? Sí/No", "Consentement (O/N)", "الموافقة (نعم/لا)",
    "Autorisation de partage", "Autoriza compartir su caso",
]  # fmt: skip


@pytest.mark.parametrize("header", [*WITHDRAWN, *NEGATED, *ELSEWHERE, *AGREED])
def test_a_yes_is_consent_only_where_the_header_asks_for_it(header: str) -> None:
    found = who_counts_in(Glance(header, ("oui", "non"), rows={"oui": 4, "non": 8}, all=12))
    assert (found is None) == (header in ELSEWHERE)
    kept = (
        [text for way in found.ways for text in way.conditions["unless"][header]] if found else []
    )
    assert kept == (["oui"] if header in AGREED else ["non"] if header in WITHDRAWN else [])


def test_a_yes_to_a_withdrawal_is_left_out(tmp_path: Path) -> None:
    columns = consent(["oui", "non", "non"] * 4)
    columns["Consent withdrawn"] = columns.pop("Accord écrit")
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    verdict = owner("columns")["columns"][2]
    assert labels(verdict) == ["leave out 4 rows without a no", "leave it out"]
    owner("do", operations=verdict["proposals"][0]["operations"])
    assert owner("columns")["excluded"] == {"no-consent": 4}


def test_a_yes_below_a_negation_is_left_to_a_person(tmp_path: Path) -> None:
    columns = consent(["oui", "non", "non"] * 4)
    columns["Consent not given"] = columns.pop("Accord écrit")
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    verdict = owner("columns")["columns"][2]
    assert labels(verdict) == ["leave it out"]
    assert "do not say that the person agrees" in said(Text.from_json(verdict["reason"]))


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("acepta", "no acepta"), ("ACEPTA", "Rechaza"), ("accepte", "n’accepte pas"),
        ("D'accord", "Pas d'accord"), ("Acceptée", "refusée"), ("موافق", "غير موافق"),
        ("تُوافق", "رفضت"), ("aceita", "não aceita"), ("Agreed", "declined"), ("given", "not given"),
    ],
)  # fmt: skip
def test_words_of_consent_are_read_where_the_header_asks_for_it(yes: str, no: str) -> None:
    rows = {yes: 4, no: 8, f"{yes} ?": 1}
    found = who_counts_in(Glance("Consentement", tuple(rows), rows=rows, all=13))
    assert found is not None
    assert said(found.account).startswith("consent: yes in 4 rows, no in 8, empty in 0")
    (way,) = found.ways
    assert way.conditions == {"unless": {"Consentement": [yes]}}


def test_dates_that_are_not_exact_are_decided_at_once(tmp_path: Path) -> None:
    texts = ["vers mars 2020", "aprox. 2019", "env. 2018", "حوالي ٢٠١٩", "été ?"]
    texts += ["12/03/2020", "05/04/2021", "2019"]
    columns = {"dossier": [f"A{i}" for i in range(32)], "Date d’entrée": texts * 4}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    verdict = owner("columns")["columns"][1]
    read, leave = verdict["proposals"]
    assert labels(verdict)[0].endswith("aprox. 2019 → 2019, env. 2018 → 2018, حوالي ٢٠١٩ → 2019")
    for one, records in ((read, [16, 28]), (leave, [16, 28])):
        assert owner("try", operations=one["operations"])["change"]["records"] == records
    owner("do", operations=read["operations"])
    verdict = owner("columns")["columns"][1]
    assert (verdict["unknown"], labels(verdict)) == (4, []), "a season is no year: asked by itself"
    (season,) = verdict["open"]
    assert (season["text"], season["suggested"]) == ("été ?", None)


@pytest.mark.parametrize("answers", [["1", "2", "9"] * 4, ["signé", "verbal"] * 6])
def test_no_code_is_taken_for_a_yes(tmp_path: Path, answers: list[str]) -> None:
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", consent(answers)))
    owner("open")
    verdict = owner("columns")["columns"][2]
    assert labels(verdict) == ["leave it out"]
    assert "choose the texts" in said(Text.from_json(verdict["reason"]))
    lacks = [said(Text.from_json(one["text"])) for one in owner("columns")["missing"]]
    assert any("lack of consent" in one for one in lacks)


def test_what_is_missing_is_said_with_its_columns(tmp_path: Path) -> None:
    columns = {"dossier": ["A1", "A2", "A3"], "sexe": ["F", "H", "Fxyz"], "Prénom": ["a", "b", "c"]}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    owner("do", operations=[{"op": "identifier", "column": "Prénom", "decision": None}])
    found = {said(Text.from_json(one["text"])): one for one in owner("columns")["missing"]}
    (name,) = [one for one in found.values() if one["columns"] == ["Prénom"]]
    assert name["blocks"]
    assert any("cannot be counted by year" in text for text in found)
    assert [one["blocks"] for one in found.values()] == sorted(
        (one["blocks"] for one in found.values()), reverse=True
    )


def test_lines_of_totals_are_asked_about_and_the_mapping_keeps_the_answer(tmp_path: Path) -> None:
    columns = {"dossier": ["A1", "A2", "Total"], "sexe": ["F", "H", ""], "age": ["3", "4", "7"]}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    told = owner("columns")
    (asked,) = [q for q in told["questions"] if "total" in said(Text.from_json(q["question"]))]
    assert told["records"] == 2
    for choice, rows, records in zip(asked["choices"], (3, 3), (2, 3), strict=True):
        (done,) = owner("do", operations=choice["operations"])["done"]
        then = owner("columns")
        assert (then["rows"], then["records"]) == (rows, records)
        assert then["excluded"] == ({"note-row": 1} if records == 2 else {})
        assert not any("total" in said(Text.from_json(q["question"])) for q in then["questions"])
        owner("undo", n=[done])
    owner("do", operations=asked["choices"][0]["operations"])
    assert "notes: left_out" in owner("text")["text"].replace('"', "")


@pytest.mark.parametrize(
    ("rows", "said_of", "offered", "left"),
    [
        (
            ["Source: x"],
            ["1 row looks like a total or a note (row 6)"],
            "leave them out: they are totals or notes",
            0,
        ),
        (
            ["Source: x", "5", "6"],
            [
                "1 row looks like a total or a note (row 6)",
                "2 rows say hardly anything (rows 7, 8)",
            ],
            "leave them out: they are totals or notes",
            2,
        ),
        (
            ["5"],
            ["1 row says hardly anything (row 6)"],
            "they are no records: they stay uncounted",
            1,
        ),
    ],
)
def test_notes_and_numbered_rows_are_told_apart(
    tmp_path: Path, rows: list[str], said_of: list[str], offered: str, left: int
) -> None:
    columns = {
        "dossier": [*"1234", *rows], "sexe": [*"FHFH", *[""] * len(rows)],
        "age": ["31", "24", "25", "41", *[""] * len(rows)],
        "pays": ["Mali", "Mali", "Niger", "Mali", *[""] * len(rows)],
    }  # fmt: skip
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    told = owner("columns")
    (asked,) = [q for q in told["questions"] if "not counted" in str(q["question"])]
    text = said(Text.from_json(asked["question"]))
    assert [one for one in said_of if one in text] == said_of
    assert text.count("not counted") == len(said_of)
    assert told["records"] == 4
    away, records = asked["choices"]
    assert said(Text.from_json(away["label"])) == offered
    (done,) = owner("do", operations=away["operations"])["done"]
    then = owner("columns")
    assert (then["records"], then["rejected"]) == (4, left)
    assert not any("not counted" in str(q["question"]) for q in then["questions"])
    owner("undo", n=[done])
    owner("do", operations=records["operations"])
    assert owner("columns")["records"] == 4 + len(rows)


def test_ages_get_their_band_or_are_asked_about(tmp_path: Path) -> None:
    columns = {"sexe": ["F", "H"] * 10, "âge": AGES}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    rule = {"from": "âge", "band": True}
    owner("do", operations=[{"op": "rule", "variable": "age_band", "rule": rule}])
    values = {one["text"]: one for one in owner("column", column="âge")["values"]}
    assert {t: v["decided"] for t, v in values.items() if v["decided"]} == {
        "30": ["30-38"], "٢٥": ["24-26"], "20": ["18-20"], "12": ["9-17"],
    }  # fmt: skip
    meant = {t: v["suggested"] for t, v in values.items() if not v["decided"]}
    assert {t: (s["codes"], s["sure"]) for t, s in meant.items()} == {
        "41 et +": (["not-recorded"], False),
        "env. 25": (["not-recorded"], False),
        "~25": (["not-recorded"], False),
        "+18": (["not-recorded"], False),
        "moins de 9": (["0-8"], True),
        "48 ans et +": (["48+"], True),
    }


def test_no_list_shows_texts_of_a_column_that_may_identify(tmp_path: Path) -> None:
    names = [f"Zoltane{i}" for i in range(6)]
    columns = {"nom": names, "sexe": ["F", "H"] * 3, "note": ["a;b"] * 6}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    for decided in (True, False):
        for ask_ in (["nom"], ["NOM "], ["note", "nom"]):
            sheet = f'list:records:";":{json.dumps(ask_)}'
            for column in ("note", "nom"):
                answer = ask({**owner.place, "ask": "column", "column": column, "sheet": sheet})
                assert "Zoltane" not in json.dumps(answer), (ask_, column)
        if decided:
            owner("do", operations=[{"op": "identifier", "column": "nom", "decision": None}])
    rule = {"from": "nom", "map": {"x": "female"}}
    owner("do", operations=[{"op": "rule", "variable": "gender", "rule": rule}])
    for request in ("column", "columns", "problems"):
        answer = ask({**owner.place, "ask": request, "column": "nom"})
        assert "Zoltane" not in json.dumps(answer), request


def test_notes_are_asked_about_and_the_mapping_keeps_the_answer(tmp_path: Path) -> None:
    columns = {
        "dossier": ["A1", "A2", "Source : registre de Lyon", "", "Total"],
        "sexe": ["F", "H", "", "", ""],
        "age": ["3", "4", "", "", "7"],
        "pays": ["Nigéria", "Roumanie", "", "Laos", ""],
    }
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    rule = {"from": "pays", "country": True}
    owner("do", operations=[{"op": "rule", "variable": "citizenship", "rule": rule}])

    def asked() -> list[tuple[str, list[dict[str, Any]]]]:
        told = owner("columns")["questions"]
        return [
            (text, q["choices"])
            for q in told
            if "not counted" in (text := said(Text.from_json(q["question"])))
        ]

    ((text, choices),) = asked()
    assert "rows 4, 6" in text
    assert "Lyon" not in text
    (done,) = owner("do", operations=choices[1]["operations"])["done"]
    assert owner("columns")["records"] == 5
    owner("undo", n=[done])
    owner("do", operations=asked()[0][1][0]["operations"])
    told = owner("columns")
    assert (told["rows"], told["records"]) == (5, 3)  # Laos is all that is known of somebody
    assert told["excluded"] == {"note-row": 2}
    assert asked() == []
    written = owner("text")["text"].replace('"', "")
    assert "notes: left_out" in written


def workbook(path: Path, *rows: list[Any]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    listed = book.create_sheet("Listes")
    for text in ("Sexe", "F", "H"):
        listed.append([text])
    book.save(path)
    return path


FRENCH = [
    ["Registre – 2024"], ["Mis à jour le 12/01/2025"], [],
    ["N° dossier", "Sexe", "Nationalité", "Type d’exploitation"],
    *([f"D-{i}", "FH"[i % 2], "Nigéria", "Travail forcé"] for i in range(120)),
    ["Total", 120], ["NB : provisoire"], ["Source : l’équipe"],
]  # fmt: skip


def test_a_title_and_notes_around_the_records_are_no_dead_end(tmp_path: Path) -> None:
    owner = Owner(tmp_path, workbook(tmp_path / "a.xlsx", *FRENCH))
    assert owner("open")["file"]["rows"] == 123
    assert [c["column"] for c in owner("columns")["columns"]] == FRENCH[3]


def test_the_row_of_names_is_asked_for_where_it_is_not_certain(tmp_path: Path) -> None:
    """A title over two columns of numbers for names: no row is one of distinct texts."""
    rows = [["Par année"], ["2021", "2022", "2023"], *([str(i), "4", "5"] for i in range(30))]
    owner = Owner(tmp_path, workbook(tmp_path / "a.xlsx", *rows))
    asked = owner("open")["header"]
    assert [[cell for cell in row if cell] for row in asked["first"]] == rows[:10]
    assert owner("open", header=2)["file"]["rows"] == 30
    assert [c["column"] for c in owner("columns")["columns"]] == rows[1]
    wrong = {**owner.place, "ask": "open", "header": 1}
    assert ask(wrong)["error"]["rule"] == "empty-header"
    columns = {"sexe": ["F", "H"], "dossier": ["a", "b"]}
    plain = Owner(tmp_path, _file(tmp_path / "c.csv", columns), "2026-07-01")
    assert plain("open")["file"]["rows"] == 2


def test_the_rows_that_are_shown_are_of_the_sheet_that_is_read(tmp_path: Path) -> None:
    """A sheet of notes before the records is not what somebody is asked about."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Read me"])
    records = book.create_sheet("Cases")
    for row in [["Par année"], ["2021", "2022", "2023"], *([str(i), "4", "5"] for i in range(30))]:
        records.append(row)
    book.save(tmp_path / "a.xlsx")
    owner = Owner(tmp_path, tmp_path / "a.xlsx")
    asked = owner("open")["header"]
    assert asked["sheet"] == "Cases"
    assert asked["first"][1] == ["2021", "2022", "2023"]
    assert owner("open", header=2, sheet=asked["sheet"])["file"]["rows"] == 30


def test_the_first_row_is_not_taken_for_want_of_another(tmp_path: Path) -> None:
    """Records without names would make columns called F and Lyon, quietly."""
    path = tmp_path / "a.csv"
    path.write_text("\n".join(f"{i},F,Lyon,{2000 + i}" for i in range(30)), "utf-8")
    owner = Owner(tmp_path, path)
    assert owner("open")["header"]["first"][0] == ["0", "F", "Lyon", "2000"]
    assert owner("open", header=1)["file"]["rows"] == 29


def test_few_unknown_texts_are_asked_about_beside_their_column(tmp_path: Path) -> None:
    columns = {
        "sexe": ["F", "H"] * 6,
        "Lieu de l'exploitation": ["France", "Marseille", "Italie"] * 4,
        "Exploitation": ["sexuelle", "domestique"] * 6,
        "Pays d'origine": ["Mali", "Niger"] * 6,
        "Teinte": ["rouge", "vert"] * 6,
        "Hébergement": ["X", ""] * 6,
    }
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    told = owner("columns")
    verdicts = {one["column"]: one for one in told["columns"]}
    (place,) = verdicts["Lieu de l'exploitation"]["open"]
    assert (place["text"], place["rows"], place["suggested"]) == ("Marseille", 4, None)
    first = {codes[0] for codes, _label in place["choices"][:2]}
    assert first == {"FRA", "ITA"}, "what the column means elsewhere comes first"
    (kind,) = verdicts["Exploitation"]["open"]
    means = [codes for codes, _label in kind["choices"] if codes[0] == "labour_domestic_work"]
    assert means == [["labour_domestic_work", "exploitation_forced_labour"]]
    assert labels(verdicts["Hébergement"]) == ["it was received", "leave it out"]
    owner("do", operations=verdicts["Hébergement"]["proposals"][0]["operations"])
    assert [one["column"] for one in told["columns"] if unsaid(one)] == ["Pays d'origine", "Teinte"]
    states = {one["column"]: one["state"] for one in owner("columns")["columns"]}
    assert (states["Teinte"], states["Hébergement"]) == ("decide", "right")


def unsaid(verdict: dict[str, Any]) -> bool:
    """Whether a column may be left out with all others that nothing is known of."""
    return verdict["state"] == "decide" and verdict["plain"] and not verdict["likely"]


def test_what_a_header_says_is_likely_where_no_other_column_is_it(tmp_path: Path) -> None:
    columns = {
        "Date of admission": ["2024-02-03", "2025-03-04"] * 6,
        "Accommodation": ["x", "declined"] * 6,
        "How long (months)": ["14", "49"] * 6,
        "Duration of trafficking": ["long", "short"] * 6,
        "Smoker": ["Y", "N"] * 6,
        "_status": ["submitted_via_web"] * 12,
        "Exploitation site sector": ["fishing", "odd jobs"] * 6,
    }
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    verdicts = {one["column"]: one for one in owner("columns")["columns"]}
    assert [name for name, one in verdicts.items() if one["likely"]] == ["Accommodation"]
    (first, *_rest) = verdicts["Accommodation"]["guesses"]
    (made,) = first["operations"]
    assert (made["variable"], made["rule"]["map"]) == (
        "assistance_accommodation",
        {"declined": "declined"},
    )
    assert [v["guesses"] for v in verdicts.values() if v["column"] == "Smoker"] == [[]], "of many"


@pytest.mark.parametrize(
    ("header", "texts"),
    [
        ("Consentement", ["non", "non", "peut-être", "non"] * 3),
        ("الموافقة", ["لا", "لا", "ربما", "لا"] * 3),
        ("Statut de victime", ["indéterminé", "non établi", "à revoir", "non établi"] * 3),
    ],
)
def test_columns_that_say_who_is_counted_are_not_left_out_with_others(
    tmp_path: Path, header: str, texts: list[str]
) -> None:
    columns = {"sexe": ["F", "H"] * 6, header: texts, "Teinte": ["rouge", "vert"] * 6}
    columns |= {"Humeur": ["calme", "vive"] * 6, "Année": ["bientôt", "hier"] * 6}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    told = owner("columns")
    rest = [one for one in told["columns"] if unsaid(one)]
    assert [one["column"] for one in rest] == ["Teinte", "Humeur"], "Année may be a date"
    owner("do", operations=[op for one in rest for op in one["proposals"][0]["operations"]])
    told = owner("columns")
    assert [one["column"] for one in told["columns"] if one["state"] == "decide"] == [
        header,
        "Année",
    ]
    assert [one["columns"] for one in told["missing"] if one["blocks"]] == [[header]]


def test_a_suggestion_of_several_codes_is_the_first_choice(tmp_path: Path) -> None:
    """Where no single choice is what a text is spelt like, the page has one that is."""
    texts = ["domestique et sexuelle", "sexuelle et domestique", "sexuelle"] * 4
    columns = {"sexe": ["F", "H"] * 6, "Exploitation": texts}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    both = ["exploitation_sexual", "labour_domestic_work", "exploitation_forced_labour"]
    (sheet,) = {one["sheet"] for one in owner("columns")["columns"][1]["open"]}
    owner("do", operations=[{"op": "map", "sheet": sheet, "text": texts[0], "codes": both}])
    (one,) = owner("columns")["columns"][1]["open"]
    assert (one["text"], one["suggested"]["codes"]) == (texts[1], both)
    codes, label = one["choices"][0]
    assert codes == both
    assert said(Text.from_json(label)) == "Sexual exploitation, Domestic work, Forced labour"
    assert [*codes_of(one)].count(tuple(both)) == 1
    owner("do", operations=[{"op": "map", "sheet": sheet, "text": texts[1], "codes": codes}])
    assert owner("columns")["columns"][1]["open"] == []


@pytest.mark.parametrize(
    ("header", "known", "text", "likely"),
    [
        ("Recruteur", ["ami", "famille"], "inconnu", None),
        ("Reclutador", ["amigo", "familia"], "Desconocido", None),
        ("Recruteur", ["ami", "famille"], "non renseigné", ["not-recorded"]),
        ("Exploitation", ["sexuelle", "travail forcé"], "inconnu", ["not-recorded"]),
    ],
)
def test_an_unknown_recruiter_may_be_a_stranger(
    tmp_path: Path, header: str, known: list[str], text: str, likely: list[str] | None
) -> None:
    columns = {"sexe": ["F", "H"] * 6, header: [*known, text] * 4}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    owner("do", operations=[{"op": "empty", "text": text, "on": False}])
    variable = owner("columns")["columns"][1]["targets"][0]["variable"]
    rule = {"from": header, "has": known[:1]}
    owner("do", operations=[{"op": "rule", "variable": variable, "rule": rule}])
    every = {one["text"]: one["suggested"] for one in owner("columns")["columns"][1]["open"]}
    meant = every[text]
    assert (meant and meant["codes"]) == likely


def codes_of(one: dict[str, Any]) -> list[tuple[str, ...]]:
    return [tuple(codes) for codes, _label in one["choices"]]


def test_many_unknown_texts_and_those_of_people_are_not_beside_their_column(
    tmp_path: Path,
) -> None:
    places = ["France", "Italie", "Marseille", "Paris 18e", "Lyon", "Nantes"]
    places += ["Lille", "Nice", "Brest", "Rennes", "Metz"]
    columns = {"sexe": ["F", "H"] * 11, "Lieu de l'exploitation": places * 2}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    rule = {"from": "Lieu de l'exploitation", "country": "true"}
    owner("do", operations=[{"op": "rule", "variable": "country_of_exploitation", "rule": rule}])
    assert owner("columns")["columns"][1]["unknown"] == 18
    assert owner("columns")["columns"][1]["open"] == []


def test_a_file_in_a_code_page_that_is_sure_opens_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("Стать;Вік;Країна\nжіноча;22;Україна\nчоловіча;17;Молдова\n".encode("cp1251"))
    owner = Owner(tmp_path, path)
    assert "file" in owner("open")
    assert [one["column"] for one in owner("columns")["columns"]] == ["Стать", "Вік", "Країна"]


def test_a_table_of_counts_is_said_to_be_one_on_its_page(tmp_path: Path) -> None:
    counts = {
        "Nationalité": ["Mali", "Togo", "Niger"] * 4,
        "Femmes": ["3", "12", "0"] * 4,
        "Hommes": ["1", "0", "4"] * 4,
    }
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", counts))
    owner("open")
    lacks = [said(Text.from_json(one["text"])) for one in owner("columns")["missing"]]
    assert any("a table of counts: Femmes, Hommes" in one for one in lacks)
    owner("do", operations=[{"op": "setting", "key": "rows", "value": "person"}])
    told = owner("columns")
    assert told["records"] == 12
    lacks = [said(Text.from_json(one["text"])) for one in told["missing"]]
    assert not any("nobody is counted. Send" in one for one in lacks)
    bands = counts | {"Tranche d'âge": ["0-8", "9-17", "18-20"] * 4}
    by_age = Owner(tmp_path / "c", _file(tmp_path / "c.csv", bands))
    by_age("open")
    lacks = [said(Text.from_json(one["text"])) for one in by_age("columns")["missing"]]
    assert any("a table of counts: Femmes, Hommes" in one for one in lacks)
    people = Owner(tmp_path / "b", _file(tmp_path / "b.csv", counts | {"Sexe": ["F", "H"] * 6}))
    people("open")
    lacks = [said(Text.from_json(one["text"])) for one in people("columns")["missing"]]
    assert not any("table of counts" in one for one in lacks)


REPEATS = {
    "record_id": ["1", "1", "2", "2", "3", "3"],
    "redcap_repeat_instrument": ["", "follow_up"] * 3,
    "gender": ["female", "", "male", "", "female", ""],
    "age": ["22", "", "17", "", "31", ""],
    "fu_contact": ["", "phone", "", "visit", "", "phone"],
}


@pytest.mark.parametrize("header", ["redcap_repeat_instrument", "Repeat Instrument"])
@pytest.mark.parametrize("of", ["visits", "victims"])
def test_rows_of_a_form_that_repeats_are_asked_about(tmp_path: Path, header: str, of: str) -> None:
    """A visit is no second person; where the repeated form is the victim, each row is one."""
    columns = {header if c == "redcap_repeat_instrument" else c: t for c, t in REPEATS.items()}
    if of == "victims":
        columns |= {"gender": ["", "female", "", "male", "", "female"]}
    path = _file(tmp_path / "a.csv", columns)
    drafted = suggest(read_table(path)).yaml
    assert (
        f"#   - {{rule: repeated-form, unless: {{{json.dumps({header: ['']})[1:-1]}}}}}" in drafted
    )
    assert not parse_mapping(drafted, "m.yaml").exclude
    assert "# rows: person" in drafted
    owner = Owner(tmp_path, path)
    owner("open")
    owner("do", operations=[{"op": "setting", "key": "rows", "value": "person"}])
    told = owner("columns")
    verdict = told["columns"][1]
    assert "within a record: 3 of 6" in said(Text.from_json(verdict["reason"]))
    assert labels(verdict) == ["leave out 3 rows of a repeated form", "leave it out"]
    (lack,) = [one for one in told["missing"] if one["blocks"]]
    assert lack["columns"] == [header], "nobody is counted twice before somebody decides"
    owner("do", operations=verdict["proposals"][of == "victims"]["operations"])
    told = owner("columns")
    assert told["excluded"] == ({"repeated-form": 3} if of == "visits" else {})
    assert not [one for one in told["missing"] if one["blocks"]]


def test_a_file_without_rows_of_a_repeated_form_is_not_asked_about_them(tmp_path: Path) -> None:
    owner = Owner(
        tmp_path, _file(tmp_path / "a.csv", REPEATS | {"redcap_repeat_instrument": [""] * 6})
    )
    owner("open")
    told = owner("columns")
    assert told["columns"][1]["state"] == "right"
    assert not [one for one in told["missing"] if one["blocks"]]
