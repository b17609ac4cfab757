"""Forty dirty columns decided in the kit, with every click and keystroke counted.

The clerk here knows what the columns mean and sees only what is on a page: links, buttons, boxes
and lists.  A press costs one; a choice from a list costs two, to open it and to choose.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from dirty_columns import COLUMNS, DirtyColumn, write

pytest.importorskip("waitress", reason='the extra is missing: pip install ".[desk]"')

MOST = 150


class Controls(HTMLParser):
    """Links, rows and forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.links: list[tuple[str, str]] = []
        self.rows: dict[str, str] = {}
        self.undecided: set[str] = set()
        self._cells: list[str] = []
        self._form: dict[str, Any] | None = None
        self._row, self._text, self._open, self._cell = "", "", "", ""
        self._attributes: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        if tag == "td":
            self._cell = ""
        if tag == "tr":
            self._cells = []
        if tag == "tr" and given.get("id"):
            self._row = given["id"]
            self.rows[self._row] = given.get("class", "")
        if tag == "form":
            self._form = {"fields": [], "buttons": [], "boxes": [], "options": [], "row": self._row}
            self.forms.append(self._form)
        if tag == "input" and self._form is not None:
            kind = given.get("type", "text")
            if kind == "checkbox":
                self._form["boxes"].append((given["name"], given["value"]))
            elif kind in ("hidden", "text"):
                self._form["fields"].append((given["name"], given.get("value", "")))
        if tag in ("a", "button", "option"):
            self._open, self._text, self._attributes = tag, "", given

    def handle_data(self, data: str) -> None:
        self._text += data
        self._cell += data

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            given, text = self._attributes, " ".join(self._text.split())
            if tag == "a":
                self.links.append((given.get("href", ""), text))
            elif self._form is not None and tag == "button":
                button = (given.get("name", ""), given.get("value", ""), text, self._row)
                self._form["buttons"].append(button)
            elif self._form is not None:
                self._form["options"].append((given.get("value", ""), text))
            self._open = ""
        if tag == "form":
            self._form = None
        if tag == "td":
            self._cells.append(" ".join(self._cell.split()))
        if tag == "tr":
            if self._row.startswith("value-") and len(self._cells) == 5 and not self._cells[3]:
                assert self._form is not None
                self.undecided.add(self._form["boxes"][-1][1])
            self._row = ""


class Clerk:
    """Sits before the kit and counts."""

    def __init__(self, address: str) -> None:
        self.host, self.at, self.acts = urlsplit(address).netloc, urlsplit(address).path, 0
        self.page = Controls()
        self.get(self.at)

    def get(self, path: str) -> None:
        """Open a page; the caller counts the click."""
        self._ask("GET", urljoin(self.at, path).partition("#")[0])

    def _ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> None:
        line = http.client.HTTPConnection(self.host, timeout=120)
        line.request(method, path, body or None, {"Content-Type": kind} if kind else {})
        answer = line.getresponse()
        text = answer.read().decode()
        if answer.status in (302, 303):
            self._ask("GET", answer.headers["Location"])
            return
        assert answer.status == 200, (answer.status, path, text[-1500:])
        self.at, self.page = path, Controls()
        self.page.feed(text)

    def follow(self, href: str) -> None:
        """Click a link that is there."""
        assert href in [h for h, _text in self.page.links]
        self.acts += 1
        self.get(href)

    def press(self, name: str, value: str, *more: tuple[str, str], row: str | None = None) -> None:
        """Press a button that is there, with its form; ``more`` was chosen before."""
        form = next(
            f
            for f in self.page.forms
            for b in f["buttons"]
            if (b[0], b[1]) == (name, value) and row in (None, b[3])
        )
        self.acts += 1
        body = urlencode([*form["fields"], *more, (name, value)]).encode()
        self._ask("POST", self.at, body, "application/x-www-form-urlencoded")

    def offers(self, row: str | None = None) -> list[tuple[str, list[dict[str, Any]]]]:
        """Buttons that carry operations: their value, and what it says."""
        return [
            (b[1], json.loads(b[1]))
            for f in self.page.forms
            for b in f["buttons"]
            if b[0] == "operations" and row in (None, b[3])
        ]

    def drop(self, file: Path) -> None:
        """Drop the file: one act."""
        self.acts += 1
        head = f'--p\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
        body = head.encode() + file.read_bytes() + b"\r\n--p--\r\n"
        self._ask("POST", urljoin(self.at, "drop/"), body, "multipart/form-data; boundary=p")


