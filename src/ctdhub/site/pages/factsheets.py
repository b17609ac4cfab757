"""Sheets of facts on the site: which places have one, and their files in every language.

<site>/r/<version>/facts/<language>/<key>.json and .md     a place; "all" is the whole release
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ctdhub.report.facts import FactSheet, as_json, as_markdown, headline_sheet, place_sheet
from ctdhub.schema import countries
from ctdhub.stats.answers import Answers
from ctdhub.stats.headline import place_facts

FOLDER, WHOLE = "facts", "all"


def sheet_keys() -> tuple[str, ...]:
    """Places that may have a sheet: unions, each region with its subregions, named sets."""
    found = list(countries.unions())
    for region in countries.regions():
        above = [key for key in countries.composites() if countries.region(_first(key)) == region]
        found += [region, *above, *countries.subregions(region)]
    return (*found, *countries.place_sets())


def sheets(answers: Answers) -> Iterator[tuple[str, FactSheet]]:
    """The whole release, then every place of which some people are shown, with their keys."""
    yield WHOLE, headline_sheet(answers)
    for key in sheet_keys():
        facts = place_facts(answers, key)
        if any(side.people.has_range for side in (facts.citizens, facts.exploited)):
            yield key, place_sheet(facts, answers.release)


def file(key: str) -> str:
    """Name of a sheet's files, without their ending, in the folder of a language."""
    return key.replace("_", "-")


def write_sheets(folder: Path, held: Sequence[tuple[str, FactSheet]]) -> None:
    """Write the files of sheets in one language.

    Args:
        folder: of the language; it is made.
    """
    folder.mkdir(parents=True)
    for key, sheet in held:
        (folder / f"{file(key)}.json").write_text(as_json(sheet), "utf-8")
        (folder / f"{file(key)}.md").write_text(as_markdown(sheet), "utf-8")


def _first(key: str) -> str:
    return countries.members(key)[0]
