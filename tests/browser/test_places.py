"""Places and corridors as somebody uses them: two sides, other orders, two lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ctdhub.site.frame import address

VERSION = "2026.1"
HIGHEST = 6_000
FIXED = ("index.html", "corridors.html", "facts.html", "countries/index.html", "map.html")


def test_the_two_sides_of_a_country_need_no_script(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / address("ar", VERSION, "countries/ukr.html")).as_uri())
    expect(page.locator("#exploited")).to_be_visible()
    expect(page.locator("#citizens")).to_be_hidden()
    page.locator(".tabs a[href='#citizens']").click()
    expect(page.locator("#citizens")).to_be_visible()
    expect(page.locator("#exploited")).to_be_hidden()
    page.emulate_media(media="print")
    for side in ("#exploited", "#citizens"):
        expect(page.locator(side)).to_be_visible()
    context.close()


def test_countries_are_ordered_by_name_and_by_numbers_only_on_demand(site: Path, tab: Page) -> None:
    tab.goto((site / address("en", VERSION, "countries/index.html")).as_uri())
    rows = tab.locator(".index tbody tr")
    names = rows.locator("th").all_inner_texts()
    assert names == sorted(names)
    tab.locator("[data-by=exploited]").click()
    found = [int(row.get_attribute("data-exploited") or 0) for row in rows.all()]
    assert found == sorted(found, reverse=True)
    assert len(found) == len(names)
    expect(tab.locator(".orders-note")).to_be_visible()
    tab.locator("[data-by=name]").click()
    assert rows.locator("th").all_inner_texts() == names


def test_two_lists_choose_a_corridor(site: Path, tab: Page) -> None:
    tab.goto((site / address("fr", VERSION, "corridors.html")).as_uri())
    fold = tab.locator("#corridors")
    row = fold.locator("tbody tr").first
    origin, place = row.get_attribute("data-from") or "", row.get_attribute("data-to") or ""
    tab.locator("#from").select_option(origin)
    tab.locator("#to").select_option(place)
    assert [r.is_visible() for r in fold.locator("tbody tr").all()].count(True) == 1
    expect(row).to_be_visible()
    tab.evaluate("document.getElementById('from').append(new Option('Nowhere', 'zzz'))")
    tab.locator("#from").select_option("zzz")
    expect(tab.locator(".pick-corridor [role=status]")).to_contain_text("pas zéro")


@pytest.mark.parametrize("name", FIXED)
def test_no_page_is_too_long(site: Path, tab: Page, name: str) -> None:
    tab.set_viewport_size({"width": 1440, "height": 900})
    tab.goto((site / address("en", VERSION, name)).as_uri())
    assert tab.evaluate("document.documentElement.scrollHeight") <= HIGHEST
