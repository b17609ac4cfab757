"""The workbench and files: counts equal a build's, dirty columns in few clicks, odd files."""

from __future__ import annotations

import csv
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from calls_of import calls

from ctdhub.core.i18n import Text, said
from ctdhub.sensitive.mapping.mapping_file import load_mapping, parse_mapping
from ctdhub.sensitive.mapping.run import harmonise
from ctdhub.sensitive.workbench.ask import ask
from ctdhub.sensitive.workbench.facets import FileEffect, fingerprint, opened

sys.path.insert(0, str(Path(__file__).parent))
from dirty_columns import COLUMNS, write

FOREIGN = Path(__file__).parents[2] / "benchmarks" / "foreign"
YEARS = (1900, 2199)


class Owner:
    """The owner of a file, who asks about it."""

    def __init__(self, folder: Path, file: Path, day: str = "2026-06-15") -> None:
        self.place = {"folder": str(folder), "contributor": "our-ngo", "day": day, "who": "ada"}
        self.place["file"] = str(file)

    def __call__(self, ask_: str, **more: Any) -> dict[str, Any]:
        answer = ask({**self.place, "ask": ask_, **more})
        json.dumps(answer)
        assert "error" not in answer, answer
        return answer


def suggested(of: Any, column: str | None = None) -> list[dict[str, Any]]:
    """What the pages suggest and nobody has decided: of columns, and of texts."""
    made = []
    for verdict in of("columns")["columns"]:
        name = verdict["column"]
        if verdict["state"] not in ("decide", "stops") or column not in (None, name):
            continue
        offers = [p for p in verdict["proposals"] if p["operations"][0]["op"] != "accept"]
        offers += [g for g in verdict["guesses"][:1] if verdict["likely"] and g["share"] > 0.5]
        made += [{"column": name, **one} for one in offers]
        for at in of("column", column=name)["sheets"] if not verdict["gone"] else ():
            texts = of("column", column=name, sheet=at["sheet"], show="unknown")["values"]
            for one in texts:
                if meant := one["suggested"]:
                    put = {"op": "map", "sheet": at["sheet"], "text": one["text"]}
                    put["codes"] = meant["codes"]
                    made.append({"column": name, "sure": meant["sure"], "operations": [put]})
    return made


