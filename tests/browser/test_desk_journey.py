"""One release from the contributor's file to the portal and back, across all parts of the desk."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from ctdhub.core.keys import age
from ctdhub.core.keys.signing import make_key
from ctdhub.hub.folder import Hub
from ctdhub.hub.stages import publish as stage
from tests.browser.conftest import loads
from tests.browser.desk_server import answering_here
from tests.browser.test_desk_approval import Person, keys_are
from tests.desk.desks import OURS, THEIRS, Desk
from tests.desk.sending import practice_file, rounds, rows, sent, work
from tests.desk.test_hub_pages import text
from tests.fixtures.desks import ONE
from tests.fixtures.hubs import copied

Command = Callable[..., tuple[int, str, str]]
VERSION = "2026.2"


@pytest.fixture(params=ONE)
def served(
    request: pytest.FixtureRequest,
    built_desk: Path,
    tmp_path: Path,
    few_pages: None,
) -> Iterator[Desk]:
    """A practice desk, with a release behind it, that answers."""
    hub = copied(Hub(built_desk), tmp_path / "hub")
    with answering_here(hub.root, request) as desk:
        yield desk


def make_bundle(desk: Desk, ctdhub: Command, file: Path, place: Path) -> Path:
    """What the kit hands out: a bundle to the hub's recipients, signed by the contributor."""
    place.mkdir()
    own = make_key(place / "own.pem")
    (desk.hub / "keys" / "inbox").mkdir(parents=True, exist_ok=True)
    settings = yaml.safe_load((desk.hub / "hub.yaml").read_text("utf-8"))
    settings["recipients"] = [age.make_identity(desk.hub / "keys" / "inbox" / "bundles.key")]
    (desk.hub / "hub.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    agreement = desk.hub / "contributors" / f"{OURS}.yaml"
    held = yaml.safe_load(agreement.read_text("utf-8")) | {"senders": [own.public]}
    agreement.write_text(yaml.safe_dump(held, allow_unicode=True), "utf-8")
    steward = Hub(desk.hub).practice_key("steward")
    card, bundle = place / "our.ctdhub-card", place / "june.ctdbundle"
    made = ctdhub("bundle", "card", desk.hub, OURS, "--key", steward, "--out", card)
    assert made[0] == 0, made
    made = ctdhub(
        "bundle", "make", file, "--card", card, "--mapping", desk.hub / "mappings" / f"{OURS}.yaml",
        "--key", place / "own.pem", "--codes", place / "codes.key", "--out", bundle, "--yes",
    )  # fmt: skip
    assert made[0] == 0, made
    return bundle


def renamed(file: Path, old: str, new: str) -> bytes:
    """The same workbook with another name over one column."""
    book, out = openpyxl.load_workbook(file), io.BytesIO()
    found = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value == old]
    assert found
    for cell in found:
        cell.value = new
    book.save(out)
    return out.getvalue()


def send(page: Page, desk: Desk, file: Path, way: str) -> str:
    """Choose a file and send it; gives the key of its delivery."""
    page.goto(f"{desk.address}{way}")
    page.set_input_files("#file", file)
    page.click("#go")
    page.wait_for_url(re.compile(r"/deliveries/[0-9a-f-]{32,36}/"))
    return page.url.rstrip("/").rsplit("/", 1)[1].replace("-", "")


def plain(answer: Any) -> str:
    """The words of a page."""
    return re.sub(r"<[^>]+>|\s+", " ", text(answer).partition("<main")[2])