@pytest.fixture
def clerk(tmp_path: Path) -> Iterator[Clerk]:
    """A clerk before a kit of its own process."""
    words = ["kit", "--no-browser", "--folder", str(tmp_path / "kit")]
    run = "import sys; from ctdhub.cli.main import main; main()"
    kit = subprocess.Popen([sys.executable, "-c", run, *words], stdout=subprocess.PIPE, text=True)
    assert kit.stdout is not None
    address = next(line.strip() for line in kit.stdout if line.startswith("http://"))
    yield Clerk(address)
    kit.terminate()
    kit.wait(20)


def decide(clerk: Clerk, column: DirtyColumn, at: int, columns: str) -> None:
    """Decide one column as somebody who knows its truth."""
    state = clerk.page.rows[f"column-{at}"].split()[-1]
    if state not in ("decide", "stops"):
        return
    if column.fate != "read":
        for value, _operations in clerk.offers(f"column-{at}"):
            clerk.press("operations", value, row=f"column-{at}")
            return
        return
    clerk.follow(f"{columns}{at}/")
    if not any(f["boxes"] and any(b[1] == "map" for b in f["buttons"]) for f in clerk.page.forms):
        for value, operations in clerk.offers():
            if any(op.get("variable") in column.variables for op in operations):
                clerk.press("operations", value)
                break
    while value := next(filter(None, (right(column, *one) for one in clerk.offers())), ""):
        clerk.press("operations", value)
    by_hand(clerk, column)
    clerk.follow(columns)


def right(column: DirtyColumn, value: str, operations: list[dict[str, Any]]) -> str:
    """The button's value, if it decides one text as the clerk knows it."""
    one = operations[0]
    if len(operations) != 1 or one["op"] != "map":
        return ""
    code = column.truth.get(one["text"], one["codes"][0])
    return value if [code or "not-recorded"] == one["codes"] else ""


def by_hand(clerk: Clerk, column: DirtyColumn) -> None:
    """Texts that nothing is proposed for: choose them, choose what they mean, apply."""
    form = next(f for f in clerk.page.forms if any(b[1] == "map" for b in f["buttons"]))
    texts = [value for name, value in form["boxes"] if name == "texts"]
    known = {value for value, _text in form["options"]} | {
        value for name, value in form["boxes"] if name == "codes"
    }
    undecided = {t for t in texts if t in clerk.page.undecided}
    for text in undecided:
        code = column.truth.get(text, None) or "stays-unknown"
        if code not in known:
            code = next(c for c in ("other-kind", "not-recorded") if c in known)
        clerk.acts += 1 + 2  # the box, and the list
        clerk.press("act", "map", ("texts", text), ("codes", code))


def test_forty_dirty_columns_take_few_clicks(clerk: Clerk, tmp_path: Path) -> None:
    clerk.drop(write(tmp_path / "liste.csv", 120))
    columns = clerk.at
    if any(b[:2] == ("act", "sure") for f in clerk.page.forms for b in f["buttons"]):
        clerk.press("act", "sure")
    for at, column in enumerate(COLUMNS):
        decide(clerk, column, at, columns)
    states = [clerk.page.rows[f"column-{at}"].split()[-1] for at in range(len(COLUMNS))]
    left = {c.name: s for c, s in zip(COLUMNS, states, strict=True) if s in ("decide", "stops")}
    assert clerk.acts <= MOST
    assert left == {}
