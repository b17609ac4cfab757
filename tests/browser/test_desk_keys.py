"""A contributor joins with its kit and its first bundle is accepted: by clicks, without a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import loads
from tests.browser.desk_server import answering_here
from tests.browser.test_kit import office, opened  # noqa: F401
from tests.desk import desks
from tests.desk.desks import Desk
from tests.desk.sending import practice_file, rounds, rows, work


@pytest.fixture(params=["sqlite"])
def here(practice_desk: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A practice desk that answers, without keys for bundles."""
    with answering_here(desks.copy_of(practice_desk, tmp_path / "hub"), request) as desk:
        assert rounds() == []
        yield desk


class Reader:
    """Somebody at a page: counts clicks, and the words of each page once."""

    clicks, words = 0, 0

    def __init__(self, page: Page) -> None:
        self.page, self.passed = page, set[str]()

    def read(self) -> None:
        """The visible words of the page, if they were not read before."""
        text = self.page.locator("body").inner_text()
        if text not in self.passed:
            self.passed.add(text)
            Reader.words += len(text.split())

    def click(self, what: str, role: str = "link") -> None:
        """Click what loads another page."""
        self.read()
        Reader.clicks += 1
        found = self.page.get_by_role(role, name=what).first  # type: ignore[arg-type]
        loads(self.page, found.click)
        self.read()

    def save(self, what: str, place: Path) -> Path:
        """Click what is a file to save."""
        self.read()
        Reader.clicks += 1
        with self.page.expect_download() as saved:
            self.page.get_by_role("link", name=what).first.click()
        saved.value.save_as(place / saved.value.suggested_filename)
        return place / saved.value.suggested_filename

    def choose(self, field: str, file: Path) -> None:
        """Choose a file, which is one click and one in the system's own window."""
        Reader.clicks += 2
        self.page.locator(field).set_input_files(file)


def test_a_contributor_joins_and_its_first_bundle_is_accepted(
    here: Desk,
    opened: str,  # noqa: F811
    browser: Browser,
    tmp_path: Path,
    violations: Callable[[Page], str],
) -> None:
    Reader.clicks = Reader.words = 0
    readers = {}
    for name in ("contributor", "data_officer", "kit"):
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="fr")
        if name != "kit":
            here.sign_in(context, name)
        readers[name] = Reader(context.new_page())
        readers[name].page.goto(opened if name == "kit" else here.address)
    sender, officer, kit = readers["contributor"], readers["data_officer"], readers["kit"]
    kit.page.locator(".languages summary").click()
    loads(kit.page, lambda: kit.page.get_by_role("button", name="Français").click())

    officer.click("Créez les clés de la plateforme")
    officer.click("Créer les clés de la plateforme", "button")
    assert work() == ["hub_keys done"]
    sender.click("Fiche et clé de votre kit")
    assert violations(sender.page) == ""
    card = sender.save("Enregistrer la fiche", tmp_path)
    loads(kit.page, lambda: kit.choose("#card", card))
    key = kit.save("Enregistrer le fichier de votre clé", tmp_path)
    shown = [kit.page.locator(".print").nth(n).inner_text() for n in (0, 1)]
    kit.click("L’empreinte est la même", "button")
    sender.choose("#file", key)
    sender.click("Remettre", "button")
    officer.page.goto(here.address)
    officer.click("Comparer par téléphone la clé")
    expect(officer.page.locator(".print")).to_have_text(shown[0])
    assert violations(officer.page) == ""
    officer.page.fill("#heard", "0000")
    officer.click("Confirmer la clé", "button")
    expect(officer.page.locator(".error")).to_be_visible()
    assert violations(officer.page) == ""
    officer.page.fill("#heard", shown[1])
    officer.click("Confirmer la clé", "button")
    assert work() == ["confirm_key done"]

    loads(kit.page, lambda: kit.choose("#file", practice_file(here)))
    kit.click("Ce qui est envoyé")
    kit.click("J’ai tout regardé", "button")
    expect(kit.page.locator("h1")).to_have_text("Le lot est prêt")
    bundle = kit.save("Enregistrer le lot", tmp_path)
    sender.page.goto(here.address)
    sender.click("Envoyer un fichier")
    sender.choose("#file", bundle)
    sender.click("Envoyer", "button")
    work()
    officer.page.goto(here.address)
    officer.click("Livraisons à examiner")
    loads(officer.page, lambda: officer.page.locator("main table a, main li a").first.click())
    officer.click("Accepter", "button")
    work()
    (delivery,) = rows("Delivery").filter(kind="ctdbundle")
    assert delivery.state == "accepted"
    assert Reader.clicks <= 25, Reader.clicks
    assert Reader.words <= 3_800, Reader.words
