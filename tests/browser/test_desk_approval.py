"""Two people, two devices: from a new passkey to a published release, in Chromium."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from zoneinfo import ZoneInfo

import pytest
import yaml
from playwright.sync_api import Browser, Page
from soft_passkeys import SoftPasskey

from ctdhub.dp.quote import up_to
from ctdhub.hub import pipeline
from ctdhub.hub.folder import Hub
from ctdhub.hub.stages import publish as stage
from tests.browser.conftest import loads, patient
from tests.desk import desks
from tests.desk.desks import Desk
from tests.desk.sending import work
from tests.fixtures.desks import with_accounts
from tests.fixtures.hubs import copied

OFFLINE = (
    "import sys\n"
    "for name in ('django', 'fido2', 'allauth'): sys.modules[name] = None\n"
    "from ctdhub.cli.main import main\n"
    "sys.argv = ['ctdhub', 'verify', *sys.argv[1:]]\n"
    "main()\n"
)


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def served(built: Hub, tmp_path: Path) -> Iterator[tuple[Desk, str]]:
    """A practice hub whose candidate waits for two people, its desk, and the desk's address."""
    from django.core.wsgi import get_wsgi_application

    from ctdhub.desk.channel import use as ask_by
    from ctdhub.desk.web import with_signing_page

    hub = copied(built, tmp_path / "hub")
    keys_are(hub.root, SoftPasskey().public, SoftPasskey().public)
    pipeline.build(hub, until="candidate", version="2090.1", pay=up_to(100))
    server = make_server("127.0.0.1", 0, lambda *_: [], Server, Quiet)
    (hub.root / "desk.toml").write_text(f"port = {server.server_port}\ninvented = true\n", "utf-8")
    desks.set_up(hub.root)
    with desks.opened(hub.root):
        from ctdhub.desk.config import current
        from ctdhub.desk.walls import prepare
        from ctdhub.desk.worker.answering import answer_of

        prepare()
        desk = Desk(hub.root, nullcontext)
        desks.people(desk)
        ask_by(answer_of)
        server.set_app(with_signing_page(get_wsgi_application(), current()))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield with_accounts(desk), f"http://localhost:{server.server_port}"
        server.shutdown()


def keys_are(hub: Path, steward: str, officer: str) -> None:
    """What the administrator writes into hub.yaml."""
    settings = yaml.safe_load((hub / "hub.yaml").read_text("utf-8"))
    former = settings["approvers"].get("former", [])
    if str(settings["approvers"]["steward"]).startswith("ed25519:"):
        former = [settings["approvers"]["steward"], settings["approvers"]["privacy_officer"]]
    both = {"steward": steward, "privacy_officer": officer, "former": former}
    text = yaml.safe_dump(settings | {"approvers": both}, allow_unicode=True)
    (hub / "hub.yaml").write_text(text, "utf-8")


class Person:
    """Somebody at a computer of their own, with one device."""

    def __init__(self, browser: Browser, desk: Desk, address: str, role: str) -> None:
        self.context = browser.new_context(locale="en", viewport={"width": 1440, "height": 900})
        session = desk.client_of(role).cookies["__Host-session"].value
        at = address.replace("http:", "https:")  # a cookie of this kind; localhost is sent it
        cookie = {"name": "__Host-session", "value": session, "url": at}
        self.context.add_cookies([{**cookie, "secure": True, "sameSite": "Strict"}])  # type: ignore[list-item,typeddict-item]
        self.sit_down(address)

    def sit_down(self, address: str) -> None:
        """A tab of this computer, in which the device is."""
        self.page: Page = self.context.new_page()
        self.address = address
        self.device = self.context.new_cdp_session(self.page)
        self.device.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
        options |= {"hasUserVerification": True, "isUserVerified": True}
        added = self.device.send(
            "WebAuthn.addVirtualAuthenticator",
            {"options": options | {"automaticPresenceSimulation": True}},
        )
        self.id = added["authenticatorId"]

    def verified(self, yes: bool) -> None:
        given = {"authenticatorId": self.id, "isUserVerified": yes}
        self.device.send("WebAuthn.setUserVerified", given)

    def to_signing_page(self) -> None:
        """Follow the link in this tab, in which the device is."""
        self.page.goto(str(self.page.get_attribute("#to-sign", "href")))
        self.page.wait_for_selector("#go:visible")

    def press(self) -> str:
        """Use the device; gives what the page then says: good or bad."""
        self.page.click("#go")
        told = self.page.wait_for_selector("#message.good, #message.bad")
        return str(told.get_attribute("class")) if told else ""

    def enrol(self) -> None:
        self.page.goto(f"{self.address}/approvals/keys/")
        loads(self.page, lambda: self.page.click("text=Create a passkey"))
        self.to_signing_page()
        assert self.press() == "good"

    def ask(self, version: str, day: str = "") -> str:
        """Go to the signing page of an approval; gives the digits that the desk showed."""
        self.page.goto(f"{self.address}/approvals/{version}/")
        self.page.check("#looked")
        self.page.fill("#not_before", day)
        loads(self.page, lambda: self.page.click("text=Approve with passkey"))
        found = re.search(r"(?:[0-9a-f]{4} ){3}[0-9a-f]{4}", self.page.inner_text("main"))
        assert found
        self.to_signing_page()
        return found[0]


