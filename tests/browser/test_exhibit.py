"""The kiosk in a real Chromium: touched, left alone, for hours; both ways up; every language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Page

from ctdhub.release.open import Release
from ctdhub.site.stories.exhibit import build_exhibit
from ctdhub.site.stories.seconds import IDLE, SECONDS
from ctdhub.site.stories.source import read_stories
from tests.fixtures.sites import PRACTICE

from .conftest import RULES

SCREENS = {"landscape": (1920, 1080), "portrait": (1080, 1920)}
SMALLEST = 48
"""Pixels of a target that a finger hits."""
HOURS, GROWTH, STRAYS = 2, 1_000_000, 10
"""Hours on a clock of the test; bytes of heap and numbers of nodes that may come and go."""


@pytest.fixture(scope="session")
def kiosk(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "kiosk"
    build_exhibit(release, out, read_stories(PRACTICE / "stories"))
    return out


@pytest.fixture
def screen(browser: Browser) -> Iterator[Page]:
    """A touch screen whose clock the test sets; an error on the console fails the test."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, has_touch=True)
    page, errors = context.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.clock.install()
    yield page
    context.close()
    assert errors == []


def at(page: Page) -> int:
    """Number of the slide that is shown, from 0."""
    shown = page.evaluate(
        "[...document.querySelectorAll('.slide')].map((s, i) => s.hidden ? -1 : i)"
        ".filter((i) => i >= 0)"
    )
    assert len(shown) == 1
    return int(shown[0])


@pytest.mark.parametrize("code", ["en", "ar"])
def test_accessible_and_inside_every_screen(code: str, screen: Page, kiosk: Path) -> None:
    screen.goto((kiosk / f"{code}.html").as_uri())
    screen.evaluate("document.getAnimations().forEach((fade) => fade.finish())")
    found = Axe().run(screen, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    for width, height in SCREENS.values():
        screen.set_viewport_size({"width": width, "height": height})
        for _ in range(screen.locator(".slide").count()):
            box = screen.evaluate(
                "(() => {const s = document.querySelector('.stage'), d = document.documentElement;"
                "return [s.scrollHeight - s.clientHeight, s.scrollWidth - s.clientWidth,"
                " d.scrollHeight - d.clientHeight, d.scrollWidth - d.clientWidth]})()"
            )
            assert box == [0, 0, 0, 0]
            screen.locator("#after").tap()
        for target in screen.locator("a, button").all():
            size = target.bounding_box()
            assert size is not None
            assert min(size["width"], size["height"]) >= SMALLEST


def test_advances_by_itself_and_stops_when_touched(screen: Page, kiosk: Path) -> None:
    screen.goto((kiosk / "index.html").as_uri())
    screen.wait_for_url("**/en.html")
    slides = screen.locator(".slide").count()
    seen = []
    for _ in range(slides + 1):
        seen.append(at(screen))
        screen.clock.run_for(SECONDS * 1000 + 1_500)
    assert seen == [*range(slides), 0]
    screen.locator(".stage").tap()
    stopped = at(screen)
    screen.clock.run_for((IDLE - 3) * 1000)
    assert at(screen) == stopped
    assert screen.locator("#pause").inner_text() == "Play"


@pytest.mark.spine("a page in Chromium")
def test_the_buttons_do_what_they_say(screen: Page, kiosk: Path) -> None:
    screen.goto((kiosk / "en.html").as_uri())
    last = screen.locator(".slide").count() - 1
    screen.locator("#before").tap()
    assert at(screen) == last
    screen.locator("#after").tap()
    screen.locator("#after").tap()
    assert at(screen) == 1
    pause = screen.locator("#pause")
    pause.tap()
    assert pause.inner_text() == "Pause"
    screen.clock.run_for(SECONDS * 1000 + 1_500)
    assert at(screen) == 2
    pause.tap()
    screen.clock.run_for(SECONDS * 1000 + 1_500)
    assert at(screen) == 2


def test_begins_anew_in_the_first_language_after_idling(screen: Page, kiosk: Path) -> None:
    screen.goto((kiosk / "en.html").as_uri())
    screen.locator("#after").tap()
    screen.clock.run_for((IDLE - 3) * 1000)
    assert at(screen) == 1
    screen.clock.run_for(5_000)
    assert at(screen) == 0
    assert screen.locator("#pause").inner_text() == "Pause"
    screen.locator("nav a[lang=ar]").tap()
    screen.wait_for_url("**/ar.html")
    assert screen.evaluate("document.dir") == "rtl"
    screen.locator("#after").tap()
    screen.clock.run_for((IDLE + 2) * 1000)
    screen.wait_for_url("**/en.html")
    assert at(screen) == 0
    assert screen.evaluate("history.length") <= 2


def test_a_screen_that_wakes_late_begins_anew(screen: Page, kiosk: Path) -> None:
    screen.goto((kiosk / "en.html").as_uri())
    screen.locator("#after").tap()
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    screen.evaluate(f"{hide % 'true'}; {tell}")
    screen.clock.run_for(10 * IDLE * 1000)
    assert at(screen) == 1
    screen.evaluate(f"{hide % 'false'}; {tell}")
    assert at(screen) == 0


def test_nothing_moves_where_motion_is_unwanted(screen: Page, kiosk: Path) -> None:
    screen.emulate_media(reduced_motion="reduce")
    screen.goto((kiosk / "en.html").as_uri())
    screen.clock.run_for(SECONDS * 1000 + 1_500)
    assert at(screen) == 1
    assert screen.evaluate("document.getAnimations().length") == 0


def test_without_script_every_slide_can_be_read(browser: Browser, kiosk: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((kiosk / "en.html").as_uri())
    assert all(slide.is_visible() for slide in page.locator(".slide").all())
    assert not page.locator("#pause").is_visible()
    context.close()


def held(session: CDPSession) -> dict[str, float]:
    """What the page holds after collecting garbage: heap in bytes, nodes, listeners."""
    session.send("HeapProfiler.collectGarbage")
    found = session.send("Performance.getMetrics")["metrics"]
    return {m["name"]: m["value"] for m in found}


def test_hours_of_touches_leave_nothing_behind(screen: Page, kiosk: Path) -> None:
    screen.goto((kiosk / "en.html").as_uri())
    session = screen.context.new_cdp_session(screen)
    session.send("Performance.enable")

    def pass_hours(hours: int) -> None:
        for k in range(12 * hours):
            screen.locator(("#after", "#pause", "#before", ".stage")[k % 4]).tap()
            screen.clock.run_for(300_000)

    pass_hours(1)
    before = held(session)
    pass_hours(HOURS)
    after = held(session)
    assert after["JSHeapUsedSize"] - before["JSHeapUsedSize"] < GROWTH
    assert after["Nodes"] <= before["Nodes"] + STRAYS
    assert after["JSEventListeners"] <= before["JSEventListeners"]
    screen.clock.run_for((IDLE + 2) * 1000)
    assert screen.locator("#pause").inner_text() == "Pause"
