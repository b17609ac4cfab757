"""Nobody is told to take ctdhub from a registry of packages: whoever holds the name there runs code
on computers with case files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("docs", "src", "examples", "benchmarks", "tools", "changelog.d", ".github", ".ci", "tests")
KINDS = {
    ".css", ".html", ".js", ".json", ".md", ".po", ".py", ".service", ".toml", ".txt", ".xml",
    ".yaml", ".yml", "",
}  # fmt: skip
FILES = [
    *(f for f in ROOT.iterdir() if f.is_file() and f.suffix in KINDS),
    *(f for r in ROOMS for f in (ROOT / r).rglob("*") if f.is_file() and f.suffix in KINDS),
]
BY_NAME = re.compile(
    r"""\bctdhub\\*\[\w+\]                                      # an extra of the name
    | \b(?:pip3?|pipx|uv|uvx|conda|mamba|poetry|pdm)\b[^.;|\#]{0,60}?
      \b(?:install|add|run|download|wheel)\s+(?:[^\s`]*[^\s`.;,|\#][ ]){0,4}?['"\\]*ctdhub(?![\w/-])
    | \buvx\s['"]?ctdhub\b""",
    re.VERBOSE,
)
HERE = Path(__file__)


def told(text: str) -> list[str]:
    """What a text says to install by name; lines of a catalogue of messages are joined first."""
    text = re.sub(r'"\n\s*"', "", text).replace("\\n", "\n")
    return [found[0] for found in BY_NAME.finditer(text)]


def test_no_text_says_to_install_ctdhub_by_its_name() -> None:
    assert len(FILES) > 1500
    read = ((f, f.read_text("utf-8", "replace")) for f in FILES if f != HERE)
    assert not {str(f.relative_to(ROOT)): found for f, text in read if (found := told(text))}


@pytest.mark.parametrize(
    "text",
    [
        "pip install 'ctdhub[desk]'", 'uv tool install "ctdhub[desk]"', "pip install ctdhub",
        "# pip install ctdhub; the release", "pipx run ctdhub kit", "uvx ctdhub kit",
        "python -m pip install --quiet --upgrade ctdhub==0.2", "install 'ctdhub\\\\[pdf]'",
        'msgid "Install: pip "\n"install ctdhub"', "uv add ctdhub", "تثبيت pip install ctdhub",
    ],
)  # fmt: skip
def test_each_way_by_name_is_found(text: str) -> None:
    assert told(text)


@pytest.mark.parametrize(
    "text",
    [
        "pip install '.[desk]'", "pip install --no-deps /tmp/ctdhub-*.whl", "pip install typst",
        "pip install ./ctdhub-0.3.0-py3-none-any.whl", "pip install splink. Then run ctdhub link",
        "pip install '.[desk]'\nctdhub desk my-hub",
    ],
)  # fmt: skip
def test_a_folder_and_a_file_are_no_names(text: str) -> None:
    assert not told(text)
