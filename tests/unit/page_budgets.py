"""What the pages of a site may weigh, whatever machine draws them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from ctdhub.site.explorer import FOLDER, WORKER

PACKED, WHOLE = 40 * 1024, 200 * 1024
"""Bytes of a page over gzip, and unpacked."""
FIRST_VIEW, BEFORE_FILTER = 250 * 1024, 1_500_000
"""Bytes that the explorer sends for its first view, over gzip, and before the first filter."""


def too_heavy(name: str, page: bytes) -> list[str]:
    """What is wrong with the weight of a page; empty where nothing is."""
    found = [(len(page), WHOLE, "unpacked"), (len(gzip.compress(page)), PACKED, "packed")]
    return [f"{name}: {n} bytes {how}, at most {most}" for n, most, how in found if n > most]


def too_heavy_in(site: Path) -> list[str]:
    """The same of all pages of a site."""
    files = sorted(site.rglob("*.html"))
    return [fault for file in files for fault in too_heavy(str(file), file.read_bytes())]


def explorers(site: Path) -> Iterator[tuple[int, int]]:
    """Of each release in each language: bytes of the explorer's first view, and of all that it
    sends before the first filter."""
    release = max(site.glob("r/*"))
    for page in sorted(site.glob("*/explore.html")):
        code = page.parent.name
        view = len(gzip.compress(page.read_bytes()))
        for name in re.findall(r'<script src="([^"]+)"', page.read_text("utf-8")):
            view += len(gzip.compress((page.parent / name).read_bytes()))
        view += (release / FOLDER / f"texts-{code}.bin").stat().st_size
        view += len(gzip.compress((release / FOLDER / WORKER).read_bytes()))
        files = ("rows.bin", "rows.year_of_registration.bin")
        yield view, view + sum((release / FOLDER / name).stat().st_size for name in files)
