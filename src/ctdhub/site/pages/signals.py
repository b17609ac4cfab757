"""The page of signals, apart as every page: what departed from its past, and what that is not."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ctdhub.core.format import share
from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current
from ctdhub.document.charts.years import draw, spark
from ctdhub.document.svg import round_top
from ctdhub.report import signal_charts, signals
from ctdhub.site.chart_files import CHARTS
from ctdhub.site.edition import CHANGE, MenuEntry, PageKind
from ctdhub.site.frame import FIGURES, Page, card
from ctdhub.stats.answers import Answers
from ctdhub.stats.signals.of_release import ReleaseSignals

PATH = "signals.html"

KIND = PageKind(
    "signals",
    lambda content: [page(content.answers)],
    menu=MenuEntry(CHANGE, PATH, Text("Signals")),
    cards=lambda content: _cards(content.answers),
    files=lambda folder, content: signal_charts.write_signals(
        folder / CHARTS, signal_charts.looked_for(content.answers)
    ),
)


def page(answers: Answers) -> Page:
    """The page of signals."""
    result = signal_charts.looked_for(answers)
    return Page(
        path=PATH,
        title=_("Signals"),
        description=_("Numbers and shares that moved beyond what their own past shows."),
        values={
            "result": result,
            "found": result.search,
            "words": signals,
            "charts": signal_charts,
            "name": partial(signals.named_contributors, result),
            "kinds": _kinds(result),
        },
        scripts=FIGURES,
    )


def _cards(answers: Answers) -> Iterator[Page]:
    """The charts of all signals that are drawn, on one card."""
    if drawn := [
        chart for _kind, charts in _kinds(signal_charts.looked_for(answers)) for chart in charts
    ]:
        after = ("signal_keys.html", "signal_not.html")
        yield card(PATH, drawn, "signal_chart.html", _("Signals"), "keyed.css", after)


def _kinds(result: ReleaseSignals) -> list[tuple[str, list[dict[str, Any]]]]:
    """The charts by what moved; kinds without a signal are left out."""
    turns = frozenset(str(t.year) for t in result.turns)
    kinds = (
        (_("Changes in who was identified"), signal_charts.drawn(result, "share")),
        (_("How many were identified changed"), signal_charts.drawn(result, "count")),
    )
    return [
        (title, [_drawn(chart, turns) for chart in charts]) for title, charts in kinds if charts
    ]


def _drawn(chart: signal_charts.SignalChart, turns: frozenset[str]) -> dict[str, Any]:
    shown = (r.people.high or 0 for r in chart.people.rows if r.people.value is not None)
    people, rtl = round_top(max(shown, default=1)), current() in RIGHT_TO_LEFT
    lines = [(chart.people, chart.people.chart(people, turns=turns))]
    if chart.share is not None:
        lines.append((chart.share, chart.share.chart(1.0, share, turns)))
    panels = [(p, draw(line, f"{chart.id}-{k}", rtl=rtl)) for k, (p, line) in enumerate(lines, 1)]
    return {"figure": chart, "panels": panels, "spark": spark(lines[-1][1], rtl=rtl)}
