"""The kit over its real pages: tokens by envelope, an owed workbook, odd files to a bundle."""

from __future__ import annotations

import csv
import http.client
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import openpyxl
import pytest

from ctdhub.core.keys import age
from ctdhub.core.keys.envelope import wrap
from ctdhub.core.keys.linkage import new_key
from ctdhub.core.keys.signing import make_key
from ctdhub.sensitive.bundle.leaving import code_of, parse_withdrawal
from ctdhub.sensitive.bundle.pack import (
    CardAgreement,
    HubCard,
    OpenedBundle,
    card_bytes,
    check_bundle,
    open_bundle,
    sign_card,
)
from ctdhub.sensitive.mapping.identifiers import Keying

HEAD = ["N° dossier", "Prénom", "Nom", "Date de naissance", "Sexe", "Date d’accueil"]
OTIP = """\
version: 1
dates: dmy
sheets:
  "Q. Client Program Entry":
    columns:
      Client Identifier: {from: N° dossier}
      Intake Date: {from: Date d’accueil, date: true}
"""


class KitPages:
    """A kit in a process of its own, and what a browser would send it."""

    def __init__(self, root: Path) -> None:
        self.root, self.identity = root, root / "inbox.age"
        steward = make_key(root / "steward.pem")
        card = HubCard(
            hub="Practice hub", invented=True, schema_version="1.2", years=(2002, 2030),
            recipients=(age.make_identity(self.identity),),
            approvers={"steward": (steward.public,)}, contributor="refuge",
            contributor_name="Refuge (fictif)", contributor_kind="case_management",
            agreement=CardAgreement(consent_rule="Accord écrit."), date="2026-11-27",
        )  # fmt: skip
        (root / "refuge.ctdhub-card").write_bytes(card_bytes(sign_card(card, steward)))
        run = "from ctdhub.cli.main import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", run, "kit", "--no-browser", "--folder", str(root / "kit")],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "CTDHUB_LANG": "en"},
        )  # fmt: skip
        assert self.process.stdout is not None
        address = next(line.strip() for line in self.process.stdout if line.startswith("http://"))
        self.host, self.at = urlsplit(address).netloc, urlsplit(address).path
        self.get(self.at)
        self.home = self.at
        self.send(self.home + "card/", card=root / "refuge.ctdhub-card")
        self.post(self.home + "card/", act="compared")

    def _ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> str:
        line = http.client.HTTPConnection(self.host, timeout=120)
        line.request(method, path, body or None, {"Content-Type": kind} if kind else {})
        answer = line.getresponse()
        self.content = answer.read()
        if answer.status in (302, 303):
            return self._ask("GET", answer.headers["Location"])
        self.at, self.page, self.status = (
            path,
            self.content.decode("utf-8", "replace"),
            answer.status,
        )
        assert answer.status in (200, 422), (answer.status, path)
        return self.page

    def get(self, path: str) -> str:
        return self._ask("GET", urljoin(self.at, path))

    def post(self, path: str, **fields: str) -> str:
        kind = "application/x-www-form-urlencoded"
        return self._ask("POST", urljoin(self.at, path), urlencode(fields).encode(), kind)

    def send(self, path: str, **files: Path) -> str:
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{file.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n".encode()
            + file.read_bytes()
            for name, file in files.items()
        ]
        body = b"\r\n".join(parts) + b"\r\n--b--\r\n"
        return self._ask("POST", urljoin(self.at, path), body, "multipart/form-data; boundary=b")

    def press(self, label: str) -> str:
        """A choice that sends operations."""
        found = re.findall(r'<option value="([^"]*)"[^>]*>(.*?)</option>', self.page, re.S)
        value = next(unescape(v) for v, text in found if label in unescape(text))
        json.loads(value)
        return self.post(self.at, operations=value)

    def bundle(self) -> OpenedBundle:
        """Look at what leaves, make the bundle, and open it as the hub does."""
        page = self.get("../leaving/")
        digest = re.search(r'name="digest" value="([0-9a-f]+)"', page)
        assert digest is not None, page[-3000:]
        self.post(self.at, digest=digest[1])
        made = max((self.root / "kit/bundles").iterdir(), key=lambda p: p.stat().st_mtime_ns)
        opened = open_bundle(made, [self.identity], self.root)
        recipients = age.recipients_of(self.identity)
        check_bundle(opened, "Practice hub", recipients, [opened.manifest.signer])
        return opened


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitPages]:
    pages = KitPages(tmp_path_factory.mktemp("handing"))
    yield pages
    pages.process.terminate()
    pages.process.wait(20)


def names(path: Path) -> Path:
    """UTF-16 with semicolons, as old Excel exports it; the people are fictitious."""
    rows = [
        [f"D{i}", f"Alma{i}", f"Zoltane{i}", f"{2 + i % 27:02d}/{1 + i % 12:02d}/{1980 + i % 25}",
         "FFH"[i % 3], f"{1 + i % 28:02d}/03/2024"]
        for i in range(40)
    ]  # fmt: skip
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows([HEAD, *rows])
    path.write_text(text.getvalue(), "utf-16")
    return path


