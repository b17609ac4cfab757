"""Key figures: sentences and number cards of everybody, and a page for each region and union; a
kind of page by itself, so apart from the list of kinds.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ctdhub.core.format import span
from ctdhub.core.i18n import Text, _, current
from ctdhub.core.tables import write_json
from ctdhub.report import facts as words
from ctdhub.schema import countries
from ctdhub.schema.model import PERIOD
from ctdhub.site.edition import EXPLORE, MenuEntry, PageKind
from ctdhub.site.frame import Page
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_RECORDED
from ctdhub.stats.tables import place_facts

# --------------------------------------------------------------------------------------------------
# Sheets of facts on the site: which places have one, and their files in every language.
#
# <site>/r/<version>/facts/<language>.json         all places by name; "all" is the whole release,
#                                                  "europe-2002-2018" a paragraph for the press
# <site>/r/<version>/facts/<language>/<name>.md    one of them, to read

FOLDER, WHOLE = "facts", "all"


def sheet_keys() -> tuple[str, ...]:
    """Places that may have a sheet: unions, each region with its subregions, named sets."""
    keys = list(countries.unions())
    for region in countries.regions():
        above = [key for key in countries.composites() if countries.region(_first(key)) == region]
        keys += [region, *above, *countries.subregions(region)]
    return (*keys, *countries.place_sets())


def factsheets(answers: Answers) -> Iterator[tuple[str, words.FactSheet]]:
    """The whole release, then every place of which some people are shown, with their keys."""
    yield WHOLE, words.headline_sheet(answers)
    for key in sheet_keys():
        facts = place_facts(answers, key)
        if any(side.people.has_range for side in (facts.citizens, facts.exploited)):
            yield key, words.place_sheet(facts, answers.release)


def factsheet_file(key: str) -> str:
    """Name of a sheet in the file of a language, and of its own file without the ending."""
    return key.replace("_", "-")


def write_sheets(
    folder: Path, answers: Answers, sheets: Sequence[tuple[str, words.FactSheet]]
) -> None:
    """Write the files of sheets in one language, and the paragraphs of regions by years.

    Args:
        folder: of the language; it is made.
    """
    folder.mkdir(parents=True)
    for key, sheet in sheets:
        (folder / f"{factsheet_file(key)}.md").write_text(words.as_markdown(sheet), "utf-8")
    files = {factsheet_file(key): words.as_data(sheet) for key, sheet in sheets}
    for key, _sheet in sheets:
        for sheet in press_sheets(answers, key):
            first, last = sheet.years
            files[f"{factsheet_file(key)}-{first}-{last}"] = words.as_data(sheet)
    write_json(folder.with_name(f"{folder.name}.json"), files)


def press_sheets(answers: Answers, key: str) -> list[words.FactSheet]:
    """Of a region or union whose people were measured by spans of years: the paragraphs of a press
    release on each run of adjacent spans; none of any other place."""
    if key not in (*countries.regions(), *countries.unions()):
        return []
    spans = sorted(
        {
            (int(min(own)), int(max(own)))
            for table in answers.regions
            for own in table.groups[PERIOD].values()
            if NOT_RECORDED not in own
        }
    )
    runs = [(first, last) for k, (first, _last) in enumerate(spans) for _first, last in spans[k:]]
    return [words.press_sheet(answers, countries.place_of(key), years) for years in runs]


def _first(key: str) -> str:
    return countries.members(key)[0]


PATH, FACTS_FOLDER = "facts.html", "facts"

KIND = PageKind(
    "facts",
    lambda content: pages(content.answers),
    menu=MenuEntry(EXPLORE, PATH, Text("Key figures")),
    translated=lambda folder, content: write_sheets(
        folder / FOLDER / current(), content.answers, tuple(factsheets(content.answers))
    ),
)


def pages(answers: Answers) -> Iterator[Page]:
    """A page of the whole release and one of each place that has a sheet."""
    sheets = dict(factsheets(answers))
    titles = {key: sheet.title for key, sheet in sheets.items()} | {WHOLE: _("All people")}
    shared = {
        "titles": titles,
        "choices": _choices(sheets),
        "regions": countries.regions(),
        "head": words.head(),
        "cells": words.cells,
        "file": factsheet_file,
        "path_to": path,
    }
    for key, sheet in sheets.items():
        whole = key == WHOLE
        title = _("Key figures") if whole else _("Key figures: {place}").format(place=titles[key])
        yield Page(
            path=path(key),
            title=title,
            description=_("What this release says of the people of each region, in sentences."),
            template="facts.html",
            values={
                "key": key,
                "sheet": sheet,
                "press": [(span(p.years), p) for p in press_sheets(answers, key)],
                "whole": whole,
                **shared,
            },
            menu=PATH,
        )


def path(key: str) -> str:
    """Where the key figures of a place lie."""
    return PATH if key == WHOLE else f"{FACTS_FOLDER}/{factsheet_file(key)}.html"


def _choices(keys: Collection[str]) -> list[tuple[str, list[str]]]:
    """Places with a sheet by kind: the world, regions and their parts, unions and sets."""
    regions = [k for k in keys if k in countries.regions()]
    others = [k for k in keys if k in (*countries.unions(), *countries.place_sets())]
    return [
        (_("Everybody, and regions"), [WHOLE, *regions]),
        (_("Parts of regions"), [k for k in keys if k not in (WHOLE, *regions, *others)]),
        (_("Unions of states and other sets"), others),
    ]
