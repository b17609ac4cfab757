"""Assistance: who receives it and who does not, by group; what stands out comes first.

Belongs here: what stands on the page.  Does not belong here: the charts (``assistance``).
"""

from __future__ import annotations

from ctdhub.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.insight import Answers, equity
from ctdhub.portal.assistance import charts
from ctdhub.portal.draw import draw
from ctdhub.portal.frame import Page
from ctdhub.portal.pages.about import about

PATH = "assistance.html"


def page(answers: Answers) -> Page:
    """The page of assistance."""
    found, rtl = charts(answers), current() in RIGHT_TO_LEFT
    return Page(
        path=PATH,
        title=_("Assistance"),
        description=_("Who receives assistance, and who does not, by group."),
        template="assistance.html",
        values={
            "caveat": equity.caveat(),
            "gaps": [(chart.id, gap) for chart in found for gap in chart.gaps],
            "charts": [
                (chart, [(panel, draw(panel, rtl=rtl, top=1.0)) for panel in chart.panels])
                for chart in found
            ],
            **about(answers.release),
        },
        menu=PATH,
    )
