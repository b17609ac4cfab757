"""The arguments that verbs share mean the same, and are refused alike, in each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from invented_release import ASSISTED, TABLES, protected_answer
from lists_of_invented_people import invented, sources_of
from practice_releases import Practice

from ctdhub.i18n import LANGUAGES
from ctdhub.release import write_release

Run = Callable[..., tuple[int, str, str]]

SPEAKING = {
    "facts": (),
    "trends": (),
    "signals": (),
    "equity": (),
    "estimate": (),
    "tables": ("--for", "greta"),
    "brief": ("--region", "europe"),
}
"""Verbs that read a release and write sentences, with what they cannot do without."""
PRINTING = ("facts", "trends", "signals", "tables")
"""Those that print, or write into a file instead."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Practice.made(tmp_path_factory.mktemp("practice"), 4000).release(0).path


@pytest.mark.parametrize("verb", SPEAKING)
@pytest.mark.parametrize("option", ["--lang", "--format"])
def test_what_is_not_offered_is_refused(
    ctdhub: Run, release: Path, verb: str, option: str, tmp_path: Path
) -> None:
    code, out, err = ctdhub(verb, release, *SPEAKING[verb], option, "papyrus")
    assert (code, out) == (2, "")
    assert option in err
    assert (
        ("text" in err or "pdf" in err)
        if option == "--format"
        else all(lang in err for lang in LANGUAGES)
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that measured assistance and lists too."""
    answer = replace(
        protected_answer(tables=(*TABLES, *ASSISTED), facts={"languages": list(LANGUAGES)}),
        sources=sources_of(invented(20_000, (0.25, 0.2, 0.1), 4, 6.0), ("one", "two", "three")),
    )
    return write_release(answer, tmp_path_factory.mktemp("invented"), "2026.1", "")


@pytest.mark.parametrize("verb", [v for v in SPEAKING if v != "brief"])
def test_each_speaks_the_language_that_is_asked_for(
    ctdhub: Run, release: Path, measured: Path, verb: str
) -> None:
    source = measured if verb in ("equity", "estimate") else release
    said = {}
    for lang in LANGUAGES:
        code, said[lang], err = ctdhub(verb, source, *SPEAKING[verb], "--lang", lang)
        assert code == 0, err
    assert len(set(said.values())) == len(LANGUAGES)
    arabic = {lang: sum("\u0600" <= c <= "\u06ff" for c in text) for lang, text in said.items()}
    assert arabic["ar"] > len(said["ar"]) / 4
    assert not any(arabic[lang] for lang in LANGUAGES if lang != "ar")


@pytest.mark.parametrize("verb", PRINTING)
def test_a_file_is_never_written_over(
    ctdhub: Run, release: Path, verb: str, tmp_path: Path
) -> None:
    file = tmp_path / "told.txt"
    told = ctdhub(verb, release, *SPEAKING[verb])[1]
    code, out, _err = ctdhub(verb, release, *SPEAKING[verb], "--out", file)
    assert (code, file.read_text("utf-8")) == (0, told)
    assert str(file) in out
    file.write_text("mine", "utf-8")
    code, out, err = ctdhub(verb, release, *SPEAKING[verb], "--out", file)
    assert (code, out) == (2, "")
    assert "no-overwrite" in err
    assert file.read_text("utf-8") == "mine"


def test_no_release_is_told_with_a_remedy(ctdhub: Run, tmp_path: Path) -> None:
    for verb, words in SPEAKING.items():
        code, out, err = ctdhub(verb, tmp_path, *words)
        assert (code, out) == (2, ""), verb
        assert "no-release" in err, verb
