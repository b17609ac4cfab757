"""Figures as pictures in files: an SVG that stands alone, for documents and slides.

    charts/<language>/<file>.svg    the figures of the first page

A picture that leaves the site carries title, note, caveat and citation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ctdhub.core.format import set_apart
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.charts.bars import body
from ctdhub.document.charts.standalone import Picture, standalone
from ctdhub.document.svg import Drawing
from ctdhub.release.open import Release
from ctdhub.report.figures import Figure, figures
from ctdhub.report.wording import citation
from ctdhub.stats.answers import Answers


def write_pictures(folder: Path, answers: Answers) -> None:
    """Write the figures of the first page, in the language in force, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for figure in figures(answers):
        text = picture(figure, answers.release)
        (folder / f"{figure.file}.svg").write_text(text, "utf-8")


def picture(figure: Figure, release: Release) -> str:
    """The figure as an SVG file in the language in force: headline, bars, note, citation."""
    drawn = body(figure.bars, rtl=current() in RIGHT_TO_LEFT)
    return alone(figure.headline, figure.subtitle, drawn, _notes(figure, release))


def alone(headline: str, subtitle: str, drawing: Drawing, notes: Sequence[str]) -> str:
    """A drawing as an SVG file that stands alone, in the language in force.

    Args:
        notes: paragraphs below it.
    """
    lang = current()
    around = Picture(headline, subtitle, tuple(notes), lang, lang in RIGHT_TO_LEFT)
    return standalone(around, drawing)


def _notes(figure: Figure, release: Release) -> list[str]:
    """What stands below the bars; the warning about invented data, if any, is in the citation."""
    facts = release.facts
    return [
        *(text for text in (figure.note, figure.definition) if text),
        *(set_apart(caveat) for caveat in facts.caveats),
        _("The line across the end of each bar is its interval."),
        _("Identified cases, not prevalence."),
        citation(release).replace(facts.hub, set_apart(facts.hub), 1),
    ]
