"""Assistance: who receives it and who does not, by group; what stands out comes first; apart,
as every page.

A chart of many groups has a page of its own, so that no page is too heavy for a slow line.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current
from ctdhub.document.charts import bars
from ctdhub.report.equity import AssistanceChart, assistance_caveat, charts, write_assistance
from ctdhub.report.figures import Figure, FigureBar
from ctdhub.site.chart_files import CHARTS
from ctdhub.site.edition import ASSISTANCE, MenuEntry, PageKind
from ctdhub.site.frame import FIGURES, Page, card
from ctdhub.stats.answers import Answers

PATH = "assistance.html"

KIND = PageKind(
    "assistance",
    lambda content: pages(content.answers),
    menu=MenuEntry(ASSISTANCE, PATH, Text("Assistance by group")),
    cards=lambda content: (
        card(place(c), [_drawn(c)], "assistance_chart.html", css="keyed.css")
        for c in charts(content.answers)
    ),
    files=lambda folder, content: write_assistance(folder / CHARTS, content.answers),
)


def place(chart: AssistanceChart) -> str:
    """Path of the page that shows a chart."""
    return PATH if _few(chart) else f"{chart.file}.html"


def pages(answers: Answers) -> Iterator[Page]:
    """The page of assistance, then that of each chart of many groups."""
    all_charts = charts(answers)
    here, apart = [[c for c in all_charts if _few(c) is few] for few in (True, False)]
    yield _page(answers, PATH, _("Assistance"), here, apart)
    for chart in apart:
        yield _page(answers, place(chart), chart.subtitle, [chart], [])


def _page(
    answers: Answers,
    path: str,
    title: str,
    here: Sequence[AssistanceChart],
    apart: Sequence[AssistanceChart],
) -> Page:
    return Page(
        path=path,
        title=title,
        description=_("Who receives assistance, and who does not, by group."),
        template="assistance.html",
        values={
            "caveat": assistance_caveat(),
            "gaps": [
                (chart.id, "" if place(chart) == path else place(chart), *pair)
                for chart in (*here, *apart)
                for pair in zip(chart.heads_of_gaps, chart.gaps, strict=True)
            ],
            "charts": [_drawn(chart) for chart in here],
            "apart": [(chart.id, place(chart), chart.subtitle) for chart in apart],
            "all_assistance": PATH if path != PATH else "",
        },
        menu=PATH,
        scripts=FIGURES,
    )


def _drawn(chart: AssistanceChart) -> dict[str, Any]:
    """A chart with its panels, as lines where their groups are few, else as bars."""
    rtl = current() in RIGHT_TO_LEFT
    drawn = {"figure": chart, "caveat": assistance_caveat(), "lines": [], "panels": []}
    if _few(chart):
        return drawn | {"lines": [_line(panel, rtl=rtl) for panel in chart.panels]}
    panels = [(p, bars.draw_bars(p.bars, rtl=rtl, top=1.0).chart(p.id)) for p in chart.panels]
    return drawn | {"panels": panels}


def _few(chart: AssistanceChart) -> bool:
    """Whether its groups can stand on one line."""
    return all(len(_groups(panel)) <= bars.MOST for panel in chart.panels)


def _groups(panel: Figure) -> list[FigureBar]:
    return [bar for bar in panel.bars if not bar.missing]


def _line(panel: Figure, *, rtl: bool) -> dict[str, Any]:
    """A kind of assistance: its line, each group with its mark and number, and what is missing."""
    groups = _groups(panel)
    return {
        "title": panel.headline,
        "svg": bars.draw_dumbbell(groups, rtl=rtl),
        "groups": [(bars.sign(k), bar.label, bar.text) for k, bar in enumerate(groups)],
        "missing": [(bar.label, bar.text) for bar in panel.bars if bar.missing],
    }
