"""The search of every page, as somebody uses it who spells a place in a way of their own."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ctdhub.site.frame import address

VERSION = "2026.1"
SPELT = {
    "Cote d Ivoire": "Côte d’Ivoire",
    "COTE D'IVOIRE": "Côte d’Ivoire",
    "Ivory Coast": "Côte d’Ivoire",
    "Moldavie": "Moldova",
    "Moldavia": "Moldova",
    "مولدوفا": "Moldova",
    "MDA": "Moldova",
    "Cape Verde": "Cape Verde",
    "Cabo Verde": "Cape Verde",
    "الاردن": "Jordan",
    "الأُرْدُنّ": "Jordan",
    "turkiye": "Türkiye",
    "Turquie": "Türkiye",
    "Swaziland": "Eswatini",
    "holland": "Netherlands",
    "Filipnas": "Philippines",
    "Philipines": "Philippines",
    "Kosovo": "Serbia",
    "Deutschland": "Germany",
    "Ελλάδα": "Greece",
    unicodedata.normalize("NFD", "Perú"): "Peru",
    **dict.fromkeys(("children", "minors", "niños", "enfants", "أطفال"), "Children under 18"),
    "helpline": "Get help",
    "how to cite": "Cite",
    "corridors": "Corridors",
    "trends": "Trends",
    "download": "Data",
}
"""What is typed, and the place, answer or page that comes first, on a page in English."""


def opened(page: Page, where: str) -> None:
    page.goto(where)
    page.locator("#search-text").focus()


def test_a_place_is_found_by_any_spelling(site: Path, tab: Page) -> None:
    """From ``file://``, on a page below the folder of its language."""
    opened(tab, (site / address("en", "countries/index.html")).as_uri())
    for typed, place in SPELT.items():
        tab.locator("#search-text").fill(typed)
        expect(tab.locator("#search-list li").first, typed).to_contain_text(place)
    tab.locator("#search-text").fill("<b>zzzz")
    expect(tab.locator("#search-list")).to_be_hidden()
    expect(tab.locator("#search-box [role=status]")).to_be_visible()


@pytest.mark.parametrize(
    ("code", "typed", "place"),
    [("ar", "Moldavia", "مولدوفا"), ("fr", "العراق", "Irak"), ("es", "gender", "Género")],
)
def test_names_are_in_the_language_of_the_page(
    web: str, tab: Page, code: str, typed: str, place: str
) -> None:
    """Served, so the list is fetched."""
    opened(tab, f"{web}{address(code)}")
    tab.locator("#search-text").fill(typed)
    expect(tab.locator("#search-list li").first).to_contain_text(place)


def test_keyboard_alone_leads_to_the_page(web: str, tab: Page) -> None:
    opened(tab, f"{web}{address('en', 'countries/ukr.html')}")
    box = tab.locator("#search-text")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press_sequentially("ukr")
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant") or ""
    expect(tab.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    box.press("ArrowUp")
    last = box.get_attribute("aria-activedescendant")
    assert last == f"search-{tab.locator('#search-list li').count() - 1}"
    box.press("ArrowDown")
    box.press("Enter")
    expect(tab).to_have_url(re.compile(r"/en/countries/ukr\.html$"))


def test_nothing_is_asked_before_somebody_searches(web: str, tab: Page) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"{web}{address('en', 'help.html')}")
    scripts = [url for url in asked[1:] if url.startswith(f"{web}a/")]
    assert asked[1:] == scripts, "which are those of every page"
    tab.locator("#search-text").focus()
    tab.locator("#search-text").fill("Peru")
    expect(tab.locator("#search-list li").first).to_contain_text("Peru")
    assert [url.rpartition("/")[2] for url in asked[1 + len(scripts) :]] == ["search-index.js"]


