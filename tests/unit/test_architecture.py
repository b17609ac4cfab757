"""The tree tells the story: zones import one way, the border holds, modules stay small."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import ctdhub

PACKAGE = Path(ctdhub.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# A room and the rooms that it may import, beside itself.
ARROWS = {
    "core": "",
    "border": "",
    "schema": "core",
    "document": "core",
    "client": "core",
    "practice": "core schema",
    "sensitive.duck": "core",
    "sensitive.coded_parquet": "core",
    "sensitive.ingest": "core schema",
    "sensitive.consent": "core",
    "sensitive.mapping": "core schema sensitive.coded_parquet sensitive.duck sensitive.ingest",
    "sensitive.alarms": "core schema sensitive.mapping",
    "sensitive.linkage": "core schema sensitive.coded_parquet sensitive.duck sensitive.ingest "
    "sensitive.mapping",
    "sensitive.profile": "core schema sensitive.duck sensitive.linkage",
    "sensitive.bundle": "core schema sensitive.ingest sensitive.mapping",
    "sensitive.returns": "core sensitive.ingest sensitive.mapping",
    "sensitive.workbench": "core schema sensitive.alarms sensitive.bundle sensitive.ingest "
    "sensitive.linkage sensitive.mapping",
    "dp": "core schema border",
    "kanon": "core schema dp",
    "release": "core schema document border",
    "stats": "core schema border release",
    "report": "core schema document border release stats",
    "site": "core schema document border release stats report",
    "desk.screens": "core schema document",
    "desk": "core schema document border release stats report site desk.screens",
    "kit": "core schema document sensitive.ingest sensitive.mapping sensitive.linkage "
    "sensitive.workbench sensitive.bundle sensitive.profile sensitive.returns dp desk.screens",
}
ASSEMBLY = {"api", "build", "cli", "ctdhub", "desk.worker"}

# Modules of the desk that the kit holds too: they know neither accounts nor the database.
BOTH_DOORS = {"allowed", "assets", "errors", "logs", "registry", "rendering", "roles", "screens"}

# Crossings that are still to be cut: this list only shrinks.
CROSSINGS: set[tuple[str, str]] = set()
RIGHT_OF_BORDER = {"release", "stats", "report", "site", "client"}
PUBLIC_PACKAGES = {"ctdhub", "ctdhub.client"}
"""Packages whose files export names; all others hold a docstring only."""


def name_of(module: Path) -> str:
    parts = ("ctdhub", *module.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str) -> str:
    parts = name.split(".")[1:]
    if not parts:
        return "ctdhub"
    if parts == ["__main__"]:
        return "cli"
    if parts[0] == "desk" and len(parts) > 1:
        return (
            "desk.screens"
            if parts[1] in BOTH_DOORS
            else ".".join(parts[: 1 + (parts[1] == "worker")])
        )
    return ".".join(parts[:2]) if parts[0] == "sensitive" and len(parts) > 1 else parts[0]


NAMES = {name_of(module) for module in MODULES}


@cache
def imports(module: Path) -> frozenset[str]:
    """Modules and names below ctdhub that a module imports, late imports in functions included."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            found |= {f"{node.module}.{a.name}" for a in node.names}
    return frozenset(name for name in found if name.startswith("ctdhub."))


def named(module: Path) -> set[str]:
    """Modules and names below ctdhub that a module writes as texts, as Django's settings do."""
    nodes = (
        n for n in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(n, ast.Constant)
    )
    return {n.value for n in nodes if isinstance(n.value, str) and n.value.startswith("ctdhub.")}


def is_migration(module: Path) -> bool:
    """Whether Django reads it by its place: a change of tables."""
    return module.parent.name == "migrations"


def rooms(module: Path) -> set[str]:
    """Rooms that a module imports."""
    return {room(n if n in NAMES else n.rpartition(".")[0]) for n in imports(module)}


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_imports_go_one_way(module: Path) -> None:
    here = room(name_of(module))
    if here in ASSEMBLY:
        return
    allowed = {here, *ARROWS.get(here, "").split()}
    for there in rooms(module):
        inside = (there.startswith(f"{here}.") and here != "desk") or there in {
            a for a in allowed if "." in a
        }
        assert there in allowed or inside or (here, there) in CROSSINGS, f"{here} imports {there}"
        if there == "sensitive":
            raise AssertionError(f"{module}: names the zone, not a room of it")


def test_crossings_that_are_cut_leave_the_list() -> None:
    found = {(room(name_of(m)), there) for m in MODULES for there in rooms(m)}
    assert found >= CROSSINGS, f"cut, take them off: {CROSSINGS - found}"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_border_is_the_only_way_through(module: Path) -> None:
    """What is right of the border holds nothing of the zones before it, whatever the lists say."""
    if room(name_of(module)) in RIGHT_OF_BORDER:
        for there in rooms(module):
            assert there not in {"dp", "kanon"}, f"{module} imports {there}"
            assert not there.startswith("sensitive"), f"{module} imports {there}"


def test_only_dp_mints_and_only_release_restores() -> None:
    for module in MODULES:
        names, here = imports(module), room(name_of(module))
        if "ctdhub.border.mint" in names:
            assert here == "dp", module
        if "ctdhub.border.restore" in names:
            assert here in {"dp", "release"}, module
        if module.name != "border.py":
            assert "_MINT" not in module.read_text("utf-8"), module


def test_modules_are_small_and_introduce_themselves() -> None:
    for module in MODULES:
        text = module.read_text("utf-8")
        assert text.count("\n") <= 500 or is_migration(module), f"{module} has over 500 lines"
        assert ast.get_docstring(ast.parse(text)), f"{module} does not say what it is for"
        assert module.stem not in {"utils", "helpers", "common", "misc"}, module


def test_package_files_hold_a_docstring_and_nothing_else() -> None:
    for module in MODULES:
        if module.name == "__init__.py" and name_of(module) not in PUBLIC_PACKAGES:
            assert len(ast.parse(module.read_text("utf-8")).body) == 1, module
    for folder in {m.parent for m in MODULES}:
        assert (folder / "__init__.py").is_file(), f"{folder} has no package file"


def test_pipeline_is_a_short_text() -> None:
    assert (PACKAGE / "build" / "pipeline.py").read_text("utf-8").count("\n") < 130


def test_no_seedable_generator_outside_practice() -> None:
    """Law 5: seeds exist in tests and practice only."""
    for module in MODULES:
        if room(name_of(module)) == "practice":
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


def test_every_module_is_reached() -> None:
    """Nothing lies about: each module is imported or named by another, or is a verb's."""
    reached = Counter[str]()
    for module in MODULES:
        for name in imports(module) | named(module):
            reached[name if name in NAMES else name.rpartition(".")[0]] += 1
    for module in MODULES:
        name = name_of(module)
        if module.name != "__init__.py" and room(name) != "cli" and not is_migration(module):
            assert reached[name], f"{name} is imported by nothing"


def test_numbers_of_people_are_answers_to_queries() -> None:
    """Law 13: outside statistics nobody makes a number card; it is the answer to a query."""
    for module in MODULES:
        if room(name_of(module)) != "stats":
            made = {"ctdhub.stats.cards.card", "ctdhub.stats.estimator.Estimator"}
            assert not imports(module) & made, module
            assert "NumberCard(" not in module.read_text("utf-8"), module


def test_a_class_name_exists_once() -> None:
    """One name has one meaning: a reader who searches for it finds one class."""
    homes: dict[str, list[str]] = {}
    for module in (m for m in MODULES if not is_migration(m)):
        for node in ast.parse(module.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(name_of(module))
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}
