"""Others are told of a release: a CKAN portal, an archive, a mailing list, readers of the feed."""

from __future__ import annotations

import email
import email.policy
import json
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from invented_release import people_rows, protected_answer

from ctdhub.core.errors import ReleaseError
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release import deposit
from ctdhub.release.bundle import write_release
from ctdhub.release.deposit import Portal, datacite, push, require_citable, slug, zenodo
from ctdhub.release.open import Release, open_release
from ctdhub.report.release_changes import in_all, message
from ctdhub.site.feed import write_feed
from ctdhub.site.frame import Sharing
from ctdhub.stats.answers import Answers

SECRET = "a-token"
SITE = "https://data.example.org"
HOSTILE = 'Hub\r\nBcc: x@example.org <b>"&مركز'


def made(folder: Path, version: str = "2026.1", n: int = 500, **facts: Any) -> Release:
    answer = protected_answer(
        people_rows(n), facts={"languages": list(LANGUAGES), "invented": False, **facts}
    )
    return open_release(write_release(answer, folder, version, "", site=SITE))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("real"))


class _Ckan(BaseHTTPRequestHandler):
    """The actions of a portal that ``push`` calls, as CKAN documents them."""

    packages: ClassVar[dict[str, dict[str, Any]]] = {}
    calls: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        action = self.path.removeprefix("/api/3/action/")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.calls.append(action)
        if self.headers["Authorization"] != SECRET:
            return self._send(
                403, {"success": False, "error": {"message": "Access denied \x1b[31m"}}
            )
        if action == "package_show":
            found = self.packages.get(json.loads(body)["id"])
            return (
                self._send(200, {"success": True, "result": found})
                if found
                else self._send(404, {"success": False})
            )
        if action == "resource_create":
            kind = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            parts = BytesParser(policy=email.policy.HTTP).parsebytes(kind + body).iter_parts()
            given = {
                str(p.get_param("name", header="content-disposition")): p.get_payload(decode=True)
                for p in parts
            }
            package = self.packages[given["package_id"].decode()]
            fields = {k: v.decode() for k, v in given.items() if k != "upload"}
            package["resources"].append({**fields, "size": len(given["upload"])})
            return self._send(200, {"success": True, "result": {"id": "r"}})
        given = json.loads(body)
        if action == "package_create" and given["name"] in self.packages:
            return self._send(
                409, {"success": False, "error": {"name": ["That URL is already in use."]}}
            )
        old = self.packages.get(given["name"], {"resources": [], "id": "p1"})
        self.packages[given["name"]] = {**old, **given}
        return self._send(200, {"success": True, "result": self.packages[given["name"]]})

    def _send(self, code: int, found: dict[str, Any]) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def portal() -> Iterator[str]:
    _Ckan.packages.clear()
    _Ckan.calls.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Ckan) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_push_brings_every_file_and_a_second_one_nothing(real: Release, portal: str) -> None:
    steps = list(push(real, Portal(portal, SECRET), "org", site=SITE))
    (package,) = _Ckan.packages.values()
    sizes = {r["name"]: r["size"] for r in package["resources"]}
    assert sizes == {p.name: p.stat().st_size for p in real.path.iterdir()}
    assert package["url"] == f"{SITE}/r/2026.1/"
    assert steps[0].what == "create"
    again = list(push(real, Portal(portal, SECRET), "org", site=SITE))
    assert {s.what for s in again} == {"update", "keep"}
    assert _Ckan.calls.count("resource_create") == len(sizes)


def test_a_push_that_was_cut_off_goes_on(real: Release, portal: str) -> None:
    steps = push(real, Portal(portal, SECRET), "org")
    for _step in zip(steps, range(4), strict=False):
        pass
    assert {s.what for s in push(real, Portal(portal, SECRET), "org")} == {
        "update",
        "keep",
        "upload",
    }
    (package,) = _Ckan.packages.values()
    names = [r["name"] for r in package["resources"]]
    assert sorted(names) == sorted({p.name for p in real.path.iterdir()})


def test_a_dry_run_changes_nothing(real: Release, portal: str) -> None:
    steps = list(push(real, Portal(portal, SECRET), "org", dry=True))
    assert len(steps) > 5
    assert not _Ckan.packages
    assert _Ckan.calls == ["package_show"]


