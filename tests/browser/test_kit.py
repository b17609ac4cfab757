"""The kit in a real browser: from an untouched spreadsheet to a bundle that the hub opens."""

from __future__ import annotations

import csv
import importlib.util
import io
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ctdhub.core.keys import age
from ctdhub.core.keys.signing import make_key
from ctdhub.sensitive.bundle.pack import (
    CardAgreement,
    HubCard,
    card_bytes,
    check_bundle,
    open_bundle,
    sign_card,
)
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import harmonise
from tests.browser.conftest import loads

HEAD = ["N° dossier", "Prénom", "Nom", "Sexe", "Âge", "Date d’accueil", "Nationalité",
        "Pays d’exploitation", "Type d’exploitation", "Consentement", "Notes"]  # fmt: skip
SEXES = ("F", "F", "F", "H", "Fém", "Femme")
KINDS = ("Exploitation sexuelle", "Travail forcé", "travail force", "Mendicité",
         "Exploitation sexuelle, Travail forcé")  # fmt: skip


def spreadsheet(path: Path) -> Path:
    """A file as a small refuge keeps it; the people are fictitious."""
    rows = [
        [f"D-{1000 + i}", "Secrète", "Personne", SEXES[i % 6], str(14 + i % 40),
         f"{1 + i % 28:02d}/{1 + i % 12:02d}/{2022 + i % 3}", ("Nigéria", "Roumanie")[i % 2],
         "France", KINDS[i % 5], ("oui", "oui", "non")[i % 3], "rappeler"]
        for i in range(120)
    ]  # fmt: skip
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows([HEAD, *rows])
    path.write_text(text.getvalue(), "utf-8-sig")
    return path


@dataclass
class Office:
    """A refuge with a kit, and the hub that gave it a card."""

    root: Path
    card: Path
    identity: Path
    fingerprint: str

    @property
    def kit(self) -> Path:
        return self.root / "kit"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    steward = make_key(tmp_path / "steward.pem")
    recipient = age.make_identity(tmp_path / "inbox.age")
    card = HubCard(
        hub="Practice hub",
        invented=True,
        schema_version="1.2",
        years=(2002, 2030),
        recipients=(recipient,),
        approvers={"steward": (steward.public,)},
        contributor="refuge",
        contributor_name="Refuge (fictif)",
        contributor_kind="case_management",
        agreement=CardAgreement(consent_rule="Accord écrit.", ends="2027-01-31"),
        date="2026-11-27",
    )
    signed = sign_card(card, steward)
    place = tmp_path / "refuge.ctdhub-card"
    place.write_bytes(card_bytes(signed))
    return Office(tmp_path, place, tmp_path / "inbox.age", signed.fingerprint)


@pytest.fixture
def opened(office: Office, request: pytest.FixtureRequest) -> Iterator[str]:
    """The one-time address of a kit in a process of its own, as Django's settings are one's.

    It speaks English, or the language that a test asks for.
    """
    run = [sys.executable, "-c", "from ctdhub.cli.main import main; main()"]
    run = os.environ.get("CTDHUB_KIT", "").split() or run  # another kit: freezer/check.py
    kit = subprocess.Popen(
        [*run, "kit", "--no-browser", "--folder", str(office.kit)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CTDHUB_LANG": getattr(request, "param", "en")},
    )
    assert kit.stdout is not None
    yield next(line.strip() for line in kit.stdout if line.startswith("http://"))
    kit.terminate()
    kit.wait(20)


class Caseworker:
    """Somebody who has never seen the kit; counts clicks and keystrokes."""

    def __init__(self, page: Page) -> None:
        self.page, self.acts = page, 0

    def click(self, name: str, role: str = "button") -> None:
        self.acts += 1
        self.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]

    def go(self, name: str, role: str = "link") -> None:
        """Click what loads another page."""
        loads(self.page, lambda: self.click(name, role))


