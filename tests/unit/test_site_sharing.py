"""What search engines read, and figures as pictures: right where known, silent where not, safe."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from invented_release import TABLES, protected_answer
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import HubError, PolicyError
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, language
from ctdhub.document.charts.pages import WIDTH
from ctdhub.hub.init import new_hub
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.site.build import build_site, offered
from ctdhub.site.edition import Content, Edition
from ctdhub.site.frame import EXAMPLE, Sharing, address
from ctdhub.site.pages import home
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers

VERSION = "2026.1"
URL = "https://data.example.org/hub"
EVIL = "</script><script>alert(1)</script>]]>\"'>&\u202etxt.exe" + "A" * 5000
SVG = "{http://www.w3.org/2000/svg}"
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


class Head(HTMLParser):
    """Links, metas and data blocks of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[dict[str, str]] = []
        self.metas: dict[str, str] = {}
        self.blocks: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        if tag == "link":
            self.links.append(given)
        if tag == "meta" and "content" in given:
            self.metas[given.get("property") or given.get("name", "")] = given["content"]
        self._inside = tag == "script" and given.get("type") == "application/ld+json"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.blocks.append(data)
        self._inside = False

    def one(self, rel: str) -> list[str]:
        return [link["href"] for link in self.links if link["rel"] == rel]


def made(folder: Path, tables: Sequence[str] = TABLES, **facts: object) -> Release:
    answer = protected_answer(tables=tables, facts={"languages": list(LANGUAGES), **facts})
    return open_release(write_release(answer, folder / "releases", VERSION, "First."))


