"""In a real browser: pictures stand alone and fit, and data in the head are no script."""

from __future__ import annotations

from pathlib import Path

import pytest
from invented_release import protected_answer
from playwright.sync_api import Browser, Page, expect

from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.site.build import build_site
from ctdhub.site.edition import Edition
from ctdhub.site.frame import address

VERSION = "2026.1"
CODES = ("en", "ar")
EVIL = "</script><script>document.title='taken'</script><b>x</b>]]>\u202e"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose names are attacks."""
    folder = tmp_path_factory.mktemp("hostile")
    facts = {"hub": EVIL, "caveats": [EVIL * 9], "languages": list(LANGUAGES)}
    release = write_release(protected_answer(facts=facts), folder / "releases", VERSION, "First.")
    build_site(
        open_release(release),
        folder / "site",
        edition=Edition.of(None, "https://data.example.org/"),
        languages=CODES,
    )
    return folder / "site"


@pytest.mark.parametrize("code", CODES)
def test_pictures_fit_in_their_frame(tab: Page, site: Path, hostile: Path, code: str) -> None:
    for where in (site, hostile):
        files = sorted((where / "r" / VERSION / "charts" / code).glob("*.svg"))
        assert files
        for file in files:
            tab.goto(file.as_uri())
            assert tab.evaluate("document.documentElement.tagName") == "svg", file
            outside = tab.evaluate(
                """() => {
                    const frame = document.documentElement.getBoundingClientRect();
                    return [...document.querySelectorAll('text, rect, line')].filter(e => {
                        const b = e.getBoundingClientRect();
                        return b.left < frame.left - 1 || b.right > frame.right + 1
                            || b.top < frame.top - 1 || b.bottom > frame.bottom + 1;
                    }).map(e => e.textContent || e.getAttribute('class'));
                }"""
            )
            assert outside == [], file


@pytest.mark.parametrize("path", ["index.html", "data.html"])
def test_the_dataset_in_the_head_is_data(tab: Page, hostile: Path, path: str) -> None:
    """The fixture ``tab`` also fails where the policy refuses something aloud."""
    tab.goto((hostile / address("en", path)).as_uri())
    name = tab.evaluate(
        "JSON.parse(document.querySelector('script[type=\"application/ld+json\"]').textContent)"
        ".creator.name"
    )
    assert name == EVIL.replace("\u202e", "·")
    assert tab.title() != "taken"


@pytest.mark.parametrize("lead", ["index.html#gender=female", "index.html", ""])
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("served", [True, False])
def test_a_lasting_address_leads_on(
    browser: Browser, site: Path, web: str, lead: str, scripts: bool, served: bool
) -> None:
    """What stands behind the ``#`` goes along where scripts may run."""
    path, _hash, behind = lead.partition("#")
    page = path.rsplit("/", 1)[-1] or "index.html"
    base = web if served else f"{site.as_uri()}/"
    context = browser.new_context(java_script_enabled=scripts)
    tab = context.new_page()
    tab.goto(base + (lead or "index.html"))
    kept = f"#{behind}" if behind and scripts else ""
    expect(tab).to_have_url(base + address("en", page) + kept)
    context.close()
