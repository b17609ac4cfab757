"""The pages for each role, and those that they lead to: every command in them runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

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
def desk(built: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    copied(built, folder / "demo-hub")
    command = folder / "bin" / "ctdhub"
    command.parent.mkdir()
    path = f"{command.parent}:/usr/bin:/bin"
    with served(command, built.root):
        yield Desk(folder, os.environ | {"PATH": path, "CTDHUB_LANG": "en"})


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
