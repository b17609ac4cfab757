"""Every screen of a demo desk under axe: python benchmarks/desk_pages.py FOLDER [LANGUAGE ...]

Makes or opens the demo desk in FOLDER, serves it, takes its screens from the register, and opens
each in Chromium as a role that may see it and, where a contributor may, as a contributor too: in
every language in light, and in dark for contrast.  In the first language it goes through the page
by the keyboard and asks that the focus is seen wherever it is.  Prints what it finds; exits with 1
where there is anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
LANGUAGES = ("en", "fr", "es", "ar")
NOT_PAGES = ("static/", "health/", "metrics", "accounts/signup/", "accounts/inactive/", "demo/")
MOST_STOPS = 150
FOCUS = """() => {
  const one = document.activeElement
  if (!one || one === document.body) return null
  const style = getComputedStyle(one), box = one.getBoundingClientRect()
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0
  const label = one.closest("label") || one
  const around = getComputedStyle(label)
  const seen = ring || style.boxShadow !== "none" || around.outlineStyle !== "none"
  const name = (one.tagName + " " + (one.id || one.textContent || "")).slice(0, 60)
  return [name, seen && box.width > 0 && box.height > 0]
}"""


@dataclass
class Found:
    """What was looked at and what was found."""

    screens: set[str] = field(default_factory=set)
    looks: int = 0
    stops: int = 0
    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


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
    time.sleep(8)
    return work, links


def things(folder: Path) -> dict[str, str]:
    """A row in every state that a page asks for: its address part by the name of the page."""
    os.environ["CTDHUB_DESK"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    import django

    django.setup()
    from django.utils import timezone

    from ctdhub.build import told
    from ctdhub.build.hub import Hub
    from ctdhub.desk.models.deliveries import Delivery
    from ctdhub.desk.models.hub import Job, ReleasePlan, TableRequest
    from ctdhub.desk.models.people import DeskAccount, Invitation

    contributor = DeskAccount.objects.get(email="contributor@example.org")
    own = contributor.who().organisation
    accepted = Delivery.objects.filter(organisation=own, state="accepted").first()
    of = {"organisation_id": own, "account": contributor, "kind": "csv", "bytes": 9}
    counts = {"rows": 3, "records": 2, "rejected": 1, "excluded": 0}
    checked = Delivery.objects.filter(state="checked").first() or Delivery.objects.create(
        state="checked", sha256="0" * 64, summary=counts, **of
    )
    plan = ReleasePlan.objects.filter(state="drafted").first() or ReleasePlan.objects.create(
        version="2099.1", week=timezone.now().date()
    )
    variables = ["gender", "age_band", "means_threats"]
    request = TableRequest.objects.filter(state="asked").first() or TableRequest.objects.create(
        organisation_id=own, account=contributor, variables=variables, purpose="a report"
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
    hub = Hub(folder)
    report = next(iter(told.reports(hub, own)), "") or told.tell(hub, own, "contributor", "asked")
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
        way = page.path.replace("<id>", known.get(page.name, known.get(page.of, "0" * 32)))
        if "<str:token>" in way:
            continue
        for part in re.findall(r"<\w+:(\w+)>", way):
            value = known.get(page.name, known[part]) if part == "key" else known[part]
            way = re.sub(rf"<\w+:{part}>", value, way)
        who = [
            role
            for role in ("steward", "data_officer", "privacy_officer", "administrator", "auditor")
            if allowed(Who("1", frozenset({role})), page.action)
        ][:1]
        assert set(who) <= HUB_ROLES
        theirs = Who("1", frozenset({CONTRIBUTOR}), known["key"])
        who += [CONTRIBUTOR] if allowed(theirs, page.action) else []
        yield page.name, f"/{way}", [] if page.action == "door.open" else who


def look(page: Page, where: str, found: Found, rules: dict[str, Any]) -> None:
    """What axe says of the page that is open."""
    told = Axe().run(page, options=rules)
    found.looks += 1
    for one in told.response["violations"]:
        found.kinds[one["id"]] += len(one["nodes"])
        html = one["nodes"][0]["html"][:160]
        found.faults.append(f"{where}: {one['id']} x{len(one['nodes'])}: {html}")


def keys(page: Page, where: str, found: Found) -> None:
    """Go through a page by the keyboard: the focus is seen at every stop."""
    page.evaluate("document.activeElement && document.activeElement.blur()")
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None:
            return
        found.stops += 1
        if not stop[1]:
            found.faults.append(f"{where}: no focus seen on {stop[0]!r}")


def opened(browser: Browser, link: str) -> Page:
    """A tab that is signed in; none without a link."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    if link:
        page.goto(link)
        page.click("main button")
    return page


def main() -> int:
    """Look at all, print, judge."""
    folder, languages = Path(sys.argv[1]).resolve(), tuple(sys.argv[2:]) or LANGUAGES
    work, links = served(folder)
    found = Found()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        known = things(folder)
        base = next(iter(links.values())).split("/demo/")[0]
        everything = list(screens(known))
        with sync_playwright() as tool:
            browser = tool.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            for role in ("", *dict.fromkeys(r for _n, _w, who in everything for r in who)):
                page = opened(browser, links[role.replace("_", " ")] if role else "")
                for code in languages:
                    page.goto(base if role else f"{base}/accounts/login/")
                    page.click(f"form.languages button[value={code}]")
                    for name, way, who in everything:
                        if role not in (who or [""]):
                            continue
                        if not role and name != "account_login":
                            continue
                        _one(
                            page,
                            f"{base}{way}",
                            f"{name} {role} {code}",
                            found,
                            code == languages[0],
                        )
                page.context.close()
            browser.close()
    finally:
        work.terminate()
        work.wait()
    print(
        f"screens {len(found.screens)}, looks {found.looks}, stops of the keyboard {found.stops}, "
        f"faults {len(found.faults)} {dict(found.kinds)}"
    )
    return int(bool(found.faults))


def _one(page: Page, way: str, where: str, found: Found, first: bool) -> None:
    """One screen as one role in one language: in light, in dark, by the keyboard."""
    page.emulate_media(color_scheme="light")
    try:
        answer = page.goto(way)
    except PlaywrightError as met:
        if "Download is starting" not in str(met):
            found.faults.append(f"{where}: {str(met).splitlines()[0]}")
        return
    if answer is None or answer.status != 200:
        found.faults.append(f"{where}: status {answer.status if answer else None}")
        return
    if "text/html" not in answer.headers.get("content-type", "") or not page.query_selector("h1"):
        return
    found.screens.add(where.split(" ")[0])
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.faults.append(f"{where}: wider than 390 px")
    before = len(found.faults)
    look(page, where, found, RULES)
    page.emulate_media(color_scheme="dark")
    look(page, f"{where} dark", found, CONTRAST)
    if first:
        keys(page, where, found)
    print(where, *found.faults[before:], sep="\n  ", flush=True)


if __name__ == "__main__":
    sys.exit(main())
