"""Which English text each translated page of the documentation translates.

`python tools/translated.py fr withdraw` writes down that docs/fr/withdraw.md translates the
English page as it is now.  Run it after you have brought the translation up to date: the tool
does not read it.
"""

from __future__ import annotations

import re
import sys
from hashlib import blake2b
from pathlib import Path

import yaml

DOCS = Path(__file__).parents[1] / "docs"
KEPT = DOCS / "translated.yaml"
LANGUAGES = ("fr", "es", "ar")
ROOMS = ("start", "tutorial", "how-to")
"""Folders of English pages that may be translated; a file name is in one of them only."""

HEAD = """\
# The English paragraphs that each translated page translates: a digest of each, in order.
# When an English page changes, tests/unit/test_docs_translated.py says which of its paragraphs are
# new. Translate them, then `python tools/translated.py LANGUAGE PAGE` rewrites this file.

"""
LINKS = "In: ["
"""How the line begins that leads to the translations; it is no text to translate."""


def english(name: str) -> Path:
    """The one English page of a name.

    Raises:
        FileNotFoundError: there is none in `ROOMS`, or more than one.
    """
    pages = [page for room in ROOMS if (page := DOCS / room / f"{name}.md").exists()]
    if len(pages) != 1:
        raise FileNotFoundError(f"{name}.md is in {len(pages)} of the folders {', '.join(ROOMS)}")
    return pages[0]


def names(language: str) -> list[str]:
    """The pages that a language has."""
    return sorted(page.stem for page in (DOCS / language).glob("*.md") if page.stem != "index")


def paragraphs(text: str) -> dict[str, str]:
    """The paragraphs of an English page by digest; how lines are wrapped does not count."""
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    said = (part for part in parts if part and not part.startswith(LINKS))
    return {blake2b(part.encode(), digest_size=4).hexdigest(): part for part in said}


def kept() -> dict[str, dict[str, str]]:
    """Digests by language and page, joined by spaces."""
    return yaml.safe_load(KEPT.read_text("utf-8")) if KEPT.exists() else {}


def stale(language: str, name: str) -> list[str]:
    """The English paragraphs that a page does not translate yet, and those that are gone."""
    before = kept().get(language, {}).get(name, "").split()
    now = paragraphs(english(name).read_text("utf-8"))
    gone = [f"(gone: {digest})" for digest in before if digest not in now]
    return [text for digest, text in now.items() if digest not in before] + gone


def main(language: str, *pages: str) -> None:
    """Write down that these pages of a language (default: all) are up to date."""
    every = kept()
    mine = every.setdefault(language, {})
    for name in pages or names(language):
        mine[name] = " ".join(paragraphs(english(name).read_text("utf-8")))
    text = yaml.safe_dump(every, allow_unicode=True, width=98)
    KEPT.write_text(HEAD + text, "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
