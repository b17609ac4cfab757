"""Tables for reports: what states and the UN ask for, by country, to download."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ctdhub.core.format import span
from ctdhub.core.i18n import LANGUAGES, _, current, language
from ctdhub.core.tables import write_json
from ctdhub.report.figures import listed_places
from ctdhub.report.mandated import metadata, notes, title, written
from ctdhub.schema import countries
from ctdhub.site.chart_files import CHARTS
from ctdhub.site.edition import PageKind
from ctdhub.site.frame import Page
from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated import tables
from ctdhub.stats.mandated.tables import SHAPES, reporting_countries, scope

# --------------------------------------------------------------------------------------------------
# The mandated tables of the site as files: one CSV for each shape, with a column for the country.
#
# charts/mandated/<shape>.csv
# charts/mandated/<shape>.metadata.json

FOLDER = "mandated"
YEARS = 10
"""Years of the site's tables, the last; ``ctdhub tables`` gives any."""


def years(answers: Answers) -> tuple[int, int]:
    """First and last year of the site's tables."""
    first, last = answers.release.years
    return max(first, last - YEARS + 1), last


def places(shape: str, answers: Answers) -> tuple[str, ...]:
    """Countries that have a table of this shape."""
    codes = tables.reported_places(answers)
    if shape == "eurostat":
        return tuple(code for code in codes if code in reporting_countries())
    return codes


def file(shape: str) -> str:
    """Name of the files of a shape, without their ending."""
    return f"{FOLDER}/{shape}"


def write_mandated(folder: Path, answers: Answers) -> None:
    """Write all tables into the folder of charts, in English as all files for programs."""
    with language(LANGUAGES[0]):
        for shape, fill in tables.SHAPES.items():
            codes = places(shape, answers)
            if not codes:
                continue
            scope = tables.scope(answers, None, years(answers))
            sheet = fill(answers, replace(scope, places=codes))
            path = folder / f"{file(shape)}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written(sheet, answers.release, "csv"), "utf-8")
            facts = {**metadata(sheet, answers.release), "countries": list(codes)}
            write_json(folder / f"{file(shape)}.metadata.json", facts)


PATH, DATA = "mandated.html", "data.html"

KIND = PageKind(
    "mandated",
    lambda content: [page(content.answers)],
    files=lambda folder, content: write_mandated(folder / CHARTS, content.answers),
)

_NAMES = {"eurostat": "Eurostat", "greta": "GRETA", "unodc": "UNODC"}
"""What the columns of shapes are called; names of bodies are the same in all languages."""


def page(answers: Answers) -> Page:
    """The page of the tables."""
    shapes = [_shape(answers, name) for name in SHAPES]
    sets = [shape["notes"] for shape in shapes if shape["notes"]]
    common = [note for note in (sets[0] if sets else ()) if all(note in notes for notes in sets)]
    for shape in shapes:
        shape["own"] = [note for note in shape["notes"] if note not in common]
    listed: dict[str, list[str]] = {k: [] for k in (*countries.regions(), countries.NO_REGION)}
    codes = {code for shape in shapes for code in shape["places"]}
    for code in countries.by_name(codes, current()):
        listed[countries.region(code)].append(code)
    return Page(
        path=PATH,
        title=_("Tables for reports"),
        description=_(
            "Tables aligned with SDG indicator 16.2.2, with Eurostat and with what UNODC and GRETA "
            "ask."
        ),
        values={
            "years": span(years(answers)),
            "shapes": shapes,
            "common": common,
            "held": listed_places(answers),
            "regions": [(countries.region_name(k, current()), x) for k, x in listed.items() if x],
            "file": file,
        },
        menu=DATA,
        scripts=("save.js",),
    )


def _shape(answers: Answers, name: str) -> dict[str, Any]:
    """Title and notes of a shape, from its table of one country; empty where there is none."""
    codes, short = places(name, answers), _NAMES.get(name) or _("SDG 16.2.2")
    entry: dict[str, Any] = {"name": name, "short": short, "places": codes}
    entry |= {"notes": (), "title": short}
    if codes:
        sheet = SHAPES[name](answers, scope(answers, codes[0], years(answers)))
        sheet = replace(sheet, scope=replace(sheet.scope, places=codes))
        entry |= {"title": title(sheet), "notes": notes(sheet, answers.release)}
    return entry
