"""A refusal is a page in desk and kit, whatever it names; a fault is a line of the log."""

from __future__ import annotations

import ast
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import nodes

from ctdhub.desk import errors, rendering
from tests.desk import refusals
from tests.desk.desks import Desk

PACKAGE = Path(rendering.__file__).parents[1]
GLOBALS = set(rendering.environment().globals)
AT_THE_FAULT = r"tests\.desk\.refusals:\d+|__main__:\d+"


def test_every_rule_has_its_page_at_the_desk(desk: Desk) -> None:
    request = desk.client_of("steward").get("/").wsgi_request
    assert not refusals.wrong_pages(request)


def test_every_rule_has_its_page_in_the_kit_and_a_fault_is_logged(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.desk.refusals", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    (line,) = done.stderr.splitlines()
    _names_the_fault(json.loads(line))


def test_a_fault_of_the_desk_is_logged_by_type_and_place(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ctdhub.desk.views.home.first_steps", refusals.fails)
    page = desk.client_of("steward", raise_request_exception=False).get("/")
    assert page.status_code == 500
    (line,) = [errors.JsonLines().format(r) for r in caplog.records if r.name == "ctdhub.desk"]
    _names_the_fault(json.loads(line))
    assert json.loads(line)["event"].removeprefix("error ") in page.content.decode()


def test_a_page_of_a_refusal_that_fails_is_logged_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise refusals.error("cell-size", file="a.csv", row=3, limit=9)

    monkeypatch.setattr("ctdhub.desk.views.home.first_steps", refuse)
    monkeypatch.setattr("ctdhub.desk.middleware.error_page", refusals.fails)
    assert desk.client_of("steward", raise_request_exception=False).get("/").status_code == 500
    (line,) = [errors.JsonLines().format(r) for r in caplog.records if r.name == "ctdhub.desk"]
    _names_the_fault(json.loads(line))


def _names_the_fault(line: dict[str, str]) -> None:
    assert line["error"] == "ValueError"
    assert re.fullmatch(AT_THE_FAULT, line["at"].rpartition(" > ")[2])
    assert refusals.VALUE not in json.dumps(line)


@pytest.mark.parametrize("logger", [logging.getLogger("ctdhub.desk"), logging.getLogger("django")])
def test_a_line_of_the_log_holds_no_words_of_an_error(logger: logging.Logger) -> None:
    try:
        refusals.fails()
    except ValueError:
        record = logger.makeRecord("x", 40, "", 0, "met %s", ("x",), sys.exc_info())
    assert refusals.VALUE not in errors.JsonLines().format(record)


def test_no_page_hides_a_function_of_the_templates() -> None:
    assert not [place for place, name in _given_to_templates() if name in GLOBALS]
    assert not [place for place, name in _set_in_templates() if name in GLOBALS]


def _given_to_templates() -> Iterator[tuple[str, str]]:
    """Names that modules of desk and kit give to their templates; rows of lists are none."""
    for room in ("desk", "kit"):
        for file in sorted((PACKAGE / room).rglob("*.py")):
            tree = ast.parse(file.read_text("utf-8"))
            if "render(" not in ast.unparse(tree) and file.name not in ("middleware.py", "gate.py"):
                continue
            inner = {id(n) for row in ast.walk(tree) if _is_a_row(row) for n in ast.walk(row)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Dict) and id(node) not in inner:
                    keys = [k for k in node.keys if isinstance(k, ast.Constant)]
                elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                    keys = [node.slice] if isinstance(node.slice, ast.Constant) else []
                else:
                    continue
                yield from ((f"{file.name}:{k.lineno}", str(k.value)) for k in keys)


def _is_a_row(node: ast.AST) -> bool:
    """Whether dictionaries inside are parts of something else than what a template is given."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) not in ("render", "render_to_string", "HttpResponse")
    return isinstance(node, (ast.List, ast.ListComp, ast.GeneratorExp, ast.DictComp))


def _set_in_templates() -> Iterator[tuple[str, str]]:
    """Names that a template sets itself: by loops, arguments of macros, ``set`` and imports."""
    made = rendering.environment()
    for room in ("desk", "kit"):
        for file in sorted((PACKAGE / room / "templates").rglob("*.html")):
            tree = made.parse(file.read_text("utf-8"))
            for name in tree.find_all(nodes.Name):
                if name.ctx in ("store", "param"):
                    yield f"{file.name}:{name.lineno}", name.name
            for macro in tree.find_all(nodes.Macro):
                yield f"{file.name}:{macro.lineno}", macro.name
            for taken in tree.find_all(nodes.FromImport):
                names = [n if isinstance(n, str) else n[1] for n in taken.names]
                yield from ((f"{file.name}:{taken.lineno}", name) for name in names)


def test_the_search_for_hidden_functions_sees_both_ways() -> None:
    given = {(place.partition(":")[0], name) for place, name in _given_to_templates()}
    assert {("errors.py", "quoted"), ("operation.py", "result"), ("middleware.py", "menu")} <= given
    assert {name for _, name in _set_in_templates()} >= {"above", "answer"}
    assert {"number", "said", "url"} <= GLOBALS
