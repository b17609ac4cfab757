"""A new form of exploitation in a file is unknown, never "no", and stops the build."""

from __future__ import annotations

import csv
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
import yaml

from ctdhub.cli import hub as spend
from ctdhub.core.errors import MappingError, WouldCharge
from ctdhub.hub import init, pipeline
from ctdhub.hub.folder import Hub, read_journal
from ctdhub.hub.stages.alarms import alarms_of
from ctdhub.schema.model import HARM, load_schema
from tests.conftest import Once
from tests.fixtures.hubs import copied, make_real, set_policy

SCAM = "Criminalité forcée (escroquerie en ligne)"
COLUMN, WHO, PEOPLE = "vic_TypeOfExploitation", "rivage-refuge", 500

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def scammed(once: Once) -> Path:
    """A practice hub in which one shelter met 500 people from online scam centres; the files of
    others are harmonised."""

    def make(folder: Path) -> None:
        hub = init.practice_hub(folder, people=9_000)
        pipeline.build(hub, until="harmonise")
        shutil.rmtree(hub.work / "harmonised" / WHO)
        book = openpyxl.load_workbook(sheet := file_of(hub))
        page = book.worksheets[0]
        rows = list(page.iter_rows())
        head = next(k for k, row in enumerate(rows) if COLUMN in [c.value for c in row])
        place = [c.value for c in rows[head]].index(COLUMN)
        some = [row[place] for row in rows[head + 1 :] if row[place].value]
        assert len(some) >= PEOPLE
        for cell in some[:PEOPLE]:
            cell.value = SCAM
        book.save(sheet)

    return once("scammed-hub", make)


def file_of(hub: Hub) -> Path:
    return next((hub.root / "contributions" / WHO).glob("*/*.xlsx"))


@pytest.fixture
def hub(scammed: Path, tmp_path: Path) -> Hub:
    return copied(Hub(scammed), tmp_path / "hub")


def mapped(hub: Hub, change: Callable[[str], str]) -> None:
    """Change the mapping; what its practice accepts of invented people stays accepted."""
    path = hub.mapping(WHO)
    text = change(path.read_text("utf-8"))
    if text.count("\naccept:") > 1:
        start, end = text.index("\naccept:\n") + 9, text.index("\nexclude:")
        theirs = json.dumps(yaml.safe_load(text[start:end]))[1:-1]
        text = (text[: start - 9] + text[end:]).replace("\naccept: [", f"\naccept: [{theirs}, ")
    path.write_text(text, "utf-8")


def harmonised(hub: Hub) -> Path:
    return next((hub.work / "harmonised" / WHO).glob("*/*/records.parquet")).parent


