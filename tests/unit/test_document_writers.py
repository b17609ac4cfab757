"""Every writer tells the whole of a document, and no text in it becomes a mark."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ctdhub.document import html, pdf, text
from ctdhub.document import text as markdown
from ctdhub.document.document import (
    Bar,
    Bars,
    Document,
    Items,
    Meta,
    Section,
    Sentences,
    TextTable,
    Words,
)

META = Meta("en", False, "Practice hub", made=date(2026, 11, 25), page="Page {page} of {pages}")
HOSTILE = r"\ `code` *a* _b_ [l](http://x) <i>t</i> | # h &amp; $x$ #let"
WRITERS = (html.write, markdown.write_markdown, text.write_plain)
LINE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)


def document(text: str = "text") -> Document:
    """A document of every block that is made of words."""
    sections = (
        Section("told", text, (Sentences((text, text)), Words((text, text), text))),
        Section("cards", "", (TextTable("", "", (text, "n"), ((text, "1"), (text, "2"))),)),
        Section("notes", "", (Items((text, text)), Words((text,)))),
    )
    return Document(META, text, (text,), sections)


@pytest.mark.parametrize("write", WRITERS)
def test_every_text_is_told(write: Callable[[Document], str]) -> None:
    written = write(document("A sentence."))
    # title, lead, section, 2 sentences, title and 2 of words, 3 of the table, 2 items, a note
    assert written.count("A sentence.") == 14 + (write is html.write)  # title of the window


def test_a_document_of_words_is_set_too() -> None:
    pytest.importorskip("typst")
    made = pdf.write(document("A sentence."))
    assert made.startswith(b"%PDF")
    assert made == pdf.write(document("A sentence."))
    with pytest.raises(ValueError, match="day"):
        pdf.write(replace(document(), meta=replace(META, made=None)))


@given(LINE)
@example("1.")
@example("2020) x")
@example("-")
@example("===")
@example("~~~")
@example("+")
@example("&lt;")
@example("&#60;")
@example("crim_thb_x")
@example("_a_")
@example("__a__")
@example("(__a__)")
@example("a__b__")
def test_markdown_shows_every_text_as_it_stands(text: str) -> None:
    shown = MarkdownIt("commonmark").enable("table").render(markdown.write_markdown(document(text)))
    tags = set(re.findall(r"</?([a-z0-9]+)", shown))
    plain_tags = set(re.findall(r"</?([a-z0-9]+)", _shown("text")))
    assert tags == plain_tags
    assert unescape(re.sub(r"<[^>]+>", "", shown)).count(text) >= 14


def _shown(text: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(markdown.write_markdown(document(text)))


def test_hostile_texts_stay_texts() -> None:
    assert "<i>t</i>" not in _shown(HOSTILE)
    assert "<a " not in _shown(HOSTILE)
    assert "<i>t</i>" not in html.write(document(HOSTILE))
    assert text.write_plain(document(HOSTILE)).count(HOSTILE) == 14


def test_plain_text_sets_parts_apart() -> None:
    table = TextTable("", "", ("year", "people"), (("2020", "9 (1 to 17)"), ("2021", "–")))
    names = TextTable("", "", (), (("Total", "12"), ("Sex: women", "too few")))
    made = Document(
        META,
        "Italy",
        ("Lead.",),
        (
            Section("a", "Told", (Sentences(("One.", "Two.")), table)),
            Section("b", "", (names, Items(("First.", "Second.")))),
            Section("c", "Empty", ()),
        ),
    )
    assert text.write_plain(made) == (
        "Italy\n\nLead.\n\nTold\nOne.\nTwo.\n\n"
        "year       people\n2020  9 (1 to 17)\n2021            –\n\n"
        "  Total       12\n  Sex: women  too few\n\n* First.\n* Second.\n\nEmpty\n"
    )


def test_markdown_has_a_heading_a_table_a_list() -> None:
    assert markdown.write_markdown(document("a|b")) == (
        "# a\\|b\n\na\\|b\n\n## a\\|b\n\na\\|b a\\|b\n\n### a\\|b\n\na\\|b\n\na\\|b\n\n"
        "| a\\|b | n |\n| --- | ---: |\n| a\\|b | 1 |\n| a\\|b | 2 |\n\n"
        "- a\\|b\n- a\\|b\n\na\\|b\n"
    )


def test_charts_are_for_pages_alone() -> None:
    bars = Bars("Women", "By gender", (Bar("Women", "9 ± 2", 9, 7, 11),))
    made = Document(META, "T", (), (Section("a", "S", (bars,)),))
    assert text.write_plain(made) == "T\n\nS\n"
    assert markdown.write_markdown(made) == "# T\n\n## S\n"
    assert "9 ± 2" in html.write(made)


def test_sections_have_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="ids"):
        Document(META, "T", (), (Section("a", "", ()), Section("a", "", ())))
    with pytest.raises(ValueError, match="stays"):
        Document(META, "T", (), (Section("a", "Title", (), keep=1),), most=2)
