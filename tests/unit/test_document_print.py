"""Documents to print: whatever a text holds is printed as it stands, and no letter is lost."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pdf_text import pages, squeezed

from ctdhub.core.errors import DocumentError
from ctdhub.document.document import (
    Bar,
    Bars,
    Document,
    LargeNumber,
    Meta,
    Point,
    Section,
    TextTable,
    Words,
    Years,
)
from ctdhub.document.html import write as to_html
from ctdhub.document.pdf import Typesetter

pytest.importorskip("typst", reason="typst is not installed: pip install '.[pdf]'")
META = Meta(
    lang="en",
    rtl=False,
    organisation="Practice hub",
    mark="Practice data: fictitious.",
    foot="Practice hub (2026). Release 2026.1.",
    made=date(2026, 11, 25),
    day="Made on November 25, 2026.",
    page="Page {page} of {pages}",
)
BARS = Bars(
    "Largest: women",
    "By gender",
    (
        Bar("Women", "60 ± 5", 60, 55, 65),
        Bar("Men", "too few"),
        Bar("not recorded", "9 ± 5", 9, 4, 14, True),
    ),
    "n = 69.",
)
YEARS = Years(
    title="By year",
    subtitle="People by year",
    points=(
        Point("2015", "40 ± 5", "shown", 40, 35, 45),
        Point("2016", "too few", "protected", high=9),
        Point("2017", "nobody reports here", "nobody"),
    ),
    top=50,
    axis=("0", "25", "50"),
    turns=(1,),
    marked=(0,),
    year="Year",
    column="As a table",
)
TABLE = TextTable("A table", "Its rows", ("What", "Number"), (("Rows read", "12"),))
TYPESETTER = Typesetter()
OWN_FONTS = Typesetter(system=False)
"""What fits on a page is the same everywhere with the fonts that come with typst."""

HOSTILE = (
    '#import "@preview/x:1.0.0": *',
    "$ x^2 $ ] ) } */ // `raw` _a_ *b* = heading",
    '#read("/etc/passwd")',
    "<script>alert(1)</script>",
    "]]></style>\"'&",
    "\\u{41} \\ # [ @label <label> ~ -- ... {page}",
)


def sheet(title: str = "Italy", *sections: Section, **changes: object) -> Document:
    first = Section("first", "In numbers", (BARS, YEARS, TABLE))
    made = Document(META, title, ("A sentence.",), (first, *sections), "Brief", "Always.", most=2)
    return replace(made, **changes)  # type: ignore[arg-type]


def poster(title: str = "Italy", said: str = "One sentence.", *lines: str) -> Document:
    call = Section("call", "Call", (Words((title if title in HOSTILE else "0800 123",)),))
    number = LargeNumber("12,345", "people", "12,000 to 13,000")
    told = (Section(f"line-{k}", "", (Words((line,)),), 0) for k, line in enumerate(lines))
    return Document(
        META, title, (said,), (Section("number", "", (number,)), *told, call), always="Always.",
        most=1, left_out="", paper="a3",
    )  # fmt: skip


class Text(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


# What the fonts of any system have, line breaks left out; space at the ends is not printed.
LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)


@settings(max_examples=60)
@given(LATIN.map(str.strip).filter(bool))
@example(HOSTILE[0])
@example(HOSTILE[1])
@example(HOSTILE[2])
@example(HOSTILE[3])
@example(HOSTILE[4])
@example(HOSTILE[5])
def test_every_text_is_printed_as_it_stands(name: str) -> None:
    frame = replace(META, organisation=name, mark=name, foot=name)
    document = replace(
        sheet(name, Section("more", name, (Words((name,)), replace(BARS, title=name)))), meta=frame
    )
    printed = squeezed("".join(pages(TYPESETTER.write(document))))
    # organisation, title, section, words, bars, and on each page mark and foot
    assert printed.count(squeezed(name)) >= 7
    html = Text(to_html(document))
    assert "script" not in html.tags
    assert name in html.words


@pytest.mark.parametrize("name", HOSTILE)
def test_a_poster_prints_texts_as_they_stand(name: str) -> None:
    document = poster(name, name, name)
    printed = squeezed("".join(pages(TYPESETTER.write(document))))
    assert printed.count(squeezed(name)) >= 4
    assert Text(to_html(document)).words.count(name) >= 4


def test_a_missing_letter_is_refused_and_never_an_empty_box(tmp_path: Path) -> None:
    bare = Typesetter(system=False)
    with pytest.raises(DocumentError) as caught:
        bare.write(sheet("東京"))
    assert caught.value.rule == "glyph"
    assert "--fonts" in caught.value.fix
    assert "東" not in str(caught.value)
    assert bare.write(sheet("Tokyo")).startswith(b"%PDF")
    assert "東京" in to_html(sheet("東京"))


def test_letters_that_are_missing_are_told_before_want_of_room() -> None:
    """A box is wider than most letters: what fits in its own font would not fit in boxes."""
    bare = Typesetter(system=False)
    filler = Words(tuple("東京" * 30 for _ in range(200)))
    long = sheet("Tokyo", Section("long", "Long", (filler,)))
    for act in (bare.write, bare.fitted):
        with pytest.raises(DocumentError) as caught:
            act(long)
        assert caught.value.rule == "glyph"
    lines = tuple("東京 " * 300 for _ in range(2))
    with pytest.raises(DocumentError) as caught:
        bare.write(poster("Tokyo", "東京 " * 2000, *lines))
    assert caught.value.rule == "glyph"


def test_arabic_is_set_from_right_to_left() -> None:
    frame = replace(META, lang="ar", rtl=True)
    title = "إيطاليا"
    pdf = TYPESETTER.write(replace(sheet(title), meta=frame))
    assert b"/Lang(ar)" in pdf
    page = pages(pdf)[0]
    # glyphs come in the order of the eye, so letters stand in reverse
    assert title[::-1] in page.replace(" ", "")


def test_files_are_tagged_and_the_same_each_time() -> None:
    first, again = TYPESETTER.write(sheet()), Typesetter().write(sheet())
    assert first == again
    assert b"/MarkInfo" in first
    assert b"/Lang(en)" in first


def test_sections_go_one_by_one_until_the_pages_suffice() -> None:
    filler = tuple("A sentence of some length that fills its line." for _ in range(30))
    extra = [Section(f"s{k}", f"Part {k}", (Words(filler),), k, f"part {k}") for k in range(12)]
    long = sheet("Italy", *extra, left_out="Left out: {names}.")
    fitted = OWN_FONTS.fitted(long)
    kept = [s.id for s in fitted.sections if s.keep is not None]
    assert 0 < len(kept) < 12
    assert kept == [f"s{k}" for k in range(12)][-len(kept) :]  # what matters least went first
    printed = pages(OWN_FONTS.write(long))
    assert len(printed) == 2
    for k in range(12 - len(kept)):
        assert squeezed(f"part {k}") in squeezed(printed[-1])
    assert len(pages(OWN_FONTS.write(replace(long, most=None)))) > 2


def test_lines_of_a_poster_go_before_anything_else() -> None:
    lines = tuple(f"Event {k}. " + "A long title of an event. " * 30 for k in range(3))
    printed = pages(OWN_FONTS.write(poster("Italy", "One sentence.", *lines)))
    assert len(printed) == 1
    assert "Event0." in squeezed(printed[0])
    assert "Event2." not in squeezed(printed[0])
    assert "0800123" in squeezed(printed[0])


def test_what_must_stay_but_does_not_fit_is_an_error() -> None:
    filler = Words(tuple("A sentence of some length that fills its line." for _ in range(900)))
    with pytest.raises(DocumentError, match="fit"):
        OWN_FONTS.write(sheet("Italy", Section("long", "Long", (filler, filler))))


def test_each_page_carries_mark_citation_and_number() -> None:
    filler = tuple("A sentence of some length that fills its line." for _ in range(60))
    two = sheet("Italy", *(Section(f"s{k}", "Part", (Words(filler),)) for k in range(2)))
    printed = pages(OWN_FONTS.write(two))
    assert len(printed) == 2
    for k, page in enumerate(printed, 1):
        for words in (META.mark, META.foot, f"Page {k} of 2", META.day):
            assert squeezed(words) in squeezed(page)


def test_the_page_asks_nobody_and_runs_nothing() -> None:
    for document in (sheet(), poster()):
        html = to_html(document)
        assert not re.search(r"https?://|src=|@import|url\(|<script", html)
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
        assert policy is not None
        assert policy[1].startswith("default-src 'none'")


def test_blanks_and_numbers_are_in_the_page() -> None:
    words = Text(to_html(sheet())).words
    for text in ("60 ± 5", "too few", "nobody reports here", "9 ± 5", "n = 69."):
        assert text in words


def test_without_typst_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(DocumentError) as caught:
        Typesetter()
    assert "pip install typst" in caught.value.fix
    assert to_html(sheet())


def test_a_document_begins_with_what_stays() -> None:
    with pytest.raises(ValueError, match="begins"):
        sheet(sections=(Section("a", "", ()),))
    with pytest.raises(ValueError, match="different ids"):
        sheet(sections=(Section("a", "A", ()), Section("a", "B", ())))