def test_two_people_two_devices(
    served: tuple[Desk, str],
    browser: Browser,
    violations: Callable[[Page], str],
) -> None:
    from ctdhub.desk.models import ApprovalDevice

    (desk, address), version = served, "2090.1"
    ann, ben = (Person(browser, desk, address, role) for role in ("steward", "privacy_officer"))
    for person in (ann, ben):
        person.enrol()
    devices = {d.role: d.key for d in ApprovalDevice.objects.all()}
    keys_are(desk.hub, devices["steward"], devices["privacy_officer"])

    tomorrow = datetime.now(UTC) + timedelta(days=1)
    digits = ann.ask(version, tomorrow.date().isoformat())
    shown = ann.page.inner_text("#fields")
    for words in (digits, version, "steward", tomorrow.date().isoformat(), "60.0"):
        assert words in shown, words
    assert violations(ann.page) == ""
    ann.verified(False)
    assert ann.press() == "bad", "the device could not check who it was"
    ann.verified(True)
    assert ann.press() == "good"
    assert work() == ["approve done"]

    # the digest of a statement as the challenge of a sign-in is of no use
    ben.ask(version)
    stolen = """async () => { try { await navigator.credentials.get({publicKey: {
      challenge: new Uint8Array(32), rpId: 'sign.localhost', userVerification: 'required'}});
      return 'signed'; } catch (met) { return met.name; } }"""
    ben.page.goto(f"{address}/accounts/login/")
    assert ben.page.evaluate(stolen) in ("SecurityError", "NotAllowedError")
    ben.page.goto(f"{address}/approvals/")
    assert ben.page.evaluate(stolen) in ("SecurityError", "NotAllowedError")

    ben.ask(version)
    assert ben.press() == "good"
    assert work() == ["approve done"]
    for fragment in ("", "#e30", "#" + "A" * 50):
        ben.page.goto("about:blank")
        ben.page.goto(f"{address.replace('localhost', 'sign.localhost')}/{fragment}")
        ben.page.wait_for_selector("#message.bad")
        assert ben.page.is_hidden("#go")

    hub = Hub(desk.hub)
    assert stage.publish_due(hub) is None
    assert "approved, not yet published" in ben_sees(ben, version)
    release = stage.publish_due(hub, tomorrow)
    assert release == hub.releases / version
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(release)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("passkey on sign.localhost") == 2
    assert "fit the keys in hub.yaml" in done.stdout


def ben_sees(ben: Person, version: str) -> str:
    ben.page.goto(f"{ben.address}/approvals/{version}/")
    return ben.page.inner_text("main")


@pytest.mark.parametrize("scripts", [True, False])
def test_the_candidate_is_read_beside_the_last_release(
    served: tuple[Desk, str], browser: Browser, violations: Callable[[Page], str], scripts: bool
) -> None:
    """By somebody in another zone, in Arabic on a telephone, with and without scripts."""
    from ctdhub.desk.worker.hub_jobs import draw_cards

    desk, address = served
    desk.address = address
    draw_cards()
    assert work() == ["cards done"]
    context = browser.new_context(
        locale="ar",
        timezone_id="Asia/Kolkata",
        viewport={"width": 390, "height": 844},
        java_script_enabled=scripts,
    )
    patient(context)
    desk.sign_in(context, "privacy_officer")
    page = context.new_page()
    page.goto(f"{address}/approvals/2090.1/")
    loads(page, lambda: page.click('a[href$="/cards/"]'))
    page.select_option("#card", "gender.html")
    loads(page, lambda: page.click("form.act button"))
    assert not scripts or violations(page) == ""
    wide = page.locator("body").bounding_box()
    assert wide is not None
    assert wide["width"] <= 390
    numbers = []
    for frame in page.frames[1:]:
        table = frame.locator("table").first
        numbers.append(re.findall(r"\d+", str(table.text_content())))
        frame.locator("footer a").first.click()
        assert frame.locator("script, form, iframe").count() == 0
    assert len(numbers) == 2
    assert all(len(found) > 4 for found in numbers)
    assert numbers[0] != numbers[1], "the noise is another one"
    loads(page, lambda: page.click('a[href*="?card="]'))
    assert page.input_value("#card") != "gender.html"
    page.goto(f"{address}/accounts/sessions/")
    time = page.locator("time[datetime]").first
    when = datetime.fromisoformat(str(time.get_attribute("datetime")))
    there = when.astimezone(ZoneInfo("Asia/Kolkata" if scripts else "UTC"))
    shown = time.inner_text()
    assert f"{there:%H:%M}" in shown
    assert ("5:30" in shown) if scripts else shown.endswith(" UTC")
    context.close()
