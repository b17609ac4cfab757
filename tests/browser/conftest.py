"""A real Chromium, and a site to open in it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from ctdhub.release.open import Release
from ctdhub.site.serve import serve

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ENGINE = shutil.which("chromium-headless-shell") or CHROMIUM
"""Debian has Chromium's engine without windows, menus and tabs too: it opens the same pages in half
of the CPU time.  What only a whole browser has, such as its back-forward cache, takes the other."""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE = 120_000
"""Milliseconds until a page must have done what it was asked for: machines are slow and shared, and
half a minute, Playwright's own default, was not always enough for a bundle."""

expect.set_options(timeout=PATIENCE)


def loads(page: Page, act: Callable[[], object]) -> None:
    """Do what loads another page, and wait until that is there.

    A click returns before: whoever looks then sees the old page, or half of the new one.
    """
    with page.expect_navigation(timeout=PATIENCE):
        act()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    if ENGINE is None:
        pytest.skip("Chromium is missing: apt-get install chromium fonts-noto-core")
    with sync_playwright() as tool:
        # Without a locale Chromium opens no file whose name has other letters than English ones.
        found = tool.chromium.launch(
            executable_path=ENGINE, args=list(QUIET), env={**os.environ, "LC_ALL": "C.UTF-8"}
        )
        yield found
        found.close()


@pytest.fixture
def violations() -> Callable[[Page], str]:
    """What axe finds against WCAG 2.2 AA on a page; empty where it finds nothing."""

    def found(page: Page) -> str:
        page.wait_for_load_state()
        told = Axe().run(page, options=RULES)
        return told.generate_report() if told.violations_count else ""

    return found


def patient(context: BrowserContext) -> BrowserContext:
    """A context that waits as long as all others."""
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A fresh tab at desktop width; a page that writes an error to the console fails the test."""
    context = patient(browser.new_context(viewport={"width": 1280, "height": 900}))
    page, errors = context.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    yield page
    context.close()
    assert errors == []


class Lasting:
    """A tab for many pages that are looked at and not used; it collects what they complain."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._errors: list[str] = []
        page.on("console", lambda m: self._errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: self._errors.append(str(e)))

    def errors(self) -> list[str]:
        """What was complained since this was last asked."""
        found, self._errors = self._errors, []
        return found


@pytest.fixture(scope="module")
def lasting(browser: Browser) -> Iterator[Lasting]:
    """A tab that the tests of a module share."""
    context = browser.new_context()
    yield Lasting(context.new_page())
    context.close()


@pytest.fixture(scope="session")
def release(plain_release: Release) -> Release:
    """The release whose site is looked at."""
    return plain_release


@pytest.fixture(scope="session")
def site(plain_site: Path) -> Path:
    """Its site."""
    return plain_site


@pytest.fixture(scope="session")
def web(site: Path) -> str:
    """The address of the served site."""
    found: list[str] = []
    ready = threading.Event()

    def tell(address: str) -> None:
        found.append(address)
        ready.set()

    threading.Thread(target=serve, args=(site, 0, tell), daemon=True).start()
    assert ready.wait(60)
    return found[0]
