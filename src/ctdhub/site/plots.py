"""The picture of a figure on a page: bars, or a line of years; and what stands around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from ctdhub.core.format import listed, number, span, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.charts import bars, whole, years
from ctdhub.release.open import Release
from ctdhub.report.citing import quote, reference
from ctdhub.report.figures import Figure, FigureBar
from ctdhub.report.snippets import snippets
from ctdhub.report.year_chart import line_of
from ctdhub.schema.roles import SEX
from ctdhub.site.edition import Edition
from ctdhub.site.frame import Links, address
from ctdhub.site.onward import (
    ChartWithFiles,
    chart_files,
    embed_code,
    embed_path,
    figure_files,
    onward,
)
from ctdhub.site.sharing import EXAMPLE

FEW = 3
"""Labels of blanks that stand in one line; of more, how many there are."""


def card_values(path: str, links: Links, release: Release, edition: Edition) -> dict[str, Any]:
    """What chart cards on a page need: values and functions of the templates.

    Args:
        path: of the page, in the folder of its language.
    """
    sharing, here = edition.sharing, address(links.lang, release.version, path)
    root = sharing.public("") or EXAMPLE

    def embed_address(figure: ChartWithFiles) -> str:
        inside = address(links.lang, release.version, embed_path(figure.file))
        return f"{root}{inside}#{figure.id}"

    return {
        "here": sharing.place(here),
        "here_path": here,
        "public": bool(sharing.url),
        "root": root,
        "covered_years": span(release.years),
        "embed_address": embed_address,
        "embed_code": embed_code,
        "plot": plot,
        "blanks": blanks,
        "at_most": at_most,
        "quote": quote,
        "reference": reference,
        "snippets": snippets,
        "figure_files": figure_files,
        "chart_files": chart_files,
        "onward": onward,
    }


def plot(figure: Figure, *, other: bool = False) -> Markup:
    """The picture, in the language in force.

    Args:
        other: in the figure's other unit, people or shares.
    """
    rtl = current() in RIGHT_TO_LEFT
    if figure.by_year:
        return years.draw(line_of(figure), figure.id, rtl=rtl)
    shown = replace(figure, bars=figure.other).drawn if other else figure.drawn
    if figure.subject == SEX and figure.where and whole.fits(shown):
        return whole.draw(shown, figure.id, rtl=rtl, whole=_known(figure, other=other))
    return bars.draw(shown, figure.id, rtl=rtl)


def _known(figure: Figure, *, other: bool) -> float | None:
    """All people whose answer is recorded, in the unit of the picture."""
    in_people = (figure.unit == "people") is not other
    return figure.table.base.value if in_people else 1.0


def blanks(figure: Figure) -> str:
    """Which answers are not shown, in one line; empty where all are."""
    found = figure.not_shown
    if not found:
        return ""
    labels = _spans(figure) if figure.by_year else [bar.label for bar in found]
    if len(labels) > FEW and not figure.by_year:
        text = _("{n} answers").format(n=number(len(found)))
    else:
        text = listed(labels)
    return _("Not shown (not zero): {what}").format(what=text)


def at_most(bar: FigureBar) -> str:
    """A blank with its upper bound."""
    return _("{label}: at most {n}").format(label=bar.label, n=bar.cells[2])


def _spans(figure: Figure) -> list[str]:
    """Years that are not shown, those that follow each other as one span."""
    pairs = zip(figure.table.rows, figure.bars, strict=True)
    found: Sequence[int] = [
        int(row.codes[0]) for row, bar in pairs if bar.kind == "protected" and not bar.missing
    ]
    runs: list[list[int]] = []
    for when in found:
        if runs and when == runs[-1][-1] + 1:
            runs[-1].append(when)
        else:
            runs.append([when])
    return [year(r[0]) if len(r) == 1 else f"{year(r[0])}–{year(r[-1])}" for r in runs]
