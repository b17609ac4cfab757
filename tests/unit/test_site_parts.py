"""Unchanged parts of a site are taken from the one before, if they are what they were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import fields, replace
from importlib import resources
from pathlib import Path

import pytest
from invented_release import TABLES, protected_answer

from ctdhub.hub.steps import hash_folder
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.helplines import Help
from ctdhub.site import build as parts
from ctdhub.site import render
from ctdhub.site.build import Before, Noted, build_site, digest
from ctdhub.site.edition import PLAIN, Content, Edition, PageKind, WholePage
from ctdhub.site.frame import Page
from ctdhub.site.render import PAGES, Paths
from ctdhub.stats.answers import Answers

FEW = ("home", "get_help", "places", "changes", "stories", "events", "methods", "help")
METHODS = "r/2026.1/en/methods.html"
PRACTICE = Path(str(resources.files("ctdhub.practice")))


def made(folder: Path, version: str) -> Release:
    answer = protected_answer(tables=TABLES[:6], facts={"languages": ["en"]})
    return open_release(write_release(answer, folder, version, "First."))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("hub"), "2026.1")


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Edition:
    hub = tmp_path_factory.mktemp("hub")
    (hub / "events.yaml").write_bytes((PRACTICE / "events.yaml").read_bytes())
    (hub / "stories").mkdir()
    told = "---\ntitle: A\nsummary: B.\ndate: 2026-11-01\n---\n\n[Europe](countries/europe.html).\n"
    (hub / "stories" / "a.en.md").write_text(told, "utf-8")
    return Edition.of(hub)


def test_a_site_is_the_same_with_and_without_the_one_before(
    release: Release, edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [kind for kind in PAGES if kind.name in FEW]
    monkeypatch.setattr(render, "PAGES", tuple(few))
    names: list[str] = []
    draw = parts.Parts._draw

    def noting(self: parts.Parts, *given: object) -> object:
        found = draw(self, *given)  # type: ignore[arg-type]
        names.extend(found["files"])
        return found

    monkeypatch.setattr(parts.Parts, "_draw", noting)
    earlier, site = made(tmp_path, "2025.1"), tmp_path / "site"
    before = Before(site, tmp_path / "record.json", "one")

    def build(edition: Edition, before: Before = before, *, old: bool = True) -> set[str]:
        """The site, proven to be the one that is drawn from nothing; files that were drawn."""
        names.clear()
        given = (release, site, None, edition, (earlier,) if old else ())
        build_site(*given, before=before)
        return {name.removeprefix("r/") for name in names}

    def fresh(edition: Edition) -> str:
        build_site(release, tmp_path / "fresh", None, edition, (earlier,))
        return hash_folder(tmp_path / "fresh")

    assert "2026.1/en/countries/europe.html" in build(edition, old=False)
    other = {name for name in build(edition) if not name.startswith("2025.1/")}
    linked = {name for name in other if "/en/countries/" in name}
    ukraine = site / "r" / "2026.1" / "en" / "countries" / "ukr.html"
    assert "changes.html#ukr" in ukraine.read_text("utf-8")
    assert other - linked == {"2026.1/en/index.html", "2026.1/en/changes.html", *_of_changes(site)}
    old = ukraine.read_text("utf-8"), (site / "r/2025.1/en/countries/ukr.html").read_text("utf-8")
    assert ["not the newest" in text for text in old] == [False, True]
    assert '"../../../../latest/en/index.html"' in old[1], "a reader of Ukraine comes on from there"
    assert build(edition) == set()
    assert hash_folder(site) == fresh(edition)
    told = replace(edition, lead={"en": "New words."})
    assert build(told) == {"2026.1/en/index.html", "2025.1/en/index.html"}
    assert "New words." in (site / "r" / "2026.1" / "en" / "index.html").read_text("utf-8")
    later = replace(told, help=Help(text="0800 1"), stories=())
    redrawn = build(later)
    assert "2025.1/en/methods.html" in redrawn
    assert not [name for name in redrawn if "charts/places" in name or "/api/" in name]
    assert 'stories/index.html"' not in (site / METHODS).read_text("utf-8")
    assert hash_folder(site) == fresh(later)
    for name, content in ((METHODS, b"altered"), ("en/help.html", None)):
        page = site / name
        page.unlink()
        if content is not None:
            page.write_bytes(content)
    assert build(later) == {"2026.1/en/methods.html", "en/help.html"}
    assert hash_folder(site) == hash_folder(tmp_path / "fresh")
    before.record.write_text(before.record.read_text("utf-8")[:-1], "utf-8")
    assert "2025.1/en/methods.html" in build(later)
    assert "2025.1/en/methods.html" in build(later, replace(before, software="two"))
    assert hash_folder(site) == hash_folder(tmp_path / "fresh")


def _of_changes(site: Path) -> set[str]:
    found = (site / "r" / "2026.1" / "changes").rglob("*")
    return {path.relative_to(site / "r").as_posix() for path in found if path.is_file()}


def test_all_kinds_of_page_are_the_same_taken_and_drawn(
    release: Release, edition: Edition, tmp_path: Path
) -> None:
    before = Before(tmp_path / "site", tmp_path / "record.json", "one")
    build_site(release, tmp_path / "fresh", edition=edition)
    for _ in range(2):
        build_site(release, before.site, edition=edition, before=before)
        assert hash_folder(before.site) == hash_folder(tmp_path / "fresh")


def test_an_edition_notes_what_is_read_of_it(release: Release) -> None:
    noted = Noted.watching(replace(PLAIN, contact="a@b.example"))
    assert (noted.contact, noted.read) == ("a@b.example", {"contact"})
    noted.help_of(release)
    assert noted.read == {"contact", "help"}
    assert replace(noted, place="europe").place == "europe"
    assert noted.read == {part.name for part in fields(Edition)}


def test_values_that_differ_have_other_digests(release: Release) -> None:
    day = dt.date(2026, 11, 1)
    values = [None, "", "1", 1, True, [], ["1"], {"1": "1"}, {"1": 1}, {"1"}, day, str(day)]
    values += [Path("1"), Help(), Help(text="1"), release, release.version]
    assert len({digest(value) for value in values}) == len(values)
    assert digest(Answers(release)) == digest(release)
    with pytest.raises(TypeError):
        digest([object()])


@pytest.mark.parametrize("kind", [k for k in PAGES if k.paths], ids=lambda kind: str(kind.name))
def test_paths_that_a_kind_tells_are_those_of_its_pages(
    kind: PageKind, release: Release, edition: Edition
) -> None:
    content = Content(Answers(release), edition)
    assert kind.paths is not None
    assert sorted(kind.paths(content)) == sorted(page.path for page in kind.pages(content))


def test_a_link_is_judged_without_drawing_more_than_needed(
    release: Release, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def noting(kind: PageKind) -> PageKind:
        def pages(content: Content) -> Iterable[Page | WholePage]:
            asked.append(kind.name)
            return kind.pages(content)

        return replace(kind, pages=pages)

    monkeypatch.setattr(render, "PAGES", tuple(map(noting, PAGES)))
    paths = Paths(Answers(release), edition)
    assert "trends.html" in paths
    assert "countries/europe.html" in paths
    assert asked == []
    assert "countries/nowhere.html" not in paths
    assert "stories" not in asked
    assert "events.html" not in Paths(Answers(release), PLAIN)
