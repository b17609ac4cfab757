"""The pages: the same numbers as the release, safe text, no script, readable by everybody."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from urllib.parse import unquote

import pytest
from invented_release import ASSISTED, FACTS, TABLES, protected_answer
from page_budgets import too_heavy_in
from page_kinds import KINDS, place_of
from signs_of_numbers import astray

from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema.labels import code_label
from ctdhub.site.build import build_site, offered
from ctdhub.site.edition import PLAIN, Content, Edition
from ctdhub.site.frame import address, inlined
from ctdhub.site.pages import home
from ctdhub.site.render import render
from ctdhub.site.stories.source import read_stories
from ctdhub.stats.answers import Answers

EVIL = "<script>alert(1)</script>\"'>&\u202etxt.exe" + "A" * 5000
VERSION = "2026.1"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
LEAD = {"en": "We help <everybody>.", "ar": "نساعد الجميع."}
STORIES = Path(str(resources.files("ctdhub.practice") / "stories"))
CSS = "".join(inlined(f"{name}.css")[0] for name in ("explorer", "events", "learn", "map"))
EXIT = re.compile(r"https://(en|fr|es|ar)\.wikipedia\.org/|tel:\+?\d+|sms:\d+")


SCRIPT = re.compile(r"(\.\./)+a/[0-9a-f]{16}\.js")


class Page(HTMLParser):
    """Tags with attributes, and all text, of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> Iterator[dict[str, str]]:
        return (a for t, a in self.tags if t == tag)


def made(folder: Path, **facts: object) -> Release:
    answer = protected_answer(
        tables=(*TABLES, *ASSISTED), facts={"languages": list(LANGUAGES), **facts}
    )
    return open_release(write_release(answer, folder / "releases", "2026.1", "First."))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("hub"))


def first_page(release: Release) -> str:
    """The first page in the language in force, of a site in English only."""
    return render(home.page(Content(Answers(release), PLAIN)), release, ["en"])


