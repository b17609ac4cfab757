"""A chart in a frame on a page of somebody else, on another origin, under strict policies."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect


class Strict(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with a policy that allows nothing but frames of one origin."""

    allowed = ""

    def end_headers(self) -> None:
        policy = f"default-src 'none'; img-src data:; frame-src {self.allowed}; style-src 'none'"
        self.send_header("Content-Security-Policy", policy)
        super().end_headers()

    def log_message(self, *_given: object) -> None: ...


@pytest.fixture
def other(web: str, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Another server that allows frames of the site, and its folder."""
    kind = type("Allowing", (Strict,), {"allowed": "/".join(web.split("/")[:3])})
    handler = functools.partial(kind, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", tmp_path
        server.shutdown()


@pytest.mark.parametrize("name", ["exploited-gender", "exploited-people-by-year"])
def test_a_frame_is_as_high_as_its_card(
    tab: Page, web: str, other: tuple[str, Path], name: str
) -> None:
    """Source, licence and helplines stand inside the frame whose code is copied."""
    root, folder = other
    tab.goto(f"{web.rstrip('/')}/fr/countries/pol.html")
    card = tab.locator(f"#{name}")
    card.locator(".share summary").click()
    code = card.locator("pre", has_text="<iframe").inner_text()
    (folder / "article.html").write_text(f"<!doctype html><title>x</title>{code}")
    tab.goto(f"{root}article.html")
    frame = tab.frames[1]
    frame.locator(f"#{name} svg").first.wait_for()
    assert frame.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_chart_stands_on_a_page_of_another_origin(
    tab: Page, web: str, other: tuple[str, Path], violations: Callable[[Page], str]
) -> None:
    root, folder = other
    place = f"{web.rstrip('/')}/r/2026.1/ar/places/ukr.html"
    code = f'<iframe src="{place}#citizens-gender" title="x" width="600" height="640"></iframe>'
    (folder / "article.html").write_text(
        f'<!doctype html><html lang="en"><title>x</title><link rel="icon" href="data:,">{code}'
    )
    tab.goto(f"{root}article.html")
    frame = tab.frame_locator("iframe")
    frame.locator("#citizens-gender svg").first.wait_for()
    expect(frame.locator("figure:visible")).to_have_count(1)
    frame.locator("#citizens-gender [value=table]").check()
    assert frame.locator("#citizens-gender table").is_visible()
    assert "CC-BY-4.0" in frame.locator("footer").inner_text()
    with tab.context.expect_page() as opened:
        frame.locator("main > p a").first.click()
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("window.opener") is None
    assert opened.value.url.endswith("/ar/countries/ukr.html")
    tab.goto(place)
    expect(tab.locator("figure:visible").nth(1)).to_be_visible()
    assert violations(tab) == ""
