"""Every screen of a demo desk under axe: python benchmarks/desk_pages.py FOLDER [LANGUAGE ...]

Makes or opens the demo desk in FOLDER, serves it, takes its screens from the register, and opens
each in Chromium as every role that may see it, in every language:

- axe against WCAG 2.2 AA at 390 px, and no page wider than 320, 390 or 1,440 px;
- in the first language, for one role of the hub and a contributor, also axe at 1,440 px, the
  contrast of the dark colours, and the page gone through by the keyboard: the focus is seen
  wherever it is, and nothing holds it;
- in the languages after the second, as one role of the hub and as a contributor alone.

``--pictures PLACE`` keeps a picture of each screen in the first language and in Arabic, at 390 and
1,440 px.  Prints what it finds; exits with 1 where there is anything.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
LANGUAGES = ("en", "ar", "fr", "es")
ROLES = ("steward", "data_officer", "privacy_officer", "administrator", "auditor")
OTHER = "other_contributor"
"""Has no file of its own here: it sees the screens that are about no row."""
MAY_LACK = ("mfa_view_recovery_codes", "paper_file")
"""Shown once alone, and a file: there is none in a demo desk."""
NOT_PAGES = ("static/", "health/", "metrics", "accounts/signup/", "accounts/inactive/", "demo/")
NOVICE, PASSWORD = "novice", "a long password of a demo"
"""A contributor on the first visit, with a password and no second factor yet."""
RETURNING = "returning"
"""A contributor with a password and an app for codes, who is asked for one at the door."""
AT_FIRST = ("account_change_password", "mfa_activate_totp")
MOST_STOPS, HELD = 400, 8
WIDTHS = (320, 390, 1440)
RUN = """(options) => axe.run(options).then(found => found.violations.map(
  one => [one.id, one.nodes.length, one.nodes[0].html.slice(0, 160)]))"""
FOCUS = """() => {
  const one = document.activeElement
  if (!one || one === document.body) return null
  const style = getComputedStyle(one), box = one.getBoundingClientRect()
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0
  const label = one.closest("label") || one
  const around = getComputedStyle(label)
  const seen = ring || style.boxShadow !== "none" || around.outlineStyle !== "none"
  const name = (one.tagName + " " + (one.id || one.textContent || "")).slice(0, 60)
  if (!window.stops) window.stops = new Map()
  if (!window.stops.has(one)) window.stops.set(one, window.stops.size)
  return [name, seen && box.width > 0 && box.height > 0, window.stops.get(one)]
}"""


@dataclass
class Found:
    """What was looked at and what was found."""

    screens: set[str] = field(default_factory=set)
    views: int = 0
    looks: int = 0
    stops: int = 0
    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    elsewhere: dict[str, str] = field(default_factory=dict)


def served(folder: Path) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """The desk, and the link of each account."""
    command = [str(Path(sys.executable).with_name("ctdhub")), "desk", "demo", str(folder)]
    work = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    links: dict[str, str] = {}
    before = ""
    assert work.stdout is not None
    for line in work.stdout:
        if "/demo/" in line:
            links[before.strip(" :\n").removeprefix("Demo ")] = line.strip()
        if "auditor" in before:
            break
        before = line
    host, port = next(iter(links.values())).split("/")[2].split(":")
    until = time.monotonic() + 180
    while True:
        with suppress(OSError), socket.create_connection((host, int(port))):
            return work, links
        assert work.poll() is None, "the desk ended"
        assert time.monotonic() < until, "the desk does not answer"
        time.sleep(0.2)


def things(folder: Path) -> dict[str, str]:
    """A row in every state that a page asks for: its address part by the name of the page."""
    os.environ["CTDHUB_DESK"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    import django

    django.setup()
    from allauth.account.models import EmailAddress
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.utils import timezone

    from ctdhub.desk.models import (
        Delivery,
        DeskAccount,
        Invitation,
        Job,
        ReleasePlan,
        RoleHeld,
        TableRequest,
    )
    from ctdhub.dp.quote import up_to
    from ctdhub.hub import pipeline, withdrawals
    from ctdhub.hub.folder import Hub

    contributor = DeskAccount.objects.get(email="contributor@example.org")
    own = contributor.who().organisation
    accepted = Delivery.objects.filter(organisation=own, state="accepted").first()
    of = {"organisation_id": own, "account": contributor, "kind": "csv", "bytes": 9}
    counts = {"rows": 3, "records": 2, "rejected": 1, "excluded": 0}
    checked = Delivery.objects.filter(state="checked").first() or Delivery.objects.create(
        state="checked", sha256="0" * 64, summary=counts, **of
    )
    week = timezone.now().date()
    plan, built = (
        ReleasePlan.objects.get_or_create(version=version, defaults={"week": week})[0]
        for version in ("2099.1", "2099.2")
    )
    variables = ["gender", "age_band", "means_threats"]
    request = TableRequest.objects.filter(state="asked").first() or TableRequest.objects.create(
        account=contributor, variables=variables, purpose="a report"
    )
    steward = DeskAccount.objects.get(email="steward@example.org")
    job = Job.objects.filter(what="site").first() or Job.objects.create(
        what="site", lane="build", state="done", outcome={}, account=steward
    )
    lost = Invitation.objects.filter(account__isnull=False).first() or Invitation.objects.create(
        token_sha256="1" * 64,
        email="x@example.org",
        name="Lost",
        role="data_officer",
        by=DeskAccount.objects.get(email="administrator@example.org"),
        account=DeskAccount.objects.get(email="data-officer@example.org"),
        until=timezone.now() + timezone.timedelta(hours=70),
    )
    for name in (NOVICE, RETURNING):
        email = f"{name}@example.org"
        if not DeskAccount.objects.filter(email=email).exists():
            made = DeskAccount.objects.create_user(email, f"Demo {name}", PASSWORD)
            EmailAddress.objects.create(user=made, email=email, verified=True, primary=True)
            RoleHeld.objects.create(account=made, role="contributor", organisation_id=own)
            if name == RETURNING:
                TOTP.activate(made, generate_totp_secret())
    hub = Hub(folder)
    if not (hub.root / "candidates" / built.version).exists():
        pipeline.build(hub, until="candidate", version=built.version, pay=up_to(100))
    report = next(iter(withdrawals.reports(hub, own)), "") or withdrawals.submit(
        hub, own, "contributor", "asked"
    )
    assert accepted is not None
    return {
        "Delivery": accepted.id.hex,
        "return_delivery": checked.id.hex,
        "accept_delivery": checked.id.hex,
        "withdraw_delivery": checked.id.hex,
        "ReleasePlan": plan.id.hex,
        "TableRequest": request.id.hex,
        "Job": job.id.hex,
        "Invitation": lost.id.hex,
        "key": own,
        "told_withdrawal": report,
        "variable": "gender",
        "day": accepted.day,
        "at": "1",
        "kind": "dpia",
        "approval": built.version,
        "plan_changes": built.id.hex,
        "version": max((p.name for p in hub.releases.glob("[0-9]*")), default="2026.1"),
    }


def screens(known: dict[str, str]) -> Iterator[tuple[str, str, list[str]]]:
    """Name and address of every screen, and the accounts that are to open it."""
    from ctdhub.desk import urls
    from ctdhub.desk.allowed import CONTRIBUTOR, HUB_ROLES, Who, allowed
    from ctdhub.desk.registry import pages

    assert urls
    for page in pages():
        if "GET" not in page.methods or page.path.startswith(NOT_PAGES) or "<int:pk>" in page.path:
            continue
        if page.name in MAY_LACK:
            continue
        way = page.path.replace("<id>", known.get(page.name, known.get(page.of, "0" * 32)))
        if "<str:token>" in way:
            continue
        for part in re.findall(r"<\w+:(\w+)>", way):
            value = known.get(page.name, known[part]) if part in ("key", "version") else known[part]
            way = re.sub(rf"<\w+:{part}>", value, way)
        who = [role for role in ROLES if allowed(Who("1", frozenset({role})), page.action)]
        assert set(who) <= HUB_ROLES
        theirs = Who("1", frozenset({CONTRIBUTOR}), known["key"])
        if allowed(theirs, page.action):
            who += [CONTRIBUTOR] if "<" in page.path else [CONTRIBUTOR, OTHER]
        if page.name in AT_FIRST:
            who = [NOVICE]
        yield page.name, f"/{way}", [] if page.action == "door.open" else who


def fewer(who: list[str]) -> list[str]:
    """One role of the hub, and the contributor."""
    return [*[r for r in who if r in ROLES][:1], *[r for r in who if r in ("contributor", NOVICE)]]


def look(page: Page, where: str, found: Found, rules: dict[str, Any]) -> None:
    """What axe says of the page that is open, in which its script is."""
    found.looks += 1
    for rule, times, html in page.evaluate(RUN, rules):
        found.kinds[rule] += times
        found.faults.append(f"{where}: {rule} x{times}: {html}")


def keys(page: Page, where: str, found: Found) -> None:
    """Go through a page by the keyboard: the focus is seen at every stop, and moves on."""
    page.evaluate("document.activeElement && document.activeElement.blur()")
    last, times = -1, 0
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None or stop[2] < last:
            return
        found.stops += 1
        if not stop[1]:
            found.faults.append(f"{where}: no focus seen on {stop[0]!r}")
        last, times = stop[2], times + 1 if stop[2] == last else 0
        if times > HELD:
            found.faults.append(f"{where}: the focus is held by {stop[0]!r}")
            return
    found.faults.append(f"{where}: more than {MOST_STOPS} stops")


def opened(browser: Browser, link: str) -> Page:
    """A tab that is signed in; none without a link."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(120_000)
    if link:
        page.goto(link)
        page.click("main button")
        page.wait_for_url(lambda address: "/demo/" not in address)
    return page


