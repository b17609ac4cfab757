"""Key figures: sentences and number cards of everybody, and a page for each region and union."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctdhub.core.i18n import Text, _, current
from ctdhub.report.facts import FactSheet, cells, head
from ctdhub.schema import countries
from ctdhub.site.frame import Page
from ctdhub.site.kinds import EXPLORE, MenuEntry, PageKind
from ctdhub.site.pages import factsheets
from ctdhub.site.pages.about import about
from ctdhub.stats.answers import Answers

PATH, FOLDER = "facts.html", "facts"

KIND = PageKind(
    "facts",
    lambda content: pages(content.answers),
    menu=MenuEntry(EXPLORE, PATH, Text("Key figures")),
    translated=lambda folder, content: factsheets.write_sheets(
        folder / factsheets.FOLDER / current(), tuple(factsheets.sheets(content.answers))
    ),
)


def pages(answers: Answers) -> Iterator[Page]:
    """A page of the whole release and one of each place that has a sheet."""
    held = dict(factsheets.sheets(answers))
    choices = _choices(held)
    shared = {"head": head(), "choices": choices, **about(answers.release)}
    for key, sheet in held.items():
        shown, whole = _shown(key, sheet), key == factsheets.WHOLE
        yield Page(
            path=path(key),
            title=_("Key figures")
            if whole
            else _("Key figures: {place}").format(place=shown["title"]),
            description=_("What this release says of the people of each region, in sentences."),
            template="facts.html",
            values={"sheet": shown, "whole": whole, **shared},
            menu=PATH,
        )


def path(key: str) -> str:
    """Where the key figures of a place lie."""
    return PATH if key == factsheets.WHOLE else f"{FOLDER}/{factsheets.file(key)}.html"


def _choices(held: Mapping[str, FactSheet]) -> list[tuple[str, list[dict[str, str]]]]:
    """Places with a sheet by kind: the world, regions and their parts, unions and sets."""
    regions = [k for k in held if k in countries.regions()]
    others = [k for k in held if k in (*countries.unions(), *countries.place_sets())]
    parts = [k for k in held if k not in (factsheets.WHOLE, *regions, *others)]
    groups = (
        (_("Everybody, and regions"), [factsheets.WHOLE, *regions]),
        (_("Parts of regions"), parts),
        (_("Unions of states and other sets"), others),
    )
    return [
        (
            title,
            [
                {"id": factsheets.file(key), "path": path(key), "title": _title(key, held[key])}
                for key in keys
            ],
        )
        for title, keys in groups
        if keys
    ]


def _title(key: str, sheet: FactSheet) -> str:
    return _("All people") if key == factsheets.WHOLE else sheet.title


def _shown(key: str, sheet: FactSheet) -> dict[str, Any]:
    return {
        "id": factsheets.file(key),
        "file": factsheets.file(key),
        "title": _title(key, sheet),
        "alone": len(sheet.sections) == 1,
        "page": f"countries/{key}.html" if key in countries.regions() else "",
        "sections": [
            {
                "title": section.title,
                "sentences": section.sentences,
                "rows": [cells(sheet, line) for line in section.lines],
            }
            for section in sheet.sections
        ],
    }
