"""Pages of the kit: from an empty folder to a bundle, in English and Arabic.

Belongs here: what a contributor's browser shows on its own computer.  Does not belong here: the
workbench's answers (``workbench``), the desk.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from html import unescape
from pathlib import Path
from typing import Any

from tests.unit.dirty_columns import write

from ctdhub.kit.server import application
from golden_parts.desk import masked
from golden_parts.kept import Kept
from golden_parts.world import World

LANGUAGES = ("en", "ar")
SCREENS = (
    "columns/", "columns/8/", "columns/9/?sort=text", "columns/12/?show=unknown", "columns/14/",
    "columns/999/", "identifiers/", "problems/", "text/", "history/", "next/", "tokens/",
    "leaving/", "bundle/", "numbers/", "owed/", "owed/file/",
)  # fmt: skip
"""Pages about a file, by the end of their address."""

MISTAKEN: tuple[tuple[str, dict[str, str]], ...] = (
    ("text/", {"act": "write", "text": "version: 1\ncolumns: {gender: {}}\n"}),
    ("columns/9/", {"act": "map"}),
    ("history/", {"act": "undo", "n": "999"}),
    ("leaving/", {"digest": "x"}),
    ("tokens/", {"release": "soon"}),
    ("owed/", {}),
)
"""Forms that are answered by what is wrong with them."""


class Pages:
    """A browser before the kit; each page is kept under its number."""

    def __init__(self, kept: Kept) -> None:
        from django.test import Client

        self._kept, self._number = kept, 0
        self._client = Client(SERVER_NAME="127.0.0.1", raise_request_exception=False)

    def keep(self, name: str, answer: Any) -> str:
        """Keep an answer; gives where it leads, or its text."""
        self._number += 1
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        text = str(content.decode("utf-8", "replace"))
        there = answer.headers.get("Location", "")
        self._kept.text(
            f"{self._number:03d}-{name}.html", masked(f"{answer.status_code} {there}\n{text}")
        )
        return there or text

    def get(self, way: str, name: str) -> str:
        """Open a page."""
        return self.keep(name, self._client.get(way))

    def post(self, way: str, name: str, **fields: Any) -> str:
        """Send a form; what it leads to is opened by the caller."""
        return self.keep(name, self._client.post(way, fields))

    def drop(self, file: Path) -> str:
        """Drop a file; gives the beginning of the addresses about it."""
        with file.open("rb") as content:
            there = self.post("/drop/", "drop", file=content)
        return there.removesuffix("columns/")

    def screens(self, way: str, name: str) -> None:
        """All pages about a file, in each language."""
        for lang in LANGUAGES:
            self._client.post("/language/", {"language": lang, "next": "/"})
            self.get("/", f"{name}-home.{lang}")
            self.get("/card/", f"{name}-card.{lang}")
            for end in SCREENS:
                self.get(f"{way}{end}", f"{name}-{re.sub('[^a-z0-9]+', '-', end)}.{lang}")
        self._client.post("/language/", {"language": "en", "next": "/"})


def _card(world: World) -> Path:
    """The card of a new hub for a practice contributor."""
    world.done("practice", "files", "--people", 1_000, "--seed", 7)
    world.done("init", "hub", "--name", "Practice hub")
    contributor = Path("files/contributors/rivage-refuge.yaml")
    shutil.copy(contributor, "hub/contributors")
    inbox = world.done("key", "new", "--for", "inbox", "--out", "inbox.age").out.strip()
    keys = {
        role: world.done("key", "new", "--out", f"{role}.pem").out.strip()
        for role in ("steward", "privacy_officer")
    }
    with Path("hub/hub.yaml").open("a", encoding="utf-8") as settings:
        settings.write(f"recipients: ['{inbox}']\napprovers: {json.dumps(keys)}\n")
    card = Path("rivage-refuge.ctdhub-card")
    world.done("bundle", "card", "hub", contributor.stem, "--key", "steward.pem", "--out", card)
    return card


def record(world: World, kept: Kept) -> None:
    """Keep every page, on the way of one file to its bundle."""
    card = _card(world)
    write(Path("liste.csv"), 40)
    for name in ("files", "bundles", "mappings"):
        Path("kit", name).mkdir(parents=True)
    application(Path("kit").resolve(), threading.Event())
    pages = Pages(kept)
    pages.get("/", "empty")
    pages.get("/no-such/", "no-such")
    pages.post("/drop/", "nothing-dropped")
    way = pages.drop(Path("liste.csv"))
    pages.screens(way, "dropped")
    with card.open("rb") as content:
        pages.post("/card/", "card-taken", card=content)
    pages.post("/card/", "card-compared", act="compared")
    shown = pages.post(f"{way}columns/", "sure", act="sure")
    for number, value in enumerate(re.findall(r'name="operations" value="([^"]*)"', shown)[:3]):
        pages.post(f"{way}columns/", f"clicked-{number}", operations=unescape(value))
    pages.post(f"{way}history/", "undone", act="undo", n="1")
    pages.post(f"{way}columns/", "kept", act="keep", why="seen with the office")
    for end, fields in MISTAKEN:
        pages.post(f"{way}{end}", "mistaken", **fields)
    pages.screens(way, "decided")
    shown = pages.get(f"{way}leaving/", "leaving")
    digest = re.search(r'name="digest" value="([0-9a-f]+)"', shown)
    pages.post(f"{way}leaving/", "handed", digest=digest[1] if digest else "")
    pages.get(f"{way}bundle/", "bundle")
    pages.post(f"{way}forget/", "forgotten")
    pages.get(f"{way}columns/", "gone")
    pages.post("/end/", "ended")
