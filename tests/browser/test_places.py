"""Places and corridors as somebody uses them: two sides, other orders, two lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ctdhub.core.i18n import LANGUAGES
from ctdhub.site.frame import address

VERSION = "2026.1"
HIGHEST = 6_000
FIXED = ("index.html", "corridors.html", "facts.html", "countries/index.html", "map.html")


def test_the_two_sides_of_a_country_need_no_script(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / address("ar", "countries/ukr.html")).as_uri())
    expect(page.locator("#exploited")).to_be_visible()
    expect(page.locator("#citizens")).to_be_hidden()
    page.locator(".tabs a[href='#citizens']").click()
    expect(page.locator("#citizens")).to_be_visible()
    expect(page.locator("#exploited")).to_be_hidden()
    page.emulate_media(media="print")
    for side in ("#exploited", "#citizens"):
        expect(page.locator(side)).to_be_visible()
    context.close()


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(("size", "chrome"), [((1440, 900), 170), ((390, 844), 135)])
@pytest.mark.parametrize("kind", ["index.html", "countries/europe.html"])
def test_the_first_screen_holds_a_sentence_its_curve_and_the_way_to_help(
    site: Path, tab: Page, kind: str, size: tuple[int, int], chrome: int, code: str
) -> None:
    """The bars above the page are those of a site whose data are fictitious: with a line more."""
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    tab.goto((site / address(code, kind)).as_uri())
    seen = tab.evaluate(
        """() => ["main", ".years", "figure:has(.years) h3", ".door", ".exit", "#search-text"]
          .map(name => [...document.querySelectorAll(name)].find(e => e.checkVisibility()))
          .map(e => { const box = e.getBoundingClientRect(); return [box.top, box.bottom] })"""
    )
    assert seen[0][0] <= chrome
    assert all(0 <= above < below <= size[1] for above, below in seen[1:])


SHIFTED = """new PerformanceObserver(list => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({ type: "layout-shift", buffered: true }); window.shifted = 0"""


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
@pytest.mark.parametrize(
    "kind", ["index.html", "countries/ukr.html", "trends.html", "explore.html"]
)
def test_nothing_moves_while_a_page_loads(
    web: str, tab: Page, kind: str, size: tuple[int, int]
) -> None:
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    tab.add_init_script(SHIFTED)
    tab.goto(web + address("en", kind), wait_until="networkidle")
    if kind == "explore.html":
        tab.wait_for_selector("html[data-explore=ready]")
    assert tab.evaluate("new Promise(seen => setTimeout(() => seen(shifted), 500))") <= 0.05


def test_countries_are_ordered_by_name_and_by_numbers_only_on_demand(site: Path, tab: Page) -> None:
    tab.goto((site / address("en", "countries/index.html")).as_uri())
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
    tab.goto((site / address("fr", "corridors.html")).as_uri())
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
    tab.goto((site / address("en", name)).as_uri())
    assert tab.evaluate("document.documentElement.scrollHeight") <= HIGHEST
