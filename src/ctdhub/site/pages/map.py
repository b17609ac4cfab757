"""The map: corridors as arrows, two shaded maps, the ranked corridors, regions.

Each map has a page of its own, so that no page is too heavy for a slow line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ctdhub.core.format import number
from ctdhub.core.i18n import Text, _, current
from ctdhub.document.charts.tiles import draw_map, overview, picture, standalone
from ctdhub.report.figures import Figure
from ctdhub.report.maps import ARROWS, CORRIDORS, Map, maps
from ctdhub.report.picture import provenance, source_line
from ctdhub.report.places import SIDES, listed_places, path
from ctdhub.report.wording import citation, sized
from ctdhub.schema import countries
from ctdhub.site.chart_files import CHARTS, write_figure
from ctdhub.site.frame import FIGURES, Page
from ctdhub.site.kinds import PLACES, Content, MenuEntry, PageKind
from ctdhub.site.pages.about import about
from ctdhub.site.pages.corridors import ranked
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Query

PATH = "map.html"

KIND = PageKind(
    "map",
    lambda content: pages(content.answers),
    menu=MenuEntry(PLACES, PATH, Text("Map")),
    files=lambda folder, content: _write_files(folder / CHARTS, content),
)


def pages(answers: Answers) -> Iterator[Page]:
    """The page of the first map, with the regions, then that of each other map."""
    found = maps(answers)
    apart = [(m.figure.id, f"{m.figure.id}.html", m.figure.subtitle) for m in found[1:]]
    yield _page(answers, PATH, _("Map"), found[:1], apart)
    for chosen, (_id, own, title) in zip(found[1:], apart, strict=True):
        yield _page(answers, own, title, (chosen,), [])


def _page(
    answers: Answers,
    path: str,
    title: str,
    here: Sequence[Map],
    apart: Sequence[tuple[str, str, str]],
) -> Page:
    held = listed_places(answers)
    first = next((m for m in here if m.figure.id == CORRIDORS), None)
    rows = [r for r in first.figure.table.rows if r.kind == "value"] if first else []
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
            "corridors": CORRIDORS,
            "caption": _("The {n} largest corridors").format(n=number(min(ARROWS, len(rows)))),
            "rows": [ranked(k, row, held) for k, row in enumerate(rows, 1)],
            "ranks": _(
                "The order of neighbouring rows is uncertain where their intervals overlap."
            ),
            "regions": _regions(answers) if path == PATH else (),
            **about(answers.release),
        },
        menu=PATH,
        scripts=(
            *FIGURES,
            "map.js",
        ),
    )


def _drawn(chosen: Map) -> dict[str, Any]:
    """A map with its table, which names the countries that are shown and counts the others."""
    pages = {tile.code: tile.href for tile in chosen.drawn.tiles}
    rows = zip(chosen.figure.bars, chosen.figure.table.rows, strict=True)
    bars = [
        (bar, "" if chosen.drawn.arrows else pages.get(row.codes[0], ""))
        for bar, row in rows
        if bar.cells and bar.kind != "protected"
    ]
    bars.sort(key=lambda b: (b[0].missing, -(b[0].size or 0)))
    rest = len(chosen.figure.bars) - len(bars)
    other = ""
    if rest and not chosen.drawn.arrows:
        other = _(
            "Other countries and territories: {n}; not shown (below the reporting threshold)."
        ).format(n=number(rest))
    return {
        "figure": chosen.figure,
        "bars": bars,
        "svg": draw_map(chosen.drawn, chosen.figure.id),
        "overview": overview(chosen.figure.id),
        "legend": [(picture(key), key.words) for key in chosen.drawn.legend],
        "rest": other,
    }


def _regions(answers: Answers) -> list[dict[str, str]]:
    """Regions, each followed by its subregions, with their people from both sides."""
    found = []
    for region in countries.regions():
        for key in (region, *countries.subregions(region)):
            inside = countries.members(key)
            row: dict[str, str] = {
                side: sized(answers.card(Query({v: inside}))) for side, v in SIDES.items()
            }
            row["name"] = countries.region_name(key, current())
            row["path"] = path(key) if key == region else ""
            found.append(row)
    return found


def _write_files(folder: Path, content: Content) -> None:
    """Write each map into the folder of charts, as ``<file>.svg`` and as the files of a figure."""
    folder.mkdir(parents=True, exist_ok=True)
    found, release = maps(content.answers), content.release
    shared = about(release)

    def says(figure: Figure) -> tuple[str, ...]:
        invented = _("Practice data: fictitious.") if release.facts.invented else ""
        return (
            " ".join(filter(None, (_("Identified cases, not prevalence."), invented))),
            f"{figure.note} {shared['note_level']}",
            figure.definition,
            citation(release),
            source_line(release, content.place(PATH)),
        )

    for chosen in found:
        write_figure(folder / chosen.figure.file, chosen.figure, content)
        from_here = provenance(release, content.place(PATH))
        drawn = standalone(chosen.drawn, says(chosen.figure), from_here)
        (folder / f"{chosen.figure.file}.svg").write_text(drawn, "utf-8")
