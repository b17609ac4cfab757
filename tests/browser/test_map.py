"""The map and the trends in a real browser: keyboard, sizes, highlighting, without a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ctdhub.site.frame import address

VERSION = "2026.1"
PHONE = {"width": 390, "height": 844}
SMALLEST = 24
"""Pixels that a target must have (WCAG 2.2, 2.5.8)."""


def url(site: Path, page: str, lang: str = "en") -> str:
    return (site / address(lang, page)).as_uri()


def test_tiles_are_reached_and_opened_by_keyboard(tab: Page, site: Path) -> None:
    tab.goto(url(site, "map-citizenship.html"))
    links = tab.locator("#map-citizenship a[data-tile]")
    codes = [links.nth(k).get_attribute("data-tile") for k in range(links.count())]
    assert "UKR" in codes
    links.first.focus()
    for code in codes:
        assert tab.evaluate("document.activeElement.getAttribute('data-tile')") == code
        if code == "UKR":
            break
        tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/countries/ukr.html")


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_the_map_never_scrolls_sideways(tab: Page, site: Path, lang: str) -> None:
    """Its tiles are targets where each is large enough; else it is a picture above a table."""
    tab.goto(url(site, "map-citizenship.html", lang))
    for wide in (1280, 993, 992, 390, 320):
        tab.set_viewport_size({"width": wide, "height": 844})
        links, whole = tab.locator("#map-citizenship a[data-tile]"), tab.locator(".worldmap > svg")
        picture = tab.locator(".overview > svg")
        expect(whole if wide > 992 else picture).to_be_visible()
        expect(picture if wide > 992 else whole).to_be_hidden()
        drawn = (whole if wide > 992 else picture).bounding_box()
        assert drawn is not None
        assert drawn["x"] >= 0
        assert drawn["x"] + drawn["width"] <= wide
        for tile in links.locator("rect").all() if wide > 992 else []:
            found = tile.bounding_box()
            assert found is not None
            assert min(found["width"], found["height"]) >= SMALLEST
    tiles = tab.evaluate(
        "document.querySelector('.overview use').getBoundingClientRect().height > 100"
    )
    assert tiles, "what is not rendered can still be drawn again"
    assert tab.locator(".overview").evaluate("box => box.inert")
    tab.locator("#map-citizenship details:has(table) > summary").click()
    tab.locator("#map-citizenship table a[href$='countries/ukr.html']").click()
    tab.wait_for_url("**/countries/ukr.html")


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_charts_of_trends_stay_in_the_window(tab: Page, site: Path, lang: str) -> None:
    tab.set_viewport_size(PHONE)
    tab.goto(url(site, "trends-citizenship.html", lang))
    assert tab.locator(".panels .years").count() > 1
    outside = tab.evaluate(
        "[...document.querySelectorAll('.years text, .years circle, .years rect')].filter(t => {"
        "const r = t.getBoundingClientRect(); return r.left < 0 || r.right > 391})"
        ".map(t => t.outerHTML)"
    )
    assert outside == []


def test_corridors_of_the_focused_tile_stand_out(tab: Page, site: Path) -> None:
    tab.goto(url(site, "map.html"))
    map_ = tab.locator("#map-corridors svg.tiles").first
    assert "chosen" not in (map_.get_attribute("class") or "")
    tab.locator("#map-corridors a[data-tile=UKR]").focus()
    assert "chosen" in (map_.get_attribute("class") or "")
    ends = tab.locator("#map-corridors g.flow.mine")
    assert ends.count() > 0
    for k in range(ends.count()):
        assert "UKR" in (ends.nth(k).get_attribute("data-ends") or "").split()
    tab.locator("h1").click()
    tab.locator("#content").focus()
    assert "chosen" not in (map_.get_attribute("class") or "")


def test_the_pages_stand_without_a_script(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url(site, "map-citizenship.html"))
    assert page.locator("#map-citizenship a[data-tile]").first.is_visible()
    page.goto(url(site, "map.html"))
    page.locator("#map-citizenship a").click()
    page.wait_for_url("**/map-citizenship.html")
    page.go_back()
    page.locator("#map-corridors summary").first.click()
    assert page.locator("#map-corridors table").is_visible()
    page.goto(url(site, "trends.html"))
    assert page.locator("#trends-total svg.years").first.is_visible()
    context.close()
