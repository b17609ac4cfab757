"""The site as folders and files, and the server that shows it on this machine only."""

from __future__ import annotations

import csv
import http.client
import json
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from invented_release import protected_answer
from typer.testing import CliRunner

from ctdhub.cli.site import register
from ctdhub.core.errors import HubError
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.release.verify import verify
from ctdhub.site.build import build_site
from ctdhub.site.serve import serve


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
    for file in charts.glob("*.metadata.json"):
        meta = json.loads(file.read_text("utf-8"))
        assert "2026.1" in meta["citation"]
        assert meta["caveat"] == "Identified cases, not prevalence."
        assert meta["denominator"]["people"] > 0


def test_a_site_replaces_a_site_and_nothing_else(release: Release, tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    build_site(release, out)
    (out / "stale.html").write_text("old")
    (tmp_path / ".writing-site-killed").mkdir()
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


def test_progress_ends_at_one(release: Release, tmp_path: Path) -> None:
    told: list[float] = []
    build_site(release, tmp_path / "site", lambda _, fraction: told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.fixture(scope="module")
def server(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    outside = tmp_path_factory.mktemp("outside") / "secret.txt"
    outside.write_text("secret")
    (site / "way-out.txt").symlink_to(outside)
    ready: queue.Queue[str] = queue.Queue()
    threading.Thread(target=serve, args=(site, 0, ready.put), daemon=True).start()
    host, port = ready.get(timeout=10).removeprefix("http://").rstrip("/").split(":")
    yield host, int(port)
    (site / "way-out.txt").unlink()


def get(server: tuple[str, int], path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*server, timeout=10)
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
        "/r/2026.1/",
        "/none",
    ],
)
def test_server_leads_nowhere_else(server: tuple[str, int], path: str) -> None:
    status, body = get(server, path)
    assert status == 404
    assert b"secret" not in body


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
        "import signal, sys; from pathlib import Path; from ctdhub.site import serve;"
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
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "stopped\n", "")


def test_command_builds_the_site_of_a_hub(release: Release, tmp_path: Path) -> None:
    app = typer.Typer()
    register(app)
    hub = release.path.parents[1]
    given = CliRunner().invoke(app, ["site", str(hub), "--out", str(tmp_path / "s")])
    assert given.exit_code == 0, given.output
    assert (tmp_path / "s" / "index.html").is_file()
    assert verify(release.path) == []
    none = CliRunner().invoke(app, ["site", str(tmp_path)])
    assert isinstance(none.exception, HubError)
