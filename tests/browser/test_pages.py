"""Every kind of page in every language: accessible, without scrolling sideways, quiet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from page_kinds import KINDS
from playwright.sync_api import Page

from ctdhub.core.i18n import LANGUAGES
from ctdhub.site.frame import address

VERSION = "2026.1"
PHONE, ZOOMED = (390, 844), (640, 450)
"""Pixels; a desktop of 1280 pixels at 200 % has 640."""


@pytest.fixture(params=[f"{code} {kind}" for code in LANGUAGES for kind in KINDS])
def opened(request: pytest.FixtureRequest, tab: Page, site: Path) -> Page:
    code, kind = request.param.split()
    tab.goto((site / address(code, VERSION, kind)).as_uri())
    return tab


def test_accessible_and_no_wider_than_the_window(
    opened: Page, violations: Callable[[Page], str]
) -> None:
    assert violations(opened) == ""
    for width, height in (PHONE, ZOOMED):
        opened.set_viewport_size({"width": width, "height": height})
        wide = opened.evaluate("document.documentElement.scrollWidth")
        assert wide <= width


OUTSIDE = """() => [...document.querySelectorAll("svg.chart text, .panels svg text")]
  .map(text => [text.textContent, text.getBoundingClientRect()])
  .filter(([_, box]) => box.width && (box.left < -1 || box.right > innerWidth + 1))
  .map(([words, box]) => `${words} from ${box.left} to ${box.right}`)"""


def test_every_word_of_a_drawing_stays_in_the_window(opened: Page) -> None:
    """An anchor that flips from right to left pushes words out of the frame; axe is blind to it."""
    for width, height in ((1280, 900), PHONE):
        opened.set_viewport_size({"width": width, "height": height})
        assert opened.evaluate(OUTSIDE) == []