def test_what_must_not_be_pushed(real: Release, portal: str, tmp_path: Path) -> None:
    to = Portal(portal, SECRET)
    practice = made(tmp_path / "a", invented=True)
    with pytest.raises(ReleaseError, match="fictitious"):
        list(push(practice, to, "org"))
    list(push(practice, to, "org", private=True))
    assert [p["private"] for p in _Ckan.packages.values()] == [True]
    other = made(tmp_path / "b", n=600, invented=True)
    with pytest.raises(ReleaseError, match="other files"):
        list(push(other, to, "org", private=True))
    with pytest.raises(ReleaseError, match="403") as refused:
        list(push(real, Portal(portal, "wrong"), "org"))
    assert "\x1b" not in str(refused.value)
    for url in (
        "http://ckan.example.org",
        "https://u:p@x.example",
        "file:///etc",
        "https://x.example/?q=1",
    ):
        with pytest.raises(ReleaseError, match="not the address"):
            Portal(url, SECRET)


@pytest.mark.parametrize("field", ["extras", "resources"])
@pytest.mark.parametrize("value", [None, [None], [{}], 7])
def test_a_dataset_that_is_none_of_ckan_is_refused(
    real: Release, portal: str, field: str, value: object
) -> None:
    list(push(real, Portal(portal, SECRET), "org"))
    next(iter(_Ckan.packages.values()))[field] = value
    with pytest.raises(ReleaseError) as refused:
        list(push(real, Portal(portal, SECRET), "org"))
    assert refused.value.rule == "push-answer"


@pytest.mark.parametrize("code", [200, 403])
@pytest.mark.parametrize("size", [0, 9])
def test_an_answer_that_cannot_be_read_is_no_traceback(code: int, size: int) -> None:
    """It is cut off, or nested without end."""
    body = b"[" * 10**5

    class Odd(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body) + size))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ReleaseError) as refused:
            Portal(f"http://127.0.0.1:{server.server_port}", SECRET).act("package_show", {})
        server.shutdown()
    assert refused.value.rule == ("push-answer" if code == 200 else "push-refused")


def test_a_token_does_not_follow_a_redirection(real: Release, portal: str) -> None:
    class Away(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"{portal}{self.path}")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Away) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ReleaseError):
            list(push(real, Portal(f"http://127.0.0.1:{server.server_port}", SECRET), "org"))
        server.shutdown()
    assert not _Ckan.calls


@pytest.mark.parametrize("hub", ["A hub", "مركز", HOSTILE, "x" * 120])
def test_names_of_datasets_are_what_ckan_takes(hub: str) -> None:
    assert re.fullmatch(r"[a-z0-9_-]{2,100}", slug(hub, "2026.1"))


