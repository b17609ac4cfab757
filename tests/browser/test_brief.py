"""Briefs and posters in a browser: readable by everybody, and on paper with their warning."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from invented_release import protected_answer
from pdf_text import pages, squeezed
from playwright.sync_api import Page

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.document.document import Document
from ctdhub.document.html import write as to_html
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.report.brief.make import brief, make_poster
from ctdhub.report.brief.subjects import BriefPlace, Corridor, Day, observance
from ctdhub.stats.answers import Answers

MADE = date(2026, 11, 25)
DAY = date(2026, 10, 18)
SUBJECTS = {
    "country": BriefPlace("POL"),
    "region": BriefPlace("europe"),
    "corridor": Corridor("UKR", "POL"),
    "day": Day(DAY, observance(DAY)),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folder = tmp_path_factory.mktemp("hub")
    answer = protected_answer(facts={"languages": list(LANGUAGES), "helpline": "0800 000 000"})
    return Answers(open_release(write_release(answer, folder / "releases", "2026.1", "First.")))


@pytest.fixture(params=["en", "ar"])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def shown(tab: Page, folder: Path, document: Document, width: int = 1280) -> None:
    file = folder / "document.html"
    file.write_text(to_html(document, [("index.html", "All briefs")]), "utf-8")
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(file.as_uri())


@pytest.mark.parametrize("name", SUBJECTS)
def test_everybody_can_read_them(
    tab: Page,
    violations: Callable[[Page], str],
    answers: Answers,
    tmp_path: Path,
    lang: str,
    name: str,
) -> None:
    for make in (brief, make_poster):
        with language(lang):
            document = make(answers, SUBJECTS[name], MADE).document
        for width in (1280, 390):
            shown(tab, tmp_path, document, width)
            wide = tab.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (make.__name__, width)
        assert lang == "en" or violations(tab) == ""


def test_bars_begin_where_reading_begins(tab: Page, answers: Answers, tmp_path: Path) -> None:
    for lang, side in (("en", "left"), ("ar", "right")):
        with language(lang):
            shown(tab, tmp_path, brief(answers, SUBJECTS["country"], MADE).document)
        for box in tab.locator("rect.bar").all()[:5]:
            edge = box.evaluate(f"e => e.getBoundingClientRect().{side}")
            frame = box.evaluate(f"e => e.ownerSVGElement.getBoundingClientRect().{side}")
            assert abs(edge - frame) < 1, lang


def test_printed_pages_all_bear_the_warning(tab: Page, answers: Answers, tmp_path: Path) -> None:
    with language("en"):
        document = brief(answers, SUBJECTS["region"], MADE).document
    assert isinstance(document, Document)
    shown(tab, tmp_path, document)
    tab.emulate_media(media="print")
    assert tab.locator(".links").is_hidden()
    pdf = tab.pdf(prefer_css_page_size=True, tagged=False)
    boxes = set(re.findall(rb"/MediaBox \[([^\]]*)\]", pdf))
    assert len(boxes) == 1
    width, height = (float(x) for x in boxes.pop().split()[2:])
    assert (round(width), round(height)) == (595, 842)
    printed = pages(pdf)
    assert 1 <= len(printed) <= 2
    for page in printed:
        assert squeezed(document.meta.mark) in squeezed(page)
        assert squeezed(document.meta.foot) in squeezed(page)
