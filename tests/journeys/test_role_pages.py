"""The pages for each role, those that they lead to, and the tutorial: every command in them runs,
and the tutorial does what it claims."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest

from ctdhub.core.i18n import NATIVE_NAMES
from ctdhub.hub.folder import Hub
from tests.fixtures.hubs import copied
from tests.forked import needs_fork
from tests.served_command import served

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    *sorted((DOCS / "start").glob("*.md")),
    *(
        DOCS / "how-to" / f"{name}.md"
        for name in (
            "choose-epsilon",
            "host-the-site",
            "quote-a-number",
            "safeguard-people",
            "use-r-or-a-spreadsheet",
            "when-something-goes-wrong",
        )
    ),
)
BLOCK = re.compile(r"^ *```(sh|sh rejects|python)\n(.*?)^ *```$", re.M | re.S)
TUTORIAL = DOCS / "tutorial" / "three-deliveries.md"
STEP = re.compile(r"^```sh *([^\n]*)\n(.*?)^```$", re.M | re.S)
"""A block of the tutorial: the word behind ``sh``, and its text."""
REJECTS = "sh rejects"
"""Of a block whose last command ends with 1, because it rejected rows."""


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of the blocks of a page that are to be run."""
    return [
        (m[1], re.sub(r"^   ", "", m[2], flags=re.M))
        for m in BLOCK.finditer(page.read_text("utf-8"))
    ]


@dataclass(frozen=True)
class Desk:
    """A folder with the practice hub as the pages have it, and the command on the path; the pages
    change nothing of the hub, so they share it.

    Attributes:
        ran: blocks and commands on the hub that ran for a page, which do the same for the next.
    """

    folder: Path
    environment: dict[str, str]
    ran: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def environment(built: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """With the command of this source on the path, and its Python."""
    bin_folder = tmp_path_factory.mktemp("bin")
    (bin_folder / "python").symlink_to(sys.executable)
    with served(bin_folder / "ctdhub", built.root):
        yield os.environ | {"PATH": f"{bin_folder}:/usr/bin:/bin", "CTDHUB_LANG": "en"}


@pytest.fixture(scope="module")
def desk(built: Hub, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    copied(built, folder / "demo-hub")
    return Desk(folder, environment)


@needs_fork
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_runs(page: Path, desk: Desk) -> None:
    found = blocks(page)
    assert found, "the page shows nothing to do"
    for language, text in found:
        start = [sys.executable] if language == "python" else ["sh", "-e"]
        parts = text.splitlines() if language == "sh" else [text]
        for part in (part for part in parts if part not in desk.ran):
            done = subprocess.run(
                [*start, "-c", part],
                capture_output=True,
                text=True,
                cwd=desk.folder,
                env=desk.environment,
            )
            what = f"{part}\n{done.stdout}\n{done.stderr}"
            assert done.returncode == (language == REJECTS), what
            desk.ran.add(part)


def test_the_starting_points_are_what_the_formula_gives() -> None:
    text = (DOCS / "how-to" / "choose-epsilon.md").read_text("utf-8")
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| ([0-9.]+) \| ([0-9.]+) % \|$", text, re.M)
    assert len(rows) == 3
    for epsilon, percent in rows:
        odds = 2.718281828459045 ** float(epsilon)
        assert float(percent) == pytest.approx(100 * odds / (1 + odds), abs=0.3)


def decide(workbook: Path) -> None:
    """What the contributor does in its spreadsheet."""
    book = openpyxl.load_workbook(workbook)
    (sheet,) = (s for s in book.worksheets if "Captador" in s.title)
    (row,) = (r for r in sheet.iter_rows(min_row=4) if str(r[0].value).startswith("Persona cono"))
    row[4].value = "recruiter_other"
    book.save(workbook)


@needs_fork
def test_the_tutorial_does_what_it_says(
    built: Hub, environment: dict[str, str], tmp_path: Path
) -> None:
    copied(built, tmp_path / "demo-hub")
    said: list[str] = []
    for word, block in STEP.findall(TUTORIAL.read_text("utf-8")):
        if word == "decided":
            decide(tmp_path / "preguntas.xlsx")
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", block],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
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
