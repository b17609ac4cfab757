"""Figures of the site as blocks of a brief, each number noted with its question."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ctdhub.core.format import number, share, year
from ctdhub.core.i18n import _
from ctdhub.document.document import Bar, Bars, Years
from ctdhub.document.numbers import Notebook
from ctdhub.document.svg import round_top
from ctdhub.report import figures as site
from ctdhub.report.breaks import break_sentence
from ctdhub.report.coverage import turned
from ctdhub.report.figures import Among, Figure
from ctdhub.report.wording import sized
from ctdhub.report.year_chart import year_chart
from ctdhub.schema.model import load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.breaks import breaks_within
from ctdhub.stats.query import Where
from ctdhub.stats.table import Row, Table
from ctdhub.stats.trend import Line, trend, turns

LABOUR = "labour"
MOST = {"means-of-control": 7, "exploitation": 6, LABOUR: 7, "corridors": 7}
"""Rows that a figure has on paper; the site shows all."""


def drawn(
    answers: Answers, where: Where, prefix: str, names: Collection[str], notebook: Notebook
) -> dict[str, Bars]:
    """The bar figures of some people by name; those with hardly a bar are left out.

    Args:
        where: conditions that the people meet.
        prefix: begins the ids of the numbers.
        names: of the figures that are wanted, as the site calls them, or "labour".
        notebook: gets every number that is printed.
    """
    chosen = Among(where, "", "")
    found = {f.id: f for f in site.figures(answers, chosen) if f.id in names}
    if LABOUR in names:
        more = site.subject_figure(answers, LABOUR, Among(where, LABOUR, ""), 0)
        if more is not None:
            found[LABOUR] = more
    return {
        name: _bars(answers, name, figure, where, f"{prefix}{name}", notebook)
        for name, figure in found.items()
        if name == "gender" or sum(b.size is not None for b in figure.bars if not b.missing) > 1
    }


def _bars(
    answers: Answers, name: str, figure: Figure, where: Where, id: str, notebook: Notebook
) -> Bars:
    table, shares = figure.table, load_schema().is_indicator(figure.table.variables[0])
    most = MOST.get(name, len(figure.bars))
    values = [k for k, row in enumerate(table.rows) if row.kind != "not_recorded"]
    kept = values[:most]
    if len(values) > most or shares:
        kept = [k for k in kept if figure.bars[k].size is not None]
    kept += [k for k, row in enumerate(table.rows) if row.kind == "not_recorded"]
    for k in kept:
        _note_row(table, table.rows[k], figure.bars[k].text, id, notebook, shares=shares)
    note = figure.note
    left = len(table.rows) - len(kept)
    if left:
        more = _(
            "Rows not shown: {n}; they have fewer people, or are below the reporting threshold."
        )
        note = f"{note} {more.format(n=number(left))}"
        notebook.add(f"{id}.left", "sum", left, (number(left),))
    _note_base(table, where, id, notebook)
    if (largest := table.largest) is not None and largest.share is not None:
        notebook.card(f"{id}.largest", largest.share, sized(largest.share))
    bars = tuple(
        Bar(b.label, b.text, b.size, b.low, b.high, b.missing)
        for b in (figure.bars[k] for k in kept)
    )
    return Bars(figure.headline, figure.subtitle, bars, note)


def _note_row(
    table: Table, row: Row, text: str, id: str, notebook: Notebook, *, shares: bool
) -> None:
    code = "-".join(row.codes) or "not_recorded"
    if row.kind == "not_recorded":
        outside = shares or len(table.variables) > 1
        notebook.card(f"{id}.{code}", row.people, sized(row.people) if outside else text)
    elif shares and row.share is not None:
        notebook.card(f"{id}.{code}", row.share, text)
    else:
        notebook.card(f"{id}.{code}", row.people, text)


def _note_base(table: Table, where: Where, id: str, notebook: Notebook) -> None:
    card = table.base
    ends = tuple(number(x or 0) for x in (card.value, card.low, card.high))
    notebook.card(f"{id}.base", card, *ends)
    if table.missing is not None and card.query is not None:
        missing, printed = table.missing, (share(table.missing),)
        notebook.add(f"{id}.missing", "missing", missing, printed, card.query.where, where)


def by_year(answers: Answers, where: Where, id: str, notebook: Notebook) -> Years | None:
    """People by year; None where this release did not measure them, or no year is shown."""
    table = trend(answers, "line", [Line("all", where)])
    if table is None:
        return None
    rows = [row for row in table.rows if row.codes[0]]
    points = year_chart(rows, 1).points
    shown = [k for k, p in enumerate(points) if p.state == "shown"]
    if not shown:
        return None
    for k in shown:
        notebook.card(f"{id}.{rows[k].codes[0]}", rows[k].people, points[k].text)
    top = round_top(max(p.high for p in points if p.state != "not_measured"))
    release = answers.release
    met = breaks_within(release, tuple(where), *release.years)
    declared = [break_sentence(one, release.facts) for one in met]
    lines = {str(t.year) for t in turns(release)} | {str(b.year) for b in met}
    chart = year_chart(rows, top, turns=lines)
    dotted = (
        _("Dotted lines: contributors joined or left, or declared a break.")
        if met
        else _("Dotted lines: contributors joined or left.")
    )
    notebook.add(f"{id}.axis", "sum", top, tuple(a for a in chart.axis if a))
    title = _("People identified by year")
    if (largest := replace(table, rows=tuple(rows)).largest) is not None:
        title = _("Year with the most people identified: {year}, {people} people").format(
            year=year(largest.codes[0]), people=sized(largest.people)
        )
    peak = max(shown, key=lambda k: points[k].value)
    return replace(
        chart,
        title=title,
        subtitle=_("People identified by year"),
        marked=(peak,),
        year=_("Year"),
        column=_("People by year, as a table"),
        note=" ".join((dotted, *turned(release), *declared)),
    )