def test_the_build_stops_and_says_where_without_the_text(hub: Hub, ctdhub: Run) -> None:
    code, out, err = ctdhub("build", hub.root, "--until", "link")
    assert code == 2
    assert "unknown-texts" in err
    assert COLUMN in err
    assert WHO in err
    assert "escroquerie" not in (out + err).casefold()
    assert not (hub.work / "people").exists()
    folder = harmonised(hub)
    flags = [f for f in load_schema().flags(HARM) if f in named(hub)]
    records = pq.read_table(folder / "records.parquet", columns=flags)
    rows = [set(row.values()) for row in records.to_pylist()]
    unknown = sum(row == {None} for row in rows)
    assert not [row for row in rows if "no" in row and "yes" not in row]  # no false "no"
    with (folder / "unknown-texts.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["text"]: row for row in csv.DictReader(file)}
    assert listed[SCAM]["outcome"] == "flags-unknown"
    met = int(listed[SCAM]["rows"])  # of 500, those whom no rule excludes
    assert PEOPLE - 15 <= met <= PEOPLE
    assert unknown >= met
    assert SCAM not in (folder / "rejects.csv").read_text("utf-8")
    assert SCAM not in (folder / "report.json").read_text("utf-8")
    seen = (hub.work / "alarms" / "unknown-texts.csv").read_text("utf-8")
    assert f"{WHO},{COLUMN},{SCAM},{met}" in seen
    private = [*folder.glob("*texts*"), *(hub.work / "alarms").glob("[!.]*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def named(hub: Hub) -> str:
    return hub.mapping(WHO).read_text("utf-8")


@pytest.mark.parametrize(
    "entry", [f"unknown-texts: {COLUMN}", {"text": SCAM, "column": COLUMN, "reason": "asked"}]
)
def test_what_is_accepted_by_name_passes(hub: Hub, entry: object) -> None:
    mapped(hub, lambda text: f"{text}\naccept: {json.dumps([entry], ensure_ascii=False)}\n")
    pipeline.build(hub, until="link")
    assert (hub.work / "people" / "people.parquet").exists()


def test_accepting_another_column_does_not_pass(hub: Hub) -> None:
    mapped(hub, lambda text: f'{text}\naccept: ["unknown-texts: prs_Gender"]\n')
    with pytest.raises(MappingError) as met:
        pipeline.build(hub, until="link")
    assert met.value.rule == "unknown-texts"


def test_the_agreement_says_how_much_is_too_much(hub: Hub) -> None:
    path = hub.root / "contributors" / f"{WHO}.yaml"
    path.write_text(path.read_text("utf-8") + "unknown_share: 1\n", "utf-8")
    pipeline.build(hub, until="link")


def test_rejecting_is_said_in_writing(hub: Hub) -> None:
    mapped(hub, lambda text: text.replace("absent: no", "absent: no, unknown: reject"))
    with pytest.raises(MappingError):
        pipeline.build(hub, until="link")
    report = json.loads((harmonised(hub) / "report.json").read_text("utf-8"))
    assert report["conservation"]["rejected"] >= PEOPLE - 15


def test_an_open_alarm_stops_a_charge(hub: Hub, ctdhub: Run) -> None:
    mapped(hub, lambda text: f'{text}\naccept: ["unknown-texts: {COLUMN}"]\n')
    make_real(hub)
    set_policy(hub, columns=["gender"])
    assert ctdhub("build", hub.root, "--until", "link")[0] == 0
    assert [a.entry for a in alarms_of(hub) if not a.accepted] == ["no-exploitation"]
    code, out, err = ctdhub("build", hub.root, "--until", "protect", "--spend", "100")
    assert (code, "open-alarms" in err) == (2, True)
    assert "escroquerie" not in (out + err).casefold()
    with pytest.raises(WouldCharge) as met:
        pipeline.build(hub, until="protect", pay=lambda _price: None)
    assert met.value.rule == "open-alarms"
    assert not list(hub.ledger.glob("*.jsonl"))
    code, _out, err = ctdhub(
        "build", hub.root, "--until", "protect", "--spend", "100", "--accept-alarms"
    )
    assert code == 0, err


def test_a_person_is_asked_about_the_alarms_and_then_about_the_price(
    hub: Hub, ctdhub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped(hub, lambda text: f'{text}\naccept: ["unknown-texts: {COLUMN}"]\n')
    make_real(hub)
    set_policy(hub, columns=["gender"])
    asked: list[str] = []

    def answer(question: str, **_how: object) -> bool:
        asked.append(question)
        return len(asked) != 1  # no the first time, then yes

    monkeypatch.setattr(spend, "_somebody_there", lambda: True)
    monkeypatch.setattr("typer.confirm", answer)
    code, out, _err = ctdhub("build", hub.root, "--until", "protect")
    assert (code, len(asked), "no-exploitation" in out) == (2, 1, True)
    assert not (hub.work / "protected").exists()
    code, _out, err = ctdhub("build", hub.root, "--until", "protect")
    assert (code, len(asked)) == (0, 3), err
    noted = [line.details.get("accepted_alarms") for line in read_journal(hub)]
    assert noted[-1] == f"{WHO}: no-exploitation"


def test_the_practice_hub_itself_is_silent(once: Once) -> None:
    found = alarms_of(Hub(once("quiet-hub", _quiet)))
    assert [a.entry for a in found if not a.accepted] == []
    assert all(a.reason for a in found)


def _quiet(folder: Path) -> None:
    pipeline.build(init.practice_hub(folder, people=3_000), until="link")
