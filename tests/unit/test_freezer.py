"""The kit's folder: what starts it, and what it says where it cannot start."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ctdhub.core.i18n import LANGUAGES

ROOT = Path(__file__).parents[2]
FREEZER = ROOT / "freezer"


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"freezer_{name}", FREEZER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_starts_every_process_that_a_contributor_needs() -> None:
    asked = {
        name
        for source in (ROOT / "src" / "ctdhub").rglob("*.py")
        for name in re.findall(
            r'sys\.executable, "-P", "-m", "([\w.]+)"', source.read_text("utf-8")
        )
    }
    assert asked == set(loaded("start").PROCESSES)


def started(tmp_path: Path, *words: str) -> tuple[str, str]:
    """What it says and what the browser is shown, where the kit's folder is copied to a cloud."""
    shown, browser = tmp_path / "shown", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shown}\n', "utf-8")
    browser.chmod(0o755)
    places = {"XDG_DATA_HOME": f"{tmp_path}/Dropbox", "TMPDIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, FREEZER / "start.py", *words],
        capture_output=True, text=True, check=False, timeout=100,
        env=os.environ | places | {"HOME": str(tmp_path), "BROWSER": str(browser)},
    )  # fmt: skip
    assert ended.returncode
    return ended.stderr, shown.read_text("utf-8").strip() if shown.exists() else ""


@pytest.mark.skipif(sys.platform != "linux", reason="the browser is a script of a shell")
def test_who_opens_it_is_shown_why_it_does_not_start(tmp_path: Path) -> None:
    told, address = started(tmp_path)
    page = Path(address.removeprefix("file://")).read_text("utf-8")
    assert "Dropbox" in told
    assert "Dropbox" in page
    assert "./ctdhub-kit kit --folder" in " ".join(page.split())
    assert "<script" not in page


def test_a_verb_speaks_to_its_terminal_alone(tmp_path: Path) -> None:
    assert started(tmp_path, "kit", "--folder", f"{tmp_path}/Dropbox/kit")[1] == ""


def test_its_first_words_are_there_in_every_language() -> None:
    words = (FREEZER / "README.txt").read_text("utf-8")
    assert re.findall(r"^(\w\w)  ", words, re.M) == list(LANGUAGES)


def test_licences_are_passed_on() -> None:
    build = loaded("build")
    assert build.licences({"b 2": [], "a 1": ["May be copied.\n"]}) == "a 1\n===\nMay be copied."
