"""The mandated tables of the site as files: one CSV for each country and shape.

charts/mandated/<shape>/<country>.csv
charts/mandated/<shape>.metadata.json
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ctdhub.core.datafiles import write_json
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.report.mandated import metadata, written
from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated import lines, shapes
from ctdhub.stats.mandated.eurostat import reporting_countries

FOLDER = "mandated"
YEARS = 10
"""Years of the site's tables, the last; ``ctdhub tables`` gives any."""


def years(answers: Answers) -> tuple[int, int]:
    """First and last year of the site's tables."""
    first, last = answers.release.years
    return max(first, last - YEARS + 1), last


def places(shape: str, answers: Answers) -> tuple[str, ...]:
    """Countries that have a table of this shape."""
    found = lines.reported_places(answers)
    if shape == "eurostat":
        return tuple(code for code in found if code in reporting_countries())
    return found


def file(shape: str, country: str = "") -> str:
    """Name of a table's file, or of what all tables of a shape have in common; no ending."""
    return f"{FOLDER}/{shape}/{country.lower()}" if country else f"{FOLDER}/{shape}"


def write_mandated(folder: Path, answers: Answers) -> None:
    """Write all tables into the folder of charts, in English as all files for programs."""
    with language(LANGUAGES[0]):
        for shape, fill in shapes.SHAPES.items():
            codes = places(shape, answers)
            if not codes:
                continue
            scope = lines.scope(answers, None, years(answers))
            for code in codes:
                sheet = fill(answers, replace(scope, places=(code,)))
                path = folder / f"{file(shape, code)}.csv"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(written(sheet, answers.release, "csv"), "utf-8")
            facts = metadata(replace(sheet, scope=scope), answers.release)
            facts["countries"] = list(codes)
            write_json(folder / f"{file(shape)}.metadata.json", facts)
