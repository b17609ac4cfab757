"""The split under a chart of trends, in a browser: accessible, inside the window, mirrored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from practice_releases import Practice

from ctdhub.core.i18n import LANGUAGES, _, language
from ctdhub.site import frame
from ctdhub.site.pages import facts, trends
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from tests.browser.test_pages import DESKTOP, OUTSIDE, PHONE
from tests.conftest import Once

CODES = ("en", "ar")


@pytest.fixture(scope="module")
def drawn(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both pages of a practice release, from left to right and from right to left, by language."""
    folder = tmp_path_factory.mktemp("practice")
    release = Practice.made(once, folder, 4000).release(0)
    answers = Answers(release)
    for code in CODES:
        with language(code):
            for module in (trends, facts):
                text = render(next(iter(module.pages(answers))), release, LANGUAGES)
                page = folder / frame.address(code, module.PATH)
                page.parent.mkdir(parents=True, exist_ok=True)
                page.write_text(text, "utf-8")
    frame.write_scripts(folder)
    return folder


@pytest.mark.parametrize("name", ["trends.html", "facts.html"])
@pytest.mark.parametrize("code", CODES)
def test_accessible_and_inside_the_window(
    tab: Page, drawn: Path, violations: Callable[[Page], str], code: str, name: str
) -> None:
    tab.goto((drawn / code / name).as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert violations(tab) == ""
    for size in (DESKTOP, PHONE):
        tab.set_viewport_size(size)
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert tab.evaluate(OUTSIDE) == []


SIDES = """() => [...document.querySelectorAll("#trends-total .balance")].map(svg => {
  const bar = svg.querySelector("rect").getBoundingClientRect();
  const zero = svg.querySelector(".zero").getBoundingClientRect();
  return [svg.parentElement.textContent, bar.left + bar.width / 2 - zero.left];
})"""


@pytest.mark.parametrize("code", CODES)
def test_fewer_people_lie_where_reading_starts(tab: Page, drawn: Path, code: str) -> None:
    tab.goto((drawn / code / "trends.html").as_uri())
    bars = tab.evaluate(SIDES)
    assert len(bars) >= 3
    with language(code):
        whole = (
            _("{label}: {value} ({ends})")
            .partition("{value}")[0]
            .format(label=_("All of the change"))
        )
    changes = [bar for bar in bars if bar[0].strip().startswith(whole.strip())]
    assert changes, "the parts of a waterfall begin where the one before ended"
    for text, side in changes:
        if abs(side) > 3:
            assert ("−" in text.split("(")[-2]) == ((side < 0) == (code == "en"))


HALO = """() => [...document.querySelectorAll("svg.years .number")].map(text => {
  const drawn = getComputedStyle(text), paper = getComputedStyle(document.documentElement);
  return drawn.paintOrder.startsWith("stroke") && drawn.stroke === paper.backgroundColor
    && parseFloat(drawn.strokeWidth) >= 8
    && (!text.nextElementSibling || text.nextElementSibling.tagName === "text");
})"""


def test_no_line_runs_through_the_number_of_a_chart(tab: Page, drawn: Path) -> None:
    """The paper around its letters covers what is drawn before it, and nothing is drawn after."""
    tab.goto((drawn / "ar" / "trends.html").as_uri())
    found = tab.evaluate(HALO)
    assert found
    assert all(found)
