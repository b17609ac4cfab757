"""Quick exit by click, keyboard or Shift three times; Back then shows no page of the site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from ctdhub.site.frame import address
from tests.browser.conftest import CHROMIUM, QUIET

VERSION = "2026.1"
VISITED = ("index.html", "briefs/europe.html", "help.html")
OUTSIDE = "<!doctype html><title>Elsewhere</title><p>Elsewhere</p>"


def neutral(context: BrowserContext) -> Page:
    """A tab for which every other site is one neutral page."""
    context.route(
        lambda url: "127.0.0.1" not in url and not url.startswith("file:"),
        lambda route: route.fulfill(body=OUTSIDE, content_type="text/html"),
    )
    return context.new_page()


@pytest.fixture
def reader(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield neutral(context)
    context.close()


def click(page: Page) -> None:
    page.click(".exit")


def keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "exit", "the stop after Skip"
    page.keyboard.press("Enter")


def shift(page: Page) -> None:
    for _time in range(3):
        page.keyboard.press("Shift")


def host(page: Page) -> str:
    return urlsplit(page.url).hostname or ""


def elsewhere(page: Page, act: Callable[[], object]) -> str:
    """What the tab comes to rest at, which is no page of the site."""
    with page.expect_event("framenavigated", lambda f: "127.0.0.1" not in f.url):
        act()
    return page.url


def back(page: Page) -> None:
    page.evaluate("setTimeout(() => history.back(), 0)")


def leave_and_come_back(page: Page, web: str, code: str, way: Callable[[Page], None]) -> None:
    target = f"https://{code}.wikipedia.org/"
    for path in VISITED:
        page.goto(web + address(code, path))
    assert elsewhere(page, lambda: way(page)) == target
    found = []
    while len(found) < 5 and "about:blank" not in found:
        found.append(elsewhere(page, lambda: back(page)))
    assert found == [target] * (len(VISITED) - 1) + ["about:blank"]


@pytest.mark.parametrize(
    ("way", "code"), [(click, "en"), (keyboard, "ar"), (shift, "fr"), (click, "es")]
)
def test_after_the_exit_back_shows_no_page_of_the_site(
    reader: Page, web: str, code: str, way: Callable[[Page], None]
) -> None:
    leave_and_come_back(reader, web, code, way)


def test_nor_what_the_browser_kept(web: str, browser: Browser) -> None:
    """Pages in the back-forward cache run no script of theirs until they are shown again."""
    if CHROMIUM is None:
        pytest.skip("Chromium is missing: apt-get install chromium fonts-noto-core")
    other = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=list(QUIET),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    page = neutral(other.new_context())
    page.goto(web + address("en"))
    page.evaluate("addEventListener('pageshow', e => { window.kept = e.persisted })")
    page.goto(web + address("en", "help.html"))
    page.go_back(wait_until="commit")
    page.wait_for_function("window.kept")  # or this browser keeps no pages
    assert page.is_visible("h1")
    leave_and_come_back(page, web, "en", click)
    other.close()


def test_a_typed_address_shows_the_site_again(reader: Page, web: str) -> None:
    leave_and_come_back(reader, web, "en", click)
    reader.goto(web + address("en"))
    assert host(reader) == "127.0.0.1"
    reader.goto(web + address("en", "help.html"))
    reader.go_back()
    assert reader.is_visible("h1"), "Back is a usual Back for somebody who did not leave"


@pytest.mark.parametrize(
    "keys",
    [["Shift", "Shift"], ["Shift", "Shift", "a", "Shift"], ["Alt+Shift"] * 3, ["Shift+A"] * 3],
)
def test_writing_is_no_exit(reader: Page, web: str, keys: list[str]) -> None:
    """Alt and Shift change the keyboard, from Arabic to Latin for example."""
    reader.goto(web + address("ar"))
    for key in keys:
        reader.keyboard.press(key)
    reader.wait_for_timeout(100)
    assert host(reader) == "127.0.0.1"


def test_without_scripts_it_is_a_link(browser: Browser, web: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = neutral(context)
    page.goto(web + address("es"))
    assert page.get_attribute(".exit", "rel") == "nofollow noreferrer"
    page.click(".exit")
    page.wait_for_url("https://es.wikipedia.org/")
    context.close()
