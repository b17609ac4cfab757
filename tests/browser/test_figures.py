"""Figures leave the page as pictures: SVG and PNG that stand alone, in every language."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Page

from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT
from ctdhub.site.frame import address

SVG = "{http://www.w3.org/2000/svg}"
OUTSIDE = """() => [...document.querySelectorAll("text")]
  .map(text => [text.textContent, text.getBoundingClientRect()])
  .filter(([_, box]) => box.width && (box.left < 0 || box.right > 760)).map(([words]) => words)"""


def taken(tab: Page, figure: str, kind: str, folder: Path) -> Path:
    with tab.expect_download() as waiting:
        tab.locator(f"#{figure}").get_by_role("button", name=kind, exact=True).click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


@pytest.mark.parametrize("code", LANGUAGES)
def test_pictures_say_what_the_page_says(tab: Page, site: Path, tmp_path: Path, code: str) -> None:
    tab.goto((site / address(code, "2026.1", "countries/ukr.html")).as_uri())
    figure = tab.locator("#citizens-gender")
    file = taken(tab, "citizens-gender", "SVG", tmp_path)
    root = ET.parse(file).getroot()
    said = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    drawn = figure.locator("svg.chart text").all_text_contents()
    assert [text for text in said if text in drawn] == drawn
    words = " ".join(" ".join(said).replace("\u200f", "").split())
    for part in ("h3", ".sub", ".note"):
        assert " ".join(figure.locator(part).first.inner_text().split()) in words
    assert "2026.1" in words
    png = taken(tab, "citizens-gender", "PNG", tmp_path).read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high = struct.unpack(">II", png[16:24])
    assert (wide, high) == (1520, 2 * int(root.attrib["height"]))
    tab.goto(file.as_uri())
    assert tab.evaluate(OUTSIDE) == []
    starts = [float(t.attrib["x"]) for t in root.findall(f"{SVG}text")]
    assert set(starts) == ({736.0} if code in RIGHT_TO_LEFT else {24.0})


def test_the_first_page_keeps_its_own_pictures(tab: Page, site: Path) -> None:
    tab.goto((site / address("en", "2026.1")).as_uri())
    actions = tab.locator("#age .actions li > ul > li")
    assert [text.strip() for text in actions.all_inner_texts()][:3] == ["SVG", "PNG", "CSV"]
    assert tab.locator("#age").get_by_role("button", name="SVG", exact=True).count() == 0


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_number_of_a_table_has_a_card(
    tab: Page, site: Path, violations: Callable[[Page], str], code: str
) -> None:
    tab.goto((site / address(code, "2026.1")).as_uri())
    figure = tab.locator("#age")
    figure.locator("summary").first.click()
    row = figure.locator("tbody tr").nth(1)
    cells = row.locator("td").all_inner_texts()
    button = row.get_by_role("button")
    button.focus()
    tab.keyboard.press("Enter")
    card = tab.get_by_role("dialog")
    said = card.inner_text()
    for part in (row.locator("th").inner_text(), *cells[:3], "2026.1", "First organisation"):
        assert part in said, part
    assert card.locator("[data-field=base]").inner_text() in figure.get_attribute("data-base")
    assert violations(tab) == ""
    tab.keyboard.press("Escape")
    assert not card.is_visible()
    assert button.evaluate("button => button === document.activeElement")


def test_blanks_have_no_card(tab: Page, site: Path) -> None:
    tab.goto((site / address("en", "2026.1")).as_uri())
    rows = tab.locator("figure tbody tr:has(td:nth-of-type(4))")
    people = rows.locator("td:nth-of-type(1)").all_text_contents()
    shown = [text for text in people if any(letter.isdigit() for letter in text)]
    assert tab.locator("figure tbody button").count() == len(shown) < len(people)
