"""Nine things that people come for, each in at most four clicks after the first page.

A reader here knows the labels on the screen and nothing of addresses: every step is a click (or a
choice from a list, which counts as one; typing before it counts with it), and the count is kept by
the reader, not by the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from invented_release import ASSISTED, TABLES, people_rows, protected_answer
from playwright.sync_api import Browser, Locator, Page, expect

from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.site.build import build_site
from ctdhub.site.edition import Edition
from ctdhub.site.frame import address
from tests.browser.test_pages import DESKTOP, PHONE, SMALL

MOST = 4
AGES = "age_band*country_of_exploitation"
HELPLINES = """\
- {country: GBR, name: Fictitious Line, kind: trafficking, number: "0800 000 111",
   languages: [ar, en], checked_on: 2026-01-31}
"""


class Reader:
    """Somebody in front of the first page, who counts what they click."""

    def __init__(self, page: Page, first: str) -> None:
        self.page, self.clicks = page, 0
        page.goto(first)

    def click(self, target: Locator) -> None:
        """Click what can be seen."""
        self.clicks += 1
        assert self.clicks <= MOST, f"more than {MOST} clicks"
        target.click()

    def pick(self, box: Locator, typed: str, found: Locator) -> None:
        """Type into a field and choose from what it lists."""
        box.fill(typed)
        self.click(found)

    def choose(self, box: Locator, label: str) -> None:
        """Choose from a list."""
        self.clicks += 1
        assert self.clicks <= MOST, f"more than {MOST} clicks"
        box.select_option(label=label)

    def find(self, typed: str, name: str) -> None:
        """Find a place with the search of every page."""
        hit = self.page.locator("#search-list li", has_text=name).first
        self.pick(self.page.locator("#search-text"), typed, hit)
        expect(self.page.locator("h1")).to_contain_text(name)

    def menu(self, name: str) -> None:
        """Go to an entry of the menu, or of the line of pages below it."""
        self.click(self.page.locator(".menu, .siblings").get_by_role("link", name=name, exact=True))

    def explorer(self) -> None:
        """Wait for the explorer and for what was asked of it."""
        self.page.wait_for_selector("html[data-explore=ready]")
        self.page.wait_for_selector("#explore-figure:not([aria-busy])")


Begin = Callable[..., Reader]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of two releases; the people in Poland are gone in the second."""
    folder, rows = tmp_path_factory.mktemp("tasks"), people_rows()
    fewer = [row for row in rows if row["country_of_exploitation"] != "POL"]
    first, second = (
        open_release(
            write_release(
                protected_answer(some, tables=(*TABLES, *ASSISTED), facts={"languages": ["en"]}),
                folder / "releases",
                version,
                "",
            )
        )
        for version, some in (("2025.1", rows), ("2026.1", fewer))
    )
    kinds = ["home", "trends", "changes"]
    build_site(second, folder / "site", earlier=(first,), only=kinds, languages=["en"])
    return folder / "site"


