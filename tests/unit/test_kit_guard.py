"""Who may speak to the kit: the browser that opened the one-time address, and nobody else."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest

from ctdhub.core.errors import HubError
from ctdhub.kit.server import ONCE_SECONDS, Guard
from ctdhub.kit.state import default_folder, prepare, synced_by

PORT = 43210
HOST = f"127.0.0.1:{PORT}"


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Visit:
    """A guard before an application that says where it was asked."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.guard = Guard(self.inner, self.clock)
        self.once = self.guard.listens_on(PORT).removeprefix(f"http://{HOST}")

    def inner(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return [f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]

    def __call__(
        self, path: str, method: str = "GET", host: str = HOST, **more: str
    ) -> tuple[int, dict[str, str], bytes]:
        found: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], *_more: Any) -> None:
            found["status"], found["headers"] = int(status[:3]), dict(headers)

        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": host, **more}
        body = b"".join(self.guard(environ, start))
        return found["status"], found["headers"], body

    def enter(self) -> str:
        status, headers, _body = self(self.once)
        assert status == 303
        return headers["Location"]


def test_the_address_is_good_once() -> None:
    visit = Visit()
    prefix = visit.enter()
    assert len(prefix.strip("/").split("/")[1]) == 32
    assert visit(f"{prefix}deliveries/")[2] == f"{prefix[:-1]} /deliveries/".encode()
    assert visit(visit.once)[0] == 410


def test_the_address_is_good_for_a_minute() -> None:
    visit = Visit()
    visit.clock.at += ONCE_SECONDS + 1
    assert visit(visit.once)[0] == 410


def test_a_look_ahead_does_not_use_it_up() -> None:
    visit = Visit()
    assert visit(visit.once, "HEAD")[0] == 405
    assert visit(visit.once[:-1])[0] == 410
    visit.enter()


@pytest.mark.parametrize(
    "path", ["/", "", "/k/", "/k/" + "0" * 32 + "/", "/static/x/desk.css", "/o/"]
)
def test_nothing_is_answered_without_the_prefix(path: str) -> None:
    visit = Visit()
    prefix = visit.enter()
    status, headers, body = visit(path)
    assert status in (404, 410)
    assert body == b""
    assert prefix not in str(headers)
    assert visit(prefix[:-1])[0] == 404  # without the slash after it
    assert visit(prefix.upper())[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:43210"},
        {"host": "127.0.0.1"},
        {"host": "127.0.0.1:43211"},
        {"host": "attacker.example:43210"},
        {"host": ""},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "http://127.0.0.1:43211"},
        {"HTTP_ORIGIN": "https://127.0.0.1:43210"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_REFERER": "http://127.0.0.1:43211/k/"},
        {"HTTP_REFERER": "http://["},
    ],
)
def test_other_hosts_ports_and_pages_get_nothing(headers: dict[str, str]) -> None:
    visit = Visit()
    assert visit(visit.once, **headers)[0] == 421
    prefix = visit.enter()
    for method in ("GET", "POST"):
        status, _headers, body = visit(prefix, method, **headers)
        assert (status, body) == (421, b"")


def test_every_answer_has_the_headers_and_no_cookie() -> None:
    visit = Visit()
    prefix = visit.enter()
    for path in (prefix, "/", visit.once):
        headers = visit(path)[1]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in headers


def test_where_the_kit_is() -> None:
    home = Path("/home/a")
    assert default_folder("win32", {"LOCALAPPDATA": "L"}, home) == Path("L") / "ctdhub"
    assert default_folder("linux", {"XDG_DATA_HOME": "/d"}, home) == Path("/d/ctdhub")


@pytest.mark.parametrize(
    "path",
    [
        PureWindowsPath(r"C:\Users\a\OneDrive - Refuge\kit"),
        PureWindowsPath(r"C:\Users\a\Dropbox (Equipe)\kit"),
        PurePosixPath("/Users/a/Library/Mobile Documents/com~apple~CloudDocs/kit"),
        PurePosixPath("/Users/a/Library/CloudStorage/GoogleDrive-x/kit"),
        PurePosixPath("/home/a/Nextcloud/kit"),
    ],
)
def test_a_folder_that_is_copied_elsewhere_is_known(path: PurePosixPath | PureWindowsPath) -> None:
    assert synced_by(path)


def test_a_folder_is_for_its_owner_and_not_copied(tmp_path: Path) -> None:
    place = prepare(tmp_path / "kit")
    assert place.stat().st_mode & 0o777 == 0o700
    assert prepare(place) == place
    (tmp_path / "Dropbox").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "Dropbox")
    (tmp_path / "shared/.stfolder").mkdir(parents=True)
    for hidden in ("Dropbox/kit", "link/kit", "shared/kit"):
        with pytest.raises(HubError) as met:
            prepare(tmp_path / hidden)
        assert met.value.rule == "kit-synced"
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine.txt").touch()
    with pytest.raises(HubError) as met:
        prepare(tmp_path / "other")
    assert met.value.rule == "kit-folder"
