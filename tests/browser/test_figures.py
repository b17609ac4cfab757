"""Figures leave the page as pictures: SVG and PNG that stand alone, in every language."""

from __future__ import annotations

import csv
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Page

from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT
from ctdhub.site.frame import address

SVG = "{http://www.w3.org/2000/svg}"
OUTSIDE = """() => [...document.querySelectorAll("text")]
  .map(text => [text.textContent, text.getBoundingClientRect()])
  .filter(([_, box]) => box.width && (box.left < 0 || box.right > 760)).map(([words]) => words)"""


def taken(tab: Page, figure: str, kind: str, folder: Path) -> Path:
    box = tab.locator(f"#{figure} .share")
    if not box.evaluate("box => box.open"):
        box.locator("summary").click()
    with tab.expect_download() as waiting:
        box.get_by_role("button", name=kind, exact=True).click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


@pytest.mark.parametrize("code", ["en", "ar"])
def test_pictures_say_what_the_page_says(tab: Page, site: Path, tmp_path: Path, code: str) -> None:
    tab.goto(f"{(site / address(code, 'countries/ukr.html')).as_uri()}#citizens")
    figure = tab.locator("#citizens-gender")
    file = taken(tab, "citizens-gender", "SVG", tmp_path)
    root = ET.parse(file).getroot()
    said = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    drawn = figure.locator("svg.chart").first.locator("text").all_text_contents()
    assert [text for text in said if text in drawn] == drawn
    words = " ".join(" ".join(said).replace("\u200f", "").split())
    for part in ("h3", ".sub", ".counted"):
        assert " ".join(figure.locator(part).first.inner_text().split()) in words
    for told in ("2026.1", "CC-BY-4.0", "#citizens-gender"):
        assert told in words
    metadata = root.find(f"{SVG}metadata")
    assert metadata is not None
    about = {e.tag.rpartition("}")[2]: e.text or "" for e in metadata.iter()}
    assert about["source"].endswith(f"r/2026.1/{code}/places/ukr.html#citizens-gender")
    assert about["license"]
    assert about["date"]
    png = taken(tab, "citizens-gender", "PNG", tmp_path).read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks = told_in(png)
    assert chunks["Source"].endswith("#citizens-gender")
    assert "creativecommons.org" in chunks["Copyright"]
    wide, high = struct.unpack(">II", png[16:24])
    assert (wide, high) == (1520, 2 * int(root.attrib["height"]))
    tab.goto(file.as_uri())
    assert tab.evaluate(OUTSIDE) == []
    starts = [float(t.attrib["x"]) for t in root.findall(f"{SVG}text")]
    assert set(starts) == ({736.0} if code in RIGHT_TO_LEFT else {24.0})


def told_in(png: bytes) -> dict[str, str]:
    """The texts in a PNG; fails where a chunk is damaged."""
    found, at = {}, 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        kind, held = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        (sum_,) = struct.unpack(">I", png[at + 8 + size : at + 12 + size])
        assert sum_ == zlib.crc32(kind + held)
        if kind == b"iTXt":
            key, _zero, rest = held.partition(b"\0")
            found[key.decode()] = rest[4:].decode("utf-8")
        at += 12 + size
    return found


def test_the_first_page_keeps_its_own_pictures(tab: Page, site: Path) -> None:
    tab.goto((site / address("en")).as_uri())
    box = tab.locator("#age .share")
    box.locator("summary").click()
    assert box.locator("a[download]").all_inner_texts()[::2] == ["CSV", "SVG"]
    assert box.locator(".made button").all_inner_texts() == ["PNG"]


