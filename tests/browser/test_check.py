"""The page "Check this release": whole releases pass in a browser, tampered ones do not."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from signed_releases import Hub
from soft_passkeys import SoftPasskey

from ctdhub.core.keys.signing import make_key
from ctdhub.release.approvals import ROLES
from ctdhub.release.open import open_release
from ctdhub.site.build import build_site
from ctdhub.site.serve import serve
from tests.fixtures.hubs import draw_few

FIRST, SECOND = "2026.1", "2026.2"
PAGE = "en/check.html"
VERIFIER = Path(__file__).parents[2] / "verifiers" / "verify-release.mjs"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """One of the two signs with a passkey, the other with a file."""
    place = tmp_path_factory.mktemp("checked")
    hub = Hub(place / "hub", SoftPasskey(), make_key(place / "key"))
    hub.release(FIRST)
    hub.release(SECOND)
    return hub


@pytest.fixture(scope="module")
def built(hub: Hub) -> Path:
    site = hub.folder.with_name("site")
    releases = {version: open_release(hub.folder / version) for version in (FIRST, SECOND)}
    with pytest.MonkeyPatch.context() as patch:
        draw_few(patch)
        build_site(releases[SECOND], site, earlier=[releases[FIRST]])
    return site


@pytest.fixture(scope="module")
def address(built: Path) -> str:
    found: list[str] = []
    ready = threading.Event()

    def tell(address: str) -> None:
        found.append(address)
        ready.set()

    threading.Thread(target=serve, args=(built, 0, tell), daemon=True).start()
    assert ready.wait(60)
    return found[0]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab that may ask for files that are not there: most releases have no notices."""
    context = browser.new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def copy(hub: Hub, built: Path) -> Iterator[Path]:
    """The second release on the site, to be tampered with; as it was afterwards."""
    folder = built / "r" / SECOND
    yield folder
    for kept in ("ERRATA.json", "ERRATA.md"):
        (folder / kept).unlink(missing_ok=True)
    for file in (hub.folder / SECOND).iterdir():
        (folder / file.name).unlink(missing_ok=True)
        shutil.copyfile(file, folder / file.name)


def checked(page: Page, address: str, version: str, state: str) -> str:
    """What the page says of a release, once it shows this state and no other."""
    page.goto(address + PAGE)
    page.locator("#check select").select_option(version)
    page.locator("#check button").click()
    expect(page.locator(f"#check-{state}")).to_be_visible()
    expect(page.locator("[id^=check-]:visible")).to_have_count(1)
    assert page.locator(f"#check-{state} .version").inner_text() == version
    return page.locator(f"#check-{state}").inner_text()


def test_a_whole_release_passes_and_shows_who_signed(page: Page, address: str, hub: Hub) -> None:
    for version in (SECOND, FIRST):
        text = checked(page, address, version, "whole")
        for role in ROLES:
            (key,) = hub.approvers.keys(role)
            assert hashlib.sha256(key.encode()).hexdigest()[:16] in text
        expect(page.locator(".noticed")).to_be_hidden()
    expect(page.locator("#check button")).to_be_enabled()


def rewritten(name: str, how: Callable[[bytes], bytes]) -> Callable[[Path, Path], object]:
    def change(folder: Path, _other: Path) -> None:
        content = how((folder / name).read_bytes())
        (folder / name).unlink()
        (folder / name).write_bytes(content)

    return change


def swapped(content: bytes) -> bytes:
    found = json.loads(content)
    one, two = found["approvals"]
    one["signatures"], two["signatures"] = two["signatures"], one["signatures"]
    return json.dumps(found).encode()


def replayed(folder: Path, other: Path) -> None:
    (folder / "APPROVALS.json").unlink()
    shutil.copyfile(other / "APPROVALS.json", folder / "APPROVALS.json")


TAMPERED: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "one byte": (
        rewritten("records.csv", lambda b: b[:-2] + bytes([b[-2] ^ 1]) + b[-1:]),
        "records.csv was changed",
    ),
    "a missing file": (
        lambda folder, _other: (folder / "counts.parquet").unlink(),
        "counts.parquet is missing",
    ),
    "signatures exchanged": (
        rewritten("APPROVALS.json", swapped),
        "a passkey signed another statement|a signature is not valid",
    ),
    "a replayed approval": (replayed, "an approval is of another version"),
    "no approvals": (
        lambda folder, _other: (folder / "APPROVALS.json").unlink(),
        "APPROVALS.json is missing",
    ),
    "no list": (lambda folder, _other: (folder / "SHA256SUMS").unlink(), "SHA256SUMS is missing"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_release_is_refused(page: Page, address: str, copy: Path, name: str) -> None:
    tamper, reason = TAMPERED[name]
    tamper(copy, copy.parent / FIRST)
    text = checked(page, address, SECOND, "fault")
    assert re.search(reason, text), text
    assert "whole" not in text.lower()
    checked(page, address, FIRST, "whole")


def test_notices_are_named(page: Page, address: str, hub: Hub, copy: Path) -> None:
    hub.notices(copy, "correction")
    checked(page, address, SECOND, "whole")
    expect(page.locator(".noticed")).to_be_visible()
    assert page.locator(".noticed a").evaluate("a => a.href").endswith(f"/r/{SECOND}/ERRATA.md")


def test_a_file_that_cannot_be_read_decides_nothing(page: Page, address: str) -> None:
    page.route("**/counts.csv", lambda route: route.fulfill(status=503))
    checked(page, address, SECOND, "unread")
    page.unroute("**/counts.csv")
    page.route("**/counts.csv", lambda route: route.abort())
    checked(page, address, SECOND, "unread")


def test_a_server_may_refuse_what_it_does_not_have(page: Page, address: str) -> None:
    """Some answer 403 for every file that is not there; of other files that decides nothing."""
    page.route("**/ERRATA.*", lambda route: route.fulfill(status=403))
    checked(page, address, SECOND, "whole")
    page.route("**/counts.csv", lambda route: route.fulfill(status=403))
    checked(page, address, SECOND, "unread")


def test_where_it_cannot_run_it_says_so_and_gives_the_command(page: Page, built: Path) -> None:
    """From a folder, over plain http, and in a browser without the kind of signature."""

    def cannot(where: str) -> None:
        page.goto(where)
        page.wait_for_load_state("networkidle")
        expect(page.locator("#check-not")).to_be_visible()
        expect(page.locator("#check")).to_be_hidden()
        expect(page.locator("pre")).to_contain_text(f"node verify-release.mjs {SECOND}")

    cannot((built / PAGE).as_uri())
    for origin in ("http://plain.example/", "https://old.example/"):
        page.route(
            f"{origin}**",
            lambda route: route.fulfill(path=built / route.request.url.split("/", 3)[3]),
        )
    cannot(f"http://plain.example/{PAGE}")
    page.add_init_script(
        "crypto.subtle && (crypto.subtle.generateKey = () => Promise.reject(new Error()))"
    )
    cannot(f"https://old.example/{PAGE}")


def test_the_site_gives_the_very_program_of_the_source(page: Page, address: str) -> None:
    page.goto(address + PAGE)
    link = page.locator("a[download='verify-release.mjs']").evaluate("a => a.href")
    assert page.request.get(link).body() == VERIFIER.read_bytes()
