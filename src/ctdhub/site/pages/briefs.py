"""Briefs: the list of those that the site holds, and how to make the others.

A brief on the site is the day of its release: the same release gives the same site.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ctdhub.core.i18n import _
from ctdhub.document import html
from ctdhub.report.brief.make import brief
from ctdhub.report.brief.subjects import Place
from ctdhub.report.places import SIDES, listed_places
from ctdhub.report.places import path as place_path
from ctdhub.schema import countries
from ctdhub.site.frame import EXIT_URL, Page
from ctdhub.site.pages.about import about
from ctdhub.stats.answers import Answers

PATH, FOLDER = "briefs.html", "briefs"
MOST = 20
"""Countries with a brief on the site, those with most people; any other is a command away."""
COMMANDS = (
    "ctdhub brief my-hub --country CIV --lang fr",
    "ctdhub brief my-hub --corridor CIV-ITA",
    "ctdhub brief my-hub --day 2026-10-18 --poster",
)


def briefed(answers: Answers) -> tuple[Place, ...]:
    """Places with a brief on the site: regions, then countries with most people first."""
    held = listed_places(answers)
    most = {
        code: max(answers.count({variable: [code]}).value or 0 for variable in SIDES.values())
        for code in held
    }
    largest = sorted(held, key=lambda code: (-most[code], code))[:MOST]
    return tuple(Place(key) for key in (*countries.regions(), *largest))


def path(place: Place) -> str:
    """Where the brief of a place lies."""
    return f"{FOLDER}/{place.slug}.html"


def page(answers: Answers) -> Page:
    """The list of briefs."""
    found = briefed(answers)
    return Page(
        path=PATH,
        title=_("Briefs"),
        description=_("Two pages to print on a region or a country."),
        template="briefs.html",
        values={
            "halves": [
                (title, [{"name": p.name, "path": path(p)} for p in found if p.is_country == kind])
                for title, kind in ((_("Regions"), False), (_("Countries"), True))
            ],
            "commands": COMMANDS,
            **about(answers.release),
        },
        menu=PATH,
    )


def documents(answers: Answers) -> Iterator[tuple[str, str, str]]:
    """Each brief in the language in force: where it lies, its title, its HTML."""
    made = date.fromisoformat(answers.release.manifest.created[:10])
    for place in briefed(answers):
        links = [
            (f"../{place_path(place.key)}", _("This place on the site")),
            (f"../{PATH}", _("All briefs")),
            (EXIT_URL, _("Exit this page")),
        ]
        document = brief(answers, place, made).document
        yield path(place), place.name, html.write(document, links)
