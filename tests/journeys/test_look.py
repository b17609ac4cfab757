"""A look costs nothing, is for the steward alone, and tells what a delivery changed."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from ctdhub.core.errors import DocumentError
from ctdhub.core.i18n import LANGUAGES
from ctdhub.hub import init, pipeline
from ctdhub.hub.folder import Hub
from ctdhub.hub.private.look import look
from ctdhub.hub.private.pages import LONGEST, as_workbook
from tests.conftest import Once
from tests.fixtures.hubs import copied

WHO, NEXT = "harbour-casework", "2026-06-15"
TEXT, STRIPPED = "Femme", "Notes"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def delivered(once: Once) -> Path:
    """A practice hub whose shelter sent a second delivery with a new word and a new column."""

    def make(folder: Path) -> None:
        hub = init.practice_hub(folder, people=1_000)
        first = next((hub.root / "contributions" / WHO).glob("*/*.csv"))
        head, *rows = first.read_text("cp1252").splitlines()
        place = head.split(";").index("Sex")
        second = [f"{head};Neu"]
        for k, row in enumerate(rows):
            cells = row.split(";")
            cells[place] = TEXT if k % 7 == 0 else cells[place]
            second.append(";".join([*cells, "x"]))
        target = hub.root / "contributions" / WHO / NEXT / "second.csv"
        target.parent.mkdir()
        target.write_text("\n".join(second), "cp1252")
        pipeline.build(hub, until="alarms")

    return once("looked-at-hub", make)


@pytest.fixture
def hub(delivered: Path, tmp_path: Path) -> Hub:
    return copied(Hub(delivered), tmp_path / "hub")


def ledger_of(hub: Hub) -> list[Path]:
    return sorted(p for p in hub.ledger.rglob("*") if p.is_file())


def test_a_delivery_is_seen_next_to_the_one_before(hub: Hub) -> None:
    (one,) = look(hub, WHO)
    assert one.before is not None
    assert (one.now.date, one.before.date) == (NEXT, "2026-01-15")
    assert {u.text for u in one.now.unknown} - {u.text for u in one.before.unknown} == {TEXT}
    assert (one.now.unread, one.before.unread) == (("Neu",), ())
    assert one.now.faults[("unknown-code", "Sex")] > one.before.faults[("unknown-code", "Sex")]
    assert sum(one.now.values["gender"].values()) == one.now.records
    stopping = {a.entry for a in one.now.alarms if a.stops and not a.accepted}
    assert stopping == {"unknown-texts: Sex", "new-texts: Sex", "new-column: Neu"}
    (earlier,) = look(hub, WHO, "2026-01-15")
    assert earlier.before is None
    assert {s.agreement.id for s in look(hub)} == {a.id for a in hub.agreements()}
    for contributor, date in ((WHO, "2026-02-01"), ("nobody", None)):
        with pytest.raises(DocumentError):
            look(hub, contributor, date)


def test_it_costs_nothing_and_is_for_the_steward_alone(hub: Hub, ctdhub: Run) -> None:
    before = ledger_of(hub)
    code, out, _err = ctdhub("look", hub.root, "--contributor", WHO)
    assert (code, TEXT in out, "new-column: Neu" in out) == (0, True, True)
    for name in ("seen.html", "seen.xlsx"):
        assert ctdhub("look", hub.root, f"--{name[-4:].strip('.')}", name)[0] == 0
        target = hub.work / "look" / name
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE((hub.work / "look").stat().st_mode) == 0o700
    assert ledger_of(hub) == before
    assert not (hub.work / "people").exists()
    html = (hub.work / "look" / "seen.html").read_text("utf-8")
    assert TEXT in html
    assert "<script" not in html
    book = openpyxl.load_workbook(hub.work / "look" / "seen.xlsx", read_only=True)
    texts = [row[3] for row in book["Unknown texts"].iter_rows(values_only=True)]
    assert TEXT in texts


@pytest.mark.parametrize("room", ["site", "releases", "candidates", "stories", "contributions"])
def test_it_is_refused_where_others_read(hub: Hub, ctdhub: Run, room: str) -> None:
    (hub.root / room).mkdir(exist_ok=True)
    for option, name in (("--html", "a.html"), ("--xlsx", "a.xlsx")):
        code, _out, err = ctdhub("look", hub.root, option, hub.root / room / name)
        assert (code, "rule private" in err) == (2, True)
        assert not (hub.root / room / name).exists()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_speaks_every_language(hub: Hub, ctdhub: Run, lang: str) -> None:
    target = hub.root.parent / f"{lang}.html"
    assert ctdhub("look", hub.root, "--lang", lang, "--html", target)[0] == 0
    html = target.read_text("utf-8")
    assert f'lang="{lang}" dir="{"rtl" if lang == "ar" else "ltr"}"' in html
    assert ("A look before you spend" in html) == (lang == "en")


def test_hostile_texts_do_no_harm(hub: Hub, ctdhub: Run) -> None:
    hostile = "[red]<b>1+1</b>"
    file = next((hub.root / "contributions" / WHO / NEXT).iterdir())
    text = file.read_text("cp1252")
    file.write_text(text.replace(TEXT, hostile), "cp1252")
    code, _out, err = ctdhub("look", hub.root, "--contributor", WHO)
    assert code == 0, err
    for option, name in (("--html", "a.html"), ("--xlsx", "a.xlsx"), ("--report", "b.xlsx")):
        assert ctdhub("look", hub.root, "--contributor", WHO, option, name)[0] == 0
    html = (hub.work / "look" / "a.html").read_text("utf-8")
    assert "<b>1+1" not in html
    assert "&lt;b&gt;" in html
    book = openpyxl.load_workbook(hub.work / "look" / "b.xlsx")
    texts = [cell for row in book["Rejected rows"].iter_rows() for cell in row if cell.column == 4]
    assert hostile in [cell.value for cell in texts]


def test_a_workbook_holds_what_no_cell_may() -> None:
    (sheet,) = openpyxl.load_workbook(io.BytesIO(as_workbook([("s", ["a"], [["x\x07" * 40_000]])])))
    text = sheet["A2"].value
    assert text.startswith("x·x·")
    assert len(text) == LONGEST


def test_a_workbook_does_not_tell_when_it_was_made() -> None:
    """Else its size and bytes would differ from day to day, and say more than its content."""
    made = as_workbook([("s", ["a", "b"], [["x", 1], ["=1+1", 2]])])
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        year = str(datetime.now().year).encode()
        assert not [name for name in archive.namelist() if year in archive.read(name)]


def test_a_contributor_gets_its_own_rejected_rows_alone(hub: Hub, ctdhub: Run) -> None:
    assert ctdhub("look", hub.root, "--report", "own.xlsx")[0] == 2
    shown = ("--contributor", WHO, "--report")
    assert ctdhub("look", hub.root, *shown, "own.xlsx")[0] == 0
    assert ctdhub("look", hub.root, *shown, "own.html")[0] == 0
    book = openpyxl.load_workbook(hub.work / "look" / "own.xlsx", read_only=True)
    head, *rows = book["Rejected rows"].iter_rows(values_only=True)
    assert head[:4] == ("file", "row", "column", "text")
    assert {row[0] for row in rows} == {"second.csv"}
    for among in (hub.work / "own.xlsx", hub.root / "own.xlsx"):
        assert ctdhub("look", hub.root, *shown, among)[0] == 2
        assert not among.exists()
    assert ctdhub("look", hub.root, *shown, hub.work / "look" / "own.xlsx")[0] == 0
    sexes = [row for row in rows if row[2] == "Sex" and row[3] == TEXT]
    lines = (hub.root / "contributions" / WHO / NEXT / "second.csv").read_text("cp1252")
    for row in sexes:
        assert f";{TEXT};" in lines.splitlines()[row[1] - 1]
    (one,) = look(hub, WHO)
    assert len({row[1] for row in rows}) == one.now.rejected
    html = (hub.work / "look" / "own.html").read_text("utf-8")
    assert TEXT in html
    names = {a.name for a in hub.agreements() if a.id != WHO}
    assert not [name for name in names if name in html]
    assert stat.S_IMODE((hub.work / "look" / "own.html").stat().st_mode) == 0o600
