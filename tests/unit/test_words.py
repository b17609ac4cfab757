"""Words are said at the edge: below ``report`` a message is a ``Text``, in no language yet."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ctdhub

PACKAGE = Path(ctdhub.__file__).parent
ZONES = ("border.py", "build", "dp", "kanon", "practice", "release", "sensitive", "stats")
SAYING = {"_", "ngettext", "current", "said"}
"""What of ``core.i18n`` speaks the language in force; ``core.format`` does as a whole."""

WRITERS = {
    "build/own_report.py",
    "build/stages/harmonise.py",
    "build/stages/link_report.py",
    "dp/standalone/draft.py",
    "release/changelog.py",
    "sensitive/linkage/identified/report.py",
    "sensitive/linkage/identified/review_book.py",
    "sensitive/mapping/choice_words.py",
    "sensitive/mapping/decision_book.py",
    "sensitive/mapping/draft.py",
}
"""Write a file for readers in the language in force: a report, a card, a draft with comments."""

OTHERS = {
    "build/spark/runner.py",
    "sensitive/linkage/pprl/birth_dates.py",
}
"""Hands the language in force to the workers of a cluster; takes from babel what months are called
in the languages of contributors' files."""

MAY = WRITERS | OTHERS
"""This list only shrinks."""


def modules() -> list[str]:
    found = [p for zone in ZONES for p in (PACKAGE / zone, *(PACKAGE / zone).rglob("*.py"))]
    return sorted(p.relative_to(PACKAGE).as_posix() for p in found if p.suffix == ".py")


def speaks(module: str) -> set[str]:
    """What a module takes that speaks a language."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = {alias.name for alias in node.names}
            if node.module == "ctdhub.core.i18n":
                found |= names & SAYING
            elif node.module == "ctdhub.core" and names & {"format", "i18n"}:
                found |= names
            elif node.module.startswith(("babel", "ctdhub.core.format")):
                found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("babel")}
    return found


@pytest.mark.parametrize("module", modules())
def test_below_report_nothing_is_said(module: str) -> None:
    if module not in MAY:
        assert not speaks(module), "make it a Text; report, site or the command says it"


def test_the_list_of_modules_that_speak_only_shrinks() -> None:
    assert not {module for module in MAY if not speaks(module)}, "take them off"


def test_statistics_know_no_language() -> None:
    assert not {module for module in MAY if module.startswith("stats/")}
    for module in (m for m in modules() if m.startswith("stats/")):
        text = (PACKAGE / module).read_text("utf-8")
        assert "ctdhub.schema.labels" not in text, module
        assert "ctdhub.report" not in text, module
