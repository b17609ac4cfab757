"""Collect every user-visible text of the source and bring the catalogues up to date.

Run by `make messages`.  Texts come from ``_()`` and ``ngettext()`` in Python and in templates, from
``Text()`` and ``many()``, from the catalogue of errors, from the table of verbs, from files of
texts (``*.words.yaml``), and from the notes of the crosswalks.  Existing translations are kept; new
texts are added empty; texts that the source no longer has are removed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from ctdhub.cli import verbs
from ctdhub.core.errors import catalogue
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT
from ctdhub.schema import crosswalk

PACKAGE = Path(__file__).parents[1] / "src" / "ctdhub"
METHODS = [("**.py", "python"), ("**/templates/**.*", "jinja2")]
LRM = "\u200e"
TYPED = re.compile(r"(`[^`]+`)")
OPTION = re.compile(r"(?<![A-Za-z0-9_}\]>`\"'-])(?<![A-Za-z0-9_}\]>`\"'-] )(--[a-z{])")
PERCENT = re.compile(r"(?<![\d.,}])((?:\d[\d.,]*|\{[a-z_]+\})%)")
"""A number with its unit, which goes to the left of it behind an Arabic letter (UAX 9, W2)."""

HOLDS = re.compile(r"\{[a-z_]+\}")
"""A text that says another one, which has nothing to translate of its own."""
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "Text": None, "many": (1, 2)}


@cache
def template() -> Catalog:
    """Every text of the source, untranslated; whoever changes it changes a copy."""
    catalog = Catalog(project="ctdhub", charset="utf-8")
    options = {"**/templates/**.*": {"silent": "false"}}
    for file, _line, message, _comments, _context in extract_from_dir(
        PACKAGE, method_map=METHODS, options_map=options, keywords=KEYWORDS
    ):
        catalog.add(message, locations=[(file, 0)])
    for entry in catalogue().values():
        for text in (t for t in entry.what + entry.fix if not HOLDS.fullmatch(t)):
            catalog.add(text, locations=[(f"core/errors/{entry.room}.yaml", 0)])
    for text in verbs.texts():
        catalog.add(text, locations=[("cli/verbs.yaml", 0)])
    for file in sorted(PACKAGE.rglob("*.words.yaml")):
        for text in texts_of(yaml.safe_load(file.read_text("utf-8"))):
            catalog.add(text, locations=[(str(file.relative_to(PACKAGE)), 0)])
    for note in crosswalk.notes():
        catalog.add(note, locations=[("schema/data/crosswalks", 0)])
    return catalog


def texts_of(value: Any) -> Iterator[str]:
    """The texts among the values of a file, at any depth."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_of(part)
    elif isinstance(value, str) and not HOLDS.fullmatch(value):
        yield value


def catalogue_file(code: str) -> Path:
    """The file of a language's translations."""
    return PACKAGE / "locale" / f"{code}.po"


def read(code: str) -> Catalog:
    """A language's catalogue as it lies in the source tree; empty where it does not exist yet."""
    path = catalogue_file(code)
    if not path.exists():
        return Catalog(locale=code, project="ctdhub", charset="utf-8")
    with path.open("rb") as handle:
        return read_po(handle, locale=code)


def write(code: str, catalog: Catalog) -> None:
    """Write a catalogue so that only texts change between two runs: no places, dates or names."""
    texts = [m for m in catalog if m.string] if code in RIGHT_TO_LEFT else []
    for message in texts:
        forms = tuple(marked(text) for text in as_tuple(message.string))
        message.string = forms[0] if isinstance(message.string, str) else forms
    catalog.fuzzy = False
    catalog.header_comment = f"# {catalog.locale.english_name} texts of ctdhub (Apache-2.0)."
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = ""
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    with catalogue_file(code).open("wb") as handle:
        write_po(handle, catalog, no_location=True, sort_output=True, width=98)


def marked(text: str) -> str:
    """Text that runs from right to left, in which what is typed keeps its order (UAX 9).

    The hyphens of a bare ``--option`` and the signs at both ends of what stands in backticks have
    no direction and would go to the wrong side; a mark beside them (U+200E, LRM) gives them one.
    None is inside a command, which would not run when it is copied.
    """
    typed = TYPED.sub(LRM + r"\1" + LRM, text.replace(LRM, ""))
    return PERCENT.sub(LRM + r"\1", OPTION.sub(LRM + r"\1", typed))


def main() -> int:
    """Update all catalogues; say how many texts still lack a translation."""
    texts = template()
    missing = 0
    for code in LANGUAGES[1:]:
        catalog = read(code)
        catalog.update(texts, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        write(code, catalog)
        empty = [m for m in catalog if m.id and not (m.string and all(as_tuple(m.string)))]
        print(f"{code}: {len(catalog)} texts, {len(empty)} without translation")
        missing += len(empty)
    return 1 if missing else 0


def as_tuple(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """A message or its plural forms, always as a tuple."""
    return (text,) if isinstance(text, str) else tuple(text)


if __name__ == "__main__":
    sys.exit(main())
