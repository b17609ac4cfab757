"""The tree tells the story: zones import one way, the border holds, modules stay small."""

from __future__ import annotations

import ast
from collections import Counter

from tests.source import PACKAGE, Module, Nodes, Question, imports, modules, none

# A room and the rooms that it may import, beside itself.
ARROWS = {
    "core": "",
    "border": "",
    "schema": "core",
    "document": "core",
    "client": "core",
    "practice": "core schema document",
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
ASSEMBLY = {"api", "hub", "cli", "ctdhub", "desk.worker"}

# Modules of the desk that the kit holds too: they know neither accounts nor the database.
BOTH_DOORS = {"allowed", "assets", "errors", "registry", "rendering", "roles", "screens"}

RIGHT_OF_BORDER = {"release", "stats", "report", "site", "client"}
PUBLIC_PACKAGES = {"ctdhub", "ctdhub.client"}
"""Packages whose files export names; all others hold a docstring only."""


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


NAMES = {module.name for module in modules()}


def own(module: Module) -> set[str]:
    """Modules and names below ctdhub that a module imports."""
    return {name for name in imports(module) if name.startswith("ctdhub.")}


@Question
def named(nodes: Nodes) -> set[str]:
    """Modules and names below ctdhub that a module writes as texts, as Django's settings do."""
    texts = (n.value for n in nodes if isinstance(n, ast.Constant))
    return {text for text in texts if isinstance(text, str) and text.startswith("ctdhub.")}


def rooms(module: Module) -> set[str]:
    """Rooms that a module imports."""
    return {room(n if n in NAMES else n.rpartition(".")[0]) for n in own(module)}


def may_import(here: str, there: str) -> bool:
    """Whether a room may import another; the zone itself is none."""
    allowed = {here, *ARROWS.get(here, "").split()}
    inside = there.startswith(f"{here}.") and here != "desk"
    return there != "sensitive" and (there in allowed or inside)


def test_imports_go_one_way() -> None:
    none(
        f"{module.place} ({room(module.name)}) imports {there}"
        for module in modules()
        if room(module.name) not in ASSEMBLY
        for there in sorted(rooms(module))
        if not may_import(room(module.name), there)
    )


def test_border_is_the_only_way_through() -> None:
    """What is right of the border holds nothing of the zones before it, whatever the lists say."""
    none(
        f"{module.place} imports {there}"
        for module in modules()
        if room(module.name) in RIGHT_OF_BORDER
        for there in sorted(rooms(module))
        if there in {"dp", "kanon"} or there.startswith("sensitive")
    )


def test_only_dp_mints_and_only_release_restores() -> None:
    may = {"ctdhub.border.mint": {"dp"}, "ctdhub.border.restore": {"dp", "release"}}
    none(
        f"{module.place} imports {name}"
        for module in modules()
        for name, homes in may.items()
        if name in own(module) and room(module.name) not in homes
    )
    none(
        f"{module.place} names _MINT"
        for module in modules()
        if module.place != "border.py" and "_MINT" in module.text
    )


@Question
def introduction(nodes: Nodes) -> str:
    """How a module introduces itself."""
    return ast.get_docstring(nodes[0]) or ""  # type: ignore[arg-type]


def test_modules_are_nouns_and_introduce_themselves() -> None:
    none(
        f"{module.place} has over 1,000 lines: a noun is found inside it"
        for module in modules()
        if module.text.count("\n") > 1000 and not module.is_migration
    )
    none(
        f"{module.place} does not say what it is for"
        for module in modules()
        if not introduction(module)
    )
    nothing = {"utils", "helpers", "common", "misc"}
    none(f"{m.place} is a name of nothing" for m in modules() if m.path.stem in nothing)


@Question
def statements(nodes: Nodes) -> int:
    """How many statements a module has."""
    return len(nodes[0].body)  # type: ignore[attr-defined]


def test_package_files_hold_a_docstring_and_nothing_else() -> None:
    none(
        f"{module.place} holds more than a docstring"
        for module in modules()
        if module.path.name == "__init__.py" and module.name not in PUBLIC_PACKAGES
        if statements(module) != 1
    )
    folders = {module.path.parent for module in modules()}
    none(f"{f} has no package file" for f in folders if not (f / "__init__.py").is_file())


def test_pipeline_is_a_short_text() -> None:
    assert (PACKAGE / "hub" / "pipeline.py").read_text("utf-8").count("\n") < 130


@Question
def attributes(nodes: Nodes) -> set[str]:
    """The attributes that a module uses."""
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_no_seedable_generator_outside_practice() -> None:
    """Law 5: seeds exist in tests and practice only."""
    seedable = {"default_rng", "RandomState", "seed"}
    none(
        f"{module.place}: {name}"
        for module in modules()
        if room(module.name) != "practice"
        for name in attributes(module) & seedable
    )
    none(
        f"{module.place} imports random"
        for module in modules()
        if room(module.name) != "practice"
        if any(name.partition(".")[0] == "random" for name in imports(module))
    )


def test_nothing_unfinished() -> None:
    marks = ("raise NotImplementedError", "TO" + "DO", "FIX" + "ME", "except Exception")
    none(f"{module.place}: {mark}" for module in modules() for mark in marks if mark in module.text)


def test_every_module_is_reached() -> None:
    """Nothing lies about: each module is imported or named by another, or is a verb's."""
    reached = Counter[str]()
    for module in modules():
        for name in own(module) | named(module):
            reached[name if name in NAMES else name.rpartition(".")[0]] += 1
    none(
        f"{module.place} is imported by nothing"
        for module in modules()
        if module.path.name != "__init__.py" and room(module.name) != "cli"
        if not module.is_migration and not reached[module.name]
    )


def test_numbers_of_people_are_answers_to_queries() -> None:
    """Law 13: outside statistics nobody makes a number card; it is the answer to a query."""
    made = {"ctdhub.stats.cards.card", "ctdhub.stats.estimator.Estimator"}
    none(
        f"{module.place} makes a number card"
        for module in modules()
        if room(module.name) != "stats"
        if own(module) & made or "NumberCard(" in module.text
    )


@Question
def classes(nodes: Nodes) -> list[str]:
    """The classes that a module names."""
    return [n.name for n in nodes[0].body if isinstance(n, ast.ClassDef)]  # type: ignore[attr-defined]


def test_a_class_name_exists_once_in_a_room() -> None:
    """Who reads a room and searches for a name finds one class."""
    homes: dict[tuple[str, str], list[str]] = {}
    for module in (m for m in modules() if not m.is_migration):
        for name in classes(module):
            homes.setdefault((room(module.name), name), []).append(module.place)
    none(f"{name}: {found}" for (_, name), found in homes.items() if len(found) > 1)
