"""All corridors that are shown, ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ctdhub.core.format import number
from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current
from ctdhub.document.charts import ranking
from ctdhub.report.figures import Figure, corridor_figure
from ctdhub.report.places import listed_places, place_link
from ctdhub.report.wording import sized
from ctdhub.site.chart_files import CHARTS, write_figure
from ctdhub.site.frame import Page
from ctdhub.site.kinds import PLACES, Content, MenuEntry, PageKind
from ctdhub.site.pages.about import about
from ctdhub.stats.answers import Answers
from ctdhub.stats.table import Row

PATH = "corridors.html"
FILE = "all-corridors"
MOST = 10_000
TOP, SIDE = 15, 8
"""Corridors in the picture; countries on each side of the matrix."""

KIND = PageKind(
    "corridors",
    lambda content: [page(content.answers)],
    menu=MenuEntry(PLACES, PATH, Text("Corridors")),
    files=lambda folder, content: _write_files(folder / CHARTS, content),
)


def figure(answers: Answers) -> Figure | None:
    """Every corridor that is shown, largest first; None where none was measured."""
    found = corridor_figure(answers, most=MOST)
    return found and replace(found, id=FILE, file=FILE)


def page(answers: Answers) -> Page:
    """The page of corridors."""
    found = figure(answers)
    rows = [r for r in found.table.rows if r.kind == "value"] if found else []
    held = listed_places(answers)
    title = _("Corridors: from country of citizenship to country of exploitation")
    intro = _(
        "{n} corridors are above the reporting threshold. A corridor that is not listed "
        "may have some people or none. Both countries may be the same."
    ).format(n=number(len(rows)))
    return Page(
        path=PATH,
        title=title,
        description=intro,
        template="corridors.html",
        values={
            "intro": intro,
            "caption": title,
            "rows": [ranked(k, row, held) for k, row in enumerate(rows, 1)],
            "top": number(len(rows[:TOP])),
            "largest": found and rows and _largest(found),
            "matrix": _matrix(rows, held) if rows else None,
            "ranks": _(
                "The order of neighbouring rows is uncertain where their intervals overlap. Where "
                "there is a second interval, if everybody is counted once, compare that one."
            ),
            **about(answers.release),
        },
        menu=PATH,
        scripts=("corridors.js",),
    )


def _largest(found: Figure) -> Markup:
    """The largest corridors as a picture, with brackets where their order is uncertain."""
    bars = [
        bar for bar, row in zip(found.bars, found.table.rows, strict=True) if row.kind == "value"
    ]
    return ranking.draw(bars[:TOP], "top", rtl=current() in RIGHT_TO_LEFT)


def _matrix(rows: Sequence[Row], held: frozenset[str]) -> dict[str, Any]:
    """Countries of citizenship by countries of exploitation, the largest of each."""
    lang = current()
    cells = {row.codes: row.people for row in rows}
    origins, places = (_most(rows, end) for end in (0, 1))
    steps = _steps([card.value or 0 for card in cells.values()])
    return {
        "places": [place_link(code, held, lang) for code in places],
        "lines": [
            (
                place_link(origin, held, lang),
                [
                    (sized(card), 1 + sum((card.value or 0) >= s for s in steps))
                    if (card := cells.get((origin, place)))
                    else None
                    for place in places
                ],
            )
            for origin in origins
        ],
    }


def _most(rows: Sequence[Row], end: int) -> list[str]:
    """Countries at one end of the corridors, those with most people in shown corridors first."""
    people: Counter[str] = Counter()
    for row in rows:
        people[row.codes[end]] += round(row.people.value or 0)
    return [code for code, _n in people.most_common(SIDE)]


def _steps(values: Sequence[float]) -> list[float]:
    """Bounds of four shades: quarters of the corridors that are shown."""
    ordered = sorted(values)
    return [ordered[len(ordered) * k // 4] for k in (1, 2, 3)]


def _write_files(folder: Path, content: Content) -> None:
    """Write the files of every corridor that is shown into the folder of charts."""
    if (found := figure(content.answers)) is not None:
        write_figure(folder / FILE, found, content)


def ranked(rank: int, row: Row, held: frozenset[str]) -> dict[str, Any]:
    """A row of the ranked table."""
    origin, place = row.codes
    lang = current()
    return {
        "rank": number(rank),
        "from": origin.lower(),
        "to": place.lower(),
        "origin": place_link(origin, held, lang),
        "place": place_link(place, held, lang),
        "people": number(row.people.value or 0),
        "low": number(row.people.low or 0),
        "high": number(row.people.high or 0),
        "once": [number(end) for end in row.people.once or ()],
    }