def _file(path: Path, columns: dict[str, list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def test_counts_are_those_of_a_build_before_and_after_edits(tmp_path: Path) -> None:
    """Records, rejects, exclusions, unknown texts and each value, of the file of 40 columns."""
    owner = Owner(tmp_path, write(tmp_path / "liste.csv", 60))
    owner("open")
    for wave in ("all", "undo"):
        mapping = parse_mapping(owner("text")["text"], "m.yaml")
        file = opened(tmp_path / "liste.csv", mapping.read)
        effect = FileEffect(mapping, file, YEARS)
        done = harmonise(file.raw, mapping, "our-ngo", YEARS, b"0" * 16)
        told, account = effect.counts(), done.conservation
        assert told["records"] == account.records
        assert told["rejected"] == account.rejected
        unknown = {(u.column, u.text, u.rows, u.outcome) for u in done.texts.unknown}
        assert {(u.column, u.text, u.rows, u.outcome) for u in effect.texts.unknown} == unknown
        for name in mapping.columns:
            numbers = effect.value(name)[effect.records].tolist()
            found = [file.texts.value(number) for number in numbers]
            assert found == [None if c is None else str(c) for c in done.records[name].to_pylist()]
        if wave == "all":
            every = [o for one in suggested(owner) for o in one["operations"]]
            change = owner("do", operations=every)["change"]
            assert change["rejected"][0] == told["rejected"] > change["rejected"][1]
            tried = owner("try", operations=[{"op": "rule", "variable": "gender", "rule": None}])
            assert tried["change"]["rows"] > 0


def test_forty_dirty_columns_in_few_clicks(tmp_path: Path) -> None:
    """A click: take all that is sure; take one proposal; choose a code for chosen texts; leave out.

    What a person decides is in ``COLUMNS``; whoever clicks looks at each column once.
    """
    owner = Owner(tmp_path, write(tmp_path / "liste.csv"))
    owner("open")
    clicks = 1
    sure = [o for s in suggested(owner) if s["sure"] for o in s["operations"]]
    owner("do", operations=sure)
    clicks += 1
    by_name = {one.name: one for one in COLUMNS}
    waiting: list[str] = []
    while (waiting := waiting[1:] or undecided(owner)) and clicks <= 150:
        name = waiting[0]
        wanted, clicks = by_name[name], clicks + 1  # the column is opened
        verdict = owner("column", column=name)
        if verdict["sheet"] is None:
            likely = [
                one
                for one in verdict["readings"]
                if any(o.get("variable") in wanted.variables for o in one["operations"])
            ]
            if wanted.fate == "read" and likely:
                owner("do", operations=likely[0]["operations"])
            else:
                leave = [p["operations"] for p in verdict["verdict"]["proposals"]][-1]
                owner("do", operations=leave)
            clicks += 1
            continue
        taken = suggested(owner, name)
        right = [s for s in taken if _is_right(s["operations"][0], wanted.truth)]
        if right:
            owner("do", operations=[o for s in right for o in s["operations"]])
            clicks += 1 + len(taken) - len(right)  # what is wrong is unticked
        left = owner("column", column=name, show="unknown")["values"]
        by_code: dict[str, list[str]] = {}
        for value in left:
            code = wanted.truth.get(value["text"], "not-recorded") or "not-recorded"
            by_code.setdefault(code, []).append(value["text"])
        for code, texts in by_code.items():
            made = {"op": "map", "sheet": verdict["sheet"], "codes": [code]}
            owner("do", operations=[{**made, "text": text} for text in texts])
            clicks += len(texts) + 2  # each is ticked, the code is chosen and applied
    told = owner("columns")
    assert told["next"] is None
    assert told["rejected"] < 0.05 * told["rows"], told["rejected"]
    assert clicks <= 150, clicks
    gender = parse_mapping(owner("text")["text"], "m.yaml").columns["gender"]
    assert "no code" not in str(gender)


def undecided(owner: Owner) -> list[str]:
    """The columns that a person still has to look at."""
    told = owner("columns")["columns"]
    return [one["column"] for one in told if one["state"] in ("stops", "decide")]


def _is_right(operation: dict[str, Any], truth: dict[str, str | None]) -> bool:
    if operation["op"] != "map" or operation["text"] not in truth:
        return True
    return operation["codes"] == [truth[operation["text"]] or "not-recorded"]


@pytest.mark.parametrize("name", ["arabic-sheet", "arabic-letters", "mojibake", "sorted-sets"])
def test_a_foreign_file_is_judged(tmp_path: Path, name: str) -> None:
    """Files of kinds that drafts are measured with: no column without a verdict, nothing hidden."""
    given = yaml.safe_load((FOREIGN / f"{name}.yaml").read_text("utf-8"))
    columns = {
        header: [
            cells["unique"].format(1000 + i) if isinstance(cells, dict) else cells[i % len(cells)]
            for i in range(given["rows"])
        ]
        for header, cells in given["columns"].items()
    }
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    told = owner("columns")
    assert [one["column"] for one in told["columns"]] == list(columns)
    for one in told["columns"]:
        said_already = said(Text.from_json(one["reason"])) in (
            "every text is read",
            "no rule reads it",
        )
        assert one["plain"] == said_already
        if one["state"] != "stripped":
            found = owner("column", column=one["column"])
            rows = sum(v["rows"] for v in found["values"])
            assert rows >= told["rows"] - found["blank"] - 5 or found["sheet"]


def test_a_renamed_column_of_the_next_file(tmp_path: Path) -> None:
    first = {"Sexe": ["F", "H"] * 30, "Date": ["12/03/2024"] * 60, "Pays": ["Nigeria"] * 60}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", first))
    owner("open")
    owner("keep")
    second = {"Genre": ["F", "H"] * 30, "Date": ["12/03/2025"] * 60, "Autre": ["x"] * 60}
    later = Owner(tmp_path, _file(tmp_path / "b.csv", second), "2026-12-01")
    later("open")
    told = later("columns")
    assert told["new"] == ["Genre", "Autre"]
    assert "Sexe" in told["gone"]
    (genre,) = [one for one in told["columns"] if one["column"] == "Genre"]
    assert later("do", operations=genre["proposals"][0]["operations"])["change"]["rows"] == 60
    assert "Sexe" not in later("columns")["gone"]
    assert 'from: ["Sexe", Genre]' in later("text")["text"] or "Genre]" in later("text")["text"]
    kept = later("keep")["kept"]
    assert kept["from"] == "2026-12-01"
    assert load_mapping(tmp_path / "mappings/our-ngo/2026-06-15.yaml").needed()[0] != "Genre"


def test_each_file_of_a_day_has_its_own_draft(tmp_path: Path) -> None:
    """Another file is not read by the draft of the first; a file of the same columns goes on."""
    first = {"Sexe": ["F", "Autre", "nsp"] * 20, "Pays": ["Nigeria"] * 60}
    a = Owner(tmp_path, _file(tmp_path / "a.csv", first))
    b = Owner(tmp_path, _file(tmp_path / "b.csv", {"Âge": ["17", "20"] * 30, "Oui": ["x"] * 60}))
    c = Owner(tmp_path, _file(tmp_path / "c.csv", first))
    for owner, key in ((a, "a"), (b, "b"), (c, "c")):
        owner.place["own_draft"] = key
    a("open")
    assert a("column", column="Sexe")["silent"] == [{"text": "nsp", "rows": 20}]
    rule = {"from": "Sexe", "map": {"F": "female"}}
    a("do", operations=[{"op": "rule", "variable": "gender", "rule": rule}])
    b("open")
    assert [one["column"] for one in b("columns")["columns"]] == ["Âge", "Oui"]
    assert "gender" in a("text")["text"]
    assert "gender" not in b("text")["text"]
    c("open")
    assert c("text")["text"] == a("text")["text"]


@pytest.mark.parametrize("sheet", ["columns.gender", 'list:records:";":["Moyens"]'])
def test_a_thousand_texts_at_once(tmp_path: Path, sheet: str) -> None:
    """What is made of them is no chain that a library follows to its end by recursion."""
    cells = {"Sexe": ["F", "H"] * 30, "Moyens": ["Menaces", "Dette;Menaces"] * 30}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", cells))
    owner("open")
    code = "female" if sheet.startswith("columns") else "means_threats"
    texts = [f"text {i}" for i in range(1_100)]
    given = [{"op": "map", "sheet": sheet, "text": text, "codes": [code]} for text in texts]
    assert owner("do", operations=given)["change"]["rejected"]
    assert len(owner("undo", n=list(range(1, 1_101)))["undone"]) == 1_100


def kit_files(folder: Path, columns: dict[str, list[str]], *keys: str) -> list[Owner]:
    """Files of one day with the same columns, each with a draft of its own."""
    found = [Owner(folder, _file(folder / f"{key}.csv", columns)) for key in keys]
    for owner, key in zip(found, keys, strict=True):
        owner.place["own_draft"] = key
    return found


def mean(text: str, code: str, column: str = "gender") -> dict[str, Any]:
    return {"op": "map", "sheet": f"columns.{column}", "text": text, "codes": [code]}


def test_what_was_kept_outlives_an_older_file_that_is_looked_at_again(tmp_path: Path) -> None:
    """Keep, look, bundle: a page that opens the file again shows what was kept, and sends that."""
    cells = {"Sexe": ["F", "H", "Fille", "Gars"] * 15, "Pays": ["Nigeria"] * 60}
    a, b, c = kit_files(tmp_path, cells, "a", "b", "c")
    a("open")
    a("do", operations=[mean("Fille", "female")])
    a("keep")
    a("open")
    b("open")
    b("do", operations=[mean("Gars", "male")])
    kept = b("keep")["kept"]["sha256"]
    for owner in (b, c, a):
        owner("open")
        assert owner("history")["operations"] == [], owner.place["own_draft"]
        assert sha256(owner("text")["text"].encode()).hexdigest() == kept


def test_decisions_that_nobody_kept_go_on_over_what_was_kept(tmp_path: Path) -> None:
    """Not those that were undone, and not those that somebody decided otherwise and kept."""
    cells = {"Sexe": ["F", "H", "Fille", "Gars", "Dame", "Roi"] * 10, "Pays": ["Nigeria"] * 60}
    a, b, c = kit_files(tmp_path, cells, "a", "b", "c")
    a("open")
    a("keep")
    a("open")
    own = [mean("Fille", "male"), mean("Gars", "male"), mean("Dame", "female")]
    a("undo", n=[a("do", operations=own)["done"][2]])
    b("open")
    b("do", operations=[mean("Fille", "female"), mean("Roi", "male")])
    b("keep")
    a("do", operations=[mean("Dame", "female"), mean("Roi", "male")])
    c("open")
    assert len(c("history")["operations"]) == 1, "the one that nobody kept"
    codes = yaml.safe_load(c("text")["text"])["columns"]["gender"]["map"]
    decided = [codes[text] for text in ("Fille", "Gars", "Dame", "Roi")]
    assert decided == ["female", "male", "female", "male"]
    a("open")
    texts = [one["operation"]["text"] for one in a("keep")["conflicts"]]
    assert texts == ["Fille"], "what contradicts is shown where the file is kept"


def test_two_answers_from_one_page_are_both_kept(tmp_path: Path) -> None:
    """A page that was shown before the first answer sends the second: neither undoes the other."""
    cells = {"Sexe": ["F", "H"] * 30, "Âge": ["17"] * 60, "Moyens": ["Menaces"] * 60}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", cells))
    owner("open")
    owner("keep")
    said = {"footer": "none", "notes": "left_out"}
    for name, value in said.items():
        owner("do", operations=[{"op": "setting", "key": f"read.{name}", "value": value}])
    assert yaml.safe_load(owner("text")["text"])["read"] == said
    less = Owner(tmp_path, _file(tmp_path / "b.csv", {"Âge": ["17"] * 60, "Autre": ["x"] * 60}))
    gone = [one for one in less("columns")["columns"] if one["gone"]]
    assert len(gone) == 2
    for one in gone:
        less("do", operations=one["proposals"][0]["operations"])
    assert yaml.safe_load(less("text")["text"])["optional"] == [one["column"] for one in gone]


@pytest.mark.parametrize("later", [None, "undo"])
def test_rules_of_child_rows_are_changed_and_taken_back(tmp_path: Path, later: str | None) -> None:
    cells = {"Sexe": ["F", "H"] * 30, "Auteur": ["h;f", "h"] * 30}
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", cells))
    owner("open")
    owner("keep")
    rule = {"from": "Auteur", "map": {"h": "male", "f": "female"}}
    table = {"split": ";", "aligned": "true", "columns": {"perpetrator_gender": rule}}
    put = {"op": "setting", "key": "perpetrators", "value": table}
    assert owner("do", operations=[put])["change"]["rows"] == 60
    before = owner("keep")["kept"]["number"]
    text = {"sheet": "perpetrators.columns.perpetrator_gender", "text": "h", "codes": ["female"]}
    owner("do", operations=[{"op": "map", **text}])
    owner("keep")
    if later is None:
        assert len(owner("undo_kept", commit=before)["later"]) == 1
    else:
        owner("undo_kept", commit=before, later=later)
        assert "perpetrators" not in owner("text")["text"]


def test_many_rows_and_many_texts(tmp_path: Path) -> None:
    """Python goes through none of 300,000 rows."""
    n = 300_000
    columns = {
        "Sexe": ["F", "H", "Fém"] * (n // 3),
        "Lieu": [f"Hameau {'abcdefghij'[i % 10]}{i % 20_000}" for i in range(n)],
    }
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", columns))
    owner("open")
    sheet = owner("column", column="Sexe")["sheet"]
    owner("do", operations=[{"op": "rule", "variable": "gender", "rule": {
        "from": "Sexe", "map": {"F": "female", "H": "male"}}}])  # fmt: skip
    put = {"op": "map", "sheet": sheet, "text": "Fém", "codes": ["female"]}
    with calls() as made:
        change = owner("try", operations=[put])["change"]
    assert made[0] < n / 10
    assert (change["rejected"], change["records"]) == ([n // 3, 0], [n - n // 3, n])
    with calls() as made:
        owner("column", column="Sexe")
    assert made[0] < n / 5


def test_a_workbook_with_formulas_is_refused_by_name_and_without_values(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Sexe", "Nom"], ["F", "Alma Zoltane"], ["=1+1", "Besim Yarovna"]):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    owner = Owner(tmp_path, tmp_path / "a.xlsx")
    answer = ask({**owner.place, "ask": "open"})
    assert answer["error"]["rule"] == "formula"
    assert "Zoltane" not in json.dumps(answer)


def test_texts_of_identifiers_are_shown_to_nobody(tmp_path: Path) -> None:
    owner = Owner(tmp_path, write(tmp_path / "liste.csv", 60))
    owner("open")
    told = [owner(name) for name in ("columns", "identifiers", "problems")]
    told += [owner("column", column=one.name) for one in COLUMNS if one.fate in ("strip", "key")]
    for canary in ("Zoltane0", "+33 6 01", "p7@exemple", "RF-1003", "quai imaginaire"):
        assert canary not in json.dumps(told, ensure_ascii=False)


def test_clusters_are_spellings_and_nothing_else(tmp_path: Path) -> None:
    """Of one text, undecided or decided alike; a letter more, or another number, is another."""
    texts = ["Mendicité", "mendicite ", "Mendicitée", "12 ans", "13 ans", "إستغلال جنسي"]
    owner = Owner(tmp_path, _file(tmp_path / "a.csv", {"Sexe": [*texts, "استغلال جنسي"] * 9}))
    owner("open")
    rule = {"from": "Sexe", "map": {"x": "female"}}
    owner("do", operations=[{"op": "rule", "variable": "gender", "rule": rule}])
    arabic = ["إستغلال جنسي", "استغلال جنسي"]

    def alike() -> list[list[str]]:
        return [sorted(one["texts"]) for one in owner("column", column="Sexe")["clusters"]]

    assert sorted(alike()) == [["Mendicité", "mendicite"], arabic]
    owner("do", operations=[mean("Mendicité", "male"), mean("mendicite", "female")])
    assert alike() == [arabic], "none of two decisions"
    assert fingerprint("ـالجنسـ") == "الجنس"


def test_no_click_on_a_sheet_takes_the_place_of_a_draft(tmp_path: Path) -> None:
    """Where a draft is begun, a file that it cannot read is refused, and no sheet is offered."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "a.csv").write_text("Sexe,Age\n" + "F,12\nH,13\n" * 30, "utf-8")
    book = openpyxl.Workbook()
    people, notes = ("Sexe", "Age", "Pays"), ("Nom", "Lieu", "Motif")
    for name, head in (("A", people), ("B", notes), ("C", people)):
        sheet = book.create_sheet(name)
        for row in [head, *[("F", 12, "x")] * 20]:
            sheet.append(row)
    del book["Sheet"]
    book.save(tmp_path / "b.xlsx")
    fresh, owner = Owner(tmp_path, tmp_path / "b.xlsx"), Owner(tmp_path, tmp_path / "a.csv")
    assert [one["sheet"] for one in fresh("open")["choose"]] == ["A", "B", "C"]
    owner("open")
    rule = {"from": "Sexe", "map": {"F": "female", "H": "male"}}
    owner("do", operations=[{"op": "rule", "variable": "gender", "rule": rule}])
    assert ask({**fresh.place, "ask": "open"})["error"]["name"] == "sheets"
    assert len(owner("history")["operations"]) == 1
