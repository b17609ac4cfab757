"""Translated pages say what the English pages say: code, links, numbers, shape and freshness."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import translated
import yaml

from ctdhub.core.i18n import RIGHT_TO_LEFT

DOCS = translated.DOCS
PAGES = [(code, name) for code in translated.LANGUAGES for name in translated.names(code)]
BLOCK = re.compile(r"^( *)```([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
SEVERAL_LINES = re.MULTILINE | re.DOTALL
RIGHT_TO_LEFT_PAGES = [p for code in sorted(RIGHT_TO_LEFT) for p in (DOCS / code).glob("*.md")]
MARKS = re.compile("[\u200e\u200f\u2066-\u2069]")
page_of_a_language = pytest.mark.parametrize(
    ("code", "name"), PAGES, ids=[f"{code}/{name}" for code, name in PAGES]
)


def both(code: str, name: str) -> tuple[str, str]:
    """The English page without its line of translations, and a translation of it."""
    page = translated.english(name).read_text("utf-8")
    page = "\n".join(line for line in page.splitlines() if not line.startswith(translated.LINKS))
    return page, MARKS.sub("", (DOCS / code / f"{name}.md").read_text("utf-8"))


def plain(text: str) -> str:
    """Sentences alone: no blocks of code, no typed words, no targets of links."""
    return re.sub(r"`[^`]*`", " ", LINK.sub("]", BLOCK.sub("", text)))


def shape(given: Any) -> Any:
    """A document of keys and values in which a sentence may be said in another language."""
    if isinstance(given, dict):
        return {key: shape(value) for key, value in given.items()}
    if isinstance(given, list):
        return [shape(value) for value in given]
    return "…" if isinstance(given, str) and " " in given else given


def blocks(text: str) -> Iterator[tuple[str, Any]]:
    """What is typed or written in each block of code, without comments."""
    for _indent, kind, body in BLOCK.findall(text):
        lines = [re.sub(r"(?:^|\s)#\s.*$", "", line).strip() for line in body.splitlines()]
        yield kind, shape(yaml.safe_load(body)) if kind == "yaml" else [x for x in lines if x]


def typed(text: str) -> set[str]:
    """What stands between single backticks, in sentences."""
    return {" ".join(words.split()) for words in re.findall(r"`([^`]+)`", BLOCK.sub("", text))}


def numbers(text: str) -> set[str]:
    """The numbers in sentences, however a language groups and divides digits."""
    found = re.findall("\\d+(?:[.,\u066b\u066c\u00a0\u202f]\\d+)*", plain(text))
    return {re.sub(r"\D", "", number) for number in found}


def targets(page: Path, text: str, code: str) -> set[str]:
    """Where the links of a page lead, as English pages."""
    found = set()
    for link in LINK.findall(text):
        if not link.startswith("#"):
            place = (page.parent / link.partition("#")[0]).resolve()
            same = place.parent == DOCS / code and place.stem != "index"
            found.add(str(translated.english(place.stem) if same else place))
    return found - {str(translated.english(page.stem))}


@page_of_a_language
def test_code_is_the_same(code: str, name: str) -> None:
    english, translation = both(code, name)
    assert list(blocks(translation)) == list(blocks(english))
    assert typed(translation) == typed(english)


@page_of_a_language
def test_headings_rows_and_numbers_are_the_same(code: str, name: str) -> None:
    english, translation = both(code, name)
    for sign in (r"^#+ ", r"^ *\d\. ", r"^\s*- ", r"^\|"):
        ours, theirs = (
            [line.strip() for line in re.findall(sign, BLOCK.sub("", text), re.MULTILINE)]
            for text in (translation, english)
        )
        assert ours == theirs, sign
    assert numbers(translation) == numbers(english)


@page_of_a_language
def test_links_lead_to_the_same_pages_and_to_translations_where_there_are_any(
    code: str, name: str
) -> None:
    english, translation = both(code, name)
    page, original = DOCS / code / f"{name}.md", translated.english(name)
    assert targets(page, translation, code) == targets(original, english, code)
    for link in LINK.findall(translation):
        place, _, anchor = link.partition("#")
        if place.startswith("../"):
            there = Path(place).stem == name or not (DOCS / code / Path(place).name).exists()
            assert there, f"{link}: there is a translation"
        elif anchor:
            heads = re.findall(r"^#+ (.*)$", translation, re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", RIGHT_TO_LEFT_PAGES, ids=lambda page: page.stem)
def test_a_page_reads_right_to_left_and_its_code_left_to_right(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith(f'<div dir="rtl" lang="{page.parent.name}">\n\n')
    assert text.endswith("\n\n</div>\n")
    inside = list(
        re.finditer(r'<div dir="ltr">\n\n *```.*?^ *```\n\n *</div>', text, SEVERAL_LINES)
    )
    assert len(inside) == len(BLOCK.findall(text)), "a block of code is not left to right"
    rest = BLOCK.sub("", text)
    assert rest.count("`") == 2 * len(re.findall("\u200e`[^`\\n]+`\u200e", rest)), (
        "U+200E around code"
    )


@page_of_a_language
def test_a_translation_is_of_the_english_text_of_today(code: str, name: str) -> None:
    new = "\n".join(f"- {paragraph}" for paragraph in translated.stale(code, name))
    page = translated.english(name).relative_to(DOCS.parent)
    assert not new, (
        f"{page} changed since docs/{code}/{name}.md was translated. Translate these paragraphs, "
        f"then run `python tools/translated.py {code} {name}`:\n{new}"
    )


def test_what_is_kept_is_of_pages_that_exist() -> None:
    kept = translated.kept()
    assert {(code, name) for code, pages in kept.items() for name in pages} == set(PAGES)


@pytest.mark.parametrize("name", sorted({name for _code, name in PAGES}))
def test_an_english_page_leads_to_its_translations(name: str) -> None:
    page = translated.english(name)
    lines = [x for x in page.read_text("utf-8").splitlines() if x.startswith(translated.LINKS)]
    assert len(lines) == 1, page
    have = {f"../{code}/{name}.md" for code, other in PAGES if other == name}
    assert set(LINK.findall(lines[0])) == have


@pytest.mark.parametrize("code", [c for c in translated.LANGUAGES if translated.names(c)])
def test_the_index_of_a_language_lists_every_page(code: str) -> None:
    index = (DOCS / code / "index.md").read_text("utf-8")
    assert {f"{name}.md" for name in translated.names(code)} <= set(LINK.findall(index))


def test_a_changed_paragraph_is_found_and_a_rewrapped_one_is_not() -> None:
    text = "# A\n\nIn: [x](y)\n\nOne two\nthree.\n\nFour."
    assert translated.paragraphs(text) == translated.paragraphs("# A\n\nOne\ntwo three.\n\nFour.")
    assert (
        translated.paragraphs(text).keys() != translated.paragraphs("# A\n\nOne.\n\nFour.").keys()
    )
    assert list(blocks("```sh\na b # c\n# d\n```")) == [("sh", ["a b"])]
    assert list(blocks("```yaml\na: {b: c d}\n```")) == list(blocks("```yaml\na: {b: e f}\n```"))
    assert list(blocks("```yaml\na: b\n```")) != list(blocks("```yaml\na: c\n```"))
    assert numbers("1,67 et 10\u00a0000 `4`") == numbers("1.67 and 10,000")
