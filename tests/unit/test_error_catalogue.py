"""Rules, their uses in the source, their translations and their page agree, both ways."""

from __future__ import annotations

import ast
import json
import pickle
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import messages
import pytest
import rules
import yaml
from tests.source import Nodes, Question, modules, none

from ctdhub.core import errors
from ctdhub.core.errors import (
    CatalogueEntry,
    HostileFile,
    HubError,
    UnreadableFile,
    as_json,
    catalogue,
    error,
    from_json,
)
from ctdhub.core.i18n import (
    LANGUAGES,
    LocalName,
    Numeral,
    Several,
    Text,
    in_english,
    joined,
    language,
    many,
    said,
)

CATALOGUE = catalogue()
PLACES = {"file", "row", "line", "column"}
TREE = {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, HubError)}


@dataclass(frozen=True)
class Use:
    """A call of :func:`error` in the source: the entries that it may name and what it gives."""

    where: str
    names: tuple[str, ...]
    given: frozenset[str]


RAISING = [m for m in modules() if m.path.name not in ("errors.py", "error_catalogue.py")]


def _literals(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.IfExp):
        return (*_literals(node.body), *_literals(node.orelse))
    return (node.value,) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ()


@Question
def _named(nodes: Nodes) -> list[tuple[int, tuple[str, ...], frozenset[str]]]:
    """Line of a use, the entries that it may name and what it gives."""
    return [
        (call.lineno, _literals(call.args[0]), frozenset(k.arg or "**" for k in call.keywords))
        for call in nodes
        if isinstance(call, ast.Call)
        if isinstance(call.func, ast.Name) and call.func.id == "error"
    ]


@cache
def _uses() -> list[Use]:
    return [
        Use(f"{m.place}:{line}", names, given) for m in RAISING for line, names, given in _named(m)
    ]


ALLOWED = {
    "agreed", "at", "budget", "columns", "cost", "domains", "encoding", "faults", "first",
    "format", "id", "k", "kept", "last", "left", "limit", "lines", "most", "n",
    "name", "names", "people", "place", "places", "reason", "refusal", "row",
    "tests", "text", "used", "why",
}  # fmt: skip
"""What may stand in errors of the rooms that see case records: limits, numbers, names of columns
and settings, places, texts of the software, the noisy number of people.  A field that is not here
is looked at first: it must never be the value of a cell."""
SEE_RECORDS = {"ingest", "mapping", "linkage", "consent", "dp", "kanon"}


def test_every_rule_that_is_raised_is_in_the_catalogue_and_none_is_left_over() -> None:
    assert not [use.where for use in _uses() if not use.names], "the name must be a literal"
    raised = {name for use in _uses() for name in use.names}
    assert raised == set(CATALOGUE)


def _fault(use: Use, entry: CatalogueEntry) -> str:
    """What is wrong with a use of an entry."""
    if use.given - PLACES - {"rule"} != entry.placeholders - PLACES:
        return "gives other fields than its sentences have"
    if not entry.placeholders & PLACES <= use.given:
        return "lacks a place that its sentences name"
    # What was found decides the rule: then the entry says as which it may be shown.
    if ("rule" in use.given) != bool(entry.rules or entry.rule == "system"):
        return "gives a rule, or none, against its entry"
    return ""


def test_an_error_is_given_exactly_its_fields() -> None:
    none(
        f"{use.where}: {name} {fault}"
        for use in _uses()
        for name in use.names
        if name in CATALOGUE and (fault := _fault(use, CATALOGUE[name]))
    )


@Question
def _made(nodes: Nodes) -> list[str]:
    """Lines that make an error themselves."""
    names = {kind.__name__ for kind in TREE}
    return [
        f"{call.lineno}: {called}"
        for call in nodes
        if isinstance(call, ast.Call)
        if (called := getattr(call.func, "attr", getattr(call.func, "id", ""))) in names
    ]


def test_nothing_but_the_catalogue_makes_errors() -> None:
    none(f"{module.place}:{made}" for module in RAISING for made in _made(module))


def test_every_class_of_the_tree_is_used() -> None:
    used = {entry.kind for entry in CATALOGUE.values()}
    assert not {c.__name__ for c in TREE - used if not TREE & set(c.__subclasses__())}


def test_names_are_words_with_hyphens_and_stand_once() -> None:
    word = r"[a-z0-9]+(?:-[a-z0-9]+)*"
    assert all(re.fullmatch(rf"{word}(?:/{word})?", name) for name in CATALOGUE)
    assert all(re.fullmatch(word, rule) for e in CATALOGUE.values() for rule in e.rules)
    files = sorted((messages.PACKAGE / "core" / "errors").glob("*.yaml"))
    written = [n for f in files for n in re.findall(r"^(\S+):$", f.read_text("utf-8"), re.M)]
    assert sorted(written) == sorted(CATALOGUE)
    keys = {"class", "what", "fix", "doc", "rules"}
    for file in files:
        assert all(set(e) <= keys for e in yaml.safe_load(file.read_text("utf-8")).values())


