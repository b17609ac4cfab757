"""The map: corridors as arrows, two shaded maps, the ranked corridors, regions.

Each map has a page of its own, so that no page is too heavy for a slow line.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ctdhub.core.format import number
from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current
from ctdhub.document.charts import bars as ranking
from ctdhub.document.charts.tiles import draw_map, overview, picture, standalone
from ctdhub.report import figures
from ctdhub.report.figures import CORRIDORS, Map, maps, shades, steps
from ctdhub.report.wording import citation
from ctdhub.schema import countries
from ctdhub.site.chart_files import CHARTS, write_figures
from ctdhub.site.edition import PLACES, Content, MenuEntry, PageKind
from ctdhub.site.frame import FIGURES, Page, about, card
from ctdhub.site.pages import places
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import Row

# --------------------------------------------------------------------------------------------------
# All corridors that are shown, ranked.

CORRIDORS_PATH = "corridors.html"
FILE = "all-corridors"
MOST = 10_000
TOP, SIDE = 15, 8
"""Corridors in the picture; countries on each side of the matrix."""

CORRIDORS_KIND = PageKind(
    "corridors",
    lambda content: [page(content.answers)],
    menu=MenuEntry(PLACES, CORRIDORS_PATH, Text("Corridors")),
    cards=lambda content: _corridor_cards(content.answers),
    files=lambda folder, content: write_figures(
        folder, filter(None, [figure(content.answers)]), content
    ),
)


def figure(answers: Answers) -> figures.Figure | None:
    """Every corridor that is shown, largest first; None where none was measured."""
    chart = figures.corridor_figure(answers, most=MOST)
    return chart and replace(chart, id=FILE, file=FILE)


def page(answers: Answers) -> Page:
    """The page of corridors."""
    charts = _corridors(answers)
    rows = charts[0]["rows"] if charts else []
    texts = _texts(rows)
    return Page(
        path=CORRIDORS_PATH,
        title=_("Corridors: from country of citizenship to country of exploitation"),
        description=texts["intro"],
        values={
            **texts,
            "charts": charts,
            "held": figures.listed_places(answers),
            "matrix": _matrix(rows) if rows else None,
        },
        scripts=(*FIGURES, "corridors.js"),
    )


def _corridor_cards(answers: Answers) -> Iterator[Page]:
    if charts := _corridors(answers):
        texts = _texts(charts[0]["rows"])
        title, part = charts[0]["caption"], "corridors_chart.html"
        yield card(CORRIDORS_PATH, charts, part, title, held=(), **texts)


def _texts(rows: Sequence[Row]) -> dict[str, str]:
    """What is said of all corridors that are shown."""
    return {
        "intro": _(
            "{n} corridors are above the reporting threshold. A corridor that is not listed "
            "may have some people or none. Both countries may be the same."
        ).format(n=number(len(rows))),
        "ranks": _(
            "The order of neighbouring rows is uncertain where their intervals overlap. Where "
            "there is a second interval, if everybody is counted once, compare that one."
        ),
    }


def _corridors(answers: Answers) -> list[dict[str, Any]]:
    """The corridors that are shown: the largest as a picture, with brackets where their order is
    uncertain, and the table of all; [] where there are none."""
    chart = figure(answers)
    pairs = zip(chart.bars, chart.table.rows, strict=True) if chart else ()
    shown = [(bar, row) for bar, row in pairs if row.kind == "value"]
    if not chart or not shown:
        return []
    largest = [bar for bar, _row in shown[:TOP]]
    return [
        {
            "figure": chart,
            "largest": ranking.draw_ranking(largest, FILE, rtl=current() in RIGHT_TO_LEFT),
            "top": number(len(largest)),
            "rows": [row for _bar, row in shown],
            "caption": _("Corridors: from country of citizenship to country of exploitation"),
        }
    ]


def _matrix(rows: Sequence[Row]) -> dict[str, Any]:
    """Countries of citizenship by countries of exploitation, the largest of each: of a corridor
    that is shown its people and its shade, by the steps of the maps."""
    cells = {row.codes: row.people for row in rows}
    bounds = steps(max(card.value or 0 for card in cells.values()))
    return {
        "origins": _most(rows, 0),
        "places": _most(rows, 1),
        "steps": shades(bounds),
        "cells": {
            codes: (card, sum((card.value or 0) >= bound for bound in bounds))
            for codes, card in cells.items()
        },
    }


def _most(rows: Sequence[Row], end: int) -> list[str]:
    """Countries at one end of the corridors, those with most people in shown corridors first."""
    people: Counter[str] = Counter()
    for row in rows:
        people[row.codes[end]] += round(row.people.value or 0)
    return [code for code, _n in people.most_common(SIDE)]


PATH = "map.html"

KIND = PageKind(
    "map",
    lambda content: pages(content.answers),
    menu=MenuEntry(PLACES, PATH, Text("Map")),
    cards=lambda content: _cards(content.answers),
    files=lambda folder, content: _write_files(folder, content),
)


def pages(answers: Answers) -> Iterator[Page]:
    """The page of the first map, with the regions, then that of each other map."""
    all_maps = maps(answers)
    apart = [(m.figure.id, f"{m.figure.id}.html", m.figure.subtitle) for m in all_maps[1:]]
    yield _page(answers, PATH, _("Map"), all_maps[:1], apart)
    for chosen, (_id, own, title) in zip(all_maps[1:], apart, strict=True):
        yield _page(answers, own, title, (chosen,), [])


def _page(
    answers: Answers,
    path: str,
    title: str,
    here: Sequence[Map],
    apart: Sequence[tuple[str, str, str]],
) -> Page:
    return Page(
        path=path,
        title=title,
        description=_(
            "Corridors of identified people, and people by citizenship and by country of "
            "exploitation, on a map of equal tiles without borders."
        ),
        template="map.html",
        css="map.css",
        values={
            "maps": [_drawn(m) for m in here],
            "apart": apart,
            "all_maps": PATH if path != PATH else "",
            **_shared(figures.listed_places(answers)),
            "regions": _regions(answers),
        },
        menu=PATH,
        scripts=(*FIGURES, "map.js"),
    )


def _shared(codes: Collection[str]) -> dict[str, Any]:
    """What each map needs besides: the countries with a page, and what is said of ranks."""
    return {
        "corridors": CORRIDORS,
        "held": codes,
        "ranks": _("The order of neighbouring rows is uncertain where their intervals overlap."),
    }


def _cards(answers: Answers) -> Iterator[Page]:
    """A card for each map, whose tiles lead nowhere."""
    for chosen in maps(answers):
        id_, tiles = chosen.figure.id, (replace(tile, href="") for tile in chosen.drawn.tiles)
        drawn = _drawn(replace(chosen, drawn=replace(chosen.drawn, tiles=tuple(tiles))))
        home = PATH if id_ == CORRIDORS else f"{id_}.html"
        title = " · ".join((_("Map"), chosen.figure.caption))
        yield card(home, [drawn], "map_chart.html", title, css="keyed.css", **_shared(()))


def _drawn(chosen: Map) -> dict[str, Any]:
    """A map with its table, which names the countries that are shown and counts the others."""
    pages = {tile.code: tile.href for tile in chosen.drawn.tiles}
    rows = zip(chosen.figure.bars, chosen.figure.table.rows, strict=True)
    bars = [
        (bar, "" if chosen.drawn.arrows else pages.get(row.codes[0], ""))
        for bar, row in rows
        if bar.cells and bar.kind != "protected"
    ]
    corridors = [r for r in chosen.figure.table.rows if r.kind == "value"]
    bars.sort(key=lambda b: (b[0].missing, -(b[0].size or 0)))
    rest = len(chosen.figure.bars) - len(bars)
    other = ""
    if rest and not chosen.drawn.arrows:
        other = _(
            "Other countries and territories: {n}; not shown (below the reporting threshold)."
        ).format(n=number(rest))
    return {
        "figure": chosen.figure,
        "rows": corridors,
        "caption": _("The {n} largest corridors").format(n=number(len(corridors))),
        "bars": bars,
        "svg": draw_map(chosen.drawn, chosen.figure.id),
        "overview": overview(chosen.figure.id),
        "legend": [(picture(key), key.words) for key in chosen.drawn.legend],
        "rest": other,
    }


def _regions(answers: Answers) -> Iterator[dict[str, Any]]:
    """Regions, each followed by its subregions, with their people from both sides."""
    for region in countries.regions():
        yield places.row(answers, region)
        for key in countries.subregions(region):
            yield places.row(answers, key) | {"path": ""}


def _numbers(content: Content, figure: figures.Figure) -> str:
    """Where the numbers of a map stand for good."""
    place = figures.numbers_place(figure.numbers[0], content.release.version)
    return content.edition.sharing.place(place)


def _write_files(folder: Path, content: Content) -> None:
    """Write each map for a release, as ``<file>.svg`` and as the files of a figure."""
    all_maps, release = maps(content.answers), content.release
    shared = about(release)

    def says(figure: figures.Figure) -> tuple[str, ...]:
        invented = _("Practice data: fictitious.") if release.facts.invented else ""
        return (
            " ".join(filter(None, (_("Identified people, not prevalence."), invented))),
            f"{figure.note} {shared['note_level']}",
            figure.definition,
            citation(release),
            figures.source_line(release, _numbers(content, figure)),
        )

    write_figures(folder, [chosen.figure for chosen in all_maps], content)
    for chosen in all_maps:
        from_here = figures.provenance(release, _numbers(content, chosen.figure))
        drawn = standalone(chosen.drawn, says(chosen.figure), from_here)
        (folder / CHARTS / f"{chosen.figure.file}.svg").write_text(drawn, "utf-8")