def test_from_an_untouched_spreadsheet_to_a_bundle(
    office: Office, opened: str, tab: Page, violations: Callable[[Page], str]
) -> None:
    file, who = spreadsheet(office.root / "Liste.csv"), Caseworker(tab)
    untouched = file.read_bytes()
    tab.goto(opened)
    tab.locator(".languages summary").click()
    who.go("Français", "button")
    assert violations(tab) == ""
    tab.get_by_label("Fiche de la plateforme").set_input_files(office.card)
    expect(tab.locator(".print").first).to_have_text(office.fingerprint)
    assert violations(tab) == ""
    who.click("L’empreinte est la même")
    tab.get_by_label("Déposez un tableur ici").set_input_files(file)
    expect(tab.locator("h1")).to_have_text("Colonnes de votre fichier")
    who.go("Consentement")
    tab.get_by_role("checkbox", name="non", exact=True).check()
    tab.get_by_label("Les lignes avec les textes choisis").select_option("no-consent")
    who.click("Écarter ces lignes")
    expect(tab.locator(".notice")).to_contain_text("Dossiers")
    expect(tab.locator("#live")).to_contain_text("Dossiers")
    for screen in ("Problèmes", "Identifiants", "Historique", "Texte", "Vos chiffres"):
        who.go(screen)
    who.go("Ce qui est envoyé")
    expect(tab.locator("main")).to_contain_text("Lignes dont seul le motif est envoyé")
    assert "Secrète" not in tab.content()
    assert "D-1000" not in tab.content()
    assert violations(tab) == ""
    who.click("J’ai tout regardé")
    expect(tab.locator("h1")).to_have_text("Le lot est prêt")
    assert violations(tab) == ""
    with tab.expect_download() as saved:
        who.click("Enregistrer le lot", "link")
    assert saved.value.suggested_filename == "refuge-1.ctdbundle"
    bundle = open_bundle(office.kit / "bundles/refuge-1.ctdbundle", [office.identity], office.root)
    check_bundle(
        bundle, "Practice hub", age.recipients_of(office.identity), [bundle.manifest.signer]
    )
    rows = list(csv.DictReader(io.StringIO(bundle.cases.decode())))
    assert len(rows) == 120
    assert sum(1 for r in rows if r["Sexe"]) == 80
    for kept in ("Secrète", "D-10", "rappeler"):
        assert kept not in bundle.cases.decode()
    assert file.read_bytes() == untouched
    assert office.kit.stat().st_mode & 0o077 == 0
    inside = [p for name in ("*.*", "files/*", "bundles/*") for p in office.kit.glob(name)]
    assert all(p.stat().st_mode & 0o077 == 0 for p in inside)
    assert who.acts < 30
    who.click("Fermer le kit")
    expect(tab.locator("h1")).to_have_text("Le kit est fermé")


