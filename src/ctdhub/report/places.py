"""Countries and regions of the site: which have a page and files, where, and about whom."""

from __future__ import annotations

from ctdhub.report.figures import Among
from ctdhub.schema import countries
from ctdhub.schema.roles import DESTINATION, ORIGIN
from ctdhub.stats.answers import Answers
from ctdhub.stats.perspective import SideName

SIDES: dict[SideName, str] = {"citizens": ORIGIN, "exploited": DESTINATION}
"""Id of the section of each side, and the variable that it is about."""


def listed_places(answers: Answers) -> frozenset[str]:
    """Countries with a page: those shown by citizenship or as place of exploitation."""
    return frozenset(
        code for variable in SIDES.values() for (code,) in answers.cells(variable) if code
    )


def path(key: str) -> str:
    """Where the page of a country or region lies."""
    return f"countries/{key.lower()}.html"


def file(key: str) -> str:
    """Name of the file of a place's figures, without its ending, in the folder of charts."""
    return f"places/{key.lower()}"


def place_link(code: str, held: frozenset[str], lang: str) -> dict[str, str]:
    """Name of a country, and the path of its page, empty where it has none."""
    return {"name": countries.name(code, lang), "path": path(code) if code in held else ""}


def sides(key: str) -> dict[SideName, Among]:
    """The people that the two halves of a place's page are about, by id of the section."""
    inside = (key,) if key in countries.ALPHA3 else countries.members(key)
    return {
        name: Among({variable: inside}, f"{name}-", file(key)) for name, variable in SIDES.items()
    }
