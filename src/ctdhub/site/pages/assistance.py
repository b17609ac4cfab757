"""Assistance: who receives it and who does not, by group; what stands out comes first."""

from __future__ import annotations

from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current
from ctdhub.document.charts.bars import draw
from ctdhub.report.equity import charts, write_assistance
from ctdhub.report.gaps import assistance_caveat
from ctdhub.site.chart_files import CHARTS
from ctdhub.site.frame import Page
from ctdhub.site.kinds import ASSISTANCE, MenuEntry, PageKind
from ctdhub.site.pages.about import about
from ctdhub.stats.answers import Answers

PATH = "assistance.html"

KIND = PageKind(
    "assistance",
    lambda content: [page(content.answers)],
    menu=MenuEntry(ASSISTANCE, PATH, Text("Assistance by group")),
    files=lambda folder, content: write_assistance(folder / CHARTS, content.answers),
)


def page(answers: Answers) -> Page:
    """The page of assistance."""
    found, rtl = charts(answers), current() in RIGHT_TO_LEFT
    return Page(
        path=PATH,
        title=_("Assistance"),
        description=_("Who receives assistance, and who does not, by group."),
        template="assistance.html",
        values={
            "caveat": assistance_caveat(),
            "gaps": [(chart.id, gap) for chart in found for gap in chart.gaps],
            "charts": [
                (
                    chart,
                    [
                        (panel, draw(panel.bars, panel.id, rtl=rtl, top=1.0))
                        for panel in chart.panels
                    ],
                )
                for chart in found
            ],
            **about(answers.release),
        },
        menu=PATH,
    )
