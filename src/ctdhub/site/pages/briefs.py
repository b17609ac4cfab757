"""Briefs: the list of those that the site holds, and how to make the others.

A brief on the site is the day of its release: the same release gives the same site.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial

from ctdhub.core.i18n import Text, _
from ctdhub.document import html
from ctdhub.report.brief.make import brief
from ctdhub.report.brief.subjects import BriefPlace
from ctdhub.report.places import SIDES, listed_places
from ctdhub.report.places import path as place_path
from ctdhub.schema import countries
from ctdhub.site.edition import PLAIN, Edition
from ctdhub.site.frame import Page, inlined
from ctdhub.site.kinds import PLACES, MenuEntry, PageKind, WholePage
from ctdhub.site.leaving import SCRIPT, exit_address
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

KIND = PageKind(
    "briefs",
    lambda content: [page(content.answers), *documents(content.answers, content.edition)],
    menu=MenuEntry(PLACES, PATH, Text("Briefs")),
    paths=lambda content: [PATH, *map(path, briefed(content.answers))],
)


def briefed(answers: Answers) -> tuple[BriefPlace, ...]:
    """Places with a brief on the site: regions, then countries with most people first."""
    held = listed_places(answers)
    most = {
        code: max(answers.count({variable: [code]}).value or 0 for variable in SIDES.values())
        for code in held
    }
    largest = sorted(held, key=lambda code: (-most[code], code))[:MOST]
    return tuple(BriefPlace(key) for key in (*countries.regions(), *largest))


def path(place: BriefPlace) -> str:
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


def documents(answers: Answers, edition: Edition = PLAIN) -> Iterator[WholePage]:
    """Each brief in the language in force."""
    help = edition.help_of(answers.release)
    made = date.fromisoformat(answers.release.manifest.created[:10])

    def text(place: BriefPlace) -> str:
        links = [
            (f"../{place_path(place.key)}", _("This place on the site")),
            (f"../{PATH}", _("All briefs")),
        ]
        exit_ = (exit_address(edition.exits), _("Exit this page"))
        leaving = html.Leaving(exit_, inlined(SCRIPT))
        return html.write(brief(answers, place, made, help).document, links, leaving)

    for place in briefed(answers):
        yield WholePage(path(place), place.name, partial(text, place))