@pytest.fixture(scope="module")
def helped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a hub that lists a helpline, and measured ages by country."""
    hub = tmp_path_factory.mktemp("helped")
    (hub / "helplines.yaml").write_text(HELPLINES, "utf-8")
    answer = protected_answer(tables=(*TABLES, AGES), facts={"languages": list(LANGUAGES)})
    path = write_release(answer, hub / "releases", "2026.1", "")
    kinds = ["home", "get_help", "places"]
    edition = Edition.of(hub)
    build_site(
        open_release(path), hub / "site", edition=edition, only=kinds, languages=["en", "ar"]
    )
    return hub / "site"


@pytest.fixture
def begin(browser: Browser, web: str) -> Iterator[Begin]:
    """Readers at the first page; what they copy can be read, an error in the console fails."""
    context, errors = browser.new_context(viewport=DESKTOP), []
    context.grant_permissions(["clipboard-read", "clipboard-write"])

    def at(base: str = web, lang: str = "en", phone: bool = False) -> Reader:
        page = context.new_page()
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.set_viewport_size(PHONE if phone else DESKTOP)
        return Reader(page, base + address(lang))

    yield at
    context.close()
    assert errors == []


@pytest.mark.parametrize("phone", [False, True])
def test_1_women_from_one_country_in_another_by_year(begin: Begin, phone: bool) -> None:
    """No table has all four variables, so the nearest questions are offered.

    On a phone the filters are a sheet, and the first chart of all leads to the explorer.
    """
    reader = begin(phone=phone)
    page = reader.page
    if phone:
        reader.click(page.get_by_role("link", name="Split or compare").first)
        reader.explorer()
        reader.click(page.locator("#explore-open"))
    else:
        reader.menu("Explore")
        reader.explorer()
    found = page.locator("#explore-found button").first
    box = page.locator("#explore-find")
    box.fill("women, ukr, pologne")
    expect(found).to_have_text(
        "Gender: Woman or girl, Citizenship: Ukraine, Country of exploitation: Poland"
    )
    reader.click(found)
    reader.explorer()
    expect(page.locator("#explore-chips button")).to_have_count(3)
    offers = page.locator("#explore-offers a")
    expect(page.locator("#explore-offers")).to_be_visible()
    assert offers.count() >= 1
    for text in offers.all_inner_texts():
        assert "can be shown" in text
    reader.click(offers.first)
    reader.explorer()
    expect(page.locator("#explore-offers")).to_be_hidden()
    expect(page.locator("#explore-subtitle")).to_contain_text("year of registration")


def test_2_one_country_compared_with_another(begin: Begin) -> None:
    reader = begin()
    page = reader.page
    reader.find("Pologne", "Poland")
    reader.click(page.get_by_role("link", name="Split or compare").first)
    reader.explorer()
    reader.click(page.get_by_role("button", name="Compare two groups"))
    reader.explorer()
    reader.click(page.get_by_role("checkbox", name="Germany"))
    reader.explorer()
    assert "country_of_exploitation=POL&vs.country_of_exploitation=DEU" in page.url
    expect(page.locator("#explore-plot polyline")).to_have_count(2)


def test_3_a_sentence_for_an_article(begin: Begin) -> None:
    reader = begin()
    card = reader.page.locator("figure.chart-card").first
    reader.click(card.get_by_text("Share and cite"))
    sentence = card.locator(".copied", has_text="As a sentence")
    reader.click(sentence.get_by_role("button"))
    expect(sentence.get_by_role("button")).to_have_text("Copied")
    copied = reader.page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"fell from [\d,]+ ± \d+ in \d{4} to ", copied), copied
    assert "licence" in copied
    assert "n = " in copied
    assert re.search(r"/r/2026\.1/en/[\w-]+\.html#", copied)


@pytest.mark.parametrize("first", ["en/index.html", "en/"])
def test_4_a_chart_on_another_page(begin: Begin, web: str, first: str) -> None:
    reader = begin()
    page = reader.page
    page.goto(web + first)
    card = page.locator("figure.chart-card").first
    reader.click(card.get_by_text("Share and cite"))
    code = card.locator(".copied", has_text="For another page")
    reader.click(code.get_by_role("button"))
    copied = page.evaluate("navigator.clipboard.readText()")
    source = re.search(r'src="([^"]+)"', copied)
    assert source, copied
    page.goto(source[1])
    expect(page.locator("figure:visible svg.chart").first).to_be_visible()
    expect(page.locator("footer")).to_contain_text("CC-BY-4.0")


def test_5_the_share_of_children_of_a_region(begin: Begin, helped: Path) -> None:
    """One number with its interval and base, not two age groups to be added up."""
    reader = begin(f"{helped.as_uri()}/")
    reader.click(reader.page.locator("main").get_by_role("link", name="Europe", exact=True))
    there = reader.page.locator("#exploited .profile")
    reader.click(there.locator("summary"))
    expect(there).to_contain_text(
        re.compile(
            r"Of those whose age is recorded, [\d.]+% are children under 18 \([\d.]+% to [\d.]+%\)"
        )
    )


def test_6_a_helpline_in_arabic_on_a_phone(begin: Begin, helped: Path) -> None:
    """From the first page in English; a number that a phone dials."""
    reader = begin(f"{helped.as_uri()}/", phone=True)
    page = reader.page
    reader.click(page.get_by_role("link", name="العربية"))
    reader.click(page.locator(".doors .urgent a"))
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    reader.choose(page.locator("#choose select"), "المملكة المتحدة")
    line = page.locator("#countries section").first
    expect(line.locator("a[href^='tel:']")).to_have_text("0800 000 111")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_7_what_changed_for_one_country(
    begin: Begin, two: Path, violations: Callable[[Page], str]
) -> None:
    reader = begin(f"{two.as_uri()}/")
    reader.menu("Change")
    reader.menu("What changed")
    row = reader.page.get_by_role("row", name="Poland").last
    row.scroll_into_view_if_needed()
    expect(row).to_contain_text(re.compile(r"\d"))
    expect(row.locator("b").first).to_be_visible()
    for size in (DESKTOP, SMALL):
        reader.page.set_viewport_size(size)
        assert violations(reader.page) == ""


@pytest.mark.parametrize("phone", [False, True])
def test_7_what_is_said_of_a_country_without_a_difference(
    begin: Begin, two: Path, phone: bool
) -> None:
    """The link of a country leads into a list; what the list says stays above it."""
    page = begin(f"{two.as_uri()}/", phone=phone).page
    page.goto(f"{two.as_uri()}/en/changes.html")
    place = page.locator("p + .row > li").last
    page.goto(f"{page.url}#{place.get_attribute('id')}")
    said = page.locator("p:has(+ .row > :target)")
    bottom = page.evaluate("document.querySelector('header').getBoundingClientRect().bottom")
    words, name = said.bounding_box(), place.bounding_box()
    assert words
    assert name
    assert bottom <= words["y"] < words["y"] + words["height"] <= name["y"] < SMALL["height"]
    assert place.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_8_ones_own_country_by_its_name_in_another_language(begin: Begin) -> None:
    for typed, place in (("Ucrania", "Ukraine"), ("مولدوفا", "Moldova")):
        reader = begin()
        reader.find(typed, place)
        assert reader.clicks == 1


def test_9_the_code_of_the_table_on_screen(begin: Begin) -> None:
    """Of a card on the first page, and of a filtered table of the explorer."""
    reader = begin()
    card = reader.page.locator("figure.chart-card").first
    reader.click(card.get_by_label("Table", exact=True))
    expect(card.locator("table")).to_be_visible()
    reader.click(card.get_by_label("Code", exact=True))
    code = card.locator(".as-code pre").all_inner_texts()
    assert any("open_site(" in text for text in code)
    assert any("read.csv(" in text for text in code)
    reader.click(card.get_by_role("link", name="Split or compare"))
    reader.explorer()
    reader.click(reader.page.locator("#explore-code summary"))
    expect(reader.page.locator("#explore-code pre").first).not_to_be_empty()
    texts = " ".join(reader.page.locator("#explore-code pre").all_inner_texts())
    assert "ctdhub.open_release" in texts
    assert "<- " in texts
