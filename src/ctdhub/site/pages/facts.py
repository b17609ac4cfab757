"""Facts: sentences and number cards of the release, of unions of states and of every region."""

from __future__ import annotations

from typing import Any

from ctdhub.core.i18n import Text, _, current
from ctdhub.report.facts import FactSheet, cells, head
from ctdhub.schema import countries
from ctdhub.site.frame import Page
from ctdhub.site.kinds import EXPLORE, MenuEntry, PageKind
from ctdhub.site.pages import factsheets
from ctdhub.site.pages.about import about
from ctdhub.stats.answers import Answers

PATH = "facts.html"

KIND = PageKind(
    "facts",
    lambda content: [page(content.answers)],
    menu=MenuEntry(EXPLORE, PATH, Text("Key figures")),
    translated=lambda folder, content: factsheets.write_sheets(
        folder / factsheets.FOLDER / current(), tuple(factsheets.sheets(content.answers))
    ),
)


def page(answers: Answers) -> Page:
    """The page of facts."""
    return Page(
        path=PATH,
        title=_("Facts"),
        description=_("What this release says of the people of each region, in sentences."),
        template="facts.html",
        values={
            "sheets": [_shown(key, sheet) for key, sheet in factsheets.sheets(answers)],
            "head": head(),
            **about(answers.release),
        },
        menu=PATH,
    )


def _shown(key: str, sheet: FactSheet) -> dict[str, Any]:
    return {
        "id": factsheets.file(key),
        "file": factsheets.file(key),
        "title": _("All people") if sheet.place is None else sheet.title,
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