def test_a_country_is_compared_with_another_by_any_spelling(web: str, tab: Page) -> None:
    """From its page; the explorer shows both."""
    tab.goto(f"{web}{address('fr', 'countries/pol.html')}")
    box = tab.get_by_role("combobox", name="Comparer avec")
    found = tab.locator("#compare-exploited [role=option]")
    box.fill("Polen")
    expect(tab.locator("#compare-exploited [role=status]")).to_be_visible()
    box.fill("ألمانيا")
    expect(found.first).to_contain_text("Allemagne")
    box.press("Enter")
    expect(tab).to_have_url(
        re.compile(r"#country_of_exploitation=POL&vs\.country_of_exploitation=DEU$")
    )
    tab.wait_for_selector("html[data-explore=ready]")
    expect(tab.locator("#explore-chips ul")).to_have_count(2)


@pytest.mark.parametrize("typed", ["Ivory Coast", "cote d ivoire", "كوت ديفوار", "CIV"])
def test_a_filter_finds_a_country_by_any_spelling(web: str, tab: Page, typed: str) -> None:
    """As the search of the site does: in the field for all filters and in that of one."""
    tab.goto(f"{web}{address('es', 'explore.html')}")
    tab.wait_for_selector("html[data-explore=ready]")
    tab.locator("#explore-find").fill(typed)
    expect(tab.locator("#explore-found button").first).to_contain_text("Côte d’Ivoire")
    tab.locator("#explore-parts details[data-name=citizenship] > summary").click()
    one = tab.locator("#explore-parts details[data-name=citizenship]")
    one.locator("input[type=search]").fill(typed)
    expect(one.locator("label:not(.search):visible")).to_have_text(["Côte d’Ivoire"])


@pytest.mark.parametrize("typed", ["children", "minors", "niños", "enfants", "أطفال"])
def test_a_filter_finds_children_by_any_word(web: str, tab: Page, typed: str) -> None:
    """All ages below 18, alone and together with countries."""
    tab.goto(f"{web}{address('en', 'explore.html')}")
    tab.wait_for_selector("html[data-explore=ready]")
    tab.locator("#explore-find").fill(f"{typed}, Rumania, Italia")
    first = tab.locator("#explore-found button").first
    expect(first).to_contain_text("Children under 18, Citizenship: Romania")
    tab.locator("#explore-find").fill(typed)
    expect(first).to_have_text("Children under 18")
    first.click()
    expect(tab).to_have_url(re.compile(r"#age_band=0-8,9-17$"))


@pytest.mark.parametrize(
    ("lang", "typed", "told", "left"),
    [
        ("en", "children from Romania in Italy since 2018",
         "Children under 18, Citizenship: Romania, Country of exploitation: Italy, "
         "Year of registration: 2018–", "Left out: from in"),
        ("fr", "enfants de Roumanie en Italie depuis 2018", " 2018–", " de en"),
        ("es", "mujeres de Rumania explotadas en Italia",
         "Nacionalidad: Rumanía, País de explotación: Italia", "mujeres de explotadas en"),
        ("ar", "أطفال من رومانيا في إيطاليا", "رومانيا", "من في"),
        ("en", "people from Costa Rica", "Citizenship: Costa Rica", "people from"),
    ],
)  # fmt: skip
def test_a_filter_finds_what_a_sentence_asks(
    web: str, tab: Page, lang: str, typed: str, told: str, left: str
) -> None:
    """Words that no answer is called are told; where nothing is left, the field says so."""
    tab.goto(f"{web}{address(lang, 'explore.html')}")
    tab.wait_for_selector("html[data-explore=ready]")
    tab.locator("#explore-find").fill(typed)
    expect(tab.locator("#explore-found button").first).to_contain_text(told)
    expect(tab.locator("#explore-found li").last).to_contain_text(left)
    tab.locator("#explore-find").fill("from zzzz")
    expect(tab.locator("#explore-found button")).to_have_count(0)
    expect(tab.locator("#explore-found li")).to_have_count(1)