@pytest.fixture
def page_of_file(office: Office, opened: str, browser: Browser) -> Iterator[Page]:
    """The columns of a file on a phone, in Arabic."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(opened)
    page.locator(".languages summary").focus()
    page.keyboard.press("Enter")
    page.locator("button[value=ar]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    page.locator("#file").set_input_files(spreadsheet(office.root / "ملف.csv"))
    expect(page.locator("h1")).to_have_text("أعمدة ملفك")
    yield page
    assert context.storage_state()["cookies"] == []
    context.close()


def test_arabic_on_a_phone_by_keys_and_without_a_script(
    page_of_file: Page, browser: Browser, violations: Callable[[Page], str]
) -> None:
    page, columns = page_of_file, page_of_file.url
    for path in ("", "3/", "../history/", "../text/", "../problems/", "../identifiers/",
                 "../numbers/"):  # fmt: skip
        page.goto(columns + path)
        assert violations(page) == "", path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.goto(f"{columns}3/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("input[name=texts]").first.is_checked()
    page.locator("#codes").select_option(index=1)
    page.locator("tr[data-row] input").first.focus()
    page.keyboard.press("a")
    expect(page.locator("aside .history li")).to_have_count(1)
    expect(page.locator("#live")).not_to_be_empty()
    expect(page.locator("tr#value-0 :focus")).to_have_count(1)
    page.keyboard.press("u")
    expect(page.locator("aside .history li")).to_have_count(0)
    expect(page.locator(".htmx-settling")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.locator("tr[data-row] input").first.focus()
    page.keyboard.press("x")
    assert not page.locator("input[name=texts]").first.is_checked()
    plain = browser.new_context(java_script_enabled=False)
    quiet = plain.new_page()
    quiet.goto(page.url)
    quiet.locator("input[name=texts]").first.check()
    quiet.locator("#codes").select_option(index=1)
    quiet.locator("button[value=map]").click()
    expect(quiet.locator("aside .history li")).to_have_count(1)
    quiet.locator("aside button[value=undo]").first.click()
    expect(quiet.locator("aside .history li")).to_have_count(0)
    plain.close()


# --------------------------------------------------------------------------------------------------
# The register of a shelter in Excel (benchmarks/register.py): what the way to its bundle costs.

CLICKS, DECISIONS, WORDS = 25, 12, 1_200
SEEN = """() => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const near = texts.currentNode.parentElement, option = near.closest("option");
    const holder = option ? option.closest("select") : near;
    if (near.closest("script, style, .unseen") || (option && !option.selected)) continue;
    const place = holder.getBoundingClientRect();
    if (holder.checkVisibility() && place.right > 0 && place.bottom > 0)
      found.push(texts.currentNode.textContent);
  }
  return found;
}"""
"""The texts of a page that are to be seen; of a list of choices the chosen one."""


class Newcomer:
    """Counts what the way costs: activations, values chosen, and words on the pages passed.

    A button that answers a question is both a click and a decision.  A word counts once for each
    place of a page where it stands, over all states of that page.
    """

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.decisions = page, 0, 0
        self._read: dict[str, Counter[str]] = {}

    @property
    def words(self) -> int:
        return sum(count.total() for count in self._read.values())

    def look(self, title: str) -> None:
        """Read the page of this title as it is now."""
        expect(self.page.locator("h1")).to_have_text(title)
        texts = " ".join(self.page.evaluate(SEEN)).split()
        now = Counter(word for word in texts if re.search(r"\w", word))
        self._read[title] = self._read.get(title, Counter()) | now

    def go(self, act: Callable[[], object], title: str, *, decides: bool = False) -> None:
        """Do what leads to another page, and read it."""
        self.clicks, self.decisions = self.clicks + 1, self.decisions + decides
        loads(self.page, act)
        self.look(title)

    def choose(self, select: Locator, text: str) -> None:
        """Answer in a list of choices."""
        self.clicks, self.decisions = self.clicks + 1, self.decisions + 1
        select.select_option(label=text)

    def apply(self, button: Locator) -> None:
        """Apply what is chosen, and read what the page then says."""
        self.clicks += 1
        with self.page.expect_response(lambda answer: answer.request.method == "POST"):
            button.click()
        expect(self.page.locator(".htmx-swapping, .htmx-settling, .htmx-request")).to_have_count(0)
        self.look("Colonnes de votre fichier")


def register() -> ModuleType:
    """The generator of the register, which is kept with the benches of foreign files."""
    path = Path(__file__).parents[2] / "benchmarks" / "register.py"
    spec = importlib.util.spec_from_file_location("register_of_a_shelter", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def values_of_bundle(office: Office) -> dict[int, dict[str, str]]:
    """What the hub makes of each row of the bundle, by the row of the shelter's own file."""
    path = office.kit / "bundles/refuge-1.ctdbundle"
    bundle = open_bundle(path, [office.identity], office.root)
    (office.root / "cases.csv").write_bytes(bundle.cases)
    rows = [int(row["row_in_file"]) for row in csv.DictReader(io.StringIO(bundle.cases.decode()))]
    mapping = parse_mapping(bundle.mapping.decode(), "mapping.yaml")
    raw = read_isolated(office.root / "cases.csv", mapping.read)
    done = harmonise(raw, mapping, "refuge", (2002, 2030), bytes(32))
    assert done.conservation.rejected == 0
    beside = {"source_row", "source_file", "record_id", "person_key", "case_code", "source_type",
              "reporting_entity"}  # fmt: skip
    return {
        rows[record["source_row"] - 2]: {
            name: str(value)
            for name, value in record.items()
            if value is not None and name not in beside
        }
        for record in done.records.to_pylist()
    }


