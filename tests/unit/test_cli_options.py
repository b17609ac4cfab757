"""The arguments that verbs share mean the same, and are refused alike, in each of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ctdhub.core.i18n import LANGUAGES
from ctdhub.release.open import Release

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
PRINTING = ("facts", "trends", "signals", "tables", "equity", "estimate")
"""Those that print, or write into a file instead."""


ROUND = ("--contributor", "a", "--epsilon", 1, "--delta", 1e-6, "--max-people", 9)
PASSED_OVER = {
    "--spend": ("build", "--explain", "--spend", "0"),
    "--accept-alarms": ("build", "--explain", "--accept-alarms"),
    "--refuse": ("hold", "--role", "steward", "--lift", "--refuse"),
    "--key": ("hold", "--role", "steward", "--key", "k.pem"),
    "--role": ("approvers", "--key", "k.pem"),
    "--reason": ("approvers", "--signed-by", "ed25519:a", "--reason", "lost"),
    "--day": ("bundle", "open", "b", *("--hub", ".", "--identity", "i", "--out", "o"),
              "--day", "2026-01-31"),
    "--json": ("crosswalk", "--json"),
    "--column": ("count", "new", "x", "--keep", "k", "--domains", "d.yaml", *ROUND,
                 "--column", "gender"),
    "--review-by": ("link", "a.csv", "b.csv", "--key", "k", "--release", "2026.1", "--out", "o",
                    "--review-by", "country"),
}  # fmt: skip
"""Options that a verb has no use for as it is called."""


@pytest.mark.parametrize("option", PASSED_OVER)
def test_no_option_is_passed_over(
    ctdhub: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = ctdhub(*PASSED_OVER[option])
    assert (code, out) == (2, "")
    assert option in err
    assert "rule usage" in err


@pytest.fixture
def release(plain_release: Release) -> Path:
    """A release that measured assistance and lists too, so that each verb has something to say."""
    return plain_release.path


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


@pytest.mark.parametrize("verb", [v for v in SPEAKING if v != "brief"])
def test_each_speaks_the_language_that_is_asked_for(ctdhub: Run, release: Path, verb: str) -> None:
    said, languages = {}, LANGUAGES if verb == "facts" else ("es", "ar")
    for lang in languages:
        code, said[lang], err = ctdhub(verb, release, *SPEAKING[verb], "--lang", lang)
        assert code == 0, err
    assert len(set(said.values())) == len(languages)
    arabic = {lang: sum("\u0600" <= c <= "\u06ff" for c in text) for lang, text in said.items()}
    assert arabic["ar"] > len(said["ar"]) / 4
    assert not any(arabic[lang] for lang in languages if lang != "ar")


@pytest.mark.parametrize(
    ("verb", "form"), [*((verb, "text") for verb in PRINTING), ("facts", "json")]
)
def test_a_file_is_never_written_over(
    ctdhub: Run, release: Path, verb: str, form: str, tmp_path: Path
) -> None:
    file, words = tmp_path / "told.txt", (*SPEAKING[verb], "--format", form)
    told = ctdhub(verb, release, *words)[1]
    code, out, err = ctdhub(verb, release, *words, "--out", file)
    assert code == 0, err
    assert file.read_text("utf-8").split() == told.split()
    assert str(file) in "".join(out.split("\n"))
    file.write_text("mine", "utf-8")
    code, out, err = ctdhub(verb, release, *words, "--out", file)
    assert (code, out) == (2, "")
    assert "no-overwrite" in err
    assert file.read_text("utf-8") == "mine"


def test_a_chart_and_a_brief_are_never_written_over(
    ctdhub: Run, release: Path, tmp_path: Path
) -> None:
    for name, words in {
        "m.svg": ("estimate", release, "--chart"),
        "b.html": ("brief", release, "--region", "150", "--format", "html", "--out"),
        "b.json": ("brief", release, "--country", "Italy", "--format", "json", "--out"),
    }.items():
        file = tmp_path / name
        assert ctdhub(*words, file)[0] == 0
        file.write_text("mine", "utf-8")
        code, _out, err = ctdhub(*words, file)
        assert (code, file.read_text("utf-8")) == (2, "mine"), name
        assert "no-overwrite" in err
        code, _out, err = ctdhub(*words, tmp_path / "b.csv")
        assert code == 2
        assert "format-suffix" in err
    code, _out, err = ctdhub("brief", release, "--region", "Italy")
    assert code == 2
    assert "--country ITA" in err


@pytest.mark.parametrize("folder", ["site", "releases", "candidates"])
def test_texts_of_cases_are_not_written_where_others_read(
    ctdhub: Run, tmp_path: Path, folder: str
) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("sex\nF\nstrange\n", "utf-8")
    rules = tmp_path / "m.yaml"
    rules.write_text("version: 1\ncolumns:\n  gender: {from: sex, map: {F: female, M: male}}\n")
    (tmp_path / "hub.yaml").write_text("", "utf-8")
    place = tmp_path / folder
    place.mkdir()
    (tmp_path / "away").symlink_to(place)
    for words in (
        ("mapping", "export", rules, "--file", table, "--out", place / "q.xlsx"),
        ("mapping", "export", rules, "--file", table, "--out", tmp_path / "away" / "q.xlsx"),
        ("harmonise", table, "--mapping", rules, "--out", place / "tried"),
        ("harmonise", table, "--mapping", rules, "--out", place),
    ):
        code, _out, err = ctdhub(*words)
        assert code == 2
        assert "private" in err
    assert not list(place.iterdir())


def test_folders_of_others_are_left_alone(ctdhub: Run, tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("sex\nF\nM\n", "utf-8")
    rules = tmp_path / "m.yaml"
    rules.write_text("version: 1\ncolumns:\n  gender: {from: sex, map: {F: female, M: male}}\n")
    for name, words in {
        "rejects.csv": ("harmonise", table, "--mapping", rules, "--out"),
        "harbour.csv": ("practice", "--people", 1000, "--names"),
        "truth.txt": ("practice", "--people", 1000),
    }.items():
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text("mine", "utf-8")
        code, _out, err = ctdhub(*words, folder)
        assert code == 2
        assert "no-overwrite" in err
        assert [p.name for p in folder.iterdir()] == [name]
        (folder / name).unlink()
        for _twice in range(2):  # into an empty folder, and again into its own
            assert ctdhub(*words, folder)[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("facts", "--name", "Ours"), "--region"),
        (("signals", "--noise-sd", 4), "--noise-sd may be used with a table only"),
        (("signals", "--gaps", "zero"), "--gaps may be used with a table only"),
        (("signals", "--window", 99), "enough periods"),
        (("tables", "--for", "sdg-16.2.2", "--population", "absent.csv"), "does not exist"),
        (("tables", "--for", "greta", "--population", "absent.csv"), "--for sdg-16.2.2"),
        (("brief", "--country", "ITA", "--format", "html", "--fonts", "."), "--format pdf"),
        (("facts", "--out", "absent/f.txt"), "does not exist"),
        (("tables", "--for", "greta", "--years", "16-18"), "--years"),
        (("tables", "--for", "greta", "--country", "Itally"), "Italy"),
    ],
)
def test_what_does_nothing_is_refused(
    ctdhub: Run, release: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = ctdhub(words[0], release, *words[1:])
    assert (code, out) == (2, "")
    assert said in err


def test_a_country_and_a_year_may_be_named_as_elsewhere(ctdhub: Run, release: Path) -> None:
    said = [
        ctdhub("tables", release, "--for", "greta", "--country", name, *when)
        for name, *when in (("ITA", "--year", 2019), ("Italia", "--years", 2019))
    ]
    assert said[0][0] == 0
    assert said[0] == said[1]


def test_no_release_is_told_with_a_remedy(ctdhub: Run, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("", "utf-8")
    for verb, words in SPEAKING.items():
        code, out, err = ctdhub(verb, tmp_path, *words)
        assert (code, out) == (2, ""), verb
        assert "no-release" in err, verb
        for other in ("absent", "file.txt"):
            code, out, err = ctdhub(verb, tmp_path / other, *words)
            assert (code, out) == (2, ""), verb
            assert "Build the hub first" not in err, verb
            assert "typst" not in err


def test_an_error_speaks_one_language(ctdhub: Run, release: Path) -> None:
    code, _out, err = ctdhub("facts", release, "--region", "nowhereland", "--lang", "ar")
    assert code == 2
    letters = [c for c in err if c.isalpha()]
    assert sum("\u0600" <= c <= "\u06ff" for c in letters) > len(letters) / 2
    assert "Error:" not in err


def test_a_brief_without_a_name_is_new_too(
    ctdhub: Run, release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("brief", release, "--region", "europe", "--format", "html")
    assert ctdhub(*words)[0] == 0
    file = tmp_path / "brief-europe.en.html"
    file.write_text("mine", "utf-8")
    code, _out, err = ctdhub(*words)
    assert (code, file.read_text("utf-8")) == (2, "mine")
    assert "no-overwrite" in err


def test_what_comes_of_an_unprotected_table_is_private(ctdhub: Run, tmp_path: Path) -> None:
    table = tmp_path / "lists.csv"
    rows = [(1, 0, 0, 400), (0, 1, 0, 300), (0, 0, 1, 200), (1, 1, 0, 60), (1, 0, 1, 50)]
    rows += [(0, 1, 1, 40), (1, 1, 1, 20)]
    lines = [",".join(map(str, row)) for row in rows]
    table.write_text("\n".join(["one,two,three,people", *lines]) + "\n", "utf-8")
    chart, told = tmp_path / "m.svg", tmp_path / "told.txt"
    words = ("estimate", table, "--replicates", 100, "--chart", chart, "--out", told)
    code, _out, err = ctdhub(*words)
    assert code == 0, err
    for file in (chart, told):
        assert file.stat().st_mode & 0o777 == 0o600
    told.unlink()
    code, _out, err = ctdhub(*words)
    assert code == 2
    assert "with --chart" in err