@pytest.fixture(scope="module")
def practice(plain_site: Path) -> Path:
    """A practice site that knows no address."""
    return plain_site


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of real data, at its address."""
    folder = tmp_path_factory.mktemp("public")
    build_site(made(folder, invented=False), folder / "site", edition=Edition(Sharing(URL)))
    return folder / "site"


def read(site: Path, code: str, path: str = "index.html") -> Head:
    return Head((site / address(code, path)).read_text("utf-8"))


def test_without_an_address_none_is_claimed(practice: Path) -> None:
    assert not (practice / "sitemap.xml").exists()
    assert not (practice / "robots.txt").exists()
    for page in practice.rglob("*.html"):
        if page.name.startswith("codebook"):
            continue
        head = Head(page.read_text("utf-8"))
        assert not any("//" in href for href in head.one("canonical"))
        assert "og:url" not in head.metas
        assert not any("//" in href for href in head.one("alternate"))
        assert head.metas["robots"] == "noindex"
        for block in head.blocks:
            assert all("//" not in d["contentUrl"] for d in json.loads(block)["distribution"])


@pytest.mark.parametrize("path", ["index.html", "countries/ukr.html", "data.html"])
def test_a_known_address_leads_to_the_page_of_the_release(public: Path, path: str) -> None:
    for code in LANGUAGES:
        head = read(public, code, path)
        assert head.one("canonical") == [f"{URL}/{code}/{path}"]
        assert head.metas["og:url"] == head.one("canonical")[0]
        others = {
            a["hreflang"]: a["href"]
            for a in head.links
            if a["rel"] == "alternate" and "hreflang" in a
        }
        assert others == {c: f"{URL}/{c}/{path}" for c in LANGUAGES}
        assert "robots" not in head.metas
        assert "robots" not in Head((public / "index.html").read_text("utf-8")).metas
        assert head.metas["og:title"]
        assert head.metas["og:description"] == head.metas["description"]


def test_the_sitemap_names_every_page_in_every_language(public: Path) -> None:
    root = ET.parse(public / "sitemap.xml").getroot()
    named = [loc.text or "" for loc in root.findall("s:url/s:loc", SITEMAP)]
    pages = {
        f"{URL}/{page.relative_to(public).as_posix()}"
        for code in LANGUAGES
        for page in (public / code).rglob("*.html")
    }
    assert set(named) == pages
    assert len(named) == len(pages)
    for entry in root.findall("s:url", SITEMAP):
        links = entry.findall("x:link", SITEMAP)
        assert [link.get("hreflang") for link in links] == list(LANGUAGES)
        assert all(link.get("href") in pages for link in links)
    robots = (public / "robots.txt").read_text("utf-8")
    assert f"Sitemap: {URL}/sitemap.xml\n" in robots
    assert "Disallow" not in robots


@pytest.mark.usefixtures("few_pages")
def test_invented_data_are_not_to_be_found_at_any_address(tmp_path: Path) -> None:
    release = made(tmp_path, TABLES[:6], languages=["en"])
    build_site(release, tmp_path / "site", edition=Edition(Sharing(URL)))
    assert not (tmp_path / "site" / "sitemap.xml").exists()
    assert "Sitemap" not in (tmp_path / "site" / "robots.txt").read_text("utf-8")
    assert read(tmp_path / "site", "en").metas["robots"] == "noindex"


def test_models_read_what_people_read(public: Path, practice: Path) -> None:
    """The words of the page of help, and addresses at which there is a file."""
    for site, root in ((public, f"{URL}/"), (practice, "")):
        text = (site / "llms.txt").read_text("utf-8")
        page = (site / "en/help.html").read_text("utf-8")
        mistakes = page.partition('id="mistakes"')[2].partition("</section>")[0]
        meanings = page.partition('id="blanks"')[2].partition("</section>")[0]
        said = re.findall(r"<(?:dd|li)>(.*?)</", meanings + mistakes)
        assert len(said) == 4 + 7
        assert not [words for words in said if words not in text]
        named = re.findall(r"]\((.*?)\)", text)
        assert len(named) == 5
        assert all(each.startswith(root) for each in named)
        assert all((site / each.removeprefix(root)).is_file() for each in named)
        assert ("fictitious" in text) is (site == practice)
        assert "Two numbers whose intervals do not overlap" in text
    assert f"release {VERSION}." in (public / "llms.txt").read_text("utf-8")


@pytest.mark.usefixtures("few_pages")
def test_the_words_for_models_are_text_and_not_markup(tmp_path: Path) -> None:
    release = made(tmp_path, TABLES[:6], hub="A & B's <hub>")
    build_site(release, tmp_path / "site")
    text = (tmp_path / "site" / "llms.txt").read_text("utf-8")
    assert text.startswith("# A & B's <hub>\n")
    assert "&" not in text.replace("A & B", "")


def test_first_page_and_data_describe_the_dataset(public: Path, practice: Path) -> None:
    for site, base in ((public, f"{URL}/r/{VERSION}/"), (practice, f"../r/{VERSION}/")):
        for path in ("index.html", "data.html"):
            (block,) = read(site, "en", path).blocks
            found = json.loads(block)
            assert found["@type"] == "Dataset"
            assert found["version"] == VERSION
            assert VERSION in found["creditText"]
            assert "not prevalence" in found["description"]
            assert 50 <= len(found["description"]) <= 5000  # what Google asks for
            files = {d["name"]: d["contentUrl"] for d in found["distribution"]}
            assert files["counts.parquet"] == base + "counts.parquet"
        assert read(site, "en", "help.html").blocks == []
    assert "fictitious" in json.loads(read(practice, "en").blocks[0])["description"]


def test_examples_of_the_data_page_name_the_address_and_real_files(
    public: Path, practice: Path
) -> None:
    for site, base in ((public, URL + "/"), (practice, EXAMPLE)):
        text = (site / address("en", "data.html")).read_text("utf-8")
        section = text[text.index('<h2 id="api">') : text.index('id="standards"')]
        addresses = re.findall(r"https://[^\s&<]*", section)
        assert len(addresses) == 4
        for found in addresses:
            assert found.startswith(base)
            assert found == base or (site / found.removeprefix(base)).is_file(), found


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "javascript:alert(1)",
        "https://",
        "https://user@example.org/",
        "https://example.org/?q=1",
        "https://example.org/#part",
        "https://example.org/../x",
        'https://example.org/"><script>',
        "https://example.org/\n",
        "https://example.org/a b",
        "https://example.org/a//b",
        "https://exämple.org/",
    ],
)
def test_other_addresses_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(HubError) as caught:
        Sharing(url)
    assert caught.value.rule == "site-address"
    hub = tmp_path / "hub"
    hub.mkdir()
    (hub / "hub.yaml").write_text("name: A\nsite: " + json.dumps({"url": url}), "utf-8")
    from ctdhub.hub.folder import Hub

    with pytest.raises(PolicyError, match="site"):
        _ = Hub(hub).settings


def test_the_command_takes_the_address_from_the_hub_or_from_its_option(tmp_path: Path) -> None:
    hub, out = new_hub(tmp_path / "hub", "A").root, tmp_path / "out"
    made(hub, TABLES[:6], languages=["en"])
    app = command("site")
    settings = hub / "hub.yaml"
    settings.write_text(settings.read_text("utf-8") + f"site:\n  url: {URL}\n", "utf-8")
    for options, expected in (([], URL), (["--url", "https://b.example/"], "https://b.example")):
        given = CliRunner().invoke(app, ["site", str(hub), "--out", str(out), *options])
        assert given.exit_code == 0, given.output
        assert read(out, "en").one("canonical") == [f"{expected}/{address('en')}"]


HOSTILE = ("=1+1", "عربي \u202b <b>", EVIL)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """One site has them all: each alone, and one after the other."""
    together = " ".join(HOSTILE)
    release = made(
        tmp_path,
        TABLES[:6],
        hub=together,
        contributors=[{"name": text, "kind": text} for text in HOSTILE],
        caveats=list(HOSTILE),
        licence=together,
        invented=False,
        languages=["ar"],
    )
    build_site(release, tmp_path / "site", edition=Edition(Sharing(URL)))
    site = tmp_path / "site"
    ET.parse(site / "sitemap.xml")
    page = (site / address("en")).read_text("utf-8")
    assert "<script>alert" not in page
    assert page.count('<script type="application/ld+json">') == 1
    assert "\u202e" not in page
    assert "\u202b" not in page
    head = Head(page)
    assert head.metas["og:site_name"] == release.facts.hub
    (block,) = head.blocks
    assert json.loads(block)["creator"]["name"] == release.facts.hub
    names = [one["name"] for one in json.loads(block)["contributor"]]
    assert names == [one.name for one in release.facts.contributors]
    for file in (site / "r" / VERSION / "charts").rglob("*.svg"):
        root = ET.parse(file).getroot()
        drawn = [e.tag for e in root.iter() if not e.tag.startswith(ABOUT)]
        assert {tag.removeprefix(SVG) for tag in drawn} <= DRAWN
        words = "".join(root.itertext())
        assert "\u202e" not in words
        assert "A" * 501 not in words


DRAWN = {
    *("svg", "title", "desc", "style", "rect", "line", "text", "g", "path", "circle", "polygon"),
    *("polyline", "metadata"),
}
ABOUT = ("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}", "{http://purl.org/dc/elements/1.1/}")


def texts(file: Path) -> list[Any]:
    return list(ET.parse(file).getroot().iter(f"{SVG}text"))


def test_a_picture_says_all_that_its_figure_says(practice: Path) -> None:
    folder = practice / "r" / VERSION / "charts"
    for code in LANGUAGES:
        page = (practice / address(code)).read_text("utf-8")
        files = [folder / code / f"{name}.svg" for name in re.findall('<figure id="([^"]+)"', page)]
        assert len(files) == 6
        for file in files:
            figure = page[page.index(f'<figure id="{file.stem}"') :]
            figure = figure[: figure.index("</figure>")]
            assert f"charts/{code}/{file.name}" in figure
            text = file.read_text("utf-8")
            drawing = figure[figure.index("<svg") : figure.index('<div class="as-table')]
            if "in-people" in figure:
                drawing = re.split('<div class="in-', figure)[1]
            for bars in ('class="bar', 'class="whisker"', 'class="number"', 'class="why"'):
                assert text.count(bars) == drawing.count(bars), (file, bars)
            root = ET.parse(file).getroot()
            assert root.find(f"{SVG}title") is not None
            shown = "".join("".join(t.itertext()) for t in texts(file))
            assert VERSION in shown
            anchors = {None, "start", "end", *(["middle"] if file.stem == "people-by-year" else [])}
            assert all(t.get("text-anchor") in anchors for t in texts(file))
            assert "CC-BY-4.0" in shown
            assert f"r/{VERSION}/{code}/{file.stem}.html#{file.stem}" in shown
            about = {
                e.tag.partition("}")[2]: e.text for e in root.iter() if e.tag.startswith(ABOUT)
            }
            assert about["source"] == f"r/{VERSION}/{code}/{file.stem}.html#{file.stem}"
            assert about["license"]
            if code == "en":
                assert "Identified people, not prevalence." in shown
                assert "Practice data: fictitious." in shown
                assert "First organisation" not in shown


def test_pictures_are_mirrored_right_to_left(practice: Path) -> None:
    for code in LANGUAGES:
        side = {t.get("x") for t in texts(practice / "r" / VERSION / f"charts/{code}/gender.svg")}
        assert (str(WIDTH - 24) in side) is (code in RIGHT_TO_LEFT)


def test_pictures_hold_no_variable_and_ask_nobody(practice: Path) -> None:
    for file in (practice / "r" / VERSION / "charts").rglob("*.svg"):
        text = file.read_text("utf-8")
        assert "var(" not in text
        named = {"http://www.w3.org/2000/svg", *(name.strip("{}") for name in ABOUT)}
        found = re.findall(r"[a-z]+://[^\"<]*", text)
        assert {a for a in found if "creativecommons.org" not in a} <= named


def test_languages_of_a_page_are_those_of_the_site(tmp_path: Path) -> None:
    release = made(tmp_path, languages=["en", "fr"], invented=False)
    content = Content(Answers(release), Edition(Sharing(URL)))
    with language("fr"):
        text = render(home.page(content), release, offered(release), content.edition)
    assert {
        a["hreflang"] for a in Head(text).links if a["rel"] == "alternate" and "hreflang" in a
    } == {"en", "fr"}
    assert Head(text).metas["og:locale"] == "fr_FR"
