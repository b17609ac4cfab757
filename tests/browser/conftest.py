"""A real Chromium, and a site to open in it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from invented_release import ASSISTED, TABLES, protected_answer
from lists_of_invented_people import invented, sources_of
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.site.build import build_site
from ctdhub.site.edition import Edition
from ctdhub.site.serve import serve
from tests.conftest import Once

STORIES = Path(str(resources.files("ctdhub.practice") / "stories"))
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

PATIENCE = 30_000
"""Milliseconds until a page must have done what it was asked for, also Playwright's own default:
machines are slow and shared, so no test waits for less."""

expect.set_options(timeout=PATIENCE)


def loads(page: Page, act: Callable[[], object]) -> None:
    """Do what loads another page, and wait until that is there.

    A click returns before: whoever looks then sees the old page, or half of the new one.
    """
    with page.expect_navigation():
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


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A fresh tab at desktop width; a page that writes an error to the console fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
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
def release(once: Once) -> Release:
    """A fictitious release in every language, of a hub with the practice events and stories."""

    def make(hub: Path) -> None:
        lists = invented(20_000, (0.25, 0.2, 0.1), 4, 6.0)
        answer = replace(
            protected_answer(tables=(*TABLES, *ASSISTED), facts={"languages": list(LANGUAGES)}),
            sources=sources_of(lists, ("one", "two", "three")),
        )
        write_release(answer, hub / "releases", "2026.1", "First.")
        events = resources.files("ctdhub.practice") / "events.yaml"
        (hub / events.name).write_bytes(events.read_bytes())
        shutil.copytree(STORIES, hub / "stories")

    return open_release(once("browsed-hub", make) / "releases" / "2026.1")


@pytest.fixture(scope="session")
def site(release: Release, once: Once) -> Path:
    """Its site."""
    edition = Edition.of(release.path.parents[1])
    return once("browsed-site", lambda out: build_site(release, out, edition=edition))


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
