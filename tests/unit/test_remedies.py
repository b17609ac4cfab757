"""A remedy was tried: its commands, options and lines of YAML are right where they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import messages
import pyarrow as pa
import pytest
import typer
import yaml
from pydantic import ValidationError

from ctdhub.cli.app import command
from ctdhub.core.errors import catalogue, error
from ctdhub.core.i18n import LANGUAGES, language, page_forms, said
from ctdhub.dp.policy import Policy
from ctdhub.hub.folder import Agreement, HubSettings
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.linkage.pprl.columns import propose
from ctdhub.sensitive.mapping.mapping import Mapping as ColumnMapping
from ctdhub.sensitive.mapping.mapping import Rule
from ctdhub.sensitive.mapping.transform import A_NOTE, LIKE_A_RECORD

STORY_BRACES = {"story-number"}
"""What is typed into a story stands in two braces."""


@cache
def remedy(name: str, code: str) -> str:
    """What to do, as a reader sees it: every field filled with something that may stand there."""
    fields: dict[str, Any] = {f: FIELDS.get(f, "x") for f in catalogue()[name].placeholders}
    met = error(name, **fields | {"file": "a.csv", "row": 3, "line": 2, "column": "Genre"})
    with language(code):
        return met.fix.replace("\u200e", "")


FIELDS = {
    "command": "ctdhub build", "id": "our-ngo", "version": "2026.1", "lines": '{"Nom": strip}',
    "entry": '{alarm: "never-yes: gender", delivery: "2026-01-15"}',
}  # fmt: skip
EVERY = [(name, code) for name in catalogue() for code in LANGUAGES]
"""Entries and languages."""
ROOT: Any = typer.main.get_command(command())


def commands(text: str) -> Iterator[list[str]]:
    """What a text says to type, in backticks or not, from ``ctdhub`` and a verb on."""
    for typed in re.findall(r"`(ctdhub [^`]+)`", text):
        yield typed.split()
    for phrase in re.findall(r"\bctdhub [a-z]+[^.;,]*", re.sub("`[^`]*`", "", text)):
        if phrase.split()[1] in ROOT.commands:
            yield phrase.split()


@cache
def options_of(verb: Any) -> set[str]:
    """Options of a verb and of its inner verbs."""
    own = {o for p in verb.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
    return own.union(*map(options_of, getattr(verb, "commands", {}).values()))


def unknown(typed: list[str]) -> list[str]:
    """What of a command is no verb or no option of it."""
    verb: Any = ROOT
    for word in typed[1:]:
        if hasattr(verb, "commands") and re.fullmatch("[a-z]+", word):
            if word not in verb.commands and not getattr(verb, "invoke_without_command", False):
                return [word]
            verb = verb.commands.get(word, verb)
    return [w for w in typed if w.startswith("--") and w.partition("=")[0] not in options_of(verb)]


def test_a_remedy_names_commands_and_options_that_exist() -> None:
    some = options_of(ROOT)
    for name, code in EVERY:
        text = remedy(name, code)
        assert not [word for typed in commands(text) for word in unknown(typed)], (code, text)
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= some, (code, text)


def test_no_remedy_has_two_braces() -> None:
    found = {name for name, code in EVERY if re.search(r"\{\{|\}\}", remedy(name, code))}
    assert found <= STORY_BRACES


ALSO_IN_THE_KIT = [
    "cell-count", "duplicate-header", "empty-header", "no-header", "no-header/empty",
    "no-header/sheet", "no-sheet", "age-at/born-after", "age-at/no-birth", "age-at/no-day",
    "roles/none",
]  # fmt: skip
"""Errors about a file that kit, desk and command all meet."""


@pytest.mark.parametrize("name", ALSO_IN_THE_KIT)
def test_what_kit_and_desk_meet_has_a_remedy_without_a_command(name: str) -> None:
    here = re.sub(r"With the command[^.]*\.", "", remedy(name, "en"))
    assert here.strip()
    assert not re.search(r"--[a-z]|header_row|in the mapping", here), here


def test_columns_named_as_the_remedy_says_are_found() -> None:
    names = re.findall(r"[a-z]+_[a-z]+", remedy("roles/none", "en"))
    table = pa.table({name: ["x"] for name in names} | {"_row": [2]})
    roles = propose(RawTable("a.csv", "0" * 64, table, REJECTS.empty_table(), 1))
    assert roles == dict(zip(("given", "family", "birth", "place"), names, strict=True))


AGREEMENT = {
    "id": "our-ngo", "name": "Our NGO", "kind": "case_management", "years": [2002, 2030],
    "scope": "x", "legal_basis": "x", "consent_rule": "x", "retention": "x", "display_rule": "x",
    "deliveries": "cumulative",
}  # fmt: skip
RULE = {"from": "sex", "map": {"F": "female"}}
MAPPING = {"version": 1, "columns": {"gender": RULE}}


def _read(given: dict[str, Any]) -> Any:
    """A line below ``read`` of a mapping."""
    return ColumnMapping.model_validate(MAPPING | {"read": given})


def _rule(given: dict[str, Any]) -> Any:
    """A line of a rule of a mapping."""
    return ColumnMapping.model_validate(MAPPING | {"columns": {"gender": RULE | given}})


MODELS: list[tuple[str, type[Any], Callable[[dict[str, Any]], Any]]] = [
    ("agreement", Agreement, lambda given: Agreement.model_validate(AGREEMENT | given)),
    ("hub.yaml", HubSettings, lambda given: HubSettings.model_validate({"name": "x"} | given)),
    ("policy.yaml", Policy, Policy.model_validate),
    ("mapping", ColumnMapping, lambda given: ColumnMapping.model_validate(MAPPING | given)),
    ("mapping", ReadOptions, _read),
    ("mapping", Rule, _rule),
]
FILES = {name for name, _model, _take in MODELS}
NAMED_BY = {"agreement": "agree"}
PROSE = {
    "version: add", "columns: --columns", "has: x", "year: they", "lists: name",
    "lists: nombre", "key: x", "rows: x", "sources: اذكر",
}  # fmt: skip
"""What has the form of a line and is a sentence that goes on."""


def fields_of(model: type[Any]) -> set[str]:
    """Keys that a file may have."""
    return {f.alias or name for name, f in model.model_fields.items()}


KEYS = {key for _name, model, _take in MODELS for key in fields_of(model)}
VALUE = r"""\{(?:[^{}]|\{[^{}]*\})*\}|\[[^\]]*\]|"[^"]*"|'[^']*'|[\w-]+|\.(?= )"""


