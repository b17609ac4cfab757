"""Every kind of page in every language: accessible, without scrolling sideways, quiet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from page_kinds import APART, KINDS, place_of
from playwright.sync_api import Page, ViewportSize

from ctdhub.core.i18n import LANGUAGES
from tests.browser.conftest import Lasting

VERSION = "2026.1"
DESKTOP, PHONE, SMALL, ZOOMED = (
    ViewportSize(width=width, height=height)
    for width, height in ((1280, 900), (390, 844), (320, 256), (640, 450))
)
"""Pixels; a desktop of 1280 pixels has 640 at 200 %, and 320 by 256 at 400 %."""
MODES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
EVERY = bool(os.environ.get("CTDHUB_EVERY_PAGE"))
PAIRS = ("en", "ar"), ("fr", "ar"), ("en", "es"), ("fr", "es")


def looked_at() -> list[str]:
    """Language, mode and kind of the pages that are looked at.

    Each kind is opened in two languages, one light and one dark, and each language has kinds of
    both modes; axe looks at one of the two.  With CTDHUB_EVERY_PAGE set, every kind, and those of
    ``APART``, is opened in every language and mode, and axe also looks at 320 by 256 pixels.
    """
    if EVERY:
        every = (*KINDS, *APART)
        return [f"{code} {mode} {kind}" for kind in every for code in LANGUAGES for mode in MODES]
    return [
        f"{code} {mode} {kind}"
        for k, kind in enumerate(KINDS)
        for code, mode in zip(PAIRS[k % 4], MODES if k % 8 < 4 else MODES[::-1], strict=True)
    ]


@pytest.fixture(scope="module", params=looked_at())
def opened(request: pytest.FixtureRequest, lasting: Lasting, site: Path) -> Iterator[Page]:
    """The page, loaded once for all that is checked of it."""
    code, mode, kind = request.param.split()
    lasting.page.emulate_media(color_scheme=mode)
    lasting.page.set_viewport_size(DESKTOP)
    lasting.page.goto((site / place_of(code, kind)).as_uri())
    yield lasting.page
    assert lasting.errors() == []


def test_accessible_and_no_wider_than_the_window(
    opened: Page, violations: Callable[[Page], str], request: pytest.FixtureRequest
) -> None:
    kind, second = divmod(looked_at().index(request.node.callspec.params["opened"]), 2)
    if EVERY or second == (kind + kind // 4) % 2:  # so that each language has its turn
        assert violations(opened) == ""
    for size in (PHONE, SMALL, ZOOMED):
        opened.set_viewport_size(size)
        wide = opened.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"]
        if EVERY and size is SMALL:
            assert violations(opened) == ""


COVERED = """() => {
  const bar = document.querySelector(".top"), found = [];
  const stops = "a[href], button, input, select, summary, [tabindex='0']";
  const all = [...document.querySelectorAll(stops)];
  scrollTo(0, document.body.scrollHeight);
  for (const each of all.reverse()) {
    if (bar.contains(each) || each.closest(".skip")) continue;
    each.focus();
    if (document.activeElement !== each) continue;
    const box = each.getBoundingClientRect(), end = bar.getBoundingClientRect().bottom;
    if (box.height && box.top < end - 1 && box.height < innerHeight - end)
      found.push(`${each.outerHTML.slice(0, 80)} at ${box.top}`);
  }
  return found;
}"""


def test_the_bar_covers_nothing_that_is_focused(opened: Page) -> None:
    """Backwards, from the foot of the page: then each element comes in at the upper edge."""
    if "/r/" in opened.url or "/briefs/" in opened.url:
        pytest.skip("a chart in a frame on another site and a sheet to be printed have no bar")
    opened.set_viewport_size(PHONE)
    assert opened.evaluate("document.querySelector('.top').offsetHeight") <= 56
    assert opened.evaluate(COVERED) == []


SLANTED = """() => [...document.querySelectorAll("body *")]
  .filter(e => getComputedStyle(e).fontStyle !== "normal").map(e => e.outerHTML.slice(0, 80))"""


def test_arabic_is_never_slanted(opened: Page) -> None:
    if opened.evaluate("document.documentElement.lang") == "ar":
        assert opened.evaluate(SLANTED) == []
        lines = "parseFloat(getComputedStyle(document.body).lineHeight) / 16"
        assert opened.evaluate(lines) == 1.75


OUTSIDE = """() => [...document.querySelectorAll("svg.chart text, .panels svg text")]
  .map(text => [text.textContent, text.getBoundingClientRect()])
  .filter(([_, box]) => box.width && (box.left < -1 || box.right > innerWidth + 1))
  .map(([words, box]) => `${words} from ${box.left} to ${box.right}`)"""


TOUCHING = """() => {
  const found = [];
  for (const drawing of document.querySelectorAll("main svg, figure svg")) {
    if (drawing.parentElement.closest("svg")) continue;
    const all = [...drawing.querySelectorAll("text:not(.rank text)")]
      .map(text => [text.textContent, text.getBoundingClientRect()]).filter(([, box]) => box.width)
      .sort(([, one], [, two]) => one.top - two.top);
    all.forEach(([words, one], k) => {
      for (let n = k + 1; n < all.length && all[n][1].top < one.bottom - 5; n++) {
        const [others, two] = all[n];
        const wide = Math.min(one.right, two.right) - Math.max(one.left, two.left);
        const high = Math.min(one.bottom, two.bottom) - two.top;
        if (wide > 2 && high > 5) found.push(`${words} | ${others}: ${wide} by ${high}`);
      }
    });
  }
  return found;
}"""


def test_words_of_a_drawing_stay_in_the_window_and_do_not_touch(opened: Page) -> None:
    """An anchor that flips from right to left pushes words out of the frame; axe is blind to it.

    In both units of a chart; a box of text is some pixels higher than its letters.  Ranks of the
    map have circles of their own, which lie over the tiles where arrows are many.
    """
    if not opened.query_selector("svg.chart, .panels svg, main svg, figure svg"):
        return
    both = ".in-share, .in-people { display: block !important }"
    opened.evaluate(
        "css => { const s = new CSSStyleSheet(); s.replaceSync(css);"
        " document.adoptedStyleSheets = [s] }",
        both,
    )
    for size in (DESKTOP, PHONE):
        opened.set_viewport_size(size)
        assert opened.evaluate(OUTSIDE) == []
        assert opened.evaluate(TOUCHING) == []
