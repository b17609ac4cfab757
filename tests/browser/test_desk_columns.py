"""A data officer decides dirty columns in Chromium, of a delivery and of the next one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import loads
from tests.browser.desk_server import answering_here
from tests.desk import desks
from tests.desk.desks import THEIRS, Desk
from tests.desk.sending import practice_file, rounds, rows, sent, work
from tests.fixtures.desks import ONE

OLD, NEW = "Gender", "Sex"
SAID = ("F (said so)", "fem.", "F, as she told us")
"""Texts that no practice mapping knows; the practice file has one more."""


@pytest.fixture(params=ONE)
def served(request: pytest.FixtureRequest, practice_desk: Path, tmp_path: Path) -> Iterator[Desk]:
    """A practice desk that answers."""
    hub = desks.copy_of(practice_desk, tmp_path / "hub")
    with answering_here(hub, request) as desk:
        assert rounds() == []
        yield desk


def dirty(file: Path, name: str, *texts: str) -> bytes:
    """The same workbook with a name over the column, and texts in it that nobody knows."""
    book, out = openpyxl.load_workbook(file), io.BytesIO()
    heads = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value == OLD]
    assert heads
    for head in heads:
        head.value = name
        for n, text in enumerate(texts):
            head.offset(row=3 + n).value = text
    book.save(out)
    return out.getvalue()


def row_of(page: Page, column: str) -> Locator:
    """The line of a column in the list of columns."""
    return page.locator("tr", has=page.get_by_role("link", name=column, exact=True))


def decide(page: Page, column: str, *texts: str) -> None:
    """Open a column, choose texts, say what they mean; the list of edits then has them."""
    loads(page, lambda: row_of(page, column).get_by_role("link").first.click())
    for text in texts:
        page.get_by_role("checkbox", name=text, exact=True).check()
    page.locator("#codes").select_option("female")
    page.click("button[value=map]")
    for text in texts:
        expect(page.locator("aside")).to_contain_text(text)
    loads(page, lambda: page.get_by_role("link", name="All columns").click())


def kept_and_accepted(page: Page, way: str) -> None:
    page.click("text=Keep the mapping")
    page.click("text=Keep the mapping all the same")
    expect(page.locator("main")).to_contain_text("The mapping is kept.")
    assert work() == ["check done"]
    page.goto(way)
    loads(page, lambda: page.get_by_role("button", name="Accept", exact=True).click())
    assert work() == ["accept done"], rows("Job").first().outcome
    page.goto(way)
    expect(page.locator("main")).to_contain_text("Accepted")


def test_a_dirty_column_and_then_one_of_another_name(served: Desk, browser: Browser) -> None:
    other, file = served.client_of("other"), practice_file(served, THEIRS)
    context = browser.new_context(locale="en")
    served.sign_in(context, "data_officer")
    page = context.new_page()

    first = sent(other, dirty(file, OLD, *SAID[:2]), "xlsx")
    assert work() == ["check done"]
    way = f"{served.address}/deliveries/{first}/"
    page.goto(way)
    loads(page, lambda: page.click("text=Decide the columns"))
    expect(row_of(page, OLD)).to_contain_text("3 rows with an unknown text")
    decide(page, OLD, *SAID[:2])
    expect(row_of(page, OLD)).to_contain_text("1 row with an unknown text")
    kept_and_accepted(page, way)

    second = sent(other, dirty(file, NEW, *SAID), "xlsx")
    assert work() == ["check done"]
    assert rows("Delivery").get(id=second).summary["stopped"], "the column is missing"
    way = f"{served.address}/deliveries/{second}/"
    page.goto(way)
    expect(page.locator("main")).to_contain_text(f"lacks columns that the mapping reads: {OLD}")
    loads(page, lambda: page.click("text=Decide the columns"))
    instead = f"read “{NEW}” instead of “{OLD}”"
    row_of(page, NEW).locator("select[name=is]").select_option(label=instead)
    page.click("text=Apply what is chosen")
    expect(row_of(page, NEW)).to_contain_text("2 rows with an unknown text")
    decide(page, NEW, SAID[2])
    kept_and_accepted(page, way)
    context.close()