def test_the_command_refuses_without_a_token_and_candidates(
    real: Release,
    portal: str,
    tmp_path: Path,
    ctdhub: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, _out, said = ctdhub("push", real.path, "--to", portal, "--organisation", "o")
    assert (code, "CTDHUB_CKAN_TOKEN" in said) == (2, True)
    monkeypatch.setenv(deposit.TOKEN, SECRET)
    code, out, _said = ctdhub("push", real.path, "--to", portal, "--organisation", "o", "--dry-run")
    assert (code, "Nothing was sent" in out, SECRET in out) == (0, True, False)
    waiting = made(tmp_path / "candidates", "2026.7")
    code, _out, said = ctdhub("push", waiting.path, "--to", portal, "--organisation", "o")
    assert (code, "not a published release" in said) == (2, True)


def test_metadata_for_a_doi(real: Release, tmp_path: Path) -> None:
    found = datacite(real, SITE, "10.5281/zenodo.123")
    for name in (
        "creators",
        "titles",
        "publisher",
        "publicationYear",
        "types",
        "url",
        "doi",
    ):
        assert found[name], name  # the mandatory properties of the schema
    assert found["types"]["resourceTypeGeneral"] == "Dataset"
    assert re.fullmatch(r"\d{4}", found["publicationYear"])
    assert [d["date"] for d in found["dates"] if "dateInformation" in d] == ["2015/2019"]
    assert all(c["contributorType"] == "DataCollector" for c in found["contributors"])
    assert "doi" not in datacite(real)
    deposit = zenodo(made(tmp_path / "h", hub="<b>Hub</b> & co"), SITE)["metadata"]
    for name in (
        "upload_type",
        "publication_date",
        "title",
        "creators",
        "description",
        "access_right",
        "license",
    ):
        assert deposit[name], name
    assert deposit["license"] == "cc-by-4.0"
    with pytest.raises(ReleaseError, match="no DOI"):
        require_citable(made(tmp_path / "p", invented=True))


def test_a_notice_in_every_language(real: Release, tmp_path: Path) -> None:
    later = made(tmp_path, "2026.2", n=900, hub=HOSTILE)
    series = Answers(later), Answers(real)
    body = in_all(series[0], series, SITE)
    for code in LANGUAGES:
        assert f"{SITE}/r/2026.2/{code}/index.html" in body
    assert "differ" in body
    assert "\r" not in body
    found = email.message_from_bytes(message(series[0], body), policy=email.policy.default)
    assert found["Bcc"] is None
    assert "Bcc" in found["Subject"]
    assert found.get_content().split() == body.split()
    assert found["X-Unsent"] == "1"


def test_the_feed_is_atom(real: Release, tmp_path: Path) -> None:
    """The rules of RFC 4287, section 4, for the elements that the feed uses."""
    later = made(tmp_path / "r", "2026.2", n=900, hub='A & "B" <c>\x0b مركز')
    for url in (SITE, ""):
        write_feed(tmp_path, (Answers(later), Answers(real)), Sharing(url))
        check_atom((tmp_path / "feed.xml").read_bytes(), url)
    with language("en"):
        assert b"differ by more than the noise" in (tmp_path / "feed.xml").read_bytes()


def test_numbers_are_compared_for_the_release_that_leads(real: Release, tmp_path: Path) -> None:
    """Opening every old release made each later site dearer by half a second a release."""
    older = (made(tmp_path, "2026.2", n=900), real)
    series = tuple(map(Answers, (made(tmp_path, "2026.3", n=1_200), *older)))
    write_feed(tmp_path, series, Sharing(SITE))
    assert (tmp_path / "feed.xml").read_text("utf-8").count("differ by more than the noise") == 1


def check_atom(data: bytes, site: str) -> None:
    ns = "{http://www.w3.org/2005/Atom}"
    feed = ET.fromstring(data)
    assert feed.tag == f"{ns}feed"
    entries = feed.findall(f"{ns}entry")
    assert entries
    moment = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            (one,) = element.findall(f"{ns}{name}")
            assert (one.text or "").strip()
        assert re.match(r"[a-z][a-z0-9+.-]*:\S+$", element.findtext(f"{ns}id") or "")
        assert moment.fullmatch(element.findtext(f"{ns}updated") or "")
        assert len(element.findall(f"{ns}author")) <= 1
        links = [
            (x.get("rel", "alternate"), x.get("type"), x.get("hreflang"))
            for x in element.findall(f"{ns}link")
        ]
        assert len([x for x in links if x[0] == "alternate"]) == len(
            {x for x in links if x[0] == "alternate"}
        )
        assert all(x.get("href") for x in element.findall(f"{ns}link"))
    assert len({e.findtext(f"{ns}id") for e in entries}) == len(entries)
    assert feed.findtext(f"{ns}author/{ns}name")
    for entry in entries:
        (content,) = entry.findall(f"{ns}content")
        assert content.get("type") == "text"
        assert len(content) == 0
        assert any(x.get("rel", "alternate") == "alternate" for x in entry.findall(f"{ns}link"))
    own = [x.get("href") for x in feed.findall(f"{ns}link") if x.get("rel") == "self"]
    assert own == ([f"{site}/feed.xml"] if site else [])
    assert feed.findtext(f"{ns}updated") == max(e.findtext(f"{ns}updated") or "" for e in entries)


def test_the_shape_of_a_feed_can_fail(real: Release, tmp_path: Path) -> None:
    write_feed(tmp_path, (Answers(replace(real)),), Sharing(SITE))
    text = (tmp_path / "feed.xml").read_text("utf-8")
    for gone in (
        r"<updated>[^<]*</updated>",
        r"<id>[^<]*</id>",
        r"<author>.*?</author>",
        r'<link rel="self"[^>]*/>',
    ):
        with pytest.raises((AssertionError, ValueError)):
            check_atom(re.sub(gone, "", text, count=1).encode(), SITE)
