"""A hub and its contributors are called what readers of a language call them; files are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from invented_release import protected_answer

from ctdhub.core.i18n import language
from ctdhub.release.bundle import write_release
from ctdhub.release.manifest import PublicFacts
from ctdhub.release.open import open_release
from ctdhub.report.trends import change_sentences, part_label
from ctdhub.report.wording import called, turn_sentences
from ctdhub.site.build import build_site
from ctdhub.site.frame import address
from ctdhub.stats.decomposition import EVERYBODY, ChangePart, Split
from ctdhub.stats.trend import DeclaredBreak, Turn

HOSTILE = "<b>المنصة</b>\u202e"


def facts() -> dict[str, object]:
    return {
        "hub": "The hub",
        "hub_names": {"fr": "La plateforme", "ar": HOSTILE},
        "contributors": [{"name": "One", "names": {"fr": "Premier"}}, "Two"],
        "years": [2010, 2012],
        "schema_version": "1.0",
    }


@pytest.mark.parametrize(
    ("code", "hub", "contributor"),
    [
        ("en", "The hub", "One"),
        ("fr", "La plateforme", "Premier"),
        ("es", "The hub", "One"),
        ("ar", "<b>المنصة</b>·", "One"),
    ],
)
def test_what_has_a_name_in_a_language_is_called_so(code: str, hub: str, contributor: str) -> None:
    found = PublicFacts.of(facts())
    with language(code):
        assert called(found) == hub
        assert [called(c) for c in found.contributors] == [contributor, "Two"]


def test_pages_have_the_name_and_files_of_all_languages_the_first(tmp_path: Path) -> None:
    answer = protected_answer()
    given = facts()
    named = {"hub": given["hub"], "hub_names": given["hub_names"], "languages": ["en", "fr", "ar"]}
    answer = replace(answer, facts={**answer.facts, **named})
    with language("fr"):
        path = write_release(answer, tmp_path, "2026.1", "")
    for name in ("README.md", "dcat.jsonld", "datapackage.json"):
        assert "La plateforme" not in (path / name).read_text("utf-8")
    build_site(open_release(path), tmp_path / "site", only=["help", "home"])
    for code, title in (("en", "The hub"), ("fr", "La plateforme"), ("ar", "&lt;b&gt;المنصة")):
        page = (tmp_path / "site" / address(code, "help.html")).read_text("utf-8")
        assert f'dir="auto">{title}' in page
        assert "<b>المنصة" not in page


def test_those_who_joined_are_called_so() -> None:
    """In the sentences below a line of years."""
    answer = protected_answer()
    first, *rest = answer.facts["contributors"]
    named = [{**first, "names": {"fr": "Premier"}}, *rest]
    with TemporaryDirectory() as folder:
        answer = replace(answer, facts={**answer.facts, "contributors": named})
        release = open_release(write_release(answer, Path(folder), "2026.1", ""))
        turn = Turn(2015, joined=(str(first["name"]),), left=())
        with language("fr"):
            assert "Premier" in turn_sentences(turn, release)[0]
        with language("es"):
            assert str(first["name"]) in turn_sentences(turn, release)[0]


def test_what_changed_and_who_declared_a_break_is_called_so() -> None:
    """In sentences and beside bars; what files of all languages share keeps the one name."""
    found = PublicFacts.of(facts())
    part = ChangePart("left", ("One", "Two"), -9, -12, -6)
    met = DeclaredBreak("2017-01-01", "One", "form")
    split = Split(2010, 2012, -9, -12, -6, (part,), None, False, 0.95, (met,))
    with language("fr"):
        said = " ".join((*change_sentences(EVERYBODY, split, found), part_label(part, found)))
        assert said.count("Premier") == 3
        assert "One" not in said
        assert "One" in " ".join(change_sentences(EVERYBODY, split))
    with language("es"):
        assert "Premier" not in " ".join(change_sentences(EVERYBODY, split, found))
