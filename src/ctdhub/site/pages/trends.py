"""Trends: people by year, with the contributors that covered each year under every chart.

A chart with many panels has a page of its own, so that no page is too heavy for a slow line.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ctdhub.core.format import listed, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current
from ctdhub.document.charts.bars import draw_balance
from ctdhub.document.charts.years import draw, draw_span
from ctdhub.document.svg import round_top
from ctdhub.release.open import Release
from ctdhub.report.trends import Balance, Trend, counted_once, trends, uncovered, write_shifts
from ctdhub.report.wording import called, turned
from ctdhub.site.chart_files import CHARTS, write_figures
from ctdhub.site.edition import CHANGE, Content, MenuEntry, PageKind
from ctdhub.site.frame import FIGURES, Page, card
from ctdhub.stats.answers import Answers
from ctdhub.stats.trend import span

PATH = "trends.html"
MANY = 4
"""Panels of a chart on the page of all; one with more has its own page."""

KIND = PageKind(
    "trends",
    lambda content: pages(content.answers),
    menu=MenuEntry(CHANGE, PATH, Text("Trends")),
    cards=lambda content: (
        card(place(chart), [_panels(chart)], "trend_chart.html")
        for chart in trends(content.answers)
    ),
    files=lambda folder, content: _write_files(folder, content),
)


def place(chart: Trend) -> str:
    """Path of the page that shows a chart."""
    return PATH if len(chart.panels) <= MANY else f"{chart.file}.html"


def pages(answers: Answers) -> Iterator[Page]:
    """The page of trends, then that of each chart with many panels."""
    all_charts = trends(answers)
    here, apart = [[c for c in all_charts if (place(c) == PATH) is same] for same in (True, False)]
    yield _page(answers, PATH, _("Trends"), here, apart)
    for chart in apart:
        yield _page(answers, place(chart), chart.title, [chart], [])


def _page(
    answers: Answers, path: str, title: str, here: Sequence[Trend], apart: Sequence[Trend]
) -> Page:
    release = answers.release
    empty = uncovered(release)
    return Page(
        path=path,
        title=title,
        description=_("People identified by year, and who reported in each year."),
        template="trends.html",
        values={
            "charts": [_panels(chart) for chart in here],
            "apart": [(chart.id, place(chart), chart.title) for chart in apart],
            "balances": _balances,
            "all_trends": PATH if path != PATH else "",
            "timeline": _timeline(release),
            "coverage": turned(release),
            "once": counted_once() if answers.release.protected.sources else "",
            "nobody": _("nobody reports here: {years}").format(years=listed(empty))
            if empty
            else _("nobody reports here: none of these years"),
        },
        menu=PATH,
        scripts=FIGURES,
    )


def _write_files(folder: Path, content: Content) -> None:
    """Write each chart, and its changes split, as ``<file>-change``, for a release."""
    charts = trends(content.answers)
    write_figures(folder, charts, content)
    for chart in charts:
        write_shifts(folder / CHARTS, chart.file, chart.shifts, content.release)


def _panels(chart: Trend) -> dict[str, Any]:
    """The lines of a chart on one scale, each with its id."""
    end, single, rtl = round_top(chart.top), len(chart.panels) == 1, current() in RIGHT_TO_LEFT
    panels: list[dict[str, Any]] = []
    for k, panel in enumerate(chart.panels, 1):
        id_ = chart.id if single else f"{chart.id}-{k}"
        svg = draw(panel.chart(end, turns=chart.turns), id_, rtl=rtl)
        panels.append({"id": id_, "panel": panel, "svg": svg})
    return {"figure": chart, "panels": panels, "single": single}


def _balances(balance: Balance) -> tuple[Markup, ...]:
    return draw_balance(balance.changes, rtl=current() in RIGHT_TO_LEFT) if balance.changes else ()


def _timeline(release: Release) -> Iterator[tuple[str, str, Markup]]:
    """Contributors, the years that each covers, and these years drawn."""
    years, facts, rtl = span(release), release.facts, current() in RIGHT_TO_LEFT
    for contributor in facts.contributors:
        first, last = contributor.years or facts.years
        last = min(last, years[-1])
        words = year(first) if first >= last else f"{year(first)}\u00a0–\u00a0{year(last)}"
        yield called(contributor), words, draw_span(years, (first, last), rtl=rtl)
