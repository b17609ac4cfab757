"""A step's key covers the program that it runs: each byte inside counts, none outside."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest
from tests.source import PACKAGE, Nodes, Question, modules, none

from ctdhub.core.i18n import said
from ctdhub.hub.steps import EXEMPT, Step, Tree, installed, software

STAGES = "ctdhub.hub.stages."


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package to change; its modules are read, never run."""
    target = tmp_path_factory.mktemp("package") / "ctdhub"
    return Path(shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__")))


INSIDE = [
    ("harmonise", "sensitive/mapping/evaluation.py"),
    ("harmonise", "sensitive/ingest/__init__.py"),
    ("harmonise", "schema/data/variables.yaml"),
    ("link", "hub/stages/link.py"),
    ("link", "sensitive/linkage/people.py"),
    ("protect", "dp/noise.py"),
    ("protect", "dp/synth/fit.py"),
    ("candidate", "release/bundle.py"),
    ("publish", "release/approvals.py"),
    ("site", "core/i18n.py"),
    ("site", "locale/es.po"),
    ("site", "release/open.py"),
]
OUTSIDE = [
    ("harmonise", "site/build.py"),
    ("harmonise", "dp/noise.py"),
    ("harmonise", "release/bundle.py"),
    ("harmonise", "hub/pipeline.py"),
    ("link", "site/build.py"),
    ("candidate", "site/build.py"),
    ("candidate", "dp/synth/fit.py"),
    ("site", "sensitive/mapping/evaluation.py"),
    ("site", "dp/synth/fit.py"),
    ("protect", "cli/hub.py"),
]


@pytest.fixture(scope="module")
def whole(copied: Path) -> Tree:
    """The copy as it was before any change."""
    return Tree(copied)


def reason(stage: str, whole: Tree, changed: str, output: Path) -> str | None:
    """Why a step of that stage runs after one byte of a file changed."""

    def step(tree: Tree) -> Step:
        program = tree.software(STAGES + stage)
        return Step(stage, {"file": "same"}, output, lambda folder: None, program)

    step(whole).refresh()
    assert step(whole).reason() is None
    file, later = whole.root / changed, Tree(whole.root)
    later._read = {path: found for path, found in whole._read.items() if path != file}
    content = file.read_bytes()
    file.write_bytes(content + b"\n")
    try:
        why = step(later).reason()
        return said(why) if why else None
    finally:
        file.write_bytes(content)


@pytest.mark.parametrize(("stage", "file"), INSIDE)
def test_one_byte_inside_names_the_step_and_the_file(
    stage: str, file: str, whole: Tree, tmp_path: Path
) -> None:
    assert reason(stage, whole, file, tmp_path / "out") == f"changed: software: {file}"


@pytest.mark.parametrize(("stage", "file"), OUTSIDE)
def test_one_byte_outside_leaves_the_step_alone(
    stage: str, file: str, whole: Tree, tmp_path: Path
) -> None:
    assert reason(stage, whole, file, tmp_path / "out") is None


def test_many_changed_files_are_counted(tmp_path: Path) -> None:
    def step(version: str) -> Step:
        program = {f"{name}.py": version for name in "abcd"}
        return Step("x", {}, tmp_path / "out", lambda folder: None, program)

    step("1").refresh()
    why = step("2").reason()
    assert why is not None
    assert said(why) == "changed: software: 4 files"


def package(root: Path, **texts: str) -> Tree:
    """An invented package ``p`` of these modules; "__" stands for a dot."""
    for name, text in texts.items():
        file = root.joinpath("p", *name.split("__")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        for folder in (file.parent, root / "p"):
            (folder / "__init__.py").touch()
    return Tree(root / "p", "p")


def test_late_imports_count_and_those_for_checkers_do_not(tmp_path: Path) -> None:
    tree = package(
        tmp_path,
        a="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import p.only\nelse:\n"
        "    import p.other\n\n\ndef f():\n    from p.far import late\n",
        only="",
        other="",
        far__late="import p.deep.down\n",
        far__not="",
        deep__down="from p import a\n",
    )
    assert set(tree.modules("p.a")) == {
        "p", "p.a", "p.other", "p.far", "p.far.late", "p.deep", "p.deep.down",
    }  # fmt: skip


def test_what_lies_beside_modules_counts_wherever_modules_lie(tmp_path: Path) -> None:
    tree = package(tmp_path, room__a="import json, numpy\n", other__b="")
    for place in ("room/data/deep/x.yaml", "room/y.html", "other/z.yaml", "room/__pycache__/c.pyc"):
        file = tmp_path / "p" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1")
    found = tree.software("p.room.a")
    assert set(found) == {
        "__init__.py", "room/__init__.py", "room/a.py", "room/data/deep/x.yaml", "room/y.html",
        "numpy", "python",
    }  # fmt: skip
    assert found["numpy"].count(".") == 2
    with pytest.raises(ModuleNotFoundError):
        tree.software("p.room.missing")


def test_relative_imports_are_refused_instead_of_missed(tmp_path: Path) -> None:
    with pytest.raises(ImportError):
        package(tmp_path, a="from . import b\n", b="").software("p.a")


LOOK_UP = {
    "core/files.py": "looks for modules of the standard library that not every system has",
    "desk/processes.py": "starts a process of the desk, of which no step is made",
    "__init__.py": "the public names, by which no module of the package calls another",
}
"""Modules that may import by a name put together, and why closures miss nothing by it."""


@Question
def put_together(nodes: Nodes) -> list[int]:
    """Lines that import by a name that is not written out."""
    return [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Call)
        if getattr(node.func, "attr", getattr(node.func, "id", "")) in IMPORTING
        if not (node.args and known(node.args[0]))
    ]


def test_nothing_is_imported_by_a_name_put_together() -> None:
    """The text tells all imports, but where a step cannot come from."""
    none(
        f"{module.place}:{line} imports by a name put together"
        for module in modules()
        if module.place.partition("/")[0] not in EXEMPT and module.place not in LOOK_UP
        for line in put_together(module)
    )


IMPORTING = ("import_module", "__import__")


def known(name: ast.expr) -> bool:
    """Whether a name is written out, and none of ours."""
    return isinstance(name, ast.Constant) and not str(name.value).startswith("ctdhub")


def test_each_stage_reaches_what_it_is_about_and_not_the_rooms_after_it() -> None:
    reached = {
        stage: {name.split("/")[0] for name in software(STAGES + stage) if name.endswith(".py")}
        for stage in ("harmonise", "link", "protect", "candidate", "publish", "site")
    }
    assert not reached["harmonise"] & {"site", "report", "stats", "release", "dp", "cli"}
    for stage in ("link", "protect", "candidate", "publish"):
        assert not reached[stage] & {"site", "report", "stats", "cli"}, stage
    assert "sensitive" in reached["link"]
    assert "dp" in reached["protect"]
    assert {"release", "report", "site", "stats"} <= reached["site"]


def test_each_module_is_read_once() -> None:
    tree = installed()
    assert tree.software(STAGES + "site") is tree.software(STAGES + "site")
