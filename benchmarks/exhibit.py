"""The kiosk for an hour of visitors: does it grow, does it always begin anew?

    python benchmarks/exhibit.py [--minutes 60]

A real Chromium shows the kiosk of a small fictitious release.  Again and again a visitor touches
slides, pauses, changes the language and walks away; then the first slide of the first language must
return.  It prints the heap after each round and misses its target where the heap grows by 1 MB, the
page's nodes or listeners grow, a round ends elsewhere, or the console has an error.  Rounds are
compared with rounds that went through the same language.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))
from invented_release import protected_answer

from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.site.stories.exhibit import build_exhibit
from ctdhub.site.stories.source import read_stories

IDLE, GROWTH, STRAYS, WARM = 10, 1_000_000, 10, 3
"""Seconds until the kiosk begins anew; bytes of heap and nodes that may come and go; rounds before
the first measure."""


def build(folder: Path) -> str:
    """A kiosk of the practice stories; its address."""
    answer = protected_answer(facts={"languages": list(LANGUAGES)})
    release = open_release(write_release(answer, folder / "releases", "2026.1", "First."))
    stories = Path(str(resources.files("ctdhub.practice") / "stories"))
    build_exhibit(release, folder / "kiosk", read_stories(stories), idle=IDLE)
    return (folder / "kiosk" / "en.html").as_uri()


def visit(page: Page, code: str) -> bool:
    """One visitor; whether the first slide of the first language returned."""
    for touch in ("#after", "#after", "#pause", "#before", f"nav a[lang={code}]"):
        page.locator(touch).tap()
        page.wait_for_timeout(1_500)
    for touch in ("#after", ".stage", "#after"):
        page.locator(touch).tap()
        page.wait_for_timeout(1_500)
    page.wait_for_timeout((IDLE + 1) * 1_000)
    first = page.evaluate("!document.querySelector('.slide').hidden")
    return bool(first) and page.url.endswith("/en.html")


def held(session: CDPSession) -> dict[str, int]:
    """Heap in bytes, nodes and listeners after collecting garbage."""
    session.send("HeapProfiler.collectGarbage")
    found = session.send("Performance.getMetrics")["metrics"]
    wanted = ("JSHeapUsedSize", "Nodes", "JSEventListeners")
    return {m["name"]: int(m["value"]) for m in found if m["name"] in wanted}


def main() -> int:
    """Run for as long as --minutes says; 1 where a target was missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60.0)
    end = time.monotonic() + 60 * parser.parse_args().minutes
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("skipped: chromium is not installed (apt-get install chromium)")
        return 0
    rounds, returned, errors = [], 0, []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as tool:
        browser = tool.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": 1920, "height": 1080}, has_touch=True)
        page = context.new_page()
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.goto(build(Path(folder)))
        session = context.new_cdp_session(page)
        session.send("Performance.enable")
        print("round  seconds  heap kB  nodes  listeners")
        begun = time.monotonic()
        while len(rounds) <= WARM + len(LANGUAGES) or time.monotonic() < end:
            returned += visit(page, LANGUAGES[len(rounds) % len(LANGUAGES)])
            rounds.append(held(session))
            heap, nodes, listeners = (
                rounds[-1][name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")
            )
            passed = time.monotonic() - begun
            print(
                f"{len(rounds):5}  {passed:7.0f}  {heap / 1000:7.0f}  {nodes:5}  {listeners:9}",
                flush=True,
            )
        browser.close()
    alike = rounds[WARM :: len(LANGUAGES)]
    first, last = alike[0], alike[-1]
    grown = {name: last[name] - first[name] for name in first}
    missed = (
        grown["JSHeapUsedSize"] >= GROWTH
        or grown["Nodes"] > STRAYS
        or grown["JSEventListeners"] > 0
        or returned < len(rounds)
        or bool(errors)
    )
    print(f"grown over {len(alike)} rounds alike: {grown}; target: heap below {GROWTH}")
    print(f"rounds that ended on the first slide: {returned} of {len(rounds)}; errors: {errors}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
