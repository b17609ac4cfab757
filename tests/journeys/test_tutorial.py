"""The tutorial of three deliveries, run as it is written, and what it claims."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from ctdhub.core.i18n import NATIVE_NAMES
from ctdhub.hub.folder import Hub
from tests.fixtures.hubs import copied
from tests.forked import needs_fork
from tests.served_command import served

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "three-deliveries.md"


def blocks() -> list[tuple[str, str]]:
    """Shell blocks of the tutorial with the word behind ``sh``."""
    text = TUTORIAL.read_text("utf-8")
    return [
        (m[1].strip(), m[2]) for m in re.finditer(r"^```sh([^\n]*)\n(.*?)^```$", text, re.M | re.S)
    ]


@pytest.fixture
def place(built: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the practice hub in it, and the command of this source on the path."""
    copied(built, tmp_path / "demo-hub")
    command = tmp_path / "bin" / "ctdhub"
    command.parent.mkdir()
    python = tmp_path / "bin" / "python"
    python.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CTDHUB_LANG", "en")
    monkeypatch.chdir(tmp_path)
    with served(command, built.root):
        yield tmp_path


def decide(workbook: Path) -> None:
    """What the contributor does in its spreadsheet."""
    book = openpyxl.load_workbook(workbook)
    (sheet,) = (s for s in book.worksheets if "Captador" in s.title)
    (row,) = (r for r in sheet.iter_rows(min_row=4) if str(r[0].value).startswith("Persona cono"))
    row[4].value = "recruiter_other"
    book.save(workbook)


@needs_fork
def test_the_tutorial_does_what_it_says(place: Path) -> None:
    said: list[str] = []
    for word, block in blocks():
        if word == "decided":
            decide(place / "preguntas.xlsx")
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", block], capture_output=True, text=True
        )
        said.append(done.stdout + done.stderr)
        assert done.returncode == 0, block + said[-1][-900:]
    corrected, renamed, dated, looked = said[1], said[2], said[3], said[4]
    assert re.search(r"\d+ people changed, 1[0-2] people left, 0 new people", corrected)
    assert "missing-columns" in renamed
    assert "stopped, as it should" in renamed
    assert "unknown-texts" in dated
    assert "stopped again" in dated
    assert "red social" not in dated, "no text of a record stands in an error"
    assert "Persona conocida en una red social" in looked
    assert re.search(r"0 people left, 0 new people by the delivery of 2026-09-15", said[6])
    assert "withdrawn" in said[-2] or "withdrawn 1" in "".join(said[7:9])
    changelog = said[-1]
    assert f"### {NATIVE_NAMES['en']}" in changelog, "this hub's site speaks English alone"
    newest = changelog.split("\n## ")[1]
    assert "2026-06-15" in newest
    assert "2026-09-15" in newest
    words = re.sub(r"2026-\d\d-\d\d|## ?2026\.\d|2026\.2 \(.*?\)", "", newest)
    assert not re.search(r"\d", words), words
    assert "withdr" not in newest
