"""The search of a site: places, variables and pages, found by any spelling in any language.

Each language has one file, which a page loads when its reader enters the search: over HTTP it is
fetched, from ``file://`` it runs as a classic script.  ``static/search.js`` folds what is typed in
the way of :func:`ctdhub.schema.country_names.fold_name`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ctdhub.core.i18n import LANGUAGES, _, current, language, said
from ctdhub.report.places import listed_places, path
from ctdhub.schema import countries
from ctdhub.schema.country_names import counted_under, fold_name, spellings
from ctdhub.schema.labels import label
from ctdhub.schema.model import load_schema
from ctdhub.site.kinds import Content
from ctdhub.site.pages.about import codebook
from ctdhub.site.registry import kinds

FILE, CALL = "search-index.js", "ctdhubSearch"
Entry = tuple[str, str, str, str]
"""Name, address from the folder of the language, what it is, folded spellings joined by "|"."""


def write_search(folder: Path, content: Content, titles: Mapping[str, str]) -> None:
    """Write the file of the language in force.

    Args:
        folder: of the language.
        titles: of each page by its path; a place is only led to where it has a page.
    """
    found = [*_places(content, titles), *_variables(content), *_pages(content, titles)]
    hints = sorted({hint for _name, _path, hint, _spelt in found})
    data = {
        "hints": hints,
        "entries": [[name, where, hints.index(hint), spelt] for name, where, hint, spelt in found],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    (folder / FILE).write_text(f"{CALL}({text})", "utf-8")


def _places(content: Content, titles: Mapping[str, str]) -> Iterator[Entry]:
    """Regions, then every country: one without a page leads to its region, and says so."""
    lang, held = current(), listed_places(content.answers)
    for key in countries.regions():
        names = (countries.region_name(key, code) for code in LANGUAGES)
        if path(key) in titles:
            yield countries.region_name(key, lang), path(key), _("region"), _spelt(names)
    for code in countries.ALPHA3:
        region = countries.region(code)
        above = countries.region_name(region, lang)
        where, hint = path(code), above
        if code not in held:
            where = path(region if region != countries.NO_REGION else "index")
            hint = _("not shown (not zero); see {region}").format(region=above)
        if where not in titles:
            continue
        yield countries.name(code, lang), where, hint, "|".join(_fewer(spellings()[code]))
        if others := counted_under().get(code):
            hint = _("{name}: counted here in these data").format(name=others[0])
            yield countries.name(code, lang), where, hint, _spelt(others)


def _variables(content: Content) -> Iterator[Entry]:
    """Variables of the release: in the explorer where it has a chart of them, else the codebook."""
    lang, schema = current(), load_schema()
    book = codebook(lang)
    has_book = (content.release.path / book).exists()
    for name in sorted(content.answers.variables):
        spelt = _spelt((name, *(label(name, code) for code in LANGUAGES)))
        if name in schema.explorer:
            yield label(name, lang), f"explore.html#show={name}", _("variable: chart"), spelt
        elif has_book:
            yield label(name, lang), f"../{book}#{name}", _("variable: definition"), spelt


def _pages(content: Content, titles: Mapping[str, str]) -> Iterator[Entry]:
    """Pages that are no place, by their titles; those of the menu also by their labels."""
    labels = {
        kind.menu.path: (kind.menu.label, kind.menu.group)
        for kind in kinds(content.release, content.edition)
        if kind.menu
    }
    for where, title in titles.items():
        if where.startswith(("countries/", "briefs/", "embed/")):
            continue
        words = [title]
        for code in LANGUAGES if where in labels else ():
            with language(code):
                words += map(said, labels[where])
        yield title, where, _("page"), _spelt(words)


def _spelt(words: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    folded = sorted({fold_name(word) for word in words}, key=lambda k: (-len(k), k))
    return "|".join(_fewer(folded))


def _fewer(folded: list[str] | tuple[str, ...]) -> list[str]:
    """Without those that another begins with, which what is typed begins with too; codes stay."""
    kept: list[str] = []
    for key in folded:
        if key and (len(key) <= 3 or not any(other.startswith(key) for other in kept)):
            kept.append(key)
    return kept
