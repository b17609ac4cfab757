"""Each offered language is complete, keeps every placeholder, and leaves nothing stale."""

from __future__ import annotations

import ast
import re
from copy import deepcopy
from functools import cache
from pathlib import Path

import messages
import pytest
from babel import Locale
from tests.source import Nodes, Question, modules, none

from ctdhub.core.i18n import (
    LANGUAGES,
    NATIVE_NAMES,
    OPEN_GRAPH,
    RIGHT_TO_LEFT,
    LocalName,
    Text,
    _,
    language,
    said,
)

PLACEHOLDER = re.compile(r"\{[^{}]*\}|%\([a-z_]+\)s")


@cache
def _texts() -> set[object]:
    """All that is to be translated; read from the source by whoever runs these tests alone."""
    return {m.id for m in messages.template() if m.id}


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


UNUSED = {
    "fr": (r"\w'\w", "a straight apostrophe"),
    "es": (r"(?i)contribuyente", "a taxpayer: a contributor is una organización aportante"),
    "ar": (r"\u064b\u0627", "tanwin is written before the alif: اً"),
}


@pytest.mark.parametrize("code", UNUSED)
def test_a_language_keeps_to_its_spelling_and_words(code: str) -> None:
    pattern, why = UNUSED[code]
    forms = [text for m in messages.read(code) if m.id for text in messages.as_tuple(m.string)]
    assert not [text for text in forms if re.search(pattern, text)], why


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_language_is_complete(code: str) -> None:
    catalog = messages.read(code)
    translated = {m.id for m in catalog if m.id and m.string and all(messages.as_tuple(m.string))}
    assert translated == _texts(), "run `make messages` and translate what is empty"
    assert not any(m.fuzzy for m in catalog if m.id)


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_placeholders_survive(code: str) -> None:
    for message in messages.read(code):
        if not message.id:
            continue
        wanted = placeholders(messages.as_tuple(message.id)[-1])
        forms = messages.as_tuple(message.string)
        # A singular or dual form may say the number in a word.
        assert placeholders(forms[-1]) == wanted, message.id
        for form in forms:
            assert set(placeholders(form)) <= set(wanted), message.id


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_language_is_spoken(code: str) -> None:
    with language(code):
        assert _("What to do:") != "What to do:"


def test_arabic_is_written_in_arabic() -> None:
    for code in RIGHT_TO_LEFT:
        for message in messages.read(code):
            words = re.sub(
                r"https?://\S+|{.*?}|`.*?`", "", "".join(messages.as_tuple(message.string))
            )
            letters = [c for c in words if c.isalpha()]
            if message.id and len(letters) > 30:
                assert sum("\u0600" <= c <= "\u06ff" for c in letters) > len(letters) / 4, (
                    message.id
                )


@Question
def hidden(nodes: Nodes) -> list[int]:
    """Lines with a text in an f-string."""
    return [
        node.lineno
        for node in nodes
        if isinstance(node, ast.JoinedStr)
        for call in ast.walk(node)
        if getattr(getattr(call, "func", None), "id", "") in {"_", "ngettext", "Text", "many"}
    ]


def test_no_text_hides_in_an_f_string() -> None:
    """Extraction does not look into f-strings, so a text there would never be translated."""
    none(f"{module.place}:{line}" for module in modules() for line in hidden(module))


MADE_OF_TEXTS = {
    "core/i18n.py", "core/errors.py", "sensitive/mapping/mapping_file.py",
    "site/stories/page.py",
}  # fmt: skip
"""Modules that put texts together again, and one whose text is that of a story."""


@Question
def computed(nodes: Nodes) -> list[int]:
    """Lines with a text that is no literal."""
    return [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Text", "many")
        if not isinstance(node.args[0], ast.Constant)
    ]


def test_every_text_is_a_literal_that_can_be_collected() -> None:
    none(
        f"{module.place}:{line}"
        for module in modules()
        if module.place not in MADE_OF_TEXTS
        for line in computed(module)
    )


SPACED = {"fr": re.compile(r"(?:^|[^ -]) [:;?!%»]|« |\d%"), "es": re.compile(r" %|\d%|\d \d{3}")}
"""What breaks a line in the wrong place, or lacks the space that belongs there."""


@pytest.mark.parametrize("code", SPACED)
def test_signs_stay_with_their_words(code: str) -> None:
    """A no-break space stands before the high signs of French and per cent; code has none."""
    for message in messages.read(code):
        for form in messages.as_tuple(message.string) if message.id else ():
            assert not SPACED[code].search(re.sub(r"`.*?`", "", form)), form


@pytest.mark.parametrize("code", sorted(RIGHT_TO_LEFT))
def test_what_is_typed_keeps_its_order(code: str) -> None:
    for message in messages.read(code):
        for form in messages.as_tuple(message.string):
            assert form == messages.marked(form), "run `make messages`"
            assert not re.search(r"[A-Za-z0-9\"'] ?\u200e-", form), "cannot be copied"
            assert "\u200e" not in "".join(re.findall(r"`([^`]*)`", form)), form


@pytest.mark.parametrize("code", LANGUAGES[-1:])
def test_a_new_text_is_added_empty(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog, new = messages.read(code), deepcopy(messages.template())
    for text in ("A new text.", ("{n} new text", "{n} new texts")):
        new.add(text)
    catalog.update(new, no_fuzzy_matching=True)
    monkeypatch.setattr(messages, "PACKAGE", tmp_path)
    (tmp_path / "locale").mkdir()
    messages.write(code, catalog)
    found = messages.read(code)
    assert not found["A new text."].string
    assert not any(messages.as_tuple(found["{n} new text"].string))
    assert found["Country"].string


def test_every_language_has_a_name_a_direction_and_a_place_among_previews() -> None:
    assert tuple(NATIVE_NAMES) == tuple(OPEN_GRAPH) == LANGUAGES
    assert len(set(NATIVE_NAMES.values())) == len(LANGUAGES)
    backwards = {code for code in LANGUAGES if Locale.parse(code).text_direction == "rtl"}
    assert backwards == RIGHT_TO_LEFT
    assert all(place.startswith(f"{code}_") for code, place in OPEN_GRAPH.items())


def test_a_name_that_was_kept_before_a_language_came_is_said_in_english() -> None:
    kept = Text.from_json(Text("row {row}", row=LocalName(("Chad",))).as_json())
    for code in LANGUAGES:
        with language(code):
            assert "Chad" in said(kept)


def test_arabic_counts_take_the_case_of_their_number() -> None:
    """After 11 to 99 the counted noun is an accusative singular, after 100 a genitive; one and two
    are said by the noun and not written as numbers as well."""
    counted = r"\{(?:n|people|least|claim)\} "
    for message in messages.read("ar"):
        if isinstance(message.string, tuple) and len(set(message.string)) > 1:
            hundred, eleven = message.string[4:]
            assert not [form for form in message.string[1:3] if "({n})" in form], message.id
            assert hundred == eleven or not re.search(counted + r"\w*\u064b", hundred)
            for noun in re.findall(counted + r"(\w[\w\u064b-\u0652]*)", eleven):
                assert noun[-1] in "\u064bة" or noun in ("منها", "من"), (message.id, noun)
        around = " ".join(messages.as_tuple(message.string))
        assert not re.search(counted + "من ال(?:أشخاص|سجلات|سلاسل|صفوف)", around), message.id
