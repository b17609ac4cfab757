"""The site as folders and files, and the server that shows it on this machine only."""

from __future__ import annotations

import csv
import gzip
import http.client
import json
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from invented_release import TABLES, protected_answer
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.client import open_site
from ctdhub.core.errors import HubError, ReleaseError
from ctdhub.hub.steps import hash_folder
from ctdhub.release.bundle import write_release
from ctdhub.release.manifest import MANIFEST
from ctdhub.release.open import Release, open_release, open_releases, verify
from ctdhub.report.figures import figures, listed_places, sides
from ctdhub.schema import countries
from ctdhub.site.build import MARK, build_site, renewed
from ctdhub.site.edition import Edition
from ctdhub.site.frame import card_address
from ctdhub.site.serve import serve
from ctdhub.site.stories.source import read_stories
from ctdhub.stats.answers import Answers

VERSIONS = ("2025.3", "2026.1")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("hub") / "releases"
    return open_release(write_release(protected_answer(), folder, "2026.1", "First."))


@pytest.fixture(scope="module")
def site(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "site"
    build_site(release, out)
    return out


def test_downloads_are_the_release_itself(site: Path, release: Release) -> None:
    for file in release.path.iterdir():
        assert (site / "r" / "2026.1" / file.name).read_bytes() == file.read_bytes()


def test_charts_as_files_hold_the_counts(site: Path, release: Release) -> None:
    charts = site / "r" / "2026.1" / "charts"
    published = {
        c["values"][0]: c["count"]
        for c in release.protected.counts.to_pylist()
        if c["columns"] == ["gender"]
    }
    with (charts / "gender.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {r["gender"]: int(r["people"]) for r in rows if r["people"]} == published
    assert rows[-1]["kind"] == "not_recorded"
    with (charts / "corridors.csv").open(encoding="utf-8", newline="") as handle:
        first = next(csv.DictReader(handle))
    assert (first["citizenship"], first["country_of_exploitation"]) == ("UKR", "POL")
    described = [*charts.rglob("*.csv-metadata.json")]
    assert len(described) > 3
    for file in described:
        meta = json.loads(file.read_text("utf-8"))
        assert "2026.1" in meta["dc:bibliographicCitation"]
        assert meta["dc:description"] == "Identified people, not prevalence."
        with (file.parent / meta["url"]).open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert list(rows[0]) == [column["name"] for column in meta["tableSchema"]["columns"]]
        assert all(int(row["denominator_high"]) > 0 for row in rows)


def test_a_file_of_a_subject_holds_every_place_once(site: Path, release: Release) -> None:
    """Each figure of a place is found by place and side, with the rows and base that it shows."""
    charts, seen = site / "r" / "2026.1" / "charts", Counter[str]()
    answers = Answers(release)
    for key in (*countries.regions(), *listed_places(answers)):
        for among in sides(key).values():
            for figure in figures(answers, among):
                name, found = figure.numbers
                with (charts / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
                    rows = [r for r in csv.DictReader(handle) if found.items() <= r.items()]
                people = [str(row.people.value or "") for row in figure.table.rows]
                assert [row["people"] for row in rows] == people
                assert {row["denominator"] for row in rows} == {str(figure.table.base.value or "")}
                seen[name] += len(rows)
    for name, n in seen.items():
        assert len((charts / f"{name}.csv").read_text("utf-8").splitlines()) == n + 1
    assert len(seen) > 3


@pytest.mark.usefixtures("few_pages")
def test_a_site_replaces_a_site_and_nothing_else(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    release, out = made(tmp_path_factory.mktemp("hub"), "2026.1"), tmp_path / "site"
    out.mkdir()
    build_site(release, out)
    (out / "stale.html").write_text("old")
    (tmp_path / ".writing-site-a_killed").mkdir()
    build_site(release, out)
    assert not (out / "stale.html").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["site"]
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter.txt").write_text("years of work")
    with pytest.raises(HubError, match="not a site"):
        build_site(release, precious)
    assert (precious / "chapter.txt").read_text() == "years of work"
    link = tmp_path / "link"
    link.symlink_to(precious)
    with pytest.raises(HubError):
        build_site(release, link)


@pytest.mark.parametrize("killed", [False, True])
def test_a_swap_that_did_not_end_loses_no_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    out, rename = tmp_path / "site", Path.rename
    with renewed(out, MARK, {}) as fresh:
        (fresh / "r" / "2025.3").mkdir(parents=True)

    def fail(path: Path, target: Path) -> Path:
        if (killed and target == out) or path.name.startswith(".writing-"):
            raise OSError("the disk is gone")
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(OSError, match="disk"), renewed(out, MARK, {}):
            pass
    assert (out / MARK).is_file() is not killed
    with pytest.raises(HubError, match=r"2025\.3"):
        build_site(made(tmp_path / "hub", "2026.1"), out)
    assert (out / MARK).is_file()
    assert {p.name for p in tmp_path.iterdir()} == {"hub", "site"}


@pytest.mark.parametrize("name", ["site-old", "site[1]"])
def test_a_build_leaves_that_of_another_site_alone(tmp_path: Path, name: str) -> None:
    with renewed(tmp_path / name, MARK, {}) as other:
        for out in (tmp_path / "site", tmp_path / "site1"):
            with renewed(out, MARK, {}):
                pass
        left = tmp_path / f".writing-{name}-a_killed"
        left.mkdir()
        assert other.is_dir()
    with renewed(tmp_path / name, MARK, {}):
        assert not left.exists()


def story(folder: Path, name: str, body: str) -> None:
    folder.mkdir(exist_ok=True)
    head = "---\ntitle: A title\ndate: 2026-03-01\nsummary: What it is about.\n---\n"
    (folder / f"{name}.en.md").write_text(head + body, "utf-8")


def made(folder: Path, version: str, tables: Iterable[str] = TABLES[:6]) -> Release:
    """A release of few tables, whose site is soon drawn."""
    answer = protected_answer(tables=tables)
    return open_release(write_release(answer, folder / "releases", version, f"Of {version}."))


def test_every_release_keeps_its_pages_files_and_api(tmp_path: Path) -> None:
    """Pages and stories are there once, of the newest; an earlier release keeps its cards."""
    few = [table for table in TABLES[:6] if "gender" not in table]
    earlier, newest = made(tmp_path, "2025.3", few), made(tmp_path, "2026.1")
    assert open_releases(tmp_path / "releases")[0].version == "2026.1"
    story(tmp_path / "stories", "both", "{{people}}.\n\n```chart\nof: citizenship\n```\n")
    story(tmp_path / "stories", "later", "Text.\n\n```chart\nof: gender\n```\n")
    story(tmp_path / "stories", "linked", "See [that](stories/later.html).\n")
    edition = Edition(stories=read_stories(tmp_path / "stories"))
    out = tmp_path / "site"
    build_site(newest, out, edition=edition, earlier=[earlier])
    assert {f.stem for f in (out / "en/stories").iterdir()} == {"index", "both", "later", "linked"}
    assert {f.stem for f in (out / "charts/stories").glob("*.csv")} == {"both-1", "later-1"}
    assert not [*(out / "r").rglob("stories")]
    told = (out / "en/stories/later.html").read_text("utf-8")
    assert 'data-place="r/2026.1/en/explore.html#show=gender"' in told, "cited where it stays"
    for version in VERSIONS:
        text = (out / card_address("en", version)).read_text("utf-8")
        assert ("not the newest" in text) is (version == "2025.3")
        assert f'href="{"../" * 3}en/index.html"' in text
        assert not (out / "r" / version / "en/get-help.html").exists()
    for release in (earlier, newest):
        own = out / "r" / release.version
        for file in release.path.iterdir():
            assert (own / file.name).read_bytes() == file.read_bytes()
        assert f"release {release.version}" in (own / "en" / "index.html").read_text("utf-8")
        assert open_site(out, release.version).release == release.version
        assert release.version in open_site(out, release.version).citation
    assert open_site(out).release == "2026.1"
    assert "en/index.html" in (out / "index.html").read_text("utf-8")
    assert "<h1" in (out / "en/index.html").read_text("utf-8")
    assert "release 2026.1" in (out / "en/index.html").read_text("utf-8")
    alone = tmp_path / "alone"
    build_site(earlier, alone)
    assert hash_folder(alone / "r" / "2025.3" / "api") == hash_folder(out / "r" / "2025.3" / "api")


def test_a_site_never_loses_a_release_in_silence(tmp_path: Path) -> None:
    earlier, newest = made(tmp_path, "2025.3"), made(tmp_path, "2026.1")
    out, told = tmp_path / "site", list[float]()
    build_site(newest, out, lambda _, fraction: told.append(fraction), earlier=[earlier])
    assert told == sorted(told)
    assert told[-1] == 1.0, "progress ends at one"
    before = hash_folder(out)
    with pytest.raises(HubError, match=r"2025\.3") as caught:
        build_site(newest, out)
    assert caught.value.rule == "site-smaller"
    assert hash_folder(out) == before
    for damage in ("records.csv", MANIFEST):
        (earlier.path / damage).chmod(0o644)
        (earlier.path / damage).unlink()
        with pytest.raises(ReleaseError, match=r"2025\.3"):
            open_releases(tmp_path / "releases")


@pytest.fixture(scope="module")
def server(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    outside = tmp_path_factory.mktemp("outside") / "secret.txt"
    outside.write_text("secret")
    (site / "way-out.txt").symlink_to(outside)
    (site / ".step.json").write_text("secret")
    (site / "r" / ".hidden").mkdir()
    (site / "r" / ".hidden" / "x.txt").write_text("secret")
    ready: queue.Queue[str] = queue.Queue()
    threading.Thread(target=serve, args=(site, 0, ready.put), daemon=True).start()
    host, port = ready.get(timeout=60).removeprefix("http://").rstrip("/").split(":")
    yield host, int(port)
    (site / "way-out.txt").unlink()
    (site / ".step.json").unlink()
    shutil.rmtree(site / "r" / ".hidden")


def get(server: tuple[str, int], path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*server, timeout=60)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


def test_server_shows_the_site_on_this_machine(server: tuple[str, int], site: Path) -> None:
    assert server[0] == "127.0.0.1"
    assert get(server, "/") == (200, (site / "index.html").read_bytes())
    assert get(server, "/r/2026.1/manifest.json")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/hostname",
        "/%2e%2e/%2e%2e/etc/hostname",
        "/..%2f..%2fetc/hostname",
        "//etc/hostname",
        "/way-out.txt",
        "/r/",
        "/r/2026.1/api/",
        "/.step.json",
        "/r/.hidden/x.txt",
        "/none",
    ],
)
def test_server_leads_nowhere_else(server: tuple[str, int], path: str) -> None:
    status, body = get(server, path)
    assert status == 404
    assert b"secret" not in body


@pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("evil.example", 403), ("", 403)])
def test_server_answers_to_no_other_name(server: tuple[str, int], host: str, status: int) -> None:
    connection = http.client.HTTPConnection(*server, timeout=60)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Host", host and f"{host}:{server[1]}")
    connection.endheaders()
    assert connection.getresponse().status == status


@pytest.mark.parametrize(
    ("path", "takes", "packed"),
    [
        ("/", "gzip, deflate", True),
        ("/index.html", "gzip", True),
        ("/r/2026.1/manifest.json", "br, gzip;q=0.5", True),
        ("/r/2026.1/manifest.json", "gzip;q=0, br", False),
        ("/r/2026.1/manifest.json", "", False),
        ("/r/2026.1/records.parquet", "gzip", False),
    ],
)
def test_server_compresses_text_for_those_who_take_it(
    server: tuple[str, int], site: Path, path: str, takes: str, packed: bool
) -> None:
    connection = http.client.HTTPConnection(*server, timeout=60)
    connection.request("GET", path, headers={"Accept-Encoding": takes})
    response = connection.getresponse()
    body = response.read()
    assert (response.getheader("Content-Encoding") == "gzip") == packed
    assert len(body) == int(response.getheader("Content-Length") or 0)
    name = "index.html" if path == "/" else path.removeprefix("/")
    assert (gzip.decompress(body) if packed else body) == (site / name).read_bytes()
    connection.request("GET", "/.step.json", headers={"Accept-Encoding": "gzip"})
    assert connection.getresponse().status == 404


def test_port_in_use_and_no_site(site: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(HubError) as caught:
            serve(site, taken.getsockname()[1])
        assert caught.value.rule == "port"
        assert "--port" in caught.value.fix
    with pytest.raises(HubError, match="no site"):
        serve(tmp_path, 0)


def test_interrupt_stops_the_server_cleanly(site: Path) -> None:
    code = (
        "import signal, sys; from pathlib import Path; from ctdhub.site.serve import serve;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # a job may inherit it ignored
        "serve(Path(sys.argv[1]), 0, lambda a: print(a, flush=True)); print('stopped')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(site)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, "stopped\n", "")


def test_command_builds_the_site_of_a_hub(release: Release, tmp_path: Path) -> None:
    app = command("site")
    hub = release.path.parents[1]
    given = CliRunner().invoke(app, ["site", str(hub), "--out", str(tmp_path / "s")])
    assert given.exit_code == 0, given.output
    assert (tmp_path / "s" / "index.html").is_file()
    assert verify(release.path) == []
    none = CliRunner().invoke(app, ["site", str(tmp_path)])
    assert isinstance(none.exception, HubError)