@pytest.mark.parametrize(
    ("path", "link", "name"),
    [
        (
            "countries/ukr.html#citizens",
            "#citizens-gender .share a[href*='.csv#']",
            "gender-ukr-citizens.csv",
        ),
        ("mandated.html", "#pol a[href*='greta.csv']", "greta-pol.csv"),
    ],
)
def test_numbers_of_one_place_come_out_of_the_file_of_all(
    browser: Browser, web: str, site: Path, tmp_path: Path, path: str, link: str, name: str
) -> None:
    """The rows that the link names, where a script may read the file; else the whole file."""
    for root, scripts in ((web.rstrip("/"), True), (web.rstrip("/"), False)):
        context = browser.new_context(java_script_enabled=scripts)
        tab = context.new_page()
        tab.goto(f"{root}/{address('en', path)}")
        found = tab.locator(link)
        if summary := found.locator("xpath=ancestor::details/summary").all():
            summary[-1].click()
        with tab.expect_download() as waiting:
            found.click()
        taken = tmp_path / "taken.csv"
        waiting.value.save_as(taken)
        href = found.get_attribute("href") or ""
        file, _mark, where = href.partition("#")
        whole = (site / "en" / path).parent / file
        with whole.open(encoding="utf-8", newline="") as handle:
            every = list(csv.DictReader(handle))
        wanted = dict(pair.split("=") for pair in where.split("&"))
        rows = [row for row in every if wanted.items() <= row.items()]
        assert 0 < len(rows) < len(every)
        with taken.open(encoding="utf-8", newline="") as handle:
            assert list(csv.DictReader(handle)) == (rows if scripts else every)
        assert waiting.value.suggested_filename == (name if scripts else whole.name)
        context.close()


def test_views_units_and_copies(tab: Page, site: Path) -> None:
    """By keyboard; without a clipboard the text is selected."""
    tab.goto((site / address("en")).as_uri())
    card = tab.locator("#age")
    assert card.locator(".as-chart").is_visible()
    card.get_by_role("radio", name="Chart").focus()
    tab.keyboard.press("ArrowRight")
    assert card.locator("table").is_visible()
    assert not card.locator(".as-chart").is_visible()
    tab.keyboard.press("ArrowRight")
    assert card.locator(".as-code pre").count() == 4
    assert not card.locator("table").is_visible()
    tab.keyboard.press("ArrowRight")
    card.get_by_role("radio", name="Share of those recorded").check()
    assert card.locator(".in-share").is_visible()
    assert not card.locator(".in-people").is_visible()
    card.locator(".share summary").click()
    tab.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    block = card.locator(".share pre[data-copy=bibtex]")
    assert "urldate = {" in block.inner_text()
    block.locator("xpath=preceding-sibling::button").click()
    assert tab.evaluate("String(getSelection())").strip() == block.inner_text().strip()
    assert "\nY2  - " in card.locator("pre[data-copy=ris]").inner_text()


BESIDE = """() => {
  const chart = document.querySelector("#people-by-year svg.years");
  const box = mark => mark.getBoundingClientRect();
  const dots = chart.querySelectorAll("circle.bar"), end = box(dots[dots.length - 1]);
  const numbers = chart.querySelectorAll(".number"), last = box(numbers[numbers.length - 1]);
  const line = box(chart.querySelector(".join")), whole = box(chart);
  const rtl = document.documentElement.dir === "rtl";
  return {
    gap: rtl ? line.left - last.right : last.left - line.right,
    up: Math.abs((last.top + last.bottom) / 2 - (end.top + end.bottom) / 2),
    high: whole.height,
  };
}"""


@pytest.mark.parametrize("wide", [390, 1280])
def test_labels_of_a_line_stand_beside_their_points(tab: Page, site: Path, wide: int) -> None:
    tab.set_viewport_size({"width": wide, "height": 900})
    for code in ("en", "ar"):
        tab.goto((site / address(code)).as_uri())
        found = tab.evaluate(BESIDE)
        assert 0 <= found["gap"] <= 12, (code, found)
        assert found["up"] <= 20, (code, found)
        least, most = (150, 193) if wide < 640 else (240, 305)
        assert least <= found["high"] <= most, "it stands in the first screen, and is no stripe"


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_number_of_a_table_has_a_card(
    tab: Page, site: Path, violations: Callable[[Page], str], code: str
) -> None:
    tab.goto((site / address(code)).as_uri())
    figure = tab.locator("#age")
    figure.locator("[value=table]").check()
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
    tab.goto((site / address("en")).as_uri())
    rows = tab.locator("figure tbody tr:has(td:nth-of-type(4))")
    people = rows.locator("td:nth-of-type(1)").all_text_contents()
    shown = [text for text in people if any(letter.isdigit() for letter in text)]
    assert tab.locator("figure tbody button").count() == len(shown) < len(people)
