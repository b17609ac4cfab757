"""The client reads what the site holds, from a server and from a folder, and goes nowhere else."""

from __future__ import annotations

import doctest
import hashlib
import http.server
import json
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_release import TABLES, protected_answer

from ctdhub import client
from ctdhub.client import Folder, Site, open_imputations, open_site
from ctdhub.core.errors import SiteError
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.site.build import build_site
from ctdhub.site.serve import serve
from ctdhub.stats.answers import Answers

VERSION = "2026.1"
LARGE = "gender*age_band*citizenship"
GUIDE = Path(__file__).parents[2] / "docs/how-to/use-the-data-from-python.md"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    answer = protected_answer(tables=(*TABLES, LARGE), facts={"languages": ["en", "fr"]})
    folder = tmp_path_factory.mktemp("hub") / "releases"
    return open_release(write_release(answer, folder, VERSION, "First."))


@pytest.fixture(scope="module")
def folder(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "site"
    build_site(release, out)
    return out


@pytest.fixture(scope="module")
def served(folder: Path) -> str:
    ready: queue.Queue[str] = queue.Queue()
    threading.Thread(target=serve, args=(folder, 0, ready.put), daemon=True).start()
    return ready.get(timeout=60)


@pytest.fixture(params=["server", "folder"])
def site(request: pytest.FixtureRequest, folder: Path, served: str) -> Site:
    return open_site(served if request.param == "server" else folder, arrow=True)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A site whose files a test may spoil."""
    return Path(shutil.copytree(folder, tmp_path / "site"))


def published(release: Release, key: str) -> list[dict[str, Any]]:
    return [
        {
            **dict(zip(c["columns"], c["values"], strict=True)),
            **{n: c[n] for n in ("count", "low", "high", "state")},
        }
        for c in release.protected.counts.to_pylist()
        if "*".join(c["columns"]) == key
    ]


@pytest.mark.parametrize("key", ["gender", "citizenship*gender", LARGE])
def test_tables_are_those_of_the_release(site: Site, release: Release, key: str) -> None:
    names = key.split("*")[::-1]
    found = site.table(*names)
    assert found.column_names == [*names, "count", "low", "high", "state"]
    expected = published(release, key)
    assert len(expected) > 1
    assert [dict(sorted(r.items())) for r in found.to_pylist()] == [
        dict(sorted(r.items())) for r in expected
    ]


def test_numbers_come_with_what_a_reader_needs(site: Site) -> None:
    about = json.loads(site.table("gender").schema.metadata[b"ctdhub"])
    assert about["caveat"] == site.caveat == "Identified people, not prevalence."
    assert VERSION in about["citation"]
    assert about["citation"] == site.citation
    assert about["level"] == site.level == 0.95
    assert about["invented"] is site.invented is True
    assert about["unlisted"]["state"] == "protected"


def test_a_cell_is_at_most_what_its_values_are(copied: Path, release: Release) -> None:
    site, answers = open_site(copied, arrow=True), Answers(release)
    for code in (*answers.domain("citizenship")[:20], "UKR", ""):
        cell = {"gender": "male", "citizenship": code}
        assert site.at_most(**cell) == answers.count({n: [c] for n, c in cell.items()}).high
    few = {"gender": "male", "citizenship": "ITA"}
    listed = copied / "r" / VERSION / "api" / "tables.csv"
    listed.write_text(re.sub(r"(?m)^(citizenship,.*),\d+$", r"\1,3", listed.read_text("utf-8")))
    assert open_site(copied).at_most(**few) == 3 < answers.count({"gender": ["male"]}).high
    with pytest.raises(SiteError):
        site.at_most(gender="male", age_band="minor", citizenship="UKR")


def test_index_places_labels_records(site: Site, release: Release) -> None:
    assert site.release == VERSION
    tables = site.tables().to_pylist()
    assert {"*".join(filter(None, (t["first"], t["second"]))) for t in tables} == set(TABLES)
    assert site.places()["ukr"] == "Ukraine"
    assert site.labels("gender", "fr")["female"] != site.labels("gender")["female"]
    assert site.records().equals(release.protected.records)


def test_facts_of_a_place(site: Site, release: Release) -> None:
    rows = site.place("UKR").to_pylist()
    people = next(r for r in rows if (r["side"], r["fact"]) == ("citizens", "people"))
    expected = next(c for c in published(release, "citizenship") if c["citizenship"] == "UKR")
    assert people["count"] == expected["count"]
    assert {"people", "women", "exploitation", "corridor"} <= {r["fact"] for r in rows}
    for r in rows:
        assert (r["count"] is None) == (r["state"] != "shown")
        assert r["unit"] in {"people", "share"}


def test_pandas_where_it_is_installed(
    folder: Path, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    pandas = pytest.importorskip("pandas")
    frame = open_site(folder).table("gender")
    assert isinstance(frame, pandas.DataFrame)
    assert frame["count"].tolist() == [c["count"] for c in published(release, "gender")]
    assert frame.attrs["ctdhub"]["release"] == VERSION
    monkeypatch.setattr(client, "find_spec", lambda _name: None)
    assert isinstance(open_site(folder).table("gender"), pa.Table)


def test_what_was_not_measured_is_said(site: Site) -> None:
    for names, rule in (
        ((), "not-measured"),
        (("gender", "gender"), "not-measured"),
        (("gender", "age_band"), "not-measured"),
        (("gender", "nothing"), "no-such-variable"),
        (("a", "b", "c", "d"), "no-such-variable"),
    ):
        with pytest.raises(SiteError) as caught:
            site.table(*names)
        assert caught.value.rule == rule
    with pytest.raises(SiteError):
        site.place("../../../etc/passwd")
    with pytest.raises(SiteError):
        site.labels("gender", "ar")


def test_starts_without_the_engine() -> None:
    code = (
        "import sys, ctdhub.client;"
        "print([m for m in ('numba', 'numpy', 'duckdb', 'pyarrow', 'pandas') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize(
    "where",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "https://user:secret@example.org/",
        "https://example.org/?q=1",
        "https:///nothing",
        "http://[",
    ],
)
def test_other_addresses_are_refused(where: str) -> None:
    with pytest.raises(SiteError) as caught:
        open_site(where)
    assert caught.value.rule == "site-address"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        ("http://127.0.0.1:1/\u00fc/", "connection"),
        ("http://a..b/", "connection"),
        ("http://127.0.0.1:\uff11/", "connection"),
        ("a\0b", "no-file"),
        ("x" * 5000, "no-file"),
        ("\ud800", "no-file"),
    ],
)
def test_addresses_that_lead_nowhere_say_so(where: str, rule: str) -> None:
    with pytest.raises(SiteError) as caught:
        open_site(where)
    assert caught.value.rule == rule


def test_a_ring_of_links_is_no_site(tmp_path: Path) -> None:
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    with pytest.raises(SiteError) as caught:
        open_site(tmp_path / "ring")
    assert caught.value.rule == "no-file"


def test_less_than_no_sets_for_inference_are_none(tmp_path: Path) -> None:
    manifest = tmp_path / "r" / VERSION / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"imputations": -1, "files": {}}')
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    (manifest.parent / "SHA256SUMS").write_text(f"{digest}  manifest.json\n")
    for sets in (
        open_imputations(manifest.parent),
        Site(Folder(tmp_path), VERSION).imputations(),
    ):
        with pytest.raises(SiteError) as caught:
            list(sets)
        assert caught.value.rule == "no-imputations"


def test_no_site_no_release_no_server(tmp_path: Path, folder: Path, served: str) -> None:
    for where in (tmp_path, folder / "r", served + "r/"):
        with pytest.raises(SiteError) as caught:
            open_site(where)
        assert caught.value.rule == "no-file"
    with pytest.raises(SiteError) as caught:
        open_site("http://127.0.0.1:1/")
    assert caught.value.rule == "connection"
    for version, rule in (("../..", "version"), ("2031.1", "no-file")):
        with pytest.raises(SiteError) as caught:
            open_site(folder, version)
        assert caught.value.rule == rule


@pytest.mark.parametrize("name", ["records.parquet", "counts.parquet", "manifest.json"])
def test_changed_files_of_the_release_are_refused(copied: Path, name: str) -> None:
    file = copied / "r" / VERSION / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()
    file.write_bytes(content)
    site = open_site(copied, arrow=True)
    with pytest.raises(SiteError) as caught:
        site.records() if name == "records.parquet" else site.table(*LARGE.split("*"))
    assert caught.value.rule == "damaged"


def test_files_that_are_no_tables_are_refused_even_with_their_hash(copied: Path) -> None:
    folder = copied / "r" / VERSION
    for name in ("records.parquet", "SHA256SUMS"):
        (folder / name).unlink()
    (folder / "records.parquet").write_bytes(b"PAR1 nothing PAR1")
    digest = hashlib.sha256(b"PAR1 nothing PAR1").hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  records.parquet\n")
    with pytest.raises(SiteError):
        open_site(copied).records()


def spoil(site: Path, change: Callable[[Any], object], name: str = "index") -> None:
    path = site / "r" / VERSION / "api" / f"{name}.json"
    found = json.loads(path.read_text("utf-8"))
    change(found)
    path.write_text(json.dumps(found))


def test_a_hostile_index_leads_nowhere(copied: Path) -> None:
    listed = copied / "r" / VERSION / "api" / "tables.csv"
    names, text = "../../../../secret", listed.read_text("utf-8")
    (copied.parent / "secret.csv").write_text("code,by,value,count,low,high,state\n")
    listed.write_text(f"{text}{names},1,1,0,1\n")
    with pytest.raises(SiteError) as caught:
        open_site(copied).table(names)
    assert caught.value.rule == "damaged"
    listed.write_text(text)
    spoil(copied, lambda f: f["places"][0].update(key="../../../../secret"))
    with pytest.raises(SiteError):
        open_site(copied).place("../../../../secret")
    (copied / "api" / "latest.json").write_text('{"version": "../.."}')
    with pytest.raises(SiteError):
        open_site(copied)


@pytest.mark.parametrize(
    "withdrawn", [VERSION, {VERSION: 1}, None, [{"version": VERSION}], [[VERSION]]]
)
def test_a_damaged_list_of_withdrawn_releases_opens_none(copied: Path, withdrawn: object) -> None:
    latest = copied / "api" / "latest.json"
    latest.write_text(json.dumps(json.loads(latest.read_text()) | {"withdrawn": withdrawn}))
    with pytest.raises(SiteError):
        open_site(copied)


def test_a_link_out_of_the_folder_is_not_followed(copied: Path) -> None:
    target = copied / "r" / VERSION / "api" / "index.json"
    outside = copied.parent / "outside.json"
    target.rename(outside)
    target.symlink_to(outside)
    with pytest.raises(SiteError) as caught:
        open_site(copied).tables()
    assert caught.value.rule == "no-file"


def test_too_large_is_refused(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST_JSON", 1000)
    with pytest.raises(SiteError) as caught:
        open_site(copied).tables()
    assert caught.value.rule == "size"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tables", "variables", "places", "key", "names", "en", "release"]),
            part,
            max_size=4,
        )
    ),
    max_leaves=12,
)


class OneAnswer:
    """A site that answers every question with one JSON value."""

    def __init__(self, value: object) -> None:
        self._text = json.dumps(value).encode()

    def read(self, path: str, most: int) -> bytes:
        return self._text


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_any_index_is_read_or_refused(value: object) -> None:
    index = {**value, "release": VERSION} if isinstance(value, dict) else value
    stated = ("citation", "caveat", "level", "invented", "counted_twice", "breaks")
    for ask in (
        *(Site.tables, Site.places, lambda s: s.table("gender"), lambda s: s.labels("a")),
        *map(attrgetter, stated),
    ):
        try:
            ask(Site(OneAnswer(index), VERSION, arrow=True))
        except SiteError:
            continue


@pytest.fixture
def answering() -> Iterator[Callable[[Callable[[Any], None]], str]]:
    """Servers that answer every request in a way of their own."""
    running: list[http.server.HTTPServer] = []

    def start(answer: Callable[[Any], None]) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        running.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_redirections_stay_on_the_server(
    answering: Callable[[Callable[[Any], None]], str], served: str
) -> None:
    for target in (served + "api/latest.json", "file:///etc/passwd", "ftp://127.0.0.1/x"):

        def away(handler: Any, target: str = target) -> None:
            handler.send_response(302)
            handler.send_header("Location", target)
            handler.end_headers()

        with pytest.raises(SiteError) as caught:
            open_site(answering(away))
        assert caught.value.rule in {"redirect", "site-address", "http"}


def test_servers_that_fail_or_say_too_much(
    answering: Callable[[Callable[[Any], None]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(handler: Any) -> None:
        handler.send_error(500)

    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" " * 1000)

    def slow(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        threading.Event().wait(2)

    monkeypatch.setattr(client, "LARGEST_JSON", 50_000)
    for answer, rule in ((broken, "http"), (endless, "size"), (slow, "connection")):
        monkeypatch.setattr(client, "SLOWEST", 0.3 if answer is slow else 60.0)
        with pytest.raises(SiteError) as caught:
            open_site(answering(answer))
        assert caught.value.rule == rule


def test_the_guide_is_true(folder: Path) -> None:
    def opened(where: str, version: str = "", **options: bool) -> Site:
        assert where in {"https://data.example.org/", "copy-of-the-site"}
        return open_site(folder, version, **options)

    text = GUIDE.read_text("utf-8").replace("from ctdhub.client import open_site", "pass")
    text = text.replace("Practice hub (2026)", f"Practice hub ({datetime.now(UTC):%Y})")
    test = doctest.DocTestParser().get_doctest(text, {"open_site": opened}, "guide", None, 0)
    assert len(test.examples) > 5
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.run(test).failed == 0