def lines_of_yaml(text: str) -> list[str]:
    """What looks like a line of a file of settings: a key that one has, and its value."""
    found = re.findall(rf"(?<![\w-])((?:{'|'.join(KEYS)}): (?:{VALUE}))", text)
    return [line for line in found if line not in PROSE]


def test_a_line_of_yaml_is_taken_by_the_file_that_it_is_for() -> None:
    for entry in catalogue().values():
        english = remedy(entry.name, "en")
        told = " ".join([*entry.what, english]).lower()
        named = {name for name in FILES if NAMED_BY.get(name, name) in told}
        lines = lines_of_yaml(english)
        for line in lines:
            took = {name for name, model, take in MODELS if _takes(model, take, line)}
            assert took & (named or FILES), (line, took, english)
        keys = [line.partition(" ")[0] for line in lines]
        for code in LANGUAGES[1:]:
            theirs = lines_of_yaml(remedy(entry.name, code))
            assert [line.partition(" ")[0] for line in theirs] == keys, (code, theirs, lines)


def _takes(model: type[Any], take: Callable[[dict[str, Any]], Any], line: str) -> bool:
    given = yaml.safe_load(line)
    if not set(given) <= fields_of(model):
        return False
    try:
        take(given)
    except ValidationError:
        return False
    return True


def test_lines_are_found_and_wrong_ones_refused() -> None:
    found = {line for name in catalogue() for line in lines_of_yaml(remedy(name, "en"))}
    assert {"left: {2026-06-15: gone}", "read: {header_row: 3}", "deliveries: cumulative"} <= found
    assert not any(_takes(model, take, "left: {2026: gone}") for _n, model, take in MODELS[2:])
    assert unknown(["ctdhub", "withdraw", "HUB", "--nobody"]) == ["--nobody"]
    assert unknown(["ctdhub", "key", "find", "--out", "FILE"]) == ["find"]


YAML = re.compile(
    r"header_row|\bunder `?read\b|`?\bread: |\bnotes: |--sheet|--header|\bas sheet\b|sheets: all"
)
"""What nobody can do who has no YAML and no command before them."""


def test_a_page_names_no_line_of_yaml_about_sheet_and_row_of_names() -> None:
    about = ("ingest", "mapping", "kit", "desk", "bundle")
    fixes = [s for e in catalogue().values() if e.room in about for s in e.fix]
    texts = [A_NOTE.message, LIKE_A_RECORD.message, *fixes]
    of_files = [s for e in catalogue().values() if e.room == "ingest" for s in e.fix]
    spoken = [text for text in texts if YAML.search(text)]
    spoken += [text for text in of_files if re.search("in the mapping|ctdhub suggest", text)]
    assert len(spoken) > 15
    workbooks = [s for e in catalogue().values() if "return-columns" in e.name for s in e.fix]
    forms = page_forms()
    assert set(spoken) - set(forms) - set(workbooks) == set()
    assert not [text for text in forms.values() if YAML.search(text)]
    known = {str(message.id) for message in messages.template()} - set(forms.values())
    assert set(forms) <= known
    for code in LANGUAGES:
        with language(code, page=True):
            told = said(error("sheets/several", n=2).remedy)
            assert not YAML.search(told)
            assert "`" not in told
        with language(code):
            assert "--sheet" in said(error("sheets/several", n=2).remedy)
