"""The table of verbs and the verbs agree both ways; the list needs neither Typer nor a room."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from typing import Any

import pytest
import typer
from tests.source import Nodes, Question, modules, none

import ctdhub
from ctdhub.cli import verbs
from ctdhub.cli.app import command
from ctdhub.cli.verbs import no_such_verb, overview
from ctdhub.core.i18n import LANGUAGES, _, language

VERBS = sorted(verbs.verbs())


def test_each_verb_stands_once_in_each_table() -> None:
    assert sorted(sum(verbs.modules().values(), ())) == VERBS
    assert sorted(sum(verbs.roles().values(), ())) == VERBS


@Question
def bare_counts(nodes: Nodes) -> list[int]:
    """Lines on which a sentence gets a number that is not in the numerals of its reader."""
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    of_sentences = [call for call in calls if ast.unparse(call.func).endswith(("say", ".format"))]
    values = [keyword.value for call in of_sentences for keyword in call.keywords]
    return [v.lineno for v in values if ast.unparse(v).startswith(("len(", "sum("))]


def test_counts_are_in_the_numerals_of_the_reader() -> None:
    none(f"{module.place}:{line}" for module in modules("cli") for line in bare_counts(module))


@pytest.mark.parametrize("module", verbs.modules())
def test_a_module_adds_the_verbs_that_the_table_says(module: str) -> None:
    for verb in verbs.modules()[module]:
        alone = typer.main.get_command(command(verb))
        assert sorted(alone.commands) == sorted(verbs.modules()[module])  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", LANGUAGES)
def test_helps_agree(code: str) -> None:
    with language(code):
        root = typer.main.get_command(command("no such verb"))
        found = {name: verb.help for name, verb in root.commands.items()}  # type: ignore[attr-defined]
        assert found == verbs.helps()


def test_the_table_says_of_each_parameter_what_it_is_and_of_no_other() -> None:
    shared, every = verbs._table()["shared"], verbs.functions()
    unused = {(name, key) for name, entry in every.items() for key in entry.get("options", ())}
    used = set[str]()

    def walk(one: Any, name: str) -> None:
        for inner, below in getattr(one, "commands", {}).items():
            walk(below, f"{name}_{inner}" if name else inner)
        for parameter in one.params:
            assert parameter.help, f"{name}: {parameter.name}"
            key = (name, parameter.name)
            used.update(() if key in unused else {parameter.name})
            unused.discard(key)

    walk(typer.main.get_command(command()), "")
    assert not unused
    assert set(shared) <= used


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_list_names_every_verb_by_role(code: str) -> None:
    with language(code):
        shown = overview(80)
        lines = shown.splitlines()
        assert max(map(len, lines)) <= 80
        for role, names in verbs.roles().items():
            start = lines.index(verbs.role_title(role))
            under = lines[start + 1 : lines.index("", start)]
            heads = [line.split()[0] for line in under if line[2:3].strip()]
            assert heads == list(names)
            for name in names:
                assert verbs.line(name) in re.sub(" +", " ", " ".join(under))
        assert "ctdhub demo" in shown
        assert "--help" in shown


def test_a_narrow_screen_breaks_lines() -> None:
    with language("en"):
        lines = overview(50).splitlines()
    assert max(map(len, lines[:-3])) <= 50  # what is copied at the end is not broken


def test_a_wrong_verb_is_told_the_nearest(ctdhub) -> None:  # type: ignore[no-untyped-def]
    code, out, err = ctdhub("biuld", "--no-such-option")
    assert (code, out) == (2, "")
    assert "rule usage" in err
    assert "`ctdhub build`" in err
    assert "`ctdhub --help`" in err


def test_what_is_like_no_verb_gets_the_list() -> None:
    assert no_such_verb("xyzzy").fix == _("`{command} --help` shows what is possible.").format(
        command="ctdhub"
    )


@pytest.mark.parametrize(("words", "code"), [((), 2), (("--help",), 0), (("-h", "build"), 0)])
def test_the_list_is_printed(ctdhub, words: tuple[str, ...], code: int) -> None:  # type: ignore[no-untyped-def]
    ended, out, err = ctdhub(*words)
    assert (ended, err) == (code, "")
    with language("en"):
        assert out == overview()


def test_an_unknown_option_of_the_command_is_told(ctdhub) -> None:  # type: ignore[no-untyped-def]
    code, _out, err = ctdhub("--bogus")
    assert code == 2
    assert "--bogus" in err


def test_the_command_is_a_module_too() -> None:
    command = [sys.executable, "-m", "ctdhub", "--version"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ctdhub.__version__
