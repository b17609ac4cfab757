"""The kinds of page: what the registry promises, a page more, and a draft of a few."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from functools import partial
from importlib import resources
from itertools import permutations
from pathlib import Path

import pytest
from invented_release import TABLES, protected_answer
from page_kinds import APART, KINDS

import ctdhub.site
from ctdhub.core.errors import HubError, StoryError
from ctdhub.core.i18n import LANGUAGES, language, said
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.site import render
from ctdhub.site.build import DRAFT, MARK, build_site
from ctdhub.site.edition import GROUPS, Content, Edition, PageKind
from ctdhub.site.frame import address, card_address
from ctdhub.site.render import PAGES, menu
from ctdhub.stats.answers import Answers

VERSION = "2026.1"
PRACTICE = Path(str(resources.files("ctdhub.practice")))
NEW = '''"""Weather: what the numbers of people say nothing of."""

from pathlib import Path

from ctdhub.core.i18n import Text, current
from ctdhub.site.frame import Page
from ctdhub.site.edition import LEARN, Content, MenuEntry, PageKind


def page(content: Content) -> Page:
    values = {"rows": []}
    return Page("weather.html", "It rains.", "Rain.", "crosswalk.html", values, "weather.html")


def write(folder: Path, content: Content) -> None:
    (folder / "weather.txt").write_text(f"{content.release.version} {current()}", "utf-8")


def write_translated(folder: Path, content: Content) -> None:
    (folder / f"weather.{current()}.txt").write_text("rain", "utf-8")


KIND = PageKind(
    "weather",
    lambda content: [page(content)],
    menu=MenuEntry(LEARN, "weather.html", Text("Weather")),
    shown=lambda release, edition: release.version >= "2026",
    files=write,
    translated=write_translated,
    of_site=True,
)
'''


def made(folder: Path, version: str = VERSION, **facts: object) -> Release:
    answer = protected_answer(tables=TABLES[:6], facts={"languages": list(LANGUAGES), **facts})
    return open_release(write_release(answer, folder, version, "First."))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Edition:
    """Of a hub that has events, and a story that needs little."""
    hub = tmp_path_factory.mktemp("hub")
    (hub / "stories").mkdir()
    (hub / "events.yaml").write_bytes((PRACTICE / "events.yaml").read_bytes())
    story = "---\ntitle: Few\nsummary: Few words.\ndate: 2026-11-01\n---\n\n[All](methods.html).\n"
    (hub / "stories" / "few.en.md").write_text(story, "utf-8")
    return Edition.of(hub)


@pytest.fixture(scope="module")
def site(release: Release, edition: Edition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "site"
    build_site(release, out, edition=edition)
    return out


def kinds_of_the_source() -> list[PageKind]:
    """Every kind that a module of the site defines."""
    found: list[PageKind] = []
    for module in pkgutil.walk_packages(ctdhub.site.__path__, "ctdhub.site."):
        held = vars(importlib.import_module(module.name))
        found += [kind for name, kind in held.items() if name.endswith("KIND")]
    return found


def test_every_kind_is_registered_once() -> None:
    assert sorted(k.name for k in PAGES) == sorted(k.name for k in kinds_of_the_source())
    assert len({k.name for k in PAGES}) == len(PAGES)


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: str(kind.name))
def test_every_kind_says_its_purpose(kind: PageKind) -> None:
    purpose = inspect.getdoc(sys.modules[kind.pages.__module__]) or ""
    assert len(purpose.splitlines()[0]) > 20


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_entry_of_the_menu_is_unlike_the_others(
    code: str, release: Release, edition: Edition
) -> None:
    entries = [kind.menu for kind in PAGES if kind.menu]
    with language(code):
        labels = [said(entry.label) for entry in entries]
        assert len({label.casefold() for label in labels}) == len(entries)
        entries_of_menu = [said(group) for group in GROUPS]
        held = menu(release, edition)
        assert [n for part in held.values() for n in part.values()] == labels
    assert len(GROUPS) <= 7
    assert list(held) == [name for name in entries_of_menu if name in held]
    for kind in (entries_of_menu, labels):
        folded = [name.casefold() for name in kind]
        assert not [(a, b) for a, b in permutations(folded, 2) if b.startswith(a)]
    if code != LANGUAGES[0]:
        assert (
            sum(said(entry.label) == label for entry, label in zip(entries, labels, strict=True))
            <= 2
        )


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: str(kind.name))
def test_a_page_of_every_kind_is_looked_at(
    kind: PageKind, release: Release, edition: Edition
) -> None:
    """Those of ``page_kinds`` are checked for titles, links, contrast and size."""
    content = Content(Answers(release), edition, {"methods.html"})
    assert {page.path for page in kind.pages(content)} & set(KINDS)
    cards = {f"card/{card.path}" for card in kind.cards(content)}
    assert not cards or cards & {*KINDS, *APART}


def test_pages_of_a_site_are_those_of_the_registry(
    release: Release, edition: Edition, site: Path
) -> None:
    for code in LANGUAGES:
        with language(code):
            content = Content(Answers(release), edition)
            kinds = render.kinds(release, edition)
            paths = [p.path for kind in kinds for p in render.pages_of(kind, content)]
            cards = ["index.html", *(p.path for kind in kinds for p in kind.cards(content))]
        for held in (paths, cards):
            assert len(held) == len(set(held))
        drawn = [*(site / "r" / VERSION / code).rglob("*.html"), *(site / code).rglob("*.html")]
        there = {file.relative_to(site).as_posix() for file in drawn}
        kept = {card_address(code, VERSION, path) for path in cards}
        assert kept | {address(code, path) for path in paths} == there
    led = {entry.path for kind in PAGES if (entry := kind.menu)}
    assert led <= set(paths)


def test_a_page_is_a_module_and_a_line(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weather.py").write_text(NEW, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    weather = importlib.import_module("weather")
    monkeypatch.setattr(render, "PAGES", (*PAGES, weather.KIND))
    site, before = tmp_path / "site", made(tmp_path, "2025.3")
    build_site(release, site, earlier=[before], only=["weather", "help", "methods"])
    for code in LANGUAGES:
        here = site / address(code, "weather.html")
        assert "It rains." in here.read_text("utf-8")
        others = (site / address(code, "help.html")).read_text("utf-8")
        assert '<a href="weather.html">Weather</a>' in others
        assert (site / "r" / VERSION / f"weather.{code}.txt").is_file()
    assert (site / "weather.txt").read_text("utf-8") == f"{VERSION} en"
    assert not (site / "r" / VERSION / "weather.txt").exists()
    assert not (site / "r" / "2025.3").exists(), "a draft is of the leading release"


def test_a_draft_holds_pages_and_files_as_the_site_has_them(
    release: Release, edition: Edition, site: Path, tmp_path: Path
) -> None:
    draft = tmp_path / "draft"
    chosen = ["stories", "estimates", "events", "facts"]
    build_site(release, draft, edition=edition, only=chosen, languages=["fr"])
    files = {f.relative_to(draft).as_posix() for f in draft.rglob("*") if f.is_file()}
    pages = (
        "stories/index.html",
        "stories/few.html",
        "estimates.html",
        "events.html",
        "facts.html",
    )
    there = {f for f in files if re.fullmatch(rf"(r/{VERSION}/)?fr/(?!facts/|index).*html", f)}
    assert there == {address("fr", page) for page in pages}
    assert {"events.ics", f"r/{VERSION}/facts/fr.json"} <= files
    for name in files - {DRAFT}:
        assert (draft / name).read_bytes() == (site / name).read_bytes(), name


def test_a_draft_is_no_site(release: Release, site: Path, tmp_path: Path) -> None:
    with pytest.raises(HubError) as caught:
        build_site(release, site, only=["help"])
    assert caught.value.rule == "site-folder"
    assert (site / MARK).is_file()
    with pytest.raises(ValueError, match="no such kind of page: wether"):
        build_site(release, tmp_path / "site", only=["help", "wether"])
    with pytest.raises(ValueError, match="none of these languages: xx"):
        build_site(release, tmp_path / "site", languages=["xx"])
    assert not (tmp_path / "site").exists()
    build_site(release, tmp_path / "site", only=["help"], languages=["en"])
    assert not list((tmp_path / "site").rglob("*.parquet"))


def test_links_of_a_story_are_judged_by_all_pages_in_a_draft(
    release: Release, tmp_path: Path
) -> None:
    told = "---\ntitle: A\nsummary: B.\ndate: 2026-11-01\n---\n\n[One](trends.html) [{x}]({x}).\n"
    for target, ends in (("briefs/europe.html", True), ("events.html", False)):
        hub = tmp_path / target.replace("/", "-")
        (hub / "stories").mkdir(parents=True)
        (hub / "stories" / "a.en.md").write_text(told.replace("{x}", target), "utf-8")
        draw = partial(build_site, release, hub / "site", edition=Edition.of(hub), only=["stories"])
        if ends:
            draw()
        else:
            with pytest.raises(StoryError):
                draw()