def test_names_become_tokens_here_and_an_owed_workbook_is_filled(kit: KitPages) -> None:
    kit.send(kit.home + "drop/", file=names(kit.root / "noms.csv"))
    columns = kit.at
    page = kit.get("../tokens/")
    tokens = kit.at
    receiving = re.search(r"x25519:[A-Za-z0-9+/=]+", page)
    assert receiving is not None
    wrap(new_key(), receiving[0], kit.root / "for-us.key")
    assert "neither a linkage key" in kit.send(tokens, key=kit.root / "noms.csv")
    kit.send(tokens, key=kit.root / "for-us.key")
    kept = (kit.root / "kit/linkage.key").read_bytes()
    wrap(new_key(), receiving[0], kit.root / "another.key")
    assert "another linkage key" in kit.send(tokens, key=kit.root / "another.key")
    assert (kit.root / "kit/linkage.key").read_bytes() == kept
    assert "Replace the key that is here" in kit.get(tokens)
    kit.send(tokens, key=kit.root / "for-us.key")  # the same one is no other
    assert "not a valid" in kit.post(tokens, release="soon") or kit.status == 422
    kit.post(tokens, release="2026.1")
    assert kit.at.endswith("/columns/")
    assert kit.at != columns
    bundle = kit.bundle()
    everything = bundle.cases.decode() + bundle.mapping.decode() + bundle.report.decode()
    assert "Zoltane" not in everything
    assert "Alma" not in everything
    rows = list(csv.DictReader(io.StringIO(bundle.cases.decode())))
    assert len(rows) == len({row["link_token"] for row in rows}) == 40
    bands = {"9-17", "18-20", "21-23", "24-26", "27-29", "30-38", "39-47"}
    assert {row["age"] for row in rows} <= bands, "no exact age leaves"

    kit.get(columns)
    page = kit.get("../owed/")
    owed = kit.at
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "Q. Client Program Entry"
    book.active.append(["Client Identifier", "Intake Date", "Age at Intake"])
    book.save(kit.root / "empty.xlsx")
    (kit.root / "otip.yaml").write_text(OTIP, "utf-8")
    assert "are needed" in kit.send(owed, rules=kit.root / "otip.yaml")
    page = kit.send(owed, workbook=kit.root / "empty.xlsx")
    assert "Age at Intake" in page  # not held, and said
    kit.get(owed + "file/")
    filled = openpyxl.load_workbook(io.BytesIO(kit.content)).active
    assert filled is not None
    assert [cell.value for cell in filled[2]] == ["D0", "2024-03-01", None]
    assert all(p.stat().st_mode & 0o077 == 0 for p in (kit.root / "kit").rglob("*") if p.is_file())


def test_totals_two_header_rows_and_consent_on_the_way_to_a_bundle(kit: KitPages) -> None:
    body = [[f"E{i}", "FH"[i % 2], 20 + i, 2024, ("oui", "non", "")[i % 3]] for i in range(30)]
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [
        ["Accueil", None, None, "Suivi", None],
        ["N° dossier", "Sexe", "Âge", "Année", "Consentement"],
        *body,
        ["Total", "=COUNTA(B3:B32)", "=SUM(C3:C32)", None, None],
    ]:
        book.active.append(row)
    book.active.merge_cells("A1:C1")
    book.save(kit.root / "a.xlsx")
    page = kit.send(kit.home + "drop/", file=kit.root / "a.xlsx")
    assert "row 33" in page
    assert "lack of consent" in page
    kit.press("leave them out: they are totals or notes")
    kit.press("leave out 20 rows without a yes, empty cells too")
    assert "sheet=columns" not in kit.page
    bundle = kit.bundle()
    assert json.loads(bundle.report) == {
        "rows_read": 31, "records": 10, "rejected": 0, "unread": 0,
        "excluded": {"no-consent": 20, "note-row": 1},
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(bundle.cases.decode())))
    assert sum(1 for row in rows if row["Sexe"]) == 10


def test_numbers_of_cases_become_a_signed_file_of_codes(kit: KitPages) -> None:
    """The page is one click from the first one, in each language; nothing of it is kept."""
    for code in ("fr", "es", "ar", "en"):
        page = kit.post(kit.home + "language/", language=code)
        assert f'href="{kit.home}withdrawal/"' in page, code
        shown = kit.get(kit.home + "withdrawal/")
        assert "{" not in re.sub(r"<[^>]*>", "", shown.partition("<main")[2]), code
        assert ("Make the file" in shown) is (code == "en")
    form = kit.at
    kit.post(form, numbers="D1\n0")
    assert kit.status == 422
    kit.post(form, numbers="D1\n D2 ", scope="records")
    file = parse_withdrawal(kit.content)
    assert (file.hub, file.contributor, file.scope) == ("Practice hub", "refuge", "records")
    secret = (kit.root / "kit/codes.key").read_bytes()
    keying = Keying(("N° dossier",), "hash", "refuge", secret)
    assert file.codes == tuple(code_of(number, keying) for number in ("D1", "D2"))
    assert not list((kit.root / "kit").rglob("*withdrawal*"))
    rules = "version: 1\nkey: [A, B]\ncolumns: {gender: {from: C, map: {F: female}}}\n"
    (kit.root / "kit/mappings/own").mkdir(exist_ok=True)
    (kit.root / "kit/mappings/own/9999.yaml").write_text(rules, "utf-8")
    assert "would find nobody" in kit.post(form, numbers="D1")
    assert kit.status == 422
    (kit.root / "kit/mappings/own/9999.yaml").unlink()
