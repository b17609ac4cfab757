"""Charts to stand in frames on pages of others: the cards alone, with licence, source, helplines.

A page holds the charts of one file of numbers; ``#`` and the id of a chart shows that one alone,
which needs no script.  Its policy says nothing of who may frame it; a server's must not either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.charts.years import draw
from ctdhub.document.svg import round_top
from ctdhub.report.figures import Figure, figures
from ctdhub.report.places import file, path, sides
from ctdhub.report.series import Trend, trends
from ctdhub.site.frame import HOME, Page
from ctdhub.site.kinds import Content, PageKind
from ctdhub.site.onward import embed_path
from ctdhub.site.pages import trends as trends_page
from ctdhub.site.plots import plot
from ctdhub.site.stories import page as stories
from ctdhub.stats.answers import Answers

KIND = PageKind("embed", lambda content: pages(content))


def pages(content: Content) -> Iterator[Page]:
    """A page for each file of figures, in the language in force, but those of places."""
    answers = content.answers
    for figure in figures(answers):
        yield _page(figure.file, [figure], HOME)
    for chart in trends(answers):
        yield _lines(chart)
    for figure, home in stories.shown(content):
        yield _page(figure.file, [figure], home)


def of_place(answers: Answers, key: str, own: Page | None = None) -> Iterator[Page]:
    """The page of a country or region, right after its own page; none where nothing is shown.

    Args:
        own: the place's own page, whose drawings are taken again.
    """
    if found := [f for among in sides(key).values() for f in figures(answers, among)]:
        there = {
            f.id: svg for side in (own.values["sides"] if own else ()) for f, svg in side["figures"]
        }
        values: dict[str, Any] = {"lines": None}
        values["cards"] = [(f, there[f.id] if f.id in there else plot(f)) for f in found]
        if own and there.keys() >= {f.id for f in found}:
            values["others"] = own.values["others"]
        yield _framed(file(key), found[0].subtitle, path(key), values)


def _page(name: str, shown: list[Figure], home: str) -> Page:
    cards = [(figure, plot(figure)) for figure in shown]
    return _framed(name, shown[0].subtitle, home, {"cards": cards, "lines": None})


def _lines(chart: Trend) -> Page:
    end, rtl = round_top(chart.top), current() in RIGHT_TO_LEFT
    single = len(chart.panels) == 1
    panels = []
    for k, panel in enumerate(chart.panels, 1):
        id_ = chart.id if single else f"{chart.id}-{k}"
        svg = draw(panel.chart(end, turns=chart.turns), id_, rtl=rtl)
        panels.append({"id": id_, "panel": panel, "svg": svg})
    values = {"cards": (), "lines": {"figure": chart, "panels": panels, "single": single}}
    return _framed(chart.file, chart.subtitle, trends_page.place(chart), values)


def _framed(name: str, title: str, home: str, values: dict[str, Any]) -> Page:
    return Page(
        path=embed_path(name),
        title=title,
        description=_("Identified cases, not prevalence."),
        template="embed.html",
        values={**values, "own_page": home},
        framed=True,
    )
