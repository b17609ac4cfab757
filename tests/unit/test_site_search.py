"""The file that the search loads, and how near every page is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema.countries import ALPHA3, fold_name, name
from ctdhub.site.frame import HOME, address

VERSION = "2026.1"
CLICKS = 2


@pytest.fixture(scope="module")
def site(plain_site: Path) -> Path:
    return plain_site


def entries(site: Path, code: str) -> list[list[str]]:
    text = (site / address(code, "search-index.js")).read_text("utf-8")
    data = json.loads(text.removeprefix("ctdhubSearch(").removesuffix(")"))
    return [
        [label, where, data["hints"][hint], spelt] for label, where, hint, spelt in data["entries"]
    ]


@pytest.mark.parametrize("code", ["en", "fr", "ar"])
def test_every_entry_leads_somewhere(site: Path, code: str) -> None:
    folder = (site / address(code)).parent
    for _label, where, _hint, _spelt in entries(site, code):
        path, _, part = where.partition("#")
        target = (folder / path).resolve()
        assert target.is_file(), where
        assert not part or "=" in part or f'id="{part}"' in target.read_text("utf-8"), where


def test_every_country_is_found_by_its_names_in_every_language(site: Path) -> None:
    """Those without a page too: their entry says that they are not shown, and leads to their
    region."""
    found = entries(site, "fr")
    spellings = [(label, spelt.split("|")) for label, _where, _hint, spelt in found]
    for country in ALPHA3:
        names = tuple(fold_name(name(country, lang)) for lang in LANGUAGES)
        labels = {label for label, spelt in spellings if any(s.startswith(names) for s in spelt)}
        assert name(country, "fr") in labels
    without = [e for e in found if e[0] == name("TUV", "fr")]
    assert [e[1] for e in without] == ["countries/oceania.html"]
    assert "pas zéro" in without[0][2]


class Links(HTMLParser):
    """Addresses that a page links to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs).get("href") or "")


def linked(page: Path) -> Iterator[Path]:
    for href in Links(page.read_text("utf-8")).found:
        path = unquote(href.partition("#")[0])
        if path and not re.match(r"[a-z]+:", path):
            yield (page.parent / path).resolve()


def test_every_page_is_two_clicks_from_the_first_one(site: Path) -> None:
    folder = (site / address("en")).parent.resolve()
    near = seen = {folder / HOME}
    for _click in range(CLICKS):
        near = {t for page in near for t in linked(page) if t.suffix == ".html"} - seen
        near = {t for t in near if folder in t.parents}
        seen = seen | near
    pages = {f for f in folder.rglob("*.html") if "embed" not in f.parts}
    assert sorted(str(f.relative_to(folder)) for f in pages - seen) == []
