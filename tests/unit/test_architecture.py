"""The tree tells the story: imports go one way, the border holds, modules stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ctdhub

PACKAGE = Path(ctdhub.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# Left to right: a room may import rooms to its left and itself.
ORDER = [
    "i18n", "errors", "lock", "compiled", "disk", "paper", "client", "keys", "schema", "intake",
    "harmonise", "link", "withdraw", "profile", "protect", "release", "insight", "portal",
]  # fmt: skip
RIGHT_OF_BORDER = {"release", "insight", "portal"}
ASSEMBLY = {
    "practice", "settings", "hub", "steps", "start", "spark", "stages", "pipeline", "cli", "ctdhub",
}  # fmt: skip
MINTS = {"protect", "release"}


def room(module: Path) -> str:
    parts = module.relative_to(PACKAGE).with_suffix("").parts
    return "ctdhub" if parts == ("__init__",) else parts[0]


def imports(module: Path) -> set[str]:
    """Dotted names below ctdhub that a module imports, functions' late imports included."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            found |= {f"{node.module}.{a.name}" for a in node.names}
    return {name.removeprefix("ctdhub.") for name in found if name.startswith("ctdhub.")}


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_imports_go_one_way(module: Path) -> None:
    here = room(module)
    for name in imports(module):
        there = name.split(".")[0]
        if here in ASSEMBLY:
            if here == "practice":
                assert there in {"practice", "schema", "harmonise", "errors", "i18n"}, name
            continue
        assert there in ORDER, f"{here} imports {name}: only assembly rooms may"
        # errors and i18n know each other's words only: errors speaks through i18n
        assert ORDER.index(there) <= ORDER.index(here), f"{here} imports {name}: against the data"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_border_is_the_only_way_through(module: Path) -> None:
    if room(module) not in RIGHT_OF_BORDER:
        return
    for name in imports(module):
        there = name.split(".")[0]
        assert there not in {"intake", "harmonise", "link", "withdraw", "profile"}, (
            f"{module.name} imports {name}"
        )
        if there == "protect":
            assert name.startswith("protect.border"), f"{module.name} imports {name}"


def test_only_protect_mints_and_only_release_restores() -> None:
    for module in MODULES:
        names = imports(module)
        if "protect.border.mint" in names:
            assert room(module) == "protect", module
        if "protect.border.restore" in names:
            assert room(module) in MINTS, module
        if module.name != "border.py":
            assert "_MINT" not in module.read_text("utf-8"), module


def test_modules_are_small_and_introduce_themselves() -> None:
    for module in MODULES:
        text = module.read_text("utf-8")
        assert text.count("\n") <= 300, f"{module} has over 300 lines"
        assert ast.get_docstring(ast.parse(text)), f"{module} does not say what it is for"
        assert module.stem not in {"utils", "helpers", "common", "misc"}, module


def test_pipeline_is_a_short_text() -> None:
    assert (PACKAGE / "pipeline.py").read_text("utf-8").count("\n") < 100


def test_no_seedable_generator_outside_practice() -> None:
    """Law 5: seeds exist in tests and practice only."""
    for module in MODULES:
        if room(module) == "practice":
            continue
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"default_rng", "RandomState", "seed"}, module
            if isinstance(node, ast.Import):
                assert all(a.name != "random" for a in node.names), module


def test_nothing_unfinished() -> None:
    for module in MODULES:
        text = module.read_text("utf-8")
        for mark in ("raise NotImplementedError", "TO" + "DO", "FIX" + "ME", "except Exception"):
            assert mark not in text, f"{module}: {mark}"