def by_password(page: Page, base: str, name: str) -> None:
    """Say a password at the door."""
    page.goto(f"{base}/accounts/login/")
    page.fill("[name=login]", f"{name}@example.org")
    page.fill("[name=password]", PASSWORD)
    with page.expect_navigation():
        page.click("main form[method=post] .button")


def confirm(page: Page, way: str, role: str) -> None:
    """Say the code of the account's app, or the password, where a page asks for it.

    A code counts once.
    """
    from allauth.mfa.totp.internal.auth import (
        format_hotp_value,
        hotp_value,
        yield_hotp_counters_from_time,
    )
    from allauth.mfa.utils import decrypt

    from ctdhub.desk.models import DeskAccount

    for _ in range(2):
        if "/reauthenticate/" not in page.url or "/reauthenticate/" in way:
            return
        if role == NOVICE:
            page.fill("[name=password]", PASSWORD)
        else:
            account = DeskAccount.objects.get(email=f"{role.replace('_', '-')}@example.org")
            secret = decrypt(account.authenticator_set.get(type="totp").data["secret"])
            counter = next(iter(yield_hotp_counters_from_time()))
            page.fill("[name=code]", format_hotp_value(hotp_value(secret, counter)))
        with page.expect_navigation():
            page.click("main .button")
        if "/reauthenticate/" in page.url:
            time.sleep(31)


