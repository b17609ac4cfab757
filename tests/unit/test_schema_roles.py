"""Rooms ask for roles, not for names of variables; every public variable is shown somewhere."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from tests.source import PACKAGE, Nodes, Question, modules, none

from ctdhub.schema.model import load_schema

NAMED = ("schema", "practice", "site/api", "client")
"""Rooms that may name variables: the schema itself, fictitious data, the published interface."""

LITERALS = {
    "gender": {  # names of published files and anchors, and columns of mandated tables
        "report/figures.py", "report/brief/sections.py", "report/brief/make.py",
        "site/course.py",
    },
    "citizenship": {
        "report/mandated.py", "stats/mandated/tables.py",
    },
}  # fmt: skip
"""Published names that a variable happens to share: this list only shrinks."""


@Question
def literals(nodes: Nodes) -> set[str]:
    """Variables that a module names in its texts, docstrings and messages left out."""
    left_out = set()
    for node in nodes:
        if isinstance(node, ast.Expr):
            left_out.add(id(node.value))
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in {"_", "ngettext", "Text", "many"}:
            left_out |= {id(arg) for arg in node.args}
    names = {variable.name for variable in load_schema().variables()}
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and node.value in names and id(node) not in left_out
    }


def test_no_room_names_a_variable() -> None:
    none(
        f"{module.place} names {name}: use ctdhub.schema.model"
        for module in modules()
        if not module.place.startswith(NAMED)
        for name in sorted(literals(module))
        if module.place not in LITERALS.get(name, ())
    )


def test_every_public_variable_has_a_chart_of_its_own_or_its_groups() -> None:
    schema = load_schema()
    shown = set(schema.explorer)
    for variable in schema.table("people"):
        if variable.public and variable.kind != "status":  # assistance has a page
            assert {variable.name, variable.group, variable.any_of} & shown, variable.name


def test_a_variable_may_have_another_name(tmp_path: Path) -> None:
    """The software runs on a copy whose schema calls two variables otherwise."""
    copy = tmp_path / "ctdhub"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (copy / "schema" / "data").rglob("*.yaml"):
        text = file.read_text("utf-8")
        for old, new in (("age_band", "age_group"), ("year_of_registration", "year_seen")):
            text = text.replace(old, new)
        file.write_text(text, "utf-8")
    code = (
        "from ctdhub.dp.policy import Policy\n"
        "from ctdhub.schema import model as roles; from ctdhub.schema.model import load_schema\n"
        "import ctdhub.site.build, ctdhub.stats.signals.events as signals\n"
        "assert roles.AGE == 'age_group' and signals.PARTS[1] == 'age_group'\n"
        "assert load_schema().explorer[:1] == ('year_seen',)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