@pytest.fixture(scope="module")
def site(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "site"
    edition = Edition(stories=read_stories(STORIES), place="europe", lead=LEAD)
    build_site(release, out, edition=edition)
    return out


@pytest.fixture(params=LANGUAGES)
def lang(request: pytest.FixtureRequest, release: Release) -> str:
    if request.param not in offered(release):
        pytest.skip(f"no catalogue for {request.param}")
    return str(request.param)


@pytest.fixture(params=[kind for kind in KINDS if kind != "events.html"])
def page(request: pytest.FixtureRequest, lang: str, site: Path) -> Page:
    return Page((site / place_of(lang, request.param)).read_text("utf-8"))


@pytest.fixture
def first(lang: str, site: Path) -> Page:
    return Page((site / address(lang)).read_text("utf-8"))


@pytest.fixture
def english(site: Path) -> Page:
    return Page((site / address("en")).read_text("utf-8"))


def test_only_releases_are_shown(release: Release, tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        build_site(release.protected, tmp_path / "site")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Answers(release.protected)  # type: ignore[arg-type]
    assert not (tmp_path / "site").exists()


def test_page_knows_language_and_direction(release: Release, site: Path) -> None:
    for code in offered(release):
        html = next(Page((site / address(code)).read_text("utf-8")).all("html"))
        assert html == {"lang": code, "dir": "rtl" if code in RIGHT_TO_LEFT else "ltr"}


def test_no_request_to_anybody(page: Page) -> None:
    names = {tag for tag, _ in page.tags}
    assert not names & {"img", "iframe", "object", "embed", "form", "base"}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert "src" not in attributes or (tag == "script" and SCRIPT.fullmatch(attributes["src"]))
        if "href" in attributes and tag == "a":
            licence = attributes.get("rel", "").startswith("license ")
            outside = not licence and re.match(r"[a-z]+:|//", attributes["href"])
            assert not outside or EXIT.fullmatch(attributes["href"])
    assert [a["href"] for a in page.all("link") if a["rel"] == "icon"] == ["data:,"]
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_the_keyboard_scrolls_every_table(page: Page) -> None:
    for tag, attributes in page.tags:
        if "scroll" in attributes.get("class", "").split():
            assert tag == "div"
            assert attributes["tabindex"] == "0"
            assert attributes["role"] == "region"
            assert attributes.get("aria-label") or attributes.get("aria-labelledby")


def test_policy_allows_what_stands_in_the_page_and_nothing_else(page: Page) -> None:
    policy = next(a["content"] for a in page.all("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        texts = re.findall(rf"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in texts]
        allowed = re.search(rf"{directive} ([^;]*)", policy)
        found = [each for each in (allowed[1].split() if allowed else []) if each != "file:"]
        files = ["'self'"] if any("src" in a for a in page.all(tag)) else []
        assert found == [*(f"'sha256-{d}'" for d in digests), *files]


def test_scripts_are_named_by_what_they_say(site: Path) -> None:
    """So that a page never runs another script than the one that it was drawn with."""
    named = {
        (file.parent / attributes["src"]).resolve()
        for file in site.rglob("*.html")
        for attributes in Page(file.read_text("utf-8")).all("script")
        if "src" in attributes
    }
    assert len(named) > 5
    assert named <= {*(site.resolve() / "a").iterdir()}
    for script in named:
        assert script.stem == hashlib.sha256(script.read_bytes()).hexdigest()[:16]


def test_first_view_is_small(site: Path, release: Release) -> None:
    for code in offered(release):
        assert len(gzip.compress((site / address(code)).read_bytes())) <= 100_000


def test_every_link_leads_somewhere(site: Path, release: Release) -> None:
    tops = [top for code in offered(release) for top in (site / "r" / VERSION / code, site / code)]
    for file in [site / "index.html", *(f for top in tops for f in top.rglob("*.html"))]:
        page = Page(file.read_text("utf-8"))
        ids = [a["id"] for _, a in page.tags if "id" in a]
        assert len(ids) == len(set(ids))
        for attributes in page.all("a"):
            href = attributes["href"]
            if href.startswith("#"):
                assert href[1:] in ids, href
            elif "r" in file.relative_to(site).parts and href == LICENCE:
                assert attributes["target"] == "_blank"
                assert "noopener" in attributes["rel"]
            elif not EXIT.fullmatch(href):
                path, _, part = href.partition("#")
                target = (file.parent / unquote(path)).resolve()
                assert target.is_file(), href
                state = "=" in part and (target.name == "explore.html" or target.suffix == ".csv")
                assert not part or state or f'id="{part}"' in target.read_text("utf-8"), href
        for _, attributes in page.tags:
            for name in attributes.get("aria-labelledby", "").split():
                assert name in ids, name


def test_what_every_page_must_say(english: Page) -> None:
    text = " ".join(english.words)
    for words in (
        "Identified people, not prevalence.",
        "Practice data: fictitious.",
        "Exit this page",
        "4,000 people were identified",
        "Case records received",
        "not shown (below the reporting threshold)",
        "not recorded",
        "First organisation",
        "release 2026.1",
        "in Europe",
        "We help <everybody>.",
    ):
        assert words in text, words
    assert sum(tag == "figure" for tag, _ in english.tags) == 6
    views = [a.get("value") for a in english.all("input") if a.get("type") == "radio"]
    for view in ("chart", "table", "code"):
        assert views.count(view) == 6, view


def test_the_guarantee_is_told_in_full(site: Path) -> None:
    text = (site / address("en", "methods.html")).read_text("utf-8")
    for words in ("Epsilon is 1 and delta is 10⁻⁹", "one person", "discrete Gaussian"):
        assert words in text, words


def test_the_four_kinds_of_blank_are_told_apart(site: Path) -> None:
    text = (site / address("en", "help.html")).read_text("utf-8")
    for words in (
        "zero",
        "not shown (below the reporting threshold)",
        "nobody reports here",
        "not recorded",
    ):
        assert f"<dt>{words}</dt>" in text, words


def test_real_data_carry_no_practice_banner(tmp_path: Path) -> None:
    with language("en"):
        text = first_page(made(tmp_path, invented=False))
    assert "invented" not in text


def test_tables_hold_the_counts_of_the_release(english: Page, release: Release) -> None:
    body = english.text[english.text.index('<figure id="age"') :]
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', body[: body.index("</figure>")])
    found = {
        label: [int(n.replace(",", "")) for n in re.findall(r'<td class="n">([\d,]+)</td>', cells)]
        for label, cells in rows
    }
    for cell in release.protected.counts.to_pylist():
        if cell["columns"] == ["age_band"]:
            code = cell["values"][0]
            label = code_label("age_band", code, "en") if code else "not recorded"
            assert found[label] == [cell["count"], cell["low"], cell["high"]]


def test_every_bar_has_a_whisker_and_a_number(english: Page) -> None:
    for chart in re.findall(r'<svg class="chart" .*?</figure>', english.text, re.DOTALL):
        drawing = chart[: chart.index('<div class="as-table')]
        bars, cut = drawing.count('class="bar'), drawing.count('class="cut"')
        assert bars
        assert drawing.count('class="whisker"') == 3 * bars
        numbers = re.findall(r'class="number"[^>]*>([^<]*)<', drawing)
        assert len(numbers) == bars + cut / 2, "people whose answer is not recorded may be cut"
        assert all("±" in number for number in numbers)
        rows = re.findall(r'<th scope="row">(.*?)</th>', chart)
        assert all(row in drawing for row in rows)


def test_headlines_carry_their_interval_and_never_claim_certainty(first: Page) -> None:
    headlines = re.findall(r'<h3 id="[^"]*-t">(.*?)</h3>', first.text)
    assert len(headlines) == 6
    assert any("±" in headline for headline in headlines)
    assert not re.search(r"±\s*0(?:[.,]0)?\s*[%\u00a0\u202f\u200e]", first.text)


def test_sums_run_left_to_right_in_every_language(release: Release, site: Path) -> None:
    for code in offered(release):
        text = (site / address(code)).read_text("utf-8")
        isolated = re.findall(r"\u2066[^\u2069<]*±[^\u2069<]*\u2069", text)
        assert len(isolated) == (text.count("±") if code in RIGHT_TO_LEFT else 0)


def test_contributors_that_join_or_leave_are_told_beside_the_years(tmp_path: Path) -> None:
    one, two = ({"name": name, "kind": "hotline"} for name in ("One", "Two"))
    for years, told in (([2015, 2016], True), ([2015, 2019], False)):
        contributors = [{**one, "years": [2015, 2019]}, {**two, "years": years}]
        release = made(tmp_path / str(told), contributors=contributors)
        with language("en"):
            text = first_page(release)
        assert ("Not every contributor covers every year" in text) is told
        assert f"<bdi>Two</bdi> ({years[0]}\u00a0–\u00a0{years[1]})" in text


def test_bars_are_mirrored_right_to_left(release: Release, site: Path) -> None:
    if "ar" not in offered(release):
        pytest.skip("no catalogue for ar")
    places: dict[str, list[tuple[float, float]]] = {}
    for code in ("en", "ar"):
        text = (site / address(code)).read_text("utf-8")
        found = re.findall(r'<rect class="bar[^"]*" x="([\d.]+)%" y="1" width="([\d.]+)%"', text)
        places[code] = [(float(x), float(w)) for x, w in found]
    assert len(places["en"]) == len(places["ar"])
    assert all(x == 0 for x, _ in places["en"])
    assert all(abs(x + w - 100) < 0.02 for x, w in places["ar"])


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    release = made(
        tmp_path,
        hub=EVIL,
        contributors=[{"name": EVIL, "kind": EVIL}],
        caveats=[EVIL],
        helpline=EVIL,
        licence=EVIL,
    )
    with language("en"):
        text = first_page(release)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\u202e" not in text
    assert "A" * 501 not in text
    assert Page(text).text.count("<html") == 1
    for name in ("README.md", "codebook.html"):
        assert "<script" not in (release.path / name).read_text("utf-8")


def test_names_in_another_script_keep_their_direction(english: Page) -> None:
    assert "<bdi>First organisation</bdi>" in english.text


def test_style_knows_no_left_or_right() -> None:
    assert not re.search(
        r"(margin|padding|border)-(left|right)|[;{](left|right):|:(left|right)[;}]", CSS
    )
    for needed in (":focus-visible", "prefers-reduced-motion", "@media print", "direction:ltr"):
        assert needed in CSS
    assert "unicode-bidi:plaintext" in CSS


def test_facts_of_the_release_are_those_given(release: Release) -> None:
    assert release.facts.invented is FACTS["invented"]


@pytest.mark.parametrize("kind", KINDS)
def test_signs_of_numbers_stay_on_their_side_in_arabic(kind: str, site: Path) -> None:
    if (path := site / place_of("ar", kind)).exists():
        text = re.sub(r"<(script|style).*?</\1>", "", path.read_text("utf-8"), flags=re.DOTALL)
        parts = re.split("<[^>]*>", text) + re.findall(r'(?:aria-label|alt|title)="([^"]*)"', text)
        assert not [p for part in parts for p in astray(html.unescape(part))]


def test_no_page_is_too_heavy_for_a_slow_line(site: Path) -> None:
    assert too_heavy_in(site) == []
