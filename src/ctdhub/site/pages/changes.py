"""What changed: any two releases of the site compared, a page for each pair."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ctdhub.core.i18n import Text, _, current
from ctdhub.core.tables import write_csv, write_json
from ctdhub.report import release_changes as words
from ctdhub.report.figures import listed_places
from ctdhub.report.wording import caveat, citation
from ctdhub.schema import countries
from ctdhub.schema.model import DESTINATION, ORIGIN
from ctdhub.site.edition import CHANGE, Content, MenuEntry, PageKind
from ctdhub.site.frame import Page
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_RECORDED
from ctdhub.stats.release_changes import RATE, CellChange, ReleaseChanges

PATH, FOLDER = "changes.html", "changes"
NO = "no"
MOST, MOST_OF_PLACE = 25, 3
"""Rows of a table of the page, and of one place; the files hold all."""

KIND = PageKind(
    "changes",
    lambda content: pages(content),
    menu=MenuEntry(CHANGE, PATH, Text("What changed")),
    files=lambda folder, content: write_files(folder, content),
)


def pages(content: Content) -> Iterator[Page]:
    """The page of a release and the one before it, and one for each other release before it."""
    older = words.earlier(content.release, content.edition.series)
    if not older:
        none = _("There is no earlier release to compare with.")
        yield Page(PATH, _("What changed"), none, values={"pair": None})
    for i, before in enumerate(older):
        yield _page(content, before, older, path(before.release.version) if i else PATH)


def path(version: str) -> str:
    """Where the comparison with an older release lies, if it is not the last one before."""
    return f"{FOLDER}/{version}.html"


def teaser(content: Content) -> dict[str, str] | None:
    """What the home page says of the last comparison: ``sentence``, ``label`` and ``path``.

    Returns:
        None where there is no release to compare with.
    """
    older = words.earlier(content.release, content.edition.series)
    if not older:
        return None
    changes = words.compared(older[0], content.answers)
    version = older[0].release.version
    return {
        "sentence": words.summary(changes),
        "label": _("What changed since release {version}").format(version=version),
        "path": PATH,
    }


def _page(content: Content, before: Answers, older: Sequence[Answers], own: str) -> Page:
    now = content.answers
    versions = {"earlier": before.release.version, "later": now.release.version}
    changes = words.compared(before, now)
    return Page(
        path=own,
        title=_("What changed from release {earlier} to {later}").format(**versions)
        if own != PATH
        else _("What changed"),
        description=words.summary(changes),
        template="changes.html",
        values={
            "pair": _pair(before, now, older, changes),
            "chooser": [
                (each.release.version, path(each.release.version) if i else PATH)
                for i, each in enumerate(older)
            ],
        },
        menu=PATH,
    )


def _pair(
    before: Answers, now: Answers, older: Sequence[Answers], changes: ReleaseChanges
) -> dict[str, Any]:
    between = [now.release]
    for each in older:
        if each is before:
            break
        between.append(each.release)
    sentences = words.public_changes(before.release, now.release, changes)
    ordered = sorted(changes.beyond, key=_says_little)
    return {
        "before": before.release.version,
        "now": now.release.version,
        "found": changes,
        "words": words,
        "most": MOST,
        "rate": RATE,
        "told": sentences,
        "notes": words.notes(between, sentences),
        "corrections": words.corrections([*between, before.release]),
        "tables": [
            (_("By one variable"), [c for c in ordered if len(c.variables) < 2]),
            (_("By two variables"), [c for c in ordered if len(c.variables) == 2]),
        ],
        "held": listed_places(now),
        "places": _places(changes),
        "file": f"{FOLDER}/{before.release.version}",
    }


def _says_little(cell: CellChange) -> bool:
    """Whether it counts people of whom something is not so or not known; these are listed last."""
    return any(code in (NOT_RECORDED, NO) for code in cell.values)


def _places(changes: ReleaseChanges) -> list[dict[str, Any]]:
    """Every country that one of the releases shows, by name, with what changed there; ``changed``
    where that is beyond the noise."""
    single: dict[str, dict[str, CellChange]] = {}
    more: dict[str, list[CellChange]] = {}
    for cell in changes.cells:
        if cell.variables in ((ORIGIN,), (DESTINATION,)) and cell.values[0] != NOT_RECORDED:
            single.setdefault(cell.values[0], {})[cell.variables[0]] = cell
    for cell in changes.beyond:
        if len(cell.variables) == 2:
            of = zip(cell.variables, cell.values, strict=True)
            for code in {v for name, v in of if name in (ORIGIN, DESTINATION)}:
                more.setdefault(code, []).append(cell)
    return [
        {
            "id": code.lower(),
            "code": code,
            "sides": [single[code].get(side) for side in (DESTINATION, ORIGIN)],
            "more": more.get(code, [])[:MOST_OF_PLACE],
            "changed": code in more or any(cell.beyond for cell in single[code].values()),
        }
        for code in countries.by_name(single, current())
    ]


def write_files(folder: Path, content: Content) -> None:
    """Write ``changes/<version>.csv`` and its metadata for each older release."""
    for before in words.earlier(content.release, content.edition.series):
        changes = words.compared(before, content.answers)
        place = folder / FOLDER / before.release.version
        place.parent.mkdir(exist_ok=True)
        write_csv(place.with_name(f"{place.name}.csv"), words.HEADING, words.rows(changes))
        write_json(
            place.with_name(f"{place.name}.metadata.json"),
            {
                "before": before.release.version,
                "now": content.release.version,
                "cells_compared": len(changes.cells),
                "beyond_noise": len(changes.beyond),
                "false_discovery_rate": RATE,
                "method": "Benjamini-Yekutieli; false-coverage-adjusted intervals",
                "rows": "all cells beyond the noise, and all cells of one variable",
                "caveat": caveat(),
                "citation": citation(content.release),
                "licence": content.release.facts.licence,
            },
        )