def test_from_a_file_to_the_portal_and_back(
    served: Desk, browser: Browser, ctdhub: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, file = served, practice_file(served)
    assert rounds() == []
    officer, steward, privacy = map(desk.client_of, ("data_officer", "steward", "privacy_officer"))
    bundle = make_bundle(desk, ctdhub, file, tmp_path / "office")

    # Two people make their passkeys, and the administrator writes the keys into hub.yaml.
    people = [Person(browser, desk, desk.address, role) for role in ("steward", "privacy_officer")]
    for person in people:
        person.enrol()
    devices = {d.role: d.key for d in rows("ApprovalDevice").all()}
    keys_are(desk.hub, devices["steward"], devices["privacy_officer"])

    # A plain file is sent, checked and returned; a bundle of the kit corrects it.
    context = browser.new_context(locale="en")
    desk.sign_in(context, "contributor")
    page = context.new_page()
    first = send(page, desk, file, "/deliveries/send/")
    assert work() == ["check done"]
    given = {"reason-values": "1", "cells-values": "B14", "note": "Two people are one."}
    assert "Return" in text(officer.get(f"/deliveries/{first}/"))
    assert officer.post(f"/deliveries/{first}/return/", given).status_code == 302
    assert work() == ["tell done"]
    page.goto(f"{desk.address}/")
    loads(page, lambda: page.click("text=Deliveries to correct or finish"))
    page.goto(f"{desk.address}/deliveries/{first}/")
    for words in ("Two people are one.", "B14"):
        expect(page.locator("main")).to_contain_text(words)
    way = str(page.get_attribute("main a[href*='/send/']", "href"))
    second = send(page, desk, bundle, way)
    assert sorted(work()) == ["check done", "destroy done"]
    theirs = practice_file(desk, THEIRS)
    third = sent(desk.client_of("other"), theirs.read_bytes(), theirs.suffix[1:])
    assert work() == ["check done"]
    for key in (second, third):
        shown = text(officer.get(f"/deliveries/{key}/"))
        assert "Accept" in shown
        assert officer.post(f"/deliveries/{key}/accept/").status_code == 302
        assert work() == ["accept done"], shown
    page.goto(f"{desk.address}/deliveries/{second}/")
    expect(page.locator("main")).to_contain_text("Accepted")
    assert rows("Delivery").get(id=first).state == "replaced"
    assert text(steward.get("/look/")).count("unread") == 0

    # From the plan to the candidate.
    assert steward.post("/look/read/").status_code == 302
    assert work() == ["read done"], rows("Job").first().outcome
    note = {"version": VERSION, "week": "2026-12-07", "note-en": "One file more."}
    plan = steward.post("/releases/new/", note)["Location"]
    steward.post(f"{plan}price/")
    assert work() == ["price done"], rows("Job").first().outcome
    assert f"Decide on the price of release {VERSION}" in text(privacy.get("/"))
    privacy.post(f"{plan}spend/", {"answer": "yes", "epsilon": "60.0"})
    assert f"Build release {VERSION}" in text(steward.get("/"))
    steward.post(f"{plan}build/")
    assert work() == ["build done", "cards done"], rows("Job").first().outcome
    assert "One file more." in text(steward.get(f"{plan}changes/"))
    page.goto(f"{desk.address}/")
    for person in (steward, privacy):
        assert f"Approve {VERSION}" in text(person.get("/"))
        assert "price was charged" in text(person.get(plan))

    # Two people, two devices; published on its day.
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for one, day in zip(people, (tomorrow.date().isoformat(), ""), strict=True):
        one.ask(VERSION, day)
        assert one.press() == "good"
        assert work() == ["approve done"], rows("Job").first().outcome
    assert rounds() == []
    assert work() == [], "its day has not come"
    assert "approved, not yet published" in text(privacy.get(f"/approvals/{VERSION}/"))
    assert "Nothing is waiting for you" in text(steward.get("/"))
    due = stage.publish_due
    clock = SimpleNamespace(now=lambda: tomorrow)
    monkeypatch.setattr("ctdhub.desk.worker.hub_jobs.timezone", clock)
    monkeypatch.setattr(stage, "publish_due", lambda hub: due(hub, tomorrow))
    assert rounds() == []
    assert work() == ["publish done", "site done"], rows("Job").first().outcome
    release = desk.hub / "releases" / VERSION
    done = ctdhub("verify", release)
    assert done[0] == 0, done
    assert done[1].count("passkey on sign.localhost") == 2
    portal = (desk.hub / "site" / "en" / "index.html").read_text("utf-8")
    assert VERSION in portal
    assert VERSION in text(steward.get("/releases/"))
    assert "One file more." in "".join(
        path.read_text("utf-8") for path in (desk.hub / "site").rglob("*.html")
    )

    # The auditor reads what was done, and the file of it is whole.
    auditor = desk.client_of("auditor")
    trail = plain(auditor.get("/trail/"))
    for words in ("Practice steward", "Practice privacy_officer", "plan.build", "approval.give"):
        assert words in trail, words
    assert rounds() == []
    checked = ctdhub("desk", "verify", desk.hub)
    assert checked[0] == 0, checked
    assert "The trail is whole" in checked[1]

    # The contributor withdraws what it sent, and the steward carries it out.
    page.goto(f"{desk.address}/deliveries/{second}/")
    loads(page, lambda: page.click("main a[href*='ask-withdraw']"))
    loads(page, lambda: page.click("main .button"))
    assert work() == ["tell done"]
    assert "Withdrawals that were asked for" in text(steward.get("/"))
    assert f"/deliveries/{second}/" in text(steward.get("/withdrawals/")).replace("-", "")
    told = {"key": OURS, "reason": "asked", "sure": "yes"}
    assert steward.post("/withdrawals/contributor/", told).status_code == 302
    assert work() == ["withdraw done"]
    assert rounds() == []
    page.goto(f"{desk.address}/deliveries/{second}/")
    expect(page.locator("main")).to_contain_text("Withdrawn")

    # The next file of the other contributor has a column under another name.
    other = desk.client_of("other")
    fourth = sent(other, renamed(theirs, "Gender", "Sex"), "xlsx")
    assert work() == ["check done"]
    shown = plain(other.get(f"/deliveries/{fourth}/"))
    assert "lacks columns that the mapping reads: Gender" in shown, shown
    assert rows("Delivery").get(id=fourth).summary["stopped"]
    officer.post(f"/deliveries/{fourth}/accept/")
    assert work() == ["accept failed"]
    context.close()
    for person in people:
        person.context.close()