def test_no_field_can_hold_the_value_of_a_record() -> None:
    fields = {
        field: entry.name
        for entry in CATALOGUE.values()
        if entry.room in SEE_RECORDS
        for field in entry.placeholders - PLACES
    }
    assert not {name for field, name in fields.items() if field not in ALLOWED}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_sentence_says_its_fields_in_every_language(code: str) -> None:
    with language(code):
        for entry in CATALOGUE.values():
            marks = {name: 100.0 + i for i, name in enumerate(sorted(entry.placeholders))}
            for sentence in entry.what + entry.fix:
                fields = {n: v for n, v in marks.items() if re.search(rf"\{{{n}\b", sentence)}
                words = said(Text(sentence, **fields))
                assert all(f"{value:g}" in words for value in fields.values()), entry.name


def test_an_error_is_shown_in_the_language_of_its_reader() -> None:
    with language("fr"):
        met = error("cell-size", file="in/a.csv", row=3, column="B", limit=32767)
    assert isinstance(met, HostileFile)
    assert met.spoken == "fr"
    stored = json.loads(json.dumps(as_json(met)))
    for one in (met, from_json(stored), pickle.loads(pickle.dumps(met))):
        assert (one.file, one.row, one.column, one.rule) == ("a.csv", 3, "B", "cell-size")
        with language("en"):
            assert one.what == "A cell is longer than 32767 characters."
            assert one.where() == "file a.csv, row 3, column B, rule cell-size"
        with language("es"):
            assert re.match(r"Una celda.* 32767 ", one.what)
            assert one.where().startswith("archivo a.csv")


def test_a_variant_is_shown_as_its_rule_and_keeps_its_own_sentences() -> None:
    met = error("content/other-format", file="a.csv", format="PDF")
    assert isinstance(met, UnreadableFile)
    assert (met.rule, met.name) == ("content", "content/other-format")
    assert from_json(as_json(met)).what == met.what == "The content is PDF, not a table."


def test_what_was_found_decides_the_rule_where_the_entry_says_so() -> None:
    met = error("system/full", file="a.csv", rule="enospc")
    assert from_json(as_json(met)).rule == met.rule == "enospc"


def test_a_sentence_about_several_things_is_said_anew_in_each_language() -> None:
    met = error("usage/near-verb", names=joined(["a", "b"], Text(", ")), command="ctdhub")
    with language("ar"):
        assert "a، b" in met.fix
    again = from_json(json.loads(json.dumps(as_json(met))))
    assert again.fix == "Spelt almost like it: a, b. `ctdhub --help` shows what is possible."


def test_texts_are_compared_by_what_they_say_and_survive_json() -> None:
    one, two = "{n} person withdrew.", "{n} people withdrew."
    text = many(one, two, 2)
    assert text == many(one, two, 2) != many(one, two, 3)
    assert hash(text) == hash(many(one, two, 2))
    assert said(Text.from_json(json.loads(json.dumps(text.as_json())))) == "2 people withdrew."
    assert said(many(one, two, 1)) == "1 person withdrew."
    inside = Text("{fault}", fault=text)
    assert Text.from_json(inside.as_json()) == inside
    assert said(Text("{ } stands as it is")) == "{ } stands as it is"


def test_the_page_of_rules_is_that_of_the_catalogue() -> None:
    assert rules.PAGE.read_text("utf-8") == rules.page(), "run `make rules`"
    headings = re.findall(r"^## (\S+)$", rules.page(), re.M)
    assert len(headings) == len(set(headings))
    assert {rule for e in CATALOGUE.values() for rule in (e.rules or (e.rule,))} == set(headings)


def test_every_rule_that_the_documentation_names_is_one() -> None:
    known = {rule for entry in CATALOGUE.values() for rule in (entry.rules or (entry.rule,))}
    for page in Path(__file__).parents[2].glob("docs/**/*.md"):
        named = re.findall(r"\brule `([a-z0-9-]+)`", page.read_text("utf-8"))
        assert not set(named) - known, page.name


def test_what_each_language_writes_its_own_way_survives_json() -> None:
    germany = LocalName(("Germany", "Allemagne", "Alemania", "ألمانيا"))
    text = Text("{n} of {places}", n=Numeral(12345), places=Several((germany, Text("All people"))))
    assert Text.from_json(json.loads(json.dumps(text.as_json()))) == text
    with language("en"):
        assert said(text) == "12,345 of Germany and All people"
    with language("es"):
        assert "12\u202f345" in said(text)
        assert "Alemania y " in said(text)
        assert in_english(text) == "12,345 of Germany and All people"
    assert said(Text("{ab}", ab=Several(("a" * 9, "b" * 9), 12))).startswith("a" * 9)
    assert len(said(Text("{ab}", ab=Several(("a" * 9, "b" * 9), 12)))) <= 13


def test_an_error_says_the_column_that_its_sentences_name() -> None:
    met = error("workbench-column", column="Genre")
    assert (met.what, met.column) == ("The file has no column Genre.", "Genre")
