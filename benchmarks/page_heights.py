"""How high the pages of a site are: python benchmarks/page_heights.py SITE [WIDTH] [LANGUAGE]

Opens every page of the newest release (of countries, briefs and other folders the five largest
files) in Chromium without scripts and with all folds closed, prints the highest first, and exits
with 1 where a page is higher than 6,000 px at 1,440 px.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

MOST, OF_FOLDER = 6_000, 5
WIDE = 1_440


def pages(site: Path, code: str) -> Iterator[Path]:
    """Pages: all in the folder of the language, the largest below it."""
    root = site / code
    yield from sorted(root.glob("*.html"))
    for folder in sorted(f for f in root.iterdir() if f.is_dir() and f.name != "briefs"):
        found = sorted(folder.glob("*.html"), key=lambda f: -f.stat().st_size)
        yield from {*found[:OF_FOLDER], *folder.glob("index.html")}


def main() -> int:
    """Measure, print, judge."""
    site, width, code = Path(sys.argv[1]), WIDE, "en"
    if len(sys.argv) > 2:
        width = int(sys.argv[2])
    if len(sys.argv) > 3:
        code = sys.argv[3]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    heights = {}
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        for file in pages(site, code):
            tab.goto(file.resolve().as_uri())
            high = tab.evaluate("document.documentElement.scrollHeight")
            heights[f"{file.parent.name}/{file.name}"] = high
        browser.close()
    for name, high in sorted(heights.items(), key=lambda item: -item[1]):
        print(f"{high:7,} px  {name}")
    return int(width == WIDE and max(heights.values()) > MOST)


if __name__ == "__main__":
    sys.exit(main())
