"""Figures as pictures in files: an SVG that stands alone, for documents and slides.

    charts/<language>/<file>.svg    the figures of the first page

A picture that leaves the site carries title, note, caveat, citation, licence and address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from ctdhub.core.format import day, set_apart
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.charts import years
from ctdhub.document.charts.bars import body
from ctdhub.document.charts.standalone import MARGIN, WIDTH, Picture, standalone
from ctdhub.document.svg import Drawing
from ctdhub.release.open import Release
from ctdhub.report.called import called
from ctdhub.report.figures import Figure, figures
from ctdhub.report.wording import citation
from ctdhub.report.year_chart import line_of
from ctdhub.stats.answers import Answers

NOTHING: Mapping[str, str] = {}


def write_pictures(folder: Path, answers: Answers, page: str) -> None:
    """Write the figures of the first page, in the language in force, into a folder.

    Args:
        page: where that page is for good.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for figure in figures(answers):
        text = picture(figure, answers.release, f"{page}#{figure.id}")
        (folder / f"{figure.file}.svg").write_text(text, "utf-8")


def picture(figure: Figure, release: Release, url: str) -> str:
    """The figure as an SVG file in the language in force: headline, chart, note, citation, source.

    Args:
        url: where the figure stands for good.
    """
    rtl = current() in RIGHT_TO_LEFT
    if figure.by_year:
        drawn = years.body(line_of(figure), rtl=rtl, wide=WIDTH - 2 * MARGIN)
    else:
        drawn = body(figure.drawn, rtl=rtl)
    notes = (*_notes(figure, release), source_line(release, url))
    return alone(figure.headline, figure.subtitle, drawn, notes, provenance(release, url))


def source_line(release: Release, url: str) -> str:
    """Where a picture comes from, in the language in force: hub, release, licence, address, day."""
    facts = release.facts
    return _("Source: {hub}, release {version}, {day}. Licence: {licence}. {url}").format(
        hub=set_apart(called(facts)),
        version=release.version,
        day=day(date.fromisoformat(release.manifest.created[:10])),
        licence=facts.licence or _("not stated"),
        url=set_apart(url),
    )


def provenance(release: Release, url: str) -> dict[str, str]:
    """The same for programs, by the names of Dublin Core."""
    facts = release.facts
    return {
        "publisher": facts.hub,
        "source": url,
        "date": release.manifest.created[:10],
        "license": facts.licence_url or facts.licence,
        "identifier": f"release {release.version}",
    }


def alone(
    headline: str,
    subtitle: str,
    drawing: Drawing,
    notes: Sequence[str],
    about: Mapping[str, str] = NOTHING,
) -> str:
    """A drawing as an SVG file that stands alone, in the language in force.

    Args:
        notes: paragraphs below it.
        about: what programs read of where it comes from, see :func:`provenance`.
    """
    lang = current()
    around = Picture(headline, subtitle, tuple(notes), lang, lang in RIGHT_TO_LEFT, about)
    return standalone(around, drawing)


def _notes(figure: Figure, release: Release) -> list[str]:
    """What stands below the bars; the warning about fictitious data, if any, is in the citation."""
    facts = release.facts
    return [
        *(text for text in (figure.note, figure.definition) if text),
        *(set_apart(caveat) for caveat in facts.caveats),
        _("The band around the line is the interval.")
        if figure.by_year
        else _("The line across the end of each bar is its interval."),
        _("Identified cases, not prevalence."),
        citation(release).replace(called(facts), set_apart(called(facts)), 1),
    ]
