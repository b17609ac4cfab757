"""Every kind of page in every language: accessible, without scrolling sideways, quiet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from page_kinds import KINDS
from playwright.sync_api import Page, ViewportSize

from ctdhub.core.i18n import LANGUAGES
from ctdhub.site.frame import address
from tests.browser.conftest import Lasting

VERSION = "2026.1"
DESKTOP, PHONE, ZOOMED = (
    ViewportSize(width=width, height=height)
    for width, height in ((1280, 900), (390, 844), (640, 450))
)
"""Pixels; a desktop of 1280 pixels at 200 % has 640."""


@pytest.fixture(scope="module", params=[f"{code} {kind}" for code in LANGUAGES for kind in KINDS])
def opened(request: pytest.FixtureRequest, lasting: Lasting, site: Path) -> Iterator[Page]:
    """The page, loaded once for all that is checked of it."""
    code, kind = request.param.split()
    lasting.page.set_viewport_size(DESKTOP)
    lasting.page.goto((site / address(code, VERSION, kind)).as_uri())
    yield lasting.page
    assert lasting.errors() == []


def test_accessible_and_no_wider_than_the_window(
    opened: Page, violations: Callable[[Page], str]
) -> None:
    opened.set_viewport_size(DESKTOP)
    assert violations(opened) == ""
    for size in (PHONE, ZOOMED):
        opened.set_viewport_size(size)
        wide = opened.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"]


OUTSIDE = """() => [...document.querySelectorAll("svg.chart text, .panels svg text")]
  .map(text => [text.textContent, text.getBoundingClientRect()])
  .filter(([_, box]) => box.width && (box.left < -1 || box.right > innerWidth + 1))
  .map(([words, box]) => `${words} from ${box.left} to ${box.right}`)"""


def test_every_word_of_a_drawing_stays_in_the_window(opened: Page) -> None:
    """An anchor that flips from right to left pushes words out of the frame; axe is blind to it."""
    for size in (DESKTOP, PHONE):
        opened.set_viewport_size(size)
        assert opened.evaluate(OUTSIDE) == []