def main() -> int:
    """Look at all, print, judge."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("folder", type=Path)
    given.add_argument("languages", nargs="*", default=LANGUAGES)
    given.add_argument("--pictures", type=Path)
    given.add_argument("--roles", nargs="*", default=["", *ROLES, "contributor", OTHER, NOVICE])
    given.add_argument("--screens", nargs="*", help="their names in the register")
    asked = given.parse_args()
    folder, languages = asked.folder.resolve(), list(asked.languages)
    work, links = served(folder)
    found = Found()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        known = things(folder)
        base = next(iter(links.values())).split("/demo/")[0]
        everything = [s for s in screens(known) if not asked.screens or s[0] in asked.screens]
        with sync_playwright() as tool:
            browser = tool.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            for role in asked.roles:
                page = opened(browser, links.get(role.replace("_", " "), ""))
                if role == NOVICE:
                    by_password(page, base, NOVICE)
                for n, code in enumerate(languages):
                    if not role:
                        page.context.clear_cookies()
                    page.goto(base if role else f"{base}/accounts/login/")
                    page.click(f"form.languages button[value={code}]")
                    page.wait_for_selector(f"html[lang={code}]")
                    for name, way, who in everything:
                        mine = role in (fewer(who) if n > 1 else who)
                        if not role and name == "mfa_authenticate":
                            by_password(page, base, RETURNING)
                        if mine if role else name in ("account_login", "mfa_authenticate"):
                            every = n == 0 and (not role or role in fewer(who))
                            view = View(name, role or "visitor", code, every, role in who[1:])
                            shown = code in (languages[0], "ar") and role in fewer(who)[:1]
                            keep = asked.pictures if shown else None
                            _one(page, f"{base}{way}", view, found, keep)
                page.context.close()
            browser.close()
    finally:
        work.terminate()
        work.wait()
    print(
        f"screens {len(found.screens)}, views {found.views}, runs of axe {found.looks}, "
        f"stops of the keyboard {found.stops}, faults {len(found.faults)} {dict(found.kinds)}"
    )
    print("led to another page:", found.elsewhere)
    return int(bool(found.faults))


@dataclass(frozen=True)
class View:
    """A screen as a role in a language.

    Attributes:
        first: whether it is looked at in every way.
        another: whether it may be about a row that is somebody else's, and then not found.
    """

    name: str
    role: str
    language: str
    first: bool
    another: bool

    def __str__(self) -> str:
        return f"{self.name} {self.role} {self.language}"


def _one(page: Page, way: str, view: View, found: Found, pictures: Path | None) -> None:
    """One screen as one role in one language: in light, in dark, by the keyboard."""
    where = str(view)
    try:
        answer = page.goto(way)
    except PlaywrightError as met:
        if "Download is starting" not in str(met):
            found.faults.append(f"{where}: {str(met).splitlines()[0]}")
        return
    if answer is not None and answer.status in (404, 409) and view.another:
        return
    if answer is None or answer.status != 200:
        found.faults.append(f"{where}: status {answer.status if answer else None}")
        print(found.faults[-1], flush=True)
        return
    if "/reauthenticate/" in page.url and "/reauthenticate/" not in way:
        confirm(page, way, view.role)
    if urlsplit(page.url).path != urlsplit(way).path:
        found.elsewhere[view.name] = urlsplit(page.url).path
    if "text/html" not in answer.headers.get("content-type", "") or not page.query_selector("h1"):
        return
    found.screens.add(view.name)
    found.views += 1
    before = len(found.faults)
    page.evaluate(AXE_SCRIPT)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.faults.append(f"{where}: wider than {width} px")
        if pictures and width in WIDTHS[1:]:
            name = f"{view.name}-{view.role}-{view.language}-{width}.png"
            page.screenshot(path=pictures / name, full_page=True)
    if view.first:
        look(page, f"{where} 1440", found, RULES)
    page.set_viewport_size({"width": 390, "height": 844})
    look(page, where, found, RULES)
    if view.first:
        page.emulate_media(color_scheme="dark")
        look(page, f"{where} dark", found, CONTRAST)
        page.emulate_media(color_scheme="light")
        keys(page, where, found)
    print(where, *found.faults[before:], sep="\n  ", flush=True)


if __name__ == "__main__":
    sys.exit(main())