def readers(kit: Path) -> list[int]:
    """The processes that read files for the kit of a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes()
            parent = (process / "stat").read_text("ascii").rpartition(")")[2].split()[1]
            of_kit = str(kit).encode() in Path("/proc", parent, "cmdline").read_bytes()
            if of_kit and b"ctdhub.sensitive.ingest.isolated" in words:
                found.append(int(process.name))
    return found


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked up in /proc")
def test_a_file_is_read_by_a_process_apart_and_its_end_costs_one_file(
    office: Office, page_of_file: Page
) -> None:
    page, (reader,) = page_of_file, readers(office.kit)
    home = re.match(r"http://[^/]+/k/[0-9a-f]+/", page.url)
    assert home
    os.kill(reader, signal.SIGKILL)
    page.goto(home[0])
    bomb = office.root / "قنبلة.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(2**28))
    page.locator("#file").set_input_files(bomb)
    expect(page.locator("main")).to_contain_text("zip-ratio")
    page.goto(home[0])
    page.locator("#file").set_input_files(spreadsheet(office.root / "ثانٍ.csv"))
    expect(page.locator("h1")).to_have_text("أعمدة ملفك")
    assert readers(office.kit) not in ([], [reader])


@pytest.mark.parametrize("opened", ["fr"], indirect=True)
def test_a_register_in_excel_becomes_a_bundle_within_the_budgets(
    office: Office, opened: str, tab: Page, violations: Callable[[Page], str]
) -> None:
    source, who = register(), Newcomer(tab)
    file = source.write(office.root / "Registre.xlsx")
    tab.goto(opened)
    who.look("De votre fichier à un lot")
    card = tab.get_by_label("Fiche de la plateforme")
    who.go(lambda: card.set_input_files(office.card), "La fiche de la plateforme")
    same = tab.get_by_role("button", name="L’empreinte est la même")
    who.go(same.click, "De votre fichier à un lot", decides=True)
    drop = tab.get_by_label("Déposez un tableur ici")
    who.go(lambda: drop.set_input_files(file), "Colonnes de votre fichier")
    assert violations(tab) == ""

    def row(name: str) -> Locator:
        return tab.locator("tr[data-row]").filter(
            has=tab.get_by_role("link", name=name, exact=True)
        )

    who.choose(tab.locator(".question select"), "les écarter : ce sont des totaux ou des notes")
    who.choose(row("Exploitation").locator("select"), "Travail domestique")
    who.choose(row("Lieu de l'exploitation").locator("select"), "France")
    who.choose(row("Recruteur").locator("select"), "Autre lien")
    for kind in ("Hébergement", "Suivi psychologique"):
        who.choose(row(kind).locator("select"), "elle a été reçue")
    consent = row("Consentement").locator("option", has_text="vides compris").inner_text()
    who.choose(row("Consentement").locator("select"), consent)
    who.apply(tab.get_by_role("button", name="laisser de côté les colonnes sans choix"))
    who.go(tab.get_by_role("link", name="Ce qui est envoyé").click, "Ce qui est envoyé")
    assert violations(tab) == ""
    made = tab.get_by_role("button", name="J’ai tout regardé")
    who.go(made.click, "Le lot est prêt", decides=True)
    who.clicks += 1  # saves the bundle
    people = [person for person in source.people() if person.consents]
    assert values_of_bundle(office) == {person.row: person.truth for person in people}
    sent = (office.root / "cases.csv").read_text("utf-8")
    stays = ("N° de dossier", "Nom de famille", "Tél.", "Récit", "Pays d'origine")
    finer = {str(person.cells[name]) for person in people for name in stays}
    finer |= {"14/01/2019", "2019-06-03", "22/09/21", "env. 16 ans", "Marseille"}
    assert [text for text in finer if f",{text}," in sent] == []
    cost = (who.clicks, who.decisions, who.words)
    assert who.clicks <= CLICKS, cost
    assert who.decisions <= DECISIONS, cost
    assert who.words <= WORDS, cost
