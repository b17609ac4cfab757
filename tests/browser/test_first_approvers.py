"""Two passkeys that are new at the desk become approvers: on a telephone, in Arabic."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ctdhub.hub.folder import Hub
from tests.browser.conftest import loads, patient
from tests.browser.desk_server import answering_here
from tests.browser.test_desk_approval import Person
from tests.desk import desks
from tests.desk.desks import Desk
from tests.desk.sending import work
from tests.desk.test_first_approvers import PAGE, WHO, settings


@pytest.fixture(params=["sqlite"])
def here(practice_desk: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk that answers, whose hub names no approvers."""
    hub = desks.copy_of(practice_desk, tmp_path / "hub")
    settings(hub, approvers=None)
    with answering_here(hub, request) as desk:
        yield desk


class Caller(Person):
    """Somebody with a telephone, at the pages in Arabic."""

    def __init__(self, browser: Browser, desk: Desk, role: str) -> None:
        phone = {"width": 390, "height": 844}
        self.context = browser.new_context(locale="ar", viewport=phone)  # type: ignore[arg-type]
        patient(self.context)
        desk.sign_in(self.context, role)
        self.sit_down(desk.address)

    def made(self) -> str:
        """The digits of a new passkey, as its owner reads them out."""
        self.page.goto(self.address + PAGE)
        loads(self.page, lambda: self.page.click("form[action$='/new/'] button"))
        self.to_signing_page()
        assert self.press() == "good"
        found = re.search(r"(?:[0-9a-f]{4} ){3}[0-9a-f]{4}", self.page.inner_text("body"))
        assert found
        return found[0]

    def hears(self, *digits: str) -> None:
        """Write down what the others read out, in the order of the fields."""
        self.page.goto(self.address + PAGE)
        fields = self.page.locator("input[name^=digits-]")
        expect(fields).to_have_count(len(digits))
        for place, own in enumerate(digits):
            fields.nth(place).fill(own)
        loads(self.page, lambda: self.page.click("form[autocomplete] button"))


def test_the_first_approvers_are_named_by_telephone(
    here: Desk, browser: Browser, violations: Callable[[Page], str]
) -> None:
    ann, ben, admin = (Caller(browser, here, role) for role in WHO)
    hers, his = ann.made(), ben.made()
    ann.hears("0000 0000 0000 0000")
    expect(ann.page.locator(".error")).to_be_visible()
    assert violations(ann.page) == ""
    field = ann.page.locator("input[name^=digits-]").bounding_box()
    assert field is not None
    assert 250 < field["width"] <= 390, "sixteen digits are seen at once"
    ann.hears(his)
    ben.hears(hers)
    admin.hears(hers, his)
    assert violations(admin.page) == ""
    loads(admin.page, lambda: admin.page.click("form[action$='/name/'] button"))
    assert work() == ["name_approvers done"]
    assert Hub(here.hub).settings.approvers is not None
    for person in (ann, ben, admin):
        person.context.close()
